//! Rules of containers.

use serde_json::{Value, json};

use super::{E, Edit, W, advised, check, ec2, edited, fargate, findings, fine, told};

const APP: &str = "/spec/taskDefinition/containerDefinitions/0";

fn app(member: &str) -> &'static str {
    format!("{APP}/{member}").leak()
}

/// A second container.
fn second(container: Value) -> Edit {
    ("/spec/taskDefinition/containerDefinitions/1", container)
}

fn sidecar() -> Value {
    json!({"name": "log", "image": "log:1", "memory": 64})
}

fn with(mut container: Value, member: &str, value: Value) -> Value {
    container[member] = value;
    container
}

#[test]
fn a_spec_far_too_large_is_told_that_and_nothing_else() {
    let many = |count: usize| {
        let container = |number| with(sidecar(), "name", json!(format!("c{number}")));
        ("/spec/taskDefinition/containerDefinitions", (0..count).map(container).collect::<Value>())
    };
    let found = findings(&edited(ec2(), &[many(20_000)]));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].path, "spec.taskDefinition");
    let found = findings(&edited(ec2(), &[many(100)]));
    assert!(found[0].message.starts_with("has `100` containers"), "{found:#?}");
}

#[test]
fn findings_have_one_line_whatever_they_quote() {
    let (key, value) = ("a\n".repeat(100), format!("{}\u{1b}[2J", "v".repeat(100_000)));
    let tag = json!([{"key": key, "value": value}]);
    let found = findings(&edited(ec2(), &[("/spec/service/tags", tag)]));
    assert_eq!(found.len(), 2, "{found:#?}");
    for finding in found {
        assert!(finding.message.chars().count() <= 1_000 && !finding.message.contains('\n'));
        assert!(!finding.message.contains('\u{1b}'), "{}", finding.message);
        assert!(finding.message.ends_with(" here"));
    }
}

#[test]
fn a_hint_lists_a_few_of_many() {
    let names = (1..=30).map(|number| format!("c{number}"));
    assert_eq!(
        crate::rules::words::available("containers", names),
        "the containers are `c1`, `c2`, `c3`, `c4`, `c5`, `c6`, `c7`, `c8`, `c9` and `c10` and 20 more"
    );
}

#[test]
fn names() {
    for (pointer, path, message) in [
        (
            "/metadata/name",
            "metadata.name",
            "`shop api` cannot be the name of a service: it takes 1 to 255 letters, digits, `-` and `_`",
        ),
        (
            "/spec/taskDefinition/family",
            "TASK.family",
            "`shop api` cannot be the name of a task-definition family: it takes 1 to 255 letters, digits, `-` and `_`",
        ),
        (
            app("name"),
            "APP.name",
            "`shop api` cannot be the name of a container: it takes 1 to 255 letters, digits, `-` and `_`",
        ),
        (
            "/spec/taskDefinition/volumes/0/name",
            "TASK.volumes[0].name",
            "`shop api` cannot be the name of a volume: it takes 1 to 255 letters, digits, `-` and `_`",
        ),
    ] {
        told(ec2, &[(pointer, json!("shop api"))], &[(E, path, message)]);
        advised(ec2, &[(pointer, json!("shop api"))], "use `shop-api`");
        fine(ec2, &[(pointer, json!("Shop_api-1"))]);
        fine(
            ec2,
            &[(pointer, json!("a".repeat(255)))].map(|edit| {
                if pointer == "/metadata/name" { (pointer, json!("a".repeat(250))) } else { edit }
            }),
        );
    }
    told(
        ec2,
        &[(app("portMappings"), json!([{"name": "-Web", "containerPort": 80}]))],
        &[(
            E,
            "APP.portMappings[0].name",
            "`-Web` cannot be the name of a port mapping: it takes 1 to 64 lower-case letters, digits, `-` and `_`, not `-` first",
        )],
    );
    advised(
        ec2,
        &[(app("portMappings"), json!([{"name": "-Web", "containerPort": 80}]))],
        "use `web`",
    );
    let long = "a".repeat(252);
    let message =
        format!("is missing, and the default `shop-{long}` has 257 characters of 255").leak();
    told(ec2, &[("/metadata/name", json!(long))], &[(E, "TASK.family", message)]);
}

