//! Carries out what a person asked to be done once. Needs no source: it works while all of them are down.

use std::convert::Infallible;
use std::time::Duration;

use crds::{ObjectKey, Order, Verb};
use jiff::Timestamp;
use planner::deed::{self, Act, Scene, Step};
use planner::orders::{LOOK_AGAIN, Sent, UnderWay};
use planner::{Orders, Plan, Requeue};
use tokio::time::Instant;

use super::{Said, step_back};
use crate::apply;
use crate::aws::{Account, Retry};
use crate::inventory::Wanted;
use crate::observe;
use crate::reconcile::{self, Context, Ended};
use crate::state::{Record, StateError};
use crate::status_store::{Event, EventKind, EventLevel};

/// How soon the service is looked at after a deed.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// Takes the next step of an order to do something once. `None` when there is none left and the turn goes on as usual.
pub async fn carry_out(
    context: &Context,
    account: &Account,
    key: &ObjectKey,
    wanted: &Wanted,
    said: &mut Said,
) -> Option<Ended> {
    let deed = said.orders.deed.clone()?;
    let (asked, read_at) = (Instant::now(), context.clock.now());
    let observed = match observe::for_deed(account, key).await {
        Ok(observed) => observed,
        Err(error) => {
            tracing::warn!(service = %key, verb = %deed.order.verb, error = %error, "an order waits: the service cannot be read");
            return Some(reconcile::unread(context, key, &error));
        }
    };
    if reconcile::is_too_old(context, key, (&observed, asked)) {
        return Some(Ended::Requeue(Requeue::After(LOOK_AGAIN)));
    }
    let scene = Scene {
        key,
        owner: &context.owner,
        service: observed.service.as_ref(),
        running: observed.task_definition.as_ref(),
        deployments: observed.deployments.as_deref().unwrap_or_default(),
        past: &said.record.past,
        desired: match wanted {
            Wanted::Spec { entry, .. } => Some(entry.desired.as_ref()),
            Wanted::Blocked { .. } | Wanted::Gone => None,
        },
        is_suspended: is_suspended(wanted, &said.orders, read_at),
        read_at,
        now: context.clock.now(),
    };
    match deed::next(&deed, &scene) {
        Step::Wait => Some(Ended::Requeue(Requeue::After(LOOK_AGAIN))),
        Step::Done => {
            let told = (EventLevel::Info, "it has had its effect".to_owned());
            end(context, key, &deed.order, told, said).await
        }
        Step::Refused(why) => {
            let is_held = deed.sent.is_some() && step_back::is_one(deed.order.verb);
            let why = if is_held {
                format!("{why}; the spec stays held until it is released")
            } else {
                why
            };
            end(context, key, &deed.order, (EventLevel::Warning, why), said).await
        }
        Step::Act(act) => {
            // What goes back does not wait for anything else that was said.
            let is_same = |now: &Wanted| match wanted {
                Wanted::Spec { entry, .. } => now.asks_the_same(&entry.desired),
                Wanted::Blocked { .. } | Wanted::Gone => !matches!(now, Wanted::Spec { .. }),
            };
            if !step_back::is_one(deed.order.verb)
                && reconcile::is_overtaken(context, key, said, is_same).await
            {
                return Some(Ended::Requeue(Requeue::After(Duration::ZERO)));
            }
            Some(carry(context, account, key, &deed, &act, said).await)
        }
    }
}

/// Whether the service was suspended after the order was taken.
fn is_suspended(wanted: &Wanted, orders: &Orders, now: Timestamp) -> bool {
    let by_spec = matches!(wanted, Wanted::Spec { entry, .. } if entry.desired.sync.suspend);
    by_spec || orders.suspension.as_ref().is_some_and(|order| order.is_in_force(now))
}

