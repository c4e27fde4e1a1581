//! What a turn wants to know, what it writes down, and when the next one is.

use std::time::Duration;

use super::*;
use crate::deletion::DELETING;
use crate::plan::Requeue;
use crate::rollout::Rollout;

const NOW: Timestamp = Timestamp::constant(10_000, 0);

/// A spec that leaves the number of tasks to others, with this in its block `scaling`.
fn countless(image: &str, scaling: &Value) -> Desired {
    let mut spec = serde_json::to_value(spec(image, &json!({}))).unwrap();
    spec["spec"]["service"].as_object_mut().unwrap().remove("desiredCount");
    spec["spec"]["scaling"] = scaling.clone();
    resolved(&serde_json::from_value(spec).unwrap())
}

#[test]
fn a_rollout_is_looked_at_often_while_it_is_young_and_less_often_later() {
    let mut world = World::running("web:v1");
    let service = world.service.as_mut().unwrap();
    service["deployments"][0]["rolloutState"] = json!("IN_PROGRESS");
    for (age, seconds) in [
        (Some(0), 5),
        (Some(179), 5),
        (Some(180), 15),
        (Some(3599), 15),
        (Some(3600), 60),
        (None, 15),
    ] {
        let began = age.map(|age| 10_000 - age);
        world.service.as_mut().unwrap()["deployments"][0]["createdAt"] = json!(began);
        let plan = plan(&desired("web:v1"), &world.observe(), &Orders::default(), NOW);
        assert_eq!(plan.requeue, Requeue::After(Duration::from_secs(seconds)), "{age:?}");
    }
}

#[test]
fn a_service_that_is_not_there_needs_revisions_and_the_scaling_that_it_is_to_have() {
    let none = Observed::default();
    let wanted = wants(&desired("web:v1"), &none);
    assert!(wanted.candidates && !wanted.scaling && !wanted.deployments);
    let scaled = countless("web:v1", &json!({ "minCapacity": 1, "maxCapacity": 4 }));
    assert!(wants(&scaled, &none).scaling);
}

/// Only a rollout with hooks that may wait is looked at in ECS's records while it goes well.
#[test]
fn records_are_read_of_a_rollout_that_may_wait_for_somebody() {
    let hook = json!({ "lifecycleHooks": [{ "targetType": "PAUSE" }] });
    for (configuration, state, expected) in [
        (json!({}), "IN_PROGRESS", false),
        (hook.clone(), "IN_PROGRESS", true),
        (hook, "COMPLETED", false),
        (json!({ "lifecycleHooks": [] }), "IN_PROGRESS", false),
        (json!({ "strategy": "CANARY" }), "IN_PROGRESS", true),
        (json!({ "strategy": "CANARY" }), "COMPLETED", false),
    ] {
        let mut world = World::running("web:v1");
        let service = world.service.as_mut().unwrap();
        service["deploymentConfiguration"] = configuration.clone();
        service["deployments"][0]["rolloutState"] = json!(state);
        let mut spec = serde_json::to_value(spec("web:v1", &json!({}))).unwrap();
        spec["spec"]["service"]["deploymentConfiguration"] = configuration.clone();
        let wanted = resolved(&serde_json::from_value(spec).unwrap());
        let asked = wants(&wanted, &world.observe()).deployments;
        assert_eq!(asked, expected, "{configuration} {state}");
    }
}

#[test]
fn it_is_asked_why_tasks_stopped_where_there_are_too_few() {
    for (state, failed, running, why, records) in [
        ("COMPLETED", 0, 2, false, false),
        ("COMPLETED", 0, 3, false, false),
        ("COMPLETED", 0, 1, true, false),
        ("COMPLETED", 3, 2, false, false),
        ("IN_PROGRESS", 0, 2, false, false),
        ("IN_PROGRESS", 1, 2, true, true),
        ("FAILED", 0, 2, true, true),
    ] {
        let mut world = World::running("web:v1");
        let service = world.service.as_mut().unwrap();
        service["runningCount"] = json!(running);
        service["deployments"][0]["rolloutState"] = json!(state);
        service["deployments"][0]["failedTasks"] = json!(failed);
        let asked = wants(&desired("web:v1"), &world.observe());
        assert_eq!(
            (asked.stopped, asked.deployments),
            (why, records),
            "{state} {failed} {running}"
        );
        assert_eq!(asked.images, state == "COMPLETED");
        let other = wants(&desired("web:v2"), &world.observe());
        assert!(other.deployments && other.candidates);
    }
}

#[test]
fn a_service_of_ecs_itself_is_not_adopted_and_its_rollout_is_told() {
    let mut world = World::running("web:v1");
    let service = world.service.as_mut().unwrap();
    (service["tags"], service["resourceManagementType"]) = (json!([]), json!("ECS"));
    let plan = world.plan(&desired_with("web:v1", json!({ "adopt": true })));
    assert_eq!((operations(&plan), reasons(&plan)), (vec![], vec![Reason::NotOwned]));
    assert!(plan.holds[0].message.contains("managed by ECS itself"));
    assert_eq!(plan.rollout, Rollout::Succeeded);
}

