//! From any JSON that the tables allow to a spec that ECS takes: what several members have to agree on is made to agree, and
//! everything else stays as it was generated.

use crds::ecs::{ServiceDefinition, TaskDefinition};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::generate;

/// Sizes that Fargate has, in many spellings.
const FARGATE_SIZES: &[(&str, &str)] = &[
    ("256", "512"),
    (".25 vCPU", "0.5 GB"),
    ("0.5vcpu", "1GB"),
    ("1 vCPU", "2 GB"),
    ("1024", "8 gb"),
    ("4096", "30720"),
    ("8 vCPU", "16 GB"),
    ("16384", "122880"),
    ("32 vCPU", "244 GB"),
];

/// What the tasks run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Platform {
    Fargate,
    Instances(&'static str),
}

impl Platform {
    fn any(random: &mut Rng) -> Self {
        match random.u8(0..8) {
            0 => Self::Instances("bridge"),
            1 => Self::Instances("host"),
            2 => Self::Instances("awsvpc"),
            3 => Self::Instances("none"),
            _ => Self::Fargate,
        }
    }

    fn mode(self) -> &'static str {
        match self {
            Self::Fargate => "awsvpc",
            Self::Instances(mode) => mode,
        }
    }
}

/// A whole Service of the cluster `shop`.
pub(crate) fn spec(random: &mut Rng) -> Value {
    let platform = Platform::any(random);
    let density = [0.05, 0.2, 0.5, 0.9][random.usize(..4)];
    let mut definition = generate::structure(TaskDefinition::SHAPE, density, random);
    fit_definition(object(&mut definition), platform, random);
    let mut service = generate::structure(ServiceDefinition::SHAPE, density, random);
    fit_service(object(&mut service), &definition, platform, random);
    json!({
        "apiVersion": "longshore.dev/v1alpha1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"cluster": "shop", "taskDefinition": definition, "service": service},
    })
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    value.as_object_mut().unwrap()
}

fn each(
    members: &mut Map<String, Value>,
    list: &str,
    mut fit: impl FnMut(usize, &mut Map<String, Value>),
) {
    if let Some(Value::Array(elements)) = members.get_mut(list) {
        elements.iter_mut().enumerate().for_each(|(index, element)| fit(index, object(element)));
    }
}

fn fit_definition(definition: &mut Map<String, Value>, platform: Platform, random: &mut Rng) {
    fit_family(definition, random);
    fit_size(definition, platform, random);
    if platform == Platform::Fargate {
        definition.insert("requiresCompatibilities".to_owned(), json!(["FARGATE"]));
        definition.insert("executionRoleArn".to_owned(), json!("shop-execution"));
        for refused in ["placementConstraints", "ipcMode", "inferenceAccelerators"] {
            definition.remove(refused);
        }
    } else {
        definition.remove("requiresCompatibilities");
    }
    if platform == Platform::Instances("bridge") && random.bool() {
        definition.remove("networkMode");
    } else {
        definition.insert("networkMode".to_owned(), json!(platform.mode()));
    }
    fit_tags(definition);
    let mut volumes = Vec::new();
    each(definition, "volumes", |index, volume| {
        let name = format!("v{index}");
        volume.insert("name".to_owned(), json!(name));
        volumes.push(name);
    });
    let mut containers = definition.remove("containerDefinitions").unwrap_or_default();
    let list = containers.as_array_mut().unwrap();
    if list.is_empty() {
        list.push(json!({"name": "x", "image": "x"}));
    }
    let mut before: Vec<Value> = Vec::new();
    for (index, container) in list.iter_mut().enumerate() {
        fit_container(index, object(container), platform, &volumes, &before, random);
        before.push(container.clone());
    }
    definition.insert("containerDefinitions".to_owned(), containers);
}

fn fit_family(definition: &mut Map<String, Value>, random: &mut Rng) {
    if random.bool() {
        definition.insert("family".to_owned(), json!("a-family"));
    } else {
        definition.remove("family");
    }
}

fn fit_size(definition: &mut Map<String, Value>, platform: Platform, random: &mut Rng) {
    match platform {
        Platform::Fargate => {
            let (cpu, memory) = FARGATE_SIZES[random.usize(..FARGATE_SIZES.len())];
            definition.insert("cpu".to_owned(), json!(cpu));
            definition.insert("memory".to_owned(), json!(memory));
        }
        Platform::Instances(_) => {
            definition.insert(
                "cpu".to_owned(),
                json!([json!("1 vCPU"), json!(512), json!("256")][random.usize(..3)]),
            );
            definition.insert(
                "memory".to_owned(),
                json!([json!("1 GB"), json!(2048), json!("1536")][random.usize(..3)]),
            );
        }
    }
}

/// Keys of tags are unique and short.
fn fit_tags(members: &mut Map<String, Value>) {
    each(members, "tags", |index, tag| {
        tag.insert("key".to_owned(), json!(format!("tag-{index}")));
    });
}

