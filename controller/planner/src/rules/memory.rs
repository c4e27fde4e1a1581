//! How containers share the task's CPU and memory (aws.md §4.3).

use crds::ecs::ContainerDefinition;

use super::finding::{Finding, error, warning};
use super::size::{task_cpu, task_memory};
use super::subject::{Subject, TASK};

/// The least memory that a container can start with, in MiB.
const MIN_MEMORY: i32 = 6;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for (at, container) in &subject.containers {
        given(subject, at, container, found);
        least(at, "memory", container.memory, found);
        least(at, "memoryReservation", container.memory_reservation, found);
        reservation(at, container, found);
        cpu(at, container, found);
        within_task(subject, at, container, found);
    }
    cpu_sum(subject, found);
    memory_sum(subject, found);
}

fn given(
    subject: &Subject<'_>,
    at: &str,
    container: &ContainerDefinition,
    found: &mut Vec<Finding>,
) {
    let is_given = container.memory.is_some() || container.memory_reservation.is_some();
    if !is_given && subject.task.memory.is_none() && !subject.is_fargate {
        found.push(
            error(format!("{at}.memory"), "is missing, and the task has no memory of its own")
                .hint("give the container memory or memoryReservation, or the task memory"),
        );
    }
}

fn least(at: &str, member: &str, mebibytes: Option<i32>, found: &mut Vec<Finding>) {
    if let Some(mebibytes) = mebibytes.filter(|mebibytes| *mebibytes < MIN_MEMORY) {
        found.push(
            error(
                format!("{at}.{member}"),
                format!("`{mebibytes}` MiB are too little for a container"),
            )
            .hint(format!("the least is {MIN_MEMORY}")),
        );
    }
}

/// AWS's text wants `memory` above the reservation; that it refuses equal ones is not confirmed.
fn reservation(at: &str, container: &ContainerDefinition, found: &mut Vec<Finding>) {
    let (Some(memory), Some(reservation)) = (container.memory, container.memory_reservation) else {
        return;
    };
    let path = format!("{at}.memoryReservation");
    if reservation > memory {
        found.push(
            error(
                path,
                format!("`{reservation}` MiB are more than the container's memory of {memory}"),
            )
            .hint("reserve less than memory"),
        );
    } else if reservation == memory {
        found.push(
            warning(path, format!("`{reservation}` MiB are as much as the container's memory, so that it reserves nothing less"))
                .hint("reserve less than memory, or leave one of the two out"),
        );
    }
}

fn cpu(at: &str, container: &ContainerDefinition, found: &mut Vec<Finding>) {
    if let Some(units) = container.cpu.filter(|units| *units < 0) {
        found.push(error(format!("{at}.cpu"), format!("`{units}` CPU units are less than none")));
    }
}

/// What a container keeps of the task's memory, in MiB.
fn kept(container: &ContainerDefinition) -> i64 {
    i64::from(container.memory_reservation.or(container.memory).unwrap_or_default())
}

fn within_task(
    subject: &Subject<'_>,
    at: &str,
    container: &ContainerDefinition,
    found: &mut Vec<Finding>,
) {
    let (Some(task), Some(memory)) = (task_memory(subject), container.memory) else { return };
    if i64::from(memory) > task {
        found.push(error(
            format!("{at}.memory"),
            format!("`{memory}` MiB are more than the task's {task}"),
        ));
    }
}

fn cpu_sum(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(task) = task_cpu(subject) else { return };
    let sum: i64 =
        subject.containers.iter().map(|(_, container)| i64::from(container.cpu.unwrap_or(0))).sum();
    if sum > task {
        found.push(
            error(
                format!("{TASK}.cpu"),
                format!(
                    "`{task}` CPU units are less than the {sum} that the containers take together"
                ),
            )
            .hint("give the containers less, or the task more"),
        );
    }
}

/// Reservations have to fit. That limits beyond them have to fit too is how one page reads; ECS lets them.
fn memory_sum(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(task) = task_memory(subject) else { return };
    let each_fits = subject
        .containers
        .iter()
        .all(|(_, container)| i64::from(container.memory.unwrap_or(0)) <= task);
    let kept: i64 = subject.containers.iter().map(|(_, container)| kept(container)).sum();
    let limits: i64 = subject
        .containers
        .iter()
        .map(|(_, container)| i64::from(container.memory.unwrap_or(0)))
        .sum();
    let path = format!("{TASK}.memory");
    if kept > task && each_fits {
        found.push(
            error(
                path,
                format!(
                    "`{task}` MiB are less than the {kept} that the containers reserve together"
                ),
            )
            .hint("give the containers less, or the task more"),
        );
    } else if limits > task && each_fits {
        found.push(warning(
            path,
            format!("`{task}` MiB are less than the {limits} that the containers may use together"),
        ));
    }
}
