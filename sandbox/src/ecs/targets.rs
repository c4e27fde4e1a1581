//! The targets of load balancers that tasks are.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    Ecs,
    task::{Task, TaskId},
};
use crate::{images::ImageBehaviour, input};

/// What happened to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TargetChange {
    /// The target group's ARN.
    pub(crate) group: String,
    /// The task's address.
    pub(crate) address: String,
    /// The container's port.
    pub(crate) port: u16,
    /// When.
    pub(crate) when: Timestamp,
    /// What.
    pub(crate) kind: TargetChangeKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TargetChangeKind {
    Registered,
    Healthy,
    Unhealthy,
    Deregistered,
}

impl Ecs {
    /// What happened to targets since the last call of this function.
    pub(crate) fn drain_target_changes(&mut self) -> Vec<TargetChange> {
        std::mem::take(&mut self.target_changes)
    }

    /// How many percent of their requests tasks answer with 5xx, by address.
    pub(crate) fn failing_requests(&self) -> BTreeMap<String, u32> {
        let fails = |task: &Task| {
            let shares = task.containers.iter().filter_map(|one| match one.behaviour {
                ImageBehaviour::FailsRequests(share) => Some(share),
                ImageBehaviour::Runs
                | ImageBehaviour::NotFound
                | ImageBehaviour::Denied
                | ImageBehaviour::Exits { .. }
                | ImageBehaviour::Unhealthy
                | ImageBehaviour::SlowStart(_)
                | ImageBehaviour::IgnoresStop => None,
            });
            Some((task.launch.address.clone()?, shares.max()?))
        };
        self.tasks.values().filter_map(fails).collect()
    }

    /// Notes what happens to the targets of a task with an address of its own.
    pub(super) fn note_targets(&mut self, id: TaskId, kind: TargetChangeKind, when: Timestamp) {
        let Some(task) = self.tasks.get(&id).filter(|task| task.registered) else { return };
        let Some(address) = &task.launch.address else { return };
        for (group, port) in &task.launch.targets {
            let (group, address) = (group.clone(), address.clone());
            self.target_changes.push(TargetChange { group, address, port: *port, when, kind });
        }
    }
}

/// Target groups and ports of a service's `loadBalancers`.
pub(super) fn targets_of(balancers: &[serde_json::Value]) -> Vec<(String, u16)> {
    let target = |one: &serde_json::Value| {
        let port = input::integer(one, "containerPort")?;
        Some((input::text(one, "targetGroupArn")?.to_owned(), u16::try_from(port).ok()?))
    };
    balancers.iter().filter_map(target).collect()
}
