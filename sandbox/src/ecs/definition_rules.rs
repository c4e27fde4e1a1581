//! What `RegisterTaskDefinition` refuses (aws.md §4.2, §4.3).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{cluster::valid_name, normal::units, refusal};
use crate::{ApiError, input};

pub(super) fn verify(request: &Value) -> Result<(), ApiError> {
    let containers = input::list(request, "containerDefinitions");
    if containers.is_empty() {
        return Err(refusal::client("Container list cannot be empty."));
    }
    if containers.len() > 10 {
        return Err(refusal::client("Too many containers. The most is 10."));
    }
    let mode = input::text(request, "networkMode");
    let mut names = BTreeSet::new();
    for container in containers {
        let name = input::text(container, "name").unwrap_or_default();
        if !valid_name(name) {
            return Err(refusal::client("Container.name should not be null or empty."));
        }
        if !names.insert(name) {
            return Err(refusal::client(format!(
                "Container name should be unique within a task definition. Duplicate: {name}"
            )));
        }
        verify_container(container, name)?;
        verify_ports(container, mode)?;
    }
    if !containers.iter().any(is_essential) {
        return Err(refusal::client(
            "At least one essential container must be specified in a task definition.",
        ));
    }
    verify_dependencies(containers)?;
    verify_mounts(request, containers)?;
    if input::texts(request, "requiresCompatibilities").contains(&"FARGATE") {
        verify_fargate(request, containers, mode)
    } else {
        verify_memory(request, containers)
    }
}

/// Whether a container's end ends its task; the default is yes.
pub(super) fn is_essential(container: &Value) -> bool {
    input::flag(container, "essential").unwrap_or(true)
}

fn verify_container(container: &Value, name: &str) -> Result<(), ApiError> {
    if input::text(container, "image").is_none_or(str::is_empty) {
        return Err(refusal::client("Container.image should not be null or empty."));
    }
    let mut seen = BTreeSet::new();
    let variables = input::list(container, "environment").iter();
    for variable in variables.chain(input::list(container, "secrets")) {
        if !seen.insert(input::text(variable, "name").unwrap_or_default()) {
            return Err(refusal::client(
                "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'NAME'.",
            ));
        }
    }
    if let (Some(memory), Some(soft)) =
        (input::integer(container, "memory"), input::integer(container, "memoryReservation"))
        && memory <= soft
    {
        return Err(refusal::client(format!(
            "Invalid setting for container '{name}'. The memory must be greater than the memoryReservation."
        )));
    }
    if input::integer(container, "memory").is_some_and(|memory| memory < 6) {
        return Err(refusal::client(format!(
            "Invalid setting for container '{name}'. The memory must be at least 6 MiB."
        )));
    }
    verify_health_check(container)
}

fn verify_health_check(container: &Value) -> Result<(), ApiError> {
    let Some(check) = input::present(container, "healthCheck") else { return Ok(()) };
    if input::list(check, "command").is_empty() {
        return Err(refusal::client("The health check command must not be empty."));
    }
    for (name, least, most) in
        [("interval", 5, 300), ("timeout", 2, 60), ("retries", 1, 10), ("startPeriod", 0, 300)]
    {
        if input::integer(check, name).is_some_and(|value| !(least..=most).contains(&value)) {
            return Err(refusal::client(format!(
                "The health check {name} must be between {least} and {most}."
            )));
        }
    }
    Ok(())
}

