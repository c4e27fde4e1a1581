//! Repositories of ECR, read to their end, and what a scan of an image said (aws.md §6.3).
//!
//! ECR cannot be asked whether something was pushed. The cheapest complete answer is the list of tags and digests, a thousand
//! a call; only when that is another one than before are the images described.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::account::Account;
use super::super::answer::{PAGES_MAX, array, text, texts};
use super::super::error::Error;
use super::super::operation::Operation;
use super::{Clients, has_code, json_send};
use crate::aws::json_call::Exchange;

/// Rows a page, the most that ECR gives.
const PAGE: usize = 1_000;

/// Which repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Repository {
    /// The account that holds it.
    pub registry: String,
    /// Its name, `shop/web`.
    pub name: String,
}

/// One image of a repository, as `DescribeImages` shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct RepositoryImage {
    /// Its digest.
    pub digest: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was pushed, in seconds since 1970.
    pub pushed_at: Option<f64>,
    /// `ACTIVE`, `ARCHIVED` or `ACTIVATING`, where ECR says.
    pub state: Option<String>,
    /// The manifest's media type.
    pub manifest_type: Option<String>,
    /// The artifact's media type.
    pub artifact_type: Option<String>,
    /// The image that this one is about.
    pub subject: Option<String>,
}

/// What a manifest says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The images that an index refers to, each with its platform, `linux/arm64/v8`; `None` for a manifest that is no index.
    pub images: Option<Vec<(String, String)>>,
    /// The digest of the configuration, of an image that containers are made of.
    pub configuration: Option<String>,
    /// What is written beside it.
    pub annotations: BTreeMap<String, String>,
}

/// Media types of the configurations that say what an image runs on.
const CONFIGURATIONS: [&str; 2] =
    ["application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json"];

/// What ECR says of the scan of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanFact {
    /// There is none.
    Missing,
    /// ECR's word for how far it is, and why, where it is not over.
    Status {
        /// `IN_PROGRESS`, `PENDING`, `FAILED`, `UNSUPPORTED_IMAGE` and others.
        status: String,
        /// ECR's words about it.
        description: Option<String>,
    },
    /// It is over: names of findings with their severities.
    Findings(Vec<(String, String)>),
}

impl Account {
    /// What tells the content of a repository from any other; `None` if there is no such repository.
    pub async fn repository_fingerprint(
        &self,
        repository: &Repository,
    ) -> Result<Option<String>, Error> {
        let mut hash = Sha256::new();
        // Images in the archive are left out, so that going there and coming back is a change.
        let body = repository.body(json!({ "maxResults": PAGE }));
        let mut rows: Vec<(String, String)> = Vec::new();
        let take = |mut page: Value| {
            rows.extend(array(&mut page, "imageIds").iter().map(|row| {
                let member = |name| text(row, name).unwrap_or_default().to_owned();
                (member("imageDigest"), member("imageTag"))
            }));
        };
        let send = json_send!(ecr.list_images);
        if !self.repository_pages(Operation::ListImages, repository, body, send, take).await? {
            return Ok(None);
        }
        rows.sort_unstable();
        for (digest, tag) in rows {
            hash.update(digest.as_bytes());
            hash.update(b" ");
            hash.update(tag.as_bytes());
            hash.update(b"\n");
        }
        Ok(Some(hex::encode(hash.finalize())))
    }

    /// Every image of a repository, those in the archive included; `None` if there is no such repository.
    pub async fn repository_images(
        &self,
        repository: &Repository,
    ) -> Result<Option<Vec<RepositoryImage>>, Error> {
        let body =
            repository.body(json!({ "maxResults": PAGE, "filter": { "imageStatus": "ANY" } }));
        let mut images = Vec::new();
        let take = |mut page: Value| {
            images.extend(array(&mut page, "imageDetails").into_iter().filter_map(described));
        };
        let send = json_send!(ecr.describe_images);
        let operation = Operation::DescribeImages;
        let is_there = self.repository_pages(operation, repository, body, send, take).await?;
        Ok(is_there.then_some(images))
    }

