//! What is said after a turn, as rows: what was found and decided, and what the status makes of it.

mod doubt;
mod stages;
mod verdicts;

use crds::{Generation, Reason, ServiceStatus};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Failure, Turn, after};
use crate::desired::Desired;
use crate::observed::Observed;
use crate::ownership::Tags;
use crate::plan::tests::{ARN, World, desired};
use crate::plan::{Action, Hold, Plan};
use crate::preflight::SecretVersion;
use crate::rollout::Rollout;

/// A day after 1970 began, so that there is time before it.
const NOW: Timestamp = Timestamp::constant(86_400, 0);
const LATER: Timestamp = Timestamp::constant(90_000, 0);

/// A service that runs what is wanted, with these members of AWS's answer.
#[allow(clippy::needless_pass_by_value, reason = "callers write `json!({…})`")]
fn running(members: Value) -> Observed {
    let mut world = World::running("web:v1");
    let service = world.service.as_mut().unwrap().as_object_mut().unwrap();
    service.extend(members.as_object().unwrap().clone());
    world.observe()
}

/// The only deployment of such a service, with these members.
#[allow(clippy::needless_pass_by_value, reason = "callers write `json!({…})`")]
fn primary(members: Value) -> Value {
    let mut deployment = json!({
        "id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": format!("{ARN}:task-definition/shop-web:1"),
        "rolloutState": "IN_PROGRESS", "desiredCount": 2, "runningCount": 1,
    });
    deployment.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    json!({ "deployments": [deployment] })
}

fn turn<'a>(desired: &'a Desired, observed: &'a Observed, plan: &'a Plan) -> Turn<'a> {
    let (failure, previous) = (None, None);
    Turn { desired, observed, plan, failure, generation: Generation(3), previous, now: NOW }
}

fn at(rollout: Rollout) -> Plan {
    Plan { rollout, ..Plan::nothing() }
}

fn succeeded() -> Plan {
    at(Rollout::Succeeded)
}

fn tagging() -> Action {
    let (tags, changes) = (Tags::new(), Vec::new());
    Action::TagResource { arn: String::new(), tags, reason: Reason::SpecChanged, changes }
}

/// What is left to do and held for this reason.
fn held(reason: Reason) -> Plan {
    Plan { actions: vec![tagging()], ..succeeded() }.withhold(reason, "because")
}

fn failure(is_terminal: bool) -> Failure {
    Failure { reason: Reason::CallFailed, message: "no answer".to_owned(), is_terminal }
}

/// Sync, health, the conditions that are true (or not known), and the reason that all of them give.
fn told(status: &ServiceStatus) -> String {
    let stands = status.conditions.iter().filter_map(|condition| match condition.status {
        crds::ConditionStatus::True => Some(format!("{:?}", condition.kind)),
        crds::ConditionStatus::Unknown => Some(format!("{:?}?", condition.kind)),
        crds::ConditionStatus::False => None,
    });
    let stands = stands.collect::<Vec<_>>().join("+");
    let reasons: Vec<Reason> = status.conditions.iter().map(|condition| condition.reason).collect();
    let reason = reasons.first().map(ToString::to_string).unwrap_or_default();
    assert!(reasons.iter().all(|other| other.as_str() == reason), "{reasons:?}");
    format!("{:?} {:?} {stands} {reason}", status.sync, status.health)
}

fn message(status: &ServiceStatus) -> &str {
    &status.conditions[0].message
}

#[test]
fn a_spec_is_tried_once_and_applied_when_it_is_ready() {
    let (first, second) = (desired("web:v1"), desired("web:v2"));
    let observed = running(json!({}));
    let next = |desired: &Desired, plan: &Plan, previous: Option<&ServiceStatus>, now| {
        after(&Turn { previous, now, ..turn(desired, &observed, plan) })
    };
    let doing = Plan { actions: vec![tagging()], ..succeeded() };
    let begins = next(&first, &held(Reason::ManualSync), None, NOW);
    assert_eq!((begins.last_attempted, begins.history.len()), (None, 0), "nothing was tried");
    let tries = next(&first, &doing, None, NOW);
    let attempt = tries.last_attempted.clone().unwrap();
    assert_eq!((&attempt.spec_hash, attempt.time), (&first.spec_hash, NOW));
    assert_eq!((&tries.history, &tries.last_applied), (&vec![attempt.clone()], &None));
    let ready = next(&first, &succeeded(), Some(&tries), LATER);
    assert_eq!(ready.last_applied.as_ref(), Some(&attempt), "with the time of the first try");
    assert_eq!(ready.history, std::slice::from_ref(&attempt));
    let held_back = next(&second, &held(Reason::ManualSync), Some(&ready), LATER);
    assert_eq!(held_back.last_attempted.as_ref().unwrap().spec_hash, second.spec_hash);
    assert_eq!(held_back.last_applied.as_ref(), Some(&attempt));
    assert_eq!(held_back.history.len(), 2);
    assert_eq!(held_back.history[0].spec_hash, second.spec_hash, "newest first");
    assert_eq!(next(&second, &doing, Some(&held_back), LATER).history.len(), 2);
    // What is done although something is held was tried, too.
    let both = Plan { holds: vec![Hold::new(Reason::HookRunning, "")], ..doing };
    assert!(next(&first, &both, None, NOW).last_attempted.is_some());
    let mut long = held_back;
    long.history = vec![attempt; 20];
    assert_eq!(next(&second, &both, Some(&long), LATER).history.len(), 20);
}

