//! The reading operations on images.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Ecr, Image, Repository, Status, invalid};
use crate::{
    ApiError,
    json::{absent, bounded, epoch, list, member, required_text, text, without_nulls},
    keyset::{self, InvalidToken},
};

const IDS_MAX: usize = 100;
/// How long an image needs to come back from the archive (unconfirmed: AWS says up to 20 minutes).
const ACTIVATION: SignedDuration = SignedDuration::from_mins(20);

/// How a request names an image.
#[derive(Debug, Clone, Copy)]
pub(super) struct ImageId<'a> {
    pub(super) digest: Option<&'a str>,
    pub(super) tag: Option<&'a str>,
}

impl<'a> ImageId<'a> {
    fn parse(id: &'a Value) -> Result<Self, ApiError> {
        Ok(Self { digest: text(id, "imageDigest")?, tag: text(id, "imageTag")? })
    }

    fn optional(input: &'a Value) -> Result<Vec<Self>, ApiError> {
        let ids = list(input, "imageIds")?.unwrap_or_default();
        if ids.len() > IDS_MAX || (member(input, "imageIds").is_some() && ids.is_empty()) {
            return Err(invalid(
                "Invalid parameter at 'imageIds' failed to satisfy constraint: 'Member must have length between 1 and 100'",
            ));
        }
        ids.iter().map(Self::parse).collect()
    }

    pub(super) fn required(input: &'a Value) -> Result<Vec<Self>, ApiError> {
        let ids = Self::optional(input)?;
        if ids.is_empty() { Err(absent("imageIds")) } else { Ok(ids) }
    }

    fn show(self) -> Value {
        without_nulls(json!({"imageDigest": self.digest, "imageTag": self.tag}))
    }

    pub(super) fn failure(self, code: &str, reason: &str) -> Value {
        json!({"imageId": self.show(), "failureCode": code, "failureReason": reason})
    }
}

/// Which images a listing shows.
struct Filter<'a> {
    tags: &'a str,
    status: &'a str,
}

impl<'a> Filter<'a> {
    fn parse(input: &'a Value) -> Result<Self, ApiError> {
        let filter = input.get("filter").unwrap_or(&Value::Null);
        let tags = text(filter, "tagStatus")?.unwrap_or("ANY");
        let status = text(filter, "imageStatus")?.unwrap_or("ACTIVE");
        let is_valid = ["TAGGED", "UNTAGGED", "ANY"].contains(&tags)
            && ["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"].contains(&status);
        if !is_valid {
            return Err(invalid("Invalid parameter at 'filter': unknown tagStatus or imageStatus"));
        }
        Ok(Self { tags, status })
    }

    fn shows(&self, image: &Image, is_tagged: bool, now: Timestamp) -> bool {
        let tags = match self.tags {
            "TAGGED" => is_tagged,
            "UNTAGGED" => !is_tagged,
            _ => true,
        };
        tags && (self.status == "ANY" || self.status == image.status_at(now))
    }
}

