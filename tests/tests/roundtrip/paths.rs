//! Paths as plans print them, built here from the spec alone.

use crds::ecs::{Absent, Kind, Literal, Member, Shape};
use serde_json::{Value, json};

use crate::generate::Names;

/// `above.name`, or the name alone at the top.
pub(crate) fn below(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
}

/// What tells an element of a keyed list apart: the values of the naming members, filled where their absence means one.
pub(crate) fn key(shape: &Shape, names: Names, element: &Value) -> String {
    let parts: Vec<String> = names
        .iter()
        .filter_map(|name| {
            let given = element.get(*name).filter(|value| !value.is_null()).cloned();
            given.or_else(|| default(shape.member(name)?))
        })
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .collect();
    parts.join("/")
}

/// What the absence of a scalar member means, if it means a value.
pub(crate) fn default(member: &Member) -> Option<Value> {
    match member.absent {
        Absent::Is(Literal::Boolean(value)) => Some(json!(value)),
        Absent::Is(Literal::Integer(value)) => Some(json!(value)),
        Absent::Is(Literal::Text(value)) => Some(json!(value)),
        Absent::Is(Literal::Defaults)
        | Absent::Empty
        | Absent::Server
        | Absent::Kept
        | Absent::InputOnly => None,
    }
}

/// Whether a member holds one value that is compared as a whole and can be made up by itself.
pub(crate) fn is_one_value(kind: Kind) -> bool {
    match kind {
        Kind::String
        | Kind::Integer
        | Kind::Number
        | Kind::Boolean
        | Kind::Enumeration(_)
        | Kind::Document => true,
        Kind::List { of: Kind::String | Kind::Enumeration(_) | Kind::Integer, .. } => true,
        Kind::Struct(_) | Kind::List { .. } | Kind::Map => false,
    }
}
