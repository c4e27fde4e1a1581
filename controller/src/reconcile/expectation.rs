//! What this process changed last, as long as reads may not show it yet (aws.md §0: reads are eventually consistent).

use std::sync::PoisonError;
use std::time::Duration;

use crds::{ObjectKey, SpecHash};
use planner::observed::Deployment;
use planner::{Desired, Observed, Plan};
use tokio::time::Instant;

use super::Context;
use crate::apply::Outcome;

/// How long a read may be older than our own last change before it is believed anyway.
const STALE_FOR: Duration = Duration::from_mins(1);

/// Our own last change: what it sent, and the deployments that the next reads should show.
#[derive(Debug, Clone)]
pub struct Expectation {
    sent: Option<SpecHash>,
    deployments: Vec<Deployment>,
    /// The hooks that were answered and wait no more.
    answered: Vec<String>,
    until: Instant,
}

/// Whether a read is older than our own last change. It is as old as the moment when its first part was asked for: the rest of
/// a turn's reads may hang for long.
pub(crate) fn is_stale(
    context: &Context,
    key: &ObjectKey,
    (observed, asked): (&Observed, Instant),
) -> bool {
    let mut expectations = context.expectations.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(expectation) = expectations.get_mut(key) else { return false };
    if expectation.deployments.is_empty() {
        return false;
    }
    let shown = observed.service.as_ref().is_some_and(|service| {
        service.deployments.iter().any(|shown| {
            expectation.deployments.iter().any(|ours| shown.id == ours.id || is_newer(shown, ours))
        })
    });
    if asked >= expectation.until {
        expectation.deployments.clear();
        return false;
    }
    // A read that shows it says nothing of the next one, which may come from elsewhere.
    !shown
}

/// Takes hooks that this process has just answered out of a read that may be older than the answer: each is answered once.
pub(super) fn forget_answered(
    context: &Context,
    key: &ObjectKey,
    (observed, asked): (&mut Observed, Instant),
) {
    let expectations = context.expectations.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(expectation) = expectations.get(key).filter(|one| asked < one.until) else {
        return;
    };
    for record in observed.deployments.iter_mut().flatten() {
        record.waiting.retain(|hook| !expectation.answered.contains(&hook.id));
    }
}

/// Whether a deployment changed after another one began. ECS forgets what it rolled back and makes an older deployment PRIMARY
/// again, so a read may be younger than our change and not know it.
fn is_newer(deployment: &Deployment, than: &Deployment) -> bool {
    matches!((deployment.updated_at, than.created_at), (Some(its), Some(ours)) if its > ours)
}

/// The spec that this process last sent.
pub(super) fn sent(context: &Context, key: &ObjectKey) -> Option<SpecHash> {
    let expectations = context.expectations.lock().unwrap_or_else(PoisonError::into_inner);
    expectations.get(key).and_then(|expectation| expectation.sent.clone())
}

/// Notes what this process has just changed.
pub(super) fn note(context: &Context, desired: &Desired, plan: &Plan, outcome: &Outcome) {
    // Neither a hook's task nor its answer is a part of the spec: the rollout may be one that a person asked for. Nor does a
    // call that failed send anything.
    let has_sent = plan.actions.iter().take(outcome.done).any(planner::Action::sends_spec);
    if !has_sent && outcome.deployments.is_empty() && outcome.answered.is_empty() {
        return;
    }
    let sent = if has_sent { Some(desired.spec_hash.clone()) } else { sent(context, &desired.key) };
    expect(context, &desired.key, sent, outcome);
}

/// The same for a change that a person asked for: what was sent last is still the spec that was sent last.
pub(crate) fn expect_deployments(context: &Context, key: &ObjectKey, outcome: &Outcome) {
    if outcome.deployments.is_empty() && outcome.answered.is_empty() {
        return;
    }
    expect(context, key, sent(context, key), outcome);
}

fn expect(context: &Context, key: &ObjectKey, sent: Option<SpecHash>, outcome: &Outcome) {
    let mut expectations = context.expectations.lock().unwrap_or_else(PoisonError::into_inner);
    let before = expectations.remove(key);
    let (mut deployments, mut answered) =
        before.map(|before| (before.deployments, before.answered)).unwrap_or_default();
    if !outcome.deployments.is_empty() {
        deployments.clone_from(&outcome.deployments);
        answered.clear();
    }
    answered.extend(outcome.answered.iter().cloned());
    let until = Instant::now() + STALE_FOR;
    expectations.insert(key.clone(), Expectation { sent, deployments, answered, until });
}

/// Forgets a service that is gone.
pub(super) fn forget(context: &Context, key: &ObjectKey) {
    context.expectations.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
}
