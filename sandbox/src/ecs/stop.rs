//! `StopServiceDeployment` (aws.md §2.7).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Ecs,
    agenda::Event,
    arn,
    failure::Failure,
    model::{RecordStatus, Rollback},
    refusal,
};
use crate::{ApiError, clock::after, input};

impl Ecs {
    pub(super) fn stop_service_deployment(
        &mut self,
        request: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let record_arn = input::required(request, "serviceDeploymentArn")?;
        match input::text(request, "stopType") {
            None | Some("ROLLBACK") => {}
            Some(_) => return Err(refusal::invalid("The stopType must be ROLLBACK.")),
        }
        let (cluster, name, record) = arn::three_parts(record_arn, "service-deployment")
            .ok_or_else(|| refusal::invalid("The service deployment ARN is not valid."))?;
        let unknown = || {
            ApiError::refused(
                "ServiceDeploymentNotFoundException",
                "The service deployment does not exist.",
            )
        };
        self.find_record(record_arn).ok_or_else(unknown)?;
        let id = self.service_by_name(cluster, name).ok_or_else(unknown)?;
        self.remember_record(record_arn, now);
        self.request_rollback(id, record, now)?;
        Ok(json!({"serviceDeploymentArn": record_arn}))
    }

    /// Asks for the rollback of a roll-out; one that is ending already is left alone.
    pub(super) fn request_rollback(
        &mut self,
        id: super::model::ServiceId,
        record: &str,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let due = after(now, self.timings.deployment_stop);
        let found = self.services.get_mut(&id).and_then(|service| service.record_mut(record));
        let Some(found) = found else { return Ok(()) };
        match found.status {
            RecordStatus::Pending | RecordStatus::InProgress => {
                let reason = Failure::stopped_by_user().status;
                found.status = RecordStatus::RollbackRequested;
                found.updated = now;
                found.reason = Some(reason.clone());
                found.rollback = Some(Rollback { reason, started: None, to: None });
                let record = record.to_owned();
                self.agenda.put(due, Event::RollbackBegins { service: id, record });
                Ok(())
            }
            RecordStatus::StopRequested
            | RecordStatus::RollbackRequested
            | RecordStatus::RollbackInProgress => Ok(()),
            RecordStatus::Stopped
            | RecordStatus::Successful
            | RecordStatus::RollbackSuccessful
            | RecordStatus::RollbackFailed => Err(ApiError::refused(
                "ConflictException",
                "The service deployment is in a terminal state and cannot be stopped.",
            )),
        }
    }
}
