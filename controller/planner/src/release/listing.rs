//! What a repository holds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

/// Everything that a repository held at one time. It is made of a listing that was read to its end, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    images: Vec<ListedImage>,
    read_at: Timestamp,
    signed: BTreeSet<String>,
    /// What may be a signature, by the image it is about; the newest first.
    bundles: BTreeMap<String, Vec<String>>,
}

/// One entry of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedImage {
    /// The manifest's digest, `sha256:…`.
    pub digest: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it was pushed, where the registry says.
    pub pushed_at: Option<Timestamp>,
    /// Whether it can be pulled.
    pub storage: Storage,
    /// The manifest's media type.
    pub manifest_type: Option<String>,
    /// What kind of artifact it is; images name the media type of their configuration.
    pub artifact_type: Option<String>,
    /// The digest of the image that it is about: signatures and attestations name one.
    pub subject: Option<String>,
}

/// Whether an image can be pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// It can.
    Active,
    /// It has to be restored first.
    Archived,
    /// It is being restored.
    Activating,
}

/// What an entry is to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// An image that can be run.
    Runnable,
    /// A signature, an attestation, a chart: nothing that runs.
    Artifact,
    /// An image that cannot be pulled.
    Archived,
}

/// Media types of what containers are made of.
const IMAGE_CONFIGURATIONS: [&str; 2] =
    ["application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json"];
/// Media types of manifests that can be run.
const IMAGE_MANIFESTS: [&str; 6] = [
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];
/// Artifact types of signatures: Notary's, and cosign's before its bundles.
const SIGNATURES: [&str; 2] =
    ["application/vnd.cncf.notary.signature", "application/vnd.dev.cosign.artifact.sig.v1+json"];
/// How the artifact types of Sigstore bundles begin, which hold signatures and attestations alike: only a bundle's manifest
/// tells.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// The most bundles of one image that are looked at.
const BUNDLES_MAX: usize = 100;

impl Listing {
    /// A listing that was read to its end at this time.
    pub fn complete(images: Vec<ListedImage>, read_at: Timestamp) -> Self {
        let signed = images.iter().flat_map(ListedImage::signs).collect();
        let bundles = bundles(&images);
        Self { images, read_at, signed, bundles }
    }

    /// The same, read again and found unchanged.
    #[must_use]
    pub fn confirmed(self, read_at: Timestamp) -> Self {
        Self { read_at, ..self }
    }

    /// The entries.
    pub fn images(&self) -> &[ListedImage] {
        &self.images
    }

    /// When it was read.
    pub fn read_at(&self) -> Timestamp {
        self.read_at
    }

    /// How many tags there are.
    pub fn tag_count(&self) -> usize {
        self.images.iter().map(|image| image.tags.len()).sum()
    }

    /// Whether there is a signature of this image.
    pub(super) fn is_signed(&self, digest: &str) -> bool {
        self.signed.contains(digest)
    }

    /// What may be a signature of this image, the newest first.
    pub(super) fn bundles_of(&self, digest: &str) -> &[String] {
        self.bundles.get(digest).map(Vec::as_slice).unwrap_or_default()
    }
}

fn bundles(images: &[ListedImage]) -> BTreeMap<String, Vec<String>> {
    let is_bundle = |image: &&ListedImage| {
        let kind = image.artifact_type.as_deref();
        kind.is_some_and(|kind| kind.starts_with(BUNDLE)) && image.storage == Storage::Active
    };
    let mut found: Vec<&ListedImage> = images.iter().filter(is_bundle).collect();
    found.sort_by(|one, other| {
        other.pushed_at.cmp(&one.pushed_at).then_with(|| one.digest.cmp(&other.digest))
    });
    // A registry that changes while it is listed can show an entry on two pages.
    found.dedup_by(|one, other| one.digest == other.digest);
    let mut bundles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for image in found {
        let Some(subject) = &image.subject else { continue };
        let known = bundles.entry(subject.clone()).or_default();
        if known.len() < BUNDLES_MAX {
            known.push(image.digest.clone());
        }
    }
    bundles
}

impl ListedImage {
    pub(super) fn standing(&self) -> Standing {
        let is_image = |kind: &Option<String>, known: &[&str]| {
            kind.as_deref().is_none_or(|kind| kind.is_empty() || known.contains(&kind))
        };
        let is_runnable = self.subject.is_none()
            && is_image(&self.manifest_type, &IMAGE_MANIFESTS)
            && is_image(&self.artifact_type, &IMAGE_CONFIGURATIONS);
        match self.storage {
            _ if !is_runnable => Standing::Artifact,
            Storage::Active => Standing::Runnable,
            Storage::Archived | Storage::Activating => Standing::Archived,
        }
    }

    /// The digests that this entry is a signature of.
    fn signs(&self) -> Vec<String> {
        let by_tag = self
            .tags
            .iter()
            .filter_map(|tag| about(tag).filter(|(_, suffix)| *suffix == ".sig"))
            .map(|(digest, _)| digest);
        let is_signature =
            self.artifact_type.as_deref().is_some_and(|kind| SIGNATURES.contains(&kind));
        let by_type = self.subject.clone().filter(|_| is_signature);
        by_tag.chain(by_type).collect()
    }
}

/// What a tag of the form `sha256-….sig` is about, and its ending; such tags name no versions.
pub(super) fn about(tag: &str) -> Option<(String, &str)> {
    let (hash, suffix) = tag.strip_prefix("sha256-")?.split_at_checked(64)?;
    let is_hash = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_known = suffix.is_empty() || suffix.starts_with(['.', '-']);
    (is_hash && is_known).then(|| (format!("sha256:{hash}"), suffix))
}
