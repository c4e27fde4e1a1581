//! The last thing known of every service and source: the reconcile loop publishes here, `http` and `notify` read here.
//!
//! What comes in: whole objects, as often as the loop likes. What leaves: pages, events and changes, each taken from one
//! consistent moment. What must hold: objects are shared and never edited, a publication that changes nothing visible
//! wakes nobody, and every collection is bounded except the services themselves.

mod board;
mod event;
mod object;
mod query;
mod redact;
mod release;
mod spec_text;
mod standing;
mod watch;

#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crds::{ClusterName, InvalidObject, ObjectKey, ServiceName, SourceName};
use jiff::Timestamp;
use tokio::sync::broadcast;

use board::Board;
pub use event::{Event, EventKind, EventLevel};
pub use object::{Readiness, ServiceObject, SourceKind, SourceObject};
pub use query::{Counts, Page, Query};
pub(crate) use redact::redact;
pub use release::ReleaseObject;
pub use spec_text::SpecText;
pub use standing::Standing;
pub use watch::{CatchUp, Change, Changed, Subscription, Update, Version};

/// What time it is: a value, so that tests and simulations choose it.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How many changes a slow watcher may be behind before it is told to start over.
const CHANGES_BUFFERED: usize = 1024;

/// The shared status board. Cloning it is cheap and gives the same board.
#[derive(Clone)]
pub struct StatusStore(Arc<Shared>);

struct Shared {
    board: RwLock<Board>,
    changes: broadcast::Sender<Change>,
    epoch: u64,
    now: Now,
}

impl StatusStore {
    /// An empty board, not ready, whose events are stamped by `now`.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let (changes, _) = broadcast::channel(CHANGES_BUFFERED);
        Self(Arc::new(Shared {
            board: RwLock::new(Board::default()),
            changes,
            epoch: fastrand::u64(..),
            now: Arc::new(now),
        }))
    }

    /// Puts a service on the board in place of what was there; returns whether anything visible changed.
    ///
    /// Only then are watchers woken, and only then is the transition kept as events.
    pub fn publish(&self, object: ServiceObject) -> bool {
        let now = self.now();
        let mut board = self.write();
        let changed = board.publish(object, now);
        self.announce(changed)
    }

    /// Takes a service off the board; returns whether it was there.
    pub fn remove(&self, key: &ObjectKey) -> bool {
        let now = self.now();
        let mut board = self.write();
        let changed = board.remove(key, now);
        self.announce(changed)
    }

    /// Puts a source on the board; returns whether more than the time of its last reading changed.
    ///
    /// Credentials in its location and error are cut out, whoever wrote them there.
    pub fn publish_source(&self, source: SourceObject) -> bool {
        let now = self.now();
        let mut board = self.write();
        let changed = board.publish_source(source.redacted(), now);
        self.announce(changed)
    }

    /// Takes a source off the board; returns whether it was there.
    pub fn remove_source(&self, name: &SourceName) -> bool {
        let mut board = self.write();
        let changed = board.remove_source(name);
        self.announce(changed)
    }

    /// Keeps an event that is no transition of a status: an action that was taken, for instance.
    pub fn record(&self, event: Event) {
        self.write().record(event);
    }

    /// Says whether the first pass over every readable source is done.
    pub fn set_ready(&self, ready: bool) {
        self.write().set_ready(ready);
    }

    /// Whether the first pass is done, and if not, what it waits for.
    pub fn readiness(&self) -> Readiness {
        self.read().readiness()
    }

    /// One page of the services that match, with the counts of all that match.
    pub fn list(&self, query: &Query) -> Page {
        self.read().list(query, self.0.epoch)
    }

    /// Every service, in the order of keys.
    pub fn services(&self) -> Vec<Arc<ServiceObject>> {
        self.read().services()
    }

    /// One service.
    pub fn service(&self, key: &ObjectKey) -> Option<Arc<ServiceObject>> {
        self.read().service(key)
    }

    /// The services of that cluster and name: one for each target that has it.
    pub fn named(&self, cluster: &ClusterName, name: &ServiceName) -> Vec<Arc<ServiceObject>> {
        self.read().named(cluster, name)
    }

    /// One source.
    pub fn source(&self, name: &SourceName) -> Option<Arc<SourceObject>> {
        self.read().source(name)
    }

    /// Every source, in the order of names.
    pub fn sources(&self) -> Vec<Arc<SourceObject>> {
        self.read().sources()
    }

    /// The clusters that have services, in order.
    pub fn clusters(&self) -> Vec<ClusterName> {
        self.read().clusters()
    }

    /// What is wrong with specs, each error once, and how many errors there are in all.
    pub fn invalid(&self, limit: usize) -> (Vec<InvalidObject>, usize) {
        self.read().invalid(limit)
    }

    /// The last transitions of everything, newest first.
    pub fn events(&self, limit: usize) -> Vec<Arc<Event>> {
        self.read().events(limit)
    }

    /// The last transitions of one service, newest first.
    pub fn events_of(&self, key: &ObjectKey, limit: usize) -> Vec<Arc<Event>> {
        self.read().events_of(key, limit)
    }

    /// The board's version: it grows with each visible change.
    pub fn version(&self) -> Version {
        Version { epoch: self.0.epoch, number: self.read().version() }
    }

    /// What there is now and everything that changes from then on, with no gap between the two.
    ///
    /// With `since`, the start is only what changed after that version, where that is still known.
    pub fn subscribe(&self, since: Option<Version>) -> Subscription {
        let board = self.read();
        let changes = self.0.changes.subscribe();
        let since = since.filter(|version| version.epoch == self.0.epoch);
        let start = board.catch_up(self.0.epoch, since.map(|version| version.number));
        drop(board);
        Subscription::new(self.clone(), start, changes)
    }

    /// What time the board thinks it is.
    pub fn now(&self) -> Timestamp {
        (self.0.now)()
    }

    /// Sends the change while the board is still locked, so that watchers see changes in the board's order.
    fn announce(&self, changed: Option<(u64, Changed)>) -> bool {
        let Some((number, what)) = changed else { return false };
        let version = Version { epoch: self.0.epoch, number };
        // An error means that nobody watches.
        let _ = self.0.changes.send(Change { version, what });
        true
    }

    fn read(&self) -> RwLockReadGuard<'_, Board> {
        self.0.board.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Board> {
        self.0.board.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for StatusStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatusStore").field("version", &self.version()).finish_non_exhaustive()
    }
}
