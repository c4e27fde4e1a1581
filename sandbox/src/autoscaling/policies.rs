//! Scaling policies.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    AutoScaling,
    alarms::{Alarm, AlarmChange},
    identity::{self, DIMENSION, ResourceId},
    invalid, invalid_token,
    policy_rules::{self, Kind},
};
use crate::{
    ApiError,
    json::{epoch, member, required_text, text, texts, without_nulls},
    keyset::{self, InvalidToken},
};

const POLICIES_MAX: usize = 50;

/// A policy as it was put.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) arn: String,
    pub(super) kind: Kind,
    /// The member of the request that belongs to the kind.
    pub(super) configuration: Value,
    /// The alarms that scaling itself made for the policy.
    pub(super) alarms: Vec<Alarm>,
    created: Timestamp,
}

impl AutoScaling {
    /// Makes a policy or replaces all of an existing one; a target-tracking policy gets its two alarms.
    pub(super) fn put_scaling_policy(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let id = ResourceId::required(input)?;
        let name = required_text(input, "PolicyName")?;
        if !(1..=256).contains(&name.len()) || name.chars().any(char::is_control) {
            return Err(invalid("PolicyName must have 1 to 256 printable characters."));
        }
        let target = self.target(&id, "scalable target registered")?;
        let existing = target.policies.get(name);
        let kind = match text(input, "PolicyType")? {
            Some(kind) => Kind::parse(kind)?,
            None => existing
                .map(|policy| policy.kind)
                .ok_or_else(|| invalid("PolicyType is required."))?,
        };
        let configuration = configuration(input, kind)?;
        policy_rules::validate(kind, configuration)?;
        if existing.is_none() && target.policies.len() >= POLICIES_MAX {
            return Err(ApiError::refused(
                "LimitExceededException",
                "at most 50 scaling policies per target",
            ));
        }
        let metric = policy_rules::metric(configuration);
        let mut others =
            target.policies.iter().filter(|(other, _)| *other != name).map(|(_, policy)| policy);
        let is_taken = kind == Kind::TargetTracking
            && others.any(|other| {
                other.kind == kind && policy_rules::metric(&other.configuration) == metric
            });
        if is_taken {
            return Err(invalid(
                "Only one TargetTrackingScaling policy for a given metric specification is allowed.",
            ));
        }
        let kept = existing.map(|policy| (policy.arn.clone(), policy.created));
        let alarms = existing.map(|policy| policy.alarms.clone()).unwrap_or_default();
        let configuration = configuration.clone();

        let (arn, created) = kept.unwrap_or_else(|| (self.policy_arn(&id, name), now));
        let alarms = match kind {
            Kind::TargetTracking => self.track(&id, alarms, &configuration, &arn),
            Kind::Step | Kind::Predictive => {
                self.retire_alarms(alarms);
                Vec::new()
            }
        };
        let answer = json!({"PolicyARN": arn, "Alarms": Alarm::show(&alarms)});
        let policy = Policy { arn, kind, configuration, alarms, created };
        self.target_mut(&id, "scalable target registered")?
            .policies
            .insert(name.to_owned(), policy);
        Ok(answer)
    }

    pub(super) fn describe_scaling_policies(&self, input: &Value) -> Result<Value, ApiError> {
        let filter = ResourceId::filter(input)?;
        let names = texts(input, "PolicyNames")?;
        let size = identity::page_size(input, 10)?;
        if names.len() > 50 {
            return Err(invalid("PolicyNames takes at most 50 names."));
        }
        let rows = self
            .targets
            .iter()
            .filter(|(id, _)| filter.as_ref().is_none_or(|wanted| wanted == *id))
            .flat_map(|(id, target)| {
                target.policies.iter().map(move |(name, policy)| (id, name, policy))
            })
            .filter(|(_, name, policy)| {
                names.is_empty()
                    || names.contains(&name.as_str())
                    || names.contains(&policy.arn.as_str())
            });
        let key = |(id, name, _): &(&ResourceId, &String, &Policy)| format!("{id}\n{name}");
        let page = keyset::cut(rows, size, text(input, "NextToken")?, key)
            .map_err(|InvalidToken| invalid_token())?;
        let policies: Vec<Value> =
            page.rows.into_iter().map(|(id, name, policy)| policy.show(id, name)).collect();
        Ok(without_nulls(json!({"ScalingPolicies": policies, "NextToken": page.next})))
    }

    /// Alarms that the caller made for a step policy stay behind.
    pub(super) fn delete_scaling_policy(&mut self, input: &Value) -> Result<Value, ApiError> {
        let id = ResourceId::required(input)?;
        let name = required_text(input, "PolicyName")?;
        let target = self.target_mut(&id, "scaling policy found")?;
        let policy =
            target.policies.remove(name).ok_or_else(|| id.not_found("scaling policy found"))?;
        self.retire_alarms(policy.alarms);
        Ok(json!({}))
    }

    pub(super) fn retire_alarms(&mut self, alarms: Vec<Alarm>) {
        self.alarm_changes.extend(alarms.into_iter().map(|alarm| AlarmChange::Deleted(alarm.name)));
    }

    fn policy_arn(&mut self, id: &ResourceId, name: &str) -> String {
        let uuid = self.next_uuid();
        format!(
            "arn:aws:autoscaling:{}:{}:scalingPolicy:{uuid}:resource/ecs/{id}:policyName/{name}",
            self.region, self.account
        )
    }
}

impl Policy {
    fn show(&self, id: &ResourceId, name: &str) -> Value {
        let mut members = Map::new();
        for (member, value) in [
            ("PolicyARN", json!(self.arn)),
            ("PolicyName", json!(name)),
            ("ServiceNamespace", json!("ecs")),
            ("ResourceId", json!(id.to_string())),
            ("ScalableDimension", json!(DIMENSION)),
            ("PolicyType", json!(self.kind.name())),
            (self.kind.member(), self.configuration.clone()),
            ("Alarms", Alarm::show(&self.alarms)),
            ("CreationTime", epoch(self.created)),
        ] {
            members.insert(member.to_owned(), value);
        }
        without_nulls(Value::Object(members))
    }
}

/// The configuration of the policy's kind; those of other kinds must be absent.
fn configuration(input: &Value, kind: Kind) -> Result<&Value, ApiError> {
    for other in Kind::ALL.into_iter().filter(|other| *other != kind) {
        if member(input, other.member()).is_some() {
            return Err(invalid(format!(
                "{} does not belong to a {} policy.",
                other.member(),
                kind.name()
            )));
        }
    }
    member(input, kind.member())
        .filter(|configuration| configuration.is_object())
        .ok_or_else(|| invalid(format!("A {} policy needs {}.", kind.name(), kind.member())))
}
