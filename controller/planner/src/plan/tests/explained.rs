//! When it is asked why a rollout does not come on, and what stays of the answer.

use super::under_way::{NOW, gated, on_the_way};
use super::*;
use crate::explain::{self, Asks, Kept, Outlook};
use crate::observed::{Alarm, StoppedTask, Target};
use jiff::SignedDuration;

const BREAKER: &str =
    "Service deployment rolled back because the circuit breaker threshold was exceeded.";
const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/1";

/// A rollout of v2 that ECS's scheduler is busy with.
fn rolling() -> (Desired, World) {
    let v2 = gated("web:v2", &json!({}));
    let mut world = on_the_way(&v2, "SCALE_UP", None);
    let service = world.service.as_mut().unwrap();
    service["desiredCount"] = json!(2);
    service["deployments"][0]["createdAt"] = json!(0.0);
    (v2, world)
}

/// The same after ECS went back, in these words.
fn rolled_back(world: &World, reason: &str) -> World {
    let mut back = world.clone();
    back.records[0]["status"] = json!("ROLLBACK_SUCCESSFUL");
    back.records[0]["statusReason"] = json!(reason);
    let old = back.service.clone().unwrap();
    back.run(old, &super::revision_arn(1));
    back
}

fn task(code: &str, reason: &str, exit: Option<i64>) -> StoppedTask {
    let container = json!({ "name": "app", "exitCode": exit });
    StoppedTask::from_describe(&json!({
        "startedBy": "ecs-svc/2", "stopCode": code, "stoppedReason": reason, "containers": [container],
    }))
}

fn crash() -> StoppedTask {
    task("EssentialContainerExited", "Essential container in task exited", Some(1))
}

/// What is seen of a world, these stopped tasks among it, and what is kept then.
fn look(
    world: &World,
    desired: &Desired,
    tasks: &[StoppedTask],
    before: Option<&Kept>,
) -> Observed {
    let observed = Observed { stopped: Some(tasks.to_vec()), ..world.observe() };
    let explained = explain::keep(before, desired, &observed);
    Observed { explained, ..observed }
}

fn said(desired: &Desired, observed: &Observed) -> String {
    explain::of_attempt(desired, observed).map(|told| told.to_string()).unwrap_or_default()
}

#[test]
fn the_explanation_stays_when_aws_has_forgotten() {
    let (v2, world) = rolling();
    let first = look(&world, &v2, &[crash()], None);
    let kept = first.explained.clone().unwrap();
    assert_eq!((kept.deployment.as_str(), kept.is_final), ("ecs-svc/2", false));
    // More of the same changes what is said now, and writes nothing.
    let later = look(&world, &v2, &[crash(), crash()], Some(&kept));
    assert_eq!(later.explained.as_ref(), Some(&kept));
    assert!(said(&v2, &later).starts_with("2 tasks stopped: container app exited with 1"));
    // While it goes on and nothing speaks against it any more, nothing is said.
    assert_eq!(said(&v2, &look(&world, &v2, &[], Some(&kept))), "");
    // What was known when it failed is what stays.
    let back = rolled_back(&world, BREAKER);
    let ended = look(&back, &v2, &[crash(), crash(), crash()], Some(&kept));
    let sentence = "3 tasks stopped: container app exited with 1: read the container's log [ECS: Essential container in task exited]";
    assert_eq!(said(&v2, &ended), sentence);
    let is_final = ended.explained.clone().unwrap();
    assert!(is_final.is_final);
    for tasks in [vec![], vec![crash()], vec![task("TaskFailedToStart", "x: not found", None)]] {
        let after = look(&back, &v2, &tasks, Some(&is_final));
        assert_eq!(
            (said(&v2, &after).as_str(), after.explained.as_ref()),
            (sentence, Some(&is_final))
        );
    }
    let plan = plan(&v2, &ended, &Orders::default(), NOW);
    assert_eq!(plan.holds[0].reason, Reason::RolledBack);
    let nothing = explain::asks(&v2, &ended, Some(&is_final), NOW);
    assert_eq!(nothing, Asks::default(), "it is known for good");
}

