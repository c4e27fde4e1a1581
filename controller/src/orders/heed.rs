//! What a turn does about the state store: it reads what was said, and writes down what has become of it.

use std::convert::Infallible;
use std::sync::Arc;

use crds::{ObjectKey, Reason};
use jiff::Timestamp;
use planner::observed::{ObservedService, ServiceState};
use planner::orders::{Sent, incarnation};
use planner::rollout::Rollout;
use planner::{Action, Desired, Observed, Orders, Plan, past};

use super::step_back;
use crate::apply::Outcome;
use crate::reconcile::Context;
use crate::state::{Record, StateError, StepBack};

/// What the state store says about a service, as a turn has read it.
#[derive(Debug, Clone)]
pub struct Said {
    /// What people said; [`Orders::unknown`] where that could not be read.
    pub orders: Orders,
    pub(super) record: Arc<Record>,
}

impl Said {
    /// What was kept of the service.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Whether another order has come, or what people say can be read no more.
    pub fn differs_from(&self, newest: &Self) -> bool {
        let what = |said: &Self| {
            let deed = said.orders.deed.as_ref().map(|deed| deed.order.id);
            (said.record.taken, deed, said.orders.unknown.is_some())
        };
        what(self) != what(newest)
    }

    /// Whether a deployment was forced so shortly before this read that it need not show, so that no other may be.
    pub fn is_on_its_way(&self, observed: &Observed, read_at: Timestamp) -> bool {
        let primary = observed.service.as_ref().and_then(ObservedService::primary);
        self.record.forced.as_ref().is_some_and(|sent| {
            primary.is_some_and(|primary| primary.id == sent.subject) && sent.is_recent(read_at)
        })
    }
}

/// Reads what people said about a service. What cannot be read is unknown, and nothing is changed then.
pub async fn said(context: &Context, key: &ObjectKey) -> Said {
    match context.state.step_back(key) {
        Some(step) if !step.is_over => {
            return Box::pin(step_back::said(context, key, &step)).await;
        }
        Some(step) => Box::pin(step_back::write_down(context, key, &step)).await,
        None => {}
    }
    // A turn that hangs here must not keep a step back waiting.
    let read = tokio::select! {
        biased;
        read = context.state.read(key) => read,
        step = context.state.next_step_back(key) => {
            return Box::pin(step_back::said(context, key, &step)).await;
        }
    };
    match read {
        Ok(record) => {
            // What is still not written down counts all the same.
            let orders = record.orders.clone();
            let orders = match context.state.step_back(key) {
                Some(step) if step.is_over && step.is_released(&orders) => {
                    // What was let go must not be held again by what is written down late.
                    let step = StepBack { leaves: None, ..step };
                    let over = step.over(orders);
                    context.state.renew_step_back(key, step);
                    over
                }
                Some(step) => step.over(orders),
                None => orders,
            };
            Said { orders, record }
        }
        Err(error) => {
            tracing::error!(service = %key, error = %error, "the state store cannot be read: nothing is changed by itself");
            Said { orders: Orders::unknown(error.to_string()), record: Arc::default() }
        }
    }
}

/// Writes down what is about to be sent and must not be sent twice. Until that is written, nothing may be sent.
pub async fn before(
    context: &Context,
    key: &ObjectKey,
    plan: &Plan,
    observed: &Observed,
) -> Result<(), StateError> {
    let is_replacing = plan.actions.iter().any(|action| action.reason() == Reason::Replacing);
    let stopped = plan.actions.iter().find_map(Action::because);
    let is_forcing = plan.actions.iter().any(Action::forces_deployment);
    let replaced = observed.service.as_ref().filter(|_| is_replacing);
    let primary = observed.service.as_ref().and_then(ObservedService::primary);
    let forced = primary.filter(|_| is_forcing);
    if replaced.is_none() && stopped.is_none() && forced.is_none() {
        return Ok(());
    }
    let at = context.clock.now();
    let sent = replaced.map(|service| Sent::new(at, incarnation(service)));
    let forced = forced.map(|primary| Sent::new(at, primary.id.clone()));
    let write = context.state.change_in_turn(key, |record| {
        if let (Some(replacement), Some(_)) = (&mut record.orders.replacement, &sent) {
            replacement.sent.clone_from(&sent);
        }
        if let Some(stopped) = stopped {
            record.orders.stopped = Some(stopped.clone());
        }
        if forced.is_some() {
            record.forced.clone_from(&forced);
        }
        Ok::<(), Infallible>(())
    });
    write.await.map(|_| ())
}

/// Writes down which orders have had their effect, and how releases began and ended. When that fails the next turn does it.
pub async fn after(
    context: &Context,
    said: &Said,
    (desired, observed): (&Desired, &Observed),
    plan: &Plan,
    outcome: &Outcome,
) {
    if said.orders.unknown.is_some() {
        return;
    }
    let now = context.clock.now();
    let turned = Turned { desired, observed, plan, outcome, now, taken: said.record.taken };
    let mut expected = (*said.record).clone();
    turned.note(&mut expected);
    // What was written down before it was forced is newer than what the turn has read.
    if expected == *said.record && !turned.would_force() {
        return;
    }
    let key = &desired.key;
    let write = context.state.change_in_turn(key, |record| {
        turned.note(record);
        Ok::<(), Infallible>(())
    });
    if let Err(error) = write.await {
        tracing::error!(service = %key, error = %error, "cannot write down what a turn has done");
    }
}

