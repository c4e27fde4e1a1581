//! Services whose specs refer to values outside: kept with what was written, so that a value that changes touches them alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crds::{
    InvalidObject, ObjectKey, Provenance, Reason, Service, SourceName, SourceRevision, TargetName,
};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Doubt, Entry, Inventory, Place, Wanted, entry, key_of, provenance};
use crate::manifest::Located;
use crate::references::{
    self, Answer, Origin, ReferenceError, Referent, Referents, Resolution, ToldReference,
};

/// A service whose spec refers to values outside, with what came of it.
#[derive(Debug)]
pub(super) struct Referring {
    service: Box<Service>,
    located: Located<()>,
    /// The state of the source that the file was read in.
    revision: SourceRevision,
    uses: BTreeSet<Referent>,
    outcome: Outcome,
}

/// What came of a service.
#[derive(Debug)]
enum Outcome {
    Usable(Arc<Entry>),
    Invalid(Vec<InvalidObject>),
    Pending(Pending),
}

/// A service that waits for a value outside that is not known.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) key: ObjectKey,
    pub(super) provenance: Provenance,
    pub(super) reason: Reason,
    pub(super) message: String,
}

/// Reads one service of a file, with the values as they are known now.
pub(super) fn read(service: Box<Service>, located: Located<()>, place: &Place<'_>) -> Referring {
    let (uses, outcome) = judge(&service, &located, place);
    Referring { service, located, revision: place.revision.clone(), uses, outcome }
}

fn judge(
    written: &Service,
    located: &Located<()>,
    place: &Place<'_>,
) -> (BTreeSet<Referent>, Outcome) {
    let target = written.spec.target.clone().unwrap_or_default();
    let (service, told) = match resolve_references(written, &target, place.referents) {
        Ok((service, told)) => (service, told),
        Err((uses, errors)) => {
            let places = located.places();
            let invalid = errors.into_iter().map(|error| InvalidObject {
                source: place.source.to_string(),
                file: place.path.to_owned(),
                position: places.locate(&error.path),
                path: error.path,
                message: error.message,
                hint: error.hint,
                key: key_of(written),
            });
            return (uses, Outcome::Invalid(invalid.collect()));
        }
    };
    let waits = told.unknown.into_iter().next().filter(|_| !place.referents.is_offline());
    let outcome = match (waits, key_of(written)) {
        (Some(unknown), Some(key)) => Outcome::Pending(Pending {
            key,
            provenance: provenance(located, place),
            reason: unknown.reason,
            message: unknown.message,
        }),
        (_, _) => match entry(service, told.resolved, located, place) {
            Ok(entry) => Outcome::Usable(Arc::new(entry)),
            Err(invalid) => Outcome::Invalid(invalid),
        },
    };
    (told.uses, outcome)
}

/// What an object uses, and what is wrong with its references.
pub(super) type Wrong = (BTreeSet<Referent>, Vec<ReferenceError>);

/// The object with the values of its references in their places, and what these were.
pub(super) fn resolve_references<T: Serialize + DeserializeOwned>(
    object: &T,
    target: &TargetName,
    referents: &Referents,
) -> Result<(T, Resolution), Wrong> {
    let unusable = |error: serde_json::Error| {
        let message = format!("the spec cannot be used once its references are replaced: {error}");
        vec![ReferenceError::new(message, None)]
    };
    let mut value =
        serde_json::to_value(object).map_err(|error| (BTreeSet::new(), unusable(error)))?;
    let told = references::resolve(&mut value, target, referents);
    if !told.errors.is_empty() {
        return Err((told.uses, told.errors));
    }
    match serde_json::from_value(value) {
        Ok(object) => Ok((object, told)),
        Err(error) => Err((told.uses, unusable(error))),
    }
}

impl Referring {
    pub(super) fn entry(&self) -> Option<&Arc<Entry>> {
        match &self.outcome {
            Outcome::Usable(entry) => Some(entry),
            Outcome::Invalid(_) | Outcome::Pending(_) => None,
        }
    }

    pub(super) fn invalid(&self) -> &[InvalidObject] {
        match &self.outcome {
            Outcome::Invalid(invalid) => invalid,
            Outcome::Usable(_) | Outcome::Pending(_) => &[],
        }
    }

    pub(super) fn pending(&self) -> Option<&Pending> {
        match &self.outcome {
            Outcome::Pending(pending) => Some(pending),
            Outcome::Usable(_) | Outcome::Invalid(_) => None,
        }
    }

    /// Keeps what was written only of a service that refers to something outside.
    pub(super) fn sort_into(
        self,
        entries: &mut Vec<Arc<Entry>>,
        invalid: &mut Vec<InvalidObject>,
        referring: &mut Vec<Self>,
    ) {
        if !self.uses.is_empty() {
            referring.push(self);
            return;
        }
        match self.outcome {
            Outcome::Usable(entry) => entries.push(entry),
            Outcome::Invalid(mut errors) => invalid.append(&mut errors),
            Outcome::Pending(_) => referring.push(self),
        }
    }

    fn uses_any(&self, referents: &BTreeSet<Referent>) -> bool {
        self.uses.iter().any(|used| referents.contains(used))
    }
}

