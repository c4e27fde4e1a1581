//! The process is killed after every single call, and started again: same end, nothing doubled.
//!
//! The last call before the end was applied and its answer never arrived, which is the worst moment. What is promised, and
//! asserted here for each moment of each story (docs/adr/0004):
//!
//! - The end is the same, with one revision for each content and one rollout for each spec that works.
//! - A spec that fails is rolled out once, also when the process dies right after `UpdateService` and nobody starts it again
//!   before ECS has rolled back.

mod judged;
mod staged;

use std::time::Duration;

use controller::checks::Checks;
use controller::orders::Ask;
use crds::{Health, Reason, SyncPolicy, Verb};
use longshore_tests::specs::{counted, image, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::ImageBehaviour;
use serde_json::{Value, json};

/// More calls than any of these stories takes.
const CALLS_MAX: u64 = 200;

/// A world in which rollouts take seconds, so that a story has few calls; and without regular passes.
const FIXTURES: &str = "
clusters: [{name: shop}]
buckets: [{name: specs}]
timings: {provisioning: 500ms, pending: 500ms, pull: 500ms, healthyWait: 5s, deregistration: 1s, restartDelay: 500ms, stage: 500ms}
";

async fn world() -> Fleet {
    world_judged_by(Checks::default()).await
}

/// The same, in which this answers the requests of checks.
async fn world_judged_by(checks: Checks) -> Fleet {
    world_that_keeps(Keep::Directory, checks).await
}

/// The same with its state store there.
async fn world_that_keeps(keep: Keep, checks: Checks) -> Fleet {
    let interval = Duration::from_hours(1);
    let fixtures = FIXTURES.to_owned();
    let options = FleetOptions { fixtures, interval, keep, checks, ..FleetOptions::default() };
    let mut fleet = Fleet::with(options).await;
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

/// Commits a spec, kills the process after its `count`-th call from then, starts it again and waits for the end. Answers
/// with the last call that the process made; `None` if the end came before that many calls.
async fn killed_after(
    fleet: &mut Fleet,
    count: u64,
    restart: Restart,
    spec: &Value,
    is_over: impl Fn(&Fleet) -> bool,
) -> Option<String> {
    let reached = fleet.sandbox.hang_after_call(count);
    fleet.commit(std::slice::from_ref(spec)).await;
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
            let last =
                killed_after(&mut fleet, count, restart, &counted("web", "v1", 2), ready).await;
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
            let last =
                killed_after(&mut fleet, count, restart, &counted("web", "v2", 2), ready).await;
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
            let last =
                killed_after(&mut fleet, count, restart, &counted("web", "bad", 2), held).await;
            let told = format!("{restart:?} after call {count}, {last:?}");
            assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"], "{told}");
            assert_eq!(fleet.revisions("shop-web"), 2, "{told}");
            assert_eq!(fleet.image("web"), image("web", "v1"), "{told}");
            assert_eq!(fleet.service("web").unwrap().running, 2, "{told}");
            let Some(last) = last else { break };
            last_calls.push(last);
        }
        assert_covered(&last_calls, &["RegisterTaskDefinition", "UpdateService", "TagResource"]);
    }
}

/// A version with this deployment configuration, which waits for an approval at these stages.
fn steered(version: &str, configuration: &Value, at: &[&str]) -> Value {
    let place = "/spec/service/deploymentConfiguration";
    let spec = with(counted("web", version, 2), place, configuration.clone());
    if at.is_empty() {
        return spec;
    }
    with(spec, "/spec/rollout/approval", json!({ "required": true, "at": at }))
}

/// Approves whatever waits for that until v2 is in force.
async fn approved_until_ready(fleet: &Fleet) {
    let waits = |fleet: &Fleet| {
        fleet.object("web").is_some_and(|object| {
            object.status.holds.iter().any(|hold| hold.reason == Reason::AwaitingApproval)
        })
    };
    let ready = |fleet: &Fleet| fleet.is_ready("web") && fleet.image("web") == image("web", "v2");
    loop {
        fleet.until("v2 waits or is ready", |fleet| waits(fleet) || ready(fleet)).await;
        if ready(fleet) {
            return;
        }
        let ask = Ask { spec_hash: Some(fleet.spec_hash("web")), ..Ask::default() };
        let _ = fleet.try_order("web", Verb::Approve, &ask).await;
        fleet.pass(Duration::from_secs(2)).await;
    }
}

async fn a_gated_rollout(configuration: Value, stages: &[&str], hooks: usize) {
    a_gated_rollout_in(world, Restart::AtOnce, (configuration, stages, hooks)).await;
}

