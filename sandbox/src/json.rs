//! Reading the members of a JSON request and writing those of an answer.
//!
//! A member that is `null` counts as absent. A member of the wrong type is a `SerializationException`, a required one
//! that is absent a `ValidationException`, as with AWS (aws.md §0).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::ApiError;

/// The member, unless it is absent or null.
pub(crate) fn member<'a>(input: &'a Value, name: &str) -> Option<&'a Value> {
    input.get(name).filter(|value| !value.is_null())
}

/// A text, when present.
pub(crate) fn text<'a>(input: &'a Value, name: &str) -> Result<Option<&'a str>, ApiError> {
    typed(input, name, "a string", Value::as_str)
}

/// A text that must be there.
pub(crate) fn required_text<'a>(input: &'a Value, name: &str) -> Result<&'a str, ApiError> {
    text(input, name)?.ok_or_else(|| absent(name))
}

/// A whole number, when present.
pub(crate) fn number(input: &Value, name: &str) -> Result<Option<i64>, ApiError> {
    typed(input, name, "an integer", Value::as_i64)
}

/// A number with a fraction, when present.
pub(crate) fn float(input: &Value, name: &str) -> Result<Option<f64>, ApiError> {
    typed(input, name, "a number", Value::as_f64)
}

/// Yes or no, when present.
pub(crate) fn flag(input: &Value, name: &str) -> Result<Option<bool>, ApiError> {
    typed(input, name, "a boolean", Value::as_bool)
}

/// A list, when present.
pub(crate) fn list<'a>(input: &'a Value, name: &str) -> Result<Option<&'a [Value]>, ApiError> {
    typed(input, name, "a list", |value| value.as_array().map(Vec::as_slice))
}

/// A structure or a map, when present.
pub(crate) fn structure<'a>(
    input: &'a Value,
    name: &str,
) -> Result<Option<&'a Map<String, Value>>, ApiError> {
    typed(input, name, "a structure", Value::as_object)
}

/// A list of texts; an absent one is empty.
pub(crate) fn texts<'a>(input: &'a Value, name: &str) -> Result<Vec<&'a str>, ApiError> {
    let texts = list(input, name)?.unwrap_or_default();
    texts
        .iter()
        .map(|text| text.as_str().ok_or_else(|| mistyped(name, "a list of strings")))
        .collect()
}

/// An instant, when present: epoch seconds with a fraction.
pub(crate) fn instant(input: &Value, name: &str) -> Result<Option<Timestamp>, ApiError> {
    let Some(seconds) = float(input, name)? else { return Ok(None) };
    let since_epoch = SignedDuration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|since_epoch| Timestamp::from_duration(since_epoch).ok())
        .ok_or_else(|| mistyped(name, "a timestamp"))?;
    Ok(Some(since_epoch))
}

/// The tags of a request, `[{Key, Value}]`.
pub(crate) fn tags(input: &Value, name: &str) -> Result<Vec<(String, String)>, ApiError> {
    let tags = list(input, name)?.unwrap_or_default();
    tags.iter()
        .map(|tag| {
            let value = text(tag, "Value")?.unwrap_or_default();
            Ok((required_text(tag, "Key")?.to_owned(), value.to_owned()))
        })
        .collect()
}

/// A number between two bounds; `preset` when absent.
pub(crate) fn bounded(
    input: &Value,
    name: &str,
    (least, most): (i64, i64),
    preset: i64,
) -> Result<usize, ApiError> {
    let value = number(input, name)?.unwrap_or(preset);
    let bound = match value {
        value if value < least => format!("greater than or equal to {least}"),
        value if value > most => format!("less than or equal to {most}"),
        value => return usize::try_from(value).map_err(|_| mistyped(name, "a count")),
    };
    Err(constraint(name, &value.to_string(), &format!("Member must have value {bound}")))
}

/// The refusal of a required member that is absent.
pub(crate) fn absent(name: &str) -> ApiError {
    ApiError::refused(
        "ValidationException",
        format!(
            "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
            lower_camel(name)
        ),
    )
}

/// The refusal of a value that breaks a rule of the API's model.
pub(crate) fn constraint(name: &str, value: &str, rule: &str) -> ApiError {
    ApiError::refused(
        "ValidationException",
        format!(
            "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: {rule}",
            lower_camel(name)
        ),
    )
}

/// The refusal of an operation that the service does not have.
pub(crate) fn unknown_operation(operation: &str) -> ApiError {
    ApiError::refused("UnknownOperationException", format!("unknown operation {operation}"))
}

/// An instant as JSON APIs write it: epoch seconds with a fraction of milliseconds.
pub(crate) fn epoch(instant: Timestamp) -> Value {
    let milliseconds = SignedDuration::from_millis(instant.as_millisecond());
    Value::from(milliseconds.as_secs_f64())
}

/// The value without the members that are null, to any depth.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name, without_nulls(value)))
                .collect(),
        ),
        Value::Array(rows) => Value::Array(rows.into_iter().map(without_nulls).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn typed<'a, T>(
    input: &'a Value,
    name: &str,
    expected: &str,
    read: impl Fn(&'a Value) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let Some(value) = member(input, name) else { return Ok(None) };
    read(value).map(Some).ok_or_else(|| mistyped(name, expected))
}

fn mistyped(name: &str, expected: &str) -> ApiError {
    ApiError::refused("SerializationException", format!("member {name} must be {expected}"))
}

fn lower_camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_is_absent_and_a_wrong_type_is_refused() {
        let input = json!({"A": null, "B": 1, "C": "x"});
        assert_eq!(text(&input, "A"), Ok(None));
        assert_eq!(text(&input, "C"), Ok(Some("x")));
        assert_eq!(text(&input, "B").unwrap_err().code, "SerializationException");
        assert_eq!(
            required_text(&input, "Names").unwrap_err().message,
            "1 validation error detected: Value null at 'names' failed to satisfy constraint: Member must not be null"
        );
    }

    #[test]
    fn instants_keep_milliseconds() {
        let instant = Timestamp::from_millisecond(1_672_914_138_248).unwrap();
        assert_eq!(epoch(instant).to_string(), "1672914138.248");
        assert_eq!(
            super::instant(&json!({"T": 1_672_914_138}), "T").unwrap().unwrap().as_second(),
            1_672_914_138
        );
    }

    #[test]
    fn bounds_are_named() {
        assert_eq!(bounded(&json!({}), "MaxResults", (1, 10), 10), Ok(10));
        let refusal = bounded(&json!({"MaxResults": 11}), "MaxResults", (1, 10), 10).unwrap_err();
        assert!(
            refusal.message.ends_with("Member must have value less than or equal to 10"),
            "{}",
            refusal.message
        );
    }
}
