//! What the board keeps: services, sources, readiness.

use std::sync::Arc;

use crds::{
    Condition, ConditionStatus, ConditionType, InvalidObject, ObjectKey, ObjectMeta, Provenance,
    ServiceStatus, SourceName, SourceRevision,
};
use jiff::Timestamp;
use serde::Serialize;

use super::redact::redact;
use super::spec_text::SpecText;

/// One service: what was asked for, where that was written, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceObject {
    /// Where it runs and what it is called there.
    pub key: ObjectKey,
    /// Name, labels, annotations.
    pub metadata: ObjectMeta,
    /// The file that the spec came from; `None` when it has left its source.
    pub provenance: Option<Provenance>,
    /// The spec as written, with its references resolved; `null` while no good spec is known.
    pub spec: Arc<SpecText>,
    /// What Longshore says about it.
    pub status: ServiceStatus,
    /// What is wrong with the newest version of its spec.
    pub invalid: Vec<InvalidObject>,
}

impl ServiceObject {
    /// The condition that a person should read first: what stalls it, else what goes on, else whether it is ready.
    pub fn headline(&self) -> Option<&Condition> {
        let holds = |kind| {
            self.status
                .condition(kind)
                .filter(|condition| condition.status == ConditionStatus::True)
        };
        holds(ConditionType::Stalled)
            .or_else(|| holds(ConditionType::Reconciling))
            .or_else(|| self.status.condition(ConditionType::Ready))
    }

    /// The lower-case text that searches look through.
    pub(super) fn search_text(&self) -> Box<str> {
        let mut text = self.key.to_string();
        let mut add = |word: &str| {
            text.push('\n');
            text.push_str(word);
        };
        for (label, value) in &self.metadata.labels {
            add(&format!("{label}={value}"));
        }
        for image in &self.status.images {
            add(&image.repository);
            add(image.tag.as_deref().unwrap_or_default());
            add(image.digest.as_deref().unwrap_or_default());
        }
        add(self.status.task_definition.as_deref().unwrap_or_default());
        for attempt in self.status.last_attempted.iter().chain(&self.status.last_applied) {
            add(attempt.commit.as_str());
        }
        if let Some(provenance) = &self.provenance {
            add(provenance.source.as_str());
            add(&provenance.file);
        }
        if let Some(condition) = self.headline() {
            add(condition.reason.as_str());
        }
        text.to_lowercase().into_boxed_str()
    }
}

/// What kind of place a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SourceKind {
    /// A Git repository.
    Git,
    /// A prefix of an S3 bucket.
    S3,
    /// A directory on this machine.
    Directory,
}

impl SourceKind {
    /// The word for it in JSON and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::S3 => "s3",
            Self::Directory => "directory",
        }
    }
}

/// One source: what was last read of it and how old that is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceObject {
    /// Its name in the configuration.
    pub name: SourceName,
    /// What kind of place it is.
    pub kind: SourceKind,
    /// Its URL, bucket and prefix, or path, without credentials.
    pub location: String,
    /// The last state of it that was read completely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<SourceRevision>,
    /// What that state says of itself: a commit's subject and author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was last read completely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<Timestamp>,
    /// Why it could not be read the last time; `None` when it could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// `Ready` and `Stalled`. A source has no generations: `observedGeneration` is 0.
    pub conditions: Vec<Condition>,
    /// How many services its last complete state asks for.
    pub services: usize,
    /// What is wrong with documents in it.
    pub invalid: Vec<InvalidObject>,
}

impl SourceObject {
    /// A source that nothing has been read of yet.
    pub fn unread(name: SourceName, kind: SourceKind, location: impl Into<String>) -> Self {
        Self {
            name,
            kind,
            location: location.into(),
            revision: None,
            description: None,
            fetched_at: None,
            error: None,
            conditions: Vec::new(),
            services: 0,
            invalid: Vec::new(),
        }
    }

    /// Whether it has been tried at least once, with whatever outcome.
    pub fn is_tried(&self) -> bool {
        self.revision.is_some() || self.error.is_some()
    }

    /// How long ago it was last read completely, in seconds.
    pub fn age_seconds(&self, now: Timestamp) -> Option<i64> {
        self.fetched_at.map(|at| now.as_second().saturating_sub(at.as_second()).max(0))
    }

    /// The same without credentials in any URL it mentions.
    pub(super) fn redacted(self) -> Self {
        Self {
            location: redact(&self.location),
            error: self.error.map(|error| redact(&error)),
            conditions: self
                .conditions
                .into_iter()
                .map(|said| Condition { message: redact(&said.message), ..said })
                .collect(),
            ..self
        }
    }

    /// Whether a person would see a difference beside the age.
    pub(super) fn looks_like(&self, other: &Self) -> bool {
        let Self {
            name,
            kind,
            location,
            revision,
            description,
            fetched_at,
            error,
            conditions,
            services,
            invalid,
        } = self;
        *name == other.name
            && *kind == other.kind
            && *location == other.location
            && *revision == other.revision
            && *description == other.description
            && fetched_at.is_some() == other.fetched_at.is_some()
            && *error == other.error
            && *conditions == other.conditions
            && *services == other.services
            && *invalid == other.invalid
    }
}

/// Whether the first pass is done, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether every readable source has been read and every service of it looked at once.
    pub ready: bool,
    /// What is missing, in words; empty when ready.
    pub missing: Vec<String>,
}
