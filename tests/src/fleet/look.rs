//! What a story sees of its fleet: the world as AWS has it, and what the operator says.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use controller::import::{self, Adopt, Report};
use controller::status_store::{EventKind, ServiceObject};
use crds::{
    Condition, ConditionStatus, ConditionType, ObjectKey, PastRelease, Reason, ServiceStatus,
};
use jiff::Timestamp;
use planner::Plan;
use sandbox::{CallRecord, Region, ServiceView};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Fleet;

/// The longest that a story waits for something, in the world's time.
const PATIENCE: Duration = Duration::from_hours(2);
/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);

impl Fleet {
    /// The world's time.
    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// The folder of the source.
    pub fn folder(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// The key of a service of the cluster `shop`.
    pub fn key(name: &str) -> ObjectKey {
        ObjectKey {
            target: crds::TargetName::default(),
            cluster: "shop".parse().unwrap(),
            name: name.parse().unwrap(),
        }
    }

    /// The key of a service of the fleet's own cluster.
    pub fn key_of(&self, name: &str) -> ObjectKey {
        ObjectKey { cluster: self.options.cluster.parse().unwrap(), ..Self::key(name) }
    }

    /// Specs of the services of the cluster `shop`, for this fleet's operator.
    pub async fn import(&self, adopt: Adopt) -> Report {
        let options = import::Options {
            owner: self.context.owner.clone(),
            target: crds::TargetName::default(),
            cluster: "shop".parse().unwrap(),
            services: Vec::new(),
            adopt,
            vars: indexmap::IndexMap::new(),
        };
        let account = self.context.aws.account(&options.target).unwrap();
        import::cluster(account, &options, self.now()).await.unwrap()
    }

    /// What the operator says of a service.
    pub fn object(&self, name: &str) -> Option<Arc<ServiceObject>> {
        self.statuses.service(&self.key_of(name))
    }

    /// The status of a service.
    pub fn status(&self, name: &str) -> ServiceStatus {
        self.object(name).unwrap_or_else(|| panic!("no status of {name}")).status.clone()
    }

    /// What the references of the spec in force were replaced by.
    pub fn references(&self, name: &str) -> Vec<controller::references::ToldReference> {
        self.context.inventory().references_of(&self.key_of(name))
    }

    /// The condition `Ready` of a service.
    pub fn ready(&self, name: &str) -> Condition {
        self.status(name).condition(ConditionType::Ready).unwrap().clone()
    }

    /// Why differences of a service are not acted on.
    pub fn holds(&self, name: &str) -> Vec<Reason> {
        self.status(name).holds.iter().map(|hold| hold.reason).collect()
    }

    /// Waits until something is so.
    ///
    /// # Panics
    /// When it is not so within two hours of the world's time.
    pub async fn until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        while !is_so(self) {
            assert!(started.elapsed() < PATIENCE, "never: {what}\n{}", self.describe());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until something is so, and says how long that took, to a tenth of a second.
    ///
    /// # Panics
    /// When it is not so within two hours of the world's time.
    pub async fn takes(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) -> Duration {
        let started = Instant::now();
        while !is_so(self) {
            assert!(started.elapsed() < PATIENCE, "never: {what}\n{}", self.describe());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        started.elapsed()
    }

    /// Whether a service is ready for the newest spec that the inventory has.
    pub fn is_ready(&self, name: &str) -> bool {
        let Some(object) = self.object(name) else { return false };
        let wanted = self.context.inventory().wanted(&self.key_of(name));
        let controller::inventory::Wanted::Spec { generation, .. } = wanted else { return false };
        object.status.is_ready() && object.status.observed_generation == generation
    }

    /// Waits until a service is ready.
    pub async fn until_ready(&self, name: &str) {
        self.until(&format!("{name} ready"), |fleet| fleet.is_ready(name)).await;
    }

    /// Waits until a service is stalled for a reason.
    pub async fn until_stalled(&self, name: &str, reason: Reason) {
        self.until(&format!("{name} stalled: {reason}"), |fleet| {
            fleet.object(name).is_some_and(|object| {
                object.status.condition(ConditionType::Stalled).is_some_and(|condition| {
                    condition.status == ConditionStatus::True && condition.reason == reason
                })
            })
        })
        .await;
    }

    /// Waits until a service is not ready for a reason.
    pub async fn until_unready(&self, name: &str, reason: Reason) {
        self.until(&format!("{name} not ready: {reason}"), |fleet| {
            fleet.object(name).is_some_and(|object| {
                object.status.condition(ConditionType::Ready).is_some_and(|condition| {
                    condition.status != ConditionStatus::True && condition.reason == reason
                })
            })
        })
        .await;
    }

    /// The service as AWS has it.
    pub fn service(&self, name: &str) -> Option<ServiceView> {
        self.sandbox.look(self.now(), |region| region.service(self.options.cluster, name))
    }

    /// The service as AWS has it, unless it is deleted or being deleted.
    pub fn living(&self, name: &str) -> Option<ServiceView> {
        self.service(name).filter(|service| service.status == "ACTIVE")
    }

    /// The statuses of the service's rollouts, newest first.
    pub fn rollouts(&self, name: &str) -> Vec<String> {
        self.service(name).unwrap_or_else(|| panic!("no service {name}")).records
    }

    /// The value of a tag of a service.
    pub fn tag(&self, name: &str, key: &str) -> Option<String> {
        let service = self.service(name).unwrap_or_else(|| panic!("no service {name}"));
        let tag = service.tags.iter().find(|tag| tag["key"] == json!(key))?;
        tag["value"].as_str().map(str::to_owned)
    }

    /// The task definition that the service's settings name.
    pub fn definition(&self, name: &str) -> Value {
        let service = self.service(name).unwrap_or_else(|| panic!("no service {name}"));
        self.console("DescribeTaskDefinition", json!({ "taskDefinition": service.task_definition }))
            ["taskDefinition"]
            .clone()
    }

    /// The image that the service's settings name, of its first container.
    pub fn image(&self, name: &str) -> String {
        self.definition(name)["containerDefinitions"][0]["image"].as_str().unwrap().to_owned()
    }

    /// How many revisions of a family exist, whatever their state.
    pub fn revisions(&self, family: &str) -> usize {
        self.sandbox
            .look(self.now(), Region::task_definitions)
            .iter()
            .filter(|revision| revision.family == family)
            .count()
    }

    /// The calls since `mark` that ask for a change, refused ones included, by operation.
    pub fn changes_since(&self, mark: usize) -> Vec<String> {
        self.calls_that_change(mark).into_iter().map(|call| call.operation).collect()
    }

    /// The calls since `mark` that ask for a change, refused ones included. What is taken out of a queue changes nothing.
    pub fn calls_that_change(&self, mark: usize) -> Vec<CallRecord> {
        let is_plumbing = |api: &str| ["s3", "sqs"].contains(&api);
        self.sandbox.calls_of(mark, |api, operation| !is_plumbing(api) && !is_read(operation))
    }

    /// What a turn would do for a service now, without doing it.
    pub async fn plan(&self, name: &str) -> Plan {
        self.plan_key(&self.key_of(name)).await
    }

    /// The same for a service of any cluster.
    pub async fn plan_key(&self, key: &ObjectKey) -> Plan {
        controller::reconcile::plan_key(&self.context, key).await.unwrap()
    }

    /// The hash of the spec that is in force.
    pub fn spec_hash(&self, name: &str) -> crds::SpecHash {
        match self.context.inventory().wanted(&self.key_of(name)) {
            controller::inventory::Wanted::Spec { entry, .. } => entry.desired.spec_hash.clone(),
            other @ (controller::inventory::Wanted::Blocked { .. }
            | controller::inventory::Wanted::Gone) => panic!("{name} has no spec: {other:?}"),
        }
    }

    /// The releases that are written down of a service, newest first.
    pub async fn past(&self, name: &str) -> Vec<PastRelease> {
        self.intake().record(&self.key_of(name)).await.unwrap().past.clone()
    }

    /// What was told of the orders about a service, oldest first.
    pub fn told(&self, name: &str) -> Vec<String> {
        let mut events = self.statuses.events_of(&self.key_of(name), 1000);
        events.retain(|event| event.kind == EventKind::Action);
        events.iter().rev().map(|event| format!("{}: {}", event.reason, event.message)).collect()
    }

    /// What is wrong in the source's files.
    pub fn invalid(&self) -> Vec<String> {
        let source = super::source();
        self.context.inventory().invalid(&source).iter().map(ToString::to_string).collect()
    }

    /// Everything that explains a story that does not go on.
    pub fn describe(&self) -> String {
        let mut text = format!("at {}\n", self.now());
        for object in self.statuses.services() {
            let _ = writeln!(text, "{}: {:#?}", object.key, object.status.conditions);
            if let Some(service) = self.service(object.key.name.as_str()) {
                let _ = writeln!(text, "{service:#?}");
            }
        }
        let calls = self.sandbox.calls();
        for call in calls.iter().skip(calls.len().saturating_sub(30)) {
            let _ = writeln!(text, "{} {} {}", call.time, call.operation, call.status);
        }
        text
    }
}

fn is_read(operation: &str) -> bool {
    ["Describe", "List", "Get", "BatchGet"].iter().any(|verb| operation.starts_with(verb))
}
