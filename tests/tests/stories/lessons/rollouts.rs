//! Rollouts that were called good, were repeated, or stood in the way of their own mending.

use std::time::Duration;

use crds::{ConditionType, Health, Reason, SyncStatus};
use longshore_tests::specs::{counted, image, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::ImageBehaviour;
use serde_json::{Value, json};

use super::nothing_changes_for;

fn version(name: &str) -> Value {
    service("web", &image("web", name))
}

async fn at_v1() -> Fleet {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[version("v1")]).await;
    fleet.until_ready("web").await;
    fleet
}

/// amazon-ecs-deploy-task-definition#191, ecspresso#732, fabfuel/ecs-deploy#185, copilot-cli#1838: the breaker had brought back
/// the old version, the service was stable, and the tool said that all was well.
#[tokio::test(start_paused = true)]
async fn a_rollout_that_was_rolled_back_is_at_no_moment_called_good() {
    let mut fleet = at_v1().await;
    let good = fleet.status("web").last_applied.unwrap().spec_hash;
    fleet.image_exits(&image("web", "bad"));
    fleet.commit(&[version("bad")]).await;
    let never_green = async |fleet: &Fleet, time: Duration| {
        for second in 0..time.as_secs() {
            fleet.pass(Duration::from_secs(1)).await;
            assert!(!fleet.is_ready("web"), "ready after {second} s\n{}", fleet.describe());
        }
    };
    never_green(&fleet, Duration::from_hours(1)).await;
    assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
    assert_eq!(fleet.service("web").unwrap().running, 2, "it is stable");
    fleet.restart().await;
    never_green(&fleet, Duration::from_mins(20)).await;
    let status = fleet.status("web");
    assert_eq!((status.sync, status.health), (SyncStatus::OutOfSync, Health::Degraded));
    assert_ne!(status.last_applied.map(|applied| applied.spec_hash), Some(fleet.spec_hash("web")));
    assert_ne!(good, fleet.spec_hash("web"));
}

/// pipecd#4568 and #4548: a rollout was over before a task of it ran.
#[tokio::test(start_paused = true)]
async fn a_rollout_is_not_over_before_its_tasks_run_alone() {
    let mut fleet = at_v1().await;
    fleet.image_behaves(&image("web", "v2"), ImageBehaviour::SlowStart(Duration::from_mins(4)));
    let check =
        json!({ "command": ["CMD", "true"], "interval": 5, "retries": 2, "startPeriod": 300 });
    let checked =
        with(version("v2"), "/spec/taskDefinition/containerDefinitions/0/healthCheck", check);
    fleet.commit(&[checked]).await;
    let began = fleet.now();
    fleet.until_ready("web").await;
    assert!(fleet.now().duration_since(began).as_secs() >= 240, "too early");
    let tasks = fleet.sandbox.look(fleet.now(), sandbox::Region::tasks);
    let running: Vec<&str> = tasks
        .iter()
        .filter(|task| task.desired_status == "RUNNING")
        .map(|task| task.containers[0].1.as_str())
        .collect();
    assert_eq!(running, [image("web", "v2"), image("web", "v2")]);
    assert!(
        tasks.iter().filter(|task| task.desired_status == "RUNNING").all(|task| task.is_healthy)
    );
}

