//! One turn for one key: what is wanted, what is there, what to do, do it, say so.
//!
//! Flow: [`Inventory::wanted`] -> [`orders::said`] -> [`observe::service`] -> [`planner::plan()`] -> [`apply::plan`] ->
//! [`planner::status`]. What a person asked to be done once comes before all that ([`orders::carry_out`]).
//! Guarantees: one turn per key at a time (the queue sees to that); nothing is decided when something could not be read;
//! a turn that is cut off anywhere leaves nothing that the next one does not find again.

mod expectation;
mod refusal;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crds::{
    ConditionType, Generation, ObjectKey, ObjectMeta, OwnerName, Reason, ServiceStatus, SpecHash,
};
use planner::observed::ObservedService;
use planner::orders::Orders;
use planner::prune::{self, SourceFacts};
use planner::status::{self, Failure, Turn};
use planner::waiting::is_under_way;
use planner::{Desired, Observed, Plan, Requeue, ownership};
use tokio::time::Instant;

pub use self::expectation::Expectation;
pub(crate) use self::expectation::{expect_deployments, is_too_old};
pub use self::refusal::Refusal;
use crate::admission::Admission;
use crate::apply::{self, Outcome};
use crate::aws::{self, Account, Aws, Retry};
use crate::checks::{self, Checks};
use crate::clock::Clock;
use crate::explain;
use crate::hooks;
use crate::inventory::{Doubt, Entry, Inventory, Wanted};
use crate::observe;
use crate::orders::{self, Said};
use crate::places::Places;
use crate::preflight;
use crate::references::Outside;
use crate::scaling;
use crate::state::StateStore;
use crate::status_store::{ServiceObject, StatusStore};
use crate::triggers::Triggers;
use crate::waiting;

/// How soon a stale read is tried again.
const STALE_RETRY: Duration = Duration::from_secs(3);

/// The handles that a turn works with.
#[derive(Clone)]
pub struct Context {
    /// The operator's identity.
    pub owner: OwnerName,
    /// The accounts.
    pub aws: Aws,
    /// What is wanted.
    pub inventory: Arc<Mutex<Inventory>>,
    /// What is said.
    pub statuses: StatusStore,
    /// What people said, and how releases ended.
    pub state: StateStore,
    /// The time.
    pub clock: Clock,
    /// Our own last changes.
    pub expectations: Arc<Mutex<HashMap<ObjectKey, Expectation>>>,
    /// Specs that AWS refused for good.
    pub refusals: Arc<Mutex<HashMap<ObjectKey, Refusal>>>,
    /// Who may change something now.
    pub admission: Admission,
    /// What reads values outside that specs refer to.
    pub outside: Outside,
    /// Who may roll tasks now.
    pub places: Places,
    /// How checks are measured.
    pub checks: Checks,
    /// What lets something be looked at sooner.
    pub triggers: Triggers,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Look again then.
    Requeue(Requeue),
    /// There is something to change; the key is called when it is its time.
    Waits,
    /// Something failed that may pass: back off.
    Failed,
    /// Neither a spec nor a service is left.
    Gone,
}

impl Context {
    /// The inventory, for a moment.
    pub fn inventory(&self) -> MutexGuard<'_, Inventory> {
        self.inventory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account that a key lives in.
    pub fn account(&self, key: &ObjectKey) -> Option<&Account> {
        self.aws.account(&key.target)
    }
}

/// Takes one turn for one key.
pub async fn reconcile(context: &Context, key: &ObjectKey) -> Ended {
    let wanted = context.inventory().wanted(key);
    let Some(account) = context.account(key) else {
        let message = format!("the configuration names no target `{}`", key.target);
        if matches!(wanted, Wanted::Gone) {
            context.inventory().forget_orphan(key);
            context.statuses.remove(key);
            return Ended::Gone;
        }
        return block(context, key, &wanted, Reason::InvalidSpec, &message);
    };
    let mut said = orders::said(context, key).await;
    if let Some(ended) =
        Box::pin(orders::carry_out(context, account, key, &wanted, &mut said)).await
    {
        return ended;
    }
    match &wanted {
        Wanted::Spec { entry, generation, invalid, doubt } => {
            let (status, ended) = Box::pin(turn(context, account, entry, *generation, &said)).await;
            let status = with_doubt(context, key, status, doubt.as_ref());
            let source = context.statuses.source(&entry.desired.provenance.source);
            let ready = source.as_ref().and_then(|source| source.condition(ConditionType::Ready));
            let status = status::with_source(status, ready, context.clock.now());
            let status = match invalid.first() {
                Some(first) => {
                    let previous = status_of(context, key);
                    status::with_invalid(
                        status,
                        &first.to_string(),
                        previous.as_ref(),
                        context.clock.now(),
                    )
                }
                None => status,
            };
            publish(context, key, Some(entry), invalid.clone(), status);
            ended
        }
        Wanted::Blocked { reason, message, .. } => {
            leave(context, key);
            block(context, key, &wanted, *reason, message)
        }
        Wanted::Gone => Box::pin(orphan(context, account, key, &said)).await,
    }
}

