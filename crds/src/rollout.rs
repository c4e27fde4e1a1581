//! The `rollout` block: how a change is carried out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Check, HumanDuration};

/// How a change is carried out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollout {
    /// How long a rollout may go on before it is reported as stalled. Default `15m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<HumanDuration>,
    /// Whether a new version of a parameter or secret that the spec names replaces the tasks, once for several that change
    /// together. Tasks read secrets only when they start. Default `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload_on_secret_change: Option<bool>,
    /// Whether a person has to approve each spec before it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Measurements that judge a rollout while it goes on and after it, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

/// Whether a person has to approve each spec before it is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approval {
    /// With `true` a new spec waits for `longshore approve`; an approval counts for that very spec only. Drift of a spec that
    /// was approved needs no other one. Default `false`.
    #[serde(default)]
    pub required: bool,
}
