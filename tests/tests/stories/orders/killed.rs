//! The process dies after every single call of an order, calls of the state store included: the order is carried out
//! once, and what was ordered stays.

use super::*;

const FIXTURES: &str = "
clusters: [{name: shop}]
buckets: [{name: specs}]
timings: {provisioning: 500ms, pending: 500ms, pull: 500ms, healthyWait: 5s, deregistration: 1s, restartDelay: 500ms, stage: 500ms}
";
const CALLS_MAX: u64 = 120;

fn kept_in_a_bucket() -> FleetOptions {
    let interval = Duration::from_hours(1);
    FleetOptions { fixtures: FIXTURES.to_owned(), interval, keep: Keep::Bucket, ..options() }
}

/// Kills after the `count`-th call from the order on and starts again; `None` once the order has fewer calls.
async fn killed_after(
    fleet: &mut Fleet,
    count: u64,
    verb: Verb,
    is_over: impl Fn(&Fleet) -> bool,
) -> Option<String> {
    let reached = fleet.sandbox.hang_after_call(count);
    let is_killed = tokio::select! {
        () = reached.notified() => true,
        () = async {
            fleet.order("web", verb, &Ask::default()).await;
            fleet.until("over", &is_over).await;
        } => false,
    };
    let last = fleet.sandbox.calls().last().map(|call| call.operation.clone());
    fleet.kill().await;
    fleet.sandbox.release();
    fleet.restart().await;
    fleet.pass(Duration::from_mins(2)).await;
    let was_taken = !fleet.told("web").is_empty() || is_over(fleet);
    if !was_taken && count <= 3 {
        // It died before the order was written down: whoever gave it got no answer, and gives it again.
        let _ = fleet.try_order("web", verb, &Ask::default()).await;
    }
    fleet.until(&format!("over after {count}, {last:?}"), &is_over).await;
    fleet.pass(Duration::from_mins(10)).await;
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_mins(90)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0], "after call {count}, {last:?}");
    last.filter(|_| is_killed)
}

fn assert_covered(last_calls: &[String], changes: &[&str]) {
    println!("{} moments: {last_calls:?}", last_calls.len());
    for change in changes {
        assert!(last_calls.iter().any(|call| call == change), "{change} not in {last_calls:?}");
    }
    assert!((last_calls.len() as u64) < CALLS_MAX - 1, "the story never ended by itself");
}

#[tokio::test(start_paused = true)]
async fn a_rollback() {
    a_rollback_from(async || at_v2(kept_in_a_bucket()).await).await;
}

/// Each step of the rollback passes the stages by itself: the gate's hook is taken out.
#[tokio::test(start_paused = true)]
async fn rollbacks_with_stages() {
    for configuration in strategies() {
        a_rollback_from(async || {
            let fleet = at_a_gate(&configuration).await;
            fleet.order("web", Verb::Promote, &Ask::default()).await;
            fleet.until_ready("web").await;
            fleet
        })
        .await;
    }
}

/// The strategies of ECS that have stages.
fn strategies() -> [Value; 3] {
    let canary = json!({ "canaryPercent": 10.0, "canaryBakeTimeInMinutes": 0 });
    let linear = json!({ "stepPercent": 40.0, "stepBakeTimeInMinutes": 0 });
    [
        json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0 }),
        json!({ "strategy": "CANARY", "bakeTimeInMinutes": 0, "canaryConfiguration": canary }),
        json!({ "strategy": "LINEAR", "bakeTimeInMinutes": 0, "linearConfiguration": linear }),
    ]
}

/// A service that runs v1, and whose v2 waits for an approval after the shift of test traffic.
async fn at_a_gate(configuration: &Value) -> Fleet {
    let mut fleet = Fleet::with(kept_in_a_bucket()).await;
    fleet.commit(&[staged("v1", configuration, &[])]).await;
    fleet.until_ready("web").await;
    fleet.commit(&[staged("v2", configuration, &["POST_TEST_TRAFFIC_SHIFT"])]).await;
    fleet.until_stalled("web", Reason::AwaitingApproval).await;
    fleet
}

