//! CloudWatch alarms and metrics.

use std::collections::BTreeMap;

use serde::Deserialize;

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
