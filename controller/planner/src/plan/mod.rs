//! The plan: which calls bring AWS to what is wanted, and why anything is left undone.
//!
//! What comes in: one [`Desired`], one [`Observed`], what people said ([`Orders`]), the time. What leaves: a [`Plan`],
//! always. Guarantees: at most one UpdateService; no action on a service that is not ours, unless it may be adopted; no
//! action while suspended or held, or while it is not known whether it is; a failed spec is not tried again unless a person
//! releases it, nor is an image of a release that the service did not keep brought back by another spec; planning what was
//! applied and observed gives an empty plan.

mod action;
mod attempt;
pub(crate) mod differences;
pub(crate) mod held;
mod holds;
mod hooks;
mod inputs;
mod left;
mod marks;
mod reload;
#[cfg(test)]
pub(crate) mod tests;
mod under_way;
mod unlisted;

pub use action::{Action, TaskDefinitionRef};
pub use inputs::tag_list;
pub(crate) use left::images as held_images;

use std::time::Duration;

use crds::Reason;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use self::holds::Attempted;
use crate::checks::{Judged, mark};
use crate::deletion;
use crate::desired::Desired;
use crate::explain;
use crate::gate;
use crate::observed::{Observed, ObservedService, ServiceState, Wants};
use crate::orders::Orders;
use crate::ownership::{self, Ownership};
use crate::rollout::{self, Rollout};
use crate::scaling;

/// How soon a rollout under way is looked at again: often while it is young and most happens, less often later.
const ROLLOUT_POLL: Duration = Duration::from_secs(5);
/// The same for a rollout that has gone on for [`ROLLOUT_IS_YOUNG`].
const ROLLOUT_POLL_LATER: Duration = Duration::from_secs(15);
/// The same for one that has gone on for [`ROLLOUT_IS_OLD`]: it bakes for long, or never ends.
const ROLLOUT_POLL_OLD: Duration = Duration::from_mins(1);
/// How long a rollout counts as young.
const ROLLOUT_IS_YOUNG: SignedDuration = SignedDuration::from_mins(3);
/// From when on it counts as old.
const ROLLOUT_IS_OLD: SignedDuration = SignedDuration::from_hours(1);

/// What to do about one service.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Plan {
    /// The calls to make, in order.
    pub actions: Vec<Action>,
    /// The calls that would be made if nothing held them.
    pub withheld: Vec<Action>,
    /// Why differences are not acted on.
    pub holds: Vec<Hold>,
    /// When to look again.
    pub requeue: Requeue,
    /// Where the rollout of the wanted revision stands.
    pub rollout: Rollout,
    /// What preflight could not look at, in a sentence for each reason; it holds nothing.
    pub not_checked: Vec<String>,
    /// How the checks of the last rollout stand; `None` where there are none.
    pub checks: Option<Judged>,
}

/// When to look at a service again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requeue {
    /// After this long.
    After(Duration),
    /// When something changes, or with the next pass over everything.
    OnChange,
}

/// One reason why a difference is not acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
}

impl Requeue {
    /// The same, but not later than this.
    pub(crate) fn at_most(self, delay: Duration) -> Self {
        match self {
            Self::After(other) => Self::After(other.min(delay)),
            Self::OnChange => Self::After(delay),
        }
    }
}

impl Hold {
    /// A hold with its message.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

impl Plan {
    /// A plan that does nothing for one reason.
    pub fn hold(reason: Reason, message: impl Into<String>, requeue: Requeue) -> Self {
        Self { holds: vec![Hold::new(reason, message)], requeue, ..Self::nothing() }
    }

    /// A plan that has nothing to do.
    pub fn nothing() -> Self {
        Self {
            actions: Vec::new(),
            withheld: Vec::new(),
            holds: Vec::new(),
            requeue: Requeue::OnChange,
            rollout: Rollout::NotStarted,
            not_checked: Vec::new(),
            checks: None,
        }
    }

    /// The same plan with everything held back for one more reason, which is told first.
    pub fn withhold(mut self, reason: Reason, message: impl Into<String>) -> Self {
        self.withheld.append(&mut self.actions);
        self.holds.insert(0, Hold::new(reason, message));
        Self { requeue: Requeue::OnChange, ..self }
    }

