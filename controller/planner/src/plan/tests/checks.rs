//! A rollout that is judged, as rows: what is written on the service, and what a verdict makes of the plan.

use jiff::SignedDuration;

use super::*;
use crate::checks::mark::{self, CHECKS, Mark};
use crate::checks::{self as judging, Analysis, Measurement, Outcome, Part};
use crate::ownership::HELD_SPEC;
use crate::ownership::Tags;
use crate::plan::Requeue;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn checked(image: &str) -> Desired {
    let check = json!([{ "name": "smoke", "http": { "url": "https://web.example/" } }]);
    let check: Vec<crds::Check> = serde_json::from_value(check).unwrap();
    Desired { checks: judging::resolve(&check, false).unwrap(), ..desired(image) }
}

fn tags_of(world: &World) -> Tags {
    crate::observed::tags(world.service.as_ref().unwrap())
}

/// The plan of a turn in which the only check was measured with this outcome.
fn judged(world: &World, desired: &Desired, outcome: Outcome, orders: &Orders) -> Plan {
    let observed = world.observe();
    let plan = plan(desired, &observed, orders, NOW);
    let Some(mut analysis) = judging::subject(desired, &observed, &plan, (None, orders), NOW)
    else {
        return plan;
    };
    let measurement =
        Measurement { time: NOW, outcome, value: None, message: "status 500".to_owned() };
    analysis.count(Part::Along, "smoke", measurement);
    analysis.note_failure(&desired.checks, NOW);
    let leaving = analysis.failed.is_some().then(|| Ok(Vec::new()));
    judging::conclude(plan, desired, &observed, &analysis, (leaving, NOW))
}

#[test]
fn a_rollout_is_marked_before_it_begins_and_checks_alone_begin_none() {
    let mut world = World::running("web:v1");
    assert_eq!(operations(&world.plan(&checked("web:v1"))), [""; 0]);
    let next = checked("web:v2");
    let first = world.settle(&next);
    let expected = ["RegisterTaskDefinition", "TagResource", "UpdateService", "TagResource"];
    assert_eq!(operations(&first), expected);
    let service = world.observe().service.unwrap();
    assert_eq!(mark::mark(&next, &service), Mark::Pending);
    // What is judged is what the rollout brings; another count is none of it.
    let mut counted = next.clone();
    counted.service = desired_with("web:v2", json!({})).service;
    assert_eq!(mark::release(&counted), mark::release(&next));
    assert_ne!(mark::release(&checked("web:v1")), mark::release(&next));
    // A service that is new carries the mark from its first moment.
    let mut empty = World::default();
    let _ = empty.settle(&next);
    assert!(tags_of(&empty)[CHECKS].starts_with("pending:"));
}

#[test]
fn a_verdict_is_written_on_the_service_and_settles() {
    let next = checked("web:v2");
    let nobody = Orders::default();
    for (outcome, mark, reason) in [
        (Outcome::Pass, Mark::Passed, Reason::RolloutSucceeded),
        (Outcome::Fail, Mark::Failed, Reason::ChecksFailed),
    ] {
        let mut world = World::running("web:v1");
        let _ = world.settle(&next);
        let plan = judged(&world, &next, outcome, &nobody);
        assert_eq!(operations(&plan), ["TagResource"], "{outcome:?}");
        assert_eq!(plan.actions[0].reason(), reason);
        world.apply(&plan);
        assert_eq!(mark::mark(&next, &world.observe().service.unwrap()), mark);
        let left = tags_of(&world).get(HELD_SPEC).cloned();
        assert_eq!(left.is_some(), mark == Mark::Failed, "{outcome:?}");
        let again = judged(&world, &next, outcome, &nobody);
        assert_eq!(operations(&again), [""; 0], "{outcome:?}");
    }
    let mut world = World::running("web:v1");
    let _ = world.settle(&next);
    let silent = judged(&world, &next, Outcome::Inconclusive, &nobody);
    assert_eq!(operations(&silent), [""; 0]);
    assert!(matches!(silent.requeue, Requeue::After(_)));
}

