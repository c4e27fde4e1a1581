//! What Application Auto Scaling sees of services (aws.md §5.5).

use jiff::Timestamp;

use super::{
    Ecs,
    model::{Service, ServiceStatus},
};
use crate::autoscaling::ScaledServices;

impl Ecs {
    fn active_service(&self, cluster: &str, service: &str) -> Option<&Service> {
        let id = self.service_by_name(cluster, service)?;
        self.services.get(&id).filter(|one| one.status == ServiceStatus::Active)
    }
}

impl ScaledServices for Ecs {
    fn desired_count(&self, cluster: &str, service: &str) -> Option<i64> {
        self.active_service(cluster, service).map(|one| one.desired)
    }

    fn running_count(&self, cluster: &str, service: &str) -> Option<i64> {
        let counts = self.counts_by_revision(self.active_service(cluster, service)?);
        Some(counts.values().map(|one| one.running).sum())
    }

    fn set_desired_count(&mut self, cluster: &str, service: &str, count: i64, now: Timestamp) {
        let Some(id) = self.service_by_name(cluster, service) else { return };
        if let Some(service) = self.services.get_mut(&id)
            && service.status == ServiceStatus::Active
        {
            service.desired = count;
            self.turn_soon(id, now);
        }
    }

    fn is_deploying(&self, cluster: &str, service: &str) -> bool {
        self.active_service(cluster, service).is_some_and(|one| one.open_record().is_some())
    }
}
