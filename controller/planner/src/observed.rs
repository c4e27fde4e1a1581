//! What AWS last said about one service, read out of the JSON of its answers.
//!
//! Every value here was read. What could not be read makes no `Observed`; what was not asked for is `None` and is named by
//! [`Wants`].

mod around;
mod stopped;

use crds::SpecHash;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub use self::around::{Alarm, DeploymentAlarms, Target};
pub use self::stopped::{StoppedContainer, StoppedTask};
use crate::checks::Analysis;
use crate::explain::Kept;
use crate::hook;
use crate::normal::{self, Normal};
use crate::ownership::{SPEC_HASH, Tags};
use crate::preflight::SecretVersion;
use crate::rollout::DeploymentStatus;
use crate::scaling::ObservedScaling;

/// How long a pause waits that names no time, in minutes (aws.md §2.10).
const PAUSE_MINUTES: i64 = 1440;

/// What AWS said about one service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// The service; `None` when AWS says there is none of that name.
    pub service: Option<ObservedService>,
    /// The revision that the service's newest deployment is for.
    pub task_definition: Option<ObservedTaskDefinition>,
    /// ACTIVE revisions of the wanted family, newest first; `None` when not asked for.
    pub candidates: Option<Vec<ObservedTaskDefinition>>,
    /// The newest service deployments, newest first; `None` when not asked for.
    pub deployments: Option<Vec<ServiceDeployment>>,
    /// The images that the running revision resolved; `None` when not asked for.
    pub images: Option<Vec<ResolvedImage>>,
    /// Tasks that stopped lately; `None` when not asked for.
    pub stopped: Option<Vec<StoppedTask>>,
    /// Targets of the service that get no traffic; none when not asked for.
    pub targets: Vec<Target>,
    /// The alarms that stopped the rollout; none when not asked for.
    pub alarms: Vec<Alarm>,
    /// Why the tasks of the spec's newest rollout do not run, as it was first seen.
    pub explained: Option<Kept>,
    /// The versions of the secrets that tasks started now would read; `None` when not asked for, or not all of them could be
    /// read.
    pub secrets: Option<Vec<SecretVersion>>,
    /// Its Application Auto Scaling; `None` when not asked for.
    pub scaling: Option<ObservedScaling>,
    /// The spec that this very process last sent; `None` when it sent none. The service's tag says the same and outlives the
    /// process, but is set by a call of its own, which may fail.
    pub sent: Option<SpecHash>,
    /// The spec of the newest release that ended well, by the release history.
    pub last_good: Option<SpecHash>,
    /// What is known of its hooks.
    pub hooks: hook::Known,
    /// What the checks of the gate measured at which the rollout waits; `None` where none were.
    pub analysis: Option<Analysis>,
}

/// Which further facts a plan depends on: asked for only when they matter, because each costs calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "six independent questions, each answered by calls of its own"
)]
pub struct Wants {
    /// ACTIVE revisions of the family, to use again instead of registering twice.
    pub candidates: bool,
    /// ECS's records of the last rollouts.
    pub deployments: bool,
    /// The digests that run.
    pub images: bool,
    /// Settings that only the service revision shows.
    pub unlisted: bool,
    /// Why tasks stopped.
    pub stopped: bool,
    /// Application Auto Scaling.
    pub scaling: bool,
}

/// `ACTIVE`, `DRAINING` or `INACTIVE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceState {
    /// It exists and can be changed.
    Active,
    /// It was deleted and its tasks are stopping; the name is not free yet.
    Draining,
    /// It is gone; the name is free.
    Inactive,
}

