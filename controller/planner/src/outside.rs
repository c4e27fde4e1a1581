//! Calls to AWS that somebody else made, as CloudTrail tells them, and which of them is behind a difference.
//!
//! What comes in: a plan, and the calls that were told about its service. What leaves: the one call that explains a
//! difference, or nothing. A call never causes anything: differences are found by comparing, with or without it.

use std::collections::BTreeSet;
use std::fmt;

use crds::{Reason, ServiceStatus, shown};
use jiff::Timestamp;

use crate::plan::{Action, Plan};

/// A call that changed something, by somebody else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutsideCall {
    /// CloudTrail's id of the event; an event can be told more than once.
    pub id: String,
    /// When AWS took the call.
    pub time: Timestamp,
    /// AWS's name of the operation, `UpdateService`.
    pub operation: String,
    /// What it set: members of the call's input, or keys of tags.
    pub members: BTreeSet<String>,
    /// Who made it: the ARN of the user or role session, or else what CloudTrail says of the caller.
    pub actor: String,
    /// What it was made with, `aws-cli/2.15.30` or `the console`.
    pub tool: Option<String>,
}

impl fmt::Display for OutsideCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<&str> = self.members.iter().map(String::as_str).collect();
        let of = if members.is_empty() { "" } else { " of " };
        let tool = self.tool.as_ref().map_or(String::new(), |tool| format!(" with {tool}"));
        // Keys of tags are long where somebody wants them to be.
        let (operation, members) = (&self.operation, shown(&members.join(", ")));
        let time = self.time.strftime("%Y-%m-%dT%H:%M:%SZ");
        write!(f, "{operation}{of}{members} by {} at {time}{tool}", self.actor)
    }
}

/// The newest call that explains one of the plan's differences; `None` where none does, and then nobody is named.
pub fn behind<'a>(plan: &Plan, calls: &'a [OutsideCall]) -> Option<&'a OutsideCall> {
    let actions: Vec<&Action> = plan
        .actions
        .iter()
        .chain(&plan.withheld)
        .filter(|action| matches!(action.reason(), Reason::Drifted | Reason::ServiceMissing))
        .collect();
    calls
        .iter()
        .filter(|call| actions.iter().any(|action| undoes(action, call)))
        .max_by_key(|call| call.time)
}

/// Whether an action takes back what a call did.
fn undoes(action: &Action, call: &OutsideCall) -> bool {
    match action {
        Action::CreateService { .. } => call.operation == "DeleteService",
        Action::UpdateService { changes, .. } => {
            call.operation == "UpdateService"
                && changes.iter().any(|change| {
                    member(&change.path).is_some_and(|member| call.members.contains(member))
                })
        }
        Action::TagResource { changes, .. } | Action::UntagResource { changes, .. } => {
            matches!(call.operation.as_str(), "TagResource" | "UntagResource")
                && changes
                    .iter()
                    .any(|change| tag(&change.path).is_some_and(|key| call.members.contains(key)))
        }
        Action::Scaling { call: ours, .. } => match part_of_scaling(&call.operation) {
            // Policies and scheduled actions go with their target.
            Some(Part::Target) if call.operation == "DeregisterScalableTarget" => true,
            Some(part) => part_of_scaling(ours.operation()) == Some(part),
            None => false,
        },
        Action::RegisterTaskDefinition { .. }
        | Action::RunTask { .. }
        | Action::StopTask { .. }
        | Action::StopServiceDeployment { .. }
        | Action::ContinueServiceDeployment { .. }
        | Action::DeleteService { .. } => false,
    }
}

/// `desiredCount` out of `service.desiredCount`, `loadBalancers` out of `service.loadBalancers[0].containerPort`.
fn member(path: &str) -> Option<&str> {
    path.strip_prefix("service.")?.split(['.', '[']).next()
}

/// The key out of `service.tags[key]`.
fn tag(path: &str) -> Option<&str> {
    path.strip_prefix("service.tags[")?.strip_suffix(']')
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Target,
    Policies,
    Schedule,
}

