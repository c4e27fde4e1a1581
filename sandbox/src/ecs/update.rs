//! UpdateService (aws.md §2.4).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Ecs, arn,
    model::{Backoff, Service, ServiceId, ServiceStatus},
    refusal, service_rules,
};
use crate::{ApiError, input};

/// Members that start a new deployment when they are there.
const TRIGGERS: [&str; 7] = [
    "taskDefinition",
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "vpcLatticeConfigurations",
];

/// Members that are kept as given and start none by themselves.
const OTHERS: [&str; 14] = [
    "volumeConfigurations",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "deploymentController",
    "availabilityZoneRebalancing",
    "placementConstraints",
    "placementStrategy",
    "healthCheckGracePeriodSeconds",
    "enableExecuteCommand",
    "enableECSManagedTags",
    "propagateTags",
    "gatewayConnectors",
    "monitoring",
    "resourceManagementType",
];

impl Ecs {
    /// The service that a request names; an INACTIVE one only where `inactive` says so.
    pub(super) fn service_of(&self, request: &Value) -> Result<ServiceId, ApiError> {
        let cluster = self.cluster_of(request)?;
        let name = input::text(request, "service").unwrap_or_default();
        cluster.services.get(arn::last_part(name)).copied().ok_or_else(refusal::service_not_found)
    }

    pub(super) fn update_service(
        &mut self,
        request: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let id = self.service_of(request)?;
        self.with_service(id, |ecs, service| {
            let (cluster, name) = (service.cluster.clone(), service.name.clone());
            ecs.remember_before(&cluster, &name, Some(service), now);
            ecs.change_service(id, service, request, now)?;
            Ok(json!({"service": ecs.service_view(service, true, now)}))
        })
        .unwrap_or_else(|| Err(refusal::service_not_found()))
        .inspect(|_| self.turn_soon(id, now))
    }

    fn change_service(
        &mut self,
        id: ServiceId,
        service: &mut Service,
        request: &Value,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        if service.status != ServiceStatus::Active {
            return Err(refusal::service_not_active());
        }
        self.verify_controller(service, request)?;
        let force = input::flag(request, "forceNewDeployment").unwrap_or(false);
        let mut settings = service.settings.clone();
        let mut triggered = force;
        for name in TRIGGERS.into_iter().chain(OTHERS) {
            let Some(value) = input::present(request, name) else { continue };
            let old = settings.insert(name.to_owned(), value.clone());
            let changed = old.as_ref() != Some(value);
            triggered |= match name {
                "taskDefinition" => false,
                "volumeConfigurations" | "gatewayConnectors" | "monitoring" => changed,
                _ => changed && TRIGGERS.contains(&name),
            };
        }
        let key = match input::text(request, "taskDefinition") {
            Some(name) => self.usable_definition(name, now)?,
            None => self.current_definition(service, force, now)?,
        };
        let definition_arn = json!(self.definition_arn(&key));
        triggered |= service.settings.get("taskDefinition") != Some(&definition_arn);
        settings.insert("taskDefinition".to_owned(), definition_arn);
        if let Some(strategy) = input::present(request, "capacityProviderStrategy") {
            let empty = strategy.as_array().is_none_or(Vec::is_empty);
            let changed = service
                .settings
                .get("capacityProviderStrategy")
                .cloned()
                .unwrap_or_else(|| json!([]))
                != *strategy;
            if changed && !force {
                return Err(refusal::invalid(
                    "When switching from launch type to capacity provider strategy on an existing service, or making a change to a capacity provider strategy on a service that is already using one, you must force a new deployment.",
                ));
            }
            if empty {
                settings.remove("capacityProviderStrategy");
                settings.entry("launchType").or_insert_with(|| json!("EC2"));
            } else {
                settings.remove("launchType");
            }
        }
        if let Some(definition) = self.definition(&key) {
            service_rules::verify(&settings, definition)?;
        }
        if let Some(count) = input::integer(request, "desiredCount") {
            if service.is_daemon() {
                return Err(refusal::invalid(
                    "The desired count must not be specified for services with the DAEMON scheduling strategy.",
                ));
            }
            service_rules::verify_count(count)?;
            service.desired = count;
        }
        service.settings = settings;
        for deployment in &mut service.deployments {
            deployment.backoff = Backoff::default();
        }
        if triggered {
            self.start_deployment(id, service, key, now);
        }
        Ok(())
    }

    /// The definition that the service has; a forced deployment needs it to be usable.
    fn current_definition(
        &self,
        service: &Service,
        force: bool,
        now: Timestamp,
    ) -> Result<super::definition::DefinitionKey, ApiError> {
        let current = service.settings.get("taskDefinition").and_then(Value::as_str);
        let current = current.unwrap_or_default();
        if force {
            self.usable_definition(current, now)
        } else {
            let missing = || refusal::client("TaskDefinition not found.");
            self.find_definition(current).ok_or_else(missing)
        }
    }

    #[expect(clippy::unused_self, reason = "reads like the other checks of a change")]
    fn verify_controller(&self, service: &Service, request: &Value) -> Result<(), ApiError> {
        let controller = service.settings.get("deploymentController");
        let kind = controller.and_then(|one| input::text(one, "type")).unwrap_or("ECS");
        let leaves = input::present(request, "deploymentController")
            .is_some_and(|one| input::text(one, "type") == Some("ECS"));
        if kind == "CODE_DEPLOY" && !leaves && input::present(request, "taskDefinition").is_some() {
            return Err(refusal::invalid(
                "Unable to update task definition on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.",
            ));
        }
        Ok(())
    }
}
