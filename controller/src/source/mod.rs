//! Where specs are read from: a directory, a Git repository, a prefix of an S3 bucket.
//!
//! What comes in: the place that the configuration names. What leaves: a [`Snapshot`], which is complete by construction, or
//! a [`SourceError`]; never a part. A source that could not be read, that was cut short or that is empty all of a sudden
//! therefore never looks like a deletion.

mod access;
mod directory;
mod error;
pub mod git;
mod s3;
mod snapshot;
mod watch;
mod write;

use std::sync::Arc;

use crds::SourceLocation;
use futures_util::future::BoxFuture;

pub use access::{Access, ReadSecret, Variables};
pub use directory::DirectoryReader;
pub use error::{Retry, SourceError};
pub use git::{GitReader, GitWriter, TagReader};
pub use s3::S3Reader;
pub use snapshot::{Commit, Refusal, Snapshot, SourceFile};
pub use write::{Draft, Edit, FileChange, WriteError, Written};

/// The largest file that is read, in bytes.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// The most files that one source may hold.
pub const FILES_MAX: usize = 100_000;
/// The most bytes that the files of one source may hold together.
pub const TOTAL_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Reads one source, again and again, and remembers what it saw so that nothing is read twice.
#[derive(Debug)]
pub enum SourceReader {
    /// A directory on this machine.
    Directory(DirectoryReader),
    /// A Git repository.
    Git(Box<GitReader>),
    /// A prefix of an S3 bucket.
    S3(Box<S3Reader>),
}

impl SourceReader {
    /// A reader of a place; nothing is read yet.
    pub fn open(location: &SourceLocation, access: Access) -> Result<Self, SourceError> {
        match location {
            SourceLocation::Directory(directory) => {
                Ok(Self::Directory(DirectoryReader::new(directory)))
            }
            SourceLocation::Git(git) => Ok(Self::Git(Box::new(GitReader::new(git, access)?))),
            SourceLocation::S3(s3) => Ok(Self::S3(Box::new(S3Reader::new(s3, access)?))),
        }
    }

    /// Reads the source as it is now.
    ///
    /// Guarantees: every file of the snapshot was read, and all belong to one state of the source. Where nothing has changed
    /// the previous snapshot itself is returned, and unchanged files are shared with it and not read again. Dropping the
    /// future loses nothing.
    pub fn fetch(&mut self) -> BoxFuture<'_, Result<Arc<Snapshot>, SourceError>> {
        match self {
            Self::Directory(reader) => Box::pin(reader.fetch()),
            Self::Git(reader) => Box::pin(reader.fetch()),
            Self::S3(reader) => Box::pin(reader.fetch()),
        }
    }

    /// Resolves when the place hints that it has changed; never, where it cannot hint. Safe to drop at any time.
    pub async fn changed(&mut self) {
        match self {
            Self::Directory(reader) => reader.changed().await,
            Self::Git(reader) => reader.changed().await,
            Self::S3(_) => std::future::pending().await,
        }
    }
}

/// Whether a file of this path is read: `*.yaml`, `*.yml` and `*.json`, nothing hidden.
fn is_spec(path: &str) -> bool {
    !is_hidden(path) && has_spec_suffix(path)
}

/// Whether the file or one of its folders has a name that starts with a dot.
fn is_hidden(path: &str) -> bool {
    path.split('/').any(|name| name.starts_with('.'))
}

fn has_spec_suffix(path: &str) -> bool {
    let Some((_, suffix)) = path.rsplit_once('.') else { return false };
    ["yaml", "yml", "json"].iter().any(|known| suffix.eq_ignore_ascii_case(known))
}
