//! Simple Storage Service.

use serde::Deserialize;

/// A bucket that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureBucket {
    /// The bucket's name.
    pub name: String,
    /// The region it lives in; the sandbox's own when absent.
    #[serde(default)]
    pub region: Option<String>,
    /// Whether every write makes a version.
    #[serde(default)]
    pub versioning: bool,
    /// Whether callers lack `s3:ListBucket`, so that a missing key answers 403 instead of 404.
    #[serde(default)]
    pub list_denied: bool,
    /// Objects, in the order in which they were written.
    #[serde(default)]
    pub objects: Vec<FixtureObject>,
}

/// An object that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureObject {
    /// The full key.
    pub key: String,
    /// The content, as text.
    pub body: String,
}
