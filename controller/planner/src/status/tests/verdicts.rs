//! Ready, reconciling, stalled: the one verdict on a turn.

use super::*;
use crate::checks::{Judged, Verdict};
use crate::observed::StoppedTask;
use crate::orders::Stopped;

#[test]
fn what_was_found_and_decided_gives_one_verdict() {
    let wanted = desired("web:v1");
    let two_of_two = "2 of 2 tasks run the wanted revision";
    let moving = |members: Value| running(primary(members));
    let as_is = || running(json!({}));
    let failed = || "tasks failed.".to_owned();
    let rows: Vec<(Observed, Plan, &str, &str)> = vec![
        (as_is(), succeeded(), "Synced Healthy Ready RolloutSucceeded", two_of_two),
        (
            running(json!({ "runningCount": 3 })),
            succeeded(),
            "Synced Healthy Ready RolloutSucceeded",
            "3 of 2 tasks run the wanted revision",
        ),
        (
            running(json!({ "runningCount": 1 })),
            succeeded(),
            "Synced Degraded Reconciling TasksMissing",
            "1 of 2 tasks run",
        ),
        (
            running(json!({ "runningCount": 1, "pendingCount": 1 })),
            succeeded(),
            "Synced Progressing Reconciling TasksMissing",
            "1 of 2 tasks run",
        ),
        (
            moving(json!({})),
            at(Rollout::InProgress),
            "Synced Progressing Reconciling RolloutInProgress",
            "1 of 2 tasks run",
        ),
        (
            moving(json!({ "failedTasks": 3 })),
            at(Rollout::NotStarted),
            "Synced Progressing Reconciling RolloutInProgress",
            "1 of 2 tasks run, 3 failed to start",
        ),
        (
            moving(json!({ "createdAt": 86_400 - 900 })),
            at(Rollout::InProgress),
            "Synced Progressing Reconciling RolloutInProgress",
            "1 of 2 tasks run",
        ),
        (
            moving(json!({ "createdAt": 86_400 - 901 })),
            at(Rollout::InProgress),
            "Synced Degraded Reconciling+Stalled ProgressDeadlineExceeded",
            "1 of 2 tasks run",
        ),
        (
            running(json!({ "deployments": [] })),
            at(Rollout::NotStarted),
            "Synced Healthy Reconciling RolloutInProgress",
            "ECS has not begun yet",
        ),
        (
            as_is(),
            at(Rollout::RollingBack(failed())),
            "Synced Progressing Stalled RolloutFailed",
            "tasks failed.",
        ),
        (
            as_is(),
            at(Rollout::RolledBack(failed())),
            "Synced Degraded Stalled RolloutFailed",
            "tasks failed.",
        ),
        (
            as_is(),
            at(Rollout::Failed(failed())),
            "Synced Degraded Stalled RolloutFailed",
            "tasks failed.",
        ),
        (
            as_is(),
            Plan { actions: vec![tagging(), tagging()], ..succeeded() },
            "OutOfSync Healthy Reconciling SpecChanged",
            "TagResource, TagResource",
        ),
        (
            Observed::default(),
            Plan::nothing(),
            "Synced Missing Reconciling ServiceMissing",
            "the service does not exist yet",
        ),
        (
            running(json!({ "status": "INACTIVE" })),
            Plan::nothing(),
            "Synced Missing Reconciling ServiceMissing",
            "the service does not exist yet",
        ),
    ];
    for (observed, plan, says, words) in rows {
        let status = after(&turn(&wanted, &observed, &plan));
        assert_eq!((told(&status).as_str(), message(&status)), (says, words), "{plan:?}");
    }
}

#[test]
fn a_hold_stalls_unless_it_passes_by_itself_or_holds_nothing() {
    let wanted = desired("web:v1");
    let observed = running(json!({}));
    let alone = |reason| Plan { holds: vec![Hold::new(reason, "because")], ..succeeded() };
    for (plan, says) in [
        (held(Reason::SelfHealOff), "OutOfSync Healthy Stalled SelfHealOff"),
        (held(Reason::ManualHold), "OutOfSync Healthy Stalled ManualHold"),
        (held(Reason::Suspended), "OutOfSync Suspended Stalled Suspended"),
        (held(Reason::HookFailed), "OutOfSync Degraded Stalled HookFailed"),
        (held(Reason::RolloutHopeless), "OutOfSync Degraded Stalled RolloutHopeless"),
        (held(Reason::HookRunning), "OutOfSync Healthy Reconciling HookRunning"),
        (held(Reason::OutsideWindow), "OutOfSync Healthy Reconciling OutsideWindow"),
        (alone(Reason::ManualHold), "Synced Healthy Ready RolloutSucceeded"),
        (alone(Reason::StateUnknown), "Synced Healthy Ready RolloutSucceeded"),
        (alone(Reason::Suspended), "Synced Suspended Ready RolloutSucceeded"),
        (alone(Reason::HookFailed), "Synced Degraded Stalled HookFailed"),
        // What belongs to somebody else is not as the spec wants it, although nothing is planned.
        (alone(Reason::NotOwned), "OutOfSync Healthy Stalled NotOwned"),
        (alone(Reason::Draining), "OutOfSync Healthy Reconciling Draining"),
    ] {
        let status = after(&turn(&wanted, &observed, &plan));
        assert_eq!(told(&status), says);
        let holds: Vec<_> = status.holds.iter().map(|hold| (hold.reason, &*hold.message)).collect();
        assert_eq!(holds, [(plan.holds[0].reason, "because")]);
    }
}

