//! Images in ECR: the digest of a tag, the state, the platforms of an index (aws.md §6.3).

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::account::Account;
use super::super::answer::{array, text};
use super::super::batch::{BatchLimits, Batcher};
use super::super::connection::SharedConnection;
use super::super::error::{Error, Kind};
use super::super::operation::Operation;
use super::{FRESH, has_code, json_send, own};

/// A hundred images of one repository a call.
const DESCRIBE: BatchLimits =
    BatchLimits { keys: 100, window: Duration::from_millis(10), in_flight: 4 };

/// Tags that a hint about a missing one chooses from.
const TAGS_LISTED: usize = 1_000;

/// Which image.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageQuestion {
    /// The account that holds the repository.
    pub registry: String,
    /// The repository.
    pub repository: String,
    /// The tag, unless a digest is given.
    pub tag: Option<String>,
    /// The digest.
    pub digest: Option<String>,
}

/// What ECR says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageFact {
    /// It is there.
    Present {
        /// Its digest.
        digest: String,
        /// ECR's word for its state where it is not `ACTIVE`.
        unusable: Option<String>,
        /// The platforms of an index, `linux/arm64`; `None` for a single image, whose manifest does not say.
        platforms: Option<Vec<String>>,
    },
    /// The repository is there and the image is not.
    NoImage {
        /// Tags that are there.
        tags: Vec<String>,
    },
    /// There is no such repository.
    NoRepository,
}

/// The tag or the digest of an image.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Id {
    Tag(String),
    Digest(String),
}

/// What is known of one image after the first call.
#[derive(Debug, Clone)]
pub(super) enum Row {
    Image { digest: String, state: Option<String>, is_index: bool },
    NoRepository,
}

impl Id {
    fn as_json(&self) -> Value {
        match self {
            Self::Tag(tag) => json!({ "imageTag": tag }),
            Self::Digest(digest) => json!({ "imageDigest": digest }),
        }
    }
}

impl Account {
    /// What ECR says of an image of this region.
    pub async fn image(&self, question: &ImageQuestion) -> Result<ImageFact, Error> {
        let recent = &self.inner.surroundings.image_answers;
        recent.get(question, FRESH, || self.ask_image(question)).await
    }

    async fn ask_image(&self, question: &ImageQuestion) -> Result<ImageFact, Error> {
        let ImageQuestion { registry, repository, tag, digest } = question;
        let id = match (digest, tag) {
            (Some(digest), _) => Id::Digest(digest.clone()),
            (None, Some(tag)) => Id::Tag(tag.clone()),
            (None, None) => Id::Tag("latest".to_owned()),
        };
        let group = (registry.clone(), repository.clone());
        let row = self.inner.surroundings.images.get(group, id).await;
        match row.map_err(|error| error.about(repository))?.flatten() {
            Some(Row::Image { digest, state, is_index }) => {
                let platforms =
                    if is_index { self.platforms(question, &digest).await? } else { None };
                let unusable = state.filter(|state| state != "ACTIVE");
                Ok(ImageFact::Present { digest, unusable, platforms })
            }
            Some(Row::NoRepository) => Ok(ImageFact::NoRepository),
            // The tags only help to see what was meant.
            None => {
                let tags = self.image_tags(question).await.unwrap_or_default();
                Ok(ImageFact::NoImage { tags })
            }
        }
    }

    /// The platforms of an index. ECR counts the reading of a manifest as a pull, as the tasks' own will be.
    async fn platforms(
        &self,
        question: &ImageQuestion,
        digest: &str,
    ) -> Result<Option<Vec<String>>, Error> {
        let operation = Operation::BatchGetImage;
        let body = json!({
            "registryId": question.registry,
            "repositoryName": question.repository,
            "imageIds": [{ "imageDigest": digest }],
        });
        let send = json_send!(ecr.batch_get_image);
        let repository = question.repository.as_str();
        let answer = self.inner.connection.ask_json(operation, repository, &body, send).await?;
        let manifest = answer.pointer("/images/0/imageManifest").and_then(Value::as_str);
        let manifest: Option<Value> = manifest.and_then(|text| serde_json::from_str(text).ok());
        let rows = manifest.as_ref().and_then(|manifest| manifest.get("manifests")?.as_array());
        Ok(rows.map(|rows| rows.iter().filter_map(platform).collect()))
    }

