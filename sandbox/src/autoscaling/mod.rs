//! Application Auto Scaling for the desired count of ECS services.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A scalable target that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureScalableTarget {
    /// The cluster's name.
    pub cluster: String,
    /// The service's name.
    pub service: String,
    /// Fewest tasks.
    pub min_capacity: i64,
    /// Most tasks.
    pub max_capacity: i64,
    /// Inputs of `PutScalingPolicy` without the members that name the target.
    #[serde(default)]
    pub policies: Vec<Map<String, Value>>,
    /// Inputs of `PutScheduledAction` without the members that name the target.
    #[serde(default)]
    pub scheduled_actions: Vec<Map<String, Value>>,
}
