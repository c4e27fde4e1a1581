//! Gates: where a rollout may wait for Longshore, beside the hooks that the spec has itself.

use crds::ecs::deployment::{HookTargetType, LifecycleStage};
use crds::{GateStage, Rollout};

use crate::gate::AT_WINDOWS;

use super::deployment::{controller, is_rolling, strategy};
use super::finding::{Finding, error, warning};
use super::hook::MAX_HOOKS;
use super::subject::Subject;
use super::words::each;

const ROLLOUT: &str = "spec.rollout";
/// How long ECS lets a pause wait, in seconds (aws.md §2.10).
const TIMEOUT: std::ops::RangeInclusive<u64> = 60..=20_160 * 60;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(rollout) = &subject.object.spec.rollout else { return };
    timeout(rollout, found);
    approval(subject, rollout, found);
    let by_ecs = controller(subject) == crds::ecs::deployment::DeploymentControllerType::Ecs;
    if is_rolling(subject) || !by_ecs {
        return;
    }
    let gates = gates(rollout);
    for (path, stage) in &gates {
        beside_own(subject, path, *stage, found);
    }
    // Checks without a stage stand only where the spec has no pause, and nobody asks for those stages by name.
    let checks = format!("{ROLLOUT}.checks");
    let by_default = rollout.checks.iter().any(|check| check.at.is_empty());
    let first = gates.first().map(|(path, _)| path.split('[').next().unwrap_or(path));
    if let Some(path) = first.or_else(|| by_default.then_some(checks.as_str())) {
        count(subject, path, found);
    }
}

/// Every gate that a spec asks for, by where it does.
fn gates(rollout: &Rollout) -> Vec<(String, GateStage)> {
    let mut gates = Vec::new();
    if let Some(approval) = rollout.approval.as_ref().filter(|approval| approval.required) {
        let at = format!("{ROLLOUT}.approval");
        gates.extend(each(&at, "at", Some(&approval.at)).map(|(path, stage)| (path, *stage)));
    }
    for (path, check) in each(ROLLOUT, "checks", Some(&rollout.checks)) {
        gates.extend(each(&path, "at", Some(&check.at)).map(|(path, stage)| (path, *stage)));
    }
    if !rollout.windows.is_empty() {
        gates.push((format!("{ROLLOUT}.windows"), AT_WINDOWS));
    }
    gates
}

fn approval(subject: &Subject<'_>, rollout: &Rollout, found: &mut Vec<Finding>) {
    let Some(approval) = rollout.approval.as_ref().filter(|approval| !approval.at.is_empty())
    else {
        return;
    };
    let at = format!("{ROLLOUT}.approval.at");
    if !approval.required {
        found.push(
            warning(at, "names stages, and no approval is required").hint("set `required: true`"),
        );
    } else if is_rolling(subject) {
        found.push(
            warning(
                at,
                format!(
                    "names stages, and `{}` has none: the approval is waited for before anything is sent",
                    strategy(subject)
                ),
            )
            .hint("use strategy `BLUE_GREEN`, `LINEAR` or `CANARY`"),
        );
    }
}

fn timeout(rollout: &Rollout, found: &mut Vec<Finding>) {
    let Some(timeout) = rollout.gate_timeout else { return };
    let seconds = timeout.get().as_secs();
    if !TIMEOUT.contains(&seconds) || seconds % 60 != 0 {
        found.push(
            error(
                format!("{ROLLOUT}.gateTimeout"),
                format!("`{timeout}` is not a number of minutes from 1 minute to 14 days"),
            )
            .hint("write it as `30m`, `24h` or `336h`"),
        );
    }
}

/// ECS does not say which of two pauses at a stage waits.
fn beside_own(subject: &Subject<'_>, path: &str, stage: GateStage, found: &mut Vec<Finding>) {
    let stands_there = |one: &LifecycleStage| one.to_string() == stage.as_str();
    let taken = pauses(subject).any(|stages| stages.iter().any(stands_there));
    if taken {
        found.push(
            error(
                path,
                format!("`{stage}` has a hook of type `PAUSE` of the spec's own, and ECS does not say which of two waits"),
            )
            .hint("take the hook out of lifecycleHooks, or name another stage"),
        );
    }
}

fn count(subject: &Subject<'_>, at: &str, found: &mut Vec<Finding>) {
    let own = pauses(subject).count();
    if own >= MAX_HOOKS {
        found.push(error(
            at,
            format!("needs a hook of type `PAUSE`, and the spec has `{own}`; a service takes {MAX_HOOKS}"),
        ));
    }
}

/// The stages of each pause that the spec has itself.
fn pauses<'a>(subject: &'a Subject<'_>) -> impl Iterator<Item = &'a [LifecycleStage]> {
    let configuration = subject.service.deployment_configuration.as_ref();
    let hooks = configuration.and_then(|configuration| configuration.lifecycle_hooks.as_deref());
    hooks
        .unwrap_or_default()
        .iter()
        .filter(|hook| hook.target_type == Some(HookTargetType::Pause))
        .map(|hook| hook.lifecycle_stages.as_deref().unwrap_or_default())
}
