//! How long the services of a release have run its version well, for the releases that wait for that.
//!
//! Only time counts in which somebody looked. A look is taken at least once a minute while another release waits; where two
//! looks lie too far apart, because no process ran or the services could not be read, the time begins anew: what happened in
//! between is not known. The record keeps the last look, so that a short restart breaks nothing; that the version runs well
//! *now* is believed to this process only.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crds::{ChosenVersion, ReleaseName};
use jiff::{SignedDuration, Timestamp};
use planner::release::{Ahead, Stay};

use super::INTERVAL;
use super::services::{self, Verdict};
use crate::reconcile::Context;
use crate::state::{ReleaseRecord, Spell};

/// How far two looks may lie apart for the time between them to count: two that are missed, and a little.
const APART_MAX: SignedDuration = SignedDuration::from_mins(3);
/// How many spells are remembered.
const KEPT: usize = 20;

/// What this process has seen last of each release: an image that all of its services ran well.
#[derive(Debug, Default)]
pub(super) struct Watch(Mutex<HashMap<ReleaseName, Seen>>);

#[derive(Debug, Clone)]
struct Seen {
    digest: String,
    at: Timestamp,
}

impl Watch {
    /// Notes what the services make of the version that is in force. Returns when to look again, where another release
    /// waits for this one.
    pub(super) fn note(
        &self,
        context: &Context,
        name: &ReleaseName,
        record: &mut ReleaseRecord,
        verdicts: &[Verdict],
        now: Timestamp,
    ) -> Option<Duration> {
        let followers = context.inventory().followers_of_release(name);
        let chosen = record.chosen.clone().filter(|_| !followers.is_empty())?;
        let is_awaited = followers.iter().any(|follower| !has_in_force(context, follower, &chosen));
        let stand = Stand { is_well: are_well(verdicts), is_broken: are_broken(verdicts), now };
        let here = self.last(name, &chosen.digest);
        stand.close(record, &chosen, here);
        if stand.is_well {
            stand.go_on(record, &chosen, is_awaited);
            self.lock().insert(name.clone(), Seen { digest: chosen.digest, at: now });
        } else if stand.is_broken {
            self.forget(name);
        }
        Some(INTERVAL)
    }

    /// What is known of the release that goes ahead, from what is kept of it and from what is seen of it now.
    pub(super) fn ahead(
        &self,
        context: &Context,
        name: &ReleaseName,
        record: &ReleaseRecord,
        now: Timestamp,
    ) -> Ahead {
        let is_watched = record.chosen.as_ref().is_some_and(|chosen| {
            let verdicts = services::verdicts(context, name, chosen);
            let last = self.last(name, &chosen.digest);
            are_well(verdicts.values()) && last.is_some_and(|last| is_close(last, now))
        });
        let stay = |spell: &Spell| {
            let lasts = spell.until.is_none();
            let seen = spell.seen.or(spell.until).unwrap_or(spell.since);
            Stay {
                tag: spell.tag.clone(),
                digest: spell.digest.clone(),
                since: spell.since,
                seen: if lasts && is_watched { now } else { seen },
                lasts,
            }
        };
        Ahead {
            in_force: record.chosen.as_ref().map(|chosen| chosen.digest.clone()),
            is_watched,
            stays: record.spells.iter().map(stay).collect(),
        }
    }

    /// Forgets a release.
    pub(super) fn forget(&self, name: &ReleaseName) {
        self.lock().remove(name);
    }

