//! Chosen versions in files: what `writeBack` of a release asks for, beside the turns that choose.
//!
//! What comes in: the version in force, the source that holds the release. What leaves: at most one commit, a condition, a note
//! in the release's record. Guarantees: no rollout waits for a host that takes commits; nothing is asked of the host while
//! neither the version nor the source has changed since it was; what failed is tried again with growing pauses.

use std::collections::HashMap;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crds::{
    ChosenVersion, ConditionStatus, ConditionType, OwnerName, Reason, ReleaseName, ReleaseStatus,
    SourceName, SourceRevision, WriteBack, WrittenVersion,
};
use futures_util::FutureExt as _;
use planner::release::{status, write_back};

use super::destinations::{Destination, Destinations};
use crate::inventory::{ReleaseEntry, WantedRelease};
use crate::queue::{Priority, Queue};
use crate::reconcile::Context;
use crate::source::{Draft, FileChange, Retry, WriteError, Written};
use crate::status_store::ReleaseObject;

/// How many hosts are written to at once.
const WORKERS: usize = 4;

/// The files of all releases.
#[derive(Debug)]
pub(super) struct WriteBacks {
    queue: Queue<ReleaseName>,
    /// `None` writes nothing.
    destinations: Option<Destinations>,
    known: Mutex<HashMap<ReleaseName, Known>>,
}

/// What is kept of one release's file; all of it can be found out again.
#[derive(Default)]
struct Known {
    /// What was last tried.
    tried: Option<Due>,
    /// The commit that this made: a source that has come there needs no further look.
    own: Option<String>,
    told: Option<Told>,
    open: Option<(SourceName, Box<dyn Destination>)>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("tried", &self.tried).finish_non_exhaustive()
    }
}

/// Everything that a commit hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Due {
    image: String,
    tag: String,
    digest: String,
    write_back: WriteBack,
    source: SourceName,
    revision: SourceRevision,
}

/// What is said of a version in its file.
#[derive(Debug, Clone)]
struct Told {
    tag: String,
    digest: String,
    status: ConditionStatus,
    reason: Reason,
    message: String,
    written: Option<WrittenVersion>,
}

impl WriteBacks {
    /// Nothing is written before there is somewhere [`to`](Self::to) write. The seed decides all jitter.
    pub(super) fn new(seed: u64) -> Self {
        Self { queue: Queue::new(seed), destinations: None, known: Mutex::default() }
    }

    pub(super) fn to(self, destinations: Destinations) -> Self {
        Self { destinations: Some(destinations), ..self }
    }

    /// Writes what is due, again and again. Never ends by itself.
    pub(super) async fn run(&self, context: &Context) {
        let workers = (0..WORKERS).map(|_| self.work(context));
        futures_util::future::join_all(workers).await;
    }

    async fn work(&self, context: &Context) {
        while let Some(name) = self.queue.next().await {
            let turn = AssertUnwindSafe(Box::pin(self.turn(context, &name))).catch_unwind();
            let has_failed = turn.await.unwrap_or_else(|_| {
                tracing::error!(release = %name, "a write-back has panicked; this is a defect of Longshore");
                true
            });
            self.queue.done(&name, has_failed);
        }
    }

    /// Looks at every release.
    pub(super) fn consider_all(&self, context: &Context) {
        let names: Vec<ReleaseName> = context.inventory().releases().into_keys().collect();
        for name in names {
            self.consider(context, &name);
        }
    }

    /// Asks for a look at the file of a release, if there may be something to write.
    pub(super) fn consider(&self, context: &Context, name: &ReleaseName) {
        let Some(due) = self.wanted(context, name).and_then(|entry| due(context, &entry)) else {
            return;
        };
        let is_done = self.lock().get(name).is_some_and(|known| known.has_seen(&due));
        if !is_done {
            self.queue.add(name.clone(), Priority::Urgent);
        }
    }

