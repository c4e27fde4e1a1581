//! Whether what the repository offers now may take the place of what was in force.
//!
//! A branch goes forward: the commit in force is part of the new one's history. A tag stays where it is. The newest tag of a
//! range gets newer. Anything else is a person's to confirm, because it looks the same as an attack or an accident.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crds::{GitHistory, Rewrites};
use planner::release::newest;
use sha2::{Digest, Sha256};

use super::cache::{LOCAL_TIME, Locked};
use super::command::{Credentials, Run};
use super::fetched::Fetched;
use super::reference::{self, Announced, Wanted};
use super::{FILES, GitReader};
use crate::source::SourceError;

/// How deep the history is looked through for a commit, step by step. Beyond the last it counts as rewritten.
const DEPTHS: [u32; 2] = [50, 2_000];
/// What the history is called where it is looked through.
const HISTORY: &str = "refs/longshore/history";
/// What follows the cache's name in that of the repository beside it, where that is. Nothing but commits is fetched into it, and
/// the cache stays one whose commits have all their files.
const BESIDE: &str = "-history";
/// Enough for every commit of that depth, of a history with many branches.
const COMMITS_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// What a person allows.
#[derive(Debug, Clone, Default)]
pub(super) struct Policy {
    rewrites: Rewrites,
    confirmed: Option<String>,
}

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) commit: String,
    /// The tag that named it, where a tag is followed.
    pub(super) tag: Option<String>,
}

/// How a reference moved where it should not have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Move {
    Rewritten,
    Retagged,
    /// The newest tag has a lower version than the one in force.
    Backwards,
}

impl Policy {
    pub(super) fn parse(history: Option<&GitHistory>) -> Result<Self, String> {
        let Some(GitHistory { rewrites, confirmed }) = history else { return Ok(Self::default()) };
        let confirmed = confirmed.as_deref().map(reference::commit_id).transpose()?;
        Ok(Self { rewrites: rewrites.unwrap_or_default(), confirmed })
    }
}

impl GitReader {
    /// What a person should know about the move to this commit, where there is something; the error says why it may not be.
    pub(super) async fn judge(
        &mut self,
        git_dir: &str,
        announced: &Announced,
        fetched: &Fetched,
        credentials: &Credentials,
    ) -> Result<Option<String>, SourceError> {
        let Some(accepted) = self.accepted() else { return Ok(None) };
        let same = accepted.commit == fetched.id;
        let wanted = self.wanted.clone();
        let moved = match (&wanted, &accepted.tag, &announced.tag) {
            (Wanted::Commit(_), _, _) => return Ok(None),
            (Wanted::Head | Wanted::Branch(_), _, _) => {
                if same || self.holds(git_dir, fetched, &accepted.commit, credentials).await? {
                    return Ok(None);
                }
                Move::Rewritten
            }
            (Wanted::Newest(_), Some(before), Some(now)) if before != now => {
                match newest::compare(now, before) {
                    Some(Ordering::Less) => Move::Backwards,
                    Some(Ordering::Equal) if !same => Move::Retagged,
                    Some(Ordering::Equal | Ordering::Greater) | None => return Ok(None),
                }
            }
            (Wanted::Tag(_) | Wanted::Newest(_), _, _) if same => return Ok(None),
            (Wanted::Tag(_) | Wanted::Newest(_), _, _) => Move::Retagged,
        };
        let what = told(&moved, &wanted, &accepted, announced, &fetched.id);
        let follows = self.history.rewrites == Rewrites::Follow && moved != Move::Backwards;
        if follows || self.is_confirmed(git_dir, fetched, credentials).await? {
            return Ok(Some(what));
        }
        let place = self.remote.address.clone();
        Err(SourceError::Rewritten { place, what, commit: fetched.id.clone() })
    }

    async fn is_confirmed(
        &mut self,
        git_dir: &str,
        fetched: &Fetched,
        credentials: &Credentials,
    ) -> Result<bool, SourceError> {
        match self.history.confirmed.clone() {
            None => Ok(false),
            Some(confirmed) if confirmed == fetched.id => Ok(true),
            Some(confirmed) => match self.wanted {
                Wanted::Head | Wanted::Branch(_) => {
                    self.holds(git_dir, fetched, &confirmed, credentials).await
                }
                Wanted::Tag(_) | Wanted::Newest(_) | Wanted::Commit(_) => Ok(false),
            },
        }
    }

