//! Carries a plan out: one narrow call per action, in order. It decides nothing.

mod scaling;

use planner::observed::{Deployment, ObservedService};
use planner::{Action, Plan, TaskDefinitionRef};
use serde_json::{Value, json};

use crate::aws::{Account, Error};

/// What came of a plan's actions.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many actions were carried out.
    pub done: usize,
    /// The PRIMARY deployments in the answers; a later read that knows neither one of them nor a newer one is older than the
    /// change.
    pub deployments: Vec<Deployment>,
    /// What RunTask answered.
    pub ran: Option<Value>,
    /// The hooks that were answered; a later read in which they wait is older than the answer.
    pub answered: Vec<String>,
    /// Why the rest was not.
    pub error: Option<Error>,
}

/// What earlier actions of the same plan gave.
#[derive(Debug, Default)]
struct Earlier {
    /// The ARN of the revision that was registered.
    registered: Option<String>,
    /// The ARN of the scaling policy that was put last.
    policy: Option<String>,
    /// What RunTask answered.
    ran: Option<Value>,
}

/// Carries the actions out in order and stops at the first that fails.
pub async fn plan(account: &Account, cluster: &str, name: &str, plan: &Plan) -> Outcome {
    let mut outcome = Outcome::default();
    let mut earlier = Earlier::default();
    for action in &plan.actions {
        match one(account, cluster, name, action, &mut earlier).await {
            Ok(deployments) => {
                outcome.done += 1;
                outcome.deployments.extend(deployments);
                outcome.answered.extend(answered_hook(action));
                tracing::info!(service = %name, cluster = %cluster, action = action.operation(), reason = %action.reason(), "applied");
            }
            Err(error) => {
                tracing::warn!(service = %name, cluster = %cluster, action = action.operation(), error = %error, "not applied");
                outcome.error = Some(error);
                break;
            }
        }
    }
    outcome.ran = earlier.ran;
    outcome
}

async fn one(
    account: &Account,
    cluster: &str,
    name: &str,
    action: &Action,
    earlier: &mut Earlier,
) -> Result<Vec<Deployment>, Error> {
    match action {
        Action::RegisterTaskDefinition { input, .. } => {
            let answer = account.register_task_definition(input).await?;
            earlier.registered = registered_arn(&answer);
            Ok(Vec::new())
        }
        Action::CreateService { input, task_definition, .. } => {
            let body =
                with_task_definition(input, Some(task_definition), earlier.registered.as_deref());
            account.create_service(&body).await.map(|answer| primary_deployment(&answer))
        }
        Action::UpdateService { input, task_definition, .. } => {
            let body = with_task_definition(
                input,
                task_definition.as_ref(),
                earlier.registered.as_deref(),
            );
            account.update_service(&body).await.map(|answer| primary_deployment(&answer))
        }
        Action::TagResource { arn, tags, .. } => {
            account.tag_resource(arn, tags).await.map(|()| Vec::new())
        }
        Action::UntagResource { arn, keys, .. } => {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            account.untag_resource(arn, &keys).await.map(|()| Vec::new())
        }
        Action::Scaling { call, .. } => {
            scaling::one(account, call, &mut earlier.policy).await.map(|()| Vec::new())
        }
        Action::RunTask { input, task_definition, .. } => {
            let body =
                with_task_definition(input, Some(task_definition), earlier.registered.as_deref());
            earlier.ran = Some(account.run_task(&body).await?);
            Ok(Vec::new())
        }
        Action::StopTask { input, .. } => account.stop_task(input).await.map(|()| Vec::new()),
        Action::StopServiceDeployment { arn, .. } => {
            account.stop_service_deployment(arn).await.map(|()| Vec::new())
        }
        Action::ContinueServiceDeployment { input, .. } => {
            account.continue_service_deployment(input).await.map(|()| Vec::new())
        }
        Action::DeleteService { force, .. } => {
            account.delete_service(cluster, name, *force).await.map(|_| Vec::new())
        }
    }
}

fn answered_hook(action: &Action) -> Option<String> {
    match action {
        Action::ContinueServiceDeployment { input, .. } => {
            input.get("hookId").and_then(Value::as_str).map(str::to_owned)
        }
        Action::RegisterTaskDefinition { .. }
        | Action::CreateService { .. }
        | Action::UpdateService { .. }
        | Action::TagResource { .. }
        | Action::UntagResource { .. }
        | Action::Scaling { .. }
        | Action::RunTask { .. }
        | Action::StopTask { .. }
        | Action::StopServiceDeployment { .. }
        | Action::DeleteService { .. } => None,
    }
}

fn registered_arn(answer: &Value) -> Option<String> {
    answer.pointer("/taskDefinition/taskDefinitionArn").and_then(Value::as_str).map(str::to_owned)
}

fn with_task_definition(
    input: &Value,
    reference: Option<&TaskDefinitionRef>,
    registered: Option<&str>,
) -> Value {
    let mut body = input.clone();
    let arn = match reference {
        Some(TaskDefinitionRef::Existing(arn)) => Some(arn.as_str()),
        Some(TaskDefinitionRef::Registered) => registered,
        None => None,
    };
    if let (Some(members), Some(arn)) = (body.as_object_mut(), arn) {
        members.insert("taskDefinition".to_owned(), json!(arn));
    }
    body
}

fn primary_deployment(answer: &Value) -> Vec<Deployment> {
    let service = answer.get("service").map(ObservedService::from_describe);
    service
        .into_iter()
        .flat_map(|service| service.deployments)
        .filter(|deployment| deployment.is_primary)
        .collect()
}
