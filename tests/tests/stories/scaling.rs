//! Application Auto Scaling, from Git to AWS and back.

use std::time::Duration;

use crds::{DeletionPolicy, Reason, SyncPolicy};
use longshore_tests::specs::{counted, image, service, with};
use longshore_tests::{Fleet, FleetOptions};
use serde_json::{Value, json};

const TAG: &str = "longshore.dev/scaling";

fn block() -> Value {
    json!({
        "minCapacity": 2, "maxCapacity": 10,
        "targetTracking": [
            { "name": "cpu", "predefinedMetric": "ECSServiceAverageCPUUtilization", "targetValue": 60 },
        ],
        "step": [{
            "name": "out", "adjustmentType": "ChangeInCapacity",
            "steps": [{ "metricIntervalLowerBound": 0, "scalingAdjustment": 3 }],
            "alarm": {
                "metricName": "Depth", "namespace": "Shop", "statistic": "Sum", "period": 60, "threshold": 100,
                "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1,
            },
        }],
    })
}

fn scaled(version: &str, block: Value) -> Value {
    with(service("web", &image("web", version)), "/spec/scaling", block)
}

fn call(fleet: &Fleet, api: &str, operation: &str, input: Value) -> Value {
    fleet
        .sandbox
        .call(fleet.now(), api, operation, input)
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn scaling(fleet: &Fleet, operation: &str, mut input: Value) -> Value {
    input["ServiceNamespace"] = json!("ecs");
    call(fleet, "application-autoscaling", operation, input)
}

fn of_web(mut input: Value) -> Value {
    input["ResourceId"] = json!("service/shop/web");
    input["ScalableDimension"] = json!("ecs:service:DesiredCount");
    input
}

/// The bounds that are registered for `web`.
fn bounds(fleet: &Fleet) -> Option<(i64, i64)> {
    let answer = scaling(fleet, "DescribeScalableTargets", json!({}));
    let target = answer["ScalableTargets"].as_array()?.first()?.clone();
    Some((target["MinCapacity"].as_i64()?, target["MaxCapacity"].as_i64()?))
}

fn policies(fleet: &Fleet) -> Vec<String> {
    let answer = scaling(fleet, "DescribeScalingPolicies", json!({}));
    let policies = answer["ScalingPolicies"].as_array().unwrap();
    policies.iter().map(|policy| policy["PolicyName"].as_str().unwrap().to_owned()).collect()
}

/// The alarms of ours.
fn alarms(fleet: &Fleet) -> Vec<Value> {
    let answer =
        call(fleet, "monitoring", "DescribeAlarms", json!({ "AlarmNamePrefix": "longshore/" }));
    answer["MetricAlarms"].as_array().unwrap().clone()
}

fn desired_count(fleet: &Fleet) -> i64 {
    fleet.service("web").unwrap().desired
}

async fn settled(block: Value) -> Fleet {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[scaled("v1", block)]).await;
    fleet.until_ready("web").await;
    fleet
}

