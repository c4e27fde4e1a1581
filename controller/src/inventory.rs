//! What is wanted, over all sources: the last good state of each, merged by key.
//!
//! What comes in: complete snapshots, one source at a time. What leaves: for a key, what is wanted of it. Guarantees: a
//! broken document harms only its own object, whose last good spec stays in force; two specs for one service hold both; a
//! service counts as gone from a source only after that source was read completely with every name in it readable.

mod dependency;
mod referring;
mod release;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crds::{
    Generation, InvalidObject, ObjectKey, ObjectMeta, OwnerName, Position, Provenance, Reason,
    ReleaseName, Service, SourceName, SourceRevision, SpecHash, SyncPolicy,
};
use indexmap::IndexMap;
use planner::Desired;
use planner::prune::{self, SourceFacts};
use planner::rules::{self, Finding, Severity};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use self::dependency::Dependencies;
use self::referring::{Pending, Referring};
pub use self::release::{ReleaseEntry, WantedRelease};
use crate::manifest::{self, Located, Object, PROBLEMS_MAX};
use crate::references::{Referents, ResolvedReference};
use crate::source::{Snapshot, SourceFile};
use crate::status_store::SpecText;

/// What is wanted of one key.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// This spec. `invalid` says what is wrong with a newer version of it that cannot be used.
    Spec {
        /// The spec that is in force.
        entry: Arc<Entry>,
        /// How often it has changed.
        generation: Generation,
        /// Errors in the newest version.
        invalid: Vec<InvalidObject>,
        /// What is not known of the values that it refers to.
        doubt: Option<Doubt>,
    },
    /// Nothing may be done: the only version cannot be used, or there are two.
    Blocked {
        /// Why.
        reason: Reason,
        /// Why, for people.
        message: String,
        /// The errors.
        invalid: Vec<InvalidObject>,
    },
    /// No source names it.
    Gone,
}

impl Wanted {
    /// Whether it is a spec that asks for the same as this one, wherever it is written down.
    pub fn asks_the_same(&self, desired: &Desired) -> bool {
        let Self::Spec { entry, .. } = self else { return false };
        let newest = entry.desired.as_ref();
        std::ptr::eq(newest, desired)
            || *newest == Desired { provenance: newest.provenance.clone(), ..desired.clone() }
    }
}

/// What is not known of the values that a spec refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
    /// Whether a newer version of the spec waits for it; otherwise the values are the last that were read.
    pub holds_newer: bool,
}

/// One usable spec.
#[derive(Debug)]
pub struct Entry {
    /// The spec with every default filled.
    pub desired: Arc<Desired>,
    /// The object's metadata.
    pub metadata: ObjectMeta,
    /// The spec as it was written, references resolved.
    pub spec: Arc<SpecText>,
    /// The references that were replaced, each with its value.
    pub references: Vec<ResolvedReference>,
    /// What is doubtful about it, though it can be used.
    pub warnings: Vec<InvalidObject>,
    /// Where `rollout.dependsOn` stands in the file.
    pub depends_on_at: Option<Position>,
}

/// What is wanted, over all sources.
#[derive(Debug)]
pub struct Inventory {
    owner: OwnerName,
    referents: Referents,
    sources: BTreeMap<SourceName, SourceState>,
    index: BTreeMap<ObjectKey, Named>,
    generations: HashMap<ObjectKey, (SpecHash, Generation)>,
    orphans: BTreeMap<ObjectKey, Orphan>,
    dependencies: Dependencies,
    called: BTreeSet<ObjectKey>,
    release_news: Arc<Notify>,
}

/// A service that carries our tags and that no spec names.
#[derive(Debug)]
struct Orphan {
    source: SourceName,
    /// What was read after this is read late enough to know of a spec that moved to another source.
    noted: Instant,
    /// Its deletion policy keeps it: it does not count as leaving.
    is_kept: bool,
    /// The digests of the services that it says it depends on; `None` until it was looked at.
    depends_on: Option<BTreeSet<String>>,
}

impl Orphan {
    fn needs(&self, digest: &str) -> bool {
        self.depends_on.as_ref().is_some_and(|needed| needed.contains(digest))
    }
}