/// argo-cd#11494 asks the other way round: commits that have nothing to do with a failed spec are no reason to send it again.
#[tokio::test(start_paused = true)]
async fn commits_beside_a_failed_spec_do_not_send_it_again() {
    let mut fleet = at_v1().await;
    fleet.image_exits(&image("web", "bad"));
    fleet.commit(&[version("bad")]).await;
    fleet.until("rolled back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
    fleet.pass(Duration::from_mins(2)).await;
    let mark = fleet.sandbox.call_count();
    for round in 0..6 {
        let readme = format!("kind: ConfigMap\nmetadata: {{name: r{round}}}\n");
        let text = match round % 3 {
            0 => version("bad").to_string(),
            1 => serde_json::to_string_pretty(&version("bad")).unwrap(),
            _ => with(version("bad"), "/metadata/labels", json!({ "round": round.to_string() }))
                .to_string(),
        };
        fleet.commit_files(&[("readme.yaml", &readme), ("web.json", &text)]).await;
        fleet.pass(Duration::from_mins(20)).await;
        if round % 2 == 1 {
            fleet.restart().await;
            fleet.pass(Duration::from_mins(2)).await;
        }
    }
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
    assert_eq!(fleet.holds("web"), [Reason::RolledBack]);
}

/// flagger#944: tasks that a scaling policy had added counted as a rollout that was late.
#[tokio::test(start_paused = true)]
async fn growth_is_no_late_rollout() {
    let check =
        json!({ "command": ["CMD", "true"], "interval": 5, "retries": 2, "startPeriod": 300 });
    let place = "/spec/taskDefinition/containerDefinitions/0/healthCheck";
    let scaled = with(version("v1"), place, check);
    let scaled = with(scaled, "/spec/scaling", json!({ "minCapacity": 2, "maxCapacity": 10 }));
    let mut fleet = Fleet::new().await;
    fleet.commit(&[with(scaled, "/spec/rollout", json!({ "timeout": "2m" }))]).await;
    fleet.until_ready("web").await;
    fleet.pass(Duration::from_mins(10)).await;
    // What is added from now on takes four minutes to be healthy.
    let slow = ImageBehaviour::SlowStart(Duration::from_mins(4));
    fleet.image_behaves(&image("web", "v1"), slow);
    fleet.console(
        "UpdateService",
        json!({ "cluster": "shop", "service": "web", "desiredCount": 8 }),
    );
    let mark = fleet.sandbox.call_count();
    for _ in 0..1200 {
        fleet.pass(Duration::from_secs(1)).await;
        let said = fleet.ready("web");
        assert_ne!(said.reason, Reason::ProgressDeadlineExceeded, "{}", said.message);
    }
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.service("web").unwrap().running, 8);
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"]);
    assert!(fleet.is_ready("web"));
}

/// flux2#5622 and kustomize-controller#701: what failed used up the places of what did not.
#[tokio::test(start_paused = true)]
async fn twenty_failing_services_do_not_delay_another() {
    let mut fleet = Fleet::new().await;
    let names: Vec<String> = (0..20).map(|number| format!("s{number}")).collect();
    let specs = |version: &str| -> Vec<Value> {
        names.iter().map(|name| counted(name, version, 1)).collect()
    };
    fleet.image_exits("*:bad");
    fleet.commit(&specs("v1")).await;
    fleet.commit(&[version("v1")]).await;
    fleet.until("all ready", |fleet| names.iter().all(|name| fleet.is_ready(name))).await;
    fleet.until_ready("web").await;
    fleet.commit(&specs("bad")).await;
    fleet
        .until("all fail", |fleet| names.iter().all(|name| fleet.image(name) == image(name, "bad")))
        .await;
    fleet.pass(Duration::from_secs(40)).await;
    let failing = names.iter().filter(|name| fleet.rollouts(name)[0] == "IN_PROGRESS").count();
    assert!(failing > 0, "none fails any more: the story proves nothing");
    fleet.commit(&[version("v2")]).await;
    fleet.pass(Duration::from_secs(5)).await;
    assert_eq!(fleet.image("web"), image("web", "v2"), "it waited");
}

