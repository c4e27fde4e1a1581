//! A person's hold, which wins over every policy.

use std::collections::BTreeSet;

use crds::Reason;

use super::choose::{Choice, Question};
use super::listing::Standing;
use super::past::{PersonHold, Pin};
use super::sentence::moment;

/// What a hold makes of the question.
pub(super) fn choice(question: &Question<'_>, hold: &PersonHold) -> Choice {
    let chosen = question.past.chosen.as_ref();
    let keep = |why: String| Choice::Keep { reason: Reason::VersionHeld, why };
    let Some(pin) = &hold.pin else {
        return keep(match chosen {
            Some(chosen) => format!("{} stays, {}", chosen.tag, words(hold)),
            None => format!("nothing is chosen, {}", words(hold)),
        });
    };
    let digest = match digest(question, pin) {
        Ok(digest) => digest,
        Err(Unpinned::Several) => {
            let why = format!("the tag {} is listed with several images, {}", pin.tag, words(hold));
            return Choice::Ambiguous { tags: vec![pin.tag.clone()], why };
        }
        Err(Unpinned::Archived) => {
            return keep(format!("{} is archived and cannot be pulled, {}", pin.tag, words(hold)));
        }
        Err(Unpinned::Missing) => {
            return keep(format!("{} is not in the repository, {}", pin.tag, words(hold)));
        }
    };
    let why = format!("{} runs, {}", pin.tag, words(hold));
    let is_in_force = chosen.is_some_and(|chosen| {
        chosen.image == question.rule.image && chosen.digest == digest && chosen.tag == pin.tag
    });
    if is_in_force {
        return keep(why);
    }
    let version = question.rule.version(&pin.tag).unwrap_or(&pin.tag).to_owned();
    Choice::Chosen { tag: pin.tag.clone(), version, digest, why }
}

enum Unpinned {
    Several,
    Archived,
    Missing,
}

fn digest(question: &Question<'_>, pin: &Pin) -> Result<String, Unpinned> {
    let images = question.listing.images().iter();
    let named: Vec<_> = images.filter(|image| image.tags.contains(&pin.tag)).collect();
    if let Some(digest) = &pin.digest {
        return Ok(digest.clone());
    }
    let runnable: BTreeSet<&str> = named
        .iter()
        .filter(|image| image.standing() == Standing::Runnable)
        .map(|image| image.digest.as_str())
        .collect();
    let mut digests = runnable.into_iter();
    match (digests.next(), digests.next()) {
        (Some(digest), None) => Ok(digest.to_owned()),
        (Some(_), Some(_)) => Err(Unpinned::Several),
        (None, _) if named.iter().any(|image| image.standing() == Standing::Archived) => {
            Err(Unpinned::Archived)
        }
        (None, _) => Err(Unpinned::Missing),
    }
}

fn words(hold: &PersonHold) -> String {
    let why = hold.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let place = match &hold.pin {
        Some(pin) => format!("held at {}", pin.tag),
        None => "held".to_owned(),
    };
    format!("{place} by {} since {}{why}", hold.by, moment(hold.since))
}
