//! Amazon ECS: clusters, task definitions, services that roll, and the tasks they run.
//!
//! Everything that takes time is an event on the [`Agenda`]; [`Ecs::advance`] runs the events that are due, so a call
//! costs what happened since the last one, never what exists.

mod agenda;
mod arn;
mod breaker;
mod capacity;
mod chronicle;
mod cluster;
mod colours;
mod create;
mod definition;
mod definition_rules;
mod delete;
mod describe;
mod failure;
mod failures;
mod health;
mod history;
mod hooks;
mod launch;
mod look;
mod model;
mod normal;
mod notices;
mod placement;
mod read_lag;
mod refusal;
mod rewrite;
mod rollback;
mod rollout;
mod scaled;
mod scheduler;
mod service_rules;
mod stages;
mod stop;
mod tags;
mod tally;
mod targets;
mod task;
mod task_steps;
mod tasks_api;
#[cfg(test)]
mod tests;
mod update;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::Value;

use self::{
    agenda::{Agenda, Event},
    cluster::Cluster,
    definition::Family,
    model::{Service, ServiceId},
    notices::Notice,
    read_lag::ReadLag,
    rewrite::Rewrites,
    task::{Task, TaskId},
    tasks_api::TokenAnswer,
};
use crate::{ApiError, Fixtures, fixtures::Timings, images::ImageBook};

pub(crate) use self::{
    colours::TrafficShift,
    targets::{TargetChange, TargetChangeKind},
};

/// What tasks find outside ECS when they start.
pub(crate) trait Surroundings {
    /// Whether the parameter or secret of a `valueFrom` can be read.
    fn secret_exists(&self, value_from: &str) -> bool;
    /// What the registry answers for an image; `None` if it is none of ours.
    fn image(&self, reference: &str) -> Option<RegistryAnswer>;
    /// The target groups and weights of a listener's rule, or of a listener; `None` if it is none of ours.
    fn weights(&self, rule_or_listener: &str) -> Option<Vec<(String, u32)>>;
}

/// What a registry of ours says about an image reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RegistryAnswer {
    /// The digest it stands for.
    Digest(String),
    /// There is no such image.
    Missing,
}

/// ECS of one account in one Region.
pub(crate) struct Ecs {
    account: String,
    region: String,
    rng: fastrand::Rng,
    timings: Timings,
    images: ImageBook,
    strict_secrets: bool,
    clusters: BTreeMap<String, Cluster>,
    families: BTreeMap<String, Family>,
    services: BTreeMap<ServiceId, Service>,
    tasks: BTreeMap<TaskId, Task>,
    task_ids: HashMap<String, TaskId>,
    /// The alarms that are in ALARM.
    alarms: BTreeSet<String>,
    agenda: Agenda,
    read_lag: ReadLag,
    rewrites: Rewrites,
    /// Answers to `RunTask` by client token.
    tokens: HashMap<String, TokenAnswer>,
    target_changes: Vec<TargetChange>,
    shifts: Vec<TrafficShift>,
    /// Whether anybody hears what ECS tells, and what it has told.
    tells: bool,
    notices: Vec<Notice>,
    /// Services that wait for room on an instance.
    waiting: BTreeSet<ServiceId>,
    last_id: u64,
}

impl Ecs {
    pub(crate) fn new(account: &str, region: &str, seed: u64, fixtures: &Fixtures) -> Self {
        let mut ecs = Self {
            account: account.to_owned(),
            region: region.to_owned(),
            rng: fastrand::Rng::with_seed(seed),
            timings: fixtures.timings.clone(),
            images: ImageBook::new(fixtures.images.clone(), fixtures.strict_images),
            strict_secrets: fixtures.strict_secrets,
            clusters: BTreeMap::new(),
            families: BTreeMap::new(),
            services: BTreeMap::new(),
            tasks: BTreeMap::new(),
            task_ids: HashMap::new(),
            alarms: BTreeSet::new(),
            agenda: Agenda::default(),
            read_lag: ReadLag::new(fixtures.read_lag),
            rewrites: Rewrites::new(fixtures.rewrites, account, region),
            tokens: HashMap::new(),
            target_changes: Vec::new(),
            shifts: Vec::new(),
            tells: fixtures.events.is_some(),
            notices: Vec::new(),
            waiting: BTreeSet::new(),
            last_id: 0,
        };
        for cluster in &fixtures.clusters {
            ecs.add_cluster(cluster);
        }
        ecs
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Runs every event that is due, each at its own time.
    pub(crate) fn advance(&mut self, now: Timestamp, around: &dyn Surroundings) {
        while let Some((when, event)) = self.agenda.next_due(now) {
            match event {
                Event::Turn(service) => self.turn(service, when),
                Event::Task { task, epoch, step } => {
                    self.task_step(task, epoch, step, when, around);
                }
                Event::DeploymentBegins { service, record } => {
                    self.deployment_begins(service, &record, when, around);
                }
                Event::RecordStops { service, record } => self.record_stops(service, &record, when),
                Event::RollbackBegins { service, record } => {
                    self.rollback_begins(service, &record, when);
                }
                Event::SteadyAgain { service, epoch } => self.steady_again(service, epoch, when),
                Event::Forget(task) => self.forget_task(task),
            }
        }
    }

    /// Answers one call; due events have been run.
    pub(crate) fn call(
        &mut self,
        operation: &str,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        match operation {
            "CreateCluster" => self.create_cluster(input),
            "DescribeClusters" => Ok(self.describe_clusters(input)),
            "ListClusters" => self.list_clusters(input),
            "RegisterTaskDefinition" => self.register_task_definition(input, now),
            "DescribeTaskDefinition" => self.describe_task_definition(input),
            "ListTaskDefinitions" => self.list_task_definitions(input, now),
            "ListTaskDefinitionFamilies" => self.list_task_definition_families(input),
            "DeregisterTaskDefinition" => self.deregister_task_definition(input, now),
            "DeleteTaskDefinitions" => self.delete_task_definitions(input, now),
            "CreateService" => self.create_service(input, now),
            "UpdateService" => self.update_service(input, now),
            "DeleteService" => self.delete_service(input, now),
            "DescribeServices" => self.describe_services(input, now),
            "ListServices" => self.list_services(input, now),
            "ListServiceDeployments" => self.list_service_deployments(input, now),
            "DescribeServiceDeployments" => self.describe_service_deployments(input, now),
            "ContinueServiceDeployment" => self.continue_service_deployment(input, now),
            "StopServiceDeployment" => self.stop_service_deployment(input, now),
            "ListTasks" => self.list_tasks(input),
            "DescribeTasks" => self.describe_tasks(input),
            "RunTask" => self.run_task(input, now),
            "StopTask" => self.stop_task_call(input, now),
            "TagResource" => self.tag_resource(input),
            "UntagResource" => self.untag_resource(input),
            "ListTagsForResource" => self.list_tags(input),
            "DeleteCluster" => self.delete_cluster(input),
            "PutClusterCapacityProviders" => self.put_capacity_providers(input),
            "DescribeCapacityProviders" => Ok(self.describe_capacity_providers(input)),
            "DescribeServiceRevisions" => self.describe_service_revisions(input),
            _ => Err(ApiError::refused(
                "UnknownOperationException",
                format!("The sandbox does not know the ECS operation {operation}."),
            )),
        }
    }
}
