//! Preflight: what a spec names outside itself, and what AWS says about that, before anything is registered (aws.md §4.4,
//! §6).
//!
//! What comes in: [`mentions`] of a spec, and the [`Facts`] that somebody read about them. What leaves: the plan, held where
//! its rollout could not end well. Guarantees: nothing is held for what could not be read; a fact that was read and stands
//! in the way holds every action of the plan. No fact has room for a secret's value.

mod fact;
mod image;
mod nearest;
mod secret;
mod surroundings;
mod task;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use crds::Reason;

pub use self::fact::{Absence, Fact, Mention};
pub use self::image::{EcrImage, Image, ImageName, wanted_platform};
pub use self::secret::{
    Parameter, Secret, SecretVersion, Selector, Stored, StoredName, hash, versions,
};
pub use self::surroundings::{Alarm, Cluster, TargetGroup, TargetType};
pub use self::task::{LogGroup, Principal, Role};

use crate::desired::Desired;
use crate::plan::{Action, Hold, Plan, Requeue};
use crate::rules::Finding;

/// How soon a held plan is checked again at first, and how late at most.
const RECHECK: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(5));

/// How many findings a hold tells; the rest is counted.
const FINDINGS_TOLD: usize = 5;

/// Everything outside itself that a spec names.
#[derive(Debug, Clone, PartialEq)]
pub struct Mentions {
    /// Images, with the platform that they have to run on.
    pub images: Vec<Mention<ImageName, Option<String>>>,
    /// Parameters and secrets, with the version that is meant.
    pub stored: Vec<Mention<StoredName, Selector>>,
    /// The cluster.
    pub cluster: Mention<String>,
    /// Capacity providers; they have to be attached to the cluster.
    pub capacity_providers: Vec<Mention<String>>,
    /// Target groups by ARN, with the type of target that the tasks are.
    pub target_groups: Vec<Mention<String, TargetType>>,
    /// Log groups.
    pub log_groups: Vec<Mention<LogGroup>>,
    /// Roles by ARN or name, with who takes them.
    pub roles: Vec<Mention<String, Principal>>,
    /// Alarms by name that watch the rollout.
    pub alarms: Vec<Mention<String>>,
}

/// What AWS says about the things that a spec names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Images.
    pub images: BTreeMap<ImageName, Fact<Image>>,
    /// Parameters and secrets.
    pub stored: BTreeMap<StoredName, Fact<Stored>>,
    /// The cluster.
    pub cluster: Option<Fact<Cluster>>,
    /// Target groups by ARN.
    pub target_groups: BTreeMap<String, Fact<TargetGroup>>,
    /// Log groups.
    pub log_groups: BTreeMap<LogGroup, Fact<()>>,
    /// Roles by ARN or name.
    pub roles: BTreeMap<String, Fact<Role>>,
    /// Alarms by name.
    pub alarms: BTreeMap<String, Fact<Alarm>>,
}

/// Everything outside itself that a spec names.
pub fn mentions(desired: &Desired) -> Mentions {
    Mentions {
        images: image::mentions(desired),
        stored: secret::mentions(desired),
        cluster: Mention::new("spec.cluster", desired.key.cluster.to_string()),
        capacity_providers: surroundings::capacity_providers(desired),
        target_groups: surroundings::target_groups(desired),
        log_groups: task::log_groups(desired),
        roles: task::roles(desired),
        alarms: surroundings::alarms(desired),
    }
}

/// Whether carrying the plan out would start tasks: then its surroundings matter. Steady state, tags, counts and deletions cost
/// nothing.
pub fn is_due(plan: &Plan) -> bool {
    plan.actions.iter().any(Action::starts_tasks)
}

/// What stands in the way, in the order of the spec, and what could not be looked at.
pub fn judge(mentions: &Mentions, facts: &Facts) -> (Vec<Finding>, Vec<String>) {
    let mut verdict = fact::Verdict::default();
    surroundings::judge_cluster(mentions, facts, &mut verdict);
    image::judge(mentions, facts, &mut verdict);
    secret::judge(mentions, facts, &mut verdict);
    task::judge(mentions, facts, &mut verdict);
    surroundings::judge(mentions, facts, &mut verdict);
    verdict.finish()
}

/// The plan in the light of the facts: as it is, or with every action withheld. `held_for` says how long it has been held
/// already: what people forget is asked for less and less often.
pub fn weigh(desired: &Desired, plan: Plan, facts: &Facts, held_for: Option<Duration>) -> Plan {
    let (findings, not_checked) = judge(&mentions(desired), facts);
    if findings.is_empty() {
        return Plan { not_checked, ..plan };
    }
    let (soonest, latest) = RECHECK;
    let pause = held_for.map_or(soonest, |held| (held / 2).clamp(soonest, latest));
    let message = tell(&desired.provenance.file, &findings);
    Plan {
        actions: Vec::new(),
        withheld: plan.actions,
        holds: vec![Hold::new(Reason::PreflightFailed, message)],
        requeue: Requeue::After(pause),
        rollout: plan.rollout,
        not_checked,
        checks: plan.checks,
    }
}

/// The findings in one text: `services/web.yaml: spec.….image: … (hint); …`.
fn tell(file: &str, findings: &[Finding]) -> String {
    let told: Vec<String> = findings
        .iter()
        .take(FINDINGS_TOLD)
        .map(|Finding { path, message, hint, .. }| match hint {
            Some(hint) => format!("{path}: {message} ({hint})"),
            None => format!("{path}: {message}"),
        })
        .collect();
    let more = findings.len().saturating_sub(FINDINGS_TOLD);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{file}: {}{more}", told.join("; "))
}
