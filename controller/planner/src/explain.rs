//! Why tasks stopped, in one sentence.

use std::collections::BTreeMap;

use crate::observed::{Observed, StoppedTask};

/// Stops that belong to every rollout and explain nothing.
fn is_ordinary(task: &StoppedTask) -> bool {
    task.stop_code == "ServiceSchedulerInitiated"
        && task.reason.starts_with("Scaling activity initiated by")
        || task.stop_code == "UserInitiated"
}

/// What a task's own words come down to, without what differs from task to task.
fn cause(task: &StoppedTask) -> String {
    let Some(container) = &task.container else { return task.reason.clone() };
    match (&container.reason, container.exit_code) {
        (Some(reason), Some(code)) => {
            format!("container {} exited with {code}: {reason}", container.name)
        }
        (Some(reason), None) => format!("container {}: {reason}", container.name),
        (None, Some(code)) => format!("container {} exited with {code}", container.name),
        (None, None) => task.reason.clone(),
    }
}

/// The commonest cause among the stopped tasks of one deployment (`ecs-svc/…`), with its count; `None` when none of them
/// stopped for a cause.
pub fn stopped_tasks(observed: &Observed, deployment: &str) -> Option<String> {
    let mut causes: BTreeMap<String, usize> = BTreeMap::new();
    for task in observed.stopped.iter().flatten() {
        if task.started_by == deployment && !is_ordinary(task) {
            *causes.entry(cause(task)).or_default() += 1;
        }
    }
    let total: usize = causes.values().sum();
    let (cause, count) = causes.into_iter().max_by_key(|(_, count)| *count)?;
    Some(if total == count {
        format!("{count} {} stopped: {cause}", if count == 1 { "task" } else { "tasks" })
    } else {
        format!("{count} of {total} tasks stopped: {cause}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::StoppedContainer;

    fn task(
        deployment: &str,
        code: &str,
        reason: &str,
        container: Option<(i64, Option<&str>)>,
    ) -> StoppedTask {
        StoppedTask {
            started_by: deployment.into(),
            stop_code: code.into(),
            reason: reason.into(),
            container: container.map(|(exit, reason)| StoppedContainer {
                name: "app".into(),
                exit_code: Some(exit),
                reason: reason.map(str::to_owned),
            }),
            stopped_at: None,
        }
    }

    #[test]
    fn the_commonest_cause_is_told_with_its_count() {
        let observed = Observed {
            stopped: Some(vec![
                task(
                    "ecs-svc/1",
                    "EssentialContainerExited",
                    "Essential container in task exited",
                    Some((1, None)),
                ),
                task(
                    "ecs-svc/1",
                    "EssentialContainerExited",
                    "Essential container in task exited",
                    Some((1, None)),
                ),
                task("ecs-svc/1", "TaskFailedToStart", "CannotPullContainerError: not found", None),
                task(
                    "ecs-svc/1",
                    "ServiceSchedulerInitiated",
                    "Scaling activity initiated by (deployment ecs-svc/2)",
                    None,
                ),
                task("ecs-svc/9", "TaskFailedToStart", "another deployment's", None),
            ]),
            ..Observed::default()
        };
        assert_eq!(
            stopped_tasks(&observed, "ecs-svc/1").as_deref(),
            Some("2 of 3 tasks stopped: container app exited with 1")
        );
        assert_eq!(stopped_tasks(&observed, "ecs-svc/3"), None);
    }

    #[test]
    fn out_of_memory_is_told_in_ecs_words() {
        let observed = Observed {
            stopped: Some(vec![task(
                "ecs-svc/1",
                "EssentialContainerExited",
                "Essential container in task exited",
                Some((137, Some("OutOfMemoryError: Container killed due to memory usage"))),
            )]),
            ..Observed::default()
        };
        assert_eq!(
            stopped_tasks(&observed, "ecs-svc/1").as_deref(),
            Some(
                "1 task stopped: container app exited with 137: OutOfMemoryError: Container killed due to memory usage"
            )
        );
    }
}
