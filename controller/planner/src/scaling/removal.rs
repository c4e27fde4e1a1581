//! Taking scaling away: with the block, and before a service is deleted.

use crds::ecs::Effect;
use crds::{ObjectKey, Reason};
use serde_json::{Value, json};

use super::marker::SCALING;
use super::{Call, ObservedScaling, alarm_prefix, form, inputs};
use crate::drift::FieldDrift;
use crate::observed::ObservedService;
use crate::plan::{Action, Plan};

/// Removes our alarms, then the scalable target, which takes its policies and scheduled actions along. Alarms go first:
/// while the policies are there they tell that there may be alarms.
fn take_away(key: &ObjectKey, observed: &ObservedScaling, reason: Reason) -> Vec<Action> {
    let prefix = alarm_prefix(key);
    let names: Vec<String> = observed
        .alarms
        .iter()
        .filter_map(|alarm| form::text(alarm, "AlarmName"))
        .filter(|name| name.starts_with(&prefix))
        .map(str::to_owned)
        .collect();
    let mut actions = Vec::new();
    if !names.is_empty() {
        let changes = vec![gone("scaling.step", json!(names))];
        actions.push(Action::Scaling { call: Call::DeleteAlarms { names }, reason, changes });
    }
    if observed.target.is_some() {
        let input = Value::Object(inputs::identity(key));
        let changes = vec![gone("scaling", form::observed(key, observed))];
        let call = Call::DeregisterScalableTarget { input };
        actions.push(Action::Scaling { call, reason, changes });
    }
    actions
}

/// What a spec without the block takes away from a service whose scaling is ours: all of it, and the tag that says so.
pub fn removal(
    key: &ObjectKey,
    service: &ObservedService,
    observed: Option<&ObservedScaling>,
    reason: Reason,
) -> Vec<Action> {
    let (Some(observed), Some(marker)) = (observed, service.tags.get(SCALING)) else {
        return Vec::new();
    };
    let mut actions = take_away(key, observed, reason);
    actions.push(Action::UntagResource {
        arn: service.arn.clone(),
        keys: vec![SCALING.to_owned()],
        reason,
        changes: vec![gone(&format!("service.tags[{SCALING}]"), json!(marker))],
    });
    actions
}

/// The plan that deletes a service, with its scaling taken away first: what stays behind would act on the next service of
/// this name (aws.md §5.5).
pub fn before_deletion(key: &ObjectKey, observed: &ObservedScaling, plan: Plan) -> Plan {
    let mut actions = take_away(key, observed, Reason::Pruning);
    actions.extend(plan.actions);
    Plan { actions, ..plan }
}

fn gone(path: &str, observed: Value) -> FieldDrift {
    FieldDrift {
        path: path.to_owned(),
        desired: None,
        observed: Some(observed),
        effect: Effect::InPlace,
    }
}
