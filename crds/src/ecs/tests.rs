//! The tables against AWS's own model, and the forms that people paste.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Absent, Kind, Literal, Member, Order, ROOTS, ServiceDefinition, Shape, TaskDefinition, members,
};

/// Members that the API lets one leave out and that are nothing without.
const STRICTER: &[&str] = &[
    "containerDefinitions[].name",
    "containerDefinitions[].image",
    "containerDefinitions[].environment[].name",
    "proxyConfiguration.properties[].name",
    "volumes[].name",
    "tags[].key",
    "volumeConfigurations[].managedEBSVolume.tagSpecifications[].tags[].key",
];

/// Members that the API requires and a spec may leave out.
const LAXER: &[&str] = &["family"];

struct Modelled {
    required: bool,
    kind: String,
}

/// The members of one operation's input in AWS's model.
fn modelled(operation: &str) -> BTreeMap<String, Modelled> {
    let mut found = BTreeMap::new();
    for line in include_str!("model.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.splitn(4, ' ');
        if words.next() != Some(operation) {
            continue;
        }
        let path = words.next().unwrap().to_owned();
        let required = words.next() == Some("required");
        found.insert(path, Modelled { required, kind: words.next().unwrap().to_owned() });
    }
    found
}

fn tabled(root: &'static Shape) -> BTreeMap<String, &'static Member> {
    members(root).into_iter().collect()
}

#[test]
fn a_task_definition_has_every_member_of_the_api() {
    let model = modelled("RegisterTaskDefinition");
    assert!(model.len() > 150, "{}", model.len());
    assert_eq!(
        model.keys().collect::<Vec<_>>(),
        tabled(TaskDefinition::SHAPE).keys().collect::<Vec<_>>()
    );
}

#[test]
fn a_service_has_every_member_of_create_and_update() {
    let mut model = modelled("CreateService");
    assert!(model.len() > 130, "{}", model.len());
    model.extend(modelled("UpdateService"));
    assert_eq!(
        model.keys().collect::<Vec<_>>(),
        tabled(ServiceDefinition::SHAPE).keys().collect::<Vec<_>>()
    );
}

#[test]
fn kinds_and_known_values_are_those_of_the_api() {
    for (operation, root) in [
        ("RegisterTaskDefinition", TaskDefinition::SHAPE),
        ("CreateService", ServiceDefinition::SHAPE),
        ("UpdateService", ServiceDefinition::SHAPE),
    ] {
        let table = tabled(root);
        for (path, modelled) in modelled(operation) {
            let member = table[&path];
            let kind = match member.kind {
                Kind::String => "string".to_owned(),
                Kind::Integer => "integer".to_owned(),
                Kind::Number => "number".to_owned(),
                Kind::Boolean => "boolean".to_owned(),
                Kind::Enumeration(values) => {
                    let mut values = values.to_vec();
                    values.sort_unstable();
                    format!("enum {}", values.join(","))
                }
                Kind::Struct(_) => "struct".to_owned(),
                Kind::List { .. } => "list".to_owned(),
                Kind::Map => "map".to_owned(),
                Kind::Document => "document".to_owned(),
            };
            assert_eq!(kind, modelled.kind, "{path}");
            let required = (modelled.required || STRICTER.contains(&path.as_str()))
                && !LAXER.contains(&path.as_str());
            assert_eq!(member.required, required, "{path}");
        }
    }
}

/// The members that only some strategies have.
const STEPS: [&str; 2] = ["linearConfiguration", "canaryConfiguration"];

/// A mistake in a row would otherwise show only where that member is used.
#[test]
fn rows_agree_with_themselves() {
    for root in ROOTS {
        for (path, member) in members(root) {
            assert!(!member.doc.trim().is_empty(), "{path} has no description");
            match (member.absent, member.kind) {
                (Absent::Is(Literal::Text(text)), Kind::Enumeration(known)) => {
                    assert!(known.contains(&text), "{path}");
                }
                (Absent::Is(Literal::Text(_)), kind) => assert_eq!(kind, Kind::String, "{path}"),
                (Absent::Is(Literal::Boolean(_)), kind) => {
                    assert_eq!(kind, Kind::Boolean, "{path}");
                }
                (Absent::Is(Literal::Integer(_)), kind) => {
                    assert!(matches!(kind, Kind::Integer | Kind::Number), "{path}");
                }
                (Absent::Is(Literal::Defaults), kind) => {
                    assert!(matches!(kind, Kind::Struct(_)), "{path}");
                }
                // Taking it out would otherwise count as a change of each default in it.
                // Those of a strategy are filled where the strategy is in use (`normal::service`).
                (Absent::Empty, Kind::Struct(_)) if STEPS.contains(&member.name) => {}
                (Absent::Empty, Kind::Struct(inner)) => {
                    let is_default = |member: &Member| matches!(member.absent, Absent::Is(_));
                    assert!(!inner.members.iter().all(is_default), "{path} is_defaults()");
                }
                (Absent::Empty | Absent::Server | Absent::Kept | Absent::InputOnly, _) => {}
            }
            if let Kind::List { of, order: Order::KeyedBy(names) } = member.kind {
                let Kind::Struct(element) = of else {
                    panic!("{path} is keyed but not of structures")
                };
                for name in names {
                    assert!(
                        element.member(name).is_some(),
                        "{path} has no member {name} to tell by"
                    );
                }
            }
        }
    }
}

#[test]
fn the_json_of_a_block_is_the_body_of_the_request() {
    let block = json!({
        "family": "shop-api",
        "cpu": "512",
        "memory": "1 GB",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "containerDefinitions": [{
            "name": "app",
            "image": "example.com/app:1",
            "command": [],
            "portMappings": [{"containerPort": 8080}],
            "secrets": [{"name": "DATABASE_URL", "valueFrom": "/shop/api/database-url"}],
            "dockerLabels": {"a": "b"},
        }],
        "volumes": [{"name": "data", "fsxWindowsFileServerVolumeConfiguration": {
            "fileSystemId": "fs-1", "rootDirectory": "x",
            "authorizationConfig": {"credentialsParameter": "arn", "domain": "d"},
        }}],
    });
    let typed: TaskDefinition = serde_json::from_value(block.clone()).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), block);

    let block = json!({
        "enableECSManagedTags": true,
        "deploymentConfiguration": {
            "strategy": "CANARY",
            "canaryConfiguration": {"canaryPercent": 12.5},
            "lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"],
                                "hookDetails": {"anything": [1, null]}}],
        },
        "loadBalancers": [],
        "volumeConfigurations": [{"name": "data", "managedEBSVolume": {"roleArn": "r", "sizeInGiB": 5}}],
    });
    let typed: ServiceDefinition = serde_json::from_value(block.clone()).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), block);
}

