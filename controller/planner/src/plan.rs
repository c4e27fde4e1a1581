//! The plan: which calls bring AWS to what is wanted, and why anything is left undone.
//!
//! What comes in: one [`Desired`], one [`Observed`], the time. What leaves: a [`Plan`], always. Guarantees: at most one
//! UpdateService; no action on a service that is not ours, unless it may be adopted; no action while suspended; a failed
//! spec is not tried again; planning what was applied and observed gives an empty plan.

use std::time::Duration;

use crds::ecs::{Effect, ServiceDefinition, TaskDefinition};
use crds::{ObjectKey, Reason, SyncMode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::desired::{Desired, content_hash, passthrough_drift};
use crate::drift::{self, FieldDrift};
use crate::normal;
use crate::observed::{Observed, ObservedService, ObservedTaskDefinition, ServiceState, Wants};
use crate::ownership::{self, Ownership, SPEC_HASH, Tags};
use crate::rollout::{self, Rollout};

/// How soon a rollout under way is looked at again.
const ROLLOUT_POLL: Duration = Duration::from_secs(15);

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

/// A revision that exists, or the one that this plan registers first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskDefinitionRef {
    /// A registered revision, by its ARN.
    Existing(String),
    /// The one that the plan's RegisterTaskDefinition gives.
    Registered,
}

/// One call to AWS, with its whole input.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Registers a revision.
    RegisterTaskDefinition {
        /// The call's input, tags included.
        input: Value,
        /// Why.
        reason: Reason,
        /// What differs from the revision that runs now.
        changes: Vec<FieldDrift>,
    },
    /// Creates the service.
    CreateService {
        /// The call's input, without the task definition.
        input: Value,
        /// The revision to run.
        task_definition: TaskDefinitionRef,
        /// Why.
        reason: Reason,
    },
    /// Changes the service, in one call.
    UpdateService {
        /// The call's input, without the task definition.
        input: Value,
        /// The revision to move to; `None` leaves it.
        task_definition: Option<TaskDefinitionRef>,
        /// Why.
        reason: Reason,
        /// What differs.
        changes: Vec<FieldDrift>,
    },
    /// Sets tags of the service.
    TagResource {
        /// The service's ARN.
        arn: String,
        /// The tags.
        tags: Tags,
        /// Why.
        reason: Reason,
        /// What differs.
        changes: Vec<FieldDrift>,
    },
    /// Deletes the service.
    DeleteService {
        /// Why.
        reason: Reason,
    },
}

impl Action {
    /// ECS's name of the operation.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::RegisterTaskDefinition { .. } => "RegisterTaskDefinition",
            Self::CreateService { .. } => "CreateService",
            Self::UpdateService { .. } => "UpdateService",
            Self::TagResource { .. } => "TagResource",
            Self::DeleteService { .. } => "DeleteService",
        }
    }

    /// Why it is to be made.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::RegisterTaskDefinition { reason, .. }
            | Self::CreateService { reason, .. }
            | Self::UpdateService { reason, .. }
            | Self::TagResource { reason, .. }
            | Self::DeleteService { reason } => *reason,
        }
    }

    /// What it changes, field by field.
    pub fn changes(&self) -> &[FieldDrift] {
        match self {
            Self::RegisterTaskDefinition { changes, .. }
            | Self::UpdateService { changes, .. }
            | Self::TagResource { changes, .. } => changes,
            Self::CreateService { .. } | Self::DeleteService { .. } => &[],
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
        }
    }

    /// Whether there is nothing to do and nothing is held back.
    pub fn is_settled(&self) -> bool {
        self.actions.is_empty() && self.withheld.is_empty()
    }
}

/// Which further facts the plan depends on, given the cheap ones.
pub fn wants(desired: &Desired, observed: &Observed) -> Wants {
    let Some(service) = living(observed) else {
        return Wants { candidates: true, ..Wants::default() };
    };
    let runs_wanted = observed.task_definition.as_ref().is_some_and(|running| desired.is_content_of(running));
    let primary = service.primary();
    let completed =
        primary.is_some_and(|primary| primary.rollout_state.as_deref() == Some("COMPLETED"));
    let troubled = !completed && primary.is_some_and(|primary| primary.failed > 0);
    Wants {
        candidates: !runs_wanted,
        deployments: !runs_wanted || !completed,
        images: completed,
        stopped: troubled || !runs_wanted,
    }
}

