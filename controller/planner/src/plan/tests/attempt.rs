//! A process that dies between UpdateService and the tag after it, as rows of what the next one finds.

use super::*;
use crate::ownership::ATTEMPT;

fn record(world: &mut World, id: &str, status: &str, revision: u32) {
    let record = json!({
        "serviceDeploymentArn": format!("{ARN}:service-deployment/shop/web/{id}"),
        "targetServiceRevision": { "arn": format!("{ARN}:service-revision/shop/web/{id}") },
        "status": status, "statusReason": "tasks failed to start.",
        "taskDefinition": revision_arn(revision),
    });
    world.records.insert(0, record);
}

/// A world that runs `v1`, whose first rollout ECS lists as `a`.
fn at_v1() -> World {
    let mut world = World::running("web:v1");
    record(&mut world, "a", "SUCCESSFUL", 1);
    world
}

/// The calls of a plan up to the one that replaces tasks, that one included, and nothing after it.
fn dies_after_the_update(world: &mut World, desired: &Desired) {
    let mut plan = world.plan(desired);
    let update = plan.actions.iter().position(Action::replaces_tasks).unwrap();
    plan.actions.truncate(update + 1);
    world.apply(&plan);
}

/// ECS has gone back to a revision.
fn goes_back(world: &mut World, revision: u32) {
    let service = world.service.clone().unwrap();
    world.run(service, &revision_arn(revision));
}

#[test]
fn a_spec_that_failed_before_anybody_could_say_so_is_held_and_marked() {
    let mut world = at_v1();
    let bad = desired("web:bad");
    dies_after_the_update(&mut world, &bad);
    record(&mut world, "b", "ROLLBACK_SUCCESSFUL", 2);
    goes_back(&mut world, 1);
    let found = world.plan(&bad);
    assert_eq!(reasons(&found), [Reason::RolledBack]);
    assert_eq!(operations(&found), ["TagResource"], "the spec's hash is made up for");
    world.apply(&found);
    let held = world.plan(&bad);
    assert_eq!((operations(&held), reasons(&held)), (vec![], vec![Reason::RolledBack]));
    let next = world.settle(&desired("web:v3"));
    assert_eq!(operations(&next), [&NEW_ROLLOUT[..], &["UntagResource"]].concat());
}

#[test]
fn a_spec_that_was_never_sent_is_sent_whatever_its_content_did_before() {
    // Its content failed before the mark was set, and the process died before it sent anything.
    let mut world = at_v1();
    let bad = desired("web:bad");
    let _ = world.settle(&bad);
    record(&mut world, "b", "ROLLBACK_SUCCESSFUL", 2);
    goes_back(&mut world, 1);
    let _ = world.settle(&desired("web:v1"));
    let mut again = world.plan(&bad);
    assert_eq!(operations(&again), ["TagResource", "UpdateService", "TagResource"]);
    again.actions.truncate(1);
    world.apply(&again);
    let resumed = world.plan(&bad);
    assert_eq!(operations(&resumed), ["UpdateService", "TagResource"], "the mark stands already");
    // Another spec of the same content was never sent either.
    let counted = Desired { spec_hash: desired("web:v9").spec_hash, ..bad };
    assert_eq!(world.plan(&counted).holds, []);
}

#[test]
fn a_spec_that_was_taken_back_and_comes_again_is_a_new_decision() {
    let mut world = at_v1();
    let bad = desired("web:bad");
    let _ = world.settle(&bad);
    assert!(tag(&world).starts_with(&format!("{}@", bad.spec_hash)));
    record(&mut world, "b", "ROLLBACK_SUCCESSFUL", 2);
    goes_back(&mut world, 1);
    assert_eq!(reasons(&world.plan(&bad)), [Reason::RolledBack]);
    let back = world.settle(&desired("web:v1"));
    assert_eq!(operations(&back), ["TagResource"], "nothing but the tags differs");
    assert_eq!(world.plan(&bad).holds, []);
}

fn tag(world: &World) -> String {
    crate::observed::tags(world.service.as_ref().unwrap())[ATTEMPT].clone()
}

#[test]
fn what_replaces_no_task_and_what_is_created_is_not_announced() {
    let mut world = at_v1();
    assert!(!crate::observed::tags(world.service.as_ref().unwrap()).contains_key(ATTEMPT));
    let mut spec = serde_json::to_value(spec("web:v1", &json!({}))).unwrap();
    spec["spec"]["service"]["desiredCount"] = json!(5);
    let counted = resolved(&serde_json::from_value(spec).unwrap());
    assert_eq!(operations(&world.settle(&counted)), ["UpdateService", "TagResource"]);
}
