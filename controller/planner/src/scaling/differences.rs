//! What differs, and the calls that remove it.

use crds::ecs::Effect;
use crds::{ObjectKey, Reason, Scaling};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::bounds::{BOUNDS, leave_to_actions};
use super::inputs::{self, PolicyKind};
use super::marker::{Marker, SCALING};
use super::{
    Call, DesiredScaling, ObservedScaling, PolicyRef, alarm_name, alarm_prefix, form, spent,
};
use crate::desired::Desired;
use crate::drift::{self, FieldDrift};
use crate::normal::Normal;
use crate::observed::ObservedService;
use crate::ownership::Tags;
use crate::plan::Action;

/// The calls that make the scaling of an existing service what the block says, and the tag that goes with them.
pub fn between(
    desired: &Desired,
    service: &ObservedService,
    observed: Option<&ObservedScaling>,
    reason: Reason,
    now: Timestamp,
) -> (Vec<Action>, Tags) {
    let (Some(wanted), Some(observed)) = (&desired.scaling, observed) else {
        return (Vec::new(), Tags::new());
    };
    let before = Marker::of(&service.tags);
    let has_other_bounds = before.as_ref().is_some_and(|marker| marker.has_other_bounds(wanted));
    let actions = calls(&desired.key, wanted, observed, has_other_bounds, now)
        .into_iter()
        .map(|(call, changes)| Action::Scaling { call, reason, changes })
        .collect::<Vec<_>>();
    let settled = Marker::settled(wanted);
    let is_drift = before.as_ref() == Some(&settled) && reason == Reason::Drifted;
    let marker = if actions.is_empty() || is_drift { settled } else { Marker::changing(before) };
    (actions, Tags::from([(SCALING.to_owned(), marker.value())]))
}

/// The calls for a service that is created in the same plan, and the tag that it is created with.
pub fn on_creation(
    desired: &Desired,
    observed: Option<&ObservedScaling>,
    reason: Reason,
    now: Timestamp,
) -> (Vec<Action>, Tags) {
    let Some(wanted) = &desired.scaling else { return (Vec::new(), Tags::new()) };
    let calls = observed.map(|observed| calls(&desired.key, wanted, observed, true, now));
    let actions = calls.into_iter().flatten().map(|(call, changes)| Action::Scaling {
        call,
        reason,
        changes,
    });
    (actions.collect(), Tags::from([(SCALING.to_owned(), Marker::changing(None).value())]))
}

/// Whether a plan would make calls because of this reading. Scheduled actions with an end are left out of the question: whether
/// they are over is a matter of time, and putting one that is there already changes nothing.
pub fn would_act(
    desired: &Desired,
    service: Option<&ObservedService>,
    observed: &ObservedScaling,
) -> bool {
    let Some(wanted) = &desired.scaling else { return true };
    let marker = service.and_then(|service| Marker::of(&service.tags));
    let has_other_bounds = marker.is_some_and(|marker| marker.has_other_bounds(wanted));
    !calls(&desired.key, wanted, observed, has_other_bounds, Timestamp::MAX).is_empty()
}

/// Each call with what it changes: first what goes, then the target, then what comes.
fn calls(
    key: &ObjectKey,
    wanted: &DesiredScaling,
    observed: &ObservedScaling,
    has_other_bounds: bool,
    now: Timestamp,
) -> Vec<(Call, Vec<FieldDrift>)> {
    let there = form::observed(key, observed);
    // A target that does not exist has nothing that could be left alone.
    let ignore = if observed.target.is_some() { wanted.ignore.as_slice() } else { &[] };
    let mut block = drift::apply_ignore(Scaling::SHAPE, &wanted.block, &there, ignore);
    spent::remove(&mut block, &there, now);
    if !has_other_bounds {
        leave_to_actions(&mut block, &there);
    }
    let normal = |block: &Value| Normal::by_table(Scaling::SHAPE, block);
    let mut changes = drift::compare(Scaling::SHAPE, &normal(&block), &normal(&there), ignore);
    changes.extend(unlinked_alarms(key, &block, observed));
    let difference = Difference { key, block: &block, there: &there, observed, changes };
    let mut calls = difference.deletions();
    calls.extend(difference.registration());
    for kind in PolicyKind::ALL {
        calls.extend(difference.policies(kind));
    }
    calls.extend(difference.scheduled());
    calls
}

/// What differs between the block and what is there.
struct Difference<'a> {
    key: &'a ObjectKey,
    block: &'a Value,
    there: &'a Value,
    observed: &'a ObservedScaling,
    changes: Vec<FieldDrift>,
}

