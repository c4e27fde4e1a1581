//! What people said, as rows: an order, and what the plan makes of it.

use std::time::Duration;

use crds::{Order, Verb};
use jiff::SignedDuration;

use super::*;
use crate::deed::{self, Scene, Step};
use crate::orders::{Sent, UnderWay};
use crate::ownership::HELD_SPEC;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn order(verb: Verb) -> Order {
    serde_json::from_value(json!({
        "id": 1, "verb": verb, "actor": "ann", "time": NOW, "reason": "because",
    }))
    .unwrap()
}

fn for_spec(verb: Verb, desired: &Desired) -> Order {
    Order { spec_hash: Some(desired.spec_hash.clone()), ..order(verb) }
}

/// A spec that asks for an approval before it is sent.
fn approved_first(image: &str) -> Desired {
    let mut desired = desired(image);
    desired.gates.approval_first = true;
    desired
}

fn expired(order: Order) -> Order {
    Order { expires_at: Some(NOW), ..order }
}

fn planned(world: &World, desired: &Desired, orders: &Orders) -> Plan {
    plan(desired, &world.observe(), orders, NOW)
}

#[test]
fn what_people_said_decides_whether_a_new_spec_is_sent() {
    let world = World::running("web:v1");
    let auto = desired("web:v2");
    let manual = desired_with("web:v2", json!({ "mode": "manual" }));
    let approved = approved_first("web:v2");
    let other = desired("web:v3");
    let none = Orders::default;
    let hold = |order| Orders { hold: Some(order), ..none() };
    let suspend = |order| Orders { suspension: Some(order), ..none() };
    let approve = |order| Orders { approval: Some(order), ..none() };
    let sync = |order| Orders { sync: Some(order), ..none() };
    let left = |order| Orders { left: Some(order), ..none() };
    let rows: Vec<(&str, &Desired, Orders, &[Reason])> = vec![
        ("nothing was said", &auto, none(), &[]),
        ("held", &auto, hold(order(Verb::Hold)), &[Reason::ManualHold]),
        ("suspended", &auto, suspend(order(Verb::Suspend)), &[Reason::Suspended]),
        ("no longer suspended", &auto, suspend(expired(order(Verb::Suspend))), &[]),
        ("unknown", &auto, Orders::unknown("no disk"), &[Reason::StateUnknown]),
        ("manual", &manual, none(), &[Reason::ManualSync]),
        ("manual, synced", &manual, sync(for_spec(Verb::Sync, &manual)), &[]),
        (
            "manual, another synced",
            &manual,
            sync(for_spec(Verb::Sync, &other)),
            &[Reason::ManualSync],
        ),
        ("to be approved", &approved, none(), &[Reason::AwaitingApproval]),
        ("approved", &approved, approve(for_spec(Verb::Approve, &approved)), &[]),
        (
            "another approved",
            &approved,
            approve(for_spec(Verb::Approve, &other)),
            &[Reason::AwaitingApproval],
        ),
        (
            "approved too long ago",
            &approved,
            approve(expired(for_spec(Verb::Approve, &approved))),
            &[Reason::AwaitingApproval],
        ),
        ("aborted", &auto, left(for_spec(Verb::Abort, &auto)), &[Reason::Aborted]),
        ("rolled back", &auto, left(for_spec(Verb::Rollback, &auto)), &[Reason::RolledBackByHand]),
        ("another left", &auto, left(for_spec(Verb::Rollback, &other)), &[]),
    ];
    for (name, desired, orders, holds) in rows {
        let plan = planned(&world, desired, &orders);
        assert_eq!(reasons(&plan), holds, "{name}");
        assert_eq!(plan.actions.is_empty(), !holds.is_empty(), "{name}");
        let created = planned(&World::default(), desired, &orders);
        let holds_all = holds
            .iter()
            .all(|reason| !matches!(reason, Reason::Aborted | Reason::RolledBackByHand));
        assert_eq!(reasons(&created), if holds_all { holds } else { &[] }, "{name}, no service");
        // Orders are read back as they were written.
        let written = serde_json::to_value(&orders).unwrap();
        let read: Orders = serde_json::from_value(written).unwrap();
        assert_eq!(read, Orders { unknown: None, ..orders }, "{name}");
    }
}

