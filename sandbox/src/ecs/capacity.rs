//! `DeleteCluster`, `PutClusterCapacityProviders` and `DescribeCapacityProviders` (aws.md §2.9).

use serde_json::{Value, json};

use super::{Ecs, arn, model::ServiceStatus, refusal};
use crate::{ApiError, input};

impl Ecs {
    pub(super) fn delete_cluster(&mut self, request: &Value) -> Result<Value, ApiError> {
        let cluster = self.cluster_of(request)?;
        let name = cluster.name.clone();
        let refused = |code: &str, text: &str| Err(ApiError::refused(code, text));
        let in_use = |id: &u64| {
            self.services.get(id).is_some_and(|one| one.status != ServiceStatus::Inactive)
        };
        if cluster.services.values().any(in_use) {
            return refused(
                "ClusterContainsServicesException",
                "The Cluster cannot be deleted while Services are active.",
            );
        }
        if cluster.tasks.iter().filter_map(|id| self.tasks.get(id)).any(|task| !task.is_stopped()) {
            return refused(
                "ClusterContainsTasksException",
                "The Cluster cannot be deleted while Tasks are active.",
            );
        }
        if !cluster.instances.is_empty() {
            return refused(
                "ClusterContainsContainerInstancesException",
                "The Cluster cannot be deleted while Container Instances are active or draining.",
            );
        }
        if let Some(cluster) = self.clusters.get_mut(&name) {
            cluster.active = false;
        }
        Ok(json!({"cluster": self.clusters.get(&name).map(|one| self.cluster_view(one, &[]))}))
    }

    pub(super) fn put_capacity_providers(&mut self, request: &Value) -> Result<Value, ApiError> {
        let cluster = self.cluster_of(request)?;
        let name = cluster.name.clone();
        let providers: Vec<String> =
            input::texts(request, "capacityProviders").into_iter().map(str::to_owned).collect();
        let strategy = input::list(request, "defaultCapacityProviderStrategy").to_vec();
        let stranger = strategy
            .iter()
            .filter_map(|one| input::text(one, "capacityProvider"))
            .find(|one| !providers.iter().any(|known| known == one));
        if let Some(stranger) = stranger {
            return Err(refusal::invalid(format!(
                "The specified capacity provider '{stranger}' is not associated with the cluster."
            )));
        }
        let removed = cluster.providers.iter().filter(|one| !providers.contains(one));
        let used = removed.into_iter().any(|provider| {
            cluster.services.values().filter_map(|id| self.services.get(id)).any(|service| {
                let strategy = service.settings.get("capacityProviderStrategy");
                let entries = strategy.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                service.status == ServiceStatus::Active
                    && entries
                        .iter()
                        .any(|one| input::text(one, "capacityProvider") == Some(provider))
            })
        });
        if used {
            return Err(ApiError::refused(
                "ResourceInUseException",
                "The specified capacity provider is in use and cannot be removed.",
            ));
        }
        if let Some(cluster) = self.clusters.get_mut(&name) {
            cluster.providers = providers;
            cluster.default_strategy = strategy;
        }
        Ok(
            json!({"cluster": self.clusters.get(&name).map(|one| self.cluster_view(one, &["SETTINGS", "TAGS"]))}),
        )
    }

    pub(super) fn describe_capacity_providers(&self, request: &Value) -> Value {
        let mut known = vec!["FARGATE".to_owned(), "FARGATE_SPOT".to_owned()];
        for cluster in self.clusters.values() {
            let own = cluster.instances.iter().filter_map(|one| one.provider.clone());
            for name in cluster.providers.iter().cloned().chain(own) {
                if !known.contains(&name) {
                    known.push(name);
                }
            }
        }
        let asked = input::texts(request, "capacityProviders");
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        let view = |name: &str| {
            json!({
                "capacityProviderArn": self.arn(&format!("capacity-provider/{name}")),
                "name": name,
                "status": "ACTIVE",
                "tags": [],
            })
        };
        if asked.is_empty() {
            found.extend(known.iter().map(|name| view(name)));
        }
        for name in asked.into_iter().map(arn::last_part) {
            if known.iter().any(|one| one == name) {
                found.push(view(name));
            } else {
                failures.push(json!({
                    "arn": self.arn(&format!("capacity-provider/{name}")), "reason": "MISSING",
                }));
            }
        }
        json!({"capacityProviders": found, "failures": failures})
    }
}