fn fit_container(
    index: usize,
    container: &mut Map<String, Value>,
    platform: Platform,
    volumes: &[String],
    before: &[Value],
    random: &mut Rng,
) {
    container.insert("name".to_owned(), json!(format!("c{index}")));
    container.insert("image".to_owned(), json!(format!("registry.example.com/c{index}:v1")));
    if index == 0 {
        container.remove("essential");
    }
    for (list, letter) in [("environment", "E"), ("secrets", "S")] {
        each(container, list, |at, one| {
            one.insert("name".to_owned(), json!(format!("{letter}{at}")));
        });
    }
    fit_memory(container, random);
    fit_dependencies(container, before, random);
    fit_ports(index, container, platform, random);
    if volumes.is_empty() {
        container.remove("mountPoints");
    }
    each(container, "mountPoints", |at, mount| {
        mount.insert("sourceVolume".to_owned(), json!(volumes[at % volumes.len()]));
        mount.insert("containerPath".to_owned(), json!(format!("/m{at}")));
    });
    if let Some(Value::Object(check)) = container.get_mut("healthCheck") {
        check.insert("command".to_owned(), json!(["CMD", "true"]));
    }
    if platform == Platform::Fargate {
        fit_to_fargate(container);
    }
}

fn fit_memory(container: &mut Map<String, Value>, random: &mut Rng) {
    container.insert("cpu".to_owned(), json!(random.i32(0..16)));
    if random.bool() {
        container.insert("memory".to_owned(), json!(64));
        container.insert("memoryReservation".to_owned(), json!(random.i32(6..60)));
    } else {
        container.insert("memory".to_owned(), json!(random.i32(6..64)));
        container.remove("memoryReservation");
    }
}

/// Waits only for containers before it, and for what those can reach.
fn fit_dependencies(container: &mut Map<String, Value>, before: &[Value], random: &mut Rng) {
    let mut dependencies = Vec::new();
    for other in before.iter().filter(|_| random.bool()) {
        let condition = match (&other["essential"], &other["healthCheck"]) {
            (Value::Bool(false), _) => "COMPLETE",
            (_, Value::Object(_)) => "HEALTHY",
            _ => "START",
        };
        dependencies.push(json!({"containerName": other["name"], "condition": condition}));
    }
    container.insert("dependsOn".to_owned(), Value::Array(dependencies));
}

fn fit_ports(
    index: usize,
    container: &mut Map<String, Value>,
    platform: Platform,
    random: &mut Rng,
) {
    let mode = platform.mode();
    if mode == "none" {
        container.remove("portMappings");
    }
    each(container, "portMappings", |at, mapping| {
        let port = 8000 + 10 * index + at;
        if mapping.contains_key("name") {
            mapping.insert("name".to_owned(), json!(format!("port-{index}-{at}")));
        }
        mapping.remove("hostPort");
        if matches!(mode, "bridge" | "awsvpc") && random.u8(0..4) == 0 {
            mapping.remove("containerPort");
            let from = 20_000 + 100 * index + 10 * at;
            mapping.insert("containerPortRange".to_owned(), json!(format!("{from}-{}", from + 5)));
            return;
        }
        mapping.remove("containerPortRange");
        mapping.insert("containerPort".to_owned(), json!(port));
        match (mode, random.u8(0..3)) {
            (_, 0) => {}
            ("awsvpc" | "host", _) => {
                mapping.insert("hostPort".to_owned(), json!(port));
            }
            (_, 1) => {
                mapping.insert("hostPort".to_owned(), json!(0));
            }
            (_, _) => {
                mapping.insert("hostPort".to_owned(), json!(port + 1000));
            }
        }
    });
}

fn fit_to_fargate(container: &mut Map<String, Value>) {
    for refused in [
        "links",
        "dnsServers",
        "dnsSearchDomains",
        "dockerSecurityOptions",
        "extraHosts",
        "privileged",
        "disableNetworking",
        "resourceRequirements",
    ] {
        container.remove(refused);
    }
    if let Some(Value::Object(log)) = container.get_mut("logConfiguration") {
        log.insert("logDriver".to_owned(), json!("awslogs"));
    }
    for (timeout, most) in [("startTimeout", 120), ("stopTimeout", 120)] {
        if container.get(timeout).and_then(Value::as_i64).is_some_and(|seconds| seconds > most) {
            container.insert(timeout.to_owned(), json!(most));
        }
    }
}

fn fit_service(
    service: &mut Map<String, Value>,
    definition: &Value,
    platform: Platform,
    random: &mut Rng,
) {
    // Under other controllers most settings are not ECS's to change; `planner` has tests of its own for them.
    service.insert("deploymentController".to_owned(), json!({"type": "ECS"}));
    if random.bool() {
        service.remove("deploymentController");
    }
    // With a load balancer ECS answers the service-linked role in its place.
    service.remove("role");
    fit_tags(service);
    fit_capacity(service, platform, random);
    fit_network(service, platform, random);
    fit_balancers(service, definition);
    fit_deployment(service, random);
    for list in ["serviceRegistries", "volumeConfigurations", "gatewayConnectors"] {
        if let Some(Value::Array(elements)) = service.get_mut(list) {
            elements.truncate(1);
        }
    }
    if platform == Platform::Fargate {
        service.remove("placementStrategy");
        service.remove("placementConstraints");
        if service.contains_key("platformVersion") {
            service.insert(
                "platformVersion".to_owned(),
                json!(["LATEST", "1.4.0"][random.usize(..2)]),
            );
        }
    } else {
        service.remove("platformVersion");
        each(service, "placementStrategy", |_, strategy| {
            let field =
                ["host", "instanceId", "cpu", "memory", "attribute:zone"][random.usize(..5)];
            strategy.insert("field".to_owned(), json!(field));
        });
    }
}

