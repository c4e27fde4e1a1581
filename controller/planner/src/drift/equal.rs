//! Whether two values in normal form mean the same, where they are compared as a whole.

use crds::ecs::{Absent, Kind, Member, Order, Shape, Unit};
use serde_json::{Map, Value};

use crate::normal::same;

/// Whether a desired and an observed value mean the same, units inside them included: a role may be a name on one side and an
/// ARN on the other however deep it stands.
pub(super) fn means_same(kind: Kind, unit: Unit, desired: &Value, observed: &Value) -> bool {
    match (kind, desired, observed) {
        (Kind::Struct(shape), Value::Object(desired), Value::Object(observed)) => {
            structures(shape, desired, observed)
        }
        (Kind::List { of, order }, Value::Array(desired), Value::Array(observed)) => {
            desired.len() == observed.len()
                && match order {
                    Order::Significant => desired
                        .iter()
                        .zip(observed)
                        .all(|(desired, observed)| means_same(*of, unit, desired, observed)),
                    Order::Set | Order::KeyedBy(_) => sets(*of, unit, desired, observed),
                }
        }
        (Kind::List { of, .. }, Value::Object(desired), Value::Object(observed)) => {
            desired.len() == observed.len()
                && desired.iter().all(|(key, desired)| {
                    let observed = observed.get(key);
                    observed.is_some_and(|observed| means_same(*of, unit, desired, observed))
                })
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
            _,
        ) => same(unit, desired, observed),
    }
}

fn structures(shape: &Shape, desired: &Map<String, Value>, observed: &Map<String, Value>) -> bool {
    shape.members.iter().all(|member| match (desired.get(member.name), observed.get(member.name)) {
        (Some(desired), Some(observed)) => means_same(member.kind, member.unit, desired, observed),
        (None, Some(_)) => is_left_to_ecs(member),
        (Some(_), None) => false,
        (None, None) => true,
    })
}

fn is_left_to_ecs(member: &Member) -> bool {
    match member.absent {
        Absent::Server | Absent::Kept | Absent::InputOnly => true,
        Absent::Empty | Absent::Is(_) => false,
    }
}

/// Whether each desired element has an observed one of its own.
fn sets(of: Kind, unit: Unit, desired: &[Value], observed: &[Value]) -> bool {
    let mut left: Vec<&Value> = observed.iter().collect();
    desired.iter().all(|desired| {
        let found = left.iter().position(|observed| means_same(of, unit, desired, observed));
        found.map(|at| left.swap_remove(at)).is_some()
    })
}
