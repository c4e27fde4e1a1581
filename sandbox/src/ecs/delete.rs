//! `DeleteService` (aws.md §2.5).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Ecs,
    model::{DeploymentStatus, RecordStatus, ServiceStatus},
    refusal,
};
use crate::{ApiError, input};

impl Ecs {
    pub(super) fn delete_service(
        &mut self,
        request: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let id = self.service_of(request)?;
        let force = input::flag(request, "force").unwrap_or(false);
        let answer = self.with_service(id, |ecs, service| {
            match service.status {
                ServiceStatus::Active => {}
                ServiceStatus::Draining => {
                    return Ok(json!({"service": ecs.service_view(service, true, now)}));
                }
                ServiceStatus::Inactive => return Err(refusal::service_not_found()),
            }
            let scaled = service.desired > 0 && !service.is_daemon();
            if scaled && !force {
                return Err(refusal::invalid(
                    "The service cannot be stopped while the primary deployment is scaled above 0.",
                ));
            }
            let replacing =
                service.deployments.iter().any(|one| one.status == DeploymentStatus::Active);
            if replacing && !force {
                return Err(refusal::invalid(
                    "The service cannot be stopped while deployments are active.",
                ));
            }
            let (cluster, name) = (service.cluster.clone(), service.name.clone());
            ecs.remember_before(&cluster, &name, Some(service), now);
            service.status = ServiceStatus::Draining;
            service.desired = 0;
            for deployment in &mut service.deployments {
                deployment.desired = 0;
            }
            service.loses_steadiness();
            if service.open_record().is_some() {
                ecs.end_record(service, RecordStatus::Stopped, now);
            }
            Ok(json!({"service": ecs.service_view(service, true, now)}))
        });
        let answer = answer.unwrap_or_else(|| Err(refusal::service_not_found()))?;
        self.turn_soon(id, now);
        Ok(answer)
    }
}
