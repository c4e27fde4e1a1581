//! Serves a sandbox on loopback: `serve <port> [sandbox.yaml] [time scale]`.

use std::{error::Error, future::pending};

use sandbox::{Fixtures, Sandbox, SandboxTime};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().unwrap_or_else(|| "4566".to_owned()).parse()?;
    let fixtures = match arguments.next() {
        Some(path) => Fixtures::from_yaml(&std::fs::read_to_string(path)?)?,
        None => Fixtures::default(),
    };
    let scale: f64 = arguments.next().map_or(Ok(1.0), |scale| scale.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let start = "2026-01-01T00:00:00Z".parse()?;
    Sandbox::new(fixtures).serve(listener, SandboxTime::new(start, scale), pending()).await?;
    Ok(())
}