#[test]
fn images() {
    let image = |image: &str| [(app("image"), json!(image))];
    let digest = "a".repeat(64);
    fine(ec2, &image(&format!("shop/web:latest@sha256:{digest}")));
    fine(ec2, &image(&format!("{}@sha256:{digest}", "a".repeat(255))));
    fine(ec2, &image("Registry.Example.com/shop/web:V1"));
    told(ec2, &image(""), &[(E, "APP.image", "is empty, and a container needs an image")]);
    told(
        ec2,
        &image("shop web:1"),
        &[(E, "APP.image", "`shop web:1` has the character ' ', which no image has")],
    );
    told(
        ec2,
        &image("shop/Web:1"),
        &[(E, "APP.image", "`shop/Web` is not a repository: its name takes lower-case letters")],
    );
    told(
        ec2,
        &image("shop/web@sha256:ab"),
        &[(
            E,
            "APP.image",
            "`sha256:ab` is not a digest: it takes `sha256:` and 64 hexadecimal digits",
        )],
    );
    let long = format!("{}:1", "a".repeat(254));
    let message = format!("`{long}` has 256 characters of 255 without its digest").leak();
    told(ec2, &image(&long), &[(E, "APP.image", message)]);
    told(
        ec2,
        &image("shop/web:latest"),
        &[(W, "APP.image", "`shop/web:latest` names whatever `latest` is at the time")],
    );
    told(
        ec2,
        &image("shop/web"),
        &[(W, "APP.image", "`shop/web` has neither tag nor digest and means `latest`")],
    );
}

#[test]
fn numbers_and_names_of_containers() {
    told(
        ec2,
        &[("/spec/taskDefinition/containerDefinitions", json!([]))],
        &[(E, "TASK.containerDefinitions", "has `0` containers; a task takes 1 to 10")],
    );
    let many: Vec<Value> = (0..11)
        .map(|index| json!({"name": format!("c{index}"), "image": "i:1", "memory": 6}))
        .collect();
    told(
        ec2,
        &[("/spec/taskDefinition/containerDefinitions", json!(many))],
        &[(E, "TASK.containerDefinitions", "has `11` containers; a task takes 1 to 10")],
    );
    told(
        ec2,
        &[(app("essential"), json!(false))],
        &[(
            E,
            "TASK.containerDefinitions",
            "has no essential container, and a task needs one to know when it ends",
        )],
    );
    told(
        ec2,
        &[second(with(sidecar(), "name", json!("app")))],
        &[(
            E,
            "TASK.containerDefinitions[1].name",
            "`app` is already the name of another container",
        )],
    );
    told(
        ec2,
        &[("/spec/taskDefinition/proxyConfiguration/containerName", json!("envoy"))],
        &[(E, "TASK.proxyConfiguration.containerName", "`envoy` is not a container of the task")],
    );
    told(
        ec2,
        &[(
            app("restartPolicy"),
            json!({"enabled": true, "ignoredExitCodes": (0..51).collect::<Vec<_>>()}),
        )],
        &[(E, "APP.restartPolicy.ignoredExitCodes", "has `51` exit codes; ECS takes 50")],
    );
    told(
        ec2,
        &[(app("credentialSpecs"), json!(["credentialspec:a", "credentialspec:b"]))],
        &[(E, "APP.credentialSpecs[1]", "is the second credential spec; a container takes one")],
    );
    let router = json!({"type": "fluentbit"});
    told(
        ec2,
        &[
            (app("firelensConfiguration"), router.clone()),
            second(with(sidecar(), "firelensConfiguration", router)),
        ],
        &[(
            E,
            "TASK.containerDefinitions[1].firelensConfiguration",
            "is the second log router; a task takes one",
        )],
    );
}

