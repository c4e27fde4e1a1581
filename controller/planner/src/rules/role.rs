//! When a task needs an execution role (aws.md §4.3).

use crds::ecs::ContainerDefinition;
use crds::ecs::logging::LogDriver;
use crds::ecs::service::LaunchType;
use crds::ecs::task_definition::Compatibility;

use super::finding::{Finding, error};
use super::subject::{Subject, TASK, requires};
use super::words::{has_any, is_open};
use crate::image::ImageReference;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    if subject.task.execution_role_arn.as_deref().is_some_and(|role| !role.is_empty()) {
        return;
    }
    let first = subject.containers.iter().find_map(|(_, container)| {
        let reason = own_reason(container).or_else(|| reason_without_instance(subject, container));
        reason.map(|reason| (&container.name, reason))
    });
    if let Some((name, reason)) = first {
        found.push(
            error(
                format!("{TASK}.executionRoleArn"),
                format!("is missing, and container `{name}` needs it to {reason}"),
            )
            .hint("give the ARN of a role that ecs-tasks.amazonaws.com may assume"),
        );
    }
}

/// What ECS does with the execution role wherever the task runs.
fn own_reason(container: &ContainerDefinition) -> Option<&'static str> {
    if has_any(container.secrets.as_deref()) {
        return Some("read its secrets");
    }
    let log = container.log_configuration.as_ref();
    if has_any(log.and_then(|log| log.secret_options.as_deref())) {
        return Some("read the secrets of its log driver");
    }
    if container.repository_credentials.is_some() {
        return Some("read the credentials of its registry");
    }
    has_any(container.environment_files.as_deref()).then_some("read its environment files")
}

/// What the instance's role does where there is an instance of the account.
fn reason_without_instance(
    subject: &Subject<'_>,
    container: &ContainerDefinition,
) -> Option<&'static str> {
    let is_external = subject.service.launch_type == Some(LaunchType::External)
        || requires(subject.task, &Compatibility::External);
    if !subject.is_fargate && !is_external {
        return None;
    }
    if is_private_ecr(&container.image) {
        return Some("pull its image from ECR");
    }
    let driver = container.log_configuration.as_ref().map(|log| &log.log_driver);
    (driver == Some(&LogDriver::AwsLogs)).then_some("write its logs")
}

/// `<account>.dkr.ecr.<region>.amazonaws.com/…`, in any partition, or the dual-stack form.
fn is_private_ecr(image: &str) -> bool {
    if is_open(image) {
        return false;
    }
    let repository = ImageReference::parse(image).repository;
    let host = repository.split('/').next().unwrap_or_default();
    let Some((account, rest)) = host.split_once('.') else { return false };
    account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && ["dkr.ecr.", "dkr.ecr-fips.", "dkr-ecr."].iter().any(|start| rest.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::is_private_ecr;

    #[test]
    fn private_registries_are_told_from_public_ones() {
        assert!(is_private_ecr("111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop:1"));
        assert!(is_private_ecr("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/shop:1"));
        assert!(is_private_ecr("111122223333.dkr-ecr.eu-west-1.on.aws/shop:1"));
        assert!(!is_private_ecr("public.ecr.aws/shop/web:1"));
        assert!(!is_private_ecr("nginx:1.27"));
        assert!(!is_private_ecr("11112222333.dkr.ecr.eu-west-1.amazonaws.com/shop:1"));
    }
}
