//! Services, their deployments, and the records of their roll-outs.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{breaker::Breaker, definition::DefinitionKey, stages::Progress, task::TaskId};

pub(super) type ServiceId = u64;

/// The number that a deployment and its service revision share.
pub(super) type RevisionNumber = u64;

/// A service.
pub(super) struct Service {
    pub(super) cluster: String,
    pub(super) name: String,
    pub(super) status: ServiceStatus,
    pub(super) created: Timestamp,
    /// What `CreateService` was given, for the question whether a second call is the same.
    pub(super) first_request: Value,
    /// The members of `CreateService` with what UpdateService changed since; without `desiredCount` and tags.
    pub(super) settings: Map<String, Value>,
    pub(super) desired: i64,
    /// Oldest first; drained ones are kept as rollback candidates.
    pub(super) deployments: Vec<Deployment>,
    /// Oldest first.
    pub(super) records: Vec<Record>,
    /// Newest first, at most 100.
    pub(super) events: VecDeque<ServiceEvent>,
    /// Its tasks that are not STOPPED.
    pub(super) tasks: BTreeSet<TaskId>,
    pub(super) tags: Vec<Value>,
    /// When the scheduler looks at it next.
    pub(super) turn_at: Option<Timestamp>,
    /// Whether it has said that it is steady, and how often it stopped being so.
    pub(super) steady: bool,
    pub(super) steady_epoch: u32,
    /// Targets registered since the last turn, by target group.
    pub(super) registered: BTreeMap<String, usize>,
    /// Whether the last turn could neither start nor stop a task.
    pub(super) stuck: bool,
    /// Whether it has said that a task found no room.
    pub(super) unplaced: bool,
    /// The revision that production traffic goes to.
    pub(super) serving: Option<RevisionNumber>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServiceStatus {
    Active,
    Draining,
    Inactive,
}

/// A line of a service's event log.
pub(super) struct ServiceEvent {
    pub(super) id: String,
    pub(super) when: Timestamp,
    pub(super) message: String,
}

/// One revision of a service and the tasks that run it.
pub(super) struct Deployment {
    pub(super) number: RevisionNumber,
    pub(super) status: DeploymentStatus,
    pub(super) rollout: Rollout,
    pub(super) reason: String,
    /// The configuration that the revision captured.
    pub(super) captured: Map<String, Value>,
    /// Its load balancers, each with the target group that this revision's tasks join.
    pub(super) balancers: Vec<Value>,
    pub(super) definition: DefinitionKey,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    /// How many tasks it should have now.
    pub(super) desired: i64,
    /// Whether the scheduler may start its tasks.
    pub(super) begun: bool,
    pub(super) breaker: Breaker,
    /// The digests that its first task resolved, by container (aws.md §3.9).
    pub(super) digests: BTreeMap<String, String>,
    pub(super) backoff: Backoff,
    pub(super) baking_until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeploymentStatus {
    Primary,
    Active,
    /// Fully replaced, no longer shown.
    Inactive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rollout {
    InProgress,
    Completed,
    Failed,
}

impl Rollout {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

/// The delay between attempts to start tasks that never run (aws.md §3.5).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Backoff {
    pub(super) attempts: u32,
    pub(super) until: Option<Timestamp>,
    pub(super) announced: bool,
}

impl Deployment {
    /// `ecs-svc/<number>`.
    pub(super) fn id(&self) -> String {
        format!("ecs-svc/{}", self.number)
    }

    pub(super) fn is_shown(&self) -> bool {
        self.status != DeploymentStatus::Inactive
    }
}

/// A service deployment: the record of one roll-out (aws.md §3.7).
pub(super) struct Record {
    pub(super) id: String,
    pub(super) target: RevisionNumber,
    pub(super) sources: Vec<RevisionNumber>,
    pub(super) status: RecordStatus,
    pub(super) reason: Option<String>,
    pub(super) created: Timestamp,
    /// From when on it can be listed.
    pub(super) visible: Timestamp,
    pub(super) started: Option<Timestamp>,
    pub(super) updated: Timestamp,
    pub(super) stopped: Option<Timestamp>,
    pub(super) finished: Option<Timestamp>,
    pub(super) rollback: Option<Rollback>,
    pub(super) configuration: Value,
    pub(super) alarms: Alarms,
    pub(super) breaker: BreakerStatus,
    /// Task counts by revision, kept when the record ended.
    pub(super) frozen: Option<BTreeMap<RevisionNumber, Counts>>,
    pub(super) frozen_breaker: Option<(i64, i64)>,
    /// The stages of a progressive roll-out.
    pub(super) progress: Option<Progress>,
}

#[derive(Debug, Clone)]
pub(super) struct Rollback {
    pub(super) reason: String,
    pub(super) started: Option<Timestamp>,
    pub(super) to: Option<RevisionNumber>,
}

/// What the deployment alarms of a roll-out do.
#[derive(Debug, Clone, Default)]
pub(super) struct Alarms {
    pub(super) names: Vec<String>,
    pub(super) status: AlarmStatus,
    pub(super) triggered: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum AlarmStatus {
    #[default]
    Disabled,
    Monitoring,
    MonitoringComplete,
    Triggered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BreakerStatus {
    Disabled,
    Monitoring,
    MonitoringComplete,
    Triggered,
}

macro_rules! watch_text {
    ($name:ident) => {
        impl $name {
            pub(super) fn text(self) -> &'static str {
                match self {
                    Self::Disabled => "DISABLED",
                    Self::Monitoring => "MONITORING",
                    Self::MonitoringComplete => "MONITORING_COMPLETE",
                    Self::Triggered => "TRIGGERED",
                }
            }
        }
    };
}
watch_text!(AlarmStatus);
watch_text!(BreakerStatus);

/// How many tasks of a deployment are in which condition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) desired: i64,
    pub(super) running: i64,
    pub(super) pending: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordStatus {
    Pending,
    InProgress,
    StopRequested,
    Stopped,
    RollbackRequested,
    RollbackInProgress,
    Successful,
    RollbackSuccessful,
    RollbackFailed,
}

impl RecordStatus {
    pub(super) fn is_terminal(self) -> bool {
        match self {
            Self::Successful | Self::Stopped | Self::RollbackSuccessful | Self::RollbackFailed => {
                true
            }
            Self::Pending
            | Self::InProgress
            | Self::StopRequested
            | Self::RollbackRequested
            | Self::RollbackInProgress => false,
        }
    }
}

impl fmt::Display for RecordStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::StopRequested => "STOP_REQUESTED",
            Self::Stopped => "STOPPED",
            Self::RollbackRequested => "ROLLBACK_REQUESTED",
            Self::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
            Self::Successful => "SUCCESSFUL",
            Self::RollbackSuccessful => "ROLLBACK_SUCCESSFUL",
            Self::RollbackFailed => "ROLLBACK_FAILED",
        })
    }
}

