//! What a plan of an imported file does: asked of the planner itself, with what was read of AWS.

use crds::ecs::ServiceDefinition;
use crds::{InvalidObject, SourceName};
use jiff::Timestamp;
use planner::drift::{self, FieldDrift};
use planner::orders::Orders;
use planner::{Action, Desired, Observed};

use super::{Options, SOURCE};
use crate::inventory;
use crate::source::SourceFile;

/// What a plan of an imported file does.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It sets this many tags of the service and changes nothing else.
    TagsOnly {
        /// How many.
        tags: usize,
    },
    /// It would change more.
    Differs(Vec<FieldDrift>),
    /// It would do nothing, because of this.
    Held(Vec<String>),
    /// The file cannot be used as it is.
    Refused(Vec<InvalidObject>),
    /// Nothing was read of AWS to plan against.
    Unplanned,
}

/// A verdict, and what the offline rules have to say: fields and messages.
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) findings: Vec<(String, String)>,
}

impl Verdict {
    /// Whether the promise holds: nothing but tags is changed.
    pub const fn is_tags_only(&self) -> bool {
        matches!(self, Self::TagsOnly { .. })
    }

    /// The fields that keep the promise from being kept, as `service.desiredCount`.
    pub(super) fn paths(&self) -> Vec<String> {
        match self {
            Self::TagsOnly { .. } | Self::Held(_) | Self::Unplanned => Vec::new(),
            Self::Differs(differences) => {
                differences.iter().map(|difference| difference.path.clone()).collect()
            }
            Self::Refused(invalid) => invalid
                .iter()
                .filter_map(|invalid| Some(invalid.path.strip_prefix("spec.")?.to_owned()))
                .collect(),
        }
    }

    /// What the file has to say about it: fields and messages, without values.
    pub(super) fn remarks(&self) -> Vec<(String, String)> {
        match self {
            Self::TagsOnly { .. } | Self::Unplanned => Vec::new(),
            Self::Differs(differences) => differences
                .iter()
                .map(|FieldDrift { path, effect, .. }| {
                    let message = format!("the first plan changes {path} ({effect})");
                    (format!("spec.{path}"), message)
                })
                .collect(),
            Self::Held(reasons) => {
                reasons.iter().map(|reason| (String::new(), format!("held: {reason}"))).collect()
            }
            Self::Refused(invalid) => {
                invalid.iter().map(|invalid| (invalid.path.clone(), said(invalid))).collect()
            }
        }
    }
}

/// Reads the file as a source would, and plans it against what was observed.
pub(super) fn of(
    text: &str,
    file: &str,
    options: &Options,
    observed: &Observed,
    now: Timestamp,
) -> Judged {
    let Ok(source) = SOURCE.parse::<SourceName>() else {
        return Judged { verdict: Verdict::Unplanned, findings: Vec::new() };
    };
    let file = SourceFile::new(file, text.to_owned().into());
    let (entries, invalid) =
        inventory::preview(&file, &source, &options.policy(), &options.owner, &options.vars);
    let findings = entries
        .iter()
        .flat_map(|entry| &entry.warnings)
        .map(|warning| (warning.path.clone(), said(warning)))
        .collect();
    let verdict = match entries.first() {
        Some(entry) if invalid.is_empty() => planned(&entry.desired, observed, now),
        Some(_) | None => Verdict::Refused(invalid),
    };
    Judged { verdict, findings }
}

fn planned(desired: &Desired, observed: &Observed, now: Timestamp) -> Verdict {
    let plan = planner::plan(desired, observed, &Orders::default(), now);
    let mut tags = 0;
    let mut changes = differences(desired, observed);
    for action in plan.actions.iter().chain(&plan.withheld) {
        match action {
            Action::TagResource { tags: set, .. } => tags += set.len(),
            Action::RegisterTaskDefinition { .. }
            | Action::CreateService { .. }
            | Action::UpdateService { .. }
            | Action::UntagResource { .. }
            | Action::Scaling { .. }
            | Action::RunTask { .. }
            | Action::StopTask { .. }
            | Action::StopServiceDeployment { .. }
            | Action::ContinueServiceDeployment { .. }
            | Action::DeleteService { .. } => {
                for change in action.changes() {
                    if !changes.contains(change) {
                        changes.push(change.clone());
                    }
                }
            }
        }
    }
    if !changes.is_empty() {
        return Verdict::Differs(changes);
    }
    if plan.holds.is_empty() {
        return Verdict::TagsOnly { tags };
    }
    Verdict::Held(plan.holds.iter().map(|hold| hold.message.clone()).collect())
}

/// Every difference in content, also those that no call can close.
fn differences(desired: &Desired, observed: &Observed) -> Vec<FieldDrift> {
    let definition = observed.task_definition.iter().flat_map(|running| {
        if desired.is_content_of(running) {
            return Vec::new();
        }
        prefixed("taskDefinition", desired.task_definition.drift_from(running))
    });
    let service = observed.service.iter().flat_map(|service| {
        let wanted = &desired.service.normal;
        let found = drift::compare(ServiceDefinition::SHAPE, wanted, &service.normal, &[]);
        prefixed("service", found)
    });
    definition.chain(service).collect()
}

fn prefixed(block: &str, found: Vec<FieldDrift>) -> Vec<FieldDrift> {
    found
        .into_iter()
        .map(|drift| FieldDrift { path: format!("{block}.{}", drift.path), ..drift })
        .collect()
}

pub(super) fn said(invalid: &InvalidObject) -> String {
    match &invalid.hint {
        Some(hint) => format!("{}; {hint}", invalid.message),
        None => invalid.message.clone(),
    }
}
