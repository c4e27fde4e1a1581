//! A semantic version, read from a tag.

use std::cmp::Ordering;

use crds::PrereleaseOrder;

/// The longest text that is read as a version or a range.
pub(super) const TEXT_MAX: usize = 256;

/// A semantic version. Build metadata is read and dropped: it has no place in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// Major, minor, patch.
    pub(super) numbers: (u64, u64, u64),
    /// The identifiers of the pre-release; none for a release.
    pub(super) prerelease: Vec<Identifier>,
}

/// One identifier of a pre-release. Numbers come before words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identifier {
    /// A number.
    Number(Digits),
    /// Anything else.
    Word(String),
}

/// A whole number of any size: longer is larger, and of the same length the text decides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Digits {
    length: usize,
    digits: String,
}

impl Digits {
    /// Reads digits; leading zeros do not count.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let digits = text.trim_start_matches('0');
        is_number.then(|| Self { length: digits.len(), digits: digits.to_owned() })
    }

    /// The digits, without leading zeros.
    pub(super) fn as_str(&self) -> &str {
        if self.digits.is_empty() { "0" } else { &self.digits }
    }
}

impl Version {
    /// Reads `1.2.3`, `v1.2.3`, `1.2.3-rc.1`, `1.2.3+build`. Tags cannot hold `+`, so `_` stands for it, as in Helm's charts.
    pub(super) fn parse(text: &str, order: PrereleaseOrder) -> Option<Self> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = match text.split_once(['+', '_']) {
            Some((version, build)) if is_build(build) => version,
            Some(_) => return None,
            None => text,
        };
        let (numbers, prerelease) = match text.split_once('-') {
            Some((numbers, prerelease)) => (numbers, identifiers(prerelease, order)?),
            None => (text, Vec::new()),
        };
        let mut parts = numbers.split('.').map(number);
        let numbers = (parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(Self { numbers, prerelease })
    }

    /// Whether it is a pre-release.
    pub(super) fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }

    /// The release that it leads to; a release leads to itself.
    pub(super) fn release(&self) -> Self {
        Self { numbers: self.numbers, prerelease: Vec::new() }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let releases_last = other.is_prerelease().cmp(&self.is_prerelease());
        self.numbers
            .cmp(&other.numbers)
            .then(releases_last)
            .then_with(|| self.prerelease.cmp(&other.prerelease))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A number of a version: no sign, no leading zero.
pub(super) fn number(text: &str) -> Option<u64> {
    let is_plain = text == "0" || !text.starts_with('0');
    let is_number = is_plain && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The identifiers of a pre-release, as far as they are valid.
///
/// In numeric order words are cut where digits begin and end: `rc10` is `rc.10`. So one order holds for tags and for the
/// ends of ranges, whoever compares them.
pub(super) fn identifiers(text: &str, order: PrereleaseOrder) -> Option<Vec<Identifier>> {
    let mut identifiers = Vec::new();
    for text in text.split('.') {
        let is_valid = !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_valid {
            return None;
        }
        match order {
            PrereleaseOrder::Semver if is_padded(text) => return None,
            PrereleaseOrder::Semver => identifiers.push(identifier(text)),
            PrereleaseOrder::Numeric => {
                identifiers.extend(
                    text.as_bytes()
                        .chunk_by(|one, next| one.is_ascii_digit() == next.is_ascii_digit())
                        .filter_map(|run| std::str::from_utf8(run).ok())
                        .map(identifier),
                );
            }
        }
    }
    Some(identifiers)
}

fn identifier(text: &str) -> Identifier {
    Digits::parse(text).map_or_else(|| Identifier::Word(text.to_owned()), Identifier::Number)
}

/// A number with leading zeros, which semantic versioning forbids.
fn is_padded(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_build(text: &str) -> bool {
    text.split('.').all(|identifier| {
        let mut bytes = identifier.bytes();
        !identifier.is_empty()
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

/// Identifiers as text, joined by dots.
pub(super) fn joined(identifiers: &[Identifier]) -> String {
    let texts: Vec<&str> = identifiers
        .iter()
        .map(|identifier| match identifier {
            Identifier::Number(digits) => digits.as_str(),
            Identifier::Word(word) => word,
        })
        .collect();
    texts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Option<Version> {
        Version::parse(text, PrereleaseOrder::Semver)
    }

    #[test]
    fn the_order_is_that_of_semantic_versioning() {
        let ordered = [
            "0.9.0",
            "1.0.0-0",
            "1.0.0-1",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0-rc10",
            "1.0.0-rc9",
            "1.0.0",
            "1.0.1",
            "1.2.0",
            "1.10.0",
            "2.0.0",
        ];
        for pair in ordered.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn numbers_inside_words_count_when_asked() {
        let numeric = |text: &str| Version::parse(text, PrereleaseOrder::Numeric).unwrap();
        let ordered =
            ["1.0.0-beta2", "1.0.0-rc", "1.0.0-rc9", "1.0.0-rc10", "1.0.0-rc10a", "1.0.0"];
        for pair in ordered.windows(2) {
            assert!(numeric(pair[0]) < numeric(pair[1]), "{pair:?}");
        }
        assert_eq!(numeric("1.0.0-rc09"), numeric("1.0.0-rc.9"));
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in [
            "",
            "v",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1.02.3",
            "1.2.03",
            "1.2.x",
            "1.2.3-",
            "1.2.3-.",
            "1.2.3-a..b",
            "1.2.3-01",
            "1.2.3-ä",
            "1.2.3+",
            "1.2.3+a+b",
            "1.2.3_",
            "vv1.2.3",
            "V1.2.3",
            " 1.2.3",
            "1.2.3 ",
            "-1.2.3",
            "+1.2.3",
            "1.2.18446744073709551616",
            "latest",
        ] {
            assert_eq!(version(text), None, "{text}");
        }
        assert_eq!(version(&format!("1.2.3-{}", "a".repeat(TEXT_MAX))), None);
    }

    #[test]
    fn prefix_and_build_make_no_other_version() {
        for text in ["v1.2.3", "1.2.3+5", "1.2.3_5", "v1.2.3_git.abc-1"] {
            assert_eq!(version(text), version("1.2.3"), "{text}");
        }
        assert_eq!(version("1.2.3-rc.1_5"), version("1.2.3-rc.1"));
    }

    #[test]
    fn digits_of_any_length_are_numbers() {
        let digits = |text| Digits::parse(text).unwrap();
        assert!(digits("99999999999999999999999") < digits("100000000000000000000000"));
        assert_eq!(digits("007"), digits("7"));
        assert_eq!(digits("000").as_str(), "0");
        assert_eq!(Digits::parse(""), None);
        assert_eq!(Digits::parse("-1"), None);
    }
}
