//! What is said of a service whose spec refers to values outside that could not be read, or comes from a source that could not.

use crds::{
    Condition, ConditionStatus, ConditionType, HoldStatus, Reason, ServiceStatus, SyncStatus,
};
use jiff::{SignedDuration, Timestamp};

use super::since;

/// How long a source may be silent before nobody knows any more whether what is in force is what is wanted.
const SILENCE_MAX: SignedDuration = SignedDuration::from_mins(10);

/// The status of a service whose newest spec waits for a value that is not known, while the last good one stays in force.
pub fn with_pending(
    mut status: ServiceStatus,
    reason: Reason,
    message: &str,
    previous: Option<&ServiceStatus>,
    now: Timestamp,
) -> ServiceStatus {
    // What has not been asked for yet will be known in a moment.
    let is_new = reason == Reason::NotYetObserved;
    for condition in &mut status.conditions {
        let holds = match condition.kind {
            ConditionType::Ready => false,
            ConditionType::Reconciling => is_new || condition.status == ConditionStatus::True,
            ConditionType::Stalled => !is_new,
            ConditionType::WrittenBack | ConditionType::SourceReady => continue,
        };
        let message = format!("the last good spec stays in force: {message}");
        say(condition, holds, reason, message, previous, now);
    }
    status.sync = SyncStatus::OutOfSync;
    if !is_new {
        status.holds.retain(|hold| hold.reason != reason);
        status.holds.push(HoldStatus { reason, message: message.to_owned() });
    }
    status
}

/// The status of a service whose spec is in force with values that could not be read again.
pub fn with_stale(
    mut status: ServiceStatus,
    reason: Reason,
    message: &str,
    previous: Option<&ServiceStatus>,
    now: Timestamp,
) -> ServiceStatus {
    for condition in &mut status.conditions {
        let is_said = condition.status == ConditionStatus::True;
        if condition.kind == ConditionType::Stalled && !is_said {
            say(condition, true, reason, message.to_owned(), previous, now);
        }
    }
    status
}

/// The status of a service whose spec comes from a source of which this is said; `ready` is the source's own condition.
///
/// What is in force stays so, which is why nothing but `sync` changes beside the new condition.
pub fn with_source(
    mut status: ServiceStatus,
    ready: Option<&Condition>,
    now: Timestamp,
) -> ServiceStatus {
    status.conditions.retain(|condition| condition.kind != ConditionType::SourceReady);
    let Some(ready) = ready.filter(|ready| ready.status == ConditionStatus::False) else {
        return status;
    };
    let is_silent = now.duration_since(ready.last_transition_time) >= SILENCE_MAX;
    if status.sync == SyncStatus::Synced && (is_silent || ready.reason == Reason::SourceUntrusted) {
        status.sync = SyncStatus::Unknown;
    }
    status.conditions.push(Condition {
        kind: ConditionType::SourceReady,
        observed_generation: status.observed_generation,
        ..ready.clone()
    });
    status
}

fn say(
    condition: &mut Condition,
    holds: bool,
    reason: Reason,
    message: String,
    previous: Option<&ServiceStatus>,
    now: Timestamp,
) {
    condition.status = if holds { ConditionStatus::True } else { ConditionStatus::False };
    condition.last_transition_time = since(previous, condition.kind, condition.status, now);
    condition.reason = reason;
    condition.message = message;
}
