//! What is done about the rollout under way: an answer where it waits at a gate, and its end where it must not go on.
//!
//! Nothing is done here in a turn that starts another deployment, which takes the place of this one, nor while a person
//! holds the service.

use crds::{OnFailure, Reason};
use jiff::Timestamp;
use serde_json::json;

use super::{Action, Hold, Plan, ROLLOUT_POLL, Requeue, holds};
use crate::checks;
use crate::checks::mark::{self, Mark};
use crate::desired::Desired;
use crate::explain;
use crate::gate::{self, Decision, Pause, Verdict};
use crate::observed::{Deployment, Observed, ObservedService, ServiceDeployment};
use crate::orders::{Orders, Stopped};
use crate::rollout::{self, DeploymentStatus, Rollout};
use crate::waiting;

/// Adds to the plan what the rollout under way needs.
pub(super) fn add(
    plan: Plan,
    desired: &Desired,
    observed: &Observed,
    service: &ObservedService,
    (orders, now): (&Orders, Timestamp),
) -> Plan {
    let Some(record) = record_under_way(observed, service) else { return plan };
    if plan.actions.iter().any(changes_service)
        || holds::standing_hold(desired, orders, now).is_some()
    {
        return plan;
    }
    if let Some(pause) = gate::at_pause(desired, service, record) {
        let parts = parts(&pause, desired, observed, service, (orders, now));
        return match gate::decide(parts) {
            Decision::Continue => acting(plan, go_on(&pause)),
            Decision::Wait { reason, message } => {
                let plan = held(plan, Hold::new(reason, waiting_message(&pause, &message)));
                let opens = gate::opens_at(&desired.windows, &pause, now);
                let delay = opens.map(|opens| waiting::until(now, opens));
                Plan {
                    requeue: delay.map_or(plan.requeue, |delay| plan.requeue.at_most(delay)),
                    ..plan
                }
            }
            Decision::Stop { reason, message } => {
                end(plan, desired, observed, service, (reason, message, now))
            }
        };
    }
    let is_hopeless = plan.rollout == Rollout::InProgress && desired.is_attempt(record);
    match hopeless(observed, service).filter(|_| is_hopeless) {
        Some(why) => end(plan, desired, observed, service, (Reason::RolloutHopeless, why, now)),
        None => plan,
    }
}

/// ECS's record of the rollout to the primary deployment, while that is under way.
fn record_under_way<'a>(
    observed: &'a Observed,
    service: &ObservedService,
) -> Option<&'a ServiceDeployment> {
    let number = service.primary()?.revision_number();
    observed
        .deployments
        .iter()
        .flatten()
        .find(|record| record.target_revision == number && rollout::is_open(record))
}

/// Whether a call may start a deployment or take the service away.
fn changes_service(action: &Action) -> bool {
    match action {
        Action::UpdateService { .. }
        | Action::CreateService { .. }
        | Action::DeleteService { .. } => true,
        Action::RegisterTaskDefinition { .. }
        | Action::TagResource { .. }
        | Action::UntagResource { .. }
        | Action::Scaling { .. }
        | Action::RunTask { .. }
        | Action::StopTask { .. }
        | Action::StopServiceDeployment { .. }
        | Action::ContinueServiceDeployment { .. } => false,
    }
}

/// What each thing that a gate is there for says.
fn parts(
    pause: &Pause<'_>,
    desired: &Desired,
    observed: &Observed,
    service: &ObservedService,
    (orders, now): (&Orders, Timestamp),
) -> Vec<Verdict> {
    if orders.was_left(desired, service) && !desired.is_attempt(pause.record) {
        // A person goes back to an earlier release, and has said so.
        return Vec::new();
    }
    if !desired.is_attempt(pause.record) {
        let message = "another revision than the spec's is being rolled out".to_owned();
        return vec![Verdict::Wait { reason: Reason::GateOutdated, message }];
    }
    let mut parts = Vec::new();
    let is_new = !replaces_the_same(desired, observed);
    if pause.gate.approval && is_new {
        parts.push(match orders.approved(&desired.spec_hash, now) {
            Ok(()) => Verdict::Pass,
            Err(message) => Verdict::Wait { reason: Reason::AwaitingApproval, message },
        });
    }
    if pause.gate.checks && mark::mark(desired, service) == Mark::Pending {
        let known = observed.analysis.as_ref();
        parts.extend(checks::at_gate(&desired.checks, known, &pause.hook.id, now));
    }
    if pause.gate.window && is_new && !orders.hurries(&desired.spec_hash) {
        parts.push(gate::at_window(&desired.windows, pause, now));
    }
    parts
}

