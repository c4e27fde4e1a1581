//! The tags of an application's Git repository, which say which versions there are.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crds::{GitSource, ReleaseGit};
use futures_util::future::BoxFuture;
use planner::release::{Facts, GitTag, Trust};
use tokio::time::Instant;

use crate::source::{Access, SourceError, TagReader};
use crate::state::ReleaseRecord;

/// Where the tags of a repository come from.
pub trait TagSource: Send {
    /// Every tag with the commit that it names.
    fn list(&mut self) -> BoxFuture<'_, Result<BTreeMap<String, String>, SourceError>>;

    /// Returns only when this tag at this commit is signed by somebody who may; `Untrusted` says that it is not.
    fn verify<'a>(
        &'a mut self,
        tag: &'a str,
        commit: &'a str,
    ) -> BoxFuture<'a, Result<(), SourceError>>;
}

impl TagSource for TagReader {
    fn list(&mut self) -> BoxFuture<'_, Result<BTreeMap<String, String>, SourceError>> {
        Box::pin(self.list())
    }

    fn verify<'a>(
        &'a mut self,
        tag: &'a str,
        commit: &'a str,
    ) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(self.verify(tag, commit))
    }
}

/// Opens the repository that a release follows, or says why it cannot be read.
type Open = dyn Fn(&ReleaseGit) -> Result<Box<dyn TagSource>, String> + Send + Sync;

/// How the Git repositories that releases follow are reached.
#[derive(Clone)]
pub struct Repositories(Arc<Open>);

impl fmt::Debug for Repositories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Repositories")
    }
}

impl Default for Repositories {
    /// No repository can be read.
    fn default() -> Self {
        Self::opened_by(|_| Err("this process reads no Git repositories".to_owned()))
    }
}

impl Repositories {
    /// Repositories that are read with `access`, and those that the configuration says more about.
    pub fn new(access: Access, configured: Vec<GitSource>) -> Self {
        Self::opened_by(move |wanted| Ok(Box::new(open(&access, &configured, wanted)?)))
    }

    /// Repositories that something else opens.
    pub fn opened_by(
        open: impl Fn(&ReleaseGit) -> Result<Box<dyn TagSource>, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(open))
    }

    fn open(&self, wanted: &ReleaseGit) -> Result<Box<dyn TagSource>, String> {
        (self.0)(wanted)
    }
}

/// A reader for the repository of a release.
fn open(
    access: &Access,
    configured: &[GitSource],
    wanted: &ReleaseGit,
) -> Result<TagReader, String> {
    let known = configured.iter().find(|known| known.url == wanted.url);
    let needs_signature = wanted.verify.unwrap_or(false);
    if needs_signature && known.is_none_or(|known| known.verify.is_none()) {
        return Err(format!(
            "signed tags are asked for, and no entry of the operator's configuration for {} says in `verify` whose \
             signatures count",
            wanted.url
        ));
    }
    let plain = || GitSource { url: wanted.url.clone(), ..GitSource::default() };
    let source = known.cloned().unwrap_or_else(plain);
    TagReader::new(&source, needs_signature, access.clone())
        .map_err(|error| crate::error_chain(&error))
}

/// The reader of one release, with what it has learnt.
pub(super) struct Tags {
    spec: ReleaseGit,
    reader: Box<dyn TagSource>,
    /// When they were last asked for with success.
    pub(super) begun: Option<Instant>,
    /// The commits that tags name, as they were last listed.
    listed: BTreeMap<String, String>,
    /// What came of verifying a tag at a commit.
    verified: BTreeMap<(String, String), Trust>,
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tags").field("listed", &self.listed.len()).finish_non_exhaustive()
    }
}

impl Tags {
    /// The reader for a release, the one there was if it is for the same repository.
    pub(super) fn for_release(
        known: Option<Self>,
        spec: &ReleaseGit,
        repositories: &Repositories,
    ) -> Result<Self, String> {
        if let Some(known) = known.filter(|known| known.spec == *spec) {
            return Ok(known);
        }
        let reader = repositories.open(spec)?;
        let (listed, verified) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { spec: spec.clone(), reader, begun: None, listed, verified })
    }

    /// Lists the repository's tags.
    pub(super) async fn list(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        self.listed = self.reader.list().await.map_err(|error| crate::error_chain(&error))?;
        self.begun = Some(begun);
        let listed = &self.listed;
        self.verified.retain(|(tag, commit), _| listed.get(tag) == Some(commit));
        Ok(())
    }

    /// The commits that the tags name.
    pub(super) fn commits(&self) -> &BTreeMap<String, String> {
        &self.listed
    }

    /// The names of the tags.
    pub(super) fn names(&self) -> Vec<&str> {
        self.listed.keys().map(String::as_str).collect()
    }

    /// The commit of a tag.
    pub(super) fn commit(&self, tag: &str) -> Option<&str> {
        self.listed.get(tag).map(String::as_str)
    }

    /// The tags as facts for a choice.
    pub(super) fn facts(&self, record: &ReleaseRecord) -> BTreeMap<String, GitTag> {
        let fact = |(name, commit): (&String, &String)| {
            let trust = self.verified.get(&(name.clone(), commit.clone())).cloned();
            let tag = GitTag {
                commit: commit.clone(),
                noticed_at: record.noticed.get(name).map(|noticed| noticed.at),
                trust: trust.unwrap_or(Trust::Unread),
            };
            (name.clone(), tag)
        };
        self.listed.iter().map(fact).collect()
    }

    /// Finds out whether a tag is signed by somebody who may.
    pub(super) async fn verify(&mut self, tag: &str, facts: &mut Facts) -> Result<(), String> {
        let Some(commit) = self.listed.get(tag).cloned() else {
            return Err(format!("the tag {tag} is not in the Git repository any more"));
        };
        let trust = match self.reader.verify(tag, &commit).await {
            Ok(()) => Trust::Signed,
            Err(error @ SourceError::Untrusted { .. }) => {
                Trust::Refused(crate::error_chain(&error))
            }
            Err(error) => return Err(crate::error_chain(&error)),
        };
        if let Some(known) = facts.git.as_mut().and_then(|tags| tags.get_mut(tag)) {
            known.trust = trust.clone();
        }
        self.verified.insert((tag.to_owned(), commit), trust);
        Ok(())
    }
}
