//! What a source holds at one moment.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use crds::SourceRevision;
use sha2::{Digest, Sha256};

use super::{FILE_BYTES_MAX, SourceError};

/// Everything a source holds at one source revision.
///
/// Complete by construction: only the readers of this room make one, and only after every page and every file was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot {
    revision: SourceRevision,
    files: BTreeMap<String, Arc<SourceFile>>,
    commit: Option<Commit>,
    notice: Option<String>,
}

/// Who made the source revision, when, and what they said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The author's name.
    pub author: String,
    /// The first line of the message.
    pub subject: String,
    /// When it was committed.
    pub time: Option<jiff::Timestamp>,
}

impl Snapshot {
    pub(super) fn new(
        revision: SourceRevision,
        files: BTreeMap<String, Arc<SourceFile>>,
        commit: Option<Commit>,
    ) -> Self {
        Self { revision, files, commit, notice: None }
    }

    /// This snapshot, with what a person should know about how it came.
    pub(super) fn noting(self, notice: Option<String>) -> Self {
        Self { notice, ..self }
    }

    /// The revision that is a digest over paths and contents, for places that have none of their own.
    pub(super) fn digest<'a>(
        parts: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> SourceRevision {
        let mut digest = Sha256::new();
        for (path, content) in parts {
            for part in [path, content] {
                digest.update((part.len() as u64).to_be_bytes());
                digest.update(part);
            }
        }
        SourceRevision::new(hex::encode(digest.finalize()))
    }

    /// The state of the source: a commit, or a digest over all files.
    pub fn revision(&self) -> &SourceRevision {
        &self.revision
    }

    /// All files by path. Paths are relative to the directory, to the repository's root, or keys of the bucket.
    pub fn files(&self) -> &BTreeMap<String, Arc<SourceFile>> {
        &self.files
    }

    /// The commit, when the source is a Git repository.
    pub fn commit(&self) -> Option<&Commit> {
        self.commit.as_ref()
    }

    /// What a person should know about how the source came to this state: that its history was rewritten, for instance.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// The commit in one line for people: subject, author and time.
    pub fn description(&self) -> Option<String> {
        self.commit.as_ref().map(ToString::to_string)
    }

    /// This snapshot, unless a source that had files has none all of a sudden.
    pub(super) fn following(
        self,
        last: Option<&Arc<Snapshot>>,
        place: &str,
    ) -> Result<Arc<Snapshot>, SourceError> {
        match last {
            Some(last) if self.files.is_empty() && !last.files.is_empty() => {
                Err(SourceError::SuddenlyEmpty {
                    place: place.to_owned(),
                    files_before: last.files.len(),
                })
            }
            Some(_) | None => Ok(Arc::new(self)),
        }
    }

    /// The file of this path if its content is still this one.
    pub(super) fn unchanged(&self, path: &str, content_id: &str) -> Option<&Arc<SourceFile>> {
        self.files.get(path).filter(|file| file.content_id == content_id)
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.subject, self.author)?;
        if let Some(time) = self.time {
            write!(f, ", {}", time.strftime("%Y-%m-%d %H:%M UTC"))?;
        }
        f.write_str(")")
    }
}

/// One file of a source, or why it is not read.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    path: String,
    content_id: String,
    content: Result<Bytes, Refusal>,
}

impl SourceFile {
    /// A file with its content; what identifies the content is its hash.
    pub fn new(path: impl Into<String>, bytes: Bytes) -> Self {
        let content_id = hex::encode(Sha256::digest(&bytes));
        Self::identified(path, content_id, bytes)
    }

    /// A file whose place already has an identity for its content.
    pub(super) fn identified(
        path: impl Into<String>,
        content_id: impl Into<String>,
        bytes: Bytes,
    ) -> Self {
        Self { path: path.into(), content_id: content_id.into(), content: Ok(bytes) }
    }

    /// A file that is there and is not read.
    pub(super) fn refused(path: impl Into<String>, refusal: Refusal) -> Self {
        let content_id = format!("refused: {refusal}");
        Self { path: path.into(), content_id, content: Err(refusal) }
    }

    /// Where it lies in its source.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Equal for equal contents: a blob's id, an entity tag, or a hash.
    pub fn content_id(&self) -> &str {
        &self.content_id
    }

    /// The content, empty for a file that is not read.
    pub fn bytes(&self) -> &Bytes {
        static EMPTY: Bytes = Bytes::new();
        self.content.as_ref().unwrap_or(&EMPTY)
    }

    /// Why the file is not read; `None` for one that was.
    pub fn refusal(&self) -> Option<Refusal> {
        self.content.as_ref().err().copied()
    }
}

/// Why a file of a source is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is a symbolic link, which might lead out of the source.
    Symlink,
    /// It is another repository.
    Submodule,
    /// It holds more than [`FILE_BYTES_MAX`].
    TooLarge {
        /// How much it holds.
        bytes: u64,
    },
    /// It holds more than [`FILE_BYTES_MAX`], which is why it was never fetched; how much more nobody said.
    LeftOut,
    /// It stands for a file that Git LFS keeps elsewhere.
    LfsPointer,
    /// Its path is not UTF-8, leads upwards, or has control characters.
    Path,
}

impl Refusal {
    /// What to do about it.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Symlink => "put the file itself here",
            Self::Submodule => {
                "add that repository as a source of its own, or choose a `path` without it"
            }
            Self::TooLarge { .. } | Self::LeftOut => {
                "split it, or move it out of the source's path"
            }
            Self::LfsPointer => {
                "keep specs in Git itself: `git lfs untrack` it and commit it again"
            }
            Self::Path => "rename it in UTF-8, without `..` and control characters",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symlink => f.write_str("symbolic links are not followed"),
            Self::Submodule => f.write_str("submodules are not followed"),
            Self::TooLarge { bytes } => {
                write!(
                    f,
                    "holds {bytes} bytes, more than the {FILE_BYTES_MAX} that a spec may have"
                )
            }
            Self::LeftOut => {
                write!(f, "holds more than the {FILE_BYTES_MAX} bytes that a spec may have")
            }
            Self::LfsPointer => f.write_str("the content is in Git LFS, which is not read"),
            Self::Path => f.write_str("the path is not usable"),
        }
    }
}
