//! Ranges of versions, in npm's style and in Cargo's.
//!
//! The first line is the range, every other one a version.

use crds::{PrereleaseOrder, Prereleases, RangeStyle};
use planner::release::Rule;
use planner::release::newest::Range;

use super::assert_tellable;
use super::releases::{ranged, rule, takes};

/// The most versions that are tried.
const VERSIONS_MAX: usize = 20;
/// The most comparators of a range that is taken apart, which is what Cargo takes.
const WORDS_MAX: usize = 32;
/// Versions that are tried with every range.
const VERSIONS: [&str; 9] =
    ["0.0.0", "0.0.3", "0.2.4", "1.0.0", "1.2.3", "1.2.4-rc.1", "1.3.0", "2.0.0", "2.0.0-0"];
/// A number beyond which npm takes no versions.
const NPM_MAX: u64 = 9_007_199_254_740_991;

/// The numbers of a release.
type Numbers = (u64, u64, u64);

/// Reading a range of versions.
///
/// It means the same when it is written and read again. Alternatives take what one of them takes, comparators what all of
/// them take. Each comparator takes the releases that its style documents. Pre-releases are taken where the range names them,
/// and with `prereleases: included` at least there.
pub fn ranges(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let range = lines.next().unwrap_or_default();
    let versions: Vec<&str> = VERSIONS.into_iter().chain(lines.take(VERSIONS_MAX)).collect();
    assert_written_again(range);
    for style in [RangeStyle::Npm, RangeStyle::Cargo] {
        for order in [PrereleaseOrder::Semver, PrereleaseOrder::Numeric] {
            assert_more_when_included(range, style, order, &versions);
        }
        assert_all_of(range, style, &versions);
        assert_as_documented(range, style, &versions);
    }
    assert_one_of(range, &versions);
}

fn read(text: &str, style: RangeStyle) -> Option<Rule> {
    rule(ranged(text, style, Prereleases::Named, PrereleaseOrder::Semver))
}

/// Git's ranges are the same ones, and say themselves as they were written.
fn assert_written_again(text: &str) {
    let own = Range::parse(text);
    assert_eq!(own.is_ok(), read(text, RangeStyle::Npm).is_some(), "{text}: {own:?}");
    match own {
        Ok(range) => assert_eq!(Range::parse(&range.to_string()), Ok(range)),
        Err(why) => assert_tellable(&why),
    }
}

fn assert_more_when_included(
    text: &str,
    style: RangeStyle,
    order: PrereleaseOrder,
    versions: &[&str],
) {
    let named = rule(ranged(text, style, Prereleases::Named, order));
    let included = rule(ranged(text, style, Prereleases::Included, order));
    assert_eq!(named.is_some(), included.is_some(), "{text}");
    let (Some(named), Some(included)) = (named, included) else { return };
    for version in versions {
        let (by_name, at_all) = (takes(&named, version), takes(&included, version));
        assert!(at_all || !by_name, "{version} in `{text}`, but not with pre-releases included");
        let is_release = !version.contains('-');
        assert!(by_name == at_all || !is_release, "{version} is no pre-release, `{text}`");
    }
}

/// `a || b` takes what `a` takes and what `b` takes.
fn assert_one_of(text: &str, versions: &[&str]) {
    let Some(whole) = read(text, RangeStyle::Npm) else { return };
    let parts: Option<Vec<Rule>> =
        text.split("||").map(|part| read(part, RangeStyle::Npm)).collect();
    let parts = parts.unwrap_or_else(|| panic!("a part of `{text}` is no range"));
    for version in versions {
        let one = parts.iter().any(|part| takes(part, version));
        assert_eq!(takes(&whole, version), one, "{version} in `{text}`");
    }
}

/// The comparators of a set, where they stand by themselves.
fn words(text: &str) -> Option<Vec<&str>> {
    let words: Vec<&str> = text.split([' ', '\t', ',']).filter(|word| !word.is_empty()).collect();
    if words.len() > WORDS_MAX {
        return None;
    }
    let is_whole = |word: &&str| {
        word.contains(|letter: char| letter.is_ascii_digit() || "xX*".contains(letter))
    };
    (!words.is_empty() && !text.contains("||") && words.iter().all(is_whole)).then_some(words)
}

