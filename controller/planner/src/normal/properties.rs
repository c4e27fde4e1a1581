//! What must hold for any task definition and service.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crds::ecs::{Absent, Kind, Literal, Order, ServiceDefinition, Shape, TaskDefinition};

use super::{content_hash, observed_service, service, service_block, task_definition};
use crate::drift::{apply_ignore, compare, update_input};

/// Any JSON that a shape allows, so that no member of the tables is left out.
fn structure(shape: &'static Shape) -> BoxedStrategy<Value> {
    let members: Vec<_> = shape
        .members
        .iter()
        .map(|member| {
            let value = kind(member.kind, member.name);
            if member.required {
                value.prop_map(Some).boxed()
            } else {
                proptest::option::weighted(0.3, value).boxed()
            }
        })
        .collect();
    members
        .prop_map(move |values| {
            let named = shape.members.iter().zip(values);
            Value::Object(
                named
                    .filter_map(|(member, value)| Some((member.name.to_owned(), value?)))
                    .collect(),
            )
        })
        .boxed()
}

fn kind(of: Kind, name: &'static str) -> BoxedStrategy<Value> {
    match of {
        Kind::String if name == "cpu" => {
            prop::sample::select(vec![json!("1 vCPU"), json!("256"), json!(".5vcpu")]).boxed()
        }
        Kind::String if name == "memory" => {
            prop::sample::select(vec![json!("2 GB"), json!("512"), json!("0.5GB")]).boxed()
        }
        Kind::String if name == "field" => {
            prop::sample::select(vec![json!("host"), json!("cpu"), json!("attribute:x")]).boxed()
        }
        Kind::String => "[a-c]{1,2}".prop_map(Value::from).boxed(),
        Kind::Integer => (0_i64..4).prop_map(Value::from).boxed(),
        Kind::Number => (0_i32..8).prop_map(|quarters| json!(f64::from(quarters) / 4.0)).boxed(),
        Kind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Enumeration(values) => prop::sample::select(values).prop_map(Value::from).boxed(),
        Kind::Struct(shape) => structure(shape),
        Kind::List { of, .. } => {
            proptest::collection::vec(kind(*of, ""), 0..3).prop_map(Value::from).boxed()
        }
        Kind::Map => proptest::collection::btree_map("[a-c]", "[a-c]{0,1}", 0..3)
            .prop_map(|map| json!(map))
            .boxed(),
        Kind::Document => Just(json!({"any": [1, null, {}]})).boxed(),
    }
}

/// Rewrites JSON as AWS does on the way back: defaults filled or omitted, `[]` and `null` for nothing, unordered lists
/// turned around, unknown members added. `coin` decides each time.
fn rewrite(shape: &'static Shape, value: &Value, coin: &mut impl FnMut() -> bool) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let mut rewritten = Map::new();
    if says_nothing(value) {
        return value.clone();
    }
    for member in shape.members {
        let value = match members.get(member.name) {
            Some(value) => rewrite_value(member.kind, value, coin),
            None if !coin() => continue,
            None => match (member.absent, member.kind) {
                (Absent::Is(Literal::Integer(value)), _) => json!(value),
                (Absent::Is(Literal::Boolean(value)), _) => json!(value),
                (Absent::Is(Literal::Text(value)), _) => json!(value),
                (_, Kind::List { .. }) => json!([]),
                (_, Kind::Map | Kind::Struct(_)) => json!({}),
                _ => json!(null),
            },
        };
        rewritten.insert(member.name.to_owned(), value);
    }
    rewritten.insert("memberOfTomorrow".to_owned(), json!({"x": [1]}));
    Value::Object(rewritten)
}

/// Nothing but emptiness, however deep.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().all(says_nothing),
        Value::Array(elements) => elements.iter().all(says_nothing),
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn rewrite_value(kind: Kind, value: &Value, coin: &mut impl FnMut() -> bool) -> Value {
    match (kind, value) {
        (Kind::Struct(shape), _) => rewrite(shape, value, coin),
        (Kind::List { of, order }, Value::Array(elements)) => {
            let mut elements: Vec<Value> =
                elements.iter().map(|element| rewrite_value(*of, element, coin)).collect();
            if order != Order::Significant && coin() {
                elements.reverse();
            }
            Value::Array(elements)
        }
        _ => value.clone(),
    }
}

/// A sequence of decisions from a seed.
fn coin(mut seed: u64) -> impl FnMut() -> bool {
    move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 63 == 1
    }
}

