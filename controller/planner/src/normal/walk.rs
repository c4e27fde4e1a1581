//! Walking JSON along a table.

use crds::ecs::{Kind, Member, Order, Shape, Unit};
use serde_json::{Map, Number, Value};

use super::key::{by_key, canonical};
use super::unit::canonical_text;
use super::{Places, literal};

/// The normal form of a whole block, and where the elements of its keyed lists were.
pub(super) fn block(shape: &Shape, written: &Value) -> (Map<String, Value>, Places) {
    let mut walk = Walk { pointer: String::new(), places: Places::default() };
    let given = written.as_object().map(|object| walk.given(shape, object)).unwrap_or_default();
    (with_defaults(shape, given), walk.places)
}

/// The keys of a list's elements as they were written; `None` for empty ones.
pub(crate) fn element_keys(
    of: Kind,
    names: &'static [&'static str],
    list: &Value,
) -> Vec<Option<String>> {
    let mut walk = Walk { pointer: String::new(), places: Places::default() };
    let Value::Array(elements) = list else { return Vec::new() };
    walk.list(of, Order::KeyedBy(names), elements);
    walk.places.0.remove("").unwrap_or_default()
}

struct Walk {
    /// Where we are in the JSON as it was written.
    pointer: String,
    places: Places,
}

impl Walk {
    /// The members of a structure that were given and are not empty.
    fn given(&mut self, shape: &Shape, object: &Map<String, Value>) -> Map<String, Value> {
        let mut given = Map::new();
        for member in shape.members {
            let Some(value) = object.get(member.name) else { continue };
            if let Some(value) = self.below(member.name, |walk| walk.member(member, value)) {
                given.insert(member.name.to_owned(), value);
            }
        }
        given
    }

    fn member(&mut self, member: &Member, value: &Value) -> Option<Value> {
        self.value(member.kind, member.unit, value)
    }

    /// The normal form of a value; `None` if it is empty.
    fn value(&mut self, kind: Kind, unit: Unit, value: &Value) -> Option<Value> {
        if super::is_empty(value) {
            return None;
        }
        match kind {
            Kind::String | Kind::Enumeration(_) => Some(text(unit, value)),
            Kind::Integer | Kind::Number => Some(number(value)),
            Kind::Boolean => Some(boolean(value)),
            Kind::Document => Some(value.clone()),
            Kind::Map => Some(texts(value)),
            Kind::Struct(shape) => {
                let Value::Object(object) = value else { return Some(value.clone()) };
                let given = self.given(shape, object);
                (!given.is_empty()).then(|| Value::Object(with_defaults(shape, given)))
            }
            Kind::List { of, order } => {
                let Value::Array(elements) = value else { return Some(value.clone()) };
                let list = self.list(*of, order, elements);
                (!super::is_empty(&list)).then_some(list)
            }
        }
    }

    fn list(&mut self, of: Kind, order: Order, elements: &[Value]) -> Value {
        let normal: Vec<Option<Value>> = elements
            .iter()
            .enumerate()
            .map(|(index, element)| {
                self.below(&index.to_string(), |walk| walk.value(of, Unit::Plain, element))
            })
            .collect();
        match order {
            Order::Significant => normal.into_iter().flatten().collect(),
            Order::Set => sorted(normal.into_iter().flatten()),
            Order::KeyedBy(names) => {
                let given: Vec<bool> = normal.iter().map(Option::is_some).collect();
                let (keyed, keys) = by_key(names, normal.into_iter().flatten().collect());
                let mut keys = keys.into_iter();
                let places =
                    given.into_iter().map(|given| if given { keys.next() } else { None }).collect();
                self.places.record(&self.pointer, places);
                Value::Object(keyed)
            }
        }
    }

    /// Does something one step further down.
    fn below<T>(&mut self, step: &str, act: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(step);
        let result = act(self);
        self.pointer.truncate(length);
        result
    }
}

/// The given members and, for those not given, what their absence means.
fn with_defaults(shape: &Shape, mut given: Map<String, Value>) -> Map<String, Value> {
    for member in shape.members {
        if given.contains_key(member.name) {
            continue;
        }
        if let Some(default) = literal::default(member) {
            given.insert(member.name.to_owned(), default);
        }
    }
    given
}

fn sorted(elements: impl Iterator<Item = Value>) -> Value {
    let mut elements: Vec<(String, Value)> =
        elements.map(|element| (canonical(&element), element)).collect();
    elements.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    elements.dedup_by(|(one, _), (other, _)| one == other);
    elements.into_iter().map(|(_, element)| element).collect()
}

/// A text; numbers and truth values are taken for the text that they look like.
fn text(unit: Unit, value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(canonical_text(unit, text.clone())),
        Value::Number(_) | Value::Bool(_) => Value::String(canonical_text(unit, value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => value.clone(),
    }
}

/// A number; a text that is one is taken for it, and a fraction of nothing is dropped.
#[allow(clippy::cast_possible_truncation, reason = "without a fraction and within i64")]
fn number(value: &Value) -> Value {
    let parsed = match value {
        Value::String(text) => text.trim().parse::<Number>().ok(),
        Value::Number(number) => Some(number.clone()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let Some(parsed) = parsed else { return value.clone() };
    match parsed.as_f64() {
        Some(float) if !parsed.is_i64() && float.fract() == 0.0 && float.abs() < 1e15 => {
            Value::from(float as i64)
        }
        _ => Value::Number(parsed),
    }
}

fn boolean(value: &Value) -> Value {
    match value.as_str() {
        Some("true") => Value::Bool(true),
        Some("false") => Value::Bool(false),
        _ => value.clone(),
    }
}

fn texts(value: &Value) -> Value {
    let Value::Object(entries) = value else { return value.clone() };
    let entries = entries.iter().filter(|(_, value)| !value.is_null());
    entries.map(|(name, value)| (name.clone(), text(Unit::Plain, value))).collect()
}
