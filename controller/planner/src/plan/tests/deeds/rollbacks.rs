//! Where a rollback leads, what it takes along, and when it is refused.

use crds::ReleaseOutcome;

use super::*;
use crate::ownership::{GATES, HELD_SPEC};

fn released(id: &str, revision: u32, outcome: ReleaseOutcome) -> PastRelease {
    serde_json::from_value(json!({
        "id": id, "taskDefinition": format!("shop-web:{revision}"),
        "taskDefinitionArn": revision_arn(revision), "images": [], "outcome": outcome,
    }))
    .unwrap()
}

#[test]
fn a_rollback_goes_to_the_newest_release_that_ended_well_and_is_not_the_present_one() {
    use ReleaseOutcome::{Failed, InProgress, RolledBack, Successful};
    let past = |id: &str, revision, outcome| vec![released(id, revision, outcome)];
    let rows: Vec<(Records, Vec<PastRelease>, &str)> = vec![
        (GOOD, vec![], TO_V2),
        (&[(3, "IN_PROGRESS"), (2, "SUCCESSFUL")], vec![], TO_V2),
        (&[(3, "SUCCESSFUL"), (2, "STOPPED"), (1, "SUCCESSFUL")], vec![], TO_V1),
        (&[(3, "SUCCESSFUL"), (2, "ROLLBACK_FAILED")], vec![], NO_EARLIER),
        // What Longshore undid after ECS had ended it did not end well.
        (GOOD, past("2", 2, RolledBack), TO_V1),
        (GOOD, past("2", 2, Failed), TO_V1),
        (GOOD, past("2", 2, Successful), TO_V2),
        (GOOD, past("1", 1, RolledBack), TO_V2),
        // Without ECS's records the state store's count.
        (&[], [past("3", 3, Successful), past("2", 2, Successful)].concat(), TO_V2),
        (&[], [past("2", 2, RolledBack), past("1", 1, Successful)].concat(), TO_V1),
        (&[], past("2", 2, InProgress), NO_EARLIER),
        (&[], vec![], NO_EARLIER),
        (
            &[(2, "ROLLBACK_SUCCESSFUL"), (3, "SUCCESSFUL"), (1, "SUCCESSFUL")],
            vec![],
            "ECS has rolled back already; name a release to go further",
        ),
    ];
    for (records, past, expected) in rows {
        let beside = Beside { past: &past, desired: None };
        let said = step(&at_v3(records), &ask(Verb::Rollback, None), &beside);
        assert_eq!(said, expected, "{records:?} {past:?}");
    }
    let mut world = at_v3(GOOD);
    world.revisions[1]["taskDefinition"]["status"] = json!("INACTIVE");
    assert_eq!(step(&world, &ask(Verb::Rollback, None), &Beside::default()), TO_V1);
    world.service.as_mut().unwrap()["deploymentController"] = json!({ "type": "CODE_DEPLOY" });
    let other = "the service's deployments are carried out by CODE_DEPLOY, not by ECS";
    assert_eq!(step(&world, &ask(Verb::Rollback, None), &Beside::default()), other);
}

#[test]
fn a_rollback_is_not_rolled_back_unless_a_release_is_named() {
    let left = desired("web:v3").spec_hash;
    let mut world = at_v3(GOOD);
    let again = "the service was rolled back already; name a release to go further";
    tag(&mut world, HELD_SPEC, "another");
    assert_eq!(step(&world, &ask(Verb::Rollback, None), &Beside::default()), TO_V2);
    tag(&mut world, HELD_SPEC, left.as_str());
    assert_eq!(step(&world, &ask(Verb::Rollback, None), &Beside::default()), again);
    // The mark that the order itself has left does not stand against its own second try.
    let to_v2 = "UpdateService shop-web:2";
    let second = sent(ask(Verb::Rollback, None), 90, "ecs-svc/3");
    assert_eq!(step(&world, &second, &Beside::default()), to_v2);
    assert_eq!(step(&world, &ask(Verb::Rollback, Some("2")), &Beside::default()), to_v2);
    // A service that says nothing of its spec was not left either.
    let tags = world.service.as_mut().unwrap()["tags"].as_array_mut().unwrap();
    tags.retain(|tag| tag["key"] == OWNER);
    assert_eq!(step(&world, &ask(Verb::Rollback, None), &Beside::default()), to_v2);
}

