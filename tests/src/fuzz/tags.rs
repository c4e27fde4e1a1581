//! The tags of a repository: which of them a release takes.
//!
//! The first line is the policy, the second the version in force, every other one a tag with the letter of its image:
//!
//! ```text
//! semver cargo pre rc: >=1.0.0 <2.0.0
//! 1.3.0 a
//! 1.4.0 b
//! v1.4.0 b
//! 1.5.0 c archived
//! ```

use std::cmp::Ordering;

use crds::{
    AlphabeticalOrder, ChosenVersion, NumericOrder, PrereleaseOrder, Prereleases, RangeStyle,
    ReleasePolicy,
};
use planner::release::newest::{self, NoWinner, Range};
use planner::release::{
    Choice, Decision, Facts, ListedImage, Listing, Past, Rule, Storage, choose,
};

use super::releases::{IMAGE, chosen, image, now, ranged, rule, takes};
use super::{assert_tellable, seed};

/// The most tags that are looked at.
const TAGS_MAX: usize = 60;
/// The longest tag.
const TAG_MAX: usize = 128;

/// Choosing from the tags of a repository.
///
/// The winner is an image of the listing that may run, the same in any order, the best of those that the policy takes, above the
/// version in force, and a pre-release only where the range names one. Once chosen it is not chosen again.
pub fn tags(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let policy = policy(lines.next().unwrap_or_default());
    let Some(rule) = rule(policy.clone()) else { return };
    let past = Past { chosen: lines.next().and_then(in_force), ..Past::default() };
    let images: Vec<ListedImage> = lines.take(TAGS_MAX).filter_map(listed).collect();
    let decision = decide(&rule, images.clone(), &past);
    assert_tellable(decision.choice.why());

    let mut shuffled = images.clone();
    fastrand::Rng::with_seed(seed(data)).shuffle(&mut shuffled);
    assert_eq!(decide(&rule, shuffled, &past), decision, "in another order");

    if let Choice::Chosen { tag, version, digest, .. } = &decision.choice {
        assert!(is_there(&images, tag, digest), "{decision:#?}");
        assert_eq!(version, tag, "without a filter the tag is the version");
        assert!(takes(&rule, tag), "{tag} alone is not taken");
        assert_best(&rule, &policy, &images, tag, digest);
        assert_named(&policy, tag);
        assert_above(&policy, past.chosen.as_ref(), tag, digest);
        let listing = Listing::complete(images.clone(), now());
        let next = past.after(&decision, &rule, &listing, now());
        let again = chosen(&rule, images.clone(), &next);
        assert!(!matches!(again, Choice::Chosen { .. }), "{again:?} after {decision:?}");
    }
    if past.chosen.is_none() {
        assert_as_in_git(&policy, &images, &decision.choice);
    }
}

fn decide(rule: &Rule, images: Vec<ListedImage>, past: &Past) -> Decision {
    choose(rule, &Listing::complete(images, now()), &Facts::default(), past, now())
}

fn policy(line: &str) -> ReleasePolicy {
    let (words, range) = line.split_once(':').unwrap_or((line, ""));
    let has = |word: &str| words.split_whitespace().any(|other| other == word);
    let none = ReleasePolicy::default();
    match words.split_whitespace().next() {
        Some("numeric") => ReleasePolicy { numeric: Some(NumericOrder::Highest), ..none },
        Some("lowest") => ReleasePolicy { numeric: Some(NumericOrder::Lowest), ..none },
        Some("last") => ReleasePolicy { alphabetical: Some(AlphabeticalOrder::Last), ..none },
        Some("first") => ReleasePolicy { alphabetical: Some(AlphabeticalOrder::First), ..none },
        Some("tag") => ReleasePolicy { tag: Some(range.trim().to_owned()), ..none },
        Some(_) | None => ranged(
            range,
            if has("cargo") { RangeStyle::Cargo } else { RangeStyle::Npm },
            if has("pre") { Prereleases::Included } else { Prereleases::Named },
            if has("rc") { PrereleaseOrder::Numeric } else { PrereleaseOrder::Semver },
        ),
    }
}

/// The version that is in force, `1.3.0 a`.
fn in_force(line: &str) -> Option<ChosenVersion> {
    let mut words = line.split_whitespace();
    let tag = words.next().filter(|tag| is_tag(tag) && *tag != "-")?;
    Some(ChosenVersion {
        image: IMAGE.to_owned(),
        version: tag.to_owned(),
        tag: tag.to_owned(),
        digest: digest(words.next().filter(|letter| is_tag(letter)).unwrap_or("z")),
        since: now(),
        reason: "it was the highest".to_owned(),
    })
}

