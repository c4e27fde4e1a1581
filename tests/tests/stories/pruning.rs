//! A spec leaves its source. Services are deleted from knowledge only.

use std::time::Duration;

use crds::{Reason, SyncPolicy};
use longshore_tests::specs::{counted, with};
use longshore_tests::{Fleet, FleetOptions};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

fn pruning() -> FleetOptions {
    let policy = SyncPolicy { prune: Some(true), ..SyncPolicy::default() };
    FleetOptions { policy, ..FleetOptions::default() }
}

/// A running fleet of one-task services with these names.
async fn fleet_of(options: FleetOptions, names: &[&str]) -> Fleet {
    let mut fleet = Fleet::with(options).await;
    let specs: Vec<Value> = names.iter().map(|name| counted(name, "v1", 1)).collect();
    fleet.commit(&specs).await;
    for name in names {
        fleet.until_ready(name).await;
    }
    fleet
}

#[tokio::test(start_paused = true)]
async fn with_prune_the_service_is_deleted_and_forgotten() {
    let mut fleet = fleet_of(pruning(), &["web", "api"]).await;
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["web"]).await;
    fleet.until("web deleted", |fleet| fleet.living("web").is_none()).await;
    fleet.until("web forgotten", |fleet| fleet.object("web").is_none()).await;
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.changes_since(mark), ["DeleteService"]);
    assert!(fleet.is_ready("api"));
    assert_eq!(fleet.service("api").unwrap().running, 1);
    // It comes back with its spec.
    fleet.commit(&[counted("web", "v2", 1)]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.living("web").unwrap().running, 1);
}

#[tokio::test(start_paused = true)]
async fn without_prune_the_service_goes_on_and_is_reported() {
    let mut fleet = fleet_of(FleetOptions::default(), &["web", "api"]).await;
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["web"]).await;
    fleet.until_stalled("web", Reason::PruneOff).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.service("web").unwrap().running, 1);
}

#[tokio::test(start_paused = true)]
async fn the_orphan_policy_is_remembered_without_the_file() {
    let mut fleet = Fleet::with(pruning()).await;
    let orphan = json!({ "deletionPolicy": "Orphan" });
    fleet
        .commit(&[with(counted("web", "v1", 1), "/spec/sync", orphan), counted("api", "v1", 1)])
        .await;
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["web"]).await;
    fleet.restart().await;
    fleet.until_stalled("web", Reason::Orphaned).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.service("web").unwrap().running, 1);
}

#[tokio::test(start_paused = true)]
async fn the_brake_holds_a_revision_that_removes_too_many() {
    let names = ["a", "b", "c", "d", "e"];
    let mut fleet = fleet_of(pruning(), &names).await;
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["a", "b"]).await;
    fleet.until_stalled("a", Reason::PruneBrake).await;
    fleet.until_stalled("b", Reason::PruneBrake).await;
    fleet.pass(Duration::from_mins(10)).await;
    fleet.restart().await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    fleet.commit(&[counted("b", "v1", 1)]).await;
    fleet.until("a deleted", |fleet| fleet.living("a").is_none()).await;
    fleet.until_ready("b").await;
    assert_eq!(fleet.changes_since(mark), ["DeleteService"]);
}

#[tokio::test(start_paused = true)]
async fn the_brake_holds_when_a_restarted_operator_finds_only_some_of_the_orphans() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let mut fleet = fleet_of(pruning(), &names).await;
    let mark = fleet.sandbox.call_count();
    fleet.kill().await;
    fleet.remove(&["a", "b", "c", "d"]).await;
    // The search for services without specs is cut short after the first, the second, and so on.
    for skip in 0..6 {
        let kind = FaultKind::Error {
            code: "ServerException".to_owned(),
            message: "not now".to_owned(),
            status: 500,
        };
        let fault = Fault { skip, times: Some(40), ..Fault::once("ecs", "DescribeServices", kind) };
        fleet.sandbox.inject(fault);
        fleet.restart().await;
        fleet.pass(Duration::from_mins(3)).await;
        fleet.sandbox.clear_faults();
        assert_eq!(fleet.changes_since(mark), [""; 0], "cut short after {skip}");
    }
    fleet.until_stalled("a", Reason::PruneBrake).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_found_empty_at_the_start_is_no_order_to_delete() {
    let mut fleet = fleet_of(pruning(), &["web"]).await;
    let mark = fleet.sandbox.call_count();
    fleet.kill().await;
    fleet.write(&[("web.json", "")]);
    fleet.restart_unread().await;
    fleet.fetch().await.unwrap();
    fleet.until_stalled("web", Reason::PruneBrake).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_document_without_a_readable_name_holds_all_pruning() {
    let mut fleet = fleet_of(pruning(), &["web", "api"]).await;
    let mark = fleet.sandbox.call_count();
    let nameless =
        "apiVersion: longshore.dev/v1alpha1\nkind: Service\nmetadata: {nmae: web}\nspec: {}\n";
    fleet.commit_files(&[("web.json", ""), ("renamed.yaml", nameless)]).await;
    fleet.until_stalled("web", Reason::SourceIncomplete).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    fleet.commit_files(&[("renamed.yaml", "")]).await;
    fleet.until("web deleted", |fleet| fleet.living("web").is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn a_restarted_operator_deletes_only_after_it_has_read_the_source() {
    let mut fleet = fleet_of(pruning(), &["web", "api"]).await;
    let mark = fleet.sandbox.call_count();
    fleet.kill().await;
    fleet.write(&[("web.json", "")]);
    fleet.restart_unread().await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert!(fleet.living("web").is_some());
    fleet.fetch().await.unwrap();
    fleet.until("web deleted", |fleet| fleet.living("web").is_none()).await;
    assert_eq!(fleet.changes_since(mark), ["DeleteService"]);
    fleet.until_ready("api").await;
}

#[tokio::test(start_paused = true)]
async fn an_orphan_of_a_source_that_is_configured_no_more_stays() {
    let mut fleet = fleet_of(pruning(), &["web", "api"]).await;
    let arn = fleet.console("DescribeServices", json!({ "cluster": "shop", "services": ["web"] }))
        ["services"][0]["serviceArn"]
        .clone();
    fleet.kill().await;
    let other = json!([{ "key": "longshore.dev/source", "value": "elsewhere" }]);
    fleet.console("TagResource", json!({ "resourceArn": arn, "tags": other }));
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["web"]).await;
    fleet.restart().await;
    fleet.until_stalled("web", Reason::SourceIncomplete).await;
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_renamed_service_comes_up_and_the_old_one_goes() {
    let mut fleet = fleet_of(pruning(), &["web", "api"]).await;
    let renamed = serde_json::to_string(&counted("site", "v1", 1)).unwrap();
    fleet.commit_files(&[("web.json", &renamed)]).await;
    fleet.until_ready("site").await;
    fleet.until("web deleted", |fleet| fleet.living("web").is_none()).await;
    assert_eq!(fleet.living("site").unwrap().running, 1);
    let mut fleet = fleet_of(FleetOptions::default(), &["web", "api"]).await;
    fleet.commit_files(&[("web.json", &renamed)]).await;
    fleet.until_ready("site").await;
    fleet.until_stalled("web", Reason::PruneOff).await;
    assert_eq!(fleet.living("web").unwrap().running, 1);
}