impl Ecr {
    /// One row per tag, and one per untagged image.
    pub(super) fn list_images(&self, input: &Value, now: Timestamp) -> Result<Value, ApiError> {
        let repository = self.repository(input)?;
        let filter = Filter::parse(input)?;
        let size = bounded(input, "maxResults", (1, 1000), 100)?;
        let mut rows = Vec::new();
        for (digest, image) in &repository.images {
            let tags = repository.tags_of(digest);
            if !filter.shows(image, !tags.is_empty(), now) {
                continue;
            }
            if tags.is_empty() {
                rows.push(ImageId { digest: Some(digest), tag: None });
            }
            rows.extend(
                tags.into_iter().map(|tag| ImageId { digest: Some(digest), tag: Some(tag) }),
            );
        }
        let key = |id: &ImageId<'_>| {
            format!("{} {}", id.digest.unwrap_or_default(), id.tag.unwrap_or_default())
        };
        let page = keyset::cut(rows, size, text(input, "nextToken")?, key)
            .map_err(|InvalidToken| invalid_token())?;
        let ids: Vec<Value> = page.rows.into_iter().map(ImageId::show).collect();
        Ok(without_nulls(json!({"imageIds": ids, "nextToken": page.next})))
    }

    /// One unknown image refuses the whole call; archived images are hidden unless asked for.
    pub(super) fn describe_images(&self, input: &Value, now: Timestamp) -> Result<Value, ApiError> {
        let repository = self.repository(input)?;
        let filter = Filter::parse(input)?;
        let ids = ImageId::optional(input)?;
        if !ids.is_empty() {
            if member(input, "maxResults").is_some() || member(input, "nextToken").is_some() {
                return Err(invalid(
                    "imageIds cannot be used together with maxResults or nextToken",
                ));
            }
            let found: Result<BTreeMap<&str, &Image>, ApiError> =
                ids.into_iter().map(|id| self.one(repository, id)).collect();
            let details: Vec<Value> = found?
                .into_iter()
                .map(|(digest, image)| self.detail(repository, digest, image, now))
                .collect();
            return Ok(json!({"imageDetails": details}));
        }
        let size = bounded(input, "maxResults", (1, 1000), 100)?;
        let rows = repository.images.iter().filter(|(digest, image)| {
            filter.shows(image, !repository.tags_of(digest).is_empty(), now)
        });
        let page =
            keyset::cut(rows, size, text(input, "nextToken")?, |(digest, _)| (*digest).clone())
                .map_err(|InvalidToken| invalid_token())?;
        let details: Vec<Value> = page
            .rows
            .into_iter()
            .map(|(digest, image)| self.detail(repository, digest, image, now))
            .collect();
        Ok(without_nulls(json!({"imageDetails": details, "nextToken": page.next})))
    }

    /// Missing images are failures in an answer with status 200; an archived image cannot be pulled.
    pub(super) fn batch_get_image(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let ids = ImageId::required(input)?;
        let account = self.account.clone();
        let repository = self.repository_mut(input)?;
        let mut images = Vec::new();
        let mut failures = Vec::new();
        for id in ids {
            let located = repository.locate(&id).map(str::to_owned);
            let digest = match located {
                Ok(digest) => digest,
                Err(failure) => {
                    failures.push(failure);
                    continue;
                }
            };
            match repository.images.get_mut(&digest) {
                Some(image) if image.status_at(now) == "ACTIVE" => {
                    image.pulled = Some(now);
                    images.push(without_nulls(json!({
                        "registryId": account,
                        "repositoryName": repository.name,
                        "imageId": {"imageDigest": digest, "imageTag": id.tag},
                        "imageManifest": image.manifest.text,
                        "imageManifestMediaType": image.manifest.media_type,
                    })));
                }
                Some(_) | None => {
                    failures.push(id.failure("ImageNotFound", "Requested image not found"));
                }
            }
        }
        Ok(json!({"images": images, "failures": failures}))
    }

    pub(super) fn describe_image_scan_findings(
        &self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let repository = self.repository(input)?;
        let id = ImageId::parse(member(input, "imageId").ok_or_else(|| absent("imageId"))?)?;
        let (digest, image) = self.one(repository, id)?;
        let Some(counts) = &image.findings else {
            return Err(ApiError::refused(
                "ScanNotFoundException",
                format!(
                    "Image scan does not exist for the image with '{}' in the repository with name '{}' in the registry \
                     with id '{}'",
                    quote(id),
                    repository.name,
                    self.account
                ),
            ));
        };
        let mut findings = Vec::new();
        for (severity, count) in counts {
            for number in 1..=*count {
                findings.push(
                    json!({"name": format!("CVE-{severity}-{number}"), "severity": severity}),
                );
            }
        }
        let size = bounded(input, "maxResults", (1, 1000), 100)?;
        let rows = findings.into_iter().enumerate();
        let page =
            keyset::cut(rows, size, text(input, "nextToken")?, |(place, _)| format!("{place:08}"))
                .map_err(|InvalidToken| invalid_token())?;
        let findings: Vec<Value> = page.rows.into_iter().map(|(_, finding)| finding).collect();
        let status = if image.status_at(now) == "ARCHIVED" { "IMAGE_ARCHIVED" } else { "COMPLETE" };
        Ok(without_nulls(json!({
            "registryId": self.account,
            "repositoryName": repository.name,
            "imageId": {"imageDigest": digest, "imageTag": id.tag},
            "imageScanStatus": {"status": status},
            "imageScanFindings": {
                "imageScanCompletedAt": epoch(image.pushed),
                "findingSeverityCounts": counts,
                "findings": findings,
            },
            "nextToken": page.next,
        })))
    }

    pub(super) fn update_image_storage_class(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let id = ImageId::parse(member(input, "imageId").ok_or_else(|| absent("imageId"))?)?;
        let status = match required_text(input, "targetStorageClass")? {
            "ARCHIVE" => Status::Archived,
            "STANDARD" => Status::Activating { until: now + ACTIVATION },
            class => return Err(invalid(format!("unknown targetStorageClass {class}"))),
        };
        let account = self.account.clone();
        let (digest, _) = self.one(self.repository(input)?, id)?;
        let digest = digest.to_owned();
        let repository = self.repository_mut(input)?;
        let missing = image_not_found(id, &repository.name, &account);
        let image = repository.images.get_mut(&digest).ok_or(missing)?;
        if status == Status::Archived || image.status == Status::Archived {
            image.status = status;
        }
        Ok(without_nulls(json!({
            "registryId": account,
            "imageId": {"imageDigest": digest, "imageTag": id.tag},
            "imageStatus": image.status_at(now),
            "repositoryName": repository.name,
        })))
    }

    fn one<'a>(
        &self,
        repository: &'a Repository,
        id: ImageId<'_>,
    ) -> Result<(&'a str, &'a Image), ApiError> {
        let missing = || image_not_found(id, &repository.name, &self.account);
        let digest = repository.locate(&id).map_err(|_| missing())?;
        let (digest, image) = repository.images.get_key_value(digest).ok_or_else(missing)?;
        Ok((digest, image))
    }

    fn detail(
        &self,
        repository: &Repository,
        digest: &str,
        image: &Image,
        now: Timestamp,
    ) -> Value {
        let tags = repository.tags_of(digest);
        let scan = image.findings.as_ref().map(|counts| {
            json!({"imageScanCompletedAt": epoch(image.pushed), "findingSeverityCounts": counts})
        });
        without_nulls(json!({
            "registryId": self.account,
            "repositoryName": repository.name,
            "imageDigest": digest,
            "imageTags": (!tags.is_empty()).then_some(tags),
            "imageSizeInBytes": repository.size(image),
            "imagePushedAt": epoch(image.pushed),
            "imageScanStatus": scan.as_ref().map(|_| json!({"status": "COMPLETE"})),
            "imageScanFindingsSummary": scan,
            "imageManifestMediaType": image.manifest.media_type,
            "artifactMediaType": image.manifest.artifact_media_type,
            "lastRecordedPullTime": image.pulled.map(epoch),
            "subjectManifestDigest": image.manifest.subject,
            "imageStatus": image.status_at(now),
        }))
    }
}

