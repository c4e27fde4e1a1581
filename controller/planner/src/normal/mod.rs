//! The normal form: one shape for what a spec says and what AWS answers, so that equal meaning is equal JSON.
//!
//! In goes the JSON of a spec's block or of AWS's answer; out comes [`Normal`], in which defaults are filled, units are
//! canonical, lists whose order means nothing are sorted or have become objects by their elements' names, and everything
//! empty is absent. The tables of `crds::ecs` say which is which; the few rules that look at more than one member are in
//! `task_definition` and `service`. The facts are aws.md §2.2.1 and §2.6.1.
//!
//! Members that no table has do not enter the normal form: what AWS adds to its answers is dropped with them.

mod hash;
mod key;
mod literal;
mod service;
mod task_definition;
mod unit;
mod walk;
mod wire;

use std::collections::BTreeMap;

use crds::ecs::Shape;
use serde_json::{Map, Value};

pub use hash::content_hash;
pub use service::{observed_service, service, service_block};
pub use task_definition::task_definition;

pub(crate) use literal::{filled, required_defaults};
pub(crate) use service::{is_unlisted, unlisted_members};
pub(crate) use unit::same;
pub(crate) use walk::element_keys;
pub(crate) use wire::wire_value;

/// A task definition or service in normal form.
#[derive(Debug, Clone)]
pub struct Normal {
    shape: &'static Shape,
    value: Value,
    places: Places,
}

impl Normal {
    /// The form itself: an object in which keyed lists are objects by key.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The same as ECS's own JSON: keyed lists are lists again, sorted by key.
    pub fn to_wire(&self) -> Value {
        wire::wire_structure(self.shape, &self.value)
    }

    /// The form by the table alone, without the rules that look at more than one member.
    pub(crate) fn by_table(shape: &'static Shape, written: &Value) -> Self {
        let (members, places) = walk::block(shape, written);
        Self { shape, value: Value::Object(members), places }
    }

    pub(crate) fn places(&self) -> &Places {
        &self.places
    }
}

/// Two normal forms are equal if their values are, in whatever order they were written.
impl PartialEq for Normal {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// Which element of a keyed list, as it was written, has which key in the normal form.
///
/// The index of the outer map is the JSON pointer of the list as it was written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places(BTreeMap<String, Vec<Option<String>>>);

impl Places {
    fn record(&mut self, list: &str, keys: Vec<Option<String>>) {
        self.0.insert(list.to_owned(), keys);
    }

    /// The key of the element at an index of the list.
    pub(crate) fn key(&self, list: &str, index: usize) -> Option<&str> {
        self.0.get(list)?.get(index)?.as_deref()
    }

    /// The index of the element with a key of the list.
    pub(crate) fn index(&self, list: &str, key: &str) -> Option<usize> {
        self.0.get(list)?.iter().position(|known| known.as_deref() == Some(key))
    }
}

/// `null`, `[]` and `{}` mean the same as nothing (aws.md §2.2.1).
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The member of an object, if it is there and not empty.
pub(crate) fn present<'a>(object: Option<&'a Value>, name: &str) -> Option<&'a Value> {
    object?.get(name).filter(|value| !is_empty(value))
}

/// The text in a member of an object.
fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
