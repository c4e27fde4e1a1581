//! `ListObjectsV2`, `ListObjects` and `ListObjectVersions`.

use std::ops::Bound;

use aws_smithy_types::base64;
use bytes::Bytes;
use http::Response;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Bucket, Object, S3, Version,
    answer::{self, Refusal, xml_date},
    route::Call,
};
use crate::xml::Xml;

const PAGE_MAX: usize = 1000;
/// What `encoding-type=url` leaves as it is.
const URL: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*');

/// What a request wants listed.
struct Listing<'a> {
    prefix: &'a str,
    delimiter: Option<&'a str>,
    encoding: Option<&'a str>,
    size: usize,
}

/// One line of a listing.
enum Row<'a> {
    Key(&'a str, &'a Version, &'a Object),
    /// The keys that share a beginning up to the delimiter.
    Common(&'a str),
}

impl Row<'_> {
    fn name(&self) -> &str {
        match self {
            Row::Key(key, ..) => key,
            Row::Common(prefix) => prefix,
        }
    }
}

impl<'a> Listing<'a> {
    fn parse(call: &'a Call<'_>) -> Result<Self, Refusal> {
        let size = match call.query("max-keys").filter(|size| !size.is_empty()) {
            None => PAGE_MAX,
            Some(size) => size.parse::<usize>().map_err(|_| {
                invalid("max-keys", "Provided max-keys not an integer or within integer range")
            })?,
        };
        let encoding = call.query("encoding-type").filter(|encoding| !encoding.is_empty());
        if encoding.is_some_and(|encoding| encoding != "url") {
            return Err(invalid("encoding-type", "Invalid Encoding Method specified in Request"));
        }
        Ok(Self {
            prefix: call.query("prefix").unwrap_or_default(),
            delimiter: call.query("delimiter").filter(|delimiter| !delimiter.is_empty()),
            encoding,
            size: size.min(PAGE_MAX),
        })
    }

    /// The beginning that a key shares with others, if the delimiter occurs behind the prefix.
    fn common<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter?;
        let at = key.get(self.prefix.len()..)?.find(delimiter)?;
        key.get(..self.prefix.len() + at + delimiter.len())
    }

    /// The rows behind `after`, a key or a common prefix that was sent before; and whether more follow.
    fn rows<'b>(&self, bucket: &'b Bucket, after: Option<&str>) -> (Vec<Row<'b>>, bool) {
        let start = match after {
            Some(after) if after >= self.prefix => Bound::Excluded(after),
            Some(_) | None => Bound::Included(self.prefix),
        };
        let mut rows: Vec<Row<'b>> = Vec::new();
        for (key, versions) in bucket.objects.range::<str, _>((start, Bound::Unbounded)) {
            if !key.starts_with(self.prefix) {
                break;
            }
            let Some(version) = versions.last() else { continue };
            let Some(object) = &version.object else { continue };
            let common = self.common(key);
            let is_sent = common.is_some_and(|common| {
                after.is_some_and(|after| after.starts_with(common))
                    || matches!(rows.last(), Some(Row::Common(last)) if *last == common)
            });
            if is_sent {
                continue;
            }
            if rows.len() >= self.size {
                return (rows, self.size > 0);
            }
            rows.push(common.map_or(Row::Key(key, version, object), Row::Common));
        }
        (rows, false)
    }

    fn encode(&self, text: &str) -> String {
        match self.encoding {
            Some(_) => utf8_percent_encode(text, URL).to_string(),
            None => text.to_owned(),
        }
    }

    fn show_row(&self, xml: &mut Xml, row: &Row<'_>) {
        if let Row::Key(key, version, object) = row {
            xml.within("Contents", |xml| {
                xml.element("Key", self.encode(key));
                describe(xml, version, object);
            });
        }
    }

    fn show_common(&self, xml: &mut Xml, rows: &[Row<'_>]) {
        for row in rows {
            if let Row::Common(prefix) = row {
                xml.within("CommonPrefixes", |xml| {
                    xml.element("Prefix", self.encode(prefix));
                });
            }
        }
    }

    fn show_request(&self, xml: &mut Xml, bucket: &Bucket, is_truncated: bool) {
        xml.element("Name", &bucket.name)
            .element("Prefix", self.encode(self.prefix))
            .element("MaxKeys", self.size)
            .optional("Delimiter", self.delimiter.map(|delimiter| self.encode(delimiter)))
            .optional("EncodingType", self.encoding)
            .element("IsTruncated", is_truncated);
    }
}

