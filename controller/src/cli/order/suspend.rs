//! `longshore suspend`: stop acting on a service for a while.

use std::process::ExitCode;

use clap::Args;
use crds::HumanDuration;

use super::{Body, Subject, give};

/// Arguments of `suspend`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// Why, for the people who read it later.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// For how long; without it until `longshore resume`.
    #[arg(long = "for", value_name = "DURATION")]
    expires_in: Option<HumanDuration>,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let body = Body::default()
        .text("reason", Some(arguments.reason))
        .text("expiresIn", arguments.expires_in.map(String::from));
    give(&arguments.subject, "suspend", body).await
}
