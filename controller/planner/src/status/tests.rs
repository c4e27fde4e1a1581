//! What is said after a turn, as rows: what was found and decided, and what the status makes of it.

mod stages;

use crds::{Generation, Reason, ServiceStatus};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Failure, Turn, after, blocked, orphan, unread, with_invalid, with_pending, with_stale,
};
use crate::checks::{Judged, Verdict};
use crate::desired::Desired;
use crate::observed::{Observed, ObservedService, StoppedTask};
use crate::orders::Stopped;
use crate::ownership::Tags;
use crate::plan::tests::{ARN, World, desired};
use crate::plan::{Action, Hold, Plan, Requeue};
use crate::preflight::SecretVersion;
use crate::rollout::Rollout;

/// A day after 1970 began, so that there is time before it.
const NOW: Timestamp = Timestamp::constant(86_400, 0);
const LATER: Timestamp = Timestamp::constant(90_000, 0);

/// A service that runs what is wanted, with these members of AWS's answer.
#[allow(clippy::needless_pass_by_value, reason = "callers write `json!({…})`")]
fn running(members: Value) -> Observed {
    let mut world = World::running("web:v1");
    let service = world.service.as_mut().unwrap().as_object_mut().unwrap();
    service.extend(members.as_object().unwrap().clone());
    world.observe()
}

/// The only deployment of such a service, with these members.
#[allow(clippy::needless_pass_by_value, reason = "callers write `json!({…})`")]
fn primary(members: Value) -> Value {
    let mut deployment = json!({
        "id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": format!("{ARN}:task-definition/shop-web:1"),
        "rolloutState": "IN_PROGRESS", "desiredCount": 2, "runningCount": 1,
    });
    deployment.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    json!({ "deployments": [deployment] })
}

fn turn<'a>(desired: &'a Desired, observed: &'a Observed, plan: &'a Plan) -> Turn<'a> {
    let (failure, previous) = (None, None);
    Turn { desired, observed, plan, failure, generation: Generation(3), previous, now: NOW }
}

fn at(rollout: Rollout) -> Plan {
    Plan { rollout, ..Plan::nothing() }
}

fn succeeded() -> Plan {
    at(Rollout::Succeeded)
}

fn tagging() -> Action {
    let (tags, changes) = (Tags::new(), Vec::new());
    Action::TagResource { arn: String::new(), tags, reason: Reason::SpecChanged, changes }
}

/// What is left to do and held for this reason.
fn held(reason: Reason) -> Plan {
    Plan { actions: vec![tagging()], ..succeeded() }.withhold(reason, "because")
}

fn failure(is_terminal: bool) -> Failure {
    Failure { reason: Reason::CallFailed, message: "no answer".to_owned(), is_terminal }
}

/// Sync, health, the conditions that are true (or not known), and the reason that all of them give.
fn told(status: &ServiceStatus) -> String {
    let stands = status.conditions.iter().filter_map(|condition| match condition.status {
        crds::ConditionStatus::True => Some(format!("{:?}", condition.kind)),
        crds::ConditionStatus::Unknown => Some(format!("{:?}?", condition.kind)),
        crds::ConditionStatus::False => None,
    });
    let stands = stands.collect::<Vec<_>>().join("+");
    let reasons: Vec<Reason> = status.conditions.iter().map(|condition| condition.reason).collect();
    let reason = reasons.first().map(ToString::to_string).unwrap_or_default();
    assert!(reasons.iter().all(|other| other.as_str() == reason), "{reasons:?}");
    format!("{:?} {:?} {stands} {reason}", status.sync, status.health)
}

fn message(status: &ServiceStatus) -> &str {
    &status.conditions[0].message
}

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
        reason: "CannotPullContainerError: manifest unknown".to_owned(),
        container: None,
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

