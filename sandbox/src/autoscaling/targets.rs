//! Scalable targets and their tags.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    AutoScaling, ScaledServices, Suspended, Target,
    identity::{self, DIMENSION, ResourceId},
    invalid, invalid_token,
};
use crate::{
    ApiError, derived,
    json::{epoch, flag, member, number, required_text, structure, text, texts, without_nulls},
    keyset::{self, InvalidToken},
};

const TARGETS_MAX: usize = 3_000;
const TAGS_MAX: usize = 50;

impl AutoScaling {
    /// Makes a target or changes the members that the request has; every call moves the desired count into the range.
    pub(super) fn register_scalable_target(
        &mut self,
        input: &Value,
        now: Timestamp,
        services: &mut dyn ScaledServices,
    ) -> Result<Value, ApiError> {
        let id = ResourceId::required(input)?;
        let (min, max) = (number(input, "MinCapacity")?, number(input, "MaxCapacity")?);
        let tags = tags(input)?;
        let desired = services.desired_count(&id.cluster, &id.service);
        let desired = desired.ok_or_else(|| invalid(format!("ECS service doesn't exist: {id}")))?;
        let existing = self.targets.get(&id);
        if existing.is_none() && self.targets.len() >= TARGETS_MAX {
            return Err(ApiError::refused(
                "LimitExceededException",
                format!("at most {TARGETS_MAX} ECS scalable targets per region"),
            ));
        }
        // Tags belong to the first registration (unconfirmed: AWS documents TagResource for later ones).
        if existing.is_some() && !tags.is_empty() {
            return Err(invalid(
                "Tags can only be given when a scalable target is created; use TagResource.",
            ));
        }
        let known = existing.map(|target| (target.min, target.max, target.suspended));
        let (min, max) = bounds(min, max, known.map(|(min, max, _)| (min, max)))?;
        let suspended =
            known.map(|(.., suspended)| suspended).unwrap_or_default().changed_by(input)?;
        let arn = existing.map_or_else(|| self.arn(&id), |target| target.arn.clone());
        let target = self.targets.entry(id.clone()).or_insert_with(|| Target {
            arn: arn.clone(),
            min,
            max,
            suspended,
            created: now,
            tags,
            policies: BTreeMap::new(),
            actions: BTreeMap::new(),
            grown: None,
            shrunk: None,
        });
        (target.min, target.max, target.suspended) = (min, max, suspended);
        let clamped = target.clamp(desired);
        if clamped != desired {
            self.set_count(&id, clamped, &clamp_cause(clamped, desired), now, services);
        }
        Ok(json!({"ScalableTargetARN": arn}))
    }

    pub(super) fn describe_scalable_targets(&self, input: &Value) -> Result<Value, ApiError> {
        identity::namespace(input)?;
        let size = identity::page_size(input, 50)?;
        let ids = texts(input, "ResourceIds")?;
        if text(input, "ScalableDimension")?.is_some() && ids.is_empty() {
            return Err(invalid(
                "When scalable dimension is specified, a resource ID must be specified too.",
            ));
        }
        if ids.len() > 50 {
            return Err(invalid("ResourceIds takes at most 50 resource IDs."));
        }
        let ids: Result<Vec<ResourceId>, ApiError> =
            ids.into_iter().map(ResourceId::parse).collect();
        let ids = ids?;
        let rows = self.targets.iter().filter(|(id, _)| ids.is_empty() || ids.contains(id));
        let page = keyset::cut(rows, size, text(input, "NextToken")?, |(id, _)| id.to_string())
            .map_err(|InvalidToken| invalid_token())?;
        let targets: Vec<Value> =
            page.rows.into_iter().map(|(id, target)| self.show_target(id, target)).collect();
        Ok(without_nulls(json!({"ScalableTargets": targets, "NextToken": page.next})))
    }

    /// Policies, their alarms and scheduled actions go too.
    pub(super) fn deregister_scalable_target(&mut self, input: &Value) -> Result<Value, ApiError> {
        let id = ResourceId::required(input)?;
        let target = self.targets.remove(&id);
        let target = target.ok_or_else(|| id.not_found("scalable target found"))?;
        for policy in target.policies.into_values() {
            self.retire_alarms(policy.alarms);
        }
        Ok(json!({}))
    }

