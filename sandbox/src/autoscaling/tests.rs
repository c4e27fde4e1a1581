//! The rules of aws.md §5.

use jiff::SignedDuration;
use serde_json::json;

use super::*;

/// One service, `prod/web`.
struct Services {
    desired: i64,
    running: i64,
    deploying: bool,
    sets: Vec<i64>,
}

impl ScaledServices for Services {
    fn desired_count(&self, cluster: &str, service: &str) -> Option<i64> {
        ((cluster, service) == ("prod", "web")).then_some(self.desired)
    }

    fn running_count(&self, cluster: &str, service: &str) -> Option<i64> {
        ((cluster, service) == ("prod", "web")).then_some(self.running)
    }

    fn set_desired_count(&mut self, _: &str, _: &str, count: i64, _: Timestamp) {
        self.desired = count;
        self.running = count;
        self.sets.push(count);
    }

    fn is_deploying(&self, _: &str, _: &str) -> bool {
        self.deploying
    }
}

struct World {
    scaling: AutoScaling,
    services: Services,
    now: Timestamp,
}

fn world(desired: i64) -> World {
    World {
        scaling: AutoScaling::new("123456789012", "eu-west-1"),
        services: Services { desired, running: desired, deploying: false, sets: Vec::new() },
        now: "2026-04-01T00:00:00Z".parse().unwrap(),
    }
}

impl World {
    fn call(&mut self, operation: &str, members: Value) -> Result<Value, ApiError> {
        let mut input = json!({
            "ServiceNamespace": "ecs", "ResourceId": "service/prod/web", "ScalableDimension": identity::DIMENSION,
        });
        let Value::Object(members) = members else { panic!("{members}") };
        input.as_object_mut().unwrap().extend(members);
        self.scaling.call(operation, &input, self.now, &mut self.services)
    }

    fn ok(&mut self, operation: &str, members: Value) -> Value {
        self.call(operation, members).unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    }

    fn code(&mut self, operation: &str, members: Value) -> String {
        self.call(operation, members).unwrap_err().code
    }

    fn register(&mut self, min: i64, max: i64) -> String {
        let answer =
            self.ok("RegisterScalableTarget", json!({"MinCapacity": min, "MaxCapacity": max}));
        answer["ScalableTargetARN"].as_str().unwrap().to_owned()
    }

    fn target(&mut self) -> Value {
        self.ok("DescribeScalableTargets", json!({"ResourceIds": ["service/prod/web"]}))["ScalableTargets"][0].clone()
    }

    fn track(&mut self, name: &str, more: Value) -> Value {
        let mut configuration = json!({"TargetValue": 50.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}});
        let Value::Object(more) = more else { panic!("{more}") };
        configuration.as_object_mut().unwrap().extend(more);
        self.ok(
            "PutScalingPolicy",
            json!({"PolicyName": name, "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": configuration}),
        )
    }

    fn fire(&mut self, arn: &Value, direction: Direction) -> Option<i64> {
        self.scaling.alarm_fires(
            arn.as_str().unwrap(),
            direction,
            "alarm",
            self.now,
            &mut self.services,
        )
    }

    fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        self.scaling.advance(self.now, &mut self.services);
    }
}

#[test]
fn every_registration_moves_the_count_into_the_range() {
    let mut world = world(1);
    let arn = world.register(4, 10);
    assert_eq!(world.services.desired, 4);
    assert_eq!(arn.rsplit_once('/').unwrap().1.len(), 34);
    world.services.desired = 12;
    world.ok(
        "RegisterScalableTarget",
        json!({"SuspendedState": {"ScheduledScalingSuspended": true}}),
    );
    assert_eq!(world.services.desired, 10);
    world.ok("RegisterScalableTarget", json!({"MaxCapacity": 6}));
    assert_eq!((world.services.desired, world.target()["MinCapacity"].as_i64()), (6, Some(4)));
    assert_eq!(world.services.sets, [4, 10, 6]);
}

