//! What a status says of a service's scaling.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The bounds in force and the count, as AWS has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScalingStatus {
    /// The fewest tasks, by the spec or by the scheduled action that fired last.
    pub min: i64,
    /// The most tasks, by the spec or by the scheduled action that fired last.
    pub max: i64,
    /// How many tasks Application Auto Scaling wants now.
    pub current: i64,
    /// What it did last, newest first, at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activities: Vec<ScalingActivity>,
}

/// One thing that Application Auto Scaling did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScalingActivity {
    /// When it began.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// How it ended: `Successful`, `Failed`, `InProgress` and so on.
    pub status: String,
    /// What it did.
    pub description: String,
    /// Why.
    pub cause: String,
}
