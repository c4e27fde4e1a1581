//! One service's scaling against a small double of Application Auto Scaling: what is applied is there, and planning again
//! gives nothing.

use crds::{Reason, Service, SyncPolicy};
use serde_json::{Value, json};

use super::{
    Call, ObservedScaling, PolicyRef, SCALING, before_deletion, between, on_creation, removal,
    status, would_act,
};
use crate::desired::Desired;
use crate::observed::ObservedService;
use crate::ownership::Tags;
use crate::plan::{Action, Plan};

const NOW: &str = "2026-03-01T12:00:00Z";

/// A service with this block.
pub(super) fn desired(scaling: &Value) -> Desired {
    with_ignore(scaling, &json!([]))
}

fn with_ignore(scaling: &Value, ignore: &Value) -> Desired {
    let service: Service = serde_json::from_value(json!({
        "apiVersion": "longshore.dev/v1alpha1", "kind": "Service", "metadata": { "name": "web" },
        "spec": {
            "cluster": "shop",
            "taskDefinition": { "containerDefinitions": [{ "name": "app", "image": "app:1" }] },
            "service": { "desiredCount": 3 },
            "scaling": scaling,
            "sync": { "ignore": ignore },
        },
    }))
    .unwrap_or_else(|error| panic!("{error}: {scaling}"));
    let provenance = crds::Provenance {
        source: "fleet".parse().unwrap(),
        revision: crds::SourceRevision::new("c0ffee"),
        file: "web.yaml".into(),
        line: 1,
    };
    Desired::resolve(&service, &"test".parse().unwrap(), provenance, &SyncPolicy::default())
        .unwrap()
}

/// What AWS would hold.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) scaling: ObservedScaling,
    tags: Tags,
    /// The operations that were called.
    called: Vec<&'static str>,
}

impl World {
    /// A world in which the block has been applied.
    pub(super) fn with(desired: &Desired) -> Self {
        let mut world = Self::default();
        let now = NOW.parse().unwrap();
        let (actions, tags) =
            on_creation(desired, Some(&world.scaling), Reason::ServiceMissing, now);
        world.tags.extend(tags);
        world.apply(&actions);
        world.settle(desired);
        world
    }

    fn service(&self) -> ObservedService {
        let tags: Vec<Value> =
            self.tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        ObservedService::from_describe(&json!({
            "serviceArn": "arn", "status": "ACTIVE", "desiredCount": 3, "tags": tags,
        }))
    }

    pub(super) fn plan(&self, desired: &Desired, reason: Reason) -> (Vec<Action>, Tags) {
        between(desired, &self.service(), Some(&self.scaling), reason, NOW.parse().unwrap())
    }

