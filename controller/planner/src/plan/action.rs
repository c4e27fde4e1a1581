//! One call to AWS, and what it means to those who decide about it.

use crds::Reason;
use crds::ecs::Effect;
use serde_json::Value;

use crate::drift::FieldDrift;
use crate::hook::HookRun;
use crate::orders::Stopped;
use crate::ownership::{HELD_IMAGES, HELD_SPEC, SPEC_HASH, Tags};
use crate::scaling::Call;

/// A revision that exists, or the one that this plan registers first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskDefinitionRef {
    /// A registered revision, by its ARN.
    Existing(String),
    /// The one that the plan's RegisterTaskDefinition gives.
    Registered,
}

/// One call to AWS, with its whole input.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Registers a revision.
    RegisterTaskDefinition {
        /// The call's input, tags included.
        input: Value,
        /// Why.
        reason: Reason,
        /// What differs from the revision that runs now.
        changes: Vec<FieldDrift>,
    },
    /// Creates the service.
    CreateService {
        /// The call's input, without the task definition.
        input: Value,
        /// The revision to run.
        task_definition: TaskDefinitionRef,
        /// Why.
        reason: Reason,
    },
    /// Changes the service, in one call.
    UpdateService {
        /// The call's input, without the task definition.
        input: Value,
        /// The revision to move to; `None` leaves it.
        task_definition: Option<TaskDefinitionRef>,
        /// Why.
        reason: Reason,
        /// What differs.
        changes: Vec<FieldDrift>,
    },
    /// Sets tags of the service.
    TagResource {
        /// The service's ARN.
        arn: String,
        /// The tags.
        tags: Tags,
        /// Why.
        reason: Reason,
        /// What differs.
        changes: Vec<FieldDrift>,
    },
    /// Takes tags off the service.
    UntagResource {
        /// The service's ARN.
        arn: String,
        /// The tags' keys.
        keys: Vec<String>,
        /// Why.
        reason: Reason,
        /// What differs.
        changes: Vec<FieldDrift>,
    },
    /// Changes Application Auto Scaling, or the alarm of a step policy.
    Scaling {
        /// The call.
        call: Call,
        /// Why.
        reason: Reason,
        /// What differs.
        changes: Vec<FieldDrift>,
    },
    /// Runs the task of a hook.
    RunTask {
        /// The call's input, without the task definition.
        input: Value,
        /// The revision to run.
        task_definition: TaskDefinitionRef,
        /// What is written down before the call is made.
        run: Box<HookRun>,
        /// Why.
        reason: Reason,
        /// Which hook it is.
        changes: Vec<FieldDrift>,
    },
    /// Stops the task of a hook.
    StopTask {
        /// The call's input.
        input: Value,
        /// Why.
        reason: Reason,
    },
    /// Stops a service deployment and rolls back.
    StopServiceDeployment {
        /// The deployment's ARN.
        arn: String,
        /// Why.
        reason: Reason,
        /// What is to be remembered of it, where nobody but Longshore asked for it.
        because: Option<Stopped>,
    },
    /// Answers a lifecycle hook that waits.
    ContinueServiceDeployment {
        /// The call's input.
        input: Value,
        /// Why.
        reason: Reason,
    },
    /// Deletes the service.
    DeleteService {
        /// With the tasks that it still has.
        force: bool,
        /// Why.
        reason: Reason,
    },
}