#[test]
fn a_condition_keeps_its_time_while_its_status_stays() {
    let wanted = desired("web:v1");
    let observed = running(json!({}));
    let (plan, waits) = (succeeded(), held(Reason::HookRunning));
    let first = after(&turn(&wanted, &observed, &plan));
    let times = |status: &ServiceStatus| -> Vec<Timestamp> {
        status.conditions.iter().map(|condition| condition.last_transition_time).collect()
    };
    assert_eq!(times(&first), [NOW; 3]);
    let then = Turn { previous: Some(&first), now: LATER, ..turn(&wanted, &observed, &plan) };
    assert_eq!(times(&after(&then)), [NOW; 3]);
    let then = Turn { plan: &waits, ..then };
    assert_eq!(times(&after(&then)), [LATER, LATER, NOW], "ready and reconciling have turned");
}

#[test]
fn what_runs_is_named() {
    let mut wanted = desired("shop/web:v1");
    let revision = |image: &str| {
        json!({
            "taskDefinition": {
                "taskDefinitionArn": format!("{ARN}:task-definition/shop-web:7"), "status": "ACTIVE",
                "containerDefinitions": [
                    { "name": "app", "image": image }, { "name": "proxy", "image": "envoy@sha256:e" },
                ],
            },
            "tags": [{ "key": "longshore.dev/version.shop", "value": "1.4.2" }],
        })
    };
    let digest = |container: &str, digest: &str| crate::observed::ResolvedImage {
        container: container.to_owned(),
        digest: digest.to_owned(),
    };
    let observe = |image: &str| Observed {
        task_definition: Some(crate::observed::ObservedTaskDefinition::from_describe(&revision(
            image,
        ))),
        images: Some(vec![digest("proxy", "sha256:other"), digest("app", "sha256:a")]),
        ..running(json!({}))
    };
    let images = |wanted: &Desired, observed: &Observed| -> Vec<String> {
        let plan = succeeded();
        let status = after(&turn(wanted, observed, &plan));
        let said = status.images.into_iter().map(|image| {
            let tag = image.tag.unwrap_or_default();
            format!("{} {} {tag} {}", image.container, image.repository, image.digest.unwrap())
        });
        said.collect()
    };
    let proxy = "proxy envoy  sha256:e";
    assert_eq!(images(&wanted, &observe("shop/web:v1")), ["app shop/web v1 sha256:a", proxy]);
    // By digest there is no tag but the version that the release has chosen.
    let by_digest = observe("shop/web@sha256:d");
    assert_eq!(images(&wanted, &by_digest), ["app shop/web  sha256:d", proxy]);
    wanted.versions = vec![crate::desired::Version {
        release: "shop".parse().unwrap(),
        tag: "1.5.0".to_owned(),
        image: "shop/web@sha256:f".to_owned(),
    }];
    assert_eq!(images(&wanted, &by_digest), ["app shop/web 1.4.2 sha256:d", proxy], "what runs");
    let plan = succeeded();
    let status = after(&turn(&wanted, &by_digest, &plan));
    assert_eq!(status.task_definition.as_deref(), Some("shop-web:1"));
    assert_eq!(after(&turn(&wanted, &Observed::default(), &plan)).task_definition, None);
}

#[test]
fn what_was_not_read_again_is_told_as_it_was() {
    let wanted = desired("web:v1");
    let version = SecretVersion {
        container: "app".to_owned(),
        name: "KEY".to_owned(),
        from: "/shop/key".to_owned(),
        version: "7".to_owned(),
        changed_at: Some(NOW),
    };
    let observed = Observed { secrets: Some(vec![version]), ..running(json!({})) };
    let without = running(json!({}));
    let plan = Plan { not_checked: vec!["no permission".to_owned()], ..succeeded() };
    let first = after(&turn(&wanted, &observed, &plan));
    let [secret] = first.secrets.as_slice() else { panic!("{:?}", first.secrets) };
    assert_eq!((&*secret.container, &*secret.name, &*secret.from), ("app", "KEY", "/shop/key"));
    assert_eq!(secret.version, "7");
    assert_eq!(first.not_checked, ["no permission"]);
    let (settled, doing) = (succeeded(), Plan { actions: vec![tagging()], ..succeeded() });
    let other = Plan { not_checked: vec!["throttled".to_owned()], ..succeeded() };
    for (plan, generation, not_checked) in [
        (&settled, 3, &["no permission"][..]),
        (&settled, 4, &[]),
        (&doing, 3, &[]),
        (&other, 3, &["throttled"]),
    ] {
        let status = after(&Turn {
            previous: Some(&first),
            generation: Generation(generation),
            ..turn(&wanted, &without, plan)
        });
        assert_eq!(status.secrets, first.secrets);
        assert_eq!(status.not_checked, not_checked, "{plan:?}");
    }
}
