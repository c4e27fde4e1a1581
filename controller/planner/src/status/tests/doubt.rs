//! What is said where something was not read, cannot be used, or has no spec any more.

use super::super::{blocked, orphan, unread, with_invalid, with_pending, with_source, with_stale};
use super::*;
use crate::observed::ObservedService;
use crate::plan::Requeue;

#[test]
fn what_could_not_be_read_leaves_what_was_known() {
    let wanted = desired("web:v1");
    let (observed, plan) = (running(json!({})), succeeded());
    let ready = after(&turn(&wanted, &observed, &plan));
    for (previous, is_terminal, says) in [
        (None, false, "Unknown Unknown Ready?+Reconciling CallFailed"),
        (None, true, "Unknown Unknown Ready?+Stalled CallFailed"),
        (Some(&ready), false, "Unknown Healthy Ready?+Reconciling CallFailed"),
    ] {
        let status = unread(&failure(is_terminal), Generation(4), previous, LATER);
        assert_eq!(told(&status), says);
        assert_eq!(status.last_applied, previous.and_then(|status| status.last_applied.clone()));
    }
    let holds = |status: &ServiceStatus| -> Vec<Reason> {
        status.holds.iter().map(|hold| hold.reason).collect()
    };
    let new = blocked(Reason::NotYetObserved, "soon", Generation(1), None, NOW);
    assert_eq!(told(&new), "Unknown Unknown Reconciling NotYetObserved");
    assert_eq!((holds(&new), message(&new)), (vec![], "soon"));
    let two = blocked(Reason::DuplicateSpec, "twice", Generation(1), Some(&ready), LATER);
    assert_eq!(told(&two), "Unknown Healthy Stalled DuplicateSpec");
    assert_eq!(holds(&two), [Reason::DuplicateSpec]);
    assert_eq!(two.last_applied, ready.last_applied);
}

#[test]
fn a_newest_spec_that_cannot_be_used_is_told_beside_the_one_in_force() {
    let wanted = desired("web:v1");
    let (observed, plan) = (running(json!({})), succeeded());
    let ready = after(&turn(&wanted, &observed, &plan));
    let once = with_invalid(ready.clone(), "line 3: no such field", Some(&ready), LATER);
    assert_eq!(told(&once), "OutOfSync Healthy Stalled InvalidSpec");
    assert_eq!(message(&once), "the last good spec stays in force: line 3: no such field");
    let times: Vec<Timestamp> =
        once.conditions.iter().map(|condition| condition.last_transition_time).collect();
    assert_eq!(times, [LATER, NOW, LATER]);
    // Said again, it is still said once; what is held besides stays.
    let mut held = once.clone();
    held.holds.insert(0, crds::HoldStatus { reason: Reason::ManualHold, message: String::new() });
    let again = with_invalid(held, "line 4", Some(&once), LATER);
    let holds: Vec<_> = again.holds.iter().map(|hold| (hold.reason, &*hold.message)).collect();
    assert_eq!(holds, [(Reason::ManualHold, ""), (Reason::InvalidSpec, "line 4")]);
}

#[test]
fn a_value_that_is_not_known_stalls_and_one_that_is_old_says_so() {
    let wanted = desired("web:v1");
    let (observed, plan, waits) = (running(json!({})), succeeded(), held(Reason::HookRunning));
    let ready = after(&turn(&wanted, &observed, &plan));
    let busy = after(&turn(&wanted, &observed, &waits));
    let (new, gone) = (Reason::NotYetObserved, Reason::ReferenceUnread);
    for (before, reason, says, holds) in [
        (&ready, new, "OutOfSync Healthy Reconciling NotYetObserved", 0),
        (&busy, new, "OutOfSync Healthy Reconciling NotYetObserved", 1),
        (&ready, gone, "OutOfSync Healthy Stalled ReferenceUnread", 1),
        (&busy, gone, "OutOfSync Healthy Reconciling+Stalled ReferenceUnread", 2),
    ] {
        let status = with_pending(before.clone(), reason, "no `x`", Some(before), LATER);
        assert_eq!(told(&status), says);
        assert_eq!(message(&status), "the last good spec stays in force: no `x`");
        assert_eq!(status.holds.len(), holds, "{says}");
    }
    let pending = with_pending(ready.clone(), gone, "no `x`", Some(&ready), LATER);
    let times: Vec<Timestamp> =
        pending.conditions.iter().map(|condition| condition.last_transition_time).collect();
    assert_eq!(times, [LATER, NOW, LATER]);

    let said = |status: &ServiceStatus| -> Vec<(crds::ConditionStatus, Reason, String)> {
        let all = status.conditions.iter();
        all.map(|one| (one.status, one.reason, one.message.clone())).collect()
    };
    let stale = with_stale(ready.clone(), gone, "`x` is old", Some(&ready), LATER);
    let mut expected = said(&ready);
    expected[2] = (crds::ConditionStatus::True, gone, "`x` is old".to_owned());
    assert_eq!(said(&stale), expected, "nothing but `Stalled` says it");
    assert_eq!(stale.conditions[2].last_transition_time, LATER);
    let stalled = after(&turn(&wanted, &observed, &held(Reason::SelfHealOff)));
    let still = with_stale(stalled.clone(), gone, "`x` is old", Some(&stalled), LATER);
    assert_eq!(said(&still), said(&stalled), "what stalls it already stays");
}