#[test]
fn a_service_that_is_left_alone_says_how_its_rollout_stands() {
    let owner = |name: &str| json!([{ "key": crate::ownership::OWNER, "value": name }]);
    for (tags, state, reason) in [
        (owner("other"), "ACTIVE", Reason::OwnedByAnother),
        (json!([]), "ACTIVE", Reason::NotOwned),
        (owner("test"), "DRAINING", Reason::Draining),
    ] {
        let mut world = World::running("web:v1");
        let service = world.service.as_mut().unwrap();
        (service["tags"], service["status"]) = (tags, json!(state));
        let plan = world.plan(&desired("web:v1"));
        assert_eq!((operations(&plan), reasons(&plan)), (vec![], vec![reason]));
        assert_eq!(plan.rollout, Rollout::Succeeded);
        let is_soon = plan.requeue == Requeue::After(Duration::from_secs(5));
        assert_eq!(is_soon, reason == Reason::Draining);
    }
    // So does a plan that acts, and one that is held.
    let mut world = World::running("web:v1");
    world.service.as_mut().unwrap()["desiredCount"] = json!(7);
    for sync in [json!({}), json!({ "selfHeal": false })] {
        let plan = world.plan(&desired_with("web:v1", sync));
        assert_eq!(plan.rollout, Rollout::Succeeded);
        let is_soon = plan.requeue == Requeue::After(Duration::from_secs(5));
        assert_eq!(is_soon, !plan.actions.is_empty());
    }
}

/// A process that sent a spec and could not set its tag before it failed sets it now: another one would send it once more.
#[test]
fn the_tag_of_a_spec_that_failed_is_set_afterwards() {
    let mut world = World::running("web:v1");
    let tags = world.service.as_ref().unwrap()["tags"].clone();
    let bad = desired("web:bad");
    let _ = world.settle(&bad);
    world.roll_back(&revision_arn(2), &revision_arn(1), "ROLLBACK_SUCCESSFUL");
    world.service.as_mut().unwrap()["tags"] = tags;
    let observed = Observed { sent: Some(bad.spec_hash.clone()), ..world.observe() };
    let plan = plan(&bad, &observed, &Orders::default(), NOW);
    assert_eq!(
        (operations(&plan), reasons(&plan)),
        (vec!["TagResource"], vec![Reason::RolledBack])
    );
    let withheld: Vec<&str> = plan.withheld.iter().map(Action::operation).collect();
    assert_eq!(withheld, ["TagResource", "UpdateService"]);
    // A person's hold keeps even that; where nothing failed everything is done.
    let hold = json!({ "id": 1, "verb": "hold", "actor": "ann", "time": NOW });
    let orders = Orders { hold: serde_json::from_value(hold).unwrap(), ..Orders::default() };
    let frozen = super::plan(&bad, &observed, &orders, NOW);
    assert_eq!(reasons(&frozen), [Reason::ManualHold, Reason::RolledBack]);
    assert_eq!(operations(&frozen), [""; 0]);
    let unfailed = Observed { deployments: Some(Vec::new()), ..observed };
    let again = super::plan(&bad, &unfailed, &Orders::default(), NOW);
    assert_eq!(operations(&again), NEW_ROLLOUT[1..]);
}

/// Marks are set by the spec, and taking back a deletion is no change by others: `selfHeal: false` leaves neither.
#[test]
fn without_self_heal_marks_are_set_and_a_deletion_is_taken_back() {
    let unhealed = desired_with("web:v1", json!({ "selfHeal": false }));
    let protected = Desired { is_protected: true, ..unhealed.clone() };
    let deleting = json!({ "key": DELETING, "value": "1970-01-01T00:00:00Z 2" });
    let (off, none): (&[Reason], &[Reason]) = (&[Reason::SelfHealOff], &[]);
    for (wanted, count, mark, calls, holds) in [
        (&protected, 2, false, &["TagResource"][..], none),
        (&protected, 7, false, &[], off),
        (&unhealed, 7, false, &[], off),
        (&unhealed, 0, true, &["UpdateService", "UntagResource"], none),
        (&unhealed, 2, true, &["UntagResource"], none),
    ] {
        let mut world = World::running("web:v1");
        let service = world.service.as_mut().unwrap();
        service["desiredCount"] = json!(count);
        if mark {
            service["tags"].as_array_mut().unwrap().push(deleting.clone());
        }
        let plan = world.plan(wanted);
        assert_eq!((operations(&plan).as_slice(), reasons(&plan).as_slice()), (calls, holds));
    }
    // A tag that somebody took off is a change by others.
    let mut world = World::running("web:v1");
    let tags = world.service.as_mut().unwrap()["tags"].as_array_mut().unwrap();
    tags.retain(|tag| tag["key"] != "team");
    assert_eq!(reasons(&world.plan(&unhealed)), off);
}

