//! Whose a service is decides who may touch it.

use std::time::Duration;

use crds::{Health, Reason, SyncStatus};
use longshore_tests::specs::{counted, image, service, with};
use longshore_tests::{Fleet, FleetOptions};
use sandbox::ServiceView;
use serde_json::{Value, json};

/// Creates at the console what a spec describes, without any tag.
fn create_by_hand(fleet: &Fleet, spec: &Value) {
    let name = &spec["metadata"]["name"];
    let mut definition = spec["spec"]["taskDefinition"].clone();
    definition["family"] = json!(format!("shop-{}", name.as_str().unwrap()));
    let answer = fleet.console("RegisterTaskDefinition", definition);
    let mut input = spec["spec"]["service"].clone();
    input["cluster"] = json!("shop");
    input["serviceName"] = name.clone();
    input["taskDefinition"] = answer["taskDefinition"]["taskDefinitionArn"].clone();
    fleet.console("CreateService", input);
}

/// What nobody may have changed: everything but the events, which ECS writes.
fn essence(service: Option<ServiceView>) -> ServiceView {
    ServiceView { events: Vec::new(), ..service.unwrap() }
}

#[tokio::test(start_paused = true)]
async fn a_foreign_service_is_reported_and_left_alone() {
    let mut fleet = Fleet::new().await;
    create_by_hand(&fleet, &counted("web", "v0", 1));
    fleet.pass(Duration::from_mins(3)).await;
    let before = essence(fleet.service("web"));
    fleet.commit(&[counted("web", "v1", 3)]).await;
    fleet.until_stalled("web", Reason::NotOwned).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(essence(fleet.service("web")), before);
    assert_eq!(fleet.changes_since(0), [""; 0]);
    assert_eq!(fleet.status("web").sync, SyncStatus::OutOfSync);
    assert!(fleet.ready("web").message.contains("adopt"), "{:?}", fleet.ready("web"));
    // Removing the spec again does not make it ours either.
    fleet.commit(&[counted("other", "v1", 1)]).await;
    fleet.remove(&["web"]).await;
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(essence(fleet.service("web")), before);
}

#[tokio::test(start_paused = true)]
async fn another_operators_service_is_left_alone_even_when_both_may_adopt() {
    let mut mine = Fleet::new().await;
    let adopt = json!({ "adopt": true });
    mine.commit(&[with(service("web", &image("web", "v1")), "/spec/sync", adopt.clone())]).await;
    mine.until_ready("web").await;
    let before = essence(mine.service("web"));
    let theirs = FleetOptions { owner: "theirs".to_owned(), seed: 2, ..FleetOptions::default() };
    let mut theirs = mine.beside(theirs).await;
    let mark = mine.sandbox.call_count();
    theirs.commit(&[with(service("web", &image("web", "v2")), "/spec/sync", adopt)]).await;
    theirs.until_stalled("web", Reason::OwnedByAnother).await;
    mine.pass(Duration::from_mins(10)).await;
    assert_eq!(mine.changes_since(mark), [""; 0]);
    assert_eq!(essence(mine.service("web")), before);
    assert!(theirs.ready("web").message.contains("`test`"), "{:?}", theirs.ready("web"));
    assert!(mine.is_ready("web"));
}

#[tokio::test(start_paused = true)]
async fn a_suspended_service_is_watched_and_not_touched() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    let suspend = json!({ "suspend": true });
    fleet.commit(&[with(service("web", &image("web", "v2")), "/spec/sync", suspend)]).await;
    fleet.until_stalled("web", Reason::Suspended).await;
    fleet.console(
        "UpdateService",
        json!({ "cluster": "shop", "service": "web", "desiredCount": 1 }),
    );
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    let status = fleet.status("web");
    assert_eq!((status.sync, status.health), (SyncStatus::OutOfSync, Health::Suspended));
    fleet.commit(&[service("web", &image("web", "v2"))]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(fleet.service("web").unwrap().desired, 2);
}

#[tokio::test(start_paused = true)]
async fn a_suspended_service_that_is_not_there_is_not_created() {
    let mut fleet = Fleet::new().await;
    let suspend = json!({ "suspend": true });
    fleet.commit(&[with(service("web", &image("web", "v1")), "/spec/sync", suspend)]).await;
    fleet.until_stalled("web", Reason::Suspended).await;
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.changes_since(0), [""; 0]);
    assert_eq!(fleet.service("web"), None);
}

#[tokio::test(start_paused = true)]
async fn in_manual_mode_a_difference_waits_for_a_person() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    let mark = fleet.sandbox.call_count();
    let manual = json!({ "mode": "manual" });
    fleet.commit(&[with(service("web", &image("web", "v2")), "/spec/sync", manual)]).await;
    fleet.until_stalled("web", Reason::ManualSync).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    let plan = fleet.plan("web").await;
    let withheld: Vec<&str> = plan.withheld.iter().map(planner::Action::operation).collect();
    assert_eq!(withheld, ["RegisterTaskDefinition", "TagResource", "UpdateService", "TagResource"]);
}

#[tokio::test(start_paused = true)]
async fn adopting_an_equal_service_sets_tags_and_rolls_nothing() {
    let mut fleet = Fleet::new().await;
    let spec = service("web", &image("web", "v1"));
    create_by_hand(&fleet, &spec);
    fleet.pass(Duration::from_mins(3)).await;
    let before = fleet.service("web").unwrap();
    fleet.commit(&[with(spec, "/spec/sync", json!({ "adopt": true }))]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.changes_since(0), ["TagResource"]);
    let after = fleet.service("web").unwrap();
    assert_eq!(after.records, before.records);
    assert_eq!(after.task_definition, before.task_definition);
    assert_eq!(fleet.revisions("shop-web"), 1);
    assert_eq!(fleet.tag("web", "longshore.dev/owner").as_deref(), Some("test"));
}

#[tokio::test(start_paused = true)]
async fn adopting_a_service_that_differs_rolls_it_once() {
    let mut fleet = Fleet::new().await;
    create_by_hand(&fleet, &service("web", &image("web", "v0")));
    fleet.pass(Duration::from_mins(3)).await;
    let adopt = json!({ "adopt": true });
    fleet.commit(&[with(service("web", &image("web", "v1")), "/spec/sync", adopt)]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
    assert_eq!(fleet.revisions("shop-web"), 2);
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
}