#[test]
fn a_service_as_it_should_be_shows_what_would_hold_it_and_nothing_else() {
    let world = World::running("web:v1");
    let orders = Orders { hold: Some(order(Verb::Hold)), ..Orders::default() };
    let plan = planned(&world, &desired("web:v1"), &orders);
    assert!(plan.is_settled());
    assert_eq!(reasons(&plan), [Reason::ManualHold]);
    let approved = approved_first("web:v1");
    assert_eq!(reasons(&planned(&world, &approved, &Orders::default())), [] as [Reason; 0]);
}

#[test]
fn the_mark_of_a_left_spec_holds_it_without_any_orders_and_goes_with_the_next_one() {
    let mut world = World::running("web:v2");
    let left = desired("web:v2");
    let tag = |world: &mut World| {
        let tags = world.service.as_mut().unwrap()["tags"].as_array_mut().unwrap();
        tags.push(json!({ "key": HELD_SPEC, "value": left.spec_hash }));
    };
    tag(&mut world);
    assert!(planned(&world, &left, &Orders::default()).is_settled(), "nothing differs");
    let service = world.service.as_mut().unwrap();
    service["desiredCount"] = json!(7);
    assert_eq!(reasons(&planned(&world, &left, &Orders::default())), [Reason::RolledBackByHand]);
    let orders = Orders { release: Some(for_spec(Verb::Release, &left)), ..Orders::default() };
    let released = planned(&world, &left, &orders);
    assert_eq!(operations(&released), ["UntagResource", "UpdateService"]);
    let next = planned(&world, &desired("web:v3"), &Orders::default());
    assert_eq!(operations(&next), [&NEW_ROLLOUT[..], &["UntagResource"]].concat());
    world.apply(&next);
    assert!(planned(&world, &desired("web:v3"), &Orders::default()).is_settled());
}

#[test]
fn a_failure_counts_no_more_once_its_spec_was_released_and_the_next_one_counts() {
    let mut world = World::running("web:v1");
    let bad = desired("web:bad");
    let record = |world: &mut World, id: &str, at: i64| {
        let revision =
            world.revisions.last().unwrap()["taskDefinition"]["taskDefinitionArn"].clone();
        world.records.insert(
            0,
            json!({
                "serviceDeploymentArn": format!("{ARN}:service-deployment/shop/web/{id}"),
                "status": "ROLLBACK_SUCCESSFUL", "statusReason": "tasks failed to start.",
                "targetServiceRevision": { "arn": format!("{ARN}:service-revision/shop/web/{id}") },
                "taskDefinition": revision, "createdAt": at,
            }),
        );
    };
    let first = world.service.clone().unwrap();
    let sent = planned(&world, &bad, &Orders::default());
    world.apply(&sent);
    let tags = world.service.as_ref().unwrap()["tags"].clone();
    let mut back = first;
    back["tags"] = tags;
    world.service = Some(back);
    record(&mut world, "1", 100);
    assert_eq!(reasons(&planned(&world, &bad, &Orders::default())), [Reason::RolledBack]);
    let at = |second| Order {
        time: Timestamp::from_second(second).unwrap(),
        ..for_spec(Verb::Release, &bad)
    };
    let released = |second| Orders { release: Some(at(second)), ..Orders::default() };
    assert_eq!(operations(&planned(&world, &bad, &released(200))), ["UpdateService"]);
    assert_eq!(reasons(&planned(&world, &bad, &released(50))), [Reason::RolledBack]);
    assert_eq!(reasons(&planned(&world, &bad, &released(100))), [Reason::RolledBack]);
    record(&mut world, "2", 300);
    assert_eq!(reasons(&planned(&world, &bad, &released(200))), [Reason::RolledBack]);
}