/// A version that ECS rolls out in stages, with an approval at these.
fn staged(name: &str, configuration: &Value, at: &[&str]) -> Value {
    let place = "/spec/service/deploymentConfiguration";
    let spec = with(version(name), place, configuration.clone());
    if at.is_empty() {
        return spec;
    }
    with(spec, "/spec/rollout/approval", json!({ "required": true, "at": at }))
}

async fn a_rollback_from(world: impl AsyncFn() -> Fleet) {
    let mut last_calls = Vec::new();
    for count in 1..CALLS_MAX {
        let mut fleet = world().await;
        fleet.pass(Duration::from_mins(2)).await;
        let over = |fleet: &Fleet| {
            fleet.image("web") == image("web", "v1")
                && fleet.object("web").is_some()
                && fleet.holds("web") == [Reason::RolledBackByHand]
                && fleet.rollouts("web")[0] == "SUCCESSFUL"
        };
        let last = killed_after(&mut fleet, count, Verb::Rollback, over).await;
        let told = format!("after call {count}, {last:?}");
        assert_eq!(fleet.rollouts("web").len(), 3, "{told}");
        let Some(last) = last else { break };
        last_calls.push(last);
    }
    assert_covered(&last_calls, &["PutObject", "TagResource", "UpdateService"]);
}

#[tokio::test(start_paused = true)]
async fn a_restart() {
    let mut last_calls = Vec::new();
    for count in 1..CALLS_MAX {
        let mut fleet = Fleet::with(kept_in_a_bucket()).await;
        fleet.commit(&[version("v1")]).await;
        fleet.until_ready("web").await;
        fleet.pass(Duration::from_mins(2)).await;
        let over = |fleet: &Fleet| {
            fleet.rollouts("web") == ["SUCCESSFUL", "SUCCESSFUL"]
                && fleet.object("web").is_some()
                && fleet.is_ready("web")
        };
        let last = killed_after(&mut fleet, count, Verb::Restart, over).await;
        let told = format!("after call {count}, {last:?}");
        assert_eq!(fleet.rollouts("web").len(), 2, "{told}");
        let Some(last) = last else { break };
        last_calls.push(last);
    }
    assert_covered(&last_calls, &["PutObject", "UpdateService"]);
}

#[tokio::test(start_paused = true)]
async fn an_abort() {
    an_abort_in(async || {
        let mut fleet = Fleet::with(kept_in_a_bucket()).await;
        fleet.commit(&[checked("v1")]).await;
        fleet.until_ready("web").await;
        let slow = ImageBehaviour::SlowStart(Duration::from_hours(3));
        fleet.image_behaves(&image("web", "v2"), slow);
        fleet.commit(&[checked("v2")]).await;
        fleet.until("v2 begins", |fleet| fleet.rollouts("web").len() == 2).await;
        fleet.pass(Duration::from_secs(30)).await;
        fleet
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn aborts_at_a_gate() {
    for configuration in strategies() {
        an_abort_in(async || at_a_gate(&configuration).await).await;
    }
}

async fn an_abort_in(world: impl AsyncFn() -> Fleet) {
    let mut last_calls = Vec::new();
    for count in 1..CALLS_MAX {
        let mut fleet = world().await;
        let over = |fleet: &Fleet| {
            fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL"
                && fleet.object("web").is_some()
                && fleet.holds("web") == [Reason::Aborted]
        };
        let last = killed_after(&mut fleet, count, Verb::Abort, over).await;
        let told = format!("after call {count}, {last:?}");
        assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"], "{told}");
        let Some(last) = last else { break };
        last_calls.push(last);
    }
    assert_covered(&last_calls, &["PutObject", "StopServiceDeployment"]);
}
