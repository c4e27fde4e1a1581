//! How a service is deleted: scaled in to 0, drained, and then deleted.
//!
//! Nothing but the service says how far that has got, so that a process which dies anywhere goes on where it was. A tag tells
//! when it began and how many tasks there were; it bounds the wait, and brings the tasks back if the spec comes back.

use std::time::Duration;

use crds::{ObjectKey, Reason};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::drift::FieldDrift;
use crate::observed::ObservedService;
use crate::ownership::Tags;
use crate::plan::{Action, Plan, Requeue};

/// The tag's key.
pub const DELETING: &str = "longshore.dev/deleting";
/// How long the tasks of a service may take to end before it is deleted with them.
pub const DRAIN_MAX: SignedDuration = SignedDuration::from_mins(15);
/// How old a mark may be when a service is scaled in.
const MARKED_ANEW_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// How soon it is looked whether they have.
const DRAIN_POLL: Duration = Duration::from_secs(5);

/// What the tag says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// When the deletion began.
    pub since: Timestamp,
    /// How many tasks were wanted then.
    pub count: i64,
}

impl Marker {
    /// Reads the tag; `None` if the service does not carry one that can be read.
    pub fn of(tags: &Tags) -> Option<Self> {
        let (since, count) = tags.get(DELETING)?.split_once(' ')?;
        Some(Self { since: since.parse().ok()?, count: count.parse().ok()? })
    }

    /// The tag's value.
    pub fn value(self) -> String {
        let since = self.since.strftime("%Y-%m-%dT%H:%M:%SZ");
        format!("{since} {}", self.count)
    }
}

/// The next step of a deletion.
pub(crate) fn next(key: &ObjectKey, service: &ObservedService, now: Timestamp) -> Plan {
    if text(service, "/schedulingStrategy") == Some("DAEMON") {
        // ECS keeps the count of a daemon itself and asks for no force (aws.md §2.5).
        return delete(false);
    }
    let marker = Marker::of(&service.tags);
    if service.desired_count > 0 {
        let scale_in = scale_in(key, service);
        let actions = mark(service, marker, now).into_iter().chain([scale_in]).collect();
        return Plan { actions, requeue: Requeue::After(DRAIN_POLL), ..Plan::nothing() };
    }
    let left = service.running_count + service.pending_count;
    let is_drained = left == 0 && service.deployments.len() <= 1;
    match marker {
        // Task sets of another controller may be left, which only force takes along.
        _ if is_drained => {
            delete(text(service, "/deploymentController/type").unwrap_or("ECS") != "ECS")
        }
        Some(marker) if now.duration_since(marker.since) >= DRAIN_MAX => delete(true),
        Some(_) => Plan::hold(
            Reason::Draining,
            format!("{key} is scaled in and is deleted when its tasks have ended; {left} are left"),
            Requeue::After(DRAIN_POLL),
        ),
        None => Plan {
            actions: mark(service, None, now).into_iter().collect(),
            requeue: Requeue::After(DRAIN_POLL),
            ..Plan::nothing()
        },
    }
}

/// Whether a plan takes something away from a service that has lost its spec.
pub fn takes_away(plan: &Plan) -> bool {
    plan.actions.iter().any(|action| action.reason() == Reason::Pruning)
}

fn delete(force: bool) -> Plan {
    let actions = vec![Action::DeleteService { force, reason: Reason::Pruning }];
    Plan { actions, requeue: Requeue::After(DRAIN_POLL), ..Plan::nothing() }
}

/// Marks the beginning. A mark that is older than a moment is from an attempt that went no further, or from before somebody
/// raised the count again: the wait begins anew, and the count that there was at first is kept.
fn mark(service: &ObservedService, marker: Option<Marker>, now: Timestamp) -> Option<Action> {
    if marker.is_some_and(|marker| now.duration_since(marker.since) < MARKED_ANEW_AFTER) {
        return None;
    }
    let count = marker.map_or(service.desired_count, |marker| marker.count);
    let value = Marker { since: now, count }.value();
    Some(Action::TagResource {
        arn: service.arn.clone(),
        changes: vec![FieldDrift {
            path: format!("service.tags[{DELETING}]"),
            desired: Some(json!(value)),
            observed: service.tags.get(DELETING).map(|value| json!(value)),
            effect: crds::ecs::Effect::InPlace,
        }],
        tags: Tags::from([(DELETING.to_owned(), value)]),
        reason: Reason::Pruning,
    })
}

fn scale_in(key: &ObjectKey, service: &ObservedService) -> Action {
    Action::UpdateService {
        input: json!({ "cluster": key.cluster, "service": key.name, "desiredCount": 0 }),
        task_definition: None,
        reason: Reason::Pruning,
        changes: vec![FieldDrift {
            path: "service.desiredCount".to_owned(),
            desired: Some(json!(0)),
            observed: Some(json!(service.desired_count)),
            effect: crds::ecs::Effect::InPlace,
        }],
    }
}

