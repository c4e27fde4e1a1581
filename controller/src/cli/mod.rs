//! The command line: a file per verb. Exit codes: 0 ok, 1 error, 2 "there are differences".

mod apply;
mod client;
mod completions;
mod connect;
mod diff;
mod events;
mod get;
mod history;
mod import;
mod order;
mod output;
mod plan;
mod render;
mod run;
mod sandbox;
mod schema;
mod status;
mod table;
mod validate;
mod version;
mod wait;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{Config, ConfigError, SourceOptions};

pub use schema::files as schema_files;

/// A GitOps operator for Amazon ECS.
#[derive(Debug, Parser)]
#[command(
    name = "longshore",
    version,
    about = "A GitOps operator for Amazon ECS",
    propagate_version = true
)]
struct Cli {
    /// How logs are written to standard error.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// What is logged: a level, or directives as `longshore=debug,warn`.
    #[arg(long, global = true, env = "LONGSHORE_LOG")]
    log: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// Text for people.
    Text,
    /// JSON for programs.
    Json,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the operator: watch the sources, roll out what changes, serve the status.
    Run(run::Arguments),
    /// Print what `run` would do, field by field; exits 2 when there is something to do.
    Plan(plan::Arguments),
    /// Make one pass, wait for the rollouts, say how they ended.
    Apply(apply::Arguments),
    /// Check specs offline; needs no credentials.
    Validate(validate::Arguments),
    /// Print specs as they are used, references resolved; needs credentials only for values that lie in AWS.
    Render(render::Arguments),
    /// List the services or sources of a running operator.
    Get(get::Arguments),
    /// Say what is wrong with a service, or what runs.
    Status(status::Arguments),
    /// Wait until services are ready, or something else; exits 0 when they are, 1 when they are not.
    Wait(wait::Arguments),
    /// List the last releases of a service.
    History(history::Arguments),
    /// List what happened; with --follow go on with what happens.
    Events(events::Arguments),
    /// Print what a running operator would do to a service; exits 2 when there is something to do.
    Diff(diff::Arguments),
    /// Let a spec go that waits for a person, and look now.
    Sync(order::sync::Arguments),
    /// Go back to a release that ended well.
    Rollback(order::rollback::Arguments),
    /// Freeze a service as it is.
    Hold(order::hold::Arguments),
    /// Clear holds, so that the spec is tried once more.
    Release(order::release::Arguments),
    /// Stop acting on a service for a while.
    Suspend(order::suspend::Arguments),
    /// End a suspension.
    Resume(order::resume::Arguments),
    /// Approve the spec in force.
    Approve(order::approve::Arguments),
    /// Let a rollout go on that waits.
    Promote(order::promote::Arguments),
    /// Stop the rollout under way and go back.
    Abort(order::abort::Arguments),
    /// Replace all tasks by new ones of the same revision.
    Restart(order::restart::Arguments),
    /// Print a shell's completion script.
    Completions(completions::Arguments),
    /// Write specs of running services, or of other tools' files, whose first plan changes tags only.
    Import(import::Arguments),
    /// Print or write the JSON Schema and CRDs of every kind.
    Schema(schema::Arguments),
    /// Serve the embedded AWS on loopback.
    Sandbox(sandbox::Arguments),
    /// Print the version.
    Version(version::Arguments),
}

/// Where specs come from.
#[derive(Debug, Clone, Args)]
struct SourceArguments {
    /// A directory, a Git URL or bare repository, or `s3://bucket/prefix`.
    #[arg(long, required_unless_present = "config", conflicts_with = "config")]
    source: Option<String>,
    /// A file with the `Controller` object.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The branch of a Git source. Default: the one that its HEAD names.
    #[arg(long, requires = "source")]
    branch: Option<String>,
    /// The folder in a Git source that holds the specs.
    #[arg(long, requires = "source")]
    path: Option<String>,
}

impl SourceArguments {
    fn config(&self) -> Result<Config, ConfigError> {
        match (&self.config, &self.source) {
            (Some(file), _) => Config::read(file),
            (None, Some(source)) => Config::for_source(
                source,
                &SourceOptions { branch: self.branch.clone(), path: self.path.clone() },
            ),
            (None, None) => Err(ConfigError::Invalid("give --source or --config".to_owned())),
        }
    }
}

/// Which AWS is talked to.
#[derive(Debug, Clone, Args)]
struct AwsArguments {
    /// Use the embedded AWS instead of an account, with the fixtures of FILE if one is given.
    #[arg(long, value_name = "FILE")]
    #[allow(
        clippy::option_option,
        reason = "absent, without a file, with a file: clap's form of that"
    )]
    sandbox: Option<Option<PathBuf>>,
    /// With --sandbox: how many times as fast as real time its clock runs.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, requires = "sandbox")]
    time_scale: f64,
}

/// Reads the command line and runs the verb.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    crate::telemetry::start(cli.log_format == LogFormat::Json, cli.log.as_deref());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async {
        match cli.verb {
            Verb::Run(arguments) => Box::pin(run::run(arguments)).await,
            Verb::Plan(arguments) => Box::pin(plan::run(arguments)).await,
            Verb::Apply(arguments) => Box::pin(apply::run(arguments)).await,
            Verb::Validate(arguments) => validate::run(arguments).await,
            Verb::Render(arguments) => Box::pin(render::run(arguments)).await,
            Verb::Get(arguments) => get::run(arguments).await,
            Verb::Status(arguments) => status::run(arguments).await,
            Verb::Wait(arguments) => wait::run(arguments).await,
            Verb::History(arguments) => history::run(arguments).await,
            Verb::Events(arguments) => events::run(arguments).await,
            Verb::Diff(arguments) => diff::run(arguments).await,
            Verb::Sync(arguments) => order::sync::run(arguments).await,
            Verb::Rollback(arguments) => order::rollback::run(arguments).await,
            Verb::Hold(arguments) => order::hold::run(arguments).await,
            Verb::Release(arguments) => order::release::run(arguments).await,
            Verb::Suspend(arguments) => order::suspend::run(arguments).await,
            Verb::Resume(arguments) => order::resume::run(arguments).await,
            Verb::Approve(arguments) => order::approve::run(arguments).await,
            Verb::Promote(arguments) => order::promote::run(arguments).await,
            Verb::Abort(arguments) => order::abort::run(arguments).await,
            Verb::Restart(arguments) => order::restart::run(arguments).await,
            Verb::Completions(arguments) => completions::run(arguments),
            Verb::Import(arguments) => Box::pin(import::run(arguments)).await,
            Verb::Schema(arguments) => schema::run(arguments),
            Verb::Sandbox(arguments) => sandbox::run(arguments).await,
            Verb::Version(arguments) => version::run(arguments),
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
