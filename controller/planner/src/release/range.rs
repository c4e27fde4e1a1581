//! Ranges of semantic versions, in npm's style and in Cargo's.
//!
//! The text is read strictly here, comparator by comparator, so that nothing of it can be passed over in silence. What it
//! means is left to the two crates that know those styles.

use crds::{PrereleaseOrder, Prereleases, RangeStyle};
use semver::{Comparator, Op, VersionReq};

use super::sentence::quoted;
use super::version::{Identifier, TEXT_MAX, Version, identifiers, joined, number};

/// Comparison signs, the longer ones first.
const SIGNS: [&str; 7] = [">=", "<=", ">", "<", "=", "~", "^"];

/// The most comparators that Cargo's reader takes.
const CARGO_COMPARATORS_MAX: usize = 32;

/// A range of versions.
#[derive(Debug, Clone)]
pub(super) struct Range {
    text: String,
    meaning: Meaning,
    prereleases: Prereleases,
}

#[derive(Debug, Clone)]
enum Meaning {
    /// Alternatives, each of comparators that must all hold.
    ///
    /// They are kept apart because the crate reads two comparators that contradict each other as alternatives.
    Npm(Vec<Vec<nodejs_semver::Range>>),
    Cargo(VersionReq),
}

/// Whether a version is in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is.
    Inside,
    /// It would be, were it no pre-release.
    Prerelease,
    /// It is not.
    Outside,
}

/// What is wrong with a range, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RangeError {
    pub(super) message: String,
    pub(super) hint: &'static str,
}

impl Range {
    /// Reads a range.
    pub(super) fn parse(
        text: &str,
        style: RangeStyle,
        order: PrereleaseOrder,
        prereleases: Prereleases,
    ) -> Result<Self, RangeError> {
        if text.len() > TEXT_MAX {
            let message = format!("the range is longer than {TEXT_MAX} characters");
            return Err(RangeError { message, hint: "write a shorter one" });
        }
        let sets = sets(text, style, order)?;
        let meaning = match style {
            RangeStyle::Npm => {
                sets.iter().map(|set| npm_set(set)).collect::<Option<_>>().map(Meaning::Npm)
            }
            RangeStyle::Cargo => cargo_set(sets.concat())?.map(Meaning::Cargo),
        };
        let meaning = meaning.ok_or_else(|| RangeError {
            message: format!("no version can be in the range {}", quoted(text)),
            hint: "the lower end has to be below the upper one",
        })?;
        Ok(Self { text: text.trim().to_owned(), meaning, prereleases })
    }

    /// The range as it was written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a version is in the range.
    pub(super) fn fit(&self, version: &Version) -> Fit {
        if self.names(version) {
            return Fit::Inside;
        }
        if !version.is_prerelease() || !self.names(&version.release()) {
            return Fit::Outside;
        }
        match self.prereleases {
            Prereleases::Named => Fit::Prerelease,
            Prereleases::Included if self.spans(version) => Fit::Inside,
            Prereleases::Included => Fit::Outside,
        }
    }

    /// Whether the version is in the range by the rule of both styles, which takes pre-releases of a named version only.
    fn names(&self, version: &Version) -> bool {
        match &self.meaning {
            Meaning::Npm(sets) => {
                let version = npm(version);
                sets.iter().any(|set| {
                    spans(set, &version)
                        && (!version.is_prerelease()
                            || set.iter().any(|comparator| comparator.satisfies(&version)))
                })
            }
            Meaning::Cargo(range) => cargo(version).is_some_and(|version| range.matches(&version)),
        }
    }

    /// Whether a pre-release, whose release is in the range, is not below its lower end.
    fn spans(&self, version: &Version) -> bool {
        match &self.meaning {
            Meaning::Npm(sets) => {
                let version = npm(version);
                sets.iter().any(|set| spans(set, &version))
            }
            Meaning::Cargo(range) => {
                !range.comparators.iter().any(|comparator| starts_at(comparator, version))
            }
        }
    }
}

/// Whether a version is between the ends of every comparator.
fn spans(set: &[nodejs_semver::Range], version: &nodejs_semver::Version) -> bool {
    set.iter().all(|comparator| comparator.satisfies_with_prerelease(version, true))
}

/// The comparators, if some version can satisfy all of them.
fn npm_set(set: &[String]) -> Option<Vec<nodejs_semver::Range>> {
    let set: Option<Vec<nodejs_semver::Range>> =
        set.iter().map(|text| nodejs_semver::Range::parse(text).ok()).collect();
    let set = set?;
    set.iter().try_fold(nodejs_semver::Range::any(), |all, one| all.intersect(one))?;
    Some(set)
}

/// The comparators as Cargo's own reader takes them: not too many, and `*` only where it stands alone.
fn cargo_set(mut set: Vec<String>) -> Result<Option<VersionReq>, RangeError> {
    if set.iter().any(|text| text != "*") {
        set.retain(|text| text != "*");
    }
    set.dedup();
    if set.len() > CARGO_COMPARATORS_MAX {
        let message = format!("the range has more than {CARGO_COMPARATORS_MAX} comparators");
        return Err(RangeError { message, hint: "write fewer" });
    }
    Ok(VersionReq::parse(&set.join(", ")).ok())
}

/// Whether a comparator's lower end is the release that the version leads to, or another pre-release of it.
fn starts_at(comparator: &Comparator, version: &Version) -> bool {
    let Comparator { op, major, minor, patch, .. } = comparator;
    *op != Op::Less
        && *op != Op::LessEq
        && (*major, minor.unwrap_or(0), patch.unwrap_or(0)) == version.numbers
}

