//! Tasks that stopped, as DescribeTasks shows them.

use jiff::Timestamp;
use serde_json::Value;

use super::{list, optional_text, text, time};

/// A task that stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct StoppedTask {
    /// The deployment that started it, `ecs-svc/…`.
    pub started_by: String,
    /// The revision that it ran, a full ARN: it says which of the containers are essential.
    pub task_definition: String,
    /// ECS's code.
    pub stop_code: String,
    /// ECS's words.
    pub reason: String,
    /// Its containers, in ECS's order.
    pub containers: Vec<StoppedContainer>,
    /// When it stopped.
    pub stopped_at: Option<Timestamp>,
}

/// A container of a task that stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedContainer {
    /// Its name.
    pub name: String,
    /// The exit code of its process.
    pub exit_code: Option<i64>,
    /// ECS's words.
    pub reason: Option<String>,
}

impl StoppedTask {
    /// Reads a stopped `Task` of DescribeTasks.
    pub fn from_describe(task: &Value) -> Self {
        Self {
            started_by: text(task, "startedBy"),
            task_definition: text(task, "taskDefinitionArn"),
            stop_code: text(task, "stopCode"),
            reason: text(task, "stoppedReason"),
            containers: list(task, "containers").map(StoppedContainer::from_describe).collect(),
            stopped_at: time(task, "stoppedAt"),
        }
    }
}

impl StoppedContainer {
    fn from_describe(container: &Value) -> Self {
        Self {
            name: text(container, "name"),
            exit_code: container.get("exitCode").and_then(Value::as_i64),
            reason: optional_text(container, "reason").filter(|reason| !reason.is_empty()),
        }
    }
}
