//! Starting tasks.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Ecs,
    agenda::Event,
    definition::{DefinitionKey, TaskDefinition},
    definition_rules::is_essential,
    model::{Deployment, RevisionNumber, Service, ServiceId},
    normal::units,
    placement::Place,
    targets::targets_of,
    task::{Container, Health, HealthCheck, Launch, Task, TaskId, TaskStatus, TaskStep, Times},
};
use crate::{clock::after, ids, images::ImageBehaviour, input};

impl Ecs {
    /// Starts one task of a service's deployment.
    pub(super) fn launch_for(
        &mut self,
        owner: ServiceId,
        service: &Service,
        deployment: &Deployment,
        now: Timestamp,
    ) -> Result<TaskId, Place> {
        let launch = Launch {
            group: format!("service:{}", service.name),
            started_by: Some(deployment.id()),
            tags: propagated_tags(service, self.definition(&deployment.definition)),
            execute_command: service
                .settings
                .get("enableExecuteCommand")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            network: deployment.captured.get("networkConfiguration").cloned(),
            targets: targets_of(&deployment.balancers),
            ..launch_of(&Value::Object(deployment.captured.clone()))
        };
        let mut launch = launch;
        let owner = Some((owner, deployment.number));
        let wanted = if service.is_daemon() { Some(self.free_for_daemon(service)?) } else { None };
        let place = self.place(&service.cluster, &deployment.definition, &mut launch, wanted);
        match place {
            Place::Found => self
                .launch(&service.cluster, owner, &deployment.definition, launch, now)
                .ok_or(Place::Full { instance: None, reason: "the task definition is gone" }),
            Place::Full { .. } => Err(place),
        }
    }

    /// An instance without a task of this daemon service.
    fn free_for_daemon(&self, service: &Service) -> Result<usize, Place> {
        let taken: Vec<usize> = service
            .tasks
            .iter()
            .filter_map(|id| self.tasks.get(id))
            .filter_map(|task| task.launch.instance)
            .collect();
        let all = self.clusters.get(&service.cluster).map(|one| one.instances.len());
        (0..all.unwrap_or(0)).find(|at| !taken.contains(at)).ok_or(Place::Full {
            instance: None,
            reason: "No Container Instances were found in your cluster.",
        })
    }

    /// Starts one task; `None` if its definition is gone.
    pub(super) fn launch(
        &mut self,
        cluster: &str,
        owner: Option<(ServiceId, RevisionNumber)>,
        definition: &DefinitionKey,
        mut launch: Launch,
        now: Timestamp,
    ) -> Option<TaskId> {
        let containers =
            self.definition(definition)?.containers().iter().map(container_of).collect();
        let awsvpc = self.definition(definition)?.network_mode() == "awsvpc";
        let id = self.next_id();
        if awsvpc {
            let [.., second, third, fourth] = id.to_be_bytes();
            launch.address = Some(format!("10.{second}.{third}.{fourth}"));
        }
        let hex = ids::hex32(&mut self.rng);
        self.task_ids.insert(hex.clone(), id);
        if let Some(cluster) = self.clusters.get_mut(cluster) {
            cluster.tasks.insert(id);
            if let Some(instance) =
                launch.instance.and_then(|instance| cluster.instances.get_mut(instance))
            {
                instance.tasks.insert(id);
            }
        }
        self.tasks.insert(
            id,
            Task {
                hex,
                cluster: cluster.to_owned(),
                owner,
                definition: definition.clone(),
                launch,
                containers,
                status: TaskStatus::Provisioning,
                stopping: false,
                epoch: 0,
                version: 1,
                health: Health::Unknown,
                was_healthy: false,
                registered: false,
                times: Times {
                    created: now,
                    pull_started: None,
                    pull_stopped: None,
                    started: None,
                    stopping: None,
                    execution_stopped: None,
                    stopped: None,
                },
                stop: None,
            },
        );
        let due = after(now, self.timings.provisioning);
        self.agenda.put(due, Event::Task { task: id, epoch: 0, step: TaskStep::Place });
        Some(id)
    }
}

/// The launch type or capacity provider that a service or `RunTask` asks for.
pub(super) fn launch_of(request: &Value) -> Launch {
    let strategy = input::list(request, "capacityProviderStrategy");
    let heaviest = strategy.iter().max_by_key(|one| {
        (input::integer(one, "base").unwrap_or(0), input::integer(one, "weight").unwrap_or(0))
    });
    let provider = heaviest.and_then(|one| input::text(one, "capacityProvider"));
    let launch_type = match provider {
        Some("FARGATE" | "FARGATE_SPOT") => "FARGATE",
        Some(_) => "EC2",
        None => input::text(request, "launchType").unwrap_or("EC2"),
    };
    let platform = input::text(request, "platformVersion").unwrap_or("LATEST");
    Launch {
        kind: Some(launch_type.to_owned()),
        provider: provider.map(str::to_owned),
        platform_version: (launch_type == "FARGATE").then(|| resolved_platform(platform)),
        ..Launch::default()
    }
}

/// The version that `LATEST` stands for.
pub(super) fn resolved_platform(version: &str) -> String {
    if version == "LATEST" { "1.4.0".to_owned() } else { version.to_owned() }
}

fn propagated_tags(service: &Service, definition: Option<&TaskDefinition>) -> Vec<Value> {
    match service.settings.get("propagateTags").and_then(Value::as_str) {
        Some("SERVICE") => service.tags.clone(),
        Some("TASK_DEFINITION") => definition.map(|one| one.tags.clone()).unwrap_or_default(),
        Some(_) | None => Vec::new(),
    }
}

fn container_of(given: &Value) -> Container {
    let seconds = |from: &Value, name: &str, default: u64| {
        input::integer(from, name).and_then(|value| u64::try_from(value).ok()).unwrap_or(default)
    };
    Container {
        name: input::text(given, "name").unwrap_or_default().to_owned(),
        image: input::text(given, "image").unwrap_or_default().to_owned(),
        essential: is_essential(given),
        check: input::present(given, "healthCheck").map(|check| HealthCheck {
            interval: seconds(check, "interval", 30),
            retries: seconds(check, "retries", 3),
            start_period: seconds(check, "startPeriod", 0),
        }),
        stop_timeout: input::integer(given, "stopTimeout")
            .and_then(|value| u64::try_from(value).ok()),
        behaviour: ImageBehaviour::Runs,
        digest: None,
        exit_code: None,
        reason: None,
        health: Health::Unknown,
    }
}

/// The CPU units and mebibytes that a definition asks of an instance.
pub(super) fn demand(definition: &TaskDefinition) -> (i64, i64) {
    let whole = |name: &str| match definition.given.get(name) {
        Some(Value::String(text)) => units(name, text),
        Some(other) => other.as_i64(),
        None => None,
    };
    let sum = |name: &str, other: &str| -> i64 {
        definition
            .containers()
            .iter()
            .filter_map(|one| input::integer(one, name).or_else(|| input::integer(one, other)))
            .sum()
    };
    (
        whole("cpu").unwrap_or_else(|| sum("cpu", "cpu")),
        whole("memory").unwrap_or_else(|| sum("memoryReservation", "memory")),
    )
}
