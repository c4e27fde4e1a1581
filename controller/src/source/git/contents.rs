//! The files of a commit: what it lists, and the contents that were not read before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::sync::Arc;

use bytes::Bytes;

use super::cache::LOCAL_TIME;
use super::command::Run;
use super::tree::{self, Blob, Tree};
use super::{GitReader, blobs};
use crate::source::{FILES_MAX, Refusal, SourceError, SourceFile, TOTAL_BYTES_MAX};

impl GitReader {
    /// Every file that the commit holds below the source's folder, or why it is not read.
    pub(super) async fn contents(
        &mut self,
        git_dir: &str,
        commit: &str,
    ) -> Result<BTreeMap<String, Arc<SourceFile>>, SourceError> {
        let tree = self.tree(git_dir, commit).await?;
        self.files(git_dir, tree).await
    }

    async fn tree(&mut self, git_dir: &str, commit: &str) -> Result<Tree, SourceError> {
        const DOING: &str = "list the files of";
        let mut arguments: Vec<&OsStr> = vec![
            git_dir.as_ref(),
            "ls-tree".as_ref(),
            "-r".as_ref(),
            "-z".as_ref(),
            "--long".as_ref(),
            "--full-tree".as_ref(),
            commit.as_ref(),
            "--".as_ref(),
        ];
        if !self.folder.is_empty() {
            arguments.push(self.folder.as_ref());
        }
        let output_bytes_max = 128 * 1024 * 1024;
        let run =
            Run { doing: DOING, arguments, input: Vec::new(), output_bytes_max, time: LOCAL_TIME };
        let listing = self.git.run(run).await?;
        let tree = tree::parse(&listing, &self.folder).ok_or_else(|| self.unexpected(DOING))?;
        if tree.total == 0 && !self.folder.is_empty() {
            return Err(SourceError::MissingPath {
                path: self.folder.clone(),
                place: self.remote.address.clone(),
                commit: commit.get(..12).unwrap_or(commit).to_owned(),
            });
        }
        if self.is_fresh {
            self.left_out = tree.absent.iter().cloned().collect();
        }
        // What an older cache does not have may have been left out, or lost.
        if tree.absent.iter().any(|id| !self.left_out.contains(id)) {
            return Err(self.unexpected(DOING));
        }
        if tree.entries.len() > FILES_MAX {
            return Err(SourceError::TooManyFiles { place: self.remote.address.clone() });
        }
        Ok(tree)
    }

    async fn files(
        &mut self,
        git_dir: &str,
        tree: Tree,
    ) -> Result<BTreeMap<String, Arc<SourceFile>>, SourceError> {
        let blobs = tree.entries.values().flatten();
        if blobs.map(|blob| blob.bytes).sum::<u64>() > TOTAL_BYTES_MAX {
            return Err(SourceError::TooLarge { place: self.remote.address.clone() });
        }
        let held = self.held();
        let missing: BTreeSet<String> = tree
            .entries
            .values()
            .flatten()
            .filter(|blob| !held.contains_key(blob.id.as_str()))
            .map(|blob| blob.id.clone())
            .collect();
        let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
        let read: HashMap<&str, Bytes> =
            missing.iter().copied().zip(self.blobs(git_dir, &missing).await?).collect();
        let held = self.held();
        let last = self.last.as_deref();
        let file = |(path, content): (String, Result<Blob, Refusal>)| {
            let file = match content {
                Err(refusal) => SourceFile::refused(path.clone(), refusal),
                Ok(Blob { id, .. }) => {
                    if let Some(file) = last.and_then(|last| last.unchanged(&path, &id)) {
                        return (path, Arc::clone(file));
                    }
                    let bytes = read.get(id.as_str()).or_else(|| held.get(id.as_str()).copied());
                    let bytes = bytes.cloned().unwrap_or_default();
                    if blobs::is_lfs_pointer(&bytes) {
                        SourceFile::refused(path.clone(), Refusal::LfsPointer)
                    } else {
                        SourceFile::identified(path.clone(), id, bytes)
                    }
                }
            };
            (path, Arc::new(file))
        };
        Ok(tree.entries.into_iter().map(file).collect())
    }

    /// The contents of the last snapshot, by blob.
    fn held(&self) -> HashMap<&str, &Bytes> {
        let files = self.last.iter().flat_map(|last| last.files().values());
        files
            .filter(|file| file.refusal().is_none())
            .map(|file| (file.content_id(), file.bytes()))
            .collect()
    }

    async fn blobs(&mut self, git_dir: &str, ids: &[&str]) -> Result<Vec<Bytes>, SourceError> {
        const DOING: &str = "read the files of";
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut input = ids.join("\n").into_bytes();
        input.push(b'\n');
        let run = Run {
            doing: DOING,
            arguments: vec![git_dir.as_ref(), "cat-file".as_ref(), "--batch".as_ref()],
            input,
            output_bytes_max: TOTAL_BYTES_MAX + FILES_MAX as u64 * 128,
            time: LOCAL_TIME,
        };
        let answer = Bytes::from(self.git.run(run).await?);
        blobs::parse(&answer, ids).ok_or_else(|| self.unexpected(DOING))
    }
}