    /// Whether the history of a commit holds another one.
    ///
    /// Commits are fetched alone, without what came before them. So the parents are asked first, which is all that a usual
    /// commit needs; only then is more of the history fetched, and not without end.
    pub(super) async fn holds(
        &mut self,
        git_dir: &str,
        fetched: &Fetched,
        other: &str,
        credentials: &Credentials,
    ) -> Result<bool, SourceError> {
        if fetched.parents.iter().any(|parent| parent == other) {
            return Ok(true);
        }
        if fetched.parents.is_empty() {
            return Ok(false);
        }
        let git_dir = format!("{git_dir}{BESIDE}");
        let mut folder = self.cache.git_dir(&fetched.id).into_os_string();
        folder.push(BESIDE);
        let folder = PathBuf::from(folder);
        let _ = fs::remove_dir_all(&folder);
        self.cache.make(&mut self.git, &folder, &fetched.id).await?;
        let found = self.look_through(&git_dir, &folder, (&fetched.id, other), credentials).await;
        let _ = fs::remove_dir_all(&folder);
        found
    }

    async fn look_through(
        &mut self,
        git_dir: &str,
        folder: &Path,
        (of, other): (&str, &str),
        credentials: &Credentials,
    ) -> Result<bool, SourceError> {
        for depth in DEPTHS {
            self.fetch_history(git_dir, of, depth, credentials).await?;
            let commits = self.commits(git_dir, of).await?;
            if commits.lines().any(|commit| commit == other) {
                return Ok(true);
            }
            if !is_cut_short(folder) {
                break;
            }
        }
        Ok(false)
    }

    async fn fetch_history(
        &mut self,
        git_dir: &str,
        of: &str,
        depth: u32,
        credentials: &Credentials,
    ) -> Result<(), SourceError> {
        let depth = format!("--depth={depth}");
        let newest = Announced { commit: of.to_owned(), tag: None };
        let name = self.wanted.remote_name(&newest);
        self.fetch_leaving(git_dir, (&depth, FILES), (&name, HISTORY), credentials).await
    }

    async fn commits(&mut self, git_dir: &str, of: &str) -> Result<String, SourceError> {
        let arguments: Vec<&OsStr> =
            vec![git_dir.as_ref(), "rev-list".as_ref(), of.as_ref(), "--".as_ref()];
        let run = Run {
            doing: "read the history of",
            arguments,
            input: Vec::new(),
            output_bytes_max: COMMITS_BYTES_MAX,
            time: LOCAL_TIME,
        };
        let answer = self.git.run(run).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// What is in force: as this process knows, or as the one before it has left word of.
    fn accepted(&mut self) -> Option<Accepted> {
        if self.accepted.is_none() {
            self.accepted = fs::read_to_string(self.accepted_file()).ok().and_then(|text| {
                let mut lines = text.lines();
                let commit = reference::commit_id(lines.next()?).ok()?;
                Some(Accepted { commit, tag: lines.next().map(str::to_owned) })
            });
        }
        self.accepted.clone()
    }

    /// Leaves word of what is in force, so that a restart confirms nothing. Losing it is safe: it costs this one comparison.
    pub(super) fn accept(&mut self, commit: &str, tag: Option<&str>, _locked: &Locked) {
        let accepted = Accepted { commit: commit.to_owned(), tag: tag.map(str::to_owned) };
        if self.accepted.as_ref() == Some(&accepted) {
            return;
        }
        let text = format!("{commit}\n{}", tag.map(|tag| format!("{tag}\n")).unwrap_or_default());
        let (file, written) = (self.accepted_file(), self.accepted_file().with_extension("new"));
        if let Err(error) = fs::write(&written, text).and_then(|()| fs::rename(&written, file)) {
            tracing::warn!(place = %self.remote.address, %error, "the commit in force is not remembered");
        }
        self.accepted = Some(accepted);
    }

    fn accepted_file(&self) -> PathBuf {
        let place = format!("{}\0{}", self.wanted, self.folder);
        let name = hex::encode(Sha256::digest(place));
        self.cache.home().join(format!("accepted-{}", name.get(..16).unwrap_or(&name)))
    }
}

/// Whether a repository holds commits without those before them.
fn is_cut_short(folder: &Path) -> bool {
    fs::metadata(folder.join("shallow")).is_ok_and(|file| file.len() > 0)
}

fn told(
    moved: &Move,
    wanted: &Wanted,
    accepted: &Accepted,
    announced: &Announced,
    now: &str,
) -> String {
    let short = |commit: &str| commit.get(..12).unwrap_or(commit).to_owned();
    let (before, now) = (short(&accepted.commit), short(now));
    let tag = announced.tag.as_deref().unwrap_or_default();
    match moved {
        Move::Rewritten => format!(
            "the history of {wanted} was rewritten: {before}, which was in force, is no part of {now}"
        ),
        Move::Retagged => format!("tag {tag} was moved: it named {before}, and now {now}"),
        Move::Backwards => format!(
            "the newest tag went back: {} was in force, and now it is {tag} at {now}",
            accepted.tag.as_deref().unwrap_or_default()
        ),
    }
}
