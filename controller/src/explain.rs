//! Reads what explains a rollout in trouble, and keeps what it says.
//!
//! None of these reads decides anything, and a read that fails takes an explanation away, nothing else. What is read and when
//! says [`planner::explain::asks`].

use futures_util::future::join_all;
use jiff::Timestamp;
use planner::explain::{self, Kept};
use planner::observed::{Alarm, StoppedTask, Target};
use planner::{Desired, Observed};

use crate::aws::Account;
use crate::status_store::redact;

/// What was observed, with what explains the newest rollout of the spec. `before` is what was kept of it earlier.
pub async fn observe(
    account: &Account,
    desired: &Desired,
    mut observed: Observed,
    before: Option<&Kept>,
    now: Timestamp,
) -> Observed {
    let asks = explain::asks(desired, &observed, before, now);
    if asks.stopped {
        let (cluster, name) = (desired.key.cluster.as_str(), desired.key.name.as_str());
        let tasks = account.stopped_tasks(cluster, name).await.ok();
        observed.stopped =
            tasks.map(|tasks| tasks.iter().map(StoppedTask::from_describe).collect());
    }
    let targets = join_all(asks.target_groups.iter().map(|group| targets(account, group)));
    let alarms = join_all(asks.alarms.iter().map(|name| alarm(account, name)));
    let (targets, alarms) = tokio::join!(targets, alarms);
    observed.targets = targets.into_iter().flatten().collect();
    observed.alarms = alarms.into_iter().flatten().collect();
    // What AWS says may quote a command or a URL of the spec, and is written down.
    observed.explained =
        explain::keep(before, desired, &observed).map(|kept| kept.rewritten(redact));
    observed
}

async fn targets(account: &Account, group: &str) -> Vec<Target> {
    let found = account.unhealthy_targets(group).await.unwrap_or_default();
    let target = |fact: crate::aws::TargetHealthFact| Target {
        group: group.to_owned(),
        state: fact.state,
        reason: fact.reason,
        description: fact.description,
    };
    found.into_iter().map(target).collect()
}

async fn alarm(account: &Account, name: &str) -> Option<Alarm> {
    let found = account.alarm(name).await.ok()??;
    Some(Alarm { name: name.to_owned(), rings: found.rings, reason: found.reason })
}
