//! Image manifests and indexes: what ECR reads from them, and those that fixtures are made of.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::invalid;
use crate::{ApiError, derived};

pub(super) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const SIGSTORE_BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A manifest and what it says about itself.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    /// The exact text: its digest names the image.
    pub(super) text: String,
    /// `sha256:` and the digest of the text.
    pub(super) digest: String,
    /// Of the manifest itself.
    pub(super) media_type: String,
    /// What the image is: its artifact type, else the media type of its configuration.
    pub(super) artifact_media_type: Option<String>,
    /// The image that this one belongs to: a signature's or an attestation's.
    pub(super) subject: Option<String>,
    /// The digests that an index refers to.
    pub(super) children: Vec<String>,
    /// Bytes of configuration and layers; an index takes the size of its largest child.
    pub(super) layer_bytes: u64,
}

impl Manifest {
    /// Reads a manifest; `media_type` is the one that came with it.
    pub(super) fn parse(text: &str, media_type: Option<&str>) -> Result<Self, ApiError> {
        let body: Value =
            serde_json::from_str(text).map_err(|_| malformed("Invalid JSON syntax"))?;
        if !body.is_object() {
            return Err(malformed("must be a JSON object"));
        }
        let children: Option<Vec<String>> =
            body.get("manifests").and_then(Value::as_array).map(|rows| digests(rows));
        let own = body.get("mediaType").and_then(Value::as_str);
        if own.zip(media_type).is_some_and(|(own, given)| own != given) {
            return Err(malformed("the media type differs from the one of the manifest"));
        }
        let preset = if children.is_some() { OCI_INDEX } else { OCI_MANIFEST };
        let config = body.get("config");
        if children.is_none() && config.is_none() {
            return Err(malformed("Invalid manifest: neither a configuration nor child manifests"));
        }
        let artifact =
            body.get("artifactType").and_then(Value::as_str).filter(|kind| !kind.is_empty());
        let config_type = config.and_then(|config| config.get("mediaType")).and_then(Value::as_str);
        let subject = body.pointer("/subject/digest").and_then(Value::as_str);
        let layers = body.get("layers").and_then(Value::as_array).into_iter().flatten();
        let layer_bytes =
            layers.chain(config).filter_map(|layer| layer.get("size")?.as_u64()).sum();
        Ok(Self {
            text: text.to_owned(),
            digest: digest(text),
            media_type: own.or(media_type).unwrap_or(preset).to_owned(),
            artifact_media_type: artifact.or(config_type).map(str::to_owned),
            subject: subject.map(str::to_owned),
            children: children.unwrap_or_default(),
            layer_bytes,
        })
    }
}

/// `sha256:` and the digest.
pub(super) fn digest(text: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(text)))
}

/// The configuration of a runnable image: what it runs on, `linux/arm64/v8`.
pub(super) fn configuration(platform: &str) -> String {
    let mut parts = platform.split('/');
    let os = parts.next().unwrap_or("linux");
    let architecture = parts.next().unwrap_or("amd64");
    let configuration = json!({
        "os": os,
        "architecture": architecture,
        "variant": parts.next(),
        "config": {"Entrypoint": ["/app"]},
        "rootfs": {"type": "layers", "diff_ids": []},
    });
    crate::json::without_nulls(configuration).to_string()
}

/// The manifest of a runnable image with this configuration whose layer is named by `seed`.
pub(super) fn image(seed: &str, configuration: &str, size: u64) -> String {
    let rest = size.saturating_sub(length(configuration));
    let layers = [("application/vnd.oci.image.layer.v1.tar+gzip", rest)];
    artifact(seed, configuration, &layers).to_string()
}

/// The manifest of the attestations that a builder adds for one platform's image.
pub(super) fn attestation(subject: &str) -> String {
    let layers = [("application/vnd.in-toto+json", 9_000)];
    artifact(&format!("{subject}/attestation"), "{}", &layers).to_string()
}

/// The manifest of a signature.
pub(super) fn signature(subject: &str) -> String {
    let layers = [("application/vnd.dev.cosign.simplesigning.v1+json", 250)];
    artifact(&format!("{subject}/signature"), "{}", &layers).to_string()
}

/// The manifest of a Sigstore bundle about an image, which says what statement it holds.
pub(super) fn bundle(subject: &Manifest, predicate: &str) -> String {
    let seed = format!("{}/{predicate}", subject.digest);
    let mut manifest = artifact(&seed, "{}", &[(SIGSTORE_BUNDLE, 4_000)]);
    if let Some(members) = manifest.as_object_mut() {
        members.insert("artifactType".to_owned(), json!(SIGSTORE_BUNDLE));
        members.insert(
            "subject".to_owned(),
            json!({
                "mediaType": subject.media_type,
                "digest": subject.digest,
                "size": subject.text.len(),
            }),
        );
        members.insert(
            "annotations".to_owned(),
            json!({
                "dev.sigstore.bundle.content": "dsse-envelope",
                "dev.sigstore.bundle.predicateType": predicate,
            }),
        );
    }
    manifest.to_string()
}

/// An index over the images of several platforms and their attestations.
pub(super) fn index(images: &[(String, Manifest)], attestations: &[(String, Manifest)]) -> String {
    let platforms = images.iter().map(|(platform, image)| {
        let (os, architecture) = platform.split_once('/').unwrap_or(("linux", platform));
        descriptor(image, &json!({"os": os, "architecture": architecture}), &Value::Null)
    });
    let attested = attestations.iter().map(|(subject, attestation)| {
        descriptor(
            attestation,
            &json!({"os": "unknown", "architecture": "unknown"}),
            &json!({
                "vnd.docker.reference.digest": subject,
                "vnd.docker.reference.type": "attestation-manifest",
            }),
        )
    });
    let manifests: Vec<Value> = platforms.chain(attested).collect();
    json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}).to_string()
}

fn descriptor(manifest: &Manifest, platform: &Value, annotations: &Value) -> Value {
    crate::json::without_nulls(json!({
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": manifest.text.len(),
        "platform": platform,
        "annotations": annotations,
    }))
}

fn artifact(seed: &str, configuration: &str, layers: &[(&str, u64)]) -> Value {
    let content =
        |name: &str| format!("sha256:{}", derived::hexadecimal(&format!("{seed}/{name}"), 64));
    let layers: Vec<Value> = layers
        .iter()
        .map(|(media_type, size)| {
            json!({"mediaType": media_type, "digest": content(media_type), "size": size})
        })
        .collect();
    json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {
            "mediaType": OCI_CONFIG,
            "digest": digest(configuration),
            "size": length(configuration),
        },
        "layers": layers,
    })
}

fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

fn digests(rows: &[Value]) -> Vec<String> {
    let digests = rows.iter().filter_map(|row| row.get("digest")?.as_str());
    digests.map(str::to_owned).collect()
}

fn malformed(rule: &str) -> ApiError {
    invalid(format!("Invalid parameter at 'ImageManifest' failed to satisfy constraint: '{rule}'"))
}