fn text<'a>(service: &'a ObservedService, pointer: &str) -> Option<&'a str> {
    service.raw.pointer(pointer).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[allow(clippy::needless_pass_by_value, reason = "callers write `json!({…})`")]
    fn service(more: Value) -> ObservedService {
        let mut described = json!({
            "serviceArn": "arn:aws:ecs:eu-west-1:111122223333:service/shop/web", "status": "ACTIVE",
            "schedulingStrategy": "REPLICA", "deploymentController": {"type": "ECS"},
            "desiredCount": 0, "runningCount": 0, "pendingCount": 0,
            "deployments": [{"id": "ecs-svc/1", "status": "PRIMARY"}],
        });
        described.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ObservedService::from_describe(&described)
    }

    fn marked(minutes_ago: i64) -> Value {
        let since = NOW - SignedDuration::from_mins(minutes_ago);
        json!([{"key": DELETING, "value": Marker { since, count: 2 }.value()}])
    }

    /// The operations, `DeleteService!` with force, or the reason of the hold.
    #[allow(clippy::needless_pass_by_value, reason = "callers write `json!({…})`")]
    fn step(more: Value) -> Vec<String> {
        let key = ObjectKey {
            target: crds::TargetName::default(),
            cluster: "shop".parse().unwrap(),
            name: "web".parse().unwrap(),
        };
        let plan = next(&key, &service(more), NOW);
        assert_eq!(plan.requeue, Requeue::After(DRAIN_POLL));
        let actions = plan.actions.iter().map(|action| {
            let is_forced = matches!(action, Action::DeleteService { force: true, .. });
            format!("{}{}", action.operation(), if is_forced { "!" } else { "" })
        });
        actions.chain(plan.holds.iter().map(|hold| hold.reason.to_string())).collect()
    }

    #[test]
    fn each_state_of_a_service_has_one_next_step() {
        let two = json!([{"id": "ecs-svc/1", "status": "PRIMARY"}, {"id": "ecs-svc/0", "status": "ACTIVE"}]);
        for (more, expected) in [
            (json!({"desiredCount": 2, "runningCount": 2}), &["TagResource", "UpdateService"][..]),
            (json!({"desiredCount": 2, "tags": marked(0)}), &["UpdateService"]),
            (json!({"desiredCount": 2, "tags": marked(1)}), &["TagResource", "UpdateService"]),
            (json!({"desiredCount": 2, "tags": marked(60)}), &["TagResource", "UpdateService"]),
            (json!({"runningCount": 2, "tags": marked(1)}), &["Draining"]),
            (json!({"pendingCount": 1, "tags": marked(14)}), &["Draining"]),
            (json!({"runningCount": 1, "tags": marked(15)}), &["DeleteService!"]),
            (json!({"runningCount": 2}), &["TagResource"]),
            (json!({"deployments": two.clone(), "tags": marked(1)}), &["Draining"]),
            (json!({"deployments": two, "tags": marked(15)}), &["DeleteService!"]),
            (json!({"tags": marked(1)}), &["DeleteService"]),
            (json!({}), &["DeleteService"]),
            (json!({"deploymentController": {"type": "EXTERNAL"}}), &["DeleteService!"]),
            (
                json!({"schedulingStrategy": "DAEMON", "desiredCount": 3, "runningCount": 3}),
                &["DeleteService"],
            ),
        ] {
            assert_eq!(step(more.clone()), expected, "{more}");
        }
    }

    #[test]
    fn a_mark_that_is_set_anew_keeps_the_first_count() {
        let more = json!({"desiredCount": 1, "tags": marked(60)});
        let marker = Marker::of(&service(json!({"tags": marked(60)})).tags);
        let Some(Action::TagResource { tags, .. }) = mark(&service(more), marker, NOW) else {
            panic!("it is set anew")
        };
        assert_eq!(Marker::of(&tags), Some(Marker { since: NOW, count: 2 }));
    }

    #[test]
    fn the_tag_is_read_as_it_was_written() {
        let marker = Marker { since: "2026-03-01T12:00:00Z".parse().unwrap(), count: 3 };
        let tags = Tags::from([(DELETING.to_owned(), marker.value())]);
        assert_eq!(Marker::of(&tags), Some(marker));
        assert_eq!(Marker::of(&Tags::from([(DELETING.to_owned(), "soon".to_owned())])), None);
        assert!(
            marker.value().chars().all(|one| one.is_ascii_alphanumeric() || " -:".contains(one)),
            "only what a tag may hold"
        );
    }
}