impl Service {
    pub(super) fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|one| one.status == DeploymentStatus::Primary)
    }

    pub(super) fn primary_mut(&mut self) -> Option<&mut Deployment> {
        self.deployments.iter_mut().find(|one| one.status == DeploymentStatus::Primary)
    }

    pub(super) fn deployment(&self, number: RevisionNumber) -> Option<&Deployment> {
        self.deployments.iter().find(|one| one.number == number)
    }

    pub(super) fn deployment_mut(&mut self, number: RevisionNumber) -> Option<&mut Deployment> {
        self.deployments.iter_mut().find(|one| one.number == number)
    }

    /// The record of the roll-out that has not ended.
    pub(super) fn open_record(&self) -> Option<&Record> {
        self.records.iter().rev().find(|record| !record.status.is_terminal())
    }

    pub(super) fn record_mut(&mut self, id: &str) -> Option<&mut Record> {
        self.records.iter_mut().find(|record| record.id == id)
    }

    pub(super) fn is_daemon(&self) -> bool {
        self.settings.get("schedulingStrategy").and_then(Value::as_str) == Some("DAEMON")
    }

    /// A member of `deploymentConfiguration`.
    pub(super) fn configured(&self, name: &str) -> Option<&Value> {
        self.settings.get("deploymentConfiguration")?.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn maximum_percent(&self) -> i64 {
        let default = if self.is_daemon() { 100 } else { 200 };
        self.configured("maximumPercent").and_then(Value::as_i64).unwrap_or(default)
    }

    pub(super) fn minimum_percent(&self) -> i64 {
        let default = if self.is_daemon() { 0 } else { 100 };
        self.configured("minimumHealthyPercent").and_then(Value::as_i64).unwrap_or(default)
    }
}
