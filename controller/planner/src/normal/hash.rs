//! The name of a content.

use std::fmt::Write as _;

use crds::ecs::Kind;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Normal;
use super::literal::default;

/// SHA-256 of the normal form in hexadecimal: equal for equal meaning, whoever wrote it and in whatever order.
///
/// Defaults are left out, so that the hashes which revisions carry survive a table that learns of further members and
/// their defaults.
pub fn content_hash(normal: &Normal) -> String {
    let mut text = String::new();
    write_canonical(&without_defaults(Kind::Struct(normal.shape), &normal.value), &mut text);
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// A value in normal form without the members that say what their absence says.
fn without_defaults(kind: Kind, value: &Value) -> Value {
    match (kind, value) {
        (Kind::Struct(shape), Value::Object(members)) => {
            let spoken = members.iter().filter_map(|(name, value)| {
                let Some(member) = shape.member(name) else {
                    return Some((name.clone(), value.clone()));
                };
                let is_default = default(member).is_some_and(|default| default == *value);
                (!is_default).then(|| (name.clone(), without_defaults(member.kind, value)))
            });
            spoken.collect::<Map<_, _>>().into()
        }
        (Kind::List { of, .. }, Value::Object(elements)) => {
            let elements = elements.iter();
            let elements =
                elements.map(|(key, element)| (key.clone(), without_defaults(*of, element)));
            elements.collect::<Map<_, _>>().into()
        }
        (Kind::List { of, .. }, Value::Array(elements)) => {
            elements.iter().map(|element| without_defaults(*of, element)).collect()
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
        ) => value.clone(),
    }
}

/// The JSON with sorted names and without space. The order of `serde_json`'s own maps depends on the features of the build.
pub(super) fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_str());
            write_all(text, ('{', '}'), &members, |(name, value), text| {
                write_text(name, text);
                text.push(':');
                write_canonical(value, text);
            });
        }
        Value::Array(elements) => write_all(text, ('[', ']'), elements, write_canonical),
        Value::String(value) => write_text(value, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            // Writing to a string cannot fail.
            let _ = write!(text, "{value}");
        }
    }
}

fn write_all<T>(
    text: &mut String,
    (open, close): (char, char),
    parts: &[T],
    write: impl Fn(&T, &mut String),
) {
    text.push(open);
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write(part, text);
    }
    text.push(close);
}

/// A JSON string. Only what JSON demands is escaped, so that the hash does not hang on a serialiser's taste.
fn write_text(value: &str, text: &mut String) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            control if control < ' ' => {
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            plain => text.push(plain),
        }
    }
    text.push('"');
}
