//! Settings that DescribeServices does not show: `gatewayConnectors` and `monitoring` (aws.md §2.6).
//!
//! Service revisions show them, but AWS does not say whether changing them makes a new revision (aws.md §2.4). A revision may
//! thus show the old value for ever, and acting on that would send the same change at every pass, perhaps with a rollout each
//! time. So they are compared while the spec is being carried out, and left alone once the service carries its hash.

use crds::ecs::{Absent, Effect, Member, ServiceDefinition};

use super::differences::is_attempted;
use crate::desired::Desired;
use crate::drift::FieldDrift;
use crate::normal;
use crate::observed::ObservedService;

/// Takes out what this very spec cannot change any more, and adds what was not shown and has to go along.
pub(super) fn settle(desired: &Desired, service: &ObservedService, drift: &mut Vec<FieldDrift>) {
    if is_attempted(desired, service) {
        drift.retain(|drift| !normal::is_unlisted(top(&drift.path)));
        return;
    }
    let unshown = ServiceDefinition::SHAPE
        .members
        .iter()
        .filter(|member| member.absent == Absent::InputOnly && !is_ignored(desired, member));
    drift.extend(unshown.filter_map(|member| unshown_drift(desired, service, member)));
}

/// A member that the spec has and that was not shown.
fn unshown_drift(
    desired: &Desired,
    service: &ObservedService,
    member: &Member,
) -> Option<FieldDrift> {
    let wanted = normal::present(Some(desired.service.normal.value()), member.name)?;
    if normal::present(Some(service.normal.value()), member.name).is_some() {
        return None;
    }
    Some(FieldDrift {
        path: member.name.to_owned(),
        desired: Some(normal::wire_value(member.kind, wanted)),
        observed: None,
        effect: member.effect.unwrap_or(Effect::RollsTasks),
    })
}

fn is_ignored(desired: &Desired, member: &Member) -> bool {
    desired.service.ignore.iter().any(|pointer| pointer.get(1..) == Some(member.name))
}

/// The member of the block that a path leads into.
fn top(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}
