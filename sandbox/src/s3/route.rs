//! What a request asks for: bucket, key, query, and the operation that they make together with the method.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request};
use percent_encoding::percent_decode_str;

use super::answer::Refusal;

/// A request taken apart.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) request: &'a Request<Bytes>,
    /// Empty when the request is about the account.
    pub(super) bucket: String,
    /// Empty when the request is about the bucket.
    pub(super) key: String,
    query: BTreeMap<String, String>,
}

impl<'a> Call<'a> {
    /// Virtual-hosted requests name the bucket in the host, the others in the first segment of the path.
    pub(super) fn parse(request: &'a Request<Bytes>) -> Result<Self, Refusal> {
        let path = request.uri().path().trim_start_matches('/');
        let (bucket, key) = if let Some(bucket) = bucket_of_host(&host(request)) {
            (bucket, path)
        } else {
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            (decode(bucket)?, key)
        };
        let mut query = BTreeMap::new();
        for pair in
            request.uri().query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty())
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.insert(decode(name)?, decode(&value.replace('+', " "))?);
        }
        let key = decode(key)?;
        if key.len() > 1024 {
            return Err(Refusal::new(400, "KeyTooLongError", "Your key is too long"));
        }
        Ok(Self { request, bucket, key, query })
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// A header's text, if it has one that can be read.
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    pub(super) fn operation(&self) -> &'static str {
        let has = |name: &str| self.query.contains_key(name);
        match (self.request.method(), self.bucket.is_empty(), self.key.is_empty()) {
            (&Method::GET, true, _) => "ListBuckets",
            (_, true, _) => "Unknown",
            (method, false, true) => bucket_operation(method, has),
            (method, false, false) => {
                object_operation(method, has, self.header("x-amz-copy-source"))
            }
        }
    }
}

fn bucket_operation(method: &Method, has: impl Fn(&str) -> bool) -> &'static str {
    const SUBRESOURCES: [&str; 12] = [
        "acl",
        "cors",
        "encryption",
        "lifecycle",
        "logging",
        "notification",
        "object-lock",
        "policy",
        "replication",
        "tagging",
        "uploads",
        "website",
    ];
    let is_other = SUBRESOURCES.iter().any(|name| has(name));
    match *method {
        _ if is_other => "Unknown",
        Method::GET if has("location") => "GetBucketLocation",
        Method::GET if has("versioning") => "GetBucketVersioning",
        Method::GET if has("versions") => "ListObjectVersions",
        Method::GET if has("list-type") => "ListObjectsV2",
        Method::GET => "ListObjects",
        Method::HEAD => "HeadBucket",
        Method::PUT if has("versioning") => "PutBucketVersioning",
        Method::PUT => "CreateBucket",
        Method::DELETE => "DeleteBucket",
        Method::POST if has("delete") => "DeleteObjects",
        _ => "Unknown",
    }
}

fn object_operation(
    method: &Method,
    has: impl Fn(&str) -> bool,
    copy_source: Option<&str>,
) -> &'static str {
    const SUBRESOURCES: [&str; 6] =
        ["acl", "attributes", "legal-hold", "restore", "retention", "tagging"];
    let is_other = copy_source.is_some() || SUBRESOURCES.iter().any(|name| has(name));
    match *method {
        _ if is_other => "Unknown",
        Method::POST if has("uploads") => "CreateMultipartUpload",
        Method::PUT if has("uploadId") => "UploadPart",
        Method::POST if has("uploadId") => "CompleteMultipartUpload",
        Method::DELETE if has("uploadId") => "AbortMultipartUpload",
        _ if has("uploadId") => "Unknown",
        Method::GET => "GetObject",
        Method::HEAD => "HeadObject",
        Method::PUT => "PutObject",
        Method::DELETE => "DeleteObject",
        _ => "Unknown",
    }
}

fn host(request: &Request<Bytes>) -> String {
    let header = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
    let host = header.or_else(|| request.uri().host()).unwrap_or_default();
    host.split_once(':').map_or(host, |(name, _)| name).to_owned()
}

/// `bucket.s3.eu-west-1.amazonaws.com`, `bucket.s3.amazonaws.com`, `bucket.localhost`.
fn bucket_of_host(host: &str) -> Option<String> {
    let amazon = host.find(".s3.").or_else(|| host.find(".s3-"));
    let bucket = match amazon {
        Some(at) => host.get(..at)?,
        None => host.strip_suffix(".localhost")?,
    };
    (!bucket.is_empty() && bucket != "s3").then(|| bucket.to_owned())
}

fn decode(text: &str) -> Result<String, Refusal> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Refusal::new(400, "InvalidURI", "Couldn't parse the specified URI."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles_name_the_same_object() {
        for (uri, bucket, key) in [
            ("http://127.0.0.1:4566/specs/a/b%20c.yaml", "specs", "a/b c.yaml"),
            ("https://s3.eu-west-1.amazonaws.com/specs/a", "specs", "a"),
            ("https://specs.s3.eu-west-1.amazonaws.com/a/b", "specs", "a/b"),
            ("https://my.dotted.s3.amazonaws.com/a", "my.dotted", "a"),
            ("http://specs.localhost:9/a%2Bb", "specs", "a+b"),
            ("http://127.0.0.1/", "", ""),
            ("http://127.0.0.1/specs?list-type=2", "specs", ""),
        ] {
            let request = Request::get(uri).body(Bytes::new()).unwrap();
            let call = Call::parse(&request).unwrap();
            assert_eq!((call.bucket.as_str(), call.key.as_str()), (bucket, key), "{uri}");
        }
    }

    #[test]
    fn method_and_query_make_the_operation() {
        for (method, target, expected) in [
            ("GET", "/", "ListBuckets"),
            ("GET", "/b?list-type=2&prefix=x", "ListObjectsV2"),
            ("GET", "/b?versions", "ListObjectVersions"),
            ("GET", "/b?policy", "Unknown"),
            ("POST", "/b?delete", "DeleteObjects"),
            ("PUT", "/b/k", "PutObject"),
            ("PUT", "/b/k?uploadId=1&partNumber=1", "UploadPart"),
            ("GET", "/b/k?uploadId=1", "Unknown"),
            ("POST", "/b/k?uploads", "CreateMultipartUpload"),
            ("HEAD", "/b/k", "HeadObject"),
            ("POST", "/b/k", "Unknown"),
        ] {
            let request = Request::builder().method(method).uri(target).body(Bytes::new()).unwrap();
            assert_eq!(Call::parse(&request).unwrap().operation(), expected, "{method} {target}");
        }
    }
}
