//! The service scheduler: which tasks to start and stop now (aws.md §3.3).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Ecs,
    agenda::Event,
    breaker::{BreakerSettings, percent_ceil, percent_floor},
    failures,
    model::{
        Backoff, DeploymentStatus, RevisionNumber, Rollout, Service, ServiceId, ServiceStatus,
    },
    task::{Health, Stop, StopCode, TaskId, TaskStatus},
    task_steps::target_groups,
};
use crate::clock::after;

/// The tasks of a deployment by what they are good for.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Not yet RUNNING.
    pub(super) pending: Vec<TaskId>,
    /// RUNNING, not yet healthy.
    pub(super) unproven: Vec<TaskId>,
    pub(super) healthy: Vec<TaskId>,
    pub(super) unhealthy: Vec<TaskId>,
    /// On their way to STOPPED.
    pub(super) stopping: usize,
    /// Of these, the ones whose targets drain.
    pub(super) draining: usize,
    /// Of these, the ones whose containers have the stop signal.
    pub(super) ending: usize,
}

impl Group {
    /// How many tasks run or will, other than unhealthy ones.
    pub(super) fn live(&self) -> usize {
        self.pending.len() + self.unproven.len() + self.healthy.len()
    }

    /// Those that are not on their way to STOPPED.
    fn running(&self) -> Vec<TaskId> {
        let live = self.pending.iter().chain(&self.unproven).chain(&self.healthy);
        live.chain(&self.unhealthy).copied().collect()
    }

    fn all(&self) -> usize {
        self.live() + self.unhealthy.len() + self.stopping
    }
}

pub(super) type Census = BTreeMap<RevisionNumber, Group>;

impl Ecs {
    /// Lets the scheduler look at a service soon.
    pub(super) fn turn_soon(&mut self, id: ServiceId, now: Timestamp) {
        let when = after(now, self.timings.scheduler);
        self.turn_at(id, when);
    }

    pub(super) fn turn_at(&mut self, id: ServiceId, when: Timestamp) {
        if let Some(service) = self.services.get_mut(&id)
            && service.turn_at.is_none_or(|earlier| when < earlier)
        {
            service.turn_at = Some(when);
            self.agenda.put(when, Event::Turn(id));
        }
    }

    /// Lends a service out of the map, so that the rest of ECS can be changed beside it.
    pub(super) fn with_service<T>(
        &mut self,
        id: ServiceId,
        work: impl FnOnce(&mut Self, &mut Service) -> T,
    ) -> Option<T> {
        let mut service = self.services.remove(&id)?;
        let result = work(self, &mut service);
        self.services.insert(id, service);
        Some(result)
    }

    pub(super) fn turn(&mut self, id: ServiceId, now: Timestamp) {
        self.with_service(id, |ecs, service| {
            if service.turn_at == Some(now) {
                service.turn_at = None;
                ecs.announce_registered(service, now);
                match service.status {
                    ServiceStatus::Active => ecs.take_turn(id, service, now),
                    ServiceStatus::Draining => ecs.drain(service, now),
                    ServiceStatus::Inactive => {}
                }
            }
        });
        self.turn_after_backoff(id, now);
    }

    fn take_turn(&mut self, id: ServiceId, service: &mut Service, now: Timestamp) {
        if service.is_daemon() {
            let cluster = self.clusters.get(&service.cluster);
            let instances = cluster.map_or(0, |one| one.instances.len());
            service.desired = i64::try_from(instances).unwrap_or(0);
        }
        self.judge_rollout(id, service, now);
        self.replace_unhealthy(service, now);
        self.trim(service, now);
        self.walk_stages(id, service, now);
        self.shrink_sources(service, now);
        self.grow(id, service, now);
        self.settle(id, service, now);
    }

