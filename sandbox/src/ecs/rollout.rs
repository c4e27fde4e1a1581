//! Roll-outs from their start to their end: completion, failure, rollback, supersession (aws.md §3.4 to §3.7).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    Ecs, Surroundings,
    agenda::Event,
    breaker::Breaker,
    colours,
    definition::DefinitionKey,
    model::{
        AlarmStatus, Alarms, Backoff, BreakerStatus, Deployment, DeploymentStatus, Record,
        RecordStatus, Rollout, Service, ServiceId,
    },
    scheduler::Group,
    stages::Stage,
};
use crate::{clock::after, ids, input};

/// The members of a service that its revisions capture.
pub(super) const CAPTURED: [&str; 13] = [
    "taskDefinition",
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
    "launchType",
    "capacityProviderStrategy",
    "gatewayConnectors",
    "monitoring",
    "enableExecuteCommand",
];

impl Ecs {
    /// Begins a roll-out of what the service's settings now say.
    pub(super) fn start_deployment(
        &mut self,
        id: ServiceId,
        service: &mut Service,
        definition: DefinitionKey,
        now: Timestamp,
    ) {
        self.supersede(id, service, now);
        let sources = service.deployments.iter().filter(|one| one.is_shown());
        let sources = sources.map(|one| one.number).collect();
        for deployment in &mut service.deployments {
            if deployment.status == DeploymentStatus::Primary {
                deployment.status = DeploymentStatus::Active;
            }
            deployment.backoff = Backoff::default();
        }
        let number = ids::number19(&mut self.rng);
        let mut captured = Map::new();
        for name in CAPTURED {
            if let Some(value) = service.settings.get(name) {
                captured.insert(name.to_owned(), value.clone());
            }
        }
        service.deployments.push(Deployment {
            number,
            status: DeploymentStatus::Primary,
            rollout: Rollout::InProgress,
            reason: format!("ECS deployment ecs-svc/{number} in progress."),
            captured,
            balancers: colours::resolve(service),
            definition,
            created: now,
            updated: now,
            desired: 0,
            begun: false,
            breaker: Breaker::default(),
            digests: std::collections::BTreeMap::new(),
            backoff: Backoff::default(),
            baking_until: None,
        });
        let due = after(now, self.timings.deployment_start);
        let record = ids::letters21(&mut self.rng);
        service.records.push(Record {
            id: record.clone(),
            target: number,
            sources,
            status: RecordStatus::Pending,
            reason: None,
            created: now,
            visible: after(now, self.timings.deployment_visible.max(self.read_lag.unlisted())),
            started: None,
            updated: now,
            stopped: None,
            finished: None,
            rollback: None,
            configuration: service
                .settings
                .get("deploymentConfiguration")
                .cloned()
                .unwrap_or_default(),
            alarms: Alarms::default(),
            breaker: if service.breaker_settings().enabled {
                BreakerStatus::Monitoring
            } else {
                BreakerStatus::Disabled
            },
            frozen: None,
            frozen_breaker: None,
            progress: None,
        });
        service.loses_steadiness();
        service.stuck = false;
        self.tell_primary(service, "SERVICE_DEPLOYMENT_IN_PROGRESS", now);
        self.agenda.put(due, Event::DeploymentBegins { service: id, record });
    }

    /// Ends the record of a roll-out that a newer one replaces.
    fn supersede(&mut self, id: ServiceId, service: &mut Service, now: Timestamp) {
        let Some(open) = service.open_record().map(|record| record.id.clone()) else { return };
        let Some(record) = service.record_mut(&open) else { return };
        record.updated = now;
        match record.status {
            RecordStatus::Pending | RecordStatus::InProgress | RecordStatus::RollbackRequested => {
                record.status = RecordStatus::StopRequested;
                let when = after(now, self.timings.deployment_stop);
                self.agenda.put(when, Event::RecordStops { service: id, record: open });
            }
            RecordStatus::RollbackInProgress => {
                record.reason =
                    Some("A newer service deployment replaced the rollback.".to_owned());
                self.end_record(service, RecordStatus::RollbackFailed, now);
            }
            RecordStatus::StopRequested
            | RecordStatus::Stopped
            | RecordStatus::Successful
            | RecordStatus::RollbackSuccessful
            | RecordStatus::RollbackFailed => {}
        }
    }

