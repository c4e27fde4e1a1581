//! Tasks and their containers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    definition::DefinitionKey,
    model::{RevisionNumber, ServiceId},
};
use crate::{images::ImageBehaviour, input};

pub(super) type TaskId = u64;

/// A task.
pub(super) struct Task {
    pub(super) hex: String,
    pub(super) cluster: String,
    /// The service and deployment that started it.
    pub(super) owner: Option<(ServiceId, RevisionNumber)>,
    pub(super) definition: DefinitionKey,
    /// The members of `RunTask` or of the service that describe how it was started.
    pub(super) launch: Launch,
    pub(super) containers: Vec<Container>,
    pub(super) status: TaskStatus,
    /// Whether its desired status is STOPPED.
    pub(super) stopping: bool,
    /// Counts changes of course; steps of an older course do not happen.
    pub(super) epoch: u32,
    /// Counts changes that can be seen (aws.md §3.12).
    pub(super) version: i64,
    pub(super) health: Health,
    /// Whether it ever was healthy.
    pub(super) was_healthy: bool,
    /// Whether its targets are registered.
    pub(super) registered: bool,
    pub(super) times: Times,
    pub(super) stop: Option<Stop>,
}

/// How a task was started.
#[derive(Debug, Clone, Default)]
pub(super) struct Launch {
    pub(super) group: String,
    pub(super) started_by: Option<String>,
    /// `FARGATE` or `EC2`.
    pub(super) kind: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) platform_version: Option<String>,
    /// The instance, by its position in the cluster.
    pub(super) instance: Option<usize>,
    pub(super) host_ports: Vec<i64>,
    /// The target groups it joins, and the port there.
    pub(super) targets: Vec<(String, u16)>,
    pub(super) cpu: i64,
    pub(super) memory: i64,
    pub(super) address: Option<String>,
    pub(super) network: Option<Value>,
    pub(super) overrides: Option<Value>,
    pub(super) tags: Vec<Value>,
    pub(super) execute_command: bool,
}

impl Launch {
    /// The commands that replace those of containers, as one text each.
    pub(super) fn commands(&self) -> BTreeMap<String, String> {
        let overrides =
            self.overrides.as_ref().map_or(&[][..], |all| input::list(all, "containerOverrides"));
        overrides
            .iter()
            .filter_map(|one| {
                let command = input::texts(one, "command").join(" ");
                Some((input::text(one, "name")?.to_owned(), command))
            })
            .filter(|(_, command)| !command.is_empty())
            .collect()
    }
}

/// A container of a task.
#[derive(Debug, Clone)]
pub(super) struct Container {
    pub(super) name: String,
    pub(super) image: String,
    pub(super) essential: bool,
    pub(super) check: Option<HealthCheck>,
    pub(super) stop_timeout: Option<u64>,
    pub(super) behaviour: ImageBehaviour,
    pub(super) digest: Option<String>,
    pub(super) exit_code: Option<i64>,
    pub(super) reason: Option<String>,
    pub(super) health: Health,
}

/// The health check of a container, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct HealthCheck {
    pub(super) interval: u64,
    pub(super) retries: u64,
    pub(super) start_period: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Health {
    #[default]
    Unknown,
    Healthy,
    Unhealthy,
}

impl Health {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Healthy => "HEALTHY",
            Self::Unhealthy => "UNHEALTHY",
        }
    }
}

/// When a task did what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) created: Timestamp,
    pub(super) pull_started: Option<Timestamp>,
    pub(super) pull_stopped: Option<Timestamp>,
    pub(super) started: Option<Timestamp>,
    pub(super) stopping: Option<Timestamp>,
    pub(super) execution_stopped: Option<Timestamp>,
    pub(super) stopped: Option<Timestamp>,
}

/// Why a task stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) code: StopCode,
    pub(super) reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopCode {
    FailedToStart,
    EssentialContainerExited,
    UserInitiated,
    ServiceScheduler,
    SpotInterruption,
}

impl StopCode {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::FailedToStart => "TaskFailedToStart",
            Self::EssentialContainerExited => "EssentialContainerExited",
            Self::UserInitiated => "UserInitiated",
            Self::ServiceScheduler => "ServiceSchedulerInitiated",
            Self::SpotInterruption => "SpotInterruption",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TaskStatus {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

impl TaskStatus {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Activating => "ACTIVATING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Deprovisioning => "DEPROVISIONING",
            Self::Stopped => "STOPPED",
        }
    }
}

/// The next thing that happens to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TaskStep {
    /// It has its place: PENDING.
    Place,
    /// It reads its secrets and begins to pull: ACTIVATING.
    Initialise,
    /// The pull ended: RUNNING, unless it failed.
    Pulled,
    /// Its targets are registered.
    Register,
    /// Its checks have passed, or it ran long enough where there are none.
    Healthy,
    /// A check has failed.
    Unhealthy,
    /// A container ends by itself.
    Exit(usize),
    /// Its targets have drained.
    Drained,
    /// Its containers are gone.
    Killed,
    /// STOPPED.
    Gone,
}

impl Task {
    pub(super) fn is_stopped(&self) -> bool {
        self.status == TaskStatus::Stopped
    }

    /// RUNNING and meant to run.
    pub(super) fn is_running(&self) -> bool {
        self.status == TaskStatus::Running && !self.stopping
    }

    /// On its way to RUNNING.
    pub(super) fn is_pending(&self) -> bool {
        !self.stopping
            && matches!(
                self.status,
                TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating
            )
    }

    pub(super) fn digests(&self) -> BTreeMap<String, String> {
        self.containers
            .iter()
            .filter_map(|one| Some((one.name.clone(), one.digest.clone()?)))
            .collect()
    }
}
