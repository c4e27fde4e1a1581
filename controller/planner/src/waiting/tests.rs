//! What holds a change, and what holds none.

use crds::{
    Condition, ConditionStatus, ConditionType, Generation, Order, Service, ServiceStatus,
    SyncPolicy, Verb,
};
use serde_json::{Value, json};

use super::*;
use crate::plan::TaskDefinitionRef;
use crate::rollout::Rollout;

const NOW: &str = "2026-03-02T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn key(name: &str) -> ObjectKey {
    ObjectKey {
        target: crds::TargetName::default(),
        cluster: "shop".parse().unwrap(),
        name: name.parse().unwrap(),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "callers write `json!({…})`")]
fn desired(rollout: Value) -> Desired {
    let service: Service = serde_json::from_value(json!({
        "apiVersion": "longshore.dev/v1alpha1", "kind": "Service", "metadata": {"name": "api"},
        "spec": {
            "cluster": "shop",
            "taskDefinition": {"containerDefinitions": [{"name": "app", "image": "api:v1", "memory": 128}]},
            "service": {"desiredCount": 1},
            "rollout": rollout,
        },
    }))
    .unwrap();
    let provenance = crds::Provenance {
        source: "fleet".parse().unwrap(),
        revision: crds::SourceRevision::new("c0ffee"),
        file: "api.yaml".into(),
        line: 1,
    };
    Desired::resolve(&service, &"test".parse().unwrap(), provenance, &SyncPolicy::default())
        .unwrap()
}

/// The reasons for which the creation of a service waits, with what people said.
fn held(desired: &Desired, facts: &Facts, orders: &Orders) -> Vec<Reason> {
    let observed = Observed { candidates: Some(Vec::new()), ..Observed::default() };
    let plan = crate::plan(desired, &observed, orders, now());
    let count = plan.actions.len();
    assert!(count > 0);
    let weighed = weigh(desired, &observed, plan, facts, (orders, now()));
    let waits = !weighed.holds.is_empty();
    assert_eq!(weighed.actions.len(), if waits { 0 } else { count }, "all or nothing");
    assert_eq!(weighed.withheld.len(), if waits { count } else { 0 }, "all or nothing");
    weighed.holds.iter().map(|hold| hold.reason).collect()
}

fn depending(standings: &[(&str, Standing)]) -> Facts {
    let dependencies =
        standings.iter().map(|(name, standing)| (key(name), standing.clone())).collect();
    Facts { cycle: None, dependencies }
}

#[test]
fn every_dependency_has_to_be_ready_and_the_worst_is_told_first() {
    let desired = desired(json!({"dependsOn": ["a", "b", "c", "d"]}));
    let coming = || Standing::Coming("1 of 2 tasks run".to_owned());
    let failed = || Standing::Failed("RolledBack: exit code 1".to_owned());
    for (standings, expected) in [
        (vec![("a", Standing::Ready), ("b", Standing::Ready)], vec![]),
        (vec![("a", Standing::Ready), ("b", coming())], vec![Reason::WaitingForDependency]),
        (vec![("a", failed())], vec![Reason::DependencyFailed]),
        (vec![("a", Standing::Missing)], vec![Reason::DependencyMissing]),
        (
            vec![("a", coming()), ("b", failed()), ("c", Standing::Missing), ("d", coming())],
            vec![Reason::DependencyMissing, Reason::DependencyFailed, Reason::WaitingForDependency],
        ),
    ] {
        assert_eq!(held(&desired, &depending(&standings), &Orders::default()), expected);
    }
    let holds = dependency::holds(&[(key("a"), coming()), (key("b"), coming())]);
    assert_eq!(
        holds[0].message,
        "waits for shop/a: 1 of 2 tasks run; waits for shop/b: 1 of 2 tasks run"
    );
}

#[test]
fn a_circle_is_told_whether_or_not_there_is_anything_to_do() {
    let desired = desired(json!({"dependsOn": ["b"]}));
    let facts = Facts { cycle: Some(vec![key("api"), key("b")]), dependencies: Vec::new() };
    assert_eq!(held(&desired, &facts, &Orders::default()), [Reason::DependencyCycle]);
    let said = (&Orders::default(), now());
    let plan = weigh(&desired, &Observed::default(), Plan::nothing(), &facts, said);
    assert!(plan.is_settled());
    assert_eq!(
        plan.holds[0].message,
        "services depend on each other: shop/api -> shop/b -> shop/api; take one of these out of `rollout.dependsOn`"
    );
}

