//! CloudWatch alarms and metrics (aws.md §6.9).
//!
//! Alarms change their state when somebody sets it; nothing evaluates metrics.

mod alarms;
mod math;
mod metrics;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{ApiError, json as read};
use alarms::Alarm;
use metrics::Metric;

/// The alarms and metrics of one account in one region.
#[derive(Debug)]
pub(crate) struct CloudWatch {
    account: String,
    region: String,
    alarms: BTreeMap<String, Alarm>,
    metrics: BTreeMap<Metric, Vec<(Timestamp, f64)>>,
    /// Alarms whose state changed since the last look.
    transitions: Vec<Transition>,
}

/// An alarm that changed its state.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Transition {
    /// The alarm's name.
    pub(crate) alarm: String,
    /// Whether it is in ALARM now.
    pub(crate) rings: bool,
    /// How it compares its metric.
    pub(crate) comparison: String,
    /// What it calls now that it rings; empty when actions are switched off.
    pub(crate) actions: Vec<String>,
}

impl CloudWatch {
    /// No alarms and no metrics yet.
    pub(crate) fn new(account: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            alarms: BTreeMap::new(),
            metrics: BTreeMap::new(),
            transitions: Vec::new(),
        }
    }

    /// Answers one call.
    pub(crate) fn call(
        &mut self,
        operation: &str,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        match operation {
            "PutMetricAlarm" => self.put_metric_alarm(input, now),
            "DescribeAlarms" => self.describe_alarms(input),
            "DeleteAlarms" => self.delete_alarms(input),
            "SetAlarmState" => self.set_alarm_state(input, now),
            "PutMetricData" => self.put_metric_data(input, now),
            "GetMetricData" => self.get_metric_data(input),
            operation => Err(read::unknown_operation(operation)),
        }
    }

    /// The token bucket that pays for an operation: name, capacity, tokens a second (aws.md §1.3).
    pub(crate) fn bucket(operation: &str) -> Option<(&'static str, u32, u32)> {
        let (name, rate) = match operation {
            "DescribeAlarms" => ("DescribeAlarms", 9),
            "GetMetricData" => ("GetMetricData", 500),
            "PutMetricAlarm" => ("PutMetricAlarm", 3),
            "DeleteAlarms" => ("DeleteAlarms", 3),
            "SetAlarmState" => ("SetAlarmState", 3),
            _ => return None,
        };
        Some((name, rate, rate))
    }

    /// Adds an alarm that exists from the start.
    pub(crate) fn load(&mut self, fixture: &FixtureAlarm, now: Timestamp) -> Result<(), ApiError> {
        let dimensions = dimensions(&fixture.dimensions);
        self.call(
            "PutMetricAlarm",
            &json!({
                "AlarmName": fixture.name,
                "MetricName": fixture.metric_name.as_deref().unwrap_or("Errors"),
                "Namespace": fixture.namespace.as_deref().unwrap_or("Sandbox"),
                "Dimensions": dimensions,
                "Statistic": "Average",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": fixture.threshold.unwrap_or(1.0),
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "AlarmActions": fixture.alarm_actions,
            }),
            now,
        )?;
        let state = json!({"AlarmName": fixture.name, "StateValue": fixture.state, "StateReason": "sandbox.yaml"});
        self.call("SetAlarmState", &state, now).map(|_| ())
    }

    /// Adds the values of a metric, one a minute, the last one now.
    pub(crate) fn load_metric(
        &mut self,
        fixture: &FixtureMetric,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let dimensions = dimensions(&fixture.dimensions);
        let ages = (0..fixture.values.len()).rev();
        let rows: Vec<Value> = ages
            .zip(&fixture.values)
            .map(|(age, value)| {
                let age = SignedDuration::from_mins(i64::try_from(age).unwrap_or_default());
                json!({
                    "MetricName": fixture.metric_name,
                    "Dimensions": dimensions,
                    "Timestamp": read::epoch(now - age),
                    "Value": value,
                })
            })
            .collect();
        let input = json!({"Namespace": fixture.namespace, "MetricData": rows});
        self.call("PutMetricData", &input, now).map(|_| ())
    }

    /// The alarms that changed their state since the last call of this function.
    pub(crate) fn drain_transitions(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.transitions)
    }
}

fn dimensions(dimensions: &BTreeMap<String, String>) -> Vec<Value> {
    dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect()
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::refused("InvalidParameterValueException", message)
}

/// A metric alarm that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureAlarm {
    /// The alarm's name.
    pub name: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    #[serde(default = "FixtureAlarm::default_state")]
    pub state: String,
    /// What the alarm watches.
    #[serde(default)]
    pub metric_name: Option<String>,
    /// The metric's namespace.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The metric's dimensions.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// The value that must not be crossed.
    #[serde(default)]
    pub threshold: Option<f64>,
    /// ARNs called when the state becomes `ALARM`.
    #[serde(default)]
    pub alarm_actions: Vec<String>,
}

/// Values of a metric that `GetMetricData` answers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureMetric {
    /// The metric's namespace, `AWS/ECS`.
    pub namespace: String,
    /// The metric's name, `CPUUtilization`.
    pub metric_name: String,
    /// The metric's dimensions.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// One value a minute, the last one at the start of the sandbox.
    pub values: Vec<f64>,
}

impl FixtureAlarm {
    fn default_state() -> String {
        "OK".to_owned()
    }
}
