//! `CreateService` (aws.md §2.3).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Ecs,
    cluster::valid_name,
    model::{Service, ServiceId, ServiceStatus},
    refusal, service_rules,
};
use crate::{ApiError, input};

impl Ecs {
    pub(super) fn create_service(
        &mut self,
        request: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let cluster = self.cluster_of(request)?;
        let cluster_name = cluster.name.clone();
        let default_strategy = cluster.default_strategy.clone();
        let name = input::text(request, "serviceName").unwrap_or_default().to_owned();
        if !valid_name(&name) {
            return Err(refusal::invalid(
                "The service name may hold up to 255 letters, digits, hyphens and underscores.",
            ));
        }
        if let Some(answer) = self.answer_for_existing(&cluster_name, &name, request, now)? {
            return Ok(answer);
        }
        let definition = input::text(request, "taskDefinition")
            .ok_or_else(|| refusal::invalid("TaskDefinition can not be blank."))?;
        let key = self.usable_definition(definition, now)?;
        let mut settings = input::members(request);
        for name in ["cluster", "serviceName", "clientToken", "desiredCount", "tags"] {
            settings.remove(name);
        }
        settings.insert("taskDefinition".to_owned(), json!(self.definition_arn(&key)));
        fill_capacity(&mut settings, default_strategy);
        if let Some(known) = self.definition(&key) {
            service_rules::verify(&settings, known)?;
        }
        let daemon = input::text(request, "schedulingStrategy") == Some("DAEMON");
        let fargate = input::text(request, "launchType") == Some("FARGATE");
        if daemon && fargate {
            return Err(refusal::invalid(
                "The daemon scheduling strategy is not supported for the FARGATE launch type.",
            ));
        }
        let desired = match input::integer(request, "desiredCount") {
            Some(_) if daemon => {
                return Err(refusal::invalid(
                    "The desired count must not be specified for services with the DAEMON scheduling strategy.",
                ));
            }
            Some(count) => count,
            None if daemon => 0,
            None => {
                return Err(refusal::invalid(
                    "The desired count is required for services with the REPLICA scheduling strategy.",
                ));
            }
        };
        service_rules::verify_count(desired)?;
        let id = self.next_id();
        let mut service = Service {
            cluster: cluster_name.clone(),
            name: name.clone(),
            status: ServiceStatus::Active,
            created: now,
            first_request: request.clone(),
            settings,
            desired,
            deployments: Vec::new(),
            records: Vec::new(),
            events: VecDeque::new(),
            tasks: BTreeSet::new(),
            tags: input::list(request, "tags").to_vec(),
            turn_at: None,
            steady: false,
            steady_epoch: 0,
            registered: BTreeMap::new(),
            stuck: false,
            unplaced: false,
            serving: None,
        };
        self.start_deployment(id, &mut service, key, now);
        self.remember_before(&cluster_name, &name, None, now);
        let answer = self.service_view(&service, true, now);
        self.services.insert(id, service);
        if let Some(cluster) = self.clusters.get_mut(&cluster_name) {
            cluster.services.insert(name, id);
        }
        Ok(json!({"service": answer}))
    }

    /// The answer when a service of that name is there already, if it is the same one.
    fn answer_for_existing(
        &self,
        cluster: &str,
        name: &str,
        request: &Value,
        now: Timestamp,
    ) -> Result<Option<Value>, ApiError> {
        let Some(existing) = self.service_by_name(cluster, name) else { return Ok(None) };
        let Some(service) = self.services.get(&existing) else { return Ok(None) };
        match service.status {
            ServiceStatus::Inactive => Ok(None),
            ServiceStatus::Draining => {
                Err(refusal::invalid("Unable to Start a service that is still Draining."))
            }
            ServiceStatus::Active if same_request(&service.first_request, request) => {
                Ok(Some(json!({"service": self.service_view(service, true, now)})))
            }
            ServiceStatus::Active => {
                Err(refusal::invalid("Creation of service was not idempotent."))
            }
        }
    }

    pub(super) fn service_by_name(&self, cluster: &str, name: &str) -> Option<ServiceId> {
        self.clusters.get(cluster)?.services.get(name).copied()
    }

    pub(super) fn service_is_active(&self, id: ServiceId) -> bool {
        self.services.get(&id).is_some_and(|one| one.status == ServiceStatus::Active)
    }
}

/// Neither launch type nor strategy: the cluster's default strategy, else EC2.
fn fill_capacity(settings: &mut Map<String, Value>, default_strategy: Vec<Value>) {
    if settings.get("capacityProviderStrategy").is_some_and(|one| *one == json!([])) {
        settings.remove("capacityProviderStrategy");
    }
    if settings.contains_key("launchType") || settings.contains_key("capacityProviderStrategy") {
        return;
    }
    if default_strategy.is_empty() {
        settings.insert("launchType".to_owned(), json!("EC2"));
    } else {
        settings.insert("capacityProviderStrategy".to_owned(), Value::Array(default_strategy));
    }
}

fn same_request(first: &Value, second: &Value) -> bool {
    let bare = |request: &Value| {
        let mut members = input::members(request);
        members.remove("clientToken");
        members.remove("cluster");
        members
    };
    bare(first) == bare(second)
}
