//! Both sides in the form of the spec's block.
//!
//! Members of AWS become the block's by their first letter; the structures that only wrap others are taken away. What the
//! table cannot say about times and about values that mean the same is done here, for both sides alike.

use crds::ObjectKey;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{ObservedScaling, alarm_name};

/// Structures of AWS around a metric, and the members of the block that stand for them.
pub(super) const WRAPPED: &[(&str, &str)] = &[
    ("customizedMetric", "customizedMetricSpecification"),
    ("predefinedLoadMetric", "predefinedLoadMetricSpecification"),
    ("predefinedScalingMetric", "predefinedScalingMetricSpecification"),
    ("customizedLoadMetric", "customizedLoadMetricSpecification"),
    ("customizedScalingMetric", "customizedScalingMetricSpecification"),
    ("customizedCapacityMetric", "customizedCapacityMetricSpecification"),
];

/// The members of `suspended`, each without the `Suspended` that AWS puts behind it.
pub(super) const SUSPENDED: &[&str] =
    &["dynamicScalingIn", "dynamicScalingOut", "scheduledScaling"];

/// The block of a spec.
pub(super) fn desired(mut block: Value) -> Value {
    tidy(&mut block);
    block
}

/// The block that says what AWS has.
pub(super) fn observed(key: &ObjectKey, scaling: &ObservedScaling) -> Value {
    let Some(target) = &scaling.target else { return json!({}) };
    let of_type = |kind: &str, element: &dyn Fn(&Value) -> Value| -> Vec<Value> {
        let policies = scaling.policies.iter();
        policies.filter(|policy| text(policy, "PolicyType") == Some(kind)).map(element).collect()
    };
    let mut block = json!({
        "minCapacity": target.get("MinCapacity"),
        "maxCapacity": target.get("MaxCapacity"),
        "suspended": suspended(target),
        "targetTracking": of_type("TargetTrackingScaling", &target_tracking),
        "step": of_type("StepScaling", &|policy| step(key, scaling, policy)),
        "predictive": of_type("PredictiveScaling", &predictive),
        "scheduled": scaling.actions.iter().map(scheduled).collect::<Vec<_>>(),
    });
    tidy(&mut block);
    block
}

fn suspended(target: &Value) -> Value {
    let state = spec_names(target.get("SuspendedState").unwrap_or(&Value::Null));
    SUSPENDED
        .iter()
        .filter_map(|name| {
            Some(((*name).to_owned(), state.get(format!("{name}Suspended"))?.clone()))
        })
        .collect::<Map<_, _>>()
        .into()
}

fn target_tracking(policy: &Value) -> Value {
    let mut element = configuration(policy, "TargetTrackingScalingPolicyConfiguration");
    predefined(&mut element, "predefinedMetricSpecification", "predefinedMetric");
    named(element, policy, "PolicyName")
}

fn step(key: &ObjectKey, scaling: &ObservedScaling, policy: &Value) -> Value {
    let mut element = configuration(policy, "StepScalingPolicyConfiguration");
    rename(&mut element, "stepAdjustments", "steps");
    if let Some(alarm) = alarm_of(key, scaling, text(policy, "PolicyName").unwrap_or_default()) {
        let mut alarm = spec_names(alarm);
        let arn = policy.get("PolicyARN");
        if let Some(actions) = alarm.get_mut("alarmActions").and_then(Value::as_array_mut) {
            actions.retain(|action| Some(action) != arn);
        }
        element.insert("alarm".to_owned(), alarm);
    }
    named(element, policy, "PolicyName")
}

/// The alarm of ours for a step policy.
pub(super) fn alarm_of<'a>(
    key: &ObjectKey,
    scaling: &'a ObservedScaling,
    policy: &str,
) -> Option<&'a Value> {
    let name = alarm_name(key, policy);
    scaling.alarms.iter().find(|alarm| text(alarm, "AlarmName") == Some(name.as_str()))
}

