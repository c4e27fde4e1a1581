//! DescribeServices and `ListServices` (aws.md §2.6).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Ecs, arn,
    cluster::with_token,
    launch::resolved_platform,
    model::{Counts, Deployment, DeploymentStatus, RevisionNumber, Service, ServiceStatus},
    read_lag::Seen,
    refusal,
    rollout::CAPTURED,
};
use crate::{ApiError, clock::epoch, input, page::page};

impl Ecs {
    pub(super) fn describe_services(
        &self,
        request: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let cluster = self.cluster_of(request)?;
        let names = input::texts(request, "services");
        if names.is_empty() {
            return Err(refusal::invalid("Services cannot be empty."));
        }
        if names.len() > 10 {
            return Err(refusal::invalid("Up to 10 services can be described at once."));
        }
        let tags = input::texts(request, "include").contains(&"TAGS");
        let (mut services, mut failures) = (Vec::new(), Vec::new());
        for name in names {
            let found = cluster.services.get(arn::last_part(name));
            match found.and_then(|id| self.services.get(id)) {
                Some(service) => match self.read_lag.service(service, now) {
                    Seen::Now => services.push(self.service_view(service, tags, now)),
                    Seen::Before(before) => services.push(before.clone()),
                    Seen::Missing => failures.push(json!({
                        "arn": self.service_arn(&service.cluster, &service.name),
                        "reason": "MISSING",
                    })),
                },
                None => failures.push(json!({
                    "arn": self.service_arn(&cluster.name, arn::last_part(name)),
                    "reason": "MISSING",
                })),
            }
        }
        Ok(json!({"services": services, "failures": failures}))
    }

    pub(super) fn list_services(&self, request: &Value, now: Timestamp) -> Result<Value, ApiError> {
        let cluster = self.cluster_of(request)?;
        let wanted = |service: &Service, member: &str, default: &str| {
            input::text(request, member).is_none_or(|wanted| {
                service.settings.get(member).and_then(Value::as_str).unwrap_or(default) == wanted
            })
        };
        let arns: Vec<String> = cluster
            .services
            .values()
            .filter_map(|id| self.services.get(id))
            .filter(|service| match self.read_lag.service(service, now) {
                Seen::Now => service.status == ServiceStatus::Active,
                Seen::Before(before) => input::text(before, "status") == Some("ACTIVE"),
                Seen::Missing => false,
            })
            .filter(|service| wanted(service, "launchType", ""))
            .filter(|service| wanted(service, "schedulingStrategy", "REPLICA"))
            .filter(|service| wanted(service, "resourceManagementType", "CUSTOMER"))
            .map(|service| self.service_arn(&service.cluster, &service.name))
            .collect();
        let (arns, next) = page(arns, request, 10, 100)?;
        Ok(with_token(json!({"serviceArns": arns}), next))
    }

    /// Task counts of the deployments that have tasks or are shown.
    pub(super) fn counts_by_revision(&self, service: &Service) -> BTreeMap<RevisionNumber, Counts> {
        let mut counts: BTreeMap<RevisionNumber, Counts> = service
            .deployments
            .iter()
            .map(|one| (one.number, Counts { desired: one.desired, ..Counts::default() }))
            .collect();
        for task in service.tasks.iter().filter_map(|id| self.tasks.get(id)) {
            let Some((_, number)) = task.owner else { continue };
            let count = counts.entry(number).or_default();
            count.running += i64::from(task.is_running());
            count.pending += i64::from(task.is_pending());
        }
        counts
    }

