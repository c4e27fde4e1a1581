//! Reading the members of a request, where an absent member and a null one are the same (aws.md §0).

use serde_json::{Map, Value};

use crate::ApiError;

/// The member, unless it is absent or null.
pub(crate) fn present<'a>(input: &'a Value, name: &str) -> Option<&'a Value> {
    input.get(name).filter(|value| !value.is_null())
}

/// A text member.
pub(crate) fn text<'a>(input: &'a Value, name: &str) -> Option<&'a str> {
    present(input, name).and_then(Value::as_str)
}

/// A whole number.
pub(crate) fn integer(input: &Value, name: &str) -> Option<i64> {
    present(input, name).and_then(Value::as_i64)
}

/// A flag.
pub(crate) fn flag(input: &Value, name: &str) -> Option<bool> {
    present(input, name).and_then(Value::as_bool)
}

/// The elements of a list; an absent list has none.
pub(crate) fn list<'a>(input: &'a Value, name: &str) -> &'a [Value] {
    present(input, name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts of a list of texts.
pub(crate) fn texts<'a>(input: &'a Value, name: &str) -> Vec<&'a str> {
    list(input, name).iter().filter_map(Value::as_str).collect()
}

/// A text member that must be there and not empty.
pub(crate) fn required<'a>(input: &'a Value, name: &str) -> Result<&'a str, ApiError> {
    match text(input, name) {
        Some(text) if !text.is_empty() => Ok(text),
        Some(_) | None => {
            Err(ApiError::refused("InvalidParameterException", format!("{name} is required.")))
        }
    }
}

/// The members of an object that are not null.
pub(crate) fn members(input: &Value) -> Map<String, Value> {
    let mut members = input.as_object().cloned().unwrap_or_default();
    members.retain(|_, value| !value.is_null());
    members
}
