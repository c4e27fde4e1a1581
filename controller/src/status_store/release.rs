//! Releases on the board.

use std::sync::Arc;

use crds::{Condition, ConditionStatus, ConditionType, ObjectKey, ObjectMeta, Provenance};
use crds::{ReleaseName, ReleaseStatus};
use jiff::Timestamp;

use super::board::Board;
use super::spec_text::SpecText;
use super::{Event, EventLevel, StatusStore};

/// One release: what was asked for, where that was written, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseObject {
    /// Its name.
    pub name: ReleaseName,
    /// Name, labels, annotations.
    pub metadata: ObjectMeta,
    /// The file that the spec came from.
    pub provenance: Option<Provenance>,
    /// The spec as written, with its references resolved.
    pub spec: Arc<SpecText>,
    /// The services that name it.
    pub services: Vec<ObjectKey>,
    /// What Longshore says about it.
    pub status: ReleaseStatus,
}

impl ReleaseObject {
    /// The condition that a person should read first: what stalls it, else what goes on, else whether it is ready.
    pub fn headline(&self) -> Option<&Condition> {
        let of = |kind| self.status.conditions.iter().find(move |said| said.kind == kind);
        let holds = |kind| of(kind).filter(|said| said.status == ConditionStatus::True);
        holds(ConditionType::Stalled)
            .or_else(|| holds(ConditionType::Reconciling))
            .or_else(|| of(ConditionType::Ready))
    }

    /// Whether the file of `writeBack` holds the version, where the release asks for that.
    pub fn written_back(&self) -> Option<&Condition> {
        self.status.conditions.iter().find(|said| said.kind == ConditionType::WrittenBack)
    }

    fn stalls(&self) -> Option<&Condition> {
        self.headline().filter(|said| said.kind == ConditionType::Stalled)
    }
}

impl Board {
    fn publish_release(&mut self, object: ReleaseObject, now: Timestamp) {
        let object = Arc::new(object);
        let known = self.releases.insert(object.name.clone(), Arc::clone(&object));
        for event in transitions(known.as_deref(), &object, now) {
            self.record(event);
        }
    }
}

/// What a person would want to know of two statuses in a row; that a version was chosen is told by whoever chose it.
fn transitions(old: Option<&ReleaseObject>, new: &ReleaseObject, now: Timestamp) -> Vec<Event> {
    let event = |level, reason: &str, message: String| {
        Event::of_release(&new.name, now, level, (reason, message))
    };
    let mut events = Vec::new();
    let stalled_was = old.and_then(ReleaseObject::stalls).map(|said| said.reason);
    match new.stalls() {
        Some(said) if stalled_was != Some(said.reason) => {
            let reason = said.reason.as_str();
            events.push(event(EventLevel::Warning, reason, said.message.clone()));
        }
        None if stalled_was.is_some() => {
            events.push(event(EventLevel::Info, "ReleaseRecovered", "it is well again".to_owned()));
        }
        Some(_) | None => {}
    }
    events.extend(
        old.and_then(|old| write_back(old, new))
            .map(|(level, said, message)| event(level, said.reason.as_str(), message)),
    );
    let skipped_was = old.map_or(&[][..], |old| &old.status.skipped);
    events.extend(
        new.status
            .skipped
            .iter()
            .filter(|skipped| old.is_some() && !skipped_was.contains(skipped))
            .map(|skipped| {
                let message = format!(
                    "{} is skipped: {} on {}",
                    skipped.tag, skipped.reason, skipped.service
                );
                event(EventLevel::Warning, "VersionSkipped", message)
            }),
    );
    events
}

/// That a version was committed, or that it could not be.
fn write_back<'a>(
    old: &ReleaseObject,
    new: &'a ReleaseObject,
) -> Option<(EventLevel, &'a Condition, String)> {
    let (was, said) = (old.written_back(), new.written_back()?);
    let commit = |object: &ReleaseObject| object.status.written.as_ref()?.commit.clone();
    let message = said.message.clone();
    match said.status {
        ConditionStatus::True if commit(new).is_some() && commit(new) != commit(old) => {
            Some((EventLevel::Info, said, message))
        }
        ConditionStatus::False if was.is_none_or(|was| was.reason != said.reason) => {
            Some((EventLevel::Warning, said, message))
        }
        ConditionStatus::True | ConditionStatus::False | ConditionStatus::Unknown => None,
    }
}

impl StatusStore {
    /// Puts a release on the board in place of what was there.
    pub fn publish_release(&self, object: ReleaseObject) {
        let now = self.now();
        self.write().publish_release(object, now);
    }

    /// Takes a release off the board.
    pub fn remove_release(&self, name: &ReleaseName) {
        self.write().releases.remove(name);
    }

    /// One release.
    pub fn release(&self, name: &ReleaseName) -> Option<Arc<ReleaseObject>> {
        self.read().releases.get(name).cloned()
    }

    /// Every release, in the order of names.
    pub fn releases(&self) -> Vec<Arc<ReleaseObject>> {
        self.read().releases.values().cloned().collect()
    }
}
