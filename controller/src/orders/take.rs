//! Takes orders in: whether one makes sense as things stand, and what it becomes in the state store.

use std::fmt;
use std::time::Duration;

use crds::{HumanDuration, ObjectKey, Order, Reason, ServiceStatus, SpecHash, Verb};
use jiff::Timestamp;
use planner::orders::{Orders, UnderWay};

use super::step_back;
use crate::inventory::Wanted;
use crate::queue::{Priority, Queue};
use crate::reconcile::Context;
use crate::state::{Record, StateError};
use crate::status_store::{Event, EventKind, EventLevel};

/// For how long an approval or a confirmed deletion counts when nobody says.
const COUNTS_FOR: HumanDuration = HumanDuration::from_secs(24 * 60 * 60);

/// What somebody asks for beside the verb.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ask {
    /// Why.
    pub reason: Option<String>,
    /// Only for this spec.
    pub spec_hash: Option<SpecHash>,
    /// The release to go back to.
    pub to: Option<String>,
    /// The hook to continue.
    pub hook_id: Option<String>,
    /// Replace the service where ECS cannot change it.
    pub replace: bool,
    /// Confirm the deletion.
    pub prune: bool,
    /// Let the spec go outside of its windows.
    pub now: bool,
    /// For how long it counts.
    pub expires_in: Option<HumanDuration>,
}

/// Why an order was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such service.
    Unknown,
    /// Nothing is known of such a service, and not all sources have been read since the start.
    Unread,
    /// As things stand it makes no sense, and why.
    Conflict(String),
    /// It could not be written down.
    Store(StateError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no such service"),
            Self::Unread => f.write_str(
                "nothing is known of such a service yet: not all sources have been read since the start",
            ),
            Self::Conflict(why) => f.write_str(why),
            Self::Store(error) => error.fmt(f),
        }
    }
}

/// Where orders are taken in.
#[derive(Clone)]
pub struct Intake {
    context: Context,
    queue: Queue<ObjectKey>,
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").finish_non_exhaustive()
    }
}

impl Intake {
    /// An intake whose orders are heeded by the workers of this queue.
    pub const fn new(context: Context, queue: Queue<ObjectKey>) -> Self {
        Self { context, queue }
    }

    /// Takes an order: it is written down when this returns, and carried out in the turns that follow. A step back is taken
    /// although it cannot be written down.
    pub async fn take(
        &self,
        key: &ObjectKey,
        verb: Verb,
        ask: &Ask,
        actor: &str,
    ) -> Result<Order, Refusal> {
        let context = &self.context;
        let object = context.statuses.service(key);
        if object.is_none() && !self.may_be_there(key, verb) {
            return Err(if self.is_unread(key) { Refusal::Unread } else { Refusal::Unknown });
        }
        let scene = Scene {
            wanted: context.inventory().wanted(key),
            status: object.as_ref().map(|object| &object.status),
            now: context.clock.now(),
        };
        let change = |record: &mut Record| {
            let order = order(record.taken + 1, verb, ask, actor, &scene)?;
            put(&mut record.orders, &order, &scene)?;
            record.taken = order.id;
            Ok(order)
        };
        let taken = if step_back::is_one(verb) {
            context.state.change_within(key, step_back::PATIENCE, change).await
        } else {
            context.state.change(key, change).await
        };
        let mut doubt = String::new();
        let order = match taken {
            Ok(Ok(order)) => order,
            Ok(Err(why)) => return Err(Refusal::Conflict(why)),
            Err(error) if step_back::is_one(verb) => {
                let mut orders = Orders::default();
                let order = order(0, verb, ask, actor, &scene).map_err(Refusal::Conflict)?;
                put(&mut orders, &order, &scene).map_err(Refusal::Conflict)?;
                step_back::take(context, key, &order, &error);
                doubt = format!(" (not written down yet: {error})");
                order
            }
            Err(error) => return Err(Refusal::Store(error)),
        };
        tracing::info!(service = %key, verb = %verb, actor, order = order.id, "order taken");
        let told = ("OrderTaken", format!("{verb} {}{doubt}", order.told()));
        let (kind, level) = (EventKind::Action, EventLevel::Info);
        context.statuses.record(Event::of_service(key.clone(), scene.now, kind, level, told));
        self.queue.add(key.clone(), Priority::Urgent);
        Ok(order)
    }

    /// What is kept of a service.
    pub async fn record(&self, key: &ObjectKey) -> Result<std::sync::Arc<Record>, StateError> {
        self.context.state.read(key).await
    }

    /// Whether a service may exist that nobody has told this process of: while sources have not been read, AWS alone knows,
    /// and a step back must not wait for them.
    fn may_be_there(&self, key: &ObjectKey, verb: Verb) -> bool {
        step_back::is_one(verb) && self.is_unread(key)
    }

