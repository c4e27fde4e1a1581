//! The writing operations.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{CURRENT, Secret, Secrets};
use crate::{
    ApiError, derived,
    json::{epoch, flag, number, required_text, tags, text, texts, without_nulls},
};

const VALUE_BYTES_MAX: usize = 65_536;

impl Secrets {
    /// The same token with the same value is the same request; with another value it is refused.
    pub(super) fn create_secret(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let name = required_text(input, "Name")?;
        validate_name(name)?;
        let value = fingerprint(input)?;
        let tags = tags(input, "Tags")?;
        if let Some(existing) = self.by_name.get(name) {
            return existing.created_before(input, value.as_deref());
        }
        let mut secret = Secret {
            name: name.to_owned(),
            arn: self.fresh_arn(name),
            description: text(input, "Description")?.map(str::to_owned),
            kms_key_id: key_id(input)?,
            tags: tags.into_iter().collect(),
            created: now,
            changed: now,
            deletion: None,
            versions: Vec::new(),
        };
        let version = match value {
            None => None,
            Some(value) => {
                let id = secret.version_id(input)?;
                secret.add_version(&id, value, &[CURRENT], now)?;
                Some(id)
            }
        };
        let answer = json!({"ARN": secret.arn, "Name": secret.name, "VersionId": version});
        self.by_name.insert(name.to_owned(), secret);
        Ok(without_nulls(answer))
    }

    pub(super) fn put_secret_value(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let stages = texts(input, "VersionStages")?;
        let stages = if stages.is_empty() { vec![CURRENT] } else { stages };
        let value = fingerprint(input)?.ok_or_else(|| {
            invalid_request("You must provide either SecretString or SecretBinary.")
        })?;
        let secret = usable(self.find_mut(required_text(input, "SecretId")?)?)?;
        let id = secret.version_id(input)?;
        secret.write(&id, value, &stages, now)?;
        let version = secret.versions.iter().find(|version| version.id == id);
        let stages = version.map(|version| version.stages.clone()).unwrap_or_default();
        Ok(
            json!({"ARN": secret.arn, "Name": secret.name, "VersionId": id, "VersionStages": stages}),
        )
    }

    pub(super) fn update_secret(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let value = fingerprint(input)?;
        let key_id = key_id(input)?;
        let secret = usable(self.find_mut(required_text(input, "SecretId")?)?)?;
        if let Some(description) = text(input, "Description")? {
            secret.description = Some(description.to_owned());
        }
        if key_id.is_some() {
            secret.kms_key_id = key_id;
        }
        secret.changed = now;
        let version = match value {
            None => None,
            Some(value) => {
                let id = secret.version_id(input)?;
                secret.write(&id, value, &[CURRENT], now)?;
                Some(id)
            }
        };
        Ok(without_nulls(json!({"ARN": secret.arn, "Name": secret.name, "VersionId": version})))
    }

    /// Forced deletion of a secret that does not exist succeeds.
    pub(super) fn delete_secret(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let id = required_text(input, "SecretId")?;
        let force = flag(input, "ForceDeleteWithoutRecovery")?.unwrap_or(false);
        let days = number(input, "RecoveryWindowInDays")?;
        if force && days.is_some() {
            return Err(invalid_parameter(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
            ));
        }
        let days = days.unwrap_or(30);
        if !(7..=30).contains(&days) {
            return Err(invalid_parameter(
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
            ));
        }
        if force {
            let (arn, name) = match self.find(id) {
                Some(secret) => (secret.arn.clone(), secret.name.clone()),
                None => (self.arn(id, &derived::alphanumeric(id, 6)), id.to_owned()),
            };
            self.by_name.remove(&name);
            return Ok(json!({"ARN": arn, "Name": name, "DeletionDate": epoch(now)}));
        }
        let secret = usable(self.find_mut(id)?)?;
        let deletion = now + SignedDuration::from_hours(24 * days);
        secret.deletion = Some(deletion);
        Ok(json!({"ARN": secret.arn, "Name": secret.name, "DeletionDate": epoch(deletion)}))
    }

    pub(super) fn restore_secret(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let secret = self.find_mut(required_text(input, "SecretId")?)?;
        secret.deletion = None;
        secret.changed = now;
        Ok(json!({"ARN": secret.arn, "Name": secret.name}))
    }

