//! `longshore get`: the services, sources or releases of a running operator, as a table.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use crds::{ConditionStatus, ConditionType, ReleaseStatus};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Output;
use super::client::{Client, ServerArguments, ServiceView, SourceView, short};
use super::output::{json as print_json, say};
use super::table::Table;

/// Arguments of `get`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What to list.
    #[arg(value_enum)]
    what: What,
    /// Only services of this cluster.
    #[arg(long)]
    cluster: Option<String>,
    /// Only services with one of these: Synced, `OutOfSync`, Unknown; parted by commas.
    #[arg(long, value_name = "SYNC")]
    sync: Option<String>,
    /// Only services with one of these: Healthy, Progressing, Degraded, Suspended, Missing, Unknown; parted by commas.
    #[arg(long, value_name = "HEALTH")]
    health: Option<String>,
    /// Only services in whose name, labels, images, commit, file or reason each of these words occurs.
    #[arg(long, short, value_name = "WORDS")]
    query: Option<String>,
    #[command(flatten)]
    server: ServerArguments,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The services.
    #[value(alias = "service")]
    Services,
    /// The sources.
    #[value(alias = "source")]
    Sources,
    /// The releases.
    #[value(alias = "release")]
    Releases,
}

impl Arguments {
    fn is_filtered(&self) -> bool {
        self.cluster.is_some()
            || self.sync.is_some()
            || self.health.is_some()
            || self.query.is_some()
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let client = arguments.server.client()?;
    match arguments.what {
        What::Services => services(&client, &arguments).await?,
        What::Sources => {
            anyhow::ensure!(
                !arguments.is_filtered(),
                "sources take no filters; `get services` does"
            );
            sources(&client, arguments.output).await?;
        }
        What::Releases => {
            anyhow::ensure!(
                !arguments.is_filtered(),
                "releases take no filters; `get services` does"
            );
            releases(&client, arguments.output).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn services(client: &Client, arguments: &Arguments) -> anyhow::Result<()> {
    let given = |value: &Option<String>| value.clone().unwrap_or_default();
    let (cluster, sync) = (given(&arguments.cluster), given(&arguments.sync));
    let (health, words) = (given(&arguments.health), given(&arguments.query));
    let query = [("cluster", &*cluster), ("sync", &*sync), ("health", &*health), ("q", &*words)];
    let items = client.services(&query).await?;
    if arguments.output == Output::Json {
        let total = items.len();
        return print_json(&json!({ "items": items, "metadata": { "total": total } }));
    }
    if items.is_empty() {
        say!("no service matches");
        return Ok(());
    }
    let mut table = Table::new(&["SERVICE", "HEALTH", "SYNC", "TASKS", "REVISION", "REASON"]);
    for item in &items {
        table.row(service_row(&client.read(item)?));
    }
    say!("{table}");
    Ok(())
}

fn service_row(service: &ServiceView) -> [String; 6] {
    let status = &service.status;
    let tasks = status.rollout.as_ref().map(|it| format!("{}/{}", it.running, it.desired));
    [
        service.key.to_string(),
        status.health.clone(),
        status.sync.clone(),
        tasks.unwrap_or_default(),
        status.task_definition.clone().unwrap_or_default(),
        service.headline().map(|condition| condition.reason.clone()).unwrap_or_default(),
    ]
}

async fn sources(client: &Client, output: Output) -> anyhow::Result<()> {
    let answer = client.get("/api/v1/sources", &[]).await?;
    if output == Output::Json {
        return print_json(&answer);
    }
    let none = Vec::new();
    let items = answer.get("items").and_then(Value::as_array).unwrap_or(&none);
    let headings =
        ["SOURCE", "KIND", "REVISION", "READ AT", "SERVICES", "INVALID", "READY", "ERROR"];
    let mut table = Table::new(&headings);
    for item in items {
        let source: SourceView = client.read(item)?;
        let invalid = source.invalid.len();
        let ready = source.conditions.iter().find(|said| said.kind == "Ready");
        let ready = ready.map(|said| format!("{}: {}", said.status, said.reason));
        table.row([
            source.name,
            source.kind,
            source.revision.as_deref().map_or("unread", short).to_owned(),
            source.fetched_at.unwrap_or_default(),
            source.services.to_string(),
            if invalid > 0 { invalid.to_string() } else { String::new() },
            ready.unwrap_or_default(),
            source.error.unwrap_or_default(),
        ]);
    }
    say!("{table}");
    Ok(())
}

/// A release, as far as the table shows it.
#[derive(Debug, Deserialize)]
struct ReleaseRow {
    metadata: ReleaseName,
    services: Vec<Value>,
    status: ReleaseStatus,
}

#[derive(Debug, Deserialize)]
struct ReleaseName {
    name: String,
}

/// The commit of the chosen version, or why there is none.
fn written(status: &ReleaseStatus) -> String {
    let said = status.conditions.iter().find(|said| said.kind == ConditionType::WrittenBack);
    let commit = status.written.as_ref().and_then(|written| written.commit.as_deref());
    match (said, commit) {
        (None, _) => String::new(),
        (Some(said), Some(commit)) if said.status == ConditionStatus::True => {
            short(commit).to_owned()
        }
        (Some(said), None) if said.status == ConditionStatus::True => said.reason.to_string(),
        (Some(said), _) => format!("{}: {}", said.reason, said.message),
    }
}

async fn releases(client: &Client, output: Output) -> anyhow::Result<()> {
    let answer = client.get("/api/v1/releases", &[]).await?;
    if output == Output::Json {
        return print_json(&answer);
    }
    let none = Vec::new();
    let items = answer.get("items").and_then(Value::as_array).unwrap_or(&none);
    let headings =
        ["RELEASE", "VERSION", "SINCE", "SERVICES", "WAITING", "WRITTEN", "REASON", "MESSAGE"];
    let mut table = Table::new(&headings);
    for item in items {
        let ReleaseRow { metadata, services, status } = client.read(item)?;
        let chosen = status.chosen.as_ref();
        let said = status.conditions.first();
        let waiting: Vec<&str> = status.pending.iter().map(|it| it.tag.as_str()).collect();
        table.row([
            metadata.name,
            chosen.map_or("none", |chosen| &chosen.tag).to_owned(),
            chosen.map(|chosen| chosen.since.to_string()).unwrap_or_default(),
            services.len().to_string(),
            waiting.join(" "),
            written(&status),
            said.map(|said| said.reason.to_string()).unwrap_or_default(),
            said.map(|said| said.message.clone()).unwrap_or_default(),
        ]);
    }
    say!("{table}");
    Ok(())
}
