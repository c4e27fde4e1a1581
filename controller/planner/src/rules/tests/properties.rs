//! What holds for any spec at all.

use crds::Service;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::specs::{complete, ec2, fargate};
use crate::rules::check;

/// Values that specs are broken with: the wrong, the huge, the empty and the strange.
fn strange() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".*".prop_map(Value::from),
        "[a-z:/@${}.,-]{0,40}".prop_map(Value::from),
        prop::sample::select(vec![
            "arn:aws:ssm",
            "arn:aws:secretsmanager:r:1:secret:",
            "NaN vCPU",
            "inf GB",
            "1-",
            "-1",
            "é",
            "app",
            "FARGATE",
            "DAEMON",
            "ENABLED"
        ])
        .prop_map(Value::from),
    ]
}

/// Every place of a value, as a JSON pointer.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(list) => {
            for (index, element) in list.iter().enumerate() {
                pointers(element, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                pointers(
                    member,
                    &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A spec in which some places hold something else: a strange value, or what another place of it holds.
fn mutated() -> impl Strategy<Value = Value> {
    let specs = prop_oneof![Just(fargate()), Just(ec2()), Just(complete())];
    let edits = prop::collection::vec(
        (any::<prop::sample::Index>(), any::<Option<prop::sample::Index>>(), strange()),
        1..6,
    );
    (specs, edits).prop_map(|(mut spec, edits)| {
        for (place, from, value) in edits {
            let mut places = Vec::new();
            pointers(&spec, "", &mut places);
            let value = from
                .and_then(|from| spec.pointer(from.get::<String>(&places)).cloned())
                .unwrap_or(value);
            let changed = {
                let mut copy = spec.clone();
                *copy.pointer_mut(place.get::<String>(&places)).unwrap() = value;
                copy
            };
            // Only what still can be read reaches the rules.
            if serde_json::from_value::<Service>(changed.clone()).is_ok() {
                spec = changed;
            }
        }
        spec
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_spec_that_can_be_read_is_judged_and_always_alike(spec in mutated()) {
        let service: Service = serde_json::from_value(spec).unwrap();
        let found = check(&service);
        prop_assert_eq!(&found, &check(&service));
        for finding in &found {
            prop_assert!(finding.path.starts_with("spec.") || finding.path == "metadata.name", "{:?}", finding);
            prop_assert!(!finding.message.is_empty());
        }
    }
}

/// Many containers that wait for each other, and ranges of many ports, take no time that a person would notice.
#[test]
fn large_specs_are_judged() {
    let mut spec = ec2();
    spec["spec"]["taskDefinition"]["containerDefinitions"] = (0..200)
        .map(|index| json!({
            "name": format!("c{index}"), "image": "i:1", "memory": 6,
            "dependsOn": [{"containerName": format!("c{}", (index + 1) % 200), "condition": "START"}],
            "portMappings": (0..20).map(|port| json!({"containerPort": port})).collect::<Vec<_>>(),
        }))
        .collect();
    let found = check(&serde_json::from_value(spec).unwrap());
    assert!(
        found.iter().any(|finding| finding
            .message
            .ends_with("is a circle, in which no container can start"))
    );
}
