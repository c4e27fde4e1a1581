//! Where a rollout has got: its stage, its traffic, what it waits for.

use crds::{RolloutStatus, TrafficWeights, WaitingStatus};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Turn;
use crate::gate;
use crate::observed::{ObservedService, ServiceDeployment};
use crate::rollout;

/// The stage in which old and new tasks run side by side after all traffic has moved.
const BAKING: &str = "BAKE_TIME";

/// What is said of the rollout that is under way, or of the last one.
pub(super) fn status(turn: &Turn<'_>) -> Option<RolloutStatus> {
    let service = turn.observed.service.as_ref()?;
    let primary = service.primary()?;
    let record = record(turn, service);
    let stage = record
        .and_then(|record| record.stage.clone())
        .or_else(|| primary.rollout_state.clone())
        .unwrap_or_else(|| {
            if rollout::is_moving(service) { "IN_PROGRESS".into() } else { "COMPLETED".into() }
        });
    let strategy = service.raw.pointer("/deploymentConfiguration/strategy");
    let strategy = strategy.and_then(Value::as_str).unwrap_or("ROLLING").to_owned();
    let stage_since = since(turn, &primary.id, &stage);
    Some(RolloutStatus {
        id: primary.id.clone(),
        strategy,
        running: primary.running,
        desired: service.desired_count,
        pending: primary.pending,
        failed: primary.failed,
        started_at: primary.created_at,
        reason: primary.rollout_reason.clone(),
        traffic_weights: record.and_then(weights),
        stage_since: Some(stage_since),
        bake_until: (stage == BAKING)
            .then(|| stage_since.checked_add(bake(&stage, service)).ok())
            .flatten(),
        waiting: record.map(|record| waiting(turn, service, record)).unwrap_or_default(),
        checks: turn.plan.checks.as_ref().map(|judged| judged.statuses.clone()).unwrap_or_default(),
        stage,
    })
}

/// For how long a rollout has not come on; `None` while it waits for somebody. A rolling one is measured from its beginning,
/// one with stages from that of its stage, whose bake time is not counted.
pub(super) fn without_progress(
    turn: &Turn<'_>,
    service: &ObservedService,
) -> Option<SignedDuration> {
    let primary = service.primary()?;
    if !gate::has_stages(&service.raw) {
        return primary.created_at.map(|began| turn.now.duration_since(began));
    }
    let record = record(turn, service)?;
    if !record.waiting.is_empty() {
        return None;
    }
    let stage = record.stage.as_deref()?;
    let since = since(turn, &primary.id, stage);
    Some(turn.now.duration_since(since).saturating_sub(bake(stage, service)))
}

fn record<'a>(turn: &Turn<'a>, service: &ObservedService) -> Option<&'a ServiceDeployment> {
    let number = service.primary()?.revision_number();
    let mut records = turn.observed.deployments.iter().flatten();
    records.find(|record| record.target_revision == number)
}

/// When the stage was first seen.
fn since(turn: &Turn<'_>, id: &str, stage: &str) -> Timestamp {
    let before = turn.previous.and_then(|previous| previous.rollout.as_ref());
    before
        .filter(|before| before.id == id && before.stage == stage)
        .and_then(|before| before.stage_since)
        .unwrap_or(turn.now)
}

/// How long a stage does nothing but watch (aws.md §3.8).
fn bake(stage: &str, service: &ObservedService) -> SignedDuration {
    let configured = |member: &str| {
        let pointer = format!("/deploymentConfiguration/{member}");
        service.raw.pointer(&pointer).and_then(Value::as_i64).unwrap_or(0)
    };
    let minutes = match stage {
        BAKING => configured("bakeTimeInMinutes"),
        "PRODUCTION_TRAFFIC_SHIFT" => configured("canaryConfiguration/canaryBakeTimeInMinutes")
            .max(configured("linearConfiguration/stepBakeTimeInMinutes")),
        _ => 0,
    };
    SignedDuration::from_mins(minutes)
}

fn weights(record: &ServiceDeployment) -> Option<TrafficWeights> {
    match record.weights {
        (None, None) => None,
        (production, test) => Some(TrafficWeights { production, test }),
    }
}

fn waiting(
    turn: &Turn<'_>,
    service: &ObservedService,
    record: &ServiceDeployment,
) -> Vec<WaitingStatus> {
    let gate = gate::at_pause(turn.desired, service, record);
    record
        .waiting
        .iter()
        .map(|hook| WaitingStatus {
            hook_id: hook.id.clone(),
            is_gate: gate.is_some_and(|gate| gate.hook.id == hook.id),
            stage: record.stage.clone(),
            since: hook.since,
            expires_at: hook.expires_at,
        })
        .collect()
}
