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

/// Whether this read is older than our own last change.
pub(crate) fn is_stale(context: &Context, key: &ObjectKey, observed: &Observed) -> bool {
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
    if shown || Instant::now() >= expectation.until {
        expectation.deployments.clear();
        return false;
    }
    true
}

/// Takes hooks that this process has just answered out of a read that may be older than the answer: each is answered once.
pub(super) fn forget_answered(context: &Context, key: &ObjectKey, observed: &mut Observed) {
    let expectations = context.expectations.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(expectation) = expectations.get(key).filter(|one| Instant::now() < one.until) else {
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
    // A hook is no part of the spec that the service has been sent.
    let sends = plan.actions.iter().any(planner::Action::sends_spec);
    if outcome.done == 0 || !sends {
        return;
    }
    // Answering a hook sends no spec: the rollout may be one that a person asked for. Nor does what was done before a call
    // that failed.
    let has_sent = plan.actions.iter().take(outcome.done).any(planner::Action::sends_spec);
    let expectation = Expectation {
        sent: if has_sent { Some(desired.spec_hash.clone()) } else { sent(context, &desired.key) },
        deployments: outcome.deployments.clone(),
        answered: outcome.answered.clone(),
        until: Instant::now() + STALE_FOR,
    };
    context
        .expectations
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(desired.key.clone(), expectation);
}

/// The same for a change that a person asked for: what was sent last is still the spec that was sent last.
pub(crate) fn expect_deployments(context: &Context, key: &ObjectKey, outcome: &Outcome) {
    if outcome.deployments.is_empty() && outcome.answered.is_empty() {
        return;
    }
    let expectation = Expectation {
        sent: sent(context, key),
        deployments: outcome.deployments.clone(),
        answered: outcome.answered.clone(),
        until: Instant::now() + STALE_FOR,
    };
    context
        .expectations
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(key.clone(), expectation);
}

/// Forgets a service that is gone.
pub(super) fn forget(context: &Context, key: &ObjectKey) {
    context.expectations.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
}
