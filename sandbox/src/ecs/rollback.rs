//! Roll-outs that fail, and the way back (aws.md §3.5 to §3.7).

use jiff::Timestamp;
use serde_json::Map;

use super::{
    Ecs,
    agenda::Event,
    breaker::Breaker,
    failure::Failure,
    model::{
        AlarmStatus, Backoff, BreakerStatus, DeploymentStatus, RecordStatus, Rollback, Rollout,
        Service, ServiceId,
    },
    rollout::CAPTURED,
};
use crate::{clock::after, input};

const NO_CANDIDATE: &str = "No rollback candidate was found to run the rollback.";

impl Ecs {
    /// Fails the roll-out if its breaker has counted enough or one of its alarms rings.
    pub(super) fn judge_rollout(&mut self, id: ServiceId, service: &mut Service, now: Timestamp) {
        let desired = service.desired;
        let breaker = service.breaker_settings();
        let Some(primary) = service.primary() else { return };
        if primary.rollout != Rollout::InProgress || !primary.begun {
            return;
        }
        let failures = primary.breaker.failures;
        let Some(record) = service.open_record() else { return };
        let ringing: Vec<String> = match record.alarms.status {
            AlarmStatus::Monitoring => record
                .alarms
                .names
                .iter()
                .filter(|one| self.alarms.contains(*one))
                .cloned()
                .collect(),
            AlarmStatus::Disabled | AlarmStatus::MonitoringComplete | AlarmStatus::Triggered => {
                Vec::new()
            }
        };
        let open = record.id.clone();
        if breaker.enabled && failures >= breaker.threshold(desired) {
            if let Some(record) = service.record_mut(&open) {
                record.breaker = BreakerStatus::Triggered;
            }
            self.fail_rollout(id, service, Failure::breaker(), breaker.rollback, now);
        } else if !ringing.is_empty() {
            let rollback = service
                .configured("alarms")
                .and_then(|alarms| input::flag(alarms, "rollback"))
                .unwrap_or(false);
            if let Some(record) = service.record_mut(&open) {
                record.alarms.status = AlarmStatus::Triggered;
                record.alarms.triggered = ringing;
            }
            self.fail_rollout(id, service, Failure::alarm(), rollback, now);
        }
    }

    pub(super) fn fail_rollout(
        &mut self,
        id: ServiceId,
        service: &mut Service,
        failure: Failure,
        rollback: bool,
        now: Timestamp,
    ) {
        let Some(primary) = service.primary_mut() else { return };
        primary.rollout = Rollout::Failed;
        primary.reason.clone_from(&failure.rollout);
        primary.updated = now;
        let failed = primary.id();
        let text = format!("(deployment {failed}) deployment failed: {}", failure.event);
        self.announce(service, now, &text);
        self.tell_primary(service, "SERVICE_DEPLOYMENT_FAILED", now);
        if rollback {
            self.roll_back(service, failure, now);
            return;
        }
        let Some(open) = service.open_record().map(|record| record.id.clone()) else { return };
        if let Some(record) = service.record_mut(&open) {
            record.status = RecordStatus::StopRequested;
            record.reason = Some(failure.rollout);
            record.updated = now;
            let when = after(now, self.timings.deployment_stop);
            self.agenda.put(when, Event::RecordStops { service: id, record: open });
        }
    }

    /// Brings back the newest deployment that once completed, under its old id.
    fn roll_back(&mut self, service: &mut Service, failure: Failure, now: Timestamp) {
        let candidate = service
            .deployments
            .iter()
            .rev()
            .filter(|one| one.status != DeploymentStatus::Primary)
            .find(|one| one.rollout == Rollout::Completed)
            .map(|one| one.number);
        let Some(open) = service.open_record().map(|record| record.id.clone()) else { return };
        let Some(candidate) = candidate else {
            if let Some(record) = service.record_mut(&open) {
                record.reason = Some(NO_CANDIDATE.to_owned());
            }
            self.end_record(service, RecordStatus::RollbackFailed, now);
            return;
        };
        if let Some(record) = service.record_mut(&open) {
            record.status = RecordStatus::RollbackInProgress;
            record.reason = Some(failure.status.clone());
            record.updated = now;
            record.rollback =
                Some(Rollback { reason: failure.status, started: Some(now), to: Some(candidate) });
            if let Some(progress) = &mut record.progress {
                progress.roll_back();
                self.shift_all(service, candidate);
            }
        }
        if let Some(primary) = service.primary_mut() {
            primary.status = DeploymentStatus::Active;
        }
        let mut captured = Map::new();
        if let Some(restored) = service.deployment_mut(candidate) {
            restored.status = DeploymentStatus::Primary;
            restored.rollout = Rollout::InProgress;
            restored.reason =
                format!("{}: rolling back to deploymentId {}.", failure.cause, restored.id());
            restored.updated = now;
            restored.breaker = Breaker::default();
            restored.backoff = Backoff::default();
            restored.baking_until = None;
            captured.clone_from(&restored.captured);
        }
        for name in CAPTURED {
            match captured.remove(name) {
                Some(value) => service.settings.insert(name.to_owned(), value),
                None => service.settings.remove(name),
            };
        }
        self.announce(service, now, &format!("rolling back to deployment ecs-svc/{candidate}."));
        self.tell_primary(service, "SERVICE_DEPLOYMENT_IN_PROGRESS", now);
    }

    /// A rollback that somebody asked for begins.
    pub(super) fn rollback_begins(&mut self, id: ServiceId, record: &str, now: Timestamp) {
        self.with_service(id, |ecs, service| {
            let requested = service.open_record().is_some_and(|open| {
                open.id == record && open.status == RecordStatus::RollbackRequested
            });
            if requested {
                ecs.fail_rollout(id, service, Failure::stopped_by_user(), true, now);
            }
        });
        self.turn_soon(id, now);
    }
}
