//! The hands: everything that touches the world, and the binary `longshore`.
//!
//! A turn is told in [`reconcile`]; everything else here serves it.

pub mod admission;
pub mod apply;
pub mod aws;
pub mod checks;
pub mod cli;
pub mod clock;
pub mod config;
pub mod explain;
pub mod hooks;
pub mod http;
pub mod import;
pub mod inventory;
pub mod manifest;
pub mod observe;
pub mod operator;
pub mod orders;
pub mod places;
pub mod planned;
pub mod preflight;
pub mod queue;
pub mod reconcile;
pub mod references;
pub mod releases;
pub mod retention;
pub mod scaling;
pub mod source;
pub mod state;
pub mod status_store;
mod telemetry;
pub mod triggers;
mod waiting;
pub mod webhooks;

/// An error with its causes, on one line.
pub fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
