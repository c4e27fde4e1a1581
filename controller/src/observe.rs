//! Reads what AWS says about one service: the cheap facts first, then only those that the plan depends on.
//!
//! Callers ask for one service; the batcher below sends ten in a call. A read that fails makes no [`Observed`].

use crds::{ObjectKey, PastRelease};
use jiff::Timestamp;
use planner::observed::{
    ObservedService, ObservedTaskDefinition, ResolvedImage, ServiceDeployment, ServiceState,
    StoppedTask,
};
use planner::{Desired, Observed, past as history, rollout, unsaid};
use serde_json::Value;

use crate::aws::{Account, Error};
use crate::preflight;
use crate::scaling;

/// How many revisions of a family are looked at for one to use again.
const CANDIDATES: usize = 10;
/// How many of the last rollouts are looked at.
const DEPLOYMENTS: usize = 40;

/// Reads everything that a plan for this spec depends on. What is known of earlier releases saves reads.
pub async fn service(
    account: &Account,
    desired: &Desired,
    (past, now): (&[PastRelease], Timestamp),
) -> Result<Observed, Error> {
    let (cluster, name) = (desired.key.cluster.as_str(), desired.key.name.as_str());
    let mut service = bare_service(account, cluster, name).await?;
    if let Some(service) = &mut service {
        unsaid::by_history(service, past);
    }
    let last_good = history::last_good(past);
    let mut observed = Observed { service, last_good, ..Observed::default() };
    if let Some(service) =
        observed.service.as_ref().filter(|service| service.state == ServiceState::Active)
    {
        // Under an external deployment controller the service names none (aws.md §2.4).
        if !service.task_definition.is_empty() {
            observed.task_definition = task_definition(account, &service.task_definition).await?;
        }
    }
    if desired.reload_on_secret_change && observed.service.is_some() {
        observed.secrets = preflight::watched_secrets(account, desired).await;
    }
    let wants = planner::plan::wants(desired, &observed);
    if wants.candidates {
        observed.candidates = Some(candidates(account, desired).await?);
    }
    if wants.scaling {
        observed.scaling = Some(scaling::observe(account, desired, &observed).await?);
    }
    let Some(service) = &mut observed.service else { return Ok(observed) };
    if wants.deployments || history::has_open_end(past, service) {
        let records = deployments(account, cluster, name).await?;
        unsaid::by_records(service, &records);
        unsaid::by_age(service, now);
        observed.deployments = Some(records);
    }
    let wants_images = wants.images || rollout::has_completed(service);
    if (wants_images || wants.unlisted)
        && let Ok(Some(revision)) = running_revision(account, service).await
    {
        observed.images = wants_images.then(|| ResolvedImage::from_service_revision(&revision));
        service.complete_from(&revision);
    }
    if wants.stopped {
        // They only explain; a rollout does not wait for an explanation.
        let tasks = account.stopped_tasks(cluster, name).await.ok();
        observed.stopped =
            tasks.map(|tasks| tasks.iter().map(StoppedTask::from_describe).collect());
    }
    Ok(observed)
}

/// Reads what an order of a person is carried out by: the service, the revision it names, and its rollouts.
pub async fn for_deed(account: &Account, key: &ObjectKey) -> Result<Observed, Error> {
    let (cluster, name) = (key.cluster.as_str(), key.name.as_str());
    let mut observed =
        Observed { service: bare_service(account, cluster, name).await?, ..Observed::default() };
    let Some(service) =
        observed.service.as_ref().filter(|service| service.state == ServiceState::Active)
    else {
        return Ok(observed);
    };
    if !service.task_definition.is_empty() {
        observed.task_definition = task_definition(account, &service.task_definition).await?;
    }
    let records = deployments(account, cluster, name).await?;
    if let Some(service) = &mut observed.service {
        unsaid::by_records(service, &records);
    }
    observed.deployments = Some(records);
    Ok(observed)
}

/// Reads just the service.
pub async fn bare_service(
    account: &Account,
    cluster: &str,
    name: &str,
) -> Result<Option<ObservedService>, Error> {
    let service = account.describe_service(cluster, name).await?;
    Ok(service.as_deref().map(ObservedService::from_describe))
}

async fn task_definition(
    account: &Account,
    arn: &str,
) -> Result<Option<ObservedTaskDefinition>, Error> {
    let answer = account.describe_task_definition(arn).await?;
    Ok(answer.as_deref().map(ObservedTaskDefinition::from_describe))
}

async fn candidates(
    account: &Account,
    desired: &Desired,
) -> Result<Vec<ObservedTaskDefinition>, Error> {
    let arns =
        account.list_task_definitions(desired.task_definition.family.as_str(), CANDIDATES).await?;
    let mut candidates = Vec::new();
    for arn in arns {
        if let Some(candidate) = task_definition(account, &arn).await? {
            let found = desired.is_content_of(&candidate);
            candidates.push(candidate);
            if found {
                break;
            }
        }
    }
    Ok(candidates)
}

/// The newest rollouts, each with the revision it led to.
async fn deployments(
    account: &Account,
    cluster: &str,
    name: &str,
) -> Result<Vec<ServiceDeployment>, Error> {
    let records = account.service_deployments(cluster, name, DEPLOYMENTS).await?;
    let mut deployments = Vec::new();
    for record in &records {
        let mut deployment = ServiceDeployment::from_describe(record);
        let target = record.pointer("/targetServiceRevision/arn").and_then(Value::as_str);
        if let Some(target) = target {
            let mut revisions = account.service_revisions(&[target.to_owned()]).await?;
            deployment.captured = revisions.pop();
            let arn = deployment
                .captured
                .as_ref()
                .and_then(|revision| revision.get("taskDefinition")?.as_str().map(str::to_owned));
            if let Some(arn) = arn {
                deployment.task_definition = task_definition(account, &arn).await?;
            }
        }
        deployments.push(deployment);
    }
    Ok(deployments)
}

/// The service revision in force, or else the first of those that run; only under ECS's own controller there are any.
async fn running_revision(
    account: &Account,
    service: &ObservedService,
) -> Result<Option<Value>, Error> {
    let first = service.service_revisions.first().map(String::as_str);
    let Some(arn) = service.revision_in_force().or(first) else { return Ok(None) };
    Ok(account.service_revisions(&[arn.to_owned()]).await?.pop())
}
