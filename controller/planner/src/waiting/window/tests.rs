//! Windows over a week, and over the two nights on which clocks change.

use super::*;

fn window(kind: WindowKind, schedule: &str, duration: &str, timezone: &str) -> Window {
    Window {
        kind,
        schedule: schedule.to_owned(),
        duration: duration.parse().unwrap(),
        timezone: Some(timezone.to_owned()),
    }
}

fn allow(schedule: &str, duration: &str, timezone: &str) -> Window {
    window(WindowKind::Allow, schedule, duration, timezone)
}

fn deny(schedule: &str, duration: &str, timezone: &str) -> Window {
    window(WindowKind::Deny, schedule, duration, timezone)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What the windows say of each moment: `now`, `never`, or the moment of the next opening.
fn check(windows: &[Window], moments: &[(&str, &str)]) {
    let windows = Windows::of(windows);
    for (moment, expected) in moments {
        let said = match windows.opening(at(moment)) {
            Opening::Now => "now".to_owned(),
            Opening::At(next) => next.to_string(),
            Opening::Never => "never".to_owned(),
        };
        assert_eq!(said, *expected, "at {moment}");
    }
}

#[test]
fn without_windows_changes_go_at_any_time() {
    check(&[], &[("2026-03-01T00:00:00Z", "now")]);
}

#[test]
fn an_allowed_window_opens_at_its_start_and_closes_at_its_end() {
    // 2026-03-02 is a Monday; Berlin is one hour ahead.
    check(
        &[allow("0 9 * * MON-FRI", "8h", "Europe/Berlin")],
        &[
            ("2026-03-01T12:00:00Z", "2026-03-02T08:00:00Z"),
            ("2026-03-02T07:59:59Z", "2026-03-02T08:00:00Z"),
            ("2026-03-02T08:00:00Z", "now"),
            ("2026-03-02T15:59:59Z", "now"),
            ("2026-03-02T16:00:00Z", "2026-03-03T08:00:00Z"),
            ("2026-03-06T16:00:00Z", "2026-03-09T08:00:00Z"),
        ],
    );
}

#[test]
fn a_denied_window_wins_and_its_end_is_an_opening() {
    check(
        &[deny("0 12 * * *", "90m", "UTC")],
        &[
            ("2026-03-01T11:59:59Z", "now"),
            ("2026-03-01T12:00:00Z", "2026-03-01T13:30:00Z"),
            ("2026-03-01T13:30:00Z", "now"),
        ],
    );
    let both = [allow("0 8 * * *", "8h", "UTC"), deny("0 12 * * *", "1h", "UTC")];
    check(
        &both,
        &[
            ("2026-03-01T07:00:00Z", "2026-03-01T08:00:00Z"),
            ("2026-03-01T12:30:00Z", "2026-03-01T13:00:00Z"),
            ("2026-03-01T16:00:00Z", "2026-03-02T08:00:00Z"),
        ],
    );
    // A denied window over the whole allowed one: the next day's is the opening.
    let covered = [allow("0 8 * * *", "1h", "UTC"), deny("0 0 1 3 *", "24h", "UTC")];
    check(&covered, &[("2026-03-01T07:00:00Z", "2026-03-02T08:00:00Z")]);
}

#[test]
fn windows_that_overlap_are_one() {
    check(
        &[allow("0 * * * *", "90m", "UTC")],
        &[("2026-03-01T00:00:00Z", "now"), ("2026-03-01T23:59:59Z", "now")],
    );
    check(&[deny("*/5 * * * *", "5m", "UTC")], &[("2026-03-01T00:00:00Z", "never")]);
}

#[test]
fn a_window_over_midnight_and_over_weeks_is_whole() {
    check(
        &[allow("0 22 * * FRI", "10h", "UTC")],
        &[("2026-03-07T07:59:59Z", "now"), ("2026-03-07T08:00:00Z", "2026-03-13T22:00:00Z")],
    );
    check(
        &[deny("0 0 20 12 *", "504h", "UTC")],
        &[("2026-12-31T10:00:00Z", "2027-01-10T00:00:00Z"), ("2026-12-19T23:59:59Z", "now")],
    );
}

/// 2026-03-29: at 01:00 UTC the clocks of Berlin go from 02:00 to 03:00.
#[test]
fn a_start_that_the_clock_skips_is_the_moment_at_which_it_does() {
    check(
        &[allow("30 2 * * *", "1h", "Europe/Berlin")],
        &[
            ("2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"),
            ("2026-03-29T01:00:00Z", "now"),
            ("2026-03-29T01:59:59Z", "now"),
            ("2026-03-29T02:00:00Z", "2026-03-30T00:30:00Z"),
        ],
    );
}

/// 2026-10-25: at 01:00 UTC the clocks of Berlin go from 03:00 back to 02:00.
#[test]
fn a_start_that_comes_twice_counts_once() {
    check(
        &[allow("30 2 * * *", "20m", "Europe/Berlin")],
        &[
            ("2026-10-25T00:29:59Z", "2026-10-25T00:30:00Z"),
            ("2026-10-25T00:49:59Z", "now"),
            // 02:30 comes again, and the window does not.
            ("2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"),
        ],
    );
    // While the clock shows 02:15 for the second time, the window of 02:45 is over; one of an hour still goes on.
    check(
        &[allow("45 2 * * *", "20m", "Europe/Berlin")],
        &[("2026-10-25T01:15:00Z", "2026-10-26T01:45:00Z")],
    );
    check(
        &[allow("45 2 * * *", "1h", "Europe/Berlin")],
        &[("2026-10-25T01:15:00Z", "now"), ("2026-10-25T01:45:00Z", "2026-10-26T01:45:00Z")],
    );
}

#[test]
fn a_duration_is_elapsed_time_over_both_changes() {
    // From 22:00 for eight hours: until 06:00 by the clock, 07:00 in spring, 05:00 in autumn.
    let night = [allow("0 22 * * *", "8h", "Europe/Berlin")];
    check(
        &night,
        &[("2026-03-02T04:59:59Z", "now"), ("2026-03-02T05:00:00Z", "2026-03-02T21:00:00Z")],
    );
    check(
        &night,
        &[("2026-03-29T04:59:59Z", "now"), ("2026-03-29T05:00:00Z", "2026-03-29T20:00:00Z")],
    );
    check(
        &night,
        &[("2026-10-25T03:59:59Z", "now"), ("2026-10-25T04:00:00Z", "2026-10-25T21:00:00Z")],
    );
}

#[test]
fn what_cannot_be_read_is_told_with_what_would_be_right() {
    let good = allow("0 9 * * MON-FRI", "8h", "Europe/Berlin");
    assert_eq!(faults(&good), []);
    for (edited, member, hint) in [
        (Window { schedule: "0 9 * *".into(), ..good.clone() }, "schedule", "0 9 * * MON-FRI"),
        (Window { schedule: "0 0 9 * * MON".into(), ..good.clone() }, "schedule", "minute hour"),
        (Window { schedule: "0 25 * * *".into(), ..good.clone() }, "schedule", "minute hour"),
        (Window { schedule: "0 0 30 2 *".into(), ..good.clone() }, "schedule", "minute hour"),
        (Window { timezone: Some("Berlin".into()), ..good.clone() }, "timezone", "Europe/Berlin"),
        (Window { duration: "0s".parse().unwrap(), ..good.clone() }, "duration", "8h"),
        (Window { duration: "9601h".parse().unwrap(), ..good.clone() }, "duration", "8h"),
    ] {
        let [fault] = faults(&edited).try_into().unwrap();
        assert_eq!(fault.member, member, "{fault:?}");
        assert!(fault.hint.contains(hint), "{fault:?}");
        // And nothing is let through on its account.
        assert_eq!(Windows::of(&[edited]).opening(at("2026-03-02T10:00:00Z")), Opening::Never);
    }
}
