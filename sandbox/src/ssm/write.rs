//! The writing operations.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Kind, Parameter, Ssm, Version, names,
    read::{not_found, requested_names, version_not_found},
};
use crate::{
    ApiError,
    json::{flag, number, required_text, tags, text, texts},
};

/// Versions that a parameter keeps.
pub(super) const VERSIONS_KEPT: u64 = 100;
const LABELS_MAX: usize = 10;
const TAGS_MAX: usize = 50;

impl Ssm {
    pub(super) fn put_parameter(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let name = required_text(input, "Name")?;
        let value = required_text(input, "Value")?;
        let overwrite = flag(input, "Overwrite")?.unwrap_or(false);
        let tags = tags(input, "Tags")?;
        names::validate(name)?;
        let kind = text(input, "Type")?
            .map(|kind| Kind::parse(kind).ok_or_else(|| unsupported(kind)))
            .transpose()?;
        let advanced = self.is_advanced(name, input)?;
        validate_value(value, advanced)?;
        if overwrite && !tags.is_empty() {
            return Err(invalid(
                "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please \
                 remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or \
                 RemoveTagsFromResource.",
            ));
        }
        let tier = if advanced { "Advanced" } else { "Standard" };
        let number = match self.parameters.get_mut(name) {
            Some(_) if !overwrite => return Err(exists()),
            Some(parameter) => {
                let number = parameter.overwrite(value, kind, now)?;
                tier.clone_into(&mut parameter.tier);
                parameter.describe(input)?;
                number
            }
            None => {
                let kind = kind.ok_or_else(|| {
                    invalid("A parameter type is required when you create a parameter.")
                })?;
                let mut parameter = Parameter::new(kind, value, tier, now);
                parameter.describe(input)?;
                parameter.tags = tags.into_iter().collect();
                self.parameters.insert(name.to_owned(), parameter);
                1
            }
        };
        Ok(json!({"Version": number, "Tier": tier}))
    }

    pub(super) fn delete_parameter(&mut self, input: &Value) -> Result<Value, ApiError> {
        self.parameters.remove(required_text(input, "Name")?).ok_or_else(not_found)?;
        Ok(json!({}))
    }

    pub(super) fn delete_parameters(&mut self, input: &Value) -> Result<Value, ApiError> {
        let names = requested_names(input)?;
        let (deleted, invalid): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| self.parameters.remove(*name).is_some());
        Ok(json!({"DeletedParameters": deleted, "InvalidParameters": invalid}))
    }

    /// Labels move: a label that another version carries leaves it.
    pub(super) fn label_parameter_version(&mut self, input: &Value) -> Result<Value, ApiError> {
        let name = required_text(input, "Name")?;
        let labels = texts(input, "Labels")?;
        let requested = number(input, "ParameterVersion")?.map(i64::unsigned_abs);
        let parameter = self.parameters.get_mut(name).ok_or_else(not_found)?;
        let newest = parameter.current().map_or(0, |version| version.number);
        let target = requested.unwrap_or(newest);
        let (valid, invalid): (Vec<&str>, Vec<&str>) =
            labels.into_iter().partition(|label| is_label(label));
        let carried = parameter
            .versions
            .iter()
            .find(|version| version.number == target)
            .ok_or_else(|| version_not_found(name, &target.to_string()))?;
        let added = valid.iter().filter(|label| !carried.labels.iter().any(|old| old == *label));
        if carried.labels.len() + added.count() > LABELS_MAX {
            return Err(ApiError::refused(
                "ParameterVersionLabelLimitExceeded",
                "A parameter version can have a maximum of ten labels. Move one or more labels to another version and \
                 try again.",
            ));
        }
        for version in &mut parameter.versions {
            version.labels.retain(|label| !valid.contains(&label.as_str()));
            if version.number == target {
                version.labels.extend(valid.iter().map(|label| (*label).to_owned()));
            }
        }
        Ok(json!({"InvalidLabels": invalid, "ParameterVersion": target}))
    }

    pub(super) fn add_tags(&mut self, input: &Value) -> Result<Value, ApiError> {
        let added = tags(input, "Tags")?;
        let held = self.tags_of(input)?;
        let mut merged = held.clone();
        merged.extend(added);
        if merged.len() > TAGS_MAX {
            return Err(ApiError::refused(
                "TooManyTagsError",
                "a resource can have at most 50 tags",
            ));
        }
        *held = merged;
        Ok(json!({}))
    }

    pub(super) fn remove_tags(&mut self, input: &Value) -> Result<Value, ApiError> {
        let keys = texts(input, "TagKeys")?;
        self.tags_of(input)?.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(json!({}))
    }

    pub(super) fn list_tags(&mut self, input: &Value) -> Result<Value, ApiError> {
        let held = self.tags_of(input)?;
        let rows: Vec<Value> =
            held.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        Ok(json!({"TagList": rows}))
    }

    fn tags_of(&mut self, input: &Value) -> Result<&mut BTreeMap<String, String>, ApiError> {
        let kind = required_text(input, "ResourceType")?;
        let name = required_text(input, "ResourceId")?;
        if kind != "Parameter" {
            return Err(ApiError::refused(
                "InvalidResourceType",
                format!("{kind} is not a valid resource type"),
            ));
        }
        let parameter = self.parameters.get_mut(name).ok_or_else(|| {
            ApiError::refused(
                "InvalidResourceId",
                format!("The resource ID \"{name}\" is not valid. Verify the ID and try again."),
            )
        })?;
        Ok(&mut parameter.tags)
    }

    /// A parameter that became advanced stays so.
    fn is_advanced(&self, name: &str, input: &Value) -> Result<bool, ApiError> {
        let was = self.parameters.get(name).is_some_and(|parameter| parameter.tier == "Advanced");
        match text(input, "Tier")? {
            None => Ok(was),
            Some("Standard") if was => Err(invalid(
                "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the \
                 advanced-parameter tier to the standard-parameter tier.",
            )),
            Some("Standard") => Ok(false),
            Some("Advanced") => Ok(true),
            Some("Intelligent-Tiering") => {
                Ok(was || required_text(input, "Value")?.len() > STANDARD_BYTES_MAX)
            }
            Some(tier) => Err(crate::json::constraint(
                "Tier",
                tier,
                "Member must satisfy enum value set: [Standard, Advanced, Intelligent-Tiering]",
            )),
        }
    }
}

