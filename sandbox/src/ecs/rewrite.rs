//! Answers in other words than the request's: everything that AWS is known to reorder, spell out or fill in beyond what each
//! answer needs (aws.md §2.2.1, §2.6.1). Off by default, so that answers read like their requests.

use serde_json::{Map, Value, json};

/// Lists of a task definition whose order AWS does not keep.
const UNORDERED_IN_DEFINITION: [&str; 13] = [
    "containerDefinitions",
    "environment",
    "secrets",
    "portMappings",
    "mountPoints",
    "volumesFrom",
    "volumes",
    "requiresCompatibilities",
    "placementConstraints",
    "properties",
    "ulimits",
    "systemControls",
    "secretOptions",
];

/// The same of a service.
const UNORDERED_IN_SERVICE: [&str; 8] = [
    "subnets",
    "securityGroups",
    "loadBalancers",
    "capacityProviderStrategy",
    "placementConstraints",
    "lifecycleStages",
    "alarmNames",
    "accessTypes",
];

/// How answers are rewritten.
pub(super) struct Rewrites {
    on: bool,
    account: String,
    region: String,
}

impl Rewrites {
    pub(super) fn new(on: bool, account: &str, region: &str) -> Self {
        Self { on, account: account.to_owned(), region: region.to_owned() }
    }

    /// A revision as AWS may show it.
    pub(super) fn definition(&self, view: &mut Map<String, Value>) {
        if !self.on {
            return;
        }
        for role in ["taskRoleArn", "executionRoleArn"] {
            self.spell_out_role(view, role);
        }
        view.entry("enableFaultInjection").or_insert(json!(false));
        each(view.get_mut("containerDefinitions"), fill_container);
        each(view.get_mut("volumes"), fill_volume);
        view.values_mut().for_each(|value| reverse(value, &UNORDERED_IN_DEFINITION));
        view.iter_mut().for_each(|(name, value)| turn_round(name, value, &UNORDERED_IN_DEFINITION));
    }

    /// A service, one of its deployments or a service revision as AWS may show it.
    pub(super) fn service(&self, view: &mut Map<String, Value>) {
        if !self.on {
            return;
        }
        each(view.get_mut("placementStrategy"), spell_placement);
        if let Some(Value::Object(connect)) = view.get_mut("serviceConnectConfiguration") {
            self.spell_out_connect(connect);
        }
        each(view.get_mut("volumeConfigurations"), |volume| {
            if let Some(Value::Object(ebs)) = volume.get_mut("managedEBSVolume") {
                self.spell_out_role(ebs, "roleArn");
                fill_ebs(ebs);
            }
        });
        each(view.get_mut("vpcLatticeConfigurations"), |one| self.spell_out_role(one, "roleArn"));
        each(view.get_mut("loadBalancers"), |balancer| {
            if let Some(Value::Object(advanced)) = balancer.get_mut("advancedConfiguration") {
                self.spell_out_role(advanced, "roleArn");
            }
        });
        if let Some(Value::Object(deployment)) = view.get_mut("deploymentConfiguration") {
            deployment
                .entry("alarms")
                .or_insert_with(|| json!({"alarmNames": [], "enable": false, "rollback": false}));
            each(deployment.get_mut("lifecycleHooks"), |hook| self.spell_out_role(hook, "roleArn"));
        }
        view.values_mut().for_each(|value| reverse(value, &UNORDERED_IN_SERVICE));
        view.iter_mut().for_each(|(name, value)| turn_round(name, value, &UNORDERED_IN_SERVICE));
    }

    /// A role's name becomes its ARN.
    fn spell_out_role(&self, members: &mut Map<String, Value>, name: &str) {
        if let Some(Value::String(role)) = members.get_mut(name)
            && !role.starts_with("arn:")
        {
            *role = format!("arn:aws:iam::{}:role/{role}", self.account);
        }
    }

    /// A namespace's name becomes the ARN of something with another name; a port's name is its discovery name.
    fn spell_out_connect(&self, connect: &mut Map<String, Value>) {
        if let Some(Value::String(namespace)) = connect.get_mut("namespace")
            && !namespace.starts_with("arn:")
        {
            *namespace = format!(
                "arn:aws:servicediscovery:{}:{}:namespace/ns-0123456789abcdef",
                self.region, self.account
            );
        }
        each(connect.get_mut("services"), |service| {
            if let Some(name) = service.get("portName").cloned() {
                service.entry("discoveryName").or_insert(name);
            }
            if let Some(Value::Object(tls)) = service.get_mut("tls") {
                self.spell_out_role(tls, "roleArn");
            }
        });
    }
}

