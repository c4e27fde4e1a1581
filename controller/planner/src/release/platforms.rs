//! Whether an image runs where it has to.

use super::candidates::Candidate;
use super::choose::Question;
use super::facts::{Offer, Platform};
use super::sentence::list;

/// Whether an image fits.
#[derive(Debug)]
pub(super) enum Fit {
    /// It does, or nothing is asked of it.
    Fits,
    /// It does not: why.
    Misfit(String),
    /// What it runs on has to be read first.
    Unread(String),
    /// What it runs on cannot be read, and it is asked for: why.
    Unreadable(String),
}

/// Whether an image runs on the platforms that the rule names, or else on those that the services run on.
///
/// What the rule names has to be proved. What follows from the services is there to keep out what does not fit: an image that
/// does not say what it runs on, or cannot be asked, is taken.
pub(super) fn fit(question: &Question<'_>, candidate: &Candidate<'_>) -> Fit {
    let (named, tag) = (&question.rule.platforms, candidate.tag);
    let is_named = !named.is_empty();
    let wanted = if is_named { named } else { &question.facts.runs_on };
    if wanted.is_empty() {
        return Fit::Fits;
    }
    let facts = question.facts.images.get(&candidate.image.digest);
    match facts.and_then(|facts| facts.platforms.as_ref()) {
        None => Fit::Unread(format!("the platforms of {tag} have not been read yet")),
        Some(Offer::Unreadable(why)) if is_named => {
            Fit::Unreadable(format!("the platforms of {tag} cannot be read: {why}"))
        }
        Some(Offer::Platforms(offered)) if is_named && offered.is_empty() => {
            Fit::Misfit(format!("{tag} does not say what it runs on"))
        }
        Some(Offer::Platforms(offered)) if !offered.is_empty() => misfit(tag, wanted, offered),
        Some(Offer::Platforms(_) | Offer::Unreadable(_)) => Fit::Fits,
    }
}

fn misfit(tag: &str, wanted: &[Platform], offered: &[Platform]) -> Fit {
    let missing = wanted.iter().filter(|wanted| !offered.iter().any(|own| own.fits(wanted)));
    let missing: Vec<String> = missing.map(ToString::to_string).collect();
    if missing.is_empty() {
        return Fit::Fits;
    }
    Fit::Misfit(format!("{tag} is not for {}", list(&missing)))
}
