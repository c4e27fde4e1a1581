//! What a change waits for: gathered from the board, the inventory and the places, and handed to the planner.

use std::collections::HashMap;

use crds::{ObjectKey, TargetName};
use planner::rollout::Rollout;
use planner::waiting::{self, Facts, Standing};
use planner::{Desired, Observed, Orders, Plan};

use crate::inventory::{Entry, Wanted};
use crate::observe;
use crate::operator;
use crate::reconcile::{Context, Foreseen};

/// The plan, held while other services or a window keep it waiting.
pub(crate) async fn check(
    context: &Context,
    desired: &Desired,
    observed: &Observed,
    plan: Plan,
    orders: &Orders,
) -> Plan {
    let facts = facts(context, desired, &plan).await;
    waiting::weigh(desired, observed, plan, &facts, (orders, context.clock.now()))
}

/// The plan, held while all places of its target are taken; if it rolls tasks and is not held, its place is.
pub(crate) fn take_place(
    context: &Context,
    desired: &Desired,
    observed: &Observed,
    plan: Plan,
) -> Plan {
    let key = &desired.key;
    if !waiting::needs_place(&plan) {
        context.places.leave(key);
        return plan;
    }
    match context.places.enter(key, || unseen(context, key)) {
        Ok(()) => plan,
        Err(line) => waiting::in_line(plan, &key.target, &line, (observed, context.clock.now())),
    }
}

/// Plans that were made one by one, as they are together: those wait that would find all places of their target taken.
pub(crate) fn line_up(context: &Context, planned: &mut [(ObjectKey, Result<Foreseen, String>)]) {
    let mut unread: HashMap<TargetName, usize> = HashMap::new();
    for (key, foreseen) in &*planned {
        match foreseen {
            Ok(foreseen) if foreseen.is_under_way => context.places.see(key, true),
            Ok(_) => {}
            Err(_) => *unread.entry(key.target.clone()).or_default() += 1,
        }
    }
    for (key, foreseen) in planned {
        let Ok(foreseen) = foreseen else { continue };
        if !waiting::needs_place(&foreseen.plan) {
            continue;
        }
        let unread = || unread.get(&key.target).copied().unwrap_or_default();
        if let Err(line) = context.places.enter(key, unread) {
            let plan = std::mem::replace(&mut foreseen.plan, Plan::nothing());
            // When it would be looked at again is no part of what is shown.
            let unseen = (&Observed::default(), context.clock.now());
            foreseen.plan = waiting::in_line(plan, &key.target, &line, unseen);
        }
    }
}

/// How many services of the same target have not been looked at since the start.
fn unseen(context: &Context, key: &ObjectKey) -> usize {
    let is_complete = context.inventory().is_complete();
    let keys = context.inventory().keys();
    let others = keys.iter().filter(|other| other.target == key.target && *other != key);
    let unseen = others.filter(|other| {
        let object = context.statuses.service(other);
        !object.is_some_and(|object| operator::is_looked_at(&object.status))
    });
    unseen.count() + usize::from(!is_complete)
}

async fn facts(context: &Context, desired: &Desired, plan: &Plan) -> Facts {
    if desired.depends_on.is_empty() {
        return Facts::default();
    }
    let cycle = context.inventory().cycle(&desired.key);
    let mut dependencies = Vec::new();
    if waiting::rolls_tasks(plan) {
        for key in &desired.depends_on {
            dependencies.push((key.clone(), standing(context, key).await));
        }
    }
    Facts { cycle, dependencies }
}

async fn standing(context: &Context, key: &ObjectKey) -> Standing {
    let (wanted, is_complete) = {
        let inventory = context.inventory();
        (inventory.wanted(key), inventory.is_complete())
    };
    match wanted {
        Wanted::Gone if is_complete => Standing::Missing,
        Wanted::Gone => Standing::Coming("not every source has been read yet".to_owned()),
        Wanted::Blocked { reason, message, .. } => Standing::Failed(format!("{reason}: {message}")),
        Wanted::Spec { entry, generation, invalid, doubt: _ } => {
            match context.statuses.service(key) {
                Some(object) => waiting::standing(Some(&object.status), generation),
                None => match invalid.first() {
                    Some(invalid) => Standing::Failed(invalid.to_string()),
                    None => look(context, &entry).await,
                },
            }
        }
    }
}

/// How a service stands that nobody has said anything of, as in a `plan` without an operator.
async fn look(context: &Context, entry: &Entry) -> Standing {
    let desired = &entry.desired;
    let Some(account) = context.account(&desired.key) else {
        let target = &desired.key.target;
        return Standing::Failed(format!("the configuration names no target `{target}`"));
    };
    let observed =
        match Box::pin(observe::service(account, desired, (&[], context.clock.now()))).await {
            Ok(observed) => observed,
            Err(error) => return Standing::Coming(error.to_string()),
        };
    let plan = planner::plan(desired, &observed, &Orders::default(), context.clock.now());
    match plan.holds.first() {
        Some(hold) => Standing::Failed(format!("{}: {}", hold.reason, hold.message)),
        None if plan.is_settled() && plan.rollout == Rollout::Succeeded => Standing::Ready,
        None => Standing::Coming("its newest spec is not in force yet".to_owned()),
    }
}