    /// Whether sources have not been read that may name such a service.
    fn is_unread(&self, key: &ObjectKey) -> bool {
        self.context.account(key).is_some() && !self.context.inventory().is_complete()
    }
}

/// What an order is judged by.
struct Scene<'a> {
    wanted: Wanted,
    status: Option<&'a ServiceStatus>,
    now: Timestamp,
}

impl Scene<'_> {
    fn spec_hash(&self) -> Option<&SpecHash> {
        match &self.wanted {
            Wanted::Spec { entry, .. } => Some(&entry.desired.spec_hash),
            Wanted::Blocked { .. } | Wanted::Gone => None,
        }
    }

    fn is_suspended_by_spec(&self) -> bool {
        matches!(&self.wanted, Wanted::Spec { entry, .. } if entry.desired.sync.suspend)
    }

    fn needs_approval(&self) -> bool {
        matches!(&self.wanted, Wanted::Spec { entry, .. } if entry.desired.gates.need_approval())
    }

    /// Whether the last look found one of these reasons.
    fn shows(&self, reasons: &[Reason]) -> bool {
        let Some(status) = self.status else { return false };
        status.holds.iter().any(|hold| reasons.contains(&hold.reason))
            || status.conditions.iter().any(|condition| reasons.contains(&condition.reason))
    }

    /// The spec that the order is for: the one in force, which has to be the one that was meant.
    fn bound(&self, ask: &Ask) -> Result<SpecHash, String> {
        let spec = self.spec_hash().ok_or("no usable spec names this service")?;
        match &ask.spec_hash {
            Some(meant) if meant != spec => Err(format!(
                "the spec in force is {spec}, not {meant}: look again before you decide"
            )),
            Some(_) | None => Ok(spec.clone()),
        }
    }
}

/// The holds that a release clears, beside `hold` itself.
const RELEASABLE: &[Reason] = &[
    Reason::RolledBack,
    Reason::RolloutFailed,
    Reason::ChecksFailed,
    Reason::RolledBackByHand,
    Reason::Aborted,
    Reason::HookFailed,
];

/// Those of them that say that a person undid the last rollout. What ECS has undone shows in its records.
const UNDONE: &[Reason] = &[Reason::RolledBackByHand, Reason::Aborted];

/// What says that ECS has ended a rollout, or carries it on, while its checks are measured.
const BEING_CHECKED: &[Reason] = &[Reason::ChecksRunning, Reason::ChecksInconclusive];

fn order(id: u64, verb: Verb, ask: &Ask, actor: &str, scene: &Scene<'_>) -> Result<Order, String> {
    let spec_hash = match verb {
        Verb::Sync if ask.prune => None,
        Verb::Sync | Verb::Approve => Some(scene.bound(ask)?),
        Verb::Release if ask.spec_hash.is_some() => Some(scene.bound(ask)?),
        Verb::Release => scene.spec_hash().cloned(),
        Verb::Suspend
        | Verb::Resume
        | Verb::Rollback
        | Verb::Hold
        | Verb::Restart
        | Verb::Promote
        | Verb::Abort => None,
    };
    let counts_for = match verb {
        Verb::Approve => Some(ask.expires_in.unwrap_or(COUNTS_FOR)),
        Verb::Sync if ask.prune => Some(COUNTS_FOR),
        Verb::Suspend => ask.expires_in,
        Verb::Sync
        | Verb::Resume
        | Verb::Rollback
        | Verb::Hold
        | Verb::Release
        | Verb::Restart
        | Verb::Promote
        | Verb::Abort => None,
    };
    let expires_at = counts_for.map(|counts_for| later(scene.now, counts_for.get())).transpose()?;
    Ok(Order {
        id,
        verb,
        actor: actor.to_owned(),
        time: scene.now,
        reason: ask.reason.clone(),
        spec_hash,
        to: ask.to.clone(),
        hook_id: ask.hook_id.clone(),
        replace: ask.replace,
        prune: ask.prune,
        now: ask.now,
        expires_at,
    })
}

fn later(now: Timestamp, by: Duration) -> Result<Timestamp, String> {
    now.checked_add(by).map_err(|_| "it would count for longer than time is counted".to_owned())
}

