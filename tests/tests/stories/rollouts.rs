//! A spec becomes a rollout, and only then.

use std::time::Duration;

use crds::{Health, Reason, SyncStatus};
use longshore_tests::Fleet;
use longshore_tests::specs::{image, service, with};
use sandbox::{ImageBehaviour, ImageRule};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn a_first_commit_becomes_a_running_service() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    let running = fleet.service("web").unwrap();
    assert_eq!((running.running, running.desired), (2, 2));
    assert_eq!(running.records, ["SUCCESSFUL"]);
    assert_eq!(fleet.revisions("shop-web"), 1);
    let status = fleet.status("web");
    assert_eq!((status.sync, status.health), (SyncStatus::Synced, Health::Healthy));
    assert_eq!(status.task_definition.as_deref(), Some("shop-web:1"));
    assert!(status.images[0].digest.as_deref().unwrap().starts_with("sha256:"));
    assert!(fleet.plan("web").await.is_settled());
}

#[tokio::test(start_paused = true)]
async fn a_bad_image_is_rolled_back_explained_and_not_tried_again() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    let bad = image("web", "bad");
    let exits = ImageBehaviour::Exits { code: 1, after: Duration::ZERO, oom: false };
    fleet.sandbox.edit(fleet.now(), |region| region.set_image(ImageRule::new(&bad, exits)));
    fleet.commit(&[service("web", &bad)]).await;
    fleet.until_stalled("web", Reason::RolledBack).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    let said = fleet.status("web").conditions[0].message.clone();
    assert!(said.contains("container app exited with 1"), "{said}");
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_hours(12)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.service("web").unwrap().records, ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
    fleet.commit(&[service("web", &image("web", "v2"))]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

#[tokio::test(start_paused = true)]
async fn a_console_edit_is_healed() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[with(service("web", &image("web", "v1")), "/spec/service/desiredCount", json!(3))]).await;
    fleet.until_ready("web").await;
    fleet.console("UpdateService", json!({ "cluster": "shop", "service": "web", "desiredCount": 1 }));
    fleet.until("healed", |fleet| fleet.service("web").unwrap().desired == 3).await;
}
