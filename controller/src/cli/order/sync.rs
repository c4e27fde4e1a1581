//! `longshore sync`: look now, and let a spec go that waits for a person.

use std::process::ExitCode;

use clap::Args;

use super::{Body, Subject, give};

/// Arguments of `sync`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// Delete and create the service where ECS cannot change it in place.
    #[arg(long)]
    replace: bool,
    /// Confirm the deletion of this service, which the prune brake holds.
    #[arg(long)]
    prune: bool,
    /// Let the spec in force go outside of its windows as well.
    #[arg(long)]
    now: bool,
    /// Only if this is the hash of the spec in force.
    #[arg(long = "spec", value_name = "HASH")]
    spec_hash: Option<String>,
    /// Why, for the people who read it later.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(in crate::cli) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let body = Body::default()
        .flag("replace", arguments.replace)
        .flag("prune", arguments.prune)
        .flag("now", arguments.now)
        .text("specHash", arguments.spec_hash)
        .text("reason", arguments.reason);
    give(&arguments.subject, "sync", body).await
}