/// Everything that names one key.
#[derive(Debug, Default)]
struct Named {
    entries: Vec<Arc<Entry>>,
    pending: Vec<Pending>,
    invalid: Vec<InvalidObject>,
}

#[derive(Debug, Default)]
struct SourceState {
    policy: SyncPolicy,
    revision: Option<SourceRevision>,
    /// When the last complete reading began.
    read_at: Option<Instant>,
    files: BTreeMap<String, ParsedAt>,
    last_good: HashMap<ObjectKey, Arc<Entry>>,
    /// The last usable releases of each file.
    good_releases: BTreeMap<String, BTreeMap<ReleaseName, Arc<ReleaseEntry>>>,
}

/// What one file holds, at one content.
#[derive(Debug)]
struct ParsedAt {
    content_id: String,
    entries: Vec<Arc<Entry>>,
    invalid: Vec<InvalidObject>,
    /// Objects that refer to values outside, each with what came of it.
    referring: Vec<Referring>,
    releases: Vec<Arc<ReleaseEntry>>,
}

impl Inventory {
    /// An inventory of sources that have not been read yet.
    pub fn new(
        owner: OwnerName,
        referents: impl Into<Referents>,
        sources: impl IntoIterator<Item = (SourceName, SyncPolicy)>,
    ) -> Self {
        let sources = sources
            .into_iter()
            .map(|(name, policy)| (name, SourceState { policy, ..SourceState::default() }))
            .collect();
        Self {
            owner,
            referents: referents.into(),
            sources,
            index: BTreeMap::new(),
            generations: HashMap::new(),
            orphans: BTreeMap::new(),
            dependencies: Dependencies::default(),
            called: BTreeSet::new(),
            release_news: Arc::default(),
        }
    }

    /// Notes that a source was read completely, by a reading that began then, whether or not anything had changed.
    pub fn confirm(&mut self, source: &SourceName, began: Instant) {
        if let Some(state) = self.sources.get_mut(source) {
            state.read_at = Some(began);
        }
    }

    /// Takes a source's new state. Only files whose content changed are parsed. Returns the keys that need a turn.
    pub fn update(&mut self, source: &SourceName, snapshot: &Snapshot) -> BTreeSet<ObjectKey> {
        let Some(state) = self.sources.get_mut(source) else { return BTreeSet::new() };
        let mut changed = BTreeSet::new();
        let mut files = BTreeMap::new();
        for (path, file) in snapshot.files() {
            let known = state.files.remove(path);
            let parsed = match known {
                Some(parsed) if parsed.content_id == file.content_id() => parsed,
                other => {
                    changed.extend(other.iter().flat_map(ParsedAt::keys));
                    let held_ours = other.as_ref().is_some_and(ParsedAt::is_ours);
                    let place = Place {
                        path: file.path(),
                        source,
                        revision: snapshot.revision(),
                        policy: &state.policy,
                        owner: &self.owner,
                        referents: &self.referents,
                    };
                    parse(file, &place, held_ours).inspect_keys(&mut changed)
                }
            };
            files.insert(path.clone(), parsed);
        }
        changed.extend(state.files.values().flat_map(ParsedAt::keys));
        state.files = files;
        state.revision = Some(snapshot.revision().clone());
        state.remember_good();
        let mut touched = self.dependencies.touched(&changed);
        let mut needed = self.dependencies.needed(&changed);
        state.remember_good_releases();
        self.release_news.notify_one();
        if !changed.is_empty() {
            self.rebuild();
        }
        for key in &changed {
            self.settle(key, source);
        }
        touched.append(&mut self.dependencies.touched(&changed));
        needed.retain(|key| self.orphans.contains_key(key));
        changed.extend(touched.into_iter().chain(needed));
        changed
    }

    fn rebuild(&mut self) {
        let mut index: BTreeMap<ObjectKey, Named> = BTreeMap::new();
        for file in self.sources.values().flat_map(|state| state.files.values()) {
            for entry in file.entries() {
                index.entry(entry.desired.key.clone()).or_default().entries.push(Arc::clone(entry));
            }
            for pending in file.pending() {
                index.entry(pending.key.clone()).or_default().pending.push(pending.clone());
            }
            for invalid in file.invalid() {
                if let Some(key) = &invalid.key {
                    index.entry(key.clone()).or_default().invalid.push(invalid.clone());
                }
            }
        }
        self.index = index;
        let last_good = self.sources.values().flat_map(|state| state.last_good.values());
        self.dependencies = Dependencies::between(last_good);
    }

