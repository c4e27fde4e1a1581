//! What ECS leaves unsaid of deployments: with stages, and behind a Classic Load Balancer, `deployments[]` has no
//! `rolloutState` (aws.md §3.1).
//!
//! What comes in: the service as DescribeServices shows it, and its records or its release history. What leaves: the same
//! service, in which every deployment that can be told says how it stands, in ECS's own words. What ECS said itself is never
//! touched. What nothing is known of stays unsaid, and is told by its tasks.

use crds::{PastRelease, ReleaseOutcome};
use jiff::{SignedDuration, Timestamp};

use crate::observed::{Deployment, ObservedService, ServiceDeployment};
use crate::rollout::DeploymentStatus;

const IN_PROGRESS: &str = "IN_PROGRESS";
const COMPLETED: &str = "COMPLETED";
const FAILED: &str = "FAILED";
/// For how long a rollout may have begun without being listed.
const UNLISTED: SignedDuration = SignedDuration::from_mins(2);

/// By the release history: a rollout that ended well has, as long as nothing else has begun. So a service at rest costs no
/// reads of its records.
pub fn by_history(service: &mut ObservedService, past: &[PastRelease]) {
    let is_alone = service.deployments.len() == 1;
    for deployment in unsaid(service).filter(|deployment| is_alone || !deployment.is_primary) {
        let ended_well = past.iter().any(|release| {
            release.id == deployment.revision_number()
                && release.outcome == ReleaseOutcome::Successful
        });
        if ended_well {
            deployment.rollout_state = Some(COMPLETED.to_owned());
        }
    }
}

/// By ECS's records, newest first.
pub fn by_records(service: &mut ObservedService, records: &[ServiceDeployment]) {
    let is_alone = service.deployments.len() == 1;
    for deployment in unsaid(service) {
        let number = deployment.revision_number();
        let Some(record) = records.iter().find(|record| record.target_revision == number) else {
            continue;
        };
        let is_newest = records.first().is_some_and(|newest| newest.arn == record.arn);
        let goes_back = records.first().is_some_and(is_going_back);
        let state = match (deployment.is_primary, goes_back) {
            // What ECS goes back to is not there yet, and has an earlier record of its own.
            (true, true) => IN_PROGRESS,
            (true, false) => of_primary(record, (is_newest, is_alone)),
            (false, _) => of_former(record),
        };
        deployment.rollout_state = Some(state.to_owned());
        if deployment.rollout_reason.is_none() {
            deployment.rollout_reason.clone_from(&record.reason);
        }
    }
}

/// By its age: a rollout that has just begun need not be listed yet, and is none that has ended.
pub fn by_age(service: &mut ObservedService, now: Timestamp) {
    for deployment in unsaid(service).filter(|deployment| deployment.is_primary) {
        let age = deployment.created_at.map(|began| now.duration_since(began));
        if age.is_some_and(|age| age < UNLISTED) {
            deployment.rollout_state = Some(IN_PROGRESS.to_owned());
        }
    }
}

fn unsaid(service: &mut ObservedService) -> impl Iterator<Item = &mut Deployment> {
    service.deployments.iter_mut().filter(|deployment| deployment.rollout_state.is_none())
}

fn is_going_back(record: &ServiceDeployment) -> bool {
    matches!(
        record.status,
        DeploymentStatus::RollbackRequested | DeploymentStatus::RollbackInProgress
    )
}

/// How the deployment stands that the service is at.
fn of_primary(record: &ServiceDeployment, (is_newest, is_alone): (bool, bool)) -> &'static str {
    match record.status {
        DeploymentStatus::Successful if is_alone => COMPLETED,
        DeploymentStatus::RollbackFailed | DeploymentStatus::RollbackSuccessful => FAILED,
        // Superseded ones end like this as well: the one that took its place is about to show.
        DeploymentStatus::Stopped if is_newest => FAILED,
        DeploymentStatus::Pending
        | DeploymentStatus::InProgress
        | DeploymentStatus::Successful
        | DeploymentStatus::Stopped
        | DeploymentStatus::StopRequested
        | DeploymentStatus::RollbackRequested
        | DeploymentStatus::RollbackInProgress
        | DeploymentStatus::Other(_) => IN_PROGRESS,
    }
}

