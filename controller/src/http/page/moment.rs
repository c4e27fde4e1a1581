//! Times as people read them: how long ago, and exactly when.

use jiff::Timestamp;

/// A time in the three forms that a page needs.
pub(super) struct Moment {
    /// For programs.
    pub(super) iso: String,
    /// For whoever points at it.
    pub(super) exact: String,
    /// For whoever glances at it.
    pub(super) ago: String,
}

/// A time to come, in the two forms that a page needs.
pub(super) struct Until {
    /// For programs.
    pub(super) iso: String,
    /// For people.
    pub(super) exact: String,
}

impl Until {
    pub(super) fn new(at: Timestamp) -> Self {
        let Moment { iso, exact, .. } = Moment::new(at, at);
        Self { iso, exact }
    }
}

impl Moment {
    pub(super) fn new(at: Timestamp, now: Timestamp) -> Self {
        let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
        Self {
            iso: at.to_string(),
            exact: at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            ago: ago(at, now),
        }
    }
}

/// The script of the pages says it in the same words; keep the two alike.
fn ago(at: Timestamp, now: Timestamp) -> String {
    match now.as_second().saturating_sub(at.as_second()) {
        ..5 => "just now".to_owned(),
        seconds @ ..60 => format!("{seconds} s ago"),
        seconds @ ..3_600 => format!("{} min ago", seconds / 60),
        seconds @ ..172_800 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        for (at, told) in [
            ("2026-11-21T12:00:30Z", "just now"),
            ("2026-11-21T11:59:58Z", "just now"),
            ("2026-11-21T11:59:15Z", "45 s ago"),
            ("2026-11-21T11:01:00Z", "59 min ago"),
            ("2026-11-20T11:00:00Z", "25 h ago"),
            ("2026-11-01T12:00:00Z", "20 d ago"),
        ] {
            assert_eq!(ago(at.parse().unwrap(), now), told, "{at}");
        }
        let moment = Moment::new("2026-11-21T11:59:15.678Z".parse().unwrap(), now);
        assert_eq!(
            (moment.iso.as_str(), moment.exact.as_str()),
            ("2026-11-21T11:59:15Z", "2026-11-21 11:59:15 UTC")
        );
    }
}
