//! From the normal form back to ECS's own JSON.

use crds::ecs::{Kind, Order, Shape};
use serde_json::{Map, Value};

/// A structure in ECS's own JSON.
pub(crate) fn wire_structure(shape: &Shape, normal: &Value) -> Value {
    let Value::Object(members) = normal else { return normal.clone() };
    let members = members.iter().map(|(name, value)| {
        let value = match shape.member(name) {
            Some(member) => wire_value(member.kind, value),
            None => value.clone(),
        };
        (name.clone(), value)
    });
    Value::Object(members.collect::<Map<_, _>>())
}

/// A value in ECS's own JSON; keyed lists are sorted by key.
pub(crate) fn wire_value(kind: Kind, normal: &Value) -> Value {
    match kind {
        Kind::Struct(shape) => wire_structure(shape, normal),
        Kind::List { of, order } => match (order, normal) {
            (Order::KeyedBy(_), Value::Object(elements)) => {
                let mut elements: Vec<_> = elements.iter().collect();
                elements.sort_unstable_by_key(|(key, _)| key.as_str());
                elements.into_iter().map(|(_, element)| wire_value(*of, element)).collect()
            }
            (_, Value::Array(elements)) => {
                elements.iter().map(|element| wire_value(*of, element)).collect()
            }
            (Order::Significant | Order::Set | Order::KeyedBy(_), other) => other.clone(),
        },
        Kind::String
        | Kind::Integer
        | Kind::Number
        | Kind::Boolean
        | Kind::Enumeration(_)
        | Kind::Map
        | Kind::Document => normal.clone(),
    }
}
