//! Rollouts with stages that do not end well, or not by themselves: whenever the process dies, the end is the same.

use controller::checks::Checks;
use crds::{Health, Reason};
use longshore_tests::specs::{counted, image, with};
use longshore_tests::{Fleet, Keep};
use serde_json::{Value, json};

use super::{
    CALLS_MAX, Restart, a_gated_rollout_in, a_hopeless_rollout_by, assert_covered, killed_after,
    world, world_that_keeps,
};

/// A version that ECS itself takes back when its tasks fail.
fn guarded(version: &str, configuration: &Value) -> Value {
    let mut configuration = configuration.clone();
    configuration["deploymentCircuitBreaker"] = json!({ "enable": true, "rollback": true });
    with(counted("web", version, 1), "/spec/service/deploymentConfiguration", configuration)
}

fn blue_green() -> Value {
    json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0 })
}

fn canary() -> Value {
    let steps = json!({ "canaryPercent": 10.0, "canaryBakeTimeInMinutes": 0 });
    json!({ "strategy": "CANARY", "bakeTimeInMinutes": 0, "canaryConfiguration": steps })
}

fn linear() -> Value {
    let steps = json!({ "stepPercent": 40.0, "stepBakeTimeInMinutes": 0 });
    json!({ "strategy": "LINEAR", "bakeTimeInMinutes": 0, "linearConfiguration": steps })
}

/// A version whose tasks end at once is taken back by ECS, and held.
async fn a_rollout_that_fails_by_the_breaker(configuration: Value) {
    for restart in [Restart::AtOnce, Restart::Late] {
        let mut last_calls = Vec::new();
        for count in 1..CALLS_MAX {
            let mut fleet = world().await;
            fleet.commit(&[guarded("v1", &configuration)]).await;
            fleet.until_ready("web").await;
            fleet.image_exits(&image("web", "bad"));
            let held = |fleet: &Fleet| {
                let Some(object) = fleet.object("web") else { return false };
                object.status.holds.iter().any(|hold| hold.reason == Reason::RolledBack)
                    && object.status.health == Health::Degraded
                    && fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL"
            };
            let bad = guarded("bad", &configuration);
            let last = killed_after(&mut fleet, count, restart, &bad, held).await;
            let told = format!("{restart:?} after call {count}, {last:?}");
            assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"], "{told}");
            assert_eq!(fleet.revisions("shop-web"), 2, "{told}");
            assert_eq!(fleet.image("web"), image("web", "v1"), "{told}");
            assert_eq!(fleet.service("web").unwrap().running, 1, "{told}");
            let Some(last) = last else { break };
            last_calls.push(last);
        }
        assert_covered(&last_calls, &["RegisterTaskDefinition", "UpdateService", "TagResource"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_blue_green_rollout_that_fails_by_the_breaker() {
    a_rollout_that_fails_by_the_breaker(blue_green()).await;
}

#[tokio::test(start_paused = true)]
async fn a_canary_rollout_that_fails_by_the_breaker() {
    a_rollout_that_fails_by_the_breaker(canary()).await;
}

#[tokio::test(start_paused = true)]
async fn a_linear_rollout_that_fails_by_the_breaker() {
    a_rollout_that_fails_by_the_breaker(linear()).await;
}

#[tokio::test(start_paused = true)]
async fn a_hopeless_blue_green_rollout() {
    a_hopeless_rollout_by(blue_green(), Restart::AtOnce).await;
}

#[tokio::test(start_paused = true)]
async fn a_hopeless_canary_rollout() {
    a_hopeless_rollout_by(canary(), Restart::AtOnce).await;
}

#[tokio::test(start_paused = true)]
async fn a_hopeless_linear_rollout() {
    a_hopeless_rollout_by(linear(), Restart::AtOnce).await;
}

#[tokio::test(start_paused = true)]
async fn hopeless_rollouts_that_nobody_looks_at_for_long() {
    for configuration in [json!({ "strategy": "ROLLING" }), blue_green(), canary(), linear()] {
        a_hopeless_rollout_by(configuration, Restart::Late).await;
    }
}

/// A newer version comes while the one before waits for an approval, half way.
async fn a_rollout_that_is_superseded(configuration: Value) {
    for restart in [Restart::AtOnce, Restart::Late] {
        let mut last_calls = Vec::new();
        for count in 1..CALLS_MAX {
            let mut fleet = world().await;
            fleet.commit(&[guarded("v1", &configuration)]).await;
            fleet.until_ready("web").await;
            let approval = json!({ "required": true, "at": ["POST_TEST_TRAFFIC_SHIFT"] });
            let waiting = with(guarded("v2", &configuration), "/spec/rollout/approval", approval);
            fleet.commit(&[waiting]).await;
            fleet.until_stalled("web", Reason::AwaitingApproval).await;
            let ready =
                |fleet: &Fleet| fleet.is_ready("web") && fleet.image("web") == image("web", "v3");
            let last = {
                let v3 = guarded("v3", &configuration);
                killed_after(&mut fleet, count, restart, &v3, ready).await
            };
            let told = format!("{restart:?} after call {count}, {last:?}");
            assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"], "{told}");
            assert_eq!(fleet.revisions("shop-web"), 3, "{told}");
            assert_eq!(fleet.service("web").unwrap().running, 1, "{told}");
            let Some(last) = last else { break };
            last_calls.push(last);
        }
        assert_covered(&last_calls, &["RegisterTaskDefinition", "UpdateService", "TagResource"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_blue_green_rollout_that_is_superseded() {
    a_rollout_that_is_superseded(blue_green()).await;
}

#[tokio::test(start_paused = true)]
async fn a_canary_rollout_that_is_superseded() {
    a_rollout_that_is_superseded(canary()).await;
}

#[tokio::test(start_paused = true)]
async fn a_linear_rollout_that_is_superseded() {
    a_rollout_that_is_superseded(linear()).await;
}

#[tokio::test(start_paused = true)]
async fn gates_that_are_answered_long_after() {
    let stages = ["POST_TEST_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"];
    a_gated_rollout_in(world, Restart::Late, (blue_green(), &stages, 2)).await;
    let steps = ["PRE_PRODUCTION_TRAFFIC_SHIFT"];
    a_gated_rollout_in(world, Restart::Late, (canary(), &steps, 2)).await;
}

#[tokio::test(start_paused = true)]
async fn gates_of_a_process_that_keeps_its_state_in_a_bucket() {
    let in_a_bucket = async || world_that_keeps(Keep::Bucket, Checks::default()).await;
    let stages = ["POST_TEST_TRAFFIC_SHIFT"];
    for restart in [Restart::AtOnce, Restart::Late] {
        a_gated_rollout_in(&in_a_bucket, restart, (blue_green(), &stages, 1)).await;
    }
}
