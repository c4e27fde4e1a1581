//! The `rollout` block: how a change is carried out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Check, Dependency, GateStage, Hooks, HumanDuration, OnFailure, Window};

/// How a change is carried out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollout {
    /// Services that have to be ready, each with its newest spec, before a change of this one rolls tasks: a name, or `name`,
    /// `cluster` and `target`. When specs are gone they are deleted after this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Dependency>,
    /// How long a rollout may go on before it is reported as stalled. Default `15m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<HumanDuration>,
    /// Whether a new version of a parameter or secret that the spec names replaces the tasks, once for several that change
    /// together. Tasks read secrets only when they start. Default `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload_on_secret_change: Option<bool>,
    /// Whether a person has to approve each spec, and where its rollout waits for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// One-off tasks of the new revision, before and after the rollout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hooks: Option<Hooks>,
    /// How long a rollout waits at a pause of Longshore's before ECS rolls it back: 1 minute to 14 days, in whole minutes.
    /// Default `24h`, and 14 days where `BLUE_GREEN`, `CANARY` or `LINEAR` waits for `windows`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate_timeout: Option<HumanDuration>,
    /// What Longshore does about a rollout that cannot end well, because every further task would fail as well.
    /// Default `rollback`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// When changes may roll tasks, and a rollout of `BLUE_GREEN`, `CANARY` or `LINEAR` may move production traffic. Default: at
    /// any time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// Measurements that judge a rollout while it goes on and after it, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
}

/// Whether a person has to approve each spec, and where its rollout waits for that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Approval {
    /// With `true` a new spec waits for `longshore approve`; an approval counts for that very spec only. Drift of a spec that
    /// was approved needs no other one. Default `false`.
    #[serde(default)]
    pub required: bool,
    /// Stages of a `BLUE_GREEN`, `CANARY` or `LINEAR` rollout at which it waits for the approval. Without it, and with
    /// `ROLLING`, which has no stages, it waits before anything is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<GateStage>,
}
