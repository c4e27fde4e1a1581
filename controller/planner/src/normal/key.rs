//! How elements of a keyed list are told apart.

use serde_json::{Map, Value};

use super::hash::write_canonical;
use super::is_empty;

/// The key of an element in normal form: the values of the naming members that it has, joined by `/`.
pub(crate) fn key(names: &[&str], element: &Value) -> String {
    let mut key = String::new();
    for value in names.iter().filter_map(|name| element.get(name)) {
        if !key.is_empty() {
            key.push('/');
        }
        match value.as_str() {
            Some(text) => key.push_str(text),
            None => write_canonical(value, &mut key),
        }
    }
    key
}

/// The elements by key, and the key that each of them got.
///
/// Elements that share a key are told apart by `#2`, `#3` and so on in the order of their content, so that none is lost
/// and the order in which they were written does not matter. Elements that are alike in everything are one.
pub(super) fn by_key(names: &[&str], elements: Vec<Value>) -> (Map<String, Value>, Vec<String>) {
    let mut keyed: Vec<(String, Value)> =
        elements.into_iter().map(|element| (key(names, &element), element)).collect();
    let mut keys = Vec::with_capacity(keyed.len());
    let mut found = Map::new();
    if has_repetition(&keyed) {
        let order = distinct_in_order(&keyed);
        for entry in &mut keyed {
            entry.0 = numbered(&order, entry);
        }
    }
    for (key, element) in keyed {
        keys.push(key.clone());
        found.insert(key, element);
    }
    (found, keys)
}

/// Changes the elements of a keyed list and tells them apart anew: what differed may have become one. Empty ones go.
pub(super) fn change_elements(
    names: &[&str],
    keyed: &mut Map<String, Value>,
    change: impl FnMut(&mut Map<String, Value>),
) {
    let mut elements: Vec<Value> =
        std::mem::take(keyed).into_iter().map(|(_, element)| element).collect();
    elements.iter_mut().filter_map(Value::as_object_mut).for_each(change);
    elements.retain(|element| !is_empty(element));
    (*keyed, _) = by_key(names, elements);
}

fn has_repetition(keyed: &[(String, Value)]) -> bool {
    let mut keys: Vec<&str> = keyed.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| matches!(pair, [one, other] if one == other))
}

/// Keys and contents, sorted, without repetition.
fn distinct_in_order(keyed: &[(String, Value)]) -> Vec<(String, String)> {
    let mut order: Vec<_> =
        keyed.iter().map(|(key, element)| (key.clone(), canonical(element))).collect();
    order.sort_unstable();
    order.dedup();
    order
}

/// The key of an entry with its number among those that share it.
fn numbered(order: &[(String, String)], (key, element): &(String, Value)) -> String {
    let content = canonical(element);
    let number = order
        .iter()
        .filter(|(other, _)| other == key)
        .position(|(_, other)| *other == content)
        .unwrap_or_default();
    if number == 0 { key.clone() } else { format!("{key}#{}", number + 1) }
}

pub(super) fn canonical(element: &Value) -> String {
    let mut text = String::new();
    write_canonical(element, &mut text);
    text
}
