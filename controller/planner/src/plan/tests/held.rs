//! What a service remembers of a spec that failed, once ECS has forgotten it.

use crds::{Health, Verb};

use super::left::{after, asking, record, told};
use super::*;
use crate::ownership::{HELD_IMAGES, HELD_SPEC};

fn tags(world: &World) -> crate::ownership::Tags {
    crate::observed::tags(world.service.as_ref().unwrap())
}

/// Version 2 failed and was seen to; then ECS forgot all its rollouts.
fn forgotten() -> World {
    let mut world = after("ROLLBACK_SUCCESSFUL");
    let seen = world.plan(&asking('2', "a"));
    assert_eq!(
        (operations(&seen), reasons(&seen)),
        (vec!["TagResource"], vec![Reason::RolledBack])
    );
    world.apply(&seen);
    world.records.clear();
    world
}

#[test]
fn a_failed_spec_stays_held_when_ecs_has_forgotten_its_rollout() {
    let world = forgotten();
    let held = world.plan(&asking('2', "a"));
    assert_eq!((operations(&held), reasons(&held)), (vec![], vec![Reason::RolledBack]));
    assert_eq!(told(&world, &asking('2', "a"), &held).health, Health::Degraded);
    let other_value = world.plan(&asking('2', "b"));
    assert_eq!(
        (operations(&other_value), reasons(&other_value)),
        (vec![], vec![Reason::RolledBack])
    );
    assert!(other_value.holds[0].message.contains("whose rollout failed"), "{other_value:?}");
    let mut world = world;
    let _ = world.settle(&asking('3', "a"));
    assert!(!tags(&world).contains_key(HELD_SPEC) && !tags(&world).contains_key(HELD_IMAGES));
}

#[test]
fn settings_that_were_rolled_back_stay_held_although_their_revision_runs() {
    let with = |subnet: &str| {
        let mut spec = serde_json::to_value(spec("web:v1", &json!({}))).unwrap();
        spec["spec"]["service"]["networkConfiguration"]["awsvpcConfiguration"]["subnets"] =
            json!([subnet]);
        resolved(&serde_json::from_value(spec).unwrap())
    };
    let mut world = World::default();
    let _ = world.settle(&with("subnet-a"));
    let before = world.service.clone().unwrap();
    let _ = world.settle(&with("subnet-b"));
    record(&mut world, "ROLLBACK_SUCCESSFUL", 1);
    let service = world.service.as_mut().unwrap();
    service["networkConfiguration"] = before["networkConfiguration"].clone();
    service["deployments"][0]["networkConfiguration"] =
        before["deployments"][0]["networkConfiguration"].clone();
    let seen = world.plan(&with("subnet-b"));
    assert_eq!(
        (operations(&seen), reasons(&seen)),
        (vec!["TagResource"], vec![Reason::RolledBack])
    );
    world.apply(&seen);
    world.records.clear();
    let held = world.plan(&with("subnet-b"));
    assert_eq!((operations(&held), reasons(&held)), (vec![], vec![Reason::RolledBack]));
}

#[test]
fn the_mark_is_set_once_and_only_for_what_would_be_sent_again() {
    let mut world = after("ROLLBACK_SUCCESSFUL");
    world.apply(&world.plan(&asking('2', "a")));
    assert_eq!(tags(&world)[HELD_SPEC], format!("{}:rolled-back", asking('2', "a").spec_hash));
    assert_eq!(operations(&world.plan(&asking('2', "a"))), [""; 0], "set already");
    let mut unfinished = after("ROLLBACK_FAILED");
    unfinished.apply(&unfinished.plan(&asking('2', "a")));
    assert_eq!(tags(&unfinished)[HELD_SPEC], format!("{}:failed", asking('2', "a").spec_hash));
    unfinished.records.clear();
    assert_eq!(reasons(&unfinished.plan(&asking('2', "a"))), [Reason::RolloutFailed]);
    for (name, world) in [
        ("being rolled back", after("ROLLBACK_IN_PROGRESS")),
        ("overtaken", after("STOPPED")),
        ("ended well", after("SUCCESSFUL")),
    ] {
        assert!(!world.plan(&asking('2', "a")).actions.iter().any(holds), "{name}");
    }
    // A restart of what runs was rolled back: nothing would be sent.
    let mut restarted = World::default();
    let _ = restarted.settle(&asking('2', "a"));
    record(&mut restarted, "ROLLBACK_SUCCESSFUL", 1);
    assert!(restarted.plan(&asking('2', "a")).is_settled());
    // A person who keeps everything still keeps this too.
    let suspended = desired_with("web:v2", json!({ "suspend": true }));
    let mut world = World::running("web:v1");
    let _ = world.settle(&desired("web:v2"));
    record(&mut world, "ROLLBACK_SUCCESSFUL", 2);
    let service = world.service.clone().unwrap();
    world.run(service, &revision_arn(1));
    assert_eq!(operations(&world.plan(&suspended)), [""; 0]);
}

