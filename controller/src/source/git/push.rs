//! A Git source that is written to: one file is changed by one commit, without a work tree.
//!
//! What comes in: a change of one file. What leaves: the branch that holds it, and the commit. Guarantees: the branch that the
//! source reads is never forced; a branch for a pull request is replaced only while it holds nothing but commits of ours, and
//! only as it was seen; a commit that was pushed before the answer was lost is found and not made again.

use std::ffi::OsStr;
use std::time::Duration;

use crds::{GitPush, GitSource, VerifyMode};

use super::cache::Locked;
use super::command::{Credentials, Run};
use super::commit::Parent;
use super::fetched::Fetched;
use super::reference::{Announced, Wanted};
use super::sign::Identity;
use super::url::Remote;
use super::{FETCHED, GitReader, LIST_TIME, LISTING_BYTES_MAX, credentials};
use crate::source::{Access, Draft, FileChange, SourceError, WriteError, Written};

/// How long a repository's host may take to receive a commit, with the hooks that it runs.
const PUSH_TIME: Duration = Duration::from_mins(2);
/// How often a commit is made anew because somebody else has pushed.
const TRIES_MAX: usize = 5;
/// The first pause between two tries; each further one doubles it.
const PAUSE: Duration = Duration::from_millis(200);
/// The folder of the cache for repositories that are written to: a slow push keeps nobody from reading.
const FOLDER: &str = "push";

/// Writes to one Git repository.
#[derive(Debug)]
pub struct GitWriter {
    pub(super) reader: GitReader,
    pub(super) identity: Identity,
    /// Why the branch that the source reads takes no commits of ours.
    unsigned: Option<String>,
    /// The first pause between two tries; each further one doubles it.
    pub(super) pause: Duration,
    random: fastrand::Rng,
}

/// What is wrong with how a source is to be written to.
pub(super) fn check(source: &GitSource, remote: &Remote) -> Result<(), String> {
    let Some(push) = &source.push else { return Ok(()) };
    Identity::parse(push.author.as_ref(), push.sign.as_ref())?;
    let GitPush { token, github_app, ssh, .. } = push.clone();
    let own = GitSource { token, github_app, ssh, ..GitSource::default() };
    credentials::check(&own, remote).map_err(|reason| format!("push: {reason}"))
}

/// Where the branches stand.
struct Heads {
    /// The branch that the source reads.
    source: String,
    /// Its newest commit.
    commit: String,
    /// The newest commit of the branch for a pull request, where it is there.
    other: Option<String>,
}

