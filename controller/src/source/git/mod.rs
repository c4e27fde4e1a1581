//! A Git repository as a source: the `git` program moves objects into a bare cache, and everything is read from there.
//!
//! A poll that finds nothing new costs one `ls-remote` and touches neither cache nor objects. There is no work tree, so
//! nothing of the repository is ever written out, run or followed.

mod app;
pub mod blobs;
mod cache;
mod command;
mod commit;
mod complaint;
mod contents;
mod credentials;
pub mod fetched;
mod history;
mod ours;
mod propose;
mod push;
pub mod reference;
mod sign;
mod signature;
mod ssh;
mod tags;
pub mod tree;
mod url;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crds::{GitSource, SecretFrom, SourceRevision, Ssh};
use notify::RecursiveMode;

use self::app::App;
use self::cache::{Cache, LOCAL_TIME, Locked};
use self::command::{Credentials, Git, REMOTE, Run};
use self::history::Accepted;
pub use self::push::GitWriter;
use self::reference::{Announced, Wanted};
pub use self::tags::TagReader;
use self::url::{Remote, Transport};
use super::watch::Watch;
use super::{Access, FILE_BYTES_MAX, ReadSecret, Snapshot, SourceError};

/// How long a repository's host may take to say what its references are.
const LIST_TIME: Duration = Duration::from_mins(1);
/// How long it may take to send a commit.
const FETCH_TIME: Duration = Duration::from_mins(5);
/// Enough for 100,000 annotated tags.
const LISTING_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// How many fetches leave their packs behind before they are cleared.
const FETCHES_BEFORE_CLEARING: u32 = 100;
/// What a host is asked to leave out where commits alone matter.
const FILES: &str = "tree:0";
/// Nothing is left out, whatever was before.
const WHOLE: &str = "--no-filter";
/// Where the fetched commit is kept in the cache.
const FETCHED: &str = "refs/longshore/fetched";

/// Reads a Git repository.
#[derive(Debug)]
pub struct GitReader {
    remote: Remote,
    wanted: Wanted,
    folder: String,
    token: Option<SecretFrom>,
    app: Option<App>,
    ssh: Option<Ssh>,
    history: history::Policy,
    verify: Option<signature::Policy>,
    read_secret: Secrets,
    cache: Cache,
    git: Git,
    watch: Option<Watch>,
    last: Option<Arc<Snapshot>>,
    accepted: Option<Accepted>,
    fetches: u32,
    /// After how many of them the cache is cleared.
    fetches_before_clearing: u32,
    /// Whether the host is asked to leave out what is too large for a spec; `None` before the first fetch.
    leaves_out: Option<bool>,
    /// Whether the cache was made for this very reading.
    is_fresh: bool,
    /// Specs that a host has left out, by blob.
    left_out: HashSet<String>,
    /// The commit that takes more room than there is.
    too_large: Option<String>,
}

