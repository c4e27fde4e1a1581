//! Why a call to AWS did not succeed, and whether another try can help.

use std::fmt;

use crds::Reason;

use super::operation::Operation;

/// A call that did not succeed: what was asked, of what, and why not.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    /// The call.
    pub operation: Operation,
    /// What the call was about, `shop/web`.
    pub subject: String,
    /// What sort of failure it is.
    pub kind: Kind,
    /// AWS's short name of the failure, `ClusterNotFoundException`, if AWS answered with one.
    pub code: Option<String>,
    /// What AWS, or the way to it, said.
    pub message: String,
}

/// What sort of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// AWS asks for fewer calls; the call had no effect.
    Throttled,
    /// The caller may not do this, or is not known.
    Denied,
    /// AWS says that the cluster, service or other thing named by the call is not there.
    NotFound,
    /// AWS understood the call and will not carry it out as it stands.
    Refused,
    /// AWS could not be reached or failed itself; the call had no effect that anyone relies on.
    Transient,
    /// A call that changes something was sent, and nobody knows whether it took effect: look before the next step.
    Ambiguous,
}

/// Whether another try can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Try again, later each time.
    Backoff,
    /// Nothing changes until the spec does.
    Never,
}

impl Error {
    /// Whether the call certainly changed nothing.
    pub const fn had_no_effect(&self) -> bool {
        match self.kind {
            Kind::Throttled | Kind::Denied | Kind::NotFound | Kind::Refused | Kind::Transient => {
                true
            }
            Kind::Ambiguous => false,
        }
    }

    /// Whether another try can help.
    pub fn retry(&self) -> Retry {
        match self.kind {
            // Permissions, clusters and quotas come without a change of the spec, and IAM shows changes late.
            Kind::Throttled | Kind::Denied | Kind::NotFound | Kind::Transient | Kind::Ambiguous => {
                Retry::Backoff
            }
            Kind::Refused if self.passes_by_itself() => Retry::Backoff,
            Kind::Refused => Retry::Never,
        }
    }

    /// The reason that a condition shows.
    pub fn reason(&self) -> Reason {
        match (self.kind, self.retry()) {
            (Kind::Throttled, _) => Reason::Throttled,
            (Kind::Denied, _) => Reason::AccessDenied,
            (Kind::Refused, Retry::Never) => Reason::CallRefused,
            (Kind::Refused, Retry::Backoff)
            | (Kind::NotFound | Kind::Transient | Kind::Ambiguous, _) => Reason::CallFailed,
        }
    }

    fn passes_by_itself(&self) -> bool {
        if self.code.as_deref().is_some_and(|code| PASSING_CODES.contains(&code)) {
            return true;
        }
        let message = self.message.to_lowercase();
        PASSING_TEXTS.iter().any(|text| message.contains(text))
    }

    /// The same failure, about `subject`: a batch's error reaches each of its callers as an error about its own key.
    pub(super) fn about(self, subject: &str) -> Self {
        Self { subject: subject.to_owned(), ..self }
    }

    /// AWS's refusal, by HTTP status, code and text.
    pub(super) fn refused(
        operation: Operation,
        subject: &str,
        status: u16,
        code: Option<&str>,
        message: impl Into<String>,
    ) -> Self {
        let kind = kind_of(operation, status, code);
        Self {
            code: code.map(str::to_owned),
            ..Self::unanswered(operation, subject, kind, message)
        }
    }

    /// An error about a call that got no answer.
    pub(super) fn unanswered(
        operation: Operation,
        subject: &str,
        kind: Kind,
        message: impl Into<String>,
    ) -> Self {
        Self { operation, subject: subject.to_owned(), kind, code: None, message: message.into() }
    }