    /// Counts generations, and keeps the list of services whose spec has gone.
    fn settle(&mut self, key: &ObjectKey, source: &SourceName) {
        let Some(named) = self.index.get(key) else {
            self.note_orphan(key.clone(), source.clone());
            return;
        };
        self.orphans.remove(key);
        if let [entry] = named.entries.as_slice() {
            let hash = entry.desired.spec_hash.clone();
            let generation = match self.generations.get(key) {
                Some((old, generation)) if *old == hash => *generation,
                Some((_, Generation(count))) => Generation(count + 1),
                None => Generation(1),
            };
            self.generations.insert(key.clone(), (hash, generation));
        }
    }

    /// What is wanted of a key.
    pub fn wanted(&self, key: &ObjectKey) -> Wanted {
        let Some(named) = self.index.get(key) else { return Wanted::Gone };
        let Named { entries, pending, invalid } = named;
        match (entries.as_slice(), pending.as_slice()) {
            ([entry], []) => self.spec(key, entry, named),
            ([], [] | [_]) => {
                match self.sources.values().find_map(|state| state.last_good.get(key)) {
                    Some(entry) => self.spec(key, entry, named),
                    None => nothing_usable(named),
                }
            }
            (_, _) => Wanted::Blocked {
                reason: Reason::DuplicateSpec,
                message: format!("{key} is named by more than one spec: {}", places(named)),
                invalid: invalid.clone(),
            },
        }
    }

    fn spec(&self, key: &ObjectKey, entry: &Arc<Entry>, named: &Named) -> Wanted {
        let generation =
            self.generations.get(key).map_or(Generation(1), |(_, generation)| *generation);
        let doubt = self.doubt(entry, named.pending.first());
        let (entry, invalid) = (Arc::clone(entry), named.invalid.clone());
        Wanted::Spec { entry, generation, invalid, doubt }
    }

    /// What is known of the source of a service that no spec names.
    ///
    /// A spec may have moved to another source. So every other one has to have been read since this service was found to
    /// have no spec, and none may hold a document whose name cannot be read.
    pub fn source_facts(&self, key: &ObjectKey, source: &SourceName) -> SourceFacts {
        let Some(state) = self.sources.get(source) else { return SourceFacts::Unread };
        if state.revision.is_none() || !self.others_are_newer(key, source) {
            return SourceFacts::Unread;
        }
        let mut files = self.sources.values().flat_map(|state| state.files.values());
        if files.any(|file| file.invalid().any(|invalid| invalid.key.is_none())) {
            return SourceFacts::Unclear;
        }
        let leaving = self
            .orphans
            .values()
            .filter(|orphan| orphan.source == *source && !orphan.is_kept)
            .count();
        SourceFacts::Complete {
            prune: state.policy.prune.unwrap_or(false),
            brake: state.policy.prune_brake.unwrap_or(prune::DEFAULT_BRAKE),
            leaving,
            total: self.keys_of(source).len() + leaving,
        }
    }

    /// Notes a service that carries our tags and that no spec names.
    pub fn note_orphan(&mut self, key: ObjectKey, source: SourceName) {
        if !self.is_known(&key) {
            let (noted, depends_on) = (Instant::now(), None);
            self.orphans.insert(key, Orphan { source, noted, is_kept: false, depends_on });
        }
    }

    fn others_are_newer(&self, key: &ObjectKey, source: &SourceName) -> bool {
        let Some(orphan) = self.orphans.get(key) else { return false };
        self.sources
            .iter()
            .filter(|(name, _)| *name != source)
            .all(|(_, state)| state.read_at.is_some_and(|read_at| read_at >= orphan.noted))
    }

    /// Every key that needs turns: those that specs name, and orphans.
    pub fn keys(&self) -> BTreeSet<ObjectKey> {
        self.index.keys().chain(self.orphans.keys()).cloned().collect()
    }