/// Adds what is not known of the values that a spec refers to.
fn with_doubt(
    context: &Context,
    key: &ObjectKey,
    status: ServiceStatus,
    doubt: Option<&Doubt>,
) -> ServiceStatus {
    let Some(Doubt { reason, message, holds_newer }) = doubt else { return status };
    let (previous, now) = (status_of(context, key), context.clock.now());
    if *holds_newer {
        status::with_pending(status, *reason, message, previous.as_ref(), now)
    } else {
        status::with_stale(status, *reason, message, previous.as_ref(), now)
    }
}

async fn turn(
    context: &Context,
    account: &Account,
    entry: &Entry,
    generation: Generation,
    said: &Said,
) -> (ServiceStatus, Ended) {
    let desired = &entry.desired;
    let (previous, began) = (status_of(context, &desired.key), context.clock.now());
    let asked = Instant::now();
    let mut observed = match Box::pin(observed(context, account, desired, said)).await {
        Ok(observed) => observed,
        Err(error) => {
            leave(context, &desired.key);
            let failure = failure(&error);
            let status =
                status::unread(&failure, generation, previous.as_ref(), context.clock.now());
            return (status, after_error(&error));
        }
    };
    if expectation::is_too_old(context, &desired.key, (&observed, asked))
        || said.is_on_its_way(&observed, began)
    {
        let message = "what AWS shows is older than what was done, or contradicts itself";
        return put_off(context, (&desired.key, generation), previous, message, STALE_RETRY);
    }
    expectation::forget_answered(context, &desired.key, (&mut observed, asked));
    observed = Box::pin(checks::at_gate(context, account, desired, observed, said)).await;
    let mut plan = planner::plan(desired, &observed, &said.orders, context.clock.now());
    let is_rolling = is_under_way(desired, &observed, &plan, context.clock.now());
    context.places.see(&desired.key, is_rolling);
    plan = Box::pin(waiting::check(context, desired, &observed, plan, &said.orders)).await;
    let held_for = preflight::held_for(previous.as_ref(), context.clock.now());
    plan = Box::pin(preflight::check(account, desired, plan, held_for, &mut observed)).await;
    plan = Box::pin(checks::judge(context, account, desired, (&observed, said), plan)).await;
    let is_same = |now: &Wanted| now.asks_the_same(desired);
    let is_overtaken =
        !plan.actions.is_empty() && is_overtaken(context, &desired.key, said, is_same).await;
    let now = context.clock.now();
    if is_overtaken || planner::waiting::is_shut_out(desired, &plan, &said.orders, now) {
        let message =
            "while it was looked at, something else was said or wanted, or a window closed";
        return put_off(context, (&desired.key, generation), previous, message, Duration::ZERO);
    }
    if let Err(error) = orders::before(context, &desired.key, &plan, &observed).await {
        plan = plan.withhold(Reason::StateUnknown, error.to_string());
    }
    let refusal = refusal::of(context, desired);
    if refusal.is_none() {
        plan = waiting::take_place(context, desired, &observed, plan);
    }
    if let Err(error) = hooks::before(context, desired, &plan).await {
        plan = plan.withhold(Reason::StateUnknown, error.to_string());
    }
    let carried_out = match refusal.filter(|_| !plan.actions.is_empty()) {
        Some(error) => {
            context.admission.leave(&desired.key);
            Some(Outcome { error: Some(error), ..Outcome::default() })
        }
        None => carry_out(context, account, &desired.key, Some(&desired.spec_hash), &plan).await,
    };
    let waits = carried_out.is_none();
    let outcome = carried_out.unwrap_or_default();
    let is_refused = outcome.error.as_ref().is_some_and(|error| error.retry() == Retry::Never);
    if !is_rolling && (waits || is_refused) {
        context.places.give_back(&desired.key);
    }
    expectation::note(context, desired, &plan, &outcome);
    refusal::note(context, desired, &outcome);
    hooks::after(context, desired, &plan, &outcome).await;
    orders::after(context, said, (desired, &observed), &plan, &outcome).await;
    let failure = outcome.error.as_ref().map(failure);
    let status = status::after(&Turn {
        desired,
        observed: &observed,
        plan: &plan,
        failure: failure.as_ref(),
        generation,
        previous: previous.as_ref(),
        now: context.clock.now(),
    });
    let status = scaling::with_activities(account, &desired.key, status, previous.as_ref()).await;
    let status = context.triggers.outside.explain(&desired.key, &plan, status, began);
    let ended = match &outcome.error {
        Some(error) => after_error(error),
        None if waits => Ended::Waits,
        None => Ended::Requeue(plan.requeue),
    };
    (status, ended)
}

