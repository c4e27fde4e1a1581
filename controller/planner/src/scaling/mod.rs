//! Application Auto Scaling of a service: what is wanted, what is there, and the calls that make them equal (aws.md §5).
//!
//! Both sides come into the form of the spec's block `scaling`, so that the table of that block says what differs. Guarantees:
//! RegisterScalableTarget only when something differs, because each such call moves the service's count into the bounds; what
//! a scheduled action set stays; an alarm is touched only if its name is one that we give; nothing is taken away without a
//! block except what the service's tag says is ours.

mod bounds;
mod differences;
mod form;
mod inputs;
mod marker;
#[cfg(test)]
mod properties;
mod removal;
mod spent;
#[cfg(test)]
mod tests;

use crds::ObjectKey;
use crds::Scaling;
use crds::scaling::ScalingStatus;
use serde_json::Value;

use crate::desired::Desired;
use crate::normal::Normal;
use crate::observed::ObservedService;
use crate::ownership::{self, Ownership};

pub use differences::{between, on_creation, would_act};
pub use marker::{Marker, SCALING};
pub use removal::{before_deletion, removal};

/// The scaling that a service should have.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredScaling {
    /// The block as the spec writes it, times in one form.
    pub block: Value,
    /// The same in normal form.
    pub normal: Normal,
    /// How many tasks the service is created with; from then on the count is Application Auto Scaling's.
    pub initial_count: i64,
    /// JSON pointers into it that are left alone.
    pub ignore: Vec<String>,
}

/// The scaling that a service has, as AWS answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ObservedScaling {
    /// The scalable target of DescribeScalableTargets; `None` if there is none.
    pub target: Option<Value>,
    /// Its policies.
    pub policies: Vec<Value>,
    /// Its scheduled actions.
    pub actions: Vec<Value>,
    /// Alarms whose names begin with [`alarm_prefix`].
    pub alarms: Vec<Value>,
}

/// One call to Application Auto Scaling, or to CloudWatch for the alarm of a step policy.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// Makes the scalable target, or changes the members that the input has.
    RegisterScalableTarget {
        /// The call's input.
        input: Value,
    },
    /// Makes or replaces a policy.
    PutScalingPolicy {
        /// The call's input.
        input: Value,
    },
    /// Removes a policy.
    DeleteScalingPolicy {
        /// The call's input.
        input: Value,
    },
    /// Makes or changes a scheduled action.
    PutScheduledAction {
        /// The call's input.
        input: Value,
    },
    /// Removes a scheduled action.
    DeleteScheduledAction {
        /// The call's input.
        input: Value,
    },
    /// Makes or replaces the alarm of a step policy.
    PutMetricAlarm {
        /// The call's input, without the policy among its actions.
        input: Value,
        /// The policy that the alarm starts.
        policy: PolicyRef,
    },
    /// Removes alarms.
    DeleteAlarms {
        /// Their names.
        names: Vec<String>,
    },
    /// Removes the scalable target with its policies and scheduled actions.
    DeregisterScalableTarget {
        /// The call's input.
        input: Value,
    },
}

/// A policy that exists, or the one that the plan's PutScalingPolicy just before gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyRef {
    /// An existing policy, by its ARN.
    Existing(String),
    /// The one that was put just before.
    Put,
}

impl Call {
    /// AWS's name of the operation.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::RegisterScalableTarget { .. } => "RegisterScalableTarget",
            Self::PutScalingPolicy { .. } => "PutScalingPolicy",
            Self::DeleteScalingPolicy { .. } => "DeleteScalingPolicy",
            Self::PutScheduledAction { .. } => "PutScheduledAction",
            Self::DeleteScheduledAction { .. } => "DeleteScheduledAction",
            Self::PutMetricAlarm { .. } => "PutMetricAlarm",
            Self::DeleteAlarms { .. } => "DeleteAlarms",
            Self::DeregisterScalableTarget { .. } => "DeregisterScalableTarget",
        }
    }
}

impl DesiredScaling {
    /// Reads the block; `count` is the desired count that the spec's service block gives.
    pub fn resolve(scaling: &Scaling, count: Option<i32>, ignore: Vec<String>) -> Self {
        let written = serde_json::to_value(scaling).unwrap_or_default();
        let block = form::desired(written);
        let normal = Normal::by_table(Scaling::SHAPE, &block);
        let (min, max) = (i64::from(scaling.min_capacity), i64::from(scaling.max_capacity));
        let initial_count = count.map_or(min, i64::from).min(max).max(min);
        Self { block, normal, initial_count, ignore }
    }

    /// Whether a step policy is wanted, whose alarm is ours.
    pub fn has_alarms(&self) -> bool {
        form::list(&self.block, "step").next().is_some()
    }
}

impl ObservedScaling {
    /// Reads what the three lists of Application Auto Scaling hold about one service, without alarms.
    pub fn from_lists(reading: &Value) -> Self {
        let all = |name: &str| form::list(reading, name).cloned().collect::<Vec<_>>();
        Self {
            target: form::list(reading, "ScalableTargets").next().cloned(),
            policies: all("ScalingPolicies"),
            actions: all("ScheduledActions"),
            alarms: Vec::new(),
        }
    }

    /// Whether there is a step policy, so that there may be alarms of ours.
    pub fn has_step_policies(&self) -> bool {
        self.policies.iter().any(|policy| form::text(policy, "PolicyType") == Some("StepScaling"))
    }
}

/// How Application Auto Scaling calls a service: `service/shop/web`.
pub fn resource_id(key: &ObjectKey) -> String {
    format!("service/{}/{}", key.cluster, key.name)
}

/// What the names of our alarms for a service begin with: `longshore/shop/web/`.
pub fn alarm_prefix(key: &ObjectKey) -> String {
    format!("longshore/{}/{}/", key.cluster, key.name)
}

/// The name of the alarm of a step policy.
pub fn alarm_name(key: &ObjectKey, policy: &str) -> String {
    format!("{}{policy}", alarm_prefix(key))
}

/// Whether the plan depends on the scaling that the service has.
pub fn is_wanted(desired: &Desired, service: Option<&ObservedService>) -> bool {
    let Some(service) = service else { return desired.scaling.is_some() };
    let may_change = match ownership::ownership(&service.tags, &desired.owner) {
        Ownership::Ours => true,
        Ownership::Nobodys => desired.sync.adopt,
        Ownership::Another(_) => false,
    };
    may_change && (desired.scaling.is_some() || service.tags.contains_key(SCALING))
}

/// Whether scaling that was decided on may not be in force yet, because the process that began it ended.
pub fn is_under_way(service: &ObservedService) -> bool {
    Marker::of(&service.tags).is_some_and(|marker| marker.is_changing)
}

/// What a status says of it: the bounds in force and the count; `None` without a scalable target.
pub fn status(scaling: &ObservedScaling, service: &ObservedService) -> Option<ScalingStatus> {
    let target = scaling.target.as_ref()?;
    let bound = |name: &str| target.get(name).and_then(Value::as_i64);
    Some(ScalingStatus {
        min: bound("MinCapacity")?,
        max: bound("MaxCapacity")?,
        current: service.desired_count,
        activities: Vec::new(),
    })
}
