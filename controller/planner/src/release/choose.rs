//! The choice.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crds::{ChosenVersion, PendingVersion, Reason};
use jiff::Timestamp;

use super::candidates::{self, Candidate, Found};
use super::facts::Facts;
use super::gates::{self, Verdict};
use super::git::Tagged;
use super::listing::Listing;
use super::past::Past;
use super::platforms::{self, Fit};
use super::rank::Rank;
use super::rule::Rule;
use super::sentence::{count, list, moment, short};

/// What a release does. Everything but `Chosen` leaves what was chosen before in force, be it nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// This version takes the place of the one before.
    Chosen {
        /// Its tag.
        tag: String,
        /// The version in the tag.
        version: String,
        /// The image, which is what runs.
        digest: String,
        /// Why this one.
        why: String,
    },
    /// No other may take its place.
    Keep {
        /// Why, for programs.
        reason: Reason,
        /// Why, for people.
        why: String,
    },
    /// Another may take its place later.
    Pending {
        /// What is waited for.
        why: String,
        /// When the next wait ends, where that is known.
        until: Option<Timestamp>,
    },
    /// Several images claim to be the one that would be chosen.
    Ambiguous {
        /// Their tags.
        tags: Vec<String>,
        /// What is ambiguous.
        why: String,
    },
    /// The listing is not to be trusted.
    Suspicious {
        /// Why.
        why: String,
    },
}

/// Something that has to be read before a choice can be made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    /// What an image runs on.
    Platforms {
        /// The image.
        digest: String,
    },
    /// What bundles hold that are attached to an image.
    Bundles {
        /// The bundles.
        digests: BTreeSet<String>,
    },
    /// What the registry's scan of an image said.
    Scan {
        /// The image.
        digest: String,
    },
    /// Who signed a tag of the Git repository.
    GitTag {
        /// The tag.
        tag: String,
    },
}

/// A choice and what led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What the release does.
    pub choice: Choice,
    /// Versions that may be chosen later, the best first.
    pub waiting: Vec<PendingVersion>,
    /// What has to be read first. Ask again with it.
    pub wants: BTreeSet<Want>,
    /// How many tags fit the policy.
    pub candidates: usize,
}

impl Choice {
    /// Why, for programs.
    pub fn reason(&self) -> Reason {
        match self {
            Choice::Chosen { .. } => Reason::VersionChosen,
            Choice::Keep { reason, .. } => *reason,
            Choice::Pending { .. } => Reason::VersionPending,
            Choice::Ambiguous { .. } => Reason::VersionAmbiguous,
            Choice::Suspicious { .. } => Reason::ListingSuspicious,
        }
    }

    /// Why, for people.
    pub fn why(&self) -> &str {
        match self {
            Choice::Chosen { why, .. }
            | Choice::Keep { why, .. }
            | Choice::Pending { why, .. }
            | Choice::Ambiguous { why, .. }
            | Choice::Suspicious { why } => why,
        }
    }
}

/// Chooses a version.
///
/// Doubts about the listing come first. Then the candidates are asked from the best down, as far as
/// the version in force: one that can pass later does not keep a lower one from being chosen now, while one about which
/// something has not been read stops the search, because a failed read must not decide.
pub fn choose(
    rule: &Rule,
    listing: &Listing,
    facts: &Facts,
    past: &Past,
    now: Timestamp,
) -> Decision {
    let mut found = candidates::find(rule, listing);
    let (tagged, unread) = match Tagged::read(rule, facts) {
        Ok(tagged) => (tagged, None),
        Err(why) => (None, Some(why)),
    };
    if let Some(tagged) = &tagged {
        found.retain_tagged(tagged);
    }
    let question = Question { rule, listing, facts, past, now, tagged: tagged.as_ref() };
    let mut notes = Notes::default();
    let choice = match unread {
        Some(why) => Choice::Pending { why, until: None },
        None => question.choice(&found, &mut notes),
    };
    let mut decision = Decision {
        choice,
        waiting: notes.waiting,
        wants: notes.wants,
        candidates: found.candidates.len(),
    };
    if let Some(tagged) = &tagged {
        tagged.await_images(rule, &found, past, now, &mut decision);
    }
    decision
}

