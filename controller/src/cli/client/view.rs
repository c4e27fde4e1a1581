//! What the verbs show of an operator's answers.
//!
//! Words are texts and most members may be missing, so that this program reads operators that are older or newer than it.
//! `--output json` prints answers whole, without passing through here.

use crds::{InvalidObject, ObjectKey};
use serde::Deserialize;

/// A service.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::cli) struct ServiceView {
    pub(in crate::cli) key: ObjectKey,
    /// How often its spec has changed, as its source was last read.
    pub(in crate::cli) generation: Option<u64>,
    pub(in crate::cli) provenance: Option<ProvenanceView>,
    pub(in crate::cli) status: StatusView,
    #[serde(default)]
    pub(in crate::cli) invalid: Vec<InvalidObject>,
}

/// Where a spec came from.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::cli) struct ProvenanceView {
    pub(in crate::cli) source: String,
    pub(in crate::cli) file: String,
    pub(in crate::cli) line: u32,
}

/// A service's status.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct StatusView {
    #[serde(default)]
    pub(in crate::cli) observed_generation: u64,
    pub(in crate::cli) sync: String,
    pub(in crate::cli) health: String,
    pub(in crate::cli) last_attempted: Option<AttemptView>,
    pub(in crate::cli) last_applied: Option<AttemptView>,
    pub(in crate::cli) task_definition: Option<String>,
    #[serde(default)]
    pub(in crate::cli) images: Vec<ImageView>,
    pub(in crate::cli) rollout: Option<RolloutView>,
    #[serde(default)]
    pub(in crate::cli) hooks: Vec<HookView>,
    #[serde(default)]
    pub(in crate::cli) holds: Vec<HoldView>,
    #[serde(default)]
    pub(in crate::cli) conditions: Vec<ConditionView>,
}

/// An attempt to bring a spec into force.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::cli) struct AttemptView {
    pub(in crate::cli) source: String,
    pub(in crate::cli) commit: String,
    pub(in crate::cli) time: String,
}

/// What one container runs.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::cli) struct ImageView {
    pub(in crate::cli) container: String,
    pub(in crate::cli) repository: String,
    pub(in crate::cli) tag: Option<String>,
    pub(in crate::cli) digest: Option<String>,
}

/// A rollout.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct RolloutView {
    pub(in crate::cli) strategy: String,
    pub(in crate::cli) stage: String,
    pub(in crate::cli) running: i64,
    pub(in crate::cli) desired: i64,
    #[serde(default)]
    pub(in crate::cli) pending: i64,
    #[serde(default)]
    pub(in crate::cli) failed: i64,
    pub(in crate::cli) started_at: Option<String>,
    pub(in crate::cli) reason: Option<String>,
    pub(in crate::cli) traffic_weights: Option<TrafficView>,
    pub(in crate::cli) bake_until: Option<String>,
    #[serde(default)]
    pub(in crate::cli) waiting: Vec<WaitingView>,
    #[serde(default)]
    pub(in crate::cli) checks: Vec<CheckView>,
}

/// A check of a rollout.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::cli) struct CheckView {
    pub(in crate::cli) name: String,
    pub(in crate::cli) state: String,
    pub(in crate::cli) message: String,
}

/// How much of the traffic goes to the new tasks, in percent.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::cli) struct TrafficView {
    pub(in crate::cli) production: Option<f64>,
    pub(in crate::cli) test: Option<f64>,
}

/// A hook at which a rollout waits.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct WaitingView {
    pub(in crate::cli) hook_id: String,
    #[serde(default)]
    pub(in crate::cli) is_gate: bool,
    pub(in crate::cli) stage: Option<String>,
    pub(in crate::cli) since: Option<String>,
    pub(in crate::cli) expires_at: Option<String>,
}

/// A one-off task before or after the rollout.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct HookView {
    pub(in crate::cli) name: String,
    pub(in crate::cli) phase: String,
    pub(in crate::cli) state: String,
    #[serde(default)]
    pub(in crate::cli) attempt: u32,
    pub(in crate::cli) message: Option<String>,
    pub(in crate::cli) log: Option<String>,
}

/// A reason why differences are not acted on.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::cli) struct HoldView {
    pub(in crate::cli) reason: String,
    pub(in crate::cli) message: String,
}

/// A condition.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct ConditionView {
    #[serde(rename = "type")]
    pub(in crate::cli) kind: String,
    pub(in crate::cli) status: String,
    pub(in crate::cli) reason: String,
    #[serde(default)]
    pub(in crate::cli) message: String,
    #[serde(default)]
    pub(in crate::cli) last_transition_time: String,
}

/// A source.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct SourceView {
    pub(in crate::cli) name: String,
    pub(in crate::cli) kind: String,
    pub(in crate::cli) revision: Option<String>,
    pub(in crate::cli) fetched_at: Option<String>,
    pub(in crate::cli) error: Option<String>,
    #[serde(default)]
    pub(in crate::cli) conditions: Vec<ConditionView>,
    pub(in crate::cli) services: usize,
    #[serde(default)]
    pub(in crate::cli) invalid: Vec<InvalidObject>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub(in crate::cli) struct EventView {
    pub(in crate::cli) time: String,
    pub(in crate::cli) key: Option<ObjectKey>,
    pub(in crate::cli) source: Option<String>,
    pub(in crate::cli) release: Option<String>,
    pub(in crate::cli) kind: String,
    pub(in crate::cli) level: String,
    pub(in crate::cli) reason: String,
    pub(in crate::cli) message: String,
}

/// A release of a service, or an attempt, as older operators tell it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct ReleaseView {
    pub(in crate::cli) id: Option<String>,
    pub(in crate::cli) task_definition: Option<String>,
    pub(in crate::cli) outcome: Option<String>,
    pub(in crate::cli) source: Option<String>,
    pub(in crate::cli) commit: Option<String>,
    #[serde(alias = "time")]
    pub(in crate::cli) started_at: Option<String>,
    pub(in crate::cli) reason: Option<String>,
}

impl ServiceView {
    /// The condition that a person should read first: what stalls it, else what goes on, else whether it is ready.
    pub(in crate::cli) fn headline(&self) -> Option<&ConditionView> {
        let conditions = &self.status.conditions;
        let holds = |kind| conditions.iter().find(|it| it.kind == kind && it.status == "True");
        holds("Stalled")
            .or_else(|| holds("Reconciling"))
            .or_else(|| conditions.iter().find(|condition| condition.kind == "Ready"))
    }

    /// The condition of this type, if it holds.
    pub(in crate::cli) fn holding(&self, kind: &str) -> Option<&ConditionView> {
        self.status.conditions.iter().find(|it| it.kind == kind && it.status == "True")
    }

    /// Whether the status tells of the newest spec.
    pub(in crate::cli) fn is_current(&self) -> bool {
        self.generation.is_none_or(|newest| self.status.observed_generation >= newest)
    }

    /// One line that says what is wrong, or what runs.
    pub(in crate::cli) fn sentence(&self) -> String {
        let (health, sync) = (&self.status.health, &self.status.sync);
        let why = self.headline().map(|it| format!(": {}: {}", it.reason, it.message));
        let newer =
            if self.is_current() { "" } else { " (a newer spec has not been looked at yet)" };
        format!("{} is {health}, {sync}{}{newer}", self.key, why.unwrap_or_default())
    }
}

/// The first 12 characters of a commit.
pub(in crate::cli) fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
