//! `longshore diff`: what a running operator would do to one service, field by field.

use std::process::ExitCode;

use clap::Args;

use super::Output;
use super::client::{NameArgument, ServerArguments};
use super::output::{Report, json as print_json, say};
use crate::planned::PlannedService;

/// Arguments of `diff`.
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
    let answer = client.of_service(&key, "/diff").await?;
    let planned: PlannedService = client.read(&answer)?;
    let report = Report { services: vec![planned], invalid: Vec::new() };
    match arguments.output {
        Output::Json => print_json(&answer)?,
        Output::Text => say!("{report}"),
    }
    Ok(report.exit_code())
}