    pub(super) fn census(&self, service: &Service) -> Census {
        let mut census = Census::new();
        for id in &service.tasks {
            let Some(task) = self.tasks.get(id) else { continue };
            let Some((_, number)) = task.owner else { continue };
            let group = census.entry(number).or_default();
            if task.stopping {
                group.stopping += 1;
                group.draining += usize::from(task.status == TaskStatus::Deactivating);
                group.ending += usize::from(task.status == TaskStatus::Stopping);
            } else if task.status != TaskStatus::Running {
                group.pending.push(*id);
            } else {
                match task.health {
                    Health::Unknown => group.unproven.push(*id),
                    Health::Healthy => group.healthy.push(*id),
                    Health::Unhealthy => group.unhealthy.push(*id),
                }
            }
        }
        census
    }

    /// Stops tasks that failed their checks, start-first where they once were healthy and there is room.
    fn replace_unhealthy(&mut self, service: &mut Service, now: Timestamp) {
        let census = self.census(service);
        let total: usize = census.values().map(Group::all).sum();
        let ceiling = percent_floor(service.desired, service.maximum_percent());
        let room = i64::try_from(total).unwrap_or(i64::MAX) < ceiling;
        for (number, group) in &census {
            let Some(deployment) = service.deployment(*number) else { continue };
            let desired = usize::try_from(deployment.desired).unwrap_or(0);
            let replaced = group.healthy.len() >= desired;
            let reason = target_groups(deployment).into_iter().next();
            let mut may_stop_one = !room && group.stopping == 0;
            for id in &group.unhealthy {
                let Some(task) = self.tasks.get(id) else { continue };
                if task.was_healthy && !replaced && !std::mem::take(&mut may_stop_one) {
                    continue;
                }
                let container = task.containers.iter().any(|one| one.health == Health::Unhealthy);
                let text = match &reason {
                    Some(group) if !container => failures::target_checks(group),
                    Some(_) | None => failures::CONTAINER_CHECKS.to_owned(),
                };
                if container || reason.is_none() {
                    let hex = task.hex.clone();
                    self.announce(
                        service,
                        now,
                        &format!("(task {hex}) failed container health checks."),
                    );
                } else if let Some(group) = &reason {
                    let hex = task.hex.clone();
                    self.announce(
                        service,
                        now,
                        &format!("(task {hex}) is unhealthy in (target-group {group}) due to (reason Health checks failed)"),
                    );
                }
                self.stop_task(*id, Stop { code: StopCode::ServiceScheduler, reason: text }, now);
            }
        }
    }

    /// Stops what the newest deployment has too many of.
    fn trim(&mut self, service: &mut Service, now: Timestamp) {
        let census = self.census(service);
        let desired = usize::try_from(service.desired).unwrap_or(0);
        let Some(primary) = service.primary() else { return };
        let number = primary.number;
        let Some(group) = census.get(&number) else { return };
        let failed = primary.rollout == Rollout::Failed;
        let surplus = if failed {
            group.pending.len() + group.unproven.len()
        } else {
            group.live().saturating_sub(desired)
        };
        let order = group.pending.iter().rev().chain(group.unproven.iter().rev());
        let order = order.chain(group.healthy.iter().rev());
        let chosen: Vec<TaskId> = order.take(surplus).copied().collect();
        let left = i64::try_from(group.live() - chosen.len()).unwrap_or(0);
        if failed && let Some(primary) = service.primary_mut() {
            primary.desired = left;
        }
        self.stop_for_scaling(service, number, &chosen, now);
    }

    /// Stops tasks of replaced deployments as far as enough healthy ones stay.
    fn shrink_sources(&mut self, service: &mut Service, now: Timestamp) {
        let Some(primary) = service.primary() else { return };
        if !primary.begun || primary.rollout == Rollout::Failed {
            return;
        }
        let census = self.census(service);
        if let Some(alone) = service.stays_alone() {
            self.drain_others(service, &census, alone, now);
        }
        if service.keeps_sources() {
            return;
        }
        let healthy: usize = census.values().map(|group| group.healthy.len()).sum();
        let floor = percent_ceil(service.desired, service.minimum_percent());
        let floor = usize::try_from(floor).unwrap_or(0);
        let mut spare = healthy.saturating_sub(floor);
        let sources: Vec<RevisionNumber> = service
            .deployments
            .iter()
            .filter(|one| one.status == DeploymentStatus::Active)
            .map(|one| one.number)
            .collect();
        for number in sources {
            let empty = Group::default();
            let group = census.get(&number).unwrap_or(&empty);
            let taken = spare.min(group.healthy.len());
            spare -= taken;
            let chosen: Vec<TaskId> = group
                .pending
                .iter()
                .chain(&group.unproven)
                .chain(&group.unhealthy)
                .chain(group.healthy.iter().take(taken))
                .copied()
                .collect();
            let left = group.healthy.len() - taken;
            if let Some(source) = service.deployment_mut(number) {
                source.desired = i64::try_from(left).unwrap_or(0);
            }
            self.stop_for_scaling(service, number, &chosen, now);
        }
    }

