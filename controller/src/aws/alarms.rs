//! CloudWatch alarms. This API speaks CBOR, so that its inputs are the SDK's own types; they stay in this file.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmInputBuilder;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricAlarm, MetricDataQuery, MetricStat, StandardUnit, Statistic,
};
use serde_json::{Map, Value, json};

use super::account::Account;
use super::answer::{PAGES_MAX, text};
use super::connection::SharedConnection;
use super::error::Error;
use super::operation::Operation;
use super::readings::{Found, Readings, Scope};
use super::sdk_error::{Sent, from_sdk};

/// What the names of all alarms of ours begin with.
const OURS: &str = "longshore/";

impl Account {
    /// The alarms whose names begin with `longshore/<cluster>/<name>/`: `{MetricAlarms}`, or `null`.
    ///
    /// Read for all services together, at most some minutes ago.
    pub async fn scaling_alarms(&self, prefix: &str) -> Result<Arc<Value>, Error> {
        self.inner.alarms.get(prefix).await
    }

    /// The same, read a moment ago at the most.
    pub async fn scaling_alarms_now(&self, prefix: &str) -> Result<Arc<Value>, Error> {
        self.inner.alarms.newest(prefix).await
    }

    /// Makes or replaces an alarm from PutMetricAlarm's input.
    pub async fn put_metric_alarm(&self, input: &Value) -> Result<(), Error> {
        let (operation, name) =
            (Operation::PutMetricAlarm, text(input, "AlarmName").unwrap_or_default());
        let attempt = async {
            let sent = given(input).send_with(&self.inner.connection.clients.cloudwatch).await;
            sent.map_err(|error| from_sdk(operation, name, Sent::Perhaps, &error))
        };
        let result = self.inner.connection.alter(operation, name, attempt).await;
        self.inner.alarms.forget(prefix_of(name));
        result.map(|_| ())
    }

    /// Removes alarms, all or none.
    pub async fn delete_alarms(&self, names: &[String]) -> Result<(), Error> {
        let (operation, subject) = (Operation::DeleteAlarms, names.join(", "));
        let call = self.inner.connection.clients.cloudwatch.delete_alarms();
        let attempt = async {
            let sent = call.set_alarm_names(Some(names.to_vec())).send().await;
            sent.map_err(|error| from_sdk(operation, &subject, Sent::Perhaps, &error))
        };
        let result = self.inner.connection.alter(operation, &subject, attempt).await;
        for name in names {
            self.inner.alarms.forget(prefix_of(name));
        }
        result.map(|_| ())
    }
}

/// `longshore/shop/web/` of `longshore/shop/web/out`.
fn prefix_of(name: &str) -> &str {
    let end = name.match_indices('/').nth(2).map_or(name.len(), |(at, slash)| at + slash.len());
    name.get(..end).unwrap_or(name)
}

pub(super) fn readings(connection: &SharedConnection) -> Readings {
    let connection = Arc::clone(connection);
    Readings::new(1, move |scope| {
        let connection = Arc::clone(&connection);
        async move {
            let prefixes = match scope {
                Scope::Everything => vec![OURS.to_owned()],
                Scope::Only(keys) => keys,
            };
            let mut found = Found::default();
            for prefix in prefixes {
                list(&connection, &prefix, &mut found).await?;
            }
            Ok(found)
        }
    })
}

/// Every alarm whose name begins with a prefix, sorted out by service: all of them, or an error.
async fn list(connection: &SharedConnection, prefix: &str, found: &mut Found) -> Result<(), Error> {
    let operation = Operation::DescribeAlarms;
    let mut next: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let attempt = || async {
            let call = connection.clients.cloudwatch.describe_alarms().alarm_name_prefix(prefix);
            let sent = call.max_records(100).set_next_token(next.clone()).send().await;
            sent.map_err(|error| from_sdk(operation, prefix, Sent::Perhaps, &error))
        };
        let page = connection.ask(operation, attempt).await?;
        found.calls += 1;
        sort_out(&mut found.values, page.metric_alarms());
        let following = page.next_token.filter(|token| !token.is_empty());
        if following.is_none() {
            return Ok(());
        }
        next = following;
    }
    Err(Error::unexpected(operation, prefix, "the list does not end"))
}

fn sort_out(values: &mut HashMap<String, Value>, alarms: &[MetricAlarm]) {
    for alarm in alarms {
        let prefix = prefix_of(alarm.alarm_name().unwrap_or_default()).to_owned();
        let of_service = values.entry(prefix).or_insert_with(|| json!({ "MetricAlarms": [] }));
        if let Some(Value::Array(list)) = of_service.get_mut("MetricAlarms") {
            list.push(shown(alarm));
        }
    }
}

/// An alarm as the JSON that its members' names make.
fn shown(alarm: &MetricAlarm) -> Value {
    let mut members = Map::new();
    for (name, value) in [
        ("AlarmName", json!(alarm.alarm_name())),
        ("AlarmDescription", json!(alarm.alarm_description())),
        ("ActionsEnabled", json!(alarm.actions_enabled())),
        ("AlarmActions", json!(alarm.alarm_actions())),
        ("OKActions", json!(alarm.ok_actions())),
        ("InsufficientDataActions", json!(alarm.insufficient_data_actions())),
        ("StateValue", json!(alarm.state_value().map(|state| state.as_str()))),
        ("MetricName", json!(alarm.metric_name())),
        ("Namespace", json!(alarm.namespace())),
        ("Dimensions", dimensions_shown(alarm.dimensions())),
        ("Statistic", json!(alarm.statistic().map(Statistic::as_str))),
        ("ExtendedStatistic", json!(alarm.extended_statistic())),
        ("Period", json!(alarm.period())),
        ("Unit", json!(alarm.unit().map(StandardUnit::as_str))),
        ("Metrics", alarm.metrics().iter().map(query_shown).collect()),
        ("Threshold", json!(alarm.threshold())),
        ("ComparisonOperator", json!(alarm.comparison_operator().map(|one| one.as_str()))),
        ("EvaluationPeriods", json!(alarm.evaluation_periods())),
        ("DatapointsToAlarm", json!(alarm.datapoints_to_alarm())),
        ("TreatMissingData", json!(alarm.treat_missing_data())),
        ("EvaluateLowSampleCountPercentile", json!(alarm.evaluate_low_sample_count_percentile())),
    ] {
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
    }
    Value::Object(members)
}