    pub(super) fn tag_resource(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let tags = tags(input, "Tags")?;
        let secret = usable(self.find_mut(required_text(input, "SecretId")?)?)?;
        secret.tags.extend(tags);
        secret.changed = now;
        Ok(json!({}))
    }

    pub(super) fn untag_resource(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let keys = texts(input, "TagKeys")?;
        let secret = usable(self.find_mut(required_text(input, "SecretId")?)?)?;
        secret.tags.retain(|key, _| !keys.contains(&key.as_str()));
        secret.changed = now;
        Ok(json!({}))
    }
}

impl Secret {
    /// The answer to a `CreateSecret` whose name is taken.
    fn created_before(&self, input: &Value, value: Option<&str>) -> Result<Value, ApiError> {
        if self.deletion.is_some() {
            return Err(invalid_request(
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            ));
        }
        let token = text(input, "ClientRequestToken")?;
        let same = self.versions.iter().find(|version| {
            Some(version.id.as_str()) == token && Some(version.fingerprint.as_str()) == value
        });
        match same {
            Some(version) => {
                Ok(json!({"ARN": self.arn, "Name": self.name, "VersionId": version.id}))
            }
            None => Err(ApiError::refused(
                "ResourceExistsException",
                format!("The operation failed because the secret {} already exists.", self.name),
            )),
        }
    }

    fn write(
        &mut self,
        id: &str,
        value: String,
        stages: &[&str],
        now: Timestamp,
    ) -> Result<(), ApiError> {
        match self.versions.iter().find(|version| version.id == id) {
            Some(version) if version.fingerprint == value => Ok(()),
            Some(_) => Err(ApiError::refused(
                "ResourceExistsException",
                "You can't modify an existing version, you can only create a new version.",
            )),
            None => self.add_version(id, value, stages, now),
        }
    }

    /// The client's token is the version's identifier.
    fn version_id(&self, input: &Value) -> Result<String, ApiError> {
        match text(input, "ClientRequestToken")? {
            Some(token) if !(32..=64).contains(&token.len()) => Err(invalid_parameter(
                "You must provide a ClientRequestToken value between 32 and 64 characters long.",
            )),
            Some(token) => Ok(token.to_owned()),
            None => Ok(derived::uuid(&format!("{}/{}", self.arn, self.versions.len()))),
        }
    }
}

/// The secret, unless its deletion is scheduled.
pub(super) fn usable(secret: &mut Secret) -> Result<&mut Secret, ApiError> {
    if secret.deletion.is_some() {
        return Err(invalid_request(
            "You can't perform this operation on the secret because it was marked for deletion.",
        ));
    }
    Ok(secret)
}

/// Whether a new secret may have this name.
pub(super) fn validate_name(name: &str) -> Result<(), ApiError> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "/_+=.@-".contains(letter);
    if (1..=512).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(ApiError::refused(
        "ValidationException",
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
    ))
}

/// The key, unless it is the one that AWS shows as absent.
fn key_id(input: &Value) -> Result<Option<String>, ApiError> {
    let key_id = text(input, "KmsKeyId")?.filter(|key_id| !key_id.ends_with("aws/secretsmanager"));
    Ok(key_id.map(str::to_owned))
}

/// What stands for the value: the sandbox keeps no secret.
fn fingerprint(input: &Value) -> Result<Option<String>, ApiError> {
    let value = match (text(input, "SecretString")?, text(input, "SecretBinary")?) {
        (Some(_), Some(_)) => {
            return Err(invalid_parameter(
                "You can't specify both a binary secret value and a string secret value.",
            ));
        }
        (value, None) | (None, value) => value,
    };
    if value.is_some_and(|value| value.len() > VALUE_BYTES_MAX) {
        return Err(invalid_parameter("The secret value exceeds 65536 bytes."));
    }
    Ok(value.map(|value| derived::hexadecimal(value, 64)))
}

fn invalid_request(message: &str) -> ApiError {
    ApiError::refused("InvalidRequestException", message)
}

fn invalid_parameter(message: &str) -> ApiError {
    ApiError::refused("InvalidParameterException", message)
}