/// A turn that has ended.
struct Turned<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    plan: &'a Plan,
    outcome: &'a Outcome,
    now: Timestamp,
    /// The last order that the turn knew of.
    taken: u64,
}

/// What became of a deployment that was to be forced.
enum Forcing {
    /// There was none, or AWS has taken it.
    None,
    /// It has to wait, a call before it failed, or AWS refused it.
    NotSent,
    /// Nobody knows whether AWS has taken it.
    Unanswered,
}

impl Turned<'_> {
    fn note(&self, record: &mut Record) {
        record.past = past::after(&record.past, self.desired, self.observed, self.now);
        if let Some(stopped) = &record.orders.stopped {
            past::tell(&mut record.past, stopped);
        }
        if let Some((analysis, why)) =
            record.analysis.as_ref().and_then(|one| Some((one, one.failed.as_ref()?)))
        {
            // What was seen for the first time in this turn may have failed in this turn.
            past::undone(&mut record.past, &analysis.deployment, why, self.now);
        }
        if let Some(forced) = &mut record.forced {
            match self.forcing() {
                Forcing::NotSent if self.is_in_front(&forced.subject) => record.forced = None,
                // It may have been taken just now, long after it was written down that it would be.
                Forcing::Unanswered => forced.at = self.now,
                Forcing::None if !forced.is_recent(self.now) => record.forced = None,
                Forcing::None | Forcing::NotSent => {}
            }
        }
        record.explained.clone_from(&self.observed.explained);
        if let Some(kept) = &record.explained {
            past::explain(&mut record.past, kept);
        }
        // An order that came in meanwhile has not been heeded yet.
        if record.taken != self.taken {
            return;
        }
        let orders = std::mem::take(&mut record.orders);
        let mut orders = orders.for_spec(&self.desired.spec_hash, self.now);
        if self.has_sent() {
            orders.release = None;
        }
        if self.is_settled() {
            orders = orders.settled();
        }
        record.orders = orders;
    }

    /// Whether a deployment was to be forced in this turn, sooner or later.
    fn would_force(&self) -> bool {
        self.plan.actions.iter().chain(&self.plan.withheld).any(Action::forces_deployment)
    }

    fn is_in_front(&self, deployment: &str) -> bool {
        let primary = self.observed.service.as_ref().and_then(ObservedService::primary);
        primary.is_some_and(|primary| primary.id == deployment)
    }

    /// What became of a deployment that was to be forced in this turn.
    fn forcing(&self) -> Forcing {
        let at = self.plan.actions.iter().position(Action::forces_deployment);
        let is_withheld = self.plan.withheld.iter().any(Action::forces_deployment);
        match (at, &self.outcome.error) {
            (Some(at), Some(error)) if at == self.outcome.done && !error.had_no_effect() => {
                Forcing::Unanswered
            }
            (Some(at), _) if at >= self.outcome.done => Forcing::NotSent,
            (None, _) if is_withheld => Forcing::NotSent,
            (Some(_) | None, _) => Forcing::None,
        }
    }

    /// Whether the spec was sent in this turn. A turn that waits for its time to change something has sent nothing.
    fn has_sent(&self) -> bool {
        self.outcome.error.is_none()
            && self.outcome.done > 0
            && self.plan.actions.iter().any(|action| {
                matches!(action, Action::UpdateService { .. } | Action::CreateService { .. })
            })
    }

    /// Whether the service is as its spec wants it. A rollout under way may still come to a gate, where orders count.
    fn is_settled(&self) -> bool {
        let is_active = self
            .observed
            .service
            .as_ref()
            .is_some_and(|service| service.state == ServiceState::Active);
        let differs = |reason: Reason| {
            matches!(reason, Reason::NeedsReplacement | Reason::NotOwned | Reason::OwnedByAnother)
        };
        is_active
            && self.plan.is_settled()
            && self.outcome.error.is_none()
            && self.outcome.done == self.plan.actions.len()
            && self.plan.rollout != Rollout::InProgress
            && !self.plan.holds.iter().any(|hold| differs(hold.reason))
    }
}

/// Forgets everything about a service that is neither wanted nor there, but for what people hold until they say otherwise: a
/// spec of that name may come back.
pub async fn forget(context: &Context, key: &ObjectKey) {
    if !context.inventory().is_complete() {
        return;
    }
    let write = context.state.change(key, |record| {
        let Orders { hold, suspension, .. } = std::mem::take(&mut record.orders);
        let stands = hold.is_some() || suspension.is_some();
        let taken = if stands { record.taken } else { 0 };
        let orders = Orders { hold, suspension, ..Orders::default() };
        *record = Record { taken, orders, ..Record::default() };
        Ok::<(), Infallible>(())
    });
    if let Err(error) = write.await {
        tracing::error!(service = %key, error = %error, "cannot forget a service that is gone");
    }
}
