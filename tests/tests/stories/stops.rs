//! The operator is asked to stop: the turn under way ends, and nothing begins.

use std::time::Duration;

use longshore_tests::Fleet;
use longshore_tests::specs::{image, service};
use sandbox::{Fault, FaultKind};

#[tokio::test(start_paused = true)]
async fn the_turn_under_way_is_finished_and_nothing_comes_after() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    // The stop comes while RegisterTaskDefinition is waited for.
    let slow = FaultKind::Latency(Duration::from_secs(3));
    fleet.sandbox.inject(Fault::once("ecs", "RegisterTaskDefinition", slow));
    let mark = fleet.sandbox.call_count();
    fleet.commit(&[service("web", &image("web", "v2"))]).await;
    fleet
        .until("registering", |fleet| {
            fleet.changes_since(mark).contains(&"RegisterTaskDefinition".to_owned())
        })
        .await;
    fleet.stop().await;
    assert_eq!(
        fleet.changes_since(mark),
        ["RegisterTaskDefinition", "TagResource", "UpdateService", "TagResource"]
    );
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.sandbox.call_count(), mark);
    assert_eq!(fleet.image("web"), image("web", "v2"));
    fleet.restart().await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_operator_stops_at_once() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    let asked = fleet.now();
    fleet.stop().await;
    assert!(fleet.now().duration_since(asked).as_secs() < 1);
}
