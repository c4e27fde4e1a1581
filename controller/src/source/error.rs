//! Why a source could not be read.

use std::path::PathBuf;

use crds::Reason;

use super::{FILES_MAX, TOTAL_BYTES_MAX};

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Yes, after a while.
    Backoff,
    /// No, not before the configuration changes.
    Never,
}

/// A source could not be read; its last good snapshot stays in force.
///
/// Places are named without user names, passwords and tokens, whatever the configuration wrote.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The configuration of the source cannot work.
    #[error("cannot use source {place}: {reason}")]
    Unusable {
        /// The place.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A secret or a file that the source needs is not there.
    #[error("cannot read the {secret} of {place}: {reason}")]
    Secret {
        /// `token`, `known hosts`.
        secret: &'static str,
        /// The place.
        place: String,
        /// Why, without the secret.
        reason: String,
    },
    /// A file or directory could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The place kept changing while it was read.
    #[error("cannot read {place}: it kept changing while it was read")]
    Unsettled {
        /// The place.
        place: String,
    },
    /// There are more files than a source may hold.
    #[error("cannot read {place}: it holds more than {FILES_MAX} files")]
    TooManyFiles {
        /// The place.
        place: String,
    },
    /// The files are larger together than a source may be.
    #[error("cannot read {place}: its specs hold more than {TOTAL_BYTES_MAX} bytes together")]
    TooLarge {
        /// The place.
        place: String,
    },
    /// A repository takes more room on disk than it may.
    #[error("cannot keep {place}: without its history it takes more than {bytes_max} bytes")]
    Outgrown {
        /// The place.
        place: String,
        /// How many it may take.
        bytes_max: u64,
    },
    /// A source that had files has none.
    #[error("cannot trust {place}: it had {files_before} files and now has none")]
    SuddenlyEmpty {
        /// The place.
        place: String,
        /// How many files there were.
        files_before: usize,
    },
    /// The branch or tag is not there.
    #[error("cannot find {reference} in {place}{why}")]
    MissingReference {
        /// `branch main`.
        reference: String,
        /// The place.
        place: String,
        /// More about it, after a colon; empty where there is no more to say.
        why: String,
    },
    /// A commit that was in force is no part of the history any more, or a tag names another commit.
    #[error(
        "cannot trust {place}: {what}. Look at it; then set history.confirmed to {commit}, or history.rewrites to follow"
    )]
    Rewritten {
        /// The place.
        place: String,
        /// What became of it.
        what: String,
        /// The commit that a person would confirm.
        commit: String,
    },
    /// What has to be signed is not, or by somebody who may not.
    #[error("cannot trust {what} of {place}: {reason}")]
    Untrusted {
        /// `commit 0123456789ab`.
        what: String,
        /// The place.
        place: String,
        /// Why not.
        reason: String,
    },
    /// The folder is not there.
    #[error("cannot find path {path} in {place} at commit {commit}")]
    MissingPath {
        /// The folder.
        path: String,
        /// The place.
        place: String,
        /// The commit.
        commit: String,
    },
    /// The `git` program, or `gpg`, could not be started.
    #[error("cannot start {program}")]
    Start {
        /// `git` or `gpg`.
        program: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The `git` program failed.
    #[error("cannot {doing} {place}: git says: {message}")]
    Git {
        /// `list references of`.
        doing: &'static str,
        /// The place.
        place: String,
        /// Its own words.
        message: String,
    },
    /// The `git` program took too long and was ended.
    #[error("cannot {doing} {place} within {seconds} s")]
    GitTimeout {
        /// `list references of`.
        doing: &'static str,
        /// The place.
        place: String,
        /// How long it was given.
        seconds: u64,
    },
    /// The `git` program answered something that cannot be.
    #[error("cannot {doing} {place}: unexpected answer of git")]
    GitAnswer {
        /// `list references of`.
        doing: &'static str,
        /// The place.
        place: String,
    },
    /// S3 refused a call or could not be reached.
    #[error("cannot {doing} {place}")]
    S3 {
        /// `list`.
        doing: &'static str,
        /// Bucket with prefix or key.
        place: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SourceError {
    /// What is said of the source: that it could not be read, or that a person has to look at what it has become.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Rewritten { .. } | Self::Untrusted { .. } | Self::SuddenlyEmpty { .. } => {
                Reason::SourceUntrusted
            }
            Self::Unusable { .. }
            | Self::Secret { .. }
            | Self::Read { .. }
            | Self::Unsettled { .. }
            | Self::TooManyFiles { .. }
            | Self::TooLarge { .. }
            | Self::Outgrown { .. }
            | Self::MissingReference { .. }
            | Self::MissingPath { .. }
            | Self::Start { .. }
            | Self::Git { .. }
            | Self::GitTimeout { .. }
            | Self::GitAnswer { .. }
            | Self::S3 { .. } => Reason::SourceIncomplete,
        }
    }

    /// Whether trying again can help.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unusable { .. } => Retry::Never,
            Self::Secret { .. }
            | Self::Read { .. }
            | Self::Unsettled { .. }
            | Self::TooManyFiles { .. }
            | Self::TooLarge { .. }
            | Self::Outgrown { .. }
            | Self::SuddenlyEmpty { .. }
            | Self::MissingReference { .. }
            | Self::MissingPath { .. }
            | Self::Rewritten { .. }
            | Self::Untrusted { .. }
            | Self::Start { .. }
            | Self::Git { .. }
            | Self::GitTimeout { .. }
            | Self::GitAnswer { .. }
            | Self::S3 { .. } => Retry::Backoff,
        }
    }
}
