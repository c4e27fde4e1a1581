//! Which commits of a branch are ours, so that others of ours may take their place.

use super::command::Credentials;
use super::fetched::Fetched;
use super::push::GitWriter;
use crate::source::{FileChange, SourceError};

/// How many commits of a branch for a pull request are looked at. There is one a release, unless somebody else has committed.
const LOOKED_AT: usize = 50;
/// Where that branch is kept in the cache.
const OTHER: &str = "refs/longshore/other";

/// A commit, as far as it matters whose it is.
pub(super) struct Seen {
    pub(super) id: String,
    pub(super) parents: Vec<String>,
    email: String,
    message: String,
}

impl GitWriter {
    /// Fetches the branch and reads its newest commits, the newest first.
    pub(super) async fn fetch_other(
        &mut self,
        git_dir: &str,
        branch: &str,
        head: &str,
        credentials: &Credentials,
    ) -> Result<Vec<Seen>, SourceError> {
        let (depth, name) = (format!("--depth={LOOKED_AT}"), format!("refs/heads/{branch}"));
        self.reader.fetch_reference(git_dir, &depth, (&name, OTHER), credentials).await?;
        let mut seen: Vec<Seen> = Vec::new();
        let mut next = Some(head.to_owned());
        while let Some(id) = next.take().filter(|_| seen.len() < LOOKED_AT) {
            let commit = self.seen(git_dir, &id).await?;
            // A merge is somebody's, and so is everything before it.
            let is_mine = self.identity.email == commit.email;
            next = commit.parents.first().filter(|_| is_mine && commit.parents.len() == 1).cloned();
            seen.push(commit);
        }
        Ok(seen)
    }

    /// What the branch has beyond the source's, the newest first, if nobody but us has committed it: for this change, or for
    /// those that share the branch with it.
    pub(super) async fn all_ours(
        &mut self,
        git_dir: &str,
        mut commits: Vec<Seen>,
        base: &Fetched,
        change: &FileChange<'_>,
        credentials: &Credentials,
    ) -> Result<Option<Vec<Seen>>, SourceError> {
        let is_ours = |commit: &Seen| change.sharing().any(|one| self.has_made(commit, one));
        let Some(end) = commits.iter().position(|commit| !is_ours(commit)) else {
            return Ok(None);
        };
        let Some(first) = commits.drain(end..).next() else { return Ok(None) };
        // What is not ours is part of the source's history, or somebody else's.
        let is_source =
            first.id == base.id || self.reader.holds(git_dir, base, &first.id, credentials).await?;
        Ok(is_source.then_some(commits))
    }

    /// Whether a commit is ours.
    pub(super) async fn ours(
        &mut self,
        git_dir: &str,
        id: &str,
        change: &FileChange<'_>,
    ) -> Result<bool, SourceError> {
        let commit = self.seen(git_dir, id).await?;
        Ok(self.has_made(&commit, change))
    }

    /// Whether we have made a commit for this change.
    pub(super) fn has_made(&self, commit: &Seen, change: &FileChange<'_>) -> bool {
        commit.parents.len() == 1
            && commit.email == self.identity.email
            && (change.is_ours)(&commit.message)
    }

    async fn seen(&mut self, git_dir: &str, id: &str) -> Result<Seen, SourceError> {
        const DOING: &str = "read the commit of";
        let arguments = [git_dir, "cat-file", "commit", id];
        let content = self.local(DOING, &arguments, Vec::new(), Vec::new()).await?;
        let text = String::from_utf8_lossy(&content);
        Seen::parse(id, &text).ok_or_else(|| self.reader.unexpected(DOING))
    }
}

impl Seen {
    /// Reads a commit as it is stored.
    fn parse(id: &str, text: &str) -> Option<Self> {
        let (headers, message) = text.split_once("\n\n")?;
        let of = |name: &'static str| {
            let values = headers.lines().filter_map(move |line| line.strip_prefix(name));
            values.map(|value| value.trim_start().to_owned())
        };
        let committer = of("committer ").next()?;
        let (_, address) = committer.rsplit_once('<')?;
        let (email, _) = address.split_once('>')?;
        Some(Self {
            id: id.to_owned(),
            parents: of("parent ").collect(),
            email: email.to_owned(),
            message: message.to_owned(),
        })
    }
}
