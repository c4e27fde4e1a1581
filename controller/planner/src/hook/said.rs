//! What is said of hooks.

use crds::{HookState, HookStatus};

use super::log::{self, HookRun, Outcome};
use crate::Observed;
use crate::desired::Desired;

/// The hooks of a spec that have begun, in its order.
pub fn statuses(desired: &Desired, observed: &Observed) -> Vec<HookStatus> {
    let Some(log) = log::of(&observed.hooks.logs, &desired.spec_hash) else { return Vec::new() };
    let begun = desired.hooks.iter().filter_map(|hook| log.run(hook.phase, &hook.name));
    begun.map(|run| status(run, observed)).collect()
}

fn status(run: &HookRun, observed: &Observed) -> HookStatus {
    let result = run.result.as_ref();
    let live = observed.hooks.task.as_ref().filter(|live| run.task.as_ref() == Some(&live.task));
    let state = match result.map(|result| result.outcome) {
        Some(Outcome::Succeeded) => HookState::Succeeded,
        Some(Outcome::Failed) => HookState::Failed,
        Some(Outcome::Unknown) => HookState::Unknown,
        None if run.waits.is_some() => HookState::Waiting,
        None => HookState::Running,
    };
    let message = result
        .map(|result| result.message.clone())
        .or_else(|| run.waits.as_ref().map(|waits| waits.why.clone()))
        .or_else(|| live.map(|live| format!("its task is {}", live.status)));
    HookStatus {
        name: run.name.clone(),
        phase: run.phase,
        state,
        attempt: run.attempt,
        exit_code: result.and_then(|result| result.exit_code),
        task: run.task.clone(),
        started_at: run.requested_at,
        ended_at: result.map(|result| result.ended_at),
        message,
        log: run.address(),
    }
}

impl HookRun {
    /// The address of its log in the console.
    fn address(&self) -> Option<String> {
        self.log.as_ref()?.address(&self.container, self.task.as_ref()?)
    }

    /// ` (log group …, stream …: https://…)`, where there is a log.
    pub(crate) fn log_told(&self) -> String {
        let (Some(log), Some(task)) = (&self.log, &self.task) else { return String::new() };
        let address = self.address().map(|address| format!(": {address}")).unwrap_or_default();
        format!(" ({}{address})", log.told(&self.container, task))
    }
}
