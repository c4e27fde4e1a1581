//! `longshore sandbox`: the embedded AWS, for any AWS client on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{connect, run};

/// Arguments of `sandbox`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where it is served; loopback only.
    #[arg(long, default_value = "127.0.0.1:4510", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// A sandbox.yaml: clusters, images and how they fail, parameters, faults.
    #[arg(long, value_name = "FILE")]
    fixtures: Option<PathBuf>,
    /// How many times as fast as real time its clock runs.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    time_scale: f64,
    /// Write every call and its answer into this file, one JSON object a line; what was in it is lost.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let embedded = connect::embedded(arguments.fixtures.as_deref(), arguments.time_scale)?;
    if let Some(path) = &arguments.record {
        embedded
            .sandbox
            .record_to(path)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let shutdown = CancellationToken::new();
    let listener = listen(arguments.listen).await?;
    let (served, ()) =
        tokio::join!(serve(embedded, listener, shutdown.clone()), run::until_signal(shutdown));
    served?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the port; loopback only, because no signature is checked.
pub(super) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    if !address.ip().is_loopback() {
        bail!("cannot serve the sandbox on {address}: it checks no signatures, so loopback only");
    }
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Serves the embedded AWS until `shutdown`.
pub(super) async fn serve(
    embedded: connect::Embedded,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    tracing::info!(address = %listener.local_addr()?, "serving the embedded AWS");
    let stop = async move { shutdown.cancelled().await };
    embedded.sandbox.serve(listener, embedded.time, stop).await.context("the sandbox failed")
}
