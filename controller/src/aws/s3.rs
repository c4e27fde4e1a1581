//! Objects of a bucket: specs are read, the state store is read and written.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;

use super::calls::Calls;
use super::error::{Error, Kind};
use super::operation::Operation;
use super::sdk_error::{Sent, from_sdk};

/// How long the body of one object may take.
pub(super) const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// The most pages of one listing. S3 puts up to a thousand objects on a page.
const PAGES_MAX: usize = 2_000;

/// Reads and writes buckets with the credentials of one target.
#[derive(Debug, Clone)]
pub struct S3 {
    pub(super) client: aws_sdk_s3::Client,
    pub(super) calls: Calls,
    /// The account that a bucket has to belong to.
    pub(super) owner: Option<String>,
}

/// One object of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct S3Object {
    /// The object's key.
    pub key: String,
    /// Its entity tag, in quotes as S3 writes it: changes whenever the content does.
    pub etag: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was written, if S3 says so.
    pub modified: Option<Timestamp>,
}

impl S3 {
    /// The same, for buckets of this account only: S3 refuses every call about a bucket of another one, so that a bucket that
    /// was deleted and made anew by somebody else is never read.
    #[must_use]
    pub fn of_owner(self, owner: Option<String>) -> Self {
        Self { owner, ..self }
    }

    /// All objects whose keys start with `prefix`, in S3's order: every page, or an error.
    pub async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<S3Object>, Error> {
        let mut objects = Vec::new();
        let take = |object| {
            objects.push(object);
            ControlFlow::Continue(())
        };
        self.visit(bucket, prefix, take).await?;
        Ok(objects)
    }

    /// Shows every object whose key starts with `prefix`, in S3's order, page by page, and answers with the number of pages:
    /// every page, unless `see` ends it, or an error.
    ///
    /// The SDK takes a page for whole that ends in its middle. So each page has to say whether it is the last one and to hold
    /// as many objects as it counts; a page that leads back to one before is an error too.
    pub async fn visit(
        &self,
        bucket: &str,
        prefix: &str,
        mut see: impl FnMut(S3Object) -> ControlFlow<()>,
    ) -> Result<usize, Error> {
        let subject = format!("s3://{bucket}/{prefix}");
        let unexpected =
            |message: &str| Error::unexpected(Operation::ListObjectsV2, &subject, message);
        let mut token = None;
        let mut tokens = HashSet::new();
        loop {
            let page = self
                .calls
                .repeat(Operation::ListObjectsV2, None, || {
                    self.page(bucket, prefix, &subject, token.clone())
                })
                .await?;
            let found = page.contents.unwrap_or_default();
            if page.key_count.is_some_and(|count| usize::try_from(count) != Ok(found.len())) {
                return Err(unexpected("a page of the listing counts other objects than it has"));
            }
            for object in found {
                if see(listed(object, &subject)?).is_break() {
                    return Ok(tokens.len() + 1);
                }
            }
            let next = page.next_continuation_token.filter(|next| !next.is_empty());
            match (page.is_truncated, next) {
                (Some(false), _) => return Ok(tokens.len() + 1),
                (Some(true), Some(next)) if tokens.len() < PAGES_MAX => {
                    if !tokens.insert(next.clone()) {
                        return Err(unexpected("the listing leads back to where it has been"));
                    }
                    token = Some(next);
                }
                (Some(true), Some(_)) => {
                    return Err(unexpected(&format!("it has more than {PAGES_MAX} pages")));
                }
                (Some(true), None) => {
                    return Err(unexpected("the listing is cut off and does not say how to go on"));
                }
                (None, _) => {
                    return Err(unexpected("the listing does not say whether it is complete"));
                }
            }
        }
    }

    async fn page(
        &self,
        bucket: &str,
        prefix: &str,
        subject: &str,
        token: Option<String>,
    ) -> Result<aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output, Error> {
        let request = self.client.list_objects_v2().bucket(bucket).prefix(prefix);
        let request = request.set_expected_bucket_owner(self.owner.clone());
        let answer = request.set_continuation_token(token).send().await;
        answer.map_err(|error| from_sdk(Operation::ListObjectsV2, subject, Sent::Perhaps, &error))
    }

    /// The object's content, if it still is the one that `etag` names and has at most `bytes_max` bytes.
    ///
    /// An object that changed since it was listed is an error with the code `PreconditionFailed`: list again.
    pub async fn get(
        &self,
        bucket: &str,
        key: &str,
        etag: Option<&str>,
        bytes_max: u64,
    ) -> Result<Vec<u8>, Error> {
        let subject = format!("s3://{bucket}/{key}");
        let attempt = || async {
            let read = self.get_once(bucket, key, etag, bytes_max, &subject);
            tokio::time::timeout(BODY_TIMEOUT, read).await.unwrap_or_else(|_| {
                let message = format!("no complete answer within {} s", BODY_TIMEOUT.as_secs());
                Err(Error::unexpected(Operation::GetObject, &subject, message))
            })
        };
        self.calls.repeat(Operation::GetObject, None, attempt).await
    }

    async fn get_once(
        &self,
        bucket: &str,
        key: &str,
        etag: Option<&str>,
        bytes_max: u64,
        subject: &str,
    ) -> Result<Vec<u8>, Error> {
        let request = self.client.get_object().bucket(bucket).key(key);
        let request = request.set_expected_bucket_owner(self.owner.clone());
        let answer = request.set_if_match(etag.map(str::to_owned)).send().await;
        let answer = answer
            .map_err(|error| from_sdk(Operation::GetObject, subject, Sent::Perhaps, &error))?;
        body(answer.body, bytes_max, subject).await
    }