fn part_of_scaling(operation: &str) -> Option<Part> {
    match operation {
        "RegisterScalableTarget" | "DeregisterScalableTarget" => Some(Part::Target),
        "PutScalingPolicy" | "DeleteScalingPolicy" => Some(Part::Policies),
        "PutScheduledAction" | "DeleteScheduledAction" => Some(Part::Schedule),
        _ => None,
    }
}

/// The status with who is behind the difference that it tells of.
pub fn named(mut status: ServiceStatus, call: &OutsideCall) -> ServiceStatus {
    let tells =
        |reason| matches!(reason, Reason::Drifted | Reason::SelfHealOff | Reason::ServiceMissing);
    for condition in status.conditions.iter_mut().filter(|condition| tells(condition.reason)) {
        condition.message = format!("{} ({call})", condition.message);
    }
    for hold in status.holds.iter_mut().filter(|hold| tells(hold.reason)) {
        hold.message = format!("{} ({call})", hold.message);
    }
    status
}

#[cfg(test)]
mod tests {
    use crds::ecs::Effect;
    use serde_json::Value;

    use super::*;
    use crate::drift::FieldDrift;
    use crate::plan::TaskDefinitionRef;

    fn call(operation: &str, members: &[&str], second: i64) -> OutsideCall {
        OutsideCall {
            id: format!("{operation}-{second}"),
            time: Timestamp::from_second(1_772_323_200 + second).unwrap(),
            operation: operation.to_owned(),
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            actor: "arn:aws:sts::111122223333:assumed-role/Admin/ada".to_owned(),
            tool: Some("the console".to_owned()),
        }
    }

    fn drift(path: &str) -> Vec<FieldDrift> {
        let (desired, observed) = (None, None);
        vec![FieldDrift { path: path.to_owned(), desired, observed, effect: Effect::InPlace }]
    }

    fn update(path: &str, reason: Reason) -> Plan {
        let (input, task_definition) = (Value::Null, None);
        let action = Action::UpdateService { input, task_definition, reason, changes: drift(path) };
        Plan { actions: vec![action], ..Plan::nothing() }
    }

    #[test]
    fn a_call_says_what_it_was_who_made_it_when_and_with_what() {
        assert_eq!(
            call("UpdateService", &["taskDefinition", "desiredCount"], 61).to_string(),
            "UpdateService of desiredCount, taskDefinition by arn:aws:sts::111122223333:assumed-role/Admin/ada \
             at 2026-03-01T00:01:01Z with the console"
        );
        let unknown = OutsideCall { tool: None, ..call("DeleteService", &[], 0) };
        assert!(unknown.to_string().ends_with("ada at 2026-03-01T00:00:00Z"), "{unknown}");
    }

    #[test]
    fn only_a_call_that_set_the_member_is_behind_its_difference() {
        let plan = update("service.desiredCount", Reason::Drifted);
        let (other, first, last) = (
            call("UpdateService", &["enableExecuteCommand"], 30),
            call("UpdateService", &["desiredCount"], 10),
            call("UpdateService", &["desiredCount", "enableExecuteCommand"], 20),
        );
        assert_eq!(behind(&plan, std::slice::from_ref(&other)), None);
        let calls = [other, first, last.clone()];
        assert_eq!(behind(&plan, &calls), Some(&last), "the newest of those that did");
        assert_eq!(behind(&plan, &[call("DeleteService", &[], 40)]), None);
        let deep = update("service.loadBalancers[0].containerPort", Reason::Drifted);
        let balancers = call("UpdateService", &["loadBalancers"], 1);
        assert_eq!(behind(&deep, std::slice::from_ref(&balancers)), Some(&balancers));
    }

    #[test]
    fn what_the_spec_changes_is_nobodys_drift() {
        let calls = [call("UpdateService", &["desiredCount"], 10)];
        let plan = update("service.desiredCount", Reason::SpecChanged);
        assert_eq!(behind(&plan, &calls), None);
        assert_eq!(behind(&Plan::nothing(), &calls), None);
    }

