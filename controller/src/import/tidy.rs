//! What AWS or another tool says about a block, as a person would write it: members of the table only, none that says what
//! its absence says.

use std::collections::BTreeSet;

use crds::ecs::deployment::DeploymentConfiguration;
use crds::ecs::environment::KeyValuePair;
use crds::ecs::tag::Tag;
use crds::ecs::{Absent, Kind, Literal, Member, Shape};
use serde_json::{Map, Value};

use super::document::{Node, Part};
use super::order;

/// A block without what goes without saying. Members named in `whole` are written with all they have.
pub(super) fn block(
    shape: &'static Shape,
    said: &Map<String, Value>,
    whole: &BTreeSet<String>,
) -> Node {
    let members = order::members(shape).into_iter().filter_map(|member| {
        let value = said.get(member.name)?;
        let node = if whole.contains(member.name) {
            verbatim(member.kind, value)
        } else {
            spoken(shape, said, member, value)?
        };
        Some((member.name.to_owned(), node.into()))
    });
    Node::Mapping(members.collect())
}

/// What a block says that its table does not know, as paths: `containerDefinitions[0].newMember`.
pub(super) fn unknown(shape: &'static Shape, said: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in said.iter().filter(|(_, value)| !is_nothing(value)) {
        match shape.member(name) {
            Some(member) => unknown_below(name, member.kind, value, &mut found),
            None => found.push(name.clone()),
        }
    }
    found
}

fn unknown_below(path: &str, kind: Kind, value: &Value, found: &mut Vec<String>) {
    match (kind, value) {
        (Kind::Struct(shape), Value::Object(members)) => {
            let below = unknown(shape, members).into_iter();
            found.extend(below.map(|inner| format!("{path}.{inner}")));
        }
        (Kind::List { of, .. }, Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                unknown_below(&format!("{path}[{index}]"), *of, item, found);
            }
        }
        (
            Kind::String
            | Kind::Integer
            | Kind::Number
            | Kind::Boolean
            | Kind::Enumeration(_)
            | Kind::Map
            | Kind::Document
            | Kind::Struct(_)
            | Kind::List { .. },
            _,
        ) => {}
    }
}

/// A member that says something; `None` for one that says what its absence says.
fn spoken(
    shape: &Shape,
    said: &Map<String, Value>,
    member: &Member,
    value: &Value,
) -> Option<Node> {
    if is_nothing(value) && !member.required {
        return None;
    }
    let is_kept = member.required || is_always_said(shape, said, member);
    if !is_kept && is_default(member, value) {
        return None;
    }
    let node = tidied(member.kind, value);
    let says_nothing = node.is_empty() && !is_nothing(value);
    match member.absent {
        // A silent spec agrees with whatever is there.
        Absent::Server | Absent::Kept | Absent::InputOnly if says_nothing => None,
        Absent::Empty | Absent::Is(_) if says_nothing => Some(verbatim(member.kind, value)),
        Absent::Empty | Absent::Is(_) | Absent::Server | Absent::Kept | Absent::InputOnly => {
            Some(node)
        }
    }
}

/// Defaults that are written all the same: `value: ""` reads better than a name alone, and a strategy that shifts traffic
/// has to say how long it bakes (aws.md §2.10).
fn is_always_said(shape: &Shape, said: &Map<String, Value>, member: &Member) -> bool {
    let strategy = said.get("strategy").and_then(Value::as_str);
    shape == KeyValuePair::SHAPE
        || shape == Tag::SHAPE
        || shape == DeploymentConfiguration::SHAPE
            && member.name == "bakeTimeInMinutes"
            && strategy.is_some_and(|strategy| strategy != "ROLLING")
}

fn tidied(kind: Kind, value: &Value) -> Node {
    match (kind, value) {
        (Kind::Struct(shape), Value::Object(said)) => block(shape, said, &BTreeSet::new()),
        (Kind::List { of, .. }, Value::Array(items)) => {
            let items = items.iter().filter(|item| !is_nothing(item));
            Node::List(items.map(|item| Part::from(element(*of, item))).collect())
        }
        (kind, value) => leaf(kind, value),
    }
}

/// An element stays an element: one of defaults only is written out.
fn element(of: Kind, item: &Value) -> Node {
    let node = tidied(of, item);
    if node.is_empty() { verbatim(of, item) } else { node }
}

/// All that a value says and its table knows.
fn verbatim(kind: Kind, value: &Value) -> Node {
    match (kind, value) {
        (Kind::Struct(shape), Value::Object(said)) => {
            let known = order::members(shape).into_iter().filter_map(|member| {
                let value = said.get(member.name).filter(|value| !value.is_null())?;
                Some((member.name.to_owned(), verbatim(member.kind, value).into()))
            });
            Node::Mapping(known.collect())
        }
        (Kind::List { of, .. }, Value::Array(items)) => {
            let items = items.iter().filter(|item| !item.is_null());
            Node::List(items.map(|item| Part::from(verbatim(*of, item))).collect())
        }
        (kind, value) => leaf(kind, value),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "without a fraction and within i64")]
