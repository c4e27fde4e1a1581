//! A Git repository as a source: the `git` program moves objects into a bare cache, and everything is read from there.
//!
//! A poll that finds nothing new costs one `ls-remote` and touches neither cache nor objects. There is no work tree, so
//! nothing of the repository is ever written out, run or followed.

mod blobs;
mod cache;
mod command;
mod complaint;
mod reference;
mod tree;
mod url;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crds::{GitSource, SecretFrom, SourceRevision, Ssh};
use notify::RecursiveMode;

use self::cache::{Cache, LOCAL_TIME, Locked};
use self::command::{Credentials, Git, Run};
use self::reference::Wanted;
use self::tree::{Blob, Entry};
use self::url::{Remote, Transport};
use super::watch::Watch;
use super::{
    Access, Commit, FILES_MAX, ReadSecret, Refusal, Snapshot, SourceError, SourceFile,
    TOTAL_BYTES_MAX,
};

/// How long a repository's host may take to say what its references are.
const LIST_TIME: Duration = Duration::from_mins(1);
/// How long it may take to send a commit.
const FETCH_TIME: Duration = Duration::from_mins(5);
/// How many fetches leave their packs behind before they are cleared.
const FETCHES_BEFORE_CLEARING: u32 = 100;
/// Where the fetched commit is kept in the cache.
const FETCHED: &str = "refs/longshore/fetched";

/// What to do where the file with the host keys is missing.
const WRITE_KNOWN_HOSTS: &str = "; write the line that `ssh-keyscan` prints for the host into it, after comparing it with \
                                 what the host's owner publishes";

/// Reads a Git repository.
#[derive(Debug)]
pub struct GitReader {
    remote: Remote,
    wanted: Wanted,
    folder: String,
    token: Option<SecretFrom>,
    ssh: Option<Ssh>,
    read_secret: Secrets,
    cache: Cache,
    git: Git,
    watch: Option<Watch>,
    last: Option<Arc<Snapshot>>,
    fetches: u32,
}

struct Secrets(ReadSecret);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

/// A commit that lies in the cache.
struct Fetched {
    id: String,
    commit: Commit,
}

impl GitReader {
    /// A reader of the repository; nothing is read yet.
    pub fn new(source: &GitSource, access: Access) -> Result<Self, SourceError> {
        let unusable =
            |place: &str, reason: String| SourceError::Unusable { place: place.to_owned(), reason };
        let shown = complaint::redact(&source.url);
        let remote = Remote::parse(&source.url).map_err(|reason| unusable(&shown, reason))?;
        let place = remote.address.clone();
        let wanted =
            Wanted::parse(source.reference.as_ref()).map_err(|reason| unusable(&place, reason))?;
        let folder = folder(source.path.as_deref()).map_err(|reason| unusable(&place, reason))?;
        if let Transport::Http { is_loopback: false, .. } = remote.transport
            && (source.token.is_some() || remote.embedded.is_some())
        {
            let reason = "a token would travel unencrypted: use https".to_owned();
            return Err(unusable(&place, reason));
        }
        let cache = Cache::new(&access.cache, &remote);
        let git = Git::new(&remote, &access.variables, cache.home());
        let watch = match &remote.transport {
            Transport::Local { path } => Some(watch(path)),
            Transport::Https { .. } | Transport::Http { .. } | Transport::Ssh => None,
        };
        Ok(Self {
            remote,
            wanted,
            folder,
            token: source.token.clone(),
            ssh: source.ssh.clone(),
            read_secret: Secrets(access.read_secret),
            cache,
            git,
            watch,
            last: None,
            fetches: 0,
        })
    }