#[test]
fn memory_and_cpu() {
    told(
        ec2,
        &[(app("memory"), json!(null))],
        &[(E, "APP.memory", "is missing, and the task has no memory of its own")],
    );
    fine(ec2, &[(app("memory"), json!(null)), (app("memoryReservation"), json!(6))]);
    fine(ec2, &[(app("memory"), json!(null)), ("/spec/taskDefinition/memory", json!("64"))]);
    told(
        ec2,
        &[(app("memory"), json!(5))],
        &[(E, "APP.memory", "`5` MiB are too little for a container")],
    );
    told(
        ec2,
        &[(app("memoryReservation"), json!(4))],
        &[(E, "APP.memoryReservation", "`4` MiB are too little for a container")],
    );
    told(
        ec2,
        &[(app("memoryReservation"), json!(257))],
        &[(E, "APP.memoryReservation", "`257` MiB are more than the container's memory of 256")],
    );
    told(
        ec2,
        &[(app("memoryReservation"), json!(256))],
        &[(
            W,
            "APP.memoryReservation",
            "`256` MiB are as much as the container's memory, so that it reserves nothing less",
        )],
    );
    told(ec2, &[(app("cpu"), json!(-1))], &[(E, "APP.cpu", "`-1` CPU units are less than none")]);
    told(
        ec2,
        &[("/spec/taskDefinition/memory", json!("255"))],
        &[(E, "APP.memory", "`256` MiB are more than the task's 255")],
    );
    told(
        ec2,
        &[("/spec/taskDefinition/memory", json!("300")), second(sidecar())],
        &[(
            E,
            "TASK.memory",
            "`300` MiB are less than the 320 that the containers reserve together",
        )],
    );
    told(
        ec2,
        &[
            ("/spec/taskDefinition/memory", json!("300")),
            (app("memoryReservation"), json!(100)),
            second(sidecar()),
        ],
        &[(
            W,
            "TASK.memory",
            "`300` MiB are less than the 320 that the containers may use together",
        )],
    );
    told(
        fargate,
        &[(app("cpu"), json!(600))],
        &[(
            E,
            "TASK.cpu",
            "`512` CPU units are less than the 600 that the containers take together",
        )],
    );
}

#[test]
fn environments() {
    told(
        ec2,
        &[(app("environment"), json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]))],
        &[(E, "APP.environment[1].name", "`A` is already the name of another variable")],
    );
    told(
        ec2,
        &[(app("environment"), json!([{"name": "", "value": "1"}]))],
        &[(E, "APP.environment[0].name", "is empty, and a variable needs a name")],
    );
    told(
        fargate,
        &[(app("secrets/1"), json!({"name": "DATABASE_URL", "valueFrom": "/x"}))],
        &[(E, "APP.secrets[1].name", "`DATABASE_URL` is already the name of another secret")],
    );
    told(
        fargate,
        &[(app("environment"), json!([{"name": "DATABASE_URL", "value": "x"}]))],
        &[(
            W,
            "APP.secrets[0].name",
            "`DATABASE_URL` is a variable in environment too; ECS may refuse it",
        )],
    );
    let files = |value: &str| {
        [
            (app("environmentFiles"), json!([{"value": value, "type": "s3"}])),
            ("/spec/taskDefinition/executionRoleArn", json!("r")),
        ]
    };
    told(
        ec2,
        &files("s3://bucket/a.env"),
        &[(
            E,
            "APP.environmentFiles[0].value",
            "`s3://bucket/a.env` is not the ARN of an object in S3",
        )],
    );
    told(
        ec2,
        &files("arn:aws:s3:::bucket/a.txt"),
        &[(
            E,
            "APP.environmentFiles[0].value",
            "`arn:aws:s3:::bucket/a.txt` does not end in `.env`",
        )],
    );
    let many: Vec<Value> = (0..11)
        .map(|index| json!({"value": format!("arn:aws-cn:s3:::b/{index}.env"), "type": "s3"}))
        .collect();
    told(
        fargate,
        &[(app("environmentFiles"), json!(many))],
        &[(E, "TASK.containerDefinitions", "have `11` environment files; a task takes 10")],
    );
}