    pub(super) fn tag_resource(&mut self, input: &Value) -> Result<Value, ApiError> {
        let added = tags(input)?;
        let target = self.by_arn(input)?;
        let mut merged = target.tags.clone();
        merged.extend(added);
        if merged.len() > TAGS_MAX {
            return Err(ApiError::refused(
                "TooManyTagsException",
                "a scalable target can have at most 50 tags",
            ));
        }
        target.tags = merged;
        Ok(json!({}))
    }

    pub(super) fn untag_resource(&mut self, input: &Value) -> Result<Value, ApiError> {
        let keys = texts(input, "TagKeys")?;
        self.by_arn(input)?.tags.retain(|key, _| !keys.contains(&key.as_str()));
        Ok(json!({}))
    }

    pub(super) fn list_tags_for_resource(&mut self, input: &Value) -> Result<Value, ApiError> {
        Ok(json!({"Tags": self.by_arn(input)?.tags}))
    }

    fn by_arn(&mut self, input: &Value) -> Result<&mut Target, ApiError> {
        let arn = required_text(input, "ResourceARN")?;
        self.targets.values_mut().find(|target| target.arn == arn).ok_or_else(|| {
            ApiError::refused(
                "ResourceNotFoundException",
                format!("The resource {arn} doesn't exist."),
            )
        })
    }

    fn arn(&self, id: &ResourceId) -> String {
        let tail = derived::hexadecimal(&format!("{}/{}/{id}", self.account, self.region), 34);
        format!(
            "arn:aws:application-autoscaling:{}:{}:scalable-target/{tail}",
            self.region, self.account
        )
    }

    fn show_target(&self, id: &ResourceId, target: &Target) -> Value {
        json!({
            "ServiceNamespace": "ecs",
            "ResourceId": id.to_string(),
            "ScalableDimension": DIMENSION,
            "MinCapacity": target.min,
            "MaxCapacity": target.max,
            "RoleARN": format!(
                "arn:aws:iam::{}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/\
                 AWSServiceRoleForApplicationAutoScaling_ECSService",
                self.account
            ),
            "CreationTime": epoch(target.created),
            "SuspendedState": {
                "DynamicScalingInSuspended": target.suspended.scale_in,
                "DynamicScalingOutSuspended": target.suspended.scale_out,
                "ScheduledScalingSuspended": target.suspended.scheduled,
            },
            "ScalableTargetARN": target.arn,
        })
    }
}

impl Suspended {
    /// Members that the request leaves out keep their value.
    fn changed_by(self, input: &Value) -> Result<Self, ApiError> {
        let Some(state) = member(input, "SuspendedState") else { return Ok(self) };
        Ok(Self {
            scale_in: flag(state, "DynamicScalingInSuspended")?.unwrap_or(self.scale_in),
            scale_out: flag(state, "DynamicScalingOutSuspended")?.unwrap_or(self.scale_out),
            scheduled: flag(state, "ScheduledScalingSuspended")?.unwrap_or(self.scheduled),
        })
    }
}

/// What an activity gives as its reason when a bound moved the count.
pub(super) fn clamp_cause(clamped: i64, before: i64) -> String {
    let bound = if clamped > before { "minimum" } else { "maximum" };
    format!("{bound} capacity was set to {clamped}")
}

fn bounds(
    min: Option<i64>,
    max: Option<i64>,
    known: Option<(i64, i64)>,
) -> Result<(i64, i64), ApiError> {
    let min = min.or(known.map(|(min, _)| min));
    let max = max.or(known.map(|(_, max)| max));
    let (Some(min), Some(max)) = (min, max) else {
        return Err(invalid(
            "MinCapacity and MaxCapacity must be specified when a scalable target is registered.",
        ));
    };
    if min < 0 {
        return Err(invalid("Minimum capacity cannot be negative."));
    }
    if max < min {
        return Err(invalid("Maximum capacity cannot be less than minimum capacity."));
    }
    Ok((min, max))
}

fn tags(input: &Value) -> Result<BTreeMap<String, String>, ApiError> {
    let Some(tags) = structure(input, "Tags")? else { return Ok(BTreeMap::new()) };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(tags.iter().map(|(key, value)| (key.clone(), text(value))).collect())
}
