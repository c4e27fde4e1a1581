//! Rollouts under way, as rows: what ECS shows of one, and what is done about it.

use crds::{Order, Verb};

use super::*;
use crate::orders::Stopped;
use crate::ownership::{GATES, HELD_SPEC};
use crate::rollout::Rollout;

pub(super) const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const RECORD: &str = "arn:aws:ecs:eu-west-1:111122223333:service-deployment/shop/web/two";

/// A spec with an approval at stages of a blue/green rollout.
pub(super) fn gated(image: &str, rollout: &Value) -> Desired {
    let mut spec = serde_json::to_value(spec(image, &json!({}))).unwrap();
    spec["spec"]["service"]["deploymentConfiguration"] =
        json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0 });
    spec["spec"]["rollout"] = rollout.clone();
    resolved(&serde_json::from_value(spec).unwrap())
}

fn approval() -> Value {
    json!({ "approval": { "required": true, "at": ["POST_TEST_TRAFFIC_SHIFT"] } })
}

/// A world that went to v1 and is on its way to `to`, at this stage, with this hook waiting if any.
pub(super) fn on_the_way(to: &Desired, stage: &str, hook: Option<&str>) -> World {
    let mut world = World::default();
    let _ = world.settle(&gated("web:v1", &approval()));
    world.records.push(json!({
        "serviceDeploymentArn": "one", "status": "SUCCESSFUL", "taskDefinition": revision_arn(1),
        "targetServiceRevision": { "arn": format!("{ARN}:service-revision/shop/web/1") },
    }));
    let plan = world.plan(to);
    world.apply(&plan);
    let hooks: Vec<Value> = hook
        .iter()
        .map(|id| {
            json!({ "hookId": id, "targetType": "PAUSE", "status": "AWAITING_ACTION", "expiresAt": 86400.0 })
        })
        .collect();
    let service = world.service.as_mut().unwrap();
    let target = service["taskDefinition"].clone();
    service["deployments"] = json!([
        { "id": "ecs-svc/2", "status": "PRIMARY", "taskDefinition": target, "rolloutState": "IN_PROGRESS",
          "runningCount": 0, "failedTasks": 0 },
        { "id": "ecs-svc/1", "status": "ACTIVE", "taskDefinition": revision_arn(1), "rolloutState": "COMPLETED",
          "runningCount": 2 },
    ]);
    let configuration = service["deploymentConfiguration"].clone();
    world.records.insert(
        0,
        json!({
            "serviceDeploymentArn": RECORD, "status": "IN_PROGRESS", "taskDefinition": target,
            "lifecycleStage": stage, "lifecycleHookDetails": hooks, "deploymentConfiguration": configuration,
            "targetServiceRevision": { "arn": format!("{ARN}:service-revision/shop/web/2") },
        }),
    );
    world
}

fn approve(desired: &Desired) -> Orders {
    Orders { approval: Some(order(Verb::Approve, Some(desired))), ..Orders::default() }
}

fn order(verb: Verb, of: Option<&Desired>) -> Order {
    let order: Order = serde_json::from_value(
        json!({ "id": 1, "verb": verb, "actor": "ann", "time": NOW, "reason": "because" }),
    )
    .unwrap();
    Order { spec_hash: of.map(|desired| desired.spec_hash.clone()), ..order }
}

fn planned(world: &World, desired: &Desired, orders: &Orders) -> Plan {
    plan(desired, &world.observe(), orders, NOW)
}

fn done(plan: &Plan) -> (Vec<&'static str>, Vec<Reason>) {
    (operations(plan), reasons(plan))
}