    /// Reads the repository as it is now; see [`SourceReader::fetch`](super::SourceReader::fetch).
    pub async fn fetch(&mut self) -> Result<Arc<Snapshot>, SourceError> {
        if let Some(watch) = &mut self.watch {
            watch.start();
        }
        if let (Wanted::Commit(id), Some(last)) = (&self.wanted, &self.last)
            && last.revision().as_str() == id
        {
            return Ok(Arc::clone(last));
        }
        self.cache.write_configuration(&self.remote)?;
        let credentials = self.credentials()?;
        let announced = self.announced(&credentials).await?;
        if let Some(last) = &self.last
            && last.revision().as_str() == announced
        {
            return Ok(Arc::clone(last));
        }
        let locked = self.cache.lock().await?;
        let snapshot = match self.read(&announced, &credentials, &locked).await {
            Err(SourceError::Git { .. } | SourceError::GitAnswer { .. })
                if self.cache.git_dir(&announced).is_dir()
                    && self.is_reachable(&credentials).await =>
            {
                tracing::info!(place = %self.remote.address, "cache is not usable, fetching anew");
                self.cache.discard(&announced, &locked)?;
                self.read(&announced, &credentials, &locked).await?
            }
            other => other?,
        };
        self.clear_now_and_then(&announced, &locked).await;
        self.last = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    /// Resolves when a reference of a repository on this machine has moved; never for others.
    pub async fn changed(&mut self) {
        match &mut self.watch {
            Some(watch) => watch.changed().await,
            None => std::future::pending().await,
        }
    }

    /// How many times the `git` program was run.
    #[cfg(test)]
    fn commands(&self) -> u64 {
        self.git.commands()
    }

    fn credentials(&self) -> Result<Credentials, SourceError> {
        if let Some(ssh) = &self.ssh {
            self.require("key", &ssh.key_file, "")?;
            self.require("known hosts", &ssh.known_hosts_file, WRITE_KNOWN_HOSTS)?;
            return Ok(Credentials::Ssh {
                key_file: ssh.key_file.clone(),
                known_hosts_file: ssh.known_hosts_file.clone(),
            });
        }
        let embedded = self.remote.embedded.as_ref();
        if let Some(from) = &self.token {
            let token = (self.read_secret.0)(from).map_err(|reason| SourceError::Secret {
                secret: "token",
                place: self.remote.address.clone(),
                reason,
            })?;
            let user = embedded.map_or("x-access-token", |embedded| &embedded.user).to_owned();
            return Ok(Credentials::Basic { user, password: token.trim().to_owned() });
        }
        Ok(match embedded {
            Some(embedded) => Credentials::Basic {
                user: embedded.user.clone(),
                password: embedded.password.clone().unwrap_or_default(),
            },
            None => Credentials::None,
        })
    }

    /// A file that ssh needs. Without it ssh would go on and fail later, in words that do not name it.
    fn require(
        &self,
        secret: &'static str,
        file: &str,
        advice: &'static str,
    ) -> Result<(), SourceError> {
        std::fs::File::open(file).map(drop).map_err(|error| SourceError::Secret {
            secret,
            place: self.remote.address.clone(),
            reason: format!("{file}: {error}{advice}"),
        })
    }

    /// The commit that the repository says is the newest.
    async fn announced(&mut self, credentials: &Credentials) -> Result<String, SourceError> {
        if let Wanted::Commit(id) = &self.wanted {
            return Ok(id.clone());
        }
        let patterns = self.wanted.patterns();
        let mut arguments: Vec<&OsStr> = vec![
            "ls-remote".as_ref(),
            "--quiet".as_ref(),
            "--".as_ref(),
            self.remote.address.as_ref(),
        ];
        arguments.extend(patterns.iter().map(OsStr::new));
        let run = Run {
            doing: "list references of",
            arguments,
            input: Vec::new(),
            output_bytes_max: 8 * 1024 * 1024,
            time: LIST_TIME,
        };
        let listing = self.git.run_remote(run, &self.remote, credentials).await?;
        self.wanted.find(&listing).ok_or_else(|| SourceError::MissingReference {
            reference: self.wanted.to_string(),
            place: self.remote.address.clone(),
        })
    }

    /// Whether the host answers, so that a failed read must be the cache's fault.
    async fn is_reachable(&mut self, credentials: &Credentials) -> bool {
        self.announced(credentials).await.is_ok()
    }

    async fn read(
        &mut self,
        announced: &str,
        credentials: &Credentials,
        locked: &Locked,
    ) -> Result<Arc<Snapshot>, SourceError> {
        let git_dir = self.git_dir_argument(announced);
        self.cache.prepare(&mut self.git, announced, locked).await?;
        self.fetch_commit(&git_dir, credentials).await?;
        let Fetched { id, commit } = self.fetched(&git_dir).await?;
        if let Some(last) = &self.last
            && last.revision().as_str() == id
        {
            return Ok(Arc::clone(last));
        }
        let entries = self.entries(&git_dir, &id).await?;
        let files = self.files(&git_dir, entries).await?;
        Snapshot::new(SourceRevision::new(id), files, Some(commit))
            .following(self.last.as_ref(), &self.remote.address)
    }

    fn git_dir_argument(&self, commit: &str) -> String {
        format!("--git-dir={}", self.cache.git_dir(commit).display())
    }

    async fn fetch_commit(
        &mut self,
        git_dir: &str,
        credentials: &Credentials,
    ) -> Result<(), SourceError> {
        let refspec = format!("+{}:{FETCHED}", self.wanted.remote_name());
        let run = Run {
            doing: "fetch",
            arguments: vec![
                git_dir.as_ref(),
                "fetch".as_ref(),
                "--quiet".as_ref(),
                "--depth=1".as_ref(),
                "--no-tags".as_ref(),
                "--no-recurse-submodules".as_ref(),
                "--no-write-fetch-head".as_ref(),
                "--update-shallow".as_ref(),
                "--".as_ref(),
                self.remote.address.as_ref(),
                refspec.as_ref(),
            ],
            input: Vec::new(),
            output_bytes_max: 1024 * 1024,
            time: FETCH_TIME,
        };
        self.fetches += 1;
        self.git.run_remote(run, &self.remote, credentials).await.map(drop)
    }

    /// What was fetched, which may be newer than what was announced a moment ago.
    async fn fetched(&mut self, git_dir: &str) -> Result<Fetched, SourceError> {
        const DOING: &str = "read the commit of";
        let run = Run {
            doing: DOING,
            arguments: vec![
                git_dir.as_ref(),
                "log".as_ref(),
                "-1".as_ref(),
                "--no-show-signature".as_ref(),
                "--encoding=UTF-8".as_ref(),
                "--format=%H%x00%an%x00%ct%x00%s".as_ref(),
                FETCHED.as_ref(),
                "--".as_ref(),
            ],
            input: Vec::new(),
            output_bytes_max: 1024 * 1024,
            time: LOCAL_TIME,
        };
        let answer = self.git.run(run).await?;
        let text = String::from_utf8_lossy(&answer);
        let mut parts = text.trim_end_matches('\n').splitn(4, '\0');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(id), Some(author), Some(time), Some(subject)) if id.len() >= 40 => Ok(Fetched {
                id: id.to_owned(),
                commit: Commit {
                    author: bounded(author),
                    subject: bounded(subject),
                    time: time
                        .parse()
                        .ok()
                        .and_then(|time| jiff::Timestamp::from_second(time).ok()),
                },
            }),
            _ => Err(self.unexpected(DOING)),
        }
    }

    async fn entries(&mut self, git_dir: &str, commit: &str) -> Result<Vec<Entry>, SourceError> {
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
        if tree.entries.len() > FILES_MAX {
            return Err(SourceError::TooManyFiles { place: self.remote.address.clone() });
        }
        Ok(tree.entries)
    }

    async fn files(
        &mut self,
        git_dir: &str,
        entries: Vec<Entry>,
    ) -> Result<BTreeMap<String, Arc<SourceFile>>, SourceError> {
        let blobs = entries.iter().filter_map(|entry| entry.content.as_ref().ok());
        if blobs.map(|blob| blob.bytes).sum::<u64>() > TOTAL_BYTES_MAX {
            return Err(SourceError::TooLarge { place: self.remote.address.clone() });
        }
        let held = self.held();
        let missing: BTreeSet<String> = entries
            .iter()
            .filter_map(|entry| entry.content.as_ref().ok())
            .filter(|blob| !held.contains_key(blob.id.as_str()))
            .map(|blob| blob.id.clone())
            .collect();
        let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
        let read: HashMap<&str, Bytes> =
            missing.iter().copied().zip(self.blobs(git_dir, &missing).await?).collect();
        let held = self.held();
        let last = self.last.as_deref();
        let file = |Entry { path, content }: Entry| {
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
        Ok(entries.into_iter().map(file).collect())
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

    /// Fetches of single commits leave packs behind that nothing needs any more.
    async fn clear_now_and_then(&mut self, commit: &str, _locked: &Locked) {
        if self.fetches < FETCHES_BEFORE_CLEARING {
            return;
        }
        self.fetches = 0;
        let git_dir = self.git_dir_argument(commit);
        let run = Run {
            doing: "clear the cache of",
            arguments: vec![
                git_dir.as_ref(),
                "gc".as_ref(),
                "--quiet".as_ref(),
                "--prune=now".as_ref(),
            ],
            input: Vec::new(),
            output_bytes_max: 1024 * 1024,
            time: LOCAL_TIME,
        };
        if let Err(error) = self.git.run(run).await {
            tracing::debug!(%error, "cache not cleared");
        }
    }

    fn unexpected(&self, doing: &'static str) -> SourceError {
        SourceError::GitAnswer { doing, place: self.remote.address.clone() }
    }
}

/// The source's path in the repository, without slashes at its ends.
fn folder(path: Option<&str>) -> Result<String, String> {
    let path = path.unwrap_or_default();
    let parts: Vec<&str> =
        path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") || path.chars().any(char::is_control) {
        return Err(format!("path `{path}` leads out of the repository"));
    }
    Ok(parts.join("/"))
}

/// Authors and subjects are shown to people; nobody needs more than a line of them.
fn bounded(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

/// Watches where a repository on this machine keeps its references.
fn watch(path: &Path) -> Watch {
    let folder = if path.join(".git").is_dir() { path.join(".git") } else { path.to_owned() };
    let folders: Vec<(PathBuf, RecursiveMode)> = vec![
        (folder.clone(), RecursiveMode::NonRecursive),
        (folder.join("refs"), RecursiveMode::Recursive),
        (folder.join("reftable"), RecursiveMode::Recursive),
    ];
    let (refs, reftable) = (folder.join("refs"), folder.join("reftable"));
    let heads = [folder.join("HEAD"), folder.join("packed-refs")];
    Watch::new(folders, move |path| {
        path.extension() != Some(OsStr::new("lock"))
            && (heads.iter().any(|head| head == path)
                || path.starts_with(&refs)
                || path.starts_with(&reftable))
    })
}

#[cfg(test)]
mod tests;
