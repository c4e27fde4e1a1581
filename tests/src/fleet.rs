//! A fleet: an operator, a directory of specs, an embedded AWS.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use controller::aws::{Aws, ConnectOptions};
use controller::clock::Clock;
use controller::inventory::Inventory;
use controller::operator::{self, Operator};
use controller::reconcile::Context;
use controller::source::{DirectoryReader, Snapshot, SourceError};
use controller::status_store::{ServiceObject, StatusStore};
use crds::{
    ConditionType, DirectorySource, ObjectKey, Reason, ServiceStatus, SourceName, SyncPolicy,
};
use jiff::Timestamp;
use planner::Plan;
use sandbox::{Fixtures, Sandbox, SandboxTime, ServiceView};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// When every world begins.
const ORIGIN: &str = "2026-03-01T00:00:00Z";
/// The longest that a story waits for something, in the world's time.
const PATIENCE: Duration = Duration::from_hours(2);
/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);

/// How a fleet is set up.
#[derive(Debug, Clone)]
pub struct FleetOptions {
    /// `sandbox.yaml` of its AWS.
    pub fixtures: String,
    /// The source's policy.
    pub policy: SyncPolicy,
    /// The operator's identity.
    pub owner: String,
    /// Decides all jitter.
    pub seed: u64,
    /// How often everything is compared with AWS.
    pub interval: Duration,
}

impl Default for FleetOptions {
    fn default() -> Self {
        Self {
            fixtures: "clusters: [{name: shop}]\nlatency: 8ms\n".to_owned(),
            policy: SyncPolicy::default(),
            owner: "test".to_owned(),
            seed: 1,
            interval: Duration::from_mins(1),
        }
    }
}

/// An operator with its source and its AWS.
pub struct Fleet {
    /// The AWS.
    pub sandbox: Sandbox,
    /// What the operator says.
    pub statuses: StatusStore,
    options: FleetOptions,
    time: SandboxTime,
    directory: TempDir,
    reader: DirectoryReader,
    snapshot: Option<Arc<Snapshot>>,
    context: Context,
    operator: Arc<Operator>,
    running: Option<(JoinHandle<()>, CancellationToken)>,
}

/// The only source of a fleet.
fn source() -> SourceName {
    "fleet".parse().unwrap()
}

impl Fleet {
    /// A fleet whose operator runs and whose source is empty.
    pub async fn new() -> Self {
        Self::with(FleetOptions::default()).await
    }

    /// The same, set up otherwise.
    pub async fn with(options: FleetOptions) -> Self {
        let sandbox = Sandbox::new(Fixtures::from_yaml(&options.fixtures).unwrap());
        if let Some(folder) = recordings() {
            std::fs::create_dir_all(&folder).unwrap();
            let name = format!("{}-{:016x}.jsonl", std::process::id(), fastrand::u64(..));
            sandbox.record_to(&folder.join(name)).unwrap();
        }
        let time = SandboxTime::new(ORIGIN.parse().unwrap(), 1.0);
        Self::on(sandbox, time, options).await
    }

    /// Another operator on the same AWS.
    pub async fn beside(&self, options: FleetOptions) -> Self {
        Self::on(self.sandbox.clone(), self.time, options).await
    }

