//! Git, S3 and the registry are all down: what goes back, goes back at once, and what goes on waits.

use longshore_tests::Place;
use longshore_tests::specs::release;

use super::*;

const FIXTURES: &str = "
clusters: [{name: shop}]
latency: 8ms
buckets: [{name: specs}]
repositories: [{name: shop/web, images: [{tags: [v1.0.0]}]}]
";
/// The longest that a person may wait for UpdateService: a second for the store, twice, and a turn.
const AT_ONCE: jiff::SignedDuration = jiff::SignedDuration::from_secs(4);

/// A fleet whose specs and whose state lie in S3, and whose service went from v1.0.0 to v1.1.0 of a release that follows
/// tags of a Git repository.
async fn world(configuration: &Value) -> Fleet {
    let (place, keep) = (Place::Bucket, Keep::Bucket);
    let fixtures = FIXTURES.to_owned();
    let mut fleet =
        Fleet::with(FleetOptions { fixtures, place, keep, ..FleetOptions::default() }).await;
    let git = json!({ "url": "https://github.com/acme/shop.git" });
    let shop = with(release("shop", ">=1.0.0"), "/spec/git", git);
    let place = "/spec/service/deploymentConfiguration";
    let web = with(service("web", "${release:shop}"), place, configuration.clone());
    fleet.tag_git("v1.0.0", 'a');
    fleet.commit(&[shop, web]).await;
    fleet.until_runs("web", "v1.0.0").await;
    fleet.tag_git("v1.1.0", 'b');
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
    fleet.pass(Duration::from_mins(5)).await;
    fleet
}

fn everything_is_down(fleet: &Fleet, kind: &FaultKind) {
    fleet.lose_git(true);
    for api in ["s3", "ecr"] {
        fleet.sandbox.inject(Fault { times: None, ..Fault::once(api, "*", kind.clone()) });
    }
}

fn everything_is_back(fleet: &Fleet) {
    fleet.lose_git(false);
    fleet.sandbox.clear_faults();
}

fn unavailable() -> FaultKind {
    let (code, message) = ("ServiceUnavailable".to_owned(), "try again".to_owned());
    FaultKind::Error { code, message, status: 503 }
}

fn updates(fleet: &Fleet, mark: usize) -> Vec<sandbox::CallRecord> {
    let mut calls = fleet.calls_that_change(mark);
    calls.retain(|call| call.operation == "UpdateService");
    calls
}

/// A rollback while everything else is down, by a process that has run for long or by one that just began.
async fn goes_back_at_once(configuration: &Value, kind: &FaultKind, is_new: bool) {
    let told = format!("{configuration} {kind:?} {is_new}");
    let mut fleet = world(configuration).await;
    let old = fleet.pinned("v1.0.0");
    everything_is_down(&fleet, kind);
    fleet.pass(Duration::from_mins(3)).await;
    if is_new {
        fleet.restart_unread().await;
        fleet.pass(Duration::from_secs(20)).await;
    }
    let (asked, mark) = (fleet.now(), fleet.sandbox.call_count());
    fleet.order("web", Verb::Rollback, &because("errors")).await;
    fleet.until("it is sent", |fleet| !updates(fleet, mark).is_empty()).await;
    let took = updates(&fleet, mark)[0].time.duration_since(asked);
    assert!(took <= AT_ONCE, "{told}: after {took}");
    assert_eq!(fleet.image("web"), old, "{told}");
    let ended = |fleet: &Fleet| {
        let service = fleet.service("web").unwrap();
        service.records[0] == "SUCCESSFUL" && service.running == 2
    };
    fleet.until("v1.0.0 runs", ended).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(updates(&fleet, mark).len(), 1, "{told}");
    assert_eq!(fleet.image("web"), old, "{told}");
    // What goes on waits for the store.
    let refused = fleet.try_order("web", Verb::Release, &Ask::default()).await;
    assert!(refused.is_err(), "{told}: {refused:?}");
    everything_is_back(&fleet);
    fleet.fetch().await.unwrap();
    let by = "by a rollback by ci: errors";
    let is_told = |fleet: &Fleet| {
        fleet.object("web").is_some_and(|object| {
            let mut holds = object.status.holds.iter();
            holds.any(|hold| hold.reason == Reason::RolledBackByHand && hold.message.contains(by))
        })
    };
    fleet.until("who and why is known", is_told).await;
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    // By now it is written down as well.
    fleet.restart().await;
    fleet.until("it is still known", is_told).await;
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    assert_eq!(updates(&fleet, mark).len(), 1, "{told}");
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_runs("web", "v1.1.0").await;
}

