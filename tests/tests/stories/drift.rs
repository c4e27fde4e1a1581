//! Somebody changes AWS behind the operator's back.

use std::time::Duration;

use crds::{Reason, SyncStatus};
use longshore_tests::Fleet;
use longshore_tests::specs::{counted, image, service, with};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn a_changed_count_is_healed() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[counted("web", "v1", 3)]).await;
    fleet.until_ready("web").await;
    fleet.console(
        "UpdateService",
        json!({ "cluster": "shop", "service": "web", "desiredCount": 1 }),
    );
    let mark = fleet.sandbox.call_count();
    fleet.until("healed", |fleet| fleet.service("web").unwrap().desired == 3).await;
    fleet.until("three run", |fleet| fleet.service("web").unwrap().running == 3).await;
    assert_eq!(fleet.changes_since(mark), ["UpdateService"]);
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"]);
    let healed = drifted(&fleet);
    assert_eq!(healed, ["Healthy: UpdateService (service.desiredCount)"]);
}

/// What was told of differences that were healed, oldest first.
fn drifted(fleet: &Fleet) -> Vec<String> {
    let events = fleet.statuses.events_of(&Fleet::key("web"), 1000);
    let events = events.iter().rev().filter(|event| event.reason == Reason::Drifted.as_str());
    events.map(|event| event.message.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_changed_task_definition_is_healed_with_the_revision_that_was_there() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    roll_by_hand(&fleet, "hotfix");
    let mark = fleet.sandbox.call_count();
    fleet.until("healed", |fleet| fleet.image("web") == image("web", "v1")).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.changes_since(mark), ["UpdateService"]);
    assert_eq!(fleet.revisions("shop-web"), 2, "one of ours and one by hand");
    let told = drifted(&fleet).join("\n");
    for part in ["UpdateService (service.taskDefinition, ", "containerDefinitions[app].image"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("hello"), "a value: {told}");
}

/// Somebody rolls another version at the console.
fn roll_by_hand(fleet: &Fleet, version: &str) {
    let containers = json!([{ "name": "app", "image": image("web", version), "portMappings": [{ "containerPort": 8080 }] }]);
    let answer = fleet.console(
        "RegisterTaskDefinition",
        json!({
            "family": "shop-web", "cpu": "256", "memory": "512", "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"], "containerDefinitions": containers,
            "executionRoleArn": "arn:aws:iam::111122223333:role/shop-execution",
        }),
    );
    let arn = answer["taskDefinition"]["taskDefinitionArn"].clone();
    fleet.console(
        "UpdateService",
        json!({ "cluster": "shop", "service": "web", "taskDefinition": arn }),
    );
}

#[tokio::test(start_paused = true)]
async fn changed_tags_are_healed() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    let arn = fleet.console("DescribeServices", json!({ "cluster": "shop", "services": ["web"] }))
        ["services"][0]["serviceArn"]
        .clone();
    let policy = "longshore.dev/deletion-policy";
    fleet.console(
        "UntagResource",
        json!({ "resourceArn": arn, "tagKeys": [policy, "longshore.dev/source"] }),
    );
    let mine = json!([{ "key": "cost-centre", "value": "7" }]);
    fleet.console("TagResource", json!({ "resourceArn": arn, "tags": mine }));
    let mark = fleet.sandbox.call_count();
    fleet.until("healed", |fleet| fleet.tag("web", policy).is_some()).await;
    fleet.pass(Duration::from_mins(3)).await;
    assert_eq!(fleet.changes_since(mark), ["TagResource"]);
    assert_eq!(fleet.tag("web", "longshore.dev/source").as_deref(), Some("fleet"));
    assert_eq!(fleet.tag("web", "cost-centre").as_deref(), Some("7"), "others' tags stay");
}

#[tokio::test(start_paused = true)]
async fn a_service_whose_owner_tag_was_taken_away_is_let_go() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    let arn = fleet.console("DescribeServices", json!({ "cluster": "shop", "services": ["web"] }))
        ["services"][0]["serviceArn"]
        .clone();
    let owner = json!({ "resourceArn": arn, "tagKeys": ["longshore.dev/owner"] });
    fleet.console("UntagResource", owner);
    fleet.until_stalled("web", Reason::NotOwned).await;
    let mark = fleet.sandbox.call_count();
    fleet.commit(&[service("web", &image("web", "v2"))]).await;
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn without_self_heal_a_change_at_the_console_is_reported_only() {
    let mut fleet = Fleet::new().await;
    let spec = with(counted("web", "v1", 3), "/spec/sync", json!({ "selfHeal": false }));
    fleet.commit(std::slice::from_ref(&spec)).await;
    fleet.until_ready("web").await;
    fleet.console(
        "UpdateService",
        json!({ "cluster": "shop", "service": "web", "desiredCount": 1 }),
    );
    let mark = fleet.sandbox.call_count();
    fleet.until_stalled("web", Reason::SelfHealOff).await;
    let told = "the service was changed at AWS and `sync.selfHeal` is off: service.desiredCount";
    assert_eq!(fleet.ready("web").message, told);
    assert_eq!(fleet.status("web").holds[0].message, told);
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.service("web").unwrap().desired, 1);
    assert_eq!(fleet.status("web").sync, SyncStatus::OutOfSync);
    // A change of the spec is no healing: it is carried out, and with it the rest.
    fleet
        .commit(&[with(counted("web", "v2", 3), "/spec/sync", json!({ "selfHeal": false }))])
        .await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(fleet.service("web").unwrap().desired, 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_ignored_is_neither_compared_nor_changed() {
    let mut fleet = Fleet::new().await;
    let ignore = json!({ "ignore": ["/service/desiredCount"] });
    fleet.commit(&[with(counted("web", "v1", 2), "/spec/sync", ignore.clone())]).await;
    fleet.until_ready("web").await;
    fleet.console(
        "UpdateService",
        json!({ "cluster": "shop", "service": "web", "desiredCount": 5 }),
    );
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    fleet.commit(&[with(counted("web", "v2", 2), "/spec/sync", ignore)]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.service("web").unwrap().desired, 5);
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

#[tokio::test(start_paused = true)]
async fn a_service_deleted_at_the_console_is_created_again() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    fleet.console("DeleteService", json!({ "cluster": "shop", "service": "web", "force": true }));
    fleet
        .until("there again", |fleet| fleet.living("web").is_some_and(|web| web.running == 2))
        .await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.revisions("shop-web"), 1);
}
