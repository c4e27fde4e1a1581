//! Longshore as the gate in ECS's own blue/green, canary and linear rollouts.

use std::collections::BTreeSet;
use std::time::Duration;

use controller::orders::{Ask, Refusal};
use controller::status_store::EventKind;
use crds::{Health, HumanDuration, Reason, ReleaseOutcome, Verb, WaitingStatus};
use longshore_tests::specs::{image, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use serde_json::{Value, json};

const CONFIGURATION: &str = "/spec/service/deploymentConfiguration";

async fn fleet() -> Fleet {
    let interval = Duration::from_mins(5);
    Fleet::with(FleetOptions { keep: Keep::Directory, interval, ..FleetOptions::default() }).await
}

fn blue_green() -> Value {
    json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 2 })
}

fn canary() -> Value {
    let steps = json!({ "canaryPercent": 10.0, "canaryBakeTimeInMinutes": 1 });
    json!({ "strategy": "CANARY", "bakeTimeInMinutes": 0, "canaryConfiguration": steps })
}

fn linear() -> Value {
    let steps = json!({ "stepPercent": 40.0, "stepBakeTimeInMinutes": 1 });
    json!({ "strategy": "LINEAR", "bakeTimeInMinutes": 0, "linearConfiguration": steps })
}

/// A version of the service with this deployment configuration.
fn version(name: &str, configuration: &Value) -> Value {
    with(service("web", &image("web", name)), CONFIGURATION, configuration.clone())
}

/// The same, which waits for an approval at these stages.
fn gated(name: &str, configuration: &Value, at: &[&str]) -> Value {
    let approval = json!({ "required": true, "at": at });
    with(version(name, configuration), "/spec/rollout/approval", approval)
}

/// A fleet whose service `web` runs v1 and knows no gates yet.
async fn at_v1(configuration: &Value) -> Fleet {
    let mut fleet = fleet().await;
    fleet.commit(&[version("v1", configuration)]).await;
    fleet.until_ready("web").await;
    fleet
}

fn waiting(fleet: &Fleet) -> Vec<WaitingStatus> {
    fleet.status("web").rollout.map(|rollout| rollout.waiting).unwrap_or_default()
}

async fn until_waiting(fleet: &Fleet) -> WaitingStatus {
    fleet.until("waiting at a hook", |fleet| !waiting(fleet).is_empty()).await;
    waiting(fleet).remove(0)
}

/// The newest rollout as ECS has it.
fn record(fleet: &Fleet) -> Value {
    let arns =
        fleet.console("ListServiceDeployments", json!({ "cluster": "shop", "service": "web" }));
    let arn = arns["serviceDeployments"][0]["serviceDeploymentArn"].clone();
    let shown =
        fleet.console("DescribeServiceDeployments", json!({ "serviceDeploymentArns": [arn] }));
    shown["serviceDeployments"][0].clone()
}

/// The hooks that were answered since `mark`, refused answers left out.
fn answered(fleet: &Fleet, mark: usize) -> Vec<String> {
    let mut calls = fleet.calls_that_change(mark);
    calls.retain(|call| call.operation == "ContinueServiceDeployment" && call.status == 200);
    calls.iter().map(|call| call.request["hookId"].as_str().unwrap().to_owned()).collect()
}

async fn nothing_changes_for(fleet: &Fleet, time: Duration) {
    let mark = fleet.sandbox.call_count();
    fleet.pass(time).await;
    assert_eq!(fleet.changes_since(mark), [""; 0], "{}", fleet.describe());
}

