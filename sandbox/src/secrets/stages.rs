//! Staging labels: which version is current, previous, or pending.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{CURRENT, PREVIOUS, Secret, Secrets, Version, write::usable};
use crate::{
    ApiError,
    json::{required_text, text},
};

const STAGES_MAX: usize = 20;

impl Secrets {
    pub(super) fn update_secret_version_stage(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let stage = required_text(input, "VersionStage")?;
        let remove_from = text(input, "RemoveFromVersionId")?;
        let move_to = text(input, "MoveToVersionId")?;
        let secret = usable(self.find_mut(required_text(input, "SecretId")?)?)?;
        for id in [remove_from, move_to].into_iter().flatten() {
            if !secret.versions.iter().any(|version| version.id == id) {
                return Err(ApiError::refused(
                    "ResourceNotFoundException",
                    format!("Secrets Manager can't find the specified secret version: {id}."),
                ));
            }
        }
        let holder = secret.holder(stage).map(|version| version.id.clone());
        if let Some(holder) = holder.filter(|holder| move_to != Some(holder)) {
            if remove_from != Some(holder.as_str()) {
                return Err(invalid(format!(
                    "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to \
                     version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
                )));
            }
            if stage == CURRENT && move_to.is_none() {
                return Err(invalid(format!(
                    "You can't remove the staging label {CURRENT} without moving it."
                )));
            }
        }
        match move_to {
            Some(id) => secret.move_stage(stage, id)?,
            None => secret.remove_stage(stage),
        }
        secret.changed = now;
        Ok(json!({"ARN": secret.arn, "Name": secret.name}))
    }
}

impl Secret {
    /// Adds a version and moves the labels to it; the first version always becomes the current one.
    pub(super) fn add_version(
        &mut self,
        id: &str,
        fingerprint: String,
        stages: &[&str],
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let is_first = self.versions.is_empty();
        self.versions.push(Version {
            id: id.to_owned(),
            stages: Vec::new(),
            created: now,
            fingerprint,
        });
        for stage in stages {
            self.move_stage(stage, id)?;
        }
        if is_first && self.holder(CURRENT).is_none() {
            self.move_stage(CURRENT, id)?;
        }
        self.changed = now;
        Ok(())
    }

    pub(super) fn holder(&self, stage: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.has_stage(stage))
    }

    /// When `AWSCURRENT` moves, the version that it leaves becomes `AWSPREVIOUS`.
    fn move_stage(&mut self, stage: &str, id: &str) -> Result<(), ApiError> {
        let left = self.holder(stage).map(|version| version.id.clone()).filter(|left| left != id);
        self.remove_stage(stage);
        if let Some(version) = self.versions.iter_mut().find(|version| version.id == id) {
            version.stages.push(stage.to_owned());
        }
        let labels: usize = self.versions.iter().map(|version| version.stages.len()).sum();
        if labels > STAGES_MAX {
            return Err(ApiError::refused(
                "LimitExceededException",
                format!("a secret can have at most {STAGES_MAX} staging labels"),
            ));
        }
        match left {
            Some(left) if stage == CURRENT => self.move_stage(PREVIOUS, &left),
            Some(_) | None => Ok(()),
        }
    }

    fn remove_stage(&mut self, stage: &str) {
        for version in &mut self.versions {
            version.stages.retain(|own| own != stage);
        }
    }
}

fn invalid(message: String) -> ApiError {
    ApiError::refused("InvalidParameterException", message)
}
