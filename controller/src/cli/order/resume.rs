//! `longshore resume`: end a suspension.

use std::process::ExitCode;

use clap::Args;

use super::{Body, Subject, give};

/// Arguments of `resume`.
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
    give(&arguments.subject, "resume", body).await
}