/// The same in another world, or with another restart.
async fn a_gated_rollout_in(
    world: impl AsyncFn() -> Fleet,
    restart: Restart,
    (configuration, stages, hooks): (Value, &[&str], usize),
) {
    let mut last_calls = Vec::new();
    for count in 1..CALLS_MAX {
        let mut fleet = world().await;
        fleet.commit(&[steered("v1", &configuration, &[])]).await;
        fleet.until_ready("web").await;
        let mark = fleet.sandbox.call_count();
        let reached = fleet.sandbox.hang_after_call(count);
        fleet.commit(&[steered("v2", &configuration, stages)]).await;
        let is_killed = tokio::select! {
            () = reached.notified() => true,
            () = approved_until_ready(&fleet) => false,
        };
        let last = fleet.sandbox.calls().last().map(|call| call.operation.clone()).unwrap();
        let told = format!("{restart:?} after call {count}, {last}");
        fleet.kill().await;
        fleet.sandbox.release();
        if restart == Restart::Late {
            fleet.pass(Duration::from_mins(30)).await;
        }
        fleet.restart().await;
        approved_until_ready(&fleet).await;
        let mut answers = fleet.calls_that_change(mark);
        answers.retain(|call| call.operation == "ContinueServiceDeployment");
        let mut answered: Vec<&str> =
            answers.iter().map(|call| call.request["hookId"].as_str().unwrap()).collect();
        answered.sort_unstable();
        answered.dedup();
        assert_eq!((answers.len(), answered.len()), (hooks, hooks), "{told}");
        assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"], "{told}");
        assert_eq!(fleet.revisions("shop-web"), 2, "{told}");
        assert_eq!(fleet.service("web").unwrap().running, 2, "{told}");
        let mark = fleet.sandbox.call_count();
        fleet.pass(Duration::from_mins(30)).await;
        assert_eq!(fleet.changes_since(mark), [""; 0], "{told}");
        if !is_killed {
            break;
        }
        last_calls.push(last);
    }
    let changes = ["UpdateService", "TagResource", "ContinueServiceDeployment"];
    assert_covered(&last_calls, &changes);
}