fn npm(version: &Version) -> nodejs_semver::Version {
    let (major, minor, patch) = version.numbers;
    let word = |text: &str| nodejs_semver::Identifier::AlphaNumeric(text.to_owned());
    let identifiers = version.prerelease.iter().map(|identifier| match identifier {
        Identifier::Number(digits) => digits
            .as_str()
            .parse()
            .map_or_else(|_| word(digits.as_str()), nodejs_semver::Identifier::Numeric),
        Identifier::Word(text) => word(text),
    });
    nodejs_semver::Version::new(major, minor, patch, identifiers.collect(), Vec::new())
}

fn cargo(version: &Version) -> Option<semver::Version> {
    let (major, minor, patch) = version.numbers;
    let pre = semver::Prerelease::new(&joined(&version.prerelease)).ok()?;
    Some(semver::Version { pre, ..semver::Version::new(major, minor, patch) })
}

/// The range as alternatives of comparators, each in the form that its style's crate reads.
fn sets(
    text: &str,
    style: RangeStyle,
    order: PrereleaseOrder,
) -> Result<Vec<Vec<String>>, RangeError> {
    let sets: Vec<&str> = text.split("||").collect();
    if sets.len() > 1 && style == RangeStyle::Cargo {
        let message = format!("`||` in the range {} has no meaning in Cargo's style", quoted(text));
        return Err(RangeError { message, hint: "leave out `style: cargo`, or give one range" });
    }
    sets.into_iter().map(|set| comparators(set, style, order)).collect()
}

fn comparators(
    set: &str,
    style: RangeStyle,
    order: PrereleaseOrder,
) -> Result<Vec<String>, RangeError> {
    let mut words = Vec::new();
    let mut sign: Option<&str> = None;
    for word in set.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
        if sign.is_none() && SIGNS.contains(&word) {
            sign = Some(word);
            continue;
        }
        words.push((sign.take(), word));
    }
    if words.is_empty() || sign.is_some() {
        return Err(unreadable(set));
    }
    if let [(None, lower), (None, "-"), (None, upper)] = words.as_slice()
        && style == RangeStyle::Npm
    {
        let (lower, upper) = (partial(lower, set, order)?, partial(upper, set, order)?);
        if lower.is_whole_wildcard() || upper.is_whole_wildcard() {
            return Err(unreadable(set));
        }
        return Ok(vec![format!("{} - {}", lower.text, upper.text)]);
    }
    words.into_iter().map(|(sign, word)| comparator(sign, word, set, style, order)).collect()
}

fn comparator(
    sign: Option<&str>,
    word: &str,
    set: &str,
    style: RangeStyle,
    order: PrereleaseOrder,
) -> Result<String, RangeError> {
    let own = SIGNS.into_iter().find(|known| word.starts_with(known));
    let (sign, rest) = match (sign, own) {
        (Some(_), Some(_)) => return Err(unreadable(set)),
        (Some(sign), None) => (sign, word),
        (None, Some(sign)) => (sign, word.strip_prefix(sign).unwrap_or(word)),
        (None, None) => ("", word),
    };
    let partial = partial(rest, set, order)?;
    if partial.is_whole_wildcard() {
        return match sign {
            "" | "=" | ">=" | "~" | "^" => Ok("*".to_owned()),
            _ => Err(unreadable(set)),
        };
    }
    let is_wildcard = partial.has_wildcard && sign.is_empty() && style == RangeStyle::Cargo;
    Ok(format!("{sign}{}{}", partial.text, if is_wildcard { ".*" } else { "" }))
}

/// A version of which the end may be missing or a wildcard.
struct Partial {
    /// The numbers that are there, with the pre-release.
    text: String,
    has_wildcard: bool,
}

impl Partial {
    fn is_whole_wildcard(&self) -> bool {
        self.text.is_empty()
    }
}

fn partial(word: &str, set: &str, order: PrereleaseOrder) -> Result<Partial, RangeError> {
    let text = word.strip_prefix('v').unwrap_or(word);
    let text = text.split_once('+').map_or(text, |(version, _)| version);
    let (numbers, prerelease) = match text.split_once('-') {
        Some((numbers, prerelease)) => (numbers, Some(prerelease)),
        None => (text, None),
    };
    let parts: Vec<&str> = numbers.split('.').collect();
    let is_wildcard = |part: &&str| matches!(*part, "x" | "X" | "*");
    let known = parts.iter().take_while(|part| !is_wildcard(part)).count();
    let (known, wildcards) = parts.split_at_checked(known).unwrap_or_default();
    let is_readable = (1..=3).contains(&parts.len())
        && known.iter().all(|part| !part.is_empty() && number(part).is_some())
        && wildcards.iter().all(is_wildcard)
        && (prerelease.is_none() || known.len() == 3);
    if !is_readable {
        return Err(unreadable(set));
    }
    let mut text = known.join(".");
    if let Some(prerelease) = prerelease {
        let identifiers = identifiers(prerelease, order).ok_or_else(|| unreadable(set))?;
        text.push('-');
        text.push_str(&joined(&identifiers));
    }
    Ok(Partial { text, has_wildcard: !wildcards.is_empty() })
}

fn unreadable(set: &str) -> RangeError {
    RangeError {
        message: format!("{} is not a range of versions", quoted(set.trim())),
        hint: "write comparators with spaces between, as `>=1.4.0 <2.0.0`, `^1.4` or `1.x`; `*` is any version",
    }
}
