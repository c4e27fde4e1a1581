//! A secret that changes replaces the tasks once, where the spec asks for it.

use std::time::Duration;

use crds::{Health, Reason};
use longshore_tests::specs::{image, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

const FIXTURES: &str = "
clusters: [{name: shop}]
latency: 8ms
parameters: [{name: /shop/url, value: x}]
secrets: [{name: shop/db, suffix: AbCdEf}]
";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbCdEf";
const TAG: &str = "longshore.dev/secrets";

async fn world() -> Fleet {
    let fixtures = FIXTURES.to_owned();
    Fleet::with(FleetOptions { fixtures, keep: Keep::Directory, ..FleetOptions::default() }).await
}

/// A service that reads both.
fn web(reload: bool) -> Value {
    let secrets = json!([
        { "name": "URL", "valueFrom": "/shop/url" },
        { "name": "DB", "valueFrom": format!("{SECRET}:password::") },
    ]);
    let pointer = "/spec/taskDefinition/containerDefinitions/0/secrets";
    let spec = with(service("web", &image("web", "v1")), pointer, secrets);
    with(spec, "/spec/rollout", json!({ "reloadOnSecretChange": reload }))
}

/// The service runs, and what it was started with is written down.
async fn settled() -> Fleet {
    let mut fleet = world().await;
    fleet.commit(&[web(true)]).await;
    fleet.until_ready("web").await;
    fleet.until("seen", |fleet| fleet.tag("web", TAG).is_some()).await;
    fleet.pass(Duration::from_mins(3)).await;
    fleet
}

fn change_parameter(fleet: &Fleet) {
    let body = json!({ "Name": "/shop/url", "Value": "y", "Type": "String", "Overwrite": true });
    fleet.console_of("ssm", "PutParameter", body);
}

fn rotate(fleet: &Fleet, token: &str) {
    let body = json!({
        "SecretId": SECRET, "SecretString": token,
        "ClientRequestToken": format!("{token:0>32}"),
    });
    fleet.console_of("secretsmanager", "PutSecretValue", body);
}

fn versions(fleet: &Fleet) -> Vec<String> {
    fleet.status("web").secrets.into_iter().map(|secret| secret.version).collect()
}

/// Waits until a reload has begun and ended.
async fn until_rolled(fleet: &Fleet, count: usize) {
    fleet.until("rolled", |fleet| fleet.rollouts("web").len() >= count).await;
    fleet.until_ready("web").await;
}

#[tokio::test(start_paused = true)]
async fn at_first_sight_nothing_is_rolled() {
    let fleet = settled().await;
    fleet.pass(Duration::from_mins(20)).await;
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"]);
    assert_eq!(fleet.status("web").secrets[0].from, "/shop/url");
    assert_eq!(versions(&fleet)[0], "1");
    // A service that begins to watch is at first sight too, however long ago its secrets changed.
    let mut fleet = world().await;
    fleet.commit(&[web(false)]).await;
    fleet.until_ready("web").await;
    change_parameter(&fleet);
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.rollouts("web").len(), 1, "nobody asked for it");
    fleet.commit(&[web(true)]).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.rollouts("web").len(), 1);
    assert!(fleet.tag("web", TAG).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_changed_parameter_rolls_once() {
    let fleet = settled().await;
    let mark = fleet.sandbox.call_count();
    change_parameter(&fleet);
    until_rolled(&fleet, 2).await;
    fleet.pass(Duration::from_mins(20)).await;
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
    assert_eq!(fleet.changes_since(mark), ["UpdateService", "TagResource"]);
    assert_eq!(fleet.revisions("shop-web"), 1, "the revision is the same");
    assert_eq!(versions(&fleet)[0], "2");
}

#[tokio::test(start_paused = true)]
async fn a_rotated_secret_rolls_once_and_its_tags_do_not() {
    let fleet = settled().await;
    let before = versions(&fleet)[1].clone();
    fleet.console_of(
        "secretsmanager",
        "TagResource",
        json!({ "SecretId": SECRET, "Tags": [{ "Key": "team", "Value": "shop" }] }),
    );
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.rollouts("web").len(), 1, "a tag is no new version");
    rotate(&fleet, "2");
    until_rolled(&fleet, 2).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.rollouts("web").len(), 2);
    assert_ne!(versions(&fleet)[1], before);
    assert_eq!(fleet.sandbox.look(fleet.now(), sandbox::Region::secret_value_reads), 0);
}

