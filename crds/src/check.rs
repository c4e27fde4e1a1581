//! The list `rollout.checks`: measurements that judge a rollout, and what is said of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{GateStage, HumanDuration};

/// One check of a rollout: what is measured, when, and what counts as good.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Check {
    /// Its name, by which it is told of. Unique among the checks of the service.
    pub name: String,
    /// Measure by a request. One of `http`, `cloudwatch`, `prometheus` and `alb` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpCheck>,
    /// Measure by CloudWatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloudwatch: Option<CloudwatchCheck>,
    /// Measure by Prometheus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<PrometheusCheck>,
    /// Measure by the Application Load Balancer of the service's own target groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alb: Option<AlbCheck>,
    /// What a measured value passes by, `>= 0.99`, `< 500ms`, `== "ok"`. Without `failure` all else fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<String>,
    /// What a measured value fails by. Without `success` all else passes; with both, what is neither is inconclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// How long after the rollout began, or after it has come to the stage, it is measured first. Default: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_delay: Option<HumanDuration>,
    /// How long after a measurement the next one is made. Default `1m`, at least `5s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<HumanDuration>,
    /// How many measurements have to pass. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub count: Option<u32>,
    /// How many measurements may fail; one more ends the rollout. Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1000))]
    pub failure_limit: Option<u32>,
    /// For how long measurements may say nothing before a person is asked. Default `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inconclusive_limit: Option<HumanDuration>,
    /// Stages of a `BLUE_GREEN`, `CANARY` or `LINEAR` rollout at which it is measured, `POST_TEST_TRAFFIC_SHIFT` for
    /// instance; the rollout waits there until it has passed. Without them it is measured all along the rollout, which then
    /// waits before each move of production traffic, and before the old tasks go, as long as it says nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<GateStage>,
    /// For how long it goes on being measured after ECS has ended the rollout. Default: until it has passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<HumanDuration>,
}

/// A request. Without a condition the answer's status decides; with one also the value of `jsonPath`, or else the seconds
/// until the answer was there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpCheck {
    /// Where it goes, `https://…` or `http://…`. Redirects are not followed.
    pub url: String,
    /// `GET`, `HEAD` or `POST`. Default `GET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<HttpMethod>,
    /// Its headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<CheckHeader>,
    /// What is sent with `POST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The statuses that are good; another one fails. Default: 200 to 299.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<u16>,
    /// Where in the answer's JSON the value is: `$.models[0].accuracy`, `$['a.b']`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json_path: Option<String>,
    /// How long the answer may take; after that the measurement says nothing. Default `5s`, at most `10s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<HumanDuration>,
}

/// How a request is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// Reads.
    #[default]
    Get,
    /// Reads the head only.
    Head,
    /// Sends a body.
    Post,
}

/// A header: exactly one of `value` and `credential`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckHeader {
    /// Its name.
    pub name: String,
    /// Its value, for everybody to read who reads the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The name of one of the operator's credentials (`checks.credentials` of the `Controller`) that is its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// A metric of CloudWatch, or several in an expression. The newest value of the last periods counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloudwatchCheck {
    /// Queries as `GetMetricData` takes them; the one whose `returnData` is not `false` is the value. Instead of all the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricQuery>,
    /// The metric's namespace, `AWS/SQS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The metric's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// The metric's dimensions, all of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<String, String>,
    /// The statistic: `Average`, `Sum`, `p99` and so on. Default `Average`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stat: Option<String>,
    /// The length of a period, whole minutes. Default `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<HumanDuration>,
    /// An expression of metric math over the metric, which it names `m`: `m / 1000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
}

/// A query of `GetMetricData`: a metric, or an expression over the ids of others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricQuery {
    /// By which expressions name it: a small letter, then letters, digits and `_`.
    pub id: String,
    /// An expression. Instead of `metricStat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// A metric. Instead of `expression`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_stat: Option<MetricQueryStat>,
    /// Whether this is the value; exactly one is. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_data: Option<bool>,
}

/// A metric with its statistic and period.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricQueryStat {
    /// The metric.
    pub metric: QueriedMetric,
    /// The length of a period in seconds, a multiple of 60.
    pub period: u32,
    /// The statistic: `Average`, `Sum`, `p99` and so on.
    pub stat: String,
}

/// A metric by namespace, name and dimensions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueriedMetric {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub metric_name: String,
    /// Its dimensions, all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<QueriedDimension>,
}

/// A dimension of a metric.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueriedDimension {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A query of Prometheus that gives one value: a scalar, or a vector of one element.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrometheusCheck {
    /// The server, without `/api/v1/query`.
    pub url: String,
    /// The query, in `PromQL`.
    pub query: String,
    /// The request's headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<CheckHeader>,
    /// How long the answer may take; after that the measurement says nothing. Default `5s`, at most `10s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<HumanDuration>,
}

/// What the load balancer says of the service's target groups. Each condition that is given has to hold; without any, built-in
/// ones have to: of rate and latency against the old side where the strategy has two, and of healthy hosts. `success` and
/// `failure` are not used. In a rollout with two target groups the new one is judged, from its first production traffic on or
/// at its stages, and `old` in a condition is the same measurement of the other one in the same minutes, or once all traffic
/// has moved in the last ones before: `<= 1% or <= 1.5 x old`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlbCheck {
    /// The share of requests that targets answered with 5xx, or that found no target to connect to: `< 1%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub five_xx_rate: Option<String>,
    /// The targets' time to answer: `< 500ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<String>,
    /// The statistic of `latency`. Default `p99`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_stat: Option<String>,
    /// The least number of healthy hosts in the window: `>= 2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy_hosts: Option<String>,
    /// The whole minutes that are looked at. Default `1m`, at most `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<HumanDuration>,
    /// How many requests the window must have for rate and latency to say something. Default 1, and 10 for built-in conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_requests: Option<u32>,
}

/// What the operator itself has for the requests of checks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Checks {
    /// Values of headers that are secrets, by name, each for some hosts only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<CheckCredential>,
}

/// A secret that is sent as the value of a header.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckCredential {
    /// The name by which checks ask for it.
    pub name: String,
    /// The hosts that may receive it, `prometheus.example.com`, by https only unless it is this machine. No other ever does.
    pub hosts: Vec<String>,
    /// Where the header's whole value is read from, each time it is needed.
    pub value: crate::SecretFrom,
}

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CheckState {
    /// It has not been measured yet.
    Waiting,
    /// It is being measured.
    Running,
    /// It has passed.
    Passed,
    /// It has failed.
    Failed,
    /// Its measurements say nothing.
    Inconclusive,
}

/// What is said of one check of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckStatus {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: CheckState,
    /// How often it was measured.
    pub measured: u32,
    /// How many of the measurements failed.
    pub failed: u32,
    /// How many of the measurements said nothing.
    pub inconclusive: u32,
    /// The last measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastMeasurement>,
    /// How it stands, in a sentence.
    pub message: String,
}

/// The last measurement of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastMeasurement {
    /// When it was made.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// What was measured, with its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}
