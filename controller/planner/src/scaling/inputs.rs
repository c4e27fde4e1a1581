//! The inputs of the calls, complete, from elements of the block.

use crds::ObjectKey;
use serde_json::{Map, Value, json};

use super::form::{SUSPENDED, WRAPPED, aws_names, parse_time, text};
use super::{alarm_name, resource_id};

/// The three kinds of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PolicyKind {
    TargetTracking,
    Step,
    Predictive,
}

impl PolicyKind {
    pub(super) const ALL: [Self; 3] = [Self::TargetTracking, Self::Step, Self::Predictive];

    /// The list of the block that holds them.
    pub(super) const fn member(self) -> &'static str {
        match self {
            Self::TargetTracking => "targetTracking",
            Self::Step => "step",
            Self::Predictive => "predictive",
        }
    }

    const fn policy_type(self) -> &'static str {
        match self {
            Self::TargetTracking => "TargetTrackingScaling",
            Self::Step => "StepScaling",
            Self::Predictive => "PredictiveScaling",
        }
    }
}

/// What every call about a scalable target begins with.
pub(super) fn identity(key: &ObjectKey) -> Map<String, Value> {
    let mut input = Map::new();
    input.insert("ServiceNamespace".to_owned(), json!("ecs"));
    input.insert("ResourceId".to_owned(), json!(resource_id(key)));
    input.insert("ScalableDimension".to_owned(), json!("ecs:service:DesiredCount"));
    input
}

/// RegisterScalableTarget's input with these members of the block; members that it leaves out keep their value.
pub(super) fn register(key: &ObjectKey, block: &Value, members: &[&str]) -> Value {
    let mut input = identity(key);
    for name in members {
        if *name == "suspended" {
            let state = SUSPENDED.iter().map(|name| {
                let is_suspended = block.pointer(&format!("/suspended/{name}"));
                (format!("{name}Suspended"), is_suspended.cloned().unwrap_or(json!(false)))
            });
            let state = Value::Object(state.collect());
            input.insert("SuspendedState".to_owned(), aws_names(&state));
        } else if let Some(value) = block.get(*name) {
            input.extend(one(name, value.clone()));
        }
    }
    Value::Object(input)
}

/// PutScalingPolicy's input.
pub(super) fn policy(key: &ObjectKey, kind: PolicyKind, element: &Value) -> Value {
    let mut configuration = element.as_object().cloned().unwrap_or_default();
    configuration.remove("name");
    for (ours, theirs) in WRAPPED {
        if let Some(value) = configuration.remove(*ours) {
            configuration.insert((*theirs).to_owned(), value);
        }
    }
    let configuration = match kind {
        PolicyKind::TargetTracking => {
            wrap(&mut configuration, "predefinedMetric", "predefinedMetricSpecification");
            configuration
        }
        PolicyKind::Step => {
            configuration.remove("alarm");
            if let Some(steps) = configuration.remove("steps") {
                configuration.insert("stepAdjustments".to_owned(), steps);
            }
            configuration
        }
        PolicyKind::Predictive => predictive(configuration),
    };
    let mut input = identity(key);
    input.insert("PolicyName".to_owned(), json!(text(element, "name")));
    input.insert("PolicyType".to_owned(), json!(kind.policy_type()));
    input.insert(
        format!("{}PolicyConfiguration", kind.policy_type()),
        aws_names(&Value::Object(configuration)),
    );
    Value::Object(input)
}

/// Puts the type of a metric that AWS knows, and its label, into their structure.
fn wrap(configuration: &mut Map<String, Value>, name: &str, wrapping: &str) {
    let label = configuration.remove("resourceLabel");
    let Some(kind) = configuration.remove(name) else { return };
    let mut metric = Map::new();
    metric.insert("predefinedMetricType".to_owned(), kind);
    if let Some(label) = label {
        metric.insert("resourceLabel".to_owned(), label);
    }
    configuration.insert(wrapping.to_owned(), Value::Object(metric));
}

/// What says how to act stays at the top, what says what to forecast goes into the one metric specification.
fn predictive(mut specification: Map<String, Value>) -> Map<String, Value> {
    wrap(&mut specification, "predefinedMetricPair", "predefinedMetricPairSpecification");
    let mut configuration = Map::new();
    for name in ["mode", "schedulingBufferTime", "maxCapacityBreachBehavior", "maxCapacityBuffer"] {
        if let Some(value) = specification.remove(name) {
            configuration.insert(name.to_owned(), value);
        }
    }
    configuration.insert("metricSpecifications".to_owned(), json!([specification]));
    configuration
}

/// DeleteScalingPolicy's input.
pub(super) fn delete_policy(key: &ObjectKey, name: &str) -> Value {
    let mut input = identity(key);
    input.insert("PolicyName".to_owned(), json!(name));
    Value::Object(input)
}

/// PutScheduledAction's input: times always, because an update without them deletes the old ones, and the zone always,
/// because an update without it keeps the old one (aws.md §5.3).
pub(super) fn scheduled(key: &ObjectKey, element: &Value) -> Value {
    let mut input = identity(key);
    input.insert("ScheduledActionName".to_owned(), json!(text(element, "name")));
    input.insert("Schedule".to_owned(), json!(text(element, "schedule")));
    input.insert("Timezone".to_owned(), json!(text(element, "timezone").unwrap_or("UTC")));
    for name in ["startTime", "endTime"] {
        if let Some(time) = text(element, name).and_then(parse_time) {
            input.extend(one(name, json!(time.as_second())));
        }
    }
    let bounds = ["minCapacity", "maxCapacity"].into_iter().filter_map(|name| {
        let bound = element.get(name).filter(|bound| !bound.is_null())?;
        Some((name.to_owned(), bound.clone()))
    });
    let bounds = Value::Object(bounds.collect());
    input.insert("ScalableTargetAction".to_owned(), aws_names(&bounds));
    Value::Object(input)
}

/// DeleteScheduledAction's input.
pub(super) fn delete_scheduled(key: &ObjectKey, name: &str) -> Value {
    let mut input = identity(key);
    input.insert("ScheduledActionName".to_owned(), json!(name));
    Value::Object(input)
}

/// PutMetricAlarm's input, without the policy among its actions.
pub(super) fn alarm(key: &ObjectKey, element: &Value) -> Value {
    let mut input = match aws_names(element.get("alarm").unwrap_or(&Value::Null)) {
        Value::Object(input) => input,
        _ => Map::new(),
    };
    let policy = text(element, "name").unwrap_or_default();
    input.insert("AlarmName".to_owned(), json!(alarm_name(key, policy)));
    Value::Object(input)
}

fn one(name: &str, value: Value) -> Map<String, Value> {
    let mut member = Map::new();
    member.insert(name.to_owned(), value);
    match aws_names(&Value::Object(member)) {
        Value::Object(member) => member,
        _ => Map::new(),
    }
}
