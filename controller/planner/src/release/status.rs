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
    let told = (decision.choice.reason(), decision.choice.why());
    let say = |kind: ConditionType, status: ConditionStatus| {
        condition(before, (kind, status), told, generation, now)
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
        skipped: Vec::new(),
        commit: None,
        written: None,
        conditions: vec![
            say(ConditionType::Ready, truth(is_ready)),
            say(ConditionType::Reconciling, truth(is_waiting)),
            say(ConditionType::Stalled, truth(is_stalled)),
        ],
    }
}

/// The status when no decision could be made. What was chosen before stays, and is said to.
pub fn unread(
    before: Option<&ReleaseStatus>,
    (reason, message, may_pass): (Reason, &str, bool),
    generation: Generation,
    now: Timestamp,
) -> ReleaseStatus {
    let known = before.cloned().unwrap_or_default();
    let say = |kind: ConditionType, status: ConditionStatus| {
        condition(before, (kind, status), (reason, message), generation, now)
    };
    let is_ready = match (known.chosen.is_some(), may_pass) {
        (true, true) => ConditionStatus::Unknown,
        (true, false) | (false, _) => ConditionStatus::False,
    };
    let truth = |holds: bool| if holds { ConditionStatus::True } else { ConditionStatus::False };
    let conditions = vec![
        say(ConditionType::Ready, is_ready),
        say(ConditionType::Reconciling, truth(may_pass)),
        say(ConditionType::Stalled, truth(!may_pass)),
    ];
    ReleaseStatus { observed_generation: generation, conditions, ..known }
}

/// Whether the file of `writeBack` holds the version that is chosen.
pub fn written_back(
    before: Option<&ReleaseStatus>,
    told: (ConditionStatus, Reason, &str),
    generation: Generation,
    now: Timestamp,
) -> Condition {
    let (status, reason, message) = told;
    let kind = ConditionType::WrittenBack;
    condition(before, (kind, status), (reason, message), generation, now)
}

fn condition(
    before: Option<&ReleaseStatus>,
    (kind, status): (ConditionType, ConditionStatus),
    (reason, message): (Reason, &str),
    generation: Generation,
    now: Timestamp,
) -> Condition {
    Condition {
        kind,
        status,
        reason,
        message: message.to_owned(),
        observed_generation: generation,
        last_transition_time: before
            .and_then(|before| before.conditions.iter().find(|condition| condition.kind == kind))
            .filter(|condition| condition.status == status)
            .map_or(now, |condition| condition.last_transition_time),
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