/// Puts an order where it counts, or says why it makes no sense.
fn put(orders: &mut Orders, order: &Order, scene: &Scene<'_>) -> Result<(), String> {
    match order.verb {
        Verb::Suspend => orders.suspension = Some(order.clone()),
        Verb::Resume => resume(orders, scene)?,
        Verb::Hold => orders.hold = Some(order.clone()),
        Verb::Release => release(orders, order, scene)?,
        Verb::Approve if !scene.needs_approval() => {
            return Err("the spec asks for no approval (`rollout.approval.required`)".to_owned());
        }
        Verb::Approve => orders.approval = Some(order.clone()),
        Verb::Sync => sync(orders, order, scene)?,
        Verb::Restart | Verb::Promote | Verb::Rollback | Verb::Abort => {
            can_be_done(orders, order, scene)?;
            orders.deed = Some(UnderWay::new(order.clone()));
        }
    }
    Ok(())
}

fn resume(orders: &mut Orders, scene: &Scene<'_>) -> Result<(), String> {
    let suspension = orders.suspension.take();
    match suspension.filter(|order| order.is_in_force(scene.now)) {
        Some(_) => Ok(()),
        None if scene.is_suspended_by_spec() => {
            Err("the spec itself suspends the service: take `sync.suspend` out of it".to_owned())
        }
        None => Err("nobody has suspended the service".to_owned()),
    }
}

fn release(orders: &mut Orders, order: &Order, scene: &Scene<'_>) -> Result<(), String> {
    let was_left = orders.left.take().is_some();
    let tries_again = was_left || scene.shows(RELEASABLE);
    if orders.hold.take().is_none() && !tries_again {
        return Err("nothing holds the service that could be released".to_owned());
    }
    if tries_again && order.spec_hash.is_some() {
        orders.release = Some(order.clone());
    }
    Ok(())
}

fn sync(orders: &mut Orders, order: &Order, scene: &Scene<'_>) -> Result<(), String> {
    is_free(orders, scene)?;
    if let Some(hold) = &orders.hold {
        return Err(format!("the service is held {}: `release` ends that", hold.told()));
    }
    if order.prune {
        if order.replace {
            return Err("a service is either deleted or replaced".to_owned());
        }
        if order.now {
            return Err("windows do not hold deletions".to_owned());
        }
        if !scene.shows(&[Reason::PruneBrake]) {
            return Err("the prune brake does not hold this service".to_owned());
        }
        orders.pruning = Some(order.clone());
        return Ok(());
    }
    if order.replace {
        if !scene.shows(&[Reason::NeedsReplacement]) {
            return Err("no difference of the service needs a replacement".to_owned());
        }
        orders.replacement = Some(UnderWay::new(order.clone()));
    }
    orders.sync = Some(order.clone());
    Ok(())
}

/// Whether the service is suspended: then nothing but a step back is taken.
fn is_free(orders: &Orders, scene: &Scene<'_>) -> Result<(), String> {
    if scene.is_suspended_by_spec() {
        return Err(
            "the spec itself suspends the service: take `sync.suspend` out of it".to_owned()
        );
    }
    match orders.suspension.as_ref().filter(|order| order.is_in_force(scene.now)) {
        Some(suspension) => {
            Err(format!("the service is suspended {}: `resume` ends that", suspension.told()))
        }
        None => Ok(()),
    }
}

fn can_be_done(orders: &Orders, order: &Order, scene: &Scene<'_>) -> Result<(), String> {
    if matches!(order.verb, Verb::Restart | Verb::Promote) {
        is_free(orders, scene)?;
    }
    let Some(status) = scene.status else { return Ok(()) };
    let rollout = status.rollout.as_ref();
    match order.verb {
        Verb::Rollback if order.to.is_none() && scene.shows(UNDONE) => {
            Err("the last rollout was itself undone: name the release to go to with `to`"
                .to_owned())
        }
        Verb::Abort | Verb::Promote if order.hook_id.is_none() && scene.shows(BEING_CHECKED) => {
            Ok(())
        }
        Verb::Abort
            if rollout
                .is_none_or(|rollout| matches!(rollout.stage.as_str(), "COMPLETED" | "FAILED")) =>
        {
            Err("no rollout is under way".to_owned())
        }
        Verb::Promote => {
            let waiting: Vec<&str> = rollout
                .iter()
                .flat_map(|rollout| &rollout.waiting)
                .map(|hook| hook.hook_id.as_str())
                .collect();
            match &order.hook_id {
                _ if waiting.is_empty() => Err("no rollout waits at a hook".to_owned()),
                Some(id) if !waiting.contains(&id.as_str()) => {
                    Err(format!("no rollout waits at the hook `{id}`"))
                }
                None if waiting.len() > 1 => {
                    Err(format!("several hooks wait; name one of {}", waiting.join(", ")))
                }
                Some(_) | None => Ok(()),
            }
        }
        Verb::Rollback
        | Verb::Restart
        | Verb::Abort
        | Verb::Sync
        | Verb::Suspend
        | Verb::Resume
        | Verb::Hold
        | Verb::Release
        | Verb::Approve => Ok(()),
    }
}
