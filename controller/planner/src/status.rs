//! What Longshore says about a service after a turn.

mod course;
mod doubt;
#[cfg(test)]
mod tests;

use crds::scaling::ScalingStatus;
use crds::{
    Attempt, Condition, ConditionStatus, ConditionType, Generation, Health, HoldStatus,
    ImageStatus, Reason, SecretStatus, ServiceStatus, SyncStatus,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::checks;
use crate::deletion;
use crate::desired::Desired;
use crate::drift;
use crate::explain;
use crate::hook;
use crate::image::ImageReference;
use crate::observed::{Observed, ObservedService, ServiceState};
use crate::plan::{Action, Plan};
use crate::rollout::{self, Rollout};
use crate::scaling;

pub use doubt::{with_pending, with_source, with_stale};

/// How many attempts are remembered.
const HISTORY: usize = 20;

/// A call that failed while the plan was carried out, or a read that failed before there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
    /// Whether trying again can help.
    pub is_terminal: bool,
}

/// One turn, as far as the status depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// What was wanted.
    pub desired: &'a Desired,
    /// What was read.
    pub observed: &'a Observed,
    /// What was decided.
    pub plan: &'a Plan,
    /// What went wrong while it was carried out.
    pub failure: Option<&'a Failure>,
    /// The generation of the spec.
    pub generation: Generation,
    /// What was said last time.
    pub previous: Option<&'a ServiceStatus>,
    /// When the turn ended.
    pub now: Timestamp,
}

/// What is said of `Ready`, `Reconciling` and `Stalled` together.
struct Verdict {
    health: Health,
    ready: bool,
    reconciling: bool,
    stalled: bool,
    reason: Reason,
    message: String,
}

/// The status after a turn in which everything was read.
pub fn after(turn: &Turn<'_>) -> ServiceStatus {
    let Turn { desired, observed, plan, generation, previous, now, .. } = *turn;
    let sync = if plan.is_settled() && !is_foreign(plan) {
        SyncStatus::Synced
    } else {
        SyncStatus::OutOfSync
    };
    let verdict = verdict(turn);
    let attempt = attempt(desired, previous, now);
    let last_applied = if verdict.ready {
        Some(attempt.clone())
    } else {
        previous.and_then(|status| status.last_applied.clone())
    };
    let tried = plan.holds.is_empty()
        || !plan.actions.is_empty()
        || previous.is_some_and(|status| status.last_attempted.is_some());
    ServiceStatus {
        observed_generation: generation,
        sync,
        health: verdict.health,
        history: history(previous, tried.then_some(&attempt)),
        last_attempted: tried.then_some(attempt),
        last_applied,
        task_definition: running_revision(observed),
        images: images(desired, observed),
        secrets: secrets(observed, previous),
        hooks: hook::statuses(desired, observed),
        rollout: course::status(turn),
        scaling: scaling_status(observed),
        holds: plan
            .holds
            .iter()
            .map(|hold| HoldStatus { reason: hold.reason, message: hold.message.clone() })
            .collect(),
        not_checked: not_checked(turn),
        conditions: conditions(&verdict, generation, previous, now),
    }
}

fn scaling_status(observed: &Observed) -> Option<ScalingStatus> {
    scaling::status(observed.scaling.as_ref()?, observed.service.as_ref()?)
}

/// The status after a turn in which AWS could not be read: what was known stays, marked as not known to be so any more.
pub fn unread(
    failure: &Failure,
    generation: Generation,
    previous: Option<&ServiceStatus>,
    now: Timestamp,
) -> ServiceStatus {
    let verdict = Verdict {
        health: previous.map_or(Health::Unknown, |status| status.health),
        ready: false,
        reconciling: !failure.is_terminal,
        stalled: failure.is_terminal,
        reason: failure.reason,
        message: failure.message.clone(),
    };
    let mut conditions = conditions(&verdict, generation, previous, now);
    for condition in &mut conditions {
        if condition.kind == ConditionType::Ready {
            condition.status = ConditionStatus::Unknown;
        }
    }
    let base = previous.cloned().unwrap_or_else(|| empty(generation));
    ServiceStatus { sync: SyncStatus::Unknown, conditions, ..base }
}