/// Everything that a choice depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) rule: &'a Rule,
    pub(super) listing: &'a Listing,
    pub(super) facts: &'a Facts,
    pub(super) past: &'a Past,
    pub(super) now: Timestamp,
    pub(super) tagged: Option<&'a Tagged<'a>>,
}

/// What was met on the way down.
#[derive(Debug, Default)]
struct Notes {
    waiting: Vec<PendingVersion>,
    refused: Vec<String>,
    wants: BTreeSet<Want>,
}

/// The version in force, where it has a place in the policy's order.
struct InForce<'a> {
    chosen: &'a ChosenVersion,
    rank: Rank,
}

impl Question<'_> {
    fn choice(&self, found: &Found<'_>, notes: &mut Notes) -> Choice {
        if let Some(why) = self.is_outdated() {
            return Choice::Pending { why, until: None };
        }
        if let Some(why) = self.past.suspicion(self.rule, self.listing) {
            return Choice::Suspicious { why };
        }
        let in_force = self.in_force();
        for group in found.candidates.chunk_by(|one, next| one.rank == next.rank) {
            let Some(first) = group.first() else { continue };
            match in_force.as_ref().map(|in_force| (in_force, first.rank.cmp(&in_force.rank))) {
                Some((_, Ordering::Less)) if !self.rule.allow_downgrade => break,
                Some((in_force, Ordering::Equal)) => {
                    if let Some(choice) = self.settled(in_force, group, notes, found) {
                        return choice;
                    }
                }
                Some((_, Ordering::Less | Ordering::Greater)) | None => {}
            }
            if let Some(choice) = self.judge(group, notes, found) {
                return choice;
            }
        }
        self.stay(notes, || self.unlisted(found))
    }

    /// An answer that was overtaken by a newer one.
    fn is_outdated(&self) -> Option<String> {
        let newer = self.past.listed.as_ref().filter(|listed| {
            listed.image == self.rule.image && listed.at > self.listing.read_at()
        })?;
        let read_at = self.listing.read_at();
        Some(format!(
            "the listing of {} is older than the one of {}, which was used before",
            moment(read_at),
            moment(newer.at)
        ))
    }

    fn in_force(&self) -> Option<InForce<'_>> {
        let chosen = self.past.chosen.as_ref()?;
        Some(InForce { chosen, rank: self.rule.policy.rank(&chosen.version)? })
    }

    /// What becomes of the version in force, now that its place is reached and nothing better was taken; `None` where its
    /// place is to be given anew.
    fn settled(
        &self,
        in_force: &InForce<'_>,
        group: &[Candidate<'_>],
        notes: &mut Notes,
        found: &Found<'_>,
    ) -> Option<Choice> {
        let chosen = in_force.chosen;
        if chosen.image != self.rule.image {
            return None;
        }
        let is_same = |candidate: &&Candidate<'_>| candidate.image.digest == chosen.digest;
        if !group.iter().all(|candidate| is_same(&candidate)) {
            if self.rule.policy.is_moving() {
                return None;
            }
            // That a twin does not fit is no news while the version itself stays.
            let mut twins = Notes::default();
            let fitting = self.fitting(group, &mut twins);
            notes.wants.append(&mut twins.wants);
            match fitting {
                Fitting::Unread(why) => return Some(Choice::Pending { why, until: None }),
                Fitting::Images(fitting) if digests(&fitting).len() > 1 => {
                    return Some(ambiguous(&fitting));
                }
                Fitting::Images(fitting) if !fitting.iter().any(is_same) => {
                    return Some(self.stay(notes, || moved(chosen, group)));
                }
                Fitting::Images(_) => {}
            }
        }
        let bad = self.past.rolled_back.iter().find(|bad| bad.digest == chosen.digest);
        Some(self.stay(notes, || {
            if let Some(bad) = bad {
                let at = moment(bad.at);
                let why =
                    format!("{} was rolled back at {at} and nothing higher is there", chosen.tag);
                return (Reason::VersionKept, why);
            }
            let why = format!("{} is {}", chosen.tag, self.distinction(found));
            (Reason::VersionCurrent, why)
        }))
    }

    /// Asks the gates about the images of one rank. `None` leaves the question to the next rank.
    fn judge(
        &self,
        group: &[Candidate<'_>],
        notes: &mut Notes,
        found: &Found<'_>,
    ) -> Option<Choice> {
        let refusals: Vec<String> =
            group.iter().filter_map(|candidate| self.rolled_back(candidate)).collect();
        if refusals.len() == group.len() {
            notes.refused.extend(refusals.into_iter().next());
            return None;
        }
        // Of a version that has to wait anyway nothing is read.
        if let [only] = group
            && let Verdict::Wait(waiting) = gates::judge_early(self, only)
        {
            notes.waiting.push(waiting);
            return None;
        }
        let fitting = match self.fitting(group, notes) {
            Fitting::Unread(why) => return Some(Choice::Pending { why, until: None }),
            Fitting::Images(fitting) => fitting,
        };
        let candidate = *fitting.first()?;
        if digests(&fitting).len() > 1 {
            return Some(ambiguous(&fitting));
        }
        match gates::judge(self, candidate) {
            Verdict::Pass => {
                return Some(Choice::Chosen {
                    tag: candidate.tag.to_owned(),
                    version: candidate.version.to_owned(),
                    digest: candidate.image.digest.clone(),
                    why: self.explained(candidate, notes, found),
                });
            }
            Verdict::Refuse(why) => notes.refused.push(why),
            Verdict::Wait(waiting) => notes.waiting.push(waiting),
            Verdict::Unread(want, what) => {
                notes.wants.insert(want);
                let why = format!("the {what} of {} has not been read yet", candidate.tag);
                return Some(Choice::Pending { why, until: None });
            }
        }
        None
    }

    /// The images of a rank that run where they have to.
    fn fitting<'g, 'a>(&self, group: &'g [Candidate<'a>], notes: &mut Notes) -> Fitting<'g, 'a> {
        let mut unread = None;
        let mut fitting = Vec::new();
        for candidate in group {
            match platforms::fit(self, candidate) {
                Fit::Fits => fitting.push(candidate),
                Fit::Misfit(why) => notes.refused.push(why),
                Fit::Unread(why) => {
                    notes.wants.insert(Want::Platforms { digest: candidate.image.digest.clone() });
                    unread.get_or_insert(why);
                }
                Fit::Unreadable(why) => {
                    unread.get_or_insert(why);
                }
            }
        }
        match unread {
            Some(why) => Fitting::Unread(why),
            None => Fitting::Images(fitting),
        }
    }

    /// Why a version is not tried after a rollback.
    ///
    /// The bad version and its image are not tried again. What is lower and was there already is not tried either: after a
    /// failure nothing moves to a version that nobody asked for. A fix that was pushed later is.
    fn rolled_back(&self, candidate: &Candidate<'_>) -> Option<String> {
        let Candidate { tag, image, rank, .. } = candidate;
        self.past.rolled_back.iter().find_map(|bad| {
            let at = moment(bad.at);
            if image.digest == bad.digest && *tag != bad.tag {
                return Some(format!(
                    "{tag} is the image that was rolled back as {} at {at}",
                    bad.tag
                ));
            }
            if image.digest == bad.digest {
                return Some(format!("{tag} was rolled back at {at}"));
            }
            if self.rule.policy.is_moving() {
                return None;
            }
            let bad_rank = self.rule.policy.rank(&bad.version)?;
            match rank.cmp(&bad_rank) {
                Ordering::Equal => Some(format!("{tag} was rolled back at {at}")),
                Ordering::Less if self.past.chosen.is_some() => {
                    let is_older = image.pushed_at.is_none_or(|pushed_at| pushed_at <= bad.at);
                    is_older
                        .then(|| format!("{tag} is older than the rollback of {} at {at}", bad.tag))
                }
                Ordering::Less | Ordering::Greater => None,
            }
        })
    }

    /// The answer when nothing takes the place of what was chosen before.
    fn stay(&self, notes: &Notes, otherwise: impl FnOnce() -> (Reason, String)) -> Choice {
        if let Some(first) = notes.waiting.first() {
            let until = notes.waiting.iter().filter_map(|waiting| waiting.until).min();
            return Choice::Pending { why: first.message.clone(), until };
        }
        let (reason, why) = match (notes.refused.first(), &self.past.chosen) {
            (None, _) => otherwise(),
            (Some(refused), chosen) => {
                let more = match notes.refused.len() - 1 {
                    0 => String::new(),
                    more => format!(", with {more} more refused"),
                };
                match chosen {
                    Some(chosen) => {
                        (Reason::VersionKept, format!("{} stays: {refused}{more}", chosen.tag))
                    }
                    None => (Reason::VersionMissing, format!("nothing is chosen: {refused}{more}")),
                }
            }
        };
        Choice::Keep { reason, why }
    }

    /// Why nothing changes when the version in force is not among the candidates and none is better.
    fn unlisted(&self, found: &Found<'_>) -> (Reason, String) {
        match (&self.past.chosen, found.candidates.first()) {
            (None, _) => (Reason::VersionMissing, found.nothing(self.rule)),
            (Some(chosen), None) => (
                Reason::VersionMissing,
                format!("{} stays: {}", chosen.tag, found.nothing(self.rule)),
            ),
            (Some(chosen), Some(best)) => {
                let why = format!(
                    "{} stays: {} is {}, but behind it, and a release does not go back by itself; \
                     `allowDowngrade: true` lets it",
                    chosen.tag,
                    best.tag,
                    self.distinction(found)
                );
                (Reason::VersionKept, why)
            }
        }
    }

    fn distinction(&self, found: &Found<'_>) -> String {
        let superlative = self.rule.policy.superlative();
        if self.rule.policy.is_moving() {
            return superlative;
        }
        format!("{superlative}, of {}", count(found.candidates.len(), "candidate"))
    }

    /// Why a version is chosen.
    fn explained(&self, candidate: &Candidate<'_>, notes: &Notes, found: &Found<'_>) -> String {
        let mut why = format!("{} is {}", candidate.tag, self.distinction(found));
        let higher = notes.waiting.iter().map(|waiting| &waiting.message).chain(&notes.refused);
        for (index, note) in higher.take(2).enumerate() {
            why.push_str(if index == 0 { " that may run: " } else { "; " });
            why.push_str(note);
        }
        why
    }
}