#[test]
fn a_release_is_named_by_its_number_its_revision_or_its_arn() {
    let past =
        [released("7", 1, ReleaseOutcome::Successful), released("8", 2, ReleaseOutcome::Failed)];
    let arn = revision_arn(1);
    let world = at_v3(&[(3, "SUCCESSFUL"), (2, "STOPPED"), (2, "SUCCESSFUL"), (1, "SUCCESSFUL")]);
    let failed = at_v3(&[(3, "SUCCESSFUL"), (2, "STOPPED")]);
    let none = at_v3(&[]);
    for (world, name, expected) in [
        (&world, "2", TO_V2),
        (&world, "shop-web:2", TO_V2),
        (&world, "1", TO_V1),
        (&world, &*arn, TO_V1),
        (&world, "3", "the service runs `3` already"),
        (&world, "9", "the service has had no release `9`"),
        (&failed, "2", "release `2` did not end well"),
        (&none, "7", TO_V1),
        (&none, "shop-web:1", TO_V1),
        (&none, &*arn, TO_V1),
        (&none, "8", "release `8` did not end well"),
        (&none, "2", "the service has had no release `2`"),
    ] {
        let said =
            step(world, &ask(Verb::Rollback, Some(name)), &Beside { past: &past, desired: None });
        assert_eq!(said, expected, "{name}");
    }
    // A record that did not end well is outdone by a release of that number that did.
    let good = [released("2", 2, ReleaseOutcome::Successful)];
    let beside = Beside { past: &good, desired: None };
    assert_eq!(step(&failed, &ask(Verb::Rollback, Some("2")), &beside), TO_V2);
    let asks = |image: &str| {
        let desired = desired(image);
        let beside = Beside { past: &past, desired: Some(&desired) };
        step(&world, &ask(Verb::Rollback, Some("2")), &beside)
    };
    assert_eq!(asks("web:v2"), "`2` is what the spec asks for: `release` lets it go");
    assert_eq!(asks("web:v1"), TO_V2);
    let mut world = world;
    world.revisions[1]["taskDefinition"]["status"] = json!("INACTIVE");
    let said = step(&world, &ask(Verb::Rollback, Some("2")), &Beside::default());
    assert_eq!(said, "shop-web:2 has been deregistered");
    world.revisions.remove(1);
    let said = step(&world, &ask(Verb::Rollback, Some("2")), &Beside::default());
    assert_eq!(said, "ECS no longer shows what service revision 2 was");
}

/// What ECS captured with a release comes back with it, and makes a release of the same revision another one.
#[test]
fn a_release_brings_its_settings_back() {
    let mut world = at_v3(&[(3, "SUCCESSFUL"), (2, "SUCCESSFUL")]);
    let captured = |subnet: &str| {
        json!({
            "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-a", subnet] } },
        })
    };
    let with = |world: &World, subnet: &str| {
        let mut observed = world.observe();
        observed.deployments.as_mut().unwrap()[1].captured = Some(captured(subnet));
        observed
    };
    let ask_for =
        |observed: &Observed, to| step_of(observed, &ask(Verb::Rollback, to), &Beside::default());
    assert_eq!(ask_for(&with(&world, "subnet-b"), None), TO_V2);
    assert_eq!(ask_for(&with(&world, "subnet-c"), None), format!("{TO_V2} networkConfiguration"));
    world.records[1]["taskDefinition"] = json!(revision_arn(3));
    let settings = "TagResource longshore.dev/held-spec, UpdateService networkConfiguration";
    assert_eq!(ask_for(&with(&world, "subnet-c"), None), settings);
    assert_eq!(ask_for(&with(&world, "subnet-c"), Some("2")), settings);
    assert_eq!(ask_for(&with(&world, "subnet-b"), None), NO_EARLIER, "nothing would change");
    assert_eq!(ask_for(&with(&world, "subnet-b"), Some("2")), "the service runs `2` already");
    // What the spec asks for with other settings may be gone back to.
    let wanted = desired("web:v3");
    let beside = Beside { past: &[], desired: Some(&wanted) };
    let named = ask(Verb::Rollback, Some("2"));
    assert_eq!(step_of(&with(&world, "subnet-c"), &named, &beside), settings);
}

#[test]
fn no_gate_of_ours_stands_in_the_way_of_a_rollback() {
    let mut world = at_v3(GOOD);
    let pause = |stage: &str| json!({ "targetType": "PAUSE", "lifecycleStages": [stage] });
    world.service.as_mut().unwrap()["deploymentConfiguration"] = json!({
        "strategy": "BLUE_GREEN", "lifecycleHooks": [pause("POST_SCALE_UP"), pause("PRE_SCALE_UP")],
    });
    let ask = ask(Verb::Rollback, None);
    assert_eq!(step(&world, &ask, &Beside::default()), TO_V2);
    tag(&mut world, GATES, "POST_SCALE_UP");
    let (observed, known) = (world.observe(), desired("web:v3"));
    let Step::Act(act) = deed::next(&ask, &scene(&observed, &known, &Beside::default())) else {
        panic!("it goes back")
    };
    let Some(Action::UpdateService { input, .. }) = act.actions.last() else { panic!("{act:?}") };
    assert_eq!(
        input["deploymentConfiguration"],
        json!({ "strategy": "BLUE_GREEN", "lifecycleHooks": [pause("PRE_SCALE_UP")] })
    );
}

#[test]
fn the_spec_that_is_left_is_the_one_that_was_sent() {
    let (v2, v3) = (desired("web:v2"), desired("web:v3"));
    let mut world = at_v3(GOOD);
    let leaves = |world: &World, desired: Option<&Desired>| {
        let observed = world.observe();
        let beside = Beside { past: &[], desired };
        let step = deed::next(&ask(Verb::Rollback, None), &scene(&observed, &v2, &beside));
        let Step::Act(act) = step else { panic!("{step:?}") };
        act.leaves.map(|hash| hash.to_string())
    };
    let hash = |desired: &Desired| Some(desired.spec_hash.to_string());
    assert_eq!(leaves(&world, None), hash(&v3), "the tag says it");
    assert_eq!(leaves(&world, Some(&v3)), hash(&v3));
    assert_eq!(leaves(&world, Some(&v2)), hash(&v3), "what was not sent is not left");
    tag(&mut world, SPEC_HASH, "of-before");
    assert_eq!(leaves(&world, Some(&v3)), hash(&v3), "it runs, its tag is still to be set");
    assert_eq!(leaves(&world, Some(&v2)).as_deref(), Some("of-before"));
}
