//! What load balancers and alarms say of a rollout: asked for only while one needs explaining.

use serde_json::Value;

use super::{list, text};

/// A target that gets no traffic, as `DescribeTargetHealth` shows it (aws.md §6.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The ARN of its target group.
    pub group: String,
    /// `initial`, `unhealthy`, `unused`, …
    pub state: String,
    /// Why, as a code: `Target.Timeout`.
    pub reason: String,
    /// Why, in the load balancer's words.
    pub description: String,
}

/// An alarm that stopped a rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Whether it rings now.
    pub rings: bool,
    /// Why its state is what it is, in CloudWatch's words.
    pub reason: String,
}

/// The deployment alarms of a rollout, as its record shows them (aws.md §2.7).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeploymentAlarms {
    /// Whether one of them stopped the rollout.
    pub is_triggered: bool,
    /// Their names.
    pub names: Vec<String>,
    /// Those that rang.
    pub triggered: Vec<String>,
}

impl DeploymentAlarms {
    /// Reads `alarms` of DescribeServiceDeployments.
    pub(super) fn of(record: &Value) -> Self {
        let alarms = record.get("alarms").unwrap_or(&Value::Null);
        let names = |member| {
            list(alarms, member).filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        let triggered = names("triggeredAlarmNames");
        Self {
            is_triggered: text(alarms, "status") == "TRIGGERED" || !triggered.is_empty(),
            names: names("alarmNames"),
            triggered,
        }
    }

    /// The alarms that may have rung: those that ECS names, or else all that it watched.
    pub fn suspects(&self) -> &[String] {
        match self {
            Self { is_triggered: false, .. } => &[],
            Self { triggered, names, .. } if triggered.is_empty() => names,
            Self { triggered, .. } => triggered,
        }
    }
}