/// What it is called, the spec, what people said, the calls and the holds.
type Answered<'a> = (&'a str, &'a Desired, Orders, &'a [&'a str], &'a [Reason]);
/// What it is called, the world, the spec, whose task stopped and why, the calls and the holds.
type Hopeless<'a> =
    (&'a str, &'a World, &'a Desired, &'a str, &'a str, &'a [&'a str], &'a [Reason]);

#[test]
fn a_gate_waits_for_the_approval_of_this_spec_and_goes_on_with_the_hooks_own_id() {
    let v2 = gated("web:v2", &approval());
    let world = on_the_way(&v2, "POST_TEST_TRAFFIC_SHIFT", Some("ecs-PAUSE-7"));
    let waits = planned(&world, &v2, &Orders::default());
    assert_eq!(done(&waits), (vec![], vec![Reason::AwaitingApproval]));
    let said = &waits.holds[0].message;
    for part in ["POST_TEST_TRAFFIC_SHIFT", "since 1970-01-01T00:00:00Z", "at 1970-01-02T00:00:00Z"]
    {
        assert!(said.contains(part), "{said}");
    }
    assert!(matches!(waits.requeue, crate::Requeue::After(_)));
    let goes = planned(&world, &v2, &approve(&v2));
    assert_eq!(done(&goes), (vec!["ContinueServiceDeployment"], vec![]));
    let soon = crate::Requeue::After(std::time::Duration::from_secs(5));
    assert_eq!(goes.requeue, soon);
    let Action::ContinueServiceDeployment { input, reason } = &goes.actions[0] else { panic!() };
    assert_eq!(*reason, Reason::GatePassed);
    assert_eq!(
        *input,
        json!({ "serviceDeploymentArn": RECORD, "hookId": "ecs-PAUSE-7", "action": "CONTINUE" })
    );
}

#[test]
fn what_is_said_decides_at_a_gate() {
    let v2 = gated("web:v2", &approval());
    let v3 = gated("web:v3", &approval());
    let ungated = gated("web:v2", &json!({}));
    let expired = Orders {
        approval: Some(Order { expires_at: Some(NOW), ..order(Verb::Approve, Some(&v2)) }),
        ..Orders::default()
    };
    let held = Orders { hold: Some(order(Verb::Hold, None)), ..approve(&v2) };
    let continues: &[&str] = &["ContinueServiceDeployment"];
    let rows: Vec<Answered<'_>> = vec![
        ("approved", &v2, approve(&v2), continues, &[]),
        ("not approved", &v2, Orders::default(), &[], &[Reason::AwaitingApproval]),
        ("approved for another", &v2, approve(&v3), &[], &[Reason::AwaitingApproval]),
        ("approved too long ago", &v2, expired, &[], &[Reason::AwaitingApproval]),
        ("held by a person", &v2, held, &[], &[Reason::ManualHold]),
        ("unknown", &v2, Orders::unknown("no disk"), &[], &[Reason::StateUnknown]),
    ];
    let world = on_the_way(&v2, "POST_TEST_TRAFFIC_SHIFT", Some("h"));
    for (name, desired, orders, calls, holds) in rows {
        let plan = planned(&world, desired, &orders);
        assert_eq!(done(&plan), (calls.to_vec(), holds.to_vec()), "{name}");
    }
    // A newer spec takes the rollout's place, whatever it waits for.
    let newer = planned(&world, &v3, &approve(&v2));
    assert_eq!(operations(&newer), NEW_ROLLOUT);
    // A spec that drops its gate drops the hook, and then lets go what waits at it.
    let mut dropped = world.clone();
    let first = planned(&dropped, &ungated, &Orders::default());
    assert_eq!(operations(&first), ["UpdateService", "TagResource"]);
    let deployments = dropped.service.as_ref().unwrap()["deployments"].clone();
    dropped.apply(&first);
    dropped.service.as_mut().unwrap()["deployments"] = deployments;
    assert_eq!(operations(&planned(&dropped, &ungated, &Orders::default())), continues);
}

