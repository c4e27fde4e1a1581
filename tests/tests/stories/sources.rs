//! What stands in the source: broken files, two specs for one service, a source that cannot be read, a bucket.

use std::time::Duration;

use controller::source::SourceError;
use crds::{Condition, ConditionStatus, ConditionType, Reason, SyncPolicy, SyncStatus};
use longshore_tests::specs::{counted, image, service};
use longshore_tests::{Fleet, FleetOptions, Place};
use sandbox::{Fault, FaultKind};

fn pruning() -> FleetOptions {
    let policy = SyncPolicy { prune: Some(true), ..SyncPolicy::default() };
    FleetOptions { policy, ..FleetOptions::default() }
}

fn in_bucket() -> FleetOptions {
    let fixtures = "clusters: [{name: shop}]\nlatency: 8ms\nbuckets: [{name: specs}]\n".to_owned();
    FleetOptions { fixtures, place: Place::Bucket, ..pruning() }
}

#[tokio::test(start_paused = true)]
async fn a_broken_file_harms_only_its_own_service() {
    let mut fleet = Fleet::with(pruning()).await;
    fleet.commit(&[counted("web", "v1", 1), counted("api", "v1", 1)]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
    let mark = fleet.sandbox.call_count();
    let broken = serde_json::to_string_pretty(&counted("web", "v2", 1)).unwrap();
    let broken = broken.replace("\"desiredCount\": 1", "\"desiredCount\": \"many\"");
    let line = broken.lines().position(|line| line.contains("desiredCount")).unwrap() + 1;
    let good = serde_json::to_string_pretty(&counted("api", "v2", 1)).unwrap();
    fleet.commit_files(&[("web.json", &broken), ("api.json", &good)]).await;
    fleet.until_ready("api").await;
    assert_eq!(fleet.image("api"), image("api", "v2"));
    fleet.until_stalled("web", Reason::InvalidSpec).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    let object = fleet.object("web").unwrap();
    let told = object.invalid[0].to_string();
    assert!(told.starts_with(&format!("web.json:{line}:")), "{told}");
    assert!(told.contains("desiredCount") && told.contains("many"), "{told}");
    assert!(fleet.ready("web").message.contains(&told), "{:?}", fleet.ready("web"));
    assert!(!fleet.changes_since(mark).contains(&"DeleteService".to_owned()));
    // The last good spec is in force: drift is still healed.
    let count = serde_json::json!({ "cluster": "shop", "service": "web", "desiredCount": 3 });
    fleet.console("UpdateService", count);
    fleet.until("healed", |fleet| fleet.service("web").unwrap().desired == 1).await;
    fleet.commit(&[counted("web", "v2", 1)]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

#[tokio::test(start_paused = true)]
async fn a_merge_conflict_changes_nothing_even_through_a_restart() {
    let mut fleet = Fleet::with(pruning()).await;
    fleet.commit(&[counted("web", "v1", 1), counted("api", "v1", 1)]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
    let mark = fleet.sandbox.call_count();
    let [ours, theirs] = ["v2", "v3"]
        .map(|version| serde_json::to_string_pretty(&counted("web", version, 1)).unwrap());
    let conflict = format!("<<<<<<< HEAD\n{ours}\n=======\n{theirs}\n>>>>>>> main\n");
    fleet.commit_files(&[("web.json", &conflict)]).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.invalid().len(), 1, "{:?}", fleet.invalid());
    fleet.restart().await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.service("web").unwrap().running, 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_turns_into_nonsense_is_no_order_to_delete() {
    let mut fleet = Fleet::with(pruning()).await;
    fleet.commit(&[counted("web", "v1", 1), counted("api", "v1", 1)]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
    let mark = fleet.sandbox.call_count();
    fleet.commit_files(&[("web.json", "<html>{{ 502: [bad gateway\n")]).await;
    fleet.until_stalled("web", Reason::SourceIncomplete).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.invalid().len(), 1, "{:?}", fleet.invalid());
    assert_eq!(fleet.service("web").unwrap().running, 1);
    // A file that is taken away is one.
    fleet.remove(&["web"]).await;
    fleet.until("web deleted", |fleet| fleet.living("web").is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn two_specs_for_one_service_hold_it_and_are_told_on_both() {
    let mut fleet = Fleet::with(pruning()).await;
    fleet.commit(&[counted("web", "v1", 1), counted("api", "v1", 1)]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
    let mark = fleet.sandbox.call_count();
    let second = serde_json::to_string_pretty(&counted("web", "v2", 1)).unwrap();
    fleet.commit_files(&[("copy/web.json", &second)]).await;
    fleet.until_stalled("web", Reason::DuplicateSpec).await;
    let said = fleet.ready("web").message;
    assert!(said.contains("copy/web.json:") && said.contains("fleet: web.json:"), "{said}");
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    fleet.commit_files(&[("web.json", "")]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_gone_leaves_the_last_good_specs_in_force() {
    let mut fleet = Fleet::with(pruning()).await;
    fleet.commit(&[counted("web", "v1", 2)]).await;
    fleet.until_ready("web").await;
    let mark = fleet.sandbox.call_count();
    fleet.write(&[("web.json", "")]);
    assert!(matches!(fleet.fetch().await, Err(SourceError::SuddenlyEmpty { .. })));
    std::fs::remove_dir_all(fleet.folder()).unwrap();
    assert!(fleet.fetch().await.is_err());
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    let count = serde_json::json!({ "cluster": "shop", "service": "web", "desiredCount": 1 });
    fleet.console("UpdateService", count);
    fleet.until("healed", |fleet| fleet.service("web").unwrap().desired == 2).await;
    std::fs::create_dir_all(fleet.folder()).unwrap();
    fleet.commit(&[counted("web", "v2", 2)]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

#[tokio::test(start_paused = true)]
async fn specs_in_a_bucket_roll_out_and_an_unchanged_listing_is_one_call() {
    let mut fleet = Fleet::with(in_bucket()).await;
    fleet.commit(&[counted("web", "v1", 1), counted("api", "v1", 1)]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
    fleet.commit(&[counted("web", "v2", 1)]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    let mark = fleet.sandbox.call_count();
    fleet.fetch().await.unwrap();
    let calls = fleet.sandbox.calls_since(mark);
    let reads: Vec<&str> =
        calls.iter().filter(|call| call.api == "s3").map(|call| call.operation.as_str()).collect();
    assert_eq!(reads, ["ListObjectsV2"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_changes_while_it_is_read_is_read_again_whole() {
    let mut fleet = Fleet::with(in_bucket()).await;
    fleet.commit(&[counted("web", "v1", 1), counted("api", "v1", 1)]).await;
    fleet.until_ready("web").await;
    let both = |version: &str| {
        ["web", "api"].map(|name| serde_json::to_string(&counted(name, version, 1)).unwrap())
    };
    let [web, api] = both("v2");
    fleet.write(&[("web.json", &web), ("api.json", &api)]);
    // Reads take two seconds; one second after the listing, somebody writes both again.
    let slow = FaultKind::Latency(Duration::from_secs(2));
    let slow = Fault { times: Some(3), ..Fault::once("s3", "*", slow) };
    fleet.sandbox.inject(slow);
    let sandbox = fleet.sandbox.clone();
    let (bodies, began) = (both("v3"), fleet.now());
    let writer = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for (name, body) in ["web", "api"].iter().zip(bodies) {
            let request = http::Request::put(format!("/specs/fleet/{name}.json"))
                .body(bytes::Bytes::from(body))
                .unwrap();
            let now = began + jiff::SignedDuration::from_secs(1);
            assert!(sandbox.handle(now, &request).status().is_success());
        }
    });
    fleet.fetch().await.unwrap();
    writer.await.unwrap();
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
    assert_eq!([fleet.image("web"), fleet.image("api")], [image("web", "v3"), image("api", "v3")]);
    assert_eq!([fleet.revisions("shop-web"), fleet.revisions("shop-api")], [2, 2], "v2 never was");
}

#[tokio::test(start_paused = true)]
async fn an_emptied_bucket_is_no_order_to_delete() {
    let mut fleet = Fleet::with(in_bucket()).await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    let mark = fleet.sandbox.call_count();
    fleet.write(&[("web.json", "")]);
    assert!(matches!(fleet.fetch().await, Err(SourceError::SuddenlyEmpty { .. })));
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert!(fleet.is_ready("web"));
}

/// What the source says of itself.
fn said(fleet: &Fleet, kind: ConditionType) -> Condition {
    let sources = fleet.statuses.sources();
    sources[0].condition(kind).unwrap().clone()
}

fn is_stalled(fleet: &Fleet, reason: Reason) -> bool {
    let (ready, stalled) = (said(fleet, ConditionType::Ready), said(fleet, ConditionType::Stalled));
    ready.status == ConditionStatus::False
        && stalled.status == ConditionStatus::True
        && [ready.reason, stalled.reason] == [reason; 2]
}

/// What the service says of its source; nothing while all is well.
fn said_of_source(fleet: &Fleet) -> Option<Condition> {
    fleet.status("web").condition(ConditionType::SourceReady).cloned()
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_said_of_the_source_and_its_services_and_makes_none_unready() {
    let options = FleetOptions { watch: Some(Duration::from_secs(30)), ..in_bucket() };
    let mut fleet = Fleet::with(options).await;
    fleet.commit(&[counted("web", "v1", 1)]).await;
    fleet.until_ready("web").await;
    fleet
        .until("read", |fleet| said(fleet, ConditionType::Ready).status == ConditionStatus::True)
        .await;
    assert_eq!(said(&fleet, ConditionType::Stalled).status, ConditionStatus::False);
    let mark = fleet.sandbox.call_count();
    fleet.sandbox.inject(Fault { times: None, ..Fault::once("s3", "*", FaultKind::Refuse) });
    fleet.until("stalled", |fleet| is_stalled(fleet, Reason::SourceIncomplete)).await;
    let since = said(&fleet, ConditionType::Ready).last_transition_time;
    fleet.until("told", |fleet| said_of_source(fleet).is_some()).await;
    let told = said_of_source(&fleet).unwrap();
    assert_eq!((told.status, told.reason), (ConditionStatus::False, Reason::SourceIncomplete));
    assert_eq!(told.last_transition_time, since);
    assert!(told.message.contains("cannot list s3://"), "{told:?}");
    assert_eq!(fleet.status("web").sync, SyncStatus::Synced, "a minute is no news");
    fleet.pass(Duration::from_mins(15)).await;
    assert_eq!(fleet.status("web").sync, SyncStatus::Unknown);
    assert!(fleet.is_ready("web"));
    let stalled = fleet.status("web").condition(ConditionType::Stalled).unwrap().status;
    assert_eq!(stalled, ConditionStatus::False);
    assert_eq!(said(&fleet, ConditionType::Ready).last_transition_time, since);
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    fleet.sandbox.clear_faults();
    fleet.until("read again", |fleet| said_of_source(fleet).is_none()).await;
    assert_eq!(said(&fleet, ConditionType::Ready).reason, Reason::SourceRead);
    assert_eq!(said(&fleet, ConditionType::Stalled).status, ConditionStatus::False);
    assert_eq!(fleet.status("web").sync, SyncStatus::Synced);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_only_a_person_can_judge_leaves_nobody_sure_at_once() {
    let options = FleetOptions { watch: Some(Duration::from_secs(30)), ..in_bucket() };
    let mut fleet = Fleet::with(options).await;
    fleet.commit(&[counted("web", "v1", 1)]).await;
    fleet.until_ready("web").await;
    fleet.write(&[("web.json", "")]);
    fleet.until("stalled", |fleet| is_stalled(fleet, Reason::SourceUntrusted)).await;
    fleet.until("told", |fleet| said_of_source(fleet).is_some()).await;
    assert_eq!(said_of_source(&fleet).unwrap().reason, Reason::SourceUntrusted);
    assert_eq!(fleet.status("web").sync, SyncStatus::Unknown);
    assert!(fleet.is_ready("web"));
    assert_eq!(fleet.service("web").unwrap().running, 1);
}
