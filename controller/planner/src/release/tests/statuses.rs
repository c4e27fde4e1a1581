//! What the status says after a choice.

use crds::{ConditionStatus, ConditionType, Generation, Reason, ReleaseStatus};

use super::harness::{image, noon, spec};
use crate::release::{Facts, ListedImage, Listing, Past, Rule, choose, status};

fn after(
    rule: &str,
    images: Vec<ListedImage>,
    past: &Past,
    before: Option<&ReleaseStatus>,
) -> (Past, ReleaseStatus) {
    let rule = Rule::resolve(&spec(rule)).unwrap();
    let listing = Listing::complete(images, noon());
    let decision = choose(&rule, &listing, &Facts::default(), past, noon());
    let past = past.after(&decision, &rule, &listing, noon());
    let status = status::after(before, &decision, &past, &listing, Generation(3), noon());
    (past, status)
}

fn says(status: &ReleaseStatus, kind: ConditionType) -> (ConditionStatus, Reason) {
    let condition = status.conditions.iter().find(|condition| condition.kind == kind).unwrap();
    (condition.status, condition.reason)
}

#[test]
fn a_choice_is_remembered_and_said() {
    let images = vec![image(&["1.0.0"], "sha256:a"), image(&["1.1.0", "latest"], "sha256:b")];
    let (past, status) = after(">=1.0.0", images.clone(), &Past::default(), None);
    let chosen = status.chosen.clone().unwrap();
    assert_eq!((chosen.tag.as_str(), chosen.digest.as_str()), ("1.1.0", "sha256:b"));
    assert_eq!((status.candidates, status.listed, chosen.since), (2, 3, noon()));
    assert_eq!(says(&status, ConditionType::Ready), (ConditionStatus::True, Reason::VersionChosen));
    let (again, same) = after(">=1.0.0", images, &past, Some(&status));
    assert_eq!(again, past);
    assert_eq!(same.chosen, status.chosen);
    assert_eq!(says(&same, ConditionType::Ready), (ConditionStatus::True, Reason::VersionCurrent));
}

#[test]
fn what_needs_a_person_is_stalled_and_keeps_what_was_chosen() {
    let images = vec![image(&["1.0.0"], "sha256:a")];
    let (past, status) = after(">=1.0.0", images, &Past::default(), None);
    let twins = vec![
        image(&["1.0.0"], "sha256:a"),
        image(&["1.1.0"], "sha256:b"),
        image(&["v1.1.0"], "sha256:c"),
    ];
    for (images, reason) in [(twins, Reason::VersionAmbiguous), (vec![], Reason::ListingSuspicious)]
    {
        let (next, status) = after(">=1.0.0", images, &past, Some(&status));
        assert_eq!(next.chosen, past.chosen);
        assert_eq!(status.chosen, past.chosen);
        assert_eq!(says(&status, ConditionType::Stalled), (ConditionStatus::True, reason));
        assert_eq!(says(&status, ConditionType::Ready), (ConditionStatus::False, reason));
    }
}

/// A listing that is not trusted must not become the measure of the next one.
#[test]
fn a_suspicious_listing_stays_suspicious() {
    let many: Vec<_> = (0..10)
        .map(|patch| image(&[&format!("1.0.{patch}")], &format!("sha256:{patch}")))
        .collect();
    let (mut past, _) = after(">=1.0.0", many.clone(), &Past::default(), None);
    for _ in 0..3 {
        let (next, status) = after(">=1.0.0", many[..2].to_vec(), &past, None);
        assert_eq!(says(&status, ConditionType::Stalled).1, Reason::ListingSuspicious);
        past = next;
    }
    past.accepts_loss = true;
    let (past, status) = after(">=1.0.0", many[..2].to_vec(), &past, None);
    assert_eq!(says(&status, ConditionType::Stalled).0, ConditionStatus::False);
    assert_eq!((past.listed.unwrap().tags, past.accepts_loss), (2, false));
}

#[test]
fn what_waits_is_listed() {
    let mut young = image(&["1.1.0"], "sha256:b");
    young.pushed_at = Some(noon());
    let images = vec![image(&["1.0.0"], "sha256:a"), young];
    let (_, status) = after(">=1.0.0 [min=10m]", images, &Past::default(), None);
    assert_eq!(status.chosen.unwrap().tag, "1.0.0");
    assert_eq!(status.pending.len(), 1);
    assert_eq!(status.pending[0].tag, "1.1.0");
    let reconciling = status.conditions.iter().find(|c| c.kind == ConditionType::Reconciling);
    assert_eq!(reconciling.unwrap().status, ConditionStatus::True);
}

#[test]
fn a_listing_that_could_not_be_read_leaves_what_was_chosen() {
    let images = vec![image(&["1.0.0"], "sha256:a")];
    let (_, known) = after(">=1.0.0", images.clone(), &Past::default(), None);
    let later = noon() + jiff::SignedDuration::from_hours(1);
    for (before, may_pass, ready, stalled) in [
        (None, true, ConditionStatus::False, ConditionStatus::False),
        (None, false, ConditionStatus::False, ConditionStatus::True),
        (Some(&known), true, ConditionStatus::Unknown, ConditionStatus::False),
        (Some(&known), false, ConditionStatus::False, ConditionStatus::True),
    ] {
        let why = (Reason::Throttled, "slow down", may_pass);
        let said = status::unread(before, why, Generation(4), later);
        assert_eq!(said.chosen, before.and_then(|before| before.chosen.clone()));
        assert_eq!(said.observed_generation, Generation(4));
        assert_eq!(says(&said, ConditionType::Ready), (ready, Reason::Throttled));
        assert_eq!(says(&said, ConditionType::Stalled), (stalled, Reason::Throttled));
        let holds =
            |holds: bool| if holds { ConditionStatus::True } else { ConditionStatus::False };
        let reconciling = says(&said, ConditionType::Reconciling).0;
        assert_eq!(reconciling, holds(may_pass));
        assert!(said.conditions.iter().all(|condition| condition.message == "slow down"));
        let written = (ConditionStatus::True, Reason::VersionWritten, "1.0.0");
        let first = status::written_back(before, written, Generation(4), later);
        assert_eq!((first.kind, first.status), (ConditionType::WrittenBack, ConditionStatus::True));
        assert_eq!((first.reason, first.last_transition_time), (Reason::VersionWritten, later));
        let mut told = said;
        told.conditions.push(first);
        let again = status::written_back(Some(&told), written, Generation(4), noon());
        assert_eq!(again.last_transition_time, later, "it already was so");
    }
    let listing = Listing::complete(images, noon());
    assert_eq!((listing.read_at(), listing.tag_count()), (noon(), 1));
    let confirmed = listing.confirmed(later);
    assert_eq!((confirmed.read_at(), confirmed.tag_count()), (later, 1));
}
