//! Gates as rows: what a spec asks for, what becomes of it, and what the parts of a gate come down to.

use serde_json::json;

use super::*;

fn pass() -> Verdict {
    Verdict::Pass
}

fn wait(message: &str) -> Verdict {
    Verdict::Wait { reason: Reason::AwaitingApproval, message: message.to_owned() }
}

fn stop(message: &str) -> Verdict {
    Verdict::Stop { reason: Reason::RolloutHopeless, message: message.to_owned() }
}

#[test]
fn a_rollout_goes_on_only_when_every_part_passes_and_one_part_stops_it() {
    let waits = |message: &str| Decision::Wait {
        reason: Reason::AwaitingApproval,
        message: message.to_owned(),
    };
    let stops = |message: &str| Decision::Stop {
        reason: Reason::RolloutHopeless,
        message: message.to_owned(),
    };
    for (parts, decision) in [
        (vec![], Decision::Continue),
        (vec![pass(), pass()], Decision::Continue),
        (vec![pass(), wait("a"), pass()], waits("a")),
        (vec![wait("a"), wait("b")], waits("a; b")),
        (vec![wait("a"), stop("x"), stop("y")], stops("x")),
        (vec![stop("x"), pass()], stops("x")),
    ] {
        assert_eq!(decide(parts.clone()), decision, "{parts:?}");
    }
}

fn resolved(rollout: Value, strategy: &str) -> Gates {
    let rollout: Rollout = serde_json::from_value(rollout).unwrap();
    Gates::resolve(Some(&rollout), &json!({ "deploymentConfiguration": { "strategy": strategy } }))
}

#[test]
fn an_approval_is_waited_for_at_its_stages_where_there_are_stages_and_first_elsewhere() {
    let at = json!({ "approval": { "required": true, "at": ["POST_TEST_TRAFFIC_SHIFT"] } });
    let first = json!({ "approval": { "required": true } });
    let none = json!({ "approval": { "required": false, "at": ["POST_SCALE_UP"] } });
    for strategy in ["BLUE_GREEN", "CANARY", "LINEAR"] {
        let gates = resolved(at.clone(), strategy);
        assert_eq!(gates.as_tag().as_deref(), Some("POST_TEST_TRAFFIC_SHIFT"));
        assert!(!gates.approval_first && gates.need_approval());
        assert!(resolved(first.clone(), strategy).approval_first);
        assert_eq!(resolved(none.clone(), strategy), Gates::default());
    }
    for strategy in ["ROLLING", "SOMETHING_NEW"] {
        let gates = resolved(at.clone(), strategy);
        assert!(gates.approval_first && gates.at.is_empty(), "{strategy}");
    }
    assert!(Gates::resolve(Some(&serde_json::from_value(at).unwrap()), &json!({})).approval_first);
}

#[test]
fn windows_and_checks_without_a_stage_stand_where_production_traffic_moves() {
    let window = json!({ "kind": "allow", "schedule": "0 9 * * *", "duration": "1h" });
    let check =
        |at: Value| json!({ "name": "a", "http": { "url": "https://a.example" }, "at": at });
    let before = GateStage::PreProductionTrafficShift;
    let after = GateStage::PostProductionTrafficShift;
    let tested = GateStage::PostTestTrafficShift;
    let windows = Gate { window: true, ..Gate::default() };
    let checks = Gate { checks: true, ..Gate::default() };
    let both = Gate { window: true, checks: true, ..Gate::default() };
    for (rollout, gates) in [
        (json!({ "windows": [window] }), vec![(before, windows)]),
        (json!({ "checks": [check(json!([]))] }), vec![(before, checks), (after, checks)]),
        (json!({ "checks": [check(json!(["POST_TEST_TRAFFIC_SHIFT"]))] }), vec![(tested, checks)]),
        (
            json!({ "windows": [window], "checks": [check(json!([]))] }),
            vec![(before, both), (after, checks)],
        ),
    ] {
        for strategy in ["BLUE_GREEN", "CANARY", "LINEAR"] {
            let found = resolved(rollout.clone(), strategy);
            assert_eq!(found.at, gates.iter().copied().collect(), "{rollout}");
            let is_windowed = rollout.get("windows").is_some();
            let hours = if is_windowed { 14 * 24 } else { 24 };
            assert_eq!(found.timeout, Duration::from_hours(hours), "{rollout}");
        }
        assert_eq!(resolved(rollout, "ROLLING"), Gates::default());
    }
    let told = resolved(json!({ "windows": [window], "gateTimeout": "2h" }), "CANARY");
    assert_eq!(told.timeout, Duration::from_hours(2));
    // Where the spec pauses itself a person decides, and no other pause is added.
    let own = json!({ "targetType": "PAUSE", "lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"] });
    let rollout: Rollout = serde_json::from_value(json!({ "checks": [check(json!([]))] })).unwrap();
    let configuration = json!({ "strategy": "CANARY", "lifecycleHooks": [own] });
    let found =
        Gates::resolve(Some(&rollout), &json!({ "deploymentConfiguration": configuration }));
    assert_eq!(found.at, [(after, checks)].into());
}

#[test]
fn our_pause_stands_beside_the_hooks_of_the_spec_and_ends_in_a_rollback() {
    let rollout = json!({
        "approval": { "required": true, "at": ["PRE_PRODUCTION_TRAFFIC_SHIFT", "POST_SCALE_UP"] },
        "gateTimeout": "90s",
    });
    let gates = resolved(rollout, "CANARY");
    let own = json!({ "targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"] });
    let ours = json!({
        "targetType": "PAUSE",
        "lifecycleStages": ["POST_SCALE_UP", "PRE_PRODUCTION_TRAFFIC_SHIFT"],
        "timeoutConfiguration": { "timeoutInMinutes": 2, "action": "ROLLBACK" },
    });
    for (before, after) in [
        (json!({}), json!([ours])),
        (json!({ "lifecycleHooks": null }), json!([ours])),
        (json!({ "lifecycleHooks": [own] }), json!([own, ours])),
    ] {
        let mut block = json!({ "deploymentConfiguration": before });
        gates.add_hook(&mut block);
        assert_eq!(block["deploymentConfiguration"]["lifecycleHooks"], after);
    }
    let mut untouched = json!({ "desiredCount": 2 });
    Gates::default().add_hook(&mut untouched);
    assert_eq!(untouched, json!({ "desiredCount": 2 }));
}

#[test]
fn only_the_pause_that_the_tag_names_is_ours() {
    let pause = |stages: &[&str]| json!({ "targetType": "PAUSE", "lifecycleStages": stages });
    let function = json!({ "targetType": "AWS_LAMBDA", "lifecycleStages": ["POST_SCALE_UP"] });
    let configuration = json!({ "lifecycleHooks": [
        pause(&["POST_SCALE_UP"]), function, pause(&["PRE_SCALE_UP"]),
    ] });
    let tags = |stages: &str| {
        crate::ownership::Tags::from([(crate::ownership::GATES.to_owned(), stages.to_owned())])
    };
    assert_eq!(
        hooks_without_ours(&configuration, &tags("POST_SCALE_UP")),
        Some(json!([function, pause(&["PRE_SCALE_UP"])]))
    );
    for stages in ["", "POST_SCALE_UP PRE_SCALE_UP", "PRE_PRODUCTION_TRAFFIC_SHIFT"] {
        assert_eq!(hooks_without_ours(&configuration, &tags(stages)), None, "{stages}");
    }
    assert_eq!(hooks_without_ours(&json!({}), &tags("POST_SCALE_UP")), None);
}