    /// Forgets a release that no source names.
    pub(super) fn forget(&self, name: &ReleaseName) {
        self.lock().remove(name);
        self.queue.forget(name);
    }

    /// The release, if it asks for anything that is done here.
    fn wanted(&self, context: &Context, name: &ReleaseName) -> Option<Arc<ReleaseEntry>> {
        self.destinations.as_ref()?;
        match context.inventory().releases().remove(name) {
            Some(WantedRelease::Spec(entry)) if entry.write_back.is_some() => Some(entry),
            Some(WantedRelease::Spec(_) | WantedRelease::Twice { .. }) | None => None,
        }
    }

    /// Takes one turn for the file of one release; whether it is to be tried again after a pause.
    async fn turn(&self, context: &Context, name: &ReleaseName) -> bool {
        let Some(entry) = self.wanted(context, name) else {
            self.forget(name);
            return false;
        };
        let Some(due) = due(context, &entry) else { return false };
        if let Some(held) = held(context, &due) {
            self.tell(context, &entry, held);
            return false;
        }
        self.known(name, |known| (known.tried, known.own) = (Some(due.clone()), None));
        match Box::pin(self.write(context, &entry, &due)).await {
            Ok(written) => self.note(context, &entry, &due, written).await,
            Err(error) => {
                let (reason, may_pass) = judge(&error);
                let message = crate::error_chain(&error);
                tracing::warn!(release = %name, reason = %reason, why = message, "version not written");
                let told = Told::of(&due, ConditionStatus::False, reason, message);
                self.tell(context, &entry, told);
                may_pass
            }
        }
    }

    async fn write(
        &self,
        context: &Context,
        entry: &ReleaseEntry,
        due: &Due,
    ) -> Result<Written, WriteError> {
        let mut destination = self.open(&entry.name, &due.source)?;
        let others = self.sharing(context, entry, due);
        let of_others = others.iter().map(|(name, due)| change(name, due, &context.owner));
        let own = change(&entry.name, due, &context.owner);
        let written = destination.write(&FileChange { others: of_others.collect(), ..own }).await;
        let place = (due.source.clone(), destination);
        self.known(&entry.name, |known| known.open = Some(place));
        if written.as_ref().is_ok_and(|written| written.is_new) {
            // Their commits are others now.
            for (name, _) in others {
                self.queue.add(name, Priority::Urgent);
            }
        }
        written
    }

    /// The other releases that write to the same branch for a pull request, with what is known of their versions.
    fn sharing(
        &self,
        context: &Context,
        entry: &ReleaseEntry,
        own: &Due,
    ) -> Vec<(ReleaseName, Due)> {
        if own.write_back.branch.is_none() {
            return Vec::new();
        }
        let names: Vec<ReleaseName> = context.inventory().releases().into_keys().collect();
        let others = names.into_iter().filter(|name| *name != entry.name);
        let due = |name: ReleaseName| {
            let due = self.wanted(context, &name).and_then(|entry| due(context, &entry))?;
            let is_shared =
                due.source == own.source && due.write_back.branch == own.write_back.branch;
            is_shared.then_some((name, due))
        };
        others.filter_map(due).collect()
    }

    /// The source, opened now or before.
    fn open(
        &self,
        name: &ReleaseName,
        source: &SourceName,
    ) -> Result<Box<dyn Destination>, WriteError> {
        let open = self.known(name, |known| known.open.take());
        if let Some((_, open)) = open.filter(|(of, _)| of == source) {
            return Ok(open);
        }
        match &self.destinations {
            Some(destinations) => destinations.open(source),
            None => Err(WriteError::Impossible {
                place: format!("source `{source}`"),
                reason: "this process writes nothing".to_owned(),
            }),
        }
    }

