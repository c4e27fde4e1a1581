//! `longshore hold`: freeze a service as it is.

use std::process::ExitCode;

use clap::Args;

use super::{Body, Subject, give};

/// Arguments of `hold`.
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
    give(&arguments.subject, "hold", body).await
}
