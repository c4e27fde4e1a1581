//! Services that have to be ready before a change of one that depends on them.

use crds::{ConditionStatus, ConditionType, Generation, ObjectKey, Reason, ServiceStatus};

use crate::plan::Hold;

/// How a service stands for those that depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its newest spec is in force.
    Ready,
    /// It is not ready yet, and why.
    Coming(String),
    /// It will not be ready before somebody steps in, and why.
    Failed(String),
    /// No source names it.
    Missing,
}

/// How a service with a spec stands: only what was said of its newest spec counts.
pub fn standing(status: Option<&ServiceStatus>, generation: Generation) -> Standing {
    let Some(status) = status.filter(|status| status.observed_generation == generation) else {
        return Standing::Coming("its newest spec has not been looked at yet".to_owned());
    };
    if status.is_ready() {
        return Standing::Ready;
    }
    let told = |kind| status.condition(kind).map(|one| format!("{}: {}", one.reason, one.message));
    let is_stalled = status
        .condition(ConditionType::Stalled)
        .is_some_and(|condition| condition.status == ConditionStatus::True);
    if is_stalled {
        return Standing::Failed(told(ConditionType::Stalled).unwrap_or_default());
    }
    Standing::Coming(told(ConditionType::Ready).unwrap_or_else(|| "it is not ready".to_owned()))
}

/// A hold for each way in which dependencies keep a change waiting, the worst first.
pub(super) fn holds(dependencies: &[(ObjectKey, Standing)]) -> Vec<Hold> {
    let (mut missing, mut failed, mut coming) = (Vec::new(), Vec::new(), Vec::new());
    for (key, standing) in dependencies {
        match standing {
            Standing::Ready => {}
            Standing::Missing => {
                missing.push(format!("no source has {key}, which `rollout.dependsOn` names"));
            }
            Standing::Failed(why) => {
                failed.push(format!("depends on {key}, which is stalled: {why}"));
            }
            Standing::Coming(why) => coming.push(format!("waits for {key}: {why}")),
        }
    }
    [
        (Reason::DependencyMissing, missing),
        (Reason::DependencyFailed, failed),
        (Reason::WaitingForDependency, coming),
    ]
    .into_iter()
    .filter(|(_, told)| !told.is_empty())
    .map(|(reason, told)| Hold::new(reason, told.join("; ")))
    .collect()
}

/// The hold on each member of a circle.
pub fn cycle_hold(cycle: &[ObjectKey]) -> Hold {
    let mut names: Vec<String> = cycle.iter().map(ToString::to_string).collect();
    names.extend(names.first().cloned());
    Hold::new(
        Reason::DependencyCycle,
        format!(
            "services depend on each other: {}; take one of these out of `rollout.dependsOn`",
            names.join(" -> ")
        ),
    )
}