/// The status of a service that has not been looked at, or of a spec that cannot be used.
pub fn blocked(
    reason: Reason,
    message: &str,
    generation: Generation,
    previous: Option<&ServiceStatus>,
    now: Timestamp,
) -> ServiceStatus {
    let is_new = reason == Reason::NotYetObserved;
    let verdict = Verdict {
        health: previous.map_or(Health::Unknown, |status| status.health),
        ready: false,
        reconciling: is_new,
        stalled: !is_new,
        reason,
        message: message.to_owned(),
    };
    let conditions = conditions(&verdict, generation, previous, now);
    let base = previous.cloned().unwrap_or_else(|| empty(generation));
    let holds =
        if is_new { Vec::new() } else { vec![HoldStatus { reason, message: message.to_owned() }] };
    ServiceStatus { sync: SyncStatus::Unknown, conditions, holds, ..base }
}

/// The status of a service whose newest spec cannot be used, while the last good one stays in force.
pub fn with_invalid(
    mut status: ServiceStatus,
    message: &str,
    previous: Option<&ServiceStatus>,
    now: Timestamp,
) -> ServiceStatus {
    for condition in &mut status.conditions {
        let holds = match condition.kind {
            ConditionType::Ready => ConditionStatus::False,
            ConditionType::Stalled => ConditionStatus::True,
            ConditionType::Reconciling => condition.status,
            ConditionType::WrittenBack | ConditionType::SourceReady => continue,
        };
        condition.last_transition_time = since(previous, condition.kind, holds, now);
        condition.status = holds;
        condition.reason = Reason::InvalidSpec;
        condition.message = format!("the last good spec stays in force: {message}");
    }
    status.sync = SyncStatus::OutOfSync;
    status.holds.retain(|hold| hold.reason != Reason::InvalidSpec);
    status.holds.push(HoldStatus { reason: Reason::InvalidSpec, message: message.to_owned() });
    status
}

/// The status of a service that is ours and has no spec any more.
pub fn orphan(
    plan: &Plan,
    service: &ObservedService,
    failure: Option<&Failure>,
    previous: Option<&ServiceStatus>,
    now: Timestamp,
) -> ServiceStatus {
    let hold = plan.holds.first();
    let passes = hold.is_none_or(|hold| passes_by_itself(hold.reason));
    let is_leaving = deletion::takes_away(plan)
        || hold.is_some_and(|hold| hold.reason == Reason::Draining)
        || service.state == ServiceState::Draining;
    let is_terminal = failure.is_some_and(|failure| failure.is_terminal);
    let (reason, message) = match (failure, hold) {
        (Some(failure), _) => (failure.reason, failure.message.clone()),
        (None, Some(hold)) => (hold.reason, hold.message.clone()),
        (None, None) if deletion::takes_away(plan) => (
            Reason::Pruning,
            "the spec has left its source; the service is being deleted".to_owned(),
        ),
        (None, None) => (
            plan.actions.first().map_or(Reason::Pruning, Action::reason),
            "the spec has left its source; the service goes on without our tags".to_owned(),
        ),
    };
    let verdict = Verdict {
        health: if is_leaving { Health::Progressing } else { Health::Healthy },
        ready: false,
        reconciling: passes && !is_terminal,
        stalled: !passes || is_terminal,
        reason,
        message,
    };
    let generation = previous.map_or(Generation(0), |status| status.observed_generation);
    let observed = Observed { service: Some(service.clone()), ..Observed::default() };
    ServiceStatus {
        sync: SyncStatus::OutOfSync,
        health: verdict.health,
        task_definition: running_revision(&observed),
        holds: plan
            .holds
            .iter()
            .map(|hold| HoldStatus { reason: hold.reason, message: hold.message.clone() })
            .collect(),
        conditions: conditions(&verdict, generation, previous, now),
        ..previous.cloned().unwrap_or_else(|| empty(generation))
    }
}