#[test]
fn only_what_was_said_of_the_newest_spec_counts() {
    let said = |generation: u64, ready: bool, stalled: bool| {
        let condition = |kind, holds: bool| Condition {
            kind,
            status: if holds { ConditionStatus::True } else { ConditionStatus::False },
            reason: Reason::RolloutInProgress,
            message: "said".to_owned(),
            observed_generation: Generation(generation),
            last_transition_time: now(),
        };
        let failure = crate::status::Failure {
            reason: Reason::CallFailed,
            message: String::new(),
            is_terminal: false,
        };
        ServiceStatus {
            conditions: vec![
                condition(ConditionType::Ready, ready),
                condition(ConditionType::Stalled, stalled),
            ],
            ..crate::status::unread(&failure, Generation(generation), None, now())
        }
    };
    let told = "RolloutInProgress: said".to_owned();
    let old = "its newest spec has not been looked at yet".to_owned();
    for (status, expected) in [
        (None, Standing::Coming(old.clone())),
        (Some(said(1, true, false)), Standing::Coming(old.clone())),
        (Some(said(1, false, true)), Standing::Coming(old)),
        (Some(said(2, true, false)), Standing::Ready),
        (Some(said(2, false, false)), Standing::Coming(told.clone())),
        (Some(said(2, false, true)), Standing::Failed(told)),
    ] {
        assert_eq!(standing(status.as_ref(), Generation(2)), expected);
    }
}

fn order(desired: &Desired, now_too: bool) -> Order {
    Order {
        id: 1,
        verb: Verb::Sync,
        actor: "ci".to_owned(),
        time: now(),
        reason: None,
        spec_hash: Some(desired.spec_hash.clone()),
        to: None,
        hook_id: None,
        replace: false,
        prune: false,
        now: now_too,
        expires_at: None,
    }
}

#[test]
fn outside_of_its_windows_a_change_waits_until_the_next_opening() {
    let window =
        |schedule: &str| json!([{"kind": "allow", "schedule": schedule, "duration": "1h"}]);
    let closed = desired(json!({"windows": window("0 18 * * *")}));
    let open = desired(json!({"windows": window("0 12 * * *")}));
    let facts = Facts::default();
    assert_eq!(held(&open, &facts, &Orders::default()), []);
    assert_eq!(held(&closed, &facts, &Orders::default()), [Reason::OutsideWindow]);
    let observed = Observed { candidates: Some(Vec::new()), ..Observed::default() };
    let plan = crate::plan(&closed, &observed, &Orders::default(), now());
    let plan = weigh(&closed, &observed, plan, &facts, (&Orders::default(), now()));
    assert_eq!(plan.requeue, Requeue::After(Duration::from_hours(6)));
    assert!(plan.holds[0].message.contains("2026-03-02T18:00:00Z"), "{:?}", plan.holds);
    // A person lets this very spec go; an order for another one, or without `now`, does not.
    for (orders, expected) in [
        (order(&closed, true), &[][..]),
        (order(&closed, false), &[Reason::OutsideWindow]),
        (
            Order { spec_hash: Some(crds::SpecHash::from_text("another")), ..order(&closed, true) },
            &[Reason::OutsideWindow],
        ),
    ] {
        let orders = Orders { sync: Some(orders), ..Orders::default() };
        assert_eq!(held(&closed, &facts, &orders), expected);
    }
}

#[test]
fn what_replaces_no_task_waits_for_nothing() {
    let closed = desired(json!({"dependsOn": ["a"], "windows":
        [{"kind": "deny", "schedule": "0 0 * * *", "duration": "24h"}]}));
    let facts = depending(&[("a", Standing::Missing)]);
    let update = |input: Value| Action::UpdateService {
        input,
        task_definition: None,
        reason: Reason::Drifted,
        changes: Vec::new(),
    };
    let arn = "arn:aws:ecs:eu-west-1:111122223333:service/shop/api".to_owned();
    let untag = Action::UntagResource {
        arn,
        keys: Vec::new(),
        reason: Reason::TagsChanged,
        changes: Vec::new(),
    };
    let hook = |phase: &str| Action::RunTask {
        input: json!({}),
        task_definition: TaskDefinitionRef::Registered,
        run: serde_json::from_value(json!({
            "phase": phase, "name": "seed", "id": "x", "attempt": 1, "requestedAt": NOW,
            "family": "shop-api", "container": "app", "timeout": "15m",
        }))
        .unwrap(),
        reason: Reason::HookRunning,
        changes: Vec::new(),
    };
    for (action, waits) in [
        (update(json!({"desiredCount": 3})), false),
        (update(json!({"forceNewDeployment": true})), true),
        (untag, false),
        (hook("before"), true),
        (hook("after"), false),
    ] {
        let plan = Plan { actions: vec![action.clone()], ..Plan::nothing() };
        let said = (&Orders::default(), now());
        let weighed = weigh(&closed, &Observed::default(), plan, &facts, said);
        assert_eq!(weighed.actions.is_empty(), waits, "{action:?}");
    }
}

