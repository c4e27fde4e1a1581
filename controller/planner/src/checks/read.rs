//! From a provider's answer to a reading.

use crds::HttpCheck;
use serde_json::Value;

use super::json_path;
use super::{Measured, Reading};

/// Reads the answer to a check's own request, which took so many seconds.
pub fn http(check: &HttpCheck, status: u16, body: &[u8], seconds: f64) -> Reading {
    let is_good = match check.status.as_slice() {
        [] => (200..300).contains(&status),
        wanted => wanted.contains(&status),
    };
    if !is_good {
        return Reading::Bad(format!("status {status}"));
    }
    let Some(path) = &check.json_path else {
        return Reading::Value(Measured::Number(seconds));
    };
    let Ok(document) = serde_json::from_slice::<Value>(body) else {
        return Reading::Nothing("the answer is no JSON".to_owned());
    };
    match json_path::find(&document, path) {
        Some(Value::Number(number)) => number
            .as_f64()
            .map_or_else(|| nothing(format!("{number} is no usable number")), number_read),
        Some(Value::String(text)) => Reading::Value(Measured::Text(text.clone())),
        Some(Value::Bool(flag)) => Reading::Value(Measured::Flag(*flag)),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) => {
            nothing(format!("`{path}` leads to no number, text or truth value"))
        }
        None => nothing(format!("`{path}` leads to nothing")),
    }
}

/// Reads Prometheus's answer to an instant query.
pub fn prometheus(status: u16, body: &[u8]) -> Reading {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    if status != 200 || document.get("status").and_then(Value::as_str) != Some("success") {
        let said = document.get("error").and_then(Value::as_str).unwrap_or("no reason given");
        return nothing(format!("Prometheus answered {status}: {said}"));
    }
    let result = document.pointer("/data/result");
    let sample = match document.pointer("/data/resultType").and_then(Value::as_str) {
        Some("scalar") => result,
        Some("vector") => match result.and_then(Value::as_array).map(Vec::as_slice) {
            Some([only]) => only.get("value"),
            Some([]) => return nothing("the query has no data".to_owned()),
            Some(several) => {
                let count = several.len();
                return nothing(format!("the query gives {count} series; aggregate them to one"));
            }
            None => None,
        },
        Some(other) => return nothing(format!("the query gives a {other}, and no single value")),
        None => None,
    };
    let text = sample.and_then(|sample| sample.get(1)).and_then(Value::as_str);
    match text.map(str::parse) {
        Some(Ok(number)) => number_read(number),
        Some(Err(_)) | None => nothing("Prometheus's answer has no value".to_owned()),
    }
}

/// The newest of a metric's values, newest first.
pub fn metric(status: &str, values: &[f64]) -> Reading {
    if status != "Complete" {
        return nothing(format!("CloudWatch's data is not complete: {status}"));
    }
    values
        .first()
        .map_or_else(|| nothing("CloudWatch has no data".to_owned()), |value| number_read(*value))
}

fn number_read(number: f64) -> Reading {
    if number.is_finite() {
        return Reading::Value(Measured::Number(number));
    }
    nothing(format!("the value is {number}"))
}

const fn nothing(why: String) -> Reading {
    Reading::Nothing(why)
}
