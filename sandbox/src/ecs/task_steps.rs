//! The course of a task from PROVISIONING to STOPPED (aws.md §3.10).

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Ecs, RegistryAnswer, Surroundings,
    agenda::Event,
    failures,
    health::{self, Checks, Verdict},
    targets::TargetChangeKind,
    task::{Health, Stop, StopCode, TaskId, TaskStatus, TaskStep},
};
use crate::{clock::after, images::ImageBehaviour, input};

impl Ecs {
    pub(super) fn task_step(
        &mut self,
        id: TaskId,
        epoch: u32,
        step: TaskStep,
        now: Timestamp,
        around: &dyn Surroundings,
    ) {
        if self.tasks.get(&id).is_none_or(|task| task.epoch != epoch) {
            return;
        }
        match step {
            TaskStep::Place => {
                self.set_status(id, TaskStatus::Pending, now);
                self.later(id, self.timings.pending, TaskStep::Initialise, now);
            }
            TaskStep::Initialise => self.initialise(id, now, around),
            TaskStep::Pulled => self.pulled(id, now, around),
            TaskStep::Register => self.register_targets(id, now),
            TaskStep::Healthy => self.becomes_healthy(id, now),
            TaskStep::Unhealthy => self.becomes_unhealthy(id, now),
            TaskStep::Exit(container) => self.container_exits(id, container, now),
            TaskStep::Drained => {
                if let Some(task) = self.tasks.get_mut(&id) {
                    task.registered = false;
                }
                self.signal_containers(id, now);
                self.turn_soon_for(id, now);
            }
            TaskStep::Killed => self.killed(id, now),
            TaskStep::Gone => self.gone(id, now),
        }
    }

    fn set_status(&mut self, id: TaskId, status: TaskStatus, now: Timestamp) {
        if let Some(task) = self.tasks.get_mut(&id) {
            task.status = status;
            task.version += 1;
        }
        self.tell_task(id, now);
    }

    fn later(&mut self, id: TaskId, delay: Duration, step: TaskStep, now: Timestamp) {
        if let Some(task) = self.tasks.get(&id) {
            let epoch = task.epoch;
            self.agenda.put(after(now, delay), Event::Task { task: id, epoch, step });
        }
    }

    fn initialise(&mut self, id: TaskId, now: Timestamp, around: &dyn Surroundings) {
        if self.strict_secrets
            && let Some(missing) = self.missing_secret(id, around)
        {
            self.fail_to_start(id, failures::secret_missing(&missing), now);
            return;
        }
        self.set_status(id, TaskStatus::Activating, now);
        if let Some(task) = self.tasks.get_mut(&id) {
            task.times.pull_started = Some(now);
        }
        self.later(id, self.timings.pull, TaskStep::Pulled, now);
    }

    fn missing_secret(&self, id: TaskId, around: &dyn Surroundings) -> Option<String> {
        let definition = self.definition(&self.tasks.get(&id)?.definition)?;
        definition
            .containers()
            .iter()
            .flat_map(|one| input::list(one, "secrets"))
            .filter_map(|secret| input::text(secret, "valueFrom"))
            .find(|value_from| !around.secret_exists(value_from))
            .map(str::to_owned)
    }

    fn pulled(&mut self, id: TaskId, now: Timestamp, around: &dyn Surroundings) {
        let pinned = self.pinned_digests(id);
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let commands = task.launch.commands();
        let mut failure = None;
        for container in &mut task.containers {
            let pin = pinned.get(&container.name);
            let reference = pin.map_or_else(
                || container.image.clone(),
                |digest| format!("{}@{digest}", repository(&container.image)),
            );
            container.behaviour = match commands.get(&container.name) {
                Some(command) => self.images.behaviour_of_command(&container.image, command),
                None => self.images.behaviour(&container.image),
            };
            match (around.image(&reference), &container.behaviour) {
                (Some(RegistryAnswer::Missing), _) | (_, ImageBehaviour::NotFound) => {
                    failure = Some(failures::image_not_found(&container.image));
                }
                (_, ImageBehaviour::Denied) => {
                    failure = Some(failures::image_denied(&container.image));
                }
                (answer, _) => {
                    container.digest = pin.cloned().or(match answer {
                        Some(RegistryAnswer::Digest(digest)) => Some(digest),
                        Some(RegistryAnswer::Missing) | None => {
                            Some(self.images.digest(&container.image))
                        }
                    });
                }
            }
            if let Some(failure) = &failure {
                container.reason = Some(failure.clone());
                break;
            }
        }
        match failure {
            Some(failure) => self.fail_to_start(id, failure, now),
            None => self.containers_start(id, now),
        }
    }

