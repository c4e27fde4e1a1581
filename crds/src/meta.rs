//! Identity and origin of an object.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

use crate::{ClusterName, ServiceName, SourceName, TargetName};

/// Name, labels and annotations of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectMeta {
    /// The object's name. For a `Service` it is the name of the ECS service.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,255}$"))]
    pub name: String,
    /// Free words for finding and grouping objects.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub labels: IndexMap<String, String>,
    /// Free notes.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub annotations: IndexMap<String, String>,
}

impl ObjectMeta {
    /// Metadata of which only the name is known.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), labels: IndexMap::new(), annotations: IndexMap::new() }
    }
}

/// The key of one service: where it runs and what it is called there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectKey {
    /// Account and region, by their name in the operator's configuration.
    #[serde(default)]
    pub target: TargetName,
    /// The ECS cluster.
    pub cluster: ClusterName,
    /// The ECS service.
    pub name: ServiceName,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.target != TargetName::default() {
            write!(f, "{}:", self.target)?;
        }
        write!(f, "{}/{}", self.cluster, self.name)
    }
}

/// A state of a source: a Git commit, or a digest over the versions of an S3 prefix or a directory.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct SourceRevision(String);

impl SourceRevision {
    /// The revision as its source writes it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 characters: enough to recognise a commit.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for SourceRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a spec came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// The source's name.
    pub source: SourceName,
    /// The state of the source in which this spec was read.
    pub revision: SourceRevision,
    /// The file, relative to the source's root.
    pub file: String,
    /// The line on which the document starts, from 1.
    pub line: u32,
}

/// SHA-256 over the canonical form of a resolved spec: equal specs have equal hashes, however they are laid out.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct SpecHash(String);

impl SpecHash {
    /// The hash of a value whose objects have sorted keys, as `serde_json::Value` keeps them.
    pub fn of(canonical: &serde_json::Value) -> Self {
        Self(hex::encode(Sha256::digest(canonical.to_string().as_bytes())))
    }

    /// A hash that was read back, from a tag for instance.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// 64 lower-case hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SpecHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many times the spec of a key has changed since the operator first saw it; the first is 1.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Generation(pub u64);
