//! The explanation that stays when AWS has forgotten: stopped tasks are shown for an hour, events scroll away, and a deployment
//! that failed leaves the service.

use serde::{Deserialize, Serialize};

use super::{Explanation, attempt, cause, endings, record_of};
use crate::desired::Desired;
use crate::observed::Observed;
use crate::rollout::{self, Rollout};

/// Why a rollout does not come on, or failed, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kept {
    /// The deployment, `ecs-svc/…`.
    pub deployment: String,
    /// Why.
    pub explanation: Explanation,
    /// Whether the rollout has failed: then this stays as it is.
    pub is_final: bool,
}

impl Kept {
    /// The number of the service revision that the deployment led to: the release's id.
    pub fn release(&self) -> &str {
        self.deployment.rsplit('/').next().unwrap_or(&self.deployment)
    }

    /// The same with another text in place of each that AWS wrote.
    #[must_use]
    pub fn rewritten(mut self, rewrite: impl Fn(&str) -> String) -> Self {
        self.explanation.what = rewrite(&self.explanation.what);
        self.explanation.words = rewrite(&self.explanation.words);
        self
    }
}

/// What is to be kept after a look: the first explanation of the newest rollout, until a graver one comes or the rollout fails.
/// What was known when it failed stays until another rollout needs explaining. A rollout that ends well leaves nothing.
pub fn keep(before: Option<&Kept>, desired: &Desired, observed: &Observed) -> Option<Kept> {
    let Some(deployment) = attempt(desired, observed) else { return before.cloned() };
    let own = before.filter(|kept| kept.deployment == deployment);
    let is_over = match rollout::stands(desired, observed) {
        Rollout::Succeeded if own.is_some() => return None,
        Rollout::NotStarted | Rollout::Succeeded => return before.cloned(),
        Rollout::InProgress => false,
        Rollout::RollingBack(_) | Rollout::RolledBack(_) | Rollout::Failed(_) => true,
    };
    if own.is_some_and(|kept| kept.is_final) {
        return own.cloned();
    }
    let known = own.map(|kept| kept.explanation.clone());
    let explanation = match (known, cause(observed, &deployment)) {
        (Some(known), Some(now)) if is_over && known.weight() < now.weight() => known,
        (Some(known), Some(now)) if !is_over && known.weight() <= now.weight() => known,
        (_, Some(now)) => now,
        (Some(known), None) if !is_over || failed_by_its_tasks(observed, &deployment) => known,
        // It was stopped for another reason than what was seen on the way.
        (Some(_), None) => return None,
        (None, None) => return before.cloned(),
    };
    Some(Kept { deployment, explanation, is_final: is_over })
}

fn failed_by_its_tasks(observed: &Observed, deployment: &str) -> bool {
    record_of(observed, deployment).is_some_and(endings::is_about_tasks)
}
