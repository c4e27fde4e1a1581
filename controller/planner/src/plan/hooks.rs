//! When a hook runs, and what waits for it.
//!
//! A hook before the rollout stands between the registration of the revision and the call that starts tasks of it; one after
//! the rollout follows its good end. Only the first sending of a spec runs hooks: healing drift, restarts, reloads of secrets
//! and rollbacks do not, and no spec runs a hook twice unless a person releases it after a failure.

use std::time::Duration;

use crds::ecs::Effect;
use crds::{HookPhase, HumanDuration, Reason};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Action, Hold, Plan, ROLLOUT_IS_YOUNG, ROLLOUT_POLL, ROLLOUT_POLL_LATER, Requeue};
use super::{TaskDefinitionRef, differences, holds};
use crate::desired::Desired;
use crate::drift::FieldDrift;
use crate::hook::{self, DesiredHook, HookRun, Outcome, Waits};
use crate::observed::{Observed, ObservedService, ServiceState};
use crate::orders::Orders;
use crate::preflight;
use crate::rollout::Rollout;

/// Where a hook stands.
enum Standing<'a> {
    /// It ended well.
    Done,
    /// It is to run, as this attempt says.
    Due(Box<HookRun>),
    /// Its task may run.
    Open(&'a HookRun),
    /// There was no room for its task; it is asked for again later.
    Waits(&'a Waits),
    /// It failed, or nobody can say how it ended.
    Failed(&'a HookRun, &'a hook::End),
}

/// The plan with the hooks of its spec: what they hold, and the calls that they need.
pub(super) fn add(
    plan: Plan,
    desired: &Desired,
    observed: &Observed,
    orders: &Orders,
    now: Timestamp,
) -> Plan {
    let known = &observed.hooks;
    let is_open = hook::open(&known.logs).is_some();
    if desired.hooks.is_empty() && !is_open && known.unrecorded.is_none() {
        return plan;
    }
    if let Some(why) = &known.unrecorded {
        return plan.withhold(Reason::StateUnknown, why.clone());
    }
    let scene = Scene { desired, observed, orders, now };
    let plan = scene.before(plan);
    let plan = scene.after(plan);
    scene.stop_overdue(plan)
}

/// What decides about hooks.
#[derive(Clone, Copy)]
struct Scene<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    orders: &'a Orders,
    now: Timestamp,
}

impl<'a> Scene<'a> {
    /// Holds what starts tasks of a spec that was never sent until its hooks have ended well.
    fn before(self, plan: Plan) -> Plan {
        if !preflight::is_due(&plan) {
            return plan;
        }
        let Self { desired, observed, .. } = self;
        if let Some((spec, run)) = hook::open(&observed.hooks.logs)
            && *spec != desired.spec_hash
        {
            let message = format!(
                "the hook `{}` of an earlier spec has not ended; the newer one waits for it",
                run.name
            );
            return self.wait(plan, run, message);
        }
        if self.service().is_some_and(|service| differences::is_attempted(desired, service)) {
            return plan;
        }
        for hook in self.hooks(HookPhase::Before) {
            match self.standing(hook) {
                Standing::Done => {}
                Standing::Due(run) => return self.run_first(plan, hook, *run),
                Standing::Open(run) if run.task.is_none() => {
                    return self.run_first(plan, hook, run.clone());
                }
                Standing::Open(run) => return self.wait(plan, run, running(hook)),
                Standing::Waits(waits) => return self.wait_for_room(plan, hook, waits),
                Standing::Failed(run, result) => {
                    let message = format!(
                        "{}. Nothing was rolled out; the spec is held until it changes or is released, which runs the hook once more",
                        failed(hook, run, result)
                    );
                    return plan.withhold(Reason::HookFailed, message);
                }
            }
        }
        plan
    }