/// DAEMON and network modes have defaults of their own, which the tests by example cover.
fn rewrite_root(shape: &'static Shape, value: &Value, seed: u64) -> Value {
    let mut rewritten = rewrite(shape, value, &mut coin(seed));
    if value.get("schedulingStrategy") == Some(&json!("DAEMON")) {
        rewritten["deploymentConfiguration"] =
            value.get("deploymentConfiguration").cloned().unwrap_or_default();
    }
    rewritten
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn normalising_a_task_definition_twice_is_normalising_it_once(value in structure(TaskDefinition::SHAPE)) {
        let once = task_definition(&value);
        let twice = task_definition(&once.to_wire());
        prop_assert_eq!(once.value(), twice.value());
    }

    #[test]
    fn normalising_a_service_twice_is_normalising_it_once(value in structure(ServiceDefinition::SHAPE)) {
        let once = service(&value);
        let twice = service(&once.to_wire());
        prop_assert_eq!(once.value(), twice.value());
    }

    #[test]
    fn what_aws_makes_of_a_task_definition_is_the_same(
        value in structure(TaskDefinition::SHAPE), seed: u64,
    ) {
        let described = rewrite_root(TaskDefinition::SHAPE, &value, seed);
        let (desired, observed) = (task_definition(&value), task_definition(&described));
        prop_assert_eq!(desired.value(), observed.value());
        prop_assert_eq!(content_hash(&desired), content_hash(&observed));
        prop_assert_eq!(compare(TaskDefinition::SHAPE, &desired, &observed, &[]), vec![]);
    }

    #[test]
    fn what_aws_makes_of_a_service_is_no_drift_and_no_update(
        value in structure(ServiceDefinition::SHAPE), seed: u64,
    ) {
        let mut value = value;
        value.as_object_mut().unwrap().remove("launchType");
        let described = rewrite_root(ServiceDefinition::SHAPE, &value, seed);
        let (desired, observed) = (service(&value), observed_service(&described));
        prop_assert_eq!(compare(ServiceDefinition::SHAPE, &desired, &observed, &[]), vec![]);
        prop_assert_eq!(update_input(&value, &described), json!({}));
    }

    #[test]
    fn nothing_differs_exactly_where_the_forms_are_equal(
        value in structure(TaskDefinition::SHAPE), other in structure(TaskDefinition::SHAPE),
    ) {
        let (one, other) = (task_definition(&value), task_definition(&other));
        let drift = compare(TaskDefinition::SHAPE, &one, &other, &[]);
        prop_assert_eq!(drift.is_empty(), one == other);
        prop_assert_eq!(drift.is_empty(), content_hash(&one) == content_hash(&other));
        let back = compare(TaskDefinition::SHAPE, &other, &one, &[]);
        prop_assert_eq!(drift.len(), back.len());
    }

    /// An ignored member is neither compared nor applied, wherever it is.
    #[test]
    fn what_is_ignored_is_no_drift_once_applied(
        value in structure(ServiceDefinition::SHAPE), other in structure(ServiceDefinition::SHAPE),
        index in any::<prop::sample::Index>(),
    ) {
        let name = ServiceDefinition::SHAPE.members[index.index(ServiceDefinition::SHAPE.members.len())].name;
        let ignore = [format!("/{name}")];
        let (desired, observed) = (service(&value), observed_service(&other));
        let compared = compare(ServiceDefinition::SHAPE, &desired, &observed, &ignore);
        prop_assert!(compared.iter().all(|drift| !drift.path.starts_with(name)), "{:?}", compared);
        let applied = apply_ignore(ServiceDefinition::SHAPE, &value, &service_block(&other), &ignore);
        prop_assert!(applied.get(name) == other.get(name));
    }

    /// Folds the update into the service, as ECS does, and plans again.
    #[test]
    fn an_update_settles(
        value in structure(ServiceDefinition::SHAPE), other in structure(ServiceDefinition::SHAPE),
    ) {
        let (mut value, mut described) = (value, other);
        for name in ["launchType", "schedulingStrategy", "role", "deploymentController"] {
            value.as_object_mut().unwrap().remove(name);
            described.as_object_mut().unwrap().remove(name);
        }
        let input = update_input(&value, &described);
        let mut after = service_block(&described);
        for (name, member) in input.as_object().unwrap() {
            after[name] = member.clone();
        }
        let left = compare(ServiceDefinition::SHAPE, &service(&value), &observed_service(&after), &[]);
        prop_assert_eq!(left, vec![]);
        prop_assert_eq!(update_input(&value, &after), json!({}));
    }
}