#[test]
fn what_failed_its_checks_goes_back_without_a_place() {
    for (reason, needs) in [(Reason::SpecChanged, true), (Reason::ChecksFailed, false)] {
        let update = Action::UpdateService {
            input: json!({}),
            task_definition: Some(TaskDefinitionRef::Registered),
            reason,
            changes: Vec::new(),
        };
        let plan = Plan { actions: vec![update], ..Plan::nothing() };
        assert_eq!(needs_place(&plan), needs, "{reason}");
    }
}

#[test]
fn a_rollout_takes_a_place_until_it_has_ended_or_takes_too_long() {
    let desired = desired(json!({"timeout": "15m"}));
    let observed = |state: &str, began: &str| Observed {
        service: Some(crate::observed::ObservedService::from_describe(&json!({
            "status": "ACTIVE",
            "deployments": [{
                "id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": state,
                "createdAt": began.parse::<Timestamp>().unwrap().as_second(),
            }],
        }))),
        ..Observed::default()
    };
    for (state, began, rollout, takes) in [
        ("IN_PROGRESS", "2026-03-02T11:50:00Z", Rollout::InProgress, true),
        ("IN_PROGRESS", "2026-03-02T11:50:00Z", Rollout::NotStarted, true),
        ("IN_PROGRESS", "2026-03-02T11:45:00Z", Rollout::InProgress, true),
        ("IN_PROGRESS", "2026-03-02T11:44:00Z", Rollout::InProgress, false),
        ("IN_PROGRESS", "2026-03-02T11:50:00Z", Rollout::RollingBack(String::new()), false),
        ("COMPLETED", "2026-03-02T11:50:00Z", Rollout::Succeeded, false),
        ("FAILED", "2026-03-02T11:50:00Z", Rollout::Failed(String::new()), false),
    ] {
        let plan = Plan { rollout, ..Plan::nothing() };
        let seen = is_under_way(&desired, &observed(state, began), &plan, now());
        assert_eq!(seen, takes, "{state} since {began}: {:?}", plan.rollout);
    }
}

#[test]
fn who_waits_in_line_says_behind_how_many() {
    let update = Action::UpdateService {
        input: json!({}),
        task_definition: Some(TaskDefinitionRef::Registered),
        reason: Reason::SpecChanged,
        changes: Vec::new(),
    };
    let plan = Plan { actions: vec![update], ..Plan::nothing() };
    let full = "the target `default` allows 2 rollouts at a time and has as many;";
    let soon = Requeue::After(Duration::from_secs(3));
    for (line, words, requeue) in [
        (Line::Behind { limit: 2, ahead: 0 }, format!("{full} this one is the next"), Requeue::OnChange),
        (
            Line::Behind { limit: 2, ahead: 1 },
            format!("{full} 1 waits before this one"),
            Requeue::OnChange,
        ),
        (
            Line::Behind { limit: 2, ahead: 3 },
            format!("{full} 3 wait before this one"),
            Requeue::OnChange,
        ),
        (
            Line::Unknown { unseen: 4 },
            "the rollouts under way are not all known yet: 4 services of the target `default` have not been looked at".to_owned(),
            soon,
        ),
    ] {
        let target = crds::TargetName::default();
        let waits = in_line(plan.clone(), &target, &line, (&Observed::default(), now()));
        assert_eq!((waits.actions.len(), waits.withheld.len()), (0, 1));
        assert_eq!(waits.holds, [Hold::new(Reason::WaitingForPlace, words)]);
        assert_eq!(waits.requeue, requeue, "{line:?}");
    }
}
