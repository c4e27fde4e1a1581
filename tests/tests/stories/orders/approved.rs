//! The process dies between an approval and its effect: the approval counts, and nobody gives it again.

use super::*;

const FIXTURES: &str = "
clusters: [{name: shop}]
timings: {provisioning: 500ms, pending: 500ms, pull: 500ms, healthyWait: 5s, deregistration: 1s, restartDelay: 500ms, stage: 500ms}
";
const CALLS_MAX: u64 = 60;

/// A fleet whose v2 waits for an approval: of a spec with this deployment configuration, at these stages.
async fn waiting(configuration: &Value, at: &[&str]) -> Fleet {
    let place = "/spec/service/deploymentConfiguration";
    let steered = |name: &str| with(counted("web", name, 2), place, configuration.clone());
    let interval = Duration::from_hours(1);
    let fixtures = FIXTURES.to_owned();
    let mut fleet = Fleet::with(FleetOptions { fixtures, interval, ..options() }).await;
    fleet.commit(&[steered("v1")]).await;
    fleet.until_ready("web").await;
    let approval = if at.is_empty() {
        json!({ "required": true })
    } else {
        json!({ "required": true, "at": at })
    };
    fleet.commit(&[with(steered("v2"), "/spec/rollout/approval", approval)]).await;
    fleet.until_stalled("web", Reason::AwaitingApproval).await;
    fleet
}

/// Approves once, kills after each call that follows, and starts again at once or late. Returns the calls.
async fn approved_once(configuration: Value, at: &[&str]) -> Vec<String> {
    let mut last_calls = Vec::new();
    for count in 0..CALLS_MAX {
        let mut fleet = waiting(&configuration, at).await;
        let ready =
            |fleet: &Fleet| fleet.is_ready("web") && fleet.image("web") == image("web", "v2");
        // Zero: it dies when the approval is written down and nothing more has been done.
        let reached = (count > 0).then(|| fleet.sandbox.hang_after_call(count));
        fleet.order("web", Verb::Approve, &because("looks good")).await;
        let is_killed = match reached {
            None => true,
            Some(reached) => tokio::select! {
                () = reached.notified() => true,
                () = fleet.until("over", ready) => false,
            },
        };
        let last = fleet.sandbox.calls().last().map(|call| call.operation.clone()).unwrap();
        let told = format!("after call {count}, {last}");
        fleet.kill().await;
        fleet.sandbox.release();
        fleet.restart().await;
        fleet.until(&format!("over {told}"), ready).await;
        assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"], "{told}");
        assert_eq!(fleet.service("web").unwrap().running, 2, "{told}");
        nothing_changes_for(&fleet, Duration::from_mins(90)).await;
        if !is_killed {
            return last_calls;
        }
        last_calls.push(last);
    }
    panic!("the story never ended by itself");
}

fn assert_covered(last_calls: &[String], changes: &[&str]) {
    println!("{} moments: {last_calls:?}", last_calls.len());
    for change in changes {
        assert!(last_calls.iter().any(|call| call == change), "{change} not in {last_calls:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn before_a_rolling_rollout() {
    let last_calls = approved_once(json!({ "strategy": "ROLLING" }), &[]).await;
    assert_covered(&last_calls, &["RegisterTaskDefinition", "UpdateService", "TagResource"]);
}

#[tokio::test(start_paused = true)]
async fn at_a_gate() {
    let configuration = json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0 });
    let last_calls = approved_once(configuration, &["POST_TEST_TRAFFIC_SHIFT"]).await;
    assert_covered(&last_calls, &["ContinueServiceDeployment"]);
}