    /// Runs what follows a rollout that ended well, one hook after the other.
    fn after(self, mut plan: Plan) -> Plan {
        let Self { desired, observed, .. } = self;
        let log = hook::of(&observed.hooks.logs, &desired.spec_hash);
        let has_rolled = log.is_some_and(|log| log.rolled_at.is_some());
        let Some(service) = self.service().filter(|_| has_rolled) else { return plan };
        if plan.rollout != Rollout::Succeeded || !differences::is_attempted(desired, service) {
            return plan;
        }
        for hook in self.hooks(HookPhase::After) {
            let run = match self.standing(hook) {
                Standing::Done => continue,
                Standing::Due(run) => *run,
                Standing::Open(run) if run.task.is_none() => run.clone(),
                Standing::Open(run) => {
                    plan.holds.push(Hold::new(Reason::HookRunning, running(hook)));
                    plan.requeue = plan.requeue.at_most(self.poll(run));
                    return plan;
                }
                Standing::Waits(waits) => {
                    plan.holds.push(Hold::new(Reason::HookRunning, no_room(hook, waits)));
                    plan.requeue = plan.requeue.at_most(self.left(waits));
                    return plan;
                }
                Standing::Failed(run, result) => {
                    let message = format!(
                        "{}. The rollout itself ended well and stays; `release` runs the hook once more",
                        failed(hook, run, result)
                    );
                    plan.holds.push(Hold::new(Reason::HookFailed, message));
                    return plan;
                }
            };
            if plan.is_settled() && plan.holds.is_empty() {
                let revision = TaskDefinitionRef::Existing(service.task_definition.clone());
                plan.actions.push(self.run(hook, run, revision));
                plan.holds.push(Hold::new(Reason::HookRunning, self.asked(hook)));
                plan.requeue = Requeue::After(ROLLOUT_POLL);
            }
            return plan;
        }
        plan
    }

    /// Stops the task of a hook, of whatever spec, that has taken longer than it may.
    fn stop_overdue(self, mut plan: Plan) -> Plan {
        let Self { desired, observed, orders, now } = self;
        let open = hook::open(&observed.hooks.logs).map(|(_, run)| run);
        let (Some(run), Some(live)) = (open, &observed.hooks.task) else { return plan };
        let is_overdue = run.is_overdue(live, now) && !live.is_stopping;
        if !is_overdue || holds::standing_hold(desired, orders, now).is_some() {
            return plan;
        }
        let input = json!({
            "cluster": desired.key.cluster,
            "task": live.task,
            "reason": format!("Longshore: the hook {} did not end within {}", run.name, run.timeout),
        });
        plan.actions.insert(0, Action::StopTask { input, reason: Reason::HookFailed });
        plan.requeue = Requeue::After(ROLLOUT_POLL);
        plan
    }