    pub(super) fn service_view(&self, service: &Service, tags: bool, now: Timestamp) -> Value {
        let counts = self.counts_by_revision(service);
        let sum = |pick: fn(&Counts) -> i64| counts.values().map(pick).sum::<i64>();
        let mut view = service.settings.clone();
        for name in [
            "serviceConnectConfiguration",
            "volumeConfigurations",
            "vpcLatticeConfigurations",
            "gatewayConnectors",
            "monitoring",
            "role",
        ] {
            view.remove(name);
        }
        fill_service_defaults(&mut view, service.is_daemon());
        if let Some(Value::Object(configuration)) = view.get_mut("deploymentConfiguration") {
            fill_configuration(configuration, service.is_daemon());
        }
        fill_network(&mut view);
        fill_strategy(&mut view);
        let mut add = |name: &str, value: Value| view.insert(name.to_owned(), value);
        add("serviceArn", json!(self.service_arn(&service.cluster, &service.name)));
        add("serviceName", json!(service.name));
        add("clusterArn", json!(self.cluster_arn(&service.cluster)));
        add("status", json!(service.status.text()));
        add("desiredCount", json!(service.desired));
        add("runningCount", json!(sum(|one| one.running)));
        add("pendingCount", json!(sum(|one| one.pending)));
        add("createdAt", json!(epoch(service.created)));
        add("createdBy", json!(format!("arn:aws:iam::{}:user/sandbox", self.account)));
        let deployments: Vec<Value> = service
            .deployments
            .iter()
            .rev()
            .filter(|one| one.is_shown() && service.status != ServiceStatus::Inactive)
            .map(|one| {
                let mut shown = self.deployment_view(one, counts.get(&one.number).copied());
                if !service.shows_rollout_states() {
                    hide_rollout_state(&mut shown);
                }
                shown
            })
            .collect();
        add("deployments", Value::Array(primary_first(deployments)));
        let events: Vec<Value> = service
            .events
            .iter()
            .map(|one| json!({"id": one.id, "createdAt": epoch(one.when), "message": one.message}))
            .collect();
        add("events", Value::Array(events));
        if !service.settings.get("loadBalancers").is_none_or(|one| *one == json!([])) {
            let role = format!(
                "arn:aws:iam::{}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
                self.account
            );
            add("roleArn", json!(role));
        }
        if tags {
            add("tags", json!(service.tags));
        }
        if let Some(record) = service.open_record().filter(|record| record.visible <= now) {
            let arn = self.record_arn(&service.cluster, &service.name, &record.id);
            add("currentServiceDeployment", json!(arn));
        }
        let revisions: Vec<Value> = service
            .deployments
            .iter()
            .filter(|one| one.is_shown() && service.status == ServiceStatus::Active)
            .map(|one| {
                let count = counts.get(&one.number).copied().unwrap_or_default();
                json!({
                    "arn": self.revision_arn(&service.cluster, &service.name, one.number),
                    "requestedTaskCount": one.desired,
                    "runningTaskCount": count.running,
                    "pendingTaskCount": count.pending,
                })
            })
            .collect();
        add("currentServiceRevisions", Value::Array(revisions));
        self.rewrites.service(&mut view);
        Value::Object(view)
    }

    fn deployment_view(&self, deployment: &Deployment, counts: Option<Counts>) -> Value {
        let counts = counts.unwrap_or_default();
        let mut view = Map::new();
        for name in CAPTURED {
            let shown = !matches!(
                name,
                "loadBalancers"
                    | "serviceRegistries"
                    | "gatewayConnectors"
                    | "monitoring"
                    | "enableExecuteCommand"
            );
            if let Some(value) = deployment.captured.get(name).filter(|_| shown) {
                view.insert(name.to_owned(), value.clone());
            }
        }
        fill_network(&mut view);
        fill_strategy(&mut view);
        if is_fargate(&deployment.captured) {
            let version = view.get("platformVersion").and_then(Value::as_str).unwrap_or("LATEST");
            view.insert("platformVersion".to_owned(), json!(resolved_platform(version)));
            view.insert("platformFamily".to_owned(), json!("Linux"));
        }
        let mut add = |name: &str, value: Value| view.insert(name.to_owned(), value);
        add("id", json!(deployment.id()));
        add("status", json!(deployment.status.text()));
        add("taskDefinition", json!(self.definition_arn(&deployment.definition)));
        add("desiredCount", json!(deployment.desired));
        add("runningCount", json!(counts.running));
        add("pendingCount", json!(counts.pending));
        add("failedTasks", json!(deployment.breaker.failed_tasks));
        add("createdAt", json!(epoch(deployment.created)));
        add("updatedAt", json!(epoch(deployment.updated)));
        add("rolloutState", json!(deployment.rollout.text()));
        add("rolloutStateReason", json!(deployment.reason));
        self.rewrites.service(&mut view);
        Value::Object(view)
    }
}

