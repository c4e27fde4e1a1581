//! A branch for a pull request: a commit each of the changes that share it, on what the source reads.

use super::command::Credentials;
use super::commit::Parent;
use super::fetched::Fetched;
use super::ours::Seen;
use super::push::{GitWriter, Lease};
use crate::source::{FileChange, WriteError, Written};

impl GitWriter {
    /// Brings the branch for a pull request to the change.
    pub(super) async fn propose(
        &mut self,
        git_dir: &str,
        base: &Fetched,
        (branch, head): (&str, Option<&str>),
        change: &FileChange<'_>,
        credentials: &Credentials,
    ) -> Result<Written, WriteError> {
        if let Some(head) = head {
            let commits = self.fetch_other(git_dir, branch, head, credentials).await?;
            let Some(ours) = self.all_ours(git_dir, commits, base, change, credentials).await?
            else {
                return self.join(git_dir, (branch, head), change, credentials).await;
            };
            if self.is_right(git_dir, (branch, head), &ours, base, change).await? {
                let own = ours.iter().find(|commit| self.has_made(commit, change));
                let commit = own.map(|commit| commit.id.clone());
                return Ok(Written { branch: branch.to_owned(), commit, is_new: false });
            }
        }
        let (commit, own) = self.stack(git_dir, (branch, base), change).await?;
        let lease = Lease::Of(head);
        self.send(git_dir, (branch, &commit), lease, credentials).await?;
        Ok(Written { branch: branch.to_owned(), commit: Some(own), is_new: true })
    }

    /// Brings a branch that is somebody else's, too, to the change: on top of what they have committed.
    async fn join(
        &mut self,
        git_dir: &str,
        (branch, head): (&str, &str),
        change: &FileChange<'_>,
        credentials: &Credentials,
    ) -> Result<Written, WriteError> {
        let Some(draft) = self.draft(git_dir, (head, branch), change).await? else {
            let commit = self.ours(git_dir, head, change).await?.then(|| head.to_owned());
            return Ok(Written { branch: branch.to_owned(), commit, is_new: false });
        };
        let parent = Parent { branch, commit: head };
        self.add(git_dir, parent, (change, draft), credentials).await
    }

    /// Whether the branch is what it would become if it were made anew.
    async fn is_right(
        &mut self,
        git_dir: &str,
        (branch, head): (&str, &str),
        ours: &[Seen],
        base: &Fetched,
        change: &FileChange<'_>,
    ) -> Result<bool, WriteError> {
        let is_fresh = ours.last().is_some_and(|oldest| oldest.parents == [base.id.as_str()]);
        if !is_fresh {
            return Ok(false);
        }
        let mut wanted = 0;
        for one in change.sharing() {
            if !self.lacks(git_dir, (&base.id, branch), one).await? {
                continue;
            }
            if self.lacks(git_dir, (head, branch), one).await? {
                return Ok(false);
            }
            wanted += 1;
        }
        // What two of them agree on has one commit. More than one each is what was there before.
        Ok(ours.len() <= wanted)
    }

    /// Whether a commit lacks a change that there is a place for. One without a place is told in its own turn.
    async fn lacks(
        &mut self,
        git_dir: &str,
        place: (&str, &str),
        change: &FileChange<'_>,
    ) -> Result<bool, WriteError> {
        match self.draft(git_dir, place, change).await {
            Ok(draft) => Ok(draft.is_some()),
            Err(WriteError::Misplaced { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Commits all changes on what the source reads: the newest commit, and the one of this change.
    async fn stack(
        &mut self,
        git_dir: &str,
        (branch, base): (&str, &Fetched),
        change: &FileChange<'_>,
    ) -> Result<(String, String), WriteError> {
        let mut all: Vec<&FileChange<'_>> = change.sharing().collect();
        // Whoever makes the branch anew makes the same one, or two of them would never have enough of it.
        all.sort_by_key(|one| one.name);
        let (mut newest, mut own) = (base.id.clone(), base.id.clone());
        for one in all {
            let is_own = one.name == change.name;
            let draft = match self.draft(git_dir, (&newest, branch), one).await {
                Err(WriteError::Misplaced { .. }) if !is_own => None,
                other => other?,
            };
            if let Some(draft) = draft {
                let parent = Parent { branch, commit: &newest };
                newest = self.commit(git_dir, parent, one.path, draft).await?;
            }
            if is_own {
                own.clone_from(&newest);
            }
        }
        if self.lacks(git_dir, (&newest, branch), change).await? {
            return Err(WriteError::Misplaced {
                path: change.path.to_owned(),
                branch: branch.to_owned(),
                reason: "another release writes its version to the same place".to_owned(),
            });
        }
        Ok((newest, own))
    }
}
