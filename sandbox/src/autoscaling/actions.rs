//! Scheduled actions, and their firing.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    AutoScaling, ScaledServices,
    activities::Activity,
    identity::{self, DIMENSION, ResourceId},
    invalid, invalid_token,
    schedule::{self, Schedule},
    targets::clamp_cause,
};
use crate::{
    ApiError,
    json::{epoch, instant, member, number, required_text, text, texts, without_nulls},
    keyset::{self, InvalidToken},
};

const ACTIONS_MAX: usize = 200;

/// A change of the bounds at set times.
#[derive(Debug, Clone)]
pub(super) struct ScheduledAction {
    arn: String,
    expression: String,
    schedule: Schedule,
    zone_name: Option<String>,
    zone: TimeZone,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    min: Option<i64>,
    max: Option<i64>,
    created: Timestamp,
    /// When it fires next; none when it never will again.
    next: Option<Timestamp>,
}

impl AutoScaling {
    /// Makes an action or changes one: without `StartTime` or `EndTime` the old ones are deleted.
    pub(super) fn put_scheduled_action(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let id = ResourceId::required(input)?;
        let name = required_text(input, "ScheduledActionName")?;
        validate_name(name)?;
        let target = self.target(&id, "scalable target registered")?;
        let existing = target.actions.get(name).cloned();
        if existing.is_none() && target.actions.len() >= ACTIONS_MAX {
            return Err(ApiError::refused(
                "LimitExceededException",
                "at most 200 scheduled actions per target",
            ));
        }
        let expression = text(input, "Schedule")?
            .map(str::to_owned)
            .or_else(|| existing.as_ref().map(|action| action.expression.clone()))
            .ok_or_else(|| invalid("Schedule is required when a scheduled action is created."))?;
        let schedule = Schedule::parse(&expression)?;
        let zone_name = text(input, "Timezone")?
            .map(str::to_owned)
            .or_else(|| existing.as_ref().and_then(|action| action.zone_name.clone()));
        let zone = schedule::zone(zone_name.as_deref())?;
        let (start, end) = (instant(input, "StartTime")?, instant(input, "EndTime")?);
        if start.zip(end).is_some_and(|(start, end)| start >= end) {
            return Err(invalid("StartTime must be before EndTime."));
        }
        let (min, max) = match member(input, "ScalableTargetAction") {
            Some(action) => bounds(action)?,
            None => existing.as_ref().map(|action| (action.min, action.max)).ok_or_else(|| {
                invalid("ScalableTargetAction is required when a scheduled action is created.")
            })?,
        };
        let (arn, created) = match existing {
            Some(action) => (action.arn, action.created),
            None => (self.action_arn(&id, name), now),
        };
        let mut action = ScheduledAction {
            arn,
            expression,
            schedule,
            zone_name,
            zone,
            start,
            end,
            min,
            max,
            created,
            next: None,
        };
        action.plan(now);
        self.target_mut(&id, "scalable target registered")?.actions.insert(name.to_owned(), action);
        Ok(json!({}))
    }

    pub(super) fn describe_scheduled_actions(&self, input: &Value) -> Result<Value, ApiError> {
        let filter = ResourceId::filter(input)?;
        let names = texts(input, "ScheduledActionNames")?;
        let size = identity::page_size(input, 50)?;
        if names.len() > 50 {
            return Err(invalid("ScheduledActionNames takes at most 50 names."));
        }
        let rows = self
            .targets
            .iter()
            .filter(|(id, _)| filter.as_ref().is_none_or(|wanted| wanted == *id))
            .flat_map(|(id, target)| {
                target.actions.iter().map(move |(name, action)| (id, name, action))
            })
            .filter(|(_, name, _)| names.is_empty() || names.contains(&name.as_str()));
        let key =
            |(id, name, _): &(&ResourceId, &String, &ScheduledAction)| format!("{id}\n{name}");
        let page = keyset::cut(rows, size, text(input, "NextToken")?, key)
            .map_err(|InvalidToken| invalid_token())?;
        let actions: Vec<Value> =
            page.rows.into_iter().map(|(id, name, action)| action.show(id, name)).collect();
        Ok(without_nulls(json!({"ScheduledActions": actions, "NextToken": page.next})))
    }

    pub(super) fn delete_scheduled_action(&mut self, input: &Value) -> Result<Value, ApiError> {
        let id = ResourceId::required(input)?;
        let name = required_text(input, "ScheduledActionName")?;
        let target = self.target_mut(&id, "scheduled action found")?;
        target.actions.remove(name).ok_or_else(|| id.not_found("scheduled action found"))?;
        Ok(json!({}))
    }

