//! Metrics of CloudWatch: those that a check names, and those of the service's own target groups.

use std::collections::BTreeMap;
use std::time::Duration;

use crds::{CloudwatchCheck, MetricQuery, MetricQueryStat, QueriedDimension, QueriedMetric};
use jiff::Timestamp;
use planner::checks::{AlbFigures, AlbRule, METRIC_DELAY, Reading, period, read};
use planner::{Observed, gate};
use serde_json::Value;

use crate::aws::{Account, Error, MetricValues};

/// How many periods back the newest value is looked for: metrics come late.
const PERIODS: u32 = 3;
const MINUTE: Duration = Duration::from_mins(1);
/// How long CloudWatch may take, with every try.
const TIMEOUT: Duration = Duration::from_secs(20);
/// What a load balancer measures, with the statistic.
const MEASURED: [(&str, &str, &str); 4] = [
    ("requests", "RequestCount", "Sum"),
    ("errors", "HTTPCode_Target_5XX_Count", "Sum"),
    ("refused", "TargetConnectionErrorCount", "Sum"),
    ("healthy", "HealthyHostCount", "Minimum"),
];

pub(super) async fn cloudwatch(
    account: &Account,
    check: &CloudwatchCheck,
    (since, now): (Timestamp, Timestamp),
) -> Reading {
    let queries = queries(check);
    let Some(wanted) = queries.iter().find(|query| query.return_data != Some(false)) else {
        return Reading::Nothing("no query is the value".to_owned());
    };
    let end = minute(now);
    // A value from before the rollout says nothing about it.
    let start = earlier(end, period(check) * PERIODS).max(next_minute(since));
    if start >= end {
        return Reading::Nothing("no period lies within the rollout yet".to_owned());
    }
    match ask(account, &queries, (start, end)).await {
        Ok(answers) => answers.get(&wanted.id).map_or_else(
            || Reading::Nothing("CloudWatch has no data".to_owned()),
            |values| read::metric(&values.status, &values.values),
        ),
        Err(why) => Reading::Nothing(why),
    }
}

/// The queries of a check; a metric without queries is one, named `m`.
fn queries(check: &CloudwatchCheck) -> Vec<MetricQuery> {
    if !check.metrics.is_empty() {
        return check.metrics.clone();
    }
    let dimensions = check.dimensions.iter();
    let metric = QueriedMetric {
        namespace: check.namespace.clone().unwrap_or_default(),
        metric_name: check.metric_name.clone().unwrap_or_default(),
        dimensions: dimensions.map(|(name, value)| dimension(name, value)).collect(),
    };
    let stat = check.stat.clone().unwrap_or_else(|| "Average".to_owned());
    let mut single = query("m".to_owned(), metric, stat, period(check));
    let Some(expression) = &check.expression else { return vec![single] };
    single.return_data = Some(false);
    let expression = Some(expression.clone());
    vec![single, MetricQuery { id: "e".to_owned(), expression, ..MetricQuery::default() }]
}

fn query(id: String, metric: QueriedMetric, stat: String, period: Duration) -> MetricQuery {
    let period = u32::try_from(period.as_secs()).unwrap_or(u32::MAX);
    let metric_stat = Some(MetricQueryStat { metric, period, stat });
    MetricQuery { id, metric_stat, ..MetricQuery::default() }
}

fn dimension(name: &str, value: &str) -> QueriedDimension {
    QueriedDimension { name: name.to_owned(), value: value.to_owned() }
}

/// What the load balancer counted for the target groups of the new revision and, where it is compared with the old one, for
/// that one's. `shifted` is until when all requests were the old one's.
pub(super) async fn alb(
    account: &Account,
    observed: &Observed,
    rule: &AlbRule,
    (shifted, now): (Timestamp, Timestamp),
) -> Reading {
    let end = earlier(minute(now), METRIC_DELAY);
    match Box::pin(both_sides(account, observed, rule, (shifted, end))).await {
        Ok(reading) => reading,
        Err(why) => Reading::Nothing(why),
    }
}

async fn both_sides(
    account: &Account,
    observed: &Observed,
    rule: &AlbRule,
    (shifted, end): (Timestamp, Timestamp),
) -> Result<Reading, String> {
    let (new, old) = target_groups(account, observed).await?;
    let new = dimensions(account, &new).await?;
    if new.is_empty() {
        return Err("the service has no target group of an Application Load Balancer".to_owned());
    }
    let old = if rule.names_old() { dimensions(account, &old).await? } else { Vec::new() };
    let new = counted(account, rule, &new, end).await?.unwrap_or_default();
    let same = counted(account, rule, &old, end).await?;
    let is_idle =
        |side: &AlbFigures| side.requests.unwrap_or(0.0) < f64::from(rule.min_requests.max(1));
    let before = match &same {
        Some(side) if is_idle(side) => counted(account, rule, &old, minute(shifted)).await?,
        Some(_) | None => None,
    };
    Ok(Reading::Alb { new, old: same, before })
}

