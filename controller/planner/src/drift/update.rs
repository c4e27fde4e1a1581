//! The request that closes the difference.

use std::collections::BTreeSet;

use crds::ecs::{Absent, Kind, Literal, Member, ServiceDefinition, Shape};
use serde_json::{Map, Value, json};

use super::compare;
use crate::normal::{self, is_empty, present, required_defaults};

/// The members of the spec's block that `UpdateService` does not take at all (aws.md §2.4).
const NOT_UPDATABLE: &[&str] = &["launchType", "schedulingStrategy", "role", "tags"];

/// All that `UpdateService` takes while `CodeDeploy` carries out the deployments.
const WITH_CODE_DEPLOY: &[&str] = &[
    "desiredCount",
    "deploymentConfiguration",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
    "enableECSManagedTags",
    "propagateTags",
];

/// All that `UpdateService` takes while another party carries out the deployments.
const WITH_EXTERNAL: &[&str] = &[
    "desiredCount",
    "placementConstraints",
    "placementStrategy",
    "healthCheckGracePeriodSeconds",
    "enableECSManagedTags",
    "propagateTags",
];

/// Whether `UpdateService` takes a member of the block while this deployment controller is in charge.
pub fn is_updatable(member: &str, controller: &str) -> bool {
    match controller {
        "CODE_DEPLOY" => WITH_CODE_DEPLOY.contains(&member),
        "EXTERNAL" => WITH_EXTERNAL.contains(&member),
        _ => !NOT_UPDATABLE.contains(&member),
    }
}

/// The members of `UpdateService` that bring a service to its spec; an empty object if nothing is to be done.
///
/// `desired` is the spec's block after [`apply_ignore`](super::apply_ignore), `observed` the `Service` of
/// `DescribeServices`. Only members that differ are sent, so that nothing else can start a deployment, and each of them
/// whole: what the spec no longer has is cleared (`[]`, `{"enabled": false}`), because absence would keep it. Members that
/// ECS does not show cannot differ and are sent along. A change of capacity providers carries `forceNewDeployment`,
/// without which ECS refuses it.
pub fn update_input(desired: &Value, observed: &Value) -> Value {
    let block = normal::service_block(observed);
    let differing = differing_members(desired, observed);
    let controller = controller_after(desired, &block, &differing);
    let mut input = Map::new();
    for member in ServiceDefinition::SHAPE.members {
        let is_sent = differing.contains(member.name) || is_unseen(member, desired, &block);
        if !is_sent || !is_updatable(member.name, controller) {
            continue;
        }
        let value = complete(member, desired.get(member.name), block.get(member.name));
        if let Some(value) = value {
            input.insert(member.name.to_owned(), value);
        }
    }
    if input.contains_key("capacityProviderStrategy") {
        input.insert("forceNewDeployment".to_owned(), json!(true));
    }
    Value::Object(input)
}

/// The members at the top that differ somewhere.
fn differing_members(desired: &Value, observed: &Value) -> BTreeSet<String> {
    let (desired, observed) = (normal::service(desired), normal::observed_service(observed));
    compare(ServiceDefinition::SHAPE, &desired, &observed, &[])
        .into_iter()
        .map(|drift| match drift.path.split_once(['.', '[']) {
            Some((top, _)) => top.to_owned(),
            None => drift.path,
        })
        .collect()
}

/// Who is in charge when the request has been carried out: ECS can take over from others in place.
fn controller_after<'a>(
    desired: &'a Value,
    block: &'a Value,
    differing: &BTreeSet<String>,
) -> &'a str {
    let controller = |block: &'a Value| block.pointer("/deploymentController/type")?.as_str();
    let now = controller(block).unwrap_or("ECS");
    let wanted = controller(desired).unwrap_or("ECS");
    if differing.contains("deploymentController") && wanted == "ECS" { wanted } else { now }
}

/// Whether the spec has a member that ECS does not show.
fn is_unseen(member: &Member, desired: &Value, block: &Value) -> bool {
    member.absent == Absent::InputOnly
        && present(Some(desired), member.name).is_some()
        && present(Some(block), member.name).is_none()
}

/// A member as the request needs it: what the spec says, and the clearing of what it does not say any more.
fn complete(member: &Member, desired: Option<&Value>, observed: Option<&Value>) -> Option<Value> {
    let observed = observed.filter(|value| !is_empty(value));
    match (desired.filter(|value| !is_empty(value)), member.kind) {
        (Some(desired), Kind::Struct(shape)) => Some(complete_structure(shape, desired, observed)),
        (Some(desired), _) => Some(desired.clone()),
        (None, _) => cleared(member, observed?),
    }
}

fn complete_structure(shape: &'static Shape, desired: &Value, observed: Option<&Value>) -> Value {
    let Value::Object(members) = desired else { return desired.clone() };
    let mut completed = members.clone();
    for member in shape.members {
        let below = observed.and_then(|observed| observed.get(member.name));
        if let Some(value) = complete(member, members.get(member.name), below) {
            completed.insert(member.name.to_owned(), value);
        }
    }
    Value::Object(completed)
}

/// What says that a member which is there should not be there; `None` where leaving it out says so, or nothing can.
fn cleared(member: &Member, observed: &Value) -> Option<Value> {
    let value = match member.absent {
        Absent::Empty | Absent::Server | Absent::InputOnly => match (member.absent, member.kind) {
            (_, Kind::List { .. }) => json!([]),
            // How monitoring is taken back is not documented; emptying its lists is the nearest to `[]`.
            (Absent::InputOnly, Kind::Struct(shape)) => {
                complete_structure(shape, &json!({}), Some(observed))
            }
            _ => return None,
        },
        Absent::Kept => observed.clone(),
        Absent::Is(Literal::Integer(value)) => json!(value),
        Absent::Is(Literal::Boolean(value)) => json!(value),
        Absent::Is(Literal::Text(value)) => json!(value),
        Absent::Is(Literal::Defaults) => match member.kind {
            Kind::Struct(shape) => required_defaults(shape),
            Kind::String
            | Kind::Integer
            | Kind::Number
            | Kind::Boolean
            | Kind::Enumeration(_)
            | Kind::List { .. }
            | Kind::Map
            | Kind::Document => return None,
        },
    };
    (member.absent == Absent::Kept || value != *observed).then_some(value)
}
