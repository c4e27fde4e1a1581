//! Gates: stages of ECS's own progressive rollouts at which Longshore has ECS pause, and what it decides there.
//!
//! What comes in: the block `rollout` of a spec ([`Gates::resolve`]), and at a pause the [`Verdict`] of each thing that the
//! gate is there for. What leaves: the pause hook for the deployment configuration, and one [`Decision`]. Guarantees: a
//! rollout goes on only when every part passes; one part that fails stops it, whatever the others say; a gate without an
//! answer ends in ECS's rollback, never in a rollout that goes on.

mod pause;
#[cfg(test)]
mod tests;
mod window;

use std::collections::BTreeMap;
use std::time::Duration;

use crds::{GateStage, OnFailure, Reason, Rollout};
use serde_json::{Map, Value, json};

pub use self::pause::{Pause, at_pause, hooks_without_ours};
pub use self::window::{at_window, opens_at};

/// How long a gate waits when the spec does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_hours(24);
/// The longest that ECS lets a pause wait, in minutes (aws.md §2.10).
const MINUTES_MAX: u64 = 20_160;
/// The same where windows hold gates and the spec does not say: the next one may be days away.
const WINDOWS_TIMEOUT: Duration = Duration::from_mins(MINUTES_MAX);
/// Where a rollout waits for its windows: before each move of production traffic.
pub const AT_WINDOWS: GateStage = GateStage::PreProductionTrafficShift;
/// Where a rollout waits for checks that name no stage: before each move of production traffic, and before the old tasks go.
pub const AT_CHECKS: [GateStage; 2] =
    [GateStage::PreProductionTrafficShift, GateStage::PostProductionTrafficShift];

/// The gates of a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gates {
    /// What each stage waits for.
    pub at: BTreeMap<GateStage, Gate>,
    /// How long each waits before ECS rolls back.
    pub timeout: Duration,
    /// Whether a person has to approve the spec before anything is sent.
    pub approval_first: bool,
    /// What is done about a rollout that must not go on.
    pub on_failure: OnFailure,
}

/// What one stage waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gate {
    /// For a person's approval of the spec.
    pub approval: bool,
    /// For the checks of the stage, and for those without one to say something.
    pub checks: bool,
    /// For a window.
    pub window: bool,
}

/// What one part of a gate (an approval, a window, checks) says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing stands against going on.
    Pass,
    /// Not yet, or it is not known.
    Wait {
        /// Why, for programs.
        reason: Reason,
        /// Why, for people.
        message: String,
    },
    /// The rollout must not go on.
    Stop {
        /// Why, for programs.
        reason: Reason,
        /// Why, for people: a whole sentence.
        message: String,
    },
}

/// What is done at a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The rollout goes on.
    Continue,
    /// It stays where it is.
    Wait {
        /// Why, for programs: the first part's that waits.
        reason: Reason,
        /// Why, for people: what every waiting part says.
        message: String,
    },
    /// It is stopped.
    Stop {
        /// Why, for programs.
        reason: Reason,
        /// Why, for people: a whole sentence.
        message: String,
    },
}

/// What the parts of a gate come down to: the first that stops it, else all that wait, else nothing.
pub fn decide(parts: impl IntoIterator<Item = Verdict>) -> Decision {
    let mut waits: Option<(Reason, String)> = None;
    for part in parts {
        match part {
            Verdict::Pass => {}
            Verdict::Stop { reason, message } => return Decision::Stop { reason, message },
            Verdict::Wait { reason, message } => match &mut waits {
                None => waits = Some((reason, message)),
                Some((_, all)) => {
                    all.push_str("; ");
                    all.push_str(&message);
                }
            },
        }
    }
    match waits {
        Some((reason, message)) => Decision::Wait { reason, message },
        None => Decision::Continue,
    }
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            at: BTreeMap::new(),
            timeout: DEFAULT_TIMEOUT,
            approval_first: false,
            on_failure: OnFailure::default(),
        }
    }
}

impl Gates {
    /// The gates that a spec asks for; `service` is its block for ECS. A rolling deployment has no stages: what it waits for
    /// comes before anything is sent.
    pub fn resolve(rollout: Option<&Rollout>, service: &Value) -> Self {
        let Some(rollout) = rollout else { return Self::default() };
        let is_windowed = has_stages(service) && !rollout.windows.is_empty();
        let timeout = if is_windowed { WINDOWS_TIMEOUT } else { DEFAULT_TIMEOUT };
        let mut gates = Self {
            timeout: rollout.gate_timeout.map_or(timeout, crds::HumanDuration::get),
            on_failure: rollout.on_failure.unwrap_or_default(),
            ..Self::default()
        };
        if is_windowed {
            gates.at.entry(AT_WINDOWS).or_default().window = true;
        }
        // Where the spec pauses by itself a person decides anyway.
        let own = pause::paused_stages(service, None);
        let by_default = AT_CHECKS.iter().filter(|stage| !own.contains(*stage));
        for check in rollout.checks.iter().filter(|_| has_stages(service)) {
            let stages: Vec<&GateStage> = match check.at.as_slice() {
                [] => by_default.clone().collect(),
                at => at.iter().collect(),
            };
            for stage in stages {
                gates.at.entry(*stage).or_default().checks = true;
            }
        }
        if let Some(approval) = rollout.approval.as_ref().filter(|approval| approval.required) {
            if has_stages(service) && !approval.at.is_empty() {
                for stage in &approval.at {
                    gates.at.entry(*stage).or_default().approval = true;
                }
            } else {
                gates.approval_first = true;
            }
        }
        gates
    }

    /// Whether anything of a spec's rollout waits for a person's approval.
    pub fn need_approval(&self) -> bool {
        self.approval_first || self.at.values().any(|gate| gate.approval)
    }

    /// The stages, as a tag's value.
    pub fn as_tag(&self) -> Option<String> {
        let stages: Vec<&str> = self.at.keys().map(|stage| stage.as_str()).collect();
        (!stages.is_empty()).then(|| stages.join(" "))
    }

    /// Adds Longshore's own pause hook to the block for ECS, beside those that the spec has.
    pub(crate) fn add_hook(&self, service: &mut Value) {
        if self.at.is_empty() {
            return;
        }
        let Some(members) = service.as_object_mut() else { return };
        let configuration =
            members.entry("deploymentConfiguration").or_insert_with(|| Value::Object(Map::new()));
        let Some(configuration) = configuration.as_object_mut() else { return };
        let hooks = configuration.entry("lifecycleHooks").or_insert(Value::Null);
        if hooks.is_null() {
            *hooks = json!([]);
        }
        if let Some(hooks) = hooks.as_array_mut() {
            hooks.push(self.hook());
        }
    }

    /// One hook for all stages: a service takes ten (aws.md §1.2).
    fn hook(&self) -> Value {
        let minutes = self.timeout.as_secs().div_ceil(60).clamp(1, MINUTES_MAX);
        let stages: Vec<&str> = self.at.keys().map(|stage| stage.as_str()).collect();
        json!({
            "targetType": "PAUSE",
            "lifecycleStages": stages,
            "timeoutConfiguration": { "timeoutInMinutes": minutes, "action": "ROLLBACK" },
        })
    }
}

/// Whether deployments of a service go in stages at which a hook can stand.
pub fn has_stages(service: &Value) -> bool {
    let strategy = service.pointer("/deploymentConfiguration/strategy").and_then(Value::as_str);
    strategy.is_some_and(|strategy| matches!(strategy, "BLUE_GREEN" | "CANARY" | "LINEAR"))
}
