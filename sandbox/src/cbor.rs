//! CBOR bodies of the smithy-rpc-v2 protocol, which the SDK speaks with CloudWatch (aws.md §0).

use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value};

/// The CBOR tag of times in epoch seconds.
const TIME: u64 = 1;

/// Members that are floating-point numbers even when they are whole.
const FLOATS: [&str; 5] = ["Threshold", "Value", "Values", "Minimum", "Maximum"];

/// Reads a body; times become numbers. An empty body has no members.
pub(crate) fn read(body: &[u8]) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let value: Cbor = ciborium::from_reader(body).map_err(|error| error.to_string())?;
    into_json(value).ok_or_else(|| "the body holds what JSON cannot".to_owned())
}

fn into_json(value: Cbor) -> Option<Value> {
    Some(match value {
        Cbor::Integer(number) => Value::Number(Number::from_i128(number.into())?),
        Cbor::Float(number) => Value::Number(Number::from_f64(number)?),
        Cbor::Text(text) => Value::String(text),
        Cbor::Bool(flag) => Value::Bool(flag),
        Cbor::Null => Value::Null,
        Cbor::Tag(_, inner) => into_json(*inner)?,
        Cbor::Array(elements) => {
            Value::Array(elements.into_iter().map(into_json).collect::<Option<_>>()?)
        }
        Cbor::Map(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| Some((name.into_text().ok()?, into_json(value)?)))
                .collect::<Option<_>>()?,
        ),
        // Byte strings have no counterpart; the type may grow.
        Cbor::Bytes(_) | _ => return None,
    })
}

/// Writes an answer; members named `…Timestamp` or `…Timestamps` are times.
pub(crate) fn write(answer: &Value) -> Vec<u8> {
    let mut body = Vec::new();
    if let Err(error) = ciborium::into_writer(&from_json("", answer), &mut body) {
        tracing::warn!(%error, "cannot write CBOR");
    }
    body
}

fn from_json(name: &str, value: &Value) -> Cbor {
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(flag) => Cbor::Bool(*flag),
        Value::String(text) => Cbor::Text(text.clone()),
        Value::Number(number) => from_number(name, number),
        Value::Array(elements) => {
            Cbor::Array(elements.iter().map(|one| from_json(name, one)).collect())
        }
        Value::Object(members) => Cbor::Map(
            members
                .iter()
                .map(|(name, value)| (Cbor::Text(name.clone()), from_json(name, value)))
                .collect(),
        ),
    }
}

fn from_number(name: &str, number: &Number) -> Cbor {
    let float = || number.as_f64().map_or(Cbor::Null, Cbor::Float);
    if name.ends_with("Timestamp") || name.ends_with("Timestamps") {
        return Cbor::Tag(TIME, Box::new(float()));
    }
    match number.as_i64() {
        Some(whole) if !FLOATS.contains(&name) => Cbor::Integer(whole.into()),
        Some(_) | None => float(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_tagged_and_floats_stay_floats() {
        let answer = json!({"MetricAlarms": [{
            "AlarmName": "a", "Threshold": 5, "Period": 60, "StateUpdatedTimestamp": 1.5, "ActionsEnabled": true,
        }]});
        let written: Cbor = ciborium::from_reader(write(&answer).as_slice()).unwrap();
        let alarms = written.as_map().unwrap()[0].1.as_array().unwrap();
        let member = |wanted: &str| {
            let members = alarms[0].as_map().unwrap();
            let found = members.iter().find(|(name, _)| name.as_text() == Some(wanted));
            found.unwrap().1.clone()
        };
        assert_eq!(member("Threshold"), Cbor::Float(5.0));
        assert_eq!(member("Period"), Cbor::Integer(60.into()));
        assert_eq!(member("StateUpdatedTimestamp"), Cbor::Tag(1, Box::new(Cbor::Float(1.5))));
        assert_eq!(read(&write(&answer)).unwrap()["MetricAlarms"][0]["StateUpdatedTimestamp"], 1.5);
        assert_eq!(read(&[]).unwrap(), json!({}));
        assert!(read(&[0xff]).is_err());
    }
}