/// `a b` takes the releases that `a` and `b` take.
fn assert_all_of(text: &str, style: RangeStyle, versions: &[&str]) {
    let Some(words) = words(text) else { return };
    let whole = read(text, style);
    let parts: Option<Vec<Rule>> = words.iter().map(|word| read(word, style)).collect();
    let parts = match (&whole, parts) {
        (_, Some(parts)) => parts,
        (None, None) => return,
        (Some(_), None) => panic!("a part of `{text}` is no range in the style {style:?}"),
    };
    for version in versions.iter().filter(|version| !version.contains('-')) {
        let all = parts.iter().all(|part| takes(part, version));
        let whole = whole.as_ref().is_some_and(|whole| takes(whole, version));
        assert_eq!(whole, all, "{version} in `{text}`, {style:?}");
    }
}

/// A comparator alone takes the releases that its style's documentation says.
fn assert_as_documented(text: &str, style: RangeStyle, versions: &[&str]) {
    let Some([word]) = words(text).and_then(|words| <[&str; 1]>::try_from(words).ok()) else {
        return;
    };
    let (Some(rule), Some(ends)) = (read(word, style), Ends::documented(word, style)) else {
        return;
    };
    for version in versions {
        let Some(numbers) = release(version) else { continue };
        assert_eq!(takes(&rule, version), ends.hold(numbers), "{version} in `{word}`, {style:?}");
    }
}

/// The releases from the first end to before the second.
struct Ends {
    from: Numbers,
    before: Option<Numbers>,
}

impl Ends {
    /// What the documentation of a style says of a comparator without a pre-release.
    fn documented(word: &str, style: RangeStyle) -> Option<Self> {
        let signs = [">=", "<=", ">", "<", "=", "~", "^"];
        let sign = signs.into_iter().find(|sign| word.starts_with(sign)).unwrap_or_default();
        let partial = word.strip_prefix(sign)?;
        let partial = partial.strip_prefix('v').unwrap_or(partial);
        let is_wild = |part: &&str| matches!(*part, "x" | "X" | "*");
        let is_cut = partial.split('.').any(|part| is_wild(&part));
        let known: Option<Vec<u64>> =
            partial.split('.').take_while(|part| !is_wild(part)).map(number).collect();
        let known = known?;
        let from = (
            known.first().copied().unwrap_or(0),
            known.get(1).copied().unwrap_or(0),
            known.get(2).copied().unwrap_or(0),
        );
        if known.iter().any(|number| *number >= NPM_MAX) {
            return None;
        }
        // Everything that begins with the same numbers: `1.2` is 1.2.0 and up to 1.3.0.
        let after = match known.len() {
            0 => None,
            1 => Some((from.0 + 1, 0, 0)),
            2 => Some((from.0, from.1 + 1, 0)),
            _ => Some((from.0, from.1, from.2 + 1)),
        };
        // Everything up to the next change of the first number that is not zero.
        let compatible = match (from, known.len()) {
            (_, 0) => None,
            ((1.., _, _), _) | (_, 1) => Some((from.0 + 1, 0, 0)),
            ((0, 1.., _), _) | (_, 2) => Some((0, from.1 + 1, 0)),
            ((0, 0, patch), _) => Some((0, 0, patch + 1)),
        };
        let minor = match known.len() {
            0 => None,
            1 => Some((from.0 + 1, 0, 0)),
            _ => Some((from.0, from.1 + 1, 0)),
        };
        let zero = (0, 0, 0);
        let is_caret = sign == "^" || (sign.is_empty() && style == RangeStyle::Cargo && !is_cut);
        Some(match sign {
            _ if is_caret => Self { from, before: compatible },
            "" | "=" => Self { from, before: after },
            "~" => Self { from, before: minor },
            ">=" => Self { from, before: None },
            ">" => Self { from: after?, before: None },
            "<" => Self { from: zero, before: Some(from) },
            _ => Self { from: zero, before: after },
        })
    }

    fn hold(&self, numbers: Numbers) -> bool {
        numbers >= self.from && self.before.is_none_or(|before| numbers < before)
    }
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The numbers of a plain release, as `1.2.3`.
fn release(version: &str) -> Option<Numbers> {
    let numbers: Option<Vec<u64>> = version.split('.').map(number).collect();
    let is_padded = version.split('.').any(|part| part.len() > 1 && part.starts_with('0'));
    match numbers.as_deref() {
        Some([major, minor, patch]) if !is_padded => Some((*major, *minor, *patch)),
        Some(_) | None => None,
    }
}