impl S3 {
    pub(super) fn list_objects_v2(&self, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
        let bucket = self.listed(call)?;
        let listing = Listing::parse(call)?;
        let token = call.query("continuation-token");
        let start_after = call.query("start-after");
        let resumed = token.map(decode_token).transpose()?;
        let (rows, is_truncated) = listing.rows(bucket, resumed.as_deref().or(start_after));
        let next = rows.last().filter(|_| is_truncated).map(|row| base64::encode(row.name()));
        Ok(answer::result("ListBucketResult", |xml| {
            listing.show_request(xml, bucket, is_truncated);
            xml.optional("StartAfter", start_after.map(|start| listing.encode(start)))
                .optional("ContinuationToken", token)
                .optional("NextContinuationToken", next)
                .element("KeyCount", rows.len());
            for row in &rows {
                listing.show_row(xml, row);
            }
            listing.show_common(xml, &rows);
        }))
    }

    pub(super) fn list_objects(&self, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
        let bucket = self.listed(call)?;
        let listing = Listing::parse(call)?;
        let marker = call.query("marker").filter(|marker| !marker.is_empty());
        let (rows, is_truncated) = listing.rows(bucket, marker);
        let next = rows.last().filter(|_| is_truncated && listing.delimiter.is_some());
        Ok(answer::result("ListBucketResult", |xml| {
            listing.show_request(xml, bucket, is_truncated);
            xml.element("Marker", listing.encode(marker.unwrap_or_default()))
                .optional("NextMarker", next.map(|row| listing.encode(row.name())));
            for row in &rows {
                listing.show_row(xml, row);
            }
            listing.show_common(xml, &rows);
        }))
    }

    /// Newest first within a key; a page may end between two versions of a key.
    pub(super) fn list_object_versions(&self, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
        let bucket = self.listed(call)?;
        let listing = Listing::parse(call)?;
        let key_marker = call.query("key-marker").filter(|marker| !marker.is_empty());
        let id_marker = call.query("version-id-marker").filter(|marker| !marker.is_empty());
        let mut common: Vec<&str> = Vec::new();
        let mut rows = Vec::new();
        for (key, versions) in
            bucket.objects.iter().filter(|(key, _)| key.starts_with(listing.prefix))
        {
            if let Some(prefix) = listing.common(key) {
                if common.last() != Some(&prefix) {
                    common.push(prefix);
                }
                continue;
            }
            let newest_first = versions.iter().rev().enumerate();
            rows.extend(newest_first.map(|(place, version)| (key, place == 0, version)));
        }
        let start = match (key_marker, id_marker) {
            (None, _) => 0,
            (Some(marker), Some(id)) => rows
                .iter()
                .position(|(key, _, version)| *key == marker && version.id == id)
                .map_or(rows.len(), |place| place + 1),
            (Some(marker), None) => {
                rows.iter().position(|(key, ..)| key.as_str() > marker).unwrap_or(rows.len())
            }
        };
        let rest = rows.get(start..).unwrap_or_default();
        let (page, left) = rest.split_at(rest.len().min(listing.size));
        let next = page.last().filter(|_| !left.is_empty());
        Ok(answer::result("ListVersionsResult", |xml| {
            listing.show_request(xml, bucket, next.is_some());
            xml.element("KeyMarker", listing.encode(key_marker.unwrap_or_default()))
                .element("VersionIdMarker", id_marker.unwrap_or_default())
                .optional("NextKeyMarker", next.map(|(key, ..)| listing.encode(key)))
                .optional("NextVersionIdMarker", next.map(|(_, _, version)| &version.id));
            for (key, is_latest, version) in page {
                let name = if version.object.is_some() { "Version" } else { "DeleteMarker" };
                xml.within(name, |xml| {
                    xml.element("Key", listing.encode(key))
                        .element("VersionId", &version.id)
                        .element("IsLatest", is_latest);
                    match &version.object {
                        Some(object) => describe(xml, version, object),
                        None => {
                            xml.element("LastModified", xml_date(version.modified));
                        }
                    }
                });
            }
            for prefix in common {
                xml.within("CommonPrefixes", |xml| {
                    xml.element("Prefix", listing.encode(prefix));
                });
            }
        }))
    }

    fn listed(&self, call: &Call<'_>) -> Result<&Bucket, Refusal> {
        let bucket = self.bucket(call)?;
        if bucket.list_denied {
            return Err(Refusal::new(403, "AccessDenied", "Access Denied"));
        }
        Ok(bucket)
    }
}

fn describe(xml: &mut Xml, version: &Version, object: &Object) {
    xml.element("LastModified", xml_date(version.modified))
        .element("ETag", &object.etag)
        .element("Size", object.body.len())
        .element("StorageClass", "STANDARD");
}

fn decode_token(token: &str) -> Result<String, Refusal> {
    base64::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        invalid("continuation-token", "The continuation token provided is incorrect")
    })
}

fn invalid(argument: &str, message: &str) -> Refusal {
    Refusal::new(400, "InvalidArgument", message).with("ArgumentName", argument)
}
