//! Elastic Container Registry.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

/// A repository that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureRepository {
    /// The repository's name, `shop/web`.
    pub name: String,
    /// `MUTABLE`, `IMMUTABLE`, `MUTABLE_WITH_EXCLUSION` or `IMMUTABLE_WITH_EXCLUSION`.
    #[serde(default = "FixtureRepository::default_mutability")]
    pub tag_mutability: String,
    /// Wildcard patterns of the tags for which the opposite of `tagMutability` holds.
    #[serde(default)]
    pub exclusions: Vec<String>,
    /// What was pushed, oldest first.
    #[serde(default)]
    pub images: Vec<FixtureImage>,
}

/// An image that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct FixtureImage {
    /// The image's tags; none makes an untagged image.
    pub tags: Vec<String>,
    /// When it was pushed; the start of the sandbox when absent.
    pub pushed_at: Option<Timestamp>,
    /// Compressed size; 50 MB when absent.
    pub size_in_bytes: Option<u64>,
    /// Whether the image is archived: hidden by default, and tasks cannot pull it.
    pub archived: bool,
    /// `linux/amd64` and the like: any platform makes the image an index with a child manifest per platform.
    pub platforms: Vec<String>,
    /// Whether the index carries an attestation manifest per platform, as `docker buildx` makes them.
    pub attestations: bool,
    /// Whether a signature row `sha256-<digest>.sig` belongs to it.
    pub signed: bool,
    /// Findings of the scan: severity to count; absent means never scanned.
    pub findings: Option<BTreeMap<String, u64>>,
}

impl FixtureRepository {
    fn default_mutability() -> String {
        "MUTABLE".to_owned()
    }
}
