//! The task definition of a manifest: the main container, sidecars, storage.

use serde_json::Value;

use super::super::super::document::Node;
use super::manifest::{Manifest, plain, words};
use super::{Place, boolean, list, mapping, number};

/// The port that Service Connect and load balancers find by name.
pub(super) const PORT_NAME: &str = "target";

/// The task definition.
pub(super) fn task_definition(manifest: &mut Manifest<'_>, place: &Place) -> Node {
    let name = &place.name;
    let execution_role = manifest.variable(format!("{name}-execution-role"));
    let task_role = manifest.variable(format!("{name}-task-role"));
    let cpu = manifest.number("cpu").unwrap_or(256);
    let memory = manifest.number("memory").unwrap_or(512);
    let ephemeral = manifest.number("storage.ephemeral");
    let platform = platform(manifest);
    let (volumes, mounts) = volumes(manifest, name);
    let mut containers = vec![main_container(manifest, place, mounts)];
    for sidecar in manifest.names("sidecars") {
        containers.push(self::sidecar(manifest, place, &sidecar));
    }
    mapping([
        ("requiresCompatibilities", list([Node::text("FARGATE")])),
        ("networkMode", Some(Node::text("awsvpc"))),
        ("cpu", Some(Node::text(cpu.to_string()))),
        ("memory", Some(Node::text(memory.to_string()))),
        ("runtimePlatform", platform),
        (
            "ephemeralStorage",
            ephemeral
                .filter(|size| *size > 20)
                .map(|size| Node::mapping([("sizeInGiB", number(size))])),
        ),
        ("executionRoleArn", Some(Node::text(execution_role))),
        ("taskRoleArn", Some(Node::text(task_role))),
        ("containerDefinitions", list(containers)),
        ("volumes", list(volumes)),
    ])
}

/// `linux/amd64` goes without saying.
fn platform(manifest: &mut Manifest<'_>) -> Option<Node> {
    let written = manifest.take("platform")?;
    let (system, processor) = match written.as_str() {
        Some(text) => {
            let (system, processor) = text.split_once('/')?;
            (system.to_owned(), processor.to_owned())
        }
        None => {
            let text = |name: &str| written.get(name).map(plain).unwrap_or_default();
            (text("osfamily"), text("architecture"))
        }
    };
    let processor = match processor.as_str() {
        "arm" | "arm64" => "ARM64",
        _ => "X86_64",
    };
    let system = match system.as_str() {
        "" | "linux" if processor == "X86_64" => return None,
        "" | "linux" => "LINUX",
        "windows" | "windows_server_2019_core" => "WINDOWS_SERVER_2019_CORE",
        "windows_server_2019_full" => "WINDOWS_SERVER_2019_FULL",
        "windows_server_2022_core" => "WINDOWS_SERVER_2022_CORE",
        "windows_server_2022_full" => "WINDOWS_SERVER_2022_FULL",
        _ => {
            let message = "the operating system is left out: it is not one that ECS has";
            manifest.say("platform", "spec.taskDefinition", message);
            return None;
        }
    };
    Some(Node::mapping([
        ("cpuArchitecture", Node::text(processor)),
        ("operatingSystemFamily", Node::text(system)),
    ]))
}

fn main_container(manifest: &mut Manifest<'_>, place: &Place, mounts: Vec<Node>) -> Node {
    let image = image(manifest, &place.name, "image");
    let port = manifest.number("image.port").map(|port| {
        Node::mapping([("name", Node::text(PORT_NAME)), ("containerPort", number(port))])
    });
    let credentials = manifest.text("image.credentials").map(credentials);
    let read_only = manifest.boolean("storage.readonly_fs").filter(|only| *only).map(boolean);
    let common = common(manifest, "", "image");
    let logs = logs(manifest, place);
    mapping(
        [
            ("name", Some(Node::text(place.name.clone()))),
            ("image", Some(Node::text(image))),
            ("repositoryCredentials", credentials),
            ("portMappings", list(port)),
            ("mountPoints", list(mounts)),
            ("readonlyRootFilesystem", read_only),
        ]
        .into_iter()
        .chain(common)
        .chain([("logConfiguration", Some(logs))]),
    )
}