fn predictive(policy: &Value) -> Value {
    let mut element = configuration(policy, "PredictiveScalingPolicyConfiguration");
    if let Some(Value::Array(mut specifications)) = element.remove("metricSpecifications")
        && let Some(Value::Object(specification)) = specifications.pop()
    {
        element.extend(specification);
    }
    predefined(&mut element, "predefinedMetricPairSpecification", "predefinedMetricPair");
    for (ours, theirs) in WRAPPED {
        rename(&mut element, theirs, ours);
    }
    named(element, policy, "PolicyName")
}

fn scheduled(action: &Value) -> Value {
    let time = |name: &str| action.get(name).and_then(Value::as_f64).and_then(from_epoch);
    let bound = |name: &str| action.get("ScalableTargetAction").and_then(|to| to.get(name));
    json!({
        "name": action.get("ScheduledActionName"),
        "schedule": action.get("Schedule"),
        "timezone": action.get("Timezone"),
        "startTime": time("StartTime").map(|time| time.to_string()),
        "endTime": time("EndTime").map(|time| time.to_string()),
        "minCapacity": bound("MinCapacity"),
        "maxCapacity": bound("MaxCapacity"),
    })
}

#[allow(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit an i64")]
fn from_epoch(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_millisecond((seconds * 1000.0).round() as i64).ok()
}

/// A policy's configuration with the block's names.
fn configuration(policy: &Value, member: &str) -> Map<String, Value> {
    let mut element = match spec_names(policy.get(member).unwrap_or(&Value::Null)) {
        Value::Object(element) => element,
        _ => Map::new(),
    };
    for (ours, theirs) in WRAPPED {
        rename(&mut element, theirs, ours);
    }
    element
}

/// Takes the wrapping away from a metric that AWS knows by its type.
fn predefined(element: &mut Map<String, Value>, wrapping: &str, name: &str) {
    let Some(Value::Object(mut metric)) = element.remove(wrapping) else { return };
    if let Some(kind) = metric.remove("predefinedMetricType") {
        element.insert(name.to_owned(), kind);
    }
    if let Some(label) = metric.remove("resourceLabel") {
        element.insert("resourceLabel".to_owned(), label);
    }
}

fn named(mut element: Map<String, Value>, source: &Value, member: &str) -> Value {
    element.insert("name".to_owned(), source.get(member).cloned().unwrap_or_default());
    Value::Object(element)
}

fn rename(element: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = element.remove(from) {
        element.insert(to.to_owned(), value);
    }
}

/// Values that mean the same become the same.
fn tidy(block: &mut Value) {
    for action in elements(block, "scheduled") {
        for name in ["startTime", "endTime"] {
            if let Some(time) = action.get(name).and_then(Value::as_str).and_then(parse_time) {
                action.insert(name.to_owned(), json!(time.to_string()));
            }
        }
    }
    for policy in elements(block, "step") {
        // All periods breaching is what an alarm without the member waits for.
        let Some(alarm) = policy.get_mut("alarm").and_then(Value::as_object_mut) else { continue };
        if alarm.get("datapointsToAlarm") == alarm.get("evaluationPeriods") {
            alarm.remove("datapointsToAlarm");
        }
    }
}

/// A moment as a spec writes it.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn elements<'a>(
    block: &'a mut Value,
    name: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let list = block.get_mut(name).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// The elements of a list.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// The text in a member.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// `MinCapacity` becomes `minCapacity`, everywhere below.
pub(super) fn spec_names(value: &Value) -> Value {
    renamed(value, &|name| match name {
        "OKActions" => "okActions".to_owned(),
        name => with_first(name, char::to_ascii_lowercase),
    })
}

/// `minCapacity` becomes `MinCapacity`, everywhere below.
pub(super) fn aws_names(value: &Value) -> Value {
    renamed(value, &|name| match name {
        "okActions" => "OKActions".to_owned(),
        name => with_first(name, char::to_ascii_uppercase),
    })
}

fn renamed(value: &Value, name_of: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name_of(name), renamed(value, name_of)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(elements) => {
            elements.iter().map(|element| renamed(element, name_of)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn with_first(name: &str, change: impl Fn(&char) -> char) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| change(&first));
    first.into_iter().chain(letters).collect()
}