#[test]
fn production_traffic_waits_for_its_window_and_the_end_of_the_gate_is_told() {
    // 1970-01-01 was a Thursday, and the gate ends a day later.
    let windowed = |schedule: &str| {
        let window = json!({ "kind": "allow", "schedule": schedule, "duration": "1h" });
        gated("web:v2", &json!({ "windows": [window] }))
    };
    let (open, evening, sunday) =
        (windowed("0 0 * * *"), windowed("30 20 * * *"), windowed("0 9 * * SUN"));
    let hurry = |of: &Desired| Orders {
        sync: Some(Order { now: true, ..order(Verb::Sync, Some(of)) }),
        ..Orders::default()
    };
    let continues: &[&str] = &["ContinueServiceDeployment"];
    let waits: &[Reason] = &[Reason::OutsideWindow];
    let rows: Vec<Answered<'_>> = vec![
        ("open", &open, Orders::default(), continues, &[]),
        ("closed", &evening, Orders::default(), &[], waits),
        ("closed, and an approval is none", &evening, approve(&evening), &[], waits),
        ("closed for longer than the gate waits", &sunday, Orders::default(), &[], waits),
        ("ordered outside of its windows", &sunday, hurry(&sunday), continues, &[]),
        ("ordered for another spec", &sunday, hurry(&gated("web:v3", &json!({}))), &[], waits),
    ];
    for (name, desired, orders, calls, holds) in rows {
        let world = on_the_way(desired, "PRE_PRODUCTION_TRAFFIC_SHIFT", Some("h"));
        let plan = planned(&world, desired, &orders);
        assert_eq!(done(&plan), (calls.to_vec(), holds.to_vec()), "{name}");
        for hold in plan.holds {
            let said = hold.message;
            assert!(said.contains("ECS rolls back at 1970-01-02T00:00:00Z"), "{name}: {said}");
            let next =
                if desired == &evening { "1970-01-01T20:30:00Z" } else { "1970-01-04T09:00:00Z" };
            assert!(said.contains(next), "{name}: {said}");
            assert_eq!(said.contains("longshore sync --now"), desired == &sunday, "{name}: {said}");
        }
    }
    // A minute before it opens the turn comes when it does.
    let world = on_the_way(&evening, "PRE_PRODUCTION_TRAFFIC_SHIFT", Some("h"));
    let soon = NOW + jiff::SignedDuration::from_secs(20 * 3600 + 30 * 60 - 2);
    let plan = plan(&evening, &world.observe(), &Orders::default(), soon);
    assert_eq!(plan.requeue, crate::Requeue::After(std::time::Duration::from_secs(2)));
}

#[test]
fn a_pause_that_is_not_ours_waits_for_a_person() {
    let v2 = gated("web:v2", &approval());
    for stage in ["PRE_SCALE_UP", "RECONCILE_SERVICE"] {
        let world = on_the_way(&v2, stage, Some("h"));
        assert_eq!(done(&planned(&world, &v2, &approve(&v2))), (vec![], vec![]), "{stage}");
    }
    // ECS's answers do not know the stage before production traffic.
    let step = json!({ "approval": { "required": true, "at": ["PRE_PRODUCTION_TRAFFIC_SHIFT"] } });
    let v2 = gated("web:v2", &step);
    let world = on_the_way(&v2, "SOMETHING_ELSE", Some("h"));
    assert_eq!(operations(&planned(&world, &v2, &approve(&v2))), ["ContinueServiceDeployment"]);
}

#[test]
fn a_restart_of_what_was_approved_and_a_rollback_by_a_person_wait_for_nobody() {
    let v1 = gated("web:v1", &approval());
    let restart = on_the_way(&v1, "POST_TEST_TRAFFIC_SHIFT", Some("h"));
    let continues = ["ContinueServiceDeployment"];
    assert_eq!(operations(&planned(&restart, &v1, &Orders::default())), continues);
    // ECS shows no rollout any more that ended well: whatever the history says, the gate stays shut.
    let mut long_after = restart;
    long_after.records.retain(|record| record["status"] != "SUCCESSFUL");
    let last_good = Some(v1.spec_hash.clone());
    let observed = Observed { last_good, ..long_after.observe() };
    assert_eq!(
        done(&plan(&v1, &observed, &Orders::default(), NOW)),
        (vec![], vec![Reason::AwaitingApproval])
    );
    // v3 is wanted and was left for v2, which is on its way and waits.
    let (v2, v3) = (gated("web:v2", &approval()), gated("web:v3", &approval()));
    let world = on_the_way(&v2, "POST_TEST_TRAFFIC_SHIFT", Some("h"));
    let left = Orders { left: Some(order(Verb::Rollback, Some(&v3))), ..Orders::default() };
    let plan = planned(&world, &v3, &left);
    assert_eq!(done(&plan), (continues.to_vec(), vec![Reason::RolledBackByHand]));
    let mut foreign = v3.clone();
    foreign.sync.self_heal = false;
    foreign.sync.suspend = false;
    let manual = Desired {
        sync: crds::EffectiveSync { mode: crds::SyncMode::Manual, ..foreign.sync.clone() },
        ..foreign
    };
    let plan = planned(&world, &manual, &Orders::default());
    assert_eq!(done(&plan), (vec![], vec![Reason::ManualSync, Reason::GateOutdated]));
}