#[test]
fn a_spec_is_tried_once_and_applied_when_it_is_ready() {
    let (first, second) = (desired("web:v1"), desired("web:v2"));
    let observed = running(json!({}));
    let next = |desired: &Desired, plan: &Plan, previous: Option<&ServiceStatus>, now| {
        after(&Turn { previous, now, ..turn(desired, &observed, plan) })
    };
    let doing = Plan { actions: vec![tagging()], ..succeeded() };
    let begins = next(&first, &held(Reason::ManualSync), None, NOW);
    assert_eq!((begins.last_attempted, begins.history.len()), (None, 0), "nothing was tried");
    let tries = next(&first, &doing, None, NOW);
    let attempt = tries.last_attempted.clone().unwrap();
    assert_eq!((&attempt.spec_hash, attempt.time), (&first.spec_hash, NOW));
    assert_eq!((&tries.history, &tries.last_applied), (&vec![attempt.clone()], &None));
    let ready = next(&first, &succeeded(), Some(&tries), LATER);
    assert_eq!(ready.last_applied.as_ref(), Some(&attempt), "with the time of the first try");
    assert_eq!(ready.history, [attempt.clone()]);
    let held_back = next(&second, &held(Reason::ManualSync), Some(&ready), LATER);
    assert_eq!(held_back.last_attempted.as_ref().unwrap().spec_hash, second.spec_hash);
    assert_eq!(held_back.last_applied.as_ref(), Some(&attempt));
    assert_eq!(held_back.history.len(), 2);
    assert_eq!(held_back.history[0].spec_hash, second.spec_hash, "newest first");
    assert_eq!(next(&second, &doing, Some(&held_back), LATER).history.len(), 2);
    // What is done although something is held was tried, too.
    let both = Plan { holds: vec![Hold::new(Reason::HookRunning, "")], ..doing };
    assert!(next(&first, &both, None, NOW).last_attempted.is_some());
    let mut long = held_back;
    long.history = vec![attempt; 20];
    assert_eq!(next(&second, &both, Some(&long), LATER).history.len(), 20);
}

#[test]
fn a_condition_keeps_its_time_while_its_status_stays() {
    let wanted = desired("web:v1");
    let observed = running(json!({}));
    let (plan, waits) = (succeeded(), held(Reason::HookRunning));
    let first = after(&turn(&wanted, &observed, &plan));
    let times = |status: &ServiceStatus| -> Vec<Timestamp> {
        status.conditions.iter().map(|condition| condition.last_transition_time).collect()
    };
    assert_eq!(times(&first), [NOW; 3]);
    let then = Turn { previous: Some(&first), now: LATER, ..turn(&wanted, &observed, &plan) };
    assert_eq!(times(&after(&then)), [NOW; 3]);
    let then = Turn { plan: &waits, ..then };
    assert_eq!(times(&after(&then)), [LATER, LATER, NOW], "ready and reconciling have turned");
}

#[test]
fn what_runs_is_named() {
    let mut wanted = desired("shop/web:v1");
    let revision = |image: &str| {
        json!({
            "taskDefinition": {
                "taskDefinitionArn": format!("{ARN}:task-definition/shop-web:7"), "status": "ACTIVE",
                "containerDefinitions": [
                    { "name": "app", "image": image }, { "name": "proxy", "image": "envoy@sha256:e" },
                ],
            },
            "tags": [{ "key": "longshore.dev/version.shop", "value": "1.4.2" }],
        })
    };
    let digest = |container: &str, digest: &str| crate::observed::ResolvedImage {
        container: container.to_owned(),
        digest: digest.to_owned(),
    };
    let observe = |image: &str| Observed {
        task_definition: Some(crate::observed::ObservedTaskDefinition::from_describe(&revision(
            image,
        ))),
        images: Some(vec![digest("proxy", "sha256:other"), digest("app", "sha256:a")]),
        ..running(json!({}))
    };
    let images = |wanted: &Desired, observed: &Observed| -> Vec<String> {
        let plan = succeeded();
        let status = after(&turn(wanted, observed, &plan));
        let said = status.images.into_iter().map(|image| {
            let tag = image.tag.unwrap_or_default();
            format!("{} {} {tag} {}", image.container, image.repository, image.digest.unwrap())
        });
        said.collect()
    };
    let proxy = "proxy envoy  sha256:e";
    assert_eq!(images(&wanted, &observe("shop/web:v1")), ["app shop/web v1 sha256:a", proxy]);
    // By digest there is no tag but the version that the release has chosen.
    let by_digest = observe("shop/web@sha256:d");
    assert_eq!(images(&wanted, &by_digest), ["app shop/web  sha256:d", proxy]);
    wanted.versions = vec![crate::desired::Version {
        release: "shop".parse().unwrap(),
        tag: "1.5.0".to_owned(),
        image: "shop/web@sha256:f".to_owned(),
    }];
    assert_eq!(images(&wanted, &by_digest), ["app shop/web 1.4.2 sha256:d", proxy], "what runs");
    let plan = succeeded();
    let status = after(&turn(&wanted, &by_digest, &plan));
    assert_eq!(status.task_definition.as_deref(), Some("shop-web:1"));
    assert_eq!(after(&turn(&wanted, &Observed::default(), &plan)).task_definition, None);
}