#[test]
fn what_is_held_is_judged_and_left_alone() {
    let next = checked("web:v2");
    let mut world = World::running("web:v1");
    let _ = world.settle(&next);
    let order: crds::Order = serde_json::from_value(json!({
        "id": 1, "verb": "hold", "actor": "ann", "time": NOW,
    }))
    .unwrap();
    let held = Orders { hold: Some(order), ..Orders::default() };
    for outcome in [Outcome::Pass, Outcome::Fail] {
        assert_eq!(operations(&judged(&world, &next, outcome, &held)), [""; 0], "{outcome:?}");
    }
}

#[test]
fn a_failed_spec_that_was_left_is_held_with_its_checks() {
    let (first, next) = (desired("web:v1"), checked("web:v2"));
    let mut world = World::running("web:v1");
    let _ = world.settle(&next);
    let failed = judged(&world, &next, Outcome::Fail, &Orders::default());
    world.apply(&failed);
    let old = world.revisions[0]["taskDefinition"]["taskDefinitionArn"].clone();
    let service = world.service.clone().unwrap();
    world.run(service, old.as_str().unwrap());
    let plan = world.plan(&next);
    let reasons: Vec<Reason> = plan.holds.iter().map(|hold| hold.reason).collect();
    assert_eq!((operations(&plan), reasons), (vec![], vec![Reason::RolledBack]));
    let mut known = Analysis::new("ecs-svc/2".to_owned(), mark::release(&next), NOW);
    known.failed = Some("check `smoke`: status 500".to_owned());
    let later = NOW + SignedDuration::from_hours(1);
    let told = judging::remembered(plan, &next, Some(&known), later);
    assert!(told.holds[0].message.starts_with("check `smoke`: status 500. "), "{:?}", told.holds);
    // What was measured of another release, or by checks that the spec has no more, is not told.
    let of = |release: &str| Analysis { release: release.to_owned(), ..known.clone() };
    let plan = world.plan(&next);
    assert_eq!(judging::remembered(plan.clone(), &next, Some(&of("other")), later), plan);
    let unchecked = desired("web:v2");
    assert_eq!(mark::release(&unchecked), known.release);
    assert_eq!(judging::remembered(plan.clone(), &unchecked, Some(&known), later), plan);
    // The spec of before is no failed one.
    assert!(world.plan(&first).holds.is_empty());
}

#[test]
fn what_was_measured_counts_for_its_rollout_and_its_release_only() {
    let next = checked("web:v2");
    let mut world = World::running("web:v1");
    let _ = world.settle(&next);
    let (observed, plan) = (world.observe(), world.plan(&next));
    let (began, nobody) = (NOW - SignedDuration::from_mins(5), Orders::default());
    for (deployment, release, counts) in [
        ("ecs-svc/1", mark::release(&next), true),
        ("ecs-svc/0", mark::release(&next), false),
        ("ecs-svc/1", "other".to_owned(), false),
    ] {
        let known = Analysis::new(deployment.to_owned(), release, began);
        let found = judging::subject(&next, &observed, &plan, (Some(&known), &nobody), NOW);
        assert_eq!(found.unwrap().began, if counts { began } else { NOW }, "{known:?}");
    }
}

