//! Parameter Store.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A parameter that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureParameter {
    /// The full name, with its leading `/` when it is hierarchical.
    pub name: String,
    /// `String`, `StringList` or `SecureString`.
    #[serde(rename = "type", default = "FixtureParameter::default_kind")]
    pub kind: String,
    /// What every version holds.
    pub value: String,
    /// How many versions exist; the newest has this number.
    #[serde(default = "FixtureParameter::default_version")]
    pub version: u64,
    /// Labels of the newest version.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Text for people.
    #[serde(default)]
    pub description: Option<String>,
    /// Tags of the parameter.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl FixtureParameter {
    fn default_kind() -> String {
        "String".to_owned()
    }

    fn default_version() -> u64 {
        1
    }
}
