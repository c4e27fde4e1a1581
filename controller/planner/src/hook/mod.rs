//! Hooks: one-off tasks of the new revision, before and after a rollout (`rollout.hooks`).
//!
//! A hook runs once for a spec. What makes that so is written down before its task is asked for: an id that is RunTask's
//! client token and the task's `startedBy` (aws.md §2.8). A call whose answer was lost is sent again with the same id for as
//! long as ECS remembers tokens, and a task is looked for by its id. What can be known in neither way is [`Outcome::Unknown`]:
//! then a person decides, and nothing is run twice.
//!
//! The nouns are here; `plan/hooks.rs` decides when one runs.

mod input;
mod learn;
mod log;
mod place;
mod said;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crds::ecs::environment::KeyValuePair;
use crds::{Hook, HookName, HookPhase, Hooks};
use serde_json::Value;

pub(crate) use self::input::{first_id, run_input};
pub use self::learn::{Known, Live, answered, learn, refused};
pub use self::log::{End, HookLog, HookRun, Outcome, Waits, before_sending, of, open, put};
pub use self::place::LogPlace;
pub use self::said::statuses;

/// How long a hook's task may take when the spec does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(15);

/// A hook with its defaults filled.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredHook {
    /// Whether it runs before or after the rollout.
    pub phase: HookPhase,
    /// Its name.
    pub name: HookName,
    /// The container that runs its command.
    pub container: String,
    /// The command.
    pub command: Vec<String>,
    /// Variables of the container, over its own.
    pub environment: Vec<KeyValuePair>,
    /// CPU of the task, where it is not the task definition's.
    pub cpu: Option<String>,
    /// Memory of the task, where it is not the task definition's.
    pub memory: Option<String>,
    /// How long the task may take.
    pub timeout: Duration,
    /// Where its container writes its log.
    pub log: Option<LogPlace>,
}

/// The hooks of a spec, those before the rollout first, for the task definition that it registers.
pub(crate) fn resolve(hooks: &Hooks, task_definition: &Value) -> Vec<DesiredHook> {
    let before = hooks.before.iter().map(|hook| (HookPhase::Before, hook));
    let after = hooks.after.iter().map(|hook| (HookPhase::After, hook));
    before.chain(after).map(|(phase, hook)| one(phase, hook, task_definition)).collect()
}

fn one(phase: HookPhase, hook: &Hook, task_definition: &Value) -> DesiredHook {
    let containers = || {
        let all = task_definition.get("containerDefinitions").and_then(Value::as_array);
        all.into_iter().flatten()
    };
    let name_of = |container: &Value| container.get("name")?.as_str().map(str::to_owned);
    let is_essential =
        |container: &&Value| container.get("essential").and_then(Value::as_bool) != Some(false);
    let container = hook
        .container
        .clone()
        .or_else(|| containers().find(is_essential).and_then(name_of))
        .unwrap_or_default();
    let definition = containers().find(|one| name_of(one).as_ref() == Some(&container));
    DesiredHook {
        phase,
        name: hook.name.clone(),
        command: hook.command.clone(),
        environment: hook.environment.clone(),
        cpu: hook.cpu.clone(),
        memory: hook.memory.clone(),
        timeout: hook.timeout.map_or(DEFAULT_TIMEOUT, crds::HumanDuration::get),
        log: definition.and_then(LogPlace::of),
        container,
    }
}
