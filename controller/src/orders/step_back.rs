//! Rollbacks and aborts while the state store is down. They go on what AWS itself keeps: the mark on the service holds the
//! spec that is left, and ECS's records say where to go. Who asked and why is written down when that is possible again, and
//! lost if the process ends before.

use std::convert::Infallible;
use std::time::Duration;

use crds::{ObjectKey, Order, Verb};
use planner::Orders;
use planner::deed::Act;
use planner::orders::UnderWay;

use super::Said;
use crate::reconcile::Context;
use crate::state::{StateError, StepBack};

/// How long a step back waits for the store.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Whether an order goes back to what was there before, which is what people need when things are down.
pub(super) const fn is_one(verb: Verb) -> bool {
    match verb {
        Verb::Rollback | Verb::Abort => true,
        Verb::Sync
        | Verb::Suspend
        | Verb::Resume
        | Verb::Hold
        | Verb::Release
        | Verb::Restart
        | Verb::Approve
        | Verb::Promote => false,
    }
}

/// Takes one that could not be written down.
pub(super) fn take(context: &Context, key: &ObjectKey, order: &Order, error: &StateError) {
    tracing::warn!(service = %key, verb = %order.verb, error = %error, "an order is carried out without being written down");
    context.state.keep_step_back(key, StepBack::new(order.clone()));
}

/// What people said about a service, with a step back that the store does not know of, as far as the store says it soon.
pub(super) async fn said(context: &Context, key: &ObjectKey, step: &StepBack) -> Said {
    match context.state.read_within(key, PATIENCE).await {
        Ok(record) => Said { orders: step.over(record.orders.clone()), record },
        Err(error) => {
            let unknown = Orders::unknown(error.to_string());
            Said { orders: step.over(unknown), record: std::sync::Arc::default() }
        }
    }
}

/// Keeps what is about to be sent where that could not be written down.
pub(super) fn sent(context: &Context, key: &ObjectKey, deed: &UnderWay, act: &Act) {
    let deed = UnderWay { order: deed.order.clone(), sent: Some(act.sent.clone()) };
    let step = StepBack { deed, leaves: act.leaves.clone(), is_over: false };
    context.state.renew_step_back(key, step);
}

/// Ends one: what was sent remains to be written down, and where nothing was there is nothing to write.
pub(super) fn end(context: &Context, key: &ObjectKey, step: StepBack) {
    context.state.renew_step_back(key, StepBack { is_over: true, ..step });
}

/// Writes down one that is over, if the store takes it by now.
pub(super) async fn write_down(context: &Context, key: &ObjectKey, step: &StepBack) {
    let write = context.state.change_within(key, PATIENCE, |record| {
        step.write_to(record);
        Ok::<(), Infallible>(())
    });
    match write.await {
        Ok(_) => context.state.forget_step_back(key, step),
        Err(error) => {
            tracing::warn!(service = %key, verb = %step.deed.order.verb, error = %error, "a step back cannot be written down yet");
        }
    }
}