fn leaf(kind: Kind, value: &Value) -> Node {
    match kind {
        Kind::Integer | Kind::Number => match value.as_f64() {
            Some(number) if value.is_f64() && number.fract() == 0.0 && number.abs() < 1e15 => {
                Node::Scalar(Value::from(number as i64))
            }
            Some(_) | None => Node::Scalar(value.clone()),
        },
        Kind::Map => {
            let entries = value.as_object().into_iter().flatten();
            let entries = entries.filter(|(_, value)| !value.is_null());
            Node::Mapping(
                entries.map(|(name, value)| (name.clone(), Node::plain(value).into())).collect(),
            )
        }
        Kind::String
        | Kind::Boolean
        | Kind::Enumeration(_)
        | Kind::Struct(_)
        | Kind::List { .. }
        | Kind::Document => Node::plain(value),
    }
}

/// `null`, `[]` and `{}` say nothing, and neither does what holds nothing else (aws.md §2.2.1).
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(members) => members.values().all(is_nothing),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether a member says what its absence means.
fn is_default(member: &Member, value: &Value) -> bool {
    match member.absent {
        Absent::Is(Literal::Boolean(default)) => value.as_bool() == Some(default),
        Absent::Is(Literal::Text(default)) => value.as_str() == Some(default),
        #[allow(clippy::cast_precision_loss, reason = "defaults are small")]
        Absent::Is(Literal::Integer(default)) => value.as_f64() == Some(default as f64),
        Absent::Is(Literal::Defaults) => match (member.kind, value) {
            (Kind::Struct(shape), Value::Object(said)) => said.iter().all(|(name, value)| {
                is_nothing(value)
                    || shape.member(name).is_none_or(|member| is_default(member, value))
            }),
            _ => false,
        },
        Absent::Empty | Absent::Server | Absent::Kept | Absent::InputOnly => false,
    }
}

#[cfg(test)]
mod tests {
    use crds::ecs::{ServiceDefinition, TaskDefinition};
    use serde_json::json;

    use super::*;

    fn tidy(shape: &'static Shape, said: &Value) -> Value {
        block(shape, said.as_object().unwrap(), &BTreeSet::new()).to_value()
    }

    #[test]
    fn defaults_emptiness_and_what_only_the_server_sets_are_left_out() {
        let said = json!({
            "family": "web", "revision": 3, "status": "ACTIVE", "taskDefinitionArn": "arn", "volumes": [],
            "placementConstraints": [], "networkMode": "bridge", "enableFaultInjection": false,
            "containerDefinitions": [{
                "name": "app", "image": "web:1", "cpu": 0, "essential": true, "environment": [
                    {"name": "EMPTY", "value": ""},
                ],
                "portMappings": [{"containerPort": 80, "protocol": "tcp"}],
                "linuxParameters": {"capabilities": {"add": [], "drop": []}, "devices": []},
                "healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 7, "retries": 3},
                "logConfiguration": {"logDriver": "awslogs", "options": {}, "secretOptions": []},
                "mountPoints": [],
            }],
        });
        assert_eq!(
            tidy(TaskDefinition::SHAPE, &said),
            json!({"family": "web", "containerDefinitions": [{
                "name": "app", "image": "web:1", "environment": [{"name": "EMPTY", "value": ""}],
                "portMappings": [{"containerPort": 80}],
                "healthCheck": {"command": ["CMD", "true"], "timeout": 7},
                "logConfiguration": {"logDriver": "awslogs"},
            }]})
        );
        assert_eq!(
            tidy(
                ServiceDefinition::SHAPE,
                &json!({
                    "deploymentConfiguration": {
                        "deploymentCircuitBreaker": {"enable": false, "rollback": false},
                        "maximumPercent": 200, "minimumHealthyPercent": 100, "strategy": "ROLLING",
                        "bakeTimeInMinutes": 0, "alarms": {"alarmNames": [], "enable": false, "rollback": false},
                    },
                    "propagateTags": "NONE", "healthCheckGracePeriodSeconds": 0, "desiredCount": 0,
                }),
            ),
            json!({"desiredCount": 0})
        );
    }

    #[test]
    fn what_a_structure_has_to_have_stays_with_it() {
        let said = json!({"deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": true, "rollback": false, "resetOnHealthyTask": true},
            "maximumPercent": 200,
        }});
        assert_eq!(
            tidy(ServiceDefinition::SHAPE, &said),
            json!({"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": true, "rollback": false}}})
        );
    }

    #[test]
    fn a_strategy_that_shifts_traffic_says_how_long_it_bakes() {
        for (strategy, kept) in [("ROLLING", false), ("BLUE_GREEN", true), ("CANARY", true)] {
            let said = json!({"deploymentConfiguration": {
                "strategy": strategy, "bakeTimeInMinutes": 0, "maximumPercent": 150,
            }});
            let tidy = tidy(ServiceDefinition::SHAPE, &said);
            let deployment = &tidy["deploymentConfiguration"];
            assert_eq!(deployment.get("bakeTimeInMinutes").is_some(), kept, "{strategy}");
        }
    }

    #[test]
    fn a_structure_of_defaults_that_is_not_absence_is_written_out() {
        let said = json!({"volumes": [{
            "name": "cache", "dockerVolumeConfiguration": {"scope": "task", "driver": "local"},
        }]});
        assert_eq!(tidy(TaskDefinition::SHAPE, &said), said);
    }

    #[test]
    fn members_of_tomorrow_are_named() {
        let said = json!({"family": "web", "newOne": 1, "empty": [], "containerDefinitions": [
            {"name": "app", "logConfiguration": {"logDriver": "awslogs", "sampling": 0.5}},
        ]});
        assert_eq!(
            unknown(TaskDefinition::SHAPE, said.as_object().unwrap()),
            ["containerDefinitions[0].logConfiguration.sampling", "newOne"]
        );
    }
}