/// Ends a turn in which nothing could be decided that would still hold.
fn put_off(
    context: &Context,
    (key, generation): (&ObjectKey, Generation),
    previous: Option<ServiceStatus>,
    message: &str,
    pause: Duration,
) -> (ServiceStatus, Ended) {
    context.admission.leave(key);
    let (reason, now) = (Reason::NotYetObserved, context.clock.now());
    let status =
        previous.unwrap_or_else(|| status::blocked(reason, message, generation, None, now));
    (status, Ended::Requeue(Requeue::After(pause)))
}

/// Whether people or sources have said more about a service since its turn began: AWS may have been slow for minutes.
pub(crate) async fn is_overtaken(
    context: &Context,
    key: &ObjectKey,
    said: &Said,
    is_same: impl FnOnce(&Wanted) -> bool,
) -> bool {
    let wanted = context.inventory().wanted(key);
    !is_same(&wanted) || said.differs_from(&Box::pin(orders::said(context, key)).await)
}

/// Everything that a plan for this spec depends on.
async fn observed(
    context: &Context,
    account: &Account,
    desired: &Desired,
    said: &Said,
) -> Result<Observed, aws::Error> {
    let known = (said.record().past.as_slice(), context.clock.now());
    let observed = Box::pin(observe::service(account, desired, known)).await?;
    let hooks = hooks::observe(context, account, desired, said.record()).await?;
    let observed = Observed { sent: expectation::sent(context, &desired.key), hooks, ..observed };
    let (before, now) = (said.record().explained.as_ref(), context.clock.now());
    Ok(explain::observe(account, desired, observed, before, now).await)
}

/// Takes a service about which nothing can be decided now out of the lines that it may stand in.
fn leave(context: &Context, key: &ObjectKey) {
    context.admission.leave(key);
    context.places.leave(key);
}

/// Carries a plan out, if it is this key's time; `None` when it has to wait for that.
async fn carry_out(
    context: &Context,
    account: &Account,
    key: &ObjectKey,
    spec: Option<&SpecHash>,
    plan: &Plan,
) -> Option<Outcome> {
    if plan.actions.is_empty() {
        context.admission.leave(key);
        return Some(Outcome::default());
    }
    let _permit = context.admission.enter(key, spec)?;
    Some(apply::plan(account, key.cluster.as_str(), key.name.as_str(), plan).await)
}

/// What a turn would do, without doing it.
#[derive(Debug, Clone)]
pub struct Foreseen {
    /// The plan. Nobody has asked whether there is a place for a rollout.
    pub plan: Plan,
    /// Whether ECS is moving the tasks of the service, so that it has a place.
    pub is_under_way: bool,
}

impl Foreseen {
    /// A plan of a service that rolls no tasks.
    fn resting(plan: Plan) -> Self {
        Self { plan, is_under_way: false }
    }
}

/// What a turn would do for a spec, without doing it.
async fn plan_only(context: &Context, entry: &Entry) -> Result<Foreseen, String> {
    let desired = &entry.desired;
    let account = context
        .account(&desired.key)
        .ok_or_else(|| format!("the configuration names no target `{}`", desired.key.target))?;
    let said = orders::said(context, &desired.key).await;
    let known = (said.record().past.as_slice(), context.clock.now());
    let observed = Box::pin(observe::service(account, desired, known)).await;
    let observed = observed.map_err(|error| error.to_string())?;
    let hooks = hooks::look(context, account, desired, said.record()).await;
    let hooks = hooks.map_err(|error| error.to_string())?;
    let mut observed =
        Observed { sent: expectation::sent(context, &desired.key), hooks, ..observed };
    let plan = planner::plan(desired, &observed, &said.orders, context.clock.now());
    let is_under_way = is_under_way(desired, &observed, &plan, context.clock.now());
    let plan = Box::pin(waiting::check(context, desired, &observed, plan, &said.orders)).await;
    let plan = Box::pin(preflight::check(account, desired, plan, None, &mut observed)).await;
    Ok(Foreseen { plan, is_under_way })
}