impl Inventory {
    /// Takes in what was found out about values outside. Only services that use a value that changed are read again.
    /// Returns the keys that need a turn.
    pub fn learn(
        &mut self,
        answers: Vec<(Referent, Answer)>,
        now: Timestamp,
    ) -> BTreeSet<ObjectKey> {
        let news = self.referents.learn(answers, now);
        let mut touched: BTreeMap<ObjectKey, SourceName> = BTreeMap::new();
        let mut has_changed = false;
        for (source, state) in &mut self.sources {
            for (path, file) in &mut state.files {
                for referring in &mut file.referring {
                    let is_changed = referring.uses_any(&news.changed);
                    let is_retold = referring.uses_any(&news.retold);
                    if is_changed || is_retold && referring.pending().is_some() {
                        let place = Place {
                            path,
                            source,
                            revision: &referring.revision,
                            policy: &state.policy,
                            owner: &self.owner,
                            referents: &self.referents,
                        };
                        let (uses, outcome) = judge(&referring.service, &referring.located, &place);
                        (referring.uses, referring.outcome) = (uses, outcome);
                        has_changed = true;
                    }
                    if is_changed || is_retold {
                        let key = key_of(&referring.service);
                        touched.extend(key.map(|key| (key, source.clone())));
                    }
                }
            }
            if has_changed {
                state.remember_good();
            }
        }
        if has_changed {
            self.rebuild();
        }
        for (key, source) in &touched {
            self.settle(key, source);
        }
        touched.into_keys().collect()
    }

    /// The task definitions of the services whose specs use a value: as they are written, or as they were last usable.
    pub(super) fn definitions_with(&self, referent: &Referent) -> Vec<Value> {
        let files = self.sources.values().flat_map(|state| state.files.values());
        let referring = files.flat_map(|file| &file.referring);
        let written = referring.filter(|referring| referring.uses.contains(referent)).filter_map(
            |referring| serde_json::to_value(&referring.service.spec.task_definition).ok(),
        );
        let good = self.sources.values().flat_map(|state| &state.last_good);
        let good = good.filter(|(_, entry)| {
            entry.references.iter().any(|used| used.referent.as_ref() == Some(referent))
        });
        written.chain(good.map(|(_, entry)| entry.desired.task_definition.input.clone())).collect()
    }

    /// The services that refer to a value outside, by their newest version or by the last good one.
    pub(super) fn users_of(&self, referent: &Referent) -> BTreeSet<ObjectKey> {
        let files = self.sources.values().flat_map(|state| state.files.values());
        let referring = files.flat_map(|file| &file.referring);
        let users = referring.filter(|referring| referring.uses.contains(referent));
        let good = self.sources.values().flat_map(|state| &state.last_good);
        let good = good.filter(|(_, entry)| {
            entry.references.iter().any(|used| used.referent.as_ref() == Some(referent))
        });
        users
            .filter_map(|referring| key_of(&referring.service))
            .chain(good.map(|(key, _)| key.clone()))
            .collect()
    }

    /// Every value outside that a spec refers to. What is known of others is forgotten.
    pub fn referents_in_use(&mut self) -> BTreeSet<Referent> {
        let used = self.used();
        self.referents.keep_only(&used);
        used
    }

    /// The values of one origin that specs refer to.
    pub fn referents_of(&mut self, origin: &Origin) -> Vec<Referent> {
        let mut used = self.referents_in_use();
        used.retain(|referent| referent.origin() == *origin);
        used.into_iter().collect()
    }

    /// Where values lie that nobody has read yet.
    pub fn unread_origins(&self) -> BTreeSet<Origin> {
        let used = self.used();
        let unread = used.iter().filter(|referent| !self.referents.is_known(referent));
        unread.map(Referent::origin).collect()
    }

    fn used(&self) -> BTreeSet<Referent> {
        let files = self.sources.values().flat_map(|state| state.files.values());
        let referring = files.flat_map(|file| &file.referring);
        let mut used: BTreeSet<Referent> =
            referring.flat_map(|referring| referring.uses.iter().cloned()).collect();
        // A last good spec may refer to values that its newest version does not name any more.
        let good = self.sources.values().flat_map(|state| state.last_good.values());
        let good = good.flat_map(|entry| &entry.references);
        used.extend(good.filter_map(|reference| reference.referent.clone()));
        used
    }

    /// The references of a spec, each with its value and where that comes from.
    pub fn told_references(&self, entry: &Entry) -> Vec<ToldReference> {
        self.referents.tell(&entry.references)
    }

    /// The same of the spec that is in force for a key.
    pub fn references_of(&self, key: &ObjectKey) -> Vec<ToldReference> {
        match self.wanted(key) {
            Wanted::Spec { entry, .. } => self.told_references(&entry),
            Wanted::Blocked { .. } | Wanted::Gone => Vec::new(),
        }
    }

    /// What is not known of the values behind a spec.
    pub(super) fn doubt(&self, entry: &Entry, pending: Option<&Pending>) -> Option<Doubt> {
        if let Some(Pending { reason, message, .. }) = pending {
            let (reason, message) = (*reason, message.clone());
            return Some(Doubt { reason, message, holds_newer: true });
        }
        let used = entry.references.iter().filter_map(|reference| reference.referent.as_ref());
        let message = self.referents.stale(used)?;
        Some(Doubt { reason: Reason::ReferenceUnread, message, holds_newer: false })
    }
}
