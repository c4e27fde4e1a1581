//! Commits to a source: what is asked for, and what came of it.

use std::fmt;

use super::SourceError;

/// A change of one file that is to be committed.
pub struct FileChange<'a> {
    /// What it is for. Changes that share a branch for a pull request are committed in the order of their names.
    pub name: &'a str,
    /// The file, from the repository's root.
    pub path: &'a str,
    /// The branch for a pull request; `None` for the one that the source reads.
    pub branch: Option<&'a str>,
    /// What the file is to become.
    pub edit: Box<Edit<'a>>,
    /// Whether a commit with this message was made for the same purpose, so that another one may take its place.
    pub is_ours: Box<dyn Fn(&str) -> bool + Send + Sync + 'a>,
    /// The changes that share the branch for a pull request: whoever makes it anew takes theirs along.
    pub others: Vec<FileChange<'a>>,
}

/// Makes the new content out of the old one; `None` when it is right already, and an error when there is no place for it.
pub type Edit<'a> = dyn Fn(&str) -> Result<Option<Draft>, String> + Send + Sync + 'a;

/// The content that a file is to have, and what the commit says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The whole file.
    pub content: String,
    /// The message of the commit.
    pub message: String,
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The branch that holds it.
    pub branch: String,
    /// The commit that made it, where that was ours.
    pub commit: Option<String>,
    /// Whether that commit was made just now.
    pub is_new: bool,
}

impl<'a> FileChange<'a> {
    /// This change and those that share its branch, in no order.
    pub(super) fn sharing(&self) -> impl Iterator<Item = &FileChange<'a>> {
        std::iter::once(self).chain(&self.others)
    }
}

impl fmt::Debug for FileChange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("FileChange");
        debug.field("path", &self.path).field("branch", &self.branch).finish_non_exhaustive()
    }
}

/// A change was not committed.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The source takes no commits.
    #[error("cannot commit to {place}: {reason}")]
    Impossible {
        /// The place.
        place: String,
        /// Why.
        reason: String,
    },
    /// The file is not there, is no plain file, or has no place for the change.
    #[error("cannot change {path} on branch {branch}: {reason}")]
    Misplaced {
        /// The file.
        path: String,
        /// The branch.
        branch: String,
        /// Why.
        reason: String,
    },
    /// The host did not take the commit, although nobody else had pushed meanwhile.
    #[error("cannot push to branch {branch}: {reason}")]
    Refused {
        /// The branch.
        branch: String,
        /// The host's own words.
        reason: String,
    },
    /// Others kept pushing to the branch.
    #[error("cannot push to branch {branch}: others pushed to it each of {tries} times")]
    Crowded {
        /// The branch.
        branch: String,
        /// How often it was tried.
        tries: usize,
    },
    /// The repository could not be read or reached.
    #[error(transparent)]
    Source(#[from] SourceError),
}
