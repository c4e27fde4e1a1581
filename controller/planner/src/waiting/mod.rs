//! What a change that rolls tasks waits for: other services, a window, a place among the rollouts of its target.
//!
//! What comes in: the plan, and what is known of the services around. What leaves: the plan, held as a whole if its time has
//! not come. Guarantees: a change that replaces no task waits for nothing here; neither does a service that a person had
//! deleted to be created again; a rollout under way is never touched.

mod dependency;
mod place;
#[cfg(test)]
mod tests;
pub mod window;

use std::time::Duration;

use crds::{HookPhase, ObjectKey, Reason};
use jiff::Timestamp;

use self::window::Opening;
use crate::desired::Desired;
use crate::observed::Observed;
use crate::orders::Orders;
use crate::plan::{self, Action, Hold, Plan, Requeue};

pub use dependency::{Standing, cycle_hold, standing};
pub use place::{Line, in_line, is_under_way};
pub use window::Windows;

/// What is known of the services around one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The circle of services that depend on each other, this one first.
    pub cycle: Option<Vec<ObjectKey>>,
    /// How those stand that this one depends on.
    pub dependencies: Vec<(ObjectKey, Standing)>,
}

/// Whether carrying the plan out would replace or start tasks for a change. A hook after a rollout belongs to one that is over.
pub fn rolls_tasks(plan: &Plan) -> bool {
    let mut runs = plan.actions.iter().filter_map(Action::hook_run);
    let follows = runs.any(|run| run.phase == HookPhase::After);
    !follows && plan.actions.iter().any(Action::starts_tasks)
}

/// Whether it needs a place among the rollouts of its target: what failed its checks goes back at once.
pub fn needs_place(plan: &Plan) -> bool {
    rolls_tasks(plan) && plan.actions.iter().all(|action| action.reason() != Reason::ChecksFailed)
}

/// Whether the windows of the spec forbid what the plan does, at this time: they may have closed while a turn looked at other
/// things. What failed its checks goes back at any time.
pub fn is_shut_out(desired: &Desired, plan: &Plan, orders: &Orders, now: Timestamp) -> bool {
    needs_place(plan)
        && !orders.is_being_replaced(&desired.spec_hash)
        && !orders.hurries(&desired.spec_hash)
        && !matches!(desired.windows.opening(now), Opening::Now)
}

/// The plan in the light of what it has to wait for.
pub fn weigh(
    desired: &Desired,
    observed: &Observed,
    mut plan: Plan,
    facts: &Facts,
    (orders, now): (&Orders, Timestamp),
) -> Plan {
    let rolls = rolls_tasks(&plan) && !orders.is_being_replaced(&desired.spec_hash);
    let mut holds = Vec::new();
    if let Some(cycle) = &facts.cycle {
        let hold = dependency::cycle_hold(cycle);
        if !rolls {
            // An error of the spec is told whether or not there is anything to do.
            plan.holds.push(hold);
            return plan;
        }
        holds.push(hold);
    }
    if !rolls {
        return plan;
    }
    holds.extend(dependency::holds(&facts.dependencies));
    let mut requeue = plan::watch(observed.service.as_ref(), now);
    if !orders.hurries(&desired.spec_hash) {
        match desired.windows.opening(now) {
            Opening::Now => {}
            Opening::At(next) => {
                holds.push(Hold::new(
                    Reason::OutsideWindow,
                    format!("`rollout.windows` allows changes that roll tasks again at {next}"),
                ));
                requeue = requeue.at_most(until(now, next));
            }
            Opening::Never => holds.push(Hold::new(
                Reason::OutsideWindow,
                "`rollout.windows` allows no change that rolls tasks within 400 days",
            )),
        }
    }
    if holds.is_empty() { plan } else { hold_back(plan, holds, requeue) }
}

/// The plan with every action withheld.
fn hold_back(mut plan: Plan, holds: Vec<Hold>, requeue: Requeue) -> Plan {
    plan.withheld.append(&mut plan.actions);
    plan.holds.extend(holds);
    Plan { requeue, ..plan }
}

pub(crate) fn until(now: Timestamp, next: Timestamp) -> Duration {
    Duration::try_from(next.duration_since(now)).unwrap_or_default()
}
