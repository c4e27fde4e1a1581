//! The bare repository that keeps objects between two reads. Everything in it can be fetched again.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::command::{Git, PUSH_SETTINGS, Run};
use super::url::{Remote, Transport};
use crate::source::SourceError;

/// How long another process may keep the cache.
const LOCK_TIME: Duration = Duration::from_mins(2);
const LOCK_POLL: Duration = Duration::from_millis(50);
/// How long git may take for what stays on this machine.
pub(super) const LOCAL_TIME: Duration = Duration::from_mins(2);

/// The most bytes that one repository may take on disk.
const BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// How often it is asked how many it takes while more comes in.
const MEASURE_EVERY: Duration = Duration::from_millis(500);

const SETTINGS: &str = "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[core]\n\tfsmonitor = false\n\tbigFileThreshold = 1m\n";
/// A repository of this machine leaves large files out as hosts do.
const LEAVE_OUT: &str = "[uploadpack]\n\tallowFilter = true\n";
/// No hook runs, wherever it lies. A repository that is pushed to has its own say, also on this machine.
const NO_HOOKS: &str = "[core]\n\thooksPath = /dev/null\n";

/// Where one repository is kept.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    pub(super) bytes_max: u64,
}

/// The sole use of a cache; given back when dropped.
pub(super) struct Locked {
    _file: File,
}

impl Cache {
    pub(super) fn new(cache: &Path, remote: &Remote) -> Self {
        let name = hex::encode(Sha256::digest(&remote.address));
        let name = name.get(..32).unwrap_or(&name).to_owned();
        let cache = std::path::absolute(cache).unwrap_or_else(|_| cache.to_owned());
        Self { folder: cache.join(name), bytes_max: BYTES_MAX }
    }

    /// The folder that is git's home.
    pub(super) fn home(&self) -> &Path {
        &self.folder
    }

    /// The `--git-dir` argument for repositories whose ids are as long as `commit`.
    pub(super) fn git_dir(&self, commit: &str) -> PathBuf {
        self.folder.join(format(commit))
    }

    /// Waits until no other process uses the cache.
    pub(super) async fn lock(&self) -> Result<Locked, SourceError> {
        let failed = |source| SourceError::Read { path: self.folder.clone(), source };
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let file = File::create(self.folder.join("lock")).map_err(failed)?;
        let deadline = tokio::time::Instant::now() + LOCK_TIME;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Locked { _file: file }),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) if tokio::time::Instant::now() > deadline => {
                    return Err(failed(io::Error::other("another process keeps it locked")));
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_POLL).await,
            }
        }
    }

    /// Writes git's configuration: nothing runs by itself, large blobs pass through without being held in memory, and a local
    /// repository may belong to another user.
    pub(super) fn write_configuration(&self, remote: &Remote) -> Result<(), SourceError> {
        let mut text = SETTINGS.to_owned();
        if let Transport::Local { path } = &remote.transport {
            text.push_str(LEAVE_OUT);
            let plain = path.display().to_string().replace('\\', r"\\").replace('"', "\\\"");
            for folder in [plain.clone(), format!("{plain}/.git")] {
                text.extend(["[safe]\n\tdirectory = \"", &folder, "\"\n"]);
            }
        }
        self.write_settings(PUSH_SETTINGS, &text)?;
        self.write_settings("gitconfig", &format!("{text}{NO_HOOKS}"))
    }

    fn write_settings(&self, name: &str, text: &str) -> Result<(), SourceError> {
        let path = self.folder.join(name);
        fs::create_dir_all(&self.folder)
            .and_then(|()| match fs::read_to_string(&path) {
                Ok(known) if known == text => Ok(()),
                Ok(_) | Err(_) => fs::write(&path, text),
            })
            .map_err(|source| SourceError::Read { path, source })
    }

    /// Makes the repository if it is not there, and clears what a killed process has left.
    pub(super) async fn prepare(
        &self,
        git: &mut Git,
        commit: &str,
        locked: &Locked,
    ) -> Result<(), SourceError> {
        let folder = self.git_dir(commit);
        if self.is_outgrown() {
            self.discard(commit, locked)?;
        }
        if folder.join("HEAD").is_file() {
            for name in ["shallow.lock", "packed-refs.lock", "HEAD.lock", "config.lock"] {
                let _ = fs::remove_file(folder.join(name));
            }
            // The references stay: what they name need not be sent again.
            let ours = fs::read_dir(folder.join("refs/longshore"));
            for entry in ours.into_iter().flatten().flatten() {
                if entry.path().extension() == Some(OsStr::new("lock")) {
                    let _ = fs::remove_file(entry.path());
                }
            }
            return Ok(());
        }
        self.make(git, &folder, commit).await
    }

    /// Makes an empty repository for ids that are as long as `commit`.
    pub(super) async fn make(
        &self,
        git: &mut Git,
        folder: &Path,
        commit: &str,
    ) -> Result<(), SourceError> {
        let format = OsStr::new(if commit.len() == 64 {
            "--object-format=sha256"
        } else {
            "--object-format=sha1"
        });
        git.run(Run {
            doing: "make a cache for",
            arguments: vec![
                "init".as_ref(),
                "--bare".as_ref(),
                "--quiet".as_ref(),
                "--template=".as_ref(),
                format,
                "--".as_ref(),
                folder.as_os_str(),
            ],
            input: Vec::new(),
            output_bytes_max: 4096,
            time: LOCAL_TIME,
        })
        .await
        .map(drop)
    }

    /// Whether the repository has been made.
    pub(super) fn is_made(&self, commit: &str) -> bool {
        self.git_dir(commit).join("HEAD").is_file()
    }

    /// Whether it takes more on disk than it may.
    pub(super) fn is_outgrown(&self) -> bool {
        bytes_below(&self.folder) > self.bytes_max
    }

    /// Resolves once it does.
    pub(super) async fn outgrown(&self) {
        while !self.is_outgrown() {
            tokio::time::sleep(MEASURE_EVERY).await;
        }
    }

    /// Throws everything away: the next fetch starts anew.
    pub(super) fn discard(&self, commit: &str, _locked: &Locked) -> Result<(), SourceError> {
        let path = self.git_dir(commit);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(SourceError::Read { path, source: error })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// What files take; those that vanish meanwhile take nothing.
fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => bytes_below(&entry.path()),
        Ok(_) => entry.metadata().map_or(0, |facts| facts.len()),
        Err(_) => 0,
    });
    bytes.sum()
}

fn format(commit: &str) -> &'static str {
    if commit.len() == 64 { "sha256.git" } else { "sha1.git" }
}