fn scene<'a>(
    observed: &'a Observed,
    desired: Option<&'a Desired>,
    key: &'a crds::ObjectKey,
    owner: &'a crds::OwnerName,
) -> Scene<'a> {
    Scene {
        key,
        owner,
        service: observed.service.as_ref(),
        running: observed.task_definition.as_ref(),
        deployments: observed.deployments.as_deref().unwrap_or_default(),
        past: &[],
        desired,
        is_suspended: false,
        read_at: NOW,
        now: NOW,
    }
}

#[test]
fn a_call_that_may_be_on_its_way_is_not_sent_again_and_one_that_shows_is_done() {
    let mut world = World::running("web:v1");
    let primary = json!([{ "id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "COMPLETED" }]);
    world.service.as_mut().unwrap()["deployments"] = primary;
    let (observed, desired) = (world.observe(), desired("web:v1"));
    let (key, owner) = (desired.key.clone(), desired.owner.clone());
    let scene = scene(&observed, None, &key, &owner);
    let deed = UnderWay::new(order(Verb::Restart));
    let Step::Act(act) = deed::next(&deed, &scene) else { panic!("nothing is done") };
    assert_eq!(act.sent.subject, "ecs-svc/1");
    assert_eq!(act.actions.len(), 1);
    let sent = |ago, subject: &str| UnderWay {
        sent: Some(Sent::new(NOW - SignedDuration::from_secs(ago), subject.to_owned())),
        ..deed.clone()
    };
    assert_eq!(deed::next(&sent(30, "ecs-svc/1"), &scene), Step::Wait);
    assert_eq!(deed::next(&sent(30, "ecs-svc/0"), &scene), Step::Done);
    assert!(matches!(deed::next(&sent(90, "ecs-svc/1"), &scene), Step::Act(_)));
    let suspended = Scene { is_suspended: true, ..scene };
    assert!(matches!(deed::next(&deed, &suspended), Step::Refused(_)), "it came after the order");
    assert_eq!(deed::next(&sent(30, "ecs-svc/0"), &suspended), Step::Done);
    let scene = Scene { is_suspended: false, ..suspended };
    // What it goes by was read soon after that, by a turn that then hung.
    let hung = Scene { read_at: NOW - SignedDuration::from_secs(80), ..scene };
    assert_eq!(deed::next(&sent(90, "ecs-svc/1"), &hung), Step::Wait);
    assert!(crate::orders::LOOK_AGAIN < Duration::from_mins(1));
}

#[test]
fn what_is_not_ours_is_not_touched_by_an_order() {
    let world = World::running("web:v1");
    let observed = world.observe();
    let key = desired("web:v1").key;
    let stranger = "other".parse().unwrap();
    for verb in [Verb::Restart, Verb::Rollback, Verb::Abort, Verb::Promote] {
        let deed = UnderWay::new(order(verb));
        let step = deed::next(&deed, &scene(&observed, None, &key, &stranger));
        assert!(matches!(&step, Step::Refused(why) if why.contains("belongs to")), "{step:?}");
        let gone = Observed::default();
        let step = deed::next(&deed, &scene(&gone, None, &key, &stranger));
        assert!(matches!(&step, Step::Refused(why) if why.contains("no service")), "{step:?}");
    }
}

#[test]
fn an_order_counts_for_its_spec_until_it_expires() {
    let (this, other) = (desired("web:v1"), desired("web:v2"));
    let everything = |of: &Desired, expires_at: Option<Timestamp>| {
        let order = |verb| Order { expires_at, ..for_spec(verb, of) };
        Orders {
            unknown: None,
            hold: Some(order(Verb::Hold)),
            suspension: Some(order(Verb::Suspend)),
            approval: Some(order(Verb::Approve)),
            sync: Some(order(Verb::Sync)),
            replacement: Some(UnderWay::new(order(Verb::Sync))),
            pruning: Some(order(Verb::Sync)),
            release: Some(order(Verb::Release)),
            left: Some(order(Verb::Abort)),
            deed: Some(UnderWay::new(order(Verb::Restart))),
            stopped: Some(crate::orders::Stopped {
                deployment: String::new(),
                release: String::new(),
                spec_hash: of.spec_hash.clone(),
                at: NOW,
                message: String::new(),
            }),
        }
    };
    let all = everything(&this, None);
    assert!(!all.is_empty() && Orders::default().is_empty());
    assert_eq!(all.clone().for_spec(&this.spec_hash, NOW), Orders { pruning: None, ..all.clone() });
    // Of another spec's orders those stay that stand whatever the spec.
    let kept = everything(&other, None).for_spec(&this.spec_hash, NOW);
    let standing = everything(&other, None);
    let expected = Orders {
        hold: standing.hold,
        suspension: standing.suspension,
        approval: standing.approval,
        deed: standing.deed,
        ..Orders::default()
    };
    assert_eq!(kept, expected);
    let late = everything(&this, Some(NOW));
    let expected = Orders {
        hold: late.hold.clone(),
        approval: late.approval.clone(),
        deed: late.deed.clone(),
        stopped: late.stopped.clone(),
        ..Orders::default()
    };
    assert_eq!(late.for_spec(&this.spec_hash, NOW), expected);
    let done = all.clone().settled();
    assert_eq!(done, Orders { sync: None, replacement: None, release: None, ..all });
}

#[test]
fn a_replacement_is_for_one_service_and_for_one_spec() {
    let (this, other) = (desired("web:v1"), desired("web:v2"));
    let created_at = |second: i64| {
        let mut world = World::running("web:v1");
        world.service.as_mut().unwrap()["createdAt"] = json!(second);
        world.observe().service.unwrap()
    };
    let (first, second) = (created_at(100), created_at(200));
    let subject = crate::orders::incarnation(&first);
    assert_eq!(subject, format!("{ARN}:service/shop/web@100000"));
    let replacing = |of: &Desired, subject: Option<&str>| {
        let sent = subject.map(|subject| Sent::new(NOW, subject.to_owned()));
        let replacement = UnderWay { sent, ..UnderWay::new(for_spec(Verb::Sync, of)) };
        Orders { replacement: Some(replacement), ..Orders::default() }
    };
    for (orders, service, expected) in [
        (replacing(&this, None), &first, true),
        (replacing(&this, Some(&subject)), &first, true),
        (replacing(&this, Some(&subject)), &second, false),
        (replacing(&other, None), &first, false),
        (Orders::default(), &first, false),
    ] {
        assert_eq!(orders.replaces(&this.spec_hash, service), expected, "{orders:?}");
    }
}

/// What ECS cannot change in place is replaced where a person asked for that, and only then.
#[test]
fn a_replacement_deletes_the_service_that_it_was_ordered_for() {
    let world = World::running("web:v1");
    let mut other_launch = serde_json::to_value(spec("web:v1", &json!({}))).unwrap();
    other_launch["spec"]["service"]["launchType"] = json!("EC2");
    let wanted = resolved(&serde_json::from_value(other_launch).unwrap());
    let protected = Desired { is_protected: true, ..wanted.clone() };
    let same = desired("web:v1");
    let nobody = Orders::default;
    let ordered = |of: &Desired| Orders {
        replacement: Some(UnderWay::new(for_spec(Verb::Sync, of))),
        ..Orders::default()
    };
    let needs: &[Reason] = &[Reason::NeedsReplacement];
    let both: &[Reason] = &[Reason::Protected, Reason::NeedsReplacement];
    for (name, desired, orders, deletes, holds) in [
        ("nobody asked", &wanted, nobody(), false, needs),
        ("asked", &wanted, ordered(&wanted), true, &[]),
        ("asked for another", &wanted, ordered(&same), false, needs),
        ("protected", &protected, nobody(), false, needs),
        ("protected, and asked", &protected, ordered(&protected), false, both),
        ("nothing to replace", &same, ordered(&same), false, &[]),
    ] {
        let plan = planned(&world, desired, &orders);
        assert_eq!(reasons(&plan), holds, "{name}");
        let forced = Action::DeleteService { force: true, reason: Reason::Replacing };
        assert_eq!(plan.actions == [forced], deletes, "{name}: {:?}", plan.actions);
        assert_eq!(plan.actions.is_empty(), !deletes, "{name}");
    }
}
