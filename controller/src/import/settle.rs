//! Members that go without saying because of another member: what the table alone cannot tell (aws.md §2.2.1, §2.6.1).

use serde_json::{Map, Value};

/// A described task definition without what its network mode and the cluster's name say already.
pub(super) fn task_definition(said: &Value, default_family: &str) -> Map<String, Value> {
    let mut said = said.as_object().cloned().unwrap_or_default();
    if text(&said, "family") == Some(default_family) {
        said.remove("family");
    }
    let mode = text(&said, "networkMode").unwrap_or("bridge").to_owned();
    for container in objects(&mut said, "containerDefinitions") {
        for mapping in objects(container, "portMappings") {
            let host = mapping.get("hostPort").and_then(Value::as_i64);
            let chosen_by_ecs = match mode.as_str() {
                "awsvpc" | "host" => mapping.get("containerPort").and_then(Value::as_i64),
                _ => None,
            };
            if host == Some(0) || host.is_some() && host == chosen_by_ecs {
                mapping.remove("hostPort");
            }
        }
    }
    said
}

/// A service's settings without what its other settings say already.
pub(super) fn service(said: &Value) -> Map<String, Value> {
    let mut said = said.as_object().cloned().unwrap_or_default();
    if has(&said, "capacityProviderStrategy") {
        said.remove("launchType");
    }
    let is_daemon = text(&said, "schedulingStrategy") == Some("DAEMON");
    if is_daemon {
        said.remove("desiredCount");
        said.remove("placementStrategy");
    }
    // ECS spreads new services where it can; only a service that is not to be spread says so.
    if is_daemon || text(&said, "availabilityZoneRebalancing") == Some("ENABLED") {
        said.remove("availabilityZoneRebalancing");
    }
    // The service-linked role is shown, and refused where it is given.
    if text(&said, "role").is_some_and(|role| role.contains(":role/aws-service-role/")) {
        said.remove("role");
    }
    if let Some(Value::Object(deployment)) = said.get_mut("deploymentConfiguration") {
        self::deployment(deployment, is_daemon);
    }
    if let Some(Value::Object(connect)) = said.get_mut("serviceConnectConfiguration") {
        service_connect(connect);
    }
    said
}

fn deployment(deployment: &mut Map<String, Value>, is_daemon: bool) {
    let strategy = text(deployment, "strategy").unwrap_or("ROLLING").to_owned();
    for (owner, steps) in [("LINEAR", "linearConfiguration"), ("CANARY", "canaryConfiguration")] {
        if strategy != owner {
            deployment.remove(steps);
        }
    }
    if is_daemon {
        for (name, default) in [("maximumPercent", 100), ("minimumHealthyPercent", 0)] {
            if deployment.get(name).and_then(Value::as_i64) == Some(default) {
                deployment.remove(name);
            }
        }
    }
}

/// Nothing counts where it is off; where it is on, a port's name is its discovery name.
fn service_connect(connect: &mut Map<String, Value>) {
    if connect.get("enabled") != Some(&Value::Bool(true)) {
        connect.clear();
        return;
    }
    for service in objects(connect, "services") {
        if service.get("discoveryName") == service.get("portName") {
            service.remove("discoveryName");
        }
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name)?.as_str()
}

fn has(members: &Map<String, Value>, name: &str) -> bool {
    members.get(name).and_then(Value::as_array).is_some_and(|items| !items.is_empty())
}

/// The structures in a member that is a list of them.
fn objects<'a>(
    members: &'a mut Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let items = members.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten();
    items.filter_map(Value::as_object_mut)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ports_of_the_host_are_said_where_somebody_chose_them() {
        for (mode, host, kept) in [
            ("awsvpc", 80, false),
            ("host", 80, false),
            ("bridge", 0, false),
            ("bridge", 80, true),
            ("bridge", 8080, true),
        ] {
            let said = json!({"family": "shop-web", "networkMode": mode, "containerDefinitions": [
                {"portMappings": [{"containerPort": 80, "hostPort": host}]},
            ]});
            let settled = task_definition(&said, "shop-web");
            assert!(!settled.contains_key("family"));
            let mapping = &settled["containerDefinitions"][0]["portMappings"][0];
            assert_eq!(mapping.get("hostPort").is_some(), kept, "{mode} {host}");
        }
    }

    #[test]
    fn a_daemon_has_other_defaults() {
        let settled = service(&json!({
            "schedulingStrategy": "DAEMON", "desiredCount": 4, "availabilityZoneRebalancing": "DISABLED",
            "deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 0, "strategy": "ROLLING",
                                        "canaryConfiguration": {"canaryPercent": 5.0}},
        }));
        assert_eq!(
            Value::Object(settled),
            json!({"schedulingStrategy": "DAEMON", "deploymentConfiguration": {"strategy": "ROLLING"}})
        );
    }

    #[test]
    fn service_connect_that_is_off_says_nothing() {
        let settled =
            service(&json!({"serviceConnectConfiguration": {"enabled": false, "namespace": "a"}}));
        assert_eq!(Value::Object(settled), json!({"serviceConnectConfiguration": {}}));
    }
}
