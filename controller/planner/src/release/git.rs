//! Tags of the application's Git repository: they say which versions there are, and that an image is to come.
//!
//! A Git tag and an image's tag are the same version when the policy gives them the same place, so `v1.2.3` in Git and
//! `1.2.3` in the registry belong together.

use std::collections::BTreeMap;

use crds::{PendingVersion, Reason};
use jiff::Timestamp;

use super::candidates::{Candidate, Found};
use super::choose::{Choice, Decision, Want};
use super::facts::{Facts, GitTag, Trust};
use super::gates::Verdict;
use super::listing::Listing;
use super::past::Past;
use super::rank::{Rank, Ranked};
use super::rule::{GitRule, Rule};
use super::sentence::{length, list, moment};

/// The Git tags that are versions of the policy, by their places.
#[derive(Debug)]
pub(super) struct Tagged<'a> {
    rule: GitRule,
    tags: BTreeMap<Rank, Vec<(&'a str, &'a GitTag)>>,
}

impl<'a> Tagged<'a> {
    /// The tags as far as they are versions; `None` where no Git repository is followed, an error where it is and its tags
    /// have not been read.
    pub(super) fn read(rule: &Rule, facts: &'a Facts) -> Result<Option<Self>, String> {
        let Some(git) = rule.git else { return Ok(None) };
        let Some(known) = &facts.git else {
            return Err("the tags of the Git repository have not been read yet".to_owned());
        };
        let mut tags: BTreeMap<Rank, Vec<(&str, &GitTag)>> = BTreeMap::new();
        for (name, tag) in known {
            if let Some(rank) = wanted(rule, name) {
                tags.entry(rank).or_default().push((name, tag));
            }
        }
        Ok(Some(Self { rule: git, tags }))
    }

    /// Whether a version has a Git tag.
    pub(super) fn has(&self, rank: &Rank) -> bool {
        self.tags.contains_key(rank)
    }

    /// What the Git tag of a candidate says about it.
    pub(super) fn judge(&self, candidate: &Candidate<'_>) -> Verdict {
        let tag = candidate.tag;
        let Some(named @ [(name, first), ..]) = self.tags.get(&candidate.rank).map(Vec::as_slice)
        else {
            return Verdict::Refuse(format!("{tag} has no tag in Git"));
        };
        if named.iter().any(|(_, other)| other.commit != first.commit) {
            let tags: Vec<&str> = named.iter().map(|(name, _)| *name).collect();
            return Verdict::Refuse(format!("{tag} is several commits in Git: {}", list(&tags)));
        }
        match &first.trust {
            _ if !self.rule.needs_signature => Verdict::Pass,
            Trust::Signed => Verdict::Pass,
            Trust::Refused(why) => Verdict::Refuse(why.clone()),
            Trust::Unread => {
                let want = Want::GitTag { tag: (*name).to_owned() };
                Verdict::Unread(want, "signature of the Git tag")
            }
        }
    }

