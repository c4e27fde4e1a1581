//! Where a rollout has got: its stages, and for how long it has been at one.

use crds::{RolloutStatus, TrafficWeights};
use jiff::SignedDuration;

use super::*;
use crate::plan::tests::{resolved, spec};

/// A blue/green spec with an approval before its end.
fn gated() -> Desired {
    let mut spec = serde_json::to_value(spec("web:v1", &json!({}))).unwrap();
    spec["spec"]["service"]["deploymentConfiguration"] = json!({ "strategy": "BLUE_GREEN" });
    spec["spec"]["rollout"] =
        json!({ "approval": { "required": true, "at": ["POST_TEST_TRAFFIC_SHIFT"] } });
    resolved(&serde_json::from_value(spec).unwrap())
}

/// A service on its way to what is wanted, with ECS's record of that beside an older one.
#[allow(clippy::needless_pass_by_value, reason = "callers write `json!({…})`")]
fn rolling(configuration: Value, record: Value) -> Observed {
    let mut world = World::running("web:v1");
    let service = world.service.as_mut().unwrap();
    service["deploymentConfiguration"] = configuration;
    let members = primary(json!({ "pendingCount": 1, "failedTasks": 4, "createdAt": 86_000 }));
    service.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let of = |number: u32| json!({ "arn": format!("{ARN}:service-revision/shop/web/{number}") });
    let mut newest = json!({ "status": "IN_PROGRESS", "targetServiceRevision": of(1) });
    newest["targetServiceRevision"]["requestedProductionTrafficWeight"] = json!(25.0);
    newest.as_object_mut().unwrap().extend(record.as_object().unwrap().clone());
    let older = json!({
        "status": "SUCCESSFUL", "lifecycleStage": "CLEAN_UP", "targetServiceRevision": of(0),
    });
    world.records = vec![older, newest];
    world.observe()
}

fn course(turn: &Turn<'_>) -> RolloutStatus {
    after(turn).rollout.unwrap()
}

#[test]
fn a_rollout_tells_its_stage_its_tasks_and_its_traffic() {
    let wanted = gated();
    let observed =
        rolling(json!({ "strategy": "BLUE_GREEN" }), json!({ "lifecycleStage": "SCALE_UP" }));
    let plan = at(Rollout::InProgress);
    let said = course(&turn(&wanted, &observed, &plan));
    assert_eq!((&*said.id, &*said.strategy, &*said.stage), ("ecs-svc/1", "BLUE_GREEN", "SCALE_UP"));
    assert_eq!((said.running, said.desired, said.pending, said.failed), (1, 2, 1, 4));
    assert_eq!(said.started_at, Some(Timestamp::from_second(86_000).unwrap()));
    let weights = TrafficWeights { production: Some(25.0), test: None };
    assert_eq!(said.traffic_weights, Some(weights));
    assert_eq!((said.stage_since, said.bake_until), (Some(NOW), None));
    // Without stages and weights there are none to tell.
    let rolling = running(primary(json!({})));
    let said = course(&turn(&wanted, &rolling, &plan));
    assert_eq!((&*said.strategy, &*said.stage), ("ROLLING", "IN_PROGRESS"));
    assert_eq!((said.traffic_weights, said.waiting), (None, vec![]));
    for (running_tasks, stage) in [(1, "IN_PROGRESS"), (2, "COMPLETED")] {
        let wordless = primary(json!({ "rolloutState": null, "runningCount": running_tasks }));
        let said = course(&turn(&wanted, &running(wordless), &plan));
        assert_eq!(said.stage, stage);
    }
    assert_eq!(after(&turn(&wanted, &Observed::default(), &plan)).rollout, None);
}

