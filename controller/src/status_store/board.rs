//! The board itself, which one lock guards. Nothing here waits, and nothing here copies an object.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crds::{
    ClusterName, ConditionType, InvalidObject, ObjectKey, Reason, ReleaseName, ServiceName,
    SourceName,
};
use jiff::Timestamp;

use super::event::{Event, EventKind, EventLevel, Ring, service_transitions, source_transitions};
use super::object::{Readiness, ServiceObject, SourceObject};
use super::query::{Counts, Page, Query};
use super::release::ReleaseObject;
use super::watch::{CatchUp, Changed, Version};

/// How many events are kept of everything, and of one service.
const EVENTS_OF_ALL: usize = 1000;
const EVENTS_OF_ONE: usize = 20;
/// How many removals are remembered for watchers that come back.
const REMOVALS: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Board {
    services: BTreeMap<ObjectKey, Entry>,
    sources: BTreeMap<SourceName, Arc<SourceObject>>,
    pub(super) releases: BTreeMap<ReleaseName, Arc<ReleaseObject>>,
    events: Ring,
    removals: VecDeque<(u64, ObjectKey)>,
    /// Removals up to this version have been forgotten.
    forgotten: u64,
    version: u64,
    ready: bool,
}

#[derive(Debug)]
struct Entry {
    object: Arc<ServiceObject>,
    /// The version in which it last changed.
    version: u64,
    search: Box<str>,
    events: Ring,
}

impl Board {
    pub(super) fn publish(
        &mut self,
        object: ServiceObject,
        now: Timestamp,
    ) -> Option<(u64, Changed)> {
        let known = self.services.get(&object.key).map(|entry| Arc::clone(&entry.object));
        if known.as_deref() == Some(&object) {
            return None;
        }
        let events = service_transitions(known.as_deref(), &object, now);
        let object = Arc::new(object);
        self.version += 1;
        let version = self.version;
        let search = object.search_text();
        let shared = Arc::clone(&object);
        self.services
            .entry(object.key.clone())
            .and_modify(|entry| {
                entry.object = Arc::clone(&shared);
                entry.version = version;
                entry.search.clone_from(&search);
            })
            .or_insert_with(|| Entry { object: shared, version, search, events: Ring::default() });
        for event in events {
            self.record(event);
        }
        Some((version, Changed::Service(object)))
    }

    pub(super) fn remove(&mut self, key: &ObjectKey, now: Timestamp) -> Option<(u64, Changed)> {
        self.services.remove(key)?;
        self.version += 1;
        if self.removals.len() >= REMOVALS
            && let Some((version, _)) = self.removals.pop_front()
        {
            self.forgotten = version;
        }
        self.removals.push_back((self.version, key.clone()));
        let told = ("ServiceRemoved", "it is no longer managed");
        let event = Event::of_service(key.clone(), now, EventKind::Spec, EventLevel::Info, told);
        self.record(event);
        Some((self.version, Changed::ServiceRemoved(key.clone())))
    }

    pub(super) fn publish_source(
        &mut self,
        source: SourceObject,
        now: Timestamp,
    ) -> Option<(u64, Changed)> {
        let source = Arc::new(source);
        let known = self.sources.insert(source.name.clone(), Arc::clone(&source));
        if known.as_ref().is_some_and(|known| known.looks_like(&source)) {
            return None;
        }
        for event in source_transitions(known.as_deref(), &source, now) {
            self.record(event);
        }
        self.version += 1;
        Some((self.version, Changed::Source(source)))
    }

    pub(super) fn remove_source(&mut self, name: &SourceName) -> Option<(u64, Changed)> {
        self.sources.remove(name)?;
        self.version += 1;
        Some((self.version, Changed::SourceRemoved(name.clone())))
    }

    pub(super) fn record(&mut self, event: Event) {
        let event = Arc::new(event);
        if let Some(entry) = event.key.as_ref().and_then(|key| self.services.get_mut(key)) {
            entry.events.push(Arc::clone(&event), EVENTS_OF_ONE);
        }
        self.events.push(event, EVENTS_OF_ALL);
    }

    pub(super) fn set_ready(&mut self, ready: bool) {
        self.ready = ready;
    }