    /// Plans and applies until nothing is left, which has to be soon; the operations that it took.
    #[track_caller]
    pub(super) fn settle(&mut self, desired: &Desired) -> Vec<&'static str> {
        self.called.clear();
        for _ in 0..3 {
            let (actions, tags) = self.plan(desired, Reason::SpecChanged);
            self.tags.extend(tags);
            if actions.is_empty() {
                assert!(!self.tags[SCALING].ends_with("changing"));
                return std::mem::take(&mut self.called);
            }
            self.apply(&actions);
        }
        panic!("does not settle: {:#?}", self.plan(desired, Reason::SpecChanged));
    }

    fn apply(&mut self, actions: &[Action]) {
        let mut put = None;
        for action in actions {
            let call = match action {
                Action::Scaling { call, .. } => call,
                Action::UntagResource { keys, .. } => {
                    for key in keys {
                        assert!(self.tags.remove(key).is_some());
                    }
                    continue;
                }
                other @ (Action::RegisterTaskDefinition { .. }
                | Action::CreateService { .. }
                | Action::UpdateService { .. }
                | Action::TagResource { .. }
                | Action::RunTask { .. }
                | Action::StopTask { .. }
                | Action::StopServiceDeployment { .. }
                | Action::ContinueServiceDeployment { .. }
                | Action::DeleteService { .. }) => panic!("{other:?}"),
            };
            self.called.push(call.operation());
            self.call(call, &mut put);
        }
    }

    fn call(&mut self, call: &Call, put: &mut Option<String>) {
        let scaling = &mut self.scaling;
        match call {
            Call::RegisterScalableTarget { input } => {
                let mut target = scaling.target.clone().unwrap_or_else(|| {
                    json!({ "SuspendedState": {
                        "DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": false,
                        "ScheduledScalingSuspended": false,
                    } })
                });
                merge(&mut target, input);
                assert!(
                    target["MinCapacity"].as_i64() <= target["MaxCapacity"].as_i64(),
                    "{target}"
                );
                scaling.target = Some(target);
            }
            Call::PutScalingPolicy { input } => {
                assert!(scaling.target.is_some());
                let arn = format!("arn:policy/{}", input["PolicyName"].as_str().unwrap());
                let mut policy = input.clone();
                policy["PolicyARN"] = json!(arn);
                *put = Some(arn);
                replace(&mut scaling.policies, "PolicyName", policy);
            }
            Call::DeleteScalingPolicy { input } => {
                remove(&mut scaling.policies, "PolicyName", input);
            }
            Call::PutScheduledAction { input } => {
                replace(&mut scaling.actions, "ScheduledActionName", input.clone());
            }
            Call::DeleteScheduledAction { input } => {
                remove(&mut scaling.actions, "ScheduledActionName", input);
            }
            Call::PutMetricAlarm { input, policy } => {
                let arn = match policy {
                    PolicyRef::Existing(arn) => arn.clone(),
                    PolicyRef::Put => put.clone().expect("a policy was put before its alarm"),
                };
                let mut alarm = input.clone();
                let mut actions = vec![json!(arn)];
                actions.extend(alarm["AlarmActions"].as_array().cloned().unwrap_or_default());
                alarm["AlarmActions"] = Value::Array(actions);
                alarm["ActionsEnabled"] = json!(alarm["ActionsEnabled"] != json!(false));
                replace(&mut scaling.alarms, "AlarmName", alarm);
            }
            Call::DeleteAlarms { names } => {
                for name in names {
                    remove(&mut scaling.alarms, "AlarmName", &json!({ "AlarmName": name }));
                }
            }
            Call::DeregisterScalableTarget { .. } => {
                let alarms = std::mem::take(&mut scaling.alarms);
                *scaling = ObservedScaling { alarms, ..ObservedScaling::default() };
            }
        }
    }

    fn set(&mut self, member: &str, value: i64) {
        self.scaling.target.as_mut().unwrap()[member] = json!(value);
    }

    fn bounds(&self) -> (i64, i64) {
        let target = self.scaling.target.as_ref().unwrap();
        (target["MinCapacity"].as_i64().unwrap(), target["MaxCapacity"].as_i64().unwrap())
    }
}

fn merge(target: &mut Value, input: &Value) {
    for (name, value) in input.as_object().unwrap() {
        target[name] = value.clone();
    }
}

fn replace(list: &mut Vec<Value>, key: &str, element: Value) {
    list.retain(|one| one[key] != element[key]);
    list.push(element);
}

fn remove(list: &mut Vec<Value>, key: &str, input: &Value) {
    let before = list.len();
    list.retain(|one| one[key] != input[key]);
    assert_eq!(list.len() + 1, before, "{key} of {input} is not there");
}

fn paths(actions: &[Action]) -> Vec<String> {
    actions.iter().flat_map(Action::changes).map(|change| change.path.clone()).collect()
}

fn out(threshold: f64) -> Value {
    json!({
        "name": "out", "adjustmentType": "ChangeInCapacity",
        "steps": [{ "metricIntervalLowerBound": 0, "scalingAdjustment": 2 }],
        "alarm": {
            "metricName": "Depth", "namespace": "Shop", "statistic": "Sum", "period": 60,
            "dimensions": [{ "name": "Queue", "value": "orders" }], "threshold": threshold,
            "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 2, "datapointsToAlarm": 2,
            "alarmActions": ["arn:topic"], "okActions": ["arn:topic"],
        },
    })
}

