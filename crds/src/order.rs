//! What people ask of a running operator, and the releases that they can go back to.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{SourceName, SourceRevision, SpecHash};

/// What somebody can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    /// Let the spec in force go.
    Sync,
    /// Act on nothing until resumed.
    Suspend,
    /// End a suspension.
    Resume,
    /// Go back to a release that ended well.
    Rollback,
    /// Freeze the service as it is.
    Hold,
    /// Clear holds.
    Release,
    /// Replace all tasks by new ones of the same revision.
    Restart,
    /// Approve a spec.
    Approve,
    /// Let a rollout go on that waits.
    Promote,
    /// Stop the rollout under way and go back.
    Abort,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 10] = [
        Self::Sync,
        Self::Suspend,
        Self::Resume,
        Self::Rollback,
        Self::Hold,
        Self::Release,
        Self::Restart,
        Self::Approve,
        Self::Promote,
        Self::Abort,
    ];

    /// The verb as paths and the command line write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Rollback => "rollback",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Restart => "restart",
            Self::Approve => "approve",
            Self::Promote => "promote",
            Self::Abort => "abort",
        }
    }
}

impl std::fmt::Display for Verb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What somebody asked for, as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Order {
    /// Its number among the orders of its service; 0 while it could not be written down.
    pub id: u64,
    /// What is asked for.
    pub verb: Verb,
    /// Who asked: the name of the token.
    pub actor: String,
    /// When.
    pub time: Timestamp,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The spec it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_hash: Option<SpecHash>,
    /// The release to go back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The hook to continue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_id: Option<String>,
    /// `sync`: a difference that ECS cannot change in place is carried out as delete and create.
    #[serde(default, skip_serializing_if = "is_false")]
    pub replace: bool,
    /// `sync`: the deletion that the prune brake holds is confirmed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub prune: bool,
    /// `sync`: the spec goes outside of its windows as well.
    #[serde(default, skip_serializing_if = "is_false")]
    pub now: bool,
    /// When it stops to count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

// serde's `skip_serializing_if` hands over a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde fixes the signature")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Order {
    /// Whether it counts at a moment.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires| now < expires)
    }

    /// Whether it is bound to this very spec.
    pub fn is_for(&self, spec: &SpecHash) -> bool {
        self.spec_hash.as_ref() == Some(spec)
    }

    /// Who asked, until when and why: `by ci until 2026-03-01T12:00:00Z: freeze`.
    pub fn told(&self) -> String {
        let until = self.expires_at.map(|expires| format!(" until {expires}")).unwrap_or_default();
        let why = self.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("by {}{until}{why}", self.actor)
    }
}

/// How a release ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReleaseOutcome {
    /// It is being rolled out.
    InProgress,
    /// Its rollout ended well.
    Successful,
    /// Its rollout failed or was aborted, and ECS went back.
    RolledBack,
    /// Its rollout failed and there was nothing to go back to.
    Failed,
    /// A newer one took its place before its rollout had ended.
    Superseded,
}

/// One rollout of a service: what it brought and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PastRelease {
    /// The number of ECS's service revision; `longshore rollback --to` takes it.
    pub id: String,
    /// The task-definition revision, `family:7`.
    pub task_definition: String,
    /// The same as an ARN.
    pub task_definition_arn: String,
    /// The images of its containers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ReleasedImage>,
    /// The spec it came from, where it came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_hash: Option<SpecHash>,
    /// The source of that spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceName>,
    /// The source's revision in which that spec was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<SourceRevision>,
    /// When ECS began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub started_at: Option<Timestamp>,
    /// When its end was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: ReleaseOutcome,
    /// Why it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The image of one container of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleasedImage {
    /// The container's name.
    pub container: String,
    /// The image as the task definition names it.
    pub image: String,
    /// The digest that ECS resolved it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_is_written_alike_everywhere() {
        for verb in Verb::ALL {
            assert_eq!(serde_json::to_value(verb).unwrap(), verb.as_str());
        }
    }

    #[test]
    fn an_order_says_who_until_when_and_why() {
        let order: Order = serde_json::from_value(serde_json::json!({
            "id": 1, "verb": "suspend", "actor": "ci", "time": "2026-03-01T00:00:00Z",
            "reason": "freeze", "expiresAt": "2026-03-01T12:00:00Z",
        }))
        .unwrap();
        assert_eq!(order.told(), "by ci until 2026-03-01T12:00:00Z: freeze");
        assert!(order.is_in_force("2026-03-01T11:59:59Z".parse().unwrap()));
        assert!(!order.is_in_force("2026-03-01T12:00:00Z".parse().unwrap()));
    }
}
