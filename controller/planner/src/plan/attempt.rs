//! The tag that tells an attempt of a spec which nobody lived to write down.
//!
//! UpdateService sets no tags. A process that dies right after it leaves a service that runs one spec and names another. So
//! the spec's hash is written on the service before, with the newest rollout that there was: a rollout of that spec which is
//! newer is this very attempt, whoever finds it and however it has ended.

use super::{Action, Plan, differences};
use crate::desired::Desired;
use crate::observed::{Observed, ObservedService, ServiceDeployment};
use crate::ownership::{ATTEMPT, Tags, has_room};
use crate::rollout;

/// Writes on the service that the plan sends this spec for the first time, before it replaces tasks.
pub(super) fn before_rollout(
    mut plan: Plan,
    desired: &Desired,
    observed: &Observed,
    service: &ObservedService,
) -> Plan {
    // Rollouts that were not read cannot be told from later ones.
    let Some(records) = &observed.deployments else { return plan };
    let newest = records.first().map(id).unwrap_or_default();
    let value = format!("{}@{newest}", desired.spec_hash);
    let mark = Tags::from([(ATTEMPT.to_owned(), value.clone())]);
    if differences::is_attempted(desired, service)
        || service.tags.get(ATTEMPT) == Some(&value)
        || !has_room(&service.tags, &mark)
    {
        return plan;
    }
    for actions in [&mut plan.actions, &mut plan.withheld] {
        let found = actions.iter().enumerate().find(|(_, action)| action.replaces_tasks());
        let Some((at, reason)) = found.map(|(at, action)| (at, action.reason())) else { continue };
        let before = at.checked_sub(1).and_then(|before| actions.get_mut(before));
        if let Some(Action::TagResource { tags, .. }) = before {
            tags.insert(ATTEMPT.to_owned(), value.clone());
            continue;
        }
        let tags = Tags::from([(ATTEMPT.to_owned(), value.clone())]);
        let arn = service.arn.clone();
        actions.insert(at, Action::TagResource { arn, tags, reason, changes: Vec::new() });
    }
    plan
}

/// Whether a rollout of this spec has begun since that was written, although the service does not carry its hash.
pub(super) fn was_sent(desired: &Desired, observed: &Observed, service: &ObservedService) -> bool {
    let mark = service.tags.get(ATTEMPT).and_then(|mark| mark.split_once('@'));
    let Some((_, before)) = mark.filter(|(spec, _)| *spec == desired.spec_hash.as_str()) else {
        return false;
    };
    let Some(attempt) = rollout::newest_attempt(desired, observed) else { return false };
    let is_newer = |record: &&ServiceDeployment| before.is_empty() || id(record) != before;
    let mut newer = observed.deployments.iter().flatten().take_while(is_newer);
    newer.any(|record| std::ptr::eq(record, attempt))
}

/// What stands in the mark's place once the service carries the spec's hash: a later spec that comes back was not sent yet.
pub(super) fn settled(desired: &Desired, service: &ObservedService) -> Option<(String, String)> {
    let is_other = |mark: &&String| mark.split('@').next() != Some(desired.spec_hash.as_str());
    service
        .tags
        .get(ATTEMPT)
        .filter(is_other)
        .map(|_| (ATTEMPT.to_owned(), desired.spec_hash.to_string()))
}

/// What tells a rollout from the others of its service.
fn id(record: &ServiceDeployment) -> &str {
    record.arn.rsplit('/').next().unwrap_or_default()
}
