//! `longshore completions`: what a shell needs to complete verbs and options.

use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell; load the script as that shell documents it, for bash `source <(longshore completions bash)`.
    #[arg(value_enum)]
    shell: Shell,
}

#[allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "every verb has this form"
)]
pub(super) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "longshore", &mut script);
    // Written as it is: escapes belong to the script. A reader that has gone away is no error.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), &script);
    Ok(ExitCode::SUCCESS)
}
