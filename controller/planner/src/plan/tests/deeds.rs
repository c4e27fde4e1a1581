//! What a person asked to be done once, as rows: a past of the service, an order, and the calls that it makes or why not.

use crds::{Order, PastRelease, ReleaseOutcome, Verb};
use jiff::SignedDuration;

use super::*;
use crate::checks::mark::{self, CHECKS};
use crate::deed::{self, Scene, Step};
use crate::orders::{Sent, UnderWay};
use crate::ownership::{GATES, HELD_SPEC};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A service that went from `web:v1` over v2 to v3, and ECS's records of that: a number each, and a status.
fn at_v3(records: &[(u32, &str)]) -> World {
    let mut world = World::running("web:v1");
    let _ = world.settle(&desired("web:v2"));
    let _ = world.settle(&desired("web:v3"));
    world.service.as_mut().unwrap()["deployments"][0]["id"] = json!("ecs-svc/3");
    let record = |(number, status): &(u32, &str)| {
        json!({
            "serviceDeploymentArn": format!("deployment/{number}"), "status": status,
            "taskDefinition": revision_arn(*number),
            "targetServiceRevision": { "arn": format!("{ARN}:service-revision/shop/web/{number}") },
        })
    };
    world.records = records.iter().map(record).collect();
    world
}

const GOOD: &[(u32, &str)] = &[(3, "SUCCESSFUL"), (2, "SUCCESSFUL"), (1, "SUCCESSFUL")];

fn tag(world: &mut World, key: &str, value: &str) {
    let tags = world.service.as_mut().unwrap()["tags"].as_array_mut().unwrap();
    tags.retain(|tag| tag["key"] != key);
    tags.push(json!({ "key": key, "value": value }));
}

fn released(id: &str, revision: u32, outcome: ReleaseOutcome) -> PastRelease {
    serde_json::from_value(json!({
        "id": id, "taskDefinition": format!("shop-web:{revision}"),
        "taskDefinitionArn": revision_arn(revision), "images": [], "outcome": outcome,
    }))
    .unwrap()
}

fn ask(verb: Verb, to: Option<&str>) -> UnderWay {
    let order: Order =
        serde_json::from_value(json!({ "id": 1, "verb": verb, "actor": "ann", "time": NOW }))
            .unwrap();
    UnderWay::new(Order { to: to.map(str::to_owned), ..order })
}

fn at_hook(id: &str) -> UnderWay {
    let deed = ask(Verb::Promote, None);
    UnderWay { order: Order { hook_id: Some(id.to_owned()), ..deed.order }, ..deed }
}

fn sent(deed: UnderWay, seconds_ago: i64, subject: &str) -> UnderWay {
    let at = NOW - SignedDuration::from_secs(seconds_ago);
    UnderWay { sent: Some(Sent { at, subject: subject.to_owned() }), ..deed }
}

/// A call as a row has it: with the revision that it goes to, or with what it acts on.
fn told(action: &Action) -> String {
    match action {
        Action::UpdateService { input, task_definition, .. } => {
            assert_eq!((&input["cluster"], &input["service"]), (&json!("shop"), &json!("web")));
            let to = task_definition.as_ref().map(|to| match to {
                TaskDefinitionRef::Existing(arn) => crate::past::short_name(arn).to_owned(),
                TaskDefinitionRef::Registered => "registered".to_owned(),
            });
            let more = input.as_object().unwrap().keys();
            let more = more.filter(|key| !matches!(key.as_str(), "cluster" | "service")).cloned();
            let words = ["UpdateService".to_owned()].into_iter().chain(to).chain(more);
            words.collect::<Vec<_>>().join(" ")
        }
        Action::StopServiceDeployment { arn, .. } => format!("StopServiceDeployment {arn}"),
        Action::ContinueServiceDeployment { input, .. } => format!(
            "ContinueServiceDeployment {} {}",
            input["serviceDeploymentArn"].as_str().unwrap(),
            input["hookId"].as_str().unwrap()
        ),
        Action::TagResource { tags, .. } => {
            format!("TagResource {}", tags.keys().cloned().collect::<Vec<_>>().join(" "))
        }
        other => other.operation().to_owned(),
    }
}

fn all(actions: &[Action]) -> String {
    actions.iter().map(told).collect::<Vec<_>>().join(", ")
}

/// What decides beside the service.
#[derive(Default)]
struct Beside<'a> {
    past: &'a [PastRelease],
    desired: Option<&'a Desired>,
}

fn scene<'a>(observed: &'a Observed, known: &'a Desired, beside: &Beside<'a>) -> Scene<'a> {
    Scene {
        key: &known.key,
        owner: &known.owner,
        service: observed.service.as_ref(),
        running: observed.task_definition.as_ref(),
        deployments: observed.deployments.as_deref().unwrap_or_default(),
        past: beside.past,
        desired: beside.desired,
        now: NOW,
    }
}

fn step_of(observed: &Observed, deed: &UnderWay, beside: &Beside<'_>) -> String {
    match deed::next(deed, &scene(observed, &desired("web:v1"), beside)) {
        Step::Act(act) => all(&act.actions),
        Step::Wait => "waits".to_owned(),
        Step::Done => "done".to_owned(),
        Step::Refused(why) => why,
    }
}