fn fit_capacity(service: &mut Map<String, Value>, platform: Platform, random: &mut Rng) {
    service.remove("schedulingStrategy");
    service.insert("desiredCount".to_owned(), json!(random.i32(0..3)));
    service.remove("capacityProviderStrategy");
    match platform {
        Platform::Fargate if random.u8(0..3) == 0 => {
            service.remove("launchType");
            let strategy = json!([
                {"capacityProvider": "FARGATE", "base": random.i32(0..3), "weight": 1},
                {"capacityProvider": "FARGATE_SPOT", "weight": random.i32(0..1000)},
            ]);
            service.insert("capacityProviderStrategy".to_owned(), strategy);
        }
        Platform::Fargate => {
            service.insert("launchType".to_owned(), json!("FARGATE"));
        }
        Platform::Instances(_) => {
            service.insert("launchType".to_owned(), json!("EC2"));
            match random.u8(0..4) {
                0 => {
                    service.insert("schedulingStrategy".to_owned(), json!("DAEMON"));
                    service.remove("desiredCount");
                    service.remove("placementStrategy");
                }
                1 => {
                    service.insert("schedulingStrategy".to_owned(), json!("REPLICA"));
                }
                2 => {
                    service.remove("launchType");
                }
                _ => {}
            }
        }
    }
}

fn fit_network(service: &mut Map<String, Value>, platform: Platform, random: &mut Rng) {
    if platform.mode() != "awsvpc" {
        service.remove("networkConfiguration");
        return;
    }
    let mut awsvpc = json!({"subnets": ["subnet-2", "subnet-1", "subnet-3"]});
    if random.bool() {
        awsvpc["securityGroups"] = json!(["sg-2", "sg-1"]);
    }
    if random.bool() {
        awsvpc["assignPublicIp"] = json!(["ENABLED", "DISABLED"][random.usize(..2)]);
    }
    service.insert("networkConfiguration".to_owned(), json!({"awsvpcConfiguration": awsvpc}));
}

/// Load balancers send to ports that the first container with a port has.
fn fit_balancers(service: &mut Map<String, Value>, definition: &Value) {
    let port =
        definition["containerDefinitions"].as_array().unwrap().iter().find_map(|container| {
            let mappings = container["portMappings"].as_array()?;
            let port = mappings.iter().find_map(|mapping| mapping["containerPort"].as_i64())?;
            Some((container["name"].clone(), port))
        });
    let Some((container, port)) = port else {
        service.remove("loadBalancers");
        return;
    };
    let strategy = service.get("deploymentConfiguration").and_then(|one| one.get("strategy"));
    let shifts = strategy.is_some_and(|one| one.is_string() && *one != "ROLLING");
    each(service, "loadBalancers", |index, balancer| {
        let group = |letter: &str| {
            json!(format!(
                "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/{letter}{index}/0123"
            ))
        };
        balancer.remove("loadBalancerName");
        balancer.insert("targetGroupArn".to_owned(), group("blue"));
        balancer.insert("containerName".to_owned(), container.clone());
        balancer.insert("containerPort".to_owned(), json!(port));
        let advanced = json!({
            "alternateTargetGroupArn": group("green"), "roleArn": "shop-balancer",
            "productionListenerRule": format!("arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/shop/1/2/{index}"),
        });
        if shifts {
            balancer.insert("advancedConfiguration".to_owned(), advanced);
        } else {
            balancer.remove("advancedConfiguration");
        }
    });
}

fn fit_deployment(service: &mut Map<String, Value>, random: &mut Rng) {
    let daemon = service.get("schedulingStrategy") == Some(&json!("DAEMON"));
    let Some(Value::Object(deployment)) = service.get_mut("deploymentConfiguration") else {
        return;
    };
    if daemon {
        deployment.remove("maximumPercent");
        deployment.insert("strategy".to_owned(), json!("ROLLING"));
    } else if deployment.contains_key("maximumPercent") {
        deployment.insert("maximumPercent".to_owned(), json!([100, 150, 200][random.usize(..3)]));
    }
    each(deployment, "lifecycleHooks", |_, hook| {
        hook.insert("lifecycleStages".to_owned(), json!(["POST_SCALE_UP", "PRE_SCALE_UP"]));
        // Long enough that nobody is rolled back while the test looks.
        if let Some(Value::Object(timeout)) = hook.get_mut("timeoutConfiguration") {
            timeout.insert("timeoutInMinutes".to_owned(), json!(random.i32(60..1440)));
        }
    });
}
