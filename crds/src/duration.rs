//! Durations as people write them: `90s`, `15m`, `1h30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time, written with units: `90s`, `15m`, `1h 30m`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct HumanDuration(Duration);

impl HumanDuration {
    /// A duration of whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The duration itself.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl FromStr for HumanDuration {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let signed: jiff::SignedDuration = text.parse().map_err(|_| {
            format!("duration `{text}` is not valid: write a number and a unit, as `90s`, `15m`, `1h30m`")
        })?;
        Duration::try_from(signed)
            .map(Self)
            .map_err(|_| format!("duration `{text}` is not valid: it must not be negative"))
    }
}

impl TryFrom<String> for HumanDuration {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<HumanDuration> for String {
    fn from(duration: HumanDuration) -> Self {
        duration.to_string()
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::SignedDuration::try_from(self.0) {
            Ok(signed) => write!(f, "{signed:#}"),
            Err(_) => write!(f, "{}s", self.0.as_secs()),
        }
    }
}

impl schemars::JsonSchema for HumanDuration {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^([0-9]+(\\.[0-9]+)? ?(ms|s|m|h|d|w)[a-z]* ?)+$",
            "examples": ["90s", "15m", "1h30m"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_alike() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("1h30m", 5400), ("1h 30m", 5400)] {
            let duration: HumanDuration = text.parse().unwrap();
            assert_eq!(duration.get().as_secs(), seconds, "{text}");
            let again: HumanDuration = duration.to_string().parse().unwrap();
            assert_eq!(again, duration);
        }
    }

    #[test]
    fn a_bare_number_or_a_negative_one_is_refused_with_a_hint() {
        assert!("15".parse::<HumanDuration>().unwrap_err().contains("write a number and a unit"));
        assert!("-5m".parse::<HumanDuration>().unwrap_err().contains("negative"));
    }
}
