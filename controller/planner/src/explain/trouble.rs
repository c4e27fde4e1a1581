//! When it is worth asking why a rollout does not come on. A rollout that goes well costs no call for that.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Kept, attempt, record_of};
use crate::desired::Desired;
use crate::observed::{self, Observed, ObservedService, list};
use crate::rollout::{self, Rollout};

/// Further facts that explain a rollout, beside those that the plan depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asks {
    /// Why tasks stopped.
    pub stopped: bool,
    /// The target groups whose targets are asked for.
    pub target_groups: Vec<String>,
    /// The alarms that may have stopped the rollout.
    pub alarms: Vec<String>,
}

/// Whether tasks of the rollout under way have ended, or could not be started, by what DescribeServices says of it.
///
/// `failedTasks` alone does not say so: it counts tasks that never ran, and none of them once one has (aws.md §3.5). But a
/// task that ends is missing until it is replaced, and then more tasks have been started than there should be.
pub fn is_in_trouble(service: &ObservedService) -> bool {
    let Some(primary) = service.primary().filter(|_| rollout::is_moving(service)) else {
        return false;
    };
    primary.failed > 0
        || primary.running + primary.pending < primary.desired
        || started_since(service, primary.created_at) > service.desired_count
}

/// What to ask for to explain the newest rollout of a spec: nothing while it goes well, and nothing once it is known for good
/// why it failed.
pub fn asks(desired: &Desired, observed: &Observed, before: Option<&Kept>, now: Timestamp) -> Asks {
    let Some(service) = &observed.service else { return Asks::default() };
    let Some(attempt) = attempt(desired, observed) else { return Asks::default() };
    if before.is_some_and(|kept| kept.deployment == attempt && kept.is_final) {
        return Asks::default();
    }
    match rollout::stands(desired, observed) {
        Rollout::InProgress if is_in_trouble(service) || is_late(desired, observed, now) => Asks {
            stopped: observed.stopped.is_none(),
            target_groups: target_groups(service),
            alarms: Vec::new(),
        },
        Rollout::RollingBack(_) | Rollout::RolledBack(_) | Rollout::Failed(_) => {
            let record = record_of(observed, &attempt);
            let alarms = record.map(|record| record.alarms.suspects().to_vec());
            Asks {
                stopped: observed.stopped.is_none(),
                target_groups: Vec::new(),
                alarms: alarms.unwrap_or_default(),
            }
        }
        Rollout::NotStarted | Rollout::InProgress | Rollout::Succeeded => Asks::default(),
    }
}

/// Whether the rollout has taken longer than its spec expects, and not because it waits for somebody.
fn is_late(desired: &Desired, observed: &Observed, now: Timestamp) -> bool {
    let limit = SignedDuration::try_from(desired.timeout).unwrap_or(SignedDuration::MAX);
    let Some(primary) = observed.service.as_ref().and_then(ObservedService::primary) else {
        return false;
    };
    let waits = record_of(observed, &primary.id).is_some_and(|record| !record.waiting.is_empty());
    !waits && primary.created_at.is_some_and(|began| now.duration_since(began) > limit)
}

/// How many tasks ECS says it has started since then.
fn started_since(service: &ObservedService, began: Option<Timestamp>) -> i64 {
    let Some(began) = began else { return 0 };
    let recent = list(&service.raw, "events")
        .filter(|event| observed::time(event, "createdAt").is_some_and(|time| time >= began));
    recent.filter_map(|event| started(event.get("message")?.as_str()?)).sum()
}

/// The number in `(service web) has started 2 tasks: …`.
fn started(event: &str) -> Option<i64> {
    let (_, rest) = event.split_once("has started ")?;
    let (count, rest) = rest.split_once(' ')?;
    rest.starts_with("task").then(|| count.parse().ok())?
}

/// The target groups of a service, also those between which its traffic shifts.
fn target_groups(service: &ObservedService) -> Vec<String> {
    let balancers = list(&service.raw, "loadBalancers");
    let mut groups: Vec<String> = balancers
        .flat_map(|balancer| {
            [
                balancer.get("targetGroupArn"),
                balancer.pointer("/advancedConfiguration/alternateTargetGroupArn"),
            ]
        })
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    groups.sort();
    groups.dedup();
    groups
}