fn empty(generation: Generation) -> ServiceStatus {
    ServiceStatus {
        observed_generation: generation,
        sync: SyncStatus::Unknown,
        health: Health::Unknown,
        last_attempted: None,
        last_applied: None,
        task_definition: None,
        images: Vec::new(),
        secrets: Vec::new(),
        rollout: None,
        hooks: Vec::new(),
        scaling: None,
        holds: Vec::new(),
        not_checked: Vec::new(),
        conditions: Vec::new(),
        history: Vec::new(),
    }
}

fn is_foreign(plan: &Plan) -> bool {
    plan.holds.iter().any(|hold| {
        matches!(
            hold.reason,
            Reason::NotOwned | Reason::OwnedByAnother | Reason::NeedsReplacement | Reason::Draining
        )
    })
}

/// Holds that end without anybody stepping in.
const fn passes_by_itself(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Draining
            | Reason::ChecksRunning
            | Reason::HookRunning
            | Reason::WaitingForDependency
            | Reason::WaitingForDependents
            | Reason::WaitingForPlace
            | Reason::OutsideWindow
    )
}

/// Holds that stand whether or not there is anything to hold: without a difference they keep nothing from being ready.
const fn says_nothing_alone(reason: Reason) -> bool {
    matches!(reason, Reason::Suspended | Reason::ManualHold | Reason::StateUnknown)
}

fn verdict(turn: &Turn<'_>) -> Verdict {
    let Turn { desired, observed, plan, .. } = *turn;
    let living =
        observed.service.as_ref().filter(|service| service.state != ServiceState::Inactive);
    let health = health(turn, living);
    let verdict = |ready, reconciling, stalled, reason, message: String| Verdict {
        health,
        ready,
        reconciling,
        stalled,
        reason,
        message,
    };
    if let Some(failure) = turn.failure {
        return verdict(
            false,
            !failure.is_terminal,
            failure.is_terminal,
            failure.reason,
            failure.message.clone(),
        );
    }
    if let Some(hold) =
        plan.holds.iter().find(|hold| !plan.is_settled() || !says_nothing_alone(hold.reason))
    {
        let passes = passes_by_itself(hold.reason);
        return verdict(
            false,
            passes,
            !passes,
            hold.reason,
            with_cause(&hold.message, desired, observed),
        );
    }
    if let Some(told) = of_checks(turn) {
        return told;
    }
    if let Some(action) = plan.actions.iter().find(|action| !action.is_hold_mark()) {
        return verdict(false, true, false, action.reason(), progress_message(plan));
    }
    let Some(service) = living else {
        return verdict(
            false,
            true,
            false,
            Reason::ServiceMissing,
            "the service does not exist yet".to_owned(),
        );
    };
    match &plan.rollout {
        Rollout::Failed(reason) | Rollout::RolledBack(reason) | Rollout::RollingBack(reason) => {
            verdict(
                false,
                false,
                true,
                Reason::RolloutFailed,
                with_cause(reason, desired, observed),
            )
        }
        Rollout::InProgress | Rollout::NotStarted => {
            let late = is_late(turn, service);
            let reason =
                if late { Reason::ProgressDeadlineExceeded } else { Reason::RolloutInProgress };
            verdict(
                false,
                true,
                late,
                reason,
                with_cause(&rollout_message(service), desired, observed),
            )
        }
        Rollout::Succeeded if service.running_count < service.desired_count => verdict(
            false,
            true,
            false,
            Reason::TasksMissing,
            with_cause(
                &format!("{} of {} tasks run", service.running_count, service.desired_count),
                desired,
                observed,
            ),
        ),
        Rollout::Succeeded => verdict(
            true,
            false,
            false,
            Reason::RolloutSucceeded,
            format!(
                "{} of {} tasks run the wanted revision",
                service.running_count, service.desired_count
            ),
        ),
    }
}

