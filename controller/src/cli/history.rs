//! `longshore history`: the last releases of one service.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::Output;
use super::client::{NameArgument, ReleaseView, ServerArguments, short};
use super::output::{json as print_json, say};
use super::table::Table;

/// Arguments of `history`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// NAME where one cluster has it, else CLUSTER/NAME or TARGET:CLUSTER/NAME.
    name: NameArgument,
    #[command(flatten)]
    server: ServerArguments,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let client = arguments.server.client()?;
    let key = arguments.name.find(&client).await?;
    let answer = client.of_service(&key, "/history").await?;
    if arguments.output == Output::Json {
        print_json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    if items.is_empty() {
        say!("nothing of {key} has been rolled out yet");
        return Ok(ExitCode::SUCCESS);
    }
    let headings = ["STARTED", "RELEASE", "REVISION", "OUTCOME", "COMMIT", "SOURCE", "REASON"];
    let mut table = Table::new(&headings);
    for item in &items {
        let release: ReleaseView = client.read(item)?;
        table.row([
            release.started_at.unwrap_or_default(),
            release.id.unwrap_or_default(),
            release.task_definition.unwrap_or_default(),
            release.outcome.unwrap_or_default(),
            release.commit.as_deref().map(short).unwrap_or_default().to_owned(),
            release.source.unwrap_or_default(),
            release.reason.unwrap_or_default(),
        ]);
    }
    say!("{table}");
    Ok(ExitCode::SUCCESS)
}
