//! Uploads in parts. The `ETag` of their objects is no MD5 of the content.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use http::{Response, StatusCode};
use jiff::Timestamp;

use super::{
    Object, S3,
    answer::{self, Refusal, set},
    checksum, chunked, conditions,
    route::Call,
};
use crate::xml;

/// Every part but the last has at least this size.
const PART_BYTES_MIN: usize = 5 * 1024 * 1024;
const PART_NUMBER_MAX: u16 = 10_000;

/// An upload that is neither complete nor given up.
#[derive(Debug)]
pub(super) struct Upload {
    bucket: String,
    key: String,
    /// The object without its content.
    draft: Object,
    parts: BTreeMap<u16, Bytes>,
}

impl S3 {
    pub(super) fn create_multipart_upload(
        &mut self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Refusal> {
        self.bucket(call)?;
        let upload = Upload {
            bucket: call.bucket.clone(),
            key: call.key.clone(),
            draft: Object::drafted(call, Bytes::new()),
            parts: BTreeMap::new(),
        };
        let id = self.next_id(32);
        self.uploads.insert(id.clone(), upload);
        Ok(answer::result("InitiateMultipartUploadResult", |xml| {
            xml.element("Bucket", &call.bucket).element("Key", &call.key).element("UploadId", id);
        }))
    }

    /// A part that comes again replaces the earlier one.
    pub(super) fn upload_part(&mut self, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
        let payload = chunked::payload(call)?;
        let number = call.query("partNumber").and_then(|number| number.parse().ok());
        let number =
            number.filter(|number| (1..=PART_NUMBER_MAX).contains(number)).ok_or_else(|| {
                Refusal::new(
                    400,
                    "InvalidArgument",
                    "Part number must be an integer between 1 and 10000, inclusive",
                )
            })?;
        let promised = checksum::promised(call, &payload.trailers);
        for (name, value) in &promised {
            checksum::verify(name, value, &payload.body)?;
        }
        let mut answer = answer::empty(StatusCode::OK);
        set(&mut answer, "etag", &checksum::etag(&payload.body));
        for (name, value) in &promised {
            set(&mut answer, name, value);
        }
        self.upload(call)?.parts.insert(number, payload.body);
        Ok(answer)
    }

    /// The conditions of writes hold here, at the end of the upload.
    pub(super) fn complete_multipart_upload(
        &mut self,
        call: &Call<'_>,
        now: Timestamp,
    ) -> Result<Response<Bytes>, Refusal> {
        let payload = chunked::payload(call)?;
        let object = self.upload(call)?.assemble(&payload.body)?;
        conditions::of_write(call, self.bucket(call)?)?;
        let etag = object.etag.clone();
        let id = self.next_id(32);
        let version_id = self.bucket_mut(call)?.add(&call.key, id, Some(object), now);
        self.uploads.remove(call.query("uploadId").unwrap_or_default());
        let mut answer = answer::result("CompleteMultipartUploadResult", |xml| {
            xml.element("Location", format!("/{}/{}", call.bucket, call.key))
                .element("Bucket", &call.bucket)
                .element("Key", &call.key)
                .element("ETag", etag);
        });
        if let Some(version_id) = version_id {
            set(&mut answer, "x-amz-version-id", &version_id);
        }
        Ok(answer)
    }

    pub(super) fn abort_multipart_upload(
        &mut self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Refusal> {
        self.upload(call)?;
        self.uploads.remove(call.query("uploadId").unwrap_or_default());
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    fn upload(&mut self, call: &Call<'_>) -> Result<&mut Upload, Refusal> {
        let upload = self.uploads.get_mut(call.query("uploadId").unwrap_or_default());
        upload.filter(|upload| upload.bucket == call.bucket && upload.key == call.key).ok_or_else(|| {
            Refusal::new(
                404,
                "NoSuchUpload",
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted \
                 or completed.",
            )
        })
    }
}

impl Upload {
    /// The object made of the parts that the request lists, which must be in order.
    fn assemble(&self, request: &[u8]) -> Result<Object, Refusal> {
        let listed = listed_parts(std::str::from_utf8(request).unwrap_or_default())?;
        let mut body = BytesMut::new();
        let mut digests = Vec::new();
        for (place, (number, etag)) in listed.iter().enumerate() {
            let part = self
                .parts
                .get(number)
                .filter(|part| checksum::etag(part).trim_matches('"') == etag.trim_matches('"'));
            let part = part.ok_or_else(|| {
                refused("InvalidPart", "One or more of the specified parts could not be found.")
            })?;
            if part.len() < PART_BYTES_MIN && place + 1 < listed.len() {
                let text = "Your proposed upload is smaller than the minimum allowed size";
                return Err(refused("EntityTooSmall", text));
            }
            digests.extend_from_slice(&checksum::md5(part));
            body.extend_from_slice(part);
        }
        let etag = format!("\"{}-{}\"", hex::encode(checksum::md5(&digests)), listed.len());
        Ok(Object { body: body.freeze(), etag, ..self.draft.clone() })
    }
}

/// Numbers and `ETag`s, in strictly ascending order.
fn listed_parts(request: &str) -> Result<Vec<(u16, String)>, Refusal> {
    let part = |row: &str| {
        let number = xml::value(row, "PartNumber")?.parse().ok()?;
        Some((number, xml::value(row, "ETag")?))
    };
    let parts: Option<Vec<(u16, String)>> =
        xml::elements(request, "Part").into_iter().map(part).collect();
    let parts = parts.filter(|parts| !parts.is_empty()).ok_or_else(|| {
        let text =
            "The XML you provided was not well-formed or did not validate against our published schema";
        refused("MalformedXML", text)
    })?;
    if parts.is_sorted_by(|(one, _), (next, _)| one < next) {
        return Ok(parts);
    }
    let text =
        "The list of parts was not in ascending order. Parts must be ordered by part number.";
    Err(refused("InvalidPartOrder", text))
}

fn refused(code: &str, message: &str) -> Refusal {
    Refusal::new(400, code, message)
}
