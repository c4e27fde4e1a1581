//! Why ECS itself ended a rollout, as its record of it says (aws.md §3.7). The record's words are told already wherever an
//! explanation is; what is added here is what they mean and what to do.

use super::row::{Row, find, rows};
use super::{Explanation, Speaker};
use crate::observed::{Alarm, ServiceDeployment};

rows! { REASONS:
    Unclear ["lifecycle hook(s) failed"] []
        "a lifecycle hook of the service said no, or did not answer"
        => "read the log of the hook's function";
    Unclear ["pause hook timed out"] []
        "nobody let the rollout go on in time"
        => "approve or promote it sooner, or raise the hook's timeout (`gateTimeout`)";
    Unclear ["lifecycle hook"] ["timed out"]
        "a lifecycle hook of the service did not answer in time"
        => "read the log of the hook's function, or raise its timeout";
    Hopeless ["must be associated with the productionlistenerrule"] []
        "the listener rule does not forward to both target groups of the service"
        => "let it forward to both, one with weight 1 and one with weight 0";
    Hopeless ["exactly one target group serving traffic"] []
        "both target groups of the service get traffic already"
        => "give all weight of the listener rule to the one that serves";
    Hopeless ["unexpected target group"] []
        "the listener rule forwards to a target group that is none of the service's"
        => "let it forward to the service's two target groups only, or correct `loadBalancers`";
    Hopeless ["missing permissions on ecs infrastructure role"] []
        "ECS may not change the load balancer's rules"
        => "let the infrastructure role manage them (AmazonECSInfrastructureRolePolicyForLoadBalancers)";
    Hopeless ["invalid networking configuration"] []
        "the service's load balancer is not as a shift of traffic needs it"
        => "check its listener rules and target groups";
}

rows! { TASKS:
    Unclear ["circuit breaker"] []
        "too many of its tasks did not start or failed their health checks"
        => "read the log of its tasks";
    Unclear ["no rollback candidate"] []
        "it failed, and no earlier deployment has ended well"
        => "mend the spec: a first deployment has nothing to go back to";
}

/// What ECS names as its reason, where that is no matter of single tasks.
pub(super) fn decisive(record: &ServiceDeployment, alarms: &[Alarm]) -> Option<Explanation> {
    of_alarms(record, alarms).or_else(|| of_reason(record, REASONS))
}

/// What is left to say where nothing is known of the tasks.
pub(super) fn last_resort(record: &ServiceDeployment) -> Option<Explanation> {
    of_reason(record, TASKS)
}

/// Whether ECS ended the rollout because of its tasks.
pub(super) fn is_about_tasks(record: &ServiceDeployment) -> bool {
    last_resort(record).is_some()
}

fn of_reason(record: &ServiceDeployment, known: &[Row]) -> Option<Explanation> {
    let reason = record.reason.as_deref()?;
    let cause = find(&[known], &reason.to_lowercase())?;
    Some(Explanation::of(cause, "", Speaker::Ecs))
}

/// Which of the deployment alarms rang, and why. CloudWatch's words are of now: they count while the alarm still rings, or
/// where only one can have been it.
fn of_alarms(record: &ServiceDeployment, alarms: &[Alarm]) -> Option<Explanation> {
    let suspects = record.alarms.suspects();
    let is_named = !record.alarms.triggered.is_empty();
    let found = suspects.iter().filter_map(|name| alarms.iter().find(|alarm| alarm.name == *name));
    let ringing: Vec<&Alarm> = found.filter(|alarm| alarm.rings).collect();
    let names: Vec<&str> = if is_named || ringing.is_empty() {
        suspects.iter().map(String::as_str).collect()
    } else {
        ringing.iter().map(|alarm| alarm.name.as_str()).collect()
    };
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let what = match quoted.as_slice() {
        [] => return None,
        [only] => format!("the alarm {only} rang"),
        several if is_named || !ringing.is_empty() => {
            format!("the alarms {} rang", several.join(" and "))
        }
        several => format!("one of the alarms {} rang", several.join(", ")),
    };
    Some(Explanation {
        outlook: super::Outlook::Unclear,
        what,
        remedy: "look at what it measures; the new tasks may be the cause".into(),
        words: super::shortened(ringing.first().map_or("", |alarm| alarm.reason.as_str())),
        speaker: Speaker::Alarm,
        count: 0,
    })
}
