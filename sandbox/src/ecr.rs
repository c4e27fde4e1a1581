//! Elastic Container Registry (aws.md §6.3).

mod delete;
mod fixture;
mod images;
pub(crate) mod layers;
mod manifest;
mod push;
mod repositories;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{ApiError, json as read};

/// The repositories of one account in one region.
#[derive(Debug)]
pub(crate) struct Ecr {
    account: String,
    region: String,
    repositories: BTreeMap<String, Repository>,
}

#[derive(Debug)]
struct Repository {
    name: String,
    created: Timestamp,
    mutability: Mutability,
    scan_on_push: bool,
    resource_tags: BTreeMap<String, String>,
    /// By digest.
    images: BTreeMap<String, Image>,
    /// Digests by tag.
    tags: BTreeMap<String, String>,
    /// Configurations by digest; other layers are not kept.
    blobs: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Mutability {
    setting: String,
    /// Wildcards of the tags for which the opposite holds.
    exclusions: Vec<String>,
}

#[derive(Debug, Clone)]
struct Image {
    manifest: manifest::Manifest,
    pushed: Timestamp,
    pulled: Option<Timestamp>,
    status: Status,
    /// Findings by severity; absent means never scanned.
    findings: Option<BTreeMap<String, u64>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Status {
    Active,
    Archived,
    /// On its way back from the archive.
    Activating {
        until: Timestamp,
    },
}

impl Ecr {
    /// An empty registry.
    pub(crate) fn new(account: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            repositories: BTreeMap::new(),
        }
    }

    /// Answers one call.
    pub(crate) fn call(
        &mut self,
        operation: &str,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let answer = match operation {
            "CreateRepository" => self.create_repository(input, now),
            "DescribeRepositories" => self.describe_repositories(input),
            "DeleteRepository" => self.delete_repository(input),
            "PutImageTagMutability" => self.put_image_tag_mutability(input),
            "TagResource" => self.tag_resource(input),
            "UntagResource" => self.untag_resource(input),
            "ListTagsForResource" => self.list_tags_for_resource(input),
            "PutImage" => self.put_image(input, now),
            "BatchGetImage" => self.batch_get_image(input, now),
            "GetDownloadUrlForLayer" => self.get_download_url_for_layer(input, now),
            "BatchDeleteImage" => self.batch_delete_image(input),
            "ListImages" => self.list_images(input, now),
            "DescribeImages" => self.describe_images(input, now),
            "DescribeImageScanFindings" => self.describe_image_scan_findings(input, now),
            "UpdateImageStorageClass" => self.update_image_storage_class(input, now),
            operation => return Err(read::unknown_operation(operation)),
        };
        answer.map_err(in_ecr_words)
    }

    /// The token bucket that pays for an operation: name, capacity, tokens a second (aws.md §1.3). AWS publishes none for
    /// the listing operations.
    pub(crate) fn bucket(operation: &str) -> Option<(&'static str, u32, u32)> {
        match operation {
            "BatchGetImage" => Some(("BatchGetImage", 2_000, 2_000)),
            "GetDownloadUrlForLayer" => Some(("GetDownloadUrlForLayer", 3_000, 3_000)),
            "PutImage" => Some(("PutImage", 10, 10)),
            _ => None,
        }
    }

    /// The digest that a task would pull for a tag or a digest of a repository: none when it is missing or archived.
    pub(crate) fn resolve(
        &self,
        repository: &str,
        reference: &str,
        now: Timestamp,
    ) -> Option<&str> {
        let repository = self.repositories.get(repository)?;
        let digest = repository.tags.get(reference).map_or(reference, String::as_str);
        let (digest, image) = repository.images.get_key_value(digest)?;
        (image.status_at(now) == "ACTIVE").then_some(digest.as_str())
    }

    /// Adds a repository that exists from the start.
    pub(crate) fn load(
        &mut self,
        fixture: &FixtureRepository,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let exclusions: Vec<Value> = fixture
            .exclusions
            .iter()
            .map(|filter| json!({"filterType": "WILDCARD", "filter": filter}))
            .collect();
        let mut input = json!({
            "repositoryName": fixture.name,
            "imageTagMutability": fixture.tag_mutability,
        });
        if let (false, Some(members)) = (exclusions.is_empty(), input.as_object_mut()) {
            members
                .insert("imageTagMutabilityExclusionFilters".to_owned(), Value::Array(exclusions));
        }
        self.call("CreateRepository", &input, now)?;
        for image in &fixture.images {
            self.push_fixture(&fixture.name, image, now)?;
        }
        Ok(())
    }

