//! Where a rollout waits, and whether that is a gate of ours.
//!
//! ECS names a waiting hook by an id that says nothing of who asked for it, so a gate is known by its stage: the offline
//! rules keep a spec from having a pause of its own where it has a gate, and the tag [`GATES`] keeps the stages after the
//! spec has dropped them.

use std::collections::BTreeSet;

use crds::GateStage;
use serde_json::{Value, json};

use super::Gate;
use crate::desired::Desired;
use crate::observed::{ObservedService, ServiceDeployment, WaitingHook};
use crate::ownership::{GATES, Tags};
use crate::rollout;

/// A gate of ours at which a rollout waits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pause<'a> {
    /// ECS's record of the rollout.
    pub record: &'a ServiceDeployment,
    /// The hook.
    pub hook: &'a WaitingHook,
    /// The stage.
    pub stage: GateStage,
    /// What the gate waits for: nothing where the spec has dropped it.
    pub gate: Gate,
}

/// The gate of ours at which a rollout waits, if it waits at one.
pub fn at_pause<'a>(
    desired: &Desired,
    service: &ObservedService,
    record: &'a ServiceDeployment,
) -> Option<Pause<'a>> {
    if !rollout::is_open(record) {
        return None;
    }
    let hook = record.waiting.first()?;
    let stage = stage_of_pause(record)?;
    let gates = &desired.gates;
    let is_ours = gates.at.contains_key(&stage) || tagged(&service.tags).contains(&stage);
    if !is_ours || pauses_of_spec(desired).contains(&stage) {
        return None;
    }
    Some(Pause { record, hook, stage, gate: gates.at.get(&stage).copied().unwrap_or_default() })
}

/// A deployment configuration's hooks without the one that is ours, by the service's tag; `None` where none is.
pub fn hooks_without_ours(configuration: &Value, tags: &Tags) -> Option<Value> {
    let ours = tagged(tags);
    if ours.is_empty() {
        return None;
    }
    let hooks = configuration.get("lifecycleHooks")?.as_array()?;
    let (own, others): (Vec<&Value>, Vec<&Value>) = hooks
        .iter()
        .partition(|hook| is_pause(hook) && stages(hook).collect::<BTreeSet<_>>() == ours);
    (!own.is_empty()).then(|| json!(others))
}

/// At which stage a waiting pause stands. Where ECS names none at which a pause can stand, it is the one that its answers
/// do not know (aws.md §3.8).
fn stage_of_pause(record: &ServiceDeployment) -> Option<GateStage> {
    match record.stage.as_deref() {
        Some("RECONCILE_SERVICE") => None,
        Some(stage) => {
            Some(GateStage::from_text(stage).unwrap_or(GateStage::PreProductionTrafficShift))
        }
        None => Some(GateStage::PreProductionTrafficShift),
    }
}

fn tagged(tags: &Tags) -> BTreeSet<GateStage> {
    let stages = tags.get(GATES).map(String::as_str).unwrap_or_default();
    stages.split(' ').filter_map(GateStage::from_text).collect()
}

/// The stages at which the spec has pauses of its own.
fn pauses_of_spec(desired: &Desired) -> BTreeSet<GateStage> {
    paused_stages(&desired.service.input, Some(&desired.gates.hook()))
}

/// The stages at which a block for ECS has pauses, this one left out.
pub(super) fn paused_stages(service: &Value, but: Option<&Value>) -> BTreeSet<GateStage> {
    let hooks = service.pointer("/deploymentConfiguration/lifecycleHooks");
    let hooks = hooks.and_then(Value::as_array).into_iter().flatten();
    hooks.filter(|hook| is_pause(hook) && Some(*hook) != but).flat_map(stages).collect()
}

fn is_pause(hook: &Value) -> bool {
    hook.get("targetType").and_then(Value::as_str) == Some("PAUSE")
}

fn stages(hook: &Value) -> impl Iterator<Item = GateStage> {
    let stages = hook.get("lifecycleStages").and_then(Value::as_array).into_iter().flatten();
    stages.filter_map(|stage| GateStage::from_text(stage.as_str()?))
}