/// How a deployment stands whose tasks are leaving.
fn of_former(record: &ServiceDeployment) -> &'static str {
    match record.status {
        DeploymentStatus::Successful => COMPLETED,
        DeploymentStatus::RollbackRequested
        | DeploymentStatus::RollbackInProgress
        | DeploymentStatus::RollbackSuccessful
        | DeploymentStatus::RollbackFailed => FAILED,
        DeploymentStatus::Pending
        | DeploymentStatus::InProgress
        | DeploymentStatus::Stopped
        | DeploymentStatus::StopRequested
        | DeploymentStatus::Other(_) => IN_PROGRESS,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A service at deployment 2, with 1 beside it or without, of which ECS says nothing.
    fn service(has_old: bool) -> ObservedService {
        let mut deployments = vec![json!({
            "id": "ecs-svc/2", "status": "PRIMARY", "createdAt": 1000.0, "runningCount": 2,
        })];
        if has_old {
            deployments.push(json!({ "id": "ecs-svc/1", "status": "ACTIVE", "runningCount": 2 }));
        }
        ObservedService::from_describe(
            &json!({ "status": "ACTIVE", "desiredCount": 2, "deployments": deployments }),
        )
    }

    fn record(number: u32, status: &str) -> ServiceDeployment {
        ServiceDeployment::from_describe(&json!({
            "serviceDeploymentArn": format!("record/{number}"), "status": status,
            "statusReason": "because",
            "targetServiceRevision": { "arn": format!("service-revision/shop/web/{number}") },
        }))
    }

    fn states(service: &ObservedService) -> Vec<Option<&str>> {
        service.deployments.iter().map(|one| one.rollout_state.as_deref()).collect()
    }

    #[test]
    fn a_record_says_how_its_deployment_stands() {
        type Row<'a> = (&'a [(u32, &'a str)], bool, &'a [Option<&'a str>]);
        let rows: &[Row<'_>] = &[
            (&[(2, "PENDING"), (1, "SUCCESSFUL")], true, &[Some(IN_PROGRESS), Some(COMPLETED)]),
            (&[(2, "IN_PROGRESS"), (1, "SUCCESSFUL")], true, &[Some(IN_PROGRESS), Some(COMPLETED)]),
            (&[(2, "IN_PROGRESS")], false, &[Some(IN_PROGRESS)]),
            (&[(2, "SUCCESSFUL"), (1, "SUCCESSFUL")], true, &[Some(IN_PROGRESS), Some(COMPLETED)]),
            (&[(2, "SUCCESSFUL"), (1, "SUCCESSFUL")], false, &[Some(COMPLETED)]),
            (&[(2, "ROLLBACK_FAILED")], false, &[Some(FAILED)]),
            (&[(2, "STOPPED"), (1, "SUCCESSFUL")], false, &[Some(FAILED)]),
            (&[(2, "STOP_REQUESTED")], false, &[Some(IN_PROGRESS)]),
            (&[(2, "A_NEW_WORD")], false, &[Some(IN_PROGRESS)]),
            // Another one has taken its place and is not shown yet.
            (&[(3, "PENDING"), (2, "STOPPED")], false, &[Some(IN_PROGRESS)]),
            // ECS goes back from 3 to 2, and then is there.
            (&[(3, "ROLLBACK_IN_PROGRESS"), (2, "SUCCESSFUL")], false, &[Some(IN_PROGRESS)]),
            (&[(3, "ROLLBACK_SUCCESSFUL"), (2, "SUCCESSFUL")], false, &[Some(COMPLETED)]),
            // Records end after 90 days.
            (&[], false, &[None]),
            (&[(7, "SUCCESSFUL")], true, &[None, None]),
        ];
        for (records, has_old, expected) in rows {
            let mut service = service(*has_old);
            let records: Vec<_> =
                records.iter().map(|(number, status)| record(*number, status)).collect();
            by_records(&mut service, &records);
            assert_eq!(states(&service), *expected, "{records:#?}");
        }
        let mut failed = service(false);
        by_records(&mut failed, &[record(2, "ROLLBACK_FAILED")]);
        assert_eq!(failed.deployments[0].rollout_reason.as_deref(), Some("because"));
    }

    fn past(id: &str, outcome: ReleaseOutcome) -> PastRelease {
        let release: Value = json!({
            "id": id, "taskDefinition": "web:1", "taskDefinitionArn": "web:1", "images": [],
            "outcome": outcome,
        });
        serde_json::from_value(release).unwrap()
    }

    #[test]
    fn the_history_speaks_for_what_ended_well_and_nothing_else() {
        let good = |id| past(id, ReleaseOutcome::Successful);
        for (history, has_old, expected) in [
            (vec![good("2")], false, vec![Some(COMPLETED)]),
            (vec![past("3", ReleaseOutcome::RolledBack), good("2")], false, vec![Some(COMPLETED)]),
            (vec![good("1")], false, vec![None]),
            (vec![past("2", ReleaseOutcome::InProgress)], false, vec![None]),
            (vec![past("2", ReleaseOutcome::RolledBack)], false, vec![None]),
            // Something has begun: the records say what.
            (vec![good("2"), good("1")], true, vec![None, Some(COMPLETED)]),
        ] {
            let mut service = service(has_old);
            by_history(&mut service, &history);
            assert_eq!(states(&service), expected, "{history:#?}");
        }
    }

    #[test]
    fn what_has_just_begun_has_not_ended_and_what_ecs_says_stays() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for (now, expected) in [(1000, Some(IN_PROGRESS)), (1119, Some(IN_PROGRESS)), (1120, None)]
        {
            let mut young = service(false);
            by_age(&mut young, at(now));
            assert_eq!(states(&young), [expected], "{now}");
        }
        let mut said = service(false);
        said.deployments[0].rollout_state = Some("SAID".to_owned());
        by_history(&mut said, &[past("2", ReleaseOutcome::Successful)]);
        by_records(&mut said, &[record(2, "IN_PROGRESS")]);
        by_age(&mut said, at(1000));
        assert_eq!(states(&said), [Some("SAID")]);
    }
}
