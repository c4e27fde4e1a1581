//! A server on a free port with a board that tests fill, and the program that is run against it.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use controller::aws::{Aws, ConnectOptions, Meter};
use controller::clock::Clock;
use controller::http::{self, Access, Holder, Metrics, ReadSecret, Reads, State, TokenAccess};
use controller::inventory::Inventory;
use controller::orders::Intake;
use controller::queue::Queue;
use controller::reconcile::Context;
use controller::source::{self, SourceReader, Variables};
use controller::state::StateStore;
use controller::status_store::{ServiceObject, SourceKind, SourceObject, SpecText, StatusStore};
use crds::{DirectorySource, ObjectKey, SourceLocation, SourceName, SourceRevision, SyncPolicy};
use sandbox::{Fixtures, Sandbox, SandboxTime};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

/// How long one run of the program may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server and what it shows.
pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) statuses: StatusStore,
    pub(crate) context: Context,
    shutdown: CancellationToken,
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub(crate) fn source() -> SourceName {
    "fleet".parse().unwrap()
}

pub(crate) fn key(text: &str) -> ObjectKey {
    let (target, rest) = text.split_once(':').unwrap_or(("default", text));
    let (cluster, name) = rest.split_once('/').unwrap();
    ObjectKey {
        target: target.parse().unwrap(),
        cluster: cluster.parse().unwrap(),
        name: name.parse().unwrap(),
    }
}

/// A service whose condition `kind` holds for a reason.
pub(crate) fn object(name: &str, (kind, reason): (&str, &str), generation: u64) -> ServiceObject {
    let key = key(name);
    let hash = "ab".repeat(32);
    let is_ready = kind == "Ready";
    let time = "2026-11-18T20:00:00Z";
    let attempt =
        json!({"source": "fleet", "commit": "9f3c2ab41d7e5a60", "specHash": hash, "time": time});
    let condition = |kind: &str, holds: bool| {
        json!({"type": kind, "status": if holds { "True" } else { "False" }, "reason": reason,
            "message": "1 of 2 tasks run", "observedGeneration": generation, "lastTransitionTime": time})
    };
    let status = json!({
        "observedGeneration": generation,
        "sync": if is_ready { "Synced" } else { "OutOfSync" },
        "health": match kind { "Ready" => "Healthy", "Stalled" => "Degraded", _ => "Progressing" },
        "lastAttempted": attempt, "lastApplied": attempt, "taskDefinition": "shop-web:7", "history": [attempt],
        "images": [{"container": "app", "repository": "host.example/web", "tag": "1.2.3"}],
        "rollout": {"id": "ecs-svc/1", "strategy": "ROLLING", "stage": "COMPLETED", "running": 1, "desired": 2,
            "pending": 1, "failed": 0, "startedAt": time},
        "holds": if kind == "Stalled" { json!([{"reason": reason, "message": "it is held"}]) } else { json!([]) },
        "conditions": [condition("Ready", is_ready), condition("Reconciling", kind == "Reconciling"),
            condition("Stalled", kind == "Stalled")],
    });
    let metadata = json!({"name": key.name.as_str()});
    let provenance = json!({"source": "fleet", "revision": "9f3c", "file": "web.yaml", "line": 1});
    ServiceObject {
        metadata: serde_json::from_value(metadata).unwrap(),
        provenance: serde_json::from_value(provenance).unwrap(),
        spec: Arc::new(SpecText::from(&json!({"cluster": key.cluster.as_str()}))),
        status: serde_json::from_value(status).unwrap(),
        invalid: Vec::new(),
        key,
    }
}

pub(crate) fn ready(name: &str) -> ServiceObject {
    object(name, ("Ready", "RolloutSucceeded"), 1)
}

/// The spec of the service `shop/web`, with that many tasks.
pub(crate) fn spec(count: u32) -> String {
    format!(
        "apiVersion: longshore.dev/v1alpha1\nkind: Service\nmetadata: {{name: web}}\nspec:\n  cluster: shop\n  taskDefinition:\n    cpu: \"256\"\n    memory: \"512\"\n    networkMode: awsvpc\n    requiresCompatibilities: [FARGATE]\n    executionRoleArn: arn:aws:iam::111122223333:role/x\n    containerDefinitions:\n      - name: app\n        image: ${{var:image}}\n        portMappings: [{{containerPort: 8080}}]\n  service:\n    launchType: FARGATE\n    desiredCount: {count}\n    networkConfiguration: {{awsvpcConfiguration: {{subnets: [subnet-1], securityGroups: [sg-1]}}}}\n"
    )
}