#[tokio::test(start_paused = true)]
async fn two_that_change_together_roll_once() {
    let fleet = settled().await;
    change_parameter(&fleet);
    fleet.pass(Duration::from_secs(20)).await;
    rotate(&fleet, "2");
    until_rolled(&fleet, 2).await;
    fleet.pass(Duration::from_mins(20)).await;
    assert_eq!(fleet.rollouts("web").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_restart_in_between_rolls_nothing_twice() {
    for count in 1..40 {
        if !killed_at(count, Duration::ZERO).await {
            assert!(count > 3, "the story has more moments than that");
            return;
        }
    }
    panic!("the story never ended by itself");
}

/// Each such call replaces the tasks, so a read that does not show the last one must not lead to another.
#[tokio::test(start_paused = true)]
async fn a_restart_in_between_rolls_nothing_twice_while_reads_are_late() {
    for count in 1..200 {
        if !killed_at(count, Duration::from_secs(20)).await {
            return;
        }
    }
    panic!("the story never ended by itself");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_rolls_nothing_twice_while_reads_are_late() {
    let fleet = settled().await;
    read_late(&fleet, Duration::from_secs(20));
    fleet.lose_reply("UpdateService");
    change_parameter(&fleet);
    until_rolled(&fleet, 2).await;
    fleet.pass(Duration::from_mins(20)).await;
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
}

/// The time for which reads may be late counts from when the call was last under way, not from when it was written down.
#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long_rolls_nothing_twice_while_reads_are_late() {
    let fleet = settled().await;
    read_late(&fleet, Duration::from_secs(75));
    let slow = FaultKind::Latency(Duration::from_secs(40));
    fleet.sandbox.inject(Fault::once("ecs", "UpdateService", slow));
    change_parameter(&fleet);
    until_rolled(&fleet, 2).await;
    fleet.pass(Duration::from_mins(20)).await;
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
}

/// AWS says that nothing was done, so there is nothing to wait for.
#[tokio::test(start_paused = true)]
async fn a_reload_that_is_throttled_is_tried_again_within_seconds() {
    let fleet = settled().await;
    let throttled = Fault::once("ecs", "UpdateService", FaultKind::Throttle);
    fleet.sandbox.inject(Fault { times: Some(2), ..throttled });
    let mark = fleet.sandbox.call_count();
    change_parameter(&fleet);
    until_rolled(&fleet, 2).await;
    let mut tries = fleet.calls_that_change(mark);
    tries.retain(|call| call.operation == "UpdateService");
    let took = tries[2].time.duration_since(tries[0].time);
    assert!(tries.len() == 3 && took.as_secs() < 20, "{took} for {}", tries.len());
}

/// Reads show neither a deployment nor its record for so long.
fn read_late(fleet: &Fleet, lag: Duration) {
    fleet.sandbox.edit(fleet.now(), |region| {
        region.set_read_lag(lag);
        region.set_record_lag(lag);
    });
}

/// A reload whose process is killed after so many calls, and started again at once; whether it came to that.
async fn killed_at(count: u64, lag: Duration) -> bool {
    let mut fleet = settled().await;
    read_late(&fleet, lag);
    let reached = fleet.sandbox.hang_after_call(count);
    change_parameter(&fleet);
    let is_killed = tokio::select! {
        () = reached.notified() => true,
        () = until_rolled(&fleet, 2) => false,
    };
    let last = fleet.sandbox.calls().last().map(|call| call.operation.clone());
    fleet.kill().await;
    fleet.sandbox.release();
    fleet.restart().await;
    until_rolled(&fleet, 2).await;
    fleet.pass(Duration::from_mins(20)).await;
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"], "{count}: {last:?}");
    is_killed
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_fails_is_not_repeated_and_the_next_version_is_tried() {
    let fleet = settled().await;
    fleet.image_exits(&image("web", "v1"));
    rotate(&fleet, "2");
    fleet
        .until("rolled back", |fleet| {
            fleet.rollouts("web").contains(&"ROLLBACK_FAILED".to_owned())
                || fleet.rollouts("web").contains(&"ROLLBACK_SUCCESSFUL".to_owned())
        })
        .await;
    fleet.pass(Duration::from_mins(30)).await;
    assert_eq!(fleet.rollouts("web").len(), 2);
    assert_eq!(fleet.status("web").health, Health::Degraded);
    assert_eq!(fleet.ready("web").reason, Reason::RolloutFailed);
    let runs = sandbox::ImageBehaviour::Runs;
    fleet.image_behaves(&image("web", "v1"), runs);
    rotate(&fleet, "3");
    until_rolled(&fleet, 3).await;
}

#[tokio::test(start_paused = true)]
async fn what_changes_with_the_spec_is_rolled_with_it() {
    let mut fleet = settled().await;
    change_parameter(&fleet);
    let spec = with(web(true), "/spec/taskDefinition/cpu", json!("512"));
    let spec = with(spec, "/spec/taskDefinition/memory", json!("1024"));
    fleet.commit(&[spec]).await;
    until_rolled(&fleet, 2).await;
    fleet.pass(Duration::from_mins(20)).await;
    assert_eq!(fleet.rollouts("web").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn many_services_share_what_they_watch() {
    let mut fleet = world().await;
    let named = |name: &str| {
        let mut spec = web(true);
        spec["metadata"]["name"] = json!(name);
        spec
    };
    let services: Vec<String> = (0..30).map(|number| format!("s{number}")).collect();
    fleet.commit(&services.iter().map(|name| named(name)).collect::<Vec<_>>()).await;
    fleet.until("all ready", |fleet| services.iter().all(|name| fleet.is_ready(name))).await;
    fleet.pass(Duration::from_mins(5)).await;
    let reads = |fleet: &Fleet| {
        let of = |api, operation| fleet.sandbox.count_of(api, operation);
        of("ssm", "DescribeParameters") + of("secretsmanager", "DescribeSecret")
    };
    let before = reads(&fleet);
    fleet.pass(Duration::from_mins(10)).await;
    let cost = reads(&fleet) - before;
    assert!(
        (10..=24).contains(&cost),
        "{cost} reads in ten minutes, of one parameter and one secret"
    );
}
