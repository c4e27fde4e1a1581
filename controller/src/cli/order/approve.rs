//! `longshore approve`: approve the spec in force.

use std::process::ExitCode;

use clap::Args;
use crds::HumanDuration;

use super::{Body, Subject, give};

/// Arguments of `approve`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// Only if this is the hash of the spec in force.
    #[arg(long = "spec", value_name = "HASH")]
    spec_hash: Option<String>,
    /// For how long the approval counts. Default: 24h.
    #[arg(long = "for", value_name = "DURATION")]
    expires_in: Option<HumanDuration>,
    /// Why, for the people who read it later.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let body = Body::default()
        .text("specHash", arguments.spec_hash)
        .text("expiresIn", arguments.expires_in.map(String::from))
        .text("reason", arguments.reason);
    give(&arguments.subject, "approve", body).await
}