fn full() -> Value {
    json!({
        "minCapacity": 2, "maxCapacity": 10,
        "targetTracking": [
            { "name": "cpu", "predefinedMetric": "ECSServiceAverageCPUUtilization", "targetValue": 60, "scaleInCooldown": 120 },
            { "name": "requests", "predefinedMetric": "ALBRequestCountPerTarget", "targetValue": 100,
              "resourceLabel": "app/web/1/targetgroup/web/2" },
            { "name": "math", "targetValue": 1.5, "customizedMetric": { "metrics": [
                { "id": "b", "expression": "a / 2" },
                { "id": "a", "returnData": false, "metricStat": { "stat": "Sum", "metric": {
                    "metricName": "Depth", "namespace": "Shop", "dimensions": [{ "name": "Queue", "value": "orders" }] } } },
            ] } },
        ],
        "step": [out(100.0)],
        "scheduled": [
            { "name": "night", "schedule": "cron(0 20 * * ? *)", "timezone": "Europe/Berlin", "minCapacity": 1, "maxCapacity": 2,
              "startTime": "2026-03-01T00:00:00+01:00" },
            { "name": "day", "schedule": "cron(0 6 * * ? *)", "timezone": "Europe/Berlin", "minCapacity": 2, "maxCapacity": 10 },
        ],
        "predictive": [{ "name": "forecast", "targetValue": 40, "predefinedMetricPair": "ECSServiceCPUUtilization",
                         "mode": "ForecastAndScale", "schedulingBufferTime": 60 }],
        "suspended": { "scheduledScaling": true },
    })
}

#[test]
fn everything_is_made_and_then_there_is_nothing_to_do() {
    let desired = desired(&full());
    let world = World::with(&desired);
    assert_eq!(world.bounds(), (2, 10));
    assert_eq!(world.tags[SCALING], "2-10");
    assert_eq!((world.scaling.policies.len(), world.scaling.actions.len()), (5, 2));
    let alarm = &world.scaling.alarms[0];
    assert_eq!(alarm["AlarmName"], "longshore/shop/web/out");
    assert_eq!(alarm["AlarmActions"], json!(["arn:policy/out", "arn:topic"]));
    assert_eq!(alarm["OKActions"], json!(["arn:topic"]));
    let night = world.scaling.actions.iter().find(|one| one["ScheduledActionName"] == "night");
    assert_eq!(night.unwrap()["StartTime"], json!(1_772_319_600));
    assert_eq!(
        world.scaling.target.as_ref().unwrap()["SuspendedState"]["ScheduledScalingSuspended"],
        true
    );
}

#[test]
fn bounds_that_somebody_changed_are_put_right_by_one_call() {
    let desired = desired(&json!({ "minCapacity": 2, "maxCapacity": 10 }));
    let mut world = World::with(&desired);
    world.set("MaxCapacity", 50);
    let (actions, tags) = world.plan(&desired, Reason::Drifted);
    assert_eq!(paths(&actions), ["scaling.maxCapacity"]);
    assert_eq!(tags[SCALING], "2-10");
    let Action::Scaling { call: Call::RegisterScalableTarget { input }, .. } = &actions[0] else {
        panic!("{actions:?}")
    };
    assert_eq!((&input["MinCapacity"], &input["MaxCapacity"]), (&Value::Null, &json!(10)));
    world.settle(&desired);
    assert_eq!(world.bounds(), (2, 10));
}

#[test]
fn bounds_that_a_scheduled_action_set_are_no_drift() {
    let mut block = full();
    block["suspended"] = json!({});
    let first = desired(&block);
    let mut world = World::with(&first);
    world.set("MinCapacity", 1);
    world.set("MaxCapacity", 2);
    assert_eq!(world.plan(&first, Reason::Drifted).0, []);
    // A minimum that nobody names is.
    world.set("MinCapacity", 0);
    assert_eq!(world.settle(&first), ["RegisterScalableTarget"]);
    assert!(world.bounds().0 <= world.bounds().1);
    // Bounds that the spec changes are registered, whatever fired.
    world.set("MinCapacity", 1);
    world.set("MaxCapacity", 2);
    block["minCapacity"] = json!(3);
    assert_eq!(world.settle(&desired(&block)), ["RegisterScalableTarget"]);
    assert_eq!(world.bounds(), (3, 10));
    assert_eq!(world.tags[SCALING], "3-10");
}

#[test]
fn a_change_elsewhere_in_the_block_leaves_the_bounds_of_a_fired_action() {
    let mut block = full();
    let mut world = World::with(&desired(&block));
    world.set("MinCapacity", 1);
    world.set("MaxCapacity", 2);
    block["targetTracking"][0]["targetValue"] = json!(70);
    assert_eq!(world.settle(&desired(&block)), ["PutScalingPolicy"]);
    assert_eq!(world.bounds(), (1, 2));
}

