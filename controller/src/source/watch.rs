//! Hints of the file system that something has changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::watch;

/// How long it must be quiet before a change is told, so that a checkout or a save counts once.
const QUIET: Duration = Duration::from_millis(100);
/// How often quiet is waited for at most.
const QUIET_ROUNDS_MAX: u32 = 20;

/// Which of the changed paths count.
type Counts = Arc<dyn Fn(&Path) -> bool + Send + Sync>;

/// A watch over folders of this machine.
///
/// It is a hint only: where it cannot be set up, or where the kernel drops events, polling finds the change.
pub(super) struct Watch {
    folders: Vec<(PathBuf, RecursiveMode)>,
    counts: Counts,
    running: Option<Running>,
    seen: u64,
}

struct Running {
    _watcher: RecommendedWatcher,
    events: watch::Receiver<u64>,
    lost: Arc<AtomicBool>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("folders", &self.folders).finish_non_exhaustive()
    }
}

impl Watch {
    pub(super) fn new(
        folders: Vec<(PathBuf, RecursiveMode)>,
        counts: impl Fn(&Path) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { folders, counts: Arc::new(counts), running: None, seen: 0 }
    }

    /// Starts watching, and forgets what was seen so far: the caller is about to read everything.
    pub(super) fn start(&mut self) {
        if self.running.as_ref().is_some_and(|running| running.lost.load(Ordering::Relaxed)) {
            self.running = None;
        }
        if self.running.is_none() {
            self.running = run(&self.folders, &self.counts);
            self.seen = 0;
        }
        if let Some(running) = &self.running {
            self.seen = *running.events.borrow();
        }
    }

    /// Resolves once something has changed and it has been quiet since.
    pub(super) async fn changed(&mut self) {
        let Some(running) = &mut self.running else { return std::future::pending().await };
        let seen = self.seen;
        if running.events.wait_for(|events| *events != seen).await.is_err() {
            return std::future::pending().await;
        }
        for _ in 0..QUIET_ROUNDS_MAX {
            let before = *running.events.borrow();
            tokio::time::sleep(QUIET).await;
            if *running.events.borrow() == before {
                break;
            }
        }
        self.seen = *running.events.borrow();
    }
}

fn run(folders: &[(PathBuf, RecursiveMode)], counts: &Counts) -> Option<Running> {
    let (sender, events) = watch::channel(0_u64);
    let lost = Arc::new(AtomicBool::new(false));
    let (counts, lost_by_event) = (Arc::clone(counts), Arc::clone(&lost));
    let roots: Vec<PathBuf> = folders.iter().map(|(folder, _)| folder.clone()).collect();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let counted = if let Ok(event) = event {
            let root_moved = event.kind.is_remove() || is_rename(event.kind);
            if root_moved && event.paths.iter().any(|path| roots.contains(path)) {
                lost_by_event.store(true, Ordering::Relaxed);
            }
            event.need_rescan()
                || is_change(event.kind) && event.paths.iter().any(|path| counts(path))
        } else {
            lost_by_event.store(true, Ordering::Relaxed);
            true
        };
        if counted {
            sender.send_modify(|events| *events = events.wrapping_add(1));
        }
    })
    .inspect_err(|error| tracing::debug!(%error, "no watch, polling only"))
    .ok()?;
    for (folder, mode) in folders {
        if !folder.exists() {
            continue;
        }
        if let Err(error) = watcher.watch(folder, *mode) {
            tracing::debug!(%error, folder = %folder.display(), "no watch, polling only");
            return None;
        }
    }
    Some(Running { _watcher: watcher, events, lost })
}

/// Reading is no change; otherwise our own reading would wake us.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    }
}

fn is_rename(kind: EventKind) -> bool {
    matches!(kind, EventKind::Modify(ModifyKind::Name(_)))
}
