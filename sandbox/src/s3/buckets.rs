//! Buckets themselves.

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::Timestamp;

use super::{
    Bucket, S3, Versioning,
    answer::{self, Refusal, set, xml_date},
    route::Call,
};
use crate::{ApiError, xml};

impl S3 {
    pub(super) fn list_buckets(&self, call: &Call<'_>) -> Response<Bytes> {
        let prefix = call.query("prefix").unwrap_or_default();
        answer::result("ListAllMyBucketsResult", |xml| {
            xml.within("Owner", |xml| {
                xml.element("ID", &self.account);
            });
            xml.within("Buckets", |xml| {
                for bucket in self.buckets.values().filter(|bucket| bucket.name.starts_with(prefix))
                {
                    xml.within("Bucket", |xml| {
                        xml.element("Name", &bucket.name)
                            .element("CreationDate", xml_date(bucket.created))
                            .element("BucketRegion", &bucket.region);
                    });
                }
            });
        })
    }

    /// Making a bucket again is refused, except in us-east-1, where it has no effect.
    pub(super) fn create_bucket(
        &mut self,
        call: &Call<'_>,
        now: Timestamp,
    ) -> Result<Response<Bytes>, Refusal> {
        validate_name(&call.bucket)?;
        let body = std::str::from_utf8(call.request.body()).unwrap_or_default();
        let region = xml::value(body, "LocationConstraint").unwrap_or_else(|| self.region.clone());
        if let Some(existing) = self.buckets.get(&call.bucket) {
            if existing.region != "us-east-1" {
                return Err(Refusal::new(
                    409,
                    "BucketAlreadyOwnedByYou",
                    "Your previous request to create the named bucket succeeded and you already own it.",
                )
                .with("BucketName", &call.bucket));
            }
        } else {
            let bucket = Bucket {
                name: call.bucket.clone(),
                region,
                created: now,
                versioning: Versioning::Never,
                list_denied: false,
                objects: std::collections::BTreeMap::new(),
            };
            self.buckets.insert(call.bucket.clone(), bucket);
        }
        let mut answer = answer::empty(StatusCode::OK);
        set(&mut answer, "location", &format!("/{}", call.bucket));
        Ok(answer)
    }

    pub(super) fn delete_bucket(&mut self, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
        if !self.bucket(call)?.objects.is_empty() {
            return Err(Refusal::new(
                409,
                "BucketNotEmpty",
                "The bucket you tried to delete is not empty",
            )
            .with("BucketName", &call.bucket));
        }
        self.buckets.remove(&call.bucket);
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    pub(super) fn head_bucket(&self, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
        let bucket = self.bucket(call)?;
        if bucket.list_denied {
            return Err(Refusal::new(403, "AccessDenied", "Access Denied"));
        }
        let mut answer = answer::empty(StatusCode::OK);
        set(&mut answer, "x-amz-bucket-region", &bucket.region);
        Ok(answer)
    }

    /// us-east-1 has no name here.
    pub(super) fn get_bucket_location(&self, call: &Call<'_>) -> Result<Response<Bytes>, Refusal> {
        let region = self.bucket(call)?.region.as_str();
        let mut answer = answer::result("LocationConstraint", |xml| {
            if region != "us-east-1" {
                xml.text(region);
            }
        });
        set(&mut answer, "x-amz-bucket-region", region);
        Ok(answer)
    }

    pub(super) fn get_bucket_versioning(
        &self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Refusal> {
        let status = match self.bucket(call)?.versioning {
            Versioning::Never => None,
            Versioning::Enabled => Some("Enabled"),
            Versioning::Suspended => Some("Suspended"),
        };
        Ok(answer::result("VersioningConfiguration", |xml| {
            xml.optional("Status", status);
        }))
    }

    pub(super) fn put_bucket_versioning(
        &mut self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Refusal> {
        let bucket = self.bucket_mut(call)?;
        let body = super::chunked::payload(call)?.body;
        let status = std::str::from_utf8(&body).ok().and_then(|body| xml::value(body, "Status"));
        bucket.versioning = match status.as_deref() {
            Some("Enabled") => Versioning::Enabled,
            Some("Suspended") => Versioning::Suspended,
            Some(_) | None => {
                return Err(Refusal::new(
                    400,
                    "IllegalVersioningConfigurationException",
                    "The Versioning element must be specified",
                ));
            }
        };
        Ok(answer::empty(StatusCode::OK))
    }
}

/// 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or a digit at both ends.
pub(super) fn validate_name(name: &str) -> Result<(), Refusal> {
    let allowed = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || ".-".contains(letter)
    };
    let has_dots_together = name.contains("..");
    let is_address = name.parse::<std::net::Ipv4Addr>().is_ok();
    if (3..=63).contains(&name.len())
        && name.chars().all(allowed)
        && !name.starts_with(['.', '-'])
        && !name.ends_with(['.', '-'])
        && !has_dots_together
        && !is_address
    {
        return Ok(());
    }
    let error = ApiError::refused("InvalidBucketName", "The specified bucket is not valid.");
    Err(Refusal::from(error).with("BucketName", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names() {
        for name in ["abc", "my.bucket-1", &"a".repeat(63)] {
            assert!(validate_name(name).is_ok(), "{name}");
        }
        for name in ["ab", "Abc", "a_b", "-abc", "abc.", "a..b", "1.2.3.4", &"a".repeat(64)] {
            assert!(validate_name(name).is_err(), "{name}");
        }
    }
}