struct Secrets(ReadSecret);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
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
        let history = history::Policy::parse(source.history.as_ref())
            .map_err(|reason| unusable(&place, reason))?;
        let verify = signature::Policy::parse(source.verify.as_ref(), &wanted)
            .map_err(|reason| unusable(&place, reason))?;
        let app = source.github_app.as_ref().map(App::new).transpose();
        let app = app.map_err(|reason| unusable(&place, reason))?;
        credentials::check(source, &remote).map_err(|reason| unusable(&place, reason))?;
        push::check(source, &remote).map_err(|reason| unusable(&place, reason))?;
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
            app,
            ssh: source.ssh.clone(),
            history,
            verify,
            read_secret: Secrets(access.read_secret),
            cache,
            git,
            watch,
            last: None,
            accepted: None,
            fetches: 0,
            fetches_before_clearing: FETCHES_BEFORE_CLEARING,
            leaves_out: None,
            is_fresh: false,
            left_out: HashSet::new(),
            too_large: None,
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
        let credentials = self.credentials().await?;
        let announced = self.announced(&credentials).await;
        if let (Err(_), Some(app)) = (&announced, &mut self.app) {
            app.forget();
        }
        let announced = announced?;
        if let Some(last) = &self.last
            && last.revision().as_str() == announced.commit
            && self.accepted.as_ref().is_some_and(|accepted| accepted.tag == announced.tag)
        {
            return Ok(Arc::clone(last));
        }
        if self.too_large.as_ref() == Some(&announced.commit) {
            return Err(self.outgrown());
        }
        let locked = self.cache.lock().await?;
        let mut read = self.read(&announced, &credentials, &locked).await;
        if read.as_ref().is_err_and(is_of_the_cache)
            && !self.is_fresh
            && self.is_reachable(&credentials).await
        {
            tracing::info!(place = %self.remote.address, "cache is not usable, fetching anew");
            self.cache.discard(&announced.commit, &locked)?;
            read = self.read(&announced, &credentials, &locked).await;
        }
        if let Err(SourceError::Outgrown { .. }) = &read {
            self.cache.discard(&announced.commit, &locked)?;
            self.too_large = Some(announced.commit.clone());
        }
        let snapshot = read?;
        self.clear_now_and_then(&announced.commit, &locked).await;
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

    /// What the repository says that the reference is.
    async fn announced(&mut self, credentials: &Credentials) -> Result<Announced, SourceError> {
        let missing = |why: &str| SourceError::MissingReference {
            reference: self.wanted.to_string(),
            place: self.remote.address.clone(),
            why: why.to_owned(),
        };
        let Some((options, patterns)) = self.wanted.question() else {
            return self.wanted.find(b"").ok().flatten().ok_or_else(|| missing(""));
        };
        let mut arguments: Vec<&OsStr> = vec!["ls-remote".as_ref(), "--quiet".as_ref()];
        arguments.extend(options.iter().map(OsStr::new));
        arguments.extend([OsStr::new("--"), self.remote.address.as_ref()]);
        arguments.extend(patterns.iter().map(OsStr::new));
        let run = Run {
            doing: "list references of",
            arguments,
            input: Vec::new(),
            output_bytes_max: LISTING_BYTES_MAX,
            time: LIST_TIME,
        };
        let listing = self.git.run_remote(run, &self.remote, credentials).await?;
        match self.wanted.find(&listing) {
            Ok(found) => found.ok_or_else(|| missing("")),
            Err(none) => Err(missing(&format!(": {none}"))),
        }
    }

    /// Whether the host answers, so that a failed read must be the cache's fault.
    async fn is_reachable(&mut self, credentials: &Credentials) -> bool {
        self.announced(credentials).await.is_ok()
    }

    /// Fetches what was announced, and takes it only once it is known to be what it should be.
    async fn read(
        &mut self,
        announced: &Announced,
        credentials: &Credentials,
        locked: &Locked,
    ) -> Result<Arc<Snapshot>, SourceError> {
        let git_dir = self.git_dir_argument(&announced.commit);
        self.is_fresh = !self.cache.is_made(&announced.commit) || self.cache.is_outgrown();
        self.cache.prepare(&mut self.git, &announced.commit, locked).await?;
        let name = self.wanted.remote_name(announced);
        self.fetch_reference(&git_dir, "--depth=1", (&name, FETCHED), credentials).await?;
        let fetched = self.fetched(&git_dir).await?;
        let notice = self.judge(&git_dir, announced, &fetched, credentials).await?;
        self.verify(&git_dir, announced, &fetched, locked).await?;
        let snapshot = match &self.last {
            Some(last) if last.revision().as_str() == fetched.id => Arc::clone(last),
            Some(_) | None => {
                let files = self.contents(&git_dir, &fetched.id).await?;
                let revision = SourceRevision::new(fetched.id.clone());
                Snapshot::new(revision, files, Some(fetched.commit))
                    .noting(notice)
                    .following(self.last.as_ref(), &self.remote.address)?
            }
        };
        self.accept(&fetched.id, announced.tag.as_deref(), locked);
        Ok(snapshot)
    }

    fn git_dir_argument(&self, commit: &str) -> String {
        format!("--git-dir={}", self.cache.git_dir(commit).display())
    }

    /// Fetches a reference of the repository, so many commits deep, into one of the cache.
    ///
    /// What is too large for a spec is left out where the host can do that, and is not fetched later either: git is told never
    /// to ask for a missing object by itself.
    async fn fetch_reference(
        &mut self,
        git_dir: &str,
        depth: &str,
        names: (&str, &str),
        credentials: &Credentials,
    ) -> Result<(), SourceError> {
        let large = format!("blob:limit={}", FILE_BYTES_MAX + 1);
        self.fetch_leaving(git_dir, (depth, &large), names, credentials).await
    }

    /// The same, leaving out something else.
    async fn fetch_leaving(
        &mut self,
        git_dir: &str,
        (depth, left_out): (&str, &str),
        names: (&str, &str),
        credentials: &Credentials,
    ) -> Result<(), SourceError> {
        let filter = format!("--filter={left_out}");
        let leaves_out = match self.leaves_out {
            Some(known) => known,
            None => self.can_leave_out().await?,
        };
        let first = if leaves_out { filter.as_str() } else { WHOLE };
        let fetched = self.fetch_named(git_dir, (depth, first), names, credentials).await;
        self.leaves_out = Some(leaves_out);
        match &fetched {
            Err(SourceError::Git { message, .. }) if leaves_out && is_refusal(message) => {
                tracing::info!(place = %self.remote.address, "the host leaves nothing out");
                self.leaves_out = Some(false);
                self.fetch_named(git_dir, (depth, WHOLE), names, credentials).await
            }
            Ok(()) | Err(_) => fetched,
        }
    }

    /// Whether git can be told not to fetch by itself what was left out.
    async fn can_leave_out(&mut self) -> Result<bool, SourceError> {
        let run = Run {
            doing: "ask git for its version to read",
            arguments: vec!["version".as_ref()],
            input: Vec::new(),
            output_bytes_max: 4096,
            time: LOCAL_TIME,
        };
        Ok(never_fetches_by_itself(&String::from_utf8_lossy(&self.git.run(run).await?)))
    }

    async fn fetch_named(
        &mut self,
        git_dir: &str,
        (depth, filter): (&str, &str),
        (from, into): (&str, &str),
        credentials: &Credentials,
    ) -> Result<(), SourceError> {
        let refspec = format!("+{from}:{into}");
        let run = Run {
            doing: "fetch",
            arguments: vec![
                git_dir.as_ref(),
                "fetch".as_ref(),
                "--quiet".as_ref(),
                depth.as_ref(),
                filter.as_ref(),
                "--no-tags".as_ref(),
                "--no-recurse-submodules".as_ref(),
                "--no-write-fetch-head".as_ref(),
                "--update-shallow".as_ref(),
                "--".as_ref(),
                REMOTE.as_ref(),
                refspec.as_ref(),
            ],
            input: Vec::new(),
            output_bytes_max: 1024 * 1024,
            time: FETCH_TIME,
        };
        self.fetches += 1;
        let done = tokio::select! {
            done = self.git.run_fetch(run, &self.remote, credentials) => Some(done),
            () = self.cache.outgrown() => None,
        };
        match done {
            Some(Err(error)) => Err(error),
            Some(Ok(_)) if !self.cache.is_outgrown() => Ok(()),
            Some(Ok(_)) | None => Err(self.outgrown()),
        }
    }

    fn outgrown(&self) -> SourceError {
        let (place, bytes_max) = (self.remote.address.clone(), self.cache.bytes_max);
        SourceError::Outgrown { place, bytes_max }
    }

    /// Fetches of single commits leave packs behind that nothing needs any more.
    async fn clear_now_and_then(&mut self, commit: &str, locked: &Locked) {
        if self.fetches < self.fetches_before_clearing {
            return;
        }
        self.fetches = 0;
        if self.leaves_out == Some(true) {
            // `git gc` keeps every pack from which something was left out.
            if let Err(error) = self.cache.discard(commit, locked) {
                tracing::debug!(%error, "cache not cleared");
            }
            return;
        }
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

/// Whether a cache that is made anew may mend it.
fn is_of_the_cache(error: &SourceError) -> bool {
    matches!(
        error,
        SourceError::Git { .. } | SourceError::GitAnswer { .. } | SourceError::Outgrown { .. }
    )
}

/// Whether this git (`git version 2.47.3`) heeds `GIT_NO_LAZY_FETCH`, which came with 2.44.
fn never_fetches_by_itself(version: &str) -> bool {
    let number = version.split_whitespace().nth(2).unwrap_or_default();
    let mut parts = number.split('.').map_while(|part| part.parse::<u32>().ok());
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (2, 44)
}

/// Whether a host said that it leaves nothing out, where others go on with a warning.
fn is_refusal(message: &str) -> bool {
    message.contains("filter") && message.contains("not supported")
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
