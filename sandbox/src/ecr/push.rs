//! `PutImage` and the rules for overwriting tags.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Ecr, Image, Mutability, Repository, Status, invalid, manifest::Manifest};
use crate::{
    ApiError,
    json::{required_text, text, without_nulls},
};

const TAG_LENGTH_MAX: usize = 300;

/// A manifest on its way into a repository.
pub(super) struct Push<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) tag: Option<&'a str>,
    pub(super) now: Timestamp,
}

impl Ecr {
    /// Layers count as uploaded: the sandbox keeps no blobs.
    pub(super) fn put_image(&mut self, input: &Value, now: Timestamp) -> Result<Value, ApiError> {
        let account = self.account.clone();
        let manifest = Manifest::parse(
            required_text(input, "imageManifest")?,
            text(input, "imageManifestMediaType")?,
        )?;
        let tag = text(input, "imageTag")?;
        if text(input, "imageDigest")?.is_some_and(|digest| digest != manifest.digest) {
            return Err(ApiError::refused(
                "ImageDigestDoesNotMatchException",
                "The specified image digest does not match the digest that Amazon ECR calculated for the image.",
            ));
        }
        let repository = self.repository_mut(input)?;
        repository.push(&account, &Push { manifest: &manifest, tag, now })?;
        Ok(json!({"image": without_nulls(json!({
            "registryId": account,
            "repositoryName": repository.name,
            "imageId": {"imageDigest": manifest.digest, "imageTag": tag},
            "imageManifest": manifest.text,
            "imageManifestMediaType": manifest.media_type,
        }))}))
    }
}

impl Repository {
    /// A known digest keeps its push date when it gets another tag; pushing an archived image again restores it.
    pub(super) fn push(&mut self, registry: &str, push: &Push<'_>) -> Result<(), ApiError> {
        let digest = &push.manifest.digest;
        let is_archived =
            self.images.get(digest).is_some_and(|image| image.status == Status::Archived);
        let is_known = self.images.contains_key(digest);
        match push.tag {
            Some(_) | None if is_archived => {}
            Some(tag) => self.refuse_tag(registry, tag, digest)?,
            None if is_known => return Err(self.image_exists(registry, digest, None)),
            None => {}
        }
        if push.manifest.children.iter().any(|child| !self.images.contains_key(child)) {
            return Err(ApiError::refused(
                "ReferencedImagesNotFoundException",
                "One or more images referenced in the manifest list do not exist in the target repository",
            ));
        }
        if !is_known || is_archived {
            let image = Image {
                manifest: push.manifest.clone(),
                pushed: push.now,
                pulled: None,
                status: Status::Active,
                findings: self.scan_on_push.then(BTreeMap::new),
            };
            self.images.insert(digest.clone(), image);
        }
        if let Some(tag) = push.tag {
            self.tags.insert(tag.to_owned(), digest.clone());
        }
        Ok(())
    }

    fn refuse_tag(&self, registry: &str, tag: &str, digest: &str) -> Result<(), ApiError> {
        if !is_tag(tag) {
            return Err(invalid(format!(
                "Invalid parameter at 'imageTag' failed to satisfy constraint: '{tag}' is not a tag"
            )));
        }
        match self.tags.get(tag) {
            Some(held) if held == digest => Err(self.image_exists(registry, digest, Some(tag))),
            Some(_) if self.mutability.is_immutable(tag) => Err(ApiError::refused(
                "ImageTagAlreadyExistsException",
                format!(
                    "The image tag '{tag}' already exists in the '{}' repository and cannot be overwritten because the \
                     tag is immutable.",
                    self.name
                ),
            )),
            Some(_) | None => Ok(()),
        }
    }

    fn image_exists(&self, registry: &str, digest: &str, tag: Option<&str>) -> ApiError {
        let tag = tag.map_or_else(String::new, |tag| format!(" and tag '{tag}'"));
        ApiError::refused(
            "ImageAlreadyExistsException",
            format!(
                "Image with digest '{digest}'{tag} already exists in the repository with name '{}' in registry with id \
                 '{registry}'",
                self.name
            ),
        )
    }
}

impl Mutability {
    fn is_immutable(&self, tag: &str) -> bool {
        let is_excluded = self.exclusions.iter().any(|pattern| matches(pattern, tag));
        match self.setting.as_str() {
            "IMMUTABLE" => true,
            "IMMUTABLE_WITH_EXCLUSION" => !is_excluded,
            "MUTABLE_WITH_EXCLUSION" => is_excluded,
            _ => false,
        }
    }
}

fn is_tag(tag: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    (1..=TAG_LENGTH_MAX).contains(&tag.len())
        && tag.chars().all(allowed)
        && !tag.starts_with(['.', '-'])
}

/// Whether a text matches a pattern whose `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == text };
    let Some(rest) = text.strip_prefix(before) else { return false };
    let mut starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    starts.any(|at| rest.get(at..).is_some_and(|rest| matches(after, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_any_text() {
        for (pattern, text, expected) in [
            ("latest", "latest", true),
            ("latest", "latest2", false),
            ("dev-*", "dev-1", true),
            ("*-rc*", "1.0-rc1", true),
            ("*-rc", "1.0-rc1", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn exclusions_turn_the_rule() {
        let rule = |setting: &str| Mutability {
            setting: setting.to_owned(),
            exclusions: vec!["dev-*".to_owned()],
        };
        for (setting, release, dev) in [
            ("MUTABLE", false, false),
            ("IMMUTABLE", true, true),
            ("IMMUTABLE_WITH_EXCLUSION", true, false),
            ("MUTABLE_WITH_EXCLUSION", false, true),
        ] {
            let rule = rule(setting);
            assert_eq!(
                (rule.is_immutable("v1"), rule.is_immutable("dev-1")),
                (release, dev),
                "{setting}"
            );
        }
    }
}
