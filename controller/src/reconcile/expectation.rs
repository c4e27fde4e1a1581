//! What this process changed last, as long as reads may not show it yet (aws.md §0: reads are eventually consistent).

use std::sync::PoisonError;
use std::time::Duration;

use crds::{ObjectKey, SpecHash};
use planner::observed::Deployment;
use planner::{Action, Desired, Observed, Plan, rollout};
use tokio::time::Instant;

use super::Context;
use crate::apply::Outcome;

/// How long a read may be older than our own last change before it is believed anyway.
const STALE_FOR: Duration = Duration::from_mins(1);
/// How long ECS's two views of a service may contradict each other before they are believed anyway (aws.md §0).
const TORN_FOR: Duration = Duration::from_mins(2);

/// Our own last change: what it sent, and the deployments that the next reads should show.
#[derive(Debug, Clone, Default)]
pub struct Expectation {
    sent: Option<SpecHash>,
    deployments: Vec<Deployment>,
    /// The hooks that were answered and wait no more.
    answered: Vec<String>,
    /// Until when reads need not show these.
    until: Option<Instant>,
    /// Since when what is read contradicts itself.
    torn_since: Option<Instant>,
}

impl Expectation {
    /// Whether a read that was asked for then may be older than our last change.
    fn is_open(&self, asked: Instant) -> bool {
        self.until.is_some_and(|until| asked < until)
    }

    /// Whether a read shows a deployment of ours, or a newer one; where ours has given way, with the record that says why. That
    /// says nothing of the next read, which may come from elsewhere.
    fn is_shown(&self, observed: &Observed) -> bool {
        let shown = || observed.service.iter().flat_map(|service| &service.deployments);
        let is_shown = |ours: &Deployment| shown().any(|shown| shown.id == ours.id);
        let has_given_way = |ours: &Deployment| shown().any(|shown| is_newer(shown, ours));
        let is_recorded = |ours: &Deployment| {
            observed.deployments.as_ref().is_none_or(|records| {
                records.iter().any(|record| record.target_revision == ours.revision_number())
            })
        };
        self.deployments.is_empty()
            || self
                .deployments
                .iter()
                .any(|ours| is_shown(ours) || has_given_way(ours) && is_recorded(ours))
    }
}

/// Whether nothing may be made of a read now: it is older than our own last change, or one half of it is older than the other. A
/// read is as old as the moment when its first part was asked for: the rest of a turn's reads may hang for long.
pub(crate) fn is_too_old(
    context: &Context,
    key: &ObjectKey,
    (observed, asked): (&Observed, Instant),
) -> bool {
    let mut expectations = context.expectations.lock().unwrap_or_else(PoisonError::into_inner);
    let is_torn = rollout::is_torn(observed);
    if is_torn {
        expectations.entry(key.clone()).or_default().torn_since.get_or_insert(asked);
    }
    let Some(expectation) = expectations.get_mut(key) else { return false };
    if !is_torn {
        expectation.torn_since = None;
    }
    if !expectation.is_open(asked) {
        expectation.deployments.clear();
    }
    let is_new = |since: Instant| asked.duration_since(since) < TORN_FOR;
    expectation.torn_since.is_some_and(is_new)
        || expectation.is_open(asked) && !expectation.is_shown(observed)
}

/// Takes hooks that this process has just answered out of a read that may be older than the answer: each is answered once.
pub(super) fn forget_answered(
    context: &Context,
    key: &ObjectKey,
    (observed, asked): (&mut Observed, Instant),
) {
    let expectations = context.expectations.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(expectation) = expectations.get(key).filter(|one| one.is_open(asked)) else {
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
    let has_sent = plan.actions.iter().take(outcome.done).any(Action::sends_spec);
    if !has_sent && outcome.deployments.is_empty() && outcome.answered.is_empty() {
        return;
    }
    let sent = if has_sent { Some(desired.spec_hash.clone()) } else { sent(context, &desired.key) };
    expect(context, &desired.key, sent, outcome);
    let is_deletion = |action: &Action| matches!(action, Action::DeleteService { .. });
    if plan.actions.iter().take(outcome.done).any(is_deletion) {
        // What is gone has none.
        let mut expectations = context.expectations.lock().unwrap_or_else(PoisonError::into_inner);
        expectations.entry(desired.key.clone()).or_default().deployments.clear();
    }
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
    let expectation = expectations.entry(key.clone()).or_default();
    expectation.sent = sent;
    if !outcome.deployments.is_empty() {
        expectation.deployments.clone_from(&outcome.deployments);
        expectation.answered.clear();
    }
    expectation.answered.extend(outcome.answered.iter().cloned());
    expectation.until = Some(Instant::now() + STALE_FOR);
}

/// Forgets a service that is gone.
pub(super) fn forget(context: &Context, key: &ObjectKey) {
    context.expectations.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
}