impl World {
    /// A server that anybody on loopback may read.
    pub(crate) async fn new() -> Self {
        Self::with(Access::Loopback, |router| router).await
    }

    /// A server that wants a token.
    pub(crate) async fn guarded(token: &'static str) -> Self {
        let read: ReadSecret = Arc::new(move || Ok(token.to_owned()));
        let access = TokenAccess::new(vec![Holder { name: "ci".into(), may_order: true, read }]);
        let access = access.unwrap();
        Self::with(Access::Token(Arc::new(access)), |router| router).await
    }

    /// A server with more or other paths.
    pub(crate) async fn with(access: Access, change: impl FnOnce(Router) -> Router) -> Self {
        let statuses = StatusStore::new(|| Clock::System.now());
        let sandbox = Sandbox::new(Fixtures::from_yaml("clusters: [{name: shop}]").unwrap());
        let time = SandboxTime::new(Clock::System.now(), 1.0);
        let options = ConnectOptions::in_process(sandbox.http_client(time));
        let owner: crds::OwnerName = "test".parse().unwrap();
        let vars: indexmap::IndexMap<String, String> =
            [("image".to_owned(), "host.example/web:1.2.3".to_owned())].into_iter().collect();
        let sources = [(source(), SyncPolicy::default())];
        let context = Context {
            owner: owner.clone(),
            aws: Aws::connect(&[], options).await.unwrap(),
            inventory: Arc::new(Mutex::new(Inventory::new(owner, vars, sources))),
            statuses: statuses.clone(),
            state: StateStore::in_memory(),
            clock: Clock::System,
            expectations: Arc::default(),
            refusals: Arc::default(),
            admission: controller::admission::Admission::default(),
            outside: controller::references::Outside::default(),
            places: controller::places::Places::default(),
            checks: controller::checks::Checks::default(),
        };
        let queue = Queue::new(1);
        let metrics = Metrics::new(statuses.clone(), Meter::default(), queue.clone(), "1.2.3");
        let state = State {
            store: statuses.clone(),
            orders: Some(Intake::new(context.clone(), queue)),
            metrics,
            access,
            reads: Some(Reads::new(context.clone())),
            owner: "test".to_owned(),
            version: "1.2.3",
        };
        let shutdown = CancellationToken::new();
        let router = change(http::router(state, shutdown.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = shutdown.clone().cancelled_owned();
        tokio::spawn(async move {
            axum::serve(listener, router).with_graceful_shutdown(stop).await.unwrap();
        });
        Self { url, statuses, context, shutdown }
    }

    /// Takes a spec of `shop/web` into the inventory, as if the source had been read.
    pub(crate) async fn commit(&self, text: &str) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("web.yaml"), text).unwrap();
        let place = DirectorySource { path: folder.path().display().to_string() };
        let access = source::Access {
            s3: None,
            cache: folder.path().join(".cache"),
            variables: Variables::default(),
            read_secret: Arc::new(|_| Err("there are no secrets here".to_owned())),
        };
        let mut reader = SourceReader::open(&SourceLocation::Directory(place), access).unwrap();
        let snapshot = reader.fetch().await.unwrap();
        self.context.inventory().update(&source(), &snapshot);
    }

    /// Says that the source was read at a commit.
    pub(crate) fn read_source(&self, commit: &str) {
        let source = SourceObject {
            revision: Some(SourceRevision::new(commit)),
            fetched_at: Some(Clock::System.now()),
            ..SourceObject::unread(source(), SourceKind::Git, "https://example.com/fleet.git")
        };
        self.statuses.publish_source(source);
    }

    /// Runs the program against this server.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, &[]).await
    }

    pub(crate) async fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
        let mut all = vec![("LONGSHORE_SERVER", self.url.as_str())];
        all.extend(variables);
        run_with(arguments, &all).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

pub(crate) fn program(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command.args(arguments).env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

pub(crate) async fn run_with(arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let output = tokio::time::timeout(PATIENCE, program(arguments, variables).output());
    let output = output.await.unwrap_or_else(|_| panic!("{arguments:?} does not end")).unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
