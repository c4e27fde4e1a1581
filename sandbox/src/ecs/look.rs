//! What tests see of ECS and what they do to it.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Ecs, arn,
    definition::{DefinitionKey, Family},
    failures,
    model::{DeploymentStatus, Service},
    task::{Health, Stop, StopCode, Task, TaskId},
};
use crate::{DeploymentView, ImageRule, ServiceView, TaskDefinitionView, TaskView};

impl Ecs {
    pub(crate) fn set_image(&mut self, rule: ImageRule) {
        self.images.set(rule);
    }

    /// Puts an alarm into ALARM or takes it out; roll-outs that watch it are looked at.
    pub(crate) fn set_alarm(&mut self, name: &str, rings: bool, now: Timestamp) {
        let changed =
            if rings { self.alarms.insert(name.to_owned()) } else { self.alarms.remove(name) };
        if !changed {
            return;
        }
        let watches = |service: &Service| {
            service.open_record().is_some_and(|one| one.alarms.names.iter().any(|own| own == name))
        };
        let watching: Vec<u64> =
            self.services.iter().filter(|(_, one)| watches(one)).map(|(id, _)| *id).collect();
        for id in watching {
            self.turn_soon(id, now);
        }
    }

    pub(crate) fn services_view(&self) -> Vec<ServiceView> {
        let newest = self.clusters.values().flat_map(|cluster| cluster.services.values());
        newest.filter_map(|id| self.services.get(id)).map(|one| self.look_at_service(one)).collect()
    }

    pub(crate) fn one_service_view(&self, cluster: &str, name: &str) -> Option<ServiceView> {
        let id = self.service_by_name(cluster, name)?;
        self.services.get(&id).map(|one| self.look_at_service(one))
    }

    fn look_at_service(&self, service: &Service) -> ServiceView {
        let counts = self.counts_by_revision(service);
        let text = |name: &str| service.settings.get(name).and_then(Value::as_str);
        let deployments = service.deployments.iter().rev().filter(|one| one.is_shown());
        ServiceView {
            cluster: service.cluster.clone(),
            name: service.name.clone(),
            status: service.status.text().to_owned(),
            desired: service.desired,
            running: counts.values().map(|one| one.running).sum(),
            pending: counts.values().map(|one| one.pending).sum(),
            task_definition: text("taskDefinition").unwrap_or_default().to_owned(),
            deployments: deployments
                .map(|one| {
                    let count = counts.get(&one.number).copied().unwrap_or_default();
                    DeploymentView {
                        id: one.id(),
                        is_primary: one.status == DeploymentStatus::Primary,
                        rollout_state: one.rollout.text().to_owned(),
                        task_definition: self.definition_arn(&one.definition),
                        desired: one.desired,
                        running: count.running,
                        pending: count.pending,
                    }
                })
                .collect(),
            records: service.records.iter().rev().map(|one| one.status.to_string()).collect(),
            newest_record: service
                .records
                .last()
                .map(|one| self.record_arn(&service.cluster, &service.name, &one.id)),
            events: service.events.iter().map(|one| one.message.clone()).collect(),
            tags: service.tags.clone(),
        }
    }

    pub(crate) fn tasks_view(&self) -> Vec<TaskView> {
        self.tasks.values().map(|task| self.look_at_task(task)).collect()
    }

    fn look_at_task(&self, task: &Task) -> TaskView {
        let service = task.owner.and_then(|(id, _)| self.services.get(&id));
        let containers = task.containers.iter();
        TaskView {
            arn: self.task_arn(&task.cluster, &task.hex),
            cluster: task.cluster.clone(),
            service: service.map(|one| one.name.clone()),
            task_definition: self.definition_arn(&task.definition),
            last_status: task.status.text().to_owned(),
            desired_status: if task.stopping { "STOPPED" } else { "RUNNING" }.to_owned(),
            is_healthy: task.health == Health::Healthy && !task.stopping,
            containers: containers
                .map(|one| (one.name.clone(), one.image.clone(), one.digest.clone()))
                .collect(),
            stop: task.stop.as_ref().map(|one| (one.code.text().to_owned(), one.reason.clone())),
            address: task.launch.address.clone(),
            started: task.times.started,
        }
    }

    pub(crate) fn definitions_view(&self) -> Vec<TaskDefinitionView> {
        let revisions = |(family, known): (&String, &Family)| {
            let family = family.clone();
            let numbers: Vec<i64> = known.revisions.keys().copied().collect();
            numbers
                .into_iter()
                .map(move |revision| DefinitionKey { family: family.clone(), revision })
        };
        let keys = self.families.iter().flat_map(revisions);
        keys.filter_map(|key| {
            let one = self.definition(&key)?;
            Some(TaskDefinitionView {
                arn: self.definition_arn(&key),
                revision: key.revision,
                family: key.family,
                status: one.status.text().to_owned(),
                tags: one.tags.clone(),
                given: Value::Object(one.given.clone()),
            })
        })
        .collect()
    }

    fn task_named(&self, task_arn: &str) -> Option<TaskId> {
        self.task_ids.get(arn::last_part(task_arn)).copied()
    }

    /// Ends the first essential container of a task; false if there is no such task.
    pub(crate) fn kill_task(&mut self, task_arn: &str, exit_code: i64, now: Timestamp) -> bool {
        let Some(id) = self.task_named(task_arn) else { return false };
        if let Some(task) = self.tasks.get_mut(&id)
            && let Some(container) = task.containers.iter_mut().find(|one| one.essential)
        {
            container.exit_code = Some(exit_code);
        }
        let reason = failures::ESSENTIAL_EXITED.to_owned();
        self.stop_task(id, Stop { code: StopCode::EssentialContainerExited, reason }, now);
        true
    }

    /// Reclaims the Spot capacity of a task; false if there is no such task.
    pub(crate) fn interrupt_task(&mut self, task_arn: &str, now: Timestamp) -> bool {
        let Some(id) = self.task_named(task_arn) else { return false };
        let reason = "Your Spot Task was interrupted.".to_owned();
        self.stop_task(id, Stop { code: StopCode::SpotInterruption, reason }, now);
        true
    }

    /// Lets the checks of a running task fail; false if there is no such task.
    pub(crate) fn sicken_task(&mut self, task_arn: &str, now: Timestamp) -> bool {
        let Some(id) = self.task_named(task_arn) else { return false };
        self.becomes_unhealthy(id, now);
        true
    }
}
