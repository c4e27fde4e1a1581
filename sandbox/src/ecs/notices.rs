//! What ECS tells EventBridge (aws.md §3.12).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Ecs,
    hooks::Hook,
    model::{Deployment, Service},
    task::TaskId,
};

/// Something that ECS tells.
#[derive(Debug)]
pub(crate) struct Notice {
    pub(crate) when: Timestamp,
    /// The `detail-type`.
    pub(crate) kind: &'static str,
    /// The ARN that it is about.
    pub(crate) resource: String,
    pub(crate) detail: Value,
}

impl Ecs {
    /// What was told since the last call of this function.
    pub(crate) fn drain_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    fn tell(&mut self, kind: &'static str, resource: String, detail: Value, when: Timestamp) {
        if self.tells {
            self.notices.push(Notice { when, kind, resource, detail });
        }
    }

    /// Tells the state that a task has now.
    pub(super) fn tell_task(&mut self, id: TaskId, now: Timestamp) {
        let Some(task) = self.tasks.get(&id).filter(|_| self.tells) else { return };
        let arn = self.task_arn(&task.cluster, &task.hex);
        let containers: Vec<Value> = task
            .containers
            .iter()
            .map(|one| json!({"name": one.name, "image": one.image, "exitCode": one.exit_code}))
            .collect();
        let mut detail = json!({
            "taskArn": arn,
            "clusterArn": self.cluster_arn(&task.cluster),
            "taskDefinitionArn": self.definition_arn(&task.definition),
            "group": task.launch.group,
            "startedBy": task.launch.started_by,
            "lastStatus": task.status.text(),
            "desiredStatus": if task.stopping { "STOPPED" } else { "RUNNING" },
            "version": task.version,
            "createdAt": task.times.created.to_string(),
            "updatedAt": now.to_string(),
            "containers": containers,
        });
        if let (Some(stop), Some(members)) = (&task.stop, detail.as_object_mut()) {
            members.insert("stopCode".to_owned(), json!(stop.code.text()));
            members.insert("stoppedReason".to_owned(), json!(stop.reason));
        }
        self.tell("ECS Task State Change", arn, detail, now);
    }

    /// Tells what has become of a deployment.
    pub(super) fn tell_deployment(
        &mut self,
        service: &Service,
        deployment: &Deployment,
        name: &str,
        now: Timestamp,
    ) {
        let kind = if name.ends_with("FAILED") { "ERROR" } else { "INFO" };
        let detail = json!({
            "eventType": kind, "eventName": name, "deploymentId": deployment.id(), "updatedAt": now.to_string(),
            "reason": deployment.reason,
        });
        let arn = self.service_arn(&service.cluster, &service.name);
        self.tell("ECS Deployment State Change", arn, detail, now);
    }

    /// The same of the deployment that is the primary one.
    pub(super) fn tell_primary(&mut self, service: &Service, name: &str, now: Timestamp) {
        if let Some(primary) = service.primary() {
            self.tell_deployment(service, primary, name, now);
        }
    }

    /// Tells that a service is steady.
    pub(super) fn tell_steady(&mut self, service: &Service, now: Timestamp) {
        let detail = json!({
            "eventType": "INFO", "eventName": "SERVICE_STEADY_STATE",
            "clusterArn": self.cluster_arn(&service.cluster), "createdAt": now.to_string(),
        });
        let arn = self.service_arn(&service.cluster, &service.name);
        self.tell("ECS Service Action", arn, detail, now);
    }

    /// Tells that a roll-out waits for an answer.
    pub(super) fn tell_hook(&mut self, service: &Service, hook: &Hook, now: Timestamp) {
        let record = service.open_record().map(|record| record.id.clone()).unwrap_or_default();
        let arn = self.service_arn(&service.cluster, &service.name);
        let detail = json!({
            "eventType": "INFO", "eventName": "HOOK_AWAITING_ACTION", "hookId": hook.id, "hookType": "PAUSE",
            "expiresAt": hook.expires.to_string(), "lifecycleStage": hook.stage.text(),
            "clusterArn": self.cluster_arn(&service.cluster), "serviceArn": arn,
            "serviceDeploymentArn": self.record_arn(&service.cluster, &service.name, &record),
            "updatedAt": now.to_string(),
        });
        self.tell("ECS Hook State Change", arn, detail, now);
    }
}