#[test]
fn a_rollout_that_failed_unseen_by_its_tasks_is_told_by_what_was_seen_before() {
    let (v2, world) = rolling();
    let kept = look(&world, &v2, &[crash()], None).explained.unwrap();
    let forgotten = look(&rolled_back(&world, BREAKER), &v2, &[], Some(&kept));
    assert!(said(&v2, &forgotten).starts_with("1 task stopped: container app exited with 1"));
    // What was seen on the way is no reason of a rollout that a person stopped.
    let stopped = rolled_back(&world, "Service deployment rolled back because of a request.");
    let stopped = look(&stopped, &v2, &[], Some(&kept));
    assert_eq!((said(&v2, &stopped).as_str(), stopped.explained.as_ref()), ("", None));
    // Nobody knows more than the record says.
    let unseen = look(&rolled_back(&world, BREAKER), &v2, &[], None);
    assert!(said(&v2, &unseen).starts_with("too many of its tasks did not start"));
    assert_eq!(unseen.explained, None, "a better one may come");
}

#[test]
fn a_graver_cause_takes_the_place_of_what_passes() {
    let (v2, world) = rolling();
    let spot = task("SpotInterruption", "Your Spot Task was interrupted.", Some(143));
    let missing = task("TaskFailedToStart", "CannotPullContainerError: x: not found", None);
    let passing = look(&world, &v2, std::slice::from_ref(&spot), None).explained.unwrap();
    assert_eq!(passing.explanation.outlook, Outlook::Passing);
    let unclear = look(&world, &v2, &[crash()], Some(&passing)).explained.unwrap();
    assert_eq!(unclear.explanation.outlook, Outlook::Unclear);
    let hopeless = look(&world, &v2, &[missing], Some(&unclear)).explained.unwrap();
    assert_eq!(hopeless.explanation.outlook, Outlook::Hopeless);
    assert_eq!(look(&world, &v2, &[spot], Some(&hopeless)).explained, Some(hopeless));
}

#[test]
fn a_rollout_that_ends_well_leaves_no_explanation_and_another_spec_none_of_its_own() {
    let (v2, mut world) = rolling();
    let kept = look(&world, &v2, &[crash()], None).explained.unwrap();
    let v3 = gated("web:v3", &json!({}));
    assert_eq!(look(&world, &v3, &[crash()], Some(&kept)).explained.as_ref(), Some(&kept));
    assert_eq!(said(&v3, &look(&world, &v3, &[crash()], Some(&kept))), "");
    world.records[0]["status"] = json!("SUCCESSFUL");
    world.service.as_mut().unwrap()["deployments"][0]["rolloutState"] = json!("COMPLETED");
    assert_eq!(look(&world, &v2, &[crash()], Some(&kept)).explained, None);
}

#[test]
fn the_history_says_it_once() {
    let (v2, world) = rolling();
    let begun = crate::past::after(&[], &v2, &world.observe(), NOW);
    let back = look(&rolled_back(&world, BREAKER), &v2, &[crash()], None);
    let kept = back.explained.clone().unwrap();
    let mut past = crate::past::after(&begun, &v2, &back, NOW);
    for _ in 0..3 {
        crate::past::explain(&mut past, &kept);
        past = crate::past::after(&past, &v2, &back, NOW);
    }
    let told = past.iter().find(|release| release.id == "2").unwrap().reason.clone().unwrap();
    assert_eq!(
        told,
        format!(
            "{BREAKER} (1 task stopped: container app exited with 1: read the container's log [ECS: Essential container in task exited])"
        )
    );
}

/// Whether more is asked for: stopped tasks, target groups, alarms.
fn asked(desired: &Desired, world: &World, minutes: i64) -> (bool, usize, usize) {
    let now = NOW + SignedDuration::from_mins(minutes);
    let asks = explain::asks(desired, &world.observe(), None, now);
    (asks.stopped, asks.target_groups.len(), asks.alarms.len())
}