#[test]
fn suspension_changes_member_by_member() {
    let mut world = world(4);
    world.register(1, 5);
    world.ok(
        "RegisterScalableTarget",
        json!({"SuspendedState": {"DynamicScalingInSuspended": true}}),
    );
    world.ok(
        "RegisterScalableTarget",
        json!({"SuspendedState": {"ScheduledScalingSuspended": true}}),
    );
    assert_eq!(
        world.target()["SuspendedState"],
        json!({
            "DynamicScalingInSuspended": true, "DynamicScalingOutSuspended": false, "ScheduledScalingSuspended": true,
        })
    );
}

#[test]
fn what_registration_refuses() {
    let mut world = world(1);
    for members in [
        json!({"MinCapacity": 1}),
        json!({"MinCapacity": 3, "MaxCapacity": 2}),
        json!({"MinCapacity": -1, "MaxCapacity": 2}),
        json!({"MinCapacity": 1, "MaxCapacity": 2, "ResourceId": "service/prod/none"}),
        json!({"MinCapacity": 1, "MaxCapacity": 2, "ResourceId": "prod/web"}),
        json!({"MinCapacity": 1, "MaxCapacity": 2, "ServiceNamespace": "dynamodb"}),
        json!({"MinCapacity": 1, "MaxCapacity": 2, "ScalableDimension": "ecs:service:Other"}),
        json!({"MinCapacity": 1, "MaxCapacity": 2, "ResourceId": null}),
    ] {
        assert_eq!(
            world.code("RegisterScalableTarget", members.clone()),
            "ValidationException",
            "{members}"
        );
    }
    assert!(world.services.sets.is_empty());
}

#[test]
fn nothing_exists_without_a_target() {
    let mut world = world(1);
    for (operation, members) in [
        ("PutScalingPolicy", json!({"PolicyName": "p", "PolicyType": "StepScaling"})),
        ("PutScheduledAction", json!({"ScheduledActionName": "a", "Schedule": "rate(1 day)"})),
        ("DeregisterScalableTarget", json!({})),
        ("DeleteScalingPolicy", json!({"PolicyName": "p"})),
        ("DeleteScheduledAction", json!({"ScheduledActionName": "a"})),
    ] {
        assert_eq!(world.code(operation, members), "ObjectNotFoundException", "{operation}");
    }
}

