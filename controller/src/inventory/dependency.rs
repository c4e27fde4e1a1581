//! Who depends on whom, over all sources.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crds::{InvalidObject, ObjectKey};
use planner::observed::ObservedService;
use planner::ownership;
use planner::prune::{self, Dependents};
use planner::waiting;

use super::{Entry, Inventory, Wanted};

/// What the specs in force say about each other.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    of: BTreeMap<ObjectKey, Vec<ObjectKey>>,
    dependents: BTreeMap<ObjectKey, BTreeSet<ObjectKey>>,
}

impl Dependencies {
    pub(super) fn between<'a>(entries: impl Iterator<Item = &'a Arc<Entry>>) -> Self {
        let mut found = Self::default();
        for entry in entries.filter(|entry| !entry.desired.depends_on.is_empty()) {
            let (key, list) = (&entry.desired.key, &entry.desired.depends_on);
            found.of.insert(key.clone(), list.clone());
            for dependency in list {
                found.dependents.entry(dependency.clone()).or_default().insert(key.clone());
            }
        }
        found
    }

    fn of(&self, key: &ObjectKey) -> impl Iterator<Item = &ObjectKey> {
        self.of.get(key).into_iter().flatten()
    }

    fn dependents(&self, key: &ObjectKey) -> impl Iterator<Item = &ObjectKey> {
        self.dependents.get(key).into_iter().flatten()
    }

    /// The shortest circle through a service, which stands first.
    fn cycle(&self, key: &ObjectKey) -> Option<Vec<ObjectKey>> {
        let mut came_from: BTreeMap<&ObjectKey, &ObjectKey> = BTreeMap::new();
        let mut next = VecDeque::from([self.of.get_key_value(key)?.0]);
        while let Some(one) = next.pop_front() {
            for dependency in self.of(one) {
                if dependency == key {
                    let back = std::iter::successors(Some(one), |one| came_from.get(one).copied());
                    let mut cycle: Vec<ObjectKey> = back.cloned().collect();
                    cycle.reverse();
                    return Some(cycle);
                }
                if !came_from.contains_key(dependency) {
                    came_from.insert(dependency, one);
                    next.push_back(dependency);
                }
            }
        }
        None
    }

    /// The services for which something else is true when these change: those that depend on them, and the circles that
    /// they are in.
    pub(super) fn touched(&self, changed: &BTreeSet<ObjectKey>) -> BTreeSet<ObjectKey> {
        let dependents = changed.iter().flat_map(|key| self.dependents(key)).cloned();
        let circles = changed.iter().filter_map(|key| self.cycle(key)).flatten();
        dependents.chain(circles).collect()
    }

    /// What these depend on.
    pub(super) fn needed(&self, changed: &BTreeSet<ObjectKey>) -> BTreeSet<ObjectKey> {
        changed.iter().flat_map(|key| self.of(key)).cloned().collect()
    }
}

impl Inventory {
    /// The services whose specs name this one.
    pub fn dependents(&self, key: &ObjectKey) -> Vec<ObjectKey> {
        self.dependencies.dependents(key).cloned().collect()
    }

    /// The circle of services that depend on each other, if this one is in one; it stands first.
    pub fn cycle(&self, key: &ObjectKey) -> Option<Vec<ObjectKey>> {
        self.dependencies.cycle(key)
    }

    /// Every service that depends on itself over others, as an error of its own document.
    pub fn cycles(&self) -> Vec<InvalidObject> {
        let found = self.dependencies.of.keys().filter_map(|key| {
            let hold = waiting::cycle_hold(&self.cycle(key)?);
            self.dependency_problem(key, hold.message, None)
        });
        found.collect()
    }

    /// Every service that a spec depends on and that no source has.
    pub fn missing_dependencies(&self) -> Vec<InvalidObject> {
        let missing = self.dependencies.of.iter().flat_map(|(key, list)| {
            list.iter().filter(|needed| !self.is_named(needed)).map(move |needed| (key, needed))
        });
        let found = missing.filter_map(|(key, needed)| {
            let message = format!("no source has {needed}: changes of {key} would wait for it");
            let hint = "name a service of a source, or take it out".to_owned();
            self.dependency_problem(key, message, Some(hint))
        });
        found.collect()
    }

    fn dependency_problem(
        &self,
        key: &ObjectKey,
        message: String,
        hint: Option<String>,
    ) -> Option<InvalidObject> {
        let Wanted::Spec { entry, .. } = self.wanted(key) else { return None };
        let provenance = &entry.desired.provenance;
        Some(InvalidObject {
            source: provenance.source.to_string(),
            file: provenance.file.clone(),
            position: entry.depends_on_at,
            path: "spec.rollout.dependsOn".to_owned(),
            message,
            hint,
            key: Some(key.clone()),
        })
    }

    /// Notes what a service that has lost its spec says of itself: whether it stays, and what it depends on.
    pub fn note_seen(&mut self, key: &ObjectKey, service: &ObservedService) {
        let Some(orphan) = self.orphans.get_mut(key) else { return };
        orphan.is_kept = prune::is_kept(service);
        let depends_on = ownership::depends_on(&service.tags);
        let was_unknown = orphan.depends_on.replace(depends_on).is_none();
        let is_unknown_left = || self.orphans.values().any(|orphan| orphan.depends_on.is_none());
        if was_unknown && !is_unknown_left() {
            self.called.extend(self.orphans.keys().cloned());
        }
    }

    /// Forgets a service that is gone at AWS too. What it depended on may go now.
    pub fn forget_orphan(&mut self, key: &ObjectKey) {
        let Some(gone) = self.orphans.remove(key) else { return };
        let needed = gone.depends_on.unwrap_or_default();
        let freed = self.orphans.keys().filter(|key| needed.contains(&ownership::digest(key)));
        self.called.extend(freed.cloned());
    }

    /// The services without specs whose time has come since this was last asked.
    pub fn called(&mut self) -> BTreeSet<ObjectKey> {
        std::mem::take(&mut self.called)
    }

    /// What depends on a service that has lost its spec. Services without specs that depend on each other in a circle do not
    /// wait for each other.
    pub fn dependents_left(&self, key: &ObjectKey) -> Dependents {
        let digest = ownership::digest(key);
        let others = || self.orphans.iter().filter(|(other, _)| *other != key);
        let leaving = others()
            .filter(|(_, orphan)| orphan.needs(&digest))
            .filter(|(other, _)| !self.leads_to(key, &ownership::digest(other)))
            .map(|(other, _)| other.clone());
        Dependents {
            named: self.dependents(key),
            leaving: leaving.collect(),
            unknown: others().filter(|(_, orphan)| orphan.depends_on.is_none()).count(),
        }
    }

    /// Whether a service without a spec depends on another of them, over any number of steps.
    fn leads_to(&self, key: &ObjectKey, wanted: &str) -> bool {
        let by_digest: BTreeMap<String, &ObjectKey> =
            self.orphans.keys().map(|key| (ownership::digest(key), key)).collect();
        let (mut seen, mut next) = (BTreeSet::from([key]), vec![key]);
        while let Some(one) = next.pop() {
            let needed = self.orphans.get(one).and_then(|orphan| orphan.depends_on.as_ref());
            for digest in needed.into_iter().flatten() {
                if digest == wanted {
                    return true;
                }
                if let Some(other) = by_digest.get(digest)
                    && seen.insert(other)
                {
                    next.push(other);
                }
            }
        }
        false
    }
}