/// What was counted of target groups in the window that ends then; `None` without a group.
async fn counted(
    account: &Account,
    rule: &AlbRule,
    groups: &[Vec<QueriedDimension>],
    end: Timestamp,
) -> Result<Option<AlbFigures>, String> {
    if groups.is_empty() {
        return Ok(None);
    }
    let mut asked = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let latency = ("latency", "TargetResponseTime", rule.latency_stat.as_str());
        for (what, name, stat) in MEASURED.into_iter().chain([latency]) {
            let metric = QueriedMetric {
                namespace: "AWS/ApplicationELB".to_owned(),
                metric_name: name.to_owned(),
                dimensions: group.clone(),
            };
            // Minutes, because longer periods begin at times of their own.
            asked.push(query(format!("{what}_{index}"), metric, stat.to_owned(), MINUTE));
        }
    }
    let answers = ask(account, &asked, (earlier(end, rule.window), end)).await?;
    match answers.values().find(|values| values.status != "Complete") {
        Some(values) => Err(format!("CloudWatch's data is not complete: {}", values.status)),
        None => Ok(Some(figures(&answers))),
    }
}

/// All target groups and minutes together: what is counted is added up, and of latencies and healthy hosts the worst counts.
fn figures(answers: &BTreeMap<String, MetricValues>) -> AlbFigures {
    let values = |what: &'static str| {
        answers
            .iter()
            .filter(move |(id, _)| id.rsplit_once('_').is_some_and(|(name, _)| name == what))
            .flat_map(|(_, found)| found.values.iter().copied())
    };
    let sum = |what| values(what).reduce(|one, other| one + other);
    let (errors, refused) = (sum("errors"), sum("refused"));
    AlbFigures {
        requests: sum("requests"),
        errors: errors.map(|errors| errors + refused.unwrap_or(0.0)).or(refused),
        latency: values("latency").reduce(f64::max),
        healthy_hosts: values("healthy").reduce(f64::min),
    }
}

/// The target groups that serve the new revision, and those of the one before. Where ECS swaps two groups, only the service
/// revision says which is its (aws.md §3.8); the other of each pair is the old one's, also when its tasks have gone.
async fn target_groups(
    account: &Account,
    observed: &Observed,
) -> Result<(Vec<String>, Vec<String>), String> {
    let service = observed.service.as_ref().ok_or("there is no service")?;
    let pairs = balancers(&service.raw, "/loadBalancers");
    let other = |one: &Value| member(one, "/advancedConfiguration/alternateTargetGroupArn");
    let mut old: Vec<String> = pairs.iter().filter_map(other).collect();
    let primary = pairs.iter().filter_map(|one| member(one, "/targetGroupArn"));
    if old.is_empty() {
        return Ok((primary.collect(), Vec::new()));
    }
    old.extend(primary);
    let unseen = "ECS does not show the target groups of the new service revision";
    let in_force = service.revision_in_force().ok_or(unseen)?;
    let found = account.service_revisions(&[in_force.to_owned()]).await;
    let found = found.map_err(|error| error.to_string())?;
    let resolved = found.first().map(|one| balancers(one, "/resolvedConfiguration/loadBalancers"));
    let new: Vec<String> =
        resolved.iter().flatten().filter_map(|one| member(one, "/targetGroupArn")).collect();
    if new.is_empty() {
        return Err(unseen.to_owned());
    }
    old.retain(|group| gate::has_stages(&service.raw) && !new.contains(group));
    Ok((new, old))
}

fn balancers(document: &Value, pointer: &str) -> Vec<Value> {
    document.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn member(balancer: &Value, pointer: &str) -> Option<String> {
    balancer.pointer(pointer)?.as_str().map(str::to_owned)
}

/// The dimensions of target groups of Application Load Balancers: `targetgroup/…` and `app/…`, the ends of the ARNs.
async fn dimensions(
    account: &Account,
    groups: &[String],
) -> Result<Vec<Vec<QueriedDimension>>, String> {
    let mut found = Vec::new();
    for arn in groups {
        let fact = account.target_group(arn).await.map_err(|error| error.to_string())?;
        let fact = fact.ok_or_else(|| format!("there is no target group {arn}"))?;
        let group = arn.rsplit(':').next().unwrap_or_default();
        let balancers = fact.load_balancers.iter().filter_map(|arn| {
            arn.split_once(":loadbalancer/")
                .map(|(_, end)| end)
                .filter(|end| end.starts_with("app/"))
        });
        found.extend(
            balancers
                .map(|end| vec![dimension("LoadBalancer", end), dimension("TargetGroup", group)]),
        );
    }
    Ok(found)
}

async fn ask(
    account: &Account,
    queries: &[MetricQuery],
    window: (Timestamp, Timestamp),
) -> Result<BTreeMap<String, MetricValues>, String> {
    let answer =
        tokio::time::timeout(TIMEOUT, Box::pin(account.metric_values(queries, window))).await;
    match answer {
        Ok(answer) => answer.map_err(|error: Error| error.to_string()),
        Err(_) => Err(format!("CloudWatch did not answer within {} s", TIMEOUT.as_secs())),
    }
}

fn minute(time: Timestamp) -> Timestamp {
    let seconds = time.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(60)).unwrap_or(time)
}

fn next_minute(time: Timestamp) -> Timestamp {
    let floor = minute(time);
    if floor == time { floor } else { floor.checked_add(MINUTE).unwrap_or(floor) }
}

fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}
