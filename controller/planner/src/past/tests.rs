//! The release history as rows: what was known, what ECS shows now, and what is written down.

use serde_json::json;

use super::*;
use crate::observed::ResolvedImage;
use crate::plan::tests::{ARN, World, desired};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// ECS's records of rollouts: a number each, and a status.
type Records<'a> = &'a [(u32, &'a str)];

/// A service at its rollout number 2 with these members of that.
#[allow(clippy::needless_pass_by_value, reason = "callers write `json!({…})`")]
fn observed(members: Value, records: Records<'_>) -> Observed {
    let mut world = World::running("web:v2");
    let deployment = &mut world.service.as_mut().unwrap()["deployments"][0];
    deployment["id"] = json!("ecs-svc/2");
    deployment.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let record = |(number, status): &(u32, &str)| {
        json!({
            "status": status, "statusReason": format!("record {number}"),
            "targetServiceRevision": { "arn": format!("{ARN}:service-revision/shop/web/{number}") },
        })
    };
    world.records = records.iter().map(record).collect();
    world.observe()
}

fn release(id: &str, outcome: ReleaseOutcome) -> PastRelease {
    serde_json::from_value(json!({
        "id": id, "taskDefinition": "shop-web:1", "taskDefinitionArn": "", "images": [],
        "outcome": outcome,
    }))
    .unwrap()
}

/// Each release as `id outcome`, with its reason and with `.` where its end is known.
fn told(releases: &[PastRelease]) -> Vec<String> {
    let said = releases.iter().map(|release| {
        let end = if release.ended_at.is_some() { "." } else { "" };
        let why = release.reason.as_deref().map(|why| format!(" {why}")).unwrap_or_default();
        format!("{} {:?}{end}{why}", release.id, release.outcome)
    });
    said.collect()
}

fn now(past: &[PastRelease], observed: &Observed) -> Vec<PastRelease> {
    after(past, &desired("web:v2"), observed, NOW)
}

#[test]
fn the_rollout_that_the_service_is_at_ends_as_ecs_says() {
    let state = |state: Value| json!({ "rolloutState": state, "rolloutStateReason": "ecs" });
    let wordless = || json!({ "rolloutState": null, "rolloutStateReason": "ecs" });
    let moving = || json!({ "rolloutState": null, "rolloutStateReason": "ecs", "runningCount": 1 });
    let rows: Vec<(Value, Records<'_>, &str)> = vec![
        (state(json!("COMPLETED")), &[], "2 Successful."),
        (state(json!("FAILED")), &[], "2 Failed. ecs"),
        (state(json!("IN_PROGRESS")), &[], "2 InProgress"),
        (wordless(), &[(2, "SUCCESSFUL")], "2 Successful."),
        (wordless(), &[(2, "ROLLBACK_FAILED")], "2 Failed. ecs"),
        (wordless(), &[(2, "PENDING")], "2 InProgress"),
        (wordless(), &[(2, "ROLLBACK_IN_PROGRESS")], "2 InProgress"),
        (wordless(), &[(1, "PENDING")], "2 Successful."),
        (wordless(), &[], "2 Successful."),
        (moving(), &[], "2 InProgress"),
        (moving(), &[(2, "SUCCESSFUL")], "2 Successful."),
    ];
    for (members, records, expected) in rows {
        let observed = observed(members.clone(), records);
        let new = now(&[], &observed);
        assert_eq!(told(&new), [expected], "{members} {records:?}");
        for outcome in [ReleaseOutcome::InProgress, ReleaseOutcome::Superseded] {
            let known = now(&[release("2", outcome)], &observed);
            let open = expected == "2 InProgress" && outcome == ReleaseOutcome::Superseded;
            let expected = if open { "2 Superseded" } else { expected };
            assert_eq!(told(&known), [expected], "{members} {records:?}");
        }
        // What has ended stays as it ended.
        let ended = now(&[release("2", ReleaseOutcome::RolledBack)], &observed);
        assert_eq!(told(&ended), ["2 RolledBack"]);
        assert_eq!(now(&new, &observed), new, "nothing new is nothing new");
    }
}

#[test]
fn a_rollout_that_the_service_has_left_ends_as_its_record_says() {
    let rows: &[(Records<'_>, &str)] = &[
        (&[(1, "SUCCESSFUL"), (0, "STOPPED")], "1 Successful."),
        (&[(0, "STOPPED"), (1, "ROLLBACK_SUCCESSFUL")], "1 RolledBack. record 1"),
        (&[(1, "ROLLBACK_REQUESTED")], "1 RolledBack. record 1"),
        (&[(1, "ROLLBACK_IN_PROGRESS")], "1 RolledBack. record 1"),
        (&[(1, "ROLLBACK_FAILED")], "1 Failed. record 1"),
        (&[(1, "STOPPED")], "1 Superseded. record 1"),
        (&[(1, "IN_PROGRESS")], "1 Superseded. record 1"),
        (&[(0, "SUCCESSFUL")], "1 Superseded."),
    ];
    for (records, expected) in rows {
        let observed = observed(json!({}), records);
        let past = [release("1", ReleaseOutcome::InProgress), release("0", ReleaseOutcome::Failed)];
        let told = told(&now(&past, &observed));
        assert_eq!(told, ["2 Successful.", expected, "0 Failed"], "{records:?}");
    }
}

#[test]
fn a_release_says_what_it_brought() {
    let began = json!({ "createdAt": 100 });
    let digest = |container: &str, digest: &str| ResolvedImage {
        container: container.to_owned(),
        digest: digest.to_owned(),
    };
    let images = Some(vec![digest("other", "sha256:o")]);
    let at_v2 = Observed { images, ..observed(began, &[]) };
    let first = now(&[release("1", ReleaseOutcome::Successful)], &at_v2);
    assert_eq!(told(&first), ["2 Successful.", "1 Successful"], "newest first");
    let wanted = desired("web:v2");
    let [image] = first[0].images.as_slice() else { panic!("{first:?}") };
    assert_eq!((&*image.container, &*image.image, &image.digest), ("app", "web:v2", &None));
    assert_eq!(first[0].task_definition, "shop-web:1");
    assert_eq!(first[0].task_definition_arn, format!("{ARN}:task-definition/shop-web:1"));
    assert_eq!(first[0].spec_hash.as_ref(), Some(&wanted.spec_hash));
    assert_eq!(first[0].source.as_ref(), Some(&wanted.provenance.source));
    assert_eq!(first[0].commit.as_ref(), Some(&wanted.provenance.revision));
    assert_eq!(first[0].started_at, Some(Timestamp::from_second(100).unwrap()));
    // Digests come once tasks run, and stay.
    let with = |found: &str| Observed {
        images: Some(vec![digest("other", "sha256:o"), digest("app", found)]),
        ..at_v2.clone()
    };
    let known = now(&first, &with("sha256:a"));
    assert_eq!(known[0].images[0].digest.as_deref(), Some("sha256:a"));
    assert_eq!(now(&known, &with("sha256:b")), known);
    // What another spec brought is told without this one.
    let other = after(&[], &desired("web:v9"), &at_v2, NOW);
    assert_eq!((&other[0].spec_hash, &other[0].source, &other[0].commit), (&None, &None, &None));
    let many: Vec<PastRelease> =
        (10..40).map(|id| release(&id.to_string(), ReleaseOutcome::Successful)).collect();
    assert_eq!(now(&many, &at_v2).len(), KEPT);
    let gone = Observed::default();
    assert_eq!(now(&first, &gone), first);
}

#[test]
fn a_release_that_was_undone_afterwards_says_so_once() {
    let ended = |release: PastRelease| PastRelease { reason: Some("ecs".to_owned()), ..release };
    let past = || {
        [release("2", ReleaseOutcome::Successful), ended(release("1", ReleaseOutcome::RolledBack))]
    };
    for (deployment, expected) in [
        ("ecs-svc/2", ["2 RolledBack. checks", "1 RolledBack ecs"]),
        ("ecs-svc/1", ["2 Successful", "1 RolledBack ecs"]),
        ("ecs-svc/9", ["2 Successful", "1 RolledBack ecs"]),
    ] {
        let mut releases = past();
        undone(&mut releases, deployment, "checks", NOW);
        assert_eq!(told(&releases), expected, "{deployment}");
    }
    let stopped = |release: &str| Stopped {
        deployment: String::new(),
        release: release.to_owned(),
        spec_hash: desired("web:v2").spec_hash,
        at: NOW,
        message: "no image".to_owned(),
    };
    for (id, outcome, expected) in [
        ("1", ReleaseOutcome::RolledBack, "1 RolledBack no image"),
        ("1", ReleaseOutcome::Failed, "1 Failed no image"),
        ("1", ReleaseOutcome::Successful, "1 Successful"),
        ("2", ReleaseOutcome::RolledBack, "1 RolledBack"),
    ] {
        let mut releases = [release("1", outcome)];
        tell(&mut releases, &stopped(id));
        assert_eq!(told(&releases), [expected]);
    }
}

#[test]
fn a_rollout_that_ended_unseen_is_asked_for_and_not_called_superseded() {
    let mut known = after(&[], &desired("web:v2"), &observed(json!({}), &[]), NOW);
    known[0].id = "1".to_owned();
    known[0].outcome = ReleaseOutcome::InProgress;
    let unread = Observed { deployments: None, ..observed(json!({}), &[]) };
    let service = unread.service.as_ref().unwrap();
    assert!(has_open_end(&known, service));
    let gone = ObservedService { state: ServiceState::Inactive, ..service.clone() };
    assert!(!has_open_end(&known, &gone), "ECS has no records of it");
    let seen = after(&known, &desired("web:v2"), &unread, NOW);
    let outcome = |releases: &[PastRelease]| {
        releases.iter().find(|release| release.id == "1").unwrap().outcome
    };
    assert_eq!(outcome(&seen), ReleaseOutcome::InProgress);
    for (records, expected) in [
        (&[(2, "SUCCESSFUL"), (1, "SUCCESSFUL")][..], ReleaseOutcome::Successful),
        (&[(2, "SUCCESSFUL"), (1, "ROLLBACK_SUCCESSFUL")][..], ReleaseOutcome::RolledBack),
        (&[(2, "SUCCESSFUL")][..], ReleaseOutcome::Superseded),
    ] {
        let seen = after(&seen, &desired("web:v2"), &observed(json!({}), records), NOW);
        assert_eq!(outcome(&seen), expected);
        assert!(!has_open_end(&seen, service));
    }
}
