//! `longshore promote`: let a rollout go on that waits.

use std::process::ExitCode;

use clap::Args;

use super::{Body, Subject, give};

/// Arguments of `promote`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// Which hook, where several wait: `longshore status` lists them.
    #[arg(long, value_name = "ID")]
    hook: Option<String>,
    /// Why, for the people who read it later.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let body = Body::default().text("hookId", arguments.hook).text("reason", arguments.reason);
    give(&arguments.subject, "promote", body).await
}
