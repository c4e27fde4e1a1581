//! A new version of a secret replaces the tasks, where the spec asks for it.
//!
//! Tasks read secrets once, when they start (aws.md §4.4). What the running deployment was started with is written down in a
//! tag of the service, as a short hash of the versions. The tag is set after the rollout was asked for; a process that dies
//! between the two calls leaves a deployment that is younger than the change, which is proof enough (ADR 0014).

use std::time::Duration;

use crds::Reason;
use crds::ecs::Effect;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Action, Hold, Plan, ROLLOUT_POLL, Requeue};
use crate::desired::Desired;
use crate::drift::FieldDrift;
use crate::observed::{Observed, ObservedService};
use crate::orders::Orders;
use crate::ownership::{SECRETS, Tags};
use crate::preflight::{self, SecretVersion};

/// How long secrets must have been left alone: several that change together replace the tasks once.
const QUIET: SignedDuration = SignedDuration::from_secs(30);

/// Before a hash that was seen and not rolled out: tasks may have read other versions, and nobody asked to replace them.
const SEEN: &str = "seen-";

/// Whether ECS's records of rollouts matter: versions differ from those that the service says it was started with, or they
/// are the same but its deployment is older than they are, so that the reload was rolled back.
pub(super) fn needs_records(
    desired: &Desired,
    observed: &Observed,
    service: &ObservedService,
) -> bool {
    let Some(versions) = observed.secrets.as_deref() else { return false };
    let is_rolled = desired.reload_on_secret_change
        && service.tags.get(SECRETS) == Some(&preflight::hash(versions));
    let began = service.primary().and_then(|primary| primary.created_at);
    let newest = began.zip(newest_change(versions));
    let is_older = newest.is_some_and(|(began, changed)| began < changed);
    pending(desired, observed, service).is_some() || is_rolled && is_older
}

/// The versions and their hash, where the service's tag says another one.
fn pending<'a>(
    desired: &Desired,
    observed: &'a Observed,
    service: &ObservedService,
) -> Option<(&'a [SecretVersion], String)> {
    let versions = observed.secrets.as_deref().filter(|versions| !versions.is_empty())?;
    let hash = preflight::hash(versions);
    let known = service.tags.get(SECRETS).map(|tag| tag.strip_prefix(SEEN).unwrap_or(tag));
    let differs = known != Some(hash.as_str());
    (desired.reload_on_secret_change && differs).then_some((versions, hash))
}

/// The plan, with what a changed secret adds to it. A plan that is held stays as it is: the change waits with the rest. What
/// holds everything holds the plan already; what holds a spec says it only where something differs.
pub(super) fn add(
    plan: Plan,
    desired: &Desired,
    observed: &Observed,
    service: &ObservedService,
    (orders, now): (&Orders, Timestamp),
) -> Plan {
    let Some((versions, hash)) = pending(desired, observed, service) else { return plan };
    if !plan.holds.is_empty() {
        return plan;
    }
    let is_first_sight = !service.tags.contains_key(SECRETS);
    let changed_at = newest_change(versions);
    let is_known = is_first_sight
        || plan.actions.iter().any(Action::replaces_tasks)
        || is_read(observed, service, changed_at);
    let policy = orders.spec_hold(desired, true, now);
    if is_known {
        // Bookkeeping alone: where a person decides about changes it can wait for the next one.
        if policy.is_some() {
            return plan;
        }
        let is_only_seen = is_first_sight && !plan.actions.iter().any(Action::replaces_tasks);
        let hash = if is_only_seen { format!("{SEEN}{hash}") } else { hash };
        return record(plan, service, hash, Reason::TagsChanged);
    }
    if let Some(left) = left_of_quiet(changed_at, now) {
        return Plan { requeue: plan.requeue.at_most(left), ..plan };
    }
    let plan = roll(plan, desired, service, &hash);
    let plan = record(plan, service, hash, Reason::SecretsChanged);
    match policy {
        None => plan,
        Some(hold) => withhold(plan, hold),
    }
}

fn newest_change(versions: &[SecretVersion]) -> Option<Timestamp> {
    let times: Option<Vec<Timestamp>> = versions.iter().map(|version| version.changed_at).collect();
    times.and_then(|times| times.into_iter().max())
}

/// Whether a deployment began after the last change: then its tasks have read the new versions.
fn is_read(observed: &Observed, service: &ObservedService, changed_at: Option<Timestamp>) -> bool {
    let primary = service.primary().and_then(|primary| primary.created_at);
    let records = observed.deployments.iter().flatten().filter_map(|record| record.created_at);
    let newest = primary.into_iter().chain(records).max();
    newest.zip(changed_at).is_some_and(|(began, changed)| began > changed)
}

fn left_of_quiet(changed_at: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
    let left = QUIET - now.duration_since(changed_at?);
    Duration::try_from(left).ok().filter(|left| !left.is_zero())
}

/// Forces a deployment, in the call that the plan makes anyway or in one of its own.
fn roll(mut plan: Plan, desired: &Desired, service: &ObservedService, hash: &str) -> Plan {
    let change = FieldDrift {
        path: format!("service.tags[{SECRETS}]"),
        desired: Some(json!(hash)),
        observed: service.tags.get(SECRETS).map(|hash| json!(hash)),
        effect: Effect::RollsTasks,
    };
    let update = plan.actions.iter_mut().find_map(|action| {
        let Action::UpdateService { input, changes, .. } = action else { return None };
        Some((input, changes))
    });
    if let Some((input, changes)) = update {
        if let Some(members) = input.as_object_mut() {
            members.insert("forceNewDeployment".to_owned(), Value::Bool(true));
        }
        changes.push(change);
    } else {
        let (cluster, name) = (&desired.key.cluster, &desired.key.name);
        let update = Action::UpdateService {
            input: json!({ "cluster": cluster, "service": name, "forceNewDeployment": true }),
            task_definition: None,
            reason: Reason::SecretsChanged,
            changes: vec![change],
        };
        plan.actions.insert(0, update);
    }
    plan.requeue = Requeue::After(ROLLOUT_POLL);
    plan
}

/// Writes down what the deployment was started with, after everything else.
fn record(mut plan: Plan, service: &ObservedService, hash: String, reason: Reason) -> Plan {
    let change = FieldDrift {
        path: format!("service.tags[{SECRETS}]"),
        desired: Some(json!(hash)),
        observed: service.tags.get(SECRETS).map(|hash| json!(hash)),
        effect: Effect::InPlace,
    };
    let tagging = plan.actions.iter_mut().find_map(|action| {
        let Action::TagResource { tags, changes, .. } = action else { return None };
        Some((tags, changes))
    });
    if let Some((tags, changes)) = tagging {
        tags.insert(SECRETS.to_owned(), hash);
        changes.push(change);
    } else {
        plan.actions.push(Action::TagResource {
            arn: service.arn.clone(),
            tags: Tags::from([(SECRETS.to_owned(), hash)]),
            reason,
            changes: vec![change],
        });
    }
    plan.requeue = plan.requeue.at_most(ROLLOUT_POLL);
    plan
}

fn withhold(plan: Plan, hold: Hold) -> Plan {
    Plan {
        withheld: plan.actions,
        actions: Vec::new(),
        holds: vec![hold],
        requeue: Requeue::OnChange,
        ..plan
    }
}
