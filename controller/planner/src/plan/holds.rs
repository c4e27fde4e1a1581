//! Why a difference is not acted on.

use crds::{Reason, SyncMode};
use serde_json::Value;

use super::{Action, Hold};
use crate::desired::Desired;
use crate::drift::FieldDrift;
use crate::observed::ObservedService;
use crate::rollout::Rollout;

/// Whether this very spec has been sent before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempted {
    /// Not that anybody knows.
    No,
    /// This process has sent it, but the service does not carry its hash (yet).
    Sent,
    /// The service carries its hash.
    Recorded,
}

impl Attempted {
    const fn was_sent(self) -> bool {
        matches!(self, Self::Sent | Self::Recorded)
    }
}

/// Suspension and manual mode hold every action alike.
pub(super) fn policy_hold(desired: &Desired) -> Option<Hold> {
    if desired.sync.suspend {
        return Some(Hold::new(Reason::Suspended, "`sync.suspend` is set"));
    }
    match desired.sync.mode {
        SyncMode::Auto => None,
        SyncMode::Manual => Some(Hold::new(
            Reason::ManualSync,
            "`sync.mode` is `manual`: the difference waits for a person",
        )),
    }
}

/// Everything that stands against carrying out these actions.
pub(super) fn standing(
    desired: &Desired,
    actions: &[Action],
    replacements: &[FieldDrift],
    rollout: &Rollout,
    attempted: Attempted,
) -> Vec<Hold> {
    let mut holds = Vec::new();
    if actions.is_empty() && replacements.is_empty() {
        if desired.sync.suspend {
            holds.extend(policy_hold(desired));
        }
        return holds;
    }
    holds.extend(policy_hold(desired));
    match rollout {
        Rollout::RollingBack(reason) => {
            holds.push(Hold::new(Reason::RolledBack, format!("ECS is rolling back: {reason}")));
        }
        Rollout::RolledBack(reason) if attempted.was_sent() => {
            holds.push(Hold::new(
                Reason::RolledBack,
                format!("this spec failed and was rolled back: {reason} It is held until the spec changes."),
            ));
        }
        Rollout::Failed(reason) if attempted.was_sent() => {
            holds.push(Hold::new(
                Reason::RolloutFailed,
                format!("this spec failed: {reason} It is held until the spec changes."),
            ));
        }
        Rollout::RolledBack(_)
        | Rollout::Failed(_)
        | Rollout::NotStarted
        | Rollout::InProgress
        | Rollout::Succeeded => {}
    }
    if !replacements.is_empty() {
        let paths: Vec<&str> = replacements.iter().map(|drift| drift.path.as_str()).collect();
        holds.push(Hold::new(
            Reason::NeedsReplacement,
            format!("ECS cannot change {} of an existing service", paths.join(", ")),
        ));
    }
    if holds.is_empty() && attempted == Attempted::Recorded && !desired.sync.self_heal {
        holds.push(Hold::new(
            Reason::SelfHealOff,
            "the service was changed at AWS and `sync.selfHeal` is off",
        ));
    }
    holds
}

/// Under another deployment controller ECS refuses new revisions through UpdateService (aws.md §2.4).
pub(super) fn controller_hold(
    service: &ObservedService,
    actions: &[Action],
    has_foreign_drift: bool,
) -> Option<Hold> {
    let controller = service.raw.pointer("/deploymentController/type").and_then(Value::as_str)?;
    let rolls = actions
        .iter()
        .any(|action| matches!(action, Action::UpdateService { task_definition: Some(_), .. }));
    ((rolls || has_foreign_drift) && controller != "ECS").then(|| {
        Hold::new(
            Reason::ForeignController,
            format!("the service's deployments are carried out by {controller}, not by ECS"),
        )
    })
}