fn fill_container(container: &mut Map<String, Value>) {
    for name in ["ulimits", "environmentFiles"] {
        container.entry(name).or_insert_with(|| json!([]));
    }
    container.entry("versionConsistency").or_insert_with(|| json!("enabled"));
    if let Some(Value::Object(linux)) = container.get_mut("linuxParameters") {
        for name in ["devices", "tmpfs"] {
            linux.entry(name).or_insert_with(|| json!([]));
        }
        linux.entry("capabilities").or_insert_with(|| json!({"add": [], "drop": []}));
    }
}

fn fill_volume(volume: &mut Map<String, Value>) {
    if let Some(Value::Object(efs)) = volume.get_mut("efsVolumeConfiguration") {
        efs.entry("rootDirectory").or_insert_with(|| json!("/"));
        efs.entry("transitEncryption").or_insert_with(|| json!("DISABLED"));
        let authorization = efs.entry("authorizationConfig").or_insert_with(|| json!({}));
        if let Value::Object(authorization) = authorization {
            authorization.entry("iam").or_insert_with(|| json!("DISABLED"));
        }
    }
    if volume.len() == 1 {
        volume.insert("host".to_owned(), json!({}));
    }
}

fn fill_ebs(ebs: &mut Map<String, Value>) {
    let kind = ebs.entry("volumeType").or_insert_with(|| json!("gp3")).clone();
    ebs.entry("encrypted").or_insert_with(|| json!(false));
    ebs.entry("filesystemType").or_insert_with(|| json!("xfs"));
    if kind == json!("gp3") {
        ebs.entry("iops").or_insert_with(|| json!(3000));
        ebs.entry("throughput").or_insert_with(|| json!(125));
    }
}

fn spell_placement(strategy: &mut Map<String, Value>) {
    if let Some(Value::String(field)) = strategy.get_mut("field") {
        match field.as_str() {
            "host" => "instanceId".clone_into(field),
            "cpu" | "memory" => field.make_ascii_uppercase(),
            _ => {}
        }
    }
}

fn each(list: Option<&mut Value>, change: impl FnMut(&mut Map<String, Value>)) {
    let elements = list.and_then(Value::as_array_mut).into_iter().flatten();
    elements.filter_map(Value::as_object_mut).for_each(change);
}

/// Turns the named lists below a value round.
fn reverse(value: &mut Value, unordered: &[&str]) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                reverse(value, unordered);
                turn_round(name, value, unordered);
            }
        }
        Value::Array(elements) => {
            elements.iter_mut().for_each(|element| reverse(element, unordered));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn turn_round(name: &str, value: &mut Value, unordered: &[&str]) {
    if let Value::Array(elements) = value
        && unordered.contains(&name)
    {
        elements.reverse();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(on: bool, value: &Value, service: bool) -> Value {
        let rewrites = Rewrites::new(on, "111122223333", "eu-west-1");
        let mut view = value.as_object().unwrap().clone();
        if service {
            rewrites.service(&mut view)
        } else {
            rewrites.definition(&mut view)
        }
        Value::Object(view)
    }

    #[test]
    fn answers_read_like_requests_unless_asked_otherwise() {
        let definition = json!({"taskRoleArn": "web", "volumes": [{"name": "a"}, {"name": "b"}]});
        assert_eq!(rewritten(false, &definition, false), definition);
        assert_eq!(
            rewritten(true, &definition, false),
            json!({
                "taskRoleArn": "arn:aws:iam::111122223333:role/web", "enableFaultInjection": false,
                "volumes": [{"name": "b", "host": {}}, {"name": "a", "host": {}}],
            })
        );
    }

    #[test]
    fn lists_without_order_are_turned_round_once_and_others_never() {
        let definition = json!({"containerDefinitions": [{
            "command": ["a", "b"], "environment": [{"name": "A"}, {"name": "B"}],
        }]});
        let shown = rewritten(true, &definition, false);
        let container = &shown["containerDefinitions"][0];
        assert_eq!(container["command"], json!(["a", "b"]));
        assert_eq!(container["environment"], json!([{"name": "B"}, {"name": "A"}]));
        let service =
            json!({"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["a", "b"]}}});
        assert_eq!(
            rewritten(true, &service, true)["networkConfiguration"]["awsvpcConfiguration"]["subnets"],
            json!(["b", "a"])
        );
    }

    #[test]
    fn names_become_arns_and_fields_capitals() {
        let service = json!({
            "placementStrategy": [{"type": "binpack", "field": "cpu"}, {"type": "spread", "field": "host"}],
            "serviceConnectConfiguration": {"enabled": true, "namespace": "shop", "services": [{"portName": "http"}]},
        });
        let shown = rewritten(true, &service, true);
        assert_eq!(shown["placementStrategy"][0]["field"], "CPU");
        assert_eq!(shown["placementStrategy"][1]["field"], "instanceId");
        let connect = &shown["serviceConnectConfiguration"];
        assert!(connect["namespace"].as_str().unwrap().starts_with("arn:aws:servicediscovery:"));
        assert_eq!(connect["services"][0]["discoveryName"], "http");
    }
}