impl Action {
    /// AWS's name of the operation.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::RegisterTaskDefinition { .. } => "RegisterTaskDefinition",
            Self::CreateService { .. } => "CreateService",
            Self::UpdateService { .. } => "UpdateService",
            Self::TagResource { .. } => "TagResource",
            Self::UntagResource { .. } => "UntagResource",
            Self::Scaling { call, .. } => call.operation(),
            Self::RunTask { .. } => "RunTask",
            Self::StopTask { .. } => "StopTask",
            Self::StopServiceDeployment { .. } => "StopServiceDeployment",
            Self::ContinueServiceDeployment { .. } => "ContinueServiceDeployment",
            Self::DeleteService { .. } => "DeleteService",
        }
    }

    /// Why it is to be made.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::RegisterTaskDefinition { reason, .. }
            | Self::CreateService { reason, .. }
            | Self::UpdateService { reason, .. }
            | Self::TagResource { reason, .. }
            | Self::UntagResource { reason, .. }
            | Self::Scaling { reason, .. }
            | Self::RunTask { reason, .. }
            | Self::StopTask { reason, .. }
            | Self::StopServiceDeployment { reason, .. }
            | Self::ContinueServiceDeployment { reason, .. }
            | Self::DeleteService { reason, .. } => *reason,
        }
    }

    /// What is to be remembered of a rollout that Longshore stops by itself.
    pub const fn because(&self) -> Option<&Stopped> {
        match self {
            Self::StopServiceDeployment { because, .. } => because.as_ref(),
            Self::RegisterTaskDefinition { .. }
            | Self::CreateService { .. }
            | Self::UpdateService { .. }
            | Self::TagResource { .. }
            | Self::UntagResource { .. }
            | Self::Scaling { .. }
            | Self::RunTask { .. }
            | Self::StopTask { .. }
            | Self::ContinueServiceDeployment { .. }
            | Self::DeleteService { .. } => None,
        }
    }

    /// What it changes, field by field.
    pub fn changes(&self) -> &[FieldDrift] {
        match self {
            Self::RegisterTaskDefinition { changes, .. }
            | Self::UpdateService { changes, .. }
            | Self::TagResource { changes, .. }
            | Self::UntagResource { changes, .. }
            | Self::Scaling { changes, .. }
            | Self::RunTask { changes, .. } => changes,
            Self::CreateService { .. }
            | Self::StopTask { .. }
            | Self::StopServiceDeployment { .. }
            | Self::ContinueServiceDeployment { .. }
            | Self::DeleteService { .. } => &[],
        }
    }

    /// The attempt of a hook whose task it runs.
    pub fn hook_run(&self) -> Option<&HookRun> {
        match self {
            Self::RunTask { run, .. } => Some(run),
            Self::RegisterTaskDefinition { .. }
            | Self::CreateService { .. }
            | Self::UpdateService { .. }
            | Self::TagResource { .. }
            | Self::UntagResource { .. }
            | Self::Scaling { .. }
            | Self::StopTask { .. }
            | Self::StopServiceDeployment { .. }
            | Self::ContinueServiceDeployment { .. }
            | Self::DeleteService { .. } => None,
        }
    }

    /// Whether ECS replaces the tasks of the service because of it.
    pub fn replaces_tasks(&self) -> bool {
        let Self::UpdateService { task_definition, changes, .. } = self else {
            return false;
        };
        task_definition.is_some()
            || self.forces_deployment()
            || changes.iter().any(|change| match change.effect {
                Effect::RollsTasks | Effect::NeedsForce => true,
                Effect::InPlace | Effect::NewTasksOnly | Effect::Replacement => false,
            })
    }

    /// Whether each such call replaces the tasks, even one that says the same as the call before it.
    pub fn forces_deployment(&self) -> bool {
        let Self::UpdateService { input, .. } = self else { return false };
        input.get("forceNewDeployment") == Some(&Value::Bool(true))
    }

    /// Whether tasks are started because of it: of the service, or of a hook. Tags, counts and deletions start none.
    pub fn starts_tasks(&self) -> bool {
        match self {
            Self::RegisterTaskDefinition { .. }
            | Self::CreateService { .. }
            | Self::RunTask { .. } => true,
            Self::UpdateService { .. } => self.replaces_tasks(),
            Self::TagResource { .. }
            | Self::UntagResource { .. }
            | Self::Scaling { .. }
            | Self::StopTask { .. }
            | Self::StopServiceDeployment { .. }
            | Self::ContinueServiceDeployment { .. }
            | Self::DeleteService { .. } => false,
        }
    }

    /// Whether it does nothing but note that a spec is held, or that it is no more.
    pub(crate) fn is_hold_mark(&self) -> bool {
        let is_mark = |key: &str| [HELD_SPEC, HELD_IMAGES].contains(&key);
        match self {
            Self::TagResource { tags, .. } => {
                !tags.is_empty() && tags.keys().all(|key| is_mark(key))
            }
            Self::UntagResource { keys, .. } => {
                !keys.is_empty() && keys.iter().all(|key| is_mark(key))
            }
            Self::RegisterTaskDefinition { .. }
            | Self::CreateService { .. }
            | Self::UpdateService { .. }
            | Self::Scaling { .. }
            | Self::RunTask { .. }
            | Self::StopTask { .. }
            | Self::StopServiceDeployment { .. }
            | Self::ContinueServiceDeployment { .. }
            | Self::DeleteService { .. } => false,
        }
    }

    /// Whether it brings the spec to the service: registering a revision, scaling, running hooks and marks do not.
    pub fn sends_spec(&self) -> bool {
        match self {
            Self::TagResource { tags, .. } => tags.contains_key(SPEC_HASH),
            Self::CreateService { .. }
            | Self::UpdateService { .. }
            | Self::DeleteService { .. } => true,
            Self::RegisterTaskDefinition { .. }
            | Self::Scaling { .. }
            | Self::UntagResource { .. }
            | Self::RunTask { .. }
            | Self::StopTask { .. }
            | Self::StopServiceDeployment { .. }
            | Self::ContinueServiceDeployment { .. } => false,
        }
    }

    /// The revision that it has the service run.
    pub(super) const fn revision_to_run(&self) -> Option<&TaskDefinitionRef> {
        match self {
            Self::CreateService { task_definition, .. } => Some(task_definition),
            Self::UpdateService { task_definition, .. } => task_definition.as_ref(),
            Self::RegisterTaskDefinition { .. }
            | Self::TagResource { .. }
            | Self::UntagResource { .. }
            | Self::Scaling { .. }
            | Self::RunTask { .. }
            | Self::StopTask { .. }
            | Self::StopServiceDeployment { .. }
            | Self::ContinueServiceDeployment { .. }
            | Self::DeleteService { .. } => None,
        }
    }
}