fn sidecar(manifest: &mut Manifest<'_>, place: &Place, name: &str) -> Node {
    let at = format!("sidecars.{name}");
    let image = match manifest.text(&format!("{at}.image")) {
        Some(image) => image,
        None => self::image(manifest, &format!("{}-{name}", place.name), &format!("{at}.image")),
    };
    let port = manifest.text(&format!("{at}.port")).and_then(|port| {
        let (port, protocol) = match port.split_once('/') {
            Some((port, protocol)) => (port.to_owned(), Some(protocol.to_owned())),
            None => (port, None),
        };
        let protocol = protocol.filter(|protocol| protocol != "tcp").map(Node::text);
        Some(mapping([("containerPort", Some(number(port.parse().ok()?))), ("protocol", protocol)]))
    });
    let credentials = manifest.text(&format!("{at}.credentialsParameter")).map(credentials);
    let essential = manifest.boolean(&format!("{at}.essential")).filter(|essential| !essential);
    let mounts = manifest.take(&format!("{at}.mount_points"));
    let mounts = mounts.as_ref().and_then(Value::as_array).into_iter().flatten().map(mount_point);
    let mounts: Vec<Node> = mounts.collect();
    let common = common(manifest, &format!("{at}."), &at);
    let logs = logs(manifest, place);
    mapping(
        [
            ("name", Some(Node::text(name))),
            ("image", Some(Node::text(image))),
            ("repositoryCredentials", credentials),
            ("essential", essential.map(boolean)),
            ("portMappings", list(port)),
            ("mountPoints", list(mounts)),
        ]
        .into_iter()
        .chain(common)
        .chain([("logConfiguration", Some(logs))]),
    )
}

/// What the main container and sidecars write alike; `image` is where health and dependencies stand.
fn common(
    manifest: &mut Manifest<'_>,
    prefix: &str,
    image: &str,
) -> Vec<(&'static str, Option<Node>)> {
    let texts = |value: Value| list(words(&value).into_iter().map(Node::text));
    let entry_point = manifest.take(&format!("{prefix}entrypoint")).and_then(texts);
    let command = manifest.take(&format!("{prefix}command")).and_then(texts);
    let environment = variables(manifest, &format!("{prefix}variables"));
    let secrets = secrets(manifest, &format!("{prefix}secrets"));
    if manifest.peek(&format!("{prefix}env_file")).is_some() {
        let message = "the file is left out: ECS reads such files from S3, as `environmentFiles`";
        manifest.say(&format!("{prefix}env_file"), "spec.taskDefinition", message);
    }
    let depends_on = depends_on(manifest, &format!("{image}.depends_on"));
    let labels = manifest.take(&format!("{image}.labels")).map(|labels| Node::plain(&labels));
    let health = health_check(manifest, &format!("{image}.healthcheck"));
    vec![
        ("entryPoint", entry_point),
        ("command", command),
        ("environment", list(environment)),
        ("secrets", list(secrets)),
        ("dependsOn", list(depends_on)),
        ("dockerLabels", labels),
        ("healthCheck", health),
    ]
}

fn image(manifest: &mut Manifest<'_>, name: &str, path: &str) -> String {
    let location = manifest.text(&format!("{path}.location"));
    if let Some(location) = location {
        return location;
    }
    if manifest.peek(&format!("{path}.build")).is_some() {
        let message = "Copilot built this image; name one that is built and pushed elsewhere";
        manifest.say(&format!("{path}.build"), "spec.taskDefinition", message);
    }
    manifest.variable(format!("{name}-image"))
}

fn credentials(secret: String) -> Node {
    Node::mapping([("credentialsParameter", Node::text(secret))])
}

fn variables(manifest: &mut Manifest<'_>, path: &str) -> Vec<Node> {
    let mut nodes = Vec::new();
    for name in manifest.names(path) {
        let at = format!("{path}.{name}");
        let value = match manifest.text(&at) {
            Some(text) => text,
            None => exported(manifest, &at),
        };
        nodes.push(Node::mapping([("name", Node::text(name)), ("value", Node::text(value))]));
    }
    nodes
}

/// A value that another stack exports.
fn exported(manifest: &mut Manifest<'_>, path: &str) -> String {
    match manifest.text(&format!("{path}.from_cfn")) {
        Some(export) => manifest.variable(export),
        None => {
            manifest.say(path, "spec.taskDefinition", "the value is left out: it is no text");
            String::new()
        }
    }
}

fn secrets(manifest: &mut Manifest<'_>, path: &str) -> Vec<Node> {
    let mut nodes = Vec::new();
    for name in manifest.names(path) {
        let at = format!("{path}.{name}");
        let from = match manifest.text(&at) {
            Some(parameter) => parameter,
            None => match manifest.text(&format!("{at}.secretsmanager")) {
                Some(secret) => {
                    let message =
                        format!("the variable has to hold the ARN of the secret `{secret}`");
                    manifest.say(&format!("{at}.secretsmanager"), "spec.taskDefinition", message);
                    manifest.variable(format!("{}-arn", secret.replace([':', '/'], "-")))
                }
                None => exported(manifest, &at),
            },
        };
        nodes.push(Node::mapping([("name", Node::text(name)), ("valueFrom", Node::text(from))]));
    }
    nodes
}

