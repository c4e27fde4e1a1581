//! Rules of services that look at more than one member.

use crds::ecs::deployment::{CanaryConfiguration, LinearConfiguration};
use crds::ecs::{Absent, ServiceDefinition, Shape};
use serde_json::{Map, Value, json};

use super::key::change_elements;
use super::{Normal, filled, present, text, walk};

/// Members that `DescribeServices` shows on the deployment in force and not on the service (aws.md §2.6).
const ON_DEPLOYMENT: &[&str] =
    &["serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"];

/// The normal form of a spec's block.
///
/// Tags are left out: they are compared with the tags that carry ownership.
pub fn service(written: &Value) -> Normal {
    let mut normal = normal(written);
    if let Value::Object(members) = &mut normal.value
        && members.contains_key("launchType")
        && !members.contains_key("capacityProviderStrategy")
    {
        // A spec that names a launch type wants no strategy, one that is silent on both takes the cluster's.
        members.insert("capacityProviderStrategy".to_owned(), json!({}));
    }
    normal
}

/// The normal form of a `Service` of `DescribeServices`.
pub fn observed_service(described: &Value) -> Normal {
    let mut normal = normal(&service_block(described));
    if let Value::Object(members) = &mut normal.value
        && members.contains_key("capacityProviderStrategy")
    {
        members.remove("launchType");
    }
    normal
}

/// A `Service` of `DescribeServices` as the block that a spec would have: members of the table only, those that are shown
/// elsewhere brought home. What already is a block stays as it is.
pub fn service_block(described: &Value) -> Value {
    let primary = primary_deployment(described);
    let mut block = Map::new();
    for member in ServiceDefinition::SHAPE.members {
        let shown = match member.name {
            "role" => described.get("role").or_else(|| described.get("roleArn")),
            name if ON_DEPLOYMENT.contains(&name) => {
                described.get(name).or_else(|| present(primary, name))
            }
            name => described.get(name),
        };
        if let Some(value) = shown {
            block.insert(member.name.to_owned(), value.clone());
        }
    }
    Value::Object(block)
}

/// Whether a member is shown by service revisions only (aws.md §2.6).
pub(crate) fn is_unlisted(member: &str) -> bool {
    let member = ServiceDefinition::SHAPE.member(member);
    member.is_some_and(|member| member.absent == Absent::InputOnly)
}

/// The settings of a service revision that DescribeServices does not show.
pub(crate) fn unlisted_members(revision: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    let unlisted = ServiceDefinition::SHAPE.members.iter();
    let unlisted = unlisted.filter(|member| member.absent == Absent::InputOnly);
    unlisted.filter_map(|member| Some((member.name, present(Some(revision), member.name)?)))
}

/// The deployment whose settings are in force.
fn primary_deployment(described: &Value) -> Option<&Value> {
    let deployments = described.get("deployments")?.as_array()?;
    deployments
        .iter()
        .find(|deployment| deployment.get("status").and_then(Value::as_str) == Some("PRIMARY"))
}

/// What holds for both sides.
fn normal(written: &Value) -> Normal {
    let (mut members, places) = walk::block(ServiceDefinition::SHAPE, written);
    members.remove("tags");
    if text(&members, "schedulingStrategy") == Some("DAEMON") {
        normalise_daemon(&mut members, written);
    }
    if let Some(Value::Object(deployment)) = members.get_mut("deploymentConfiguration") {
        normalise_steps(deployment, "CANARY", "canaryConfiguration", CanaryConfiguration::SHAPE);
        normalise_steps(deployment, "LINEAR", "linearConfiguration", LinearConfiguration::SHAPE);
    }
    if let Some(Value::Array(strategies)) = members.get_mut("placementStrategy") {
        strategies.iter_mut().filter_map(Value::as_object_mut).for_each(normalise_placement);
    }
    if let Some(Value::Object(connect)) = members.get_mut("serviceConnectConfiguration") {
        normalise_service_connect(connect);
    }
    if controller(&members) == Some("CODE_DEPLOY") {
        forget_target_groups(&mut members);
    }
    if controller(&members) != Some("ECS")
        && let Some(Value::Object(deployment)) = members.get_mut("deploymentConfiguration")
    {
        // Others do not use it, and ECS is said to show three hours where nobody gave any.
        deployment.remove("bakeTimeInMinutes");
    }
    Normal { shape: ServiceDefinition::SHAPE, value: Value::Object(members), places }
}

fn controller(members: &Map<String, Value>) -> Option<&str> {
    members.get("deploymentController")?.get("type")?.as_str()
}

/// A daemon has as many tasks as instances, takes no placement strategy, and its percentages default to 100 and 0.
fn normalise_daemon(members: &mut Map<String, Value>, written: &Value) {
    members.remove("desiredCount");
    members.remove("placementStrategy");
    let given = written.get("deploymentConfiguration");
    if let Some(Value::Object(deployment)) = members.get_mut("deploymentConfiguration") {
        for (name, default) in [("maximumPercent", 100), ("minimumHealthyPercent", 0)] {
            if present(given, name).is_none() {
                deployment.insert(name.to_owned(), Value::from(default));
            }
        }
    }
}

/// The steps of a strategy: their defaults where the strategy is in use, nothing where it is not.
fn normalise_steps(deployment: &mut Map<String, Value>, strategy: &str, name: &str, shape: &Shape) {
    if text(deployment, "strategy") != Some(strategy) {
        deployment.remove(name);
    } else if !deployment.contains_key(name) {
        deployment.insert(name.to_owned(), Value::Object(filled(shape)));
    }
}

/// `host` means `instanceId`, and ECS may answer `CPU` and `MEMORY` in capitals.
fn normalise_placement(strategy: &mut Map<String, Value>) {
    let Some(field) = text(strategy, "field") else { return };
    let field = match field.to_ascii_lowercase().as_str() {
        "host" | "instanceid" => "instanceId".to_owned(),
        lower @ ("cpu" | "memory") => lower.to_owned(),
        _ => return,
    };
    strategy.insert("field".to_owned(), Value::String(field));
}

/// Nothing counts where Service Connect is off; where it is on, a port's name is its discovery name.
fn normalise_service_connect(connect: &mut Map<String, Value>) {
    if connect.get("enabled") != Some(&Value::Bool(true)) {
        connect.retain(|name, _| name == "enabled");
        return;
    }
    let Some(Value::Object(services)) = connect.get_mut("services") else { return };
    change_elements(&["portName"], services, |service| {
        if let (Some(name), false) =
            (service.get("portName").cloned(), service.contains_key("discoveryName"))
        {
            service.insert("discoveryName".to_owned(), name);
        }
    });
}

/// `CodeDeploy` swaps the target groups of a service at each deployment: which of the two it is now says nothing.
fn forget_target_groups(members: &mut Map<String, Value>) {
    let Some(Value::Object(mut balancers)) = members.remove("loadBalancers") else { return };
    let names = ["loadBalancerName", "containerName", "containerPort"];
    change_elements(&names, &mut balancers, |balancer| {
        balancer.remove("targetGroupArn");
    });
    if !balancers.is_empty() {
        members.insert("loadBalancers".to_owned(), Value::Object(balancers));
    }
}