    /// Every usable spec that is in force or would be if no other named the same service.
    pub fn specs(&self) -> Vec<Arc<Entry>> {
        self.index.values().flat_map(|named| named.entries.iter().map(Arc::clone)).collect()
    }

    /// Whether this key gets turns: a spec names it, or it is known to have lost its spec.
    pub fn is_known(&self, key: &ObjectKey) -> bool {
        self.is_named(key) || self.orphans.contains_key(key)
    }

    /// Whether a spec names this key, usable or not.
    pub fn is_named(&self, key: &ObjectKey) -> bool {
        self.index.contains_key(key)
    }

    /// How many services a source names.
    pub fn count(&self, source: &SourceName) -> usize {
        self.keys_of(source).len()
    }

    /// Everything that is wrong in a source's files.
    pub fn invalid(&self, source: &SourceName) -> Vec<InvalidObject> {
        self.sources
            .get(source)
            .into_iter()
            .flat_map(|state| state.files.values())
            .flat_map(|file| file.invalid().cloned())
            .collect()
    }

    /// Everything that is doubtful in a source's files.
    pub fn warnings(&self, source: &SourceName) -> Vec<InvalidObject> {
        self.sources
            .get(source)
            .into_iter()
            .flat_map(|state| state.files.values())
            .flat_map(ParsedAt::entries)
            .flat_map(|entry| entry.warnings.iter().cloned())
            .collect()
    }

    /// Whether every source has been read at least once.
    pub fn is_complete(&self) -> bool {
        self.sources.values().all(|state| state.revision.is_some())
    }

    fn keys_of(&self, source: &SourceName) -> BTreeSet<ObjectKey> {
        self.sources
            .get(source)
            .into_iter()
            .flat_map(|state| state.files.values())
            .flat_map(ParsedAt::keys)
            .collect()
    }
}

impl SourceState {
    /// Remembers every usable spec, and forgets those whose key the source names no more.
    fn remember_good(&mut self) {
        let named: BTreeSet<ObjectKey> = self.files.values().flat_map(ParsedAt::keys).collect();
        self.last_good.retain(|key, _| named.contains(key));
        for entry in self.files.values().flat_map(ParsedAt::entries) {
            self.last_good.insert(entry.desired.key.clone(), Arc::clone(entry));
        }
    }
}

impl ParsedAt {
    fn keys(&self) -> impl Iterator<Item = ObjectKey> {
        let usable = self.entries().map(|entry| entry.desired.key.clone());
        let waiting = self.pending().map(|pending| pending.key.clone());
        usable.chain(waiting).chain(self.invalid().filter_map(|invalid| invalid.key.clone()))
    }

    fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter().chain(self.referring.iter().filter_map(Referring::entry))
    }

    fn invalid(&self) -> impl Iterator<Item = &InvalidObject> {
        self.invalid.iter().chain(self.referring.iter().flat_map(Referring::invalid))
    }

    fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.referring.iter().filter_map(Referring::pending)
    }

    fn is_ours(&self) -> bool {
        !self.entries.is_empty()
            || !self.invalid.is_empty()
            || !self.referring.is_empty()
            || !self.releases.is_empty()
    }

    fn inspect_keys(self, keys: &mut BTreeSet<ObjectKey>) -> Self {
        keys.extend(self.keys());
        self
    }
}

/// What a key without any usable spec gets.
fn nothing_usable(named: &Named) -> Wanted {
    let Named { pending, invalid, .. } = named;
    let (reason, message) = match (invalid.first(), pending.first()) {
        (None, Some(pending)) => (pending.reason, pending.message.clone()),
        (Some(first), _) => (Reason::InvalidSpec, first.to_string()),
        (None, None) => (Reason::InvalidSpec, String::new()),
    };
    Wanted::Blocked { reason, message, invalid: invalid.clone() }
}

fn places(named: &Named) -> String {
    let usable = named.entries.iter().map(|entry| &entry.desired.provenance);
    let places: Vec<String> = usable
        .chain(named.pending.iter().map(|pending| &pending.provenance))
        .map(|Provenance { source, file, line, .. }| format!("{source}: {file}:{line}"))
        .collect();
    places.join(", ")
}

/// Where an object stands and what holds for all objects there.
struct Place<'a> {
    path: &'a str,
    source: &'a SourceName,
    revision: &'a SourceRevision,
    policy: &'a SyncPolicy,
    owner: &'a OwnerName,
    referents: &'a Referents,
}

