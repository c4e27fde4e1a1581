//! Which of several tags names the newest version that a range allows.
//!
//! What comes in: names of tags with what each stands for (a commit, a digest), in any order. What leaves: one of them, the
//! same for every order, or why none can be chosen.

use std::cmp::Ordering;
use std::fmt;

use crds::{PrereleaseOrder, Prereleases, RangeStyle};

use super::range::{self, Fit};
use super::version::Version;

/// Which versions are allowed, as npm writes it: `>=1.4 <2`, `^1.4`, `1.x || 3.x`; commas may stand between comparators.
///
/// A pre-release is allowed only where the range names one of the same version: `>=1.0.0-rc.1`.
#[derive(Debug, Clone)]
pub struct Range(range::Range);

impl PartialEq for Range {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Range {}

/// The tag that won.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// The tag's name.
    pub tag: String,
    /// What it stands for.
    pub target: String,
}

/// Why there is no winner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoWinner {
    /// No tag is a version that the range allows.
    NothingFits {
        /// How many tags there are.
        tags: usize,
    },
    /// Two tags are the same version and stand for different things.
    Ambiguous {
        /// Both tags, in the order of their names.
        tags: [String; 2],
    },
}

impl Range {
    /// Reads a range.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (order, prereleases) = (PrereleaseOrder::Semver, Prereleases::Named);
        range::Range::parse(text, RangeStyle::Npm, order, prereleases)
            .map(Self)
            .map_err(|error| format!("{}: {}", error.message, error.hint))
    }

    fn allows(&self, version: &Version) -> bool {
        self.0.fit(version) == Fit::Inside
    }

    /// The newest of the tags that the range allows.
    pub fn newest<'a>(
        &self,
        tags: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Newest, NoWinner> {
        let mut seen = 0;
        let mut best: Vec<Candidate<'a>> = Vec::new();
        for (tag, target) in tags {
            seen += 1;
            let Some(version) = version_of(tag).filter(|version| self.allows(version)) else {
                continue;
            };
            match best.first().map(|best| version.cmp(&best.version)) {
                Some(Ordering::Less) => continue,
                Some(Ordering::Greater) => best.clear(),
                Some(Ordering::Equal) | None => {}
            }
            best.push(Candidate { tag, target, version });
        }
        best.sort_by_key(|candidate| candidate.tag);
        let twin =
            best.iter().find(|other| best.first().is_some_and(|one| one.target != other.target));
        let twin = twin.map(|other| other.tag.to_owned());
        match (best.into_iter().next(), twin) {
            (None, _) => Err(NoWinner::NothingFits { tags: seen }),
            (Some(one), Some(other)) => {
                Err(NoWinner::Ambiguous { tags: [one.tag.to_owned(), other] })
            }
            (Some(Candidate { tag, target, .. }), None) => {
                Ok(Newest { tag: tag.to_owned(), target: target.to_owned() })
            }
        }
    }
}

struct Candidate<'a> {
    tag: &'a str,
    target: &'a str,
    version: Version,
}

/// The version that a tag names: `v1.2.3` and `1.2.3` are the same one.
fn version_of(tag: &str) -> Option<Version> {
    Version::parse(tag, PrereleaseOrder::Semver)
}

