//! The place of a version in the order of its policy; the last one wins.

use std::cmp::Reverse;

use crds::{AlphabeticalOrder, NumericOrder, PrereleaseOrder};

use super::range::{Fit, Range};
use super::version::{Digits, Version};

/// How versions are ordered and which of them are wanted.
#[derive(Debug, Clone)]
pub(super) enum Policy {
    /// Semantic versions in a range.
    Semver { range: Range, order: PrereleaseOrder },
    /// Whole numbers.
    Numeric(NumericOrder),
    /// Texts.
    Alphabetical(AlphabeticalOrder),
    /// One tag, wherever it is moved.
    Tag(String),
}

/// The place of a version. Only ranks of one policy are ever compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Version(Version),
    Highest(Digits),
    Lowest(Reverse<Digits>),
    Last(String),
    First(Reverse<String>),
    /// A tag that is moved has no order: what it names now is what is wanted.
    Moving,
}

/// What a policy makes of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ranked {
    /// It is wanted.
    Candidate(Rank),
    /// It is a pre-release that the range does not take.
    Prerelease(Rank),
    /// It is a version, but not in the range.
    OutOfRange(Rank),
    /// It is none of this policy's versions.
    NoVersion,
}

impl Policy {
    /// The place of a version, wanted or not; `None` for a text that is no version in this policy.
    pub(super) fn rank(&self, version: &str) -> Option<Rank> {
        match self {
            Policy::Semver { order, .. } => Version::parse(version, *order).map(Rank::Version),
            Policy::Numeric(NumericOrder::Highest) => Digits::parse(version).map(Rank::Highest),
            Policy::Numeric(NumericOrder::Lowest) => {
                Digits::parse(version).map(|digits| Rank::Lowest(Reverse(digits)))
            }
            Policy::Alphabetical(AlphabeticalOrder::Last) => Some(Rank::Last(version.to_owned())),
            Policy::Alphabetical(AlphabeticalOrder::First) => {
                Some(Rank::First(Reverse(version.to_owned())))
            }
            Policy::Tag(tag) => (tag == version).then_some(Rank::Moving),
        }
    }

    /// Whether a version is wanted, and its place.
    pub(super) fn judge(&self, version: &str) -> Ranked {
        let Some(rank) = self.rank(version) else { return Ranked::NoVersion };
        match (self, rank) {
            (Policy::Semver { range, .. }, Rank::Version(version)) => match range.fit(&version) {
                Fit::Inside => Ranked::Candidate(Rank::Version(version)),
                Fit::Prerelease => Ranked::Prerelease(Rank::Version(version)),
                Fit::Outside => Ranked::OutOfRange(Rank::Version(version)),
            },
            (_, rank) => Ranked::Candidate(rank),
        }
    }

    /// The winner's distinction, as `highest version in >=1.0.0`.
    pub(super) fn superlative(&self) -> String {
        match self {
            Policy::Semver { range, .. } => format!("the highest version in `{}`", range.as_str()),
            Policy::Numeric(NumericOrder::Highest) => "the highest number".to_owned(),
            Policy::Numeric(NumericOrder::Lowest) => "the lowest number".to_owned(),
            Policy::Alphabetical(AlphabeticalOrder::Last) => "the last in the alphabet".to_owned(),
            Policy::Alphabetical(AlphabeticalOrder::First) => {
                "the first in the alphabet".to_owned()
            }
            Policy::Tag(tag) => format!("the image that the tag {tag} names"),
        }
    }

    /// Whether digests follow one tag instead of an order.
    pub(super) fn is_moving(&self) -> bool {
        matches!(self, Policy::Tag(_))
    }
}