    /// An error about an answer that lacks what it must hold: nothing is known, so nothing may be concluded.
    pub(super) fn unexpected(
        operation: Operation,
        subject: &str,
        message: impl Into<String>,
    ) -> Self {
        let kind = if operation.is_mutating() { Kind::Ambiguous } else { Kind::Transient };
        Self::unanswered(operation, subject, kind, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: ", self.operation.phrase(), self.subject)?;
        match &self.code {
            Some(code) if self.message.is_empty() => f.write_str(code),
            Some(code) => write!(f, "{code}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Error {}

/// Codes with which one service or another asks for fewer calls (aws.md §0).
const THROTTLES: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
];

/// Codes that say who is asking is not known or may not.
const DENIALS: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// Codes of a server's own failure, which some services send with a status below 500.
const FAULTS: &[&str] = &[
    "InternalFailure",
    "InternalServerError",
    "InternalServiceException",
    "ServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];

/// Codes that name a thing which is not there, beside those that end in `NotFoundException`.
const ABSENCES: &[&str] = &[
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchVersion",
    "NotFound",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
];

/// Refusals about the state of the world and not of the spec: it changes by itself.
const PASSING_CODES: &[&str] = &[
    "ConcurrentUpdateException",
    "ConflictException",
    "LimitExceededException",
    "ResourceInUseException",
    "ServiceNotActiveException",
    "UpdateInProgressException",
];

/// Texts of refusals that pass by themselves, in lower case (aws.md §2.3 to §2.5).
const PASSING_TEXTS: &[&str] = &[
    "verify that the ecs service role being passed has the proper permissions",
    "does not have an associated load balancer",
    "unable to assume the service linked role",
    "unable to assume role",
    "still draining",
    "while deployments are active",
    "while the primary deployment is scaled above 0",
    // A revision registered a moment ago may not be visible yet; an inactive one is replaced by the next turn.
    "taskdefinition not found",
    "taskdefinition is inactive",
    // An earlier spec's call has had its effect, and the read before this one did not show it yet.
    "creation of service was not idempotent",
    // Application Auto Scaling sees a new service a moment late.
    "ecs service doesn't exist",
    "unable to describe task definition",
];

fn kind_of(operation: Operation, status: u16, code: Option<&str>) -> Kind {
    let code = code.unwrap_or_default();
    if THROTTLES.contains(&code) || status == 429 {
        Kind::Throttled
    } else if DENIALS.contains(&code) {
        Kind::Denied
    } else if status >= 500 || FAULTS.contains(&code) {
        // A server that failed may have failed after it carried the call out.
        if operation.is_mutating() { Kind::Ambiguous } else { Kind::Transient }
    } else if code.ends_with("NotFoundException") || ABSENCES.contains(&code) || status == 404 {
        Kind::NotFound
    } else if code.is_empty() && matches!(status, 401 | 403) {
        Kind::Denied
    } else {
        Kind::Refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(operation: Operation, status: u16, code: &str, message: &str) -> Error {
        Error::refused(operation, "shop/web", status, Some(code), message)
    }

    #[test]
    fn an_error_says_what_was_asked_of_what_and_why_not() {
        let error = refused(
            Operation::UpdateService,
            400,
            "ClusterNotFoundException",
            "Cluster not found.",
        );
        assert_eq!(
            error.to_string(),
            "cannot update service shop/web: ClusterNotFoundException: Cluster not found."
        );
        assert_eq!(error.reason(), Reason::CallFailed);
    }

    #[test]
    fn codes_decide_the_kind() {
        let kind = |status, code| refused(Operation::DescribeServices, status, code, "").kind;
        assert_eq!(kind(400, "ThrottlingException"), Kind::Throttled);
        assert_eq!(kind(503, "SlowDown"), Kind::Throttled);
        assert_eq!(kind(400, "AccessDeniedException"), Kind::Denied);
        assert_eq!(kind(403, "AccessDenied"), Kind::Denied);
        assert_eq!(kind(400, "ClusterNotFoundException"), Kind::NotFound);
        assert_eq!(kind(400, "InvalidParameterException"), Kind::Refused);
        assert_eq!(kind(500, "ServerException"), Kind::Transient);
        assert_eq!(kind(400, "ServerException"), Kind::Transient);
        assert_eq!(kind(502, ""), Kind::Transient);
    }

    #[test]
    fn a_server_fault_in_a_change_leaves_its_outcome_unknown() {
        let error = refused(Operation::RegisterTaskDefinition, 500, "ServerException", "");
        assert_eq!(error.kind, Kind::Ambiguous);
        assert_eq!(error.retry(), Retry::Backoff);
        let error =
            refused(Operation::RegisterTaskDefinition, 400, "ThrottlingException", "Rate exceeded");
        assert_eq!(error.kind, Kind::Throttled);
    }

    #[test]
    fn refusals_about_the_world_pass_and_those_about_the_spec_do_not() {
        let retry = |code, message| refused(Operation::CreateService, 400, code, message).retry();
        let invalid = "InvalidParameterException";
        assert_eq!(
            retry(invalid, "No Fargate configuration exists for given values."),
            Retry::Never
        );
        assert_eq!(retry("ClientException", "essential container is missing"), Retry::Never);
        assert_eq!(
            retry(
                invalid,
                "Unable to assume the service linked role. Please verify that it exists."
            ),
            Retry::Backoff
        );
        assert_eq!(
            retry(
                invalid,
                "The target group with targetGroupArn x does not have an associated load balancer."
            ),
            Retry::Backoff
        );
        assert_eq!(
            retry(
                invalid,
                "Please verify that the ECS service role being passed has the proper permissions."
            ),
            Retry::Backoff
        );
        assert_eq!(
            retry(invalid, "Unable to Start a service that is still Draining."),
            Retry::Backoff
        );
        assert_eq!(retry("ClusterNotFoundException", "Cluster not found."), Retry::Backoff);
        assert_eq!(retry("ServiceNotActiveException", "Service was not ACTIVE."), Retry::Backoff);
        assert_eq!(retry("AccessDeniedException", "not authorized"), Retry::Backoff);
    }
}
