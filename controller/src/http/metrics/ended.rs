//! Which turn ended a rollout, and how.

use std::time::Duration;

use crds::{Reason, RolloutStatus, ServiceStatus};
use jiff::Timestamp;

use super::RolloutResult;

/// How the rollout that was under way before a turn stands after it: its result and how long it took, once it has ended.
pub fn ended_rollout(
    before: Option<&ServiceStatus>,
    after: &ServiceStatus,
    now: Timestamp,
) -> Option<(RolloutResult, Duration)> {
    let before = before?;
    let is_under_way = matches!(
        reason(before)?,
        Reason::RolloutInProgress
            | Reason::ProgressDeadlineExceeded
            | Reason::ChecksRunning
            | Reason::ChecksInconclusive
            | Reason::ChecksFailed
    );
    if !is_under_way {
        return None;
    }
    let was: &RolloutStatus = before.rollout.as_ref()?;
    let results = [
        (Reason::RolloutSucceeded, RolloutResult::Succeeded),
        (Reason::RolledBack, RolloutResult::RolledBack),
        (Reason::RolloutFailed, RolloutResult::Failed),
        (Reason::SpecChanged, RolloutResult::Superseded),
    ];
    let now_says = reason(after)?;
    let (_, result) = results.into_iter().find(|(reason, _)| *reason == now_says)?;
    let took = now.duration_since(was.started_at?);
    Some((result, Duration::try_from(took).ok()?))
}

/// All conditions carry the same reason.
fn reason(status: &ServiceStatus) -> Option<Reason> {
    status.conditions.first().map(|condition| condition.reason)
}
