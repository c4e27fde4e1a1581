//! Schedules: `at(...)`, `rate(...)` and `cron(...)` with a time zone.

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use super::invalid;
use crate::ApiError;

/// When a scheduled action runs.
#[derive(Debug, Clone)]
pub(super) enum Schedule {
    /// Once, at a time of the wall clock.
    At(DateTime),
    /// Again and again, so long apart.
    Rate(SignedDuration),
    /// Whenever the wall clock matches.
    Cron(Box<Cron>),
}

impl Schedule {
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let parsed = inside(text, "at(").map(at).or_else(|| inside(text, "rate(").map(rate));
        let parsed = parsed.or_else(|| inside(text, "cron(").map(cron)).flatten();
        parsed.ok_or_else(|| invalid(format!("Schedule expression is invalid: {text}")))
    }

    /// The first time after `after`; rates count from `anchor`.
    pub(super) fn next(
        &self,
        after: Timestamp,
        anchor: Timestamp,
        zone: &TimeZone,
    ) -> Option<Timestamp> {
        match self {
            Self::At(wall) => zone.to_timestamp(*wall).ok().filter(|when| *when > after),
            Self::Rate(period) => {
                let passed = after.duration_since(anchor).as_secs();
                let whole = passed.max(0) / period.as_secs() + 1;
                let whole = i32::try_from(whole).ok()?;
                anchor.checked_add(period.checked_mul(whole)?).ok()
            }
            Self::Cron(cron) => {
                let next = cron.find_next_occurrence(&after.to_zoned(zone.clone()), false);
                next.ok().map(|when| when.timestamp())
            }
        }
    }
}

/// The time zone of a name of the IANA database.
pub(super) fn zone(name: Option<&str>) -> Result<TimeZone, ApiError> {
    let Some(name) = name else { return Ok(TimeZone::UTC) };
    TimeZone::get(name).map_err(|_| invalid(format!("Timezone is invalid: {name}")))
}

fn inside<'a>(text: &'a str, open: &str) -> Option<&'a str> {
    text.strip_prefix(open)?.strip_suffix(')')
}

fn at(text: &str) -> Option<Schedule> {
    let has_form = text.len() == 19 && text.as_bytes().get(10) == Some(&b'T');
    text.parse().ok().filter(|_| has_form).map(Schedule::At)
}

fn rate(text: &str) -> Option<Schedule> {
    let (count, unit) = text.split_once(' ')?;
    let count: i64 = count.parse().ok().filter(|count| *count > 0)?;
    let minutes = match unit.trim() {
        "minute" | "minutes" => 1,
        "hour" | "hours" => 60,
        "day" | "days" => 24 * 60,
        _ => return None,
    };
    Some(Schedule::Rate(SignedDuration::from_secs(count.checked_mul(minutes * 60)?)))
}

/// Minute, hour, day of the month, month, day of the week (1 is Sunday), year; one of the two days must be `?`. A field
/// for seconds in front of them is passed over.
fn cron(text: &str) -> Option<Schedule> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let fields = match fields.len() {
        6 => fields.as_slice(),
        7 => fields.get(1..)?,
        _ => return None,
    };
    let (month_day, week_day) = (fields.get(2)?, fields.get(4)?);
    if (*month_day == "?") == (*week_day == "?") {
        return None;
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Required)
        .alternative_weekdays(true)
        .sloppy_ranges(true)
        .build();
    let pattern = format!("0 {}", fields.join(" ").replace('?', "*"));
    parser.parse(&pattern).ok().map(|cron| Schedule::Cron(Box::new(cron)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(text: &str, zone_name: &str, after: &str) -> String {
        let after: Timestamp = after.parse().unwrap();
        let zone = zone(Some(zone_name)).unwrap();
        let next = Schedule::parse(text).unwrap().next(after, after, &zone);
        next.map_or("never".to_owned(), |when| when.to_string())
    }

    #[test]
    fn next_times() {
        for (text, zone, after, expected) in [
            ("at(2026-05-01T08:00:00)", "UTC", "2026-04-01T00:00:00Z", "2026-05-01T08:00:00Z"),
            (
                "at(2026-05-01T08:00:00)",
                "Europe/Berlin",
                "2026-04-01T00:00:00Z",
                "2026-05-01T06:00:00Z",
            ),
            ("at(2026-05-01T08:00:00)", "UTC", "2026-05-01T08:00:00Z", "never"),
            ("rate(5 minutes)", "UTC", "2026-04-01T00:00:00Z", "2026-04-01T00:05:00Z"),
            ("rate(1 day)", "UTC", "2026-04-01T00:00:00Z", "2026-04-02T00:00:00Z"),
            ("cron(0 8 * * ? *)", "UTC", "2026-04-01T08:00:00Z", "2026-04-02T08:00:00Z"),
            // Summer time: 08:00 in Berlin is 07:00 UTC before 29 March 2026 and 06:00 UTC from then on.
            ("cron(0 8 * * ? *)", "Europe/Berlin", "2026-03-27T12:00:00Z", "2026-03-28T07:00:00Z"),
            ("cron(0 8 * * ? *)", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T06:00:00Z"),
            // 1 April 2026 is a Wednesday; day 2 of the week is Monday.
            ("cron(30 6 ? * 2 *)", "UTC", "2026-04-01T00:00:00Z", "2026-04-06T06:30:00Z"),
            ("cron(30 6 ? * MON-FRI *)", "UTC", "2026-04-03T07:00:00Z", "2026-04-06T06:30:00Z"),
            ("cron(0/15 * * * ? *)", "UTC", "2026-04-01T00:01:00Z", "2026-04-01T00:15:00Z"),
            ("cron(0 0 L * ? *)", "UTC", "2026-04-01T00:00:00Z", "2026-04-30T00:00:00Z"),
            ("cron(15 10 ? * 6L 2026-2027)", "UTC", "2026-04-01T00:00:00Z", "2026-04-24T10:15:00Z"),
            ("cron(0 0 1 1 ? 2025)", "UTC", "2026-04-01T00:00:00Z", "never"),
            ("cron(0 30 6 ? * 2 *)", "UTC", "2026-04-01T00:00:00Z", "2026-04-06T06:30:00Z"),
        ] {
            assert_eq!(next(text, zone, after), expected, "{text} {zone}");
        }
    }

    #[test]
    fn schedules_that_are_refused() {
        for text in [
            "",
            "0 8 * * ? *",
            "cron(0 8 * * * *)",
            "cron(0 8 ? * ? *)",
            "cron(0 8 * * ?)",
            "cron(99 8 * * ? *)",
            "cron(0 8 ? * 0 *)",
            "cron(0 8 ? * 8 *)",
            "rate(0 minutes)",
            "rate(5)",
            "rate(5 seconds)",
            "at(2026-05-01)",
            "at(2026-05-01 08:00:00)",
            "at(2026-13-01T08:00:00)",
        ] {
            assert_eq!(Schedule::parse(text).unwrap_err().code, "ValidationException", "{text}");
        }
        assert_eq!(zone(Some("Mars/Olympus")).unwrap_err().code, "ValidationException");
    }
}