impl Repository {
    /// The digest that an identifier means, or the failure that a batch operation reports.
    pub(super) fn locate(&self, id: &ImageId<'_>) -> Result<&str, Value> {
        let not_found = || id.failure("ImageNotFound", "Requested image not found");
        match (id.digest, id.tag) {
            (None, None) => Err(id.failure(
                "MissingDigestAndTag",
                "Invalid request parameters: both tag and digest cannot be null",
            )),
            (Some(digest), None) => {
                if !digest.starts_with("sha256:") {
                    return Err(id.failure("InvalidImageDigest", "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"));
                }
                self.images
                    .get_key_value(digest)
                    .map(|(digest, _)| digest.as_str())
                    .ok_or_else(not_found)
            }
            (None, Some(tag)) => self.tags.get(tag).map(String::as_str).ok_or_else(not_found),
            (Some(digest), Some(tag)) => {
                let held = self.tags.get(tag).ok_or_else(not_found)?;
                if held == digest {
                    return Ok(held);
                }
                Err(id.failure("ImageTagDoesNotMatchDigest", "Requested tag does not match digest"))
            }
        }
    }

    fn size(&self, image: &Image) -> u64 {
        let children = image.manifest.children.iter();
        let sizes =
            children.filter_map(|child| self.images.get(child)).map(|child| self.size(child));
        sizes.max().unwrap_or(image.manifest.layer_bytes)
    }
}

fn image_not_found(id: ImageId<'_>, repository: &str, registry: &str) -> ApiError {
    ApiError::refused(
        "ImageNotFoundException",
        format!(
            "The image with imageId {} does not exist within the repository with name '{repository}' in the registry \
             with id '{registry}'",
            quote(id)
        ),
    )
}

fn quote(id: ImageId<'_>) -> String {
    format!(
        "{{imageDigest:'{}', imageTag:'{}'}}",
        id.digest.unwrap_or("null"),
        id.tag.unwrap_or("null")
    )
}

fn invalid_token() -> ApiError {
    invalid("Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'")
}
