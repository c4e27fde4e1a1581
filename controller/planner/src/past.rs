//! The release history: what each rollout brought and how it ended.

#[cfg(test)]
mod tests;

use crds::{PastRelease, ReleaseOutcome, ReleasedImage, SpecHash};
use jiff::Timestamp;
use serde_json::Value;

use crate::desired::Desired;
use crate::explain::Kept;
use crate::observed::{
    Deployment, Observed, ObservedService, ObservedTaskDefinition, ServiceState,
};
use crate::orders::Stopped;
use crate::rollout::{self, DeploymentStatus};

/// How many releases of a service are kept.
pub const KEPT: usize = 20;

/// `family:7` out of a revision's ARN.
pub fn short_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The history after a look at the service, newest first. It is the same when nothing has begun or ended since.
pub fn after(
    past: &[PastRelease],
    desired: &Desired,
    observed: &Observed,
    now: Timestamp,
) -> Vec<PastRelease> {
    let mut releases = past.to_vec();
    let Some(service) = &observed.service else { return releases };
    let Some(primary) = service.primary() else { return releases };
    let present = primary.revision_number();
    for release in releases.iter_mut().filter(|release| release.id != present) {
        if release.outcome == ReleaseOutcome::InProgress {
            let (outcome, reason) = outcome_of_former(&release.id, observed);
            end(release, outcome, reason, now);
        }
    }
    let outcome = outcome_of_primary(service, primary, observed);
    let reason = || primary.rollout_reason.clone();
    if let Some(release) = releases.iter_mut().find(|release| release.id == present) {
        let may_end =
            matches!(release.outcome, ReleaseOutcome::InProgress | ReleaseOutcome::Superseded);
        if may_end && outcome != ReleaseOutcome::InProgress {
            end(release, outcome, reason(), now);
        }
        add_digests(release, observed);
    } else {
        let Some(revision) = &observed.task_definition else { return releases };
        let mut release = begun(desired, revision, primary);
        end(&mut release, outcome, reason(), now);
        add_digests(&mut release, observed);
        releases.insert(0, release);
        releases.truncate(KEPT);
    }
    releases
}

/// The spec of the newest release that ended well.
pub fn last_good(past: &[PastRelease]) -> Option<SpecHash> {
    let good = past.iter().find(|release| release.outcome == ReleaseOutcome::Successful);
    good.and_then(|release| release.spec_hash.clone())
}

/// The history once a release was left that ECS itself had brought to a good end.
pub fn undone(past: &mut [PastRelease], deployment: &str, why: &str, now: Timestamp) {
    let id = deployment.rsplit('/').next().unwrap_or(deployment);
    if let Some(release) = past.iter_mut().find(|release| release.id == id)
        && release.outcome != ReleaseOutcome::RolledBack
    {
        end(release, ReleaseOutcome::RolledBack, Some(why.to_owned()), now);
    }
}

/// Says why Longshore stopped a release, where ECS only knows that somebody did.
pub fn tell(past: &mut [PastRelease], stopped: &Stopped) {
    let undone = |release: &&mut PastRelease| {
        release.id == stopped.release
            && matches!(release.outcome, ReleaseOutcome::RolledBack | ReleaseOutcome::Failed)
    };
    for release in past.iter_mut().filter(undone) {
        release.reason = Some(stopped.message.clone());
    }
}

/// Says why the tasks of a release that failed did not run, where ECS only says that they did not.
pub fn explain(past: &mut [PastRelease], kept: &Kept) {
    let failed = |release: &&mut PastRelease| {
        release.id == kept.release()
            && matches!(release.outcome, ReleaseOutcome::RolledBack | ReleaseOutcome::Failed)
    };
    for release in past.iter_mut().filter(failed) {
        let reason = release.reason.take();
        release.reason = Some(match reason {
            Some(reason) => kept.explanation.added_to(&reason),
            None => kept.explanation.to_string(),
        });
    }
}