fn step(world: &World, deed: &UnderWay, beside: &Beside<'_>) -> String {
    step_of(&world.observe(), deed, beside)
}

const TO_V2: &str = "TagResource longshore.dev/held-spec, UpdateService shop-web:2";
const TO_V1: &str = "TagResource longshore.dev/held-spec, UpdateService shop-web:1";
const NO_EARLIER: &str = "no earlier release of the service has ended well";

#[test]
fn a_rollback_goes_to_the_newest_release_that_ended_well_and_is_not_the_present_one() {
    use ReleaseOutcome::{Failed, InProgress, RolledBack, Successful};
    let past = |id: &str, revision, outcome| vec![released(id, revision, outcome)];
    let rows: Vec<(&[(u32, &str)], Vec<PastRelease>, &str)> = vec![
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
        match deed::next(&ask(Verb::Rollback, None), &scene(&observed, &v2, &beside)) {
            Step::Act(act) => act.leaves.map(|hash| hash.to_string()),
            other => panic!("{other:?}"),
        }
    };
    let hash = |desired: &Desired| Some(desired.spec_hash.to_string());
    assert_eq!(leaves(&world, None), hash(&v3), "the tag says it");
    assert_eq!(leaves(&world, Some(&v3)), hash(&v3));
    assert_eq!(leaves(&world, Some(&v2)), hash(&v3), "what was not sent is not left");
    tag(&mut world, SPEC_HASH, "of-before");
    assert_eq!(leaves(&world, Some(&v3)), hash(&v3), "it runs, its tag is still to be set");
    assert_eq!(leaves(&world, Some(&v2)).as_deref(), Some("of-before"));
}

/// A spec with a check, whose rollout the service's tag says is to be judged.
fn checked(image: &str) -> Desired {
    let check = json!([{ "name": "smoke", "http": { "url": "https://web.example/" } }]);
    let check: Vec<crds::Check> = serde_json::from_value(check).unwrap();
    Desired { checks: crate::checks::resolve(&check).unwrap(), ..desired(image) }
}

#[test]
fn a_rollout_is_aborted_while_it_is_under_way_or_judged() {
    let stops = "TagResource longshore.dev/held-spec, StopServiceDeployment deployment/3";
    let abort = || ask(Verb::Abort, None);
    let rolling = at_v3(&[(3, "IN_PROGRESS"), (2, "SUCCESSFUL")]);
    assert_eq!(step(&rolling, &abort(), &Beside::default()), stops);
    let waiting = at_v3(&[(3, "PENDING"), (2, "SUCCESSFUL")]);
    assert_eq!(step(&waiting, &abort(), &Beside::default()), stops);
    let none = "no rollout is under way";
    let mut ended = at_v3(GOOD);
    let judged = checked("web:v3");
    let of = |world: &World, desired: &Desired| {
        step(world, &abort(), &Beside { past: &[], desired: Some(desired) })
    };
    assert_eq!(of(&ended, &judged), none, "nothing says that it is to be judged");
    let pending = format!("pending:{}", mark::release(&judged));
    tag(&mut ended, CHECKS, &pending);
    assert_eq!(of(&ended, &judged), TO_V2);
    assert_eq!(of(&ended, &desired("web:v3")), none, "the spec has no checks");
    assert_eq!(of(&ended, &checked("web:v2")), none, "another spec's rollout is judged");
    tag(&mut ended, CHECKS, &format!("passed:{}", mark::release(&judged)));
    assert_eq!(of(&ended, &judged), none);
    tag(&mut ended, CHECKS, &pending);
    let back = ended.revisions[1]["taskDefinition"]["taskDefinitionArn"].clone();
    ended.service.as_mut().unwrap()["taskDefinition"] = back;
    assert_eq!(of(&ended, &judged), none, "it does not run");
    // Sent, it is done when its rollout is.
    let subject = |seconds| sent(abort(), seconds, "deployment/3");
    assert_eq!(step(&rolling, &subject(30), &Beside::default()), "waits");
    assert_eq!(step(&rolling, &subject(90), &Beside::default()), stops);
    let over = at_v3(&[(3, "ROLLBACK_IN_PROGRESS"), (2, "SUCCESSFUL")]);
    assert_eq!(step(&over, &subject(30), &Beside::default()), "done");
    let later = at_v3(&[(4, "IN_PROGRESS"), (3, "STOPPED")]);
    assert_eq!(step(&later, &subject(30), &Beside::default()), "done", "another is under way");
    // Where it was a rollback, the deployment that gives way says it.
    assert_eq!(step(&ended, &sent(abort(), 30, "ecs-svc/3"), &Beside::default()), "waits");
    assert_eq!(step(&ended, &sent(abort(), 30, "ecs-svc/2"), &Beside::default()), "done");
}

