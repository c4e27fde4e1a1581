//! `longshore restart`: replace all tasks by new ones of the same revision.

use std::process::ExitCode;

use clap::Args;

use super::{Body, Subject, give};

/// Arguments of `restart`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// Why, for the people who read it later.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let body = Body::default().text("reason", arguments.reason);
    give(&arguments.subject, "restart", body).await
}
