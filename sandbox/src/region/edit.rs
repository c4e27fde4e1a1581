//! What tests see of a Region and do to it.

use std::time::Duration;

use serde_json::json;

use crate::{FixtureImage, ImageRule, Region, ServiceView, TaskDefinitionView, TaskView};

impl Region {
    /// Pushes an image as a builder and a signer would; a repository that is not there is made.
    pub fn push_image(&mut self, repository: &str, image: &FixtureImage) -> Result<(), String> {
        let now = self.now;
        self.ecr.push_new(repository, image, now).map_err(|error| format!("{error:?}"))?;
        for tag in &image.tags {
            self.tell_push(repository, tag, now);
        }
        Ok(())
    }

    /// Puts a rule for images before all others; tasks that pull from now on follow it.
    pub fn set_image(&mut self, rule: ImageRule) {
        self.ecs.set_image(rule);
    }

    /// Makes a parameter or secret readable to tasks, by what `valueFrom` says; it need not exist otherwise.
    pub fn set_secret(&mut self, value_from: &str) {
        self.known.insert(value_from.to_owned());
    }

    /// Puts an alarm into ALARM, or takes it out; one that CloudWatch does not know rings for roll-outs only.
    pub fn set_alarm(&mut self, name: &str, rings: bool) {
        let state = if rings { "ALARM" } else { "OK" };
        let input = json!({"AlarmName": name, "StateValue": state, "StateReason": "set by a test"});
        if self.cloudwatch.call("SetAlarmState", &input, self.now).is_err() {
            self.ecs.set_alarm(name, rings, self.now);
        }
        self.pass_on(self.now);
    }

    /// What `DescribeTargetHealth` says of a target; none if it is not registered.
    pub fn target_health(&self, group_arn: &str, address: &str, port: u16) -> Option<&'static str> {
        self.elb.health(group_arn, address, port, self.now)
    }

    /// The ARN of a target group of this name, whether or not there is one.
    pub fn target_group_arn(&self, name: &str) -> String {
        self.elb.group_arn(name)
    }

    /// How often somebody asked for the value of a secret.
    pub fn secret_value_reads(&self) -> u64 {
        self.secrets.value_reads()
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
    pub fn set_read_lag(&mut self, lag: Duration) {
        self.ecs.set_read_lag(lag);
    }

    /// Whether such a read shows it in every other second only, as long as that lag is set.
    pub const fn set_read_flicker(&mut self, flickers: bool) {
        self.ecs.set_read_flicker(flickers);
    }

    /// For how long new rollouts have no record, as long as that lag is set.
    pub const fn set_record_lag(&mut self, lag: Duration) {
        self.ecs.set_record_lag(lag);
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
