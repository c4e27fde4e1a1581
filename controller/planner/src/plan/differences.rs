//! The differences between what is wanted and what is there, and the calls that remove them.

use crds::ecs::{Effect, ServiceDefinition};
use crds::{Reason, SpecHash};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::held::Held;
use super::inputs::{choose_revision, update_input};
use super::{Action, TaskDefinitionRef, attempt, unlisted};
use crate::desired::{Desired, passthrough_drift};
use crate::drift::{self, FieldDrift};
use crate::observed::{Observed, ObservedService, ObservedTaskDefinition};
use crate::ownership::{self, GATES, HELD_IMAGES, HELD_SPEC, SPEC_HASH, Tags};
use crate::{rollout, scaling};

/// The calls that remove every difference, and the differences that no call can remove.
pub(super) fn between(
    desired: &Desired,
    observed: &Observed,
    service: &ObservedService,
    reason: Reason,
    now: Timestamp,
) -> (Vec<Action>, Vec<FieldDrift>) {
    let has = observed.scaling.as_ref();
    let mut actions = match &desired.scaling {
        None => scaling::removal(&desired.key, service, has, reason),
        Some(_) => Vec::new(),
    };
    let mut changes = Vec::new();
    let mut target = None;
    if !observed.task_definition.as_ref().is_some_and(|running| desired.is_content_of(running)) {
        let fields = task_definition_drift(desired, observed.task_definition.as_ref());
        let (register, chosen) = choose_revision(desired, observed, reason, fields.clone());
        changes.push(FieldDrift {
            path: "service.taskDefinition".to_owned(),
            desired: Some(match &chosen {
                TaskDefinitionRef::Existing(arn) => json!(arn),
                TaskDefinitionRef::Registered => {
                    json!(format!("a new revision of {}", desired.task_definition.family))
                }
            }),
            observed: Some(json!(service.task_definition)),
            effect: Effect::RollsTasks,
        });
        if register.is_none() {
            // The call that would have told them is not made.
            changes.extend(fields);
        }
        actions.extend(register);
        target = Some(chosen);
    }
    let (replacements, updates): (Vec<FieldDrift>, Vec<FieldDrift>) =
        service_drift(desired, service)
            .into_iter()
            .map(|drift| prefixed("service", drift))
            .partition(|drift| drift.effect == Effect::Replacement);
    changes.extend(updates.into_iter().filter(|drift| is_updatable(service, drift)));
    if !changes.is_empty() {
        let input = update_input(desired, service);
        actions.push(Action::UpdateService { input, task_definition: target, reason, changes });
    }
    let (scaling, tags) = scaling::between(desired, service, has, reason, now);
    actions.extend(tag_action(desired, service, reason, tags));
    actions.extend(scaling);
    (actions, replacements)
}

fn task_definition_drift(
    desired: &Desired,
    running: Option<&ObservedTaskDefinition>,
) -> Vec<FieldDrift> {
    let Some(running) = running else { return Vec::new() };
    let drift = desired.task_definition.drift_from(running);
    drift.into_iter().map(|drift| prefixed("taskDefinition", drift)).collect()
}

/// What differs in the service's own settings.
pub(crate) fn service_drift(desired: &Desired, service: &ObservedService) -> Vec<FieldDrift> {
    let wanted = &desired.service;
    let mut drift =
        drift::compare(ServiceDefinition::SHAPE, &wanted.normal, &service.normal, &wanted.ignore);
    unlisted::settle(desired, service, &mut drift);
    // What AWS does not show cannot be compared; it goes along with the next change of the spec.
    let shown: Map<String, Value> = wanted
        .passthrough
        .iter()
        .filter(|(member, _)| service.raw.get(*member).is_some() || !is_attempted(desired, service))
        .map(|(member, value)| (member.clone(), value.clone()))
        .collect();
    drift.extend(passthrough_drift(&shown, &service.raw));
    drift
}

/// Whether this very spec has been applied before, by what the service's tags say.
pub(super) fn is_attempted(desired: &Desired, service: &ObservedService) -> bool {
    service.tags.get(SPEC_HASH).map(String::as_str) == Some(desired.spec_hash.as_str())
}

fn prefixed(block: &str, drift: FieldDrift) -> FieldDrift {
    FieldDrift { path: format!("{block}.{}", drift.path), ..drift }
}