    fn containers_start(&mut self, id: TaskId, now: Timestamp) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.times.pull_stopped = Some(now);
        let exits: Vec<(usize, Duration, bool)> = task
            .containers
            .iter()
            .enumerate()
            .filter_map(|(position, one)| match one.behaviour {
                ImageBehaviour::Exits { after, .. } => Some((position, after, one.essential)),
                ImageBehaviour::Runs
                | ImageBehaviour::NotFound
                | ImageBehaviour::Denied
                | ImageBehaviour::Unhealthy
                | ImageBehaviour::SlowStart(_)
                | ImageBehaviour::IgnoresStop
                | ImageBehaviour::FailsRequests(_) => None,
            })
            .collect();
        let digests = task.digests();
        self.pin_digests(id, digests);
        if let Some((position, ..)) =
            exits.iter().find(|(_, after, essential)| after.is_zero() && *essential)
        {
            self.count_failed_start(id, now);
            self.container_exits(id, *position, now);
            return;
        }
        self.set_status(id, TaskStatus::Running, now);
        if let Some(task) = self.tasks.get_mut(&id) {
            task.times.started = Some(now);
        }
        for (position, after, _) in exits {
            self.later(id, after, TaskStep::Exit(position), now);
        }
        self.count_running(id);
        self.schedule_verdict(id, now);
        self.turn_soon_for(id, now);
    }

    fn schedule_verdict(&mut self, id: TaskId, now: Timestamp) {
        let checks = self.checks_of(id);
        let Some(task) = self.tasks.get(&id) else { return };
        let verdict = health::verdict(&task.containers, checks, &self.timings);
        if checks.targets {
            self.later(id, self.timings.registration, TaskStep::Register, now);
        }
        match verdict {
            Verdict::Healthy(delay) => self.later(id, delay, TaskStep::Healthy, now),
            Verdict::Unhealthy(delay) => self.later(id, delay, TaskStep::Unhealthy, now),
        }
    }

    fn checks_of(&self, id: TaskId) -> Checks {
        let owner = self.tasks.get(&id).and_then(|task| task.owner);
        let found = owner.and_then(|(service, number)| {
            let service = self.services.get(&service)?;
            let grace = service.settings.get("healthCheckGracePeriodSeconds");
            let grace = grace.and_then(serde_json::Value::as_u64).unwrap_or(0);
            let deployment = service.deployment(number)?;
            Some(Checks {
                targets: !target_groups(deployment).is_empty(),
                grace: Duration::from_secs(grace),
            })
        });
        found.unwrap_or(Checks { targets: false, grace: Duration::ZERO })
    }

    fn register_targets(&mut self, id: TaskId, now: Timestamp) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.registered = true;
        let owner = task.owner;
        self.note_targets(id, TargetChangeKind::Registered, now);
        let Some((service, number)) = owner else { return };
        if let Some(service) = self.services.get_mut(&service) {
            let groups = service.deployment(number).map(target_groups).unwrap_or_default();
            for group in groups {
                *service.registered.entry(group).or_default() += 1;
            }
        }
        self.turn_soon_for(id, now);
    }

    fn becomes_healthy(&mut self, id: TaskId, now: Timestamp) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if task.stopping {
            return;
        }
        task.health = Health::Healthy;
        task.was_healthy = true;
        for container in &mut task.containers {
            if container.check.is_some() {
                container.health = Health::Healthy;
            }
        }
        self.count_healthy(id);
        self.note_targets(id, TargetChangeKind::Healthy, now);
        self.turn_soon_for(id, now);
    }

    /// A check of a running task fails.
    pub(super) fn becomes_unhealthy(&mut self, id: TaskId, now: Timestamp) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if task.stopping || task.health == Health::Unhealthy {
            return;
        }
        task.health = Health::Unhealthy;
        for container in &mut task.containers {
            if container.check.is_some() && container.behaviour == ImageBehaviour::Unhealthy {
                container.health = Health::Unhealthy;
            }
        }
        self.count_failed_check(id);
        self.note_targets(id, TargetChangeKind::Unhealthy, now);
        self.turn_soon_for(id, now);
    }

    /// A container ends by itself.
    pub(super) fn container_exits(&mut self, id: TaskId, position: usize, now: Timestamp) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let Some(container) = task.containers.get_mut(position) else { return };
        if let ImageBehaviour::Exits { code, oom, .. } = container.behaviour {
            container.exit_code = Some(if oom { 137 } else { code });
            container.reason = oom.then(|| failures::OUT_OF_MEMORY.to_owned());
        }
        if container.essential {
            let reason = failures::ESSENTIAL_EXITED.to_owned();
            self.stop_task(id, Stop { code: StopCode::EssentialContainerExited, reason }, now);
        }
    }

    fn fail_to_start(&mut self, id: TaskId, reason: String, now: Timestamp) {
        self.count_failed_start(id, now);
        self.stop_task(id, Stop { code: StopCode::FailedToStart, reason }, now);
    }

    /// Begins to stop a task; nothing happens if it is being stopped already.
    pub(super) fn stop_task(&mut self, id: TaskId, stop: Stop, now: Timestamp) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        if task.stopping {
            return;
        }
        let ended = matches!(stop.code, StopCode::EssentialContainerExited);
        let others = task.containers.iter().any(|one| one.exit_code.is_none());
        let was_running = task.status == TaskStatus::Running;
        task.stopping = true;
        task.epoch += 1;
        task.version += 1;
        task.stop = Some(stop);
        task.times.stopping = Some(now);
        if was_running && task.registered {
            task.status = TaskStatus::Deactivating;
            self.tell_task(id, now);
            self.note_targets(id, TargetChangeKind::Deregistered, now);
            self.later(id, self.timings.deregistration, TaskStep::Drained, now);
        } else if was_running && (!ended || others) {
            self.signal_containers(id, now);
        } else {
            self.killed(id, now);
        }
        self.turn_soon_for(id, now);
    }

    fn signal_containers(&mut self, id: TaskId, now: Timestamp) {
        self.set_status(id, TaskStatus::Stopping, now);
        let Some(task) = self.tasks.get(&id) else { return };
        let takes = task.containers.iter().filter(|one| one.exit_code.is_none()).map(|one| {
            if one.behaviour == ImageBehaviour::IgnoresStop {
                one.stop_timeout.map_or(self.timings.stop_timeout, Duration::from_secs)
            } else {
                self.timings.stop
            }
        });
        let longest = takes.max().unwrap_or_default();
        self.later(id, longest, TaskStep::Killed, now);
    }

    fn killed(&mut self, id: TaskId, now: Timestamp) {
        self.set_status(id, TaskStatus::Deprovisioning, now);
        if let Some(task) = self.tasks.get_mut(&id) {
            task.times.execution_stopped = Some(now);
            if task.times.pull_stopped.is_some() {
                for container in &mut task.containers {
                    let killed = container.behaviour == ImageBehaviour::IgnoresStop;
                    let code = if killed { SIGKILL } else { SIGTERM };
                    container.exit_code.get_or_insert(code);
                }
            }
        }
        self.later(id, self.timings.deprovisioning, TaskStep::Gone, now);
        self.turn_soon_for(id, now);
    }

    fn gone(&mut self, id: TaskId, now: Timestamp) {
        self.set_status(id, TaskStatus::Stopped, now);
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.times.stopped = Some(now);
        let instance = task.launch.instance;
        let (owner, cluster) = (task.owner, task.cluster.clone());
        if let Some(cluster) = self.clusters.get_mut(&cluster)
            && let Some(instance) = instance.and_then(|one| cluster.instances.get_mut(one))
        {
            instance.tasks.remove(&id);
            self.wake_waiting(now);
        }
        if let Some(service) = owner.and_then(|(service, _)| self.services.get_mut(&service)) {
            service.tasks.remove(&id);
        }
        self.turn_soon_for(id, now);
        self.agenda.put(after(now, KEPT_STOPPED), Event::Forget(id));
    }

    pub(super) fn forget_task(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.remove(&id) {
            self.task_ids.remove(&task.hex);
            if let Some(cluster) = self.clusters.get_mut(&task.cluster) {
                cluster.tasks.remove(&id);
            }
        }
    }

    fn turn_soon_for(&mut self, id: TaskId, now: Timestamp) {
        if let Some((service, _)) = self.tasks.get(&id).and_then(|task| task.owner) {
            self.turn_soon(service, now);
        }
    }
}

/// The exit code of a program that the stop signal ends, as it ends one that does not care for it.
const SIGTERM: i64 = 143;
/// The exit code of a program that is killed after its `stopTimeout`.
const SIGKILL: i64 = 137;
/// For how long STOPPED tasks are shown.
const KEPT_STOPPED: Duration = Duration::from_hours(1);

/// The target groups of a deployment.
pub(super) fn target_groups(deployment: &super::model::Deployment) -> Vec<String> {
    deployment
        .balancers
        .iter()
        .filter_map(|one| input::text(one, "targetGroupArn"))
        .map(str::to_owned)
        .collect()
}

/// An image reference without its tag and digest.
fn repository(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        Some(_) | None => image,
    }
}
