//! `PutObject`, `DeleteObject` and `DeleteObjects`.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::Timestamp;

use super::{
    Bucket, NULL_VERSION, Object, S3, Versioning,
    answer::{self, Refusal, set},
    checksum, chunked, conditions,
    route::Call,
};
use crate::xml::{self, Xml};

const KEPT_HEADERS: [&str; 4] =
    ["cache-control", "content-disposition", "content-language", "expires"];
const PRESET_TYPE: &str = "binary/octet-stream";
const DELETIONS_MAX: usize = 1000;

/// What became of a deletion.
struct Deletion {
    marker: bool,
    version_id: Option<String>,
}

impl S3 {
    pub(super) fn put_object(
        &mut self,
        call: &Call<'_>,
        now: Timestamp,
    ) -> Result<Response<Bytes>, Refusal> {
        let payload = chunked::payload(call)?;
        conditions::of_write(call, self.bucket(call)?)?;
        if let Some(promised) = call.header("content-md5") {
            checksum::verify_md5(promised, &payload.body)?;
        }
        let object = Object::written(call, payload)?;
        let (etag, checksum) = (object.etag.clone(), object.checksum.clone());
        let id = self.next_id(32);
        let version_id = self.bucket_mut(call)?.add(&call.key, id, Some(object), now);
        let mut answer = answer::empty(StatusCode::OK);
        set(&mut answer, "etag", &etag);
        set(&mut answer, "x-amz-server-side-encryption", "AES256");
        if let Some(version_id) = version_id {
            set(&mut answer, "x-amz-version-id", &version_id);
        }
        if let Some((name, value)) = checksum {
            set(&mut answer, &name, &value);
            set(&mut answer, "x-amz-checksum-type", "FULL_OBJECT");
        }
        Ok(answer)
    }

    pub(super) fn delete_object(
        &mut self,
        call: &Call<'_>,
        now: Timestamp,
    ) -> Result<Response<Bytes>, Refusal> {
        let id = self.next_id(32);
        let bucket = self.bucket_mut(call)?;
        conditions::of_delete(call.header("if-match"), &call.key, bucket)?;
        let deletion = bucket.delete(&call.key, call.query("versionId"), id, now);
        let mut answer = answer::empty(StatusCode::NO_CONTENT);
        if deletion.marker {
            set(&mut answer, "x-amz-delete-marker", "true");
        }
        if let Some(version_id) = deletion.version_id {
            set(&mut answer, "x-amz-version-id", &version_id);
        }
        Ok(answer)
    }

    pub(super) fn delete_objects(
        &mut self,
        call: &Call<'_>,
        now: Timestamp,
    ) -> Result<Response<Bytes>, Refusal> {
        self.bucket(call)?;
        let payload = chunked::payload(call)?;
        let text = std::str::from_utf8(&payload.body).map_err(|_| malformed())?;
        let rows = xml::elements(text, "Object");
        if rows.is_empty() || rows.len() > DELETIONS_MAX {
            return Err(malformed());
        }
        let is_quiet = xml::value(text, "Quiet").is_some_and(|quiet| quiet == "true");
        let mut body = Xml::new();
        for row in rows {
            let key = xml::value(row, "Key").ok_or_else(malformed)?;
            let version_id = xml::value(row, "VersionId");
            let etag = xml::value(row, "ETag");
            let id = self.next_id(32);
            let bucket = self.bucket_mut(call)?;
            if let Err(refusal) = conditions::of_delete(etag.as_deref(), &key, bucket) {
                refused(&mut body, &key, &refusal);
                continue;
            }
            let deletion = bucket.delete(&key, version_id.as_deref(), id, now);
            if !is_quiet {
                deletion.show(&mut body, &key, version_id.as_deref());
            }
        }
        Ok(answer::result("DeleteResult", |xml| xml.append(&body)))
    }
}

impl Bucket {
    /// With a version, that version goes for good; without one, a versioned bucket gets a delete marker.
    fn delete(&mut self, key: &str, version: Option<&str>, id: String, now: Timestamp) -> Deletion {
        if let Some(version) = version {
            let versions = self.objects.get_mut(key);
            let mut marker = false;
            if let Some(versions) = versions {
                marker = versions.iter().any(|held| held.id == version && held.object.is_none());
                versions.retain(|held| held.id != version);
                if versions.is_empty() {
                    self.objects.remove(key);
                }
            }
            let version_id = (self.versioning != Versioning::Never || version != NULL_VERSION)
                .then(|| version.to_owned());
            return Deletion { marker, version_id };
        }
        if self.versioning == Versioning::Never {
            self.objects.remove(key);
            return Deletion { marker: false, version_id: None };
        }
        Deletion { marker: true, version_id: self.add(key, id, None, now) }
    }
}

impl Deletion {
    fn show(self, body: &mut Xml, key: &str, requested: Option<&str>) {
        body.within("Deleted", |xml| {
            xml.element("Key", key).optional("VersionId", requested);
            if self.marker {
                xml.element("DeleteMarker", true)
                    .optional("DeleteMarkerVersionId", self.version_id);
            }
        });
    }
}

impl Object {
    /// An object as a fixture or a plain request writes it.
    pub(super) fn plain(body: Bytes) -> Self {
        Self {
            etag: checksum::etag(&body),
            body,
            content_type: PRESET_TYPE.to_owned(),
            headers: BTreeMap::new(),
            checksum: None,
        }
    }

    /// An object with what the headers of a request say about it.
    pub(super) fn drafted(call: &Call<'_>, body: Bytes) -> Self {
        let mut object = Self::plain(body);
        for (name, value) in call.request.headers() {
            let (name, Ok(value)) = (name.as_str(), value.to_str()) else { continue };
            if name.starts_with("x-amz-meta-") || KEPT_HEADERS.contains(&name) {
                object.headers.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(content_type) = call.header("content-type") {
            content_type.clone_into(&mut object.content_type);
        }
        let encodings =
            call.header("content-encoding").unwrap_or_default().split(',').map(str::trim);
        let kept: Vec<&str> = encodings
            .filter(|encoding| !encoding.is_empty() && *encoding != "aws-chunked")
            .collect();
        if !kept.is_empty() {
            object.headers.insert("content-encoding".to_owned(), kept.join(","));
        }
        object
    }

    /// Without a promised checksum S3 computes one of its own.
    fn written(call: &Call<'_>, payload: chunked::Payload) -> Result<Self, Refusal> {
        let promised = checksum::promised(call, &payload.trailers);
        for (name, value) in &promised {
            checksum::verify(name, value, &payload.body)?;
        }
        let mut object = Self::drafted(call, payload.body);
        object.checksum = promised.into_iter().next().or_else(|| {
            let value = checksum::compute("crc64nvme", &object.body)?;
            Some(("x-amz-checksum-crc64nvme".to_owned(), value))
        });
        Ok(object)
    }
}

fn refused(body: &mut Xml, key: &str, refusal: &Refusal) {
    body.within("Error", |xml| {
        xml.element("Key", key)
            .element("Code", &refusal.error.code)
            .element("Message", &refusal.error.message);
    });
}

fn malformed() -> Refusal {
    Refusal::new(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}
