//! Rollouts that no waiting can mend are stopped at once, told in a sentence, and not tried again.

use std::time::Duration;

use controller::orders::Ask;
use crds::{Health, Reason, ReleaseOutcome, Verb};
use longshore_tests::specs::{image, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::{ImageBehaviour, Region};
use serde_json::{Value, json};

const CONFIGURATION: &str = "/spec/service/deploymentConfiguration";

async fn fleet() -> Fleet {
    let interval = Duration::from_mins(5);
    Fleet::with(FleetOptions { keep: Keep::Directory, interval, ..FleetOptions::default() }).await
}

/// A version without ECS's circuit breaker: whatever stops it is Longshore.
fn version(name: &str, configuration: &Value) -> Value {
    with(service("web", &image("web", name)), CONFIGURATION, configuration.clone())
}

fn rolling() -> Value {
    json!({ "strategy": "ROLLING" })
}

async fn at_v1(configuration: &Value) -> Fleet {
    let mut fleet = fleet().await;
    fleet.commit(&[version("v1", configuration)]).await;
    fleet.until_ready("web").await;
    fleet.image_behaves(&image("web", "gone"), ImageBehaviour::NotFound);
    fleet
}

async fn nothing_changes_for(fleet: &Fleet, time: Duration) {
    let mark = fleet.sandbox.call_count();
    fleet.pass(time).await;
    assert_eq!(fleet.changes_since(mark), [""; 0], "{}", fleet.describe());
}

/// When the first task of the newest revision stopped.
fn first_failure(fleet: &Fleet) -> bool {
    let wanted = fleet.service("web").unwrap().task_definition;
    let tasks = fleet.sandbox.look(fleet.now(), Region::tasks);
    tasks.iter().any(|task| task.task_definition == wanted && task.last_status == "STOPPED")
}

/// ECS's list shows the rollback while its records still show the rollout: that is no reason to begin it again.
#[tokio::test(start_paused = true)]
async fn reads_that_come_late_have_nothing_sent_again() {
    let blue_green = json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0 });
    for configuration in [rolling(), blue_green] {
        for lag in [7, 20] {
            let mut fleet = at_v1(&configuration).await;
            let lag = Duration::from_secs(lag);
            fleet.sandbox.edit(fleet.now(), |region| region.set_read_lag(lag));
            let mark = fleet.sandbox.call_count();
            fleet.commit(&[version("gone", &configuration)]).await;
            fleet.until_stalled("web", Reason::RolledBack).await;
            fleet.until("back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
            fleet.pass(Duration::from_hours(1)).await;
            let told = format!("{configuration} {lag:?}");
            assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"], "{told}");
            let updates = fleet.changes_since(mark);
            assert_eq!(updates.iter().filter(|call| *call == "UpdateService").count(), 1, "{told}");
        }
    }
}