    /// Whether there is such a repository.
    pub(crate) fn has_repository(&self, repository: &str) -> bool {
        self.repositories.contains_key(repository)
    }

    fn repository(&self, input: &Value) -> Result<&Repository, ApiError> {
        let name = read::required_text(input, "repositoryName")?;
        self.find(input, name)
    }

    fn find(&self, input: &Value, name: &str) -> Result<&Repository, ApiError> {
        let registry = read::text(input, "registryId")?.unwrap_or(&self.account);
        let found = self.repositories.get(name).filter(|_| registry == self.account);
        found.ok_or_else(|| repository_not_found(name, registry))
    }

    fn repository_mut(&mut self, input: &Value) -> Result<&mut Repository, ApiError> {
        let name = self.repository(input)?.name.clone();
        let missing = repository_not_found(&name, &self.account);
        self.repositories.get_mut(&name).ok_or(missing)
    }
}

impl Image {
    fn status_at(&self, now: Timestamp) -> &'static str {
        match self.status {
            Status::Archived => "ARCHIVED",
            Status::Activating { until } if now < until => "ACTIVATING",
            Status::Active | Status::Activating { .. } => "ACTIVE",
        }
    }
}

impl Repository {
    fn tags_of(&self, digest: &str) -> Vec<&str> {
        self.tags.iter().filter(|(_, of)| *of == digest).map(|(tag, _)| tag.as_str()).collect()
    }
}

fn repository_not_found(name: &str, registry: &str) -> ApiError {
    ApiError::refused(
        "RepositoryNotFoundException",
        format!(
            "The repository with name '{name}' does not exist in the registry with id '{registry}'"
        ),
    )
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::refused("InvalidParameterException", message)
}

/// ECR has its own code for what the other JSON services call `ValidationException`.
fn in_ecr_words(error: ApiError) -> ApiError {
    if error.code == "ValidationException" {
        return ApiError { code: "InvalidParameterException".to_owned(), ..error };
    }
    error
}

/// A repository that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureRepository {
    /// The repository's name, `shop/web`.
    pub name: String,
    /// `MUTABLE`, `IMMUTABLE`, `MUTABLE_WITH_EXCLUSION` or `IMMUTABLE_WITH_EXCLUSION`.
    #[serde(default = "FixtureRepository::default_mutability")]
    pub tag_mutability: String,
    /// Wildcard patterns of the tags for which the opposite of `tagMutability` holds.
    #[serde(default)]
    pub exclusions: Vec<String>,
    /// What was pushed, oldest first.
    #[serde(default)]
    pub images: Vec<FixtureImage>,
}

/// An image that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct FixtureImage {
    /// The image's tags; none makes an untagged image.
    pub tags: Vec<String>,
    /// When it was pushed; the start of the sandbox when absent.
    pub pushed_at: Option<Timestamp>,
    /// Compressed size; 50 MB when absent.
    pub size_in_bytes: Option<u64>,
    /// Whether the image is archived: hidden by default, and tasks cannot pull it.
    pub archived: bool,
    /// `linux/amd64` and the like: any platform makes the image an index with a child manifest per platform.
    pub platforms: Vec<String>,
    /// What a single image runs on; `linux/amd64` when absent.
    pub platform: Option<String>,
    /// Whether the index carries an attestation manifest per platform, as `docker buildx` makes them.
    pub attestations: bool,
    /// Whether a signature row `sha256-<digest>.sig` belongs to it.
    pub signed: bool,
    /// Sigstore bundles about it, by the types of their statements, `https://slsa.dev/provenance/v1`.
    pub bundles: Vec<String>,
    /// Findings of the scan: severity to count; absent means never scanned.
    pub findings: Option<BTreeMap<String, u64>>,
}

impl FixtureRepository {
    fn default_mutability() -> String {
        "MUTABLE".to_owned()
    }
}
