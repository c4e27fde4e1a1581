//! What the API adds to or rewrites in a task definition (aws.md §2.2.1).

use serde_json::{Map, Value, json};

/// The members of a registered definition as AWS shows them; members we know nothing of stay as given.
pub(super) fn task_definition(given: &Map<String, Value>) -> Map<String, Value> {
    let mut view = given.clone();
    let mode = given.get("networkMode").and_then(Value::as_str).map(str::to_owned);
    for name in ["cpu", "memory"] {
        if let Some(Value::String(text)) = view.get(name)
            && let Some(units) = units(name, text)
        {
            view.insert(name.to_owned(), Value::String(units.to_string()));
        }
    }
    for name in ["volumes", "placementConstraints"] {
        view.entry(name).or_insert_with(|| json!([]));
    }
    if let Some(Value::Array(containers)) = view.get_mut("containerDefinitions") {
        for container in containers.iter_mut().filter_map(Value::as_object_mut) {
            normalise_container(container, mode.as_deref());
        }
    }
    let attributes = attributes(given);
    view.insert("requiresAttributes".to_owned(), attributes);
    view.insert("compatibilities".to_owned(), compatibilities(given));
    view
}

fn normalise_container(container: &mut Map<String, Value>, mode: Option<&str>) {
    container.retain(|_, value| !value.is_null());
    container.entry("cpu").or_insert_with(|| json!(0));
    container.entry("essential").or_insert_with(|| json!(true));
    for name in ["portMappings", "environment", "mountPoints", "volumesFrom", "systemControls"] {
        container.entry(name).or_insert_with(|| json!([]));
    }
    if let Some(Value::Array(ports)) = container.get_mut("portMappings") {
        for port in ports.iter_mut().filter_map(Value::as_object_mut) {
            normalise_port(port, mode);
        }
    }
    if let Some(Value::Object(check)) = container.get_mut("healthCheck") {
        for (name, value) in [("interval", 30), ("timeout", 5), ("retries", 3)] {
            check.entry(name).or_insert_with(|| json!(value));
        }
    }
    if let Some(Value::Object(log)) = container.get_mut("logConfiguration") {
        log.entry("secretOptions").or_insert_with(|| json!([]));
    }
}

fn normalise_port(port: &mut Map<String, Value>, mode: Option<&str>) {
    let protocol = port.entry("protocol").or_insert_with(|| json!("tcp"));
    if protocol.as_str() != Some("udp") {
        *protocol = json!("tcp");
    }
    if let Some(container_port) = port.get("containerPort").cloned() {
        let host_port = match mode {
            Some("awsvpc" | "host") => container_port,
            Some(_) | None => json!(0),
        };
        port.entry("hostPort").or_insert(host_port);
    }
}

/// CPU units or mebibytes of `"1 vCPU"`, `"2 GB"` or a plain number.
pub(super) fn units(name: &str, text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_lowercase();
    let suffix = if name == "cpu" { "vcpu" } else { "gb" };
    match text.strip_suffix(suffix) {
        Some(number) => thousandths(number.trim()).map(|value| value * 1024 / 1000),
        None => text.parse().ok(),
    }
}

/// A decimal number in thousandths.
fn thousandths(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    if fraction.len() > 3 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let fraction: i64 = format!("{fraction:0<3}").parse().ok()?;
    whole.checked_mul(1000)?.checked_add(fraction)
}

fn compatibilities(given: &Map<String, Value>) -> Value {
    let awsvpc = given.get("networkMode").and_then(Value::as_str) == Some("awsvpc");
    let sized = given.contains_key("cpu") && given.contains_key("memory");
    if awsvpc && sized { json!(["EC2", "FARGATE", "MANAGED_INSTANCES"]) } else { json!(["EC2"]) }
}

fn attributes(given: &Map<String, Value>) -> Value {
    let mut names = vec!["com.amazonaws.ecs.capability.docker-remote-api.1.18"];
    if given.contains_key("taskRoleArn") {
        names.push("com.amazonaws.ecs.capability.task-iam-role");
    }
    if given.get("networkMode").and_then(Value::as_str) == Some("awsvpc") {
        names.push("ecs.capability.task-eni");
    }
    Value::Array(names.into_iter().map(|name| json!({"name": name})).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_become_plain_numbers() {
        for (name, text, expected) in [
            ("cpu", "256", Some(256)),
            ("cpu", "1 vCPU", Some(1024)),
            ("cpu", ".5 vcpu", Some(512)),
            ("cpu", "0.25vCPU", Some(256)),
            ("memory", "2 GB", Some(2048)),
            ("memory", "0.5GB", Some(512)),
            ("memory", "30 GB", Some(30720)),
            ("memory", "much", None),
            ("cpu", "1 GB", None),
        ] {
            assert_eq!(units(name, text), expected, "{name} {text}");
        }
    }

    #[test]
    fn defaults_are_filled_in_and_unknown_members_are_kept() {
        let given = json!({
            "family": "web", "networkMode": "awsvpc", "cpu": ".25 vCPU", "memory": "512",
            "containerDefinitions": [{
                "name": "web", "image": "web:v1",
                "portMappings": [{"containerPort": 80}, {"containerPort": 53, "protocol": "udp"}, {"containerPort": 9, "protocol": "sctp"}],
                "healthCheck": {"command": ["CMD", "true"], "retries": 5},
                "logConfiguration": {"logDriver": "awslogs"},
                "newMember": {"a": 1},
            }],
        });
        let view = Value::Object(task_definition(given.as_object().unwrap()));
        let container = &view["containerDefinitions"][0];
        assert_eq!(view["cpu"], "256");
        assert_eq!(view["volumes"], json!([]));
        assert_eq!(view["compatibilities"], json!(["EC2", "FARGATE", "MANAGED_INSTANCES"]));
        assert!(view.get("requiresCompatibilities").is_none());
        assert_eq!(container["cpu"], 0);
        assert_eq!(container["essential"], true);
        assert_eq!(container["environment"], json!([]));
        assert_eq!(container["systemControls"], json!([]));
        assert_eq!(
            container["portMappings"],
            json!([
                {"containerPort": 80, "protocol": "tcp", "hostPort": 80},
                {"containerPort": 53, "protocol": "udp", "hostPort": 53},
                {"containerPort": 9, "protocol": "tcp", "hostPort": 9},
            ])
        );
        assert_eq!(
            container["healthCheck"],
            json!({"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 5})
        );
        assert_eq!(container["logConfiguration"]["secretOptions"], json!([]));
        assert_eq!(container["newMember"], json!({"a": 1}));
    }

    #[test]
    fn bridge_ports_are_dynamic_unless_given() {
        let given = json!({"containerDefinitions": [{"portMappings": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 8081}]}]});
        let view = Value::Object(task_definition(given.as_object().unwrap()));
        let ports = &view["containerDefinitions"][0]["portMappings"];
        assert_eq!((&ports[0]["hostPort"], &ports[1]["hostPort"]), (&json!(0), &json!(8081)));
    }
}
