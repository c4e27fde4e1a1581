//! `longshore run`: the operator, with its status server.

use std::process::ExitCode;

use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{AwsArguments, SourceArguments, connect};
use crate::http;
use crate::operator::Operator;
use crate::orders::Intake;
use crate::webhooks::Webhooks;

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    aws: AwsArguments,
    /// Where the status is served. Default: the configuration's, or 127.0.0.1:8080.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// With --sandbox: also serve the embedded AWS here, so that any AWS client can look at it.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "sandbox")]
    sandbox_listen: Option<std::net::SocketAddr>,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut config = arguments.source.config()?;
    if arguments.listen.is_some() {
        config.http.listen.clone_from(&arguments.listen);
    }
    let connection = connect::aws(&config, &arguments.aws).await?;
    let sources = connect::sources(&config, &connection.aws)?;
    let context = connect::context(&config, &connection)?;
    let shutdown = CancellationToken::new();
    let sandbox_listener = match arguments.sandbox_listen {
        Some(address) => Some(super::sandbox::listen(address).await?),
        None => None,
    };
    let server = http::bind(&config.http, crate::config::read_secret).await?;
    tracing::info!(address = %server.address, owner = %config.owner, "serving status");
    if config.state.is_none() {
        tracing::warn!(
            "what people say (holds, suspensions, approvals) is kept in memory and forgotten when this process ends; \
             set `spec.state` to keep it"
        );
    }
    let operator = Operator::new(context.clone(), config.interval, fastrand::u64(..))
        .keeping(config.revisions)
        .following(connect::repositories(&config))
        .hearing(config.events.clone());
    let triggers = context.triggers.clone();
    let webhooks = Webhooks::new(&config.webhooks, triggers, crate::config::read_secret);
    let state = http::State {
        store: context.statuses.clone(),
        orders: Some(Intake::new(context.clone(), operator.queue().clone())),
        metrics: operator.metrics().clone(),
        access: server.access,
        webhooks: webhooks.map_err(anyhow::Error::msg)?,
        reads: Some(http::Reads::new(context)),
        owner: config.owner.to_string(),
        version: env!("CARGO_PKG_VERSION"),
    };
    let serving = http::serve(server.listener, state, shutdown.clone());
    let sandbox = serve_sandbox(connection.sandbox, sandbox_listener, shutdown.clone());
    let ((), (), sandboxed, ()) = tokio::join!(
        until_signal(shutdown.clone()),
        serving,
        sandbox,
        operator.run(sources, shutdown)
    );
    sandboxed?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

async fn serve_sandbox(
    embedded: Option<connect::Embedded>,
    listener: Option<TcpListener>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (Some(embedded), Some(listener)) = (embedded, listener) else { return Ok(()) };
    super::sandbox::serve(embedded, listener, shutdown).await
}

/// Cancels at the first SIGINT or SIGTERM; the second one ends the process at once.
pub(super) async fn until_signal(shutdown: CancellationToken) {
    signal().await;
    tracing::info!("stopping: turns under way are finished first");
    shutdown.cancel();
    tokio::spawn(async {
        signal().await;
        std::process::exit(130);
    });
}

async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
