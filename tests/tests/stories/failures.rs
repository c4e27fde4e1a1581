//! A rollout fails: ECS goes back, the status says why, and nobody tries again.

use std::time::Duration;

use crds::{Health, Reason, SyncStatus};
use longshore_tests::specs::{image, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::{ImageBehaviour, Region};
use serde_json::json;

/// A fleet whose passes are rare, for stories that last long.
async fn patient() -> Fleet {
    let interval = Duration::from_mins(5);
    Fleet::with(FleetOptions { keep: Keep::Directory, interval, ..FleetOptions::default() }).await
}

/// The image `bad` behaves like this. It is rolled back, the status says `explanation`, nothing is tried again for six
/// hours and through a restart, the explanation stays as it is although ECS forgets its stopped tasks after one, and the next
/// good spec rolls.
async fn rolled_back_once(behaviour: ImageBehaviour, explanation: &str) {
    let mut fleet = patient().await;
    let spec = |version: &str| {
        let check =
            json!({ "command": ["CMD", "true"], "interval": 5, "retries": 2, "startPeriod": 0 });
        let spec = service("web", &image("web", version));
        if behaviour == ImageBehaviour::Unhealthy {
            with(spec, "/spec/taskDefinition/containerDefinitions/0/healthCheck", check)
        } else {
            spec
        }
    };
    fleet.commit(&[spec("v1")]).await;
    fleet.until_ready("web").await;
    fleet.image_behaves(&image("web", "bad"), behaviour.clone());
    fleet.commit(&[spec("bad")]).await;
    let mut least = i64::MAX;
    fleet
        .until("web rolled back", |fleet| {
            least = least.min(fleet.service("web").unwrap().running);
            let status = fleet.status("web");
            status.holds.iter().any(|hold| hold.reason == Reason::RolledBack)
                && fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL"
                && status.health == Health::Degraded
        })
        .await;
    assert_eq!(least, 2, "a failed rollout left a gap");
    assert_eq!(fleet.image("web"), image("web", "v1"));
    let status = fleet.status("web");
    assert_eq!((status.sync, status.health), (SyncStatus::OutOfSync, Health::Degraded));
    let said = fleet.ready("web").message;
    assert!(said.contains(explanation), "{said}");
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_hours(3)).await;
    fleet.restart().await;
    fleet.pass(Duration::from_hours(3)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.holds("web"), [Reason::RolledBack]);
    assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
    assert_eq!(
        fleet.sandbox.look(fleet.now(), Region::tasks).len(),
        2,
        "ECS shows none that stopped"
    );
    assert_eq!(fleet.ready("web").message, said);
    let past = fleet.past("web").await;
    assert!(past[0].reason.as_deref().unwrap().contains(explanation), "{past:?}");
    fleet.commit(&[spec("v2")]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

/// ECS may have gone back, and forgotten the deployment that failed, before it is looked at for the first time.
#[tokio::test(start_paused = true)]
async fn a_rollback_that_is_over_before_the_first_look() {
    let fixtures = "
clusters: [{name: shop}]
timings: {provisioning: 50ms, pending: 50ms, pull: 50ms, healthyWait: 50ms, stop: 50ms, deprovisioning: 50ms, scheduler: 50ms,
  deploymentVisible: 50ms, deploymentStart: 50ms, deploymentStop: 50ms, restartDelay: 50ms, restartDelayMost: 50ms}
";
    let interval = Duration::from_mins(5);
    let options =
        FleetOptions { fixtures: fixtures.to_owned(), interval, ..FleetOptions::default() };
    let mut fleet = Fleet::with(options).await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    let exits = ImageBehaviour::Exits { code: 1, after: Duration::ZERO, oom: false };
    fleet.image_behaves(&image("web", "bad"), exits);
    fleet.commit(&[service("web", &image("web", "bad"))]).await;
    fleet.until("ECS went back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
    assert_eq!(fleet.ready("web").reason, Reason::SpecChanged, "it was looked at too early");
    fleet.pass(Duration::from_secs(20)).await;
    assert_eq!(fleet.holds("web"), [Reason::RolledBack], "{}", fleet.describe());
}

#[tokio::test(start_paused = true)]
async fn a_container_that_exits() {
    let exits = ImageBehaviour::Exits { code: 1, after: Duration::ZERO, oom: false };
    rolled_back_once(exits, "container app exited with 1").await;
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_not_there() {
    rolled_back_once(ImageBehaviour::NotFound, "CannotPullContainerError").await;
}

#[tokio::test(start_paused = true)]
async fn a_container_out_of_memory() {
    let killed = ImageBehaviour::Exits { code: 137, after: Duration::ZERO, oom: true };
    rolled_back_once(killed, "OutOfMemoryError").await;
}

#[tokio::test(start_paused = true)]
async fn a_container_that_fails_its_health_check() {
    rolled_back_once(ImageBehaviour::Unhealthy, "health check").await;
}

#[tokio::test(start_paused = true)]
async fn a_first_deployment_that_fails_is_held_and_explained() {
    let mut fleet = patient().await;
    fleet.image_exits(&image("web", "bad"));
    fleet.commit(&[service("web", &image("web", "bad"))]).await;
    fleet.until_stalled("web", Reason::RolloutFailed).await;
    assert_eq!(fleet.rollouts("web"), ["ROLLBACK_FAILED"]);
    assert_eq!(fleet.status("web").health, Health::Degraded);
    let said = fleet.ready("web").message;
    assert!(said.contains("container app exited with 1"), "{said}");
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_hours(1)).await;
    fleet.restart().await;
    fleet.pass(Duration::from_hours(1)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.ready("web").reason, Reason::RolloutFailed);
    assert_eq!(fleet.ready("web").message, said);
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.service("web").unwrap().running, 2);
}

#[tokio::test(start_paused = true)]
async fn going_back_to_the_old_spec_after_a_failure_starts_nothing() {
    let mut fleet = patient().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    fleet.image_exits(&image("web", "bad"));
    fleet.commit(&[service("web", &image("web", "bad"))]).await;
    fleet.until("rolled back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
    assert_eq!(fleet.revisions("shop-web"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_spec_that_is_mended_beside_the_image_is_a_new_spec() {
    let mut fleet = patient().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    fleet.image_exits(&image("web", "bad"));
    let bad = service("web", &image("web", "bad"));
    fleet.commit(std::slice::from_ref(&bad)).await;
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.until("rolled back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
    // The image is pushed again under the same tag, and the spec gets a line that says so.
    fleet.image_behaves(&image("web", "bad"), ImageBehaviour::Runs);
    let place = "/spec/taskDefinition/containerDefinitions/0/environment";
    fleet.commit(&[with(bad, place, json!([{ "name": "TRY", "value": "2" }]))]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "bad"));
}