/// ecspresso#929: a changed count and a new image were two updates, and so two deployments.
#[tokio::test(start_paused = true)]
async fn changes_of_one_commit_are_one_rollout() {
    let mut fleet = at_v1().await;
    let mark = fleet.sandbox.call_count();
    let percent = "/spec/service/deploymentConfiguration/maximumPercent";
    let spec = with(counted("web", "v2", 3), percent, json!(300));
    let subnets = "/spec/service/networkConfiguration/awsvpcConfiguration/subnets";
    fleet.commit(&[with(spec, subnets, json!(["subnet-1", "subnet-3"]))]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
    let updates = fleet.changes_since(mark);
    assert_eq!(updates.iter().filter(|one| *one == "UpdateService").count(), 1, "{updates:?}");
    let web = fleet.service("web").unwrap();
    assert_eq!((web.running, web.desired), (3, 3));
}

/// `PipeCD` takes 0 for "not said", so that nothing can be scaled to zero.
#[tokio::test(start_paused = true)]
async fn zero_tasks_are_asked_for_and_stay() {
    let mut fleet = at_v1().await;
    fleet.commit(&[counted("web", "v1", 0)]).await;
    fleet.until("none runs", |fleet| fleet.service("web").unwrap().running == 0).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.status("web").health, Health::Healthy);
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    fleet.console(
        "UpdateService",
        json!({ "cluster": "shop", "service": "web", "desiredCount": 4 }),
    );
    fleet.until("zero again", |fleet| fleet.service("web").unwrap().desired == 0).await;
    fleet.commit(&[counted("web", "v2", 0)]).await;
    fleet.until("v2", |fleet| fleet.image("web") == image("web", "v2")).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.service("web").unwrap().running, 0);
}

