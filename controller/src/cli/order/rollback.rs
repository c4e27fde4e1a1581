//! `longshore rollback`: go back to a release that ended well.

use std::process::ExitCode;

use clap::Args;

use super::{Body, Subject, give};

/// Arguments of `rollback`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// Which release: its number in `longshore history`, or a task definition as `family:7`. Default: the last good one.
    #[arg(long, value_name = "RELEASE")]
    to: Option<String>,
    /// Why, for the people who read it later.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let body = Body::default().text("to", arguments.to).text("reason", arguments.reason);
    give(&arguments.subject, "rollback", body).await
}
