//! What tests see when they look into the world.

use jiff::Timestamp;
use serde_json::Value;

/// A service as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceView {
    /// The cluster's name.
    pub cluster: String,
    /// Its own name.
    pub name: String,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: String,
    /// How many tasks it should have.
    pub desired: i64,
    /// How many are RUNNING.
    pub running: i64,
    /// How many are on their way to RUNNING.
    pub pending: i64,
    /// The ARN of the definition that its settings name.
    pub task_definition: String,
    /// Newest first.
    pub deployments: Vec<DeploymentView>,
    /// The statuses of its service deployments, newest first.
    pub records: Vec<String>,
    /// The ARN of the newest of them.
    pub newest_record: Option<String>,
    /// The texts of its events, newest first.
    pub events: Vec<String>,
    /// Its tags as they were given.
    pub tags: Vec<Value>,
}

/// A deployment that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentView {
    /// `ecs-svc/…`.
    pub id: String,
    /// Whether it is the newest target.
    pub is_primary: bool,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`.
    pub rollout_state: String,
    /// The ARN of its definition.
    pub task_definition: String,
    /// How many tasks it should have now.
    pub desired: i64,
    /// How many are RUNNING.
    pub running: i64,
    /// How many are on their way to RUNNING.
    pub pending: i64,
}

/// A task that runs or stopped within the last hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskView {
    /// Its ARN.
    pub arn: String,
    /// The cluster's name.
    pub cluster: String,
    /// The name of the service that started it.
    pub service: Option<String>,
    /// The ARN of its definition.
    pub task_definition: String,
    /// `RUNNING` and so on.
    pub last_status: String,
    /// `RUNNING` or `STOPPED`.
    pub desired_status: String,
    /// Whether its checks have passed, or it ran long enough where there are none.
    pub is_healthy: bool,
    /// Name, image and digest of its containers.
    pub containers: Vec<(String, String, Option<String>)>,
    /// Why it stopped: code and text.
    pub stop: Option<(String, String)>,
    /// Its private address.
    pub address: Option<String>,
    /// When it reached RUNNING.
    pub started: Option<Timestamp>,
}

/// A revision of a task definition.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskDefinitionView {
    /// Its ARN.
    pub arn: String,
    /// Its family.
    pub family: String,
    /// Its number within the family.
    pub revision: i64,
    /// `ACTIVE`, `INACTIVE` or `DELETE_IN_PROGRESS`.
    pub status: String,
    /// Its tags as they were given.
    pub tags: Vec<Value>,
    /// The members that were registered, as they were given.
    pub given: Value,
}
