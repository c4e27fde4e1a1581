//! The block `scaling` of a running service: all that Application Auto Scaling has for it.
//!
//! A step policy of the block brings its alarm along, and only alarms under our own names are ours. A policy that another
//! alarm starts is therefore no part of the block: a pointer in `sync.ignore` leaves it as it is.

use crds::Scaling;
use serde_json::{Map, Value};

use super::document::{Node, Part};
use super::read::Found;
use super::{Options, tidy};

/// The scaling of a service that has some.
#[derive(Debug)]
pub(super) struct Scaled {
    /// What the spec says, defaults included.
    pub(super) block: Map<String, Value>,
    /// Names of step policies that alarms of others start.
    foreign: Vec<String>,
}

impl Scaled {
    /// What there is for a service; `None` without a scalable target.
    pub(super) fn of(found: &Found, options: &Options) -> Option<Self> {
        found.scaling.target.as_ref()?;
        let Value::Object(mut block) = found.scaling.block(&options.key(&found.name)) else {
            return None;
        };
        let mut foreign = Vec::new();
        if let Some(Value::Array(policies)) = block.get_mut("step") {
            policies.retain(|policy| {
                let is_ours = policy.get("alarm").is_some();
                if !is_ours {
                    foreign.push(text(policy, "name").to_owned());
                }
                is_ours
            });
        }
        Some(Self { block, foreign })
    }

    /// The pointers by which the policies of others are left alone.
    pub(super) fn ignored(&self) -> Option<Node> {
        let pointer = |name: &String| {
            let name = name.replace('~', "~0").replace('/', "~1");
            Node::text(format!("/scaling/step/{name}")).into()
        };
        let pointers: Vec<Part> = self.foreign.iter().map(pointer).collect();
        (!pointers.is_empty()).then_some(Node::List(pointers))
    }

    /// What needs a person: fields and messages.
    pub(super) fn notes(&self) -> Vec<(String, String)> {
        let mut notes = Vec::new();
        for (index, name) in self.foreign.iter().enumerate() {
            let message = format!(
                "the alarm of the step policy `{name}` is not Longshore's: both stay as they are; to have them here, write the policy with its alarm under `spec.scaling.step`, take this line out and delete the old alarm"
            );
            notes.push((format!("spec.sync.ignore[{index}]"), message));
        }
        for bound in ["minCapacity", "maxCapacity"] {
            if let Some(action) = self.action_with(bound) {
                let message = format!(
                    "is what holds now, and what the scheduled action `{action}` sets: it may be the action's rather than the one to begin with"
                );
                notes.push((format!("spec.scaling.{bound}"), message));
            }
        }
        for path in tidy::unknown(Scaling::SHAPE, &self.block) {
            // An alarm is shown with its state.
            if !path.contains("].alarm.") {
                let message =
                    format!("AWS shows `{path}`, which this version does not know: it is left out");
                notes.push((format!("spec.scaling.{path}"), message));
            }
        }
        notes
    }

    /// The scheduled action that sets a bound to what it is now.
    fn action_with(&self, bound: &str) -> Option<&str> {
        let now = self.block.get(bound)?;
        let mut actions = self.block.get("scheduled")?.as_array()?.iter();
        let action = actions.find(|action| action.get(bound) == Some(now))?;
        Some(text(action, "name"))
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
