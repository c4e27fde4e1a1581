//! A spec as text.

use serde::{Serialize, Serializer};
use serde_json::Value;

/// A spec as compact JSON text.
///
/// Kept for each service and shown when somebody asks for one of them. Parsed JSON takes several times the memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecText(Box<str>);

impl SpecText {
    /// The spec as JSON.
    pub fn value(&self) -> Value {
        // It was JSON when it was written.
        serde_json::from_str(&self.0).unwrap_or(Value::Null)
    }
}

impl Default for SpecText {
    fn default() -> Self {
        Self::from(&Value::Null)
    }
}

impl From<&Value> for SpecText {
    fn from(spec: &Value) -> Self {
        Self(spec.to_string().into_boxed_str())
    }
}

impl Serialize for SpecText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_put_in_comes_out_and_is_json_in_json() {
        let spec = json!({"cluster": "shop", "service": {"desiredCount": 2, "tags": [null, "\u{e9}\"\n"]}});
        let text = SpecText::from(&spec);
        assert_eq!(text.value(), spec);
        assert_eq!(serde_json::to_value(&text).unwrap(), spec);
        assert_eq!(SpecText::default().value(), Value::Null);
    }
}
