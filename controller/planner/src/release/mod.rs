//! Which version of an image runs.
//!
//! What comes in: a complete listing of the repository, the rule that a `Release` makes, what was chosen before and what
//! people decided about it. What leaves: a choice, or one sentence that says why there is none. Guarantees: the order of
//! the listing has no influence; a choice never goes back by itself; nothing is chosen from what could not be read.

mod candidates;
mod choose;
mod facts;
mod floor;
mod gates;
mod git;
mod listing;
pub mod newest;
mod past;
mod pattern;
mod platforms;
mod range;
mod rank;
mod rule;
mod sentence;
pub mod status;
mod version;
pub mod write_back;

pub use choose::{Choice, Decision, Want, choose};
pub use facts::{
    Ahead, Bundle, Facts, GitTag, ImageFacts, Offer, Platform, Scan, ScanFinding, Stay, Trust,
};
pub use floor::{Running, floor};
pub use git::{awaited, git_tag_of, wanted_tags};
pub use listing::{ListedImage, Listing, Storage};
pub use past::{Listed, Past, RolledBack};
pub use rule::Rule;

#[cfg(test)]
mod tests;
