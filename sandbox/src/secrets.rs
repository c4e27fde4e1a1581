//! Secrets Manager, as far as an operator may see it: everything but the values (aws.md §6.2).

mod read;
mod stages;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::{ApiError, derived, json};

/// The secrets of one account in one region.
#[derive(Debug)]
pub(crate) struct Secrets {
    account: String,
    region: String,
    by_name: BTreeMap<String, Secret>,
    created: u64,
    value_reads: u64,
}

#[derive(Debug, Clone)]
struct Secret {
    name: String,
    arn: String,
    description: Option<String>,
    kms_key_id: Option<String>,
    tags: BTreeMap<String, String>,
    created: Timestamp,
    changed: Timestamp,
    /// When the secret goes for good; present while its deletion is scheduled.
    deletion: Option<Timestamp>,
    versions: Vec<Version>,
}

#[derive(Debug, Clone)]
struct Version {
    id: String,
    stages: Vec<String>,
    created: Timestamp,
    /// The digest of the value: enough to tell a repeated request from a different one.
    fingerprint: String,
}

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

impl Secrets {
    /// No secrets yet.
    pub(crate) fn new(account: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            by_name: BTreeMap::new(),
            created: 0,
            value_reads: 0,
        }
    }

    /// Answers one call.
    pub(crate) fn call(
        &mut self,
        operation: &str,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        self.by_name.retain(|_, secret| secret.deletion.is_none_or(|deletion| deletion > now));
        match operation {
            "CreateSecret" => self.create_secret(input, now),
            "PutSecretValue" => self.put_secret_value(input, now),
            "UpdateSecret" => self.update_secret(input, now),
            "UpdateSecretVersionStage" => self.update_secret_version_stage(input, now),
            "DescribeSecret" => self.describe_secret(input),
            "ListSecrets" => self.list_secrets(input),
            "ListSecretVersionIds" => self.list_secret_version_ids(input),
            "DeleteSecret" => self.delete_secret(input, now),
            "RestoreSecret" => self.restore_secret(input, now),
            "TagResource" => self.tag_resource(input, now),
            "UntagResource" => self.untag_resource(input, now),
            "GetSecretValue" | "BatchGetSecretValue" => Err(self.refuse_value(operation, input)),
            operation => Err(json::unknown_operation(operation)),
        }
    }

    /// The token bucket that pays for an operation: name, capacity, tokens a second (aws.md §1.3).
    pub(crate) fn bucket(operation: &str) -> Option<(&'static str, u32, u32)> {
        let (name, rate) = match operation {
            "DescribeSecret" => ("DescribeSecret", 40_000),
            "GetSecretValue" => ("GetSecretValue", 10_000),
            "BatchGetSecretValue" => ("BatchGetSecretValue", 100),
            "ListSecrets" => ("ListSecrets", 100),
            "ListSecretVersionIds" => ("ListSecretVersionIds", 50),
            "CreateSecret"
            | "PutSecretValue"
            | "UpdateSecret"
            | "UpdateSecretVersionStage"
            | "DeleteSecret"
            | "RestoreSecret"
            | "TagResource"
            | "UntagResource" => ("secret modify", 50),
            _ => return None,
        };
        Some((name, rate, rate))
    }

    /// How often somebody asked for a secret's value: an operator never does.
    pub(crate) fn value_reads(&self) -> u64 {
        self.value_reads
    }

    /// The version that a task definition's `valueFrom` means now: a name or an ARN, then optionally
    /// `:json-key:version-stage:version-id`.
    pub(crate) fn resolve(&self, value_from: &str) -> Option<&str> {
        let colons: Vec<usize> = value_from.match_indices(':').map(|(at, _)| at).collect();
        let end = colons.get(6).copied().unwrap_or(value_from.len());
        let (id, selectors) = value_from.split_at_checked(end)?;
        let mut selectors = selectors.split(':').skip(2);
        let stage = selectors.next().filter(|stage| !stage.is_empty());
        let version_id = selectors.next().filter(|id| !id.is_empty());
        let secret = self.find(id)?;
        if secret.deletion.is_some() {
            return None;
        }
        let stage = stage.or(version_id.is_none().then_some(CURRENT));
        let wanted = |version: &&Version| {
            stage.is_none_or(|stage| version.has_stage(stage))
                && version_id.is_none_or(|id| version.id == id)
        };
        secret.versions.iter().find(wanted).map(|version| version.id.as_str())
    }

    /// Adds a secret that exists from the start.
    pub(crate) fn load(&mut self, fixture: &FixtureSecret, now: Timestamp) -> Result<(), ApiError> {
        write::validate_name(&fixture.name)?;
        let arn = match &fixture.suffix {
            Some(suffix) => self.arn(&fixture.name, suffix),
            None => self.fresh_arn(&fixture.name),
        };
        let mut secret = Secret {
            name: fixture.name.clone(),
            arn,
            description: fixture.description.clone(),
            kms_key_id: fixture.kms_key_id.clone(),
            tags: fixture.tags.clone(),
            created: now,
            changed: now,
            deletion: fixture
                .deleted_in_days
                .map(|days| now + SignedDuration::from_hours(days * 24)),
            versions: Vec::new(),
        };
        let preset = [derived::uuid(&secret.arn)];
        let versions =
            if fixture.versions.is_empty() { preset.as_slice() } else { &fixture.versions };
        for id in versions {
            secret.add_version(id, id.clone(), &[CURRENT], now)?;
        }
        self.by_name.insert(fixture.name.clone(), secret);
        Ok(())
    }

    fn arn(&self, name: &str, suffix: &str) -> String {
        format!("arn:aws:secretsmanager:{}:{}:secret:{name}-{suffix}", self.region, self.account)
    }

    /// A secret that is made again under its old name has another ARN.
    fn fresh_arn(&mut self, name: &str) -> String {
        self.created += 1;
        let suffix = derived::alphanumeric(&format!("{}/{name}/{}", self.account, self.created), 6);
        self.arn(name, &suffix)
    }

    /// The secret of a name, an ARN, or an ARN without its six last characters.
    fn find(&self, id: &str) -> Option<&Secret> {
        self.by_name.get(id).or_else(|| self.by_name.values().find(|secret| secret.answers_to(id)))
    }

    fn find_mut(&mut self, id: &str) -> Result<&mut Secret, ApiError> {
        let name = self.find(id).map(|secret| secret.name.clone());
        name.and_then(|name| self.by_name.get_mut(&name)).ok_or_else(not_found)
    }

    fn refuse_value(&mut self, operation: &str, input: &Value) -> ApiError {
        self.value_reads += 1;
        let resource = input.get("SecretId").and_then(Value::as_str).unwrap_or("*");
        ApiError::refused(
            "AccessDeniedException",
            format!(
                "User: arn:aws:iam::{}:user/operator is not authorized to perform: secretsmanager:{operation} on \
                 resource: {resource} because no identity-based policy allows the secretsmanager:{operation} action",
                self.account
            ),
        )
    }
}

impl Secret {
    fn answers_to(&self, id: &str) -> bool {
        id.starts_with("arn:")
            && (self.arn == id
                || self.arn.rsplit_once('-').is_some_and(|(partial, _)| partial == id))
    }
}

impl Version {
    fn has_stage(&self, stage: &str) -> bool {
        self.stages.iter().any(|own| own == stage)
    }
}

fn not_found() -> ApiError {
    ApiError::refused(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret.",
    )
}

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
