//! Logs: one line an event, to standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// Starts logging. Directives that cannot be read are reported and replaced by the default.
pub(crate) fn start(json: bool, directives: Option<&str>) {
    let default = || EnvFilter::new("info,aws_config=warn,aws_smithy_runtime=warn,hyper=warn");
    let filter = match directives.map(EnvFilter::try_new) {
        Some(Ok(filter)) => filter,
        Some(Err(error)) => {
            eprintln!("warning: cannot read log directives: {error}");
            default()
        }
        None => default(),
    };
    let subscriber = fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let result =
        if json { subscriber.json().try_init() } else { subscriber.with_target(false).try_init() };
    if let Err(error) = result {
        eprintln!("warning: logging is already started: {error}");
    }
}
