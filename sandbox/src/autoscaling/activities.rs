//! What scaling did, and why.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    AutoScaling, ScaledServices,
    identity::{self, DIMENSION, ResourceId},
    invalid_token,
};
use crate::{
    ApiError,
    json::{epoch, flag, text, without_nulls},
    keyset::{self, InvalidToken},
};

/// For how long activities are kept.
const RETENTION: SignedDuration = SignedDuration::from_hours(6 * 7 * 24);

/// One line of the history.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    id: String,
    resource: ResourceId,
    description: String,
    cause: String,
    at: Timestamp,
    status: &'static str,
    message: String,
    /// Present when the count stayed what it was.
    reason: Option<Value>,
}

impl Activity {
    pub(super) fn successful(
        resource: &ResourceId,
        description: String,
        cause: String,
        message: String,
        at: Timestamp,
    ) -> Self {
        Self {
            id: String::new(),
            resource: resource.clone(),
            description,
            cause,
            at,
            status: "Successful",
            message,
            reason: None,
        }
    }

    pub(super) fn failed(
        resource: &ResourceId,
        description: String,
        cause: String,
        message: &str,
        at: Timestamp,
    ) -> Self {
        Self {
            status: "Failed",
            ..Self::successful(resource, description, cause, message.to_owned(), at)
        }
    }

    pub(super) fn not_scaled(
        resource: &ResourceId,
        cause: String,
        reason: Value,
        at: Timestamp,
    ) -> Self {
        let description = "Attempting to scale due to alarm triggered".to_owned();
        Self {
            status: "Unfulfilled",
            reason: Some(reason),
            ..Self::successful(resource, description, cause, String::new(), at)
        }
    }

    fn show(&self) -> Value {
        json!({
            "ActivityId": self.id,
            "ServiceNamespace": "ecs",
            "ResourceId": self.resource.to_string(),
            "ScalableDimension": DIMENSION,
            "Description": self.description,
            "Cause": self.cause,
            "StartTime": epoch(self.at),
            "EndTime": epoch(self.at),
            "StatusCode": self.status,
            "StatusMessage": (!self.message.is_empty()).then_some(&self.message),
            "NotScaledReasons": self.reason.as_ref().map(|reason| json!([reason])),
        })
    }
}

impl AutoScaling {
    /// Newest first; activities that changed nothing only on request.
    pub(super) fn describe_scaling_activities(
        &self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let filter = ResourceId::filter(input)?;
        let with_not_scaled = flag(input, "IncludeNotScaledActivities")?.unwrap_or(false);
        let size = identity::page_size(input, 50)?;
        let newest_first = self.activities.iter().enumerate().rev();
        let rows = newest_first
            .filter(|(_, activity)| {
                filter.as_ref().is_none_or(|wanted| *wanted == activity.resource)
            })
            .filter(|(_, activity)| with_not_scaled || activity.reason.is_none())
            .filter(|(_, activity)| now.duration_since(activity.at) <= RETENTION);
        let key = |(place, _): &(usize, &Activity)| format!("{:010}", u32::MAX as usize - place);
        let page = keyset::cut(rows, size, text(input, "NextToken")?, key)
            .map_err(|InvalidToken| invalid_token())?;
        let activities: Vec<Value> =
            page.rows.into_iter().map(|(_, activity)| activity.show()).collect();
        Ok(without_nulls(json!({"ScalingActivities": activities, "NextToken": page.next})))
    }

    /// Changes the desired count, and keeps the activity.
    pub(super) fn set_count(
        &mut self,
        id: &ResourceId,
        count: i64,
        cause: &str,
        now: Timestamp,
        services: &mut dyn ScaledServices,
    ) {
        services.set_desired_count(&id.cluster, &id.service, count, now);
        let message = format!(
            "Successfully set desired count to {count}. Change successfully fulfilled by ecs."
        );
        let description = format!("Setting desired count to {count}.");
        self.record(Activity::successful(id, description, cause.to_owned(), message, now));
    }

    /// Of a run of activities that changed nothing for the same reason only the first is kept.
    pub(super) fn record(&mut self, activity: Activity) {
        let last = self.activities.iter().rev().find(|last| last.resource == activity.resource);
        let repeats = activity.reason.is_some()
            && last
                .is_some_and(|last| last.reason == activity.reason && last.cause == activity.cause);
        if !repeats {
            let id = self.next_uuid();
            self.activities.push(Activity { id, ..activity });
        }
    }
}
