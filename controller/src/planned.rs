//! One service's plan as programs read it: what `plan --output json` prints and `/diff` answers.
//!
//! Reasons, operations and effects are texts here, because who reads them may be older than who wrote them.

use crds::ObjectKey;
use planner::drift::FieldDrift;
use planner::{Action, Plan};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::references::ToldReference;

/// One service's plan, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedService {
    /// Which service.
    #[serde(flatten)]
    pub key: ObjectKey,
    /// The calls to make, in order.
    pub actions: Vec<PlannedAction>,
    /// The calls that would be made if nothing held them.
    pub withheld: Vec<PlannedAction>,
    /// Why differences are not acted on.
    pub holds: Vec<PlannedHold>,
    /// What could not be looked at before, and why.
    #[serde(default)]
    pub not_checked: Vec<String>,
    /// What the references of the spec were replaced by, and where that comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<ToldReference>,
    /// Why there is no plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One call to AWS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedAction {
    /// ECS's name of the operation.
    pub action: String,
    /// Why.
    pub reason: String,
    /// What it changes, field by field.
    pub changes: Vec<PlannedChange>,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// The field.
    pub path: String,
    /// What AWS has.
    pub observed: Option<Value>,
    /// What the spec asks for.
    pub desired: Option<Value>,
    /// What closing the difference does to running tasks.
    pub effect: String,
}

/// One reason why differences are not acted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedHold {
    /// Why, for programs.
    pub reason: String,
    /// Why, for people.
    pub message: String,
}

impl PlannedService {
    /// The plan of a service, or the reason why there is none.
    pub fn new(key: ObjectKey, result: Result<Plan, String>) -> Self {
        match result {
            Ok(plan) => Self {
                key,
                actions: plan.actions.iter().map(PlannedAction::new).collect(),
                withheld: plan.withheld.iter().map(PlannedAction::new).collect(),
                holds: plan
                    .holds
                    .into_iter()
                    .map(|hold| PlannedHold {
                        reason: hold.reason.to_string(),
                        message: hold.message,
                    })
                    .collect(),
                not_checked: plan.not_checked,
                references: Vec::new(),
                error: None,
            },
            Err(message) => {
                let (actions, withheld, holds) = (Vec::new(), Vec::new(), Vec::new());
                let (not_checked, references) = (Vec::new(), Vec::new());
                let error = Some(message);
                Self { key, actions, withheld, holds, not_checked, references, error }
            }
        }
    }

    /// The same with what its spec refers to.
    #[must_use]
    pub fn citing(self, references: Vec<ToldReference>) -> Self {
        Self { references, ..self }
    }

    /// Whether there is something to do now.
    pub fn is_changing(&self) -> bool {
        !self.actions.iter().all(PlannedAction::is_mark)
    }

    /// Whether there is nothing to do and nothing is held back.
    pub fn is_settled(&self) -> bool {
        !self.is_changing() && self.withheld.is_empty()
    }
}

impl PlannedAction {
    /// Whether it only notes something on the service, and no field differs.
    fn is_mark(&self) -> bool {
        self.action == "TagResource" && self.changes.is_empty()
    }

    fn new(action: &Action) -> Self {
        Self {
            action: action.operation().to_owned(),
            reason: action.reason().to_string(),
            changes: action.changes().iter().map(PlannedChange::new).collect(),
        }
    }
}

impl PlannedChange {
    fn new(drift: &FieldDrift) -> Self {
        let FieldDrift { path, desired, observed, effect } = drift;
        Self {
            path: path.clone(),
            observed: observed.clone(),
            desired: desired.clone(),
            effect: effect.as_str().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crds::Reason;
    use planner::Requeue;

    use super::*;

    #[test]
    fn a_mark_is_no_change_and_a_difference_is_one() {
        let tagging = |changes| Action::TagResource {
            arn: "arn".to_owned(),
            tags: std::iter::once(("team".to_owned(), "shop".to_owned())).collect(),
            reason: Reason::RolledBack,
            changes,
        };
        let difference = FieldDrift {
            path: "service.tags[team]".to_owned(),
            desired: Some("shop".into()),
            observed: None,
            effect: crds::ecs::Effect::InPlace,
        };
        let stop = Action::StopServiceDeployment {
            arn: "arn".to_owned(),
            reason: Reason::RolloutHopeless,
            because: None,
        };
        let key = ObjectKey {
            target: crds::TargetName::default(),
            cluster: "shop".parse().unwrap(),
            name: "web".parse().unwrap(),
        };
        for (actions, is_changing) in [
            (vec![], false),
            (vec![tagging(Vec::new())], false),
            (vec![tagging(vec![difference])], true),
            (vec![tagging(Vec::new()), stop], true),
        ] {
            let plan = Plan::hold(Reason::RolledBack, "it failed", Requeue::OnChange);
            let planned = PlannedService::new(key.clone(), Ok(Plan { actions, ..plan }));
            assert_eq!(planned.is_changing(), is_changing, "{planned:?}");
            assert_eq!(planned.holds[0].message, "it failed");
        }
    }
}
