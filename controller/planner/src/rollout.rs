//! What ECS's two views of a rollout say together (aws.md §3.1, §3.7).

use crate::Observed;
use crate::desired::Desired;
use crate::observed::{Deployment, ObservedService, ServiceDeployment};
use crate::plan;

/// The status of a service deployment. Unknown ones are kept as they came: the list is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeploymentStatus {
    /// Created, not started.
    Pending,
    /// Under way.
    InProgress,
    /// Ended well.
    Successful,
    /// Ended, superseded by a newer one or failed with nothing to go back to.
    Stopped,
    /// About to be stopped.
    StopRequested,
    /// About to be rolled back.
    RollbackRequested,
    /// Being rolled back.
    RollbackInProgress,
    /// Rolled back.
    RollbackSuccessful,
    /// Not even the rollback worked.
    RollbackFailed,
    /// A status that this version does not know.
    Other(String),
}

impl DeploymentStatus {
    /// Reads ECS's word.
    pub fn from_text(text: &str) -> Self {
        match text {
            "PENDING" => Self::Pending,
            "IN_PROGRESS" => Self::InProgress,
            "SUCCESSFUL" => Self::Successful,
            "STOPPED" => Self::Stopped,
            "STOP_REQUESTED" => Self::StopRequested,
            "ROLLBACK_REQUESTED" => Self::RollbackRequested,
            "ROLLBACK_IN_PROGRESS" => Self::RollbackInProgress,
            "ROLLBACK_SUCCESSFUL" => Self::RollbackSuccessful,
            "ROLLBACK_FAILED" => Self::RollbackFailed,
            other => Self::Other(other.to_owned()),
        }
    }

    /// ECS's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::Successful => "SUCCESSFUL",
            Self::Stopped => "STOPPED",
            Self::StopRequested => "STOP_REQUESTED",
            Self::RollbackRequested => "ROLLBACK_REQUESTED",
            Self::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
            Self::RollbackSuccessful => "ROLLBACK_SUCCESSFUL",
            Self::RollbackFailed => "ROLLBACK_FAILED",
            Self::Other(text) => text,
        }
    }
}

/// Where the rollout of the wanted revision stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Rollout {
    /// The service does not run the wanted revision and has not tried to.
    NotStarted,
    /// ECS is replacing tasks by the wanted revision.
    InProgress,
    /// The deployment ended well and the wanted revision is the primary one.
    Succeeded,
    /// The wanted revision failed and ECS is going back.
    RollingBack(String),
    /// The wanted revision failed and ECS went back.
    RolledBack(String),
    /// The wanted revision failed and there was nothing to go back to.
    Failed(String),
}

/// Whether one of ECS's two views is older than the other: its newest record is of a rollout under way, and its list shows another
/// deployment in front; or of one that was rolled back, and its list still shows that in front. Either may be the old one, so
/// nothing follows from them; it passes within seconds.
pub fn is_torn(observed: &Observed) -> bool {
    let primary = observed.service.as_ref().and_then(ObservedService::primary);
    let newest = observed.deployments.as_ref().and_then(|records| records.first());
    let (Some(primary), Some(newest)) = (primary, newest) else { return false };
    let is_in_front = primary.revision_number() == newest.target_revision;
    let is_undone = newest.status == DeploymentStatus::RollbackSuccessful;
    is_undone && is_in_front || is_open(newest) && !is_in_front
}

/// Whether ECS is moving tasks for this service right now.
pub fn is_moving(service: &ObservedService) -> bool {
    service.primary().is_some_and(|primary| match primary.rollout_state.as_deref() {
        Some(state) => state == "IN_PROGRESS",
        None => service.deployments.len() > 1 || primary.running < service.desired_count,
    })
}

/// Whether the rollout that the service is at has ended well.
pub fn has_completed(service: &ObservedService) -> bool {
    service.primary().is_some_and(|primary| primary.rollout_state.as_deref() == Some("COMPLETED"))
}