#[test]
fn null_is_absence_and_numbers_of_cpu_and_memory_become_text() {
    let typed: TaskDefinition = serde_json::from_value(json!({
        "cpu": 256, "memory": 512, "volumes": null, "taskRoleArn": null,
        "containerDefinitions": [{"name": "app", "image": "i", "command": null}],
    }))
    .unwrap();
    assert_eq!(
        serde_json::to_value(&typed).unwrap(),
        json!({"cpu": "256", "memory": "512", "containerDefinitions": [{"name": "app", "image": "i"}]})
    );
}

#[test]
fn unknown_members_are_refused_and_unknown_values_are_not() {
    let error = serde_json::from_value::<TaskDefinition>(json!({
        "containerDefinitions": [{"name": "app", "image": "i", "portMapping": []}],
    }))
    .unwrap_err();
    assert!(error.to_string().contains("unknown field `portMapping`"), "{error}");

    let typed: TaskDefinition = serde_json::from_value(json!({
        "networkMode": "quantum", "containerDefinitions": [],
    }))
    .unwrap();
    assert_eq!(typed.network_mode.unwrap().as_str(), "quantum");
}

#[test]
fn the_schema_carries_descriptions_limits_and_defaults() {
    let schema = schemars::schema_for!(TaskDefinition).to_value();
    let check = &schema["$defs"]["HealthCheck"]["properties"]["interval"];
    assert_eq!(check["minimum"], 5);
    assert_eq!(check["maximum"], 300);
    assert_eq!(check["default"], 30);
    assert_eq!(check["description"], "Seconds between checks. Default: 30.");
    assert_eq!(schema["additionalProperties"], Value::Bool(false));
    let mode = schema["properties"]["networkMode"].to_string();
    assert!(mode.contains("awsvpc") && mode.contains("How containers reach"), "{mode}");
}
