//! From a task and its definition to the addresses at which it can be scraped.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use crds::{ClusterName, TargetName};
use serde_json::{Value, json};

/// A task that runs and has an address of its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listening {
    address: String,
    id: String,
    service: String,
    zone: String,
    /// The ARN of its task definition.
    pub(super) definition: String,
}

/// A TCP port that a container opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Port {
    container: String,
    number: i64,
    name: String,
}

impl Listening {
    /// A task of one of these services; `None` for others, for those that do not run, and for those that share the address
    /// of their instance, because their ports are the instance's.
    pub(super) fn of(task: &Value, services: &BTreeSet<String>) -> Option<Self> {
        let text = |name: &str| task.get(name).and_then(Value::as_str);
        let service = text("group")?.strip_prefix("service:")?;
        if text("lastStatus") != Some("RUNNING") || !services.contains(service) {
            return None;
        }
        Some(Self {
            address: address(task)?,
            id: last_part(text("taskArn")?).to_owned(),
            service: service.to_owned(),
            zone: text("availabilityZone").unwrap_or_default().to_owned(),
            definition: text("taskDefinitionArn")?.to_owned(),
        })
    }

    /// One element of the list: one port of the task.
    pub(super) fn at(&self, (target, cluster): (&TargetName, &ClusterName), port: &Port) -> Value {
        json!({
            "targets": [format!("{}:{}", self.address, port.number)],
            "labels": {
                "__meta_longshore_target": target,
                "__meta_longshore_cluster": cluster,
                "__meta_longshore_service": self.service,
                "__meta_longshore_container": port.container,
                "__meta_longshore_port": port.number.to_string(),
                "__meta_longshore_port_name": port.name,
                "__meta_longshore_task": self.id,
                "__meta_longshore_task_definition": last_part(&self.definition),
                "__meta_longshore_availability_zone": self.zone,
            },
        })
    }
}

/// The address of the task's own network interface, as a URL writes it.
fn address(task: &Value) -> Option<String> {
    let attachments = task.get("attachments")?.as_array()?;
    let interface =
        attachments.iter().find(|it| it.get("type") == Some(&json!("ElasticNetworkInterface")))?;
    let details = interface.get("details")?.as_array()?;
    let detail = |name: &str| {
        let found = details.iter().find(|it| it.get("name") == Some(&json!(name)))?;
        found.get("value")?.as_str().filter(|value| !value.is_empty())
    };
    match (detail("privateIPv4Address"), detail("ipv6Address")) {
        (Some(address), _) => Some(address.to_owned()),
        (None, Some(address)) => {
            address.parse::<Ipv6Addr>().ok().map(|address| format!("[{address}]"))
        }
        (None, None) => None,
    }
}

/// The TCP ports that a task definition's containers open, from the answer of `DescribeTaskDefinition`.
pub(super) fn ports(definition: &Value) -> Vec<Port> {
    let list = |value: &Value, name: &str| -> Vec<Value> {
        value.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let text = |value: &Value, name: &str| -> String {
        value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let definition = definition.get("taskDefinition").unwrap_or(&Value::Null);
    let mut ports = Vec::new();
    for container in list(definition, "containerDefinitions") {
        for mapping in list(&container, "portMappings") {
            let number = mapping.get("containerPort").and_then(Value::as_i64);
            if let Some(number) = number.filter(|_| text(&mapping, "protocol") != "udp") {
                let (container, name) = (text(&container, "name"), text(&mapping, "name"));
                ports.push(Port { container, number, name });
            }
        }
    }
    ports
}

fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(details: &Value) -> Value {
        json!({
            "taskArn": "arn:aws:ecs:eu-west-1:111122223333:task/shop/0123abcd",
            "taskDefinitionArn": "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop-web:7",
            "group": "service:web", "lastStatus": "RUNNING", "availabilityZone": "eu-west-1a",
            "attachments": [{"type": "ElasticNetworkInterface", "details": details}],
        })
    }

    fn services() -> BTreeSet<String> {
        BTreeSet::from(["web".to_owned()])
    }

    #[test]
    fn an_address_is_the_tasks_own() {
        let v4 = json!({"name": "privateIPv4Address", "value": "10.0.1.5"});
        let v6 = json!({"name": "ipv6Address", "value": "2001:db8::5"});
        for (details, expected) in [
            (json!([v4]), Some("10.0.1.5")),
            (json!([v6, v4]), Some("10.0.1.5")),
            (json!([v6]), Some("[2001:db8::5]")),
            (json!([{"name": "subnetId", "value": "subnet-1"}]), None),
            (json!([]), None),
        ] {
            let found = Listening::of(&task(&details), &services()).map(|it| it.address);
            assert_eq!(found.as_deref(), expected, "{details}");
        }
    }

    #[test]
    fn only_running_tasks_of_known_services_listen() {
        let good = task(&json!([{"name": "privateIPv4Address", "value": "10.0.1.5"}]));
        assert!(Listening::of(&good, &services()).is_some());
        for (member, value) in [
            ("lastStatus", "PENDING"),
            ("lastStatus", "STOPPED"),
            ("group", "service:other"),
            ("group", "family:web"),
        ] {
            let mut other = good.clone();
            other[member] = json!(value);
            assert_eq!(Listening::of(&other, &services()), None, "{member} {value}");
        }
        let mut shared = good.clone();
        shared["attachments"] = json!([]);
        assert_eq!(Listening::of(&shared, &services()), None, "host and bridge networks");
    }

    #[test]
    fn tcp_ports_are_told_with_their_containers() {
        let definition = json!({"taskDefinition": {"containerDefinitions": [
            {"name": "app", "portMappings": [
                {"containerPort": 8080, "protocol": "tcp", "name": "http"},
                {"containerPort": 9102},
                {"containerPort": 53, "protocol": "udp"},
                {"containerPortRange": "7000-7010"},
            ]},
            {"name": "proxy"},
        ]}});
        let told: Vec<_> =
            ports(&definition).into_iter().map(|it| (it.container, it.number, it.name)).collect();
        assert_eq!(
            told,
            [("app".into(), 8080, "http".into()), ("app".into(), 9102, String::new())]
        );
    }
}
