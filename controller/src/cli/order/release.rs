//! `longshore release`: clear holds, so that the spec is tried once more.

use std::process::ExitCode;

use clap::Args;

use super::{Body, Subject, give};

/// Arguments of `release`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// Only if this is the hash of the spec in force.
    #[arg(long = "spec", value_name = "HASH")]
    spec_hash: Option<String>,
    /// Why, for the people who read it later.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let body =
        Body::default().text("specHash", arguments.spec_hash).text("reason", arguments.reason);
    give(&arguments.subject, "release", body).await
}
