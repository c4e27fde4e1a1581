//! The service of a manifest: how many tasks, in which network, behind what, rolled out how.

use serde_json::Value;

use super::super::super::document::Node;
use super::container::PORT_NAME;
use super::manifest::{Manifest, plain};
use super::{Place, boolean, list, mapping, number};

/// How long a load balancer's checks are ignored after a start, in seconds.
const GRACE: i64 = 60;

/// CreateService's input.
pub(super) fn service(manifest: &mut Manifest<'_>, place: &Place, kind: &str) -> Node {
    let count = count(manifest);
    let network = network(manifest);
    let balancer = load_balancer(manifest, place);
    let grace = balancer.is_some().then(|| grace_period(manifest));
    let connect = service_connect(manifest, place);
    let execute = manifest.boolean("exec").filter(|exec| *exec).map(boolean);
    let deployment = deployment(manifest);
    for field in ["publish", "subscribe", "taskdef_overrides", "nlb", "observability"] {
        if manifest.peek(field).is_some() {
            let why = match field {
                "publish" | "subscribe" => {
                    "topics and queues are made elsewhere; their names reach the container as variables of the environment"
                }
                "taskdef_overrides" => "write the same under `spec.taskDefinition`",
                "nlb" => {
                    "make the target group elsewhere and name it under `spec.service.loadBalancers`"
                }
                _ => "add the collector as a container",
            };
            manifest.say(field, "", format!("`{field}` is left out: {why}"));
        }
    }
    if kind == "Worker Service" {
        let message = "Copilot gives a worker COPILOT_QUEUE_URI; name the queue in the environment";
        manifest.say("type", "spec.taskDefinition", message);
    }
    let is_spot = matches!(count, Count::Spot(_));
    let spot =
        Node::mapping([("capacityProvider", Node::text("FARGATE_SPOT")), ("weight", number(1))]);
    mapping([
        ("launchType", (!is_spot).then(|| Node::text("FARGATE"))),
        ("capacityProviderStrategy", list(is_spot.then_some(spot))),
        ("desiredCount", count.fixed().map(number)),
        ("networkConfiguration", Some(network)),
        ("loadBalancers", list(balancer)),
        ("healthCheckGracePeriodSeconds", grace.map(number)),
        ("serviceConnectConfiguration", connect),
        ("deploymentConfiguration", Some(deployment)),
        ("enableExecuteCommand", execute),
        ("propagateTags", Some(Node::text("SERVICE"))),
    ])
}

/// How many tasks, and on what.
enum Count {
    Fixed(i64),
    Spot(i64),
    Scaled,
}

impl Count {
    fn fixed(&self) -> Option<i64> {
        match self {
            Self::Fixed(count) | Self::Spot(count) => Some(*count),
            Self::Scaled => None,
        }
    }
}

fn count(manifest: &mut Manifest<'_>) -> Count {
    if let Some(count) = manifest.number("count") {
        return Count::Fixed(count);
    }
    if let Some(count) = manifest.number("count.spot") {
        return Count::Spot(count);
    }
    if manifest.peek("count").is_none() {
        return Count::Fixed(1);
    }
    manifest.say("count", "spec.service", "scaling is left out: write it under `spec.scaling`");
    Count::Scaled
}

