//! Layers: an address that ECR signs, in a bucket of its own (aws.md §6.3).

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::Ecr;
use crate::{ApiError, derived, json::required_text};

/// How long an address is good for.
const SIGNED_FOR: SignedDuration = SignedDuration::from_hours(1);
/// How the bucket's name ends; its beginning names the Region.
const BUCKET_END: &str = "-starport-layer-bucket";

impl Ecr {
    /// Where a layer lies. Only configurations are kept, and only those of images that fixtures push.
    pub(super) fn get_download_url_for_layer(
        &self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let repository = self.repository(input)?;
        let digest = required_text(input, "layerDigest")?;
        if !repository.blobs.contains_key(digest) {
            let message = format!(
                "The layer with digest '{digest}' does not exist in the repository with name '{}' in registry with id '{}'",
                repository.name, self.account
            );
            return Err(ApiError::refused("LayersNotFoundException", message));
        }
        let until = now.checked_add(SIGNED_FOR).unwrap_or(now).as_second();
        let path = format!("{}/{}/{digest}", self.account, repository.name);
        let signature = derived::hexadecimal(&format!("{path}/{until}"), 64);
        let region = &self.region;
        let url = format!(
            "https://prod-{region}{BUCKET_END}.s3.{region}.amazonaws.com/{path}?X-Amz-Expires={until}&X-Amz-Signature={signature}"
        );
        Ok(json!({"downloadUrl": url, "layerDigest": digest}))
    }

    /// What lies at an address.
    fn layer(&self, repository: &str, digest: &str) -> Option<&str> {
        self.repositories.get(repository)?.blobs.get(digest).map(String::as_str)
    }
}

/// Lets an address be reached by whoever reached the sandbox under another name than AWS's.
pub(crate) fn at_origin(answer: &mut Value, request: &Request<Bytes>) {
    let authority = authority(request);
    let Some(url) = answer.get_mut("downloadUrl").filter(|_| !is_of_aws(&authority)) else {
        return;
    };
    let local = url.as_str().and_then(|url| {
        let (host, rest) = url.strip_prefix("https://")?.split_once('/')?;
        let (bucket, _) = host.split_once('.')?;
        Some(format!("http://{authority}/{bucket}/{rest}"))
    });
    if let Some(local) = local {
        *url = Value::String(local);
    }
}

/// A request for a layer.
#[derive(Debug)]
pub(crate) struct LayerRequest {
    pub(crate) account: String,
    pub(crate) region: String,
    repository: String,
    digest: String,
    /// Whether the address was signed, and nothing else with it.
    is_plain: bool,
    until: i64,
}

impl LayerRequest {
    /// The layer that a request asks for, if it asks for one.
    pub(crate) fn read(request: &Request<Bytes>) -> Option<Self> {
        let path = percent_decode_str(request.uri().path().trim_start_matches('/'));
        let path = path.decode_utf8().ok()?.into_owned();
        let authority = authority(request);
        let (bucket, key) = match authority.split_once('.') {
            Some((bucket, _)) if bucket.ends_with(BUCKET_END) => (bucket, path.as_str()),
            _ => path.split_once('/')?,
        };
        let region = bucket.strip_suffix(BUCKET_END)?.strip_prefix("prod-")?.to_owned();
        let (account, rest) = key.split_once('/')?;
        let (repository, digest) = rest.rsplit_once('/')?;
        let query = request.uri().query().unwrap_or_default();
        let member = |name: &str| {
            query.split('&').filter_map(|pair| pair.split_once('=')).find(|(own, _)| *own == name)
        };
        let until = member("X-Amz-Expires").and_then(|(_, until)| until.parse().ok());
        let until = until.unwrap_or_default();
        let signature = derived::hexadecimal(&format!("{key}/{until}"), 64);
        let is_signed = member("X-Amz-Signature").is_some_and(|(_, own)| own == signature);
        let is_foreign = |name: &str| name == "authorization" || name.starts_with("x-amz-");
        let is_plain = is_signed && !request.headers().keys().any(|name| is_foreign(name.as_str()));
        let (account, repository) = (account.to_owned(), repository.to_owned());
        Some(Self { account, region, repository, digest: digest.to_owned(), is_plain, until })
    }

