//! A new version of a secret, as rows: what the service says it was started with, what there is now, and what is done.

use std::time::Duration;

use crds::{Order, Verb};

use super::*;
use crate::ownership::SECRETS;
use crate::plan::Requeue;
use crate::preflight::{self, SecretVersion};

const NOW: Timestamp = Timestamp::constant(1000, 0);

fn version(version: &str, changed_at: Option<i64>) -> SecretVersion {
    SecretVersion {
        container: "app".to_owned(),
        name: "KEY".to_owned(),
        from: "/shop/key".to_owned(),
        version: version.to_owned(),
        changed_at: changed_at.map(|second| Timestamp::from_second(second).unwrap()),
    }
}

fn reloading(image: &str) -> Desired {
    Desired { reload_on_secret_change: true, ..desired(image) }
}

/// A service whose deployment began 900 seconds ago, with this tag.
fn started_with(tag: Option<&str>) -> World {
    let mut world = World::running("web:v1");
    let service = world.service.as_mut().unwrap();
    service["deployments"][0]["createdAt"] = json!(100);
    let tags = service["tags"].as_array_mut().unwrap();
    tags.extend(tag.iter().map(|tag| json!({ "key": SECRETS, "value": tag })));
    world
}

fn reading(world: &World, versions: Vec<SecretVersion>) -> Observed {
    Observed { secrets: Some(versions), ..world.observe() }
}

