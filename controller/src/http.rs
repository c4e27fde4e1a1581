//! The status server: what is running, why, and what is wrong, for people and for programs.
//!
//! What comes in: the status board, the metrics, who may read, and who may give orders. What leaves: JSON, server-sent
//! events, metrics and pages, each drawn from one moment of the board; and orders, which the intake writes down. What must
//! hold: nothing but a POST with a token in its header changes anything outside this server, nothing is kept that the board
//! does not have, every request and every stream ends, and no page loads anything from elsewhere.

mod api;
mod assets;
mod auth;
mod badge;
mod bind;
mod discovery;
mod guard;
pub mod metrics;
mod openapi;
mod orders;
mod page;
mod params;
mod problem;
mod reads;
mod releases;
mod router;
mod serve;
mod watch;
mod webhooks;
mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::orders::Intake;
use crate::status_store::StatusStore;
use crate::webhooks::Webhooks;
pub use auth::{Access, Holder, ReadSecret, TokenAccess};
pub use bind::{BindError, Bound, bind};
pub use metrics::Metrics;
pub use reads::Reads;
pub use router::router;
pub use serve::serve;

/// How many watchers there may be at once: each holds a connection and a place in memory.
const WATCHERS_MAX: usize = 128;

/// What the server serves, and to whom.
#[derive(Debug, Clone)]
pub struct State {
    /// The status board.
    pub store: StatusStore,
    /// Where orders are taken in; without it none are.
    pub orders: Option<Intake>,
    /// The counts.
    pub metrics: Metrics,
    /// Who may read.
    pub access: Access,
    /// The webhooks that there are.
    pub webhooks: Webhooks,
    /// What reads the inventory and AWS for those who ask; without it, what needs them is refused.
    pub reads: Option<Reads>,
    /// The operator's name: `metadata.name` of its `Controller`.
    pub owner: String,
    /// The operator's version.
    pub version: &'static str,
}

/// The state with what the server itself needs, shared by all requests.
#[derive(Debug, Clone)]
struct App(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: State,
    watchers: Arc<Semaphore>,
    shutdown: CancellationToken,
}

impl App {
    fn new(state: State, shutdown: CancellationToken) -> Self {
        let watchers = Arc::new(Semaphore::new(WATCHERS_MAX));
        Self(Arc::new(Shared { state, watchers, shutdown }))
    }

    fn store(&self) -> &StatusStore {
        &self.0.state.store
    }
}