/// A task of a deployment that stopped with these words.
fn stopped(world: &World, by: &str, words: &str) -> Observed {
    let task = json!({
        "startedBy": by, "stopCode": "TaskFailedToStart", "stoppedReason": words, "containers": [],
    });
    Observed {
        stopped: Some(vec![crate::observed::StoppedTask::from_describe(&task)]),
        ..world.observe()
    }
}

const MISSING: &str = "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref web:v2: not found";

#[test]
fn a_hopeless_rollout_is_stopped_and_one_that_may_pass_is_not() {
    let v2 = gated("web:v2", &json!({}));
    let leaving = gated("web:v2", &json!({ "onFailure": "hold" }));
    let world = on_the_way(&v2, "SCALE_UP", None);
    let held_world = on_the_way(&leaving, "SCALE_UP", None);
    let capacity = "Capacity is unavailable at this time. Please try again later or in a different availability zone";
    let stop: &[&str] = &["StopServiceDeployment"];
    let mut running = world.clone();
    running.service.as_mut().unwrap()["deployments"][0]["runningCount"] = json!(1);
    let mut first = world.clone();
    first.records.truncate(1);
    first.service.as_mut().unwrap()["deployments"].as_array_mut().unwrap().truncate(1);
    // The old deployment shows no more, and its record does; one of the same rollout is none to go back to.
    let mut recorded = world.clone();
    recorded.service.as_mut().unwrap()["deployments"].as_array_mut().unwrap().truncate(1);
    let mut same = recorded.clone();
    same.records[1]["targetServiceRevision"] = same.records[0]["targetServiceRevision"].clone();
    let mut failed = recorded.clone();
    failed.records[1]["status"] = json!("STOPPED");
    let mut over = world.clone();
    over.records[0]["status"] = json!("ROLLBACK_REQUESTED");
    let hopeless: &[Reason] = &[Reason::RolloutHopeless];
    let rows: Vec<Hopeless<'_>> = vec![
        ("an image that is not there", &world, &v2, "ecs-svc/2", MISSING, stop, &[]),
        ("no room", &world, &v2, "ecs-svc/2", capacity, &[], &[]),
        ("a task of the old deployment", &world, &v2, "ecs-svc/1", MISSING, &[], &[]),
        ("a task of the new one runs", &running, &v2, "ecs-svc/2", MISSING, &[], &[]),
        ("it is being rolled back already", &over, &v2, "ecs-svc/2", MISSING, &[], &[]),
        ("nothing to go back to", &first, &v2, "ecs-svc/2", MISSING, &[], hopeless),
        ("a record to go back to", &recorded, &v2, "ecs-svc/2", MISSING, stop, &[]),
        ("no other record", &same, &v2, "ecs-svc/2", MISSING, &[], hopeless),
        ("no good record", &failed, &v2, "ecs-svc/2", MISSING, &[], hopeless),
        ("the spec wants it left", &held_world, &leaving, "ecs-svc/2", MISSING, &[], hopeless),
    ];
    for (name, world, desired, by, words, calls, holds) in rows {
        let plan = plan(desired, &stopped(world, by, words), &Orders::default(), NOW);
        assert_eq!(done(&plan), (calls.to_vec(), holds.to_vec()), "{name}");
        assert!(
            plan.holds.iter().all(|hold| hold.message.contains("not in its registry")),
            "{name}"
        );
    }
    let held = Orders { hold: Some(order(Verb::Hold, None)), ..Orders::default() };
    let plan = plan(&v2, &stopped(&world, "ecs-svc/2", MISSING), &held, NOW);
    assert_eq!(operations(&plan), [""; 0], "a person holds the service");
}