/// What a turn would do for a key, without doing it.
pub async fn plan_key(context: &Context, key: &ObjectKey) -> Result<Plan, String> {
    Box::pin(foresee(context, key)).await.map(|foreseen| foreseen.plan)
}

/// The same, with what matters to the plans of others.
pub async fn foresee(context: &Context, key: &ObjectKey) -> Result<Foreseen, String> {
    let wanted = context.inventory().wanted(key);
    match wanted {
        Wanted::Spec { entry, .. } => Box::pin(plan_only(context, &entry)).await,
        Wanted::Blocked {
            reason: Reason::ReferenceUnread | Reason::ReleaseUnresolved | Reason::NotYetObserved,
            message,
            ..
        } => Err(message),
        Wanted::Blocked { reason, message, .. } => {
            Ok(Foreseen::resting(Plan::hold(reason, message, Requeue::OnChange)))
        }
        Wanted::Gone => plan_orphan(context, key).await.map(Foreseen::resting),
    }
}

/// What a turn would do for a service that no spec names, without doing it.
async fn plan_orphan(context: &Context, key: &ObjectKey) -> Result<Plan, String> {
    let account = context
        .account(key)
        .ok_or_else(|| format!("the configuration names no target `{}`", key.target))?;
    let service = observe::bare_service(account, key.cluster.as_str(), key.name.as_str())
        .await
        .map_err(|error| error.to_string())?;
    let said = orders::said(context, key).await;
    Ok(match service.filter(|service| is_ours_and_there(service, &context.owner)) {
        Some(service) => prune_plan(context, account, key, &service, &said.orders)
            .await
            .map_err(|error| error.to_string())?,
        None => Plan::nothing(),
    })
}

/// A service that carries our tags and that no spec names.
async fn orphan(context: &Context, account: &Account, key: &ObjectKey, said: &Said) -> Ended {
    let (cluster, name) = (key.cluster.as_str(), key.name.as_str());
    let previous = status_of(context, key);
    let service = match observe::bare_service(account, cluster, name).await {
        Ok(service) => service,
        Err(error) => return unread(context, key, &error),
    };
    context.places.give_back(key);
    let Some(service) = service.filter(|service| is_ours_and_there(service, &context.owner)) else {
        context.inventory().forget_orphan(key);
        expectation::forget(context, key);
        refusal::forget(context, key);
        context.statuses.remove(key);
        orders::forget(context, key).await;
        return Ended::Gone;
    };
    context.inventory().note_seen(key, &service);
    let plan = match prune_plan(context, account, key, &service, &said.orders).await {
        Ok(plan) => plan,
        Err(error) => return unread(context, key, &error),
    };
    if !plan.actions.is_empty() {
        let is_same = |now: &Wanted| matches!(now, Wanted::Gone);
        if is_overtaken(context, key, said, is_same).await {
            context.admission.leave(key);
            return Ended::Requeue(Requeue::After(Duration::ZERO));
        }
    }
    let carried_out = carry_out(context, account, key, None, &plan).await;
    let waits = carried_out.is_none();
    let outcome = carried_out.unwrap_or_default();
    let failure = outcome.error.as_ref().map(failure);
    let now = context.clock.now();
    let status = status::orphan(&plan, &service, failure.as_ref(), previous.as_ref(), now);
    publish(context, key, None, Vec::new(), status);
    match &outcome.error {
        Some(error) => after_error(error),
        None if waits => Ended::Waits,
        None => Ended::Requeue(plan.requeue),
    }
}

/// What becomes of a service without a spec, its scaling included.
async fn prune_plan(
    context: &Context,
    account: &Account,
    key: &ObjectKey,
    service: &ObservedService,
    orders: &Orders,
) -> Result<Plan, aws::Error> {
    let said = (orders, context.clock.now());
    let plan = prune::plan(key, service, &context.owner, facts(context, key, service), said);
    let dependents = context.inventory().dependents_left(key);
    let plan = prune::after_dependents(plan, key, &dependents);
    scaling::removed_first(account, key, service, plan).await
}