fn network(manifest: &mut Manifest<'_>) -> Node {
    let placement = manifest.take("network.vpc.placement");
    let own = placement.as_ref().and_then(|placement| placement.get("subnets"));
    let is_private = own.is_some() || placement.as_ref().and_then(Value::as_str) == Some("private");
    let subnets: Vec<String> = match own.and_then(Value::as_array) {
        Some(subnets) => subnets.iter().map(plain).collect(),
        None => {
            let kind = if is_private { "private" } else { "public" };
            (1..=2).map(|index| manifest.variable(format!("{kind}-subnet-{index}"))).collect()
        }
    };
    let given = match manifest.take("network.vpc.security_groups") {
        Some(Value::Array(groups)) => groups.iter().map(plain).collect(),
        Some(Value::Object(said)) => {
            let groups = said.get("groups").and_then(Value::as_array);
            groups.into_iter().flatten().map(plain).collect()
        }
        Some(_) | None => Vec::new(),
    };
    let environment = manifest.variable("environment-security-group");
    let groups = std::iter::once(environment).chain(given);
    Node::mapping([(
        "awsvpcConfiguration",
        mapping([
            ("subnets", list(subnets.into_iter().map(Node::text))),
            ("securityGroups", list(groups.map(Node::text))),
            ("assignPublicIp", (!is_private).then(|| Node::text("ENABLED"))),
        ]),
    )])
}

fn load_balancer(manifest: &mut Manifest<'_>, place: &Place) -> Option<Node> {
    if matches!(manifest.peek("http")?, Value::Bool(false)) {
        manifest.take("http");
        return None;
    }
    let container = manifest.text("http.target_container").unwrap_or_else(|| place.name.clone());
    let own = if container == place.name {
        manifest.number("image.port")
    } else {
        manifest.number(&format!("sidecars.{container}.port"))
    };
    let port = manifest.number("http.target_port").or(own)?;
    let target_group = manifest.variable(format!("{}-target-group", place.name));
    manifest.say(
        "http.path",
        "spec.service.loadBalancers",
        "rules of the listener and checks of the target group are made elsewhere: only the target group is named here",
    );
    Some(Node::mapping([
        ("targetGroupArn", Node::text(target_group)),
        ("containerName", Node::text(container)),
        ("containerPort", number(port)),
    ]))
}

fn grace_period(manifest: &mut Manifest<'_>) -> i64 {
    manifest.seconds("http.healthcheck.grace_period").unwrap_or(GRACE)
}

fn service_connect(manifest: &mut Manifest<'_>, place: &Place) -> Option<Node> {
    let is_on = manifest.peek("network.connect")?.as_bool();
    if is_on.is_some() {
        manifest.take("network.connect");
    }
    if is_on == Some(false) {
        return None;
    }
    let alias = manifest.text("network.connect.alias");
    let namespace = manifest.variable("service-connect-namespace");
    let port = manifest.number("image.port").map(|port| {
        let name = alias.unwrap_or_else(|| place.name.clone());
        Node::mapping([
            ("portName", Node::text(PORT_NAME)),
            ("discoveryName", Node::text(place.name.clone())),
            (
                "clientAliases",
                Node::List(vec![
                    Node::mapping([("port", number(port)), ("dnsName", Node::text(name))]).into(),
                ]),
            ),
        ])
    });
    Some(mapping([
        ("enabled", Some(boolean(true))),
        ("namespace", Some(Node::text(namespace))),
        ("services", list(port)),
    ]))
}

/// Copilot's breaker is always on.
fn deployment(manifest: &mut Manifest<'_>) -> Node {
    let recreates = manifest.text("deployment.rolling").as_deref() == Some("recreate");
    let is_list = manifest.peek("deployment.rollback_alarms").is_some_and(Value::is_array);
    let alarms = if is_list { manifest.take("deployment.rollback_alarms") } else { None };
    let alarms = alarms.as_ref().and_then(Value::as_array).map(|names| {
        mapping([
            ("alarmNames", list(names.iter().map(|name| Node::text(plain(name))))),
            ("enable", Some(boolean(true))),
            ("rollback", Some(boolean(true))),
        ])
    });
    let breaker = Node::mapping([("enable", boolean(true)), ("rollback", boolean(true))]);
    mapping([
        ("maximumPercent", recreates.then(|| number(100))),
        ("minimumHealthyPercent", recreates.then(|| number(0))),
        ("deploymentCircuitBreaker", Some(breaker)),
        ("alarms", alarms),
    ])
}
