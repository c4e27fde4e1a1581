//! The hooks of a service in a turn: what their tasks say, what is written down before one is asked for, and what came of it.
//!
//! The decisions stand in `planner::hook` and the planner's `plan/hooks.rs`. What is learnt is written down as soon as it is
//! read, because ECS shows stopped tasks for an hour only.

use std::convert::Infallible;

use crds::{ObjectKey, SpecHash};
use planner::hook::{self, HookLog, HookRun, Known, Live, Outcome};
use planner::{Desired, Plan};
use serde_json::Value;

use crate::apply::Outcome as Applied;
use crate::aws::{Account, Error, Kind};
use crate::reconcile::Context;
use crate::state::{Record, StateError};
use crate::status_store::{Event, EventKind, EventLevel};

/// Reads what has become of a service's hooks, without writing it down.
pub async fn look(
    context: &Context,
    account: &Account,
    desired: &Desired,
    record: &Record,
) -> Result<Known, Error> {
    let mut known = Known { logs: record.hooks.clone(), ..Known::default() };
    let Some((spec, run)) = hook::open(&record.hooks) else { return Ok(known) };
    let asked = context.clock.now();
    let task = task_of(account, &desired.key, run).await?;
    let is_wanted = *spec == desired.spec_hash;
    let mut learnt = hook::learn(run, task.as_ref(), is_wanted, asked);
    if learnt.result.is_some() {
        let given = record.orders.release.as_ref().map_or(0, |order| order.id);
        learnt.heeded = learnt.heeded.max(given);
    }
    known.task = task.as_ref().and_then(Live::of);
    if learnt != *run {
        hook::put(&mut known.logs, spec, learnt);
    }
    Ok(known)
}

/// The same, written down. What cannot be written down lets nothing be changed.
pub async fn observe(
    context: &Context,
    account: &Account,
    desired: &Desired,
    record: &Record,
) -> Result<Known, Error> {
    let mut known = look(context, account, desired, record).await?;
    if known.logs == record.hooks {
        return Ok(known);
    }
    let Some((spec, before)) = hook::open(&record.hooks) else { return Ok(known) };
    let after = hook::of(&known.logs, spec).and_then(|log| log.run(before.phase, &before.name));
    let Some(after) = after.cloned() else { return Ok(known) };
    match replace(context, &desired.key, spec, before, &after).await {
        Ok(()) if after.tells_more_than(before) => tell(context, &desired.key, &after),
        Ok(()) => {}
        Err(error) => known.unrecorded = Some(error.to_string()),
    }
    Ok(known)
}

/// The task of an attempt as ECS shows it; `None` where it shows none.
async fn task_of(
    account: &Account,
    key: &ObjectKey,
    run: &HookRun,
) -> Result<Option<Value>, Error> {
    let cluster = key.cluster.as_str();
    if let Some(arn) = &run.task {
        return Ok(account.describe_tasks(cluster, vec![arn.clone()]).await?.pop());
    }
    // `startedBy` has to be the only filter, and then no other than running tasks may be listed: so by family (aws.md §2.8).
    let token = run.token();
    let started_by = |task: &Value| task.get("startedBy").and_then(Value::as_str) == Some(&token);
    Ok(account.tasks_of_family(cluster, &run.family).await?.into_iter().find(started_by))
}

/// Writes down what a plan is about to begin. Until that is written, nothing may be sent.
pub async fn before(context: &Context, desired: &Desired, plan: &Plan) -> Result<(), StateError> {
    if desired.hooks.is_empty() || plan.actions.is_empty() {
        return Ok(());
    }
    let now = context.clock.now();
    change(context, &desired.key, |logs| hook::before_sending(logs, desired, plan, now)).await
}

/// Writes down what came of asking for a task. When that fails the next turn finds the task by its token.
pub async fn after(context: &Context, desired: &Desired, plan: &Plan, applied: &Applied) {
    let mut actions = plan.actions.iter().enumerate();
    let asked = actions.find_map(|(at, action)| Some((at, action.hook_run()?)));
    let Some((at, run)) = asked else { return };
    let now = context.clock.now();
    let after = match (&applied.ran, &applied.error) {
        (Some(answer), _) => hook::answered(run, answer, now),
        // It was not its time, or a call before it failed.
        (None, None) => hook::refused(run, "it was not asked for yet".to_owned(), now),
        (None, Some(error)) if applied.done < at || is_refusal(error) => {
            hook::refused(run, error.to_string(), now)
        }
        (None, Some(_)) => return,
    };
    let (key, spec) = (&desired.key, &desired.spec_hash);
    match replace(context, key, spec, run, &after).await {
        Ok(()) => tell(context, key, &after),
        Err(error) => {
            tracing::error!(service = %key, hook = %run.name, error = %error, "cannot write down what came of a hook");
        }
    }
}

/// Whether AWS certainly started no task. A conflict means that it has, for other settings (aws.md §2.8).
fn is_refusal(error: &Error) -> bool {
    match error.kind {
        Kind::Throttled | Kind::Denied | Kind::NotFound => true,
        Kind::Refused => error.code.as_deref() != Some("ConflictException"),
        Kind::Transient | Kind::Ambiguous => false,
    }
}

/// Puts what is known now of an attempt in the place of what was known, unless something else has come there meanwhile.
async fn replace(
    context: &Context,
    key: &ObjectKey,
    spec: &SpecHash,
    before: &HookRun,
    after: &HookRun,
) -> Result<(), StateError> {
    change(context, key, |logs| {
        let known = hook::of(logs, spec).and_then(|log| log.run(before.phase, &before.name));
        if known == Some(before) {
            hook::put(logs, spec, after.clone());
        }
    })
    .await
}

async fn change(
    context: &Context,
    key: &ObjectKey,
    mut change: impl FnMut(&mut Vec<HookLog>),
) -> Result<(), StateError> {
    let write = context.state.change_in_turn(key, |record| {
        change(&mut record.hooks);
        Ok::<(), Infallible>(())
    });
    write.await.map(|_| ())
}

/// Tells who watches the service what has become of a hook.
fn tell(context: &Context, key: &ObjectKey, run: &HookRun) {
    let (level, reason, what) = match (&run.result, &run.waits) {
        (Some(end), _) => match end.outcome {
            Outcome::Succeeded => (EventLevel::Info, "HookSucceeded", end.message.clone()),
            Outcome::Failed => (EventLevel::Warning, "HookFailed", end.message.clone()),
            Outcome::Unknown => (EventLevel::Warning, "HookUnknown", end.message.clone()),
        },
        (None, Some(waits)) => (EventLevel::Warning, "HookWaits", waits.why.clone()),
        (None, None) => (EventLevel::Info, "HookStarted", run.task.clone().unwrap_or_default()),
    };
    let message = format!("hook {} ({}): {what}", run.name, run.phase);
    tracing::info!(service = %key, hook = %run.name, phase = %run.phase, reason, "{what}");
    let now = context.clock.now();
    let told = (reason, message);
    context.statuses.record(Event::of_service(key.clone(), now, EventKind::Action, level, told));
}
