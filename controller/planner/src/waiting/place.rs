//! Places: how many services of a target may roll tasks at a time.

use std::time::Duration;

use crds::{Reason, TargetName};
use jiff::{SignedDuration, Timestamp};

use super::hold_back;
use crate::desired::Desired;
use crate::observed::Observed;
use crate::plan::{self, Hold, Plan};
use crate::rollout::{self, Rollout};

/// How soon it is looked whether all rollouts under way are known.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// Why there is no place for a rollout now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// All places are taken.
    Behind {
        /// How many may roll tasks at a time.
        limit: usize,
        /// How many wait before this one.
        ahead: usize,
    },
    /// So many services of the target have not been looked at since the start, so that nobody knows how many roll tasks.
    Unknown {
        /// How many.
        unseen: usize,
    },
}

/// The plan of a service that waits for a place.
pub fn in_line(
    plan: Plan,
    target: &TargetName,
    line: &Line,
    (observed, now): (&Observed, Timestamp),
) -> Plan {
    let message = match line {
        Line::Behind { limit, ahead } => {
            let before = match ahead {
                0 => "this one is the next".to_owned(),
                1 => "1 waits before this one".to_owned(),
                ahead => format!("{ahead} wait before this one"),
            };
            format!(
                "the target `{target}` allows {limit} rollouts at a time and has as many; {before}"
            )
        }
        Line::Unknown { unseen } => format!(
            "the rollouts under way are not all known yet: {unseen} services of the target `{target}` have not been looked at"
        ),
    };
    let watch = plan::watch(observed.service.as_ref(), now);
    let requeue = match line {
        Line::Behind { .. } => watch,
        Line::Unknown { .. } => watch.at_most(LOOK_AGAIN),
    };
    hold_back(plan, vec![Hold::new(Reason::WaitingForPlace, message)], requeue)
}

/// Whether a service takes a place: ECS is moving its tasks, and that is going well. A rollout that has failed or takes
/// longer than it may keeps no other from going.
pub fn is_under_way(desired: &Desired, observed: &Observed, plan: &Plan, now: Timestamp) -> bool {
    let Some(service) = observed.service.as_ref().filter(|service| rollout::is_moving(service))
    else {
        return false;
    };
    let limit = SignedDuration::try_from(desired.timeout).unwrap_or(SignedDuration::MAX);
    let began = service.primary().and_then(|primary| primary.created_at);
    let is_late = began.is_some_and(|began| now.duration_since(began) > limit);
    match plan.rollout {
        Rollout::RollingBack(_) | Rollout::RolledBack(_) | Rollout::Failed(_) => false,
        Rollout::NotStarted | Rollout::InProgress | Rollout::Succeeded => !is_late,
    }
}
