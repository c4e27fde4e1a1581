//! What is written down of hooks, so that each runs once for a spec whatever dies in between.

use crds::{HookName, HookPhase, HumanDuration, SpecHash};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Live, LogPlace};
use crate::desired::Desired;
use crate::plan::{Action, Plan};
use crate::preflight;

/// How many specs are remembered: as many as releases.
const SPECS: usize = 20;

/// What is written down of the hooks of one spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HookLog {
    /// The spec.
    pub spec_hash: SpecHash,
    /// When its rollout was about to be sent: hooks after a rollout need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_at: Option<Timestamp>,
    /// The hooks that have begun, each with its last attempt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<HookRun>,
}

/// One attempt of a hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HookRun {
    /// Whether it runs before or after the rollout.
    pub phase: HookPhase,
    /// The hook's name.
    pub name: HookName,
    /// What tells this attempt from all others.
    pub id: String,
    /// 1 for the first; each release after a failure adds one.
    pub attempt: u32,
    /// The number of the last `release` that had been given when it began, and when it was seen to have ended: only a later one
    /// runs the hook once more. Times do not say it, because the operator's clock is not ECS's.
    #[serde(default)]
    pub heeded: u64,
    /// How many tasks have been asked for that never came to be, for want of room for instance.
    #[serde(default)]
    pub misses: u32,
    /// When its task was about to be asked for.
    pub requested_at: Timestamp,
    /// The task definition's family.
    pub family: String,
    /// The container whose exit code decides.
    pub container: String,
    /// How long the task may take.
    pub timeout: HumanDuration,
    /// Where the container writes its log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogPlace>,
    /// The ARN of its task, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Since when ECS has not shown that task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_since: Option<Timestamp>,
    /// Why there is certainly no task, and when it may be asked for again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Waits>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<End>,
}

/// Why a task did not come to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Waits {
    /// Why, as a sentence.
    pub why: String,
    /// When it is asked for again.
    pub until: Timestamp,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct End {
    /// Whether it ended well.
    pub outcome: Outcome,
    /// The container's exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// When.
    pub ended_at: Timestamp,
    /// What happened, as a sentence.
    pub message: String,
}

/// Whether an attempt ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Exit code 0.
    Succeeded,
    /// Anything else.
    Failed,
    /// Nobody can say any more: ECS shows stopped tasks for an hour only (aws.md §2.8).
    Unknown,
}

impl HookRun {
    /// RunTask's client token and the task's `startedBy`: a new one for each task that is asked for.
    pub fn token(&self) -> String {
        format!("{}-{}", self.id, self.misses)
    }

    /// Whether its task has taken longer than it may, since it was asked for or created, whichever was later: a process that
    /// died may ask long after it was written down, and ECS's clock may be behind the operator's.
    pub fn is_overdue(&self, task: &Live, now: Timestamp) -> bool {
        let limit = SignedDuration::try_from(self.timeout.get()).unwrap_or(SignedDuration::MAX);
        let began = task.created_at.map_or(self.requested_at, |at| at.max(self.requested_at));
        now.duration_since(began) >= limit
    }

    /// Whether its task may be running.
    pub const fn is_open(&self) -> bool {
        self.result.is_none() && self.waits.is_none()
    }

    /// Whether something is known of it that people want to hear: not only that its task was not shown for a moment.
    pub fn tells_more_than(&self, before: &Self) -> bool {
        Self { missing_since: before.missing_since, ..self.clone() } != *before
    }

    /// Whether it is an attempt of this hook.
    pub fn is_of(&self, phase: HookPhase, name: &HookName) -> bool {
        self.phase == phase && self.name == *name
    }
}

impl HookLog {
    const fn new(spec_hash: SpecHash) -> Self {
        Self { spec_hash, rolled_at: None, runs: Vec::new() }
    }

    /// The last attempt of a hook.
    pub fn run(&self, phase: HookPhase, name: &HookName) -> Option<&HookRun> {
        self.runs.iter().find(|run| run.is_of(phase, name))
    }
}

/// What is written down of a spec.
pub fn of<'a>(logs: &'a [HookLog], spec: &SpecHash) -> Option<&'a HookLog> {
    logs.iter().find(|log| log.spec_hash == *spec)
}

/// The attempt whose task may be running, with its spec. There is at most one: no other begins before it has ended.
pub fn open(logs: &[HookLog]) -> Option<(&SpecHash, &HookRun)> {
    let all = logs.iter().flat_map(|log| log.runs.iter().map(|run| (&log.spec_hash, run)));
    all.into_iter().find(|(_, run)| run.is_open())
}

/// Writes an attempt down in place of the one before it.
pub fn put(logs: &mut Vec<HookLog>, spec: &SpecHash, run: HookRun) {
    let log = at(logs, spec);
    log.runs.retain(|known| !known.is_of(run.phase, &run.name));
    log.runs.push(run);
}

/// What has to be written down before a plan is carried out: the attempt that it begins, or that a rollout begins which
/// hooks follow.
pub fn before_sending(logs: &mut Vec<HookLog>, desired: &Desired, plan: &Plan, now: Timestamp) {
    let begins = plan.actions.iter().find_map(Action::hook_run);
    if let Some(run) = begins {
        put(logs, &desired.spec_hash, run.clone());
        return;
    }
    let rolls = preflight::is_due(plan) && plan.actions.iter().any(Action::sends_spec);
    if rolls && desired.hooks.iter().any(|hook| hook.phase == HookPhase::After) {
        at(logs, &desired.spec_hash).rolled_at.get_or_insert(now);
    }
}

/// The log of a spec, made the first of all.
fn at<'a>(logs: &'a mut Vec<HookLog>, spec: &SpecHash) -> &'a mut HookLog {
    let known = logs.iter().position(|log| log.spec_hash == *spec);
    let log = known.map_or_else(|| HookLog::new(spec.clone()), |known| logs.remove(known));
    logs.truncate(SPECS - 1);
    logs.insert(0, log);
    #[expect(clippy::indexing_slicing, reason = "it was put there in the line before")]
    &mut logs[0]
}
