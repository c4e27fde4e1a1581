//! The service's tag about its checks: what a rollout brought, and whether that has been judged.
//!
//! A rollout is judged when it brings something that has not passed yet. That it has to be is written on the service before
//! the rollout begins, and how it ended when that is known, so that a process that dies forgets neither. A restart, a reload
//! and a rollback bring nothing new.

use crds::{Reason, SpecHash};
use serde_json::{Value, json};

use crate::desired::{CAPTURED, Desired};
use crate::observed::ObservedService;
use crate::ownership::Tags;
use crate::plan::held::{self, Why};
use crate::plan::{self, Action, Plan};

/// The tag's key.
pub const CHECKS: &str = "longshore.dev/checks";

/// How much of a hash the tag has.
const HASH_LENGTH: usize = 32;

/// What the tag says of what is wanted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Nothing: no rollout with checks has brought it.
    Absent,
    /// Its rollout is to be judged.
    Pending,
    /// Its checks have passed.
    Passed,
    /// Its checks have failed.
    Failed,
}

impl Mark {
    const fn word(self) -> &'static str {
        match self {
            Self::Absent => "none",
            Self::Pending => "pending",
            Self::Passed => "passed",
            Self::Failed => "failed",
        }
    }
}

/// The hash of what a rollout of this spec brings: the content of its task definition and the settings that ECS captures with
/// it. The number of tasks is no part of it.
pub fn release(desired: &Desired) -> String {
    let settings = desired.service.normal.value();
    let captured: Vec<(&str, Option<&Value>)> =
        CAPTURED.iter().map(|member| (*member, settings.get(*member))).collect();
    let hash = SpecHash::of(&json!([desired.task_definition.content_hash, captured]));
    hash.as_str().get(..HASH_LENGTH).unwrap_or_else(|| hash.as_str()).to_owned()
}

/// What the service's tag says of this spec.
pub fn mark(desired: &Desired, service: &ObservedService) -> Mark {
    let release = release(desired);
    let Some(found) = service.tags.get(CHECKS) else { return Mark::Absent };
    [Mark::Pending, Mark::Passed, Mark::Failed]
        .into_iter()
        .find(|mark| *found == text(*mark, &release))
        .unwrap_or(Mark::Absent)
}

fn text(mark: Mark, release: &str) -> String {
    format!("{}:{release}", mark.word())
}

/// The tag's value once the checks of this spec have passed.
pub(crate) fn passed(desired: &Desired) -> String {
    text(Mark::Passed, &release(desired))
}

/// Whether a text is such a value.
pub(crate) fn is_passed(value: &str) -> bool {
    value.strip_prefix(Mark::Passed.word()).is_some_and(|rest| rest.starts_with(':'))
}

/// Whether a text is the tag's value after checks have failed, of whatever spec.
pub(crate) fn is_failed(value: &str) -> bool {
    value.strip_prefix(Mark::Failed.word()).is_some_and(|rest| rest.starts_with(':'))
}

/// The tag as a new service gets it.
pub(crate) fn of_new(desired: &Desired) -> Tags {
    if desired.checks.is_empty() {
        return Tags::new();
    }
    Tags::from([(CHECKS.to_owned(), text(Mark::Pending, &release(desired)))])
}

/// The call that sets the tag, unless it stands already. A failure also holds the spec and its images.
pub fn set(
    desired: &Desired,
    service: &ObservedService,
    mark: Mark,
    reason: Reason,
) -> Option<Action> {
    let mut tags = Tags::from([(CHECKS.to_owned(), text(mark, &release(desired)))]);
    if mark == Mark::Failed {
        let images = plan::held_images(&desired.task_definition.input);
        tags = held::added_to(tags, service, (&desired.spec_hash, Why::Left), images);
    }
    tags.retain(|key, value| service.tags.get(key) != Some(value));
    let arn = service.arn.clone();
    (!tags.is_empty()).then_some(Action::TagResource { arn, tags, reason, changes: Vec::new() })
}

/// Writes on the service that what the plan rolls out is to be judged, before it does.
pub(crate) fn before_rollout(mut plan: Plan, desired: &Desired, service: &ObservedService) -> Plan {
    if desired.checks.is_empty() || mark(desired, service) == Mark::Passed {
        return plan;
    }
    for actions in [&mut plan.actions, &mut plan.withheld] {
        let found = actions.iter().enumerate().find(|(_, action)| action.replaces_tasks());
        let Some((at, reason)) = found.map(|(at, action)| (at, action.reason())) else { continue };
        if let Some(tag) = set(desired, service, Mark::Pending, reason) {
            actions.insert(at, tag);
        }
    }
    plan
}
