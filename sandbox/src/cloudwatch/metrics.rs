//! Values of metrics, as a test set them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::math::{self, Series};
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

    /// Of metric math, arithmetic and `FILL` are computed; anything else is refused.
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
        let mut known: BTreeMap<String, Series> = BTreeMap::new();
        for query in
            queries.iter().filter(|query| text(query, "Expression").ok().flatten().is_none())
        {
            known.insert(required_text(query, "Id")?.to_owned(), self.series(query, (start, end))?);
        }
        let mut results = Vec::new();
        for query in queries {
            let id = required_text(query, "Id")?;
            let series = match (text(query, "Expression")?, known.get(id)) {
                (Some(expression), _) => {
                    let series = math::evaluate(expression, &known)?;
                    known.insert(id.to_owned(), series.clone());
                    series
                }
                (None, found) => found.cloned().unwrap_or_default(),
            };
            if query.get("ReturnData") != Some(&Value::Bool(false)) {
                results.push(result(query, id, &series, ascending)?);
            }
        }
        Ok(json!({"MetricDataResults": results, "Messages": []}))
    }

    /// The statistic of one metric, by the periods' beginnings.
    fn series(
        &self,
        query: &Value,
        (start, end): (Timestamp, Timestamp),
    ) -> Result<Series, ApiError> {
        let statistics = query.get("MetricStat").filter(|statistics| statistics.is_object());
        let statistics = statistics.ok_or_else(|| absent("MetricStat"))?;
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
        Ok(periods.into_iter().map(|(second, values)| (second, statistic.of(&values))).collect())
    }
}

fn result(query: &Value, id: &str, series: &Series, ascending: bool) -> Result<Value, ApiError> {
    let mut points: Vec<(Value, f64)> = series
        .iter()
        .filter_map(|(second, value)| Some((epoch(Timestamp::from_second(*second).ok()?), *value)))
        .collect();
    if !ascending {
        points.reverse();
    }
    let (timestamps, values): (Vec<Value>, Vec<f64>) = points.into_iter().unzip();
    let name = query.pointer("/MetricStat/Metric/MetricName").and_then(Value::as_str);
    Ok(json!({
        "Id": id,
        "Label": text(query, "Label")?.or(name).unwrap_or(id),
        "Timestamps": timestamps,
        "Values": values,
        "StatusCode": "Complete",
    }))
}

#[derive(Debug, Clone, Copy)]
enum Statistic {
    Average,
    Sum,
    Minimum,
    Maximum,
    SampleCount,
    /// The value that so many percent of the values do not exceed.
    Percentile(f64),
}

impl Statistic {
    fn parse(name: &str) -> Result<Self, ApiError> {
        match name {
            "Average" => Ok(Self::Average),
            "Sum" => Ok(Self::Sum),
            "Minimum" => Ok(Self::Minimum),
            "Maximum" => Ok(Self::Maximum),
            "SampleCount" => Ok(Self::SampleCount),
            name if name.starts_with('p') => name
                .get(1..)
                .and_then(|percent| percent.parse().ok())
                .filter(|percent| (0.0..=100.0).contains(percent))
                .map(Self::Percentile)
                .ok_or_else(|| invalid(format!("The statistic {name} is not valid."))),
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
            Self::Percentile(percent) => percentile(values, percent),
        }
    }
}

fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let many = u32::try_from(sorted.len()).map_or(f64::MAX, f64::from);
    let below =
        |index: &usize| u32::try_from(*index).map_or(f64::MAX, f64::from) < percent / 100.0 * many;
    let rank = (0..sorted.len()).filter(below).count().saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}