#[test]
fn plaintext_secrets_are_warned_about_and_never_printed() {
    let value = "hunter2-very-secret";
    for (name, value, message) in [
        ("DB_PASSWORD", value.to_owned(), "`DB_PASSWORD` looks like a secret in plain text"),
        ("githubToken", value.to_owned(), "`githubToken` looks like a secret in plain text"),
        ("STRIPE_API_KEY", value.to_owned(), "`STRIPE_API_KEY` looks like a secret in plain text"),
        (
            "SENTRY_DSN",
            format!("https://{value}@sentry.example.com/1"),
            "`SENTRY_DSN` looks like a secret in plain text",
        ),
        (
            "DATABASE_ADDRESS",
            format!("postgres://shop:{value}@db/shop"),
            "`DATABASE_ADDRESS` holds an address with a password in plain text",
        ),
        (
            "CERTIFICATE",
            format!("-----BEGIN RSA PRIVATE KEY-----{value}"),
            "`CERTIFICATE` holds a private key in plain text",
        ),
    ] {
        let edits = [(app("environment"), json!([{"name": name, "value": value}]))];
        told(ec2, &edits, &[(W, "APP.environment[0].value", message)]);
        let service = serde_json::from_value(edited(ec2(), &edits)).unwrap();
        assert!(!format!("{:?}", check(&service)).contains("hunter2"), "{name}");
    }
    for value in [
        "",
        "${ssm:/shop/password}",
        "arn:aws:secretsmanager:r:1:secret:x",
        "/run/secrets/password",
        "false",
    ] {
        fine(ec2, &[(app("environment"), json!([{"name": "DB_PASSWORD", "value": value}]))]);
    }
    fine(ec2, &[(app("environment"), json!([{"name": "DB_PASSWORD"}]))]);
}

#[test]
fn credentials_of_a_private_registry() {
    let credentials =
        |text: &str| [(app("repositoryCredentials"), json!({ "credentialsParameter": text }))];
    let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop-AbC123";
    fine(fargate, &credentials(secret));
    fine(fargate, &credentials("shop/registry"));
    let path = "APP.repositoryCredentials.credentialsParameter";
    told(
        fargate,
        &credentials("arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop-AbC123:key::"),
        &[(
            E,
            path,
            "`arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop-AbC123:key::` names a part of a secret; the registry's credentials are the whole",
        )],
    );
    told(
        fargate,
        &credentials("arn:aws:ssm:eu-west-1:111122223333:parameter/a"),
        &[(E, path, "`arn:aws:ssm:eu-west-1:111122223333:parameter/a` is not the ARN of a secret")],
    );
}

#[test]
fn references_to_secrets() {
    let from = |text: &str| [(app("secrets/0/valueFrom"), json!(text))];
    let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop-AbC123";
    let path = "APP.secrets[0].valueFrom";
    for text in [
        "name",
        "/a/b.c_d-e",
        "arn:aws-cn:ssm:cn-north-1:111122223333:parameter/a/b",
        secret,
        &format!("{secret}:::"),
        &format!("{secret}:key::"),
        &format!("{secret}::AWSPREVIOUS:"),
        &format!("{secret}:key::0123"),
    ] {
        fine(fargate, &from(text));
    }
    let cases: [(&str, super::Severity, &str); 12] = [
        ("", E, "is neither the name of an SSM parameter nor an ARN"),
        ("pa$$word!", E, "is neither the name of an SSM parameter nor an ARN"),
        (
            "shop/database",
            E,
            "is not the name of an SSM parameter: one with `/` in it begins with `/`",
        ),
        (
            "/shop/database:3",
            W,
            "names a label or version of a parameter, which AWS does not document here",
        ),
        (
            "arn:aws:s3:::bucket/key",
            E,
            "`arn:aws:s3:::bucket/key` is neither a parameter nor a secret",
        ),
        (
            "arn:aws:ssm:eu-west-1:111122223333:parameter//a",
            E,
            "`arn:aws:ssm:eu-west-1:111122223333:parameter//a` has two slashes before the parameter's name",
        ),
        (
            "arn:aws:ssm:eu-west-1:111122223333:document/a",
            E,
            "`arn:aws:ssm:eu-west-1:111122223333:document/a` is not the ARN of a parameter",
        ),
        (
            "arn:aws:ssm:eu-west-1:1:parameter/a",
            E,
            "`arn:aws:ssm:eu-west-1:1:parameter/a` has no account of 12 digits",
        ),
        (
            "arn:aws:ssm::111122223333:parameter/a",
            E,
            "`arn:aws:ssm::111122223333:parameter/a` has no region",
        ),
        (
            "arn:aws:ssm:r:111122223333:parameter/a:3",
            W,
            "`arn:aws:ssm:r:111122223333:parameter/a:3` names a label or version of a parameter, which AWS does not document here",
        ),
        (
            "arn:aws:ssm:r:111122223333:parameter/",
            E,
            "`arn:aws:ssm:r:111122223333:parameter/` has no parameter's name",
        ),
        (
            "arn:aws:secretsmanager:r:111122223333:secret:shop",
            W,
            "`arn:aws:secretsmanager:r:111122223333:secret:shop` is not the whole ARN of a secret, which ends its name in `-` and 6 characters",
        ),
    ];
    for (text, severity, message) in cases {
        told(fargate, &from(text), &[(severity, path, message)]);
    }
    told(
        fargate,
        &from(&format!("{secret}:key")),
        &[(
            E,
            path,
            format!(
                "`{secret}:key` has `1` colons after the secret's name; there are none or three"
            )
            .leak(),
        )],
    );
    advised(fargate, &from(&format!("{secret}:key")), &format!("use `{secret}:key::`"));
    told(
        fargate,
        &from(&format!("{secret}:a:b:c:d")),
        &[(
            E,
            path,
            format!(
                "`{secret}:a:b:c:d` has `4` colons after the secret's name; there are none or three"
            )
            .leak(),
        )],
    );
    told(fargate, &from(&format!("{secret}:key:AWSCURRENT:0123")), &[(E, path, format!("`{secret}:key:AWSCURRENT:0123` names both the version stage `AWSCURRENT` and the version `0123`").leak())]);
    let mut old = from(&format!("{secret}:key::")).to_vec();
    old.push(("/spec/service/platformVersion", json!("1.3.0")));
    told(
        fargate,
        &old,
        &[(E, path, format!("`{secret}:key::` cannot be read on Fargate 1.3.0").leak())],
    );
    told(
        fargate,
        &[(app("logConfiguration/secretOptions"), json!([{"name": "n", "valueFrom": "a/b"}]))],
        &[(
            E,
            "APP.logConfiguration.secretOptions[0].valueFrom",
            "is not the name of an SSM parameter: one with `/` in it begins with `/`",
        )],
    );
    told(
        fargate,
        &[(app("secrets/0/name"), json!(""))],
        &[(E, "APP.secrets[0].name", "is empty, and a secret needs a name")],
    );
}

