//! AWS may answer so slowly that a turn takes minutes. What people and sources say meanwhile counts before it changes anything.

use super::*;

/// A service that runs this, in an AWS whose ECS takes eight seconds for each answer.
async fn slow(spec: &Value) -> Fleet {
    let policy = SyncPolicy { prune: Some(true), ..SyncPolicy::default() };
    let interval = Duration::from_hours(1);
    let mut fleet = Fleet::with(FleetOptions { policy, interval, ..options() }).await;
    fleet.commit(&[spec.clone(), service("other", &image("other", "v1"))]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("other").await;
    fleet.pass(Duration::from_mins(2)).await;
    let slow = FaultKind::Latency(Duration::from_secs(8));
    fleet.sandbox.inject(Fault { times: None, ..Fault::once("ecs", "*", slow) });
    fleet
}

/// The calls that changed the service or were about to, since then.
fn rolled_since(fleet: &Fleet, mark: usize) -> Vec<String> {
    let mut calls = fleet.changes_since(mark);
    calls.retain(|call| call != "TagResource");
    calls
}

#[tokio::test(start_paused = true)]
async fn a_hold_counts_in_the_turn_that_reads() {
    for verb in [Verb::Hold, Verb::Suspend] {
        let mut fleet = slow(&version("v1")).await;
        let mark = fleet.sandbox.call_count();
        fleet.commit(&[version("v2")]).await;
        fleet.pass(Duration::from_secs(5)).await;
        assert!(fleet.sandbox.call_count() > mark, "the turn has begun");
        fleet.order("web", verb, &because("an incident")).await;
        fleet.pass(Duration::from_mins(10)).await;
        assert_eq!(rolled_since(&fleet, mark), [""; 0], "{verb}: {}", fleet.describe());
        assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"], "{verb}");
    }
}

/// None of these is part of what is sent.
#[tokio::test(start_paused = true)]
async fn what_a_commit_forbids_counts_in_the_turn_that_reads() {
    for forbids in [
        json!({ "sync": { "suspend": true } }),
        json!({ "sync": { "mode": "manual" } }),
        json!({ "rollout": { "dependsOn": ["absent"] } }),
    ] {
        let mut fleet = slow(&version("v1")).await;
        let mark = fleet.sandbox.call_count();
        fleet.commit(&[version("v2")]).await;
        fleet.pass(Duration::from_secs(5)).await;
        assert!(fleet.sandbox.call_count() > mark, "the turn has begun");
        let mut spec = version("v2");
        for (member, value) in forbids.as_object().unwrap() {
            spec["spec"][member] = value.clone();
        }
        fleet.commit(&[spec]).await;
        fleet.pass(Duration::from_mins(10)).await;
        assert_eq!(rolled_since(&fleet, mark), [""; 0], "{forbids}: {}", fleet.describe());
    }
}

#[tokio::test(start_paused = true)]
async fn a_newer_spec_is_sent_in_the_place_of_the_one_that_was_looked_at() {
    let mut fleet = slow(&version("v1")).await;
    fleet.commit(&[version("v2")]).await;
    fleet.pass(Duration::from_secs(5)).await;
    fleet.commit(&[version("v3")]).await;
    fleet.until("v3 runs", |fleet| fleet.image("web") == image("web", "v3")).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
    assert_eq!(fleet.revisions("shop-web"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_spec_that_comes_back_is_not_pruned() {
    let scaling = json!({ "minCapacity": 2, "maxCapacity": 4 });
    let mut fleet = slow(&with(version("v1"), "/spec/scaling", scaling.clone())).await;
    let slow = FaultKind::Latency(Duration::from_secs(8));
    fleet
        .sandbox
        .inject(Fault { times: None, ..Fault::once("application-autoscaling", "*", slow) });
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["web"]).await;
    // The service was read, and its scaling is being read.
    fleet.pass(Duration::from_secs(12)).await;
    assert!(fleet.sandbox.call_count() > mark, "the turn has begun");
    fleet.commit(&[with(version("v1"), "/spec/scaling", scaling)]).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(rolled_since(&fleet, mark), [""; 0], "{}", fleet.describe());
    assert!(fleet.is_ready("web"));
}

#[tokio::test(start_paused = true)]
async fn a_restart_is_not_carried_out_after_a_suspension() {
    let fleet = slow(&version("v1")).await;
    let mark = fleet.sandbox.call_count();
    fleet.order("web", Verb::Restart, &Ask::default()).await;
    fleet.pass(Duration::from_secs(5)).await;
    assert!(fleet.sandbox.call_count() > mark, "the turn has begun");
    fleet.order("web", Verb::Suspend, &because("an incident")).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(rolled_since(&fleet, mark), [""; 0], "{}", fleet.describe());
}