    pub(super) fn deployment_begins(
        &mut self,
        id: ServiceId,
        record: &str,
        now: Timestamp,
        around: &dyn Surroundings,
    ) {
        self.with_service(id, |ecs, service| {
            let alarms = ecs.alarms_at_start(service);
            let sources = service.open_record().map_or(0, |open| open.sources.len());
            let is_pending = |one: &Record| one.id == record && one.status == RecordStatus::Pending;
            if !service.records.iter().any(is_pending) {
                return;
            }
            let progress = ecs.first_stage(service, sources, now);
            let is_alone = progress.as_ref().is_some_and(|one| one.stage > Stage::ReconcileService);
            let unfit = if is_alone { colours::unfit(service, around) } else { None };
            let Some(record) = service.record_mut(record) else { return };
            record.status = RecordStatus::InProgress;
            record.started = Some(now);
            record.updated = now;
            record.alarms = alarms;
            record.progress = progress;
            let target = record.target;
            if let Some(deployment) = service.deployment_mut(target) {
                deployment.begun = true;
                deployment.updated = now;
            }
            if let Some(failure) = unfit {
                ecs.fail_rollout(id, service, failure, true, now);
            }
        });
        self.turn_soon(id, now);
    }

    /// An alarm that is in ALARM at the start turns the watch off for the whole roll-out (aws.md §3.6).
    fn alarms_at_start(&self, service: &Service) -> Alarms {
        let Some(settings) = service.configured("alarms") else { return Alarms::default() };
        let names: Vec<String> =
            input::texts(settings, "alarmNames").into_iter().map(str::to_owned).collect();
        let enabled = input::flag(settings, "enable").unwrap_or(false) && !names.is_empty();
        let ringing = names.iter().any(|name| self.alarms.contains(name));
        let status =
            if enabled && !ringing { AlarmStatus::Monitoring } else { AlarmStatus::Disabled };
        Alarms { names, status, triggered: Vec::new() }
    }

    pub(super) fn record_stops(&mut self, id: ServiceId, record: &str, now: Timestamp) {
        self.with_service(id, |ecs, service| {
            let counts = ecs.counts_by_revision(service);
            let breaker = breaker_numbers(service, record);
            if let Some(record) = service.record_mut(record)
                && record.status == RecordStatus::StopRequested
            {
                record.status = RecordStatus::Stopped;
                record.stopped = Some(now);
                record.finished = Some(now);
                record.updated = now;
                record.frozen = Some(counts);
                record.frozen_breaker = breaker;
            }
        });
    }

    /// Ends the open record.
    pub(super) fn end_record(
        &mut self,
        service: &mut Service,
        status: RecordStatus,
        now: Timestamp,
    ) {
        let counts = self.counts_by_revision(service);
        let Some(open) = service.open_record().map(|record| record.id.clone()) else { return };
        let breaker = breaker_numbers(service, &open);
        if let Some(record) = service.record_mut(&open) {
            record.status = status;
            record.finished = Some(now);
            record.updated = now;
            record.frozen = Some(counts);
            record.frozen_breaker = breaker;
            if record.breaker == BreakerStatus::Monitoring {
                record.breaker = BreakerStatus::MonitoringComplete;
            }
            if record.alarms.status == AlarmStatus::Monitoring {
                record.alarms.status = AlarmStatus::MonitoringComplete;
            }
        }
    }

    /// Retires drained deployments, completes the roll-out, and notices a steady state.
    pub(super) fn settle(&mut self, id: ServiceId, service: &mut Service, now: Timestamp) {
        let census = self.census(service);
        let empty = Group::default();
        let begun = service.primary().is_some_and(|primary| primary.begun);
        for deployment in &mut service.deployments {
            let group = census.get(&deployment.number).unwrap_or(&empty);
            let gone = group.live() + group.unhealthy.len() + group.draining + group.ending == 0;
            if begun
                && gone
                && deployment.desired == 0
                && deployment.status == DeploymentStatus::Active
            {
                deployment.status = DeploymentStatus::Inactive;
            }
        }
        forget_old(service);
        let desired = usize::try_from(service.desired).unwrap_or(0);
        let shown = service.deployments.iter().filter(|one| one.is_shown()).count();
        let Some(primary) = service.primary() else { return };
        let group = census.get(&primary.number).unwrap_or(&empty);
        let full =
            group.healthy.len() == desired && group.live() == desired && group.unhealthy.is_empty();
        let whole = primary.begun && full && shown == 1 && !service.keeps_sources();
        match primary.rollout {
            Rollout::InProgress if service.may_complete(group, whole) => {
                if self.has_baked(service, now) {
                    self.complete(service, now);
                }
            }
            Rollout::InProgress => self.notice_stuck(service, now),
            Rollout::Completed | Rollout::Failed => {}
        }
        let completed = service.primary().is_some_and(|one| one.rollout == Rollout::Completed);
        if completed && whole {
            self.becomes_steady(id, service, now);
        } else {
            service.loses_steadiness();
        }
    }

