//! `GetObject` and `HeadObject`.

use bytes::Bytes;
use http::{Method, Response, StatusCode, header};

use super::{
    Bucket, Object, S3, Version, Versioning,
    answer::{self, Refusal, http_date, set},
    conditions, range,
    route::Call,
};

impl S3 {
    pub(super) fn get_object(&self, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
        let bucket = self.bucket(call)?;
        let version = bucket.wanted(call)?;
        let Some(object) = &version.object else { return Err(delete_marker(call, version)) };
        conditions::of_read(call, version, object)?;
        let length = object.body.len();
        let range =
            call.header("range").map(|range| range::parse(range, length)).transpose()?.flatten();
        let mut answer = match range {
            Some((first, last)) => {
                let mut answer = Response::new(object.body.slice(first..=last));
                *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
                set(&mut answer, "content-range", &format!("bytes {first}-{last}/{length}"));
                answer
            }
            None => Response::new(object.body.clone()),
        };
        if *call.request.method() == Method::HEAD {
            let length = answer.body().len().to_string();
            set(&mut answer, header::CONTENT_LENGTH.as_str(), &length);
        }
        object.describe(&mut answer);
        set(&mut answer, "last-modified", &http_date(version.modified));
        if bucket.versioning != Versioning::Never {
            set(&mut answer, "x-amz-version-id", &version.id);
        }
        let wants_checksum = call
            .header("x-amz-checksum-mode")
            .is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"));
        if let (true, None, Some((name, value))) = (wants_checksum, range, &object.checksum) {
            set(&mut answer, name, value);
            set(&mut answer, "x-amz-checksum-type", "FULL_OBJECT");
        }
        Ok(answer)
    }
}

impl Bucket {
    /// The version that a request names, or the newest one.
    fn wanted(&self, call: &Call<'_>) -> Result<&Version, Refusal> {
        let versions = self.objects.get(&call.key);
        match (call.query("versionId"), versions) {
            (None, Some(versions)) => versions.last().ok_or_else(|| no_such_key(&call.key)),
            (Some(id), Some(versions)) => versions
                .iter()
                .find(|version| version.id == id)
                .ok_or_else(|| no_such_version(&call.key, id)),
            (_, None) if self.list_denied => {
                Err(Refusal::new(403, "AccessDenied", "Access Denied"))
            }
            (None, None) => Err(no_such_key(&call.key)),
            (Some(id), None) => Err(no_such_version(&call.key, id)),
        }
    }
}

impl Object {
    fn describe(&self, answer: &mut Response<Bytes>) {
        set(answer, header::ETAG.as_str(), &self.etag);
        set(answer, header::CONTENT_TYPE.as_str(), &self.content_type);
        set(answer, header::ACCEPT_RANGES.as_str(), "bytes");
        set(answer, "x-amz-server-side-encryption", "AES256");
        for (name, value) in &self.headers {
            answer::set(answer, name, value);
        }
    }
}

pub(super) fn no_such_key(key: &str) -> Refusal {
    Refusal::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", key)
}

pub(super) fn no_such_version(key: &str, id: &str) -> Refusal {
    Refusal::new(404, "NoSuchVersion", "The specified version does not exist.")
        .with("Key", key)
        .with("VersionId", id)
}

/// A key whose newest version is a delete marker is missing; the marker itself cannot be read.
fn delete_marker(call: &Call<'_>, version: &Version) -> Refusal {
    let refusal = match call.query("versionId") {
        None => no_such_key(&call.key),
        Some(_) => Refusal::new(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )
        .with("ResourceType", "DeleteMarker"),
    };
    refusal
        .with_header("x-amz-delete-marker", "true")
        .with_header("x-amz-version-id", version.id.clone())
}
