//! Metric alarms.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{CloudWatch, Transition, invalid};
use crate::{
    ApiError,
    json::{
        bounded, epoch, flag, float, list, member, number, required_text, text, texts,
        without_nulls,
    },
    keyset::{self, InvalidToken},
};

const NAMES_MAX: usize = 100;
/// The members of `PutMetricAlarm` that `DescribeAlarms` gives back as they came.
const GIVEN: [&str; 22] = [
    "ActionsEnabled",
    "AlarmActions",
    "AlarmDescription",
    "AlarmName",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluateLowSampleCountPercentile",
    "EvaluationInterval",
    "EvaluationPeriods",
    "ExtendedStatistic",
    "InsufficientDataActions",
    "MetricName",
    "Metrics",
    "Namespace",
    "OKActions",
    "Period",
    "Statistic",
    "Threshold",
    "ThresholdMetricId",
    "TreatMissingData",
    "Unit",
];
const COMPARISONS: [&str; 7] = [
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
];
const STATES: [&str; 3] = ["OK", "ALARM", "INSUFFICIENT_DATA"];

/// An alarm on a metric.
#[derive(Debug)]
pub(super) struct Alarm {
    given: Map<String, Value>,
    configured: Timestamp,
    state: String,
    reason: String,
    reason_data: Option<String>,
    updated: Timestamp,
    transitioned: Timestamp,
}

impl CloudWatch {
    /// Makes an alarm, which starts without data, or replaces one, which keeps its state.
    pub(super) fn put_metric_alarm(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let name = required_text(input, "AlarmName")?;
        validate(input)?;
        let mut given: Map<String, Value> = GIVEN
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), member(input, name)?.clone())))
            .collect();
        if let Some(threshold) = float(input, "Threshold")? {
            given.insert("Threshold".to_owned(), json!(threshold));
        }
        given.entry("ActionsEnabled").or_insert(Value::Bool(true));
        for list in ["AlarmActions", "OKActions", "InsufficientDataActions", "Dimensions"] {
            given.entry(list).or_insert_with(|| json!([]));
        }
        if let Some(alarm) = self.alarms.get_mut(name) {
            (alarm.given, alarm.configured) = (given, now);
            return Ok(json!({}));
        }
        self.alarms.insert(name.to_owned(), Alarm::new(given, now));
        Ok(json!({}))
    }

    /// Unknown names are left out without a word.
    pub(super) fn describe_alarms(&self, input: &Value) -> Result<Value, ApiError> {
        let names = texts(input, "AlarmNames")?;
        let prefix = text(input, "AlarmNamePrefix")?;
        let state = text(input, "StateValue")?;
        let action = text(input, "ActionPrefix")?;
        let types = texts(input, "AlarmTypes")?;
        let size = bounded(input, "MaxRecords", (1, 100), 50)?;
        if names.len() > NAMES_MAX {
            return Err(invalid("AlarmNames takes at most 100 names."));
        }
        if !names.is_empty() && prefix.is_some() {
            return Err(ApiError::refused(
                "InvalidParameterCombinationException",
                "AlarmNames and AlarmNamePrefix cannot be specified together",
            ));
        }
        if let Some(state) = state {
            validate_state(state)?;
        }
        let rows = self.alarms.iter().filter(|(name, alarm)| {
            (types.is_empty() || types.contains(&"MetricAlarm"))
                && (names.is_empty() || names.contains(&name.as_str()))
                && prefix.is_none_or(|prefix| name.starts_with(prefix))
                && state.is_none_or(|state| alarm.state == state)
                && action.is_none_or(|prefix| {
                    alarm.actions().iter().any(|action| action.starts_with(prefix))
                })
        });
        let page = keyset::cut(rows, size, text(input, "NextToken")?, |(name, _)| (*name).clone())
            .map_err(|InvalidToken| {
                ApiError::refused("InvalidNextToken", "The next token specified is invalid.")
            })?;
        let alarms: Vec<Value> =
            page.rows.into_iter().map(|(name, alarm)| self.show(name, alarm)).collect();
        Ok(without_nulls(
            json!({"MetricAlarms": alarms, "CompositeAlarms": [], "NextToken": page.next}),
        ))
    }

    /// One unknown name, and no alarm is deleted.
    pub(super) fn delete_alarms(&mut self, input: &Value) -> Result<Value, ApiError> {
        let names = texts(input, "AlarmNames")?;
        if names.is_empty() || names.len() > NAMES_MAX {
            return Err(invalid("AlarmNames takes 1 to 100 names."));
        }
        if let Some(unknown) = names.iter().find(|name| !self.alarms.contains_key(**name)) {
            return Err(not_found(unknown));
        }
        for name in names {
            self.remove(name);
        }
        Ok(json!({}))
    }

    pub(super) fn set_alarm_state(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let name = required_text(input, "AlarmName")?;
        let state = required_text(input, "StateValue")?;
        let reason = required_text(input, "StateReason")?;
        validate_state(state)?;
        let alarm = self.alarms.get_mut(name).ok_or_else(|| not_found(name))?;
        alarm.reason_data = text(input, "StateReasonData")?.map(str::to_owned);
        if alarm.enter(state, reason, now) {
            let transition = alarm.transition(name);
            self.transitions.push(transition);
        }
        Ok(json!({}))
    }

    /// Takes an alarm away; whoever counted on its ringing learns that it is silent.
    pub(crate) fn remove(&mut self, name: &str) {
        let Some(mut alarm) = self.alarms.remove(name) else { return };
        if alarm.state == "ALARM" {
            "OK".clone_into(&mut alarm.state);
            self.transitions.push(alarm.transition(name));
        }
    }

    fn show(&self, name: &str, alarm: &Alarm) -> Value {
        let mut members = alarm.given.clone();
        for (member, value) in [
            (
                "AlarmArn",
                json!(format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", self.region, self.account)),
            ),
            ("AlarmConfigurationUpdatedTimestamp", epoch(alarm.configured)),
            ("StateValue", json!(alarm.state)),
            ("StateReason", json!(alarm.reason)),
            ("StateReasonData", json!(alarm.reason_data)),
            ("StateUpdatedTimestamp", epoch(alarm.updated)),
            ("StateTransitionedTimestamp", epoch(alarm.transitioned)),
        ] {
            members.insert(member.to_owned(), value);
        }
        Value::Object(members)
    }
}

