//! Simple Storage Service (aws.md §6.4).

mod answer;
mod buckets;
mod checksum;
mod chunked;
mod conditions;
mod listing;
mod multipart;
mod range;
mod read;
mod route;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde::Deserialize;

use crate::{ApiError, derived};
use answer::Refusal;
use route::Call;

/// The buckets of one account.
#[derive(Debug)]
pub(crate) struct S3 {
    account: String,
    region: String,
    buckets: BTreeMap<String, Bucket>,
    /// By their identifiers.
    uploads: BTreeMap<String, multipart::Upload>,
    /// Makes version and request identifiers unique.
    made: u64,
}

#[derive(Debug)]
struct Bucket {
    name: String,
    region: String,
    created: Timestamp,
    versioning: Versioning,
    list_denied: bool,
    /// Versions by key, oldest first, never an empty list.
    objects: BTreeMap<String, Vec<Version>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Versioning {
    Never,
    Enabled,
    Suspended,
}

#[derive(Debug, Clone)]
struct Version {
    id: String,
    modified: Timestamp,
    /// Absent in a delete marker.
    object: Option<Object>,
}

#[derive(Debug, Clone)]
struct Object {
    body: Bytes,
    /// With its quotes.
    etag: String,
    content_type: String,
    /// `x-amz-meta-*`, `cache-control` and the like, as they came.
    headers: BTreeMap<String, String>,
    /// `x-amz-checksum-<algorithm>` and its value.
    checksum: Option<(String, String)>,
}

/// The identifier of versions that no versioning made.
const NULL_VERSION: &str = "null";

impl S3 {
    /// No buckets yet; new ones live in `region` unless the request names another.
    pub(crate) fn new(account: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            buckets: BTreeMap::new(),
            uploads: BTreeMap::new(),
            made: 0,
        }
    }

    /// Answers one request, path-style or virtual-hosted.
    pub(crate) fn call(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let request_id = self.next_id(16).to_uppercase();
        let call = Call::parse(request);
        let answer = call.and_then(|call| {
            self.expect_owner(&call)?;
            self.dispatch(&call, now)
        });
        let answer = answer.unwrap_or_else(|refusal| refusal.answer(request, &request_id));
        answer::stamp(answer, request, &request_id)
    }