#[test]
fn a_service_without_a_spec_says_what_becomes_of_it() {
    let service = |members| running(members).service.unwrap();
    let (alive, draining) = (service(json!({})), service(json!({ "status": "DRAINING" })));
    let goes = Action::DeleteService { force: false, reason: Reason::Pruning };
    let deleting = Plan { actions: vec![goes], ..Plan::nothing() };
    let untag = Action::UntagResource {
        arn: String::new(),
        keys: Vec::new(),
        reason: Reason::Orphaned,
        changes: Vec::new(),
    };
    let letting_go = Plan { actions: vec![untag], ..Plan::nothing() };
    let hold = |reason| Plan::hold(reason, "because", Requeue::OnChange);
    let off = hold(Reason::PruneOff);
    let (passing, stuck) = (failure(false), failure(true));
    let left = "the spec has left its source; the service";
    let rows: Vec<(&Plan, &ObservedService, Option<&Failure>, &str, String)> = vec![
        (
            &deleting,
            &alive,
            None,
            "Progressing Reconciling Pruning",
            format!("{left} is being deleted"),
        ),
        (
            &letting_go,
            &alive,
            None,
            "Healthy Reconciling Orphaned",
            format!("{left} goes on without our tags"),
        ),
        (&off, &alive, None, "Healthy Stalled PruneOff", "because".to_owned()),
        (&off, &draining, None, "Progressing Stalled PruneOff", "because".to_owned()),
        (
            &deleting,
            &alive,
            Some(&passing),
            "Progressing Reconciling CallFailed",
            "no answer".to_owned(),
        ),
        (&deleting, &alive, Some(&stuck), "Progressing Stalled CallFailed", "no answer".to_owned()),
        (&off, &alive, Some(&passing), "Healthy Stalled CallFailed", "no answer".to_owned()),
    ];
    for (plan, service, failure, says, words) in rows {
        let status = orphan(plan, service, failure, None, NOW);
        assert_eq!(told(&status), format!("OutOfSync {says}"));
        assert_eq!(message(&status), words);
        assert_eq!(status.task_definition.as_deref(), Some("shop-web:1"));
        assert_eq!(status.holds.len(), plan.holds.len());
    }
    let drains = orphan(&hold(Reason::Draining), &alive, None, None, NOW);
    assert_eq!(told(&drains), "OutOfSync Progressing Reconciling Draining");
    let wanted = desired("web:v1");
    let (observed, plan) = (running(json!({})), succeeded());
    let before = after(&turn(&wanted, &observed, &plan));
    let after = orphan(&off, &alive, None, Some(&before), LATER);
    assert_eq!(
        (&after.last_applied, after.observed_generation),
        (&before.last_applied, Generation(3))
    );
}

#[test]
fn a_source_that_is_not_ready_is_told_beside_what_is_in_force() {
    let wanted = desired("web:v1");
    let (observed, plan) = (running(json!({})), succeeded());
    let ready = after(&turn(&wanted, &observed, &plan));
    let source = |status, reason| crds::Condition {
        kind: crds::ConditionType::Ready,
        status,
        reason,
        message: "no route".to_owned(),
        observed_generation: Generation(0),
        last_transition_time: NOW,
    };
    let (yes, no) = (crds::ConditionStatus::True, crds::ConditionStatus::False);
    let (unread, untrusted) = (Reason::CallFailed, Reason::SourceUntrusted);
    for (source, minutes, sync, is_told) in [
        (None, 60, crds::SyncStatus::Synced, false),
        (Some(source(yes, unread)), 60, crds::SyncStatus::Synced, false),
        (Some(source(no, unread)), 9, crds::SyncStatus::Synced, true),
        (Some(source(no, unread)), 10, crds::SyncStatus::Unknown, true),
        (Some(source(no, untrusted)), 0, crds::SyncStatus::Unknown, true),
    ] {
        let now = NOW + jiff::SignedDuration::from_mins(minutes);
        let said = with_source(ready.clone(), source.as_ref(), now);
        assert_eq!((said.sync, said.conditions.len() == 4), (sync, is_told), "{source:?}");
        assert_eq!(said.conditions[..3], ready.conditions, "what is in force stays so");
        // Told again it is told once, and no more when the source is ready.
        let again = with_source(said.clone(), source.as_ref(), now);
        assert_eq!(again, said);
        assert_eq!(with_source(said, None, now).conditions, ready.conditions);
    }
    let differs = with_invalid(ready.clone(), "line 3", None, NOW);
    let said = with_source(differs, Some(&source(no, untrusted)), NOW);
    assert_eq!(said.sync, crds::SyncStatus::OutOfSync);
}