/// What the checks say of a rollout that has not passed them.
fn of_checks(turn: &Turn<'_>) -> Option<Verdict> {
    let judged = turn.plan.checks.as_ref()?;
    let told = |reconciling, stalled, reason, message: &String| Verdict {
        health: Health::Progressing,
        ready: false,
        reconciling,
        stalled,
        reason,
        message: message.clone(),
    };
    // While ECS rolls, its own progress is the news.
    let has_rolled = turn.plan.rollout == Rollout::Succeeded;
    match judged.verdict.as_ref()? {
        checks::Verdict::Passed => None,
        checks::Verdict::Running(message) => {
            has_rolled.then(|| told(true, false, Reason::ChecksRunning, message))
        }
        checks::Verdict::Inconclusive(message) => {
            let message = format!("{message}. `longshore promote` or `longshore abort` decides.");
            Some(told(!has_rolled, true, Reason::ChecksInconclusive, &message))
        }
        checks::Verdict::Failed(message) => {
            let is_left = !turn.plan.actions.is_empty();
            let health = if is_left { Health::Progressing } else { Health::Degraded };
            Some(Verdict { health, ..told(is_left, !is_left, Reason::ChecksFailed, message) })
        }
    }
}

fn health(turn: &Turn<'_>, living: Option<&ObservedService>) -> Health {
    let Some(service) = living else { return Health::Missing };
    if turn.plan.holds.iter().any(|hold| hold.reason == Reason::Suspended) {
        return Health::Suspended;
    }
    let is_degrading = |reason| matches!(reason, Reason::HookFailed | Reason::RolloutHopeless);
    if turn.plan.holds.iter().any(|hold| is_degrading(hold.reason)) {
        return Health::Degraded;
    }
    let is_short = service.running_count < service.desired_count;
    // A person who goes back has decided what is to run, and that is then judged. What failed is still asked for.
    let is_undone =
        |reason| matches!(reason, Reason::RolledBack | Reason::RolloutFailed | Reason::Aborted);
    let was_undone = turn.plan.holds.iter().any(|hold| is_undone(hold.reason));
    match &turn.plan.rollout {
        Rollout::Failed(_) | Rollout::RolledBack(_) => Health::Degraded,
        Rollout::InProgress if is_late(turn, service) => Health::Degraded,
        Rollout::RollingBack(_) | Rollout::InProgress => Health::Progressing,
        Rollout::NotStarted | Rollout::Succeeded => match (rollout::is_moving(service), is_short) {
            (true, _) => Health::Progressing,
            (false, false) if was_undone => Health::Degraded,
            (false, false) => Health::Healthy,
            (false, true) if service.pending_count > 0 => Health::Progressing,
            (false, true) => Health::Degraded,
        },
    }
}

fn is_late(turn: &Turn<'_>, service: &ObservedService) -> bool {
    let limit = SignedDuration::try_from(turn.desired.timeout).unwrap_or(SignedDuration::MAX);
    course::without_progress(turn, service).is_some_and(|time| time > limit)
}

fn rollout_message(service: &ObservedService) -> String {
    match service.primary() {
        Some(primary) if primary.failed > 0 => format!(
            "{} of {} tasks run, {} failed to start",
            primary.running, service.desired_count, primary.failed
        ),
        Some(primary) => format!("{} of {} tasks run", primary.running, service.desired_count),
        None => "ECS has not begun yet".to_owned(),
    }
}

/// Adds why the newest rollout of the spec does not come on or failed, where that is known.
fn with_cause(message: &str, desired: &Desired, observed: &Observed) -> String {
    explain::of_attempt(desired, observed)
        .map_or_else(|| message.to_owned(), |cause| cause.added_to(message))
}

fn progress_message(plan: &Plan) -> String {
    let told = plan.actions.iter().filter(|action| !action.is_hold_mark());
    let told = told.map(|action| match action.because() {
        Some(stopped) => format!("{}: {}", action.operation(), stopped.message),
        // What somebody changed at AWS is named before it is gone.
        None if action.reason() == Reason::Drifted && !action.changes().is_empty() => {
            format!("{} ({})", action.operation(), drift::named(action.changes()))
        }
        None => action.operation().to_owned(),
    });
    told.collect::<Vec<_>>().join(", ")
}

