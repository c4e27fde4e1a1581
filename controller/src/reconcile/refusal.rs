//! Specs that AWS refused for good.

use std::sync::PoisonError;
use std::time::Duration;

use crds::{ObjectKey, SpecHash};
use planner::Desired;
use tokio::time::Instant;

use super::Context;
use crate::apply::Outcome;
use crate::aws::{self, Retry};

/// How long a spec that AWS refused for good is not sent again.
const REFUSED_FOR: Duration = Duration::from_hours(1);

/// A spec that AWS refused in a way that trying again cannot mend: sending it each minute would only use up the rates.
#[derive(Debug, Clone)]
pub struct Refusal {
    spec: SpecHash,
    error: aws::Error,
    until: Instant,
}

/// Why this very spec was refused, while that is not long ago.
pub(super) fn of(context: &Context, desired: &Desired) -> Option<aws::Error> {
    let refusals = context.refusals.lock().unwrap_or_else(PoisonError::into_inner);
    refusals
        .get(&desired.key)
        .filter(|refusal| refusal.spec == desired.spec_hash && Instant::now() < refusal.until)
        .map(|refusal| refusal.error.clone())
}

/// Notes whether AWS refused the spec for good.
pub(super) fn note(context: &Context, desired: &Desired, outcome: &Outcome) {
    let mut refusals = context.refusals.lock().unwrap_or_else(PoisonError::into_inner);
    match &outcome.error {
        Some(error) if error.retry() == Retry::Never => {
            let known = refusals.get(&desired.key);
            if known.is_none_or(|known| {
                known.spec != desired.spec_hash || Instant::now() >= known.until
            }) {
                let (spec, error) = (desired.spec_hash.clone(), error.clone());
                let until = Instant::now() + REFUSED_FOR;
                refusals.insert(desired.key.clone(), Refusal { spec, error, until });
            }
        }
        Some(_) | None => {
            refusals.remove(&desired.key);
        }
    }
}

/// Forgets a service that is gone.
pub(super) fn forget(context: &Context, key: &ObjectKey) {
    context.refusals.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
}
