//! The end of something, as people write it: a day, or a moment.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Until when something holds: `2026-12-31` is to the end of that day in UTC, `2026-12-31T18:00:00Z` to that moment.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Expiry(Timestamp);

impl Expiry {
    /// The moment from which it is over.
    pub const fn moment(self) -> Timestamp {
        self.0
    }

    /// Whether it is over.
    pub fn is_past(self, now: Timestamp) -> bool {
        self.0 <= now
    }
}

impl FromStr for Expiry {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Ok(Self(moment));
        }
        let day_after = text.parse::<Date>().and_then(jiff::civil::Date::tomorrow);
        let end = day_after.and_then(|day| day.to_zoned(TimeZone::UTC));
        end.map(|end| Self(end.timestamp())).map_err(|_| {
            format!(
                "`{text}` is no day and no moment: write `2026-12-31` or `2026-12-31T18:00:00Z`"
            )
        })
    }
}

impl TryFrom<String> for Expiry {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Expiry> for String {
    fn from(expiry: Expiry) -> Self {
        expiry.to_string()
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl schemars::JsonSchema for Expiry {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Expiry".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].+)?$",
            "examples": ["2026-12-31", "2026-12-31T18:00:00Z"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_utc_and_a_moment_at_itself() {
        for (text, last, over) in [
            ("2026-12-31", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
            ("2024-02-29", "2024-02-29T23:59:59Z", "2024-03-01T00:00:00Z"),
            ("2026-12-31T18:00:00Z", "2026-12-31T17:59:59Z", "2026-12-31T18:00:00Z"),
            ("2026-12-31T18:00:00+09:00", "2026-12-31T08:59:59Z", "2026-12-31T09:00:00Z"),
        ] {
            let expiry: Expiry = text.parse().unwrap();
            assert!(!expiry.is_past(last.parse().unwrap()), "{text}");
            assert!(expiry.is_past(over.parse().unwrap()), "{text}");
            assert_eq!(expiry.to_string().parse::<Expiry>().unwrap(), expiry);
        }
    }

    #[test]
    fn anything_else_is_refused_with_a_hint() {
        for text in ["", "tomorrow", "2026-13-01", "31.12.2026", "9999-12-31"] {
            assert!(text.parse::<Expiry>().unwrap_err().contains("write `2026-12-31`"), "{text}");
        }
    }
}