/// The service shows that somebody went back before any record says so.
#[tokio::test(start_paused = true)]
async fn a_rollback_whose_record_comes_late_is_not_sent_over() {
    for lag in [7, 20] {
        let mut fleet = at_v1(&rolling()).await;
        let lag = Duration::from_secs(lag);
        fleet.sandbox.edit(fleet.now(), |region| region.set_record_lag(lag));
        let mark = fleet.sandbox.call_count();
        fleet.commit(&[version("v2", &rolling())]).await;
        fleet.until("it is sent", |fleet| fleet.rollouts("web").len() == 2).await;
        let arn = fleet.service("web").unwrap().newest_record;
        fleet.console(
            "StopServiceDeployment",
            json!({ "serviceDeploymentArn": arn, "stopType": "ROLLBACK" }),
        );
        fleet.until_stalled("web", Reason::RolledBack).await;
        fleet.pass(Duration::from_hours(1)).await;
        assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"], "{lag:?}");
        let updates = fleet.changes_since(mark);
        assert_eq!(updates.iter().filter(|call| *call == "UpdateService").count(), 1, "{lag:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_not_there_stops_the_rollout_within_two_looks() {
    let canary = json!({
        "strategy": "CANARY", "bakeTimeInMinutes": 0,
        "canaryConfiguration": { "canaryPercent": 10.0, "canaryBakeTimeInMinutes": 1 },
    });
    let blue_green = json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0 });
    for configuration in [rolling(), blue_green, canary] {
        let mut fleet = at_v1(&configuration).await;
        let mark = fleet.sandbox.call_count();
        fleet.commit(&[version("gone", &configuration)]).await;
        fleet.until("a task has failed", first_failure).await;
        let failed = fleet.now();
        fleet
            .until("stopped", |fleet| {
                fleet.changes_since(mark).contains(&"StopServiceDeployment".to_owned())
            })
            .await;
        // A young rollout is looked at every five seconds.
        let took = fleet.now().duration_since(failed).as_secs();
        assert!(took <= 10, "{configuration}: {took} s");
        fleet.until("back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
        fleet.until_stalled("web", Reason::RolledBack).await;
        let stops = fleet.changes_since(mark);
        assert_eq!(stops.iter().filter(|call| *call == "StopServiceDeployment").count(), 1);
        // ECS forgets its stopped tasks; the sentence stays, through a restart as well.
        nothing_changes_for(&fleet, Duration::from_hours(3)).await;
        fleet.restart().await;
        nothing_changes_for(&fleet, Duration::from_hours(3)).await;
        let said = fleet.ready("web").message;
        assert!(said.contains("Longshore stopped it"), "{said}");
        assert!(said.contains("the image is not in its registry: push it"), "{said}");
        assert_eq!(fleet.status("web").health, Health::Degraded);
        assert_eq!(fleet.holds("web"), [Reason::RolledBack]);
        assert_eq!(fleet.image("web"), image("web", "v1"));
        assert_eq!(fleet.service("web").unwrap().running, 2);
        let past = fleet.past("web").await;
        assert_eq!(past[0].outcome, ReleaseOutcome::RolledBack);
        assert!(past[0].reason.as_deref().unwrap().contains("not in its registry"), "{past:?}");
        fleet.commit(&[version("v2", &configuration)]).await;
        fleet.until_ready("web").await;
        assert_eq!(fleet.image("web"), image("web", "v2"));
        assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_spec_that_was_stopped_is_tried_again_when_it_is_released() {
    let mut fleet = at_v1(&rolling()).await;
    fleet.commit(&[version("gone", &rolling())]).await;
    fleet.until("back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.image_behaves(&image("web", "gone"), ImageBehaviour::Runs);
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "gone"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
}

#[tokio::test(start_paused = true)]
async fn a_first_deployment_has_nothing_to_go_back_to_and_is_left_and_told() {
    let mut fleet = fleet().await;
    fleet.image_behaves(&image("web", "gone"), ImageBehaviour::NotFound);
    fleet.commit(&[version("gone", &rolling())]).await;
    fleet.until_stalled("web", Reason::RolloutHopeless).await;
    nothing_changes_for(&fleet, Duration::from_mins(50)).await;
    let said = fleet.ready("web").message;
    assert!(said.contains("the image is not in its registry"), "{said}");
    assert!(said.contains("nothing to go back to"), "{said}");
    assert_eq!(fleet.status("web").health, Health::Degraded);
    assert_eq!(fleet.service("web").unwrap().desired, 2, "nothing is scaled");
    // The image is pushed, and ECS's next try finds it.
    fleet.image_behaves(&image("web", "gone"), ImageBehaviour::Runs);
    fleet.until_ready("web").await;
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"]);
}

#[tokio::test(start_paused = true)]
async fn a_spec_may_want_its_hopeless_rollouts_left() {
    let mut fleet = at_v1(&rolling()).await;
    let spec = with(version("gone", &rolling()), "/spec/rollout/onFailure", json!("hold"));
    fleet.commit(&[spec]).await;
    fleet.until_stalled("web", Reason::RolloutHopeless).await;
    nothing_changes_for(&fleet, Duration::from_mins(50)).await;
    assert_eq!(fleet.rollouts("web"), ["IN_PROGRESS", "SUCCESSFUL"]);
    assert_eq!(fleet.status("web").health, Health::Degraded);
    assert_eq!(fleet.service("web").unwrap().running, 2, "the old tasks stay");
    // A newer spec does not wait for it.
    fleet.commit(&[version("v2", &rolling())]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_task_of_a_service_that_rolls_nothing_stops_nothing() {
    let mut fleet = at_v1(&rolling()).await;
    fleet.image_behaves(&image("web", "v1"), ImageBehaviour::NotFound);
    let mark = fleet.sandbox.call_count();
    let tasks = fleet.sandbox.look(fleet.now(), Region::tasks);
    let task = tasks.iter().find(|task| task.last_status == "RUNNING").unwrap();
    fleet.console("StopTask", json!({ "cluster": "shop", "task": task.arn }));
    fleet.until_unready("web", Reason::TasksMissing).await;
    fleet.pass(Duration::from_mins(30)).await;
    let said = fleet.ready("web").message;
    assert!(said.contains("1 of 2 tasks run"), "{said}");
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"]);
    fleet.image_behaves(&image("web", "v1"), ImageBehaviour::Runs);
    fleet.commit(&[version("v1", &rolling())]).await;
    fleet.until_ready("web").await;
}

#[tokio::test(start_paused = true)]
async fn a_rollout_without_room_waits_says_so_and_finishes_when_there_is() {
    let fixtures =
        "clusters: [{name: shop, instances: [{count: 1, cpu: 512, memory: 1024}]}]\nlatency: 8ms\n";
    let mut fleet =
        Fleet::with(FleetOptions { fixtures: fixtures.to_owned(), ..FleetOptions::default() })
            .await;
    let spec = |version: &str, count: i64| {
        let container =
            json!([{ "name": "app", "image": image("web", version), "cpu": 200, "memory": 200 }]);
        json!({
            "apiVersion": "longshore.dev/v1alpha1", "kind": "Service", "metadata": { "name": "web" },
            "spec": {
                "cluster": "shop", "taskDefinition": { "containerDefinitions": container },
                "service": { "launchType": "EC2", "desiredCount": count,
                    "deploymentConfiguration": { "strategy": "ROLLING" } },
            },
        })
    };
    fleet.commit(&[spec("v1", 2)]).await;
    fleet.until_ready("web").await;
    fleet.commit(&[spec("v2", 2)]).await;
    fleet
        .until("told", |fleet| fleet.ready("web").message.contains("no container instance has"))
        .await;
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_mins(40)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0], "what has no room waits");
    assert_eq!(fleet.rollouts("web"), ["IN_PROGRESS", "SUCCESSFUL"]);
    assert_eq!(fleet.service("web").unwrap().running, 2);
    // A smaller service leaves room.
    fleet.commit(&[spec("v2", 1)]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

#[tokio::test(start_paused = true)]
async fn while_it_cannot_be_written_down_why_nothing_is_stopped() {
    let fixtures = "clusters: [{name: shop}]\nbuckets: [{name: specs}]\nlatency: 8ms\n".to_owned();
    let mut fleet =
        Fleet::with(FleetOptions { keep: Keep::Bucket, fixtures, ..FleetOptions::default() }).await;
    fleet.commit(&[version("v1", &rolling())]).await;
    fleet.until_ready("web").await;
    fleet.image_behaves(&image("web", "gone"), ImageBehaviour::NotFound);
    let kind = sandbox::FaultKind::Error {
        code: "AccessDenied".to_owned(),
        message: "no".to_owned(),
        status: 403,
    };
    let fault = sandbox::Fault { times: None, ..sandbox::Fault::once("s3", "PutObject", kind) };
    fleet.sandbox.inject(fault);
    fleet.commit(&[version("gone", &rolling())]).await;
    fleet.until_stalled("web", Reason::StateUnknown).await;
    nothing_changes_for(&fleet, Duration::from_mins(5)).await;
    fleet.sandbox.clear_faults();
    fleet.until("back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
    fleet.pass(Duration::from_mins(2)).await;
    assert!(fleet.past("web").await[0].reason.as_deref().unwrap().contains("Longshore stopped it"));
}