enum Fitting<'g, 'a> {
    /// Something has to be read first: what.
    Unread(String),
    Images(Vec<&'g Candidate<'a>>),
}

fn digests<'g>(group: &[&'g Candidate<'_>]) -> BTreeSet<&'g str> {
    group.iter().map(|candidate| candidate.image.digest.as_str()).collect()
}

fn ambiguous(group: &[&Candidate<'_>]) -> Choice {
    let images: Vec<String> = group
        .iter()
        .map(|candidate| format!("{} ({})", candidate.tag, short(&candidate.image.digest)))
        .collect();
    let tags: BTreeSet<&str> = group.iter().map(|candidate| candidate.tag).collect();
    let why = match tags.len() {
        1 => format!("one tag is listed with several images: {}", list(&images)),
        _ => format!("the same version is several images: {}", list(&images)),
    };
    Choice::Ambiguous { tags: tags.into_iter().map(str::to_owned).collect(), why }
}

/// Why a version stays whose tag names another image now.
fn moved(chosen: &ChosenVersion, group: &[Candidate<'_>]) -> (Reason, String) {
    let now: Vec<String> = group
        .iter()
        .map(|candidate| format!("{} is {}", candidate.tag, short(&candidate.image.digest)))
        .collect();
    let why = format!(
        "{} was chosen as {} and stays so, although {} now; push a higher version instead",
        chosen.tag,
        short(&chosen.digest),
        list(&now)
    );
    (Reason::VersionKept, why)
}
