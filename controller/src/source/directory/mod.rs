//! A directory on this machine as a source.

mod walk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crds::DirectorySource;
use notify::RecursiveMode;

use self::walk::{Found, Reading};
use super::watch::Watch;
use super::{Snapshot, SourceError, is_hidden};

/// How often a directory that changes while it is read is read again.
const ATTEMPTS_MAX: u32 = 8;
/// How long it is left alone in between.
const SETTLE: Duration = Duration::from_millis(60);

/// Reads a directory on this machine.
#[derive(Debug)]
pub struct DirectoryReader {
    root: PathBuf,
    last: Option<Arc<Known>>,
    watch: Watch,
}

/// What the last read found.
#[derive(Debug)]
struct Known {
    snapshot: Arc<Snapshot>,
    found: BTreeMap<String, Found>,
}

impl DirectoryReader {
    /// A reader of the directory; nothing is read yet.
    pub fn new(source: &DirectorySource) -> Self {
        let root = PathBuf::from(&source.path);
        let inside = root.clone();
        let counts = move |path: &Path| match path.strip_prefix(&inside) {
            Ok(relative) => !is_hidden(&relative.to_string_lossy()),
            Err(_) => true,
        };
        let watch = Watch::new(vec![(root.clone(), RecursiveMode::Recursive)], counts);
        Self { root, last: None, watch }
    }

    /// Reads the directory as it is now; see [`SourceReader::fetch`](super::SourceReader::fetch).
    pub async fn fetch(&mut self) -> Result<Arc<Snapshot>, SourceError> {
        self.watch.start();
        for attempt in 1..=ATTEMPTS_MAX {
            let (root, last) = (self.root.clone(), self.last.clone());
            let patient = attempt < ATTEMPTS_MAX / 2;
            let reading =
                tokio::task::spawn_blocking(move || read(&root, last.as_ref(), patient)).await;
            match reading {
                Ok(Ok(Some(known))) => {
                    let snapshot = Arc::clone(&known.snapshot);
                    self.last = Some(known);
                    return Ok(snapshot);
                }
                Ok(Ok(None)) | Err(_) => tokio::time::sleep(SETTLE).await,
                Ok(Err(error)) => return Err(error),
            }
        }
        Err(SourceError::Unsettled { place: self.root.display().to_string() })
    }

    /// Resolves when something in the directory has changed.
    pub async fn changed(&mut self) {
        self.watch.changed().await;
    }
}

/// Reads the directory once; `None` when it changed meanwhile.
fn read(
    root: &Path,
    last: Option<&Arc<Known>>,
    patient: bool,
) -> Result<Option<Arc<Known>>, SourceError> {
    let empty = BTreeMap::new();
    let before = last.map_or(&empty, |known| &known.found);
    let Some(found) = walk::list(root)? else { return Ok(None) };
    if let Some(last) = last
        && walk::is_same(&found, before)
    {
        return Ok(Some(Arc::clone(last)));
    }
    let Reading::Whole(found) = walk::read(root, found, before, patient)? else { return Ok(None) };
    // A file that moved from a folder not yet listed into one already listed would be missed: the list must still hold.
    match walk::list(root)? {
        Some(again) if walk::has_same_stamps(&again, &found) => {}
        Some(_) | None => return Ok(None),
    }
    let files: BTreeMap<_, _> = found
        .iter()
        .filter_map(|(path, found)| Some((path.clone(), Arc::clone(found.file.as_ref()?))))
        .collect();
    let revision = Snapshot::digest(files.values().map(|file| (file.path(), file.content_id())));
    let snapshot = match last {
        Some(last) if *last.snapshot.revision() == revision => Arc::clone(&last.snapshot),
        Some(_) | None => Snapshot::new(revision, files, None)
            .following(last.map(|known| &known.snapshot), &root.display().to_string())?,
    };
    Ok(Some(Arc::new(Known { snapshot, found })))
}

#[cfg(test)]
mod tests;
