//! Fields that a spec leaves to others: neither compared nor applied.

use crds::ecs::{Kind, Order, Shape};
use serde_json::Value;

use crate::normal::{Normal, Places, element_keys, is_empty};

/// The desired block with every ignored member replaced by the observed one, or left out where there is none.
///
/// Both are blocks in the shape's own JSON: for a service, `observed` is `normal::service_block` of the description.
/// Pointers are those of [`compare`](super::compare). What they do not find changes nothing.
pub fn apply_ignore(
    shape: &'static Shape,
    desired: &Value,
    observed: &Value,
    ignore: &[String],
) -> Value {
    let pointers = resolve(shape, &Normal::by_table(shape, desired), ignore);
    let mut applied = desired.clone();
    for pointer in &pointers {
        replace(Kind::Struct(shape), &mut applied, observed, pointer);
    }
    applied
}

/// The names that each pointer means, with keys in place of indices.
pub(super) fn resolve(
    shape: &'static Shape,
    desired: &Normal,
    ignore: &[String],
) -> Vec<Vec<String>> {
    ignore.iter().map(|pointer| names(shape, desired.places(), pointer)).collect()
}

fn names(shape: &'static Shape, places: &Places, pointer: &str) -> Vec<String> {
    let steps = pointer.strip_prefix('/').unwrap_or(pointer).split('/');
    let mut kind = Some(Kind::Struct(shape));
    let mut written = String::new();
    let mut names = Vec::new();
    for step in steps {
        let step = step.replace("~1", "/").replace("~0", "~");
        let (below, place, name) = match kind {
            Some(Kind::Struct(shape)) => {
                (shape.member(&step).map(|member| member.kind), step.clone(), step)
            }
            Some(Kind::List { of, order: Order::KeyedBy(_) }) => {
                let (index, key) = element(places, &written, step);
                (Some(*of), index, key)
            }
            Some(
                Kind::String
                | Kind::Integer
                | Kind::Number
                | Kind::Boolean
                | Kind::Enumeration(_)
                | Kind::List { .. }
                | Kind::Map
                | Kind::Document,
            )
            | None => (None, step.clone(), step),
        };
        written.push('/');
        written.push_str(&place);
        names.push(name);
        kind = below;
    }
    names
}

/// The index and the key of an element that a pointer names by either; a key wins over an index.
fn element(places: &Places, list: &str, step: String) -> (String, String) {
    if let Some(index) = places.index(list, &step) {
        return (index.to_string(), step);
    }
    match step.parse().ok().and_then(|index| places.key(list, index)) {
        Some(key) => (step, key.to_owned()),
        None => (step.clone(), step),
    }
}

/// Puts what was observed at a place in the place of what is desired there.
fn replace(kind: Kind, desired: &mut Value, observed: &Value, pointer: &[String]) {
    let Some((name, rest)) = pointer.split_first() else { return };
    match kind {
        Kind::Struct(shape) => {
            let Some(member) = shape.member(name) else { return };
            replace_member(member.kind, desired, observed.get(name), (name, rest));
        }
        Kind::Map => replace_member(Kind::String, desired, observed.get(name), (name, rest)),
        Kind::List { of, order: Order::KeyedBy(names) } => {
            let find = |list: &Value| {
                element_keys(*of, names, list).iter().position(|key| key.as_deref() == Some(name))
            };
            let at = find(desired);
            let observed = find(observed).and_then(|index| observed.get(index));
            replace_element(*of, desired, (at, observed), rest);
        }
        Kind::String
        | Kind::Integer
        | Kind::Number
        | Kind::Boolean
        | Kind::Enumeration(_)
        | Kind::Document
        | Kind::List { order: Order::Significant | Order::Set, .. } => {}
    }
}

fn replace_member(
    kind: Kind,
    desired: &mut Value,
    observed: Option<&Value>,
    (name, rest): (&String, &[String]),
) {
    let Some(members) = desired.as_object_mut() else { return };
    let observed = observed.filter(|value| !value.is_null());
    if rest.is_empty() || !has_places(kind) {
        match observed {
            Some(observed) => members.insert(name.clone(), observed.clone()),
            None => members.remove(name),
        };
    } else if let Some(below) = members.get_mut(name).filter(|below| !is_empty(below)) {
        replace(kind, below, observed.unwrap_or(&Value::Null), rest);
    }
}

fn replace_element(
    kind: Kind,
    desired: &mut Value,
    (at, observed): (Option<usize>, Option<&Value>),
    rest: &[String],
) {
    let Some(elements) = desired.as_array_mut() else { return };
    match (at, observed) {
        (Some(at), observed) if !rest.is_empty() => {
            if let Some(below) = elements.get_mut(at) {
                replace(kind, below, observed.unwrap_or(&Value::Null), rest);
            }
        }
        (Some(at), Some(observed)) => {
            if let Some(place) = elements.get_mut(at) {
                *place = observed.clone();
            }
        }
        (Some(at), None) => {
            elements.remove(at);
        }
        (None, Some(observed)) if rest.is_empty() => elements.push(observed.clone()),
        (None, _) => {}
    }
}

/// Whether a pointer can lead further down than a value of this kind.
fn has_places(kind: Kind) -> bool {
    match kind {
        Kind::Struct(_) | Kind::Map | Kind::List { order: Order::KeyedBy(_), .. } => true,
        Kind::String
        | Kind::Integer
        | Kind::Number
        | Kind::Boolean
        | Kind::Enumeration(_)
        | Kind::Document
        | Kind::List { order: Order::Significant | Order::Set, .. } => false,
    }
}
