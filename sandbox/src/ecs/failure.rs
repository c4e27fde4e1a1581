//! Why roll-outs fail, and what ECS says of it (aws.md §3.4, §3.7).

use super::stages::Stage;

/// Why a roll-out fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// The `rolloutStateReason` of the deployment that failed.
    pub(super) rollout: String,
    /// The text of the event.
    pub(super) event: String,
    /// The `statusReason` of the service deployment.
    pub(super) status: String,
    /// What `rolloutStateReason` says on the deployment that comes back, before `: rolling back …`.
    pub(super) cause: String,
}

impl Failure {
    pub(super) fn breaker() -> Self {
        Self {
            rollout: "ECS deployment circuit breaker: tasks failed to start.".to_owned(),
            event: "tasks failed to start.".to_owned(),
            status:
                "Service deployment rolled back because the circuit breaker threshold was exceeded."
                    .to_owned(),
            cause: "ECS deployment circuit breaker".to_owned(),
        }
    }

    pub(super) fn alarm() -> Self {
        Self {
            rollout: "ECS deployment failed: alarm detected.".to_owned(),
            event: "alarm detected.".to_owned(),
            status: "Service deployment rolled back because of alarm(s).".to_owned(),
            cause: "ECS deployment alarm".to_owned(),
        }
    }

    pub(super) fn hook_timed_out(stage: Stage) -> Self {
        Self {
            rollout: "ECS deployment failed: a lifecycle hook timed out.".to_owned(),
            event: "a lifecycle hook timed out.".to_owned(),
            status: format!(
                "Service deployment rolled back because {} pause hook timed out.",
                stage.text()
            ),
            cause: "ECS deployment lifecycle hook".to_owned(),
        }
    }

    /// The load balancer is not as a shift of traffic needs it.
    pub(super) fn networking(what: &str) -> Self {
        Self {
            rollout: "ECS deployment failed: invalid networking configuration.".to_owned(),
            event: "invalid networking configuration.".to_owned(),
            status: format!(
                "Service deployment rolled back because of invalid networking configuration. {what}"
            ),
            cause: "ECS deployment networking configuration".to_owned(),
        }
    }

    pub(super) fn stopped_by_user() -> Self {
        Self {
            rollout: "ECS deployment failed: the service deployment was stopped.".to_owned(),
            event: "the service deployment was stopped.".to_owned(),
            status: "Service deployment rolled back because of a StopServiceDeployment request."
                .to_owned(),
            cause: "ECS deployment stopped".to_owned(),
        }
    }
}
