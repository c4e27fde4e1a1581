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