/// pipecd#4692 and #5813, ecspresso#549: tags were lost by a rollback, or those of others by a rollout.
#[tokio::test(start_paused = true)]
async fn a_rollback_loses_no_tags() {
    let mut fleet = Fleet::new().await;
    let tagged = |name: &str| {
        with(version(name), "/spec/service/tags", json!([{ "key": "team", "value": "shop" }]))
    };
    fleet.commit(&[tagged("v1")]).await;
    fleet.until_ready("web").await;
    let described =
        fleet.console("DescribeServices", json!({ "cluster": "shop", "services": ["web"] }));
    let arn = described["services"][0]["serviceArn"].clone();
    let others = json!([{ "key": "cost-centre", "value": "7" }]);
    fleet.console("TagResource", json!({ "resourceArn": arn, "tags": others }));
    fleet.image_exits(&image("web", "bad"));
    fleet.commit(&[tagged("bad")]).await;
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.until("back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
    let kept = |fleet: &Fleet| {
        for (key, value) in [
            ("team", "shop"),
            ("cost-centre", "7"),
            ("longshore.dev/owner", "test"),
            ("longshore.dev/source", "fleet"),
            ("longshore.dev/deletion-policy", "Delete"),
        ] {
            assert_eq!(fleet.tag("web", key).as_deref(), Some(value), "{key}");
        }
    };
    kept(&fleet);
    fleet.commit(&[tagged("v2")]).await;
    fleet.until_ready("web").await;
    kept(&fleet);
}

/// argo-cd#25451 and #28090: histories grew until a list of applications was 187 MB.
#[tokio::test(start_paused = true)]
async fn forty_releases_leave_a_short_history() {
    let mut fleet =
        Fleet::with(FleetOptions { keep: Keep::Directory, ..FleetOptions::default() }).await;
    for number in 0..40 {
        let name = format!("v{number}");
        fleet.commit(&[version(&name)]).await;
        fleet.until_ready("web").await;
    }
    fleet.pass(Duration::from_mins(2)).await;
    let past = fleet.past("web").await;
    assert_eq!(past.len(), 20);
    assert_eq!(past[0].task_definition, "shop-web:40", "the newest stay");
    let status = fleet.status("web");
    assert_eq!(status.history.len(), 20);
    assert_eq!(status.history[0].spec_hash, fleet.spec_hash("web"));
    let size = serde_json::to_vec(&status).unwrap().len();
    assert!(size < 32 * 1024, "{size} bytes");
}

/// argo-cd#9472: with each commit to a repository all its applications turned `Unknown` and back, each with a notification.
#[tokio::test(start_paused = true)]
async fn a_commit_to_one_service_moves_the_status_of_no_other() {
    let mut fleet = Fleet::new().await;
    let names: Vec<String> = (0..12).map(|number| format!("s{number}")).collect();
    let specs: Vec<Value> = names.iter().map(|name| counted(name, "v1", 1)).collect();
    fleet.commit(&specs).await;
    fleet.until("all ready", |fleet| names.iter().all(|name| fleet.is_ready(name))).await;
    fleet.pass(Duration::from_mins(5)).await;
    let said = |fleet: &Fleet| -> Vec<_> {
        let others = names.iter().map(|name| fleet.status(name));
        others.map(|status| (status.sync, status.health, status.conditions)).collect()
    };
    let events = |fleet: &Fleet| -> usize {
        names.iter().map(|name| fleet.statuses.events_of(&Fleet::key(name), 1000).len()).sum()
    };
    let (before, told) = (said(&fleet), events(&fleet));
    for name in ["v1", "v2", "v3"] {
        fleet.commit(&[version(name)]).await;
        for _ in 0..120 {
            fleet.pass(Duration::from_secs(1)).await;
            assert_eq!(said(&fleet), before);
        }
    }
    assert_eq!(events(&fleet), told);
    assert!(fleet.status("web").condition(ConditionType::Ready).is_some(), "{}", fleet.describe());
    fleet.until_ready("web").await;
}

/// When a task of the newest revision that ran has ended.
fn has_crashed(fleet: &Fleet) -> bool {
    let wanted = fleet.service("web").unwrap().task_definition;
    let tasks = fleet.sandbox.look(fleet.now(), sandbox::Region::tasks);
    tasks.iter().any(|task| {
        task.task_definition == wanted && task.last_status == "STOPPED" && task.started.is_some()
    })
}

/// copilot-cli#1879: tasks that start and die a moment later are no failed tasks to ECS, and the tool waited without a word.
#[tokio::test(start_paused = true)]
async fn tasks_that_start_and_die_are_explained_within_two_looks_and_while_it_goes_on() {
    let configuration = "/spec/service/deploymentConfiguration";
    for (least, most) in [(100, 200), (50, 150), (0, 100)] {
        let spec = |name: &str| {
            let spec = with(version(name), "/spec/rollout/timeout", json!("5m"));
            let spec = with(spec, &format!("{configuration}/minimumHealthyPercent"), json!(least));
            with(spec, &format!("{configuration}/maximumPercent"), json!(most))
        };
        let mut fleet = Fleet::new().await;
        fleet.commit(&[spec("v1")]).await;
        fleet.until_ready("web").await;
        let crash = ImageBehaviour::Exits { code: 3, after: Duration::from_secs(10), oom: false };
        fleet.image_behaves(&image("web", "bad"), crash);
        fleet.commit(&[spec("bad")]).await;
        fleet.until("a task has died", has_crashed).await;
        let died = fleet.now();
        let is_told = |fleet: &Fleet| {
            let message = fleet.ready("web").message;
            message.contains("stopped: container app exited with 3: read the container's log")
        };
        fleet.until("told", is_told).await;
        let took = fleet.now().duration_since(died).as_secs();
        assert!(took <= 10, "{least}/{most}: {took} s");
        let mut late = false;
        for second in 0..600 {
            fleet.pass(Duration::from_secs(1)).await;
            assert!(is_told(&fleet), "{least}/{most} after {second} s\n{}", fleet.describe());
            let web = fleet.service("web").unwrap();
            assert!(least < 100 || web.running >= web.desired, "a gap");
            late |= fleet.ready("web").reason == Reason::ProgressDeadlineExceeded;
        }
        assert!(late, "{}", fleet.describe());
        assert_eq!(fleet.status("web").health, Health::Degraded);
        let shown = json!({ "cluster": "shop", "services": ["web"] });
        let shown = fleet.console("DescribeServices", shown)["services"][0].clone();
        assert_eq!(shown["deployments"][0]["failedTasks"], 0, "ECS counts none of them");
        assert_eq!(fleet.rollouts("web"), ["IN_PROGRESS", "SUCCESSFUL"], "and goes on");
        fleet.commit(&[spec("v2")]).await;
        fleet.until_ready("web").await;
    }
}