fn verify_ports(container: &Value, mode: Option<&str>) -> Result<(), ApiError> {
    let ports = input::list(container, "portMappings");
    if mode == Some("none") && !ports.is_empty() {
        return Err(refusal::client("Port mappings are not allowed when networkMode=none."));
    }
    for port in ports {
        let container_port = input::integer(port, "containerPort");
        if container_port.is_none() && input::text(port, "containerPortRange").is_none() {
            return Err(refusal::client("The container port must be specified in a port mapping."));
        }
        let host_port = input::integer(port, "hostPort");
        let valid = |port: i64| (0..=65_535).contains(&port);
        if [container_port, host_port].into_iter().flatten().any(|port| !valid(port)) {
            return Err(refusal::client("Ports must be between 0 and 65535."));
        }
        if let (Some(mode @ ("awsvpc" | "host")), Some(host_port)) = (mode, host_port)
            && container_port.is_some_and(|port| port != host_port)
        {
            return Err(refusal::client(format!(
                "When networkMode={mode}, the host ports and container ports in port mappings must match."
            )));
        }
    }
    Ok(())
}

fn verify_dependencies(containers: &[Value]) -> Result<(), ApiError> {
    for container in containers {
        for dependency in input::list(container, "dependsOn") {
            let name = input::text(dependency, "containerName").unwrap_or_default();
            let target = containers
                .iter()
                .find(|one| input::text(one, "name") == Some(name))
                .ok_or_else(|| {
                    refusal::client(format!("The container {name} in dependsOn does not exist."))
                })?;
            let condition = input::text(dependency, "condition").unwrap_or_default();
            let message = match condition {
                "COMPLETE" | "SUCCESS" if is_essential(target) => {
                    "A container that others wait for with COMPLETE or SUCCESS must not be essential."
                }
                "HEALTHY" if input::present(target, "healthCheck").is_none() => {
                    "A container that others wait for with HEALTHY must have a health check."
                }
                "START" | "COMPLETE" | "SUCCESS" | "HEALTHY" => continue,
                _ => "The condition of a dependency must be START, COMPLETE, SUCCESS or HEALTHY.",
            };
            return Err(refusal::client(message));
        }
    }
    if has_cycle(containers) {
        return Err(refusal::client("There is a cycle in the container dependencies."));
    }
    Ok(())
}

fn has_cycle(containers: &[Value]) -> bool {
    let mut open: Vec<&Value> = containers.iter().collect();
    loop {
        let waits = |one: &&Value| {
            input::list(one, "dependsOn").iter().any(|dependency| {
                let name = input::text(dependency, "containerName");
                open.iter().any(|other| input::text(other, "name") == name)
            })
        };
        let left: Vec<&Value> = open.iter().copied().filter(|one| waits(one)).collect();
        if left.is_empty() {
            return false;
        }
        if left.len() == open.len() {
            return true;
        }
        open = left;
    }
}

fn verify_mounts(request: &Value, containers: &[Value]) -> Result<(), ApiError> {
    let volumes: BTreeSet<_> = input::list(request, "volumes")
        .iter()
        .filter_map(|volume| input::text(volume, "name"))
        .collect();
    for mount in containers.iter().flat_map(|one| input::list(one, "mountPoints")) {
        let name = input::text(mount, "sourceVolume").unwrap_or_default();
        if !volumes.contains(name) {
            return Err(refusal::client(format!("Unknown volume '{name}'.")));
        }
    }
    Ok(())
}

fn verify_memory(request: &Value, containers: &[Value]) -> Result<(), ApiError> {
    let bounded = |one: &Value| {
        input::integer(one, "memory").or_else(|| input::integer(one, "memoryReservation")).is_some()
    };
    match containers.iter().find(|one| !bounded(one)) {
        Some(container) if input::present(request, "memory").is_none() => {
            Err(refusal::client(format!(
                "Invalid setting for container '{}'. At least one of 'memory' or 'memoryReservation' must be specified.",
                input::text(container, "name").unwrap_or_default()
            )))
        }
        Some(_) | None => Ok(()),
    }
}

