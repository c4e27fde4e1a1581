//! Where chosen versions are written to: the Git sources that hold the releases.

use std::fmt;
use std::sync::Arc;

use crds::{SourceLocation, SourceName};
use futures_util::future::BoxFuture;

use crate::config::ConfiguredSource;
use crate::source::{Access, FileChange, GitWriter, WriteError, Written};

/// A source that files are changed in.
pub trait Destination: Send {
    /// Sees to it that a file is as the change has it, by one commit at most.
    fn write<'a>(
        &'a mut self,
        change: &'a FileChange<'a>,
    ) -> BoxFuture<'a, Result<Written, WriteError>>;
}

impl Destination for GitWriter {
    fn write<'a>(
        &'a mut self,
        change: &'a FileChange<'a>,
    ) -> BoxFuture<'a, Result<Written, WriteError>> {
        Box::pin(self.write(change))
    }
}

/// Opens a source to be written to, or says why it cannot be.
type Open = dyn Fn(&SourceName) -> Result<Box<dyn Destination>, WriteError> + Send + Sync;

/// The sources that may be written to.
#[derive(Clone)]
pub struct Destinations(Arc<Open>);

impl fmt::Debug for Destinations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Destinations")
    }
}

impl Destinations {
    /// The Git sources of a configuration, reached with `access`.
    pub fn new(access: Access, sources: Vec<ConfiguredSource>) -> Self {
        Self::opened_by(move |name| {
            let known = sources.iter().find(|source| source.name == *name);
            let reason = match known.map(|source| &source.location) {
                Some(SourceLocation::Git(git)) => {
                    return Ok(Box::new(GitWriter::new(git, access.clone())?));
                }
                Some(SourceLocation::S3(_) | SourceLocation::Directory(_)) => {
                    "it is no Git repository"
                }
                None => "the configuration names no such source",
            };
            let place = format!("source `{name}`");
            Err(WriteError::Impossible { place, reason: reason.to_owned() })
        })
    }

    /// Sources that something else opens.
    pub fn opened_by(
        open: impl Fn(&SourceName) -> Result<Box<dyn Destination>, WriteError> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(open))
    }

    pub(super) fn open(&self, source: &SourceName) -> Result<Box<dyn Destination>, WriteError> {
        (self.0)(source)
    }
}
