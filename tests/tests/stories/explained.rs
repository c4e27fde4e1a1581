//! Why a rollout failed is told by whoever knows it, stays told, and costs nothing where nothing fails.

use std::time::Duration;

use crds::{Health, Reason, ReleaseOutcome};
use longshore_tests::specs::{image, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::ImageBehaviour;
use serde_json::{Value, json};

const ALARMS: &str = "/spec/service/deploymentConfiguration/alarms";

/// A load balancer in front of the target group `web`. ECS takes its time between what a check says and what it does.
const FIXTURES: &str = "
clusters: [{name: shop}]
latency: 8ms
timings: {scheduler: 20s}
targetGroups: [{name: web, deregistrationDelaySeconds: 10}]
loadBalancers:
- name: public
  listeners: [{port: 443, forward: [{targetGroup: web, weight: 1}]}]
";

async fn world() -> Fleet {
    let (fixtures, interval) = (FIXTURES.to_owned(), Duration::from_mins(5));
    let keep = Keep::Directory;
    Fleet::with(FleetOptions { fixtures, keep, interval, ..FleetOptions::default() }).await
}

/// A version of `web` behind the load balancer.
fn version(fleet: &Fleet, name: &str) -> Value {
    let group = fleet.sandbox.look(fleet.now(), |region| region.target_group_arn("web"));
    let entry = json!([{ "targetGroupArn": group, "containerName": "app", "containerPort": 8080 }]);
    with(service("web", &image("web", name)), "/spec/service/loadBalancers", entry)
}

/// How often since `mark` somebody asked for what only explains.
fn questions(fleet: &Fleet, mark: usize) -> usize {
    let asks = ["ListTasks", "DescribeTasks", "DescribeTargetHealth", "DescribeAlarms"];
    fleet.sandbox.calls_of(mark, |_, operation| asks.contains(&operation)).len()
}

/// The rollout of `web` was undone, and for hours, and through a restart, the status and the history say why.
async fn stays_explained(fleet: &mut Fleet, why: &[&str]) {
    fleet.until("back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.pass(Duration::from_mins(1)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    let said = fleet.ready("web").message;
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_hours(3)).await;
    fleet.restart().await;
    fleet.pass(Duration::from_hours(1)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.ready("web").message, said);
    assert_eq!(fleet.status("web").health, Health::Degraded);
    assert_eq!(questions(fleet, mark), 0, "it is known already");
    let past = fleet.past("web").await;
    assert_eq!(past[0].outcome, ReleaseOutcome::RolledBack);
    let kept = past[0].reason.as_deref().unwrap();
    for part in why {
        assert!(said.contains(part), "{part} not in {said}");
        assert!(kept.contains(part), "{part} not in {kept}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_goes_well_is_not_explained_and_costs_no_call_for_it() {
    let mut fleet = world().await;
    fleet.commit(&[version(&fleet, "v1")]).await;
    fleet.until_ready("web").await;
    fleet.pass(Duration::from_mins(1)).await;
    let mark = fleet.sandbox.call_count();
    fleet.commit(&[version(&fleet, "v2")]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    fleet.pass(Duration::from_mins(30)).await;
    let calls = fleet.sandbox.calls_since(mark);
    assert_eq!(questions(&fleet, mark), 0, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn targets_that_fail_their_check_are_told_in_the_load_balancers_words() {
    let mut fleet = world().await;
    fleet.commit(&[version(&fleet, "v1")]).await;
    fleet.until_ready("web").await;
    fleet.image_behaves(&image("web", "bad"), ImageBehaviour::Unhealthy);
    fleet.commit(&[version(&fleet, "bad")]).await;
    let words = "[Elastic Load Balancing: Health checks failed]";
    fleet.until("told", |fleet| fleet.ready("web").message.contains(words)).await;
    assert_eq!(fleet.rollouts("web")[0], "IN_PROGRESS", "while it goes on");
    let why = ["target group `web`", "the health check cannot connect", words];
    stays_explained(&mut fleet, &why).await;
}

#[tokio::test(start_paused = true)]
async fn the_alarm_that_rings_during_a_rollout_is_named() {
    let mut fleet = world().await;
    let alarm = json!({
        "AlarmName": "5xx", "MetricName": "m", "Namespace": "n", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold", "Statistic": "Sum",
    });
    fleet.console_of("monitoring", "PutMetricAlarm", alarm);
    let alarms = json!({ "alarmNames": ["5xx"], "enable": true, "rollback": true });
    fleet.commit(&[with(version(&fleet, "v1"), ALARMS, alarms.clone())]).await;
    fleet.until_ready("web").await;
    fleet.commit(&[with(version(&fleet, "v2"), ALARMS, alarms)]).await;
    fleet.until("v2 rolls", |fleet| fleet.rollouts("web") == ["IN_PROGRESS", "SUCCESSFUL"]).await;
    fleet.pass(Duration::from_mins(2)).await;
    assert_eq!(fleet.rollouts("web")[0], "IN_PROGRESS", "it bakes");
    fleet.sandbox.edit(fleet.now(), |region| region.set_alarm("5xx", true));
    fleet.until("back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
    fleet.pass(Duration::from_mins(1)).await;
    // What was measured is history soon, and the sentence stays.
    fleet.sandbox.edit(fleet.now(), |region| region.set_alarm("5xx", false));
    let why = ["because of alarm(s)", "the alarm `5xx` rang", "[CloudWatch: set by a test]"];
    stays_explained(&mut fleet, &why).await;
    assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
}