    pub(super) fn readiness(&self) -> Readiness {
        if self.ready {
            return Readiness { ready: true, missing: Vec::new() };
        }
        let mut missing: Vec<String> = self
            .sources
            .values()
            .filter(|source| !source.is_tried())
            .map(|source| format!("source `{}` has not been read yet", source.name))
            .collect();
        let unobserved =
            self.services.values().filter(|entry| is_unobserved(&entry.object)).count();
        if unobserved > 0 {
            let all = self.services.len();
            missing.push(format!("{unobserved} of {all} services have not been looked at yet"));
        }
        if missing.is_empty() {
            missing.push("the first pass over the sources has not ended yet".to_owned());
        }
        Readiness { ready: false, missing }
    }

    pub(super) fn list(&self, query: &Query, epoch: u64) -> Page {
        let words = query.words();
        let mut page = Page {
            items: Vec::new(),
            total: 0,
            after: None,
            counts: Counts::default(),
            unfiltered: self.services.len(),
            version: Version { epoch, number: self.version },
        };
        for (key, Entry { object, search, .. }) in &self.services {
            if !query.admits(object, search, &words) {
                continue;
            }
            page.counts.add(object);
            if !query.admits_health(object.status.health) {
                continue;
            }
            page.total += 1;
            if query.after.as_ref().is_some_and(|after| key <= after) {
                continue;
            }
            if page.items.len() < query.limit {
                page.items.push(Arc::clone(object));
            } else if page.after.is_none() {
                page.after = page.items.last().map(|last| last.key.clone());
            }
        }
        page
    }

    pub(super) fn services(&self) -> Vec<Arc<ServiceObject>> {
        self.services.values().map(|entry| Arc::clone(&entry.object)).collect()
    }

    pub(super) fn service(&self, key: &ObjectKey) -> Option<Arc<ServiceObject>> {
        self.services.get(key).map(|entry| Arc::clone(&entry.object))
    }

    pub(super) fn named(
        &self,
        cluster: &ClusterName,
        name: &ServiceName,
    ) -> Vec<Arc<ServiceObject>> {
        self.services
            .iter()
            .filter(|(key, _)| key.name == *name && key.cluster == *cluster)
            .map(|(_, entry)| Arc::clone(&entry.object))
            .collect()
    }

    pub(super) fn source(&self, name: &SourceName) -> Option<Arc<SourceObject>> {
        self.sources.get(name).cloned()
    }

    pub(super) fn sources(&self) -> Vec<Arc<SourceObject>> {
        self.sources.values().cloned().collect()
    }

    pub(super) fn clusters(&self) -> Vec<ClusterName> {
        let mut clusters: Vec<&ClusterName> =
            self.services.keys().map(|key| &key.cluster).collect();
        clusters.sort_unstable();
        clusters.dedup();
        clusters.into_iter().cloned().collect()
    }

    pub(super) fn invalid(&self, limit: usize) -> (Vec<InvalidObject>, usize) {
        let of_sources = self.sources.values().flat_map(|source| &source.invalid);
        let of_services = self.services.values().flat_map(|entry| &entry.object.invalid);
        let mut places = BTreeSet::new();
        let mut found = Vec::new();
        for invalid in of_sources.chain(of_services) {
            // A source and the service it holds both tell of the same error.
            let place =
                (&invalid.source, &invalid.file, invalid.position, &invalid.path, &invalid.message);
            if places.insert(place) && found.len() < limit {
                found.push(invalid.clone());
            }
        }
        (found, places.len())
    }

    pub(super) fn events(&self, limit: usize) -> Vec<Arc<Event>> {
        self.events.newest(limit)
    }

    pub(super) fn events_of(&self, key: &ObjectKey, limit: usize) -> Vec<Arc<Event>> {
        self.services.get(key).map(|entry| entry.events.newest(limit)).unwrap_or_default()
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn catch_up(&self, epoch: u64, since: Option<u64>) -> CatchUp {
        let since = since.filter(|since| (self.forgotten..=self.version).contains(since));
        let version = Version { epoch, number: self.version };
        let from = since.unwrap_or(0);
        CatchUp {
            complete: since.is_none(),
            version,
            services: self
                .services
                .values()
                .filter(|entry| entry.version > from)
                .map(|entry| Arc::clone(&entry.object))
                .collect(),
            sources: self.sources(),
            removed: self
                .removals
                .iter()
                .filter(|(version, key)| {
                    since.is_some() && *version > from && !self.services.contains_key(key)
                })
                .map(|(_, key)| key.clone())
                .collect(),
        }
    }
}

fn is_unobserved(object: &ServiceObject) -> bool {
    object
        .status
        .condition(ConditionType::Ready)
        .is_none_or(|ready| ready.reason == Reason::NotYetObserved)
}
