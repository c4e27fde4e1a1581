//! Application Auto Scaling (aws.md §4.1, §5).

mod alarm;
mod metric;
mod predictive;
mod schedule;
mod step;
mod target_tracking;

use std::collections::BTreeSet;

use crds::Scaling;

use super::finding::{Finding, error, warning};
use super::service::is_daemon;
use super::subject::Subject;
use super::words::{each, is_open};

/// Where the block stands in the file.
pub(super) const SCALING: &str = "spec.scaling";

const POLICIES_MAX: usize = 50;
const ACTIONS_MAX: usize = 200;
const NAME_MAX: usize = 256;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(scaling) = &subject.object.spec.scaling else { return };
    if is_daemon(subject) {
        found.push(
            error(SCALING, "is not possible with schedulingStrategy `DAEMON`")
                .hint("leave it out; there is one task on each instance"),
        );
    }
    bounds(subject, scaling, found);
    policies(scaling, found);
    target_tracking::check(subject, scaling, found);
    step::check(subject, scaling, found);
    predictive::check(scaling, found);
    schedule::check(scaling, found);
}

fn bounds(subject: &Subject<'_>, scaling: &Scaling, found: &mut Vec<Finding>) {
    let (min, max) = (scaling.min_capacity, scaling.max_capacity);
    if min > max {
        found.push(
            error(
                format!("{SCALING}.minCapacity"),
                format!("`{min}` is more than maxCapacity `{max}`"),
            )
            .hint(format!("the nearest is {max}")),
        );
        return;
    }
    if let Some(count) = subject.service.desired_count.filter(|count| *count > max) {
        found.push(
            warning(
                "spec.service.desiredCount",
                format!("`{count}` is more than scaling.maxCapacity `{max}`, which wins"),
            )
            .hint(format!("the nearest is {max}")),
        );
    }
    let of_tasks = scaling
        .target_tracking
        .iter()
        .flatten()
        .filter_map(|policy| policy.predefined_metric.as_ref())
        .any(|metric| metric.as_str().starts_with("ECSService"));
    let others = scaling.step.iter().flatten().next().is_some()
        || scaling.target_tracking.iter().flatten().any(|policy| {
            !policy
                .predefined_metric
                .as_ref()
                .is_some_and(|metric| metric.as_str().starts_with("ECSService"))
        });
    if min == 0 && of_tasks && !others {
        found.push(
            warning(
                format!("{SCALING}.minCapacity"),
                "`0` tasks have no CPU or memory metrics, so that nothing scales out from there",
            )
            .hint("use 1, or add a policy on a queue's or a load balancer's metric"),
        );
    }
}

/// The policies of all kinds share one set of names.
fn policies(scaling: &Scaling, found: &mut Vec<Finding>) {
    let tracking = each(SCALING, "targetTracking", scaling.target_tracking.as_deref())
        .map(|(at, policy)| (at, policy.name.as_str()));
    let step = each(SCALING, "step", scaling.step.as_deref())
        .map(|(at, policy)| (at, policy.name.as_str()));
    let predictive = each(SCALING, "predictive", scaling.predictive.as_deref())
        .map(|(at, policy)| (at, policy.name.as_str()));
    let names: Vec<(String, &str)> = tracking.chain(step).chain(predictive).collect();
    if names.len() > POLICIES_MAX {
        let count = names.len();
        found.push(error(SCALING, format!("has `{count}` policies; there may be {POLICIES_MAX}")));
    }
    let mut seen = BTreeSet::new();
    for (at, name) in names {
        let path = format!("{at}.name");
        if is_open(name) {
            continue;
        }
        if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
            let message =
                format!("`{name}` is not a policy's name: 1 to {NAME_MAX} printable characters");
            found.push(error(path, message));
        } else if !seen.insert(name) {
            found.push(
                error(path, format!("`{name}` names two policies; all kinds share their names"))
                    .hint("give it a name of its own"),
            );
        }
    }
}
