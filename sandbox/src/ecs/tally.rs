//! What a deployment learns from its tasks: digests, and what its breaker counts (aws.md §3.5, §3.9).

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Ecs,
    model::{Backoff, Deployment, Rollout},
    task::TaskId,
};
use crate::{clock::after, input};

impl Ecs {
    pub(super) fn pinned_digests(&self, id: TaskId) -> BTreeMap<String, String> {
        let owner = self.tasks.get(&id).and_then(|task| task.owner);
        let deployment = owner.and_then(|(service, number)| {
            self.services.get(&service).and_then(|service| service.deployment(number))
        });
        deployment.map(|one| one.digests.clone()).unwrap_or_default()
    }

    pub(super) fn pin_digests(&mut self, id: TaskId, digests: BTreeMap<String, String>) {
        let unpinned = self.unpinned_containers(id);
        if let Some(deployment) = self.deployment_of(id) {
            for (name, digest) in digests {
                if !unpinned.contains(&name) {
                    deployment.digests.entry(name).or_insert(digest);
                }
            }
        }
    }

    /// Containers that opt out of version consistency.
    fn unpinned_containers(&self, id: TaskId) -> Vec<String> {
        let definition = self.tasks.get(&id).and_then(|task| self.definition(&task.definition));
        definition.map_or_else(Vec::new, |definition| {
            definition
                .containers()
                .iter()
                .filter(|one| input::text(one, "versionConsistency") == Some("disabled"))
                .filter_map(|one| input::text(one, "name"))
                .map(str::to_owned)
                .collect()
        })
    }

    fn deployment_of(&mut self, id: TaskId) -> Option<&mut Deployment> {
        let (service, number) = self.tasks.get(&id)?.owner?;
        self.services.get_mut(&service)?.deployment_mut(number)
    }

    pub(super) fn count_failed_start(&mut self, id: TaskId, now: Timestamp) {
        let resets = self.breaker_resets(id);
        let (first, most) = (self.timings.restart_delay, self.timings.restart_delay_most);
        let Some(deployment) = self.deployment_of(id) else { return };
        if deployment.rollout == Rollout::InProgress {
            deployment.breaker.count_failed_start(resets);
        }
        let backoff = &mut deployment.backoff;
        if backoff.until.is_none_or(|until| until <= now) {
            let delay = first.saturating_mul(1 << backoff.attempts.min(20)).min(most);
            backoff.attempts += 1;
            backoff.until = Some(after(now, delay));
        }
    }

    pub(super) fn count_running(&mut self, id: TaskId) {
        let resets = self.breaker_resets(id);
        if let Some(deployment) = self.deployment_of(id) {
            deployment.breaker.count_running(resets);
            deployment.backoff = Backoff::default();
        }
    }

    pub(super) fn count_healthy(&mut self, id: TaskId) {
        let resets = self.breaker_resets(id);
        if let Some(deployment) = self.deployment_of(id) {
            deployment.breaker.count_healthy(resets);
        }
    }

    pub(super) fn count_failed_check(&mut self, id: TaskId) {
        if let Some(deployment) = self.deployment_of(id)
            && deployment.rollout == Rollout::InProgress
        {
            deployment.breaker.count_failed_check();
        }
    }

    fn breaker_resets(&self, id: TaskId) -> bool {
        let owner = self.tasks.get(&id).and_then(|task| task.owner);
        owner
            .and_then(|(service, _)| self.services.get(&service))
            .is_none_or(|service| service.breaker_settings().resets)
    }
}
