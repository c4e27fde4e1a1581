//! The inputs of the calls, complete.

use crds::ecs::{ServiceDefinition, TaskDefinition};
use crds::{ObjectKey, Reason};
use serde_json::{Value, json};

use super::{Action, TaskDefinitionRef};
use crate::desired::{Desired, content_hash};
use crate::drift::{self, FieldDrift};
use crate::normal;
use crate::observed::{Observed, ObservedService, ObservedTaskDefinition};
use crate::ownership::{self, SPEC_HASH, Tags};

/// The ACTIVE revision that already has the wanted content, or the call that registers one.
pub(super) fn choose_revision(
    desired: &Desired,
    observed: &Observed,
    reason: Reason,
    changes: Vec<FieldDrift>,
) -> (Option<Action>, TaskDefinitionRef) {
    let reusable = observed
        .candidates
        .iter()
        .flatten()
        .find(|candidate| candidate.is_active && desired.is_content_of(candidate));
    if let Some(revision) = reusable {
        return (None, TaskDefinitionRef::Existing(revision.arn.clone()));
    }
    let input = register_input(desired, observed.task_definition.as_ref());
    (Some(Action::RegisterTaskDefinition { input, reason, changes }), TaskDefinitionRef::Registered)
}

fn register_input(desired: &Desired, running: Option<&ObservedTaskDefinition>) -> Value {
    let wanted = &desired.task_definition;
    let mut input = match running {
        Some(running) if !wanted.ignore.is_empty() => {
            drift::apply_ignore(TaskDefinition::SHAPE, &wanted.input, &running.raw, &wanted.ignore)
        }
        _ => wanted.input.clone(),
    };
    let mut tags = wanted.tags.clone();
    tags.extend(desired.version_tags());
    tags.insert(ownership::OWNER.to_owned(), desired.owner.to_string());
    tags.insert(
        SPEC_HASH.to_owned(),
        content_hash(&normal::task_definition(&input), &wanted.passthrough),
    );
    if let Some(members) = input.as_object_mut() {
        members.insert("tags".to_owned(), tag_list(&tags));
    }
    input
}

/// CreateService's input, without the task definition.
pub(super) fn create_input(desired: &Desired, observed: &Observed, more_tags: Tags) -> Value {
    let mut input = desired.service.input.as_object().cloned().unwrap_or_default();
    if input.get("schedulingStrategy").and_then(Value::as_str) == Some("DAEMON") {
        // One task an instance: ECS refuses a count and a placement strategy (aws.md §2.4).
        input.remove("desiredCount");
        input.remove("placementStrategy");
    } else if let Some(scaling) = &desired.scaling {
        // The only time that a scaled service is given a count (aws.md §5.5).
        input.insert("desiredCount".to_owned(), json!(scaling.initial_count));
    } else {
        // ECS demands a count; a spec that leaves it to others starts with one task.
        input.entry("desiredCount").or_insert_with(|| json!(1));
    }
    input.insert("cluster".to_owned(), json!(desired.key.cluster));
    input.insert("serviceName".to_owned(), json!(desired.key.name));
    input.insert("clientToken".to_owned(), json!(client_token(&desired.key, desired, observed)));
    let mut tags = desired.service_tags();
    tags.extend(more_tags);
    input.insert("tags".to_owned(), tag_list(&tags));
    Value::Object(input)
}

/// The same for the same spec and the same previous service: a lost answer cannot create twice, and a service that was
/// deleted since can be created again. At most 32 characters (aws.md §8).
fn client_token(key: &ObjectKey, desired: &Desired, observed: &Observed) -> String {
    let previous = observed.service.as_ref().and_then(|service| service.created_at);
    let seed = json!([
        key,
        desired.owner,
        desired.spec_hash,
        previous.map(jiff::Timestamp::as_millisecond)
    ]);
    let hash = crds::SpecHash::of(&seed);
    hash.as_str().get(..32).unwrap_or_default().to_owned()
}

/// One UpdateService with exactly the members that differ, each complete.
pub(super) fn update_input(desired: &Desired, service: &ObservedService) -> Value {
    let wanted = &desired.service;
    let block = normal::service_block(&service.raw);
    let input =
        drift::apply_ignore(ServiceDefinition::SHAPE, &wanted.input, &block, &wanted.ignore);
    let mut input = drift::update_input(&input, &service.raw);
    if let Some(members) = input.as_object_mut() {
        members.extend(wanted.passthrough.clone());
        members.insert("cluster".to_owned(), json!(desired.key.cluster));
        members.insert("service".to_owned(), json!(desired.key.name));
    }
    input
}

/// Tags as ECS takes them.
pub fn tag_list(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}