    /// Stops the tasks of all replaced deployments but one.
    fn drain_others(
        &mut self,
        service: &mut Service,
        census: &Census,
        stays: RevisionNumber,
        now: Timestamp,
    ) {
        let leaving: Vec<RevisionNumber> = service
            .deployments
            .iter()
            .filter(|one| one.status == DeploymentStatus::Active && one.number != stays)
            .map(|one| one.number)
            .collect();
        for number in leaving {
            if let Some(deployment) = service.deployment_mut(number) {
                deployment.desired = 0;
            }
            let tasks: Vec<TaskId> = census.get(&number).map(Group::running).unwrap_or_default();
            self.stop_for_scaling(service, number, &tasks, now);
        }
    }

    pub(super) fn stop_for_scaling(
        &mut self,
        service: &mut Service,
        number: RevisionNumber,
        chosen: &[TaskId],
        now: Timestamp,
    ) {
        if chosen.is_empty() {
            return;
        }
        let deployment = format!("ecs-svc/{number}");
        let reason = failures::scaling(&deployment);
        let (mut running, mut pending, mut targets) = (Vec::new(), 0, 0);
        for id in chosen {
            let Some(task) = self.tasks.get(id) else { continue };
            if task.status == TaskStatus::Running {
                running.push(task.hex.clone());
                targets += usize::from(task.registered);
            } else {
                pending += 1;
            }
            let stop = Stop { code: StopCode::ServiceScheduler, reason: reason.clone() };
            self.stop_task(*id, stop, now);
        }
        if pending > 0 {
            self.announce(service, now, &format!("stopped {pending} pending tasks."));
        }
        if !running.is_empty() {
            let text = format!("has stopped {} running tasks: {}.", running.len(), names(&running));
            self.announce(service, now, &text);
        }
        if targets > 0 {
            let groups = service.deployment(number).map(target_groups).unwrap_or_default();
            for group in groups {
                let text = format!("deregistered {targets} targets in (target-group {group})");
                self.announce(service, now, &text);
            }
            let text = format!(
                "(service {}, taskSet {deployment}) has begun draining connections on {targets} tasks.",
                service.name
            );
            self.announce_as_is(service, now, text);
        }
    }

    /// Starts what is missing, the newest deployment's tasks first.
    fn grow(&mut self, id: ServiceId, service: &mut Service, now: Timestamp) {
        let census = self.census(service);
        let Some(primary) = service.primary() else { return };
        let deploying = primary.rollout == Rollout::InProgress;
        let total: usize = census
            .values()
            .map(|group| if deploying { group.all() } else { group.all() - group.stopping })
            .sum();
        let ceiling = percent_floor(service.desired, service.maximum_percent());
        let ceiling = usize::try_from(ceiling.max(0)).unwrap_or(0);
        let mut room = ceiling.saturating_sub(total);
        if deploying && service.is_progressive() {
            room = usize::try_from(service.desired).unwrap_or(0).saturating_mul(2);
        }
        let primary_number = primary.number;
        let mut order: Vec<RevisionNumber> = vec![primary_number];
        let sources = service.deployments.iter().rev();
        order.extend(
            sources.filter(|one| one.status == DeploymentStatus::Active).map(|one| one.number),
        );
        for number in order {
            let empty = Group::default();
            let group = census.get(&number).unwrap_or(&empty);
            let Some(deployment) = service.deployment(number) else { continue };
            let waits = number == primary_number && service.waits_to_scale();
            if !deployment.begun || deployment.rollout == Rollout::Failed || waits {
                continue;
            }
            let goal = if number == primary_number { service.desired } else { deployment.desired };
            let missing = usize::try_from(goal).unwrap_or(0).saturating_sub(group.live());
            let count = missing.min(room);
            let waits = deployment.backoff.until.is_some_and(|until| now < until);
            let started = if waits { 0 } else { self.start_tasks(id, service, number, count, now) };
            room -= started.min(room);
            let reached = i64::try_from(group.live() + started).unwrap_or(i64::MAX);
            if number == primary_number
                && let Some(deployment) = service.deployment_mut(number)
            {
                deployment.desired = deployment.desired.max(reached).min(goal);
            }
        }
    }