#[test]
fn target_tracking_owns_two_alarms_until_the_policy_goes() {
    let mut world = world(2);
    world.register(1, 10);
    let answer = world.track("cpu", json!({}));
    assert!(
        answer["PolicyARN"]
            .as_str()
            .unwrap()
            .ends_with(":resource/ecs/service/prod/web:policyName/cpu")
    );
    let names: Vec<&str> = answer["Alarms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alarm| alarm["AlarmName"].as_str().unwrap())
        .collect();
    assert!(names[0].starts_with("TargetTracking-service/prod/web-AlarmHigh-"), "{names:?}");
    assert!(names[1].starts_with("TargetTracking-service/prod/web-AlarmLow-"), "{names:?}");
    assert_eq!(world.scaling.drain_alarm_changes().len(), 2);
    let again = world.track("cpu", json!({"TargetValue": 60.0}));
    assert_eq!(again, answer);
    world.scaling.drain_alarm_changes();
    world.ok("DeleteScalingPolicy", json!({"PolicyName": "cpu"}));
    let gone =
        names.iter().map(|name| AlarmChange::Deleted((*name).to_owned())).collect::<Vec<_>>();
    assert_eq!(world.scaling.drain_alarm_changes(), gone);
}

#[test]
fn one_tracking_policy_per_metric() {
    let mut world = world(2);
    world.register(1, 10);
    world.track("cpu", json!({}));
    let second = json!({"PolicyName": "cpu2", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration":
        {"TargetValue": 70.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}});
    assert_eq!(world.code("PutScalingPolicy", second), "ValidationException");
    let wrong = json!({"PolicyName": "x", "PolicyType": "StepScaling", "TargetTrackingScalingPolicyConfiguration": {}});
    assert_eq!(world.code("PutScalingPolicy", wrong), "ValidationException");
}

#[test]
fn policies_come_in_pages_of_ten_and_are_fully_replaced() {
    let mut world = world(2);
    world.register(1, 10);
    let step = |adjustment: i64, cooldown: Value| {
        json!({"AdjustmentType": "ChangeInCapacity", "Cooldown": cooldown,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": adjustment}]})
    };
    for n in 0..12 {
        world.ok(
            "PutScalingPolicy",
            json!({"PolicyName": format!("p{n:02}"), "PolicyType": "StepScaling",
            "StepScalingPolicyConfiguration": step(1, json!(60))}),
        );
    }
    let first = world.ok("DescribeScalingPolicies", json!({}));
    assert_eq!(first["ScalingPolicies"].as_array().unwrap().len(), 10);
    let second = world.ok("DescribeScalingPolicies", json!({"NextToken": first["NextToken"]}));
    assert_eq!(second["ScalingPolicies"].as_array().unwrap().len(), 2);
    assert_eq!(
        world.code("DescribeScalingPolicies", json!({"MaxResults": 11})),
        "ValidationException"
    );
    assert_eq!(
        world.code("DescribeScalingPolicies", json!({"NextToken": "x"})),
        "InvalidNextTokenException"
    );
    assert_eq!(
        world.code("DescribeScalingPolicies", json!({"ResourceId": null})),
        "ValidationException"
    );
    world.ok(
        "PutScalingPolicy",
        json!({"PolicyName": "p00", "StepScalingPolicyConfiguration": step(2, Value::Null)}),
    );
    let one = world.ok("DescribeScalingPolicies", json!({"PolicyNames": ["p00"]}));
    assert_eq!(one["ScalingPolicies"][0]["StepScalingPolicyConfiguration"].get("Cooldown"), None);
}

#[test]
fn deregistering_takes_policies_and_actions_along() {
    let mut world = world(2);
    world.register(1, 10);
    world.track("cpu", json!({}));
    world.ok("PutScheduledAction", json!({"ScheduledActionName": "a", "Schedule": "rate(1 day)", "ScalableTargetAction": {"MinCapacity": 5}}));
    world.ok("DeregisterScalableTarget", json!({}));
    assert_eq!(world.ok("DescribeScalingPolicies", json!({}))["ScalingPolicies"], json!([]));
    assert_eq!(world.ok("DescribeScheduledActions", json!({}))["ScheduledActions"], json!([]));
    world.wait(3 * 86_400);
    assert_eq!(world.services.desired, 2);
}

#[test]
fn a_scheduled_action_changes_the_bounds_for_good() {
    let mut world = world(2);
    world.register(1, 10);
    world.ok(
        "PutScheduledAction",
        json!({"ScheduledActionName": "morning", "Schedule": "cron(0 8 * * ? *)",
        "Timezone": "Europe/Berlin", "ScalableTargetAction": {"MinCapacity": 5}}),
    );
    world.wait(6 * 3600 - 1);
    assert_eq!(world.services.desired, 2);
    world.wait(1);
    assert_eq!((world.services.desired, world.target()["MinCapacity"].as_i64()), (5, Some(5)));
    assert_eq!(world.target()["MaxCapacity"], 10);
    world.wait(86_399);
    world.services.desired = 3;
    world.wait(1);
    assert_eq!(world.services.desired, 5);
    let activities = world.ok("DescribeScalingActivities", json!({}));
    let first = &activities["ScalingActivities"][0];
    assert_eq!(first["Description"], "Setting desired count to 5.");
    assert_eq!(first["Cause"], "minimum capacity was set to 5");
    assert_eq!(
        first["StatusMessage"],
        "Successfully set desired count to 5. Change successfully fulfilled by ecs."
    );
    assert_eq!(
        activities["ScalingActivities"][1]["Cause"],
        "scheduled action name morning was triggered"
    );
}

#[test]
fn updating_without_start_and_end_deletes_them() {
    let mut world = world(2);
    world.register(1, 10);
    let start = world.now.as_second() + 3600;
    let action = json!({"ScheduledActionName": "a", "Schedule": "rate(1 hour)", "StartTime": start,
        "EndTime": start + 3600, "ScalableTargetAction": {"MinCapacity": 3}});
    world.ok("PutScheduledAction", action.clone());
    let shown = world.ok("DescribeScheduledActions", json!({}))["ScheduledActions"][0].clone();
    assert_eq!(shown["StartTime"].as_f64(), json!(start).as_f64());
    world.ok(
        "PutScheduledAction",
        json!({"ScheduledActionName": "a", "ScalableTargetAction": {"MaxCapacity": 9}}),
    );
    let changed = world.ok("DescribeScheduledActions", json!({}))["ScheduledActions"][0].clone();
    assert_eq!((changed.get("StartTime"), changed.get("EndTime")), (None, None));
    assert_eq!(changed["Schedule"], "rate(1 hour)");
    assert_eq!(changed["ScalableTargetAction"], json!({"MaxCapacity": 9}));
    assert_eq!(changed["ScheduledActionARN"], shown["ScheduledActionARN"]);
}

#[test]
fn start_and_end_bound_the_firings() {
    let mut world = world(2);
    world.register(1, 10);
    let start = world.now.as_second() + 1800;
    world.ok(
        "PutScheduledAction",
        json!({"ScheduledActionName": "a", "Schedule": "rate(1 hour)", "StartTime": start,
        "EndTime": start + 3600, "ScalableTargetAction": {"MinCapacity": 3}}),
    );
    assert_eq!(world.scaling.next_due().unwrap().as_second(), start);
    for (seconds, expected) in [(1799, 2), (1, 3), (3599, 2), (1, 3), (86_400, 2)] {
        world.services.desired = 2;
        world.wait(seconds);
        assert_eq!(world.services.desired, expected, "after {seconds}");
    }
    assert_eq!(world.scaling.next_due(), None);
}

#[test]
fn suspended_schedules_pass_without_effect() {
    let mut world = world(2);
    world.register(1, 10);
    world.ok("PutScheduledAction", json!({"ScheduledActionName": "a", "Schedule": "at(2026-04-01T01:00:00)", "ScalableTargetAction": {"MinCapacity": 3}}));
    world.ok(
        "RegisterScalableTarget",
        json!({"SuspendedState": {"ScheduledScalingSuspended": true}}),
    );
    world.wait(7200);
    world.ok(
        "RegisterScalableTarget",
        json!({"SuspendedState": {"ScheduledScalingSuspended": false}}),
    );
    world.wait(7200);
    assert_eq!((world.services.desired, world.target()["MinCapacity"].as_i64()), (2, Some(1)));
}

#[test]
fn what_scheduled_actions_refuse() {
    let mut world = world(2);
    world.register(1, 10);
    for members in [
        json!({"ScheduledActionName": "a", "ScalableTargetAction": {"MinCapacity": 1}}),
        json!({"ScheduledActionName": "a", "Schedule": "often", "ScalableTargetAction": {"MinCapacity": 1}}),
        json!({"ScheduledActionName": "a", "Schedule": "rate(1 day)"}),
        json!({"ScheduledActionName": "a", "Schedule": "rate(1 day)", "ScalableTargetAction": {}}),
        json!({"ScheduledActionName": "a", "Schedule": "rate(1 day)", "ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 1}}),
        json!({"ScheduledActionName": "a:b", "Schedule": "rate(1 day)", "ScalableTargetAction": {"MinCapacity": 1}}),
        json!({"ScheduledActionName": "a", "Schedule": "rate(1 day)", "Timezone": "Nowhere", "ScalableTargetAction": {"MinCapacity": 1}}),
        json!({"ScheduledActionName": "a", "Schedule": "rate(1 day)", "StartTime": 10, "EndTime": 5, "ScalableTargetAction": {"MinCapacity": 1}}),
    ] {
        assert_eq!(
            world.code("PutScheduledAction", members.clone()),
            "ValidationException",
            "{members}"
        );
    }
}

#[test]
fn alarms_scale_from_the_running_count_within_the_bounds() {
    let mut world = world(4);
    world.register(2, 6);
    let arn =
        world.track("cpu", json!({"ScaleOutCooldown": 60, "ScaleInCooldown": 60}))["PolicyARN"]
            .clone();
    assert_eq!(world.fire(&arn, Direction::Out), Some(5));
    assert_eq!(world.fire(&arn, Direction::Out), None);
    world.wait(60);
    assert_eq!(world.fire(&arn, Direction::Out), Some(6));
    world.wait(60);
    assert_eq!(world.fire(&arn, Direction::Out), None);
    assert_eq!(world.fire(&arn, Direction::Out), None);
    let plain = world.ok("DescribeScalingActivities", json!({}))["ScalingActivities"]
        .as_array()
        .unwrap()
        .len();
    let all = world.ok("DescribeScalingActivities", json!({"IncludeNotScaledActivities": true}));
    assert_eq!(all["ScalingActivities"].as_array().unwrap().len(), plain + 1);
    assert_eq!(all["ScalingActivities"][0]["NotScaledReasons"][0]["Code"], "AlreadyAtMaxCapacity");
    assert_eq!(
        all["ScalingActivities"][1]["Cause"],
        "monitor alarm alarm in state ALARM triggered policy cpu"
    );
}

#[test]
fn scaling_in_waits_for_the_deployment_and_scaling_out_does_not() {
    let mut world = world(4);
    world.register(2, 6);
    let arn = world.track("cpu", json!({"ScaleOutCooldown": 0, "ScaleInCooldown": 0}))["PolicyARN"]
        .clone();
    world.services.deploying = true;
    assert_eq!(world.fire(&arn, Direction::In), None);
    assert_eq!(world.fire(&arn, Direction::Out), Some(5));
    world.services.deploying = false;
    assert_eq!(world.fire(&arn, Direction::In), Some(4));
}

#[test]
fn a_count_outside_the_bounds_is_corrected_only_in_the_alarm_s_direction() {
    for (desired, direction, expected) in [
        (1, Direction::Out, Some(2)),
        (1, Direction::In, None),
        (9, Direction::In, Some(6)),
        (9, Direction::Out, None),
    ] {
        let mut world = world(4);
        world.register(2, 6);
        let arn = world.track("cpu", json!({}))["PolicyARN"].clone();
        (world.services.desired, world.services.running) = (desired, desired);
        assert_eq!(world.fire(&arn, direction), expected, "{desired} {direction:?}");
    }
}

#[test]
fn suspension_and_disabled_scale_in_stop_alarms() {
    let mut world = world(4);
    world.register(2, 6);
    let arn = world.track("cpu", json!({"DisableScaleIn": true}))["PolicyARN"].clone();
    assert_eq!(world.fire(&arn, Direction::In), None);
    world.ok(
        "RegisterScalableTarget",
        json!({"SuspendedState": {"DynamicScalingOutSuspended": true}}),
    );
    assert_eq!(world.fire(&arn, Direction::Out), None);
    assert_eq!(world.services.desired, 4);
}

#[test]
fn steps_adjust_by_their_kind() {
    for (kind, adjustment, direction, expected) in [
        ("ChangeInCapacity", 2, Direction::Out, 12),
        ("ChangeInCapacity", -3, Direction::In, 7),
        ("ExactCapacity", 15, Direction::Out, 15),
        ("PercentChangeInCapacity", 25, Direction::Out, 12),
        ("PercentChangeInCapacity", -1, Direction::In, 9),
    ] {
        let mut world = world(10);
        world.register(1, 20);
        let bound = if direction == Direction::Out {
            "MetricIntervalLowerBound"
        } else {
            "MetricIntervalUpperBound"
        };
        let policy = json!({"PolicyName": "s", "PolicyType": "StepScaling", "StepScalingPolicyConfiguration":
            {"AdjustmentType": kind, "StepAdjustments": [{bound: 0.0, "ScalingAdjustment": adjustment}]}});
        let answer = world.ok("PutScalingPolicy", policy);
        assert_eq!(answer["Alarms"], json!([]));
        assert_eq!(
            world.fire(&answer["PolicyARN"], direction),
            Some(expected),
            "{kind} {adjustment}"
        );
    }
}

#[test]
fn alarm_directions() {
    for (name, comparison, expected) in [
        ("TargetTracking-service/c/s-AlarmLow-1", "LessThanThreshold", Direction::In),
        ("TargetTracking-service/c/s-AlarmHigh-1", "GreaterThanThreshold", Direction::Out),
        ("queue-empty", "LessThanOrEqualToThreshold", Direction::In),
        ("queue-full", "GreaterThanThreshold", Direction::Out),
    ] {
        assert_eq!(AutoScaling::direction(name, comparison), expected, "{name}");
    }
}

#[test]
fn targets_are_described_and_tagged() {
    let mut world = world(2);
    let arn = world.register(1, 10);
    assert_eq!(
        world.ok("DescribeScalableTargets", json!({"ResourceIds": ["service/prod/none"]}))["ScalableTargets"],
        json!([])
    );
    assert_eq!(
        world.code("DescribeScalableTargets", json!({"MaxResults": 51})),
        "ValidationException"
    );
    assert_eq!(
        world.code("DescribeScalableTargets", json!({"ResourceIds": []})),
        "ValidationException"
    );
    world.ok("TagResource", json!({"ResourceARN": arn, "Tags": {"a": "1", "b": "2"}}));
    world.ok("UntagResource", json!({"ResourceARN": arn, "TagKeys": ["a"]}));
    assert_eq!(
        world.ok("ListTagsForResource", json!({"ResourceARN": arn}))["Tags"],
        json!({"b": "2"})
    );
    assert_eq!(
        world.code("ListTagsForResource", json!({"ResourceARN": "arn:x"})),
        "ResourceNotFoundException"
    );
    let tagged = json!({"MinCapacity": 1, "MaxCapacity": 2, "Tags": {"a": "1"}});
    assert_eq!(world.code("RegisterScalableTarget", tagged), "ValidationException");
}

#[test]
fn fixtures_register_with_policies_and_actions() {
    let mut world = world(1);
    let fixture = json!({"cluster": "prod", "service": "web", "minCapacity": 3, "maxCapacity": 5,
        "policies": [{"PolicyName": "cpu", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration":
            {"TargetValue": 50, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}}],
        "scheduledActions": [{"ScheduledActionName": "a", "Schedule": "rate(1 day)", "ScalableTargetAction": {"MinCapacity": 1}}]});
    let fixture: FixtureScalableTarget = serde_json::from_value(fixture).unwrap();
    world.scaling.load(&fixture, world.now, &mut world.services).unwrap();
    assert_eq!(world.services.desired, 3);
    assert_eq!(
        world.ok("DescribeScalingPolicies", json!({}))["ScalingPolicies"][0]["PolicyName"],
        "cpu"
    );
    assert_eq!(
        world.ok("DescribeScheduledActions", json!({}))["ScheduledActions"][0]["ScheduledActionName"],
        "a"
    );
}
