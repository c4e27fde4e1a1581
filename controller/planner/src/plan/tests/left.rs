//! Images of releases that a service did not keep, as rows: what is asked for, what happened, what holds it.

use crds::{Generation, Health, ServiceStatus};

use super::*;
use crate::checks::mark::CHECKS;
use crate::desired::Version;
use crate::ownership::{HELD_IMAGES, HELD_SPEC};
use crate::status::{self, Turn};

/// The image of a version: `2` is `shop@sha256:2222…`.
fn image(version: char) -> String {
    format!("shop@sha256:{}", version.to_string().repeat(64))
}

/// A spec with the release's version and a value that comes from elsewhere.
pub(super) fn asking(version: char, value: &str) -> Desired {
    let mut spec = serde_json::to_value(spec(&image(version), &json!({}))).unwrap();
    spec["spec"]["taskDefinition"]["containerDefinitions"][0]["environment"] =
        json!([{ "name": "GREETING", "value": value }]);
    let (release, tag) = ("shop".parse().unwrap(), format!("v{version}"));
    let versions = vec![Version { release, tag, image: image(version) }];
    Desired { versions, ..resolved(&serde_json::from_value(spec).unwrap()) }
}

pub(super) fn record(world: &mut World, status: &str, revision: u32) {
    let number = world.records.len() + 1;
    world.records.insert(
        0,
        json!({
            "serviceDeploymentArn": format!("{ARN}:service-deployment/shop/web/{number}"),
            "targetServiceRevision": { "arn": format!("{ARN}:service-revision/shop/web/{number}") },
            "status": status, "taskDefinition": revision_arn(revision),
        }),
    );
}

/// Version 1 ran, 2 was rolled out and has ended as this record says, and 1 runs again.
pub(super) fn after(status: &str) -> World {
    let mut world = World::default();
    let _ = world.settle(&asking('1', "a"));
    record(&mut world, "SUCCESSFUL", 1);
    let _ = world.settle(&asking('2', "a"));
    record(&mut world, status, 2);
    let service = world.service.clone().unwrap();
    world.run(service, &revision_arn(1));
    world
}

fn mark(world: &mut World, key: &str, value: &str) {
    let tags = world.service.as_mut().unwrap()["tags"].as_array_mut().unwrap();
    tags.push(json!({ "key": key, "value": value }));
}

/// Version 2 ended well and was left, as a rollback by a person does it.
fn left() -> World {
    let mut world = after("SUCCESSFUL");
    mark(&mut world, HELD_SPEC, asking('2', "a").spec_hash.as_str());
    let definition = world.revisions[1]["taskDefinition"].clone();
    mark(&mut world, HELD_IMAGES, &super::super::held_images(&definition).unwrap());
    record(&mut world, "SUCCESSFUL", 1);
    world
}

pub(super) fn told(world: &World, desired: &Desired, plan: &Plan) -> ServiceStatus {
    status::after(&Turn {
        desired,
        observed: &world.observe(),
        plan,
        failure: None,
        generation: Generation(1),
        previous: None,
        now: Timestamp::UNIX_EPOCH,
    })
}

#[test]
fn another_value_does_not_bring_a_bad_version_back_and_another_version_goes() {
    let mut failed = left();
    mark(&mut failed, CHECKS, "failed:0123");
    let failed = [
        ("rolled back by ECS", after("ROLLBACK_SUCCESSFUL")),
        ("being rolled back", after("ROLLBACK_IN_PROGRESS")),
        ("left after its checks", failed),
    ];
    let failed = failed.map(|(name, world)| (name, world, Reason::RolledBack, Health::Degraded));
    // Who goes back has decided what is to run, and that is well.
    let by_hand = ("left by a person", left(), Reason::RolledBackByHand, Health::Healthy);
    for (name, world, reason, health) in failed.into_iter().chain([by_hand]) {
        let plan = world.plan(&asking('2', "b"));
        assert_eq!((operations(&plan), reasons(&plan)), (vec![], vec![reason]), "{name}");
        assert_eq!(told(&world, &asking('2', "b"), &plan).health, health, "{name}");
        let said = &plan.holds[0].message;
        assert!(said.starts_with("the release `shop` has v2, "), "{name}: {said}");
        assert_eq!(reasons(&world.plan(&asking('3', "b"))), [], "{name}: another version");
        assert_eq!(reasons(&world.plan(&asking('1', "b"))), [], "{name}: what runs");
        let written = Desired { versions: Vec::new(), ..asking('2', "b") };
        assert_eq!(reasons(&world.plan(&written)), [], "{name}: a person wrote the image down");
    }
}

#[test]
fn a_version_that_was_kept_or_that_nobody_can_do_without_is_not_held() {
    for (name, world) in [
        ("it ended well", after("SUCCESSFUL")),
        ("it was overtaken", after("STOPPED")),
        ("it is under way", after("IN_PROGRESS")),
    ] {
        assert_eq!(reasons(&world.plan(&asking('2', "b"))), [], "{name}");
    }
    // Nothing was there to go back to: another value may be what it needs.
    let mut first = World::default();
    let _ = first.settle(&asking('2', "a"));
    record(&mut first, "ROLLBACK_FAILED", 1);
    assert_eq!(reasons(&first.plan(&asking('2', "b"))), []);
    // The version ran well before the rollout that failed, which brought something else.
    let mut other = World::default();
    let _ = other.settle(&asking('2', "a"));
    record(&mut other, "SUCCESSFUL", 1);
    let _ = other.settle(&asking('2', "b"));
    record(&mut other, "ROLLBACK_SUCCESSFUL", 2);
    let service = other.service.clone().unwrap();
    other.run(service, &revision_arn(1));
    assert_eq!(reasons(&other.plan(&asking('2', "c"))), []);
}

#[test]
fn a_person_lets_it_go_and_its_marks_go_with_it() {
    let mut world = left();
    let wanted = asking('2', "b");
    let order: crds::Order = serde_json::from_value(json!({
        "id": 1, "verb": "release", "actor": "ann", "time": Timestamp::UNIX_EPOCH, "specHash": wanted.spec_hash,
    }))
    .unwrap();
    let orders = Orders { release: Some(order), ..Orders::default() };
    let released = plan(&wanted, &world.observe(), &orders, Timestamp::UNIX_EPOCH);
    assert_eq!(operations(&released), [&["UntagResource"][..], &NEW_ROLLOUT[..]].concat());
    world.apply(&released);
    let tags = crate::observed::tags(world.service.as_ref().unwrap());
    assert!(!tags.contains_key(HELD_SPEC) && !tags.contains_key(HELD_IMAGES), "{tags:?}");
    assert!(world.plan(&wanted).is_settled());
}

#[test]
fn the_images_of_a_left_spec_fit_a_tag_and_tags_of_images_are_none() {
    let images = |names: &[String]| {
        let containers: Vec<Value> = names.iter().map(|image| json!({ "image": image })).collect();
        super::super::held_images(&json!({ "containerDefinitions": containers }))
    };
    assert_eq!(images(&["shop:v1".to_owned()]), None);
    assert_eq!(images(&[image('2'), image('2'), "shop:v1".to_owned()]).unwrap(), "2".repeat(16));
    let many: Vec<String> = (0..40).map(|number| format!("shop@sha256:{number:064}")).collect();
    assert_eq!(images(&many).unwrap().len(), "0".repeat(16).len());
    let many: Vec<String> =
        (10..50).map(|number| format!("shop@sha256:{number}{:062}", 0)).collect();
    assert!(images(&many).unwrap().len() <= 256);
}
