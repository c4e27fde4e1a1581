//! What AWS says of a hook's task, and what that makes of the attempt.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::log::{End, HookLog, HookRun, Outcome, Waits};
use crate::explain::{self, Explanation, Outlook};
use crate::observed::{self, StoppedContainer, StoppedTask};

/// For how long a client token is sure to be remembered: an hour less than ECS promises (aws.md §2.8).
const TOKEN_COUNTS: SignedDuration = SignedDuration::from_hours(23);
/// How long a task may be missing from all reads before it counts as gone: well below the hour for which ECS shows stopped
/// tasks.
const TASK_SEEN_WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// How long a task that found no room is waited with: at first, and at most.
const PAUSES: (SignedDuration, SignedDuration) =
    (SignedDuration::from_secs(15), SignedDuration::from_mins(5));

/// What is known of a service's hooks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// What is written down, the newest spec first.
    pub logs: Vec<HookLog>,
    /// The task that runs.
    pub task: Option<Live>,
    /// Why something that was just learnt could not be written down; then nothing is changed.
    pub unrecorded: Option<String>,
}

/// A task that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Its ARN.
    pub task: String,
    /// `PROVISIONING`, `PENDING`, `RUNNING`, …
    pub status: String,
    /// When it was created, by ECS's clock.
    pub created_at: Option<Timestamp>,
    /// Whether it is being stopped.
    pub is_stopping: bool,
}

impl Live {
    /// A task that has not ended; `None` for one that has.
    pub fn of(task: &Value) -> Option<Self> {
        let status = text(task, "lastStatus")?;
        (status != "STOPPED" && status != "DELETED").then(|| Self {
            task: text(task, "taskArn").unwrap_or_default().to_owned(),
            status: status.to_owned(),
            created_at: observed::time(task, "createdAt"),
            is_stopping: text(task, "desiredStatus") == Some("STOPPED"),
        })
    }
}

/// The attempt in the light of its task, `None` where ECS shows none. `is_wanted` says that it is of the spec in force, so
/// that its task is asked for again while that is safe.
pub fn learn(run: &HookRun, task: Option<&Value>, is_wanted: bool, now: Timestamp) -> HookRun {
    let mut run = run.clone();
    let age = now.duration_since(run.requested_at);
    match task {
        Some(task) => {
            run.missing_since = None;
            if run.task.is_none() {
                run.task = text(task, "taskArn").map(str::to_owned);
            }
            if Live::of(task).is_none() {
                end(&mut run, task, now);
            }
        }
        None if run.task.is_some() => {
            let since = *run.missing_since.get_or_insert(now);
            if now.duration_since(since) >= TASK_SEEN_WITHIN {
                let why = "ECS does not show its task any more, and nobody saw it end";
                run.result = Some(unknown(why, now));
            }
        }
        None if age >= TOKEN_COUNTS => {
            let why = "it was asked for long ago, and ECS shows no task of it";
            run.result = Some(unknown(why, now));
        }
        None if !is_wanted && age >= TASK_SEEN_WITHIN => {
            let why = "its spec was replaced while it was asked for, and ECS shows no task of it";
            run.result = Some(unknown(why, now));
        }
        None => {}
    }
    run
}

/// The attempt after RunTask has answered: the task, or why there is none.
pub fn answered(run: &HookRun, answer: &Value, now: Timestamp) -> HookRun {
    let mut run = run.clone();
    let task = answer.pointer("/tasks/0").and_then(|task| text(task, "taskArn"));
    let failure = answer.pointer("/failures/0");
    match (task, failure) {
        (Some(task), _) => {
            run.task = Some(task.to_owned());
            // The call may have come long after it was written down that it would.
            run.requested_at = now;
        }
        (None, Some(failure)) => {
            let reason = text(failure, "reason").unwrap_or("ECS gave no reason");
            let detail = text(failure, "detail").map(|detail| format!(" ({detail})"));
            let reason = format!("{reason}{}", detail.unwrap_or_default());
            let explained = explain::task(&StoppedTask {
                started_by: String::new(),
                task_definition: String::new(),
                stop_code: "TaskFailedToStart".to_owned(),
                reason,
                containers: Vec::new(),
                stopped_at: None,
            });
            not_started(&mut run, &explained, now);
        }
        (None, None) => {
            let why = "ECS knows that it was asked for, and shows no task of it any more";
            run.result = Some(unknown(why, now));
        }
    }
    run
}

/// The attempt after AWS refused the call, so that there is certainly no task.
pub fn refused(run: &HookRun, why: String, now: Timestamp) -> HookRun {
    HookRun { waits: Some(Waits { why, until: now }), ..run.clone() }
}

/// What a task that has stopped says.
fn end(run: &mut HookRun, task: &Value, now: Timestamp) {
    let stopped = StoppedTask::from_describe(task);
    let container = observed::list(task, "containers")
        .find(|one| text(one, "name") == Some(run.container.as_str()));
    let exit_code = container.and_then(|one| one.get("exitCode")?.as_i64());
    let ended_at = stopped.stopped_at.unwrap_or(now);
    // A container that is told to stop may end with 0 as well.
    if exit_code == Some(0) && stopped.stop_code == "EssentialContainerExited" {
        let message = format!("container {} exited with 0", run.container);
        run.result = Some(End { outcome: Outcome::Succeeded, exit_code, ended_at, message });
        return;
    }
    if stopped.stop_code == "UserInitiated" {
        let message = format!("its task was stopped: {}", stopped.reason);
        run.result = Some(End { outcome: Outcome::Failed, exit_code, ended_at, message });
        return;
    }
    let has_run = exit_code.is_some() || observed::time(task, "startedAt").is_some();
    let own = StoppedContainer {
        name: run.container.clone(),
        exit_code,
        reason: container.and_then(|one| text(one, "reason")).map(str::to_owned),
    };
    let explained = explain::task(&match exit_code {
        Some(0) | None => stopped,
        Some(_) => StoppedTask { containers: vec![own], ..stopped },
    });
    if has_run {
        let message = told(&explained);
        run.result = Some(End { outcome: Outcome::Failed, exit_code, ended_at, message });
    } else {
        not_started(run, &explained, ended_at.max(now));
    }
}

/// No container of it has run. Where waiting can help it is asked for again, with another token.
fn not_started(run: &mut HookRun, explained: &Explanation, now: Timestamp) {
    let message = told(explained);
    match explained.outlook {
        Outlook::Capacity | Outlook::Passing => {
            let (first, most) = PAUSES;
            run.misses += 1;
            let pause = (first * i32::try_from(run.misses).unwrap_or(i32::MAX)).min(most);
            let until = now.checked_add(pause).unwrap_or(Timestamp::MAX);
            run.task = None;
            run.waits = Some(Waits { why: message, until });
        }
        Outlook::Hopeless | Outlook::Unclear => {
            let (outcome, exit_code, ended_at) = (Outcome::Failed, None, now);
            run.result = Some(End { outcome, exit_code, ended_at, message });
        }
    }
}

/// An explanation without the remedies that speak of what the service scheduler does: nothing starts a hook's task again.
fn told(explained: &Explanation) -> String {
    let mut told = explained.clone();
    if told.remedy.starts_with("ECS ") {
        told.remedy = "".into();
    }
    told.to_string()
}

fn unknown(why: &str, now: Timestamp) -> End {
    let message = format!("how it ended cannot be known: {why}");
    End { outcome: Outcome::Unknown, exit_code: None, ended_at: now, message }
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member).and_then(Value::as_str)
}
