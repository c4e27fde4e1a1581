//! Rules of `rollout.hooks`: the one-off tasks before and after a rollout.

use std::collections::BTreeSet;

use crds::ecs::task_definition::Quantity;
use crds::{Hook, HookPhase};

use super::finding::{Finding, error};
use super::size;
use super::subject::{Subject, is_essential};
use super::words::{available, is_open};

/// What RunTask takes as `containerOverrides`, all together (ECS API reference, `TaskOverride`).
const OVERRIDES_MAX: usize = 8192;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let rollout = subject.object.spec.rollout.as_ref();
    let Some(hooks) = rollout.and_then(|rollout| rollout.hooks.as_ref()) else { return };
    for (phase, hooks) in [(HookPhase::Before, &hooks.before), (HookPhase::After, &hooks.after)] {
        let mut names = BTreeSet::new();
        for (index, hook) in hooks.iter().enumerate() {
            let at = format!("spec.rollout.hooks.{phase}[{index}]");
            if !names.insert(&hook.name) {
                let message = format!("`{}` is the name of another hook of this list", hook.name);
                found.push(error(format!("{at}.name"), message));
            }
            one(subject, &at, hook, found);
        }
    }
}

fn one(subject: &Subject<'_>, at: &str, hook: &Hook, found: &mut Vec<Finding>) {
    if hook.command.is_empty() {
        let message = "a hook needs a command: its container's own would not end";
        found.push(error(format!("{at}.command"), message));
    }
    if hook.timeout.is_some_and(|timeout| timeout.get().is_zero()) {
        found.push(error(format!("{at}.timeout"), "`0s` leaves the task no time"));
    }
    let variables = hook
        .environment
        .iter()
        .map(|one| one.name.len() + one.value.as_deref().map_or(0, str::len));
    let size = hook.command.iter().map(String::len).sum::<usize>() + variables.sum::<usize>();
    if size > OVERRIDES_MAX {
        let message = format!(
            "command and environment have {size} characters; RunTask takes {OVERRIDES_MAX}"
        );
        found.push(error(at, message));
    }
    size_of_task(subject, at, hook, found);
    let Some(name) = hook.container.as_deref().filter(|name| !is_open(name)) else { return };
    let path = format!("{at}.container");
    match subject.container(name) {
        None if subject.has_open_names() => {}
        None => found.push(
            error(path, format!("`{name}` is not a container of the task"))
                .hint(available("containers", subject.container_names())),
        ),
        Some(container) if !is_essential(container) => found.push(
            error(
                path,
                format!("`{name}` is not essential, so that its end does not end the task"),
            )
            .hint(format!("set essential to true on `{name}`, or name an essential container")),
        ),
        Some(_) => {}
    }
}

/// The size that `cpu` and `memory` give the task together with the task definition's.
fn size_of_task(subject: &Subject<'_>, at: &str, hook: &Hook, found: &mut Vec<Finding>) {
    if !subject.is_fargate || (hook.cpu.is_none() && hook.memory.is_none()) {
        return;
    }
    let cpu = hook.cpu.as_deref().or(subject.task.cpu.as_ref().map(Quantity::as_str));
    let memory = hook.memory.as_deref().or(subject.task.memory.as_ref().map(Quantity::as_str));
    let (Some(cpu), Some(memory)) = (cpu, memory) else { return };
    if size::fits_fargate(cpu, memory) == Some(false) {
        let message = format!("Fargate has no task with cpu `{cpu}` and memory `{memory}`");
        found.push(error(at, message));
    }
}