/// Reads where the rollout of the wanted revision stands.
pub fn stands(desired: &Desired, observed: &Observed) -> Rollout {
    let Some(service) = &observed.service else { return Rollout::NotStarted };
    let runs_wanted =
        observed.task_definition.as_ref().is_some_and(|running| desired.is_content_of(running));
    let record = newest_attempt(desired, observed);
    let reason = |primary: Option<&Deployment>| {
        record
            .and_then(|record| record.reason.clone())
            .or_else(|| primary.and_then(|primary| primary.rollout_reason.clone()))
            .unwrap_or_else(|| "ECS gave no reason".to_owned())
    };
    match record.map(|record| &record.status) {
        Some(DeploymentStatus::RollbackRequested | DeploymentStatus::RollbackInProgress) => {
            return Rollout::RollingBack(reason(service.primary()));
        }
        Some(DeploymentStatus::RollbackSuccessful) => {
            return Rollout::RolledBack(reason(service.primary()));
        }
        Some(DeploymentStatus::RollbackFailed) => {
            return Rollout::Failed(reason(service.primary()));
        }
        Some(DeploymentStatus::Stopped | DeploymentStatus::StopRequested)
            if is_failed(service, record) =>
        {
            return Rollout::Failed(reason(service.primary()));
        }
        Some(
            DeploymentStatus::Pending
            | DeploymentStatus::InProgress
            | DeploymentStatus::Successful
            | DeploymentStatus::Stopped
            | DeploymentStatus::StopRequested
            | DeploymentStatus::Other(_),
        )
        | None => {}
    }
    if !runs_wanted {
        return Rollout::NotStarted;
    }
    let Some(primary) = service.primary() else { return Rollout::NotStarted };
    let own = observed
        .deployments
        .iter()
        .flatten()
        .find(|record| record.target_revision == primary.revision_number());
    let is_open = own.is_some_and(is_open);
    match primary.rollout_state.as_deref() {
        Some("FAILED") => Rollout::Failed(reason(Some(primary))),
        // The tasks may all be there while a progressive rollout still shifts traffic or bakes.
        _ if is_open => Rollout::InProgress,
        Some("COMPLETED") => Rollout::Succeeded,
        Some(_) => Rollout::InProgress,
        // Nothing is known but its tasks.
        None if is_moving(service) => Rollout::InProgress,
        None => Rollout::Succeeded,
    }
}

/// Whether a rollout is under way by its record.
pub(crate) const fn is_open(record: &ServiceDeployment) -> bool {
    matches!(record.status, DeploymentStatus::Pending | DeploymentStatus::InProgress)
}

/// The newest record of a rollout of this spec. Later rollouts of others do not hide it: somebody who
/// redeploys the old revision by hand has not made the failed one any better. `None` as well while the newest attempt has no
/// record yet.
pub(crate) fn newest_attempt<'a>(
    desired: &Desired,
    observed: &'a Observed,
) -> Option<&'a ServiceDeployment> {
    let records = observed.deployments.as_ref()?;
    let attempt = records.iter().find(|record| desired.is_attempt(record))?;
    (!is_tried_again(desired, observed, (records, attempt))).then_some(attempt)
}

/// Whether the service runs this spec since a deployment that began after the recorded attempt had ended, and that has no record
/// yet: ECS lists deployments before their records. What went back to the same content began before the attempt.
fn is_tried_again(
    desired: &Desired,
    observed: &Observed,
    (records, attempt): (&[ServiceDeployment], &ServiceDeployment),
) -> bool {
    let Some(service) = &observed.service else { return false };
    let Some(primary) = service.primary() else { return false };
    let began_after = |ended| primary.created_at.is_some_and(|began| began > ended);
    attempt.finished_at.is_some_and(began_after)
        && records.iter().all(|record| record.target_revision != primary.revision_number())
        && observed.task_definition.as_ref().is_some_and(|one| desired.is_content_of(one))
        && plan::differences::service_drift(desired, service).is_empty()
}