/// What to do about one service.
pub fn plan(desired: &Desired, observed: &Observed, _now: Timestamp) -> Plan {
    let rollout = rollout::stands(desired, observed);
    match observed.service.as_ref().map(|service| (service, service.state)) {
        None | Some((_, ServiceState::Inactive)) => create(desired, observed),
        Some((_, ServiceState::Draining)) => Plan {
            rollout,
            ..Plan::hold(
                Reason::Draining,
                format!("the previous service {} is still draining; its name is free when it is gone", desired.key),
                Requeue::After(ROLLOUT_POLL),
            )
        },
        Some((service, ServiceState::Active)) => change(desired, observed, service, rollout),
    }
}

fn living(observed: &Observed) -> Option<&ObservedService> {
    observed.service.as_ref().filter(|service| service.state != ServiceState::Inactive)
}

fn create(desired: &Desired, observed: &Observed) -> Plan {
    let (register, task_definition) = choose_revision(desired, observed, Reason::ServiceMissing, Vec::new());
    let mut actions: Vec<Action> = register.into_iter().collect();
    actions.push(Action::CreateService {
        input: create_input(desired, observed),
        task_definition,
        reason: Reason::ServiceMissing,
    });
    let holds: Vec<Hold> = policy_hold(desired).into_iter().collect();
    conclude(actions, holds, Requeue::After(ROLLOUT_POLL), Rollout::NotStarted)
}