/// Says that a service could not be read, whether or not a spec names it.
pub(crate) fn unread(context: &Context, key: &ObjectKey, error: &aws::Error) -> Ended {
    leave(context, key);
    let wanted = context.inventory().wanted(key);
    let (entry, invalid) = match &wanted {
        Wanted::Spec { entry, invalid, .. } => (Some(entry), invalid.clone()),
        Wanted::Blocked { invalid, .. } => (None, invalid.clone()),
        Wanted::Gone => (None, Vec::new()),
    };
    let previous = status_of(context, key);
    let generation = previous.as_ref().map_or(Generation(0), |status| status.observed_generation);
    let status =
        status::unread(&failure(error), generation, previous.as_ref(), context.clock.now());
    publish(context, key, entry, invalid, status);
    after_error(error)
}

fn is_ours_and_there(service: &ObservedService, owner: &OwnerName) -> bool {
    service.state != planner::observed::ServiceState::Inactive
        && ownership::ownership(&service.tags, owner) == ownership::Ownership::Ours
}

fn facts(context: &Context, key: &ObjectKey, service: &ObservedService) -> SourceFacts {
    match ownership::source(&service.tags) {
        Some(source) => context.inventory().source_facts(key, &source),
        None => SourceFacts::Unread,
    }
}

/// Says that a key is known and has not been looked at yet.
pub fn announce(context: &Context, key: &ObjectKey) {
    let wanted = context.inventory().wanted(key);
    let _ = block(context, key, &wanted, Reason::NotYetObserved, "not looked at yet");
}

fn block(
    context: &Context,
    key: &ObjectKey,
    wanted: &Wanted,
    reason: Reason,
    message: &str,
) -> Ended {
    let (entry, generation, invalid) = match wanted {
        Wanted::Spec { entry, generation, invalid, .. } => {
            (Some(entry), *generation, invalid.clone())
        }
        Wanted::Blocked { invalid, .. } => (None, Generation(0), invalid.clone()),
        Wanted::Gone => (None, Generation(0), Vec::new()),
    };
    let previous = status_of(context, key);
    let status =
        status::blocked(reason, message, generation, previous.as_ref(), context.clock.now());
    publish(context, key, entry, invalid, status);
    Ended::Requeue(Requeue::OnChange)
}

fn status_of(context: &Context, key: &ObjectKey) -> Option<ServiceStatus> {
    context.statuses.service(key).map(|object| object.status.clone())
}

fn publish(
    context: &Context,
    key: &ObjectKey,
    entry: Option<&Arc<Entry>>,
    invalid: Vec<crds::InvalidObject>,
    status: ServiceStatus,
) {
    let (metadata, provenance, spec) = match entry {
        Some(entry) => (
            entry.metadata.clone(),
            Some(entry.desired.provenance.clone()),
            Arc::clone(&entry.spec),
        ),
        None => context.statuses.service(key).map_or_else(
            || (ObjectMeta::named(key.name.as_str()), None, Arc::default()),
            |known| (known.metadata.clone(), None, Arc::clone(&known.spec)),
        ),
    };
    let object = ServiceObject { key: key.clone(), metadata, provenance, spec, status, invalid };
    tell(context.statuses.service(key).as_deref(), &object);
    context.statuses.publish(object);
}

/// Logs what a person would want to know: that something else is true of a service now.
fn tell(before: Option<&ServiceObject>, after: &ServiceObject) {
    let Some(now) = after.headline() else { return };
    let was = before.and_then(ServiceObject::headline);
    if was.is_some_and(|was| (was.kind, was.reason) == (now.kind, now.reason)) {
        return;
    }
    tracing::info!(
        service = %after.key,
        sync = ?after.status.sync,
        health = ?after.status.health,
        reason = %now.reason,
        revision = after.status.task_definition.as_deref(),
        "{}", now.message
    );
}

fn failure(error: &aws::Error) -> Failure {
    Failure {
        reason: error.reason(),
        message: error.to_string(),
        // What is not there may come; until then nothing more will happen, and whoever waits should know.
        is_terminal: error.retry() == Retry::Never || error.kind == aws::Kind::NotFound,
    }
}

/// What cannot be mended by trying again is tried again with the regular look only.
fn after_error(error: &aws::Error) -> Ended {
    match error.retry() {
        Retry::Backoff => Ended::Failed,
        Retry::Never => Ended::Requeue(Requeue::OnChange),
    }
}