    #[test]
    fn a_withheld_action_tells_of_a_difference_as_well() {
        let calls = [call("UpdateService", &["desiredCount"], 10)];
        let plan = update("service.desiredCount", Reason::Drifted)
            .withhold(Reason::SelfHealOff, "`sync.selfHeal` is off");
        assert_eq!(behind(&plan, &calls), Some(&calls[0]));
    }

    #[test]
    fn a_deleted_service_and_tags_have_their_calls_too() {
        let (reason, input) = (Reason::ServiceMissing, Value::Null);
        let task_definition = TaskDefinitionRef::Registered;
        let create = Action::CreateService { input, task_definition, reason };
        let plan = Plan { actions: vec![create], ..Plan::nothing() };
        let deleted = [call("DeleteService", &[], 5)];
        assert_eq!(behind(&plan, &deleted), Some(&deleted[0]));

        let (arn, tags) = (String::new(), crate::ownership::Tags::new());
        let changes = drift("service.tags[longshore.dev/source]");
        let tag = Action::TagResource { arn, tags, reason: Reason::Drifted, changes };
        let plan = Plan { actions: vec![tag], ..Plan::nothing() };
        let mine = [call("TagResource", &["cost-centre"], 5)];
        assert_eq!(behind(&plan, &mine), None, "another key");
        let theirs = [call("UntagResource", &["longshore.dev/source"], 5)];
        assert_eq!(behind(&plan, &theirs), Some(&theirs[0]));
    }

    #[test]
    fn scaling_is_undone_part_by_part_and_all_of_it_with_its_target() {
        use crate::scaling::Call;
        let input = || Value::Null;
        for (ours, theirs, explains) in [
            (Call::RegisterScalableTarget { input: input() }, "RegisterScalableTarget", true),
            (Call::RegisterScalableTarget { input: input() }, "DeregisterScalableTarget", true),
            (Call::RegisterScalableTarget { input: input() }, "PutScalingPolicy", false),
            (Call::PutScalingPolicy { input: input() }, "DeleteScalingPolicy", true),
            (Call::DeleteScalingPolicy { input: input() }, "PutScalingPolicy", true),
            (Call::PutScalingPolicy { input: input() }, "DeregisterScalableTarget", true),
            (Call::PutScalingPolicy { input: input() }, "RegisterScalableTarget", false),
            (Call::PutScheduledAction { input: input() }, "DeleteScheduledAction", true),
            (Call::DeleteScheduledAction { input: input() }, "PutScheduledAction", true),
            (Call::PutScheduledAction { input: input() }, "PutScalingPolicy", false),
            (Call::PutScheduledAction { input: input() }, "UpdateService", false),
        ] {
            let (reason, changes) = (Reason::Drifted, Vec::new());
            let action = Action::Scaling { call: ours.clone(), reason, changes };
            let plan = Plan { actions: vec![action], ..Plan::nothing() };
            assert_eq!(
                behind(&plan, &[call(theirs, &[], 5)]).is_some(),
                explains,
                "{ours:?} {theirs}"
            );
        }
    }

    #[test]
    fn who_is_behind_a_difference_is_told_where_the_difference_is() {
        let hold = |reason| crds::HoldStatus { reason, message: "differs".to_owned() };
        let status = |reason| ServiceStatus {
            holds: vec![hold(reason), hold(Reason::ManualHold)],
            ..crate::status::blocked(
                reason,
                "differs",
                crds::Generation(1),
                None,
                Timestamp::UNIX_EPOCH,
            )
        };
        let call = OutsideCall { tool: None, ..call("DeleteService", &[], 0) };
        for reason in [Reason::Drifted, Reason::SelfHealOff, Reason::ServiceMissing] {
            let told = named(status(reason), &call);
            let expected = format!("differs ({call})");
            assert!(told.conditions.iter().all(|condition| condition.message == expected));
            let holds: Vec<&str> = told.holds.iter().map(|hold| &*hold.message).collect();
            assert_eq!(holds, [expected.as_str(), "differs"]);
        }
        assert_eq!(named(status(Reason::SpecChanged), &call), status(Reason::SpecChanged));
    }
}
