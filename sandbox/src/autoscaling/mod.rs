//! Application Auto Scaling for the desired count of ECS services (aws.md §5).

mod actions;
mod activities;
mod alarms;
mod identity;
mod policies;
mod policy_rules;
mod schedule;
mod targets;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{ApiError, derived, json};

pub(crate) use alarms::AlarmChange;
#[cfg(test)]
use alarms::Direction;
use identity::ResourceId;

/// What scaling needs to know of ECS, and the one thing that it changes there.
pub(crate) trait ScaledServices {
    /// How many tasks the service is to run; none when there is no active service of that name.
    fn desired_count(&self, cluster: &str, service: &str) -> Option<i64>;

    /// How many of its tasks are RUNNING.
    fn running_count(&self, cluster: &str, service: &str) -> Option<i64>;

    /// What UpdateService(desiredCount) does.
    fn set_desired_count(&mut self, cluster: &str, service: &str, count: i64, now: Timestamp);

    /// Whether a deployment is under way, which pauses scaling in.
    fn is_deploying(&self, cluster: &str, service: &str) -> bool;
}

/// The scalable targets of one account in one region.
#[derive(Debug)]
pub(crate) struct AutoScaling {
    account: String,
    region: String,
    targets: BTreeMap<ResourceId, Target>,
    activities: Vec<activities::Activity>,
    /// Alarms that were made or deleted since the last look.
    alarm_changes: Vec<AlarmChange>,
    /// Makes identifiers unique.
    made: u64,
}

#[derive(Debug)]
struct Target {
    arn: String,
    min: i64,
    max: i64,
    suspended: Suspended,
    created: Timestamp,
    tags: BTreeMap<String, String>,
    policies: BTreeMap<String, policies::Policy>,
    actions: BTreeMap<String, actions::ScheduledAction>,
    /// When the count last grew and last shrank, for cooldowns.
    grown: Option<Timestamp>,
    shrunk: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Suspended {
    scale_in: bool,
    scale_out: bool,
    scheduled: bool,
}

impl AutoScaling {
    /// No scalable targets yet.
    pub(crate) fn new(account: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            targets: BTreeMap::new(),
            activities: Vec::new(),
            alarm_changes: Vec::new(),
            made: 0,
        }
    }

    /// Answers one call.
    pub(crate) fn call(
        &mut self,
        operation: &str,
        input: &Value,
        now: Timestamp,
        services: &mut dyn ScaledServices,
    ) -> Result<Value, ApiError> {
        match operation {
            "RegisterScalableTarget" => self.register_scalable_target(input, now, services),
            "DescribeScalableTargets" => self.describe_scalable_targets(input),
            "DeregisterScalableTarget" => self.deregister_scalable_target(input),
            "PutScalingPolicy" => self.put_scaling_policy(input, now),
            "DescribeScalingPolicies" => self.describe_scaling_policies(input),
            "DeleteScalingPolicy" => self.delete_scaling_policy(input),
            "PutScheduledAction" => self.put_scheduled_action(input, now),
            "DescribeScheduledActions" => self.describe_scheduled_actions(input),
            "DeleteScheduledAction" => self.delete_scheduled_action(input),
            "DescribeScalingActivities" => self.describe_scaling_activities(input, now),
            "TagResource" => self.tag_resource(input),
            "UntagResource" => self.untag_resource(input),
            "ListTagsForResource" => self.list_tags_for_resource(input),
            operation => Err(json::unknown_operation(operation)),
        }
    }

    /// Adds a scalable target that exists from the start; its service must exist already.
    pub(crate) fn load(
        &mut self,
        fixture: &FixtureScalableTarget,
        now: Timestamp,
        services: &mut dyn ScaledServices,
    ) -> Result<(), ApiError> {
        let mut identity = Map::new();
        for (name, value) in [
            ("ServiceNamespace", "ecs"),
            ("ScalableDimension", identity::DIMENSION),
            ("ResourceId", &format!("service/{}/{}", fixture.cluster, fixture.service)),
        ] {
            identity.insert(name.to_owned(), value.into());
        }
        let with = |members: &Map<String, Value>| {
            let mut input = identity.clone();
            input.extend(members.clone());
            Value::Object(input)
        };
        let mut bounds = Map::new();
        bounds.insert("MinCapacity".to_owned(), fixture.min_capacity.into());
        bounds.insert("MaxCapacity".to_owned(), fixture.max_capacity.into());
        self.call("RegisterScalableTarget", &with(&bounds), now, services)?;
        for policy in &fixture.policies {
            self.call("PutScalingPolicy", &with(policy), now, services)?;
        }
        for action in &fixture.scheduled_actions {
            self.call("PutScheduledAction", &with(action), now, services)?;
        }
        Ok(())
    }

    /// The alarms that came and went since the last call of this function.
    pub(crate) fn drain_alarm_changes(&mut self) -> Vec<AlarmChange> {
        std::mem::take(&mut self.alarm_changes)
    }

    fn target(&self, id: &ResourceId, word: &str) -> Result<&Target, ApiError> {
        self.targets.get(id).ok_or_else(|| id.not_found(word))
    }

    fn target_mut(&mut self, id: &ResourceId, word: &str) -> Result<&mut Target, ApiError> {
        self.targets.get_mut(id).ok_or_else(|| id.not_found(word))
    }

    fn next_uuid(&mut self) -> String {
        self.made += 1;
        derived::uuid(&format!("{}/{}/scaling/{}", self.account, self.region, self.made))
    }
}

impl Target {
    fn clamp(&self, count: i64) -> i64 {
        count.max(self.min).min(self.max)
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::refused("ValidationException", message)
}

fn invalid_token() -> ApiError {
    ApiError::refused("InvalidNextTokenException", "The next token supplied was invalid.")
}

/// A scalable target that exists when the sandbox starts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FixtureScalableTarget {
    /// The cluster's name.
    pub cluster: String,
    /// The service's name.
    pub service: String,
    /// Fewest tasks.
    pub min_capacity: i64,
    /// Most tasks.
    pub max_capacity: i64,
    /// Inputs of `PutScalingPolicy` without the members that name the target.
    #[serde(default)]
    pub policies: Vec<Map<String, Value>>,
    /// Inputs of `PutScheduledAction` without the members that name the target.
    #[serde(default)]
    pub scheduled_actions: Vec<Map<String, Value>>,
}