    /// Whether the bake time is over; it begins here.
    fn has_baked(&self, service: &mut Service, now: Timestamp) -> bool {
        if service.is_progressive() {
            return true;
        }
        let Some(alarms) = service.configured("alarms") else { return true };
        let watched = input::flag(alarms, "enable").unwrap_or(false)
            && input::flag(alarms, "rollback").unwrap_or(false)
            && !input::list(alarms, "alarmNames").is_empty();
        if !watched {
            return true;
        }
        let minutes = service.configured("bakeTimeInMinutes").and_then(Value::as_u64).unwrap_or(0);
        let derived =
            if minutes == 0 { self.timings.bake } else { Duration::from_secs(minutes * 60) };
        let Some(primary) = service.primary_mut() else { return false };
        if let Some(until) = primary.baking_until {
            return until <= now;
        }
        primary.baking_until = Some(after(now, derived));
        false
    }

    pub(super) fn complete(&mut self, service: &mut Service, now: Timestamp) {
        let Some(primary) = service.primary_mut() else { return };
        primary.rollout = Rollout::Completed;
        primary.reason = format!("ECS deployment {} completed.", primary.id());
        primary.updated = now;
        let text = format!("(deployment {}) deployment completed.", primary.id());
        service.serving = Some(primary.number);
        self.announce(service, now, &text);
        self.tell_primary(service, "SERVICE_DEPLOYMENT_COMPLETED", now);
        let status = match service.open_record().map(|record| record.status) {
            Some(RecordStatus::RollbackInProgress) => RecordStatus::RollbackSuccessful,
            Some(_) => RecordStatus::Successful,
            None => return,
        };
        self.end_record(service, status, now);
    }

    /// Says once that the percentages allow neither a start nor a stop.
    fn notice_stuck(&mut self, service: &mut Service, now: Timestamp) {
        let census = self.census(service);
        let Some(primary) = service.primary() else { return };
        let number = primary.number;
        // Who finds no room is not kept back by the percentages, nor who starts a whole second set.
        let moving = !primary.begun
            || service.strategy() != "ROLLING"
            || service.unplaced
            || primary.backoff.until.is_some_and(|until| until > now)
            || census.values().any(|group| {
                group.stopping + group.pending.len() + group.unproven.len() + group.unhealthy.len()
                    > 0
            });
        let target = census.get(&number).map_or(0, Group::live);
        let desired = usize::try_from(service.desired).unwrap_or(0);
        if !moving && target < desired && !service.stuck {
            service.stuck = true;
            self.announce(
                service,
                now,
                "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.",
            );
        }
    }
}

impl Service {
    /// Whether the roll-out may end: with everything in place, or earlier where it is configured so.
    fn may_complete(&self, group: &Group, whole: bool) -> bool {
        let Some(early) = self.configured("earlySuccessCriteria") else { return whole };
        if !input::flag(early, "enable").unwrap_or(false) {
            return whole;
        }
        let percent = input::integer(early, "healthyPercent").unwrap_or(100);
        let enough = super::breaker::percent_ceil(self.desired, percent).max(1);
        let reached = i64::try_from(group.healthy.len()).unwrap_or(0) >= enough;
        let deferred = input::text(early, "sourceServiceRevisionCleanup") == Some("DEFERRED");
        let alone = self.deployments.iter().filter(|one| one.is_shown()).count() == 1;
        whole || (reached && (deferred || alone))
    }
}

/// Failures and threshold of the breaker of a record's target.
pub(super) fn breaker_numbers(service: &Service, record: &str) -> Option<(i64, i64)> {
    let record = service.records.iter().find(|one| one.id == record)?;
    let failures = service.deployment(record.target)?.breaker.failures;
    Some((failures, service.breaker_settings().threshold(service.desired)))
}

/// Drained deployments are kept as rollback candidates, but not without end.
fn forget_old(service: &mut Service) {
    let drained = |one: &Deployment| one.status == DeploymentStatus::Inactive;
    let surplus =
        service.deployments.iter().filter(|one| drained(one)).count().saturating_sub(KEPT);
    let mut dropped = Vec::new();
    service.deployments.retain(|one| {
        let drop = dropped.len() < surplus && drained(one);
        if drop {
            dropped.push(one.number);
        }
        !drop
    });
    service.records.retain(|record| !dropped.contains(&record.target));
}

/// How many drained deployments a service remembers.
const KEPT: usize = 50;