#[tokio::test(start_paused = true)]
async fn a_blue_green_rollout_with_gates() {
    let configuration = json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0 });
    let stages = ["POST_TEST_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"];
    a_gated_rollout(configuration, &stages, 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_canary_rollout_with_a_gate() {
    let steps = json!({ "canaryPercent": 10.0, "canaryBakeTimeInMinutes": 0 });
    let configuration =
        json!({ "strategy": "CANARY", "bakeTimeInMinutes": 0, "canaryConfiguration": steps });
    a_gated_rollout(configuration, &["PRE_PRODUCTION_TRAFFIC_SHIFT"], 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_linear_rollout_with_a_gate() {
    let steps = json!({ "stepPercent": 40.0, "stepBakeTimeInMinutes": 0 });
    let configuration =
        json!({ "strategy": "LINEAR", "bakeTimeInMinutes": 0, "linearConfiguration": steps });
    a_gated_rollout(configuration, &["PRE_PRODUCTION_TRAFFIC_SHIFT"], 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_hopeless_rollout() {
    a_hopeless_rollout_by(json!({ "strategy": "ROLLING" }), Restart::AtOnce).await;
}

async fn a_hopeless_rollout_by(configuration: Value, restart: Restart) {
    let mut last_calls = Vec::new();
    for count in 1..CALLS_MAX {
        let mut fleet = world().await;
        fleet.commit(&[steered("v1", &configuration, &[])]).await;
        fleet.until_ready("web").await;
        fleet.image_behaves(&image("web", "gone"), ImageBehaviour::NotFound);
        let held = |fleet: &Fleet| {
            let Some(object) = fleet.object("web") else { return false };
            object.status.holds.iter().any(|hold| hold.reason == Reason::RolledBack)
                && fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL"
                && object.status.health == Health::Degraded
        };
        let reached = fleet.sandbox.hang_after_call(count);
        fleet.commit(&[steered("gone", &configuration, &[])]).await;
        let is_killed = tokio::select! {
            () = reached.notified() => true,
            () = fleet.until("over", held) => false,
        };
        let last = fleet.sandbox.calls().last().map(|call| call.operation.clone()).unwrap();
        let told = format!("{restart:?} after call {count}, {last}");
        fleet.kill().await;
        fleet.sandbox.release();
        if restart == Restart::Late {
            fleet.pass(Duration::from_mins(30)).await;
        }
        fleet.restart().await;
        fleet.until(&format!("over {told}"), held).await;
        assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"], "{told}");
        assert_eq!(fleet.image("web"), image("web", "v1"), "{told}");
        let said = fleet.ready("web").message;
        assert!(said.contains("Longshore stopped it"), "{told}: {said}");
        let mark = fleet.sandbox.call_count();
        fleet.pass(Duration::from_hours(2)).await;
        assert_eq!(fleet.changes_since(mark), [""; 0], "{told}");
        if !is_killed {
            break;
        }
        last_calls.push(last);
    }
    assert_covered(&last_calls, &["UpdateService", "TagResource", "StopServiceDeployment"]);
}

/// Every call of a deletion, with the service's scaling and its alarm, and of the service that it depends on.
#[tokio::test(start_paused = true)]
async fn a_deletion() {
    for restart in [Restart::AtOnce, Restart::Late] {
        let mut last_calls = Vec::new();
        for count in 1..CALLS_MAX {
            let mut fleet = leaving().await;
            let told = format!("{restart:?} after call {count}");
            let mark = fleet.sandbox.call_count();
            let reached = fleet.sandbox.hang_after_call(count);
            fleet.remove(&["web", "auth"]).await;
            let is_over =
                |fleet: &Fleet| ["web", "auth"].iter().all(|name| fleet.object(name).is_none());
            let is_killed = tokio::select! {
                () = reached.notified() => true,
                () = fleet.until("over", is_over) => false,
            };
            let last = fleet.sandbox.calls().last().map(|call| call.operation.clone());
            fleet.kill().await;
            fleet.sandbox.release();
            if restart == Restart::Late {
                fleet.pass(Duration::from_mins(30)).await;
            }
            fleet.restart().await;
            let is_gone = |fleet: &Fleet, name| {
                fleet.service(name).is_none_or(|service| service.status == "INACTIVE")
            };
            fleet.until("gone", |fleet| is_gone(fleet, "web") && is_gone(fleet, "auth")).await;
            fleet.pass(Duration::from_mins(30)).await;
            let calls = fleet.calls_that_change(mark);
            let deleted: Vec<_> =
                calls.iter().filter(|call| call.operation == "DeleteService").collect();
            // The one that stands before the other goes last, and neither takes force.
            assert_eq!(deleted[0].request["service"], "web", "{told}, {last:?}");
            assert!(deleted.iter().all(|call| call.request["force"] == false), "{told}, {last:?}");
            let scaling = json!({ "ServiceNamespace": "ecs" });
            let left =
                fleet.console_of("application-autoscaling", "DescribeScalableTargets", scaling);
            assert_eq!(left["ScalableTargets"], json!([]), "{told}, {last:?}");
            let alarms = fleet.console_of("monitoring", "DescribeAlarms", json!({}));
            assert!(!alarms.to_string().contains("longshore/shop/web"), "{told}: {alarms}");
            assert_eq!(fleet.service("other").unwrap().running, 1, "{told}");
            if !is_killed {
                break;
            }
            last_calls.extend(last);
        }
        let changes = [
            "DeleteAlarms",
            "DeregisterScalableTarget",
            "TagResource",
            "UpdateService",
            "DeleteService",
        ];
        assert_covered(&last_calls, &changes);
    }
}

/// A world of `web`, which is scaled and depends on `auth`, and of so many others that the brake lets both go.
async fn leaving() -> Fleet {
    let policy = SyncPolicy { prune: Some(true), ..SyncPolicy::default() };
    let interval = Duration::from_mins(10);
    let fixtures = FIXTURES.to_owned();
    let mut fleet =
        Fleet::with(FleetOptions { fixtures, policy, interval, ..FleetOptions::default() }).await;
    let scaling = json!({ "minCapacity": 1, "maxCapacity": 4, "step": [{
        "name": "out", "adjustmentType": "ChangeInCapacity",
        "steps": [{ "metricIntervalLowerBound": 0, "scalingAdjustment": 3 }],
        "alarm": {
            "metricName": "Depth", "namespace": "Shop", "statistic": "Sum", "period": 60, "threshold": 100,
            "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1,
        },
    }] });
    let web = with(counted("web", "v1", 2), "/spec/rollout", json!({ "dependsOn": ["auth"] }));
    let mut specs = vec![with(web, "/spec/scaling", scaling), counted("auth", "v1", 1)];
    specs.push(counted("other", "v1", 1));
    specs.extend((0..7).map(|number| counted(&format!("s{number}"), "v1", 0)));
    fleet.commit(&specs).await;
    for spec in &specs {
        fleet.until_ready(spec["metadata"]["name"].as_str().unwrap()).await;
    }
    fleet
}

/// The kills really hit each change, and the story really came to its end without one.
fn assert_covered(last_calls: &[String], changes: &[&str]) {
    println!("{} moments", last_calls.len());
    for change in changes {
        assert!(last_calls.iter().any(|call| call == change), "{change} not in {last_calls:?}");
    }
    assert!((last_calls.len() as u64) < CALLS_MAX - 1, "the story never ended by itself");
}