fn change(desired: &Desired, observed: &Observed, service: &ObservedService, rollout: Rollout) -> Plan {
    let adopting = match ownership::ownership(&service.tags, &desired.owner) {
        Ownership::Ours => false,
        Ownership::Another(owner) => {
            let message = format!("the service belongs to the operator `{owner}`");
            return Plan { rollout, ..Plan::hold(Reason::OwnedByAnother, message, Requeue::OnChange) };
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
    let is_attempted = is_attempted(desired, service);
    let reason = match (adopting, is_attempted) {
        (true, _) => Reason::Adopting,
        (false, true) => Reason::Drifted,
        (false, false) => Reason::SpecChanged,
    };
    let (actions, replacements) = differences(desired, observed, service, reason);
    let mut holds = holds(desired, &actions, &replacements, &rollout, is_attempted);
    holds.extend(controller_hold(service, &actions));
    let requeue = if rollout::is_moving(service) || !actions.is_empty() {
        Requeue::After(ROLLOUT_POLL)
    } else {
        Requeue::OnChange
    };
    conclude(actions, holds, requeue, rollout)
}

/// Under another deployment controller ECS refuses new revisions through UpdateService (aws.md §2.4).
fn controller_hold(service: &ObservedService, actions: &[Action]) -> Option<Hold> {
    let controller = service.raw.pointer("/deploymentController/type").and_then(Value::as_str)?;
    let rolls = actions
        .iter()
        .any(|action| matches!(action, Action::UpdateService { task_definition: Some(_), .. }));
    (rolls && controller != "ECS").then(|| {
        Hold::new(
            Reason::ForeignController,
            format!("the service's deployments are carried out by {controller}, not by ECS"),
        )
    })
}

fn conclude(actions: Vec<Action>, holds: Vec<Hold>, requeue: Requeue, rollout: Rollout) -> Plan {
    if holds.is_empty() {
        Plan { actions, withheld: Vec::new(), holds, requeue, rollout }
    } else {
        Plan { actions: Vec::new(), withheld: actions, holds, requeue, rollout }
    }
}

/// Suspension and manual mode hold every action alike.
fn policy_hold(desired: &Desired) -> Option<Hold> {
    if desired.sync.suspend {
        return Some(Hold::new(Reason::Suspended, "`sync.suspend` is set"));
    }
    match desired.sync.mode {
        SyncMode::Auto => None,
        SyncMode::Manual => {
            Some(Hold::new(Reason::ManualSync, "`sync.mode` is `manual`: the difference waits for a person"))
        }
    }
}

fn holds(
    desired: &Desired,
    actions: &[Action],
    replacements: &[FieldDrift],
    rollout: &Rollout,
    is_attempted: bool,
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
        Rollout::RolledBack(reason) if is_attempted => {
            holds.push(Hold::new(
                Reason::RolledBack,
                format!("this spec failed and was rolled back: {reason} It is held until the spec changes."),
            ));
        }
        Rollout::Failed(reason) if is_attempted => {
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
    if holds.is_empty() && is_attempted && !desired.sync.self_heal {
        holds.push(Hold::new(
            Reason::SelfHealOff,
            "the service was changed at AWS and `sync.selfHeal` is off",
        ));
    }
    holds
}

/// The calls that remove every difference, and the differences that no call can remove.
fn differences(
    desired: &Desired,
    observed: &Observed,
    service: &ObservedService,
    reason: Reason,
) -> (Vec<Action>, Vec<FieldDrift>) {
    let mut actions = Vec::new();
    let mut changes = Vec::new();
    let mut target = None;
    if !observed.task_definition.as_ref().is_some_and(|running| desired.is_content_of(running)) {
        let fields = task_definition_drift(desired, observed.task_definition.as_ref());
        let (register, chosen) = choose_revision(desired, observed, reason, fields);
        changes.push(FieldDrift {
            path: "service.taskDefinition".to_owned(),
            desired: Some(match &chosen {
                TaskDefinitionRef::Existing(arn) => json!(arn),
                TaskDefinitionRef::Registered => {
                    json!(format!("a new revision of {}", desired.task_definition.family))
                }
            }),
            observed: Some(json!(service.task_definition)),
            effect: Effect::RollsTasks,
        });
        actions.extend(register);
        target = Some(chosen);
    }
    let (replacements, updates): (Vec<FieldDrift>, Vec<FieldDrift>) = service_drift(desired, service)
        .into_iter()
        .map(|drift| prefixed("service", drift))
        .partition(|drift| drift.effect == Effect::Replacement);
    changes.extend(updates);
    if !changes.is_empty() {
        let input = update_input(desired, service);
        actions.push(Action::UpdateService { input, task_definition: target, reason, changes });
    }
    actions.extend(tag_action(desired, service, reason));
    (actions, replacements)
}

fn task_definition_drift(desired: &Desired, running: Option<&ObservedTaskDefinition>) -> Vec<FieldDrift> {
    let Some(running) = running else { return Vec::new() };
    let drift = desired.task_definition.drift_from(running);
    drift.into_iter().map(|drift| prefixed("taskDefinition", drift)).collect()
}

fn service_drift(desired: &Desired, service: &ObservedService) -> Vec<FieldDrift> {
    let wanted = &desired.service;
    let mut drift =
        drift::compare(ServiceDefinition::SHAPE, &wanted.normal, &service.normal, &wanted.ignore);
    // What AWS does not show cannot be compared; it goes along with the next change of the spec.
    let shown: Map<String, Value> = wanted
        .passthrough
        .iter()
        .filter(|(member, _)| service.raw.get(*member).is_some() || !is_attempted(desired, service))
        .map(|(member, value)| (member.clone(), value.clone()))
        .collect();
    drift.extend(passthrough_drift(&shown, &service.raw));
    drift
}

/// Whether this very spec has been applied before, by what the service's tags say.
fn is_attempted(desired: &Desired, service: &ObservedService) -> bool {
    service.tags.get(SPEC_HASH).map(String::as_str) == Some(desired.spec_hash.as_str())
}

fn prefixed(block: &str, drift: FieldDrift) -> FieldDrift {
    FieldDrift { path: format!("{block}.{}", drift.path), ..drift }
}

/// The ACTIVE revision that already has the wanted content, or the call that registers one.
fn choose_revision(
    desired: &Desired,
    observed: &Observed,
    reason: Reason,
    changes: Vec<FieldDrift>,
) -> (Option<Action>, TaskDefinitionRef) {
    let reusable = observed
        .candidates
        .iter()
        .flatten()
        .find(|candidate| candidate.is_active && desired.is_content_of(candidate));
    if let Some(revision) = reusable {
        return (None, TaskDefinitionRef::Existing(revision.arn.clone()));
    }
    let input = register_input(desired, observed.task_definition.as_ref());
    (Some(Action::RegisterTaskDefinition { input, reason, changes }), TaskDefinitionRef::Registered)
}

fn register_input(desired: &Desired, running: Option<&ObservedTaskDefinition>) -> Value {
    let wanted = &desired.task_definition;
    let mut input = match running {
        Some(running) if !wanted.ignore.is_empty() => {
            drift::apply_ignore(TaskDefinition::SHAPE, &wanted.input, &running.raw, &wanted.ignore)
        }
        _ => wanted.input.clone(),
    };
    let mut tags = wanted.tags.clone();
    tags.insert(ownership::OWNER.to_owned(), desired.owner.to_string());
    tags.insert(SPEC_HASH.to_owned(), content_hash(&normal::task_definition(&input), &wanted.passthrough));
    if let Some(members) = input.as_object_mut() {
        members.insert("tags".to_owned(), tag_list(&tags));
    }
    input
}

fn create_input(desired: &Desired, observed: &Observed) -> Value {
    let mut input = desired.service.input.as_object().cloned().unwrap_or_default();
    input.insert("cluster".to_owned(), json!(desired.key.cluster));
    input.insert("serviceName".to_owned(), json!(desired.key.name));
    input.insert("clientToken".to_owned(), json!(client_token(&desired.key, desired, observed)));
    input.insert("tags".to_owned(), tag_list(&desired.service_tags()));
    Value::Object(input)
}

/// The same for the same spec and the same previous service: a lost answer cannot create twice, and a service that was
/// deleted since can be created again. At most 32 characters (aws.md §8).
fn client_token(key: &ObjectKey, desired: &Desired, observed: &Observed) -> String {
    let previous = observed.service.as_ref().and_then(|service| service.created_at);
    let seed = json!([key, desired.owner, desired.spec_hash, previous.map(|time| time.as_millisecond())]);
    let hash = crds::SpecHash::of(&seed);
    hash.as_str().get(..32).unwrap_or_default().to_owned()
}

/// One UpdateService with exactly the members that differ, each complete.
fn update_input(desired: &Desired, service: &ObservedService) -> Value {
    let wanted = &desired.service;
    let block = normal::service_block(&service.raw);
    let input = drift::apply_ignore(ServiceDefinition::SHAPE, &wanted.input, &block, &wanted.ignore);
    let mut input = drift::update_input(&input, &service.raw);
    if let Some(members) = input.as_object_mut() {
        members.extend(wanted.passthrough.clone());
        members.insert("cluster".to_owned(), json!(desired.key.cluster));
        members.insert("service".to_owned(), json!(desired.key.name));
    }
    input
}

/// Tags that are missing or differ. The commit alone is no difference: it moves with the rest, or every commit would touch
/// every service.
fn tag_action(desired: &Desired, service: &ObservedService, reason: Reason) -> Option<Action> {
    let wanted = desired.service_tags();
    let changes: Vec<FieldDrift> = wanted
        .iter()
        .filter(|(key, value)| {
            key.as_str() != ownership::COMMIT && service.tags.get(*key) != Some(value)
        })
        .map(|(key, value)| FieldDrift {
            path: format!("service.tags[{key}]"),
            desired: Some(json!(value)),
            observed: service.tags.get(key).map(|value| json!(value)),
            effect: Effect::InPlace,
        })
        .collect();
    if changes.is_empty() {
        return None;
    }
    let tags = wanted.into_iter().filter(|(key, value)| service.tags.get(key) != Some(value)).collect();
    Some(Action::TagResource { arn: service.arn.clone(), tags, reason, changes })
}

fn tag_list(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}
