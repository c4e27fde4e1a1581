//! Why tasks fail, in ECS's words (aws.md §3.10).

/// An image that no registry has.
pub(super) fn image_not_found(image: &str) -> String {
    format!(
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {image}: {image}: not found"
    )
}

/// An image that the task may not pull.
pub(super) fn image_denied(image: &str) -> String {
    format!(
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials"
    )
}

/// A parameter or secret that does not exist.
pub(super) fn secret_missing(value_from: &str) -> String {
    if value_from.contains(":secretsmanager:") {
        format!(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret {value_from} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret."
        )
    } else {
        format!(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid parameters: {value_from}"
        )
    }
}

pub(super) const ESSENTIAL_EXITED: &str = "Essential container in task exited";
pub(super) const OUT_OF_MEMORY: &str = "OutOfMemoryError: Container killed due to memory usage";
pub(super) const CONTAINER_CHECKS: &str = "Task failed container health checks";

pub(super) fn target_checks(target_group: &str) -> String {
    format!("Task failed ELB health checks in (target-group {target_group})")
}

pub(super) fn scaling(deployment: &str) -> String {
    format!("Scaling activity initiated by (deployment {deployment})")
}
