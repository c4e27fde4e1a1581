//! Values of metrics, as a test set them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{CloudWatch, invalid};
use crate::{
    ApiError,
    json::{absent, bounded, epoch, float, instant, list, number, required_text, text},
};

const QUERIES_MAX: usize = 500;

/// A metric by namespace, name and dimensions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Metric {
    namespace: String,
    name: String,
    dimensions: BTreeMap<String, String>,
}

impl Metric {
    fn parse(namespace: &str, metric: &Value) -> Result<Self, ApiError> {
        let mut dimensions = BTreeMap::new();
        for dimension in list(metric, "Dimensions")?.unwrap_or_default() {
            let name = required_text(dimension, "Name")?.to_owned();
            dimensions.insert(name, required_text(dimension, "Value")?.to_owned());
        }
        let name = required_text(metric, "MetricName")?.to_owned();
        Ok(Self { namespace: namespace.to_owned(), name, dimensions })
    }
}

impl CloudWatch {
    pub(super) fn put_metric_data(
        &mut self,
        input: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let namespace = required_text(input, "Namespace")?;
        let mut rows = Vec::new();
        for row in list(input, "MetricData")?.ok_or_else(|| absent("MetricData"))? {
            let value =
                float(row, "Value")?.ok_or_else(|| invalid("The parameter Value is required."))?;
            let when = instant(row, "Timestamp")?.unwrap_or(now);
            rows.push((Metric::parse(namespace, row)?, when, value));
        }
        for (metric, when, value) in rows {
            self.metrics.entry(metric).or_default().push((when, value));
        }
        Ok(json!({}))
    }

    /// Metric math is refused: the sandbox computes nothing but the statistics of one metric.
    pub(super) fn get_metric_data(&self, input: &Value) -> Result<Value, ApiError> {
        let queries =
            list(input, "MetricDataQueries")?.ok_or_else(|| absent("MetricDataQueries"))?;
        let start = instant(input, "StartTime")?.ok_or_else(|| absent("StartTime"))?;
        let end = instant(input, "EndTime")?.ok_or_else(|| absent("EndTime"))?;
        bounded(input, "MaxDatapoints", (1, 100_800), 100_800)?;
        let ascending = text(input, "ScanBy")? == Some("TimestampAscending");
        if queries.is_empty() || queries.len() > QUERIES_MAX {
            return Err(invalid("MetricDataQueries takes 1 to 500 queries."));
        }
        if start >= end {
            return Err(invalid(
                "The parameter StartTime must be less than the parameter EndTime.",
            ));
        }
        let results: Result<Vec<Value>, ApiError> =
            queries.iter().map(|query| self.query(query, (start, end), ascending)).collect();
        Ok(json!({"MetricDataResults": results?, "Messages": []}))
    }

    fn query(
        &self,
        query: &Value,
        (start, end): (Timestamp, Timestamp),
        ascending: bool,
    ) -> Result<Value, ApiError> {
        let id = required_text(query, "Id")?;
        let statistics = query.get("MetricStat").filter(|statistics| statistics.is_object());
        let statistics = statistics.ok_or_else(|| {
            invalid(format!("Query {id}: the sandbox does not evaluate expressions."))
        })?;
        let metric = statistics.get("Metric").unwrap_or(&Value::Null);
        let metric = Metric::parse(required_text(metric, "Namespace")?, metric)?;
        let statistic = Statistic::parse(required_text(statistics, "Stat")?)?;
        let period = number(statistics, "Period")?.ok_or_else(|| absent("Period"))?;
        if period < 1 {
            return Err(invalid("Period must be at least 1."));
        }
        let mut periods: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for (when, value) in self.metrics.get(&metric).into_iter().flatten() {
            if (start..end).contains(when) {
                periods
                    .entry(when.as_second().div_euclid(period) * period)
                    .or_default()
                    .push(*value);
            }
        }
        let mut points: Vec<(Value, f64)> = periods
            .into_iter()
            .filter_map(|(second, values)| {
                Some((epoch(Timestamp::from_second(second).ok()?), statistic.of(&values)))
            })
            .collect();
        if !ascending {
            points.reverse();
        }
        let (timestamps, values): (Vec<Value>, Vec<f64>) = points.into_iter().unzip();
        Ok(json!({
            "Id": id,
            "Label": text(query, "Label")?.unwrap_or(&metric.name),
            "Timestamps": timestamps,
            "Values": values,
            "StatusCode": "Complete",
        }))
    }
}

#[derive(Debug, Clone, Copy)]
enum Statistic {
    Average,
    Sum,
    Minimum,
    Maximum,
    SampleCount,
}

impl Statistic {
    fn parse(name: &str) -> Result<Self, ApiError> {
        match name {
            "Average" => Ok(Self::Average),
            "Sum" => Ok(Self::Sum),
            "Minimum" => Ok(Self::Minimum),
            "Maximum" => Ok(Self::Maximum),
            "SampleCount" => Ok(Self::SampleCount),
            name => Err(invalid(format!("The sandbox does not compute the statistic {name}."))),
        }
    }

    fn of(self, values: &[f64]) -> f64 {
        let sum: f64 = values.iter().sum();
        let count = u32::try_from(values.len()).map_or(f64::MAX, f64::from);
        match self {
            Self::Average => sum / count,
            Self::Sum => sum,
            Self::Minimum => values.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Maximum => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::SampleCount => count,
        }
    }
}