fn holds(action: &Action) -> bool {
    matches!(action, Action::TagResource { tags, .. } if tags.contains_key(HELD_SPEC))
}

#[test]
fn the_mark_goes_when_the_spec_is_released_or_runs_after_all() {
    let wanted = asking('2', "a");
    let order: crds::Order = serde_json::from_value(json!({
        "id": 1, "verb": Verb::Release, "actor": "ann", "time": Timestamp::UNIX_EPOCH, "specHash": wanted.spec_hash,
    }))
    .unwrap();
    let orders = Orders { release: Some(order), ..Orders::default() };
    let mut world = forgotten();
    let released = plan(&wanted, &world.observe(), &orders, Timestamp::UNIX_EPOCH);
    assert_eq!(operations(&released), ["UntagResource", "UpdateService"]);
    world.apply(&released);
    assert!(!tags(&world).contains_key(HELD_SPEC));
    // Somebody brought its revision and its settings back by hand.
    let mut by_hand = forgotten();
    let service = by_hand.service.clone().unwrap();
    by_hand.run(service, &revision_arn(2));
    let cleared = by_hand.settle(&wanted);
    assert_eq!(operations(&cleared), ["UntagResource"]);
    assert!(!tags(&by_hand).contains_key(HELD_SPEC) && !tags(&by_hand).contains_key(HELD_IMAGES));
}

#[test]
fn what_was_never_sent_is_not_marked() {
    // Version 2 failed; another count is another spec of the same content, held for its version.
    let world = after("ROLLBACK_SUCCESSFUL");
    let mut other = asking('2', "a");
    other.spec_hash = desired("web:v9").spec_hash;
    let plan = world.plan(&other);
    assert_eq!((operations(&plan), reasons(&plan)), (vec![], vec![Reason::RolledBack]));
    let mark = world.plan(&asking('2', "a"));
    assert!(holds(&mark.actions[0]) && !mark.actions[0].sends_spec());
}

#[test]
fn a_restart_that_failed_does_not_condemn_what_had_ended_well() {
    let wanted = desired("web:v2");
    let mut world = World::running("web:v2");
    record(&mut world, "SUCCESSFUL", 1);
    record(&mut world, "ROLLBACK_SUCCESSFUL", 1);
    // Then somebody changes it by hand, and that ends well.
    let _ = world.settle(&desired("web:v3"));
    record(&mut world, "SUCCESSFUL", 2);
    let service = world.service.clone().unwrap();
    world.run(service, &revision_arn(2));
    let tags = world.service.as_mut().unwrap()["tags"].as_array_mut().unwrap();
    for tag in tags.iter_mut().filter(|tag| tag["key"] == SPEC_HASH) {
        tag["value"] = json!(wanted.spec_hash);
    }
    let plan = world.plan(&wanted);
    assert_eq!((operations(&plan), reasons(&plan)), (vec![], vec![Reason::RolledBack]));
}

#[test]
fn what_failed_without_going_back_is_not_sent_over_what_a_person_put_there() {
    let bad = desired("web:bad");
    let mut world = World::running("web:v1");
    record(&mut world, "SUCCESSFUL", 1);
    let _ = world.settle(&bad);
    record(&mut world, "STOPPED", 2);
    let service = world.service.as_mut().unwrap();
    service["deployments"][0]["id"] = json!("ecs-svc/2");
    service["deployments"][0]["rolloutState"] = json!("FAILED");
    // What took its place may not show yet.
    world.records[0]["finishedAt"] = json!(-60);
    assert!(!world.plan(&bad).actions.iter().any(holds));
    world.records[0]["finishedAt"] = json!(-120);
    let seen = world.settle(&bad);
    assert_eq!((operations(&seen), reasons(&seen)), (vec!["TagResource"], vec![]));
    let status = told(&world, &bad, &seen);
    assert_eq!(status.conditions[0].reason, Reason::RolloutFailed, "{status:#?}");
    let service = world.service.clone().unwrap();
    world.run(service, &revision_arn(1));
    let held = world.plan(&bad);
    assert_eq!((operations(&held), reasons(&held)), (vec![], vec![Reason::RolloutFailed]));
}

#[test]
fn a_held_spec_that_runs_after_all_is_tagged_and_let_go() {
    let mut world = forgotten();
    let service = world.service.clone().unwrap();
    world.run(service, &revision_arn(2));
    let observed = Observed { deployments: None, ..world.observe() };
    let protected = Desired { is_protected: true, ..asking('2', "a") };
    let planned = plan(&protected, &observed, &Orders::default(), Timestamp::UNIX_EPOCH);
    assert_eq!(
        (operations(&planned), reasons(&planned)),
        (vec!["TagResource", "UntagResource"], vec![])
    );
    world.apply(&planned);
    assert!(!tags(&world).contains_key(HELD_SPEC));
    assert_eq!(tags(&world)["longshore.dev/protect"], "true");
}
