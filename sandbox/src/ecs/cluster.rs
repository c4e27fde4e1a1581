//! Clusters and their capacity.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Ecs, arn, model::ServiceId, refusal, task::TaskId};
use crate::{ApiError, fixtures::ClusterFixture, ids, input, page::page};

/// A cluster.
pub(super) struct Cluster {
    pub(super) name: String,
    pub(super) active: bool,
    /// The newest service of each name, whatever its status.
    pub(super) services: BTreeMap<String, ServiceId>,
    pub(super) tasks: BTreeSet<TaskId>,
    pub(super) providers: Vec<String>,
    pub(super) default_strategy: Vec<Value>,
    pub(super) settings: Vec<Value>,
    pub(super) configuration: Option<Value>,
    pub(super) connect_defaults: Option<Value>,
    pub(super) tags: Vec<Value>,
    pub(super) instances: Vec<Instance>,
}

/// An EC2 instance that joined a cluster.
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) cpu: i64,
    pub(super) memory: i64,
    pub(super) provider: Option<String>,
    pub(super) tasks: BTreeSet<TaskId>,
}

impl Cluster {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            active: true,
            services: BTreeMap::new(),
            tasks: BTreeSet::new(),
            providers: Vec::new(),
            default_strategy: Vec::new(),
            settings: vec![json!({"name": "containerInsights", "value": "disabled"})],
            configuration: None,
            connect_defaults: None,
            tags: Vec::new(),
            instances: Vec::new(),
        }
    }
}

impl Ecs {
    pub(super) fn add_cluster(&mut self, fixture: &ClusterFixture) {
        let mut cluster = Cluster::new(&fixture.name);
        cluster.providers = fixture
            .capacity_providers
            .clone()
            .unwrap_or_else(|| vec!["FARGATE".to_owned(), "FARGATE_SPOT".to_owned()]);
        for group in &fixture.instances {
            for _ in 0..group.count {
                cluster.instances.push(Instance {
                    id: ids::hex32(&mut self.rng),
                    cpu: group.cpu,
                    memory: group.memory,
                    provider: group.capacity_provider.clone(),
                    tasks: BTreeSet::new(),
                });
            }
        }
        self.clusters.insert(fixture.name.clone(), cluster);
    }

    /// The ACTIVE cluster that a request names, `default` if it names none.
    pub(super) fn cluster_of(&self, request: &Value) -> Result<&Cluster, ApiError> {
        self.cluster_named(input::text(request, "cluster").unwrap_or("default"))
    }

    pub(super) fn cluster_named(&self, name_or_arn: &str) -> Result<&Cluster, ApiError> {
        self.clusters
            .get(arn::last_part(name_or_arn))
            .filter(|cluster| cluster.active)
            .ok_or_else(refusal::cluster_not_found)
    }

    pub(super) fn create_cluster(&mut self, request: &Value) -> Result<Value, ApiError> {
        let name = input::text(request, "clusterName").unwrap_or("default");
        if !valid_name(name) {
            return Err(refusal::invalid("The specified cluster name is not valid."));
        }
        if !self.clusters.get(name).is_some_and(|cluster| cluster.active) {
            let mut cluster = Cluster::new(name);
            cluster.providers =
                input::texts(request, "capacityProviders").into_iter().map(str::to_owned).collect();
            cluster.default_strategy =
                input::list(request, "defaultCapacityProviderStrategy").to_vec();
            if !input::list(request, "settings").is_empty() {
                cluster.settings = input::list(request, "settings").to_vec();
            }
            cluster.configuration = input::present(request, "configuration").cloned();
            cluster.connect_defaults = input::present(request, "serviceConnectDefaults").cloned();
            cluster.tags = input::list(request, "tags").to_vec();
            self.clusters.insert(name.to_owned(), cluster);
        }
        let all = ["TAGS", "SETTINGS", "CONFIGURATIONS"];
        Ok(
            json!({"cluster": self.clusters.get(name).map(|cluster| self.cluster_view(cluster, &all))}),
        )
    }

    pub(super) fn describe_clusters(&self, request: &Value) -> Value {
        let include = input::texts(request, "include");
        let mut names = input::texts(request, "clusters");
        if names.is_empty() {
            names.push("default");
        }
        let (mut clusters, mut failures) = (Vec::new(), Vec::new());
        for name in names {
            match self.clusters.get(arn::last_part(name)) {
                Some(cluster) => clusters.push(self.cluster_view(cluster, &include)),
                None => failures.push(json!({
                    "arn": self.cluster_arn(arn::last_part(name)), "reason": "MISSING",
                })),
            }
        }
        json!({"clusters": clusters, "failures": failures})
    }

    pub(super) fn list_clusters(&self, request: &Value) -> Result<Value, ApiError> {
        let arns: Vec<_> = self
            .clusters
            .values()
            .filter(|cluster| cluster.active)
            .map(|cluster| self.cluster_arn(&cluster.name))
            .collect();
        let (arns, next) = page(arns, request, 100, 100)?;
        Ok(with_token(json!({"clusterArns": arns}), next))
    }

    pub(super) fn cluster_view(&self, cluster: &Cluster, include: &[&str]) -> Value {
        let counts = cluster.tasks.iter().filter_map(|task| self.tasks.get(task)).fold(
            (0, 0),
            |(running, pending), task| match (task.is_running(), task.is_pending()) {
                (true, _) => (running + 1, pending),
                (false, true) => (running, pending + 1),
                (false, false) => (running, pending),
            },
        );
        let services = cluster.services.values().filter(|id| self.service_is_active(**id)).count();
        let mut view = json!({
            "clusterArn": self.cluster_arn(&cluster.name),
            "clusterName": cluster.name,
            "status": if cluster.active { "ACTIVE" } else { "INACTIVE" },
            "registeredContainerInstancesCount": cluster.instances.len(),
            "runningTasksCount": counts.0,
            "pendingTasksCount": counts.1,
            "activeServicesCount": services,
            "statistics": [],
            "tags": [],
            "settings": [],
            "capacityProviders": cluster.providers,
            "defaultCapacityProviderStrategy": cluster.default_strategy,
        });
        if let Some(members) = view.as_object_mut() {
            if include.contains(&"TAGS") {
                members.insert("tags".to_owned(), json!(cluster.tags));
            }
            if include.contains(&"SETTINGS") {
                members.insert("settings".to_owned(), json!(cluster.settings));
            }
            if let (true, Some(value)) =
                (include.contains(&"CONFIGURATIONS"), &cluster.configuration)
            {
                members.insert("configuration".to_owned(), value.clone());
            }
            if let Some(value) = &cluster.connect_defaults {
                members.insert("serviceConnectDefaults".to_owned(), value.clone());
            }
        }
        view
    }
}

/// Whether a name keeps the rule of aws.md §4.1 for families, services, clusters and containers.
pub(super) fn valid_name(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"_-".contains(&letter))
}

/// Adds the token of the next page to an answer.
pub(super) fn with_token(mut answer: Value, token: Option<String>) -> Value {
    if let (Some(members), Some(token)) = (answer.as_object_mut(), token) {
        members.insert("nextToken".to_owned(), Value::String(token));
    }
    answer
}
