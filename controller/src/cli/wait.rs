//! `longshore wait`: blocks until services are as asked, by watching.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use crds::{HumanDuration, ObjectKey};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Output;
use super::client::{
    Client, ClientError, Happening, NameArgument, ServerArguments, ServiceView, SourceView,
};
use super::output::{json as print_json, say};

/// How long to wait before a stream that ended is opened again.
const AGAIN: Duration = Duration::from_secs(2);

/// Arguments of `wait`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Each NAME where one cluster has it, else CLUSTER/NAME or TARGET:CLUSTER/NAME.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<NameArgument>,
    /// What to wait for.
    #[arg(long = "for", value_enum, default_value_t = Goal::Ready)]
    goal: Goal,
    /// Only count what holds once the services' sources were read at this commit: its full id or the first characters.
    #[arg(long, value_parser = commit)]
    commit: Option<String>,
    /// Give up after this long; what is under way goes on.
    #[arg(long, default_value = "10m", value_name = "DURATION")]
    timeout: HumanDuration,
    #[command(flatten)]
    server: ServerArguments,
    /// How to print the outcome.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Goal {
    /// The newest spec is fully in force. Ends with 1 as soon as the service is stalled.
    Ready,
    /// AWS matches the spec. Ends with 1 as soon as the service is stalled.
    Synced,
    /// The wanted tasks run. Ends with 1 as soon as the service is stalled.
    Healthy,
    /// Nothing more will happen until a person or a new spec steps in.
    Stalled,
    /// The operator knows the service no more.
    Gone,
}

/// How one service stands to the goal.
enum Standing {
    Reached,
    /// It will not be reached by itself.
    Hopeless,
    Open,
}

/// A service that is waited for, as it was last seen.
struct Waited {
    key: ObjectKey,
    standing: Standing,
    sentence: String,
    service: Value,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let client = arguments.server.client()?;
    let mut waited = Vec::new();
    for name in &arguments.names {
        let is_gone = arguments.goal == Goal::Gone && name.candidates(&client).await?.is_empty();
        if !is_gone {
            waited.push(Waited::unseen(name.find(&client).await?));
        }
    }
    let deadline = Instant::now() + arguments.timeout.get();
    let ended = watch(&client, &arguments, &mut waited, deadline);
    let in_time = match tokio::time::timeout_at(deadline, ended).await {
        Ok(ended) => ended.map(|()| true)?,
        Err(_) => false,
    };
    report(&arguments, &waited, in_time)
}

fn report(arguments: &Arguments, waited: &[Waited], in_time: bool) -> anyhow::Result<ExitCode> {
    let reached = waited.iter().all(|it| matches!(it.standing, Standing::Reached));
    match arguments.output {
        Output::Json => {
            let services: Vec<&Value> = waited.iter().map(|it| &it.service).collect();
            print_json(&json!({ "reached": reached, "timedOut": !in_time, "services": services }))?;
        }
        Output::Text => {
            for it in waited {
                say!("{}", it.sentence);
            }
        }
    }
    if !in_time {
        anyhow::bail!("it was not so within {}", arguments.timeout);
    }
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Looks at every service, then again whenever it or a source has changed, until none is open.
async fn watch(
    client: &Client,
    arguments: &Arguments,
    waited: &mut [Waited],
    deadline: Instant,
) -> Result<(), ClientError> {
    loop {
        let ended = follow(client, arguments, waited).await;
        match ended {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) if error.may_pass() && waited.iter().any(Waited::is_seen) => {}
            Err(error) => return Err(error),
        }
        tokio::time::sleep_until(deadline.min(Instant::now() + AGAIN)).await;
    }
}

/// Follows one stream; `false` when it ended first.
async fn follow(
    client: &Client,
    arguments: &Arguments,
    waited: &mut [Waited],
) -> Result<bool, ClientError> {
    // Taken first: what changes after the first look is then told by the watch.
    let version = client.version().await?;
    let mut stream = client.watch(&version).await?;
    for it in waited.iter_mut() {
        it.look(client, arguments).await?;
    }
    while !is_decided(waited) {
        let Some(happening) = stream.next().await? else { return Ok(false) };
        let Happening::Event { name, data, .. } = happening else { continue };
        for it in waited.iter_mut() {
            let key = data.get("key").and_then(|key| client.read::<ObjectKey>(key).ok());
            if key.as_ref() == Some(&it.key) || matches!(name.as_str(), "source" | "resync") {
                it.look(client, arguments).await?;
            }
        }
    }
    Ok(true)
}

/// Whether waiting on would change nothing: all have reached the goal, or one cannot.
fn is_decided(waited: &[Waited]) -> bool {
    let is_hopeless = |it: &Waited| matches!(it.standing, Standing::Hopeless);
    waited.iter().any(is_hopeless)
        || waited.iter().all(|it| matches!(it.standing, Standing::Reached))
}

impl Waited {
    fn unseen(key: ObjectKey) -> Self {
        Self { key, standing: Standing::Open, sentence: String::new(), service: Value::Null }
    }

    fn is_seen(&self) -> bool {
        !self.sentence.is_empty()
    }

    async fn look(&mut self, client: &Client, arguments: &Arguments) -> Result<(), ClientError> {
        // The source before the service: then the service is shown with what that reading wants of it.
        let has_commit = match &arguments.commit {
            Some(commit) => self.has_commit(client, commit).await?,
            None => true,
        };
        match client.of_service(&self.key, "").await {
            Ok(service) => {
                let view: ServiceView = client.read(&service)?;
                self.standing =
                    if has_commit { standing(&view, arguments.goal) } else { Standing::Open };
                self.sentence = view.sentence();
                if !has_commit {
                    self.sentence.push_str(" (its source was not read at that commit yet)");
                }
                self.service = service;
            }
            Err(error) if error.is_not_found() => {
                self.sentence = format!("{} is gone", self.key);
                self.service = json!({ "key": self.key });
                self.standing = match arguments.goal {
                    Goal::Gone => Standing::Reached,
                    Goal::Ready | Goal::Synced | Goal::Healthy | Goal::Stalled => {
                        Standing::Hopeless
                    }
                };
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Whether the source of the service was last read at that commit.
    async fn has_commit(&mut self, client: &Client, commit: &str) -> Result<bool, ClientError> {
        if self.service.is_null() {
            self.service = client.of_service(&self.key, "").await?;
        }
        let answer = client.get("/api/v1/sources", &[]).await?;
        let sources = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let provenance = self.service.pointer("/provenance/source").and_then(Value::as_str);
        for source in &sources {
            let source: SourceView = client.read(source)?;
            if provenance.is_none_or(|name| name == source.name)
                && source.revision.is_some_and(|revision| revision.starts_with(commit))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn standing(service: &ServiceView, goal: Goal) -> Standing {
    let is_stalled = service.holding("Stalled").is_some();
    let is_reached = match goal {
        Goal::Ready => service.holding("Ready").is_some(),
        Goal::Synced => service.status.sync == "Synced",
        Goal::Healthy => service.status.health == "Healthy",
        Goal::Stalled => is_stalled,
        Goal::Gone => false,
    };
    if !service.is_current() {
        Standing::Open
    } else if is_reached {
        Standing::Reached
    } else if is_stalled && goal != Goal::Gone {
        Standing::Hopeless
    } else {
        Standing::Open
    }
}

fn commit(text: &str) -> Result<String, String> {
    let is_id = text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id
        .then(|| text.to_ascii_lowercase())
        .ok_or_else(|| "write at least seven hexadecimal digits of the commit's id".to_owned())
}