/// Which of two tags names the newer version; `None` where one of them names none.
pub fn compare(one: &str, other: &str) -> Option<Ordering> {
    Some(version_of(one)?.cmp(&version_of(other)?))
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl fmt::Display for NoWinner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingFits { tags } => {
                write!(f, "none of {tags} tags is a version that it allows")
            }
            Self::Ambiguous { tags: [one, other] } => {
                write!(f, "tags {one} and {other} are the same version and name different commits")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each tag stands for itself, unless it is written `tag=target`.
    fn winner(range: &str, tags: &str) -> String {
        let range = Range::parse(range).unwrap();
        let tags = tags.split_whitespace().map(|tag| tag.split_once('=').unwrap_or((tag, tag)));
        match range.newest(tags) {
            Ok(newest) => newest.tag,
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_newest_version_that_fits_wins() {
        let none = |count: usize| format!("none of {count} tags is a version that it allows");
        for (range, tags, expected) in [
            (">=1.0", "v1.0.0 v1.10.0 v1.9.0", "v1.10.0"),
            (">=1.0", "v1.10.0 v1.9.0 v1.0.0", "v1.10.0"),
            (">=1.0 <2", "1.9.9 2.0.0 2.1.0", "1.9.9"),
            (">=1.0, <2", "1.9.9 2.0.0", "1.9.9"),
            ("^1.4", "1.3.9 1.4.0 1.5.0 2.0.0", "1.5.0"),
            ("~1.4.2", "1.4.1 1.4.9 1.5.0", "1.4.9"),
            ("1.x || 3.x", "1.0.0 2.0.0 3.0.1", "3.0.1"),
            ("*", "v0.1.0 latest main v0.2.0", "v0.2.0"),
            (">=1.0", "v2.0.0-rc.1 v1.9.0", "v1.9.0"),
            (">=2.0.0-rc.1", "v2.0.0-rc.2 v2.0.0-rc.10 v1.9.0", "v2.0.0-rc.10"),
            (">=2.0.0-rc.1", "v2.0.0-rc.2 v2.0.0", "v2.0.0"),
            (">=1.0", "v1.0 v1 release-1.2.3 01.2.3 1.2.3.4", &none(5)),
            (">=1.0", "", &none(0)),
            (">=1.0", "v0.9.9", &none(1)),
        ] {
            assert_eq!(winner(range, tags), expected, "{range} of {tags}");
        }
    }

    #[test]
    fn twins_are_one_version_where_they_name_one_commit_and_no_choice_where_not() {
        for tags in ["v1.0.1=a 1.0.1=a", "1.0.1=a v1.0.1=a"] {
            assert_eq!(winner(">=1", tags), "1.0.1");
        }
        let ambiguous = "tags 1.0.1 and v1.0.1 are the same version and name different commits";
        for tags in ["v1.0.1=a 1.0.1=b", "1.0.1=b 1.0.0=c v1.0.1=a"] {
            assert_eq!(winner(">=1", tags), ambiguous);
        }
        assert_eq!(winner(">=1", "1.0.1=a v1.0.1=b 1.0.2=c"), "1.0.2");
        assert!(winner(">=1", "1.0.1+x=a 1.0.1+y=b").starts_with("tags 1.0.1+x and 1.0.1+y"));
    }

    #[test]
    fn two_tags_are_compared_as_versions() {
        for (one, other, expected) in [
            ("v1.10.0", "1.9.0", Some(Ordering::Greater)),
            ("1.0.0-rc.1", "1.0.0", Some(Ordering::Less)),
            ("v1.0.0", "1.0.0", Some(Ordering::Equal)),
            ("latest", "1.0.0", None),
            ("1.0.0", "latest", None),
        ] {
            assert_eq!(compare(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn a_range_is_what_was_written() {
        let range = |text: &str| Range::parse(text).unwrap();
        assert_eq!(range(">=1.0 <2").to_string(), ">=1.0 <2");
        assert!(range("^1") == range("^1") && range("^1") != range("^2"));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", "  ", "latest", ">=", "1.0.0.0.0 ||| x"] {
            assert!(Range::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_order_of_a_listing_means_nothing(
            versions in proptest::collection::vec((0_u64..3, 0_u64..3, any::<bool>(), 0_u8..2), 1..12),
            turn in 0_usize..12,
        ) {
            let tags: Vec<(String, String)> = versions
                .iter()
                .map(|(minor, patch, has_v, target)| {
                    (format!("{}1.{minor}.{patch}", if *has_v { "v" } else { "" }), target.to_string())
                })
                .collect::<std::collections::BTreeMap<_, _>>()
                .into_iter()
                .collect();
            let range = Range::parse("^1").unwrap();
            let newest = |tags: &[(String, String)]| {
                range.newest(tags.iter().map(|(tag, target)| (tag.as_str(), target.as_str())))
            };
            let mut turned = tags.clone();
            turned.rotate_left(turn % tags.len());
            prop_assert_eq!(newest(&tags), newest(&turned));
            turned.reverse();
            prop_assert_eq!(newest(&tags), newest(&turned));
        }
    }
}