    /// Notes what a file holds, and says it; whether it has to be noted once more.
    async fn note(
        &self,
        context: &Context,
        entry: &ReleaseEntry,
        due: &Due,
        written: Written,
    ) -> bool {
        let name = &entry.name;
        let Written { branch, commit, is_new } = written;
        if is_new {
            tracing::info!(release = %name, tag = due.tag, path = due.write_back.path, branch, commit, "version written");
            self.known(name, |known| known.own.clone_from(&commit));
            context.triggers.sources.wake(&due.source);
        }
        let now = context.clock.now();
        let version = WrittenVersion {
            path: due.write_back.path.clone(),
            branch,
            commit,
            tag: due.tag.clone(),
            digest: due.digest.clone(),
            at: now,
        };
        let note = |record: &mut crate::state::ReleaseRecord| {
            let known = record.written.take().filter(|known| is_same(known, &version));
            let version = known.unwrap_or_else(|| version.clone());
            record.written = Some(version.clone());
            Ok::<WrittenVersion, Infallible>(version)
        };
        let (version, has_failed) = match context.state.change_release(name, note).await {
            Ok(Ok(version)) => (version, false),
            Ok(Err(never)) => match never {},
            Err(error) => {
                tracing::warn!(release = %name, error = %error, "what was written is not noted");
                (version, true)
            }
        };
        let message = sentence(&version);
        let told = Told::of(due, ConditionStatus::True, Reason::VersionWritten, message);
        self.tell(context, entry, Told { written: Some(version), ..told });
        has_failed
    }

    /// Says something of the file of a release that is on the board.
    fn tell(&self, context: &Context, entry: &ReleaseEntry, told: Told) {
        let mut known = self.lock();
        known.entry(entry.name.clone()).or_default().told = Some(told);
        if let Some(object) = context.statuses.release(&entry.name) {
            let object = self.dressed(context, entry, &known, (*object).clone());
            context.statuses.publish_release(object);
        }
    }

    /// Puts a release on the board, with what is known of its file.
    pub(super) fn publish(&self, context: &Context, entry: &ReleaseEntry, object: ReleaseObject) {
        // Under the lock, so that of two who publish at once none takes back what the other has said.
        let known = self.lock();
        let object = self.dressed(context, entry, &known, object);
        context.statuses.publish_release(object);
    }

    fn dressed(
        &self,
        context: &Context,
        entry: &ReleaseEntry,
        known: &HashMap<ReleaseName, Known>,
        mut object: ReleaseObject,
    ) -> ReleaseObject {
        let before = context.statuses.release(&entry.name);
        let before = before.as_ref().map(|before| &before.status);
        let now = context.clock.now();
        let said = &mut object.status;
        said.conditions.retain(|condition| condition.kind != ConditionType::WrittenBack);
        if entry.write_back.is_none() {
            said.written = None;
        } else if self.destinations.is_some() {
            let told = known.get(&entry.name).and_then(|known| known.told.as_ref());
            if let Some(written) = told.and_then(|told| told.written.as_ref()) {
                said.written = Some(written.clone());
            }
            let told = told.filter(|told| told.is_about(said.chosen.as_ref()));
            let condition = match told {
                Some(Told { status, reason, message, .. }) => (*status, *reason, message.clone()),
                None => pending(said),
            };
            let (status, reason, message) = condition;
            let told = (status, reason, message.as_str());
            let condition = status::written_back(before, told, said.observed_generation, now);
            said.conditions.push(condition);
        }
        object
    }