fn verify_fargate(
    request: &Value,
    containers: &[Value],
    mode: Option<&str>,
) -> Result<(), ApiError> {
    if mode != Some("awsvpc") {
        return Err(refusal::client("Fargate only supports network mode ‘awsvpc’."));
    }
    let size = |name: &str| match input::present(request, name) {
        Some(Value::String(text)) => units(name, text),
        Some(other) => other.as_i64(),
        None => None,
    };
    let missing = |name: &str| {
        refusal::client(format!("Fargate requires that '{name}' be defined at the task level."))
    };
    let cpu = size("cpu").ok_or_else(|| missing("cpu"))?;
    let memory = size("memory").ok_or_else(|| missing("memory"))?;
    if !is_fargate_size(cpu, memory) {
        return Err(refusal::client("No Fargate configuration exists for given values."));
    }
    let total =
        |name: &str| -> i64 { containers.iter().filter_map(|one| input::integer(one, name)).sum() };
    if total("cpu") > cpu || total("memory") > memory {
        return Err(refusal::client(
            "The sum of the containers' cpu or memory must not exceed the task's.",
        ));
    }
    for container in containers {
        verify_fargate_container(container)?;
    }
    if input::text(request, "executionRoleArn").is_none() {
        verify_without_execution_role(containers)?;
    }
    if let Some(storage) = input::present(request, "ephemeralStorage")
        && input::integer(storage, "sizeInGiB").is_none_or(|size| !(21..=200).contains(&size))
    {
        return Err(refusal::client("The ephemeral storage must be between 21 and 200 GiB."));
    }
    Ok(())
}

fn verify_fargate_container(container: &Value) -> Result<(), ApiError> {
    let forbidden =
        ["links", "dnsServers", "dnsSearchDomains", "dockerSecurityOptions", "extraHosts"];
    if let Some(name) = forbidden.into_iter().find(|name| !input::list(container, name).is_empty())
    {
        return Err(refusal::client(format!("{name} is not supported for Fargate tasks.")));
    }
    if input::flag(container, "privileged") == Some(true) {
        return Err(refusal::client("Fargate does not support privileged containers."));
    }
    if let Some(log) = input::present(container, "logConfiguration") {
        let driver = input::text(log, "logDriver").unwrap_or_default();
        if !["awslogs", "splunk", "awsfirelens"].contains(&driver) {
            return Err(refusal::client(format!(
                "Fargate does not support the log driver '{driver}'."
            )));
        }
    }
    if input::integer(container, "stopTimeout").is_some_and(|seconds| seconds > 120) {
        return Err(refusal::client("The stopTimeout must be at most 120 seconds on Fargate."));
    }
    Ok(())
}

fn verify_without_execution_role(containers: &[Value]) -> Result<(), ApiError> {
    for container in containers {
        let wants =
            if input::text(container, "image").is_some_and(|image| image.contains(".dkr.ecr.")) {
                "ECR images"
            } else if !input::list(container, "secrets").is_empty() {
                "container secrets"
            } else if input::present(container, "logConfiguration")
                .is_some_and(|log| input::text(log, "logDriver") == Some("awslogs"))
            {
                "log driver awslogs"
            } else {
                continue;
            };
        return Err(refusal::client(format!(
            "Fargate requires task definition to have execution role ARN to support {wants}."
        )));
    }
    Ok(())
}

