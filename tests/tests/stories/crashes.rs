//! The process is killed after every single call, and started again: same end, nothing doubled.
//!
//! The last call before the end was applied and its answer never arrived, which is the worst moment. What is promised, and
//! asserted here for each moment of each story (docs/adr/0004):
//!
//! - The end is the same, with one revision for each content and one rollout for each spec that works.
//! - A spec that fails is rolled out once. Only when the process dies between `UpdateService` and `TagResource`, and nobody
//!   starts it again before ECS has rolled back, is it rolled out a second time, and never a third time.

use std::time::Duration;

use crds::{Health, Reason};
use longshore_tests::specs::{counted, image};
use longshore_tests::{Fleet, FleetOptions};

/// More calls than any of these stories takes.
const CALLS_MAX: u64 = 200;

/// A world in which rollouts take seconds, so that a story has few calls; and without regular passes.
const FIXTURES: &str = "
clusters: [{name: shop}]
timings: {provisioning: 500ms, pending: 500ms, pull: 500ms, healthyWait: 5s, deregistration: 1s, restartDelay: 500ms}
";

async fn world() -> Fleet {
    let interval = Duration::from_hours(1);
    let fixtures = FIXTURES.to_owned();
    let mut fleet =
        Fleet::with(FleetOptions { fixtures, interval, ..FleetOptions::default() }).await;
    // The search for services without specs is over before the story begins, so that calls come in one order.
    fleet.commit_files(&[("other.yaml", "kind: ConfigMap\n")]).await;
    fleet.pass(Duration::from_mins(1)).await;
    fleet
}

/// How soon a process is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Restart {
    AtOnce,
    /// Long after everything that was started has ended.
    Late,
}

/// Commits a version, kills the process after its `count`-th call from then, starts it again and waits for the end. Answers
/// with the last call that the process made; `None` if the end came before that many calls.
async fn killed_after(
    fleet: &mut Fleet,
    count: u64,
    restart: Restart,
    version: &str,
    is_over: impl Fn(&Fleet) -> bool,
) -> Option<String> {
    let reached = fleet.sandbox.hang_after_call(count);
    fleet.commit(&[counted("web", version, 2)]).await;
    let is_killed = tokio::select! {
        () = reached.notified() => true,
        () = fleet.until("over", &is_over) => false,
    };
    let last = fleet.sandbox.calls().last().map(|call| call.operation.clone());
    fleet.kill().await;
    fleet.sandbox.release();
    if restart == Restart::Late {
        fleet.pass(Duration::from_mins(30)).await;
    }
    fleet.restart().await;
    fleet.until("over", &is_over).await;
    // And it stays so.
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_mins(30)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0], "after call {count}, {last:?}");
    last.filter(|_| is_killed)
}

#[tokio::test(start_paused = true)]
async fn a_first_rollout() {
    for restart in [Restart::AtOnce, Restart::Late] {
        let mut last_calls = Vec::new();
        for count in 1..CALLS_MAX {
            let mut fleet = world().await;
            let ready = |fleet: &Fleet| fleet.is_ready("web");
            let last = killed_after(&mut fleet, count, restart, "v1", ready).await;
            let told = format!("{restart:?} after call {count}, {last:?}");
            assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"], "{told}");
            assert_eq!(fleet.revisions("shop-web"), 1, "{told}");
            assert_eq!(fleet.service("web").unwrap().running, 2, "{told}");
            assert!(fleet.plan("web").await.is_settled(), "{told}");
            let Some(last) = last else { break };
            last_calls.push(last);
        }
        assert_covered(&last_calls, &["RegisterTaskDefinition", "CreateService"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_rollout() {
    for restart in [Restart::AtOnce, Restart::Late] {
        let mut last_calls = Vec::new();
        for count in 1..CALLS_MAX {
            let mut fleet = world().await;
            fleet.commit(&[counted("web", "v1", 2)]).await;
            fleet.until_ready("web").await;
            let ready =
                |fleet: &Fleet| fleet.is_ready("web") && fleet.image("web") == image("web", "v2");
            let last = killed_after(&mut fleet, count, restart, "v2", ready).await;
            let told = format!("{restart:?} after call {count}, {last:?}");
            assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"], "{told}");
            assert_eq!(fleet.revisions("shop-web"), 2, "{told}");
            assert_eq!(fleet.service("web").unwrap().running, 2, "{told}");
            assert!(fleet.plan("web").await.is_settled(), "{told}");
            let Some(last) = last else { break };
            last_calls.push(last);
        }
        assert_covered(&last_calls, &["RegisterTaskDefinition", "UpdateService", "TagResource"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_fails() {
    for restart in [Restart::AtOnce, Restart::Late] {
        let mut last_calls = Vec::new();
        for count in 1..CALLS_MAX {
            let mut fleet = world().await;
            fleet.commit(&[counted("web", "v1", 2)]).await;
            fleet.until_ready("web").await;
            fleet.image_exits(&image("web", "bad"));
            let held = |fleet: &Fleet| {
                let Some(object) = fleet.object("web") else { return false };
                object.status.holds.iter().any(|hold| hold.reason == Reason::RolledBack)
                    && object.status.health == Health::Degraded
            };
            let last = killed_after(&mut fleet, count, restart, "bad", held).await;
            let told = format!("{restart:?} after call {count}, {last:?}");
            let expected: &[&str] =
                if restart == Restart::Late && last.as_deref() == Some("UpdateService") {
                    &["ROLLBACK_SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
                } else {
                    &["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
                };
            assert_eq!(fleet.rollouts("web"), expected, "{told}");
            assert_eq!(fleet.revisions("shop-web"), 2, "{told}");
            assert_eq!(fleet.image("web"), image("web", "v1"), "{told}");
            assert_eq!(fleet.service("web").unwrap().running, 2, "{told}");
            let Some(last) = last else { break };
            last_calls.push(last);
        }
        assert_covered(&last_calls, &["RegisterTaskDefinition", "UpdateService", "TagResource"]);
    }
}

/// The kills really hit each change, and the story really came to its end without one.
fn assert_covered(last_calls: &[String], changes: &[&str]) {
    println!("{} moments", last_calls.len());
    for change in changes {
        assert!(last_calls.iter().any(|call| call == change), "{change} not in {last_calls:?}");
    }
    assert!((last_calls.len() as u64) < CALLS_MAX - 1, "the story never ended by itself");
}