fn begun(
    desired: &Desired,
    revision: &ObservedTaskDefinition,
    primary: &Deployment,
) -> PastRelease {
    let spec = desired.is_content_of(revision).then_some(desired);
    let text = |value: &Value, member| value.get(member).and_then(Value::as_str).map(str::to_owned);
    let containers = revision.raw.get("containerDefinitions").and_then(Value::as_array);
    PastRelease {
        id: primary.revision_number().to_owned(),
        task_definition: short_name(&revision.arn).to_owned(),
        task_definition_arn: revision.arn.clone(),
        images: containers
            .into_iter()
            .flatten()
            .filter_map(|container| {
                let (container, image) = (text(container, "name")?, text(container, "image")?);
                Some(ReleasedImage { container, image, digest: None })
            })
            .collect(),
        spec_hash: spec.map(|desired| desired.spec_hash.clone()),
        source: spec.map(|desired| desired.provenance.source.clone()),
        commit: spec.map(|desired| desired.provenance.revision.clone()),
        started_at: primary.created_at,
        ended_at: None,
        outcome: ReleaseOutcome::InProgress,
        reason: None,
    }
}

fn end(release: &mut PastRelease, outcome: ReleaseOutcome, reason: Option<String>, now: Timestamp) {
    release.outcome = outcome;
    match outcome {
        ReleaseOutcome::InProgress => {}
        ReleaseOutcome::Successful => (release.ended_at, release.reason) = (Some(now), None),
        ReleaseOutcome::RolledBack | ReleaseOutcome::Failed | ReleaseOutcome::Superseded => {
            (release.ended_at, release.reason) = (Some(now), reason);
        }
    }
}

/// Whether a rollout that the service has left ended unseen, so that ECS's records have to be asked. Of a service that is
/// being deleted there are none.
pub fn has_open_end(past: &[PastRelease], service: &ObservedService) -> bool {
    let present = service.primary().map(Deployment::revision_number);
    let is_open = |release: &&PastRelease| release.outcome == ReleaseOutcome::InProgress;
    service.state == ServiceState::Active
        && past.iter().filter(is_open).any(|release| Some(release.id.as_str()) != present)
}

/// How the rollout ended that the service is at.
fn outcome_of_primary(
    service: &ObservedService,
    primary: &Deployment,
    observed: &Observed,
) -> ReleaseOutcome {
    match primary.rollout_state.as_deref() {
        Some("COMPLETED") => ReleaseOutcome::Successful,
        Some("FAILED") => ReleaseOutcome::Failed,
        Some(_) => ReleaseOutcome::InProgress,
        // Without a word and without a record the tasks say it. Records that were not read may say otherwise.
        None if observed.deployments.is_none() || rollout::is_moving(service) => {
            ReleaseOutcome::InProgress
        }
        None => ReleaseOutcome::Successful,
    }
}

/// How a rollout ended that the service has left since.
fn outcome_of_former(id: &str, observed: &Observed) -> (ReleaseOutcome, Option<String>) {
    let Some(record) = record_of(id, observed) else {
        // What was not read may have ended well.
        let is_read = observed.deployments.is_some();
        let outcome = if is_read { ReleaseOutcome::Superseded } else { ReleaseOutcome::InProgress };
        return (outcome, None);
    };
    let outcome = match record.status {
        DeploymentStatus::Successful => ReleaseOutcome::Successful,
        DeploymentStatus::RollbackSuccessful
        | DeploymentStatus::RollbackRequested
        | DeploymentStatus::RollbackInProgress => ReleaseOutcome::RolledBack,
        DeploymentStatus::RollbackFailed => ReleaseOutcome::Failed,
        DeploymentStatus::Pending
        | DeploymentStatus::InProgress
        | DeploymentStatus::Stopped
        | DeploymentStatus::StopRequested
        | DeploymentStatus::Other(_) => ReleaseOutcome::Superseded,
    };
    (outcome, record.reason.clone())
}

fn record_of<'a>(
    id: &str,
    observed: &'a Observed,
) -> Option<&'a crate::observed::ServiceDeployment> {
    observed.deployments.iter().flatten().find(|record| record.target_revision == id)
}

/// Digests are known once tasks run.
fn add_digests(release: &mut PastRelease, observed: &Observed) {
    let resolved = observed.images.iter().flatten();
    for found in resolved {
        let image = release.images.iter_mut().find(|image| image.container == found.container);
        if let Some(image) = image.filter(|image| image.digest.is_none()) {
            image.digest = Some(found.digest.clone());
        }
    }
}