    /// Starts up to `count` tasks of a deployment and says so.
    pub(super) fn start_tasks(
        &mut self,
        id: ServiceId,
        service: &mut Service,
        number: RevisionNumber,
        count: usize,
        now: Timestamp,
    ) -> usize {
        let (mut started, mut full) = (Vec::new(), None);
        for _ in 0..count {
            let Some(deployment) = service.deployment(number) else { break };
            match self.launch_for(id, service, deployment, now) {
                Ok(task) => {
                    service.tasks.insert(task);
                    started.extend(self.tasks.get(&task).map(|task| task.hex.clone()));
                }
                Err(place) => {
                    full = Some(place);
                    break;
                }
            }
        }
        if !started.is_empty() {
            let text = format!("has started {} tasks: {}.", started.len(), names(&started));
            self.announce(service, now, &text);
            service.stuck = false;
        }
        match full {
            Some(place) => self.wait_for_room(id, service, &place, now),
            None => service.unplaced &= started.is_empty(),
        }
        started.len()
    }

    /// Room has become free on an instance.
    pub(super) fn wake_waiting(&mut self, now: Timestamp) {
        for id in std::mem::take(&mut self.waiting) {
            self.turn_soon(id, now);
        }
    }

    /// Looks again when a back-off ends, and says when it has become long.
    fn turn_after_backoff(&mut self, id: ServiceId, now: Timestamp) {
        let waits = |service: &Service| {
            let shown = service.deployments.iter().filter(|one| one.is_shown());
            let waits = shown.flat_map(|one| [one.backoff.until, one.baking_until]);
            let stage = service.next_stage_look(now);
            waits.flatten().chain(stage).filter(|until| *until > now).min()
        };
        if let Some(when) = self.services.get(&id).and_then(waits) {
            self.turn_at(id, when);
        }
        self.with_service(id, |ecs, service| {
            let mut impaired = false;
            for Backoff { attempts, announced, .. } in
                service.deployments.iter_mut().map(|one| &mut one.backoff)
            {
                impaired |= *attempts >= 3 && !std::mem::replace(announced, *attempts >= 3);
            }
            if impaired {
                ecs.announce(service, now, "is unable to consistently start tasks successfully.");
            }
        });
    }

    fn drain(&mut self, service: &mut Service, now: Timestamp) {
        let census = self.census(service);
        for (number, group) in &census {
            self.stop_for_scaling(service, *number, &group.running(), now);
        }
        let busy = census.values().any(|group| group.live() + group.draining > 0);
        if !busy {
            service.status = ServiceStatus::Inactive;
        }
    }
}

impl Service {
    pub(super) fn breaker_settings(&self) -> BreakerSettings {
        BreakerSettings::of(self.configured("deploymentCircuitBreaker"))
    }

    pub(super) fn loses_steadiness(&mut self) {
        if self.steady {
            self.steady = false;
            self.steady_epoch += 1;
        }
    }

    /// The progressive strategies and others by name.
    pub(super) fn strategy(&self) -> &str {
        self.configured("strategy").and_then(Value::as_str).unwrap_or("ROLLING")
    }
}

fn names(tasks: &[String]) -> String {
    tasks.iter().map(|hex| format!("(task {hex})")).collect::<Vec<_>>().join(" ")
}
