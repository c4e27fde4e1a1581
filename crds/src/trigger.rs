//! What makes the operator look sooner than it would by itself: webhooks, and a queue of AWS's events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{SecretFrom, SourceName, TargetName};

/// A webhook that makes a source be read at once, at `/webhooks/<provider>/<source>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Webhook {
    /// The source that is read.
    pub source: SourceName,
    /// Who calls, which decides how the call is signed.
    pub provider: WebhookProvider,
    /// The secret that the caller signs with, or sends as its token.
    pub secret: SecretFrom,
}

/// Who calls a webhook.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum WebhookProvider {
    /// GitHub: `X-Hub-Signature-256`.
    Github,
    /// GitLab: `X-Gitlab-Token`, or a signing token.
    Gitlab,
    /// Bitbucket, Cloud and Data Center: `X-Hub-Signature`.
    Bitbucket,
    /// Any program: `X-Longshore-Timestamp` and `X-Longshore-Signature`.
    Generic,
}

impl WebhookProvider {
    /// Every provider.
    pub const ALL: [Self; 4] = [Self::Github, Self::Gitlab, Self::Bitbucket, Self::Generic];

    /// The provider's name in paths and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Bitbucket => "bitbucket",
            Self::Generic => "generic",
        }
    }
}

/// A queue that EventBridge puts AWS's events into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Events {
    /// The URL of the SQS queue, `https://sqs.<region>.amazonaws.com/<account>/<name>`. Nobody else may take messages from it.
    pub sqs_queue_url: String,
    /// The target whose credentials read it. Default: `default`, or the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetName>,
}