#[test]
fn health_checks() {
    let command = |command: Value| [(app("healthCheck/command"), command)];
    let path = "APP.healthCheck.command";
    fine(ec2, &command(json!(["CMD", "curl", "-f", "http://localhost"])));
    fine(ec2, &command(json!(["/bin/check"])));
    told(ec2, &command(json!([])), &[(E, path, "is empty, and a health check needs a command")]);
    told(ec2, &command(json!(["CMD"])), &[(E, path, "has nothing to run after `CMD`")]);
    told(
        ec2,
        &command(json!(["cmd-shell", "exit 0"])),
        &[(E, path, "begins with `cmd-shell`, which is run as a program")],
    );
    told(
        ec2,
        &command(json!(["CMD-SHELL", "curl", "-f"])),
        &[(W, path, "has more than one text after `CMD-SHELL`, and the shell runs only the first")],
    );
    told(
        ec2,
        &command(json!(["curl -f localhost"])),
        &[(W, path, "begins with `curl -f localhost`, which is run as a program of that name")],
    );
    for (member, value, limits) in [
        ("interval", 4, "5 to 300"),
        ("interval", 301, "5 to 300"),
        ("timeout", 1, "2 to 60"),
        ("retries", 11, "1 to 10"),
        ("startPeriod", 301, "0 to 300"),
    ] {
        let mut edits = command(json!(["CMD", "true"])).to_vec();
        edits.push((app(&format!("healthCheck/{member}")), json!(value)));
        told(
            ec2,
            &edits,
            &[(
                E,
                format!("APP.healthCheck.{member}").leak(),
                format!("`{value}` is not within {limits}").leak(),
            )],
        );
    }
    told(
        ec2,
        &[(app("restartPolicy"), json!({"enabled": true, "restartAttemptPeriod": 59}))],
        &[(E, "APP.restartPolicy.restartAttemptPeriod", "`59` is not within 60 to 1800")],
    );
}