#[test]
fn what_was_not_read_again_is_told_as_it_was() {
    let wanted = desired("web:v1");
    let version = SecretVersion {
        container: "app".to_owned(),
        name: "KEY".to_owned(),
        from: "/shop/key".to_owned(),
        version: "7".to_owned(),
        changed_at: Some(NOW),
    };
    let observed = Observed { secrets: Some(vec![version]), ..running(json!({})) };
    let without = running(json!({}));
    let plan = Plan { not_checked: vec!["no permission".to_owned()], ..succeeded() };
    let first = after(&turn(&wanted, &observed, &plan));
    let [secret] = first.secrets.as_slice() else { panic!("{:?}", first.secrets) };
    assert_eq!((&*secret.container, &*secret.name, &*secret.from), ("app", "KEY", "/shop/key"));
    assert_eq!(secret.version, "7");
    assert_eq!(first.not_checked, ["no permission"]);
    let (settled, doing) = (succeeded(), Plan { actions: vec![tagging()], ..succeeded() });
    let other = Plan { not_checked: vec!["throttled".to_owned()], ..succeeded() };
    for (plan, generation, not_checked) in [
        (&settled, 3, &["no permission"][..]),
        (&settled, 4, &[]),
        (&doing, 3, &[]),
        (&other, 3, &["throttled"]),
    ] {
        let status = after(&Turn {
            previous: Some(&first),
            generation: Generation(generation),
            ..turn(&wanted, &without, plan)
        });
        assert_eq!(status.secrets, first.secrets);
        assert_eq!(status.not_checked, not_checked, "{plan:?}");
    }
}

#[test]
fn what_could_not_be_read_leaves_what_was_known() {
    let wanted = desired("web:v1");
    let (observed, plan) = (running(json!({})), succeeded());
    let ready = after(&turn(&wanted, &observed, &plan));
    for (previous, is_terminal, says) in [
        (None, false, "Unknown Unknown Ready?+Reconciling CallFailed"),
        (None, true, "Unknown Unknown Ready?+Stalled CallFailed"),
        (Some(&ready), false, "Unknown Healthy Ready?+Reconciling CallFailed"),
    ] {
        let status = unread(&failure(is_terminal), Generation(4), previous, LATER);
        assert_eq!(told(&status), says);
        assert_eq!(status.last_applied, previous.and_then(|status| status.last_applied.clone()));
    }
    let holds = |status: &ServiceStatus| -> Vec<Reason> {
        status.holds.iter().map(|hold| hold.reason).collect()
    };
    let new = blocked(Reason::NotYetObserved, "soon", Generation(1), None, NOW);
    assert_eq!(told(&new), "Unknown Unknown Reconciling NotYetObserved");
    assert_eq!((holds(&new), message(&new)), (vec![], "soon"));
    let two = blocked(Reason::DuplicateSpec, "twice", Generation(1), Some(&ready), LATER);
    assert_eq!(told(&two), "Unknown Healthy Stalled DuplicateSpec");
    assert_eq!(holds(&two), [Reason::DuplicateSpec]);
    assert_eq!(two.last_applied, ready.last_applied);
}

#[test]
fn a_newest_spec_that_cannot_be_used_is_told_beside_the_one_in_force() {
    let wanted = desired("web:v1");
    let (observed, plan) = (running(json!({})), succeeded());
    let ready = after(&turn(&wanted, &observed, &plan));
    let once = with_invalid(ready.clone(), "line 3: no such field", Some(&ready), LATER);
    assert_eq!(told(&once), "OutOfSync Healthy Stalled InvalidSpec");
    assert_eq!(message(&once), "the last good spec stays in force: line 3: no such field");
    let times: Vec<Timestamp> =
        once.conditions.iter().map(|condition| condition.last_transition_time).collect();
    assert_eq!(times, [LATER, NOW, LATER]);
    // Said again, it is still said once; what is held besides stays.
    let mut held = once.clone();
    held.holds.insert(0, crds::HoldStatus { reason: Reason::ManualHold, message: String::new() });
    let again = with_invalid(held, "line 4", Some(&once), LATER);
    let holds: Vec<_> = again.holds.iter().map(|hold| (hold.reason, &*hold.message)).collect();
    assert_eq!(holds, [(Reason::ManualHold, ""), (Reason::InvalidSpec, "line 4")]);
}