#[test]
fn what_the_spec_does_not_name_is_removed_the_alarm_before_its_policy() {
    let mut world = World::with(&desired(&full()));
    world.scaling.alarms.push(json!({ "AlarmName": "longshore/shop/other/out" }));
    let lean = desired(&json!({ "minCapacity": 2, "maxCapacity": 10 }));
    let called = world.settle(&lean);
    assert_eq!(called.iter().filter(|call| **call == "DeleteScalingPolicy").count(), 5);
    assert_eq!(called[0], "DeleteAlarms");
    assert_eq!(world.scaling.alarms, [json!({ "AlarmName": "longshore/shop/other/out" })]);
    assert!(world.scaling.actions.is_empty());
}

#[test]
fn an_alarm_is_changed_without_its_policy_and_the_policy_without_its_alarm() {
    let block = |step: Value| json!({ "minCapacity": 1, "maxCapacity": 4, "step": [step] });
    let mut world = World::with(&desired(&block(out(100.0))));
    assert_eq!(world.settle(&desired(&block(out(200.0)))), ["PutMetricAlarm"]);
    assert_eq!(world.scaling.alarms[0]["Threshold"], json!(200.0));
    let mut step = out(200.0);
    step["cooldown"] = json!(30);
    assert_eq!(world.settle(&desired(&block(step.clone()))), ["PutScalingPolicy"]);
    world.scaling.alarms[0]["AlarmActions"] = json!(["arn:topic"]);
    assert_eq!(world.settle(&desired(&block(step.clone()))), ["PutMetricAlarm"]);
    world.scaling.alarms[0]["ActionsEnabled"] = json!(false);
    assert_eq!(world.settle(&desired(&block(step))), ["PutMetricAlarm"]);
}

#[test]
fn a_policy_that_changes_its_kind_is_deleted_first() {
    let step = json!({ "minCapacity": 1, "maxCapacity": 4, "step": [out(1.0)] });
    let tracking = json!({ "minCapacity": 1, "maxCapacity": 4, "targetTracking": [
        { "name": "out", "predefinedMetric": "ECSServiceAverageCPUUtilization", "targetValue": 50 }] });
    let mut world = World::with(&desired(&step));
    let called = world.settle(&desired(&tracking));
    assert_eq!(called, ["DeleteAlarms", "DeleteScalingPolicy", "PutScalingPolicy"]);
    let called = world.settle(&desired(&step));
    assert_eq!(called, ["DeleteScalingPolicy", "PutScalingPolicy", "PutMetricAlarm"]);
}

#[test]
fn the_end_of_an_action_is_sent_with_every_change_and_taken_back() {
    let block = |end: Option<&str>, min: i64| {
        json!({ "minCapacity": 1, "maxCapacity": 4, "scheduled": [
            { "name": "sale", "schedule": "rate(1 day)", "endTime": end, "minCapacity": min }] })
    };
    let mut world = World::with(&desired(&block(Some("2026-04-01T00:00:00Z"), 2)));
    world.settle(&desired(&block(Some("2026-04-01T00:00:00Z"), 3)));
    assert_eq!(world.scaling.actions[0]["EndTime"], json!(1_775_001_600));
    world.settle(&desired(&block(None, 3)));
    assert_eq!(world.scaling.actions[0]["EndTime"], Value::Null);
}

#[test]
fn an_action_that_is_over_is_not_made_again() {
    let block = json!({ "minCapacity": 1, "maxCapacity": 4, "scheduled": [
        { "name": "past", "schedule": "at(2026-02-01T00:00:00)", "minCapacity": 2 },
        { "name": "ended", "schedule": "rate(1 day)", "endTime": "2026-02-01T00:00:00Z", "minCapacity": 2 },
        { "name": "coming", "schedule": "at(2026-05-01T00:00:00)", "minCapacity": 2 }] });
    let world = World::with(&desired(&block));
    let names: Vec<&Value> =
        world.scaling.actions.iter().map(|one| &one["ScheduledActionName"]).collect();
    assert_eq!(names, ["coming"]);
}

#[test]
fn what_is_ignored_is_neither_compared_nor_sent() {
    let block = full();
    let desired =
        with_ignore(&block, &json!(["/scaling/maxCapacity", "/scaling/targetTracking/cpu"]));
    let mut world = World::with(&desired);
    world.set("MaxCapacity", 20);
    world.scaling.policies[0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] = json!(1);
    assert_eq!(world.plan(&desired, Reason::Drifted).0, []);
    world.set("MinCapacity", 7);
    world.settle(&desired);
    assert_eq!(world.bounds(), (2, 20));
}

