//! One account's services in one Region.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    ApiError, Fixtures, ImageRule, ServiceView, TaskDefinitionView, TaskView,
    ecs::{Ecs, RegistryAnswer, Surroundings},
    wire::Input,
};

/// One account's services in one Region; tests look at it and change it.
pub struct Region {
    account: String,
    ecs: Ecs,
    known: KnownSecrets,
    now: Timestamp,
}

/// What can be read by a task that starts.
#[derive(Debug, Default)]
struct KnownSecrets {
    names: BTreeSet<String>,
}

impl Surroundings for KnownSecrets {
    fn secret_exists(&self, value_from: &str) -> bool {
        self.names.contains(value_from)
    }

    fn image(&self, _reference: &str) -> Option<RegistryAnswer> {
        None
    }
}

impl Region {
    pub(crate) fn new(account: &str, region: &str, seed: u64, fixtures: &Fixtures) -> Self {
        Self {
            account: account.to_owned(),
            ecs: Ecs::new(account, region, seed, fixtures),
            known: KnownSecrets::default(),
            now: Timestamp::MIN,
        }
    }

    /// Runs what is due.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        self.ecs.advance(now, &self.known);
    }

    pub(crate) fn call(
        &mut self,
        api: &str,
        operation: &str,
        input: &Input,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        match (api, input) {
            ("ecs", Input::Json(input)) => self.ecs.call(operation, input, now),
            ("sts", Input::Form(_)) if operation == "GetCallerIdentity" => Ok(json!(format!(
                "<UserId>AIDASANDBOX</UserId><Account>{0}</Account><Arn>arn:aws:iam::{0}:user/sandbox</Arn>",
                self.account
            ))),
            _ => Err(ApiError::refused(
                "UnknownOperationException",
                format!("The sandbox does not know the operation {operation} of {api}."),
            )),
        }
    }

    /// Puts a rule for images before all others; tasks that pull from now on follow it.
    pub fn set_image(&mut self, rule: ImageRule) {
        self.ecs.set_image(rule);
    }

    /// Makes a parameter or secret exist, by what `valueFrom` says.
    pub fn set_secret(&mut self, value_from: &str) {
        self.known.names.insert(value_from.to_owned());
    }

    /// Puts an alarm into ALARM, or takes it out.
    pub fn set_alarm(&mut self, name: &str, rings: bool) {
        self.ecs.set_alarm(name, rings, self.now);
    }

    /// Ends the first essential container of a task with an exit code; false if there is no such task.
    pub fn kill_task(&mut self, task_arn: &str, exit_code: i64) -> bool {
        self.ecs.kill_task(task_arn, exit_code, self.now)
    }

    /// Reclaims the Spot capacity of a task; false if there is no such task.
    pub fn interrupt_task(&mut self, task_arn: &str) -> bool {
        self.ecs.interrupt_task(task_arn, self.now)
    }

    /// Lets the checks of a running task fail; false if there is no such task.
    pub fn sicken_task(&mut self, task_arn: &str) -> bool {
        self.ecs.sicken_task(task_arn, self.now)
    }

    /// For how long reads after a write show what was before it.
    pub fn set_read_lag(&mut self, lag: std::time::Duration) {
        self.ecs.set_read_lag(lag);
    }

    /// The newest service of each name, of all clusters.
    pub fn services(&self) -> Vec<ServiceView> {
        self.ecs.services_view()
    }

    /// One service.
    pub fn service(&self, cluster: &str, name: &str) -> Option<ServiceView> {
        self.ecs.one_service_view(cluster, name)
    }

    /// All tasks that run or stopped within the last hour.
    pub fn tasks(&self) -> Vec<TaskView> {
        self.ecs.tasks_view()
    }

    /// All revisions of task definitions.
    pub fn task_definitions(&self) -> Vec<TaskDefinitionView> {
        self.ecs.definitions_view()
    }
}
