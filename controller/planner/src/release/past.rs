//! What has to be remembered from one choice to the next.

use crds::ChosenVersion;
use jiff::Timestamp;

use super::choose::{Choice, Decision};
use super::listing::Listing;
use super::rule::Rule;

/// What was chosen before, and what rollouts said about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// The choice that is in force.
    pub chosen: Option<ChosenVersion>,
    /// The last listing that was not suspicious.
    pub listed: Option<Listed>,
    /// Versions whose rollout failed. A person who wants to try one again takes it out of here.
    pub rolled_back: Vec<RolledBack>,
    /// A person has looked at a repository that lost most of its tags, and it is right.
    pub accepts_loss: bool,
}

/// What a listing held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The repository.
    pub image: String,
    /// How many tags.
    pub tags: usize,
    /// When it was read.
    pub at: Timestamp,
}

/// A version whose rollout failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBack {
    /// The version as the policy read it.
    pub version: String,
    /// Its tag.
    pub tag: String,
    /// Its image.
    pub digest: String,
    /// When it was rolled back.
    pub at: Timestamp,
}

impl Past {
    /// What is to be remembered after a decision.
    #[must_use]
    pub fn after(
        &self,
        decision: &Decision,
        rule: &Rule,
        listing: &Listing,
        now: Timestamp,
    ) -> Self {
        let mut past = self.clone();
        match &decision.choice {
            Choice::Suspicious { .. } => return past,
            Choice::Chosen { tag, version, digest, why } => {
                past.chosen = Some(ChosenVersion {
                    image: rule.image().to_owned(),
                    version: version.clone(),
                    tag: tag.clone(),
                    digest: digest.clone(),
                    since: now,
                    reason: why.clone(),
                });
            }
            Choice::Keep { .. } | Choice::Pending { .. } | Choice::Ambiguous { .. } => {}
        }
        let is_newer = self
            .listed
            .as_ref()
            .is_none_or(|listed| listed.image != rule.image() || listed.at <= listing.read_at());
        if is_newer {
            past.listed = Some(Listed {
                image: rule.image().to_owned(),
                tags: listing.tag_count(),
                at: listing.read_at(),
            });
            past.accepts_loss = false;
        }
        past
    }

    /// Why a listing is not to be trusted, if it is not.
    pub(super) fn suspicion(&self, rule: &Rule, listing: &Listing) -> Option<String> {
        if self.accepts_loss {
            return None;
        }
        let here = |image: &str| image == rule.image();
        let before = self
            .listed
            .as_ref()
            .filter(|listed| here(&listed.image))
            .map_or(0, |listed| listed.tags);
        let now = listing.tag_count();
        let chosen = self.chosen.as_ref().filter(|chosen| here(&chosen.image));
        match (now, before, chosen) {
            (0, 0, Some(chosen)) => {
                Some(format!("the repository lists no tags, and {} came from it", chosen.tag))
            }
            (0, 1.., _) => Some(format!("the repository lists no tags, it had {before}")),
            _ if now * 2 < before => {
                Some(format!("the repository lists {now} of the {before} tags that it had"))
            }
            _ => None,
        }
    }
}