    /// What the manifests of images say, by their digests, at most a hundred. ECR counts this as a pull.
    pub async fn image_manifests<'d>(
        &self,
        repository: &Repository,
        digests: impl IntoIterator<Item = &'d str>,
    ) -> Result<BTreeMap<String, Manifest>, Error> {
        let (operation, name) = (Operation::BatchGetImage, repository.name.as_str());
        let ids = digests.into_iter().map(|digest| json!({ "imageDigest": digest }));
        let body = repository.body(json!({ "imageIds": ids.collect::<Vec<_>>() }));
        let send = json_send!(ecr.batch_get_image);
        let mut answer = self.inner.connection.ask_json(operation, name, &body, send).await?;
        if let Some(failure) = array(&mut answer, "failures").first() {
            let digest = failure.pointer("/imageId/imageDigest").and_then(Value::as_str);
            let digest = digest.unwrap_or("an image");
            let why = text(failure, "failureReason").unwrap_or("it was not found");
            return Err(Error::unexpected(operation, name, format!("{digest}: {why}")));
        }
        let read = |row: Value| {
            let digest = row.pointer("/imageId/imageDigest").and_then(Value::as_str)?.to_owned();
            let manifest = text(&row, "imageManifest")?;
            Some((digest, Manifest::read(&serde_json::from_str(manifest).ok()?)))
        };
        Ok(array(&mut answer, "images").into_iter().filter_map(read).collect())
    }

    /// What the manifest of one image says. ECR counts this as a pull.
    pub async fn image_manifest(
        &self,
        repository: &Repository,
        digest: &str,
    ) -> Result<Manifest, Error> {
        let mut manifests = self.image_manifests(repository, [digest]).await?;
        manifests.remove(digest).ok_or_else(|| {
            let message = format!("{digest}: the answer has no manifest");
            Error::unexpected(Operation::BatchGetImage, &repository.name, message)
        })
    }

    /// What the registry's scan of an image said, all of it.
    pub async fn image_scan(
        &self,
        repository: &Repository,
        digest: &str,
    ) -> Result<ScanFact, Error> {
        let operation = Operation::DescribeImageScanFindings;
        let mut body =
            repository.body(json!({ "imageId": { "imageDigest": digest }, "maxResults": PAGE }));
        let mut findings = Vec::new();
        for _ in 0..PAGES_MAX {
            let send = json_send!(ecr.describe_image_scan_findings);
            let name = repository.name.as_str();
            let mut page = match self.inner.connection.ask_json(operation, name, &body, send).await
            {
                Ok(page) => page,
                Err(error) if has_code(&error, "ScanNotFound") => return Ok(ScanFact::Missing),
                Err(error) => return Err(error),
            };
            let status = page.pointer("/imageScanStatus/status").and_then(Value::as_str);
            match status {
                // Enhanced scans go on: `ACTIVE` is their word for it.
                Some("COMPLETE" | "ACTIVE") => {}
                other => {
                    let description = page
                        .pointer("/imageScanStatus/description")
                        .and_then(Value::as_str)
                        .map(str::to_owned);
                    let status = other.unwrap_or("unknown").to_owned();
                    return Ok(ScanFact::Status { status, description });
                }
            }
            findings.extend(page_findings(&mut page));
            match text(&page, "nextToken").filter(|token| !token.is_empty()) {
                Some(next) => set_token(&mut body, next),
                None => return Ok(ScanFact::Findings(findings)),
            }
        }
        Err(endless(operation, repository))
    }

    /// Gives every page to `take`; `false` if there is no such repository.
    async fn repository_pages<T, E, F, Sending>(
        &self,
        operation: Operation,
        repository: &Repository,
        mut body: Value,
        send: F,
        mut take: impl FnMut(Value),
    ) -> Result<bool, Error>
    where
        F: Fn(&Clients, Exchange) -> Sending,
        Sending: Future<
            Output = Result<
                T,
                aws_smithy_runtime_api::client::result::SdkError<
                    E,
                    aws_smithy_runtime_api::client::orchestrator::HttpResponse,
                >,
            >,
        >,
        E: std::error::Error + aws_smithy_types::error::metadata::ProvideErrorMetadata + 'static,
    {
        let name = repository.name.as_str();
        for _ in 0..PAGES_MAX {
            let page = match self.inner.connection.ask_json(operation, name, &body, &send).await {
                Ok(page) => page,
                Err(error) if has_code(&error, "RepositoryNotFound") => return Ok(false),
                Err(error) => return Err(error),
            };
            let next =
                text(&page, "nextToken").filter(|token| !token.is_empty()).map(str::to_owned);
            take(page);
            let Some(next) = next else { return Ok(true) };
            if text(&body, "nextToken") == Some(&next) {
                let message = "the list turns in a circle: a page names itself as the next";
                return Err(Error::unexpected(operation, name, message));
            }
            set_token(&mut body, &next);
        }
        Err(endless(operation, repository))
    }
}

