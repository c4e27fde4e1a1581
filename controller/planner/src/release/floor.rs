//! Below which version a release must not go that remembers nothing.
//!
//! After the state store was lost, and when a release begins with services that run already, what they run is all that is
//! known of earlier choices.

use crds::ChosenVersion;
use jiff::Timestamp;

use super::listing::Listing;
use super::rank::Rank;
use super::rule::Rule;
use crate::image::ImageReference;

/// One image that a service runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Who runs it, for people.
    pub service: String,
    /// The image, as its task definition names it.
    pub image: String,
    /// The tag that it was chosen by, if the task definition says.
    pub tag: Option<String>,
}

/// The highest version that runs, as if it had been chosen now; `None` when none of the images is one of the release's.
pub fn floor(
    rule: &Rule,
    listing: &Listing,
    running: &[Running],
    now: Timestamp,
) -> Option<ChosenVersion> {
    let mut best: Option<(Rank, ChosenVersion)> = None;
    for found in running.iter().flat_map(|running| versions(rule, listing, running, now)) {
        let is_better = best.as_ref().is_none_or(|best| {
            (&found.0, &found.1.tag, &found.1.digest) > (&best.0, &best.1.tag, &best.1.digest)
        });
        if is_better {
            best = Some(found);
        }
    }
    best.map(|(_, chosen)| chosen)
}

/// The versions that an image of the release's repository is.
fn versions(
    rule: &Rule,
    listing: &Listing,
    running: &Running,
    now: Timestamp,
) -> Vec<(Rank, ChosenVersion)> {
    let image = ImageReference::parse(&running.image);
    if image.repository != rule.image() {
        return Vec::new();
    }
    let tag = running.tag.clone().or(image.tag);
    let mut named: Vec<(String, String)> = Vec::new();
    match (tag, image.digest) {
        (Some(tag), Some(digest)) => named.push((tag, digest)),
        (Some(tag), None) => {
            let images = listing.images().iter().filter(|image| image.tags.contains(&tag));
            named.extend(images.map(|image| (tag.clone(), image.digest.clone())));
        }
        (None, Some(digest)) => {
            let images = listing.images().iter().filter(|image| image.digest == digest);
            let tags = images.flat_map(|image| image.tags.iter().cloned());
            named.extend(tags.map(|tag| (tag, digest.clone())));
        }
        (None, None) => {}
    }
    let chosen = |(tag, digest): (String, String)| {
        let version = rule.version(&tag)?.to_owned();
        let rank = rule.policy.rank(&version)?;
        let reason = format!("{} runs it, and nothing else was remembered", running.service);
        let image = rule.image().to_owned();
        Some((rank, ChosenVersion { image, version, tag, digest, since: now, reason }))
    };
    named.into_iter().filter_map(chosen).collect()
}
