//! Hooks: one-off tasks of the new revision, before and after a rollout.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::HookName;
use crate::HumanDuration;
use crate::ecs::environment::KeyValuePair;

/// One-off tasks of the new revision; each runs once for a spec, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hooks {
    /// They have to end well before the service is created or updated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Hook>,
    /// They run when the rollout has ended well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Hook>,
}

/// A task that runs to its end; the exit code of one container decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hook {
    /// Its name, unique among the hooks of the same phase.
    pub name: HookName,
    /// The container whose command is replaced and whose exit code decides. It has to be essential. Default: the first that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The command, in place of the container's own.
    pub command: Vec<String>,
    /// Variables that the container has besides its own, or in place of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<KeyValuePair>,
    /// CPU of the whole task, as in `taskDefinition.cpu`. Default: the task definition's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// Memory of the whole task, as in `taskDefinition.memory`. Default: the task definition's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// How long the task may take, counted from its start; then it is stopped and has failed. Default `15m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<HumanDuration>,
}

/// Whether a hook runs before or after the rollout.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum HookPhase {
    /// Before the service is created or updated.
    Before,
    /// After the rollout has ended well.
    After,
}

impl HookPhase {
    /// The word of the spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

impl std::fmt::Display for HookPhase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far a hook has got.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum HookState {
    /// There is no room for its task yet; it is asked for again.
    Waiting,
    /// Its task was asked for and has not ended.
    Running,
    /// Its container ended with exit code 0.
    Succeeded,
    /// It failed; the message says how.
    Failed,
    /// How it ended cannot be known any more.
    Unknown,
}

impl HookState {
    /// The word of the status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Unknown => "Unknown",
        }
    }
}

impl std::fmt::Display for HookState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What has become of one hook of the spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HookStatus {
    /// Its name.
    pub name: HookName,
    /// Whether it runs before or after the rollout.
    pub phase: HookPhase,
    /// How far it has got.
    pub state: HookState,
    /// How often it was let run: the first time is 1, each `release` after a failure adds one.
    pub attempt: u32,
    /// The exit code of its container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// The ARN of its task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// When its task was first asked for.
    #[schemars(with = "String")]
    pub started_at: Timestamp,
    /// When its task ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Timestamp>,
    /// What happened, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where the container's log is in the console of CloudWatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}