    async fn image_tags(&self, question: &ImageQuestion) -> Result<Vec<String>, Error> {
        let body = json!({
            "registryId": question.registry,
            "repositoryName": question.repository,
            "filter": { "tagStatus": "TAGGED" },
            "maxResults": TAGS_LISTED,
        });
        let (operation, send) = (Operation::ListImages, json_send!(ecr.list_images));
        let repository = question.repository.as_str();
        let mut answer = self.inner.connection.ask_json(operation, repository, &body, send).await?;
        let rows = array(&mut answer, "imageIds").into_iter();
        Ok(rows.filter_map(|row| text(&row, "imageTag").map(str::to_owned)).collect())
    }
}

/// `linux/arm64` of one row of an index; attestations have a platform of their own that nobody runs on.
fn platform(row: &Value) -> Option<String> {
    let member = |name: &str| row.get("platform")?.get(name)?.as_str();
    let (system, architecture) = (member("os")?, member("architecture")?);
    (system != "unknown").then(|| format!("{system}/{architecture}"))
}

pub(super) fn batcher(connection: &SharedConnection) -> Batcher<(String, String), Id, Option<Row>> {
    let connection = own(connection);
    Batcher::new(DESCRIBE, move |(registry, repository): (String, String), ids: Vec<Id>| {
        let connection = own(&connection);
        async move {
            let operation = Operation::DescribeImages;
            let body = json!({
                "registryId": registry,
                "repositoryName": repository,
                "imageIds": ids.iter().map(Id::as_json).collect::<Vec<_>>(),
                "filter": { "imageStatus": "ANY" },
            });
            let send = json_send!(ecr.describe_images);
            match (connection.ask_json(operation, &repository, &body, send).await, ids.as_slice()) {
                (Ok(answer), _) => Ok(sort_out(answer, &ids)),
                (Err(error), _) if has_code(&error, "RepositoryNotFound") => {
                    Ok(ids.into_iter().map(|id| (id, Ok(Some(Row::NoRepository)))).collect())
                }
                (Err(error), [id]) if has_code(&error, "ImageNotFound") => {
                    Ok(HashMap::from([(id.clone(), Ok(None))]))
                }
                // One unknown image refuses the call for all: they are asked about in halves.
                (Err(error), _) if has_code(&error, "ImageNotFound") => {
                    Err(Error { kind: Kind::Refused, ..error })
                }
                (Err(error), _) => Err(error),
            }
        }
    })
}

/// The rows of an answer by what was asked for.
fn sort_out(mut answer: Value, ids: &[Id]) -> HashMap<Id, Result<Option<Row>, Error>> {
    let mut found = HashMap::new();
    for mut row in array(&mut answer, "imageDetails") {
        let Some(digest) = text(&row, "imageDigest").map(str::to_owned) else { continue };
        let kind = text(&row, "imageManifestMediaType").unwrap_or_default();
        let is_index = kind.contains("image.index") || kind.contains("manifest.list");
        let state = text(&row, "imageStatus").map(str::to_owned);
        let image = Row::Image { digest: digest.clone(), state, is_index };
        for tag in super::super::answer::texts(&mut row, "imageTags") {
            found.insert(Id::Tag(tag), Ok(Some(image.clone())));
        }
        found.insert(Id::Digest(digest), Ok(Some(image)));
    }
    found.retain(|id, _| ids.contains(id));
    for id in ids {
        let unknown = || {
            let message = "the answer leaves an image out";
            Err(Error::unexpected(Operation::DescribeImages, "", message))
        };
        found.entry(id.clone()).or_insert_with(unknown);
    }
    found
}