    /// When the next scheduled action is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.targets
            .values()
            .flat_map(|target| target.actions.values())
            .filter_map(|action| action.next)
            .min()
    }

    /// Fires every action that is due, in the order of their times. While scheduled scaling is suspended an action passes
    /// without effect, and is not made up for later.
    pub(crate) fn advance(&mut self, now: Timestamp, services: &mut dyn ScaledServices) {
        while let Some((when, id, name)) = self.first_due(now) {
            let Some(target) = self.targets.get_mut(&id) else { return };
            let is_suspended = target.suspended.scheduled;
            let Some(action) = target.actions.get_mut(&name) else { return };
            action.plan(when);
            if !is_suspended {
                self.fire(&id, &name, when, services);
            }
        }
    }

    fn first_due(&self, now: Timestamp) -> Option<(Timestamp, ResourceId, String)> {
        let due = self.targets.iter().flat_map(|(id, target)| {
            target.actions.iter().filter_map(move |(name, action)| Some((action.next?, id, name)))
        });
        let first = due.filter(|(when, ..)| *when <= now).min_by_key(|(when, ..)| *when);
        first.map(|(when, id, name)| (when, id.clone(), name.clone()))
    }

    /// The new bounds stay, and the count moves into them at once, whatever the cooldowns say.
    fn fire(
        &mut self,
        id: &ResourceId,
        name: &str,
        now: Timestamp,
        services: &mut dyn ScaledServices,
    ) {
        let Some(target) = self.targets.get_mut(id) else { return };
        let Some(action) = target.actions.get(name) else { return };
        let (min, max) = (action.min.unwrap_or(target.min), action.max.unwrap_or(target.max));
        let description = format!("Setting min capacity to {min} and max capacity to {max}");
        let cause = format!("scheduled action name {name} was triggered");
        if min > max {
            let status = "Minimum capacity cannot be greater than maximum capacity.";
            self.record(Activity::failed(id, description, cause, status, now));
            return;
        }
        (target.min, target.max) = (min, max);
        self.record(Activity::successful(
            id,
            description,
            cause,
            format!("Successfully set min capacity to {min} and max capacity to {max}"),
            now,
        ));
        let Some(desired) = services.desired_count(&id.cluster, &id.service) else { return };
        let clamped = desired.max(min).min(max);
        if clamped != desired {
            self.set_count(id, clamped, &clamp_cause(clamped, desired), now, services);
        }
    }

    fn action_arn(&mut self, id: &ResourceId, name: &str) -> String {
        let uuid = self.next_uuid();
        format!(
            "arn:aws:autoscaling:{}:{}:scheduledAction:{uuid}:resource/ecs/{id}:scheduledActionName/{name}",
            self.region, self.account
        )
    }
}

impl ScheduledAction {
    /// Sets the next firing after `now`, within start and end.
    fn plan(&mut self, now: Timestamp) {
        let anchor = self.start.unwrap_or(self.created);
        let just_before_start = self.start.map(|start| start - jiff::SignedDuration::from_nanos(1));
        let after = just_before_start.map_or(now, |start| start.max(now));
        let is_first_rate = matches!(self.schedule, Schedule::Rate(_))
            && self.start.is_some_and(|start| start > now);
        let next =
            if is_first_rate { self.start } else { self.schedule.next(after, anchor, &self.zone) };
        self.next = next.filter(|next| self.end.is_none_or(|end| *next <= end));
    }

    fn show(&self, id: &ResourceId, name: &str) -> Value {
        json!({
            "ScheduledActionName": name,
            "ScheduledActionARN": self.arn,
            "ServiceNamespace": "ecs",
            "Schedule": self.expression,
            "Timezone": self.zone_name,
            "ResourceId": id.to_string(),
            "ScalableDimension": DIMENSION,
            "StartTime": self.start.map(epoch),
            "EndTime": self.end.map(epoch),
            "ScalableTargetAction": {"MinCapacity": self.min, "MaxCapacity": self.max},
            "CreationTime": epoch(self.created),
        })
    }
}

fn bounds(action: &Value) -> Result<(Option<i64>, Option<i64>), ApiError> {
    let (min, max) = (number(action, "MinCapacity")?, number(action, "MaxCapacity")?);
    if min.is_none() && max.is_none() {
        return Err(invalid("ScalableTargetAction needs MinCapacity, MaxCapacity or both."));
    }
    if min.is_some_and(|min| min < 0) || min.zip(max).is_some_and(|(min, max)| min > max) {
        return Err(invalid(
            "Minimum capacity cannot be negative or greater than maximum capacity.",
        ));
    }
    Ok((min, max))
}

fn validate_name(name: &str) -> Result<(), ApiError> {
    let is_forbidden = |letter: char| letter.is_control() || ":/|".contains(letter);
    if name.starts_with(' ') || name.chars().any(is_forbidden) || !(1..=256).contains(&name.len()) {
        return Err(invalid(
            "ScheduledActionName cannot start with a space or contain any of : / |",
        ));
    }
    Ok(())
}