/// The calls, with what of them is about the reload.
fn told(actions: &[Action]) -> String {
    let words = actions.iter().map(|action| {
        if let Action::UpdateService { input, .. } = action {
            let mut input = input.as_object().unwrap().clone();
            input.retain(|member, _| !matches!(member.as_str(), "cluster" | "service"));
            return format!("Update {}", Value::Object(input));
        }
        let Action::TagResource { tags, .. } = action else { return action.operation().to_owned() };
        match tags.get(SECRETS) {
            Some(tag) if tag.starts_with("seen-") => "Tag seen".to_owned(),
            Some(_) => "Tag".to_owned(),
            None => "Tag nothing".to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

fn planned(desired: &Desired, observed: &Observed, orders: &Orders) -> Plan {
    plan(desired, observed, orders, NOW)
}

#[test]
fn tasks_are_replaced_once_their_secrets_have_changed_and_are_quiet() {
    let (old, new) = (version("1", Some(50)), version("2", Some(960)));
    let before = preflight::hash(std::slice::from_ref(&old));
    let seen = format!("seen-{before}");
    let started = || Some(before.as_str());
    let rolls = r#"Update {"forceNewDeployment":true}, Tag"#;
    let soon = Requeue::After(Duration::from_secs(5));
    let second =
        |changed_at| SecretVersion { from: "/shop/other".to_owned(), ..version("1", changed_at) };
    let rows: Vec<(Option<&str>, Vec<SecretVersion>, &str, Requeue)> = vec![
        (started(), vec![old.clone()], "", Requeue::OnChange),
        (Some(&seen), vec![old.clone()], "", Requeue::OnChange),
        (started(), vec![], "", Requeue::OnChange),
        (started(), vec![new.clone()], rolls, soon),
        (Some(&seen), vec![new.clone()], rolls, soon),
        // Who changes several is waited for.
        (started(), vec![version("2", Some(970))], rolls, soon),
        (started(), vec![version("2", Some(980))], "", Requeue::After(Duration::from_secs(10))),
        (
            started(),
            vec![new.clone(), second(Some(990))],
            "",
            Requeue::After(Duration::from_secs(20)),
        ),
        (started(), vec![version("2", None)], rolls, soon),
        (started(), vec![version("2", Some(50)), second(None)], rolls, soon),
        // Tasks that started after the change have read it.
        (started(), vec![version("2", Some(99))], "Tag", soon),
        (started(), vec![version("2", Some(100))], rolls, soon),
        // At first sight nobody knows what the tasks have read.
        (None, vec![new.clone()], "Tag seen", soon),
    ];
    for (tag, versions, calls, requeue) in rows {
        let observed = reading(&started_with(tag), versions.clone());
        let plan = planned(&reloading("web:v1"), &observed, &Orders::default());
        assert_eq!((told(&plan.actions).as_str(), plan.requeue), (calls, requeue), "{versions:?}");
        assert!(plan.holds.is_empty());
        let off = planned(&desired("web:v1"), &observed, &Orders::default());
        assert!(off.is_settled(), "the spec does not ask for it");
    }
    // The record of a rollout that began later says the same as the deployment.
    let mut observed = reading(&started_with(started()), vec![new.clone()]);
    let record = json!({ "status": "SUCCESSFUL", "createdAt": 970 });
    observed.deployments = Some(vec![ServiceDeployment::from_describe(&record)]);
    assert_eq!(told(&planned(&reloading("web:v1"), &observed, &Orders::default()).actions), "Tag");
    let unread = Observed { secrets: None, ..observed };
    assert!(planned(&reloading("web:v1"), &unread, &Orders::default()).is_settled());
}

#[test]
fn a_reload_goes_along_with_what_is_done_anyway() {
    let before = preflight::hash(&[version("1", Some(50))]);
    let new = || vec![version("2", Some(960))];
    let mut world = started_with(Some(&before));
    world.service.as_mut().unwrap()["desiredCount"] = json!(7);
    let counted = planned(&reloading("web:v1"), &reading(&world, new()), &Orders::default());
    let both = r#"Update {"desiredCount":2,"forceNewDeployment":true}, Tag"#;
    assert_eq!(told(&counted.actions), both);
    let Action::UpdateService { changes, .. } = &counted.actions[0] else { panic!() };
    assert_eq!(changes.last().unwrap().path, format!("service.tags[{SECRETS}]"));
    // A rollout replaces the tasks as it is, whether their secrets were known or not.
    for tag in [None, Some(before.as_str())] {
        let observed = reading(&started_with(tag), new());
        let rolled = planned(&reloading("web:v2"), &observed, &Orders::default());
        assert_eq!(told(&rolled.actions), "RegisterTaskDefinition, Tag nothing, Update {}, Tag");
    }
    let hash = preflight::hash(&new());
    let Some(Action::TagResource { tags, changes, .. }) = counted.actions.last() else { panic!() };
    assert_eq!(tags[SECRETS], hash);
    assert_eq!(changes[0].observed, Some(json!(before)));
}

#[test]
fn a_reload_waits_where_changes_wait_for_a_person() {
    let before = preflight::hash(&[version("1", Some(50))]);
    let new = || vec![version("2", Some(960))];
    let manual = Desired {
        reload_on_secret_change: true,
        ..desired_with("web:v1", json!({ "mode": "manual" }))
    };
    let observed = reading(&started_with(Some(&before)), new());
    let waits = planned(&manual, &observed, &Orders::default());
    assert_eq!((operations(&waits), reasons(&waits)), (vec![], vec![Reason::ManualSync]));
    assert_eq!(told(&waits.withheld), r#"Update {"forceNewDeployment":true}, Tag"#);
    assert_eq!(waits.requeue, Requeue::OnChange);
    let order: Order = serde_json::from_value(json!({
        "id": 1, "verb": Verb::Sync, "actor": "ann", "time": NOW, "specHash": manual.spec_hash,
    }))
    .unwrap();
    let synced = Orders { sync: Some(order.clone()), ..Orders::default() };
    assert_eq!(operations(&planned(&manual, &observed, &synced)), ["UpdateService", "TagResource"]);
    // What is only to be written down waits for the next change.
    let read = reading(&started_with(Some(&before)), vec![version("2", Some(99))]);
    assert!(planned(&manual, &read, &Orders::default()).is_settled());
    let held = Orders { hold: Some(order), ..Orders::default() };
    let held = planned(&reloading("web:v1"), &observed, &held);
    assert_eq!((operations(&held), reasons(&held)), (vec![], vec![Reason::ManualHold]));
}

#[test]
fn records_are_read_when_a_reload_may_be_due_or_may_have_been_rolled_back() {
    let hash = |version: &SecretVersion| preflight::hash(std::slice::from_ref(version));
    let seen = |version: &SecretVersion| format!("seen-{}", hash(version));
    let (older, same, newer) =
        (version("2", Some(99)), version("2", Some(100)), version("2", Some(101)));
    for (tag, now, expected) in [
        (hash(&version("1", None)), &older, true),
        (hash(&older), &older, false),
        (hash(&same), &same, false),
        (hash(&newer), &newer, true),
        (seen(&newer), &newer, false),
    ] {
        let mut observed = reading(&started_with(Some(&tag)), vec![now.clone()]);
        (observed.candidates, observed.deployments) = (None, None);
        assert_eq!(wants(&reloading("web:v1"), &observed).deployments, expected, "{now:?}");
        assert!(!wants(&desired("web:v1"), &observed).deployments);
        observed.secrets = None;
        assert!(!wants(&reloading("web:v1"), &observed).deployments);
    }
}
