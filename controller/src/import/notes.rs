//! What about a running service needs a person, beyond what the offline rules find.

use crds::ecs::{ServiceDefinition, TaskDefinition};
use planner::image::ImageReference;
use planner::ownership;
use serde_json::Value;

use super::read::Found;
use super::tidy;

/// Members of a described service that say how it is, not how it should be (aws.md §2.6).
pub(super) const SERVICE_FACTS: &[&str] = &[
    "serviceArn",
    "serviceName",
    "clusterArn",
    "cluster",
    "status",
    "runningCount",
    "pendingCount",
    "platformFamily",
    "taskDefinition",
    "taskSets",
    "deployments",
    "roleArn",
    "events",
    "createdAt",
    "createdBy",
    "currentServiceDeployment",
    "currentServiceRevisions",
    "resourceManagementType",
];

/// Tags by which other tools say that a service is theirs, and what to do about it.
const OTHER_TOOLS: &[(&str, &str, &str)] = &[
    (
        "aws:cloudformation:stack-name",
        "CloudFormation stack",
        "its next update undoes changes made here; take the service out of the stack (DeletionPolicy: Retain) first",
    ),
    ("copilot-service", "Copilot service", "stop deploying it with Copilot first"),
    ("pipecd-dev-managed-by", "PipeCD deployment of", "stop PipeCD's deployments of it first"),
];

/// Fields and messages.
pub(super) fn about(found: &Found) -> Vec<(String, String)> {
    let mut notes = Vec::new();
    owners(found, &mut notes);
    deployments(found, &mut notes);
    definition(found, &mut notes);
    images(found, &mut notes);
    newer_members(found, &mut notes);
    notes
}

fn owners(found: &Found, notes: &mut Vec<(String, String)>) {
    let tags = planner::observed::tags(&found.service);
    for (key, tool, remedy) in OTHER_TOOLS {
        if let Some(name) = tags.get(*key) {
            let message = format!("belongs to the {tool} `{name}`: {remedy}");
            notes.push(("spec.service".to_owned(), message));
        }
    }
    if let Some(owner) = tags.get(ownership::OWNER) {
        notes.push((String::new(), format!("is managed by the operator `{owner}` already")));
    }
}

fn deployments(found: &Found, notes: &mut Vec<(String, String)>) {
    let service = &found.service;
    let controller = service.pointer("/deploymentController/type").and_then(Value::as_str);
    if let Some(controller) = controller.filter(|controller| *controller != "ECS") {
        let message = format!(
            "deployments are carried out by {controller}: changes of the task definition are held until this reads ECS"
        );
        notes.push(("spec.service.deploymentController".to_owned(), message));
    }
    let listed = service.get("deployments").and_then(Value::as_array).map_or(0, Vec::len);
    if listed > 1 {
        let message = "a rollout was under way: this is what it leads to";
        notes.push((String::new(), message.to_owned()));
    }
}

fn definition(found: &Found, notes: &mut Vec<(String, String)>) {
    let definition = found.definition.get("taskDefinition");
    let status = definition.and_then(|one| one.get("status")).and_then(Value::as_str);
    if let Some(status) = status.filter(|status| *status != "ACTIVE") {
        let message = format!(
            "the revision that runs is {status}: it goes on running, and the next change registers a new one"
        );
        notes.push(("spec.taskDefinition".to_owned(), message));
    }
}

fn images(found: &Found, notes: &mut Vec<(String, String)>) {
    let containers = found.definition.pointer("/taskDefinition/containerDefinitions");
    for (index, container) in containers.and_then(Value::as_array).into_iter().flatten().enumerate()
    {
        let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
        if ImageReference::parse(image).digest.is_some() {
            let path = format!("spec.taskDefinition.containerDefinitions[{index}].image");
            let message = "is pinned by digest: nothing newer runs before somebody changes it";
            notes.push((path, message.to_owned()));
        }
    }
}

/// What AWS shows and this version does not know cannot be kept by it.
fn newer_members(found: &Found, notes: &mut Vec<(String, String)>) {
    let definition = found.definition.get("taskDefinition").and_then(Value::as_object);
    let of_definition = definition
        .map(|said| tidy::unknown(TaskDefinition::SHAPE, said))
        .unwrap_or_default()
        .into_iter()
        .filter(|path| !crds::ecs::task_definition::SERVER_MEMBERS.contains(&path.as_str()))
        .map(|path| ("taskDefinition", path));
    let of_service = found
        .service
        .as_object()
        .map(|said| tidy::unknown(ServiceDefinition::SHAPE, said))
        .unwrap_or_default()
        .into_iter()
        .filter(|path| !SERVICE_FACTS.contains(&path.as_str()))
        .map(|path| ("service", path));
    for (block, path) in of_definition.chain(of_service) {
        let message = format!(
            "AWS shows `{path}`, which this version does not know; if it can be set, put it under `spec.passthrough.{block}`"
        );
        notes.push((format!("spec.{block}.{path}"), message));
    }
}