#[test]
fn a_value_that_is_not_known_stalls_and_one_that_is_old_says_so() {
    let wanted = desired("web:v1");
    let (observed, plan, waits) = (running(json!({})), succeeded(), held(Reason::HookRunning));
    let ready = after(&turn(&wanted, &observed, &plan));
    let busy = after(&turn(&wanted, &observed, &waits));
    let (new, gone) = (Reason::NotYetObserved, Reason::ReferenceUnread);
    for (before, reason, says, holds) in [
        (&ready, new, "OutOfSync Healthy Reconciling NotYetObserved", 0),
        (&busy, new, "OutOfSync Healthy Reconciling NotYetObserved", 1),
        (&ready, gone, "OutOfSync Healthy Stalled ReferenceUnread", 1),
        (&busy, gone, "OutOfSync Healthy Reconciling+Stalled ReferenceUnread", 2),
    ] {
        let status = with_pending(before.clone(), reason, "no `x`", Some(before), LATER);
        assert_eq!(told(&status), says);
        assert_eq!(message(&status), "the last good spec stays in force: no `x`");
        assert_eq!(status.holds.len(), holds, "{says}");
    }
    let pending = with_pending(ready.clone(), gone, "no `x`", Some(&ready), LATER);
    let times: Vec<Timestamp> =
        pending.conditions.iter().map(|condition| condition.last_transition_time).collect();
    assert_eq!(times, [LATER, NOW, LATER]);

    let said = |status: &ServiceStatus| -> Vec<(crds::ConditionStatus, Reason, String)> {
        let all = status.conditions.iter();
        all.map(|one| (one.status, one.reason, one.message.clone())).collect()
    };
    let stale = with_stale(ready.clone(), gone, "`x` is old", Some(&ready), LATER);
    let mut expected = said(&ready);
    expected[2] = (crds::ConditionStatus::True, gone, "`x` is old".to_owned());
    assert_eq!(said(&stale), expected, "nothing but `Stalled` says it");
    assert_eq!(stale.conditions[2].last_transition_time, LATER);
    let stalled = after(&turn(&wanted, &observed, &held(Reason::SelfHealOff)));
    let still = with_stale(stalled.clone(), gone, "`x` is old", Some(&stalled), LATER);
    assert_eq!(said(&still), said(&stalled), "what stalls it already stays");
}

#[test]
fn a_service_without_a_spec_says_what_becomes_of_it() {
    let service = |members| running(members).service.unwrap();
    let (alive, draining) = (service(json!({})), service(json!({ "status": "DRAINING" })));
    let goes = Action::DeleteService { force: false, reason: Reason::Pruning };
    let deleting = Plan { actions: vec![goes], ..Plan::nothing() };
    let untag = Action::UntagResource {
        arn: String::new(),
        keys: Vec::new(),
        reason: Reason::Orphaned,
        changes: Vec::new(),
    };
    let letting_go = Plan { actions: vec![untag], ..Plan::nothing() };
    let hold = |reason| Plan::hold(reason, "because", Requeue::OnChange);
    let off = hold(Reason::PruneOff);
    let (passing, stuck) = (failure(false), failure(true));
    let left = "the spec has left its source; the service";
    let rows: Vec<(&Plan, &ObservedService, Option<&Failure>, &str, String)> = vec![
        (
            &deleting,
            &alive,
            None,
            "Progressing Reconciling Pruning",
            format!("{left} is being deleted"),
        ),
        (
            &letting_go,
            &alive,
            None,
            "Healthy Reconciling Orphaned",
            format!("{left} goes on without our tags"),
        ),
        (&off, &alive, None, "Healthy Stalled PruneOff", "because".to_owned()),
        (&off, &draining, None, "Progressing Stalled PruneOff", "because".to_owned()),
        (
            &deleting,
            &alive,
            Some(&passing),
            "Progressing Reconciling CallFailed",
            "no answer".to_owned(),
        ),
        (&deleting, &alive, Some(&stuck), "Progressing Stalled CallFailed", "no answer".to_owned()),
        (&off, &alive, Some(&passing), "Healthy Stalled CallFailed", "no answer".to_owned()),
    ];
    for (plan, service, failure, says, words) in rows {
        let status = orphan(plan, service, failure, None, NOW);
        assert_eq!(told(&status), format!("OutOfSync {says}"));
        assert_eq!(message(&status), words);
        assert_eq!(status.task_definition.as_deref(), Some("shop-web:1"));
        assert_eq!(status.holds.len(), plan.holds.len());
    }
    let drains = orphan(&hold(Reason::Draining), &alive, None, None, NOW);
    assert_eq!(told(&drains), "OutOfSync Progressing Reconciling Draining");
    let wanted = desired("web:v1");
    let (observed, plan) = (running(json!({})), succeeded());
    let before = after(&turn(&wanted, &observed, &plan));
    let after = orphan(&off, &alive, None, Some(&before), LATER);
    assert_eq!(
        (&after.last_applied, after.observed_generation),
        (&before.last_applied, Generation(3))
    );
}