    /// Whether there is nothing to do and nothing is held back. What only notes that a spec is held counts as nothing.
    pub fn is_settled(&self) -> bool {
        self.actions.iter().all(Action::is_hold_mark) && self.withheld.is_empty()
    }
}

/// Which further facts the plan depends on, given the cheap ones.
pub fn wants(desired: &Desired, observed: &Observed) -> Wants {
    let living = living(observed);
    let scaling = scaling::is_wanted(desired, living);
    let Some(service) = living else {
        return Wants { candidates: true, scaling, ..Wants::default() };
    };
    let runs_wanted =
        observed.task_definition.as_ref().is_some_and(|running| desired.is_content_of(running));
    let primary = service.primary();
    let completed = rollout::has_completed(service);
    let is_unsaid = primary.is_some_and(|primary| primary.rollout_state.is_none());
    let going_well = primary.is_some_and(|primary| {
        let is_moving = primary.rollout_state.as_deref() == Some("IN_PROGRESS");
        primary.failed == 0 && (is_moving || is_unsaid)
    });
    // A rollback brings back settings as well as the revision.
    let differs = !runs_wanted || !differences::service_drift(desired, service).is_empty();
    let troubled = !completed && !going_well;
    // Where it can wait for somebody, it has to show that it does.
    let may_wait = service
        .raw
        .pointer("/deploymentConfiguration/lifecycleHooks")
        .and_then(Value::as_array)
        .is_some_and(|hooks| !hooks.is_empty())
        && rollout::is_moving(service);
    let has_stages = gate::has_stages(&service.raw) && rollout::is_moving(service);
    Wants {
        candidates: !runs_wanted,
        deployments: differs
            || troubled
            || is_unsaid
            || may_wait
            || has_stages
            || reload::needs_records(desired, observed, service),
        images: completed,
        // A spec that comes during a rollout is compared with what that rollout brings.
        unlisted: !differences::is_attempted(desired, service),
        stopped: troubled
            || explain::is_in_trouble(service)
            || service.running_count < service.desired_count,
        scaling,
    }
}

/// What to do about one service.
pub fn plan(desired: &Desired, observed: &Observed, orders: &Orders, now: Timestamp) -> Plan {
    let is_forgiven = rollout::newest_attempt(desired, observed)
        .is_some_and(|attempt| orders.forgives(&desired.spec_hash, attempt));
    let rollout =
        if is_forgiven { Rollout::NotStarted } else { rollout::stands(desired, observed) };
    let rollout = under_way::told(rollout, desired, observed, orders);
    let plan = match observed.service.as_ref().map(|service| (service, service.state)) {
        None | Some((_, ServiceState::Inactive)) => create(desired, observed, orders, now),
        Some((_, ServiceState::Draining)) => Plan {
            rollout,
            ..Plan::hold(
                Reason::Draining,
                format!(
                    "the previous service {} is still draining; its name is free when it is gone",
                    desired.key
                ),
                Requeue::After(ROLLOUT_POLL),
            )
        },
        Some((service, ServiceState::Active)) => {
            let turn = Turn { orders, rollout, is_forgiven, now };
            change(desired, observed, service, turn)
        }
    };
    hooks::add(plan, desired, observed, orders, now)
}

/// What decides about a change beside the two sides.
struct Turn<'a> {
    orders: &'a Orders,
    rollout: Rollout,
    /// The spec has failed, and somebody released it since.
    is_forgiven: bool,
    now: Timestamp,
}

fn living(observed: &Observed) -> Option<&ObservedService> {
    observed.service.as_ref().filter(|service| service.state != ServiceState::Inactive)
}

fn create(desired: &Desired, observed: &Observed, orders: &Orders, now: Timestamp) -> Plan {
    let (register, task_definition) =
        inputs::choose_revision(desired, observed, Reason::ServiceMissing, Vec::new());
    let mut actions: Vec<Action> = register.into_iter().collect();
    let (scaling, tags) =
        scaling::on_creation(desired, observed.scaling.as_ref(), Reason::ServiceMissing, now);
    let tags = tags.into_iter().chain(mark::of_new(desired)).collect();
    actions.push(Action::CreateService {
        input: inputs::create_input(desired, observed, tags),
        task_definition,
        reason: Reason::ServiceMissing,
    });
    actions.extend(scaling);
    let holds: Vec<Hold> = holds::standing_hold(desired, orders, now)
        .or_else(|| orders.spec_hold(desired, false, now))
        .into_iter()
        .collect();
    let requeue = if holds.is_empty() { Requeue::After(ROLLOUT_POLL) } else { Requeue::OnChange };
    conclude(actions, holds, requeue, Rollout::NotStarted)
}

