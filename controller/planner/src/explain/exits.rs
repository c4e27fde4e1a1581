//! What the containers of a stopped task say: which of them is to be told of, and what its exit code means.
//!
//! When one essential container ends, ECS ends the others with SIGTERM and then SIGKILL, so that they exit with 143, with 137
//! or, if they are well-behaved, with 0. When ECS, a person or AWS stops the task, all of them do. Such codes follow from the
//! stop and do not explain it.

use super::Outlook;
use super::row::Cause;
use crate::observed::{StoppedContainer, StoppedTask};

/// SIGKILL: from ECS after `stopTimeout`, or from the kernel.
const KILLED: i64 = 137;
/// SIGTERM, from ECS or from somebody else.
const TERMINATED: i64 = 143;

/// The container that explains why a task stopped; `None` where the task's own words do. `essential` are the names of the
/// essential containers, where they are known.
pub(super) fn blamed<'a>(
    task: &'a StoppedTask,
    essential: Option<&[&str]>,
) -> Option<&'a StoppedContainer> {
    match task.stop_code.as_str() {
        "ServiceSchedulerInitiated"
        | "SpotInterruption"
        | "TerminationNotice"
        | "InfrastructureHealth"
        | "UserInitiated" => None,
        "TaskFailedToStart" => {
            let explains = |one: &&StoppedContainer| {
                one.reason.is_some() || one.exit_code.is_some_and(|code| code != 0)
            };
            task.containers.iter().filter(explains).min_by_key(|one| rank(one, false))
        }
        _ => {
            let ended = |one: &&StoppedContainer| one.reason.is_some() || one.exit_code.is_some();
            let may_be_it = |one: &&StoppedContainer| {
                essential.is_none_or(|names| names.contains(&one.name.as_str()))
            };
            let is_known = essential.is_some();
            let ended = task.containers.iter().filter(ended);
            ended.filter(may_be_it).min_by_key(|one| rank(one, is_known))
        }
    }
}

/// The lower, the more a container explains. A program that ends by itself counts only where it is known to be essential:
/// others may end, and before the rest.
fn rank(container: &StoppedContainer, is_essential: bool) -> u8 {
    match container.exit_code {
        _ if container.reason.is_some() => 0,
        Some(0) if is_essential => 2,
        Some(KILLED) => 3,
        Some(TERMINATED) => 4,
        Some(0) | None => 5,
        Some(_) => 1,
    }
}

/// A container that the kernel ended for want of memory.
pub(super) fn out_of_memory(container: &StoppedContainer) -> Option<Cause> {
    let code = container.exit_code?;
    let reason = container.reason.as_deref()?;
    reason.contains("OutOfMemory").then(|| Cause {
        outlook: Outlook::Unclear,
        says: format!("container {} exited with {code}: it ran out of memory", container.name),
        remedy: "raise `memory` of the container or the task",
    })
}

/// What an exit code says, where ECS adds nothing that says more.
pub(super) fn of(container: &StoppedContainer) -> Option<Cause> {
    let code = container.exit_code?;
    let name = &container.name;
    let (meaning, remedy) = match code {
        0 => (
            "its program ended by itself",
            "a service's essential container has to go on running; mark it `essential: false` if it may end",
        ),
        126 => ("its command is not executable", "correct `entryPoint` or `command`"),
        127 => ("its command was not found", "correct `entryPoint` or `command`"),
        134 => ("its program aborted", "read the container's log"),
        KILLED => (
            "it was killed",
            "look for memory that ran out, and for a `stopTimeout` that is too short",
        ),
        139 => ("its program crashed with a memory fault", "read the container's log"),
        TERMINATED => ("it was asked to end", "find out who sent the signal"),
        _ => ("", "read the container's log"),
    };
    let says = if meaning.is_empty() {
        format!("container {name} exited with {code}")
    } else {
        format!("container {name} exited with {code}: {meaning}")
    };
    Some(Cause { outlook: Outlook::Unclear, says, remedy })
}