    /// When this process last saw the services of a release run an image well.
    fn last(&self, name: &ReleaseName, digest: &str) -> Option<Timestamp> {
        self.lock().get(name).filter(|seen| seen.digest == digest).map(|seen| seen.at)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ReleaseName, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a look has found.
struct Stand {
    is_well: bool,
    is_broken: bool,
    now: Timestamp,
}

impl Stand {
    /// Ends the spell that lasts, at the last moment that is known of it, where it has not gone on.
    fn close(&self, record: &mut ReleaseRecord, chosen: &ChosenVersion, here: Option<Timestamp>) {
        for open in record.spells.iter_mut().filter(|spell| spell.until.is_none()) {
            let is_this = open.digest == chosen.digest;
            let kept = open.seen.unwrap_or(open.since);
            let last = here.filter(|_| is_this).map_or(kept, |here| here.max(kept));
            if self.is_broken || !is_this || !is_close(last, self.now) {
                open.seen = Some(last);
                open.until = Some(last);
            }
        }
    }

    /// Begins a spell, or writes down how far the one that lasts has come where somebody waits for it.
    fn go_on(&self, record: &mut ReleaseRecord, chosen: &ChosenVersion, is_awaited: bool) {
        let now = self.now;
        match record.spells.iter_mut().find(|spell| spell.until.is_none()) {
            Some(open) if is_awaited => open.seen = Some(now),
            Some(_) => {}
            None => {
                let (tag, digest) = (chosen.tag.clone(), chosen.digest.clone());
                let spell = Spell { tag, digest, since: now, seen: Some(now), until: None };
                record.spells.insert(0, spell);
                record.spells.truncate(KEPT);
            }
        }
    }
}

/// Whether the spells of a release are others than before, and not only longer.
pub(super) fn are_others(before: &[Spell], after: &[Spell]) -> bool {
    before.len() != after.len()
        || before.iter().zip(after).any(|(before, after)| {
            (&before.digest, before.since, before.until)
                != (&after.digest, after.since, after.until)
        })
}

/// Whether nothing is missed between two looks. By a clock that was set back nobody can say.
fn is_close(last: Timestamp, now: Timestamp) -> bool {
    now.duration_since(last).abs() <= APART_MAX
}

fn are_well<'v>(verdicts: impl IntoIterator<Item = &'v Verdict>) -> bool {
    let mut verdicts = verdicts.into_iter().peekable();
    verdicts.peek().is_some() && verdicts.all(|verdict| *verdict == Verdict::Well)
}

fn are_broken(verdicts: &[Verdict]) -> bool {
    verdicts.iter().any(|verdict| matches!(verdict, Verdict::Bad(_) | Verdict::Troubled))
}

fn has_in_force(context: &Context, follower: &ReleaseName, chosen: &ChosenVersion) -> bool {
    let object = context.statuses.release(follower);
    let in_force = object.as_ref().and_then(|object| object.status.chosen.as_ref());
    in_force.is_some_and(|in_force| in_force.digest == chosen.digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOAKED: &str = "sha256:a";

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn chosen(digest: &str) -> ChosenVersion {
        ChosenVersion {
            image: "shop".to_owned(),
            version: "1.0.0".to_owned(),
            tag: "v1.0.0".to_owned(),
            digest: digest.to_owned(),
            since: at(0),
            reason: "it was the highest".to_owned(),
        }
    }

    /// A look in this minute: what it found, and when this process looked last.
    fn look(record: &mut ReleaseRecord, minute: i64, is_well: Option<bool>, here: Option<i64>) {
        let is = |wanted| is_well == Some(wanted);
        let stand = Stand { is_well: is(true), is_broken: is(false), now: at(minute) };
        stand.close(record, &chosen(SOAKED), here.map(at));
        if stand.is_well {
            stand.go_on(record, &chosen(SOAKED), true);
        }
    }

    /// Since when the spell lasts that lasts.
    fn lasts_since(record: &ReleaseRecord) -> Option<i64> {
        let spell = record.spells.iter().find(|spell| spell.until.is_none())?;
        Some(spell.since.duration_since(at(0)).as_mins())
    }

    #[test]
    fn only_time_that_somebody_saw_counts() {
        let mut record = ReleaseRecord::default();
        for minute in 0..=30 {
            look(&mut record, minute, Some(true), None);
        }
        assert_eq!(lasts_since(&record), Some(0));
        // A short restart, and a moment in which nothing was known.
        look(&mut record, 32, None, None);
        look(&mut record, 33, Some(true), None);
        assert_eq!(lasts_since(&record), Some(0));
        // Nobody looked for four minutes.
        look(&mut record, 37, Some(true), None);
        assert_eq!(lasts_since(&record), Some(37));
        let ended = &record.spells[1];
        assert_eq!((ended.since, ended.seen, ended.until), (at(0), Some(at(33)), Some(at(33))));
        // What was written down is old, but this very process went on looking.
        look(&mut record, 50, Some(true), Some(49));
        assert_eq!(lasts_since(&record), Some(37));
        // It broke: what counts ends with the last look at which it ran well.
        look(&mut record, 51, Some(false), Some(50));
        assert_eq!((lasts_since(&record), record.spells[0].until), (None, Some(at(50))));
        look(&mut record, 52, Some(true), None);
        assert_eq!(lasts_since(&record), Some(52));
        // A clock that went back proves nothing.
        look(&mut record, 40, Some(true), None);
        assert_eq!(lasts_since(&record), Some(40));
        // Another version has taken its place.
        let stand = Stand { is_well: true, is_broken: false, now: at(41) };
        stand.close(&mut record, &chosen("sha256:b"), None);
        assert_eq!(lasts_since(&record), None);
    }

    #[test]
    fn no_services_are_not_well() {
        assert!(!are_well(&[]));
        assert!(are_well(&[Verdict::Well, Verdict::Well]));
        assert!(!are_well(&[Verdict::Well, Verdict::Unknown]));
        assert!(!are_broken(&[Verdict::Well, Verdict::Underway, Verdict::Unknown]));
        assert!(are_broken(&[Verdict::Well, Verdict::Troubled]));
    }

    #[test]
    fn a_longer_spell_is_no_other() {
        let mut record = ReleaseRecord::default();
        look(&mut record, 0, Some(true), None);
        let before = record.spells.clone();
        look(&mut record, 1, Some(true), None);
        assert_ne!(before, record.spells);
        assert!(!are_others(&before, &record.spells));
        look(&mut record, 2, Some(false), None);
        assert!(are_others(&before, &record.spells));
        assert!(are_others(&[], &before));
    }
}