/// Tags that are missing or differ. The commit alone is no difference: it moves with the rest, or every commit would touch
/// every service.
fn tag_action(
    desired: &Desired,
    service: &ObservedService,
    reason: Reason,
    more: Tags,
) -> Option<Action> {
    let mut wanted = desired.service_tags();
    wanted.extend(more);
    let changes: Vec<FieldDrift> = wanted
        .iter()
        .filter(|(key, value)| {
            key.as_str() != ownership::COMMIT && service.tags.get(*key) != Some(value)
        })
        .map(|(key, value)| FieldDrift {
            path: format!("service.tags[{key}]"),
            desired: Some(json!(value)),
            observed: service.tags.get(key).map(|value| json!(value)),
            effect: Effect::InPlace,
        })
        .collect();
    if changes.is_empty() {
        return None;
    }
    let mut tags: Tags =
        wanted.into_iter().filter(|(key, value)| service.tags.get(key) != Some(value)).collect();
    if !is_attempted(desired, service) {
        tags.extend(attempt::settled(desired, service));
    }
    Some(Action::TagResource { arn: service.arn.clone(), tags, reason, changes })
}

/// Takes the marks of a spec that is held off the service: before that spec, or another with its images, is sent
/// because it was released, and after another one was sent.
pub(super) fn clear_held_spec(
    actions: &mut Vec<Action>,
    service: &ObservedService,
    spec: &SpecHash,
    is_released: bool,
) {
    let Some(held) = Held::of(&service.tags) else { return };
    if is_released {
        actions.insert(0, untag_held(service, Reason::Released));
    } else if !held.is_of(spec) {
        actions.push(untag_held(service, Reason::TagsChanged));
    }
}

/// Takes the marks of a spec that is held off the service.
pub(super) fn untag_held(service: &ObservedService, reason: Reason) -> Action {
    let marks = [HELD_SPEC, HELD_IMAGES];
    let marks = marks.iter().filter_map(|key| Some((*key, service.tags.get(*key)?)));
    let (keys, changes) = marks
        .map(|(key, value)| {
            let change = FieldDrift {
                path: format!("service.tags[{key}]"),
                desired: None,
                observed: Some(json!(value)),
                effect: Effect::InPlace,
            };
            (key.to_owned(), change)
        })
        .unzip();
    Action::UntagResource { arn: service.arn.clone(), keys, reason, changes }
}

/// Takes the mark of our pauses off a service that is to have none, once no rollout can wait at one any more.
pub(super) fn clear_gates(
    actions: &mut Vec<Action>,
    desired: &Desired,
    service: &ObservedService,
    reason: Reason,
) {
    let Some(stages) = service.tags.get(GATES) else { return };
    if !desired.gates.at.is_empty() || rollout::is_moving(service) {
        return;
    }
    actions.push(Action::UntagResource {
        arn: service.arn.clone(),
        keys: vec![GATES.to_owned()],
        reason,
        changes: vec![FieldDrift {
            path: format!("service.tags[{GATES}]"),
            desired: None,
            observed: Some(json!(stages)),
            effect: Effect::InPlace,
        }],
    });
}

/// A rollout that failed and was not undone leaves no difference: trying it once more is a new deployment of the same.
pub(super) fn try_again(actions: &mut Vec<Action>, desired: &Desired) {
    if actions.iter().any(|action| matches!(action, Action::UpdateService { .. })) {
        return;
    }
    actions.push(Action::UpdateService {
        input: json!({
            "cluster": desired.key.cluster,
            "service": desired.key.name,
            "forceNewDeployment": true,
        }),
        task_definition: None,
        reason: Reason::Released,
        changes: Vec::new(),
    });
}

/// The service's deployment controller.
fn controller(service: &ObservedService) -> &str {
    service.raw.pointer("/deploymentController/type").and_then(Value::as_str).unwrap_or("ECS")
}

/// Whether UpdateService takes the member under the service's deployment controller.
fn is_updatable(service: &ObservedService, drift: &FieldDrift) -> bool {
    let path = drift.path.strip_prefix("service.").unwrap_or(&drift.path);
    let member = path.split(['.', '[']).next().unwrap_or(path);
    let controller = controller(service);
    controller == "ECS"
        || member == "deploymentController"
        || drift::is_updatable(member, controller)
}

/// Whether something differs that another deployment controller alone can change.
pub(super) fn has_foreign_drift(desired: &Desired, service: &ObservedService) -> bool {
    service_drift(desired, service).iter().any(|drift| !is_updatable(service, drift))
}