const STANDARD_BYTES_MAX: usize = 4096;
const ADVANCED_BYTES_MAX: usize = 8192;

impl Parameter {
    fn new(kind: Kind, value: &str, tier: &str, now: Timestamp) -> Self {
        Self {
            kind,
            key_id: (kind == Kind::SecureString).then(|| "alias/aws/ssm".to_owned()),
            description: None,
            tier: tier.to_owned(),
            data_type: "text".to_owned(),
            tags: BTreeMap::new(),
            versions: vec![Version {
                number: 1,
                value: value.to_owned(),
                modified: now,
                labels: Vec::new(),
            }],
        }
    }

    /// Adds a version; the oldest of a hundred goes, unless a label holds it.
    fn overwrite(
        &mut self,
        value: &str,
        kind: Option<Kind>,
        now: Timestamp,
    ) -> Result<u64, ApiError> {
        if kind.is_some_and(|kind| kind != self.kind) {
            return Err(ApiError::refused(
                "HierarchyTypeMismatchException",
                "Parameter Store does not support changing a parameter type. Create a new, unique parameter.",
            ));
        }
        let number = self.current().map_or(0, |version| version.number) + 1;
        let is_full = u64::try_from(self.versions.len()).unwrap_or(u64::MAX) >= VERSIONS_KEPT;
        if is_full && self.versions.first().is_some_and(|oldest| !oldest.labels.is_empty()) {
            return Err(ApiError::refused(
                "ParameterMaxVersionLimitExceeded",
                "the oldest of 100 versions has a label: move the label before a new version is made",
            ));
        }
        if is_full {
            self.versions.remove(0);
        }
        self.versions.push(Version {
            number,
            value: value.to_owned(),
            modified: now,
            labels: Vec::new(),
        });
        Ok(number)
    }

    fn describe(&mut self, input: &Value) -> Result<(), ApiError> {
        if let Some(description) = text(input, "Description")? {
            self.description = Some(description.to_owned());
        }
        if let Some(data_type) = text(input, "DataType")? {
            data_type.clone_into(&mut self.data_type);
        }
        match (text(input, "KeyId")?, self.kind) {
            (Some(key_id), Kind::SecureString) => self.key_id = Some(key_id.to_owned()),
            (Some(_), Kind::String | Kind::StringList) => {
                return Err(invalid("KeyId is required for SecureString type parameter only."));
            }
            (None, _) => {}
        }
        Ok(())
    }
}

fn validate_value(value: &str, advanced: bool) -> Result<(), ApiError> {
    if value.is_empty() {
        return Err(crate::json::constraint(
            "Value",
            "",
            "Member must have length greater than or equal to 1",
        ));
    }
    let (tier, most) =
        if advanced { ("Advanced", ADVANCED_BYTES_MAX) } else { ("Standard", STANDARD_BYTES_MAX) };
    if value.len() > most {
        return Err(invalid(&format!(
            "{tier} tier parameters support a maximum parameter value of {most} characters."
        )));
    }
    Ok(())
}

/// Labels start with a letter and are not reserved.
fn is_label(label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    let is_reserved = lower.starts_with("aws") || lower.starts_with("ssm");
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    !is_reserved
        && label.len() <= 100
        && label.chars().all(allowed)
        && label.chars().next().is_some_and(|first| !first.is_ascii_digit())
}

pub(super) fn unsupported(kind: &str) -> ApiError {
    crate::json::constraint(
        "Type",
        kind,
        "Member must satisfy enum value set: [SecureString, StringList, String]",
    )
}

fn exists() -> ApiError {
    ApiError::refused(
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
    )
}

fn invalid(message: &str) -> ApiError {
    ApiError::refused("ValidationException", message)
}
