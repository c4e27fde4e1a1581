//! What is known of single images beside the listing, and of the release that goes ahead.

use std::collections::BTreeMap;
use std::fmt;

use crds::FindingSeverity;
use jiff::{SignedDuration, Timestamp};

/// What was read about images. What is missing here has not been read, which is never the same as not being there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// By digest.
    pub images: BTreeMap<String, ImageFacts>,
    /// What the bundles hold that are attached to images, by the bundles' digests.
    pub bundles: BTreeMap<String, Bundle>,
    /// What the services of the release run on, which a version must fit where the rule names no platforms.
    pub runs_on: Vec<Platform>,
    /// What is known of the release that goes ahead.
    pub ahead: Option<Ahead>,
    /// The tags of the application's Git repository by name, where they have been read.
    pub git: Option<BTreeMap<String, GitTag>>,
}

/// One tag of a Git repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitTag {
    /// The commit that it names.
    pub commit: String,
    /// When it was first seen without its image; `None` where the image was there already.
    pub noticed_at: Option<Timestamp>,
    /// Whether somebody who may sign has signed it.
    pub trust: Trust,
}

/// Whether a Git tag can be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Its signature has not been looked at.
    Unread,
    /// It is signed by somebody who may sign.
    Signed,
    /// It is not: why.
    Refused(String),
}

/// What was read about one image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// What it runs on.
    pub platforms: Option<Offer>,
    /// What the registry's scan said.
    pub scan: Option<Scan>,
}

/// What an image runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// On these; none where it does not say.
    Platforms(Vec<Platform>),
    /// It may say so, and cannot be read: why.
    Unreadable(String),
}

/// What a Sigstore bundle holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bundle {
    /// A signature of the image.
    Signature,
    /// Something that is said about the image, as its provenance or its parts; or it does not tell.
    Statement,
}

/// What a registry's scan of an image said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// The image has not been scanned.
    Missing,
    /// It is being scanned.
    InProgress,
    /// It could not be scanned: why.
    Failed(String),
    /// It was scanned.
    Complete(Vec<ScanFinding>),
}

/// One finding of a scan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScanFinding {
    /// Its name, as `CVE-2026-12345`.
    pub id: String,
    /// How severe it is.
    pub severity: FindingSeverity,
}

/// What is known of the release that goes ahead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ahead {
    /// The image that it has in force.
    pub in_force: Option<String>,
    /// Whether all of its services are known to run that image well at this moment.
    pub is_watched: bool,
    /// The times in which it ran an image well.
    pub stays: Vec<Stay>,
}

/// A time in which the release that goes ahead ran one image well, as far as somebody looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The tag it was chosen by.
    pub tag: String,
    /// The image.
    pub digest: String,
    /// When its rollout had ended well.
    pub since: Timestamp,
    /// When it was last seen to run well. What came after that is not known and does not count.
    pub seen: Timestamp,
    /// Whether nothing has ended it.
    pub lasts: bool,
}

impl Stay {
    /// How long it is known to have run well.
    pub(super) fn length(&self) -> SignedDuration {
        self.seen.duration_since(self.since)
    }
}

/// An operating system and an architecture.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Platform {
    /// Reads `linux/amd64` or `linux/arm64/v8`.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let is_word = |part: &&str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        if !parts.iter().all(is_word) {
            return None;
        }
        let (os, architecture, variant) = match parts.as_slice() {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some((*variant).to_owned())),
            _ => return None,
        };
        Some(Self { os: (*os).to_owned(), architecture: (*architecture).to_owned(), variant })
    }

    /// Whether an image for `self` runs where `wanted` is asked for.
    pub(super) fn fits(&self, wanted: &Platform) -> bool {
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (wanted.variant.is_none()
                || self.variant.is_none()
                || self.variant == wanted.variant)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}