#[test]
fn a_call_that_failed_comes_before_all_that_was_decided() {
    let wanted = desired("web:v1");
    let (observed, plan) = (running(json!({})), held(Reason::SelfHealOff));
    for (is_terminal, says) in [(false, "Reconciling"), (true, "Stalled")] {
        let failure = failure(is_terminal);
        let turn = Turn { failure: Some(&failure), ..turn(&wanted, &observed, &plan) };
        let status = after(&turn);
        assert_eq!(told(&status), format!("OutOfSync Healthy {says} CallFailed"));
        assert_eq!(message(&status), "no answer");
    }
}

#[test]
fn checks_are_the_news_once_ecs_has_rolled() {
    let wanted = desired("web:v1");
    let observed = running(json!({}));
    let said = || "check `smoke`: 1 of 3".to_owned();
    let undecided = "check `smoke`: 1 of 3. `longshore promote` or `longshore abort` decides.";
    let rows = [
        (Some(Verdict::Passed), Rollout::Succeeded, 0, "Synced Healthy Ready RolloutSucceeded", ""),
        (None, Rollout::Succeeded, 0, "Synced Healthy Ready RolloutSucceeded", ""),
        (
            Some(Verdict::Running(said())),
            Rollout::Succeeded,
            0,
            "Synced Progressing Reconciling ChecksRunning",
            "check `smoke`: 1 of 3",
        ),
        (
            Some(Verdict::Running(said())),
            Rollout::InProgress,
            0,
            "Synced Progressing Reconciling RolloutInProgress",
            "2 of 2 tasks run",
        ),
        (
            Some(Verdict::Inconclusive(said())),
            Rollout::Succeeded,
            0,
            "Synced Progressing Stalled ChecksInconclusive",
            undecided,
        ),
        (
            Some(Verdict::Inconclusive(said())),
            Rollout::InProgress,
            0,
            "Synced Progressing Reconciling+Stalled ChecksInconclusive",
            undecided,
        ),
        (
            Some(Verdict::Failed(said())),
            Rollout::Succeeded,
            0,
            "Synced Degraded Stalled ChecksFailed",
            "check `smoke`: 1 of 3",
        ),
        (
            Some(Verdict::Failed(said())),
            Rollout::InProgress,
            1,
            "OutOfSync Progressing Reconciling ChecksFailed",
            "check `smoke`: 1 of 3",
        ),
    ];
    for (verdict, rollout, calls, says, words) in rows {
        let checks = Some(Judged { verdict, statuses: Vec::new() });
        let plan = Plan { checks, actions: vec![tagging(); calls], ..at(rollout) };
        let status = after(&turn(&wanted, &observed, &plan));
        assert_eq!(told(&status), says, "{plan:?}");
        assert!(words.is_empty() || message(&status) == words, "{}", message(&status));
    }
}

#[test]
fn a_rollout_that_is_stopped_says_why() {
    let wanted = desired("web:v1");
    let observed = running(json!({}));
    let because = Stopped {
        deployment: String::new(),
        release: "2".to_owned(),
        spec_hash: wanted.spec_hash.clone(),
        at: NOW,
        message: "no image".to_owned(),
    };
    let (arn, reason) = (String::new(), Reason::RolloutHopeless);
    let stop = Action::StopServiceDeployment { arn, reason, because: Some(because) };
    let plan = Plan { actions: vec![stop], ..succeeded() };
    let status = after(&turn(&wanted, &observed, &plan));
    assert_eq!(message(&status), "StopServiceDeployment: no image");
}

/// The tasks of the spec's own deployment explain it; those of others do not, and a remedy is told once.
#[test]
fn why_tasks_stopped_is_told_once() {
    let wanted = desired("web:v1");
    let stopped = |started_by: &str| StoppedTask {
        started_by: started_by.to_owned(),
        stop_code: "TaskFailedToStart".to_owned(),
        task_definition: String::new(),
        reason: "CannotPullContainerError: manifest unknown".to_owned(),
        containers: Vec::new(),
        stopped_at: Some(NOW),
    };
    let with = |started_by: &str| Observed {
        stopped: Some(vec![stopped(started_by)]),
        ..running(primary(json!({})))
    };
    let said = |wanted: &Desired, observed: &Observed, plan: &Plan| {
        message(&after(&turn(wanted, observed, plan))).to_owned()
    };
    let moving = at(Rollout::InProgress);
    let (ours, others) = (with("ecs-svc/1"), with("ecs-svc/0"));
    let cause = crate::explain::deployment(&ours, "ecs-svc/1").unwrap();
    assert!(!cause.remedy.is_empty());
    assert_eq!(said(&wanted, &ours, &moving), format!("1 of 2 tasks run ({cause})"));
    assert_eq!(said(&wanted, &others, &moving), "1 of 2 tasks run");
    assert_eq!(said(&desired("web:v9"), &ours, &moving), "1 of 2 tasks run", "another spec's");
    let knows = format!("it was stopped: {}", cause.remedy);
    let hold = |message: &str| {
        Plan { actions: vec![tagging()], ..succeeded() }.withhold(Reason::RolloutHopeless, message)
    };
    assert_eq!(said(&wanted, &ours, &hold(&knows)), knows);
    assert_eq!(said(&wanted, &ours, &hold("it was stopped")), format!("it was stopped ({cause})"));
    // The record of the attempt names the deployment where it is not the primary one any more.
    let mut world = World::running("web:v1");
    world.records = vec![json!({
        "status": "ROLLBACK_SUCCESSFUL", "taskDefinition": format!("{ARN}:task-definition/shop-web:1"),
        "targetServiceRevision": { "arn": format!("{ARN}:service-revision/shop/web/0") },
    })];
    let observed = Observed { stopped: others.stopped.clone(), ..world.observe() };
    let plan = at(Rollout::RolledBack("it failed.".to_owned()));
    assert_eq!(said(&wanted, &observed, &plan), format!("it failed. ({cause})"));
}
