//! A fleet: an operator, a source of specs, an embedded AWS.

mod application;
mod deeds;
mod host;
mod look;
mod releases;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use controller::aws::{Aws, ConnectOptions};
use controller::checks::Checks;
use controller::clock::Clock;
use controller::config::ConfiguredSource;
use controller::inventory::Inventory;
use controller::operator::{self, Operator, WatchedSource};
use controller::orders::Intake;
use controller::places::Places;
use controller::reconcile::Context;
use controller::references::{Outside, Referents, StateReader};
use controller::source::{Access, Snapshot, SourceError, SourceReader, Variables};
use controller::state::StateStore;
use controller::status_store::StatusStore;
use controller::triggers::EventQueue;
use crds::{
    DirectorySource, GitSource, S3Source, SourceLocation, SourceName, SyncPolicy, Target,
    TfstateName,
};
use sandbox::{Fixtures, Sandbox, SandboxTime};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// When every world begins.
const ORIGIN: &str = "2026-03-01T00:00:00Z";
/// The bucket of a fleet whose specs lie in S3.
const BUCKET: &str = "specs";
/// The prefix of the specs in it.
const PREFIX: &str = "fleet/";
/// The bucket of the Terraform state that every fleet may refer to, in fleets that have one.
const STATE_BUCKET: &str = "terraform";
/// The key of that state in it.
const STATE_KEY: &str = "shop.tfstate";
/// The folder of a state store in the directory of the specs, which no source reads.
const STATE_FOLDER: &str = ".state";
/// The prefix of a state store in it.
const STATE_PREFIX: &str = "state/";

/// What the doubles of the operator's readers answer with.
type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

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
    /// Where the specs lie.
    pub place: Place,
    /// How many revisions of each family stay registered.
    pub revisions: Option<NonZeroU32>,
    /// Where it is kept what people say.
    pub keep: Keep,
    /// How many services may roll tasks at a time.
    pub max_concurrent_rollouts: Option<NonZeroU32>,
    /// What answers the requests of checks.
    pub checks: Checks,
    /// The URL of the queue that AWS's events come from.
    pub events: Option<String>,
    /// How often the operator itself reads the source; by default only commits let it.
    pub watch: Option<Duration>,
    /// The cluster of the services that a story asks for by their names.
    pub cluster: &'static str,
    /// The Git repository whose tags releases follow; by default one that is made up of what stories say.
    pub application: Option<PathBuf>,
    /// The Git repository that releases write their versions to; by default they write to the directory of the specs.
    pub host: Option<GitSource>,
}

/// Where a fleet's state store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// In memory: it ends with the process.
    Memory,
    /// In a directory of this machine.
    Directory,
    /// Under `state/` in the bucket `specs` of the fleet's own AWS.
    Bucket,
}

/// Where the specs of a fleet lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a directory of this machine.
    Directory,
    /// Under `fleet/` in the bucket `specs` of the fleet's own AWS.
    Bucket,
}