#[test]
fn without_the_block_only_what_is_ours_goes() {
    let mut world = World::with(&desired(&full()));
    let key = desired(&full()).key;
    let actions = removal(&key, &world.service(), Some(&world.scaling), Reason::SpecChanged);
    world.apply(&actions);
    assert_eq!(world.called, ["DeleteAlarms", "DeregisterScalableTarget"]);
    assert_eq!((&world.scaling.target, world.tags.get(SCALING)), (&None, None));
    let foreign = World { scaling: World::with(&desired(&full())).scaling, ..World::default() };
    assert_eq!(removal(&key, &foreign.service(), Some(&foreign.scaling), Reason::Drifted), []);
}

#[test]
fn an_interrupted_change_is_found_again_and_is_no_drift() {
    let block = full();
    let wanted = desired(&block);
    let (actions, tags) = World::default().plan(&wanted, Reason::SpecChanged);
    for done in 0..actions.len() {
        let mut world = World { tags: tags.clone(), ..World::default() };
        world.apply(&actions[..done]);
        assert!(super::is_under_way(&world.service()));
        world.settle(&wanted);
        assert_eq!(world.scaling.policies.len(), 5);
    }
}

#[test]
fn the_count_is_given_at_creation_only() {
    let count = |min: i64, max: i64| {
        let desired = desired(&json!({ "minCapacity": min, "maxCapacity": max }));
        assert_eq!(desired.service.input.get("desiredCount"), None);
        assert_eq!(desired.service.normal.value().get("desiredCount"), None);
        desired.scaling.unwrap().initial_count
    };
    assert_eq!((count(1, 10), count(5, 10), count(1, 2)), (3, 5, 2));
}

#[test]
fn before_a_service_goes_its_scaling_goes() {
    let world = World::with(&desired(&full()));
    let delete = Action::DeleteService { force: false, reason: Reason::Pruning };
    let plan = Plan { actions: vec![delete], ..Plan::nothing() };
    let planned = before_deletion(&desired(&full()).key, &world.scaling, plan.clone());
    let operations: Vec<&str> = planned.actions.iter().map(Action::operation).collect();
    assert_eq!(operations, ["DeleteAlarms", "DeregisterScalableTarget", "DeleteService"]);
    let bare = before_deletion(&desired(&full()).key, &ObservedScaling::default(), plan.clone());
    assert_eq!(bare, plan);
}

/// The lists of Application Auto Scaling are read for all services at once, alarms only where there may be ours.
#[test]
fn the_lists_say_whether_more_has_to_be_read() {
    let lean = desired(&json!({ "minCapacity": 2, "maxCapacity": 10, "targetTracking": [
        { "name": "cpu", "predefinedMetric": "ECSServiceAverageCPUUtilization", "targetValue": 60 }] }));
    let rich = desired(&full());
    for (wanted, steps) in [(&lean, false), (&rich, true)] {
        let world = World::with(wanted);
        assert_eq!(wanted.scaling.as_ref().unwrap().has_alarms(), steps);
        let found = ObservedScaling::from_lists(&json!({
            "ScalableTargets": [world.scaling.target], "ScalingPolicies": world.scaling.policies,
            "ScheduledActions": world.scaling.actions,
        }));
        assert_eq!(found, ObservedScaling { alarms: Vec::new(), ..world.scaling.clone() });
        assert_eq!(found.has_step_policies(), steps);
        let service = world.service();
        assert!(!would_act(wanted, Some(&service), &world.scaling));
        assert_eq!(would_act(wanted, Some(&service), &found), steps, "an alarm was not read");
        assert!(would_act(if steps { &lean } else { &rich }, Some(&service), &world.scaling));
        let block = world.scaling.block(&wanted.key);
        assert_eq!((&block["minCapacity"], &block["maxCapacity"]), (&json!(2), &json!(10)));
        let said = status(&found, &service).unwrap();
        assert_eq!((said.min, said.max, said.current), (2, 10, 3));
    }
    let nothing = ObservedScaling::default();
    assert_eq!(status(&nothing, &World::default().service()), None);
    let none = with_ignore(&Value::Null, &json!([]));
    assert!(would_act(&none, None, &nothing), "without a block nobody can say");
}
