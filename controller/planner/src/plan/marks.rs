//! Tags that say what has to be known when the spec is gone, and what they bring back when it comes again.

use crds::Reason;
use crds::ecs::Effect;
use serde_json::{Value, json};

use super::Action;
use crate::deletion::{DELETING, Marker};
use crate::desired::Desired;
use crate::drift::FieldDrift;
use crate::observed::ObservedService;
use crate::ownership::{DELETION_POLICY, DEPENDS_ON, GATES, HELD_IMAGES, HELD_SPEC, PROTECT};

/// The marks that a spec can set, and that it takes off again when it does not.
const MARKS: [&str; 2] = [DEPENDS_ON, PROTECT];

/// Ends a deletion that had begun before the spec came back, and takes off the marks that the spec does not set any more.
pub(super) fn settle(actions: &mut Vec<Action>, desired: &Desired, service: &ObservedService) {
    bring_back(actions, desired, service);
    let wanted = desired.service_tags();
    let stale = MARKS.into_iter().filter(|key| !wanted.contains_key(*key)).chain([DELETING]);
    let keys: Vec<String> =
        stale.filter(|key| service.tags.contains_key(*key)).map(str::to_owned).collect();
    if keys.is_empty() {
        return;
    }
    let changes = keys.iter().map(|key| FieldDrift {
        path: path(key),
        desired: None,
        observed: service.tags.get(key).map(|value| json!(value)),
        effect: Effect::InPlace,
    });
    actions.push(Action::UntagResource {
        arn: service.arn.clone(),
        changes: changes.collect(),
        keys,
        reason: Reason::TagsChanged,
    });
}

/// Whether nothing but marks changes: a spec sets them, so that they are no change by others.
pub(super) fn is_all(actions: &[Action]) -> bool {
    let paths =
        [DEPENDS_ON, PROTECT, DELETION_POLICY, DELETING, HELD_SPEC, HELD_IMAGES, GATES].map(path);
    actions.iter().all(|action| {
        let is_tagging =
            matches!(action, Action::TagResource { .. } | Action::UntagResource { .. });
        is_tagging && action.changes().iter().all(|change| paths.contains(&change.path))
    })
}

fn path(key: &str) -> String {
    format!("service.tags[{key}]")
}

/// The count that a service had before it was scaled in to be deleted, where its spec leaves the count to others.
fn bring_back(actions: &mut Vec<Action>, desired: &Desired, service: &ObservedService) {
    let Some(marker) = Marker::of(&service.tags) else { return };
    let wanted = &desired.service;
    let is_said = wanted.input.get("desiredCount").is_some()
        && !wanted.ignore.iter().any(|pointer| pointer == "/desiredCount");
    if is_said || desired.scaling.is_some() || service.desired_count > 0 || marker.count == 0 {
        return;
    }
    let change = FieldDrift {
        path: "service.desiredCount".to_owned(),
        desired: Some(json!(marker.count)),
        observed: Some(json!(service.desired_count)),
        effect: Effect::InPlace,
    };
    for action in actions.iter_mut() {
        if let Action::UpdateService { input, changes, .. } = action {
            if let Some(members) = input.as_object_mut() {
                members.insert("desiredCount".to_owned(), Value::from(marker.count));
            }
            changes.push(change);
            return;
        }
    }
    let (cluster, name) = (&desired.key.cluster, &desired.key.name);
    actions.insert(
        0,
        Action::UpdateService {
            input: json!({ "cluster": cluster, "service": name, "desiredCount": marker.count }),
            task_definition: None,
            reason: Reason::Drifted,
            changes: vec![change],
        },
    );
}