impl Alarm {
    fn new(given: Map<String, Value>, now: Timestamp) -> Self {
        Self {
            given,
            configured: now,
            state: "INSUFFICIENT_DATA".to_owned(),
            reason: "Unchecked: Initial alarm creation".to_owned(),
            reason_data: None,
            updated: now,
            transitioned: now,
        }
    }

    /// Enters a state; whether it was in another one.
    fn enter(&mut self, state: &str, reason: &str, now: Timestamp) -> bool {
        let is_change = self.state != state;
        state.clone_into(&mut self.state);
        reason.clone_into(&mut self.reason);
        self.updated = now;
        if is_change {
            self.transitioned = now;
        }
        is_change
    }

    fn actions(&self) -> Vec<&str> {
        let actions = ["AlarmActions", "OKActions", "InsufficientDataActions"];
        let lists = actions.iter().filter_map(|name| self.given.get(*name)?.as_array());
        lists.flatten().filter_map(Value::as_str).collect()
    }

    fn transition(&self, name: &str) -> Transition {
        let rings = self.state == "ALARM";
        let is_enabled = self.given.get("ActionsEnabled").and_then(Value::as_bool).unwrap_or(true);
        let actions = self.given.get("AlarmActions").and_then(Value::as_array);
        let actions = actions.filter(|_| rings && is_enabled).into_iter().flatten();
        Transition {
            alarm: name.to_owned(),
            rings,
            comparison: self
                .given
                .get("ComparisonOperator")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            actions: actions.filter_map(Value::as_str).map(str::to_owned).collect(),
        }
    }
}

fn validate(input: &Value) -> Result<(), ApiError> {
    let missing = |name: &str| {
        ApiError::refused(
            "MissingRequiredParameterException",
            format!("The parameter {name} is required."),
        )
    };
    let comparison =
        text(input, "ComparisonOperator")?.ok_or_else(|| missing("ComparisonOperator"))?;
    if !COMPARISONS.contains(&comparison) {
        return Err(invalid(format!("{comparison} is not a comparison operator.")));
    }
    let periods =
        number(input, "EvaluationPeriods")?.ok_or_else(|| missing("EvaluationPeriods"))?;
    if periods < 1 {
        return Err(invalid("EvaluationPeriods must be at least 1."));
    }
    if number(input, "DatapointsToAlarm")?.is_some_and(|points| !(1..=periods).contains(&points)) {
        return Err(invalid("DatapointsToAlarm must be between 1 and EvaluationPeriods."));
    }
    flag(input, "ActionsEnabled")?;
    for actions in ["AlarmActions", "OKActions", "InsufficientDataActions"] {
        if texts(input, actions)?.len() > 5 {
            return Err(invalid(format!("{actions} takes at most 5 actions.")));
        }
    }
    if list(input, "Metrics")?.is_some() {
        if member(input, "MetricName").is_some() {
            return Err(ApiError::refused(
                "InvalidParameterCombinationException",
                "The parameters MetricName and Metrics exclude each other.",
            ));
        }
        return Ok(());
    }
    for name in ["MetricName", "Namespace"] {
        text(input, name)?.ok_or_else(|| missing(name))?;
    }
    if text(input, "Statistic")?.is_some() == text(input, "ExtendedStatistic")?.is_some() {
        return Err(invalid("Exactly one of Statistic and ExtendedStatistic must be given."));
    }
    float(input, "Threshold")?.ok_or_else(|| missing("Threshold"))?;
    match number(input, "Period")?.ok_or_else(|| missing("Period"))? {
        10 | 20 | 30 => Ok(()),
        period if period > 0 && period % 60 == 0 => Ok(()),
        period => Err(invalid(format!("Period {period} must be 10, 20, 30 or a multiple of 60."))),
    }
}

fn validate_state(state: &str) -> Result<(), ApiError> {
    if STATES.contains(&state) {
        return Ok(());
    }
    let rule = "Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]";
    Err(crate::json::constraint("StateValue", state, rule))
}

fn not_found(name: &str) -> ApiError {
    let message = format!("The named resource {name} does not exist.");
    ApiError { http_status: 404, ..ApiError::refused("ResourceNotFound", message) }
}