#[test]
fn what_longshore_stopped_is_told_in_its_own_words() {
    let v2 = gated("web:v2", &json!({}));
    let world = on_the_way(&v2, "SCALE_UP", None);
    let plan = plan(&v2, &stopped(&world, "ecs-svc/2", MISSING), &Orders::default(), NOW);
    let [Action::StopServiceDeployment { arn, because: Some(because), .. }] =
        plan.actions.as_slice()
    else {
        panic!("{plan:?}")
    };
    assert_eq!((arn.as_str(), because.release.as_str()), (RECORD, "2"));
    let orders = Orders { stopped: Some(because.clone()), ..Orders::default() };
    let mut back = world.clone();
    back.records[0]["status"] = json!("ROLLBACK_SUCCESSFUL");
    back.records[0]["statusReason"] = json!("somebody stopped it.");
    let old = back.service.clone().unwrap();
    back.run(old, &revision_arn(1));
    let after = planned(&back, &v2, &orders);
    assert_eq!(done(&after), (vec!["TagResource"], vec![Reason::RolledBack]));
    let said = &after.holds[0].message;
    assert!(said.contains("Longshore stopped it: 1 task stopped: the image is not in"), "{said}");
    // Another rollout of the same spec was stopped by somebody else.
    let other = Stopped { deployment: "another".to_owned(), ..because.clone() };
    let after = planned(&back, &v2, &Orders { stopped: Some(other), ..Orders::default() });
    assert!(after.holds[0].message.contains("somebody stopped it."));
}

#[test]
fn a_progressive_rollout_has_succeeded_when_its_record_has() {
    let v2 = gated("web:v2", &json!({}));
    let mut world = on_the_way(&v2, "BAKE_TIME", None);
    for (state, record, alone, rollout) in [
        (json!("COMPLETED"), "IN_PROGRESS", false, Rollout::InProgress),
        (json!(null), "IN_PROGRESS", true, Rollout::InProgress),
        (json!(null), "SUCCESSFUL", true, Rollout::Succeeded),
        (json!(null), "SUCCESSFUL", false, Rollout::InProgress),
        (json!("COMPLETED"), "SUCCESSFUL", true, Rollout::Succeeded),
    ] {
        let service = world.service.as_mut().unwrap();
        service["deployments"][0]["rolloutState"] = state.clone();
        let old = service["deployments"].as_array().unwrap().last().unwrap().clone();
        let deployments = service["deployments"].as_array_mut().unwrap();
        deployments.truncate(1);
        if !alone {
            deployments.push(old);
        }
        world.records[0]["status"] = json!(record);
        let told = planned(&world, &v2, &Orders::default()).rollout;
        assert_eq!(told, rollout, "{state} {record} {alone}");
    }
}

#[test]
fn the_hook_is_no_drift_and_goes_with_the_gate_and_the_tag_when_nothing_rolls() {
    let mut world = World::default();
    let v1 = gated("web:v1", &approval());
    let _ = world.settle(&v1);
    let service = world.service.as_ref().unwrap();
    assert_eq!(crate::observed::tags(service)[GATES], "POST_TEST_TRAFFIC_SHIFT");
    let hooks = &service["deploymentConfiguration"]["lifecycleHooks"];
    assert_eq!(hooks[0]["lifecycleStages"], json!(["POST_TEST_TRAFFIC_SHIFT"]));
    let plan = world.settle(&gated("web:v1", &json!({})));
    assert_eq!(operations(&plan), ["UpdateService", "TagResource", "UntagResource"]);
    let service = world.service.as_ref().unwrap();
    assert_eq!(service["deploymentConfiguration"]["lifecycleHooks"], json!([]));
    assert!(!crate::observed::tags(service).contains_key(GATES));
    assert!(!crate::observed::tags(service).contains_key(HELD_SPEC));
}

#[test]
fn a_gate_and_hooks_that_are_left_alone_exclude_each_other() {
    for pointer in
        ["/service/deploymentConfiguration", "/service/deploymentConfiguration/lifecycleHooks"]
    {
        let mut spec =
            serde_json::to_value(spec("web:v1", &json!({ "ignore": [pointer] }))).unwrap();
        spec["spec"]["service"]["deploymentConfiguration"] = json!({ "strategy": "CANARY" });
        spec["spec"]["rollout"] = approval();
        let spec: Service = serde_json::from_value(spec).unwrap();
        let provenance = desired("web:v1").provenance;
        let answer =
            Desired::resolve(&spec, &"test".parse().unwrap(), provenance, &SyncPolicy::default());
        assert_eq!(answer.unwrap_err().path, "spec.rollout", "{pointer}");
    }
}