/// A rollout whose tasks are all there still bakes, by its record.
#[test]
fn a_rollout_is_looked_at_while_its_record_is_open() {
    for (status, is_watched) in [("IN_PROGRESS", true), ("SUCCESSFUL", false)] {
        let mut world = World::running("web:v1");
        world.records = vec![json!({
            "status": status, "taskDefinition": revision_arn(1),
            "targetServiceRevision": { "arn": format!("{ARN}:service-revision/shop/web/1") },
        })];
        let plan = world.plan(&desired("web:v1"));
        assert!(plan.is_settled());
        assert_eq!(plan.requeue == Requeue::OnChange, !is_watched, "{status}");
    }
}

/// The count goes back to what it was before a deletion that was called off, unless somebody says another one.
#[test]
fn a_spec_that_comes_back_brings_its_tasks_back() {
    let nothing = Value::Null;
    let scaling = json!({ "minCapacity": 1, "maxCapacity": 4 });
    let ignoring = desired_with("web:v1", json!({ "ignore": ["/service/desiredCount"] }));
    for (wanted, marked, count, expected) in [
        (countless("web:v1", &nothing), 3, 0, Some(3)),
        (countless("web:v2", &nothing), 3, 0, Some(3)),
        (countless("web:v1", &nothing), 0, 0, None),
        (countless("web:v1", &nothing), 3, 1, None),
        (countless("web:v1", &scaling), 3, 0, None),
        (ignoring, 3, 0, Some(3)),
        (desired("web:v1"), 3, 0, Some(2)),
    ] {
        let mut world = World::running("web:v1");
        let service = world.service.as_mut().unwrap();
        service["desiredCount"] = json!(count);
        let mark = json!({ "key": DELETING, "value": format!("1970-01-01T00:00:00Z {marked}") });
        service["tags"].as_array_mut().unwrap().push(mark);
        let plan = world.plan(&wanted);
        let counts: Vec<Option<i64>> = plan
            .actions
            .iter()
            .filter_map(|action| {
                let Action::UpdateService { input, .. } = action else { return None };
                Some(input["desiredCount"].as_i64())
            })
            .collect();
        assert!(counts.len() <= 1);
        assert_eq!(counts.first().copied().flatten(), expected, "{marked} {count}");
        let unmarks = plan.actions.iter().chain(&plan.withheld).any(|action| {
            matches!(action, Action::UntagResource { keys, .. } if keys.contains(&DELETING.to_owned()))
        });
        assert!(unmarks, "{:?}", plan.actions);
    }
}

#[test]
fn a_mark_that_the_spec_does_not_set_is_taken_off() {
    use crate::ownership::{DEPENDS_ON, PROTECT};
    for (mark, is_protected, calls) in [
        (None, false, &[][..]),
        (None, true, &["TagResource"]),
        (Some(PROTECT), true, &[]),
        (Some(PROTECT), false, &["UntagResource"]),
        (Some(DEPENDS_ON), false, &["UntagResource"]),
    ] {
        let mut world = World::running("web:v1");
        let tags = world.service.as_mut().unwrap()["tags"].as_array_mut().unwrap();
        tags.extend(mark.map(|key| json!({ "key": key, "value": "true" })));
        let wanted = Desired { is_protected, ..desired("web:v1") };
        let plan = world.settle(&wanted);
        assert_eq!(operations(&plan), calls, "{mark:?} {is_protected}");
        let Some(Action::UntagResource { keys, .. }) = plan.actions.first() else { continue };
        assert_eq!(Some(keys[0].as_str()), mark);
    }
}

/// Under another controller UpdateService takes some members and refuses others.
#[test]
fn what_another_controller_alone_can_change_holds_the_rest() {
    let mut spec = serde_json::to_value(spec("web:v1", &json!({}))).unwrap();
    spec["spec"]["service"]["deploymentController"] = json!({ "type": "CODE_DEPLOY" });
    spec["spec"]["service"]["platformVersion"] = json!("1.4.0");
    let wanted = resolved(&serde_json::from_value(spec).unwrap());
    let mut world = World::default();
    let _ = world.settle(&wanted);
    world.service.as_mut().unwrap()["desiredCount"] = json!(7);
    let counted = world.plan(&wanted);
    assert_eq!((operations(&counted), reasons(&counted)), (vec!["UpdateService"], vec![]));
    world.service.as_mut().unwrap()["platformVersion"] = json!("1.3.0");
    let held = world.plan(&wanted);
    assert_eq!((operations(&held), reasons(&held)), (vec![], vec![Reason::ForeignController]));
    let changes: Vec<&str> =
        held.withheld[0].changes().iter().map(|change| change.path.as_str()).collect();
    assert_eq!(changes, ["service.desiredCount"]);
}