#[test]
fn dependencies() {
    let waits = |name: &str, condition: &str| {
        (app("dependsOn"), json!([{"containerName": name, "condition": condition}]))
    };
    fine(ec2, &[waits("log", "START"), second(sidecar())]);
    fine(ec2, &[waits("log", "SUCCESS"), second(with(sidecar(), "essential", json!(false)))]);
    told(
        ec2,
        &[waits("lgo", "START"), second(sidecar())],
        &[(E, "APP.dependsOn[0].containerName", "`lgo` is not a container of the task")],
    );
    advised(ec2, &[waits("lgo", "START"), second(sidecar())], "the containers are `app` and `log`");
    for (condition, message) in [
        (
            "COMPLETE",
            "`COMPLETE` waits for the end of `log`, which is essential, so that its end is the task's",
        ),
        (
            "SUCCESS",
            "`SUCCESS` waits for the end of `log`, which is essential, so that its end is the task's",
        ),
        ("HEALTHY", "`HEALTHY` needs a health check, and `log` has none"),
    ] {
        told(
            ec2,
            &[waits("log", condition), second(sidecar())],
            &[(E, "APP.dependsOn[0].condition", message)],
        );
    }
    let back = json!([{"containerName": "app", "condition": "START"}]);
    told(
        ec2,
        &[waits("log", "START"), second(with(sidecar(), "dependsOn", back))],
        &[(
            E,
            "APP.dependsOn",
            "`app` -> `log` -> `app` is a circle, in which no container can start",
        )],
    );
    told(
        ec2,
        &[waits("app", "START")],
        &[(E, "APP.dependsOn", "`app` -> `app` is a circle, in which no container can start")],
    );
}

#[test]
fn kernel_settings() {
    told(
        ec2,
        &[(app("ulimits"), json!([{"name": "core", "softLimit": 2, "hardLimit": 1}]))],
        &[(E, "APP.ulimits[0].softLimit", "`2` is more than hardLimit 1")],
    );
    fine(ec2, &[(app("ulimits"), json!([{"name": "core", "softLimit": 2, "hardLimit": -1}]))]);
    told(
        ec2,
        &[(app("ulimits"), json!([{"name": "files", "softLimit": 1, "hardLimit": 1}]))],
        &[(W, "APP.ulimits[0].name", "`files` is not a value that Longshore knows here")],
    );
    told(
        ec2,
        &[(app("linuxParameters/swappiness"), json!(10))],
        &[(W, "APP.linuxParameters.swappiness", "`10` has no effect without maxSwap")],
    );
    told(
        ec2,
        &[(app("linuxParameters"), json!({"swappiness": 101, "maxSwap": 1}))],
        &[(E, "APP.linuxParameters.swappiness", "`101` is not within 0 to 100")],
    );
    let control = |name: &str| (app("systemControls"), json!([{"namespace": name, "value": "1"}]));
    for name in ["kernel.sem", "kernel.shm_rmid_forced", "fs.mqueue.msg_max", "net.core.somaxconn"]
    {
        fine(ec2, &[control(name)]);
    }
    told(
        ec2,
        &[control("vm.swappiness")],
        &[(
            E,
            "APP.systemControls[0].namespace",
            "`vm.swappiness` is not a kernel parameter that a container has for itself",
        )],
    );
    told(
        ec2,
        &[control("net.core.somaxconn"), ("/spec/taskDefinition/networkMode", json!("host"))],
        &[(
            E,
            "APP.systemControls[0].namespace",
            "`net.core.somaxconn` is the host's with network mode `host`",
        )],
    );
    told(
        ec2,
        &[control("kernel.sem"), ("/spec/taskDefinition/ipcMode", json!("host"))],
        &[(E, "APP.systemControls[0].namespace", "`kernel.sem` is the host's with ipcMode `host`")],
    );
    told(
        fargate,
        &[control("kernel.sem"), ("/spec/service/platformVersion", json!("1.3.0"))],
        &[(E, "APP.systemControls[0].namespace", "`kernel.sem` cannot be set on Fargate 1.3.0")],
    );
    told(
        ec2,
        &[(app("systemControls"), json!([{}]))],
        &[(E, "APP.systemControls[0].namespace", "is missing")],
    );
    told(
        ec2,
        &[(app("systemControls"), json!([{"namespace": "kernel.sem"}]))],
        &[(E, "APP.systemControls[0].value", "is missing")],
    );
}

