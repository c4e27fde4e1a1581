//! What a person asked to be done once, as rows: a past of the service, an order, and the calls that it makes or why not.

mod rollbacks;

use crds::{Order, PastRelease, Verb};
use jiff::SignedDuration;

use super::*;
use crate::checks::mark::{self, CHECKS};
use crate::deed::{self, Scene, Step};
use crate::orders::{Sent, UnderWay};

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

/// The numbers and the statuses of records.
type Records = &'static [(u32, &'static str)];

const GOOD: Records = &[(3, "SUCCESSFUL"), (2, "SUCCESSFUL"), (1, "SUCCESSFUL")];

fn tag(world: &mut World, key: &str, value: &str) {
    let tags = world.service.as_mut().unwrap()["tags"].as_array_mut().unwrap();
    tags.retain(|tag| tag["key"] != key);
    tags.push(json!({ "key": key, "value": value }));
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
    UnderWay { sent: Some(Sent::new(at, subject.to_owned())), ..deed }
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
        Action::RegisterTaskDefinition { .. }
        | Action::CreateService { .. }
        | Action::UntagResource { .. }
        | Action::Scaling { .. }
        | Action::RunTask { .. }
        | Action::StopTask { .. }
        | Action::DeleteService { .. } => action.operation().to_owned(),
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
        is_suspended: false,
        read_at: NOW,
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

/// A spec with a check, whose rollout the service's tag says is to be judged.
fn checked(image: &str) -> Desired {
    let check = json!([{ "name": "smoke", "http": { "url": "https://web.example/" } }]);
    let check: Vec<crds::Check> = serde_json::from_value(check).unwrap();
    Desired { checks: crate::checks::resolve(&check, false).unwrap(), ..desired(image) }
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
    let unlisted = at_v3(&[(2, "SUCCESSFUL")]);
    assert_eq!(step(&unlisted, &subject(30), &Beside::default()), "waits", "not shown is not over");
    let mut refused = subject(1);
    refused.sent.as_mut().unwrap().is_refused = true;
    assert_eq!(step(&rolling, &refused, &Beside::default()), stops, "nothing is on its way");
    let over = "what it was about is over without it";
    assert_eq!(step(&later, &refused, &Beside::default()), over, "it is not for another one");
    let back = at_v3(&[(3, "ROLLBACK_SUCCESSFUL"), (2, "SUCCESSFUL")]);
    let mut gone_back = back;
    gone_back.service.as_mut().unwrap()["deployments"][0]["id"] = json!("ecs-svc/2");
    assert_eq!(step(&gone_back, &refused, &Beside::default()), over);
    // It went through while the abort was refused.
    assert_eq!(of(&at_v3(GOOD), &judged), none);
    let through =
        |world: &World| step(world, &refused, &Beside { past: &[], desired: Some(&judged) });
    assert_eq!(through(&at_v3(GOOD)), none, "that is not what was asked for");
    let mut checking = at_v3(GOOD);
    tag(&mut checking, CHECKS, &pending);
    assert_eq!(through(&checking), TO_V2, "its checks go on");
    // Or while nobody knew whether it was taken.
    let lost =
        |world: &World| step(world, &subject(30), &Beside { past: &[], desired: Some(&judged) });
    assert_eq!((lost(&at_v3(GOOD)), lost(&checking)), (none.to_owned(), TO_V2.to_owned()));
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
    let unlisted = at_v3(&[(2, "SUCCESSFUL")]);
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
        (&unlisted, sent(any(), 30, "a"), "waits".to_owned()),
    ] {
        assert_eq!(step(world, &deed, &Beside::default()), expected, "{deed:?}");
    }
    let judged = checked("web:v3");
    let (release, promotes) = (mark::release(&judged), "TagResource longshore.dev/checks");
    let (pending, passed) = (format!("pending:{release}"), format!("passed:{release}"));
    let of = |world: &World, deed: &UnderWay| {
        step(world, deed, &Beside { past: &[], desired: Some(&judged) })
    };
    let mut world = at_v3(GOOD);
    assert_eq!(of(&world, &any()), none);
    tag(&mut world, CHECKS, &pending);
    assert_eq!(of(&world, &any()), promotes, "checks are promoted where no hook waits");
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
        let judged =
            observed.service.as_ref().and_then(|service| Some(service.primary()?.id.clone()));
        let judged = judged.unwrap_or_default();
        let scene = scene(&observed, &known, &beside);
        assert!(observed.service.is_none() || deed::leave(&scene, "ecs-svc/before") == Ok(vec![]));
        deed::leave(&scene, &judged).map(|actions| all(&actions))
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
        // The record of another rollout says nothing of this one, unless it takes its place.
        (&[(4, "SUCCESSFUL"), earlier], goes()),
        (&[(4, "IN_PROGRESS"), earlier], Ok(String::new())),
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
