//! Incidents of other tools, by their numbers there: each could have deleted services or never ended, and must not here.

use std::time::Duration;

use crds::{Reason, SyncPolicy};
use longshore_tests::specs::{counted, image, with};
use longshore_tests::{Fleet, FleetOptions, Place};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn pruning() -> FleetOptions {
    let policy = SyncPolicy { prune: Some(true), ..SyncPolicy::default() };
    FleetOptions { policy, ..FleetOptions::default() }
}

/// A running fleet of six services.
async fn fleet_of_six(options: FleetOptions) -> Fleet {
    let mut fleet = Fleet::with(options).await;
    let specs: Vec<Value> = NAMES.iter().map(|name| counted(name, "v1", 1)).collect();
    fleet.commit(&specs).await;
    for name in NAMES {
        fleet.until_ready(name).await;
    }
    fleet
}

fn failing(operation: &str) -> Fault {
    let kind = FaultKind::Error {
        code: "ServerException".to_owned(),
        message: "not now".to_owned(),
        status: 500,
    };
    Fault { times: None, ..Fault::once("ecs", operation, kind) }
}

/// Nothing is changed for an hour, and everything runs.
async fn assert_untouched(fleet: &Fleet, mark: usize) {
    fleet.pass(Duration::from_hours(1)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0], "{}", fleet.describe());
    for name in NAMES {
        assert_eq!(fleet.living(name).unwrap().running, 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn argo_cd_18480_a_list_of_clusters_that_fails_deletes_nothing() {
    for operation in ["ListClusters", "ListServices", "DescribeServices"] {
        let mut fleet = fleet_of_six(pruning()).await;
        let mark = fleet.sandbox.call_count();
        fleet.sandbox.inject(failing(operation));
        fleet.restart().await;
        assert_untouched(&fleet, mark).await;
    }
}

#[tokio::test(start_paused = true)]
async fn argo_cd_18212_a_source_that_is_down_for_a_while_uninstalls_nothing() {
    let fixtures = "clusters: [{name: shop}]\nlatency: 8ms\nbuckets: [{name: specs}]\n".to_owned();
    let mut fleet =
        fleet_of_six(FleetOptions { fixtures, place: Place::Bucket, ..pruning() }).await;
    let mark = fleet.sandbox.call_count();
    let kind = FaultKind::Error {
        code: "InternalError".to_owned(),
        message: "We encountered an internal error.".to_owned(),
        status: 500,
    };
    let down = Fault { times: None, ..Fault::once("s3", "ListObjectsV2", kind) };
    fleet.sandbox.inject(down);
    assert!(fleet.fetch().await.is_err());
    fleet.restart().await;
    assert!(fleet.fetch().await.is_err());
    assert_untouched(&fleet, mark).await;
    fleet.sandbox.clear_faults();
    fleet.fetch().await.unwrap();
    assert_untouched(&fleet, mark).await;
}

#[tokio::test(start_paused = true)]
async fn argo_cd_14318_a_source_that_answers_with_a_page_of_its_proxy_deletes_nothing() {
    let mut fleet = fleet_of_six(pruning()).await;
    let mark = fleet.sandbox.call_count();
    let page = "<html><body><h1>503 Service Unavailable</h1></body></html>";
    let files: Vec<String> = NAMES.iter().map(|name| format!("{name}.json")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|file| (file.as_str(), page)).collect();
    fleet.commit_files(&files).await;
    assert_untouched(&fleet, mark).await;
    fleet.restart().await;
    assert_untouched(&fleet, mark).await;
}

#[tokio::test(start_paused = true)]
async fn argo_cd_22127_a_restart_before_the_source_is_read_deletes_nothing() {
    let mut fleet = fleet_of_six(pruning()).await;
    let mark = fleet.sandbox.call_count();
    fleet.restart_unread().await;
    assert_untouched(&fleet, mark).await;
    fleet.fetch().await.unwrap();
    assert_untouched(&fleet, mark).await;
}

#[tokio::test(start_paused = true)]
async fn argo_cd_9227_an_edit_that_drops_most_of_production_is_held_and_told() {
    let mut fleet = fleet_of_six(pruning()).await;
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["a", "b", "c", "d"]).await;
    fleet.until_stalled("a", Reason::PruneBrake).await;
    let told = fleet.ready("a").message;
    assert!(told.contains("4 of the source's 6 services"), "{told}");
    assert_untouched(&fleet, mark).await;
}

#[tokio::test(start_paused = true)]
async fn argo_cd_20440_a_spec_that_takes_over_another_ones_service_deletes_neither() {
    let mut fleet = fleet_of_six(pruning()).await;
    let mark = fleet.sandbox.call_count();
    let copy = serde_json::to_string(&counted("a", "v9", 1)).unwrap();
    fleet.commit_files(&[("generated.json", &copy)]).await;
    fleet.until_stalled("a", Reason::DuplicateSpec).await;
    assert_untouched(&fleet, mark).await;
    fleet.commit_files(&[("generated.json", "")]).await;
    fleet.until_ready("a").await;
    assert_eq!(fleet.image("a"), image("a", "v1"));
}

#[tokio::test(start_paused = true)]
async fn kustomize_controller_1665_a_deletion_that_fails_is_told_and_tried_again() {
    let mut fleet = fleet_of_six(pruning()).await;
    fleet.deny("DeleteService");
    fleet.remove(&["a"]).await;
    fleet.until_unready("a", Reason::AccessDenied).await;
    let told = fleet.ready("a").message;
    assert!(told.contains("cannot delete service shop/a"), "{told}");
    fleet.pass(Duration::from_mins(30)).await;
    assert!(fleet.object("a").is_some(), "what could not be deleted is not forgotten");
    assert_eq!(fleet.ready("a").reason, Reason::AccessDenied);
    fleet.restart().await;
    fleet.until_unready("a", Reason::AccessDenied).await;
    fleet.sandbox.clear_faults();
    fleet.until("deleted", |fleet| fleet.object("a").is_none()).await;
    assert!(fleet.living("a").is_none());
}

#[tokio::test(start_paused = true)]
async fn kustomize_controller_701_a_change_does_not_wait_out_a_dependency_that_has_failed() {
    let mut fleet = fleet_of_six(pruning()).await;
    fleet.image_exits(&image("a", "bad"));
    let rollout = json!({ "dependsOn": ["a"] });
    let dependent = with(counted("b", "v2", 1), "/spec/rollout", rollout);
    fleet.commit(&[counted("a", "bad", 1), dependent.clone()]).await;
    fleet.until_stalled("a", Reason::RolledBack).await;
    fleet.pass(Duration::from_secs(5)).await;
    assert_eq!(fleet.ready("b").reason, Reason::DependencyFailed);
    // A commit that leaves the failing one alone and takes the dependency out goes at once.
    fleet.commit(&[counted("b", "v2", 1)]).await;
    fleet.until_ready("b").await;
    assert_eq!(fleet.image("b"), image("b", "v2"));
}
