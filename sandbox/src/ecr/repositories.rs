//! Repositories themselves: their names, tag rules and resource tags.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Ecr, Mutability, Repository, invalid, repository_not_found};
use crate::{
    ApiError,
    json::{bounded, epoch, flag, list, member, required_text, tags, text, texts, without_nulls},
    keyset::{self, InvalidToken},
};

const EXCLUSIONS_MAX: usize = 5;

impl Ecr {
    pub(super) fn create_repository(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let name = required_text(input, "repositoryName")?;
        validate_name(name)?;
        let mutability = mutability(input, "MUTABLE")?;
        let scanning = input.get("imageScanningConfiguration").unwrap_or(&Value::Null);
        let scan_on_push = flag(scanning, "scanOnPush")?.unwrap_or(false);
        let resource_tags = tags(input, "tags")?.into_iter().collect();
        if self.repositories.contains_key(name) {
            return Err(ApiError::refused(
                "RepositoryAlreadyExistsException",
                format!(
                    "The repository with name '{name}' already exists in the registry with id '{}'",
                    self.account
                ),
            ));
        }
        let repository = Repository {
            name: name.to_owned(),
            created: now,
            mutability,
            scan_on_push,
            resource_tags,
            images: BTreeMap::new(),
            tags: BTreeMap::new(),
            blobs: BTreeMap::new(),
        };
        let answer = json!({"repository": self.show(&repository)});
        self.repositories.insert(name.to_owned(), repository);
        Ok(answer)
    }

    /// One unknown name refuses the whole call.
    pub(super) fn describe_repositories(&self, input: &Value) -> Result<Value, ApiError> {
        let names = texts(input, "repositoryNames")?;
        if !names.is_empty() {
            if member(input, "maxResults").is_some() || member(input, "nextToken").is_some() {
                return Err(invalid(
                    "repositoryNames cannot be used together with maxResults or nextToken",
                ));
            }
            let found: Result<Vec<&Repository>, ApiError> =
                names.iter().map(|name| self.find(input, name)).collect();
            let rows: Vec<Value> =
                found?.into_iter().map(|repository| self.show(repository)).collect();
            return Ok(json!({"repositories": rows}));
        }
        let size = bounded(input, "maxResults", (1, 1000), 100)?;
        let page = keyset::cut(
            self.repositories.values(),
            size,
            text(input, "nextToken")?,
            |repository| repository.name.clone(),
        )
        .map_err(|InvalidToken| invalid_token())?;
        let rows: Vec<Value> =
            page.rows.into_iter().map(|repository| self.show(repository)).collect();
        Ok(without_nulls(json!({"repositories": rows, "nextToken": page.next})))
    }

    pub(super) fn delete_repository(&mut self, input: &Value) -> Result<Value, ApiError> {
        let force = flag(input, "force")?.unwrap_or(false);
        let repository = self.repository(input)?;
        if !repository.images.is_empty() && !force {
            return Err(ApiError::refused(
                "RepositoryNotEmptyException",
                format!(
                    "The repository with name '{}' in registry with id '{}' cannot be deleted because it still contains \
                     images",
                    repository.name, self.account
                ),
            ));
        }
        let (answer, name) =
            (json!({"repository": self.show(repository)}), repository.name.clone());
        self.repositories.remove(&name);
        Ok(answer)
    }

    pub(super) fn put_image_tag_mutability(&mut self, input: &Value) -> Result<Value, ApiError> {
        required_text(input, "imageTagMutability")?;
        let mutability = mutability(input, "MUTABLE")?;
        let account = self.account.clone();
        let repository = self.repository_mut(input)?;
        repository.mutability = mutability;
        Ok(without_nulls(json!({
            "registryId": account,
            "repositoryName": repository.name,
            "imageTagMutability": repository.mutability.setting,
            "imageTagMutabilityExclusionFilters": repository.mutability.filters(),
        })))
    }

    pub(super) fn tag_resource(&mut self, input: &Value) -> Result<Value, ApiError> {
        let tags = tags(input, "tags")?;
        self.by_arn(input)?.resource_tags.extend(tags);
        Ok(json!({}))
    }

    pub(super) fn untag_resource(&mut self, input: &Value) -> Result<Value, ApiError> {
        let keys = texts(input, "tagKeys")?;
        self.by_arn(input)?.resource_tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(json!({}))
    }

