//! Following the board: where a watcher starts, what it is told, and what happens when it is too slow.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crds::{ObjectKey, SourceName};
use tokio::sync::broadcast::{self, error::RecvError};

use super::{ServiceObject, SourceObject, StatusStore};

/// A moment of one board: `epoch` tells boards apart, `number` grows with each visible change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Which board: a new one is drawn at each start of the operator.
    pub epoch: u64,
    /// How many visible changes it had seen.
    pub number: u64,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.epoch, self.number)
    }
}

impl FromStr for Version {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.split_once('-')
            .and_then(|(epoch, number)| {
                let epoch = u64::from_str_radix(epoch, 16).ok()?;
                Some(Self { epoch, number: number.parse().ok()? })
            })
            .ok_or_else(|| format!("`{text}` is not the id of an event of this server"))
    }
}

/// One visible change.
#[derive(Debug, Clone)]
pub struct Change {
    /// The board's version after it.
    pub version: Version,
    /// What changed.
    pub what: Changed,
}

/// What changed.
#[derive(Debug, Clone)]
pub enum Changed {
    /// A service is new or different.
    Service(Arc<ServiceObject>),
    /// A service is gone.
    ServiceRemoved(ObjectKey),
    /// A source is new or different.
    Source(Arc<SourceObject>),
    /// A source is gone.
    SourceRemoved(SourceName),
}

/// Where a watcher starts.
#[derive(Debug, Clone)]
pub struct CatchUp {
    /// Whether this is everything there is; otherwise it is what changed since the version that was asked for.
    pub complete: bool,
    /// The board's version at that moment.
    pub version: Version,
    /// The services.
    pub services: Vec<Arc<ServiceObject>>,
    /// The sources, always all of them.
    pub sources: Vec<Arc<SourceObject>>,
    /// The services that have gone, empty when `complete`.
    pub removed: Vec<ObjectKey>,
}

/// What a watcher is told.
#[derive(Debug, Clone)]
pub enum Update {
    /// Something changed.
    Change(Change),
    /// The watcher was too slow and has missed changes: it should forget what it knew and start from this.
    Resync(CatchUp),
}

/// A watcher: where it starts, and what follows.
#[derive(Debug)]
pub struct Subscription {
    /// Where it starts.
    pub start: CatchUp,
    store: StatusStore,
    changes: broadcast::Receiver<Change>,
}

impl Subscription {
    pub(super) fn new(
        store: StatusStore,
        start: CatchUp,
        changes: broadcast::Receiver<Change>,
    ) -> Self {
        Self { start, store, changes }
    }

    /// Waits for what comes next; `None` once the board is gone. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Update> {
        match self.changes.recv().await {
            Ok(change) => Some(Update::Change(change)),
            Err(RecvError::Closed) => None,
            Err(RecvError::Lagged(_)) => {
                let Self { start, changes, .. } = self.store.subscribe(None);
                self.changes = changes;
                Some(Update::Resync(start))
            }
        }
    }
}