#[tokio::test(start_paused = true)]
async fn a_green_side_gets_no_traffic_before_it_is_approved() {
    let mut fleet = at_v1(&blue_green()).await;
    let mark = fleet.sandbox.call_count();
    fleet.commit(&[gated("v2", &blue_green(), &["POST_TEST_TRAFFIC_SHIFT"])]).await;
    fleet.until_stalled("web", Reason::AwaitingApproval).await;
    let hook = until_waiting(&fleet).await;
    assert!(hook.is_gate);
    assert_eq!(hook.stage.as_deref(), Some("POST_TEST_TRAFFIC_SHIFT"));
    let (since, until) = (hook.since.unwrap(), hook.expires_at.unwrap());
    assert_eq!(until.duration_since(since).as_hours(), 24);
    let said = fleet.ready("web").message;
    for part in ["POST_TEST_TRAFFIC_SHIFT", &since.to_string(), &until.to_string()] {
        assert!(said.contains(part), "{said}");
    }
    nothing_changes_for(&fleet, Duration::from_hours(2)).await;
    fleet.restart().await;
    nothing_changes_for(&fleet, Duration::from_hours(2)).await;
    let shown = record(&fleet);
    let target = &shown["targetServiceRevision"];
    assert_eq!(target["requestedProductionTrafficWeight"], 0.0);
    assert_eq!(target["requestedTestTrafficWeight"], 100.0);
    assert_eq!(fleet.service("web").unwrap().running, 4, "both sides run");
    let status = fleet.status("web");
    // Who waits for a person makes no progress, and is not late.
    assert_eq!(status.health, Health::Progressing);
    assert_eq!(status.rollout.unwrap().traffic_weights.unwrap().production, Some(0.0));
    fleet.order("web", Verb::Approve, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
    assert_eq!(answered(&fleet, mark), [hook.hook_id]);
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
}

/// `deployments[]` says nothing of how such a rollout stands (aws.md §3.1).
#[tokio::test(start_paused = true)]
async fn the_end_of_a_rollout_with_stages_is_told_by_its_record() {
    for configuration in [blue_green(), canary(), linear()] {
        let mut fleet = at_v1(&configuration).await;
        fleet.commit(&[version("v2", &configuration)]).await;
        fleet.until_ready("web").await;
        assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
        let shown =
            fleet.console("DescribeServices", json!({ "cluster": "shop", "services": ["web"] }));
        assert_eq!(shown["services"][0]["deployments"][0].get("rolloutState"), None);
        let status = fleet.status("web");
        assert_eq!(status.rollout.unwrap().stage, "COMPLETED");
        let digest = status.images[0].digest.clone();
        assert!(digest.is_some(), "{configuration}: {:?}", status.images);
        let past = fleet.past("web").await;
        assert_eq!(past[0].outcome, ReleaseOutcome::Successful);
        assert_eq!(past[0].images[0].digest, digest);
        // At rest its records are not read any more, after a restart neither.
        let mark = fleet.sandbox.call_count();
        fleet.pass(Duration::from_mins(30)).await;
        fleet.restart().await;
        fleet.until_ready("web").await;
        fleet.pass(Duration::from_mins(30)).await;
        let mut calls = fleet.sandbox.calls_since(mark);
        calls.retain(|call| {
            call.operation.contains("ServiceDeployment") || call.operation.ends_with("Tasks")
        });
        assert!(calls.is_empty(), "{configuration}: {calls:#?}");
        // A task that is lost is no rollout.
        let mut tasks = fleet.sandbox.look(fleet.now(), sandbox::Region::tasks);
        tasks.retain(|task| task.last_status == "RUNNING");
        assert!(fleet.sandbox.edit(fleet.now(), |region| region.kill_task(&tasks[0].arn, 1)));
        fleet.order("web", Verb::Sync, &Ask::default()).await;
        fleet.until_unready("web", Reason::TasksMissing).await;
        fleet.until_ready("web").await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_step_of_the_traffic_is_let_go_once_with_its_own_hook() {
    for (configuration, steps) in [(canary(), 2), (linear(), 3)] {
        let mut fleet = at_v1(&configuration).await;
        let mark = fleet.sandbox.call_count();
        fleet.commit(&[gated("v2", &configuration, &["PRE_PRODUCTION_TRAFFIC_SHIFT"])]).await;
        let mut promoted = Vec::new();
        // A promotion is an approval of that very step.
        for step in 0..steps - 1 {
            let hook = until_waiting(&fleet).await;
            assert_eq!(fleet.holds("web"), [Reason::AwaitingApproval], "step {step}");
            fleet.order("web", Verb::Promote, &Ask::default()).await;
            promoted.push(hook.hook_id.clone());
            fleet
                .until("at the next step", |fleet| {
                    waiting(fleet).first().is_some_and(|next| next.hook_id != hook.hook_id)
                })
                .await;
        }
        nothing_changes_for(&fleet, Duration::from_hours(1)).await;
        // An approval is one of the spec, and of every step that is left.
        fleet.lose_reply("ContinueServiceDeployment");
        fleet.order("web", Verb::Approve, &Ask::default()).await;
        fleet.until_ready("web").await;
        assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
        // The answer to the last one never came, and it was not sent again to any effect.
        let given: BTreeSet<String> = answered(&fleet, mark).into_iter().collect();
        assert!(promoted.iter().all(|hook| given.contains(hook)), "{given:?} {promoted:?}");
        let hooks = record(&fleet)["lifecycleHookDetails"].as_array().unwrap().clone();
        assert_eq!(hooks.len(), steps);
        assert!(hooks.iter().all(|hook| hook["status"] == "SUCCEEDED"), "{hooks:?}");
    }
}

/// ECS would take a second answer for one to the next step of the same stage, or refuse it.
#[tokio::test(start_paused = true)]
async fn reads_that_come_late_have_no_hook_answered_twice() {
    let mut fleet = at_v1(&linear()).await;
    fleet.sandbox.edit(fleet.now(), |region| region.set_read_lag(Duration::from_secs(20)));
    let mark = fleet.sandbox.call_count();
    fleet
        .commit(&[gated("v2", &linear(), &["POST_SCALE_UP", "PRE_PRODUCTION_TRAFFIC_SHIFT"])])
        .await;
    fleet.order("web", Verb::Approve, &Ask::default()).await;
    fleet.until("v2 runs", |fleet| fleet.image("web") == image("web", "v2")).await;
    fleet.until_ready("web").await;
    let mut calls = fleet.calls_that_change(mark);
    calls.retain(|call| call.operation == "ContinueServiceDeployment");
    let hooks: BTreeSet<String> =
        calls.iter().map(|call| call.request["hookId"].to_string()).collect();
    assert_eq!((calls.len(), hooks.len()), (4, 4), "{calls:#?}");
}

#[tokio::test(start_paused = true)]
async fn an_approval_given_beforehand_lets_every_step_go() {
    let mut fleet = at_v1(&linear()).await;
    let mark = fleet.sandbox.call_count();
    let stages = ["POST_SCALE_UP", "PRE_PRODUCTION_TRAFFIC_SHIFT"];
    fleet.commit(&[gated("v2", &linear(), &stages)]).await;
    fleet.order("web", Verb::Approve, &Ask::default()).await;
    fleet.until_ready("web").await;
    let hooks = answered(&fleet, mark);
    assert_eq!(hooks.iter().collect::<BTreeSet<_>>().len(), 4, "{hooks:?}");
    assert_eq!(hooks.len(), 4, "one answer for each hook: {hooks:?}");
    // New tasks of what was approved need no other approval.
    fleet.pass(Duration::from_hours(30)).await;
    fleet.order("web", Verb::Restart, &Ask::default()).await;
    let restarted = |fleet: &Fleet| {
        let rollouts = fleet.rollouts("web");
        rollouts.len() == 3 && rollouts[0] == "SUCCESSFUL"
    };
    fleet.until("restarted", restarted).await;
}

#[tokio::test(start_paused = true)]
async fn the_stages_are_told_as_they_pass() {
    let mut fleet = at_v1(&canary()).await;
    let first = fleet.status("web").rollout.map(|rollout| rollout.id);
    fleet.commit(&[gated("v2", &canary(), &["PRE_PRODUCTION_TRAFFIC_SHIFT"])]).await;
    fleet.order("web", Verb::Approve, &Ask::default()).await;
    let mut weights = Vec::new();
    fleet
        .until("web ready", |fleet| {
            let rollout = fleet.status("web").rollout;
            // Until the second one begins, what is told is how the first one ended.
            let rollout = rollout.filter(|rollout| Some(&rollout.id) != first.as_ref());
            let weight = rollout.and_then(|rollout| rollout.traffic_weights?.production);
            if weight.is_some() && weights.last() != Some(&weight) {
                weights.push(weight);
            }
            fleet.is_ready("web") && fleet.image("web") == image("web", "v2")
        })
        .await;
    assert_eq!(weights, [Some(0.0), Some(10.0), Some(100.0)]);
    let mut events = fleet.statuses.events_of(&Fleet::key("web"), 1000);
    events.retain(|event| event.kind == EventKind::Rollout);
    let stages: BTreeSet<String> = events.iter().map(|event| event.reason.clone()).collect();
    for stage in ["PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "COMPLETED"] {
        assert!(stages.contains(stage), "{stages:?}");
    }
    assert!(events.iter().any(|event| event.message.contains("10 % of the traffic")), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_bake_time_is_no_success_and_shows_its_end() {
    let mut fleet = at_v1(&blue_green()).await;
    fleet
        .commit(&[version("v2", &json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 40 }))])
        .await;
    let bakes = |fleet: &Fleet| {
        fleet.status("web").rollout.is_some_and(|rollout| rollout.stage == "BAKE_TIME")
    };
    fleet.until("baking", bakes).await;
    let until = fleet.status("web").rollout.unwrap().bake_until.unwrap();
    let left = until.duration_since(fleet.now()).as_mins();
    assert!((38..=40).contains(&left), "{left}");
    // Longer than `rollout.timeout`, and still neither late nor done.
    fleet.pass(Duration::from_mins(30)).await;
    let status = fleet.status("web");
    assert_eq!(status.health, Health::Progressing);
    assert!(!fleet.is_ready("web") && bakes(&fleet));
    fleet.until_ready("web").await;
    assert!(fleet.now() >= until.checked_sub(jiff::SignedDuration::from_secs(20)).unwrap());
}

#[tokio::test(start_paused = true)]
async fn hooks_of_the_spec_stay_the_specs_and_ours_goes_with_its_gate() {
    let own = json!({ "targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"] });
    let mut configuration = blue_green();
    configuration["lifecycleHooks"] = json!([own]);
    let mut fleet = at_v1(&blue_green()).await;
    fleet.commit(&[gated("v2", &configuration, &["POST_TEST_TRAFFIC_SHIFT"])]).await;
    fleet.order("web", Verb::Approve, &Ask::default()).await;
    let hook = until_waiting(&fleet).await;
    assert!(!hook.is_gate, "an approval answers no hook of the spec's own");
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    fleet.order("web", Verb::Promote, &Ask::default()).await;
    fleet.until_ready("web").await;
    let hooks = |fleet: &Fleet| {
        let shown =
            fleet.console("DescribeServices", json!({ "cluster": "shop", "services": ["web"] }));
        shown["services"][0]["deploymentConfiguration"]["lifecycleHooks"].clone()
    };
    assert_eq!(hooks(&fleet).as_array().unwrap().len(), 2);
    assert_eq!(fleet.tag("web", "longshore.dev/gates").as_deref(), Some("POST_TEST_TRAFFIC_SHIFT"));
    assert!(fleet.plan("web").await.is_settled());
    // Somebody takes the gate away at the console: it is put back.
    let mut edited = configuration.clone();
    edited["lifecycleHooks"] = json!([own]);
    let edit = json!({ "cluster": "shop", "service": "web", "deploymentConfiguration": edited });
    fleet.console("UpdateService", edit);
    fleet.until("healed", |fleet| hooks(fleet).as_array().unwrap().len() == 2).await;
    fleet.commit(&[version("v2", &configuration)]).await;
    fleet.until("gone", |fleet| fleet.tag("web", "longshore.dev/gates").is_none()).await;
    fleet.until_ready("web").await;
    let left = hooks(&fleet);
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(left[0]["lifecycleStages"], json!(["POST_SCALE_UP"]));
    assert_eq!(fleet.rollouts("web").len(), 2, "a gate rolls nothing");
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_nobody_answers_ends_in_a_rollback_that_stays() {
    let mut fleet = at_v1(&blue_green()).await;
    let spec = gated("v2", &blue_green(), &["POST_TEST_TRAFFIC_SHIFT"]);
    fleet.commit(&[with(spec, "/spec/rollout/gateTimeout", json!("30m"))]).await;
    until_waiting(&fleet).await;
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.until("back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
    // Too late.
    fleet.order("web", Verb::Approve, &Ask::default()).await;
    nothing_changes_for(&fleet, Duration::from_hours(3)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    let said = fleet.ready("web").message;
    assert!(said.contains("pause hook timed out"), "{said}");
    assert_eq!(fleet.status("web").health, Health::Degraded);
    assert_eq!(fleet.past("web").await[0].outcome, ReleaseOutcome::RolledBack);
}

#[tokio::test(start_paused = true)]
async fn a_spec_that_drops_its_gate_lets_its_rollout_go() {
    let mut fleet = at_v1(&blue_green()).await;
    fleet.commit(&[gated("v2", &blue_green(), &["POST_SCALE_UP"])]).await;
    until_waiting(&fleet).await;
    fleet.commit(&[version("v2", &blue_green())]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
    fleet.until("gone", |fleet| fleet.tag("web", "longshore.dev/gates").is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn a_newer_spec_takes_the_place_of_one_that_waits_and_waits_itself() {
    let gates = ["POST_TEST_TRAFFIC_SHIFT"];
    for configuration in [blue_green(), canary(), linear()] {
        let mut fleet = at_v1(&configuration).await;
        fleet.commit(&[gated("v2", &configuration, &gates)]).await;
        let first = until_waiting(&fleet).await;
        fleet.commit(&[gated("v3", &configuration, &gates)]).await;
        fleet.pass(Duration::from_secs(2)).await;
        assert_eq!(fleet.image("web"), image("web", "v3"), "the newer spec waited");
        fleet
            .until("v3 waits", |fleet| {
                waiting(fleet).first().is_some_and(|hook| hook.hook_id != first.hook_id)
            })
            .await;
        nothing_changes_for(&fleet, Duration::from_hours(1)).await;
        assert_eq!(fleet.holds("web"), [Reason::AwaitingApproval]);
        fleet.order("web", Verb::Approve, &Ask::default()).await;
        fleet.until_ready("web").await;
        assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]);
        let outcomes: Vec<ReleaseOutcome> =
            fleet.past("web").await.iter().map(|release| release.outcome).collect();
        assert_eq!(outcomes[1], ReleaseOutcome::Superseded);
    }
}

#[tokio::test(start_paused = true)]
async fn a_newer_spec_takes_the_place_of_a_failing_rollout_with_stages() {
    for configuration in [blue_green(), canary()] {
        let mut fleet = at_v1(&configuration).await;
        fleet.image_exits(&image("web", "bad"));
        fleet.commit(&[version("bad", &configuration)]).await;
        fleet
            .until("a task has failed", |fleet| {
                fleet.status("web").rollout.is_some_and(|rollout| rollout.failed > 0)
            })
            .await;
        fleet.commit(&[version("v2", &configuration)]).await;
        fleet.pass(Duration::from_secs(2)).await;
        assert_eq!(fleet.image("web"), image("web", "v2"), "the newer spec waited");
        fleet.until_ready("web").await;
        assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_waits_is_aborted_and_its_spec_held() {
    let mut fleet = at_v1(&blue_green()).await;
    fleet.commit(&[gated("v2", &blue_green(), &["POST_TEST_TRAFFIC_SHIFT"])]).await;
    until_waiting(&fleet).await;
    fleet.order("web", Verb::Abort, &Ask::default()).await;
    fleet.until("back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
    fleet.until_stalled("web", Reason::Aborted).await;
    // An approval does not bring it back.
    fleet.order("web", Verb::Approve, &Ask::default()).await;
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    assert_eq!(fleet.service("web").unwrap().running, 2);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_by_a_person_passes_every_gate_without_a_source() {
    let gates = ["POST_SCALE_UP", "PRE_PRODUCTION_TRAFFIC_SHIFT"];
    let mut fleet = at_v1(&blue_green()).await;
    fleet.commit(&[gated("v2", &blue_green(), &gates)]).await;
    fleet.order("web", Verb::Approve, &Ask::default()).await;
    fleet.until_ready("web").await;
    fleet.restart_unread().await;
    fleet.pass(Duration::from_secs(1)).await;
    fleet.order("web", Verb::Rollback, &Ask::default()).await;
    fleet
        .until("v1 runs", |fleet| {
            fleet.image("web") == image("web", "v1") && fleet.rollouts("web")[0] == "SUCCESSFUL"
        })
        .await;
    assert_eq!(fleet.service("web").unwrap().running, 2);
    fleet.fetch().await.unwrap();
    fleet.until_stalled("web", Reason::RolledBackByHand).await;
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    // Released, the spec has its gates again.
    fleet.order("web", Verb::Release, &Ask::default()).await;
    assert_eq!(until_waiting(&fleet).await.stage.as_deref(), Some("POST_SCALE_UP"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_let_go_while_a_person_holds_the_service() {
    for (verb, reason, back) in [
        (Verb::Hold, Reason::ManualHold, Verb::Release),
        (Verb::Suspend, Reason::Suspended, Verb::Resume),
    ] {
        let mut fleet = at_v1(&blue_green()).await;
        fleet.commit(&[gated("v2", &blue_green(), &["POST_SCALE_UP"])]).await;
        until_waiting(&fleet).await;
        let why = Ask { reason: Some("lunch".to_owned()), ..Ask::default() };
        fleet.order("web", verb, &why).await;
        fleet.order("web", Verb::Approve, &Ask::default()).await;
        nothing_changes_for(&fleet, Duration::from_hours(1)).await;
        assert_eq!(fleet.holds("web"), [reason]);
        fleet.order("web", back, &Ask::default()).await;
        fleet.until_ready("web").await;
        assert_eq!(fleet.image("web"), image("web", "v2"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_approval_that_has_expired_lets_nothing_go() {
    let mut fleet = at_v1(&blue_green()).await;
    fleet.commit(&[gated("v2", &blue_green(), &["POST_TEST_TRAFFIC_SHIFT"])]).await;
    let short = Ask { expires_in: Some(HumanDuration::from_secs(5)), ..Ask::default() };
    fleet.order("web", Verb::Approve, &short).await;
    until_waiting(&fleet).await;
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    assert!(fleet.ready("web").message.contains("has expired"), "{}", fleet.ready("web").message);
    let another = Ask { spec_hash: Some(crds::SpecHash::from_text("another")), ..Ask::default() };
    let refused = fleet.try_order("web", Verb::Approve, &another);
    assert!(matches!(refused.await, Err(Refusal::Conflict(_))));
    fleet.order("web", Verb::Approve, &Ask::default()).await;
    fleet.until_ready("web").await;
}