    /// The object's content, unless it is still the one that `known` names (aws.md §6.4).
    pub async fn get_changed(
        &self,
        bucket: &str,
        key: &str,
        known: Option<&str>,
        bytes_max: u64,
    ) -> Result<S3Content, Error> {
        let subject = format!("s3://{bucket}/{key}");
        let attempt = || async {
            let read = self.get_changed_once(bucket, key, known, bytes_max, &subject);
            tokio::time::timeout(BODY_TIMEOUT, read).await.unwrap_or_else(|_| {
                let message = format!("no complete answer within {} s", BODY_TIMEOUT.as_secs());
                Err(Error::unexpected(Operation::GetObject, &subject, message))
            })
        };
        self.calls.repeat(Operation::GetObject, None, attempt).await
    }

    async fn get_changed_once(
        &self,
        bucket: &str,
        key: &str,
        known: Option<&str>,
        bytes_max: u64,
        subject: &str,
    ) -> Result<S3Content, Error> {
        let operation = Operation::GetObject;
        let request = self.client.get_object().bucket(bucket).key(key);
        let request = request.set_expected_bucket_owner(self.owner.clone());
        let answer = match request.set_if_none_match(known.map(str::to_owned)).send().await {
            Ok(answer) => answer,
            // The SDK takes it for a failure.
            Err(error)
                if known.is_some()
                    && error.raw_response().is_some_and(|raw| raw.status().as_u16() == 304) =>
            {
                return Ok(S3Content::Unchanged);
            }
            Err(error) => return Err(from_sdk(operation, subject, Sent::Perhaps, &error)),
        };
        let Some(etag) = answer.e_tag else {
            return Err(Error::unexpected(operation, subject, "the answer has no entity tag"));
        };
        Ok(S3Content::Content { bytes: body(answer.body, bytes_max, subject).await?, etag })
    }
}

/// What was read of an object of which an earlier state may be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum S3Content {
    /// It is the known one.
    Unchanged,
    /// It is another one.
    Content {
        /// What it holds.
        bytes: Vec<u8>,
        /// Its entity tag, in quotes as S3 writes it.
        etag: String,
    },
}

/// A body, if it has at most so many bytes.
pub(super) async fn body(
    mut stream: aws_sdk_s3::primitives::ByteStream,
    bytes_max: u64,
    subject: &str,
) -> Result<Vec<u8>, Error> {
    let mut content = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| {
            let message = format!("the answer broke off: {error}");
            Error::unexpected(Operation::GetObject, subject, message)
        })?;
        if (content.len() + chunk.len()) as u64 > bytes_max {
            return Err(too_large(subject, bytes_max));
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

/// What has to be so for an object to be written (aws.md §6.4).
#[derive(Debug, Clone, Copy)]
pub enum PutCondition<'a> {
    /// There is no such object.
    Absent,
    /// The object is the one with this entity tag.
    Matches(&'a str),
}

impl S3 {
    /// Writes an object if the condition holds, and answers with its entity tag. One attempt: after [`Kind::Ambiguous`] read
    /// before the next try. A condition that does not hold is an error with the code `PreconditionFailed`, a write by
    /// somebody else at the same time one with `ConditionalRequestConflict`.
    pub async fn put(
        &self,
        bucket: &str,
        key: &str,
        content: Vec<u8>,
        condition: PutCondition<'_>,
    ) -> Result<String, Error> {
        let (operation, subject) = (Operation::PutObject, format!("s3://{bucket}/{key}"));
        let request = self.client.put_object().bucket(bucket).key(key).body(content.into());
        let request = request.set_expected_bucket_owner(self.owner.clone());
        let request = match condition {
            PutCondition::Absent => request.if_none_match("*"),
            PutCondition::Matches(etag) => request.if_match(etag),
        };
        let attempt = Box::pin(async {
            let answer = request.content_type("application/json").send().await;
            answer.map_err(|error| from_sdk(operation, &subject, Sent::Perhaps, &error))
        });
        let answer = self.calls.once(operation, None, attempt).await?;
        answer
            .e_tag
            .ok_or_else(|| Error::unexpected(operation, &subject, "the answer has no entity tag"))
    }

    /// Deletes an object if it is the one with this entity tag. One attempt, as [`S3::put`].
    pub async fn delete(&self, bucket: &str, key: &str, etag: &str) -> Result<(), Error> {
        let (operation, subject) = (Operation::DeleteObject, format!("s3://{bucket}/{key}"));
        let request = self.client.delete_object().bucket(bucket).key(key).if_match(etag);
        let request = request.set_expected_bucket_owner(self.owner.clone());
        let attempt = async {
            let answer = request.send().await;
            answer.map_err(|error| from_sdk(operation, &subject, Sent::Perhaps, &error))
        };
        self.calls.once(operation, None, attempt).await?;
        Ok(())
    }
}

fn listed(object: aws_sdk_s3::types::Object, subject: &str) -> Result<S3Object, Error> {
    let (Some(key), Some(etag)) = (object.key, object.e_tag) else {
        let message = "the listing has an object without a key or entity tag";
        return Err(Error::unexpected(Operation::ListObjectsV2, subject, message));
    };
    let bytes = object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
    let modified = object.last_modified.and_then(|time| Timestamp::new(time.secs(), 0).ok());
    Ok(S3Object { key, etag, bytes, modified })
}

fn too_large(subject: &str, bytes_max: u64) -> Error {
    let message = format!("it has more than {bytes_max} bytes");
    Error::unanswered(Operation::GetObject, subject, Kind::Refused, message)
}