    /// Adds the versions that are tagged in Git above the one in force and have no image to what was decided.
    pub(super) fn await_images(
        &self,
        rule: &Rule,
        found: &Found<'_>,
        past: &Past,
        now: Timestamp,
        decision: &mut Decision,
    ) {
        let version = match &decision.choice {
            Choice::Chosen { version, .. } => Some(version),
            Choice::Keep { .. } | Choice::Pending { .. } => {
                past.chosen.as_ref().map(|chosen| &chosen.version)
            }
            Choice::Ambiguous { .. } | Choice::Suspicious { .. } => return,
        };
        let floor = version.and_then(|version| rule.policy.rank(version));
        let (mut waiting, mut overdue) = (Vec::new(), Vec::new());
        let has_image = |rank: &Rank| found.candidates.iter().any(|found| found.rank == *rank);
        for (rank, named) in self.tags.iter().rev() {
            if floor.as_ref().is_some_and(|floor| rank <= floor) {
                break;
            }
            let Some((name, tag)) = named.first().filter(|_| !has_image(rank)) else { continue };
            let since = tag.noticed_at.unwrap_or(now);
            match since.checked_add(self.rule.wait) {
                Ok(until) if now < until => {
                    let message = format!(
                        "{name} was tagged in Git, noticed at {}, and its image is not in the repository yet; it is \
                         awaited until {}",
                        moment(since),
                        moment(until)
                    );
                    let tag = (*name).to_owned();
                    waiting.push(PendingVersion { tag, message, until: Some(until) });
                }
                Ok(_) | Err(_) => overdue.push(format!(
                    "the image of {name} has not come within {} of its tag in Git, noticed at {}",
                    length(self.rule.wait),
                    moment(since)
                )),
            }
        }
        if let Choice::Keep {
            reason: Reason::VersionCurrent | Reason::VersionKept | Reason::VersionMissing,
            ..
        } = &decision.choice
        {
            if let Some(first) = waiting.first() {
                let until = waiting.iter().filter_map(|waiting| waiting.until).min();
                decision.choice = Choice::Pending { why: first.message.clone(), until };
            } else if let Some(late) = overdue.first() {
                let why = match &past.chosen {
                    Some(chosen) => format!("{} stays: {late}", chosen.tag),
                    None => format!("nothing is chosen: {late}"),
                };
                decision.choice = Choice::Keep { reason: Reason::VersionMissing, why };
            }
        }
        waiting.append(&mut decision.waiting);
        decision.waiting = waiting;
    }
}

/// The Git tags above the version in force whose image is not in the repository: those that are awaited, the highest first.
pub fn awaited(rule: &Rule, listing: &Listing, tags: &[&str], past: &Past) -> Vec<String> {
    let floor = past.chosen.as_ref().and_then(|chosen| rule.policy.rank(&chosen.version));
    let listed: std::collections::BTreeSet<Rank> = listing
        .images()
        .iter()
        .flat_map(|image| &image.tags)
        .filter_map(|tag| rule.rank(tag))
        .collect();
    let mut awaited: Vec<(Rank, &str)> = tags
        .iter()
        .filter_map(|tag| Some((wanted(rule, tag)?, *tag)))
        .filter(|(rank, _)| floor.as_ref().is_none_or(|floor| rank > floor))
        .filter(|(rank, _)| !listed.contains(rank))
        .collect();
    awaited.sort_by(|one, other| other.cmp(one));
    awaited.into_iter().map(|(_, tag)| tag.to_owned()).collect()
}

/// The Git tags that are versions of the policy, the best first.
pub fn wanted_tags<'a>(rule: &Rule, tags: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let ranked = tags.into_iter().filter_map(|tag| Some((wanted(rule, tag)?, tag)));
    let mut ranked: Vec<(Rank, &str)> = ranked.collect();
    ranked.sort_by(|one, other| other.cmp(one));
    ranked.into_iter().map(|(_, tag)| tag).collect()
}

/// The Git tag that names a version of the registry.
pub fn git_tag_of<'a>(rule: &Rule, tags: &[&'a str], version: &str) -> Option<&'a str> {
    let rank = rule.policy.rank(version)?;
    tags.iter().copied().find(|tag| wanted(rule, tag).as_ref() == Some(&rank))
}

/// The place of a Git tag, if it is a version that the policy wants. A pattern for the registry's tags need not fit Git's.
fn wanted(rule: &Rule, name: &str) -> Option<Rank> {
    let version = rule.version(name).unwrap_or(name);
    if rule.excludes.iter().any(|exclude| exclude.is_match(name)) {
        return None;
    }
    match rule.policy.judge(version) {
        Ranked::Candidate(rank) => Some(rank),
        Ranked::Prerelease(_) | Ranked::OutOfRange(_) | Ranked::NoVersion => None,
    }
}