#[test]
fn logs() {
    let option =
        |name: &str, value: Value| (app(&format!("logConfiguration/options/{name}")), value);
    let without = |name: &'static str| {
        let mut options =
            json!({"awslogs-group": "g", "awslogs-region": "r", "awslogs-stream-prefix": "p"});
        options.as_object_mut().unwrap().remove(name);
        [(app("logConfiguration"), json!({"logDriver": "awslogs", "options": options}))]
    };
    let path =
        |name: &str| -> &'static str { format!("APP.logConfiguration.options.{name}").leak() };
    told(
        fargate,
        &without("awslogs-group"),
        &[(E, path("awslogs-group"), "is missing, and `awslogs` needs it")],
    );
    told(
        fargate,
        &without("awslogs-region"),
        &[(E, path("awslogs-region"), "is missing, and `awslogs` needs it")],
    );
    told(
        ec2,
        &without("awslogs-region"),
        &[(W, path("awslogs-region"), "is missing, and `awslogs` needs it")],
    );
    told(
        fargate,
        &without("awslogs-stream-prefix"),
        &[(E, path("awslogs-stream-prefix"), "is missing, and `awslogs` needs it on Fargate")],
    );
    fine(ec2, &without("awslogs-stream-prefix"));
    told(
        fargate,
        &[
            option("awslogs-datetime-format", json!("%Y")),
            option("awslogs-multiline-pattern", json!("^x")),
        ],
        &[(E, path("awslogs-multiline-pattern"), "stands beside awslogs-datetime-format")],
    );
    told(
        fargate,
        &[option("awslogs-create-group", json!("yes"))],
        &[(E, path("awslogs-create-group"), "`yes` is neither `true` nor `false`")],
    );
    told(
        fargate,
        &[option("awslog-group", json!("x"))],
        &[(
            W,
            path("awslog-group"),
            "`awslog-group` is not an option of `awslogs` that Longshore knows",
        )],
    );
    told(
        fargate,
        &[option("mode", json!("nonblocking"))],
        &[(E, path("mode"), "`nonblocking` is not a way to deliver logs")],
    );
    told(
        fargate,
        &[option("max-buffer-size", json!("big"))],
        &[(E, path("max-buffer-size"), "`big` is not an amount of memory")],
    );
    fine(fargate, &[option("max-buffer-size", json!("25m")), option("mode", json!("blocking"))]);
    let splunk = json!({"logDriver": "splunk", "options": {"splunk-token": "t0ken"}});
    told(
        ec2,
        &[(app("logConfiguration"), splunk)],
        &[
            (E, path("splunk-url"), "is missing, and `splunk` needs it"),
            (W, path("splunk-token"), "is a secret in plain text"),
        ],
    );
    told(
        ec2,
        &[(app("logConfiguration"), json!({"logDriver": "awsfirelens"}))],
        &[(
            E,
            "APP.logConfiguration.logDriver",
            "`awsfirelens` needs a log router, and no container of the task is one",
        )],
    );
    told(
        ec2,
        &[(
            app("firelensConfiguration"),
            json!({"type": "fluentbit", "options": {"config-file-type": "file"}}),
        )],
        &[(
            E,
            "APP.firelensConfiguration.options.config-file-value",
            "is missing beside config-file-type",
        )],
    );
    told(
        ec2,
        &[(
            app("firelensConfiguration"),
            json!({"type": "fluentbit", "options": {"config-file-type": "git"}}),
        )],
        &[(
            E,
            "APP.firelensConfiguration.options.config-file-type",
            "`git` is not a place for a configuration",
        )],
    );
}

#[test]
fn isolation() {
    let path = "TASK.trustedExecutionConfiguration";
    told(
        ec2,
        &[("/spec/taskDefinition/trustedExecutionConfiguration/isolationMode", json!("SHARED"))],
        &[(E, path, "is for Managed Instances only")],
    );
    told(
        ec2,
        &[
            (
                "/spec/taskDefinition/trustedExecutionConfiguration/isolationMode",
                json!("CONFIDENTIAL_SANDBOX"),
            ),
            ("/spec/taskDefinition/requiresCompatibilities", json!(["MANAGED_INSTANCES"])),
        ],
        &[(
            E,
            "TASK.trustedExecutionConfiguration.attestationPolicy",
            "is missing, and `CONFIDENTIAL_SANDBOX` needs it",
        )],
    );
}
