//! Values of metrics (aws.md §6.9).

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricStat, ScanBy, StatusCode,
};
use aws_smithy_types::DateTime;
use crds::{MetricQuery, MetricQueryStat};
use jiff::Timestamp;

use super::super::account::Account;
use super::super::error::Error;
use super::super::operation::Operation;

/// What CloudWatch has for one query.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricValues {
    /// `Complete`, `PartialData`, `InternalError` or `Forbidden`.
    pub status: String,
    /// The values, newest first.
    pub values: Vec<f64>,
}

impl Account {
    /// The values of metrics and expressions between two times, by the queries' ids. Every page is read.
    pub async fn metric_values(
        &self,
        queries: &[MetricQuery],
        (start, end): (Timestamp, Timestamp),
    ) -> Result<BTreeMap<String, MetricValues>, Error> {
        let (operation, subject) = (Operation::GetMetricData, "CloudWatch");
        let sent: Vec<MetricDataQuery> = queries.iter().map(query).collect();
        let mut found: BTreeMap<String, MetricValues> = BTreeMap::new();
        let mut next: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let page = self
                .inner
                .connection
                .ask_typed(operation, subject, |clients| {
                    let call = clients.cloudwatch.get_metric_data();
                    let call = call.start_time(DateTime::from_secs(start.as_second()));
                    let call = call.end_time(DateTime::from_secs(end.as_second()));
                    call.set_metric_data_queries(Some(sent.clone()))
                        .scan_by(ScanBy::TimestampDescending)
                        .set_next_token(next.clone())
                        .send()
                })
                .await?;
            for result in page.metric_data_results() {
                let Some(id) = result.id() else { continue };
                let status = result.status_code().map_or("Complete", StatusCode::as_str).to_owned();
                let known = found
                    .entry(id.to_owned())
                    .or_insert_with(|| MetricValues { status: String::new(), values: Vec::new() });
                known.values.extend_from_slice(result.values());
                known.status = status;
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(found);
            }
        }
        Err(Error::unexpected(operation, subject, "the values do not end"))
    }
}

/// A query has few values; more pages than this are no answer.
const PAGES_MAX: usize = 5;

fn query(query: &MetricQuery) -> MetricDataQuery {
    MetricDataQuery::builder()
        .id(&query.id)
        .set_expression(query.expression.clone())
        .set_metric_stat(query.metric_stat.as_ref().map(stat))
        .set_return_data(query.return_data)
        .build()
}

fn stat(stat: &MetricQueryStat) -> MetricStat {
    let dimensions = stat.metric.dimensions.iter().map(|dimension| {
        Dimension::builder().name(&dimension.name).value(&dimension.value).build()
    });
    let metric = Metric::builder()
        .namespace(&stat.metric.namespace)
        .metric_name(&stat.metric.metric_name)
        .set_dimensions(Some(dimensions.collect()))
        .build();
    let period = i32::try_from(stat.period).unwrap_or(i32::MAX);
    MetricStat::builder().metric(metric).period(period).stat(&stat.stat).build()
}
