//! `longshore version`.

use std::process::ExitCode;

use clap::Args;

use super::{Output, output::say};

/// Arguments of `version`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "every verb has this form"
)]
pub(super) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let version = env!("CARGO_PKG_VERSION");
    match arguments.output {
        Output::Text => say!("longshore {version}"),
        Output::Json => say!("{}", serde_json::json!({ "version": version })),
    }
    Ok(ExitCode::SUCCESS)
}