#[test]
fn a_promotion_continues_the_hook_that_is_meant() {
    let hooks = |ids: &[&str], status: &str| {
        let mut world = at_v3(&[(3, status), (2, "SUCCESSFUL")]);
        let hook =
            |id: &&str| json!({ "hookId": id, "targetType": "PAUSE", "status": "AWAITING_ACTION" });
        world.records[0]["lifecycleHookDetails"] = ids.iter().map(hook).collect();
        world
    };
    let any = || ask(Verb::Promote, None);
    let none = "no rollout waits at a hook";
    let goes_on = |id: &str| format!("ContinueServiceDeployment deployment/3 {id}");
    let (no, one, two) = (
        hooks(&[], "IN_PROGRESS"),
        hooks(&["a"], "IN_PROGRESS"),
        hooks(&["a", "b"], "IN_PROGRESS"),
    );
    let ended = hooks(&["a"], "STOPPED");
    for (world, deed, expected) in [
        (&no, any(), none.to_owned()),
        (&no, at_hook("a"), none.to_owned()),
        (&ended, any(), none.to_owned()),
        (&one, any(), goes_on("a")),
        (&one, at_hook("a"), goes_on("a")),
        (&one, at_hook("b"), "no rollout waits at the hook `b`".to_owned()),
        (&two, any(), "several hooks wait; name one of a, b".to_owned()),
        (&two, at_hook("b"), goes_on("b")),
        // Sent, it is done when that hook waits no more.
        (&two, sent(at_hook("b"), 59, "b"), "waits".to_owned()),
        (&two, sent(at_hook("b"), 60, "b"), goes_on("b")),
        (&one, sent(at_hook("b"), 30, "b"), "done".to_owned()),
        (&ended, sent(any(), 30, "a"), "done".to_owned()),
    ] {
        assert_eq!(step(world, &deed, &Beside::default()), expected, "{deed:?}");
    }
    let judged = checked("web:v3");
    let (release, passes) = (mark::release(&judged), "TagResource longshore.dev/checks");
    let (pending, passed) = (format!("pending:{release}"), format!("passed:{release}"));
    let of = |world: &World, deed: &UnderWay| {
        step(world, deed, &Beside { past: &[], desired: Some(&judged) })
    };
    let mut world = at_v3(GOOD);
    assert_eq!(of(&world, &any()), none);
    tag(&mut world, CHECKS, &pending);
    assert_eq!(of(&world, &any()), passes, "checks are promoted where no hook waits");
    assert_eq!(of(&world, &at_hook("a")), none);
    let mut waits = one;
    tag(&mut waits, CHECKS, &pending);
    assert_eq!(of(&waits, &any()), goes_on("a"));
    assert_eq!(of(&world, &sent(any(), 30, &passed)), "waits");
    tag(&mut world, CHECKS, &passed);
    assert_eq!(of(&world, &sent(any(), 30, &passed)), "done");
}

#[test]
fn a_rollout_whose_checks_failed_is_left_as_far_as_ecs_has_got_with_it() {
    let earlier = (2, "SUCCESSFUL");
    let leave = |world: &World, desired: Option<&Desired>| {
        let (observed, known) = (world.observe(), super::desired("web:v3"));
        let beside = Beside { past: &[], desired };
        deed::leave(&scene(&observed, &known, &beside)).map(|actions| all(&actions))
    };
    let err = |why: &str| Err(why.to_owned());
    let goes = || Ok("UpdateService shop-web:2".to_owned());
    let stops = || Ok("StopServiceDeployment deployment/3".to_owned());
    for (records, expected) in [
        (&[(3, "IN_PROGRESS"), earlier][..], stops()),
        (&[(3, "PENDING"), earlier], stops()),
        (&[(3, "IN_PROGRESS")], err(NO_EARLIER)),
        (&[(3, "STOP_REQUESTED"), earlier], Ok(String::new())),
        (&[(3, "ROLLBACK_REQUESTED"), earlier], Ok(String::new())),
        (&[(3, "ROLLBACK_IN_PROGRESS"), earlier], Ok(String::new())),
        (&[(3, "ROLLBACK_SUCCESSFUL"), earlier], Ok(String::new())),
        (&[(3, "SUCCESSFUL"), earlier], goes()),
        (&[(3, "ROLLBACK_FAILED"), earlier], goes()),
        (&[(3, "SUCCESSFUL")], err(NO_EARLIER)),
        (&[earlier], goes()),
        // The record of another rollout says nothing of this one.
        (&[(4, "IN_PROGRESS"), earlier], goes()),
    ] {
        assert_eq!(leave(&at_v3(records), None), expected, "{records:?}");
    }
    let mut moving = at_v3(&[earlier]);
    moving.service.as_mut().unwrap()["deployments"][0]["rolloutState"] = json!("IN_PROGRESS");
    assert_eq!(leave(&moving, None), Ok(String::new()), "its record comes in a moment");
    let mut holds = desired("web:v3");
    assert_eq!(leave(&at_v3(GOOD), Some(&holds)), goes());
    holds.gates.on_failure = crds::OnFailure::Hold;
    assert_eq!(leave(&at_v3(GOOD), Some(&holds)), err("`rollout.onFailure` is `hold`"));
    let gone = World::default();
    assert!(leave(&gone, None).unwrap_err().contains("there is no service"));
}
