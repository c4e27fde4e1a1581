//! Listing a tree of files and reading those that are new.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::source::{
    FILE_BYTES_MAX, FILES_MAX, Refusal, SourceError, SourceFile, TOTAL_BYTES_MAX, has_spec_suffix,
};

/// The most entries of any kind that are looked at.
const ENTRIES_MAX: usize = 1_000_000;
/// How deep folders may be nested.
const DEPTH_MAX: usize = 64;
/// A file that was changed so shortly before it was read is read again: its time would not tell a second change from the first.
pub(super) const RACY: Duration = Duration::from_secs(2);
/// An empty file so young is probably being written.
const BEING_WRITTEN: Duration = Duration::from_millis(500);

/// One file of the tree.
#[derive(Debug, Clone)]
pub(super) struct Found {
    stamp: Result<Stamp, Refusal>,
    /// Whether an equal stamp later proves an equal content.
    trusted: bool,
    pub(super) file: Option<Arc<SourceFile>>,
}

/// What the file system says of a file, equal as long as nobody writes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// What came of reading the files of a list.
pub(super) enum Reading {
    /// All were read.
    Whole(BTreeMap<String, Found>),
    /// One of them changed or went away.
    Disturbed,
}

/// Every spec file under `root`; `None` when a folder went away while it was listed.
pub(super) fn list(root: &Path) -> Result<Option<BTreeMap<String, Found>>, SourceError> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(root.to_owned(), String::new(), 0)];
    let mut entries = 0_usize;
    while let Some((folder, prefix, depth)) = folders.pop() {
        let listing = match fs::read_dir(&folder) {
            Ok(listing) => listing,
            Err(error) if error.kind() == io::ErrorKind::NotFound && depth > 0 => return Ok(None),
            Err(source) => return Err(SourceError::Read { path: folder, source }),
        };
        for entry in listing {
            let entry =
                entry.map_err(|source| SourceError::Read { path: folder.clone(), source })?;
            entries += 1;
            if entries > ENTRIES_MAX || found.len() > FILES_MAX {
                return Err(SourceError::TooManyFiles { place: root.display().to_string() });
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let path = format!("{prefix}{name}");
            match look(&entry, &name) {
                Ok(Look::Folder) if depth < DEPTH_MAX => {
                    folders.push((entry.path(), format!("{path}/"), depth + 1));
                }
                Ok(Look::Folder) => {
                    let reason = format!("{path} is nested deeper than {DEPTH_MAX} folders");
                    let place = root.display().to_string();
                    return Err(SourceError::Unusable { place, reason });
                }
                Ok(Look::Spec(stamp)) => {
                    found.insert(path, Found { stamp, trusted: false, file: None });
                }
                Ok(Look::Other) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(source) => return Err(SourceError::Read { path: entry.path(), source }),
            }
        }
    }
    Ok(Some(found))
}

enum Look {
    Folder,
    Spec(Result<Stamp, Refusal>),
    Other,
}

fn look(entry: &DirEntry, name: &str) -> io::Result<Look> {
    let kind = entry.file_type()?;
    if kind.is_dir() {
        return Ok(Look::Folder);
    }
    if kind.is_symlink() {
        let leads_to_folder = fs::metadata(entry.path()).is_ok_and(|target| target.is_dir());
        let refused = has_spec_suffix(name) || leads_to_folder;
        return Ok(if refused { Look::Spec(Err(Refusal::Symlink)) } else { Look::Other });
    }
    if !kind.is_file() || !has_spec_suffix(name) {
        return Ok(Look::Other);
    }
    if entry.file_name().to_str().is_none() {
        return Ok(Look::Spec(Err(Refusal::Path)));
    }
    let stamp = Stamp::of(&entry.metadata()?);
    let refusal = Refusal::TooLarge { bytes: stamp.bytes };
    Ok(Look::Spec(if stamp.bytes > FILE_BYTES_MAX { Err(refusal) } else { Ok(stamp) }))
}

/// Whether the tree certainly holds what it held before.
pub(super) fn is_same(now: &BTreeMap<String, Found>, before: &BTreeMap<String, Found>) -> bool {
    !before.is_empty()
        && has_same_stamps(now, before)
        && before.values().all(|found| found.trusted || found.stamp.is_err())
}

/// Whether two lists name the same files in the same state.
pub(super) fn has_same_stamps(
    one: &BTreeMap<String, Found>,
    other: &BTreeMap<String, Found>,
) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(one, other)| one.0 == other.0 && one.1.stamp == other.1.stamp)
}

/// Reads every file of the list that is not known to be as before.
pub(super) fn read(
    root: &Path,
    mut found: BTreeMap<String, Found>,
    before: &BTreeMap<String, Found>,
    patient: bool,
) -> Result<Reading, SourceError> {
    let now = file_system_time();
    let mut total = 0_u64;
    for (path, found) in &mut found {
        let stamp = match found.stamp {
            Ok(stamp) => stamp,
            Err(refusal) => {
                found.file = Some(Arc::new(SourceFile::refused(path.clone(), refusal)));
                continue;
            }
        };
        total = total.saturating_add(stamp.bytes);
        if total > TOTAL_BYTES_MAX {
            return Err(SourceError::TooLarge { place: root.display().to_string() });
        }
        let age = age(stamp, now);
        let known = before.get(path);
        found.trusted = age > RACY;
        if let Some(known) = known
            && known.trusted
            && known.stamp == found.stamp
        {
            found.file.clone_from(&known.file);
            continue;
        }
        if patient && stamp.bytes == 0 && age < BEING_WRITTEN {
            return Ok(Reading::Disturbed);
        }
        let full = root.join(path);
        let bytes = match content(&full, stamp) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Reading::Disturbed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Reading::Disturbed),
            Err(source) => return Err(SourceError::Read { path: full, source }),
        };
        let file = SourceFile::new(path.clone(), bytes.into());
        found.file = Some(match known.and_then(|known| known.file.as_ref()) {
            Some(known) if known.content_id() == file.content_id() => Arc::clone(known),
            Some(_) | None => Arc::new(file),
        });
    }
    Ok(Reading::Whole(found))
}

/// The content of the very file that was listed; `None` when it is another one by now, or a link.
fn content(path: &PathBuf, stamp: Stamp) -> io::Result<Option<Vec<u8>>> {
    if fs::symlink_metadata(path)?.file_type().is_symlink() {
        return Ok(None);
    }
    let file = File::open(path)?;
    if Stamp::of(&file.metadata()?) != stamp {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(stamp.bytes).unwrap_or(0));
    (&file).take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    let is_whole = bytes.len() as u64 == stamp.bytes && Stamp::of(&file.metadata()?) == stamp;
    Ok(is_whole.then_some(bytes))
}

fn age(stamp: Stamp, now: SystemTime) -> Duration {
    let (seconds, nanoseconds) = stamp.modified.max(stamp.changed);
    let since_epoch =
        Duration::new(u64::try_from(seconds).unwrap_or(0), u32::try_from(nanoseconds).unwrap_or(0));
    now.duration_since(SystemTime::UNIX_EPOCH + since_epoch).unwrap_or(Duration::ZERO)
}

#[expect(
    clippy::disallowed_methods,
    reason = "compared with the times that the file system has written, never with those of the operator's clock"
)]
fn file_system_time() -> SystemTime {
    SystemTime::now()
}
