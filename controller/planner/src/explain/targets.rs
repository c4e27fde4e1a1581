//! What a load balancer says of targets that get no traffic (aws.md §6.8).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Explanation, Outlook, Speaker, shortened};
use crate::observed::Target;

/// A reason code of `DescribeTargetHealth`: its outlook, what it says, the remedy.
type Row = (&'static str, Outlook, &'static str, &'static str);

/// Checks that fail, and targets that are not used; what comes first is told first.
const FAILING: &[Row] = &[
    (
        "Target.NotInUse",
        Outlook::Hopeless,
        "no listener forwards to it, or the load balancer is not in their zones",
        "let a listener rule forward to the target group, and give the load balancer a subnet in each zone of the tasks",
    ),
    (
        "Target.IpUnusable",
        Outlook::Hopeless,
        "their addresses belong to a load balancer",
        "give tasks and load balancers subnets of their own",
    ),
    (
        "Target.InvalidState",
        Outlook::Unclear,
        "their instances do not run",
        "check the container instances",
    ),
    (
        "Target.Timeout",
        Outlook::Unclear,
        "the health check gets no answer in time",
        "check that the program listens on the port, that the tasks' security group lets the load balancer in, and how long the check waits",
    ),
    (
        "Target.ResponseCodeMismatch",
        Outlook::Unclear,
        "the health check is answered with a code that it does not take",
        "correct the check's path or codes, or what the program answers there",
    ),
    (
        "Target.FailedHealthChecks",
        Outlook::Unclear,
        "the health check cannot connect, or its answer is broken",
        "check the port, the protocol and the security groups, and that the program runs by then (`healthCheckGracePeriodSeconds`)",
    ),
    (
        "Target.HealthCheckDisabled",
        Outlook::Unclear,
        "the target group makes no health checks",
        "turn them on",
    ),
    (
        "Elb.InternalError",
        Outlook::Passing,
        "the load balancer has a problem of its own",
        "wait; if it goes on, ask AWS",
    ),
];

/// What is so at the beginning of every target, and says something only of one that stays so.
const WAITING: &[Row] = &[
    (
        "Elb.InitialHealthChecking",
        Outlook::Unclear,
        "they have not passed their first health checks yet",
        "check how long the program takes to start",
    ),
    (
        "Elb.RegistrationInProgress",
        Outlook::Passing,
        "they are still being registered",
        "wait; if it goes on, look at the load balancer",
    ),
];

/// Why targets fail, if any do.
pub(super) fn failing(targets: &[Target]) -> Option<Explanation> {
    let unhealthy = |target: &&Target| {
        // A draining target belongs to a task that leaves.
        !matches!(target.state.as_str(), "healthy" | "initial" | "draining")
            && target.reason != "Target.NotRegistered"
    };
    let failing: Vec<&Target> = targets.iter().filter(unhealthy).collect();
    of(FAILING, &failing).or_else(|| {
        let first = failing.first()?;
        let says = format!("the load balancer says {}", first.reason);
        Some(told(&failing, Outlook::Unclear, &says, ""))
    })
}

/// What targets wait for that are neither healthy nor failing.
pub(super) fn waiting(targets: &[Target]) -> Option<Explanation> {
    of(WAITING, &targets.iter().collect::<Vec<_>>())
}

/// What was said of tasks that fail the check of their target group, with what the load balancer knows of it.
pub(super) fn closer(said: Explanation, targets: &[Target]) -> Explanation {
    if !said.words.contains("ELB health checks") {
        return said;
    }
    match failing(targets) {
        Some(cause) => Explanation {
            what: format!("{}; {}", said.what, cause.what),
            count: said.count,
            ..cause
        },
        None => said,
    }
}

fn of(rows: &[Row], targets: &[&Target]) -> Option<Explanation> {
    rows.iter().find_map(|(code, outlook, says, remedy)| {
        let such: Vec<&Target> =
            targets.iter().filter(|target| target.reason == *code).copied().collect();
        (!such.is_empty()).then(|| told(&such, *outlook, says, remedy))
    })
}

/// The sentence about the targets of one reason, of the group that has most of them.
fn told(targets: &[&Target], outlook: Outlook, says: &str, remedy: &'static str) -> Explanation {
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for target in targets {
        *groups.entry(name_of(&target.group)).or_default() += 1;
    }
    let (group, count) = groups.iter().max_by_key(|(_, count)| **count).unwrap_or((&"", &0));
    let (noun, gets) = if *count == 1 { ("target", "gets") } else { ("targets", "get") };
    Explanation {
        outlook,
        what: format!("{count} {noun} of target group `{group}` {gets} no traffic: {says}"),
        remedy: Cow::Borrowed(remedy),
        words: shortened(targets.first().map_or("", |target| target.description.as_str())),
        speaker: Speaker::LoadBalancer,
        count: 0,
    }
}

/// The name in `arn:…:targetgroup/<name>/<id>`.
fn name_of(arn: &str) -> &str {
    arn.split("targetgroup/").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or(arn)
}