    fn known<T>(&self, name: &ReleaseName, change: impl FnOnce(&mut Known) -> T) -> T {
        change(self.lock().entry(name.clone()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ReleaseName, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn has_seen(&self, due: &Due) -> bool {
        let Some(tried) = &self.tried else { return false };
        let is_own = self.own.as_deref() == Some(due.revision.as_str());
        tried == due || is_own && *tried == Due { revision: tried.revision.clone(), ..due.clone() }
    }
}

impl Told {
    fn of(due: &Due, status: ConditionStatus, reason: Reason, message: String) -> Self {
        let (tag, digest) = (due.tag.clone(), due.digest.clone());
        Self { tag, digest, status, reason, message, written: None }
    }

    fn is_about(&self, chosen: Option<&ChosenVersion>) -> bool {
        chosen.is_some_and(|chosen| chosen.tag == self.tag && chosen.digest == self.digest)
    }
}

/// The change that brings a file to what it is to hold.
fn change<'a>(name: &'a ReleaseName, due: &'a Due, owner: &'a OwnerName) -> FileChange<'a> {
    let Due { image, tag, digest, write_back: place, .. } = due;
    let version = write_back::Version { release: name, image, tag, digest };
    let edit = move |text: &str| {
        let edited = write_back::edit(text, &version).map_err(|wrong| wrong.to_string())?;
        Ok(edited.map(|edited| {
            let message = write_back::message(&version, owner, &place.path, &edited.changes);
            Draft { content: edited.text, message }
        }))
    };
    FileChange {
        name: name.as_str(),
        path: &place.path,
        branch: place.branch.as_deref(),
        edit: Box::new(edit),
        is_ours: Box::new(move |message| write_back::is_ours(message, name, owner)),
        others: Vec::new(),
    }
}

/// What the file of a release is to hold, once a version is in force and the source has been read.
fn due(context: &Context, entry: &ReleaseEntry) -> Option<Due> {
    let write_back = entry.write_back.clone()?;
    let source = entry.provenance.source.clone();
    let object = context.statuses.release(&entry.name)?;
    let ChosenVersion { image, tag, digest, .. } = object.status.chosen.clone()?;
    let (revision, _) = context.inventory().standing(&source)?;
    Some(Due { image, tag, digest, write_back, source, revision })
}

/// Why nothing is written for now.
fn held(context: &Context, due: &Due) -> Option<Told> {
    let Due { source, tag, .. } = due;
    let (_, is_suspended) = context.inventory().standing(source)?;
    if is_suspended {
        let message = format!("the source `{source}` is suspended: {tag} is not written");
        return Some(Told::of(due, ConditionStatus::False, Reason::Suspended, message));
    }
    let sources = context.statuses.sources();
    let error = sources.iter().find(|known| known.name == *source)?.error.as_ref()?;
    let message = format!("the source `{source}` cannot be read, so {tag} is not written: {error}");
    Some(Told::of(due, ConditionStatus::False, Reason::WriteBackPending, message))
}

/// What an error is called, and whether it may pass by itself.
fn judge(error: &WriteError) -> (Reason, bool) {
    match error {
        WriteError::Impossible { .. } => (Reason::WriteBackInvalid, false),
        WriteError::Misplaced { .. } => (Reason::WriteBackInvalid, true),
        WriteError::Refused { .. } => (Reason::WriteBackRefused, true),
        WriteError::Crowded { .. } => (Reason::WriteBackFailed, true),
        WriteError::Source(error) => match error.retry() {
            Retry::Backoff => (Reason::WriteBackFailed, true),
            Retry::Never => (Reason::WriteBackInvalid, false),
        },
    }
}

/// Whether the same version was seen at the same place before, by the same commit or one that nobody knows any more.
fn is_same(known: &WrittenVersion, version: &WrittenVersion) -> bool {
    let commit = version.commit.clone().or_else(|| known.commit.clone());
    *known == WrittenVersion { at: known.at, commit, ..version.clone() }
}

fn sentence(version: &WrittenVersion) -> String {
    let WrittenVersion { path, branch, commit, tag, .. } = version;
    let by = commit.as_ref().map(|commit| {
        let short = commit.get(..12).unwrap_or(commit);
        format!(" by commit {short}")
    });
    format!("{path} on branch {branch} holds {tag}{}", by.unwrap_or_default())
}

/// What is said before the file was looked at.
fn pending(status: &ReleaseStatus) -> (ConditionStatus, Reason, String) {
    let message = match &status.chosen {
        Some(chosen) => format!("{} has not been looked for in the file yet", chosen.tag),
        None => "nothing is chosen that could be written".to_owned(),
    };
    (ConditionStatus::Unknown, Reason::WriteBackPending, message)
}
