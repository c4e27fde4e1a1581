//! From the verdict on a rollout to the plan.

use std::time::Duration;

use crds::{CheckStatus, GateStage, Reason};
use jiff::{SignedDuration, Timestamp};

use super::analysis::{Analysis, Part, Verdict};
use super::desired::DesiredCheck;
use super::mark::{self, Mark};
use crate::desired::Desired;
use crate::gate;
use crate::observed::{Observed, ObservedService, ServiceState};
use crate::orders::Orders;
use crate::plan::{Action, Plan, Requeue};
use crate::rollout::Rollout;

/// How soon the service is looked at again after something was done because of its checks.
const AFTERWARDS: Duration = Duration::from_secs(5);

/// How the checks of a service's rollout stand, as the status tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The verdict on the rollout under way or just ended; `None` when none is judged now.
    pub verdict: Option<Verdict>,
    /// The checks of the last rollout that was judged, one by one.
    pub statuses: Vec<CheckStatus>,
}

/// How a failed rollout is left: by these calls, or not, and why.
pub type Leaving = Result<Vec<Action>, String>;

/// The analysis of the rollout that is to be judged now, with nothing newly measured; `None` when none is: another spec is
/// on its way, ECS has given the rollout up, or what it brought has passed already.
pub fn subject(
    desired: &Desired,
    observed: &Observed,
    plan: &Plan,
    (known, orders): (Option<&Analysis>, &Orders),
    now: Timestamp,
) -> Option<Analysis> {
    let service = active(observed)?;
    let mark = mark::mark(desired, service);
    if desired.checks.is_empty() || !is_ours(plan) {
        return None;
    }
    let starts_anew = match mark {
        Mark::Pending => false,
        Mark::Failed => orders.releases(&desired.spec_hash),
        Mark::Absent | Mark::Passed => return None,
    };
    let has_rolled = match plan.rollout {
        Rollout::InProgress => false,
        Rollout::Succeeded => true,
        Rollout::NotStarted
        | Rollout::RollingBack(_)
        | Rollout::RolledBack(_)
        | Rollout::Failed(_) => return None,
    };
    let deployment = &service.primary()?.id;
    let known = known.filter(|_| !starts_anew);
    let mut analysis = known_or_new(desired, deployment, known, now);
    if mark == Mark::Failed && !starts_anew {
        let lost = || "its checks have failed; what they measured is lost".to_owned();
        analysis.failed.get_or_insert_with(lost);
    }
    if serves(observed, service) {
        analysis.has_traffic(now);
    }
    if has_rolled {
        analysis.has_rolled(now);
    }
    Some(analysis)
}

/// Whether production traffic goes to the newest tasks. Where there are stages it is shifted to them in the course of the
/// rollout.
fn serves(observed: &Observed, service: &ObservedService) -> bool {
    if !gate::has_stages(&service.raw) {
        return true;
    }
    let Some(primary) = service.primary() else { return false };
    let number = primary.revision_number();
    let mut records = observed.deployments.iter().flatten();
    records.find(|record| record.target_revision == number).is_some_and(|record| {
        record.stage.is_some() && record.weights.0.is_none_or(|share| share > 0.0)
    })
}

fn is_ours(plan: &Plan) -> bool {
    !plan.holds.iter().any(|hold| matches!(hold.reason, Reason::NotOwned | Reason::OwnedByAnother))
}

fn active(observed: &Observed) -> Option<&ObservedService> {
    observed.service.as_ref().filter(|service| service.state == ServiceState::Active)
}

/// What the checks say at a gate: those of its stage whether they have passed there, those without a stage whether they say
/// anything. What nobody has measured for this very hook says nothing yet.
pub fn at_gate(
    checks: &[DesiredCheck],
    known: Option<&Analysis>,
    hook: &str,
    now: Timestamp,
) -> Vec<gate::Verdict> {
    let measured = |known: &&Analysis| known.gate.as_ref().is_some_and(|gate| gate.hook == hook);
    let Some(known) = known.filter(measured) else {
        let message = "its checks have not been measured yet".to_owned();
        return vec![gate::Verdict::Wait { reason: Reason::ChecksRunning, message }];
    };
    vec![part(known.verdict(checks, Part::Gate, now)), part(known.spoken(checks, now))]
}

/// A verdict as a part of a gate.
fn part(verdict: Verdict) -> gate::Verdict {
    let wait = |reason, message| gate::Verdict::Wait { reason, message };
    match verdict {
        Verdict::Passed => gate::Verdict::Pass,
        Verdict::Running(message) => wait(Reason::ChecksRunning, message),
        Verdict::Inconclusive(message) => wait(
            Reason::ChecksInconclusive,
            format!("{message}. `longshore promote` or `longshore abort` decides"),
        ),
        Verdict::Failed(message) => gate::Verdict::Stop { reason: Reason::ChecksFailed, message },
    }
}