/// How a branch takes a commit.
#[derive(Clone, Copy)]
pub(super) enum Lease<'a> {
    /// Only on top of what it holds, which is this commit.
    Forward(&'a str),
    /// Only if the branch is this commit, or is not there.
    Of(Option<&'a str>),
}

impl GitWriter {
    /// A writer to the repository of a source; nothing is done yet.
    pub fn new(source: &GitSource, access: Access) -> Result<Self, WriteError> {
        let push = source.push.clone().unwrap_or_default();
        let GitPush { author, sign, token, github_app, ssh } = push;
        let has_own = token.is_some() || github_app.is_some() || ssh.is_some();
        let mut source = GitSource { path: None, push: None, ..source.clone() };
        if has_own {
            source = GitSource { token, github_app, ssh, ..source };
        }
        let access = Access { cache: access.cache.join(FOLDER), ..access };
        let reader = GitReader::new(&source, access)?;
        let impossible = |reason: String| {
            let place = reader.remote.address.clone();
            WriteError::Impossible { place, reason }
        };
        match &reader.wanted {
            Wanted::Head | Wanted::Branch(_) => {}
            other @ (Wanted::Tag(_) | Wanted::Newest(_) | Wanted::Commit(_)) => {
                return Err(impossible(format!("it is read at {other}, which is no branch")));
            }
        }
        let identity = Identity::parse(author.as_ref(), sign.as_ref()).map_err(impossible)?;
        let asks = source.verify.as_ref().map(|verify| verify.mode.unwrap_or_default());
        let needs_signature =
            asks.is_some_and(|mode| matches!(mode, VerifyMode::Commit | VerifyMode::CommitAndTag));
        let unsigned = (needs_signature && !identity.signs()).then(|| {
            "its commits have to be signed (`verify`), and `push.sign` names no key".to_owned()
        });
        Ok(Self { reader, identity, unsigned, pause: PAUSE, random: fastrand::Rng::new() })
    }

    /// Sees to it that the file is as the change has it.
    ///
    /// Without a branch it is committed to the branch that the source reads. Otherwise to that one, as a single commit on what
    /// the source reads, beside one each of the changes that share the branch, unless somebody else has committed there: then
    /// on top of theirs. What the source's branch holds already is committed nowhere.
    pub async fn write(&mut self, change: &FileChange<'_>) -> Result<Written, WriteError> {
        self.reader.cache.write_configuration(&self.reader.remote)?;
        let credentials = self.reader.credentials().await?;
        let mut tries = 0;
        let result = loop {
            match Box::pin(self.attempt(change, &credentials)).await {
                Err(WriteError::Crowded { branch, .. }) if tries + 1 >= TRIES_MAX => {
                    break Err(WriteError::Crowded { branch, tries: TRIES_MAX });
                }
                Err(WriteError::Crowded { .. }) => {
                    let pause = self.pause.saturating_mul(1 << tries);
                    tokio::time::sleep(pause.mul_f64(0.5 + self.random.f64())).await;
                    tries += 1;
                }
                other => break other,
            }
        };
        if let (Err(_), Some(app)) = (&result, &mut self.reader.app) {
            app.forget();
        }
        result
    }

    /// One try, from the branches as they are now; `Crowded` when somebody else was faster.
    async fn attempt(
        &mut self,
        change: &FileChange<'_>,
        credentials: &Credentials,
    ) -> Result<Written, WriteError> {
        let heads = self.heads(change.branch, credentials).await?;
        let locked = self.reader.cache.lock().await?;
        let work = Box::pin(self.change(change, &heads, credentials, &locked)).await;
        if let Err(WriteError::Source(SourceError::Git { .. } | SourceError::GitAnswer { .. })) =
            &work
            && self.reader.is_reachable(credentials).await
        {
            // Everything in the cache can be fetched again.
            self.reader.cache.discard(&heads.commit, &locked)?;
        }
        if work.is_ok() {
            self.reader.clear_now_and_then(&heads.commit, &locked).await;
        }
        work
    }

    async fn change(
        &mut self,
        change: &FileChange<'_>,
        heads: &Heads,
        credentials: &Credentials,
        locked: &Locked,
    ) -> Result<Written, WriteError> {
        let git_dir = self.reader.git_dir_argument(&heads.commit);
        self.reader.cache.prepare(&mut self.reader.git, &heads.commit, locked).await?;
        let base = self.base(&git_dir, heads, credentials, locked).await?;
        let source = heads.source.as_str();
        let Some(draft) = self.draft(&git_dir, (&base.id, source), change).await? else {
            let commit = self.ours(&git_dir, &base.id, change).await?.then(|| base.id.clone());
            return Ok(Written { branch: source.to_owned(), commit, is_new: false });
        };
        match change.branch.filter(|branch| *branch != source) {
            None => {
                if let Some(reason) = self.unsigned.clone() {
                    let place = self.reader.remote.address.clone();
                    return Err(WriteError::Impossible { place, reason });
                }
                let parent = Parent { branch: source, commit: &base.id };
                self.add(&git_dir, parent, (change, draft), credentials).await
            }
            Some(branch) => {
                let place = (branch, heads.other.as_deref());
                Box::pin(self.propose(&git_dir, &base, place, change, credentials)).await
            }
        }
    }

    /// Commits on top of what a branch holds, and pushes.
    pub(super) async fn add(
        &mut self,
        git_dir: &str,
        parent: Parent<'_>,
        (change, draft): (&FileChange<'_>, Draft),
        credentials: &Credentials,
    ) -> Result<Written, WriteError> {
        let commit = self.commit(git_dir, parent, change.path, draft).await?;
        let lease = Lease::Forward(parent.commit);
        self.send(git_dir, (parent.branch, &commit), lease, credentials).await?;
        Ok(Written { branch: parent.branch.to_owned(), commit: Some(commit), is_new: true })
    }

    /// Pushes a commit that is made, and finds out what became of it.
    pub(super) async fn send(
        &mut self,
        git_dir: &str,
        (branch, commit): (&str, &str),
        lease: Lease<'_>,
        credentials: &Credentials,
    ) -> Result<(), WriteError> {
        let pushed = self.push(git_dir, (branch, commit), lease, credentials).await;
        let Err(error) = pushed else { return Ok(()) };
        // What became of it is what the branch is now, whatever was answered. Where that is not told either, the first answer
        // says more.
        let Ok(now) = self.head_of(branch, credentials).await else { return Err(error.into()) };
        if now.as_deref() == Some(commit) {
            return Ok(());
        }
        let branch = branch.to_owned();
        let before = match lease {
            Lease::Forward(commit) => Some(commit),
            Lease::Of(head) => head,
        };
        if now.as_deref() != before {
            return Err(WriteError::Crowded { branch, tries: 1 });
        }
        if let SourceError::Git { message, .. } = &error {
            return Err(WriteError::Refused { branch, reason: message.clone() });
        }
        Err(error.into())
    }

    async fn push(
        &mut self,
        git_dir: &str,
        (branch, commit): (&str, &str),
        lease: Lease<'_>,
        credentials: &Credentials,
    ) -> Result<(), SourceError> {
        let refspec = format!("{commit}:refs/heads/{branch}");
        let with_lease = match lease {
            Lease::Forward(_) => None,
            Lease::Of(head) => {
                let head = head.unwrap_or_default();
                Some(format!("--force-with-lease=refs/heads/{branch}:{head}"))
            }
        };
        let reader = &mut self.reader;
        let address = reader.remote.address.clone();
        let mut arguments: Vec<&OsStr> =
            vec![git_dir.as_ref(), "push".as_ref(), "--quiet".as_ref(), "--no-verify".as_ref()];
        arguments.extend(with_lease.as_ref().map(OsStr::new));
        arguments.extend([OsStr::new("--"), address.as_ref(), refspec.as_ref()]);
        let run = Run {
            doing: "push to",
            arguments,
            input: Vec::new(),
            output_bytes_max: 1024 * 1024,
            time: PUSH_TIME,
        };
        let home = reader.cache.home().to_owned();
        reader.git.run_push(run, &reader.remote, credentials, &home).await.map(drop)
    }

    /// The newest commit of the source's branch, fetched; one that the source would not trust is built on by nobody.
    async fn base(
        &mut self,
        git_dir: &str,
        heads: &Heads,
        credentials: &Credentials,
        locked: &Locked,
    ) -> Result<Fetched, SourceError> {
        let reader = &mut self.reader;
        let name = format!("refs/heads/{}", heads.source);
        reader.fetch_reference(git_dir, "--depth=1", (&name, FETCHED), credentials).await?;
        let fetched = reader.fetched(git_dir).await?;
        let announced = Announced { commit: fetched.id.clone(), tag: None };
        reader.verify(git_dir, &announced, &fetched, locked).await?;
        Ok(fetched)
    }

    /// Where the branches stand now.
    async fn heads(
        &mut self,
        other: Option<&str>,
        credentials: &Credentials,
    ) -> Result<Heads, SourceError> {
        let source = match &self.reader.wanted {
            Wanted::Branch(name) => Some(name.clone()),
            Wanted::Head | Wanted::Tag(_) | Wanted::Newest(_) | Wanted::Commit(_) => None,
        };
        let asked = source.as_ref().map_or("HEAD".to_owned(), |name| format!("refs/heads/{name}"));
        let other = other.map(|other| format!("refs/heads/{other}"));
        let mut patterns: Vec<&str> = vec![&asked];
        patterns.extend(other.as_deref());
        let listing = self.list(&patterns, credentials).await?;
        let missing = || SourceError::MissingReference {
            reference: self.reader.wanted.to_string(),
            place: self.reader.remote.address.clone(),
            why: String::new(),
        };
        let source = source.or_else(|| head_branch(&listing)).ok_or_else(missing)?;
        let commit = commit_of(&listing, &asked).ok_or_else(missing)?;
        let other = other.and_then(|other| commit_of(&listing, &other));
        Ok(Heads { source, commit, other })
    }

    async fn head_of(
        &mut self,
        branch: &str,
        credentials: &Credentials,
    ) -> Result<Option<String>, SourceError> {
        let name = format!("refs/heads/{branch}");
        let listing = self.list(&[&name], credentials).await?;
        Ok(commit_of(&listing, &name))
    }

    async fn list(
        &mut self,
        patterns: &[&str],
        credentials: &Credentials,
    ) -> Result<String, SourceError> {
        let reader = &mut self.reader;
        let address = reader.remote.address.clone();
        let mut arguments: Vec<&OsStr> =
            vec!["ls-remote".as_ref(), "--quiet".as_ref(), "--symref".as_ref(), "--".as_ref()];
        arguments.push(address.as_ref());
        arguments.extend(patterns.iter().map(OsStr::new));
        let run = Run {
            doing: "list references of",
            arguments,
            input: Vec::new(),
            output_bytes_max: LISTING_BYTES_MAX,
            time: LIST_TIME,
        };
        let listing = reader.git.run_remote(run, &reader.remote, credentials).await?;
        Ok(String::from_utf8_lossy(&listing).into_owned())
    }
}

/// The branch that HEAD names, in an answer of `ls-remote --symref`.
fn head_branch(listing: &str) -> Option<String> {
    let name =
        listing.lines().find_map(|line| line.strip_prefix("ref: ")?.strip_suffix("\tHEAD"))?;
    name.strip_prefix("refs/heads/").map(str::to_owned)
}

fn commit_of(listing: &str, name: &str) -> Option<String> {
    listing.lines().find_map(|line| {
        let (id, found) = line.split_once('\t')?;
        (found == name && matches!(id.len(), 40 | 64)).then(|| id.to_owned())
    })
}