async fn carry(
    context: &Context,
    account: &Account,
    key: &ObjectKey,
    deed: &UnderWay,
    act: &Act,
    said: &mut Said,
) -> Ended {
    if let Err(error) = note_sent(context, key, deed, act).await {
        if !step_back::is_one(deed.order.verb) {
            tracing::error!(service = %key, verb = %deed.order.verb, error = %error, "an order waits: it cannot be written down that it is carried out");
            return Ended::Failed;
        }
        tracing::warn!(service = %key, verb = %deed.order.verb, error = %error, "an order is carried out without being written down");
        step_back::sent(context, key, deed, act);
    }
    let plan = Plan { actions: act.actions.clone(), ..Plan::nothing() };
    let outcome = apply::plan(account, key.cluster.as_str(), key.name.as_str(), &plan).await;
    reconcile::expect_deployments(context, key, &outcome);
    let told = match &outcome.error {
        // The rollout may have ended before it could be stopped: its record says what has become of it.
        None if deed.order.verb == Verb::Abort => {
            return Ended::Requeue(Requeue::After(AFTERWARDS));
        }
        None => (EventLevel::Info, "carried out".to_owned()),
        Some(error) if error.retry() == Retry::Never => (EventLevel::Warning, error.to_string()),
        Some(error) => {
            // It may have been carried out just now, long after it was written down that it would be.
            let is_refused = error.had_no_effect();
            let sent = Sent { at: context.clock.now(), is_refused, ..act.sent.clone() };
            let act = Act { sent, ..act.clone() };
            if let Err(error) = note_sent(context, key, deed, &act).await {
                tracing::warn!(service = %key, verb = %deed.order.verb, error = %error, "cannot write down when an order was last sent");
            }
            return Ended::Failed;
        }
    };
    let ended = end(context, key, &deed.order, told, said).await;
    ended.unwrap_or(Ended::Requeue(Requeue::After(AFTERWARDS)))
}

/// Before anything is sent: what shows later whether it was, and which spec is left with it.
async fn note_sent(
    context: &Context,
    key: &ObjectKey,
    deed: &UnderWay,
    act: &Act,
) -> Result<(), StateError> {
    if context.state.step_back(key).is_some_and(|step| step.is(&deed.order)) {
        step_back::sent(context, key, deed, act);
        return Ok(());
    }
    let change = |record: &mut Record| {
        let Some(kept) = of(record, &deed.order) else { return Ok(()) };
        kept.sent = Some(act.sent.clone());
        if let Some(spec) = &act.leaves {
            let spec_hash = Some(spec.clone());
            record.orders.left = Some(Order { spec_hash, ..deed.order.clone() });
            record.orders.release = None;
        }
        Ok::<(), Infallible>(())
    };
    let write = if step_back::is_one(deed.order.verb) {
        context.state.change_within(key, step_back::PATIENCE, change).await
    } else {
        context.state.change_in_turn(key, change).await
    };
    write.map(|_| ())
}

/// Tells what came of an order and forgets it. The turn goes on unless it could not be forgotten.
async fn end(
    context: &Context,
    key: &ObjectKey,
    order: &Order,
    (level, what): (EventLevel, String),
    said: &mut Said,
) -> Option<Ended> {
    let unwritten = context.state.step_back(key).filter(|step| step.is(order));
    let is_unwritten = unwritten.is_some();
    if let Some(step) = unwritten {
        step_back::end(context, key, step);
    } else if let Err(error) = forget(context, key, order, said).await {
        tracing::error!(service = %key, verb = %order.verb, error = %error, "an order was carried out, which cannot be written down yet");
        return Some(Ended::Failed);
    }
    let message = format!("{} {}: {what}", order.verb, order.told());
    tracing::info!(service = %key, verb = %order.verb, actor = %order.actor, "{what}");
    context.statuses.record(Event::of_service(
        key.clone(),
        context.clock.now(),
        EventKind::Action,
        level,
        (reason_of(level), message),
    ));
    if let Some(step) = context.state.step_back(key).filter(|_| is_unwritten) {
        *said = step_back::said(context, key, &step).await;
    }
    None
}

async fn forget(
    context: &Context,
    key: &ObjectKey,
    order: &Order,
    said: &mut Said,
) -> Result<(), StateError> {
    let write = context.state.change_in_turn(key, |record| {
        if of(record, order).is_some() {
            record.orders.deed = None;
        }
        Ok::<Record, Infallible>(record.clone())
    });
    match write.await? {
        Ok(record) => {
            said.orders = record.orders.clone();
            said.record = record.into();
            Ok(())
        }
        Err(never) => match never {},
    }
}

fn of<'a>(record: &'a mut Record, order: &Order) -> Option<&'a mut UnderWay> {
    record.orders.deed.as_mut().filter(|kept| kept.order.id == order.id)
}

const fn reason_of(level: EventLevel) -> &'static str {
    match level {
        EventLevel::Warning => "OrderRefused",
        EventLevel::Info => "OrderCarriedOut",
    }
}