    pub(super) fn list_tags_for_resource(&mut self, input: &Value) -> Result<Value, ApiError> {
        let tags = &self.by_arn(input)?.resource_tags;
        let rows: Vec<Value> =
            tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        Ok(json!({"tags": rows}))
    }

    fn by_arn(&mut self, input: &Value) -> Result<&mut Repository, ApiError> {
        let arn = required_text(input, "resourceArn")?;
        let name = arn
            .strip_prefix(&self.arn(""))
            .ok_or_else(|| invalid(format!("Invalid parameter at 'resourceArn': '{arn}'")))?;
        let missing = repository_not_found(name, &self.account);
        self.repositories.get_mut(name).ok_or(missing)
    }

    fn arn(&self, name: &str) -> String {
        format!("arn:aws:ecr:{}:{}:repository/{name}", self.region, self.account)
    }

    fn show(&self, repository: &Repository) -> Value {
        without_nulls(json!({
            "repositoryArn": self.arn(&repository.name),
            "registryId": self.account,
            "repositoryName": repository.name,
            "repositoryUri":
                format!("{}.dkr.ecr.{}.amazonaws.com/{}", self.account, self.region, repository.name),
            "createdAt": epoch(repository.created),
            "imageTagMutability": repository.mutability.setting,
            "imageTagMutabilityExclusionFilters": repository.mutability.filters(),
            "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
            "encryptionConfiguration": {"encryptionType": "AES256"},
        }))
    }
}

impl Mutability {
    fn filters(&self) -> Option<Vec<Value>> {
        let filter = |filter| json!({"filterType": "WILDCARD", "filter": filter});
        (!self.exclusions.is_empty()).then(|| self.exclusions.iter().map(filter).collect())
    }
}

/// Filters belong to the two settings with exclusions, and only to them.
fn mutability(input: &Value, preset: &str) -> Result<Mutability, ApiError> {
    const SETTINGS: [&str; 4] =
        ["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"];
    let setting = text(input, "imageTagMutability")?.unwrap_or(preset);
    if !SETTINGS.contains(&setting) {
        return Err(invalid(format!(
            "Invalid parameter at 'imageTagMutability' failed to satisfy constraint: 'must be one of {}'",
            SETTINGS.join(", ")
        )));
    }
    let filters = list(input, "imageTagMutabilityExclusionFilters")?.unwrap_or_default();
    let exclusions: Result<Vec<String>, ApiError> =
        filters.iter().map(|filter| Ok(required_text(filter, "filter")?.to_owned())).collect();
    let exclusions = exclusions?;
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._*-".contains(letter);
    let is_valid =
        |filter: &String| (1..=128).contains(&filter.len()) && filter.chars().all(allowed);
    let wants_filters = setting.ends_with("_WITH_EXCLUSION");
    if wants_filters == exclusions.is_empty()
        || exclusions.len() > EXCLUSIONS_MAX
        || !exclusions.iter().all(is_valid)
    {
        return Err(invalid(
            "Invalid parameter at 'imageTagMutabilityExclusionFilters': one to five wildcard filters belong to the \
             settings with exclusion, none to the others",
        ));
    }
    Ok(Mutability { setting: setting.to_owned(), exclusions })
}

/// Lower-case words joined by `.`, `_`, `__` or hyphens, in levels divided by `/`.
fn validate_name(name: &str) -> Result<(), ApiError> {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    };
    let is_level = |level: &str| {
        let level = level.replace("__", "_");
        let mut words = level.split(['.', '_', '-']).peekable();
        let hyphens = level.contains("--");
        let all = words.all(|word| is_word(word) || (hyphens && word.is_empty()));
        all && level.starts_with(|first: char| first.is_ascii_alphanumeric())
            && level.ends_with(|last: char| last.is_ascii_alphanumeric())
    };
    if (2..=256).contains(&name.len()) && name.split('/').all(is_level) {
        return Ok(());
    }
    Err(invalid(
        "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression \
         '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''",
    ))
}

fn invalid_token() -> ApiError {
    invalid("Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_names() {
        for name in ["ab", "shop/web", "a1.b_c-d", "a__b", "a--b", "x/y/z"] {
            assert_eq!(validate_name(name), Ok(()), "{name}");
        }
        for name in ["a", "Web", "/web", "web/", "a..b", "-ab", "ab-", "a b", "a___b"] {
            assert!(validate_name(name).is_err(), "{name}");
        }
    }
}
