//! Lifecycle hooks of deployments (aws.md §2.10, §3.8).

use crds::ecs::deployment::{DeploymentLifecycleHook, HookTargetType, LifecycleStage};

use super::deployment::is_rolling;
use super::finding::{Finding, error, warning};
use super::subject::Subject;
use super::words::{each, is_open};

/// How many hooks of each kind a service takes.
pub(super) const MAX_HOOKS: usize = 10;

/// How long a function may take to answer, in minutes. A pause may take longer, which the table knows.
const MAX_FUNCTION_TIMEOUT: i32 = 1440;

const CONFIGURATION: &str = "spec.service.deploymentConfiguration";

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let configuration = subject.service.deployment_configuration.as_ref();
    let hooks = configuration.and_then(|configuration| configuration.lifecycle_hooks.as_deref());
    let hooks = hooks.unwrap_or_default();
    if !hooks.is_empty() && is_rolling(subject) {
        found.push(
            warning(
                format!("{CONFIGURATION}.lifecycleHooks"),
                "has hooks, and a `ROLLING` deployment has no stages for them",
            )
            .hint("use strategy `BLUE_GREEN`, `LINEAR` or `CANARY`"),
        );
    }
    count(hooks, found);
    for (at, hook) in each(CONFIGURATION, "lifecycleHooks", Some(hooks)) {
        if hook.lifecycle_stages.as_deref().unwrap_or_default().is_empty() {
            found.push(error(
                format!("{at}.lifecycleStages"),
                "is missing, and a hook stands at a stage",
            ));
        }
        match kind(hook) {
            HookTargetType::AwsLambda => function(&at, hook, found),
            HookTargetType::Pause => pause(&at, hook, found),
            HookTargetType::Other(_) => {}
        }
        disputed_stages(&at, hook, found);
    }
}

fn kind(hook: &DeploymentLifecycleHook) -> HookTargetType {
    hook.target_type.clone().unwrap_or(HookTargetType::AwsLambda)
}

fn count(hooks: &[DeploymentLifecycleHook], found: &mut Vec<Finding>) {
    for wanted in [HookTargetType::AwsLambda, HookTargetType::Pause] {
        let count = hooks.iter().filter(|hook| kind(hook) == wanted).count();
        if count > MAX_HOOKS {
            found.push(error(
                format!("{CONFIGURATION}.lifecycleHooks"),
                format!("has `{count}` hooks of type `{wanted}`; a service takes {MAX_HOOKS}"),
            ));
        }
    }
}

fn function(at: &str, hook: &DeploymentLifecycleHook, found: &mut Vec<Finding>) {
    for (member, value) in [("hookTargetArn", &hook.hook_target_arn), ("roleArn", &hook.role_arn)] {
        if value.is_none() {
            found.push(error(
                format!("{at}.{member}"),
                "is missing, and a hook of type `AWS_LAMBDA` needs it",
            ));
        }
    }
    if let Some(arn) = hook.hook_target_arn.as_deref().filter(|arn| !is_open(arn))
        && !(arn.starts_with("arn:") && arn.contains(":lambda:"))
    {
        found.push(error(
            format!("{at}.hookTargetArn"),
            format!("`{arn}` is not the ARN of a Lambda function"),
        ));
    }
    let timeout =
        hook.timeout_configuration.as_ref().and_then(|timeout| timeout.timeout_in_minutes);
    if let Some(minutes) =
        timeout.filter(|minutes| (MAX_FUNCTION_TIMEOUT + 1..=20160).contains(minutes))
    {
        found.push(
            error(
                format!("{at}.timeoutConfiguration.timeoutInMinutes"),
                format!("`{minutes}` minutes are more than a hook of type `AWS_LAMBDA` takes"),
            )
            .hint(format!("the most is {MAX_FUNCTION_TIMEOUT}")),
        );
    }
}

fn pause(at: &str, hook: &DeploymentLifecycleHook, found: &mut Vec<Finding>) {
    for (member, value) in [("hookTargetArn", &hook.hook_target_arn), ("roleArn", &hook.role_arn)] {
        if let Some(value) = value {
            found.push(
                error(
                    format!("{at}.{member}"),
                    format!("`{value}` is not possible for a hook of type `PAUSE`"),
                )
                .hint("leave it out"),
            );
        }
    }
    for (path, stage) in each(at, "lifecycleStages", hook.lifecycle_stages.as_deref()) {
        if matches!(
            stage,
            LifecycleStage::TestTrafficShift | LifecycleStage::ProductionTrafficShift
        ) {
            found.push(
                error(path, format!("`{stage}` takes no hook of type `PAUSE`"))
                    .hint(format!("use `POST_{stage}`")),
            );
        }
    }
}

/// Stages on which AWS's pages disagree (aws.md §8).
fn disputed_stages(at: &str, hook: &DeploymentLifecycleHook, found: &mut Vec<Finding>) {
    let is_pause = kind(hook) == HookTargetType::Pause;
    for (path, stage) in each(at, "lifecycleStages", hook.lifecycle_stages.as_deref()) {
        match stage {
            LifecycleStage::ReconcileService if is_pause => found.push(
                warning(
                    path,
                    format!("`{stage}` may not take a hook of type `PAUSE`: AWS's pages disagree"),
                )
                .hint("use `PRE_SCALE_UP`"),
            ),
            LifecycleStage::ReconcileService
            | LifecycleStage::PreScaleUp
            | LifecycleStage::PostScaleUp
            | LifecycleStage::TestTrafficShift
            | LifecycleStage::PostTestTrafficShift
            | LifecycleStage::PreProductionTrafficShift
            | LifecycleStage::ProductionTrafficShift
            | LifecycleStage::PostProductionTrafficShift
            | LifecycleStage::Other(_) => {}
        }
    }
}
