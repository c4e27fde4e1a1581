//! The reading operations.

use serde_json::{Map, Value, json};

use super::{Secret, Secrets, not_found};
use crate::{
    ApiError,
    json::{bounded, epoch, flag, list, required_text, text, texts, without_nulls},
    keyset::{self, InvalidToken},
};

impl Secrets {
    pub(super) fn describe_secret(&self, input: &Value) -> Result<Value, ApiError> {
        let secret = self.find(required_text(input, "SecretId")?).ok_or_else(not_found)?;
        let mut description = secret.describe();
        description.insert("VersionIdsToStages".to_owned(), secret.stages());
        Ok(without_nulls(Value::Object(description)))
    }

    pub(super) fn list_secrets(&self, input: &Value) -> Result<Value, ApiError> {
        let planned = flag(input, "IncludePlannedDeletion")?.unwrap_or(false);
        let size = bounded(input, "MaxResults", (1, 100), 100)?;
        let filters = filters(input)?;
        let mut rows: Vec<&Secret> = self
            .by_name
            .values()
            .filter(|secret| planned || secret.deletion.is_none())
            .filter(|secret| filters.iter().all(|(key, values)| secret.matches(key, values)))
            .collect();
        if text(input, "SortBy")? != Some("name") {
            rows.sort_by_key(|secret| match text(input, "SortBy") {
                Ok(Some("last-changed-date")) => secret.changed,
                Ok(_) | Err(_) => secret.created,
            });
        }
        if text(input, "SortOrder")? == Some("desc") {
            rows.reverse();
        }
        let page = keyset::cut(
            rows.into_iter().enumerate(),
            size,
            text(input, "NextToken")?,
            |(place, _)| format!("{place:06}"),
        )
        .map_err(|InvalidToken| invalid_token())?;
        let secrets: Vec<Value> = page
            .rows
            .into_iter()
            .map(|(_, secret)| {
                let mut description = secret.describe();
                description.insert("SecretVersionsToStages".to_owned(), secret.stages());
                Value::Object(description)
            })
            .collect();
        Ok(without_nulls(json!({"SecretList": secrets, "NextToken": page.next})))
    }

    pub(super) fn list_secret_version_ids(&self, input: &Value) -> Result<Value, ApiError> {
        let secret = self.find(required_text(input, "SecretId")?).ok_or_else(not_found)?;
        let deprecated = flag(input, "IncludeDeprecated")?.unwrap_or(false);
        let size = bounded(input, "MaxResults", (1, 100), 100)?;
        let rows = secret.versions.iter().enumerate();
        let rows = rows.filter(|(_, version)| deprecated || !version.stages.is_empty());
        let page =
            keyset::cut(rows, size, text(input, "NextToken")?, |(place, _)| format!("{place:06}"))
                .map_err(|InvalidToken| invalid_token())?;
        let versions: Vec<Value> = page
            .rows
            .into_iter()
            .map(|(_, version)| {
                json!({
                    "VersionId": version.id,
                    "VersionStages": version.stages,
                    "CreatedDate": epoch(version.created),
                })
            })
            .collect();
        Ok(without_nulls(json!({
            "Versions": versions, "NextToken": page.next, "ARN": secret.arn, "Name": secret.name,
        })))
    }
}

impl Secret {
    fn describe(&self) -> Map<String, Value> {
        let tags: Vec<Value> =
            self.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        let mut members = Map::new();
        for (name, value) in [
            ("ARN", json!(self.arn)),
            ("Name", json!(self.name)),
            ("Description", json!(self.description)),
            ("KmsKeyId", json!(self.kms_key_id)),
            ("RotationEnabled", json!(false)),
            ("CreatedDate", epoch(self.created)),
            ("LastChangedDate", epoch(self.changed)),
            ("DeletedDate", self.deletion.map_or(Value::Null, epoch)),
            ("Tags", json!(tags)),
        ] {
            members.insert(name.to_owned(), value);
        }
        members
    }

    /// Versions without a label are deprecated and not shown.
    fn stages(&self) -> Value {
        let labelled = self.versions.iter().filter(|version| !version.stages.is_empty());
        Value::Object(labelled.map(|version| (version.id.clone(), json!(version.stages))).collect())
    }

    /// Values match at the beginning; a leading `!` turns the sense.
    fn matches(&self, key: &str, values: &[&str]) -> bool {
        let keys = self.tags.keys().map(String::as_str);
        let tag_values = self.tags.values().map(String::as_str);
        let own: Vec<&str> = match key {
            "name" => vec![&self.name],
            "description" => self.description.as_deref().into_iter().collect(),
            "tag-key" => keys.collect(),
            "tag-value" => tag_values.collect(),
            _ => std::iter::once(self.name.as_str())
                .chain(self.description.as_deref())
                .chain(keys)
                .chain(tag_values)
                .collect(),
        };
        values.iter().any(|value| match value.strip_prefix('!') {
            Some(value) => !own.iter().any(|own| own.starts_with(value)),
            None => own.iter().any(|own| own.starts_with(value)),
        })
    }
}

fn filters(input: &Value) -> Result<Vec<(&str, Vec<&str>)>, ApiError> {
    const KEYS: [&str; 5] = ["all", "description", "name", "tag-key", "tag-value"];
    let filters = list(input, "Filters")?.unwrap_or_default();
    filters
        .iter()
        .map(|filter| {
            let key = required_text(filter, "Key")?;
            if !KEYS.contains(&key) {
                return Err(ApiError::refused(
                    "InvalidParameterException",
                    format!("cannot filter secrets by {key}"),
                ));
            }
            Ok((key, texts(filter, "Values")?))
        })
        .collect()
}

fn invalid_token() -> ApiError {
    ApiError::refused("InvalidNextTokenException", "The NextToken value is invalid.")
}
