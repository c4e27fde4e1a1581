//! What an AWS API answers when it refuses a call.

use serde_json::{Map, Value};

/// A refusal: the code and text that AWS would send, and the HTTP status it would send them with.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    /// The exception's short name, `ServiceNotFoundException`.
    pub code: String,
    /// The text for people.
    pub message: String,
    /// 400 for nearly every refusal of a JSON API, 500 for server faults (aws.md §0).
    pub http_status: u16,
    /// Further members of the error's body, `resourceIds` for instance.
    pub members: Map<String, Value>,
}

impl ApiError {
    /// A refusal with HTTP status 400, the status of every modelled client fault.
    pub fn refused(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            http_status: 400,
            members: Map::new(),
        }
    }

    /// A refusal for want of a permission, `ecr:DescribeImages` for instance.
    pub(crate) fn denied(account: &str, action: &str) -> Self {
        let message = format!(
            "User: arn:aws:iam::{account}:user/sandbox is not authorized to perform: {action} because no identity-based policy allows the {action} action"
        );
        Self::refused("AccessDeniedException", message)
    }

    /// A fault of the server with HTTP status 500.
    pub fn server(code: &str, message: impl Into<String>) -> Self {
        Self { http_status: 500, ..Self::refused(code, message) }
    }
}