#[test]
fn a_stage_counts_from_when_it_was_first_seen() {
    let wanted = gated();
    let configuration = json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 30 });
    let stage = |name: &str| rolling(configuration.clone(), json!({ "lifecycleStage": name }));
    let (baking, shifting) = (stage("BAKE_TIME"), stage("TEST_TRAFFIC_SHIFT"));
    let plan = at(Rollout::InProgress);
    let first = after(&turn(&wanted, &baking, &plan));
    let said = first.rollout.clone().unwrap();
    let end = NOW + SignedDuration::from_mins(30);
    assert_eq!((said.stage_since, said.bake_until), (Some(NOW), Some(end)));
    let later = |observed, previous| {
        course(&Turn { previous: Some(previous), now: LATER, ..turn(&wanted, observed, &plan) })
    };
    assert_eq!(later(&baking, &first).stage_since, Some(NOW));
    assert_eq!(later(&baking, &first).bake_until, Some(end));
    assert_eq!(later(&shifting, &first).stage_since, Some(LATER), "another stage");
    let mut other = first.clone();
    other.rollout.as_mut().unwrap().id = "ecs-svc/0".to_owned();
    assert_eq!(later(&baking, &other).stage_since, Some(LATER), "another rollout");
}

#[test]
fn a_rollout_with_stages_is_late_when_one_takes_longer_than_it_bakes_and_may() {
    let wanted = gated();
    let waits =
        json!([{ "hookId": "ecs-PAUSE-7", "targetType": "PAUSE", "status": "AWAITING_ACTION" }]);
    let shift = "PRODUCTION_TRAFFIC_SHIFT";
    let canary =
        json!({ "strategy": "CANARY", "canaryConfiguration": { "canaryBakeTimeInMinutes": 20 } });
    let linear =
        json!({ "strategy": "LINEAR", "linearConfiguration": { "stepBakeTimeInMinutes": 10 } });
    let blue = json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 30 });
    for (configuration, record, limit) in [
        (&blue, json!({ "lifecycleStage": "SCALE_UP" }), Some(15)),
        (&blue, json!({ "lifecycleStage": "BAKE_TIME" }), Some(45)),
        (&canary, json!({ "lifecycleStage": shift }), Some(35)),
        (&linear, json!({ "lifecycleStage": shift }), Some(25)),
        (&canary, json!({ "lifecycleStage": "SCALE_UP" }), Some(15)),
        // While it waits for somebody it is never late.
        (&blue, json!({ "lifecycleStage": "SCALE_UP", "lifecycleHookDetails": waits }), None),
        (&blue, json!({}), None),
    ] {
        let observed = rolling(configuration.clone(), record.clone());
        let plan = at(Rollout::InProgress);
        let first = after(&turn(&wanted, &observed, &plan));
        let reason = |now: Timestamp| {
            let then = Turn { previous: Some(&first), now, ..turn(&wanted, &observed, &plan) };
            after(&then).conditions[0].reason
        };
        let end = NOW + SignedDuration::from_mins(limit.unwrap_or(100_000));
        assert_eq!(reason(end), Reason::RolloutInProgress, "{record}");
        let then = if limit.is_some() {
            Reason::ProgressDeadlineExceeded
        } else {
            Reason::RolloutInProgress
        };
        assert_eq!(reason(end + SignedDuration::from_secs(1)), then, "{record}");
    }
}

#[test]
fn a_gate_of_ours_is_told_from_a_pause_of_the_spec() {
    let wanted = gated();
    let pause = |id: &str| json!({ "hookId": id, "targetType": "PAUSE", "status": "AWAITING_ACTION", "expiresAt": 90_000.0 });
    for (stage, gates) in
        [("POST_TEST_TRAFFIC_SHIFT", [true, false]), ("POST_SCALE_UP", [false, false])]
    {
        let record = json!({
            "lifecycleStage": stage, "lifecycleHookDetails": [pause("first"), pause("second")],
        });
        let observed = rolling(json!({ "strategy": "BLUE_GREEN" }), record);
        let plan = at(Rollout::InProgress);
        let waiting = course(&turn(&wanted, &observed, &plan)).waiting;
        let said: Vec<_> = waiting.iter().map(|hook| (&*hook.hook_id, hook.is_gate)).collect();
        assert_eq!(said, [("first", gates[0]), ("second", gates[1])]);
        assert_eq!(
            (waiting[0].stage.as_deref(), waiting[0].expires_at),
            (Some(stage), Some(LATER))
        );
    }
}
