//! What is said about a release after a decision.

use crds::{
    Condition, ConditionStatus, ConditionType, Generation, PendingVersion, Reason, ReleaseStatus,
};
use jiff::Timestamp;

use super::choose::{Choice, Decision};
use super::listing::Listing;
use super::past::Past;

/// The most waiting versions that a status names.
const PENDING_MAX: usize = 10;

/// The status after a decision, which `past` remembers already; `before` is the status that it takes the place of.
pub fn after(
    before: Option<&ReleaseStatus>,
    decision: &Decision,
    past: &Past,
    listing: &Listing,
    generation: Generation,
    now: Timestamp,
) -> ReleaseStatus {
    let say = |kind: ConditionType, status: ConditionStatus| Condition {
        kind,
        status,
        reason: decision.choice.reason(),
        message: decision.choice.why().to_owned(),
        observed_generation: generation,
        last_transition_time: before
            .and_then(|before| before.conditions.iter().find(|condition| condition.kind == kind))
            .filter(|condition| condition.status == status)
            .map_or(now, |condition| condition.last_transition_time),
    };
    let truth = |holds: bool| if holds { ConditionStatus::True } else { ConditionStatus::False };
    let is_stalled = is_stalled(&decision.choice);
    let is_waiting = !decision.waiting.is_empty() || !decision.wants.is_empty();
    let is_ready = past.chosen.is_some() && !is_stalled;
    ReleaseStatus {
        observed_generation: generation,
        chosen: past.chosen.clone(),
        candidates: decision.candidates,
        listed: listing.tag_count(),
        listed_at: Some(listing.read_at()),
        pending: decision
            .waiting
            .iter()
            .take(PENDING_MAX)
            .cloned()
            .collect::<Vec<PendingVersion>>(),
        conditions: vec![
            say(ConditionType::Ready, truth(is_ready)),
            say(ConditionType::Reconciling, truth(is_waiting)),
            say(ConditionType::Stalled, truth(is_stalled)),
        ],
    }
}

/// Whether a person should look: nothing will change by waiting.
fn is_stalled(choice: &Choice) -> bool {
    match choice {
        Choice::Chosen { .. } | Choice::Pending { .. } => false,
        Choice::Ambiguous { .. } | Choice::Suspicious { .. } => true,
        Choice::Keep { reason, .. } => *reason == Reason::VersionMissing,
    }
}
