//! Rollouts that checks judge: whenever the process dies, the verdict is the same and is acted on once.

use crds::{Health, Reason, ReleaseOutcome};
use longshore_tests::specs::{counted, image, with};
use longshore_tests::{Fleet, Probe};
use serde_json::{Value, json};

use super::{CALLS_MAX, Restart, assert_covered, killed_after, world_judged_by};

/// A version that is judged by a request every five seconds, and what else the check and its rollout have.
fn judged(version: &str, more: &Value, configuration: &Value) -> Value {
    let mut check = json!({
        "name": "smoke", "http": { "url": "https://web.example/ready" }, "interval": "5s",
    });
    for (member, value) in more.as_object().unwrap() {
        check[member] = value.clone();
    }
    let spec = with(counted("web", version, 2), "/spec/rollout/checks", json!([check]));
    with(spec, "/spec/service/deploymentConfiguration", configuration.clone())
}

fn rolling() -> Value {
    json!({ "strategy": "ROLLING" })
}

/// A world whose service runs v1, and passes whatever it is asked.
async fn at_v1(more: &Value, configuration: &Value) -> (Fleet, Probe) {
    let probe = Probe::new();
    let mut fleet = world_judged_by(probe.checks()).await;
    fleet.commit(&[judged("v1", more, configuration)]).await;
    fleet.until_ready("web").await;
    (fleet, probe)
}

/// How often a rollout of v2 was begun.
fn begun(fleet: &Fleet, mark: usize) -> usize {
    let mut calls = fleet.calls_that_change(mark);
    calls.retain(|call| {
        let revision = call.request["taskDefinition"].as_str().unwrap_or_default();
        call.operation == "UpdateService" && revision.ends_with("shop-web:2")
    });
    calls.len()
}

#[tokio::test(start_paused = true)]
async fn a_rollout_whose_checks_pass() {
    let more = json!({ "after": "20s" });
    for restart in [Restart::AtOnce, Restart::Late] {
        let mut last_calls = Vec::new();
        for count in 1..CALLS_MAX {
            let (mut fleet, _probe) = at_v1(&more, &rolling()).await;
            let mark = fleet.sandbox.call_count();
            let ready =
                |fleet: &Fleet| fleet.is_ready("web") && fleet.image("web") == image("web", "v2");
            let spec = judged("v2", &more, &rolling());
            let last = killed_after(&mut fleet, count, restart, &spec, ready).await;
            let told = format!("{restart:?} after call {count}, {last:?}");
            assert_eq!(begun(&fleet, mark), 1, "{told}");
            assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"], "{told}");
            let mark = fleet.tag("web", "longshore.dev/checks").unwrap();
            assert!(mark.starts_with("passed:"), "{told}: {mark}");
            let Some(last) = last else { break };
            last_calls.push(last);
        }
        assert_covered(&last_calls, &["RegisterTaskDefinition", "UpdateService", "TagResource"]);
    }
}

/// A v2 whose checks fail is undone and held, and nobody tries it again.
async fn an_undone_rollout(more: &Value, configuration: &Value, changes: &[&str]) {
    for restart in [Restart::AtOnce, Restart::Late] {
        let mut last_calls = Vec::new();
        for count in 1..CALLS_MAX {
            let (mut fleet, probe) = at_v1(more, configuration).await;
            probe.answer(Ok(500));
            let mark = fleet.sandbox.call_count();
            let undone = |fleet: &Fleet| {
                let Some(object) = fleet.object("web") else { return false };
                let is_held =
                    object.status.holds.iter().any(|hold| hold.reason == Reason::RolledBack);
                let over = ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"];
                is_held
                    && fleet.tag("web", "longshore.dev/held-spec").is_some()
                    && fleet.image("web") == image("web", "v1")
                    && over.contains(&fleet.rollouts("web")[0].as_str())
            };
            let spec = judged("v2", more, configuration);
            let last = killed_after(&mut fleet, count, restart, &spec, undone).await;
            let told = format!("{restart:?} after call {count}, {last:?}");
            assert_eq!(begun(&fleet, mark), 1, "{told}");
            assert_eq!(fleet.service("web").unwrap().running, 2, "{told}");
            assert_eq!(fleet.status("web").health, Health::Degraded, "{told}");
            // Who was away for all of it may not list it, but never as one that ended well.
            let mut past = fleet.past("web").await;
            past.retain(|one| one.task_definition == "shop-web:2");
            let is_undone = past.iter().all(|one| one.outcome == ReleaseOutcome::RolledBack);
            assert!(past.len() <= 1 && is_undone, "{told}: {past:#?}");
            let said = fleet.ready("web").message;
            assert!(said.contains("check `smoke`: status 500"), "{told}: {said}");
            let Some(last) = last else { break };
            last_calls.push(last);
        }
        assert_covered(&last_calls, changes);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_whose_checks_fail_while_it_rolls() {
    let changes = ["UpdateService", "TagResource", "StopServiceDeployment"];
    an_undone_rollout(&json!({}), &rolling(), &changes).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollout_whose_checks_fail_when_ecs_has_ended_it() {
    let changes = ["UpdateService", "TagResource"];
    an_undone_rollout(&json!({ "initialDelay": "1m" }), &rolling(), &changes).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollout_whose_checks_fail_at_a_gate() {
    let configuration = json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0 });
    let changes = ["UpdateService", "TagResource", "StopServiceDeployment"];
    an_undone_rollout(&json!({ "at": ["POST_TEST_TRAFFIC_SHIFT"] }), &configuration, &changes)
        .await;
}

/// Half a minute after it begins, a tenth or four tenths of the traffic go to it; where it is not measured it waits.
#[tokio::test(start_paused = true)]
async fn rollouts_whose_checks_fail_between_their_steps() {
    let canary = json!({ "canaryPercent": 10.0, "canaryBakeTimeInMinutes": 1 });
    let linear = json!({ "stepPercent": 40.0, "stepBakeTimeInMinutes": 1 });
    for (strategy, member, steps) in
        [("CANARY", "canaryConfiguration", canary), ("LINEAR", "linearConfiguration", linear)]
    {
        let configuration =
            json!({ "strategy": strategy, "bakeTimeInMinutes": 0, (member): steps });
        let changes = ["UpdateService", "ContinueServiceDeployment", "StopServiceDeployment"];
        an_undone_rollout(&json!({ "initialDelay": "30s" }), &configuration, &changes).await;
    }
}
