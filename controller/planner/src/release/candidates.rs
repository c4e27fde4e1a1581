//! Which tags of a listing are wanted, in their order, and what the others are.

use std::collections::BTreeMap;

use super::git::Tagged;
use super::listing::{ListedImage, Listing, Standing, about};
use super::rank::{Rank, Ranked};
use super::rule::Rule;
use super::sentence::count;

/// A tag that fits the policy.
#[derive(Debug, Clone)]
pub(super) struct Candidate<'a> {
    pub(super) rank: Rank,
    pub(super) tag: &'a str,
    pub(super) version: &'a str,
    pub(super) image: &'a ListedImage,
}

/// What a listing holds for a rule.
#[derive(Debug)]
pub(super) struct Found<'a> {
    /// The best first; of equal rank in the order of tags and digests.
    pub(super) candidates: Vec<Candidate<'a>>,
    others: BTreeMap<Other, Tally<'a>>,
}

/// What a tag is that is no candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Other {
    OutOfRange,
    Prerelease,
    Archived,
    NoVersion,
    Unmatched,
    Excluded,
    Artifact,
    NotInGit,
}

/// How many, and one of them.
#[derive(Debug)]
struct Tally<'a> {
    number: usize,
    example: (Option<Rank>, &'a str),
}

/// Sorts the tags of a listing.
pub(super) fn find<'a>(rule: &Rule, listing: &'a Listing) -> Found<'a> {
    let mut found = Found { candidates: Vec::new(), others: BTreeMap::new() };
    for image in listing.images() {
        let standing = image.standing();
        for tag in &image.tags {
            match judge(rule, standing, tag) {
                Ok((version, rank)) => {
                    found.candidates.push(Candidate { rank, tag, version, image });
                }
                Err((other, rank)) => found.note(other, rank, tag),
            }
        }
    }
    found.candidates.sort_by(|one, other| {
        let place = |candidate: &Candidate<'a>| (candidate.tag, candidate.image.digest.as_str());
        other.rank.cmp(&one.rank).then_with(|| place(one).cmp(&place(other)))
    });
    // A registry that changes while it is listed can show an entry on two pages.
    found
        .candidates
        .dedup_by(|one, other| one.tag == other.tag && one.image.digest == other.image.digest);
    found
}

fn judge<'t>(
    rule: &Rule,
    standing: Standing,
    tag: &'t str,
) -> Result<(&'t str, Rank), (Other, Option<Rank>)> {
    if standing == Standing::Artifact || about(tag).is_some() {
        return Err((Other::Artifact, None));
    }
    let Some(version) = rule.version(tag) else { return Err((Other::Unmatched, None)) };
    if rule.excludes.iter().any(|exclude| exclude.is_match(tag)) {
        return Err((Other::Excluded, None));
    }
    match rule.policy.judge(version) {
        Ranked::Candidate(rank) if standing == Standing::Archived => {
            Err((Other::Archived, Some(rank)))
        }
        Ranked::Candidate(rank) => Ok((version, rank)),
        Ranked::Prerelease(rank) => Err((Other::Prerelease, Some(rank))),
        Ranked::OutOfRange(rank) => Err((Other::OutOfRange, Some(rank))),
        Ranked::NoVersion => Err((Other::NoVersion, None)),
    }
}

impl<'a> Found<'a> {
    /// Drops the candidates that have no tag in Git.
    pub(super) fn retain_tagged(&mut self, tagged: &Tagged<'_>) {
        let (kept, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.candidates).into_iter().partition(|it| tagged.has(&it.rank));
        self.candidates = kept;
        for Candidate { rank, tag, .. } in others {
            self.note(Other::NotInGit, Some(rank), tag);
        }
    }

    fn note(&mut self, other: Other, rank: Option<Rank>, tag: &'a str) {
        let example = (rank, tag);
        match self.others.get_mut(&other) {
            Some(tally) => {
                tally.number += 1;
                if example > tally.example {
                    tally.example = example;
                }
            }
            None => {
                self.others.insert(other, Tally { number: 1, example });
            }
        }
    }

    /// What the tags are that do not fit, as a list with an example each.
    pub(super) fn others(&self) -> String {
        let parts: Vec<String> = self
            .others
            .iter()
            .map(|(other, Tally { number, example: (_, tag) })| {
                let which = if *number == 1 { (*tag).to_owned() } else { format!("as {tag}") };
                format!("{} {} ({which})", number, other.words(*number))
            })
            .collect();
        parts.join(", ")
    }

    /// Why nothing fits, in a sentence.
    pub(super) fn nothing(&self, rule: &Rule) -> String {
        let tags: usize = self.others.values().map(|tally| tally.number).sum();
        match tags {
            0 => format!("the repository has no tags, so none is {}", rule.policy.superlative()),
            _ => format!(
                "no candidate for {} among {}: {}",
                rule.policy.superlative(),
                count(tags, "tag"),
                self.others()
            ),
        }
    }
}

impl Other {
    fn words(self, number: usize) -> &'static str {
        let one = number == 1;
        match self {
            Other::OutOfRange => "out of range",
            Other::Prerelease if one => "pre-release that the range does not take",
            Other::Prerelease => "pre-releases that the range does not take",
            Other::Archived => "archived",
            Other::NoVersion if one => "without a version",
            Other::NoVersion => "without versions",
            Other::Unmatched => "not matching the pattern",
            Other::Excluded => "excluded",
            Other::Artifact if one => "signature or other artifact",
            Other::Artifact => "signatures and other artifacts",
            Other::NotInGit => "without a tag in Git",
        }
    }
}