fn attempt(desired: &Desired, previous: Option<&ServiceStatus>, now: Timestamp) -> Attempt {
    let known = previous
        .and_then(|status| status.last_attempted.as_ref())
        .filter(|attempt| attempt.spec_hash == desired.spec_hash);
    known.cloned().unwrap_or_else(|| Attempt {
        source: desired.provenance.source.clone(),
        commit: desired.provenance.revision.clone(),
        spec_hash: desired.spec_hash.clone(),
        time: now,
    })
}

fn history(previous: Option<&ServiceStatus>, attempt: Option<&Attempt>) -> Vec<Attempt> {
    let mut history = previous.map(|status| status.history.clone()).unwrap_or_default();
    if let Some(attempt) = attempt
        && history.first().map(|newest| &newest.spec_hash) != Some(&attempt.spec_hash)
    {
        history.insert(0, attempt.clone());
        history.truncate(HISTORY);
    }
    history
}

/// `family:7` out of a task definition's ARN.
fn running_revision(observed: &Observed) -> Option<String> {
    let service = observed.service.as_ref()?;
    service.task_definition.rsplit('/').next().map(str::to_owned)
}

fn images(desired: &Desired, observed: &Observed) -> Vec<ImageStatus> {
    let Some(revision) = &observed.task_definition else { return Vec::new() };
    revision
        .raw
        .get("containerDefinitions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|container| {
            let name = container.get("name")?.as_str()?;
            let image = ImageReference::parse(container.get("image")?.as_str()?);
            let resolved = observed.images.iter().flatten().find(|image| image.container == name);
            let chosen_by = || desired.version_of(&image.repository, &revision.tags);
            Some(ImageStatus {
                container: name.to_owned(),
                tag: image.tag.clone().or_else(chosen_by),
                repository: image.repository.clone(),
                digest: image.digest.or_else(|| resolved.map(|image| image.digest.clone())),
            })
        })
        .collect()
}

/// The versions that were read in this turn, or else those that were read last.
fn secrets(observed: &Observed, previous: Option<&ServiceStatus>) -> Vec<SecretStatus> {
    match &observed.secrets {
        Some(versions) => versions.iter().map(SecretStatus::from).collect(),
        None => previous.map(|status| status.secrets.clone()).unwrap_or_default(),
    }
}

/// What preflight could not look at; turns in which it had no cause to look leave what it said of this spec before.
fn not_checked(turn: &Turn<'_>) -> Vec<String> {
    let earlier = turn
        .previous
        .filter(|status| turn.plan.is_settled() && status.observed_generation == turn.generation);
    match earlier {
        Some(status) if turn.plan.not_checked.is_empty() => status.not_checked.clone(),
        Some(_) | None => turn.plan.not_checked.clone(),
    }
}

fn conditions(
    verdict: &Verdict,
    generation: Generation,
    previous: Option<&ServiceStatus>,
    now: Timestamp,
) -> Vec<Condition> {
    [
        (ConditionType::Ready, verdict.ready),
        (ConditionType::Reconciling, verdict.reconciling),
        (ConditionType::Stalled, verdict.stalled),
    ]
    .into_iter()
    .map(|(kind, holds)| {
        let status = if holds { ConditionStatus::True } else { ConditionStatus::False };
        Condition {
            kind,
            status,
            reason: verdict.reason,
            message: verdict.message.clone(),
            observed_generation: generation,
            last_transition_time: since(previous, kind, status, now),
        }
    })
    .collect()
}

/// When a condition took the status it has: now, unless it already had it.
fn since(
    previous: Option<&ServiceStatus>,
    kind: ConditionType,
    status: ConditionStatus,
    now: Timestamp,
) -> Timestamp {
    previous
        .and_then(|previous| previous.condition(kind))
        .filter(|condition| condition.status == status)
        .map_or(now, |condition| condition.last_transition_time)
}
