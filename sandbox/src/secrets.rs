//! Secrets Manager, as far as an operator may see it: everything but the values.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A secret that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureSecret {
    /// The friendly name, `prod/db`.
    pub name: String,
    /// The six characters that AWS appends to the name in the ARN; drawn from the name when absent.
    #[serde(default)]
    pub suffix: Option<String>,
    /// Text for people.
    #[serde(default)]
    pub description: Option<String>,
    /// The key, when it is not `aws/secretsmanager`.
    #[serde(default)]
    pub kms_key_id: Option<String>,
    /// Version identifiers from the oldest to the newest: the last is `AWSCURRENT`, the one before it `AWSPREVIOUS`.
    #[serde(default)]
    pub versions: Vec<String>,
    /// Days until the secret is gone for good; present means that its deletion is scheduled.
    #[serde(default)]
    pub deleted_in_days: Option<i64>,
    /// Tags of the secret.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}