#[tokio::test(start_paused = true)]
async fn a_service_is_created_with_its_scaling_and_then_there_is_nothing_to_do() {
    let fleet = settled(block()).await;
    assert_eq!(bounds(&fleet), Some((2, 10)));
    assert_eq!(policies(&fleet), ["cpu", "out"]);
    let alarms = alarms(&fleet);
    assert_eq!(alarms[0]["AlarmName"], "longshore/shop/web/out");
    assert_eq!(alarms[0]["AlarmActions"].as_array().unwrap().len(), 1);
    assert_eq!(fleet.tag("web", TAG).as_deref(), Some("2-10"));
    assert_eq!(fleet.plan("web").await.actions, []);
    let said = fleet.status("web").scaling.unwrap();
    assert_eq!((said.min, said.max, said.current), (2, 10, 2));
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_hours(1)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_rollout_keeps_the_count_that_a_surge_has_set() {
    let mut fleet = settled(block()).await;
    let state = json!({ "AlarmName": "longshore/shop/web/out", "StateValue": "ALARM", "StateReason": "surge" });
    call(&fleet, "monitoring", "SetAlarmState", state);
    assert_eq!(desired_count(&fleet), 5);
    fleet.commit(&[scaled("v2", block())]).await;
    fleet.pass(Duration::from_secs(20)).await;
    assert_eq!(desired_count(&fleet), 5);
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(desired_count(&fleet), 5);
    fleet.until("said", |fleet| fleet.status("web").scaling.unwrap().current == 5).await;
    let said = fleet.status("web").scaling.unwrap();
    assert!(said.activities[0].cause.contains("longshore/shop/web/out"), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn bounds_that_were_changed_at_the_console_are_put_right() {
    let fleet = settled(block()).await;
    scaling(
        &fleet,
        "RegisterScalableTarget",
        of_web(json!({ "MinCapacity": 4, "MaxCapacity": 40 })),
    );
    fleet.until("bounds", |fleet| bounds(fleet) == Some((2, 10))).await;
    // The count was moved into the wrong bounds by AWS, and is not ours to move back.
    assert_eq!(desired_count(&fleet), 4);
}

#[tokio::test(start_paused = true)]
async fn with_self_heal_off_they_are_only_shown() {
    let mut fleet = Fleet::new().await;
    let spec = with(scaled("v1", block()), "/spec/sync", json!({ "selfHeal": false }));
    fleet.commit(&[spec]).await;
    fleet.until_ready("web").await;
    scaling(&fleet, "RegisterScalableTarget", of_web(json!({ "MaxCapacity": 40 })));
    fleet.until("held", |fleet| fleet.holds("web") == [Reason::SelfHealOff]).await;
    assert_eq!(bounds(&fleet), Some((2, 40)));
}

#[tokio::test(start_paused = true)]
async fn what_a_scheduled_action_set_stays() {
    // Worlds begin at midnight.
    let night = json!({
        "minCapacity": 2, "maxCapacity": 10,
        "scheduled": [
            { "name": "evening", "schedule": "cron(0 1 * * ? *)", "minCapacity": 1, "maxCapacity": 1 },
            { "name": "morning", "schedule": "cron(0 6 * * ? *)", "minCapacity": 3, "maxCapacity": 10 },
        ],
    });
    let fleet = settled(night).await;
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_hours(2)).await;
    assert_eq!((bounds(&fleet), desired_count(&fleet)), (Some((1, 1)), 1));
    fleet.pass(Duration::from_hours(5)).await;
    assert_eq!((bounds(&fleet), desired_count(&fleet)), (Some((3, 10)), 3));
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    let said = fleet.status("web").scaling.unwrap();
    assert_eq!((said.min, said.max, said.current), (3, 10, 3));
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_leaves_the_spec_goes_with_its_alarm() {
    let mut fleet = settled(block()).await;
    let mut lean = block();
    lean.as_object_mut().unwrap().remove("step");
    fleet.commit(&[scaled("v1", lean)]).await;
    fleet.until("removed", |fleet| policies(fleet) == ["cpu"]).await;
    assert_eq!(alarms(&fleet), [Value::Null; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_somebody_added_beside_the_block_goes() {
    let fleet = settled(block()).await;
    let policy = json!({
        "PolicyName": "memory", "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 50,
            "PredefinedMetricSpecification": { "PredefinedMetricType": "ECSServiceAverageMemoryUtilization" },
        },
    });
    scaling(&fleet, "PutScalingPolicy", of_web(policy));
    fleet.until("removed", |fleet| policies(fleet) == ["cpu", "out"]).await;
}

#[tokio::test(start_paused = true)]
async fn the_alarm_of_a_step_policy_follows_the_spec() {
    let mut fleet = settled(block()).await;
    let mut higher = block();
    higher["step"][0]["alarm"]["threshold"] = json!(250);
    fleet.commit(&[scaled("v1", higher)]).await;
    fleet.until("raised", |fleet| alarms(fleet)[0]["Threshold"] == json!(250.0)).await;
    let names = json!({ "AlarmNames": ["longshore/shop/web/out"] });
    call(&fleet, "monitoring", "DeleteAlarms", names);
    fleet.until("made again", |fleet| alarms(fleet).len() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_block_that_leaves_the_spec_takes_its_scaling_along() {
    let mut fleet = settled(block()).await;
    fleet.commit(&[counted("web", "v1", 4)]).await;
    fleet.until("removed", |fleet| bounds(fleet).is_none()).await;
    fleet.until_ready("web").await;
    assert_eq!(alarms(&fleet), [Value::Null; 0]);
    assert_eq!(fleet.tag("web", TAG), None);
    assert_eq!(desired_count(&fleet), 4);
}

#[tokio::test(start_paused = true)]
async fn scaling_of_others_is_left_alone_without_a_block() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[counted("web", "v1", 2)]).await;
    fleet.until_ready("web").await;
    scaling(
        &fleet,
        "RegisterScalableTarget",
        of_web(json!({ "MinCapacity": 1, "MaxCapacity": 9 })),
    );
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_hours(1)).await;
    fleet.commit(&[counted("web", "v2", 2)]).await;
    fleet.until_ready("web").await;
    assert_eq!(bounds(&fleet), Some((1, 9)));
    let calls = fleet.sandbox.calls_since(mark);
    let of_operator = calls.iter().filter(|call| call.api == "application-autoscaling");
    assert_eq!(of_operator.filter(|call| call.operation != "DescribeScalableTargets").count(), 0);
}

#[tokio::test(start_paused = true)]
async fn taking_over_a_service_whose_scaling_is_right_changes_tags_only() {
    let mut fleet = settled(block()).await;
    let tags: Vec<&str> =
        ["owner", "source", "commit", "spec-hash", "deletion-policy", "scaling"].to_vec();
    let keys: Vec<String> = tags.iter().map(|tag| format!("longshore.dev/{tag}")).collect();
    let arn = fleet.console("DescribeServices", json!({ "cluster": "shop", "services": ["web"] }))
        ["services"][0]["serviceArn"]
        .clone();
    fleet.kill().await;
    fleet.console("UntagResource", json!({ "resourceArn": arn, "tagKeys": keys }));
    let mark = fleet.sandbox.call_count();
    let spec = with(scaled("v1", block()), "/spec/sync", json!({ "adopt": true }));
    fleet.restart().await;
    fleet.commit(&[spec]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.changes_since(mark), ["TagResource"]);
    assert_eq!(fleet.tag("web", TAG).as_deref(), Some("2-10"));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_deleted_leaves_no_scaling_behind() {
    let policy = SyncPolicy {
        prune: Some(true),
        deletion_policy: Some(DeletionPolicy::Delete),
        ..SyncPolicy::default()
    };
    let mut fleet = Fleet::with(FleetOptions { policy, ..FleetOptions::default() }).await;
    fleet.commit(&[scaled("v1", block()), counted("other", "v1", 1)]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("other").await;
    fleet.remove(&["web"]).await;
    fleet.until("deleted", |fleet| fleet.living("web").is_none()).await;
    assert_eq!((bounds(&fleet), alarms(&fleet)), (None, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_suspended_service_keeps_the_scaling_it_has() {
    let mut fleet = settled(block()).await;
    let mut wider = block();
    wider["maxCapacity"] = json!(20);
    let spec = with(scaled("v1", wider.clone()), "/spec/sync", json!({ "suspend": true }));
    fleet.commit(&[spec]).await;
    fleet.until("held", |fleet| fleet.holds("web").contains(&Reason::Suspended)).await;
    assert_eq!(bounds(&fleet), Some((2, 10)));
    fleet.commit(&[scaled("v1", wider)]).await;
    fleet.until("widened", |fleet| bounds(fleet) == Some((2, 20))).await;
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_dies_between_any_two_calls_ends_where_the_other_would() {
    for calls in 1..8 {
        let mut fleet = Fleet::new().await;
        fleet.commit(&[scaled("v1", block())]).await;
        fleet.until("so many changes", |fleet| fleet.changes_since(0).len() >= calls).await;
        fleet.restart().await;
        fleet.until_ready("web").await;
        fleet.until("settled", |fleet| fleet.tag("web", TAG).as_deref() == Some("2-10")).await;
        assert_eq!(bounds(&fleet), Some((2, 10)), "{calls}");
        assert_eq!(policies(&fleet), ["cpu", "out"], "{calls}");
        assert_eq!(alarms(&fleet).len(), 1, "{calls}");
        assert_eq!(fleet.rollouts("web").len(), 1, "{calls}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_fails_changes_nothing() {
    let fleet = settled(block()).await;
    let mark = fleet.sandbox.call_count();
    let kind = sandbox::FaultKind::Error {
        code: "AccessDeniedException".to_owned(),
        message: "not authorized".to_owned(),
        status: 400,
    };
    let fault = sandbox::Fault::once("application-autoscaling", "DescribeScalingPolicies", kind);
    fleet.sandbox.inject(sandbox::Fault { times: None, ..fault });
    fleet.until_unready("web", Reason::AccessDenied).await;
    fleet.pass(Duration::from_hours(1)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_scaled_services_cost_a_call_a_minute_more() {
    let mut fleet = Fleet::new().await;
    let names: Vec<String> = (0..100).map(|number| format!("s{number}")).collect();
    let scaling = json!({ "minCapacity": 1, "maxCapacity": 4, "targetTracking": [
        { "name": "cpu", "predefinedMetric": "ECSServiceAverageCPUUtilization", "targetValue": 60 }] });
    let specs: Vec<Value> = names
        .iter()
        .map(|name| with(counted(name, "v1", 1), "/spec/scaling", scaling.clone()))
        .collect();
    fleet.commit(&specs).await;
    fleet.until("all ready", |fleet| names.iter().all(|name| fleet.is_ready(name))).await;
    fleet.pass(Duration::from_mins(20)).await;
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_hours(1)).await;
    let calls = fleet.sandbox.calls_since(mark);
    let of = |api: &str| calls.iter().filter(|call| call.api == api).count();
    let passes = calls.iter().filter(|call| call.operation == "DescribeServices").count() / 10;
    println!(
        "{passes} passes, {} calls, {} of scaling",
        calls.len(),
        of("application-autoscaling")
    );
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert!(of("application-autoscaling") >= 14, "it does look");
    assert!(calls.len() <= 12 * passes, "{} reads in {passes} passes", calls.len());
}
