//! A spec becomes a rollout, and only then.

use std::time::Duration;

use crds::{Health, Reason, SyncStatus};
use longshore_tests::specs::{counted, daemon, image, service, with};
use longshore_tests::{Fleet, FleetOptions};
use sandbox::ImageBehaviour;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn a_first_commit_becomes_a_running_service() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    let running = fleet.service("web").unwrap();
    assert_eq!((running.running, running.desired), (2, 2));
    assert_eq!(running.records, ["SUCCESSFUL"]);
    assert_eq!(fleet.revisions("shop-web"), 1);
    assert_eq!(fleet.changes_since(0), ["RegisterTaskDefinition", "CreateService"]);
    let status = fleet.status("web");
    assert_eq!((status.sync, status.health), (SyncStatus::Synced, Health::Healthy));
    assert_eq!(status.task_definition.as_deref(), Some("shop-web:1"));
    assert!(status.images[0].digest.as_deref().unwrap().starts_with("sha256:"));
    assert!(fleet.plan("web").await.is_settled());
}

#[tokio::test(start_paused = true)]
async fn a_new_image_is_one_revision_one_update_and_no_gap() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[counted("web", "v1", 4)]).await;
    fleet.until_ready("web").await;
    let mark = fleet.sandbox.call_count();
    fleet.commit(&[counted("web", "v2", 4)]).await;
    let mut least = i64::MAX;
    fleet
        .until("web ready", |fleet| {
            least = least.min(fleet.service("web").unwrap().running);
            fleet.is_ready("web")
        })
        .await;
    assert_eq!(least, 4, "the rollout left a gap");
    assert_eq!(
        fleet.changes_since(mark),
        ["RegisterTaskDefinition", "TagResource", "UpdateService", "TagResource"]
    );
    assert_eq!(fleet.revisions("shop-web"), 2);
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
    assert_eq!(fleet.image("web"), image("web", "v2"));
    let status = fleet.status("web");
    assert_eq!(status.task_definition.as_deref(), Some("shop-web:2"));
    assert_eq!(status.images[0].tag.as_deref(), Some("v2"));
    assert_eq!(
        status.last_applied.unwrap().spec_hash.as_str(),
        fleet.tag("web", "longshore.dev/spec-hash").unwrap()
    );
    assert!(fleet.plan("web").await.is_settled());
}

#[tokio::test(start_paused = true)]
async fn the_update_is_sent_within_a_second_of_the_commit() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    let mark = fleet.sandbox.call_count();
    let seen = fleet.now();
    fleet.commit(&[service("web", &image("web", "v2"))]).await;
    fleet.pass(Duration::from_secs(5)).await;
    let calls = fleet.calls_that_change(mark);
    let update = calls.iter().find(|call| call.operation == "UpdateService").unwrap();
    let waited = update.time.duration_since(seen);
    assert!(waited.as_millis() < 1_000, "{waited}");
}