fn depends_on(manifest: &mut Manifest<'_>, path: &str) -> Vec<Node> {
    let conditions = manifest.take(path);
    let conditions = conditions.as_ref().and_then(Value::as_object).into_iter().flatten();
    conditions
        .map(|(name, condition)| {
            Node::mapping([
                ("containerName", Node::text(name.clone())),
                ("condition", Node::text(plain(condition).to_ascii_uppercase())),
            ])
        })
        .collect()
}

fn health_check(manifest: &mut Manifest<'_>, path: &str) -> Option<Node> {
    manifest.peek(path)?;
    let command = manifest.take(&format!("{path}.command"));
    let command = command.map(|command| match command.as_str() {
        Some(line) => vec!["CMD-SHELL".to_owned(), line.to_owned()],
        None => words(&command),
    });
    // Copilot's own defaults, which are not ECS's.
    let interval = manifest.seconds(&format!("{path}.interval")).unwrap_or(10);
    let retries = manifest.number(&format!("{path}.retries")).unwrap_or(2);
    let timeout = manifest.seconds(&format!("{path}.timeout")).unwrap_or(5);
    let start_period = manifest.seconds(&format!("{path}.start_period")).unwrap_or(0);
    let command = command.unwrap_or_else(|| {
        vec!["CMD-SHELL".to_owned(), "curl -f http://localhost/ || exit 1".to_owned()]
    });
    Some(mapping([
        ("command", list(command.into_iter().map(Node::text))),
        ("interval", Some(number(interval))),
        ("timeout", (timeout != 5).then(|| number(timeout))),
        ("retries", (retries != 3).then(|| number(retries))),
        ("startPeriod", (start_period != 0).then(|| number(start_period))),
    ]))
}

/// Where Copilot sends the output of every container.
fn logs(manifest: &mut Manifest<'_>, place: &Place) -> Node {
    let group = match &place.logs {
        Some(group) => group.clone(),
        None => manifest.variable(format!("{}-log-group", place.name)),
    };
    let region = manifest.variable("region");
    Node::mapping([
        ("logDriver", Node::text("awslogs")),
        (
            "options",
            Node::mapping([
                ("awslogs-group", Node::text(group)),
                ("awslogs-region", Node::text(region)),
                ("awslogs-stream-prefix", Node::text("copilot")),
            ]),
        ),
    ])
}

fn mount_point(mount: &Value) -> Node {
    let text = |name: &str| mount.get(name).map(|value| Node::text(plain(value)));
    // Copilot mounts read-only unless told otherwise.
    let is_read_only = mount.get("read_only").and_then(Value::as_bool).unwrap_or(true);
    mapping([
        ("sourceVolume", text("source_volume")),
        ("containerPath", text("path")),
        ("readOnly", is_read_only.then(|| boolean(true))),
    ])
}

/// The volumes, and where the main container mounts them.
fn volumes(manifest: &mut Manifest<'_>, name: &str) -> (Vec<Node>, Vec<Node>) {
    let (mut volumes, mut mounts) = (Vec::new(), Vec::new());
    for volume in manifest.names("storage.volumes") {
        let at = format!("storage.volumes.{volume}");
        let path = manifest.text(&format!("{at}.path"));
        let is_read_only = manifest.boolean(&format!("{at}.read_only")).unwrap_or(true);
        let efs = efs(manifest, name, &format!("{at}.efs"));
        volumes.push(mapping([
            ("name", Some(Node::text(volume.clone()))),
            ("efsVolumeConfiguration", efs),
        ]));
        if let Some(path) = path {
            mounts.push(mapping([
                ("sourceVolume", Some(Node::text(volume))),
                ("containerPath", Some(Node::text(path))),
                ("readOnly", is_read_only.then(|| boolean(true))),
            ]));
        }
    }
    (volumes, mounts)
}

fn efs(manifest: &mut Manifest<'_>, name: &str, at: &str) -> Option<Node> {
    let own = match manifest.peek(at)?.as_bool() {
        Some(false) => return None,
        Some(true) => {
            manifest.take(at);
            None
        }
        None => manifest.text(at).or_else(|| manifest.text(&format!("{at}.id"))),
    };
    let system = own.unwrap_or_else(|| manifest.variable(format!("{name}-file-system")));
    let root = manifest.text(&format!("{at}.root_dir")).filter(|root| root != "/");
    let iam = manifest.boolean(&format!("{at}.auth.iam")).unwrap_or(false);
    let access_point = manifest.text(&format!("{at}.auth.access_point_id"));
    let has_authorization = iam || access_point.is_some();
    let authorization = mapping([
        ("accessPointId", access_point.map(Node::text)),
        ("iam", iam.then(|| Node::text("ENABLED"))),
    ]);
    Some(mapping([
        ("fileSystemId", Some(Node::text(system))),
        ("rootDirectory", root.map(Node::text)),
        ("transitEncryption", Some(Node::text("ENABLED"))),
        ("authorizationConfig", has_authorization.then_some(authorization)),
    ]))
}
