//! Scheduled actions that can never fire again.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::form::{list, parse_time, text};

/// Takes actions out of the block that are over and that AWS has no more: it would refuse them.
pub(super) fn remove(block: &mut Value, observed: &Value, now: Timestamp) {
    let Some(actions) = block.get_mut("scheduled").and_then(Value::as_array_mut) else { return };
    actions.retain(|action| {
        let is_there =
            list(observed, "scheduled").any(|one| text(one, "name") == text(action, "name"));
        is_there || !is_over(action, now)
    });
}

fn is_over(action: &Value, now: Timestamp) -> bool {
    let end = text(action, "endTime").and_then(parse_time);
    end.is_some_and(|end| end <= now) || once(action).is_some_and(|when| when <= now)
}

/// When an action with `at(…)` fires. A zone that is not known decides nothing.
fn once(action: &Value) -> Option<Timestamp> {
    let when: DateTime =
        text(action, "schedule")?.strip_prefix("at(")?.strip_suffix(')')?.parse().ok()?;
    let zone = TimeZone::get(text(action, "timezone").unwrap_or("UTC")).ok()?;
    zone.to_timestamp(when).ok()
}
