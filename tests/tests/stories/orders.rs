//! What people order, and what the world looks like afterwards.

mod aborts;
mod approved;
mod killed;
mod meanwhile;
mod outage;
mod pinned;

use std::time::Duration;

use controller::orders::{Ask, Refusal};
use crds::{Health, HumanDuration, Reason, ReleaseOutcome, SyncPolicy, SyncStatus, Verb};
use longshore_tests::specs::{counted, image, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::{Fault, FaultKind, ImageBehaviour};
use serde_json::{Value, json};

fn options() -> FleetOptions {
    FleetOptions { keep: Keep::Directory, ..FleetOptions::default() }
}

fn because(reason: &str) -> Ask {
    Ask { reason: Some(reason.to_owned()), ..Ask::default() }
}

fn version(name: &str) -> Value {
    service("web", &image("web", name))
}

/// The same with a health check that gives its containers five minutes to start.
fn checked(name: &str) -> Value {
    let check =
        json!({ "command": ["CMD", "true"], "interval": 5, "retries": 2, "startPeriod": 300 });
    with(version(name), "/spec/taskDefinition/containerDefinitions/0/healthCheck", check)
}

/// A fleet whose service `web` went from v1 to v2.
async fn at_v2(options: FleetOptions) -> Fleet {
    let mut fleet = Fleet::with(options).await;
    for name in ["v1", "v2"] {
        fleet.commit(&[version(name)]).await;
        fleet.until_ready("web").await;
    }
    fleet
}

async fn nothing_changes_for(fleet: &Fleet, time: Duration) {
    let mark = fleet.sandbox.call_count();
    fleet.pass(time).await;
    assert_eq!(fleet.changes_since(mark), [""; 0], "{}", fleet.describe());
}

async fn conflict(fleet: &Fleet, verb: Verb, ask: &Ask) -> String {
    match fleet.try_order("web", verb, ask).await {
        Err(Refusal::Conflict(why)) => why,
        other => panic!("{verb}: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_suspension_holds_everything_says_why_and_expires() {
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[version("v1")]).await;
    fleet.until_ready("web").await;
    let expires_in = Some(HumanDuration::from_secs(600));
    fleet.order("web", Verb::Suspend, &Ask { expires_in, ..because("a sale") }).await;
    fleet.pass(Duration::from_secs(2)).await;
    assert_eq!(fleet.status("web").health, Health::Suspended);
    assert!(fleet.is_ready("web"), "nothing differs, so the spec is in force");
    fleet.commit(&[version("v2")]).await;
    nothing_changes_for(&fleet, Duration::from_mins(5)).await;
    fleet.restart().await;
    nothing_changes_for(&fleet, Duration::from_mins(3)).await;
    assert_eq!(fleet.holds("web"), [Reason::Suspended]);
    let said = fleet.ready("web").message;
    assert!(
        said.starts_with("suspended by ci until 2026-03-01T") && said.ends_with(": a sale"),
        "{said}"
    );
    let why = conflict(&fleet, Verb::Restart, &Ask::default()).await;
    assert!(why.contains("`resume` ends that"), "{why}");
    fleet.pass(Duration::from_mins(5)).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert!(conflict(&fleet, Verb::Resume, &Ask::default()).await.contains("nobody"));
}

#[tokio::test(start_paused = true)]
async fn a_resumed_service_goes_on_at_once() {
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[version("v1")]).await;
    fleet.until_ready("web").await;
    fleet.order("web", Verb::Suspend, &because("x")).await;
    fleet.commit(&[version("v2")]).await;
    nothing_changes_for(&fleet, Duration::from_hours(2)).await;
    fleet.order("web", Verb::Resume, &Ask::default()).await;
    fleet.pass(Duration::from_secs(2)).await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

#[tokio::test(start_paused = true)]
async fn a_hold_outlives_the_process_and_ends_with_a_release() {
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[counted("web", "v1", 2)]).await;
    fleet.until_ready("web").await;
    fleet.order("web", Verb::Hold, &because("looking into it")).await;
    fleet.commit(&[counted("web", "v2", 2)]).await;
    fleet.console("UpdateService", json!({"cluster": "shop", "service": "web", "desiredCount": 3}));
    nothing_changes_for(&fleet, Duration::from_mins(5)).await;
    fleet.restart().await;
    nothing_changes_for(&fleet, Duration::from_mins(5)).await;
    assert_eq!(fleet.holds("web"), [Reason::ManualHold]);
    assert_eq!(fleet.ready("web").message, "held by ci: looking into it");
    let why = conflict(&fleet, Verb::Sync, &Ask::default()).await;
    assert!(why.contains("`release` ends that"), "{why}");
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(fleet.service("web").unwrap().desired, 2);
}

#[tokio::test(start_paused = true)]
async fn a_release_is_not_used_up_by_turns_that_wait_for_their_time() {
    let fleet = at_v2(options()).await;
    fleet.order("web", Verb::Rollback, &Ask::default()).await;
    fleet.until_stalled("web", Reason::RolledBackByHand).await;
    fleet.pass(Duration::from_mins(5)).await;
    let others = fleet.busy();
    fleet.order("web", Verb::Release, &Ask::default()).await;
    nothing_changes_for(&fleet, Duration::from_mins(5)).await;
    drop(others);
    fleet.until("v2 runs again", |fleet| fleet.image("web") == image("web", "v2")).await;
}

#[tokio::test(start_paused = true)]
async fn in_manual_mode_each_spec_waits_for_its_own_sync() {
    let policy = SyncPolicy { mode: Some(crds::SyncMode::Manual), ..SyncPolicy::default() };
    let mut fleet = Fleet::with(FleetOptions { policy, ..options() }).await;
    fleet.commit(&[version("v1")]).await;
    fleet.until_stalled("web", Reason::ManualSync).await;
    fleet.order("web", Verb::Sync, &Ask::default()).await;
    fleet.until_ready("web").await;
    fleet.commit(&[version("v2")]).await;
    nothing_changes_for(&fleet, Duration::from_mins(5)).await;
    assert_eq!(fleet.holds("web"), [Reason::ManualSync]);
    // A sync of the spec that somebody looked at, which is not this one any more.
    let seen = Ask { spec_hash: Some(fleet.spec_hash("web")), ..Ask::default() };
    fleet.commit(&[version("v3")]).await;
    fleet.pass(Duration::from_secs(5)).await;
    assert!(conflict(&fleet, Verb::Sync, &seen).await.contains("look again"));
    nothing_changes_for(&fleet, Duration::from_mins(5)).await;
    fleet.order("web", Verb::Sync, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v3"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
    // The sync is used up: what somebody does at the console waits again.
    fleet.console("UpdateService", json!({"cluster": "shop", "service": "web", "desiredCount": 5}));
    fleet.until_stalled("web", Reason::ManualSync).await;
    assert_eq!(fleet.service("web").unwrap().desired, 5);
}

#[tokio::test(start_paused = true)]
async fn an_approval_counts_for_the_spec_it_was_given_for_and_no_other() {
    let asks =
        |name: &str| with(version(name), "/spec/rollout/approval", json!({"required": true}));
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[asks("v1")]).await;
    fleet.until_stalled("web", Reason::AwaitingApproval).await;
    assert!(fleet.service("web").is_none());
    fleet.order("web", Verb::Approve, &Ask::default()).await;
    fleet.until_ready("web").await;
    fleet.commit(&[asks("v2")]).await;
    fleet.until_stalled("web", Reason::AwaitingApproval).await;
    // Approved, but a newer spec is there before anything was sent.
    fleet.order("web", Verb::Hold, &Ask::default()).await;
    fleet.order("web", Verb::Approve, &Ask::default()).await;
    fleet.commit(&[asks("v3")]).await;
    fleet.order("web", Verb::Release, &Ask::default()).await;
    nothing_changes_for(&fleet, Duration::from_mins(5)).await;
    assert_eq!(fleet.holds("web"), [Reason::AwaitingApproval]);
    assert!(
        fleet.ready("web").message.contains("for another spec"),
        "{}",
        fleet.ready("web").message
    );
    // One that has expired does not count either.
    fleet.order("web", Verb::Hold, &Ask::default()).await;
    let short = Ask { expires_in: Some(HumanDuration::from_secs(60)), ..Ask::default() };
    fleet.order("web", Verb::Approve, &short).await;
    fleet.pass(Duration::from_mins(2)).await;
    fleet.order("web", Verb::Release, &Ask::default()).await;
    nothing_changes_for(&fleet, Duration::from_mins(5)).await;
    assert!(fleet.ready("web").message.contains("has expired"), "{}", fleet.ready("web").message);
    fleet.restart().await;
    fleet.pass(Duration::from_secs(30)).await;
    fleet.order("web", Verb::Approve, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v3"));
    // Drift of an approved spec is healed without another one.
    fleet.pass(Duration::from_hours(30)).await;
    fleet.console("UpdateService", json!({"cluster": "shop", "service": "web", "desiredCount": 5}));
    fleet.until("healed", |fleet| fleet.service("web").unwrap().desired == 2).await;
}

/// After a rollback by hand: v1 runs, v2 is held through everything but a new spec.
async fn stays_rolled_back(fleet: &mut Fleet) {
    fleet
        .until("v1 runs alone", |fleet| {
            let service = fleet.service("web").unwrap();
            fleet.image("web") == image("web", "v1") && service.records[0] == "SUCCESSFUL"
        })
        .await;
    fleet.until_stalled("web", Reason::RolledBackByHand).await;
    nothing_changes_for(fleet, Duration::from_hours(3)).await;
    fleet.restart().await;
    nothing_changes_for(fleet, Duration::from_hours(3)).await;
    let status = fleet.status("web");
    assert_eq!((status.sync, status.health), (SyncStatus::OutOfSync, Health::Healthy));
    assert_eq!(fleet.holds("web"), [Reason::RolledBackByHand]);
    assert_eq!(fleet.service("web").unwrap().running, 2);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_goes_to_the_last_good_release_and_holds_the_spec_that_was_left() {
    let mut fleet = at_v2(options()).await;
    let asked = fleet.now();
    fleet.order("web", Verb::Rollback, &because("errors")).await;
    fleet.pass(Duration::from_secs(1)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"), "not within one turn of {asked}");
    stays_rolled_back(&mut fleet).await;
    assert!(fleet.ready("web").message.contains("rollback by ci: errors"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL", "SUCCESSFUL"]);
    // It is never rolled back itself, unless a release is named.
    assert!(conflict(&fleet, Verb::Rollback, &Ask::default()).await.contains("name the release"));
    fleet.commit(&[version("v3")]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v3"));
    assert_eq!(fleet.tag("web", "longshore.dev/held-spec"), None);
    // And when the spec comes back that was left once, it is not held any more.
    fleet.commit(&[version("v2")]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

#[tokio::test(start_paused = true)]
async fn a_named_release_is_gone_back_to_and_a_release_lets_the_spec_go() {
    let mut fleet = at_v2(options()).await;
    fleet.commit(&[version("v3")]).await;
    fleet.until_ready("web").await;
    let past = fleet.past("web").await;
    let names: Vec<&str> = past.iter().map(|one| one.task_definition.as_str()).collect();
    assert_eq!(names, ["shop-web:3", "shop-web:2", "shop-web:1"]);
    assert!(past.iter().all(|one| one.outcome == ReleaseOutcome::Successful), "{past:?}");
    assert!(past[0].images[0].digest.as_deref().unwrap().starts_with("sha256:"));
    let to = |name: &str| Ask { to: Some(name.to_owned()), ..Ask::default() };
    fleet.order("web", Verb::Rollback, &to(&past[2].id)).await;
    fleet.until_stalled("web", Reason::RolledBackByHand).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    fleet.order("web", Verb::Rollback, &to("shop-web:2")).await;
    fleet.until("v2", |fleet| fleet.image("web") == image("web", "v2")).await;
    nothing_changes_for(&fleet, Duration::from_mins(10)).await;
    for (name, why) in
        [("shop-web:9", "no release"), ("shop-web:2", "already"), ("shop-web:3", "spec asks")]
    {
        fleet.order("web", Verb::Rollback, &to(name)).await;
        fleet.pass(Duration::from_secs(10)).await;
        let told = fleet.told("web").pop().unwrap();
        assert!(told.starts_with("OrderRefused") && told.contains(why), "{told}");
    }
    assert_eq!(fleet.image("web"), image("web", "v2"));
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v3"));
}

/// `argo-cd#21480`: no rollback while Git is down.
#[tokio::test(start_paused = true)]
async fn a_rollback_needs_no_source() {
    let mut fleet = at_v2(options()).await;
    fleet.restart_unread().await;
    fleet.pass(Duration::from_secs(1)).await;
    for name in ["web", "none"] {
        let unread = fleet.try_order(name, Verb::Release, &Ask::default()).await;
        assert_eq!(unread, Err(Refusal::Unread), "nobody can know of `{name}`");
    }
    fleet.order("web", Verb::Rollback, &because("errors")).await;
    fleet.pass(Duration::from_secs(1)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"), "not within one turn");
    fleet.pass(Duration::from_mins(10)).await;
    // The source is back, with the spec that was left.
    fleet.fetch().await.unwrap();
    stays_rolled_back(&mut fleet).await;
    let unknown = fleet.try_order("none", Verb::Rollback, &Ask::default()).await;
    assert_eq!(unknown, Err(Refusal::Unknown));
}

#[tokio::test(start_paused = true)]
async fn a_rollback_supersedes_a_rollout_that_fails_and_brings_settings_back_too() {
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[version("v1")]).await;
    fleet.until_ready("web").await;
    fleet.image_exits(&image("web", "bad"));
    let place = "/spec/service/networkConfiguration/awsvpcConfiguration/subnets";
    fleet.commit(&[with(version("bad"), place, json!(["subnet-9"]))]).await;
    fleet
        .until("a task has failed", |fleet| {
            fleet.status("web").rollout.is_some_and(|rollout| rollout.failed > 0)
        })
        .await;
    fleet.order("web", Verb::Rollback, &Ask::default()).await;
    fleet.pass(Duration::from_secs(1)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    stays_rolled_back(&mut fleet).await;
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]);
    let described =
        fleet.console("DescribeServices", json!({"cluster": "shop", "services": ["web"]}));
    let subnets =
        &described["services"][0]["networkConfiguration"]["awsvpcConfiguration"]["subnets"];
    assert_eq!(*subnets, json!(["subnet-1", "subnet-2"]));
    let outcomes: Vec<ReleaseOutcome> =
        fleet.past("web").await.iter().map(|release| release.outcome).collect();
    assert_eq!(
        outcomes,
        [ReleaseOutcome::Successful, ReleaseOutcome::Superseded, ReleaseOutcome::Successful]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_spec_that_is_released_is_tried_once_more_and_not_twice() {
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[version("v1")]).await;
    fleet.until_ready("web").await;
    fleet.image_exits(&image("web", "bad"));
    fleet.commit(&[version("bad")]).await;
    let undone = |fleet: &Fleet, times: usize| {
        let records = fleet.rollouts("web");
        let undone = records.iter().filter(|one| *one == "ROLLBACK_SUCCESSFUL").count();
        undone == times && fleet.holds("web") == [Reason::RolledBack]
    };
    fleet.until("rolled back", |fleet| undone(fleet, 1)).await;
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until("rolled back again", |fleet| undone(fleet, 2)).await;
    nothing_changes_for(&fleet, Duration::from_hours(2)).await;
    assert_eq!(fleet.past("web").await[0].outcome, ReleaseOutcome::RolledBack);
    fleet.image_behaves(&image("web", "bad"), ImageBehaviour::Runs);
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "bad"));
}

#[tokio::test(start_paused = true)]
async fn a_first_rollout_that_failed_is_released_too() {
    let mut fleet = Fleet::with(options()).await;
    fleet.image_exits(&image("web", "bad"));
    fleet.commit(&[version("bad")]).await;
    fleet.until_stalled("web", Reason::RolloutFailed).await;
    fleet.image_behaves(&image("web", "bad"), ImageBehaviour::Runs);
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    let before = fleet.rollouts("web").len();
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.service("web").unwrap().running, 2);
    assert_eq!(fleet.rollouts("web").len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_restart_replaces_every_task_once() {
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[version("v1")]).await;
    fleet.until_ready("web").await;
    let tasks = |fleet: &Fleet| {
        let tasks = fleet.sandbox.look(fleet.now(), sandbox::Region::tasks);
        let running = tasks.into_iter().filter(|task| task.last_status == "RUNNING");
        running.map(|task| task.arn).collect::<Vec<_>>()
    };
    let before = tasks(&fleet);
    // The answer is lost: the call is not sent a second time.
    fleet.lose_reply("UpdateService");
    fleet.order("web", Verb::Restart, &because("leak")).await;
    fleet.until("restarted", |fleet| fleet.rollouts("web") == ["SUCCESSFUL", "SUCCESSFUL"]).await;
    fleet.until_ready("web").await;
    assert!(tasks(&fleet).iter().all(|task| !before.contains(task)));
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    assert_eq!(fleet.rollouts("web").len(), 2);
    assert_eq!(fleet.revisions("shop-web"), 1);
    assert!(fleet.told("web").last().unwrap().starts_with("OrderCarriedOut: restart by ci: leak"));
}

#[tokio::test(start_paused = true)]
async fn an_aborted_rollout_goes_back_and_its_spec_is_held() {
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[checked("v1")]).await;
    fleet.until_ready("web").await;
    assert!(conflict(&fleet, Verb::Abort, &Ask::default()).await.contains("no rollout"));
    fleet.image_behaves(&image("web", "v2"), ImageBehaviour::SlowStart(Duration::from_mins(10)));
    fleet.commit(&[checked("v2")]).await;
    fleet.until("v2 begins", |fleet| fleet.rollouts("web").len() == 2).await;
    fleet.pass(Duration::from_secs(10)).await;
    fleet.order("web", Verb::Abort, &because("wrong one")).await;
    fleet.until("back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
    fleet.until_stalled("web", Reason::Aborted).await;
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    fleet.restart().await;
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    assert_eq!(fleet.holds("web"), [Reason::Aborted]);
    assert!(fleet.ready("web").message.contains("aborted by ci: wrong one"));
    assert_eq!(fleet.image("web"), image("web", "v1"));
    fleet.image_behaves(&image("web", "v2"), ImageBehaviour::Runs);
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_waits_at_a_hook_goes_on_when_it_is_promoted() {
    let gated = |name: &str| {
        let hook = json!({
            "targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"],
            "timeoutConfiguration": {"timeoutInMinutes": 1440, "action": "ROLLBACK"},
        });
        let configuration = json!({
            "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0, "lifecycleHooks": [hook],
        });
        with(version(name), "/spec/service/deploymentConfiguration", configuration)
    };
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[gated("v1")]).await;
    fleet.pass(Duration::from_mins(5)).await;
    if !fleet.is_ready("web") {
        fleet.order("web", Verb::Promote, &Ask::default()).await;
        fleet.until_ready("web").await;
    }
    assert!(conflict(&fleet, Verb::Promote, &Ask::default()).await.contains("no rollout waits"));
    fleet.commit(&[gated("v2")]).await;
    fleet
        .until("waiting", |fleet| {
            fleet.status("web").rollout.is_some_and(|rollout| !rollout.waiting.is_empty())
        })
        .await;
    nothing_changes_for(&fleet, Duration::from_mins(30)).await;
    assert_ne!(fleet.rollouts("web")[0], "SUCCESSFUL");
    fleet.lose_reply("ContinueServiceDeployment");
    fleet.order("web", Verb::Promote, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.rollouts("web")[0], "SUCCESSFUL");
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

/// Specs of which the second cannot be reached by UpdateService.
fn to_be_replaced(launch_type: &str) -> Value {
    let spec = with(version("v1"), "/spec/service/launchType", json!(launch_type));
    with(spec, "/spec/taskDefinition/requiresCompatibilities", json!(["EC2", "FARGATE"]))
}

async fn needing_replacement(keep: Keep) -> Fleet {
    let fixtures = "clusters: [{name: shop, instances: [{count: 3}]}]\nlatency: 8ms\n".to_owned();
    let mut fleet = Fleet::with(FleetOptions { fixtures, keep, ..FleetOptions::default() }).await;
    fleet.commit(&[to_be_replaced("FARGATE")]).await;
    fleet.until_ready("web").await;
    fleet.commit(&[to_be_replaced("EC2")]).await;
    fleet.until_stalled("web", Reason::NeedsReplacement).await;
    fleet
}

#[tokio::test(start_paused = true)]
async fn a_replacement_is_carried_out_for_the_spec_it_was_ordered_for() {
    let mut fleet = needing_replacement(Keep::Directory).await;
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    let replace = Ask { replace: true, ..Ask::default() };
    fleet.order("web", Verb::Sync, &replace).await;
    fleet.until("deleted", |fleet| fleet.living("web").is_none()).await;
    fleet.until_ready("web").await;
    let described =
        fleet.console("DescribeServices", json!({"cluster": "shop", "services": ["web"]}));
    assert_eq!(described["services"][0]["launchType"], "EC2");
    assert_eq!(fleet.service("web").unwrap().running, 2);
    assert!(conflict(&fleet, Verb::Sync, &replace).await.contains("no difference"));
    // Back again is another spec, which waits for an order of its own.
    fleet.commit(&[to_be_replaced("FARGATE")]).await;
    fleet.until_stalled("web", Reason::NeedsReplacement).await;
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_deletion_behind_the_brake_is_confirmed_for_exactly_one_service() {
    let policy = SyncPolicy { prune: Some(true), ..SyncPolicy::default() };
    let mut fleet = Fleet::with(FleetOptions { policy, ..options() }).await;
    let specs: Vec<Value> =
        ["web", "api", "job", "cron"].iter().map(|name| counted(name, "v1", 1)).collect();
    fleet.commit(&specs).await;
    for name in ["web", "api", "job", "cron"] {
        fleet.until_ready(name).await;
    }
    let prune = Ask { prune: true, ..Ask::default() };
    assert!(conflict(&fleet, Verb::Sync, &prune).await.contains("brake"));
    fleet.remove(&["web", "api", "job"]).await;
    fleet.until_stalled("web", Reason::PruneBrake).await;
    fleet.until_stalled("api", Reason::PruneBrake).await;
    nothing_changes_for(&fleet, Duration::from_mins(10)).await;
    fleet.order("web", Verb::Sync, &prune).await;
    fleet.until("web deleted", |fleet| fleet.living("web").is_none()).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert!(fleet.living("api").is_some() && fleet.living("job").is_some());
    assert!(fleet.is_ready("cron"));
}

#[tokio::test(start_paused = true)]
async fn a_held_service_is_not_pruned() {
    let policy = SyncPolicy { prune: Some(true), ..SyncPolicy::default() };
    let mut fleet = Fleet::with(FleetOptions { policy, ..options() }).await;
    fleet.commit(&[counted("web", "v1", 1), counted("api", "v1", 1)]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
    fleet.order("web", Verb::Hold, &Ask::default()).await;
    fleet.remove(&["web"]).await;
    fleet.until_stalled("web", Reason::ManualHold).await;
    nothing_changes_for(&fleet, Duration::from_mins(10)).await;
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until("deleted", |fleet| fleet.living("web").is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_store_deletes_nothing_and_sends_nothing_that_was_left() {
    for keep in [Keep::Directory, Keep::Bucket] {
        let fixtures = "clusters: [{name: shop}]\nbuckets: [{name: specs}]\nlatency: 8ms\n";
        let mut fleet =
            at_v2(FleetOptions { keep, fixtures: fixtures.to_owned(), ..options() }).await;
        fleet.order("web", Verb::Rollback, &Ask::default()).await;
        fleet.until_stalled("web", Reason::RolledBackByHand).await;
        fleet.pass(Duration::from_mins(5)).await;
        fleet.kill().await;
        fleet.lose_state();
        let mark = fleet.sandbox.call_count();
        fleet.restart().await;
        fleet.pass(Duration::from_hours(3)).await;
        assert_eq!(fleet.changes_since(mark), [""; 0], "{keep:?}");
        assert_eq!(fleet.holds("web"), [Reason::RolledBackByHand]);
        assert_eq!(fleet.image("web"), image("web", "v1"));
        // What ECS still knows is enough to go back further, and the history begins anew.
        assert_eq!(fleet.past("web").await.len(), 1);
        fleet.order("web", Verb::Release, &Ask::default()).await;
        fleet.until_ready("web").await;
        assert_eq!(fleet.image("web"), image("web", "v2"));
    }
}

#[tokio::test(start_paused = true)]
async fn while_it_cannot_be_read_what_people_said_nothing_is_changed() {
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[version("v1"), service("api", &image("api", "v1"))]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
    fleet.spoil_state("web", "{\"form\": 1, ");
    fleet.commit(&[version("v2"), service("api", &image("api", "v2"))]).await;
    fleet.until_ready("api").await;
    assert_eq!(fleet.image("api"), image("api", "v2"), "one document harms its own service only");
    fleet.until_stalled("web", Reason::StateUnknown).await;
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    let refused = fleet.try_order("web", Verb::Hold, &Ask::default()).await;
    assert!(matches!(refused, Err(Refusal::Store(_))), "{refused:?}");
    fleet.lose_state();
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_cannot_be_written_down_is_not_carried_out() {
    let fixtures = "clusters: [{name: shop}]\nbuckets: [{name: specs}]\nlatency: 8ms\n".to_owned();
    let fleet = at_v2(FleetOptions { keep: Keep::Bucket, fixtures, ..options() }).await;
    let kind =
        FaultKind::Error { code: "AccessDenied".to_owned(), message: "no".to_owned(), status: 403 };
    fleet.sandbox.inject(Fault { times: None, ..Fault::once("s3", "PutObject", kind) });
    let refused = fleet.try_order("web", Verb::Restart, &Ask::default()).await;
    assert!(matches!(refused, Err(Refusal::Store(_))), "{refused:?}");
    nothing_changes_for(&fleet, Duration::from_mins(10)).await;
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
}

/// The mark on the service goes with the order, however late AWS takes the call.
#[tokio::test(start_paused = true)]
async fn a_release_counts_until_its_mark_has_gone() {
    let fleet = at_v2(options()).await;
    let revision = fleet.service("web").unwrap().task_definition;
    fleet.order("web", Verb::Rollback, &because("errors")).await;
    fleet.until("v1 runs", |fleet| fleet.image("web") == image("web", "v1")).await;
    fleet.until("it has ended", |fleet| fleet.rollouts("web")[0] == "SUCCESSFUL").await;
    fleet.console(
        "UpdateService",
        json!({ "cluster": "shop", "service": "web", "taskDefinition": revision }),
    );
    fleet.until("v2 runs again", |fleet| fleet.rollouts("web")[..2] == ["SUCCESSFUL"; 2]).await;
    assert!(fleet.tag("web", "longshore.dev/held-spec").is_some());
    fleet.deny("UntagResource");
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert!(fleet.tag("web", "longshore.dev/held-spec").is_some());
    fleet.sandbox.clear_faults();
    fleet.until_ready("web").await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.tag("web", "longshore.dev/held-spec"), None);
    assert!(fleet.holds("web").is_empty(), "{:?}", fleet.holds("web"));
}

/// AWS says that nothing was done, so there is nothing to wait for.
#[tokio::test(start_paused = true)]
async fn a_rollback_that_is_throttled_is_tried_again_within_seconds() {
    for verb in [Verb::Rollback, Verb::Restart] {
        let fleet = at_v2(options()).await;
        let throttled = Fault::once("ecs", "UpdateService", FaultKind::Throttle);
        fleet.sandbox.inject(Fault { times: Some(2), ..throttled });
        let asked = fleet.now();
        fleet.order("web", verb, &because("errors")).await;
        fleet.until("it is done", |fleet| fleet.rollouts("web").len() == 3).await;
        let took = fleet.now().duration_since(asked);
        assert!(took.as_secs() < 30, "{verb}: {took}");
    }
}
