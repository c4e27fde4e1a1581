//! Each rule by one change to a spec that has no findings.

mod containers;
mod fargate;
mod limits;
mod networks;
mod order;
mod properties;
mod rollouts;
mod scaling;
mod services;
mod specs;
mod storage;

use crds::Service;
use serde_json::{Value, json};

use super::{Finding, Severity, check};
use specs::{ec2, fargate};

/// One change: where in the object, and what to put there; `null` takes the member away.
type Edit = (&'static str, Value);

const E: Severity = Severity::Error;
const W: Severity = Severity::Warning;

/// A spec with changes.
fn edited(mut spec: Value, edits: &[Edit]) -> Value {
    for (pointer, value) in edits {
        set(&mut spec, pointer, value.clone());
    }
    spec
}

/// Puts a value at a JSON pointer and makes what is missing on the way to it.
fn set(spec: &mut Value, pointer: &str, value: Value) {
    let mut place = spec;
    for step in pointer.trim_start_matches('/').split('/') {
        let index = step.parse::<usize>();
        if place.is_null() {
            *place = if index.is_ok() { json!([]) } else { json!({}) };
        }
        place = match place {
            Value::Array(list) => {
                let index = index.unwrap();
                while list.len() <= index {
                    list.push(Value::Null);
                }
                &mut list[index]
            }
            Value::Object(members) => members.entry(step).or_insert(Value::Null),
            scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                panic!("{pointer}: {scalar} has no members")
            }
        };
    }
    *place = value;
}

fn findings(spec: &Value) -> Vec<Finding> {
    let service: Service =
        serde_json::from_value(spec.clone()).unwrap_or_else(|error| panic!("{error}: {spec:#}"));
    check(&service)
}

/// Changes a spec and compares everything that it is told, so that no rule speaks where another should.
#[track_caller]
fn told(spec: fn() -> Value, edits: &[Edit], expected: &[(Severity, &str, &str)]) {
    let found = findings(&edited(spec(), edits));
    let found: Vec<_> = found
        .iter()
        .map(|finding| (finding.severity, finding.path.as_str(), finding.message.as_str()))
        .collect();
    let expected: Vec<(Severity, String, &str)> = expected
        .iter()
        .map(|(severity, path, message)| {
            (
                *severity,
                path.replace("TASK", "spec.taskDefinition")
                    .replace("SERVICE", "spec.service")
                    .replace("APP", "spec.taskDefinition.containerDefinitions[0]"),
                *message,
            )
        })
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(severity, path, message)| (*severity, path.as_str(), *message))
        .collect();
    assert_eq!(found, expected, "after {edits:?}");
}

/// The hint of the only finding.
#[track_caller]
fn advised(spec: fn() -> Value, edits: &[Edit], hint: &str) {
    let found = findings(&edited(spec(), edits));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].hint.as_deref(), Some(hint));
}

/// Changes that are as good as the spec itself.
#[track_caller]
fn fine(spec: fn() -> Value, edits: &[Edit]) {
    told(spec, edits, &[]);
}

#[test]
fn valid_specs_have_no_findings() {
    fine(fargate, &[]);
    fine(ec2, &[]);
    fine(specs::complete, &[]);
}

#[test]
fn texts_with_references_are_not_judged() {
    fine(
        fargate,
        &[
            ("/spec/taskDefinition/cpu", json!("${var:cpu}")),
            ("/spec/taskDefinition/family", json!("${var:family}")),
            ("/spec/taskDefinition/executionRoleArn", json!("${tfstate:role}")),
            ("/spec/taskDefinition/networkMode", json!("${var:mode}")),
            ("/spec/taskDefinition/containerDefinitions/0/image", json!("${release:shop}")),
            (
                "/spec/taskDefinition/containerDefinitions/0/secrets/0/valueFrom",
                json!("${var:secret}"),
            ),
            (
                "/spec/service/networkConfiguration/awsvpcConfiguration/subnets",
                json!(["${tfstate:subnet}"]),
            ),
            ("/spec/service/loadBalancers/0/targetGroupArn", json!("${tfstate:target_group}")),
            ("/spec/service/loadBalancers/0/containerName", json!("${var:container}")),
            ("/spec/service/platformVersion", json!("${var:version}")),
            ("/spec/service/tags", json!([{"key": "${var:key}", "value": "${var:value}"}])),
        ],
    );
}

#[test]
fn members_passed_through_count_as_the_blocks_own() {
    told(
        fargate,
        &[("/spec/passthrough", json!({"taskDefinition": {"cpu": "300", "brandNew": true}}))],
        &[
            (
                W,
                "spec.passthrough.taskDefinition.cpu",
                "`cpu` is a member that Longshore knows; passed through, it hides the block's own",
            ),
            (E, "TASK.cpu", "`300` CPU units are not a size that Fargate has"),
        ],
    );
}

#[test]
fn findings_are_plain_json() {
    let found = findings(&edited(fargate(), &[("/spec/taskDefinition/cpu", json!("300"))]));
    assert_eq!(
        serde_json::to_value(&found).unwrap(),
        json!([{
            "path": "spec.taskDefinition.cpu",
            "message": "`300` CPU units are not a size that Fargate has",
            "hint": "nearest are 256 and 512",
            "severity": "error",
        }])
    );
}