#[test]
fn a_rollout_is_explained_when_tasks_are_missing_were_replaced_or_it_is_late() {
    let (v2, mut world) = rolling();
    world.service.as_mut().unwrap()["loadBalancers"] = json!([{ "targetGroupArn": GROUP, "containerPort": 80,
        "advancedConfiguration": { "alternateTargetGroupArn": format!("{GROUP}-b") } }]);
    let with = |members: &Value| {
        let mut changed = world.clone();
        for (name, value) in members.as_object().unwrap() {
            changed.service.as_mut().unwrap()["deployments"][0][name] = value.clone();
        }
        changed
    };
    let going_well = with(&json!({ "desiredCount": 2, "runningCount": 1, "pendingCount": 1 }));
    let late = (v2.timeout.as_secs() / 60 + 1).try_into().unwrap();
    assert_eq!(asked(&v2, &going_well, 1), (false, 0, 0));
    assert_eq!(asked(&v2, &going_well, late), (true, 2, 0));
    let missing = with(&json!({ "desiredCount": 2, "runningCount": 1, "pendingCount": 0 }));
    assert_eq!(asked(&v2, &missing, 1), (true, 2, 0));
    assert_eq!(asked(&v2, &with(&json!({ "failedTasks": 1 })), 1), (true, 2, 0));
    let event = |count: u32, at: f64| json!({ "message": format!("(service web) has started {count} tasks: (task a)."), "createdAt": at });
    let started = |counts: &[(u32, f64)]| {
        let mut changed = going_well.clone();
        let events: Vec<Value> = counts.iter().map(|(count, at)| event(*count, *at)).collect();
        changed.service.as_mut().unwrap()["events"] = json!(events);
        changed
    };
    assert_eq!(asked(&v2, &started(&[(2, 5.0), (8, -60.0)]), 1), (false, 0, 0));
    assert_eq!(asked(&v2, &started(&[(1, 30.0), (2, 5.0)]), 1), (true, 2, 0));
    // The plan's own reads follow the same signs.
    let reads = |mut world: World| {
        let service = world.service.as_mut().unwrap();
        (service["loadBalancers"], service["runningCount"]) = (json!([]), json!(2));
        wants(&v2, &Observed { deployments: None, ..world.observe() }).stopped
    };
    assert!(!reads(going_well));
    assert!(reads(missing));
    // It waits for a person, and that is no trouble.
    let mut waits = on_the_way(&v2, "SCALE_UP", Some("h"));
    waits.service.as_mut().unwrap()["deployments"][0]["createdAt"] = json!(0.0);
    assert_eq!(asked(&v2, &waits, late), (false, 0, 0));
}

#[test]
fn alarms_are_asked_for_only_when_one_stopped_the_rollout_and_targets_are_told() {
    let (v2, world) = rolling();
    let back = rolled_back(&world, "Service deployment rolled back because of alarm(s).");
    assert_eq!(asked(&v2, &back, 1), (true, 0, 0));
    let mut rung = back;
    rung.records[0]["alarms"] = json!({ "status": "TRIGGERED", "alarmNames": ["5xx", "slow"], "triggeredAlarmNames": ["5xx"] });
    assert_eq!(asked(&v2, &rung, 1), (true, 0, 1));
    let alarm = Alarm { name: "5xx".into(), rings: true, reason: "Threshold Crossed".into() };
    let observed = Observed { alarms: vec![alarm], ..rung.observe() };
    assert!(said(&v2, &observed).contains("the alarm `5xx` rang"), "{}", said(&v2, &observed));
    // A target that failed between two looks is not forgotten for what ECS made of it.
    let target = Target {
        group: GROUP.into(),
        state: "unhealthy".into(),
        reason: "Target.Timeout".into(),
        description: "Request timed out".into(),
    };
    let closer = Observed { targets: vec![target], ..world.observe() };
    let kept = explain::keep(None, &v2, &closer).unwrap();
    let elb = task(
        "ServiceSchedulerInitiated",
        "Task failed ELB health checks in (target-group x)",
        Some(143),
    );
    let later = look(&world, &v2, &[elb], Some(&kept));
    assert!(said(&v2, &later).contains("gets no answer in time"), "{}", said(&v2, &later));
}