    /// What comes back: S3 refuses what is not signed, signed twice or too late.
    pub(crate) fn answer(&self, ecr: &Ecr, now: Timestamp) -> Response<Bytes> {
        let refused = |status: StatusCode, code: &str| {
            let body = format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>");
            (status, Bytes::from(body))
        };
        let (status, body) = if !self.is_plain || now.as_second() > self.until {
            refused(StatusCode::FORBIDDEN, "AccessDenied")
        } else {
            match ecr.layer(&self.repository, &self.digest) {
                Some(layer) => (StatusCode::OK, Bytes::copy_from_slice(layer.as_bytes())),
                None => refused(StatusCode::NOT_FOUND, "NoSuchKey"),
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        response
    }
}

/// The host that a request was sent to.
fn authority(request: &Request<Bytes>) -> String {
    let named = request.uri().authority().map(ToString::to_string);
    let host = || request.headers().get(http::header::HOST)?.to_str().ok().map(str::to_owned);
    named.or_else(host).unwrap_or_default()
}

fn is_of_aws(authority: &str) -> bool {
    let host = authority.to_ascii_lowercase();
    let domain = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    authority.is_empty() || domain("amazonaws.com") || domain("aws")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    /// A registry with one image, and the digest of its configuration.
    fn registry() -> (Ecr, String) {
        let mut ecr = Ecr::new("111122223333", "eu-west-1");
        let image = json!({ "tags": ["v1"], "platform": "linux/arm64" });
        ecr.push_new("shop/web", &serde_json::from_value(image).unwrap(), NOW).unwrap();
        let image = json!({ "repositoryName": "shop/web", "imageIds": [{ "imageTag": "v1" }] });
        let answer = ecr.call("BatchGetImage", &image, NOW).unwrap();
        let manifest = answer["images"][0]["imageManifest"].as_str().unwrap();
        let manifest: Value = serde_json::from_str(manifest).unwrap();
        (ecr, manifest["config"]["digest"].as_str().unwrap().to_owned())
    }

    fn request(url: &str, header: Option<(&str, &str)>) -> Request<Bytes> {
        let mut request = Request::builder().uri(url);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        request.body(Bytes::new()).unwrap()
    }

    /// What a request to an address is answered with.
    fn got(ecr: &Ecr, url: &str, header: Option<(&str, &str)>, now: Timestamp) -> (u16, String) {
        let layer = LayerRequest::read(&request(url, header)).unwrap();
        assert_eq!((layer.account.as_str(), layer.region.as_str()), ("111122223333", "eu-west-1"));
        let answer = layer.answer(ecr, now);
        (answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned())
    }

    #[test]
    fn an_address_is_good_for_an_hour_alone_and_from_anywhere() {
        let (mut ecr, digest) = registry();
        let input = json!({ "repositoryName": "shop/web", "layerDigest": digest });
        let mut answer = ecr.call("GetDownloadUrlForLayer", &input, NOW).unwrap();
        let url = answer["downloadUrl"].as_str().unwrap().to_owned();
        let (status, body) = got(&ecr, &url, None, NOW);
        assert_eq!((status, super::super::manifest::digest(&body)), (200, digest));
        assert!(body.contains("arm64"), "{body}");
        for header in [("authorization", "AWS4-HMAC-SHA256 x"), ("x-amz-date", "20260301T000000Z")]
        {
            assert_eq!(got(&ecr, &url, Some(header), NOW).0, 403, "signed twice");
        }
        let later = NOW.checked_add(SignedDuration::from_mins(61)).unwrap();
        assert_eq!(got(&ecr, &url, None, later).0, 403);
        assert_eq!(got(&ecr, &url.replace("Expires=36", "Expires=96"), None, later).0, 403);
        // Whoever reached the sandbox by another name reaches the layer by it.
        at_origin(&mut answer, &request("http://127.0.0.1:4566/", None));
        let local = answer["downloadUrl"].as_str().unwrap();
        assert!(local.starts_with("http://127.0.0.1:4566/prod-eu-west-1"), "{local}");
        assert_eq!(got(&ecr, local, None, NOW).0, 200);
        let unknown = json!({ "repositoryName": "shop/web", "layerDigest": "sha256:0" });
        let refused = ecr.call("GetDownloadUrlForLayer", &unknown, NOW).unwrap_err();
        assert_eq!(refused.code, "LayersNotFoundException");
        assert!(
            LayerRequest::read(&request("https://specs.s3.amazonaws.com/a/b/c", None)).is_none()
        );
    }
}
