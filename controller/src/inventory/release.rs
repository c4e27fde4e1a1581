//! Releases among the objects of the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crds::{
    InvalidObject, ObjectKey, ObjectMeta, Provenance, Release, ReleaseGit, ReleaseName, SourceName,
    SourceRevision, SpecHash, TargetName, WriteBack,
};
use planner::desired::Version;
use planner::release::Rule;
use serde_json::Value;
use tokio::sync::Notify;

use super::referring::resolve_references;
use super::{Inventory, Place, SourceState, provenance};
use crate::manifest::Located;
use crate::references::{Referent, Referents, ResolvedReference};
use crate::status_store::SpecText;

/// One usable release.
#[derive(Debug)]
pub struct ReleaseEntry {
    /// Its name.
    pub name: ReleaseName,
    /// Name, labels, annotations.
    pub metadata: ObjectMeta,
    /// Whose credentials read the repository.
    pub target: TargetName,
    /// What it asks for.
    pub rule: Rule,
    /// The Git repository whose tags it follows.
    pub git: Option<ReleaseGit>,
    /// The file that its version is written to.
    pub write_back: Option<WriteBack>,
    /// How often it is looked at, if it says.
    pub interval: Option<Duration>,
    /// The spec as it was written, references resolved.
    pub spec: Arc<SpecText>,
    /// The hash of all that.
    pub spec_hash: SpecHash,
    /// Where it came from.
    pub provenance: Provenance,
}

/// What is wanted of a release.
#[derive(Debug, Clone)]
pub enum WantedRelease {
    /// This.
    Spec(Arc<ReleaseEntry>),
    /// Nothing may be chosen: there are two.
    Twice {
        /// One of them.
        entry: Arc<ReleaseEntry>,
        /// Where they stand.
        places: String,
    },
}

impl WantedRelease {
    /// The release, or one of the two.
    pub fn entry(&self) -> &Arc<ReleaseEntry> {
        match self {
            Self::Spec(entry) | Self::Twice { entry, .. } => entry,
        }
    }

    /// What tells it from other versions of it.
    pub fn fingerprint(&self) -> SpecHash {
        match self {
            Self::Spec(entry) => entry.spec_hash.clone(),
            Self::Twice { places, .. } => SpecHash::of(&Value::String(places.clone())),
        }
    }
}

/// Reads one release of a file, its references replaced, or says everything that is wrong with it.
pub(super) fn read(
    release: &Release,
    located: &Located<()>,
    place: &Place<'_>,
) -> Result<ReleaseEntry, Vec<InvalidObject>> {
    let places = located.places();
    let invalid = |path: String, message: String, hint: Option<String>| InvalidObject {
        source: place.source.to_string(),
        file: place.path.to_owned(),
        position: places.locate(&path),
        path,
        message,
        hint,
        key: None,
    };
    let target = release.spec.target.clone().unwrap_or_default();
    let told = resolve_references(release, &target, place.referents);
    let (release, told) = told.map_err(|(_, errors)| {
        let errors = errors.into_iter();
        errors.map(|error| invalid(error.path, error.message, error.hint)).collect::<Vec<_>>()
    })?;
    if let Some(outside) = told.uses.first() {
        let (message, hint) = refused(outside);
        return Err(vec![invalid("spec".to_owned(), message, Some(hint))]);
    }
    let rule = Rule::resolve(&release.spec).map_err(|wrong| {
        let wrong = wrong.into_iter();
        wrong
            .map(|finding| invalid(finding.path, finding.message, finding.hint))
            .collect::<Vec<_>>()
    })?;
    let name: ReleaseName = release.metadata.name.parse().map_err(|error: crds::InvalidName| {
        vec![invalid("metadata.name".to_owned(), error.to_string(), None)]
    })?;
    let spec = serde_json::to_value(&release.spec).unwrap_or(Value::Null);
    let annotations = serde_json::to_value(&release.metadata.annotations).unwrap_or(Value::Null);
    Ok(ReleaseEntry {
        name,
        target,
        rule,
        git: release.spec.git.clone(),
        write_back: release.spec.write_back.clone(),
        interval: release.spec.interval.map(crds::HumanDuration::get),
        spec_hash: SpecHash::of(&Value::Array(vec![spec.clone(), annotations])),
        spec: Arc::new(SpecText::from(&spec)),
        provenance: provenance(located, place),
        metadata: release.metadata,
    })
}