    async fn on(sandbox: Sandbox, time: SandboxTime, options: FleetOptions) -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().display().to_string();
        let reader = DirectoryReader::new(&DirectorySource { path });
        let (context, operator) = operator_on(&sandbox, time, &options).await;
        let statuses = context.statuses.clone();
        let mut fleet = Self {
            sandbox,
            statuses,
            options,
            time,
            directory,
            reader,
            snapshot: None,
            context,
            operator,
            running: None,
        };
        fleet.launch();
        fleet
    }

    fn launch(&mut self) {
        let (operator, shutdown) = (Arc::clone(&self.operator), CancellationToken::new());
        let stop = shutdown.clone();
        let worker = tokio::spawn(async move { operator.run(Vec::new(), stop).await });
        self.running = Some((worker, shutdown));
    }

    /// Ends the operator between two instants: nothing is finished, nothing is said.
    pub async fn kill(&mut self) {
        if let Some((worker, _)) = self.running.take() {
            worker.abort();
            let _ = worker.await;
        }
    }

    /// Ends the operator in order.
    pub async fn stop(&mut self) {
        if let Some((worker, shutdown)) = self.running.take() {
            shutdown.cancel();
            worker.await.unwrap();
        }
    }

    /// Starts a new operator that knows nothing but the source's last snapshot.
    pub async fn restart(&mut self) {
        self.kill().await;
        let (context, operator) = operator_on(&self.sandbox, self.time, &self.options).await;
        self.statuses = context.statuses.clone();
        (self.context, self.operator) = (context, operator);
        if let Some(snapshot) = &self.snapshot {
            operator::take(&self.context, self.operator.queue(), &source(), snapshot);
        }
        self.launch();
    }

    /// The world's time.
    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// Writes files and lets the operator see them; an empty text removes the file.
    pub async fn commit_files(&mut self, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path: PathBuf = self.directory.path().join(name);
            if text.is_empty() {
                std::fs::remove_file(path).unwrap();
            } else {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
        }
        self.fetch().await.unwrap();
    }

    /// Writes each spec into a file of its name.
    pub async fn commit(&mut self, specs: &[Value]) {
        let files: Vec<(String, String)> = specs
            .iter()
            .map(|spec| {
                let name = spec["metadata"]["name"].as_str().unwrap();
                (format!("{name}.json"), serde_json::to_string_pretty(spec).unwrap())
            })
            .collect();
        let files: Vec<(&str, &str)> =
            files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        self.commit_files(&files).await;
    }

    /// Removes the files of these specs.
    pub async fn remove(&mut self, names: &[&str]) {
        let files: Vec<String> = names.iter().map(|name| format!("{name}.json")).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|name| (name.as_str(), "")).collect();
        self.commit_files(&files).await;
    }

    /// Reads the source; on an error the operator keeps what it has.
    pub async fn fetch(&mut self) -> Result<(), SourceError> {
        let snapshot = self.reader.fetch().await?;
        operator::take(&self.context, self.operator.queue(), &source(), &snapshot);
        self.snapshot = Some(snapshot);
        Ok(())
    }

    /// The folder of the source.
    pub fn folder(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Lets the world go on.
    pub async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// The key of a service of the cluster `shop`.
    pub fn key(name: &str) -> ObjectKey {
        ObjectKey {
            target: crds::TargetName::default(),
            cluster: "shop".parse().unwrap(),
            name: name.parse().unwrap(),
        }
    }

    /// What the operator says of a service.
    pub fn object(&self, name: &str) -> Option<Arc<ServiceObject>> {
        self.statuses.service(&Self::key(name))
    }

    /// The status of a service.
    pub fn status(&self, name: &str) -> ServiceStatus {
        self.object(name).unwrap_or_else(|| panic!("no status of {name}")).status.clone()
    }

    /// The reason of the condition that speaks first: `Stalled`, `Reconciling`, else `Ready`.
    pub fn reason(&self, name: &str) -> Reason {
        self.object(name).unwrap().headline().unwrap().reason
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

    /// Waits until a service is ready.
    pub async fn until_ready(&self, name: &str) {
        self.until(&format!("{name} ready"), |fleet| {
            fleet.object(name).is_some_and(|object| object.status.is_ready())
        })
        .await;
    }

    /// Waits until a service is stalled for a reason.
    pub async fn until_stalled(&self, name: &str, reason: Reason) {
        self.until(&format!("{name} stalled: {reason}"), |fleet| {
            fleet.object(name).is_some_and(|object| {
                object.status.condition(ConditionType::Stalled).is_some_and(|condition| {
                    condition.status == crds::ConditionStatus::True && condition.reason == reason
                })
            })
        })
        .await;
    }

    /// The service as AWS has it.
    pub fn service(&self, name: &str) -> Option<ServiceView> {
        self.sandbox.look(self.now(), |region| region.service("shop", name))
    }

    /// The image that the service's settings name, of its first container.
    pub fn image(&self, name: &str) -> String {
        let service = self.service(name).unwrap_or_else(|| panic!("no service {name}"));
        let answer = self.console(
            "DescribeTaskDefinition",
            serde_json::json!({ "taskDefinition": service.task_definition }),
        );
        answer["taskDefinition"]["containerDefinitions"][0]["image"].as_str().unwrap().to_owned()
    }

    /// How many revisions of a family exist, whatever their state.
    pub fn revisions(&self, family: &str) -> usize {
        self.sandbox
            .look(self.now(), |region| region.task_definitions())
            .iter()
            .filter(|revision| revision.family == family)
            .count()
    }

    /// Calls ECS as somebody at the console would.
    pub fn console(&self, operation: &str, input: Value) -> Value {
        self.sandbox
            .call(self.now(), "ecs", operation, input)
            .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    }

    /// How many calls that change something there were since `mark`, by operation.
    pub fn changes_since(&self, mark: usize) -> Vec<String> {
        self.sandbox
            .calls_since(mark)
            .into_iter()
            .map(|call| call.operation)
            .filter(|operation| {
                !operation.starts_with("Describe")
                    && !operation.starts_with("List")
                    && !operation.starts_with("Get")
            })
            .collect()
    }

    /// What a turn would do for a service now, without doing it.
    pub async fn plan(&self, name: &str) -> Plan {
        controller::reconcile::plan_key(&self.context, &Self::key(name)).await.unwrap()
    }

    /// Everything that explains a story that does not go on.
    pub fn describe(&self) -> String {
        let mut text = format!("at {}\n", self.now());
        for object in self.statuses.services() {
            text += &format!("{}: {:#?}\n", object.key, object.status.conditions);
            if let Some(service) = self.service(object.key.name.as_str()) {
                text += &format!("{service:#?}\n");
            }
        }
        let calls = self.sandbox.calls();
        for call in calls.iter().skip(calls.len().saturating_sub(30)) {
            text += &format!("{} {} {}\n", call.time, call.operation, call.status);
        }
        text
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if let Some((worker, _)) = self.running.take() {
            worker.abort();
        }
    }
}

async fn operator_on(
    sandbox: &Sandbox,
    time: SandboxTime,
    options: &FleetOptions,
) -> (Context, Arc<Operator>) {
    let clock = Clock::virtual_from(time.now());
    let connect = ConnectOptions {
        region: Some("eu-west-1".to_owned()),
        clock: clock.clone(),
        seed: options.seed,
        ..ConnectOptions::in_process(sandbox.http_client(time))
    };
    let aws = Aws::connect(&[], connect).await.unwrap();
    let owner: crds::OwnerName = options.owner.parse().unwrap();
    let inventory = Inventory::new(
        owner.clone(),
        indexmap::IndexMap::new(),
        [(source(), options.policy.clone())],
    );
    let stamp = clock.clone();
    let context = Context {
        owner,
        aws,
        inventory: Arc::new(Mutex::new(inventory)),
        statuses: StatusStore::new(move || stamp.now()),
        clock,
        expectations: Arc::new(Mutex::new(HashMap::new())),
    };
    let operator = Operator::new(context.clone(), options.interval, options.seed);
    (context, Arc::new(operator))
}

/// Where the calls are recorded for the check against botocore's models, when `LONGSHORE_RECORD` names a folder.
#[allow(clippy::disallowed_methods, reason = "a switch for tests only")]
fn recordings() -> Option<PathBuf> {
    std::env::var("LONGSHORE_RECORD").ok().map(PathBuf::from)
}