impl Difference<'_> {
    /// The changes at a place and below it.
    fn at(&self, place: &str) -> Vec<FieldDrift> {
        let is_below = |path: &str| {
            path.strip_prefix(place)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let changes = self.changes.iter().filter(|change| is_below(&change.path));
        changes
            .map(|change| FieldDrift { path: format!("scaling.{}", change.path), ..change.clone() })
            .collect()
    }

    /// Elements of a list of the block that AWS has and the spec does not name.
    fn surplus(&self, list: &str) -> Vec<(String, Vec<FieldDrift>)> {
        form::list(self.there, list)
            .filter_map(|element| form::text(element, "name"))
            .filter(|name| !names(self.block, list).any(|wanted| wanted == *name))
            .map(|name| (name.to_owned(), self.at(&format!("{list}[{name}]"))))
            .filter(|(_, changes)| !changes.is_empty())
            .collect()
    }

    fn deletions(&self) -> Vec<(Call, Vec<FieldDrift>)> {
        let mut calls: Vec<_> = self.surplus_alarms().into_iter().collect();
        for kind in PolicyKind::ALL {
            for (name, changes) in self.surplus(kind.member()) {
                let input = inputs::delete_policy(self.key, &name);
                calls.push((Call::DeleteScalingPolicy { input }, changes));
            }
        }
        for (name, changes) in self.surplus("scheduled") {
            let input = inputs::delete_scheduled(self.key, &name);
            calls.push((Call::DeleteScheduledAction { input }, changes));
        }
        calls
    }

    /// Alarms of ours whose policies the spec does not name.
    fn surplus_alarms(&self) -> Option<(Call, Vec<FieldDrift>)> {
        let prefix = alarm_prefix(self.key);
        let surplus: Vec<&str> = self
            .observed
            .alarms
            .iter()
            .filter_map(|alarm| form::text(alarm, "AlarmName")?.strip_prefix(&prefix))
            .filter(|policy| !names(self.block, "step").any(|wanted| wanted == *policy))
            .collect();
        let changes = surplus.iter().map(|policy| FieldDrift {
            path: format!("scaling.step[{policy}].alarm"),
            desired: None,
            observed: Some(json!(alarm_name(self.key, policy))),
            effect: Effect::InPlace,
        });
        let names = surplus.iter().map(|policy| alarm_name(self.key, policy)).collect();
        (!surplus.is_empty()).then(|| (Call::DeleteAlarms { names }, changes.collect()))
    }

    fn registration(&self) -> Option<(Call, Vec<FieldDrift>)> {
        let mut changes = Vec::new();
        let mut members = Vec::new();
        for name in BOUNDS.into_iter().chain(["suspended"]) {
            let found = self.at(name);
            if !found.is_empty() || self.observed.target.is_none() {
                members.push(name);
            }
            changes.extend(found);
        }
        if members.is_empty() {
            return None;
        }
        let input = inputs::register(self.key, self.block, &members);
        Some((Call::RegisterScalableTarget { input }, changes))
    }

    fn policies(&self, kind: PolicyKind) -> Vec<(Call, Vec<FieldDrift>)> {
        let mut calls = Vec::new();
        for element in form::list(self.block, kind.member()) {
            let name = form::text(element, "name").unwrap_or_default();
            let place = format!("{}[{name}]", kind.member());
            let in_alarm = format!("scaling.{place}.alarm");
            let (alarm, policy): (Vec<_>, Vec<_>) =
                self.at(&place).into_iter().partition(|change| change.path.starts_with(&in_alarm));
            let existing = self.policy_arn(kind, name);
            let is_put = !policy.is_empty();
            if is_put {
                let input = inputs::policy(self.key, kind, element);
                calls.push((Call::PutScalingPolicy { input }, policy.clone()));
            }
            let is_new = existing.is_none() && is_put;
            if kind == PolicyKind::Step && (is_new || !alarm.is_empty()) {
                let input = inputs::alarm(self.key, element);
                let reference = existing.map_or(PolicyRef::Put, PolicyRef::Existing);
                let changes = if alarm.is_empty() { policy } else { alarm };
                calls.push((Call::PutMetricAlarm { input, policy: reference }, changes));
            }
        }
        calls
    }

    /// The ARN of a policy that is there and of this kind.
    fn policy_arn(&self, kind: PolicyKind, name: &str) -> Option<String> {
        names(self.there, kind.member()).find(|there| *there == name)?;
        arn_of(self.observed, name)
    }

    fn scheduled(&self) -> Vec<(Call, Vec<FieldDrift>)> {
        form::list(self.block, "scheduled")
            .filter_map(|element| {
                let name = form::text(element, "name")?;
                let changes = self.at(&format!("scheduled[{name}]"));
                let input = inputs::scheduled(self.key, element);
                (!changes.is_empty()).then_some((Call::PutScheduledAction { input }, changes))
            })
            .collect()
    }
}

fn names<'a>(block: &'a Value, list: &str) -> impl Iterator<Item = &'a str> {
    form::list(block, list).filter_map(|element| form::text(element, "name"))
}

fn arn_of(observed: &ObservedScaling, name: &str) -> Option<String> {
    let mut policies = observed.policies.iter();
    let policy = policies.find(|policy| form::text(policy, "PolicyName") == Some(name))?;
    form::text(policy, "PolicyARN").map(str::to_owned)
}

/// Alarms of ours that do not start their policy any more.
fn unlinked_alarms(key: &ObjectKey, block: &Value, observed: &ObservedScaling) -> Vec<FieldDrift> {
    let unlinked = names(block, "step").filter_map(|name| {
        let arn = arn_of(observed, name)?;
        let actions = form::alarm_of(key, observed, name)?.get("AlarmActions");
        let is_linked = actions
            .and_then(Value::as_array)
            .is_some_and(|actions| actions.iter().any(|action| action.as_str() == Some(&arn)));
        (!is_linked).then(|| FieldDrift {
            path: format!("step[{name}].alarm.alarmActions"),
            desired: Some(json!([arn])),
            observed: actions.cloned(),
            effect: Effect::InPlace,
        })
    });
    unlinked.collect()
}