#[tokio::test(start_paused = true)]
async fn a_changed_environment_rolls_and_going_back_uses_the_old_revision_again() {
    let mut fleet = Fleet::new().await;
    let first = service("web", &image("web", "v1"));
    fleet.commit(std::slice::from_ref(&first)).await;
    fleet.until_ready("web").await;
    let place = "/spec/taskDefinition/containerDefinitions/0/environment";
    let changed = with(first.clone(), place, json!([{ "name": "GREETING", "value": "good day" }]));
    fleet.commit(&[changed]).await;
    fleet.until_ready("web").await;
    let environment = fleet.definition("web")["containerDefinitions"][0]["environment"].clone();
    assert_eq!(environment, json!([{ "name": "GREETING", "value": "good day" }]));
    assert_eq!(fleet.revisions("shop-web"), 2);
    fleet.commit(&[first]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.revisions("shop-web"), 2);
    assert!(fleet.service("web").unwrap().task_definition.ends_with("shop-web:1"));
    assert_eq!(fleet.rollouts("web").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_changes_nothing_changes_nothing() {
    let mut fleet = Fleet::new().await;
    let spec = service("web", &image("web", "v1"));
    let text = serde_json::to_string_pretty(&spec).unwrap();
    fleet.commit_files(&[("web.json", &text)]).await;
    fleet.until_ready("web").await;
    let mark = fleet.sandbox.call_count();
    // Reformatted.
    fleet.commit_files(&[("web.json", &spec.to_string())]).await;
    fleet.pass(Duration::from_mins(3)).await;
    // Moved, in one commit.
    fleet.commit_files(&[("web.json", ""), ("shop/web.json", &text)]).await;
    fleet.pass(Duration::from_mins(3)).await;
    // A neighbour that is none of ours.
    let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n";
    fleet.commit_files(&[("other.yaml", other)]).await;
    fleet.pass(Duration::from_mins(3)).await;
    // The same in YAML, members in another order, a default written out.
    let yaml = with(spec, "/spec/service/schedulingStrategy", json!("REPLICA"));
    fleet.commit_files(&[("shop/web.json", ""), ("web.yaml", &yaml.to_string())]).await;
    fleet.pass(Duration::from_mins(3)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert!(fleet.is_ready("web"));
    assert_eq!(fleet.status("web").observed_generation.0, 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_count_starts_tasks_and_replaces_none() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[counted("web", "v1", 2)]).await;
    fleet.until_ready("web").await;
    let before: Vec<String> = running_tasks(&fleet);
    let mark = fleet.sandbox.call_count();
    fleet.commit(&[counted("web", "v1", 3)]).await;
    fleet.until("three run", |fleet| fleet.service("web").unwrap().running == 3).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.changes_since(mark), ["UpdateService", "TagResource"]);
    assert!(before.iter().all(|task| running_tasks(&fleet).contains(task)));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"]);
}

fn running_tasks(fleet: &Fleet) -> Vec<String> {
    let tasks = fleet.sandbox.look(fleet.now(), sandbox::Region::tasks);
    tasks.into_iter().filter(|task| task.last_status == "RUNNING").map(|task| task.arn).collect()
}

#[tokio::test(start_paused = true)]
async fn a_newer_spec_pre_empts_a_running_rollout() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    fleet.commit(&[service("web", &image("web", "v2"))]).await;
    fleet.until("v2 begins", |fleet| fleet.rollouts("web").len() == 2).await;
    fleet.commit(&[service("web", &image("web", "v3"))]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v3"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]);
}

#[tokio::test(start_paused = true)]
async fn a_newer_spec_pre_empts_a_failing_rollout() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    fleet.image_exits(&image("web", "bad"));
    fleet.commit(&[service("web", &image("web", "bad"))]).await;
    fleet
        .until("a task has failed", |fleet| {
            fleet.status("web").rollout.is_some_and(|rollout| rollout.failed > 0)
        })
        .await;
    assert_eq!(fleet.rollouts("web")[0], "IN_PROGRESS");
    fleet.commit(&[service("web", &image("web", "v2"))]).await;
    fleet.pass(Duration::from_secs(2)).await;
    assert_eq!(fleet.image("web"), image("web", "v2"), "the newer spec waited");
    fleet.until_ready("web").await;
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]);
}

#[tokio::test(start_paused = true)]
async fn a_failing_neighbour_harms_nobody() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1")), service("api", &image("api", "v1"))]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
    fleet.image_exits(&image("api", "bad"));
    fleet
        .commit(&[service("web", &image("web", "v2")), service("api", &image("api", "bad"))])
        .await;
    fleet.until_ready("web").await;
    fleet.until_stalled("api", crds::Reason::RolledBack).await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(fleet.image("api"), image("api", "v1"));
    assert!(fleet.is_ready("web"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_runs_on_every_instance_and_its_count_is_no_drift() {
    let fixtures = "clusters: [{name: shop, instances: [{count: 3}]}]\nlatency: 8ms\n";
    let mut fleet =
        Fleet::with(FleetOptions { fixtures: fixtures.to_owned(), ..FleetOptions::default() })
            .await;
    fleet.commit(&[daemon("agent", &image("agent", "v1"))]).await;
    fleet.until_ready("agent").await;
    assert_eq!(fleet.service("agent").unwrap().running, 3);
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    fleet.commit(&[daemon("agent", &image("agent", "v2"))]).await;
    fleet.until_ready("agent").await;
    assert_eq!(fleet.image("agent"), image("agent", "v2"));
    assert_eq!(fleet.rollouts("agent"), ["SUCCESSFUL", "SUCCESSFUL"]);
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_never_ends_is_late_and_gives_way_to_a_newer_spec() {
    let mut fleet = Fleet::new().await;
    let timed = |version: &str| {
        with(counted("web", version, 2), "/spec/rollout", json!({ "timeout": "15m" }))
    };
    fleet.commit(&[timed("v1")]).await;
    fleet.until_ready("web").await;
    // Its tasks run and are neither healthy nor unhealthy, so that ECS goes on waiting.
    let never = ImageBehaviour::SlowStart(Duration::from_hours(720));
    fleet.image_behaves(&image("web", "v2"), never);
    let began = fleet.now();
    fleet.commit(&[timed("v2")]).await;
    fleet.until_stalled("web", Reason::ProgressDeadlineExceeded).await;
    let waited = fleet.now().duration_since(began).as_secs();
    assert!((900..=930).contains(&waited), "{waited}");
    fleet.pass(Duration::from_hours(1)).await;
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_hours(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    // Nobody looks often at what has gone on for long.
    let calls = fleet.sandbox.call_count() - mark;
    assert!(calls < 10 * 60 * 8, "{calls} calls in ten hours");
    assert_eq!(fleet.status("web").health, Health::Degraded);
    assert_eq!(fleet.ready("web").reason, Reason::ProgressDeadlineExceeded);
    assert_eq!(fleet.rollouts("web"), ["IN_PROGRESS", "SUCCESSFUL"]);
    fleet.commit(&[timed("v3")]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v3"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]);
}