impl Service {
    /// Whether `deployments[]` says how its roll-outs stand: with stages, and behind a Classic Load Balancer, only the
    /// records do (aws.md §3.1).
    fn shows_rollout_states(&self) -> bool {
        let balancers = self.settings.get("loadBalancers").and_then(Value::as_array);
        let is_classic = |one: &Value| input::present(one, "loadBalancerName").is_some();
        !self.is_progressive() && !balancers.into_iter().flatten().any(is_classic)
    }
}

fn hide_rollout_state(deployment: &mut Value) {
    if let Some(members) = deployment.as_object_mut() {
        members.remove("rolloutState");
        members.remove("rolloutStateReason");
    }
}

fn primary_first(mut deployments: Vec<Value>) -> Vec<Value> {
    deployments.sort_by_key(|one| input::text(one, "status") != Some("PRIMARY"));
    deployments
}

pub(super) fn is_fargate(settings: &Map<String, Value>) -> bool {
    let launch = super::launch::launch_of(&Value::Object(settings.clone()));
    launch.kind.as_deref() == Some("FARGATE")
}

/// What a bare service shows (aws.md §2.6.1).
fn fill_service_defaults(view: &mut Map<String, Value>, daemon: bool) {
    let defaults = [
        ("loadBalancers", json!([])),
        ("serviceRegistries", json!([])),
        ("placementConstraints", json!([])),
        ("placementStrategy", json!([])),
        ("deploymentConfiguration", json!({})),
        ("healthCheckGracePeriodSeconds", json!(0)),
        ("schedulingStrategy", json!("REPLICA")),
        ("deploymentController", json!({"type": "ECS"})),
        ("enableECSManagedTags", json!(false)),
        ("propagateTags", json!("NONE")),
        ("enableExecuteCommand", json!(false)),
        ("availabilityZoneRebalancing", json!(if daemon { "DISABLED" } else { "ENABLED" })),
        ("resourceManagementType", json!("CUSTOMER")),
    ];
    for (name, value) in defaults {
        view.entry(name).or_insert(value);
    }
    if is_fargate(view) {
        view.entry("platformVersion").or_insert_with(|| json!("LATEST"));
        view.insert("platformFamily".to_owned(), json!("Linux"));
    }
}

pub(super) fn fill_configuration(configuration: &mut Map<String, Value>, daemon: bool) {
    let (most, least) = if daemon { (100, 0) } else { (200, 100) };
    for (name, value) in [
        ("deploymentCircuitBreaker", json!({"enable": false, "rollback": false})),
        ("maximumPercent", json!(most)),
        ("minimumHealthyPercent", json!(least)),
        ("strategy", json!("ROLLING")),
        ("bakeTimeInMinutes", json!(0)),
    ] {
        configuration.entry(name).or_insert(value);
    }
}

fn fill_network(view: &mut Map<String, Value>) {
    let awsvpc = view
        .get_mut("networkConfiguration")
        .and_then(|network| network.get_mut("awsvpcConfiguration"))
        .and_then(Value::as_object_mut);
    if let Some(awsvpc) = awsvpc {
        awsvpc.entry("assignPublicIp").or_insert_with(|| json!("DISABLED"));
        awsvpc.entry("securityGroups").or_insert_with(|| json!([]));
    }
}

fn fill_strategy(view: &mut Map<String, Value>) {
    let strategy = view.get_mut("capacityProviderStrategy").and_then(Value::as_array_mut);
    for entry in strategy.into_iter().flatten().filter_map(Value::as_object_mut) {
        entry.entry("weight").or_insert_with(|| json!(0));
        entry.entry("base").or_insert_with(|| json!(0));
    }
}

impl ServiceStatus {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Draining => "DRAINING",
            Self::Inactive => "INACTIVE",
        }
    }
}

impl DeploymentStatus {
    fn text(self) -> &'static str {
        match self {
            Self::Primary => "PRIMARY",
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
        }
    }
}