/// A blue/green rollout of a spec with a check at a gate, as far as this record has got with it.
#[allow(clippy::needless_pass_by_value, reason = "callers write `json!({…})`")]
fn staged(record: Value) -> (World, Desired) {
    let spec_of = |image: &str| {
        let mut spec = serde_json::to_value(spec(image, &json!({}))).unwrap();
        spec["spec"]["service"]["deploymentConfiguration"] = json!({ "strategy": "BLUE_GREEN" });
        spec["spec"]["rollout"] = json!({ "checks": [{
            "name": "smoke", "http": { "url": "https://web.example/" }, "at": ["POST_TEST_TRAFFIC_SHIFT"], "after": "1m",
        }] });
        resolved(&serde_json::from_value(spec).unwrap())
    };
    let (first, next) = (spec_of("web:v1"), spec_of("web:v2"));
    let mut world = World::default();
    let _ = world.settle(&first);
    let _ = world.settle(&next);
    let service = world.service.as_mut().unwrap();
    service["deployments"][0]["id"] = json!("ecs-svc/2");
    service["deployments"][0]["rolloutState"] = json!("IN_PROGRESS");
    let mut newest = json!({
        "status": "IN_PROGRESS", "taskDefinition": revision_arn(2),
        "targetServiceRevision": { "arn": format!("{ARN}:service-revision/shop/web/2") },
    });
    for (member, value) in record.as_object().unwrap() {
        newest[member] = value.clone();
    }
    if let Some(share) = record.get("share") {
        newest["targetServiceRevision"]["requestedProductionTrafficWeight"] = share.clone();
    }
    let older = json!({
        "status": "SUCCESSFUL", "lifecycleStage": "CLEAN_UP",
        "targetServiceRevision": { "arn": format!("{ARN}:service-revision/shop/web/1") },
    });
    world.records = vec![older, newest];
    (world, next)
}

#[test]
fn tasks_are_measured_from_when_production_traffic_goes_to_them() {
    for (record, serves) in [
        (json!({}), false),
        (json!({ "lifecycleStage": "SCALE_UP", "share": 0.0 }), false),
        (json!({ "lifecycleStage": "BAKE_TIME", "share": 100.0 }), true),
        (json!({ "lifecycleStage": "BAKE_TIME", "share": 0.5 }), true),
        (json!({ "lifecycleStage": "BAKE_TIME" }), true),
        (json!({ "share": 100.0 }), false),
    ] {
        let (world, next) = staged(record.clone());
        let (observed, plan) = (world.observe(), world.plan(&next));
        let nobody = Orders::default();
        let analysis = judging::subject(&next, &observed, &plan, (None, &nobody), NOW).unwrap();
        assert_eq!(analysis.traffic, serves.then_some(NOW), "{record}");
        let at = ("h", crds::GateStage::PostTestTrafficShift);
        let known = judging::analysis_at(&next, &observed, None, at, NOW).unwrap();
        assert_eq!(known.traffic, serves.then_some(NOW), "{record}");
        assert_eq!(known.gate.unwrap().hook, "h");
    }
    let gone = Observed::default();
    let next = checked("web:v2");
    let at = ("h", crds::GateStage::PostTestTrafficShift);
    assert_eq!(judging::analysis_at(&next, &gone, None, at, NOW), None);
}

#[test]
fn a_gate_is_judged_that_has_checks_and_stops_a_rollout_of_this_spec_that_is_to_be_judged() {
    let waits = |stage: &str| {
        let hook = json!({ "hookId": "h", "targetType": "PAUSE", "status": "AWAITING_ACTION" });
        json!({ "lifecycleStage": stage, "lifecycleHookDetails": [hook] })
    };
    let (world, next) = staged(waits("POST_TEST_TRAFFIC_SHIFT"));
    let stage = crds::GateStage::PostTestTrafficShift;
    let observed = world.observe();
    assert_eq!(judging::gate_of(&next, &observed), Some(("h", stage)));
    let (elsewhere, _) = staged(waits("POST_SCALE_UP"));
    assert_eq!(judging::gate_of(&next, &elsewhere.observe()), None);
    // A gate without checks is not judged, nor is another spec's rollout, nor one that has been.
    let mut approved = next.clone();
    approved
        .gates
        .at
        .insert(stage, crate::gate::Gate { approval: true, checks: false, window: false });
    assert_eq!(judging::gate_of(&approved, &observed), None);
    let mut other = next.clone();
    other.task_definition = desired("web:v9").task_definition;
    assert_eq!(judging::gate_of(&other, &observed), None);
    let mut passed = world.clone();
    let tags = passed.service.as_mut().unwrap()["tags"].as_array_mut().unwrap();
    tags.retain(|tag| tag["key"] != CHECKS);
    assert_eq!(judging::gate_of(&next, &passed.observe()), None);
}
