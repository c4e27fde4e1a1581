//! Shares in percent.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A share in percent, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Percent(u8);

impl Percent {
    /// So many percent; more than 100 are 100.
    pub const fn of(percent: u8) -> Self {
        Self(if percent > 100 { 100 } else { percent })
    }

    /// The share of a number of things, rounded down.
    pub fn share_of(self, total: usize) -> usize {
        total.saturating_mul(usize::from(self.0)) / 100
    }
}

impl TryFrom<u64> for Percent {
    type Error = String;
    fn try_from(percent: u64) -> Result<Self, String> {
        match u8::try_from(percent) {
            Ok(found) if found <= 100 => Ok(Self(found)),
            Ok(_) | Err(_) => Err(format!("`{percent}` is no share in percent: write 0 to 100")),
        }
    }
}

impl From<Percent> for u64 {
    fn from(percent: Percent) -> Self {
        percent.0.into()
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

impl schemars::JsonSchema for Percent {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 0, "maximum": 100 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_0_to_100_and_rounded_down() {
        for percent in [0, 20, 100] {
            let read: Percent = serde_json::from_value(serde_json::json!(percent)).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), percent);
        }
        for wrong in ["101", "300", "-1", "0.5", "\"20\""] {
            assert!(serde_json::from_str::<Percent>(wrong).is_err(), "{wrong}");
        }
        let shares = [0, 4, 5, 9, 10, 1000].map(|total| Percent::of(20).share_of(total));
        assert_eq!(shares, [0, 0, 1, 1, 2, 200]);
        assert_eq!(Percent::of(100).share_of(7), 7);
    }
}