/// What a source of this policy would take from a file: the usable specs, and what is wrong with the others.
pub fn preview(
    file: &SourceFile,
    source: &SourceName,
    policy: &SyncPolicy,
    owner: &OwnerName,
    vars: &IndexMap<String, String>,
) -> (Vec<Arc<Entry>>, Vec<InvalidObject>) {
    let revision = SourceRevision::new(file.content_id());
    let referents = Referents::from(vars.clone()).offline();
    let (path, revision, referents) = (file.path(), &revision, &referents);
    let place = Place { path, source, revision, policy, owner, referents };
    let parsed = parse(file, &place, true);
    (parsed.entries().cloned().collect(), parsed.invalid().cloned().collect())
}

/// Reads a file. Where it held objects of ours before, a document that cannot be read may be one of them.
fn parse(file: &SourceFile, place: &Place<'_>, held_ours: bool) -> ParsedAt {
    let parsed = manifest::parse(file);
    let mut invalid: Vec<InvalidObject> = parsed.invalid;
    if held_ours {
        invalid.extend(parsed.unrecognised);
    }
    let (mut entries, mut referring, mut releases) = (Vec::new(), Vec::new(), Vec::new());
    for object in parsed.objects {
        let (object, located) = object.apart();
        match object {
            Object::Service(service) => referring::read(service, located, place).sort_into(
                &mut entries,
                &mut invalid,
                &mut referring,
            ),
            Object::Release(release) => match release::read(&release, &located, place) {
                Ok(entry) => releases.push(Arc::new(entry)),
                Err(mut errors) => invalid.append(&mut errors),
            },
            Object::Controller(_) => {}
        }
    }
    for error in &mut invalid {
        error.source = place.source.to_string();
    }
    ParsedAt { content_id: file.content_id().to_owned(), entries, invalid, referring, releases }
}

/// A service whose references are replaced, as an entry.
fn entry(
    service: Service,
    references: Vec<ResolvedReference>,
    located: &Located<()>,
    place: &Place<'_>,
) -> Result<Entry, Vec<InvalidObject>> {
    let places = located.places();
    let invalid = |path: String, message: String, hint: Option<String>| InvalidObject {
        source: place.source.to_string(),
        file: place.path.to_owned(),
        position: places.locate(&path),
        path,
        message,
        hint,
        key: key_of(&service),
    };
    let mut desired =
        Desired::resolve(&service, place.owner, provenance(located, place), place.policy)
            .map_err(|error| vec![invalid(error.path, error.message, None)])?;
    desired.versions = release::versions(&references, place.referents);
    let (refused, doubtful): (Vec<Finding>, Vec<Finding>) =
        rules::check(&service).into_iter().partition(|finding| finding.severity == Severity::Error);
    let has_dependencies = !desired.depends_on.is_empty();
    let depends_on_at = has_dependencies.then(|| places.locate("spec.rollout.dependsOn")).flatten();
    let located = |findings: Vec<Finding>| -> Vec<InvalidObject> {
        let told = findings.into_iter().take(PROBLEMS_MAX);
        told.map(|finding| invalid(finding.path, finding.message, finding.hint)).collect()
    };
    if !refused.is_empty() {
        return Err(located(refused));
    }
    let warnings = located(doubtful);
    let spec = serde_json::to_value(&service.spec).unwrap_or(Value::Null);
    Ok(Entry {
        desired: Arc::new(desired),
        metadata: service.metadata,
        spec: Arc::new(SpecText::from(&spec)),
        references,
        warnings,
        depends_on_at,
    })
}

fn provenance(located: &Located<()>, place: &Place<'_>) -> Provenance {
    Provenance {
        source: place.source.clone(),
        revision: place.revision.clone(),
        file: place.path.to_owned(),
        line: located.position.line,
    }
}

fn key_of(service: &Service) -> Option<ObjectKey> {
    let target = service.spec.target.clone().unwrap_or_default();
    let name = service.metadata.name.parse().ok()?;
    Some(ObjectKey { target, cluster: service.spec.cluster.clone(), name })
}

#[cfg(test)]
mod tests;