fn change(
    desired: &Desired,
    observed: &Observed,
    service: &ObservedService,
    Turn { orders, rollout, is_forgiven, now }: Turn<'_>,
) -> Plan {
    let adopting = match ownership::ownership(&service.tags, &desired.owner) {
        Ownership::Ours => false,
        Ownership::Another(owner) => {
            let message = format!("the service belongs to the operator `{owner}`");
            return Plan {
                rollout,
                ..Plan::hold(Reason::OwnedByAnother, message, Requeue::OnChange)
            };
        }
        Ownership::Nobodys if service.is_managed_by_ecs => {
            let message = "the service is managed by ECS itself (Express Mode)";
            return Plan { rollout, ..Plan::hold(Reason::NotOwned, message, Requeue::OnChange) };
        }
        Ownership::Nobodys if !desired.sync.adopt => {
            let message = format!(
                "a service {} exists and carries no owner tag; set `sync.adopt: true` to take it over",
                desired.key
            );
            return Plan { rollout, ..Plan::hold(Reason::NotOwned, message, Requeue::OnChange) };
        }
        Ownership::Nobodys => true,
    };
    let is_attempted = differences::is_attempted(desired, service);
    let is_released = orders.releases(&desired.spec_hash);
    let reason = match (adopting, is_released, is_attempted) {
        (true, _, _) => Reason::Adopting,
        (false, true, _) => Reason::Released,
        (false, false, true) => Reason::Drifted,
        (false, false, false) => Reason::SpecChanged,
    };
    let (mut actions, mut replacements) =
        differences::between(desired, observed, service, reason, now);
    marks::settle(&mut actions, desired, service);
    differences::clear_held_spec(&mut actions, service, &desired.spec_hash, is_released);
    differences::clear_gates(&mut actions, desired, service, Reason::TagsChanged);
    if is_forgiven {
        differences::try_again(&mut actions, desired);
    }
    let is_replaced = !replacements.is_empty() && orders.replaces(&desired.spec_hash, service);
    if is_replaced && !desired.is_protected {
        replacements.clear();
        actions = vec![Action::DeleteService { force: true, reason: Reason::Replacing }];
    }
    let attempted = if is_attempted {
        Attempted::Recorded
    } else if observed.sent.as_ref() == Some(&desired.spec_hash)
        || attempt::was_sent(desired, observed, service)
    {
        Attempted::Sent
    } else {
        Attempted::No
    };
    let situation = holds::Situation {
        actions: &actions,
        replacements: &replacements,
        rollout: &rollout,
        attempted,
    };
    let mut holds = holds::all(desired, (observed, service), orders, &situation, now);
    if is_replaced && desired.is_protected {
        let message = "the annotation `longshore.dev/protect` keeps it from being replaced";
        holds.insert(0, Hold::new(Reason::Protected, message));
    }
    let is_ours = marks::is_all(&actions) || service.tags.contains_key(deletion::DELETING);
    if scaling::is_under_way(service) || is_ours {
        // An interrupted change of our own is no change by others.
        holds.retain(|hold| hold.reason != Reason::SelfHealOff);
    }
    let foreign = differences::has_foreign_drift(desired, service);
    holds.extend(holds::controller_hold(service, &actions, foreign));
    let requeue = if !actions.is_empty() && holds.is_empty() {
        Requeue::After(ROLLOUT_POLL)
    } else if rollout::is_moving(service) || rollout == Rollout::InProgress {
        Requeue::After(poll_interval(service, now))
    } else {
        watch(Some(service), now)
    };
    let is_failure = |hold: &Hold| {
        matches!(
            hold.reason,
            Reason::RolledBack | Reason::RolloutFailed | Reason::RolledBackByHand | Reason::Aborted
        )
    };
    let has_failed =
        attempted == Attempted::Sent && holds.iter().all(is_failure) && !holds.is_empty();
    let plan = conclude(actions, holds, requeue, rollout);
    let plan = if has_failed {
        record_failure(plan)
    } else {
        reload::add(plan, desired, observed, service, (orders, now))
    };
    let plan = if attempted == Attempted::No || adopting {
        plan
    } else {
        held::add(plan, desired, observed, service, (orders, now))
    };
    let plan = mark::before_rollout(plan, desired, service);
    let plan = attempt::before_rollout(plan, desired, observed, service);
    under_way::add(plan, desired, observed, service, (orders, now))
}

/// Sets the tag that an earlier turn could not set: without it a new process would send the failed spec once more.
fn record_failure(plan: Plan) -> Plan {
    let (actions, withheld) =
        plan.withheld.into_iter().partition(|action| matches!(action, Action::TagResource { .. }));
    Plan { actions, withheld, ..plan }
}

/// When to look again at a service for which nothing is done now: soon, while ECS moves its tasks.
pub(crate) fn watch(service: Option<&ObservedService>, now: Timestamp) -> Requeue {
    match service.filter(|service| rollout::is_moving(service)) {
        Some(service) => Requeue::After(poll_interval(service, now)),
        None => Requeue::OnChange,
    }
}

fn poll_interval(service: &ObservedService, now: Timestamp) -> Duration {
    let began = service.primary().and_then(|primary| primary.created_at);
    match began.map(|began| now.duration_since(began)) {
        Some(age) if age < ROLLOUT_IS_YOUNG => ROLLOUT_POLL,
        Some(age) if age >= ROLLOUT_IS_OLD => ROLLOUT_POLL_OLD,
        Some(_) | None => ROLLOUT_POLL_LATER,
    }
}

fn conclude(actions: Vec<Action>, holds: Vec<Hold>, requeue: Requeue, rollout: Rollout) -> Plan {
    if holds.is_empty() {
        Plan { actions, holds, requeue, rollout, ..Plan::nothing() }
    } else {
        Plan { withheld: actions, holds, requeue, rollout, ..Plan::nothing() }
    }
}