/// The gate with checks at which the rollout of this spec waits: its hook and its stage.
pub fn gate_of<'a>(desired: &Desired, observed: &'a Observed) -> Option<(&'a str, GateStage)> {
    let service = active(observed)?;
    let number = service.primary()?.revision_number();
    let mut records = observed.deployments.iter().flatten();
    let record = records.find(|record| record.target_revision == number)?;
    let pause = gate::at_pause(desired, service, record)?;
    let is_judged = pause.gate.checks
        && desired.is_attempt(record)
        && mark::mark(desired, service) == Mark::Pending;
    is_judged.then_some((pause.hook.id.as_str(), pause.stage))
}

/// What was measured of the rollout that waits at a gate, with nothing newly measured.
pub fn analysis_at(
    desired: &Desired,
    observed: &Observed,
    known: Option<&Analysis>,
    (hook, stage): (&str, GateStage),
    now: Timestamp,
) -> Option<Analysis> {
    let service = active(observed)?;
    let mut analysis = known_or_new(desired, &service.primary()?.id, known, now);
    if serves(observed, service) {
        analysis.has_traffic(now);
    }
    analysis.waits_at(hook, stage, now);
    Some(analysis)
}

fn known_or_new(
    desired: &Desired,
    deployment: &str,
    known: Option<&Analysis>,
    now: Timestamp,
) -> Analysis {
    let release = mark::release(desired);
    known
        .filter(|known| known.deployment == deployment && known.release == release)
        .cloned()
        .unwrap_or_else(|| Analysis::new(deployment.to_owned(), release, now))
}

/// The plan with what the verdict on the rollout asks for. `leaving` is asked for when that is a failure.
pub fn conclude(
    mut plan: Plan,
    desired: &Desired,
    observed: &Observed,
    analysis: &Analysis,
    (leaving, now): (Option<Leaving>, Timestamp),
) -> Plan {
    let Some(service) = active(observed) else { return plan };
    let mut verdict = analysis.verdict(&desired.checks, Part::Along, now);
    let waits = gate_of(desired, observed).map(|_| analysis.next(&desired.checks, Part::Gate, now));
    let mut calls: Vec<Action> = match &verdict {
        Verdict::Running(_) | Verdict::Inconclusive(_) => {
            mark::set(desired, service, Mark::Pending, Reason::Released).into_iter().collect()
        }
        Verdict::Passed => mark::set(desired, service, Mark::Passed, Reason::RolloutSucceeded)
            .into_iter()
            .collect(),
        Verdict::Failed(_) => {
            // What the failed rollout is left by takes the place of everything else.
            plan.withheld.append(&mut plan.actions);
            mark::set(desired, service, Mark::Failed, Reason::ChecksFailed).into_iter().collect()
        }
    };
    if let Verdict::Failed(sentence) = &mut verdict {
        match leaving {
            Some(Ok(leaving)) => calls.extend(leaving),
            Some(Err(why)) => *sentence = format!("{sentence}. The service stays as it is: {why}"),
            None => {}
        }
    }
    if may_change(&plan) && !calls.is_empty() {
        plan.actions.append(&mut calls);
        plan.requeue = Requeue::After(AFTERWARDS);
    }
    plan.requeue = sooner(plan.requeue, analysis.next(&desired.checks, Part::Along, now), now);
    plan.requeue = sooner(plan.requeue, waits.flatten(), now);
    let statuses = analysis.statuses(&desired.checks, now);
    Plan { checks: Some(Judged { verdict: Some(verdict), statuses }), ..plan }
}

/// Whether anything may change by itself.
fn may_change(plan: &Plan) -> bool {
    !plan.holds.iter().any(|hold| {
        matches!(hold.reason, Reason::Suspended | Reason::ManualHold | Reason::StateUnknown)
    })
}

fn sooner(requeue: Requeue, next: Option<Timestamp>, now: Timestamp) -> Requeue {
    let Some(next) = next else { return requeue };
    let wait = next.duration_since(now).max(SignedDuration::from_secs(1));
    let wait = Duration::try_from(wait).unwrap_or(AFTERWARDS);
    match requeue {
        Requeue::After(planned) => Requeue::After(planned.min(wait)),
        Requeue::OnChange => Requeue::After(wait),
    }
}

/// What is said of the checks when no rollout is judged now: how they stood in the end, and why their spec is held.
pub fn remembered(
    mut plan: Plan,
    desired: &Desired,
    known: Option<&Analysis>,
    now: Timestamp,
) -> Plan {
    let release = mark::release(desired);
    let is_it = |known: &&Analysis| known.release == release && !desired.checks.is_empty();
    let Some(known) = known.filter(is_it) else { return plan };
    if let Some(sentence) = &known.failed {
        let left = plan.holds.iter_mut().filter(|hold| hold.reason == Reason::RolledBack);
        for hold in left {
            hold.message = format!("{sentence}. {}", hold.message);
        }
    }
    let statuses = known.statuses(&desired.checks, now);
    Plan { checks: Some(Judged { verdict: None, statuses }), ..plan }
}