#[tokio::test(start_paused = true)]
async fn a_rolling_service_goes_back_with_git_s3_and_ecr_down() {
    for is_new in [false, true] {
        goes_back_at_once(&json!({ "strategy": "ROLLING" }), &unavailable(), is_new).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_blue_green_service_goes_back_with_git_s3_and_ecr_down() {
    let configuration = json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1 });
    for is_new in [false, true] {
        goes_back_at_once(&configuration, &unavailable(), is_new).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_keeps_nobody_from_going_back() {
    for is_new in [false, true] {
        goes_back_at_once(&json!({ "strategy": "ROLLING" }), &FaultKind::Hang, is_new).await;
    }
}

/// The bucket can be read, and whatever is written to it hangs: the turn that writes the history down does not keep anybody.
#[tokio::test(start_paused = true)]
async fn a_turn_that_hangs_in_a_write_keeps_nobody_from_going_back() {
    let fleet = world(&json!({ "strategy": "ROLLING" })).await;
    let old = fleet.pinned("v1.1.0");
    fleet.tag_git("v1.2.0", 'c');
    fleet.push("v1.2.0");
    let changed = |fleet: &Fleet| fleet.image("web") != old;
    fleet.until("v1.2.0 is on its way", changed).await;
    fleet.sandbox.inject(Fault { times: None, ..Fault::once("s3", "PutObject", FaultKind::Hang) });
    let ended = |fleet: &Fleet| fleet.rollouts("web")[0] == "SUCCESSFUL";
    fleet.until("it has ended, as ECS says", ended).await;
    fleet.pass(Duration::from_secs(10)).await;
    let mut known = fleet.past("web").await;
    known.retain(|release| release.outcome == crds::ReleaseOutcome::Successful);
    assert_eq!(known.len(), 2, "the third is still to be written down: {known:#?}");
    let (asked, mark) = (fleet.now(), fleet.sandbox.call_count());
    fleet.order("web", Verb::Rollback, &because("errors")).await;
    fleet.until("it is sent", |fleet| !updates(fleet, mark).is_empty()).await;
    let took = updates(&fleet, mark)[0].time.duration_since(asked);
    assert!(took <= AT_ONCE, "after {took}");
    assert_eq!(fleet.image("web"), old);
    everything_is_back(&fleet);
    let held = |fleet: &Fleet| fleet.holds("web") == [Reason::RolledBackByHand];
    fleet.until("it is held", held).await;
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    assert_eq!(updates(&fleet, mark).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_abort_needs_no_store_either() {
    let fixtures = "clusters: [{name: shop}]\nbuckets: [{name: specs}]\nlatency: 8ms\n".to_owned();
    let keep = Keep::Bucket;
    let mut fleet = Fleet::with(FleetOptions { fixtures, keep, ..FleetOptions::default() }).await;
    fleet.commit(&[checked("v1")]).await;
    fleet.until_ready("web").await;
    fleet.image_behaves(&image("web", "v2"), ImageBehaviour::SlowStart(Duration::from_mins(10)));
    fleet.commit(&[checked("v2")]).await;
    fleet.until("v2 begins", |fleet| fleet.rollouts("web").len() == 2).await;
    fleet.pass(Duration::from_secs(10)).await;
    let fault = Fault::once("s3", "*", unavailable());
    fleet.sandbox.inject(Fault { times: None, ..fault });
    fleet.pass(Duration::from_mins(1)).await;
    let restart = fleet.try_order("web", Verb::Restart, &Ask::default()).await;
    assert!(matches!(restart, Err(Refusal::Store(_))), "{restart:?}");
    fleet.order("web", Verb::Abort, &because("wrong one")).await;
    fleet.until("back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    fleet.sandbox.clear_faults();
    fleet.until_stalled("web", Reason::Aborted).await;
    fleet.restart().await;
    fleet.until_stalled("web", Reason::Aborted).await;
    assert!(fleet.ready("web").message.contains("aborted by ci: wrong one"));
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
}