/// `1.4.0 b`, `1.5.0 c archived`, `chart d helm`, `sbom e about`.
fn listed(line: &str) -> Option<ListedImage> {
    let mut words = line.split_whitespace();
    let tag = words.next().filter(|tag| is_tag(tag))?;
    let mut listed = image(tag, &digest(words.next().filter(|letter| is_tag(letter))?));
    match words.next() {
        Some("archived") => listed.storage = Storage::Archived,
        Some("restoring") => listed.storage = Storage::Activating,
        Some("helm") => {
            listed.artifact_type = Some("application/vnd.cncf.helm.config.v1+json".to_owned());
        }
        Some("about") => listed.subject = Some(digest("a")),
        Some(_) | None => {}
    }
    Some(listed)
}

/// Registries take nothing else for a tag.
fn is_tag(text: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-+".contains(&byte);
    text.len() <= TAG_MAX && text.bytes().all(is_inside)
}

fn digest(letter: &str) -> String {
    format!("sha256:{letter:0>64}")
}

/// Whether it is nothing but an image that can be pulled.
fn may_run(image: &ListedImage) -> bool {
    let is_image = image.artifact_type.as_deref().is_some_and(|kind| kind.contains(".image."));
    image.storage == Storage::Active && image.subject.is_none() && is_image
}

fn is_there(images: &[ListedImage], tag: &str, digest: &str) -> bool {
    images.iter().any(|image| {
        may_run(image) && image.digest == digest && image.tags.iter().any(|other| other == tag)
    })
}

/// Nothing that the policy takes is better, and nothing as good is another image.
fn assert_best(
    rule: &Rule,
    policy: &ReleasePolicy,
    images: &[ListedImage],
    winner: &str,
    digest: &str,
) {
    for image in images.iter().filter(|image| may_run(image)) {
        for tag in image.tags.iter().filter(|tag| takes(rule, tag)) {
            let order = order(policy, tag, winner);
            assert_ne!(order, Some(Ordering::Greater), "{tag} is better than {winner}");
            if order == Some(Ordering::Equal) {
                assert_eq!(image.digest, digest, "{tag} is {winner}, and another image");
            }
        }
    }
}

/// The order of two versions, as far as it can be told without the room that chooses.
fn order(policy: &ReleasePolicy, one: &str, other: &str) -> Option<Ordering> {
    if policy.semver.is_some() {
        let is_plain = policy.prerelease_order == Some(PrereleaseOrder::Semver);
        let is_known = is_plain || !(one.contains('-') && other.contains('-'));
        return if is_known { newest::compare(one, other) } else { None };
    }
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| text.parse::<u128>().ok().filter(|_| is_number(text));
    match (policy.numeric, policy.alphabetical) {
        (Some(NumericOrder::Highest), _) => Some(number(one)?.cmp(&number(other)?)),
        (Some(NumericOrder::Lowest), _) => Some(number(other)?.cmp(&number(one)?)),
        (None, Some(AlphabeticalOrder::Last)) => Some(one.cmp(other)),
        (None, Some(AlphabeticalOrder::First)) => Some(other.cmp(one)),
        (None, None) => None,
    }
}

/// A pre-release wins only where the range names a pre-release of the same version.
fn assert_named(policy: &ReleasePolicy, tag: &str) {
    let Some(range) = &policy.semver else { return };
    let version = tag.strip_prefix('v').unwrap_or(tag);
    let version = version.split(['+', '_']).next().unwrap_or_default();
    if policy.prereleases == Some(Prereleases::Named)
        && let Some((release, _)) = version.split_once('-')
    {
        assert!(range.contains(&format!("{release}-")), "{tag} by {range}");
    }
}

fn assert_above(policy: &ReleasePolicy, in_force: Option<&ChosenVersion>, tag: &str, digest: &str) {
    let Some(in_force) = in_force else { return };
    match order(policy, tag, &in_force.version) {
        Some(order) => assert_eq!(order, Ordering::Greater, "{tag} after {}", in_force.version),
        None if policy.tag.as_ref() == Some(&in_force.version) => {
            assert_ne!(digest, in_force.digest, "{tag} has not moved");
        }
        None => {}
    }
}

/// Git's tags are chosen by code of its own, to the same end.
fn assert_as_in_git(policy: &ReleasePolicy, images: &[ListedImage], choice: &Choice) {
    let ReleasePolicy { semver: Some(text), style: Some(RangeStyle::Npm), .. } = policy else {
        return;
    };
    let is_default = policy.prereleases == Some(Prereleases::Named)
        && policy.prerelease_order == Some(PrereleaseOrder::Semver);
    if !is_default || !images.iter().all(may_run) {
        return;
    }
    let range = Range::parse(text).unwrap();
    let tags = images
        .iter()
        .flat_map(|image| image.tags.iter().map(|tag| (tag.as_str(), image.digest.as_str())));
    match (range.newest(tags), choice) {
        (Ok(newest), Choice::Chosen { tag, digest, .. }) => {
            assert_eq!((&newest.tag, &newest.target), (tag, digest));
        }
        (Err(NoWinner::Ambiguous { .. }), Choice::Ambiguous { .. })
        | (Err(NoWinner::NothingFits { .. }), Choice::Keep { .. }) => {}
        (newest, choice) => panic!("{newest:?} in Git, {choice:?} of images"),
    }
}
