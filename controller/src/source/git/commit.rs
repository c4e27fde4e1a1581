//! Making a commit in the object database: a blob, a tree by way of an index of its own, the commit.

use std::ffi::{OsStr, OsString};
use std::fs;

use super::cache::LOCAL_TIME;
use super::command::Run;
use super::push::GitWriter;
use super::{blobs, reference};
use crate::source::{Draft, FILE_BYTES_MAX, FileChange, SourceError, WriteError};

/// Enough for a message and for ids.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// The index, in the cache; whoever has the lock has it.
const INDEX: &str = "longshore-index";

/// What a commit is put on.
#[derive(Clone, Copy)]
pub(super) struct Parent<'a> {
    pub(super) branch: &'a str,
    pub(super) commit: &'a str,
}

impl GitWriter {
    /// What the file of a commit has to become; `None` when it is right.
    pub(super) async fn draft(
        &mut self,
        git_dir: &str,
        (commit, branch): (&str, &str),
        change: &FileChange<'_>,
    ) -> Result<Option<Draft>, WriteError> {
        let misplaced = |reason: String| WriteError::Misplaced {
            path: change.path.to_owned(),
            branch: branch.to_owned(),
            reason,
        };
        let id = match self.entry(git_dir, commit, change.path).await? {
            Some(Entry { mode, id, bytes: Some(bytes) }) if mode.starts_with("100") => {
                if bytes > FILE_BYTES_MAX {
                    return Err(misplaced(format!("it holds {bytes} bytes, more than a spec may")));
                }
                id
            }
            Some(Entry { mode, bytes: None, .. }) if mode.starts_with("100") => {
                return Err(misplaced("it holds more bytes than a spec may".to_owned()));
            }
            Some(_) => return Err(misplaced("it is no plain file".to_owned())),
            None => {
                let reason = "there is no such file; write it with a place for the version";
                return Err(misplaced(reason.to_owned()));
            }
        };
        let arguments = [git_dir, "cat-file", "blob", id.as_str()];
        let content = self.local("read the files of", &arguments, Vec::new(), Vec::new()).await?;
        if blobs::is_lfs_pointer(&content) {
            return Err(misplaced("its content is in Git LFS, which is not written".to_owned()));
        }
        let Ok(text) = String::from_utf8(content) else {
            return Err(misplaced("it is not UTF-8".to_owned()));
        };
        (change.edit)(&text).map_err(misplaced)
    }

    /// A commit that changes one file of its parent; its id.
    pub(super) async fn commit(
        &mut self,
        git_dir: &str,
        parent: Parent<'_>,
        path: &str,
        draft: Draft,
    ) -> Result<String, SourceError> {
        const DOING: &str = "make a commit for";
        let Draft { content, message } = draft;
        let entry = self.entry(git_dir, parent.commit, path).await?;
        let mode = entry.ok_or_else(|| self.reader.unexpected(DOING))?.mode;
        let arguments = [git_dir, "hash-object", "-w", "--no-filters", "--stdin"];
        let blob = self.id(DOING, &arguments, content.into_bytes(), Vec::new()).await?;
        let index = self.reader.cache.git_dir(parent.commit).join(INDEX);
        for leftover in [index.clone(), index.with_extension("lock")] {
            let _ = fs::remove_file(leftover);
        }
        let with_index: Vec<(OsString, OsString)> =
            vec![("GIT_INDEX_FILE".into(), index.clone().into_os_string())];
        let arguments = [git_dir, "read-tree", parent.commit];
        self.local(DOING, &arguments, Vec::new(), with_index.clone()).await?;
        let arguments = [git_dir, "update-index", "-z", "--index-info"];
        let line = format!("{mode} {blob}\t{path}\0").into_bytes();
        self.local(DOING, &arguments, line, with_index.clone()).await?;
        // What the host has left out is there, and stays as it is.
        let arguments = [git_dir, "write-tree", "--missing-ok"];
        let tree = self.id(DOING, &arguments, Vec::new(), with_index).await?;
        let _ = fs::remove_file(index);
        let signing = self.signing().await?;
        let mut arguments =
            vec![git_dir, "commit-tree", tree.as_str(), "-p", parent.commit, "-F", "-"];
        arguments.extend(signing.is_some().then_some("-S"));
        let environment = self.identity.environment(signing.as_ref());
        let committed = self.id(DOING, &arguments, message.into_bytes(), environment).await;
        if let Some(signing) = signing {
            signing.end(&mut self.reader.git).await;
        }
        committed
    }

    async fn entry(
        &mut self,
        git_dir: &str,
        commit: &str,
        path: &str,
    ) -> Result<Option<Entry>, SourceError> {
        const DOING: &str = "list the files of";
        let arguments = [git_dir, "ls-tree", "-z", "--long", "--full-tree", commit, "--", path];
        let answer = self.local(DOING, &arguments, Vec::new(), Vec::new()).await?;
        let answer = String::from_utf8_lossy(&answer);
        Ok(answer.split('\0').find_map(|record| Entry::parse(record, path)))
    }

    /// Runs a command whose answer is an object's id.
    async fn id(
        &mut self,
        doing: &'static str,
        arguments: &[&str],
        input: Vec<u8>,
        environment: Vec<(OsString, OsString)>,
    ) -> Result<String, SourceError> {
        let answer = self.local(doing, arguments, input, environment).await?;
        let text = String::from_utf8_lossy(&answer);
        reference::commit_id(text.trim()).map_err(|_| self.reader.unexpected(doing))
    }

    pub(super) async fn local(
        &mut self,
        doing: &'static str,
        arguments: &[&str],
        input: Vec<u8>,
        environment: Vec<(OsString, OsString)>,
    ) -> Result<Vec<u8>, SourceError> {
        let run = Run {
            doing,
            arguments: arguments.iter().map(OsStr::new).collect(),
            input,
            output_bytes_max: FILE_BYTES_MAX + ANSWER_BYTES_MAX,
            time: LOCAL_TIME,
        };
        self.reader.git.run_with(run, environment).await
    }
}

/// What a tree holds under a path.
struct Entry {
    mode: String,
    id: String,
    /// `None` for what is no blob.
    bytes: Option<u64>,
}

impl Entry {
    /// Reads a record of `ls-tree -z --long`, if it is about this path.
    fn parse(record: &str, path: &str) -> Option<Self> {
        let (meta, found) = record.split_once('\t')?;
        let mut words = meta.split_ascii_whitespace();
        let (mode, _kind, id, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let (mode, id) = (mode.to_owned(), id.to_owned());
        (found == path).then(|| Self { mode, id, bytes: size.parse().ok() })
    }
}
