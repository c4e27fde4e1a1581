//! `longshore events`: what happened, and with `--follow` what happens.

use std::collections::HashSet;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use crds::ObjectKey;
use serde_json::Value;

use super::Output;
use super::client::{
    Client, ClientError, EventView, Happening, NameArgument, ServerArguments, Stream, service_path,
};
use super::output::{json as print_json, say};

/// How long to wait before a stream that ended is opened again.
const AGAIN: Duration = Duration::from_secs(2);
/// The most events that the operator gives at once.
const LIMIT_MAX: u16 = 1000;

/// Arguments of `events`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only events of this service: NAME, CLUSTER/NAME or TARGET:CLUSTER/NAME. Default: of everything.
    name: Option<NameArgument>,
    /// How many at most.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Go on with what happens, until interrupted.
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    server: ServerArguments,
    /// How to print it; with --follow one JSON object a line.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let client = arguments.server.client()?;
    let key = match &arguments.name {
        Some(name) => Some(name.find(&client).await?),
        None => None,
    };
    // Taken first: what happens after the list is read is then told by the watch.
    let version = client.version().await?;
    let limit = if arguments.follow { LIMIT_MAX } else { arguments.limit };
    let answer = list(&client, key.as_ref(), limit).await?;
    if !arguments.follow && arguments.output == Output::Json {
        print_json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut told = HashSet::new();
    tell(&client, &answer, &mut told, (arguments.limit.into(), arguments.output))?;
    if arguments.follow {
        follow(&client, key.as_ref(), version, told, arguments.output).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(client: &Client, key: Option<&ObjectKey>, limit: u16) -> Result<Value, ClientError> {
    let limit = limit.to_string();
    match key {
        Some(key) => {
            let path = service_path(key, "/events");
            client.get(&path, &[("target", key.target.as_str()), ("limit", &limit)]).await
        }
        None => client.get("/api/v1/events", &[("limit", &limit)]).await,
    }
}

/// Prints the newest events that were not told yet, the oldest of them first.
fn tell(
    client: &Client,
    answer: &Value,
    told: &mut HashSet<EventView>,
    (newest, output): (usize, Output),
) -> anyhow::Result<()> {
    let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut seen = HashSet::new();
    for (age, item) in items.iter().enumerate().rev() {
        let event: EventView = client.read(item)?;
        if age < newest && !told.contains(&event) {
            match output {
                Output::Json => say!("{item}"),
                Output::Text => say!("{}", line(&event)),
            }
        }
        seen.insert(event);
    }
    *told = seen;
    Ok(())
}

fn line(event: &EventView) -> String {
    let EventView { time, kind, level, reason, message, .. } = event;
    let subject = match (&event.key, &event.source, &event.release) {
        (Some(key), _, _) => key.to_string(),
        (None, Some(source), _) => format!("source {source}"),
        (None, None, Some(release)) => format!("release {release}"),
        (None, None, None) => "operator".to_owned(),
    };
    let mark = if level == "warning" { "!" } else { " " };
    format!("{time} {mark} {subject:<24} {kind} {reason}: {message}")
}

/// Each change on the board, and each heartbeat, is a reason to ask for the newest events.
async fn follow(
    client: &Client,
    key: Option<&ObjectKey>,
    mut version: String,
    mut told: HashSet<EventView>,
    output: Output,
) -> anyhow::Result<()> {
    let mut stream = Some(client.watch(&version).await?);
    loop {
        while let Some(Ok(Some(happening))) = next(stream.as_mut()).await {
            match happening {
                Happening::Event { id: Some(id), .. } => version = id,
                // What comes before the first id was there before.
                Happening::Event { id: None, .. } => continue,
                Happening::Beat => {}
            }
            match list(client, key, LIMIT_MAX).await {
                Ok(answer) => tell(client, &answer, &mut told, (usize::MAX, output))?,
                // The service is gone; should it come back, what happens then is told.
                Err(error) if error.is_not_found() => {}
                Err(error) if error.may_pass() => break,
                Err(error) => return Err(error.into()),
            }
        }
        tokio::time::sleep(AGAIN).await;
        stream = match client.watch(&version).await {
            Ok(stream) => Some(stream),
            Err(error) if error.may_pass() => None,
            Err(error) => return Err(error.into()),
        };
    }
}

async fn next(stream: Option<&mut Stream>) -> Option<Result<Option<Happening>, ClientError>> {
    match stream {
        Some(stream) => Some(stream.next().await),
        None => None,
    }
}