/// Whether the rollout replaces tasks by new ones of what the last good rollout brought: a restart, or new secrets. Who
/// approved that has approved this, and what waits for a window has waited before it began. What ECS no longer shows is not
/// known to have ended well: a gate stays shut then.
fn replaces_the_same(desired: &Desired, observed: &Observed) -> bool {
    good_before(desired, observed).is_some_and(|record| desired.is_attempt(record))
}

/// The last rollout that ended well before this spec was tried last.
pub(super) fn good_before<'a>(
    desired: &Desired,
    observed: &'a Observed,
) -> Option<&'a ServiceDeployment> {
    let records = observed.deployments.iter().flatten();
    let mut before = records.skip_while(|record| !desired.is_attempt(record)).skip(1);
    before.find(|record| record.status == DeploymentStatus::Successful)
}

fn waiting_message(pause: &Pause<'_>, why: &str) -> String {
    let since = pause.hook.since.map(|since| format!(" since {since}")).unwrap_or_default();
    let until = pause.hook.expires_at.map(|until| format!(". ECS rolls back at {until}"));
    format!("the rollout waits at {}{since}: {why}{}", pause.stage, until.unwrap_or_default())
}

fn go_on(pause: &Pause<'_>) -> Action {
    Action::ContinueServiceDeployment {
        input: json!({
            "serviceDeploymentArn": pause.record.arn,
            "hookId": pause.hook.id,
            "action": "CONTINUE",
        }),
        reason: Reason::GatePassed,
    }
}

/// Why no further task of the rollout can run, as a sentence. While one of its tasks runs that is not so.
fn hopeless(observed: &Observed, service: &ObservedService) -> Option<String> {
    let primary = service.primary().filter(|primary| primary.running == 0)?;
    explain::hopeless(observed, &primary.id).map(|cause| cause.to_string())
}

/// Ends a rollout that must not go on: by ECS's rollback, or, where there is nothing to go back to or the spec wants it so, by
/// saying why and leaving it.
pub(super) fn end(
    plan: Plan,
    desired: &Desired,
    observed: &Observed,
    service: &ObservedService,
    (reason, why, now): (Reason, String, Timestamp),
) -> Plan {
    let Some(record) = record_under_way(observed, service) else { return plan };
    if desired.gates.on_failure == OnFailure::Hold {
        let message = format!("{why}. `rollout.onFailure` is `hold`: the rollout is left as it is");
        return held(plan, Hold::new(reason, message));
    }
    if !has_candidate(observed, service, record) {
        let message = format!(
            "{why}. No earlier deployment has ended well, so there is nothing to go back to: ECS goes on trying, less and less often"
        );
        return held(plan, Hold::new(reason, message));
    }
    let stopped = Stopped {
        deployment: record.arn.clone(),
        release: record.target_revision.clone(),
        spec_hash: desired.spec_hash.clone(),
        at: now,
        message: format!("Longshore stopped it: {why}."),
    };
    acting(
        plan,
        Action::StopServiceDeployment { arn: record.arn.clone(), reason, because: Some(stopped) },
    )
}

/// Whether ECS has a deployment to go back to: the newest that once completed (aws.md §3.5).
fn has_candidate(
    observed: &Observed,
    service: &ObservedService,
    record: &ServiceDeployment,
) -> bool {
    let is_complete =
        |one: &&Deployment| !one.is_primary && one.rollout_state.as_deref() == Some("COMPLETED");
    service.deployments.iter().any(|one| is_complete(&one))
        || observed.deployments.iter().flatten().any(|other| {
            other.status == DeploymentStatus::Successful
                && other.target_revision != record.target_revision
        })
}

fn acting(mut plan: Plan, action: Action) -> Plan {
    plan.actions.push(action);
    Plan { requeue: Requeue::After(ROLLOUT_POLL), ..plan }
}

fn held(mut plan: Plan, hold: Hold) -> Plan {
    plan.holds.push(hold);
    plan
}

/// Why the newest attempt of a spec was undone, in Longshore's own words where it was Longshore that stopped it.
pub(super) fn told(
    rollout: Rollout,
    desired: &Desired,
    observed: &Observed,
    orders: &Orders,
) -> Rollout {
    let attempt = rollout::newest_attempt(desired, observed);
    let Some(stopped) = attempt.and_then(|attempt| orders.stopped_by_us(attempt)) else {
        return rollout;
    };
    match rollout {
        Rollout::RollingBack(_) => Rollout::RollingBack(stopped.message.clone()),
        Rollout::RolledBack(_) => Rollout::RolledBack(stopped.message.clone()),
        Rollout::Failed(_) => Rollout::Failed(stopped.message.clone()),
        Rollout::NotStarted | Rollout::InProgress | Rollout::Succeeded => rollout,
    }
}