    /// The operation that a request means, for records and faults.
    pub(crate) fn operation(request: &Request<Bytes>) -> &'static str {
        Call::parse(request).map_or("Unknown", |call| call.operation())
    }

    /// A refusal in S3's own form, for faults; one call too many is answered with `SlowDown`.
    pub(crate) fn refusal(request: &Request<Bytes>, error: ApiError) -> Response<Bytes> {
        let error = match error.code.as_str() {
            "ThrottlingException" => ApiError {
                http_status: 503,
                ..ApiError::refused("SlowDown", "Please reduce your request rate.")
            },
            _ => error,
        };
        let answer = Refusal::from(error).answer(request, "0000000000000000");
        answer::stamp(answer, request, "0000000000000000")
    }

    /// Adds a bucket that exists from the start.
    pub(crate) fn load(&mut self, fixture: &FixtureBucket, now: Timestamp) -> Result<(), ApiError> {
        buckets::validate_name(&fixture.name).map_err(|refusal| refusal.error)?;
        let bucket = Bucket {
            name: fixture.name.clone(),
            region: fixture.region.clone().unwrap_or_else(|| self.region.clone()),
            created: now,
            versioning: if fixture.versioning { Versioning::Enabled } else { Versioning::Never },
            list_denied: fixture.list_denied,
            objects: BTreeMap::new(),
        };
        self.buckets.insert(fixture.name.clone(), bucket);
        for object in &fixture.objects {
            let body = Bytes::copy_from_slice(object.body.as_bytes());
            let id = self.next_id(32);
            if let Some(bucket) = self.buckets.get_mut(&fixture.name) {
                bucket.add(&object.key, id, Some(Object::plain(body)), now);
            }
        }
        Ok(())
    }

    fn dispatch(&mut self, call: &Call<'_>, now: Timestamp) -> Result<Response<Bytes>, Refusal> {
        match call.operation() {
            "ListBuckets" => Ok(self.list_buckets(call)),
            "CreateBucket" => self.create_bucket(call, now),
            "DeleteBucket" => self.delete_bucket(call),
            "HeadBucket" => self.head_bucket(call),
            "GetBucketLocation" => self.get_bucket_location(call),
            "GetBucketVersioning" => self.get_bucket_versioning(call),
            "PutBucketVersioning" => self.put_bucket_versioning(call),
            "ListObjectsV2" => self.list_objects_v2(call),
            "ListObjects" => self.list_objects(call),
            "ListObjectVersions" => self.list_object_versions(call),
            "GetObject" | "HeadObject" => self.get_object(call),
            "PutObject" => self.put_object(call, now),
            "CreateMultipartUpload" => self.create_multipart_upload(call),
            "UploadPart" => self.upload_part(call),
            "CompleteMultipartUpload" => self.complete_multipart_upload(call, now),
            "AbortMultipartUpload" => self.abort_multipart_upload(call),
            "DeleteObject" => self.delete_object(call, now),
            "DeleteObjects" => self.delete_objects(call, now),
            _ => Err(Refusal::new(
                501,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented",
            )),
        }
    }

    /// A caller may say whose bucket it means; the bucket of anybody else is refused.
    fn expect_owner(&self, call: &Call<'_>) -> Result<(), Refusal> {
        let expected = call.header("x-amz-expected-bucket-owner");
        if expected.is_some_and(|owner| owner != self.account) {
            return Err(Refusal::new(403, "AccessDenied", "Access Denied"));
        }
        Ok(())
    }

    fn bucket(&self, call: &Call<'_>) -> Result<&Bucket, Refusal> {
        self.buckets.get(&call.bucket).ok_or_else(|| no_such_bucket(&call.bucket))
    }

    fn bucket_mut(&mut self, call: &Call<'_>) -> Result<&mut Bucket, Refusal> {
        self.buckets.get_mut(&call.bucket).ok_or_else(|| no_such_bucket(&call.bucket))
    }

    fn next_id(&mut self, length: usize) -> String {
        self.made += 1;
        derived::alphanumeric(&format!("{}/{}", self.account, self.made), length)
    }
}

impl Bucket {
    /// The newest version of a key, if it is an object.
    fn current(&self, key: &str) -> Option<(&Version, &Object)> {
        let version = self.objects.get(key)?.last()?;
        Some((version, version.object.as_ref()?))
    }

    /// Adds a version, or replaces the one that is not versioned; the identifier is used only while versioning is on.
    fn add(
        &mut self,
        key: &str,
        id: String,
        object: Option<Object>,
        now: Timestamp,
    ) -> Option<String> {
        let id = match self.versioning {
            Versioning::Enabled => id,
            Versioning::Never | Versioning::Suspended => NULL_VERSION.to_owned(),
        };
        let versions = self.objects.entry(key.to_owned()).or_default();
        versions.retain(|version| version.id != id);
        versions.push(Version { id: id.clone(), modified: now, object });
        (self.versioning != Versioning::Never).then_some(id)
    }
}

fn no_such_bucket(name: &str) -> Refusal {
    Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist")
        .with("BucketName", name)
}

/// A bucket that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureBucket {
    /// The bucket's name.
    pub name: String,
    /// The region it lives in; the sandbox's own when absent.
    #[serde(default)]
    pub region: Option<String>,
    /// Whether every write makes a version.
    #[serde(default)]
    pub versioning: bool,
    /// Whether callers lack `s3:ListBucket`, so that a missing key answers 403 instead of 404.
    #[serde(default)]
    pub list_denied: bool,
    /// Objects, in the order in which they were written.
    #[serde(default)]
    pub objects: Vec<FixtureObject>,
}

/// An object that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureObject {
    /// The full key.
    pub key: String,
    /// The content, as text.
    pub body: String,
}