impl Default for FleetOptions {
    fn default() -> Self {
        Self {
            fixtures: "clusters: [{name: shop}]\nlatency: 8ms\n".to_owned(),
            policy: SyncPolicy::default(),
            owner: "test".to_owned(),
            seed: 1,
            interval: Duration::from_mins(1),
            place: Place::Directory,
            revisions: None,
            keep: Keep::Memory,
            max_concurrent_rollouts: None,
            checks: Checks::default(),
            events: None,
            watch: None,
            cluster: "shop",
            application: None,
            host: None,
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
    reader: SourceReader,
    snapshot: Option<Arc<Snapshot>>,
    context: Context,
    operator: Arc<Operator>,
    git: releases::GitTags,
    running: Option<(JoinHandle<()>, CancellationToken)>,
}

/// The only source of a fleet.
fn source() -> SourceName {
    "fleet".parse().unwrap()
}

impl Fleet {
    /// A fleet whose operator runs and whose source is empty.
    pub async fn new() -> Self {
        Box::pin(Self::with(FleetOptions::default())).await
    }

    /// The same, set up otherwise.
    pub async fn with(options: FleetOptions) -> Self {
        let mut fixtures = Fixtures::from_yaml(&options.fixtures).unwrap();
        if fixtures.repositories.is_empty() {
            // Stories that are not about images roll out any; whether they exist may not be looked at there.
            fixtures.denied.push("ecr:DescribeImages".to_owned());
        }
        let sandbox = Sandbox::new(fixtures);
        if let Some(folder) = recordings() {
            std::fs::create_dir_all(&folder).unwrap();
            let name = format!("{}-{:016x}.jsonl", std::process::id(), fastrand::u64(..));
            sandbox.record_to(&folder.join(name)).unwrap();
        }
        let time = SandboxTime::new(ORIGIN.parse().unwrap(), 1.0);
        Box::pin(Self::on(sandbox, time, options)).await
    }

    /// Another operator on the same AWS.
    pub async fn beside(&self, options: FleetOptions) -> Self {
        Box::pin(Self::on(self.sandbox.clone(), self.time, options)).await
    }

    async fn on(sandbox: Sandbox, time: SandboxTime, options: FleetOptions) -> Self {
        let directory = TempDir::new().unwrap();
        let git = releases::GitTags::default();
        let (context, operator) =
            operator_on(&sandbox, time, (&options, &git), directory.path()).await;
        let reader = open(&context, &options, directory.path()).1;
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
            git,
            running: None,
        };
        fleet.launch();
        fleet
    }

    fn launch(&mut self) {
        let (operator, shutdown) = (Arc::clone(&self.operator), CancellationToken::new());
        let stop = shutdown.clone();
        let watched = self.options.watch.map(|_| {
            let (location, reader) = open(&self.context, &self.options, self.directory.path());
            let (name, policy) = (source(), self.options.policy.clone());
            WatchedSource { configured: ConfiguredSource { name, location, policy }, reader }
        });
        let sources: Vec<WatchedSource> = watched.into_iter().collect();
        let worker = tokio::spawn(async move { Box::pin(operator.run(sources, stop)).await });
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
        self.restart_unread().await;
        if let Some(snapshot) = &self.snapshot {
            operator::take(&self.context, self.operator.queue(), &source(), snapshot);
        }
    }

    /// Starts a new operator that knows nothing, and cannot reach its source before the next commit or fetch.
    pub async fn restart_unread(&mut self) {
        self.kill().await;
        let (context, operator) = operator_on(
            &self.sandbox,
            self.time,
            (&self.options, &self.git),
            self.directory.path(),
        )
        .await;
        self.statuses = context.statuses.clone();
        self.reader = open(&context, &self.options, self.directory.path()).1;
        (self.context, self.operator) = (context, operator);
        self.launch();
    }

    /// Reads the source; on an error the operator keeps what it has.
    pub async fn fetch(&mut self) -> Result<(), SourceError> {
        let snapshot = self.reader.fetch().await?;
        operator::take(&self.context, self.operator.queue(), &source(), &snapshot);
        self.snapshot = Some(snapshot);
        Ok(())
    }
}

impl Fleet {
    /// Where orders are taken in.
    fn intake(&self) -> Intake {
        Intake::new(self.context.clone(), self.operator.queue().clone())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if let Some((worker, _)) = self.running.take() {
            worker.abort();
        }
    }
}

/// The source's place and a reader of it.
fn open(
    context: &Context,
    options: &FleetOptions,
    directory: &Path,
) -> (SourceLocation, SourceReader) {
    let location = match options.place {
        Place::Directory => {
            SourceLocation::Directory(DirectorySource { path: directory.display().to_string() })
        }
        Place::Bucket => SourceLocation::S3(S3Source {
            bucket: BUCKET.to_owned(),
            prefix: PREFIX.to_owned(),
            interval: options.watch.map(|every| crds::HumanDuration::from_secs(every.as_secs())),
            ..S3Source::default()
        }),
    };
    let access = Access {
        s3: Some(context.aws.s3(None)),
        cache: directory.join(".cache"),
        variables: Variables::default(),
        read_secret: Arc::new(|_| Err("there are no secrets here".to_owned())),
    };
    let reader = SourceReader::open(&location, access).unwrap();
    (location, reader)
}

async fn operator_on(
    sandbox: &Sandbox,
    time: SandboxTime,
    (options, git): (&FleetOptions, &releases::GitTags),
    directory: &Path,
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
    let terraform = TfstateName::default();
    let inventory = Inventory::new(
        owner.clone(),
        Referents::new(indexmap::IndexMap::new(), [terraform.clone()]),
        [(source(), options.policy.clone())],
    );
    let stamp = clock.clone();
    let state = match options.keep {
        Keep::Memory => StateStore::in_memory(),
        Keep::Directory => StateStore::in_directory(directory.join(STATE_FOLDER)),
        Keep::Bucket => {
            StateStore::in_bucket(aws.s3(None), BUCKET.to_owned(), STATE_PREFIX.to_owned())
        }
    };
    let (bucket, key) = (STATE_BUCKET.to_owned(), STATE_KEY.to_owned());
    let terraform = StateReader::object(terraform, options.interval, aws.s3(None), bucket, key);
    let outside = Outside::new(aws.targets(), [terraform]);
    let context = Context {
        owner,
        aws,
        inventory: Arc::new(Mutex::new(inventory)),
        statuses: StatusStore::new(move || stamp.now()),
        state,
        clock,
        expectations: Arc::new(Mutex::new(HashMap::new())),
        refusals: Arc::default(),
        admission: controller::admission::Admission::default(),
        outside,
        places: Places::of(&[target(options)]),
        checks: options.checks.clone(),
        triggers: controller::triggers::Triggers::default(),
    };
    let events = options.events.clone().map(|url| EventQueue { url, target: None });
    let repositories = match &options.application {
        Some(repository) => application::repositories(repository, &directory.join(".cache")),
        None => git.repositories(),
    };
    let destinations = match &options.host {
        Some(repository) => host::destinations(repository, &directory.join(".cache")),
        None => git.destinations(directory),
    };
    let operator = Operator::new(context.clone(), options.interval, options.seed)
        .keeping(options.revisions)
        .following(repositories)
        .writing(destinations)
        .hearing(events);
    (context, Arc::new(operator))
}

fn target(options: &FleetOptions) -> Target {
    Target {
        name: crds::TargetName::default(),
        region: None,
        role_arn: None,
        external_id: None,
        max_concurrent_rollouts: options.max_concurrent_rollouts,
    }
}

/// Where the calls are recorded for the check against botocore's models, when `LONGSHORE_RECORD` names a folder.
#[allow(clippy::disallowed_methods, reason = "a switch for tests only")]
fn recordings() -> Option<PathBuf> {
    std::env::var("LONGSHORE_RECORD").ok().map(PathBuf::from)
}