/// A stopped record is a failure only when no newer deployment took its place: then its own deployment is still primary.
fn is_failed(service: &ObservedService, record: Option<&ServiceDeployment>) -> bool {
    let Some(record) = record else { return false };
    service.primary().is_some_and(|primary| {
        primary.revision_number() == record.target_revision
            && primary.rollout_state.as_deref() == Some("FAILED")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::plan::tests::{ARN, World, desired};

    #[test]
    fn a_status_is_written_as_it_was_read() {
        for word in [
            "PENDING",
            "IN_PROGRESS",
            "SUCCESSFUL",
            "STOPPED",
            "STOP_REQUESTED",
            "ROLLBACK_REQUESTED",
            "ROLLBACK_IN_PROGRESS",
            "ROLLBACK_SUCCESSFUL",
            "ROLLBACK_FAILED",
            "A_NEW_WORD",
        ] {
            let status = DeploymentStatus::from_text(word);
            assert_eq!(status.as_str(), word);
            let is_new = matches!(status, DeploymentStatus::Other(_));
            assert_eq!(is_new, word == "A_NEW_WORD", "{word}");
        }
    }

    /// A service that runs what is wanted since its rollout 2, in this state, with records of rollouts by their number and
    /// status.
    fn stands_at(state: &Value, running: i64, records: &[(u32, &str)]) -> Rollout {
        let mut world = World::running("web:v1");
        let deployment = &mut world.service.as_mut().unwrap()["deployments"][0];
        deployment["id"] = json!("ecs-svc/2");
        deployment["rolloutState"] = state.clone();
        deployment["rolloutStateReason"] = json!("ecs");
        deployment["runningCount"] = json!(running);
        let record = |(number, status): &(u32, &str)| {
            json!({
                "status": status, "taskDefinition": format!("{ARN}:task-definition/shop-web:1"),
                "targetServiceRevision": { "arn": format!("{ARN}:service-revision/shop/web/{number}") },
            })
        };
        world.records = records.iter().map(record).collect();
        stands(&desired("web:v1"), &world.observe())
    }

    #[test]
    fn the_two_views_of_a_rollout_give_one_answer() {
        let (done, moves, failed, silent) =
            (json!("COMPLETED"), json!("IN_PROGRESS"), json!("FAILED"), Value::Null);
        let gone = || Rollout::Failed("ecs".to_owned());
        for (state, running, records, expected) in [
            (&done, 2, &[][..], Rollout::Succeeded),
            (&moves, 1, &[], Rollout::InProgress),
            (&failed, 1, &[], gone()),
            (&silent, 2, &[], Rollout::Succeeded),
            (&silent, 1, &[], Rollout::InProgress),
            (&silent, 1, &[(2, "SUCCESSFUL")], Rollout::Succeeded),
            (&done, 2, &[(2, "IN_PROGRESS")], Rollout::InProgress),
            (&done, 2, &[(1, "IN_PROGRESS")], Rollout::Succeeded),
            (&done, 2, &[(2, "ROLLBACK_REQUESTED")], Rollout::RollingBack("ecs".to_owned())),
            (&done, 2, &[(2, "ROLLBACK_SUCCESSFUL")], Rollout::RolledBack("ecs".to_owned())),
            (&done, 2, &[(2, "ROLLBACK_FAILED")], gone()),
            // A stopped rollout has failed where nothing newer took its place.
            (&failed, 1, &[(2, "STOPPED")], gone()),
            (&failed, 1, &[(2, "STOP_REQUESTED")], gone()),
            (&moves, 1, &[(2, "STOPPED")], Rollout::InProgress),
            (&done, 2, &[(1, "STOPPED")], Rollout::Succeeded),
        ] {
            assert_eq!(stands_at(state, running, records), expected, "{state} {records:?}");
        }
    }

    #[test]
    fn an_attempt_counts_until_the_service_runs_the_spec_since_later() {
        let failed = || Rollout::RolledBack("ecs".to_owned());
        // (when the recorded attempt ended, when the deployment in front began, other records, a setting that differs)
        for (ended, began, other, differs, expected) in [
            (Some(500), Some(510), None, false, Rollout::InProgress),
            (Some(500), Some(500), None, false, failed()),
            (Some(500), Some(100), None, false, failed()),
            (Some(500), None, None, false, failed()),
            (None, Some(510), None, false, failed()),
            (Some(500), Some(510), Some(3), false, failed()),
            (Some(500), Some(510), Some(1), false, Rollout::InProgress),
            (Some(500), Some(510), None, true, failed()),
        ] {
            let mut world = World::running("web:v1");
            let service = world.service.as_mut().unwrap();
            if differs {
                service["enableExecuteCommand"] = json!(true);
            }
            let deployment = &mut service["deployments"][0];
            deployment["id"] = json!("ecs-svc/3");
            deployment["createdAt"] = json!(began);
            deployment["rolloutState"] = json!("IN_PROGRESS");
            deployment["rolloutStateReason"] = json!("ecs");
            let number =
                |number| json!({ "arn": format!("{ARN}:service-revision/shop/web/{number}") });
            let others = other.map(|other| json!({ "targetServiceRevision": number(other) }));
            let attempt = json!({
                "status": "ROLLBACK_SUCCESSFUL", "createdAt": 400, "finishedAt": ended,
                "taskDefinition": format!("{ARN}:task-definition/shop-web:1"),
                "targetServiceRevision": number(2),
            });
            world.records = others.into_iter().chain([attempt]).collect();
            let found = stands(&desired("web:v1"), &world.observe());
            assert_eq!(found, expected, "{ended:?} {began:?} {other:?} {differs}");
        }
    }

    #[test]
    fn two_views_that_contradict_each_other_are_torn() {
        // (the newest record's status and number, what is found)
        for (status, number, is_torn) in [
            ("IN_PROGRESS", 3, true),
            ("PENDING", 3, true),
            ("IN_PROGRESS", 2, false),
            ("SUCCESSFUL", 3, false),
            ("ROLLBACK_REQUESTED", 3, false),
            ("ROLLBACK_REQUESTED", 2, false),
            ("ROLLBACK_SUCCESSFUL", 3, false),
            ("ROLLBACK_SUCCESSFUL", 2, true),
            ("ROLLBACK_FAILED", 2, false),
        ] {
            let mut world = World::running("web:v1");
            world.service.as_mut().unwrap()["deployments"][0]["id"] = json!("ecs-svc/2");
            world.records = vec![json!({
                "status": status,
                "targetServiceRevision": { "arn": format!("{ARN}:service-revision/shop/web/{number}") },
            })];
            assert_eq!(super::is_torn(&world.observe()), is_torn, "{status} {number}");
        }
    }
}