/// What a release follows must not move under it.
fn refused(outside: &Referent) -> (String, String) {
    let message = format!("a release cannot refer to `{outside}`, which may change by itself");
    (message, "write it out, or use `${var:NAME}`".to_owned())
}

/// The versions behind the references of a spec.
pub(super) fn versions(references: &[ResolvedReference], referents: &Referents) -> Vec<Version> {
    let mut versions: Vec<Version> = references
        .iter()
        .filter_map(|reference| {
            let Some(referent @ Referent::Release(release)) = &reference.referent else {
                return None;
            };
            let (image, tag) = referents.version_of(referent)?;
            Some(Version { release: release.clone(), tag: tag.to_owned(), image: image.to_owned() })
        })
        .collect();
    versions.sort_unstable();
    versions.dedup();
    versions
}

impl SourceState {
    /// Remembers the usable releases of each file. One whose newest version cannot be used stays in force as it was, as long
    /// as something in its file cannot be used.
    pub(super) fn remember_good_releases(&mut self) {
        let files = &self.files;
        self.good_releases.retain(|path, _| files.contains_key(path));
        for (path, file) in files {
            let good = self.good_releases.entry(path.clone()).or_default();
            if file.invalid.iter().all(|invalid| invalid.key.is_some()) {
                good.clear();
            }
            for entry in &file.releases {
                good.insert(entry.name.clone(), Arc::clone(entry));
            }
        }
        self.good_releases.retain(|_, good| !good.is_empty());
    }
}

impl Inventory {
    /// The releases of all sources.
    pub fn releases(&self) -> BTreeMap<ReleaseName, WantedRelease> {
        let mut named: BTreeMap<ReleaseName, Vec<Arc<ReleaseEntry>>> = BTreeMap::new();
        let files = self.sources.values().flat_map(|state| state.files.values());
        for entry in files.flat_map(|file| &file.releases) {
            named.entry(entry.name.clone()).or_default().push(Arc::clone(entry));
        }
        let good = self.sources.values().flat_map(|state| state.good_releases.values());
        for (name, entry) in good.flatten() {
            named.entry(name.clone()).or_insert_with(|| vec![Arc::clone(entry)]);
        }
        named
            .into_iter()
            .filter_map(|(name, entries)| {
                let first = Arc::clone(entries.first()?);
                let wanted = match entries.as_slice() {
                    [_] => WantedRelease::Spec(first),
                    several => {
                        let places: Vec<String> = several
                            .iter()
                            .map(|entry| {
                                let Provenance { source, file, line, .. } = &entry.provenance;
                                format!("{source}: {file}:{line}")
                            })
                            .collect();
                        WantedRelease::Twice { entry: first, places: places.join(", ") }
                    }
                };
                Some((name, wanted))
            })
            .collect()
    }

    /// Notified when a release is new, different or gone, or a service names another one.
    pub fn release_news(&self) -> Arc<Notify> {
        Arc::clone(&self.release_news)
    }

    /// Where a source stands, and whether its policy suspends what it holds; `None` for one that has not been read.
    pub fn standing(&self, source: &SourceName) -> Option<(SourceRevision, bool)> {
        let state = self.sources.get(source)?;
        Some((state.revision.clone()?, state.policy.suspend.unwrap_or(false)))
    }

    /// The services that name a release.
    pub fn users_of_release(&self, name: &ReleaseName) -> BTreeSet<ObjectKey> {
        self.users_of(&Referent::Release(name.clone()))
    }

    /// What the tasks of the services run on that name a release, as far as their specs say: `linux/amd64`.
    pub fn platforms_of_release(&self, name: &ReleaseName) -> BTreeSet<String> {
        let definitions = self.definitions_with(&Referent::Release(name.clone()));
        definitions.iter().filter_map(planner::preflight::wanted_platform).collect()
    }

    /// The releases that wait for this one.
    pub fn followers_of_release(&self, name: &ReleaseName) -> Vec<ReleaseName> {
        self.releases()
            .into_iter()
            .filter(|(_, wanted)| wanted.entry().rule.goes_after() == Some(name))
            .map(|(follower, _)| follower)
            .collect()
    }
}
