//! Default values of the tables as JSON.

use crds::ecs::{Absent, Kind, Literal, Member, Shape};
use serde_json::{Map, Value};

/// A default as JSON in normal form.
pub(super) fn literal(kind: Kind, literal: Literal) -> Value {
    match literal {
        Literal::Integer(value) => Value::from(value),
        Literal::Boolean(value) => Value::from(value),
        Literal::Text(value) => Value::from(value),
        Literal::Defaults => match kind {
            Kind::Struct(shape) => Value::Object(filled(shape)),
            Kind::String
            | Kind::Integer
            | Kind::Number
            | Kind::Boolean
            | Kind::Enumeration(_)
            | Kind::List { .. }
            | Kind::Map
            | Kind::Document => Value::Null,
        },
    }
}

/// What the absence of a member means in normal form, if it means a value.
pub(super) fn default(member: &Member) -> Option<Value> {
    match member.absent {
        Absent::Is(value) => Some(literal(member.kind, value)),
        Absent::Empty | Absent::Server | Absent::Kept | Absent::InputOnly => None,
    }
}

/// A structure of which nothing was given, in normal form.
pub(crate) fn filled(shape: &Shape) -> Map<String, Value> {
    let defaults = shape.members.iter();
    defaults.filter_map(|member| Some((member.name.to_owned(), default(member)?))).collect()
}

/// The smallest structure that says on the wire what its absence means: the members it has to have, at their defaults.
pub(crate) fn required_defaults(shape: &Shape) -> Value {
    let mut members = Map::new();
    for member in shape.members.iter().filter(|member| member.required) {
        let value = match (default(member), member.kind) {
            (Some(value), _) => value,
            (None, Kind::List { .. }) => Value::Array(Vec::new()),
            (None, _) => continue,
        };
        members.insert(member.name.to_owned(), value);
    }
    Value::Object(members)
}