fn dimensions_shown(dimensions: &[Dimension]) -> Value {
    dimensions.iter().map(|one| json!({ "Name": one.name(), "Value": one.value() })).collect()
}

fn query_shown(query: &MetricDataQuery) -> Value {
    let stat = query.metric_stat().map(|stat| {
        let metric = stat.metric().map(|metric| {
            json!({
                "MetricName": metric.metric_name(), "Namespace": metric.namespace(),
                "Dimensions": dimensions_shown(metric.dimensions()),
            })
        });
        json!({
            "Metric": metric, "Period": stat.period(), "Stat": stat.stat(),
            "Unit": stat.unit().map(StandardUnit::as_str),
        })
    });
    json!({
        "Id": query.id(), "Expression": query.expression(), "MetricStat": stat, "Label": query.label(),
        "ReturnData": query.return_data(), "Period": query.period(), "AccountId": query.account_id(),
    })
}

/// PutMetricAlarm's input as the SDK takes it.
fn given(input: &Value) -> PutMetricAlarmInputBuilder {
    let words = |name: &str| text(input, name).map(str::to_owned);
    PutMetricAlarmInputBuilder::default()
        .set_alarm_name(words("AlarmName"))
        .set_alarm_description(words("AlarmDescription"))
        .set_actions_enabled(input.get("ActionsEnabled").and_then(Value::as_bool))
        .set_alarm_actions(texts(input, "AlarmActions"))
        .set_ok_actions(texts(input, "OKActions"))
        .set_insufficient_data_actions(texts(input, "InsufficientDataActions"))
        .set_metric_name(words("MetricName"))
        .set_namespace(words("Namespace"))
        .set_dimensions(dimensions_given(input))
        .set_statistic(text(input, "Statistic").map(Statistic::from))
        .set_extended_statistic(words("ExtendedStatistic"))
        .set_period(number(input, "Period"))
        .set_unit(text(input, "Unit").map(StandardUnit::from))
        .set_metrics(list_of(input, "Metrics").map(|all| all.iter().map(query_given).collect()))
        .set_threshold(input.get("Threshold").and_then(Value::as_f64))
        .set_comparison_operator(text(input, "ComparisonOperator").map(Into::into))
        .set_evaluation_periods(number(input, "EvaluationPeriods"))
        .set_datapoints_to_alarm(number(input, "DatapointsToAlarm"))
        .set_treat_missing_data(words("TreatMissingData"))
        .set_evaluate_low_sample_count_percentile(words("EvaluateLowSampleCountPercentile"))
}

fn query_given(query: &Value) -> MetricDataQuery {
    let words = |name: &str| text(query, name).map(str::to_owned);
    let stat = query.get("MetricStat").filter(|stat| stat.is_object()).map(|stat| {
        let metric = stat.get("Metric").map(|metric| {
            Metric::builder()
                .set_metric_name(text(metric, "MetricName").map(str::to_owned))
                .set_namespace(text(metric, "Namespace").map(str::to_owned))
                .set_dimensions(dimensions_given(metric))
                .build()
        });
        MetricStat::builder()
            .set_metric(metric)
            .set_period(number(stat, "Period"))
            .set_stat(text(stat, "Stat").map(str::to_owned))
            .set_unit(text(stat, "Unit").map(StandardUnit::from))
            .build()
    });
    MetricDataQuery::builder()
        .set_id(words("Id"))
        .set_expression(words("Expression"))
        .set_metric_stat(stat)
        .set_label(words("Label"))
        .set_return_data(query.get("ReturnData").and_then(Value::as_bool))
        .set_period(number(query, "Period"))
        .set_account_id(words("AccountId"))
        .build()
}

fn dimensions_given(value: &Value) -> Option<Vec<Dimension>> {
    let one = |dimension: &Value| {
        let words = |name: &str| text(dimension, name).map(str::to_owned);
        Dimension::builder().set_name(words("Name")).set_value(words("Value")).build()
    };
    Some(list_of(value, "Dimensions")?.iter().map(one).collect())
}

fn list_of<'a>(value: &'a Value, name: &str) -> Option<&'a Vec<Value>> {
    value.get(name)?.as_array()
}

fn texts(value: &Value, name: &str) -> Option<Vec<String>> {
    let list = list_of(value, name)?.iter();
    Some(list.filter_map(|text| text.as_str().map(str::to_owned)).collect())
}

fn number(value: &Value, name: &str) -> Option<i32> {
    i32::try_from(value.get(name)?.as_i64()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarms_prefix_names_its_service() {
        assert_eq!(prefix_of("longshore/shop/web/out"), "longshore/shop/web/");
        assert_eq!(prefix_of("longshore/shop/web/a/b"), "longshore/shop/web/");
        assert_eq!(prefix_of("longshore/shop"), "longshore/shop");
    }
}
