//! Why a difference is not acted on.

use crds::Reason;
use jiff::Timestamp;
use serde_json::Value;

use super::{Action, Hold, held, left};
use crate::desired::Desired;
use crate::drift::{self, FieldDrift};
use crate::observed::{Observed, ObservedService};
use crate::orders::Orders;
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

/// What there is to do and how far the spec has got.
pub(super) struct Situation<'a> {
    pub(super) actions: &'a [Action],
    /// Differences that no call can remove.
    pub(super) replacements: &'a [FieldDrift],
    pub(super) rollout: &'a Rollout,
    pub(super) attempted: Attempted,
}

/// What keeps everything from happening, whatever the spec: the spec's own suspension, and what people said.
pub(super) fn standing_hold(desired: &Desired, orders: &Orders, now: Timestamp) -> Option<Hold> {
    if orders.unknown.is_none() && desired.sync.suspend {
        return Some(Hold::new(Reason::Suspended, "`sync.suspend` is set"));
    }
    orders.standing_hold(now)
}

/// Everything that stands against what there is to do.
pub(super) fn all(
    desired: &Desired,
    (observed, service): (&Observed, &ObservedService),
    orders: &Orders,
    situation: &Situation<'_>,
    now: Timestamp,
) -> Vec<Hold> {
    let Situation { actions, replacements, rollout, attempted } = *situation;
    let mut holds: Vec<Hold> = standing_hold(desired, orders, now).into_iter().collect();
    if actions.is_empty() && replacements.is_empty() {
        return holds;
    }
    if holds.is_empty() {
        holds.extend(orders.spec_hold(desired, attempted.was_sent(), now));
    }
    let left = orders.left_hold(desired, service);
    let undone = left
        .or_else(|| failure_hold(rollout, attempted))
        .or_else(|| held::hold(desired, observed, service, orders));
    holds.extend(undone.or_else(|| left::hold(desired, observed, service, orders)));
    if !replacements.is_empty() {
        let paths: Vec<&str> = replacements.iter().map(|drift| drift.path.as_str()).collect();
        holds.push(Hold::new(
            Reason::NeedsReplacement,
            format!("ECS cannot change {} of an existing service", paths.join(", ")),
        ));
    }
    let heals = desired.sync.self_heal || orders.lets_go(&desired.spec_hash);
    if holds.is_empty() && attempted == Attempted::Recorded && !heals {
        let changes = actions.iter().flat_map(Action::changes);
        holds.push(Hold::new(
            Reason::SelfHealOff,
            format!(
                "the service was changed at AWS and `sync.selfHeal` is off: {}",
                drift::named(changes)
            ),
        ));
    }
    holds
}

/// A spec whose rollout failed is not sent again.
fn failure_hold(rollout: &Rollout, attempted: Attempted) -> Option<Hold> {
    match rollout {
        Rollout::RollingBack(reason) => {
            Some(Hold::new(Reason::RolledBack, format!("ECS is rolling back: {reason}")))
        }
        Rollout::RolledBack(reason) if attempted.was_sent() => Some(Hold::new(
            Reason::RolledBack,
            format!(
                "this spec failed and was rolled back: {reason} It is held until the spec changes."
            ),
        )),
        Rollout::Failed(reason) if attempted.was_sent() => Some(Hold::new(
            Reason::RolloutFailed,
            format!("this spec failed: {reason} It is held until the spec changes."),
        )),
        Rollout::RolledBack(_)
        | Rollout::Failed(_)
        | Rollout::NotStarted
        | Rollout::InProgress
        | Rollout::Succeeded => None,
    }
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