    fn hooks(self, phase: HookPhase) -> impl Iterator<Item = &'a DesiredHook> {
        self.desired.hooks.iter().filter(move |hook| hook.phase == phase)
    }

    /// The service, if there is one that can be changed.
    fn service(self) -> Option<&'a ObservedService> {
        let service = self.observed.service.as_ref();
        service.filter(|service| service.state == ServiceState::Active)
    }

    fn standing(self, hook: &DesiredHook) -> Standing<'a> {
        let log = hook::of(&self.observed.hooks.logs, &self.desired.spec_hash);
        let Some(run) = log.and_then(|log| log.run(hook.phase, &hook.name)) else {
            return Standing::Due(Box::new(self.attempt(hook, 1)));
        };
        match (&run.result, &run.waits) {
            (Some(result), _) => match result.outcome {
                Outcome::Succeeded => Standing::Done,
                Outcome::Failed | Outcome::Unknown if self.is_released_since(run) => {
                    Standing::Due(Box::new(self.attempt(hook, run.attempt.saturating_add(1))))
                }
                Outcome::Failed | Outcome::Unknown => Standing::Failed(run, result),
            },
            (None, Some(waits)) if waits.until <= self.now => Standing::Due(Box::new(HookRun {
                waits: None,
                requested_at: self.now,
                ..run.clone()
            })),
            (None, Some(waits)) => Standing::Waits(waits),
            (None, None) => Standing::Open(run),
        }
    }

    fn is_released_since(self, run: &HookRun) -> bool {
        let release = self.orders.release.as_ref();
        release.is_some_and(|order| order.is_for(&self.desired.spec_hash) && order.id > run.heeded)
    }

    fn attempt(self, hook: &DesiredHook, attempt: u32) -> HookRun {
        let created = self.observed.service.as_ref().and_then(|service| service.created_at);
        HookRun {
            phase: hook.phase,
            name: hook.name.clone(),
            id: hook::first_id(self.desired, hook, created, attempt),
            attempt,
            misses: 0,
            heeded: self.orders.release.as_ref().map_or(0, |order| order.id),
            requested_at: self.now,
            family: self.desired.task_definition.family.to_string(),
            container: hook.container.clone(),
            timeout: HumanDuration::from_secs(hook.timeout.as_secs()),
            log: hook.log.clone(),
            task: None,
            missing_since: None,
            waits: None,
            result: None,
        }
    }

    /// Registers the revision where that is still to be done, and asks for the hook's task; the rest waits.
    fn run_first(self, plan: Plan, hook: &DesiredHook, run: HookRun) -> Plan {
        let revision = plan.actions.iter().find_map(Action::revision_to_run).cloned();
        let running_now = || {
            TaskDefinitionRef::Existing(
                self.service().map(|service| service.task_definition.clone()).unwrap_or_default(),
            )
        };
        let call = self.run(hook, run, revision.unwrap_or_else(running_now));
        let (mut actions, mut withheld): (Vec<Action>, Vec<Action>) = plan
            .actions
            .into_iter()
            .partition(|action| matches!(action, Action::RegisterTaskDefinition { .. }));
        actions.push(call);
        withheld.extend(plan.withheld);
        let holds = vec![Hold::new(Reason::HookRunning, self.asked(hook))];
        Plan { actions, withheld, holds, requeue: Requeue::After(ROLLOUT_POLL), ..plan }
    }

    fn run(self, hook: &DesiredHook, run: HookRun, task_definition: TaskDefinitionRef) -> Action {
        let input = hook::run_input(self.desired, hook, &run, self.service());
        let changes = vec![FieldDrift {
            path: format!("rollout.hooks.{}[{}]", hook.phase, hook.name),
            desired: Some(json!(hook.command)),
            observed: None,
            effect: Effect::InPlace,
        }];
        let (run, reason) = (Box::new(run), Reason::HookRunning);
        Action::RunTask { input, task_definition, run, reason, changes }
    }

    /// What is said while a task is asked for: a task that found no room before may find none again.
    fn asked(self, hook: &DesiredHook) -> String {
        let log = hook::of(&self.observed.hooks.logs, &self.desired.spec_hash);
        let run = log.and_then(|log| log.run(hook.phase, &hook.name));
        match run.and_then(|run| run.waits.as_ref()) {
            Some(waits) => no_room(hook, waits),
            None => running(hook),
        }
    }

    fn wait(self, plan: Plan, run: &HookRun, message: String) -> Plan {
        let requeue = Requeue::After(self.poll(run));
        Plan { requeue, ..plan.withhold(Reason::HookRunning, message) }
    }

    fn wait_for_room(self, plan: Plan, hook: &DesiredHook, waits: &Waits) -> Plan {
        let requeue = Requeue::After(self.left(waits));
        Plan { requeue, ..plan.withhold(Reason::HookRunning, no_room(hook, waits)) }
    }

    fn poll(self, run: &HookRun) -> Duration {
        let is_young = self.now.duration_since(run.requested_at) < ROLLOUT_IS_YOUNG;
        if is_young { ROLLOUT_POLL } else { ROLLOUT_POLL_LATER }
    }

    /// How long it takes until a task is asked for again.
    fn left(self, waits: &Waits) -> Duration {
        let left = waits.until.duration_since(self.now).max(SignedDuration::from_secs(1));
        Duration::try_from(left).unwrap_or(ROLLOUT_POLL_LATER)
    }
}

fn running(hook: &DesiredHook) -> String {
    match hook.phase {
        HookPhase::Before => {
            format!("the hook `{}` runs; the rollout waits for its end", hook.name)
        }
        HookPhase::After => format!("the hook `{}` runs after the rollout", hook.name),
    }
}

fn no_room(hook: &DesiredHook, waits: &Waits) -> String {
    format!("the task of the hook `{}` is asked for again: {}", hook.name, waits.why)
}

fn failed(hook: &DesiredHook, run: &HookRun, result: &hook::End) -> String {
    let (name, log) = (&hook.name, run.log_told());
    match result.outcome {
        Outcome::Unknown => format!(
            "of the hook `{name}` ({}) nobody can say whether it ran: {}{log}",
            hook.phase, result.message
        ),
        Outcome::Succeeded | Outcome::Failed => {
            format!("the hook `{name}` ({}) failed: {}{log}", hook.phase, result.message)
        }
    }
}