/// Whether Fargate has this size (aws.md §4.2).
fn is_fargate_size(cpu: i64, memory: i64) -> bool {
    let steps = |least: i64, most: i64, step: i64| {
        (least..=most).contains(&memory) && (memory - least) % step == 0
    };
    match cpu {
        256 => [512, 1024, 2048].contains(&memory),
        512 => steps(1024, 4096, 1024),
        1024 => steps(2048, 8192, 1024),
        2048 => steps(4096, 16_384, 1024),
        4096 => steps(8192, 30_720, 1024),
        8192 => steps(16_384, 61_440, 4096),
        16_384 => steps(32_768, 122_880, 8192),
        32_768 => [61_440, 122_880, 249_856].contains(&memory),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fargate() -> Value {
        json!({
            "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
            "cpu": "256", "memory": "512",
            "containerDefinitions": [{"name": "web", "image": "web:v1", "portMappings": [{"containerPort": 80}]}],
        })
    }

    #[test]
    fn a_plain_definition_passes() {
        verify(&fargate()).unwrap();
    }

    #[test]
    fn each_rule_refuses_its_mistake() {
        let other = json!({"name": "other", "image": "x", "essential": false});
        for (pointer, value, expected) in [
            ("/containerDefinitions", json!([]), "cannot be empty"),
            ("/containerDefinitions/0/name", json!("a b"), "Container.name"),
            ("/containerDefinitions/0/image", json!(""), "Container.image"),
            ("/containerDefinitions", json!([other, other]), "unique"),
            ("/containerDefinitions", json!([other]), "At least one essential"),
            (
                "/containerDefinitions/0/environment",
                json!([{"name": "A"}, {"name": "A"}]),
                "unique",
            ),
            ("/containerDefinitions/0/portMappings/0/hostPort", json!(81), "must match"),
            ("/containerDefinitions/0/portMappings/0/containerPort", json!(70_000), "Ports must"),
            ("/containerDefinitions/0/memory", json!(600), "must not exceed"),
            ("/containerDefinitions/0/links", json!(["a"]), "links is not supported"),
            ("/containerDefinitions/0/privileged", json!(true), "privileged"),
            (
                "/containerDefinitions/0/image",
                json!("1.dkr.ecr.eu-west-1.amazonaws.com/a:b"),
                "execution role",
            ),
            (
                "/containerDefinitions/0/logConfiguration",
                json!({"logDriver": "syslog"}),
                "log driver",
            ),
            (
                "/containerDefinitions/0/mountPoints",
                json!([{"sourceVolume": "v"}]),
                "Unknown volume",
            ),
            (
                "/containerDefinitions/0/dependsOn",
                json!([{"containerName": "web", "condition": "START"}]),
                "cycle",
            ),
            (
                "/containerDefinitions/0/dependsOn",
                json!([{"containerName": "no", "condition": "START"}]),
                "does not exist",
            ),
            (
                "/containerDefinitions/0/healthCheck",
                json!({"command": ["CMD"], "interval": 1}),
                "interval",
            ),
            ("/networkMode", json!("bridge"), "network mode"),
            ("/memory", json!("4096"), "No Fargate configuration"),
            ("/cpu", json!("300"), "No Fargate configuration"),
            ("/cpu", Value::Null, "requires that 'cpu'"),
            ("/ephemeralStorage", json!({"sizeInGiB": 20}), "ephemeral"),
        ] {
            let mut request = fargate();
            set(&mut request, pointer, value);
            let error = verify(&request).unwrap_err();
            assert!(error.message.contains(expected), "{pointer}: {}", error.message);
            assert_eq!(error.http_status, 400);
        }
    }

    #[test]
    fn ec2_containers_need_memory_somewhere() {
        let bare = json!({"family": "a", "containerDefinitions": [{"name": "a", "image": "a"}]});
        assert!(verify(&bare).unwrap_err().message.contains("memoryReservation"));
        let mut sized = bare;
        set(&mut sized, "/memory", json!("512"));
        verify(&sized).unwrap();
    }

    #[test]
    fn fargate_sizes_are_those_of_the_table() {
        for (cpu, memory, expected) in [
            (256, 512, true),
            (256, 1024, true),
            (256, 1536, false),
            (256, 2048, true),
            (512, 1024, true),
            (512, 5120, false),
            (1024, 8192, true),
            (2048, 4096, true),
            (4096, 30_720, true),
            (8192, 20_480, true),
            (8192, 17_408, false),
            (16_384, 122_880, true),
            (32_768, 249_856, true),
            (32_768, 131_072, false),
            (300, 512, false),
        ] {
            assert_eq!(is_fargate_size(cpu, memory), expected, "{cpu} {memory}");
        }
    }

    fn set(target: &mut Value, pointer: &str, value: Value) {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        target.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
    }
}