impl Manifest {
    fn read(manifest: &Value) -> Self {
        let images = manifest.get("manifests").and_then(Value::as_array).map(|rows| {
            let image = |row: &Value| {
                let platform = platform_of(row.get("platform")?)?;
                Some((text(row, "digest")?.to_owned(), platform))
            };
            rows.iter().filter_map(image).collect()
        });
        let configuration = manifest.get("config").filter(|configuration| {
            text(configuration, "mediaType").is_some_and(|kind| CONFIGURATIONS.contains(&kind))
        });
        let configuration = configuration.and_then(|it| text(it, "digest")).map(str::to_owned);
        let annotations = manifest.get("annotations").and_then(Value::as_object);
        let annotations = annotations.into_iter().flatten().filter_map(|(name, value)| {
            let value = value.as_str()?;
            Some((name.clone(), value.to_owned()))
        });
        Self { images, configuration, annotations: annotations.collect() }
    }
}

impl Repository {
    pub(super) fn body(&self, mut more: Value) -> Value {
        if let Some(members) = more.as_object_mut() {
            members.insert("registryId".to_owned(), json!(self.registry));
            members.insert("repositoryName".to_owned(), json!(self.name));
        }
        more
    }
}

fn set_token(body: &mut Value, token: &str) {
    if let Some(members) = body.as_object_mut() {
        members.insert("nextToken".to_owned(), json!(token));
    }
}

fn endless(operation: Operation, repository: &Repository) -> Error {
    let message = format!("the list has more than {PAGES_MAX} pages");
    Error::unexpected(operation, &repository.name, message)
}

fn described(mut row: Value) -> Option<RepositoryImage> {
    let member = |name: &str| text(&row, name).map(str::to_owned);
    let mut image = RepositoryImage {
        digest: member("imageDigest")?,
        tags: Vec::new(),
        pushed_at: row.get("imagePushedAt").and_then(Value::as_f64),
        state: member("imageStatus"),
        manifest_type: member("imageManifestMediaType"),
        artifact_type: member("artifactMediaType"),
        subject: member("subjectManifestDigest"),
    };
    image.tags = texts(&mut row, "imageTags");
    Some(image)
}

/// `linux/arm64/v8`, by the members that indexes and configurations call by the same names; attestations in an index have a
/// platform of their own that nobody runs on.
pub(super) fn platform_of(value: &Value) -> Option<String> {
    let member = |name: &str| text(value, name).filter(|member| !member.is_empty());
    let (system, architecture) = (member("os")?, member("architecture")?);
    let variant = member("variant").map(|variant| format!("/{variant}")).unwrap_or_default();
    (system != "unknown").then(|| format!("{system}/{architecture}{variant}"))
}

/// Basic scans name a finding and its severity; enhanced ones name the vulnerability of a package, and say what is closed.
fn page_findings(page: &mut Value) -> Vec<(String, String)> {
    let Some(found) = page.get_mut("imageScanFindings") else { return Vec::new() };
    let severity = |row: &Value| text(row, "severity").unwrap_or("UNDEFINED").to_owned();
    let basic = array(found, "findings").into_iter().filter_map(|row| {
        let name = text(&row, "name")?.to_owned();
        Some((name, severity(&row)))
    });
    let mut findings: Vec<(String, String)> = basic.collect();
    let enhanced = array(found, "enhancedFindings").into_iter().filter_map(|row| {
        if text(&row, "status").is_some_and(|status| status != "ACTIVE") {
            return None;
        }
        let name = row
            .pointer("/packageVulnerabilityDetails/vulnerabilityId")
            .and_then(Value::as_str)
            .or_else(|| text(&row, "title"))?
            .to_owned();
        Some((name, severity(&row)))
    });
    findings.extend(enhanced);
    findings
}