/// A `Service` of DescribeServices.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedService {
    /// Its ARN.
    pub arn: String,
    /// Its state.
    pub state: ServiceState,
    /// The revision that it names, a full ARN.
    pub task_definition: String,
    /// Tasks wanted, by whoever set it last.
    pub desired_count: i64,
    /// Tasks that run.
    pub running_count: i64,
    /// Tasks on their way.
    pub pending_count: i64,
    /// The deployments it lists, PRIMARY first.
    pub deployments: Vec<Deployment>,
    /// Its tags.
    pub tags: Tags,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// ARNs of the service revisions that run.
    pub service_revisions: Vec<String>,
    /// Whether ECS itself manages it (Express Mode); then nobody else may.
    pub is_managed_by_ecs: bool,
    /// ECS's newest events, newest first.
    pub events: Vec<ServiceEvent>,
    /// Its configuration in normal form.
    pub normal: Normal,
    /// The JSON as AWS sent it.
    pub raw: Value,
}

/// One line of a service's event log.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceEvent {
    /// When ECS wrote it.
    pub time: Option<Timestamp>,
    /// What it says.
    pub message: String,
}

/// One entry of `deployments[]`: the scheduler's view of a rollout (aws.md §3.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// `ecs-svc/…`; its number is that of the service revision.
    pub id: String,
    /// Whether it is the newest target.
    pub is_primary: bool,
    /// Its revision, a full ARN.
    pub task_definition: String,
    /// Tasks it should have by now: starts at 0 and grows.
    pub desired: i64,
    /// Tasks on their way.
    pub pending: i64,
    /// Tasks that run.
    pub running: i64,
    /// Tasks that failed to start.
    pub failed: i64,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`. Where ECS does not say it, what [`crate::unsaid`] makes of its records;
    /// absent where those say nothing either.
    pub rollout_state: Option<String>,
    /// ECS's words about that.
    pub rollout_reason: Option<String>,
    /// When it began.
    pub created_at: Option<Timestamp>,
    /// When it last changed: a rollback makes an old deployment PRIMARY again.
    pub updated_at: Option<Timestamp>,
}

/// A service deployment: ECS's record of one rollout (aws.md §2.7).
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceDeployment {
    /// Its ARN.
    pub arn: String,
    /// Its status.
    pub status: DeploymentStatus,
    /// ECS's words about that.
    pub reason: Option<String>,
    /// The number of the service revision that it leads to: the number of the deployment's id.
    pub target_revision: String,
    /// The stage of a progressive rollout.
    pub stage: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it ended, or its rollback did.
    pub finished_at: Option<Timestamp>,
    /// The revision of the task definition that it leads to, where that is known.
    pub task_definition: Option<ObservedTaskDefinition>,
    /// The service revision that it leads to, as AWS sent it, where that is known.
    pub captured: Option<Value>,
    /// The PAUSE hooks at which it waits for somebody.
    pub waiting: Vec<WaitingHook>,
    /// The traffic that the new revision gets, in percent: of production, and of tests.
    pub weights: (Option<f64>, Option<f64>),
    /// What its alarms did.
    pub alarms: DeploymentAlarms,
}

/// A PAUSE hook at which a rollout waits (aws.md §2.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingHook {
    /// Its id, `ecs-PAUSE-…`.
    pub id: String,
    /// Since when it waits, where that can be told.
    pub since: Option<Timestamp>,
    /// Until when it waits.
    pub expires_at: Option<Timestamp>,
}

/// A revision of a task definition.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedTaskDefinition {
    /// Its full ARN.
    pub arn: String,
    /// Whether it can still be used for new deployments.
    pub is_active: bool,
    /// Its content in normal form.
    pub normal: Normal,
    /// The hash of the content it was registered from, where we registered it.
    pub content_hash: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// The JSON as AWS sent it.
    pub raw: Value,
}

/// The image that a container really runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedImage {
    /// The container's name.
    pub container: String,
    /// The digest, `sha256:…`.
    pub digest: String,
}

fn text(value: &Value, member: &str) -> String {
    optional_text(value, member).unwrap_or_default()
}

fn optional_text(value: &Value, member: &str) -> Option<String> {
    value.get(member).and_then(Value::as_str).map(str::to_owned)
}

fn number(value: &Value, member: &str) -> i64 {
    value.get(member).and_then(Value::as_i64).unwrap_or(0)
}

/// Timestamps are numbers: epoch seconds with a fraction (aws.md §0).
pub(crate) fn time(value: &Value, member: &str) -> Option<Timestamp> {
    let seconds = value.get(member)?.as_f64()?;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "milliseconds since 1970 fit an i64 for 290 million years"
    )]
    let milliseconds = (seconds * 1000.0).round() as i64;
    Timestamp::from_millisecond(milliseconds).ok()
}

pub(crate) fn list<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    value.get(member).and_then(Value::as_array).into_iter().flatten()
}

/// `tags: [{key, value}]` as a map.
pub fn tags(value: &Value) -> Tags {
    list(value, "tags").map(|tag| (text(tag, "key"), text(tag, "value"))).collect()
}

impl ObservedService {
    /// Reads a `Service` of DescribeServices (with TAGS).
    pub fn from_describe(service: &Value) -> Self {
        let state = match service.get("status").and_then(Value::as_str) {
            Some("INACTIVE") => ServiceState::Inactive,
            Some("DRAINING") => ServiceState::Draining,
            _ => ServiceState::Active,
        };
        let mut deployments: Vec<Deployment> =
            list(service, "deployments").map(Deployment::from_describe).collect();
        deployments.sort_by_key(|deployment| !deployment.is_primary);
        let events = list(service, "events")
            .take(10)
            .map(|event| ServiceEvent {
                time: time(event, "createdAt"),
                message: text(event, "message"),
            })
            .collect();
        Self {
            arn: text(service, "serviceArn"),
            state,
            task_definition: text(service, "taskDefinition"),
            desired_count: number(service, "desiredCount"),
            running_count: number(service, "runningCount"),
            pending_count: number(service, "pendingCount"),
            deployments,
            tags: tags(service),
            created_at: time(service, "createdAt"),
            service_revisions: list(service, "currentServiceRevisions")
                .map(|revision| text(revision, "arn"))
                .collect(),
            is_managed_by_ecs: service.get("resourceManagementType").and_then(Value::as_str)
                == Some("ECS"),
            events,
            normal: normal::observed_service(service),
            raw: service.clone(),
        }
    }

    /// Takes over the settings that DescribeServices does not show from the service revision in force (aws.md §2.6). Another
    /// revision's settings say nothing about what runs.
    pub fn complete_from(&mut self, revision: &Value) {
        let is_in_force = self.is_in_force(&text(revision, "serviceRevisionArn"));
        let Some(members) = self.raw.as_object_mut().filter(|_| is_in_force) else { return };
        let mut found = false;
        for (name, value) in normal::unlisted_members(revision) {
            found = true;
            members.insert(name.to_owned(), value.clone());
        }
        if found {
            self.normal = normal::observed_service(&self.raw);
        }
    }

    /// The service revision that ECS is moving to, or has moved to, if it is among those that run. While a rollout is under
    /// way the one before runs as well, and their order is not documented.
    pub fn revision_in_force(&self) -> Option<&str> {
        self.service_revisions.iter().map(String::as_str).find(|arn| self.is_in_force(arn))
    }

    fn is_in_force(&self, revision_arn: &str) -> bool {
        let number = revision_arn.rsplit('/').next().unwrap_or_default();
        self.primary().is_some_and(|primary| primary.revision_number() == number)
    }

    /// The deployment that ECS is moving to, or has moved to.
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.is_primary)
    }
}

impl Deployment {
    fn from_describe(deployment: &Value) -> Self {
        Self {
            id: text(deployment, "id"),
            is_primary: deployment.get("status").and_then(Value::as_str) == Some("PRIMARY"),
            task_definition: text(deployment, "taskDefinition"),
            desired: number(deployment, "desiredCount"),
            pending: number(deployment, "pendingCount"),
            running: number(deployment, "runningCount"),
            failed: number(deployment, "failedTasks"),
            rollout_state: optional_text(deployment, "rolloutState"),
            rollout_reason: optional_text(deployment, "rolloutStateReason"),
            created_at: time(deployment, "createdAt"),
            updated_at: time(deployment, "updatedAt"),
        }
    }

    /// The number in `ecs-svc/<number>`, which is that of the service revision (aws.md §2.1).
    pub fn revision_number(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or(&self.id)
    }
}

impl ServiceDeployment {
    /// Reads a record of DescribeServiceDeployments.
    pub fn from_describe(record: &Value) -> Self {
        let target = record
            .pointer("/targetServiceRevision/arn")
            .or_else(|| record.get("targetServiceRevisionArn"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        Self {
            arn: text(record, "serviceDeploymentArn"),
            status: DeploymentStatus::from_text(&text(record, "status")),
            reason: optional_text(record, "statusReason"),
            target_revision: target.rsplit('/').next().unwrap_or_default().to_owned(),
            stage: optional_text(record, "lifecycleStage"),
            created_at: time(record, "createdAt"),
            finished_at: time(record, "finishedAt").or_else(|| time(record, "stoppedAt")),
            task_definition: None,
            captured: None,
            waiting: list(record, "lifecycleHookDetails")
                .filter(|hook| {
                    text(hook, "targetType") == "PAUSE" && text(hook, "status") == "AWAITING_ACTION"
                })
                .map(|hook| WaitingHook::of(hook, record))
                .collect(),
            weights: (
                share(record, "requestedProductionTrafficWeight"),
                share(record, "requestedTestTrafficWeight"),
            ),
            alarms: DeploymentAlarms::of(record),
        }
    }
}

/// A share of the traffic that the new revision is to have.
fn share(record: &Value, kind: &str) -> Option<f64> {
    record.get("targetServiceRevision")?.get(kind)?.as_f64()
}

impl WaitingHook {
    /// A hook of a record. Its start is not told; where all pauses of that stage wait equally long it follows from its end.
    fn of(hook: &Value, record: &Value) -> Self {
        let expires_at = time(hook, "expiresAt");
        let stage = text(record, "lifecycleStage");
        let configured = record.get("deploymentConfiguration").unwrap_or(&Value::Null);
        let mut waits: Vec<i64> = list(configured, "lifecycleHooks")
            .filter(|one| text(one, "targetType") == "PAUSE")
            .filter(|one| list(one, "lifecycleStages").any(|name| name.as_str() == Some(&*stage)))
            .map(|one| {
                let minutes = one.pointer("/timeoutConfiguration/timeoutInMinutes");
                minutes.and_then(Value::as_i64).unwrap_or(PAUSE_MINUTES)
            })
            .collect();
        waits.dedup();
        let since = match (expires_at, waits.as_slice()) {
            (Some(end), [minutes]) => end.checked_sub(SignedDuration::from_mins(*minutes)).ok(),
            (Some(_) | None, _) => None,
        };
        Self { id: text(hook, "hookId"), since, expires_at }
    }
}

impl ObservedTaskDefinition {
    /// Reads an answer of DescribeTaskDefinition or RegisterTaskDefinition: `{taskDefinition, tags}`.
    pub fn from_describe(answer: &Value) -> Self {
        let definition = answer.get("taskDefinition").unwrap_or(&Value::Null);
        let tags = tags(answer);
        Self {
            arn: text(definition, "taskDefinitionArn"),
            is_active: definition.get("status").and_then(Value::as_str) == Some("ACTIVE"),
            normal: normal::task_definition(definition),
            content_hash: tags.get(SPEC_HASH).cloned(),
            tags,
            raw: definition.clone(),
        }
    }
}

impl ResolvedImage {
    /// Reads `containerImages` of a service revision.
    pub fn from_service_revision(revision: &Value) -> Vec<Self> {
        list(revision, "containerImages")
            .filter_map(|image| {
                let digest = optional_text(image, "imageDigest")?;
                Some(Self { container: text(image, "containerName"), digest })
            })
            .collect()
    }
}
