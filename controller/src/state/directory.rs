//! Documents as files, `<directory>/<target>/<cluster>/<service>.json` and `<directory>/releases/<name>.json`.
//!
//! A file is written beside its place, flushed to the disk and moved there, so that it is always whole. A lock file keeps
//! processes on one machine from changing files at the same time.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{Document, Loaded, Saved, StateError};

/// How large a document may be: twenty releases and ten orders have a hundredth of it.
const BYTES_MAX: u64 = 1 << 20;

/// Documents in a directory.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    root: PathBuf,
}

impl Directory {
    pub(super) const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) async fn load<D: Document>(&self, key: &D::Key) -> Result<Loaded<D>, StateError> {
        let (path, key) = (self.path::<D>(key), key.clone());
        let failed = key.clone();
        let read = tokio::task::spawn_blocking(move || {
            load(&path, &key)
                .map_err(|why| StateError::read(&key, format!("{}: {why}", path.display())))
        });
        read.await.unwrap_or_else(|_| Err(StateError::read(&failed, "the reader has panicked")))
    }

    pub(super) async fn save<D: Document>(
        &self,
        key: &D::Key,
        record: D,
        version: Option<String>,
    ) -> Result<Saved, StateError> {
        let (root, path, key) = (self.root.clone(), self.path::<D>(key), key.clone());
        let failed = key.clone();
        let write = tokio::task::spawn_blocking(move || {
            save(&root, &path, &key, &record, version.as_deref())
                .map_err(|why| StateError::write(&key, format!("{}: {why}", path.display())))
        });
        write.await.unwrap_or_else(|_| Err(StateError::write(&failed, "the writer has panicked")))
    }

    fn path<D: Document>(&self, key: &D::Key) -> PathBuf {
        self.root.join(D::place(key))
    }
}

fn load<D: Document>(path: &Path, key: &D::Key) -> Result<Loaded<D>, String> {
    let Some(bytes) = bytes_of(path).map_err(|error| error.to_string())? else {
        return Ok(Loaded::nothing());
    };
    let record = D::from_json(key, &bytes)?;
    Ok(Loaded { record: Arc::new(record), version: Some(version_of(&bytes)) })
}

/// The file's content; `None` when there is no such file.
fn bytes_of(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {BYTES_MAX} bytes")));
    }
    Ok(Some(bytes))
}

fn version_of(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn save<D: Document>(
    root: &Path,
    path: &Path,
    key: &D::Key,
    record: &D,
    version: Option<&str>,
) -> Result<Saved, String> {
    let bytes = record.to_json(key).map_err(|error| error.to_string())?;
    let write = || -> io::Result<Saved> {
        let folder = path.parent().unwrap_or(root);
        fs::create_dir_all(folder)?;
        let lock = File::create(root.join("lock"))?;
        lock.lock()?;
        let known = bytes_of(path)?.map(|bytes| version_of(&bytes));
        if known.as_deref() != version {
            return Ok(Saved::Lost);
        }
        if record.is_empty() {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        } else {
            let beside = path.with_extension("json.new");
            let mut file = File::create(&beside)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&beside, path)?;
        }
        File::open(folder)?.sync_all()?;
        Ok(Saved::Yes)
    };
    write().map_err(|error| error.to_string())
}
