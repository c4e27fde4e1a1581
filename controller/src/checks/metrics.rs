//! Metrics of CloudWatch: those that a check names, and those of the service's own target groups.

use std::collections::BTreeMap;
use std::time::Duration;

use crds::{CloudwatchCheck, MetricQuery, MetricQueryStat, QueriedDimension, QueriedMetric};
use jiff::Timestamp;
use planner::Observed;
use planner::checks::{AlbFigures, AlbRule, METRIC_DELAY, Reading, period, read};
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

/// What the load balancer counted for the target groups of the new revision and, where others serve the old one, of those.
pub(super) async fn alb(
    account: &Account,
    observed: &Observed,
    rule: &AlbRule,
    now: Timestamp,
) -> Reading {
    match Box::pin(both_sides(account, observed, rule, now)).await {
        Ok((new, old)) => Reading::Alb { new, old },
        Err(why) => Reading::Nothing(why),
    }
}

async fn both_sides(
    account: &Account,
    observed: &Observed,
    rule: &AlbRule,
    now: Timestamp,
) -> Result<(AlbFigures, Option<AlbFigures>), String> {
    let (new, mut old) = target_groups(account, observed).await?;
    old.retain(|group| !new.contains(group));
    let sides =
        [("new", dimensions(account, &new).await?), ("old", dimensions(account, &old).await?)];
    if sides.iter().all(|(side, groups)| *side != "new" || groups.is_empty()) {
        return Err("the service has no target group of an Application Load Balancer".to_owned());
    }
    let mut asked = Vec::new();
    for (side, groups) in &sides {
        for (index, group) in groups.iter().enumerate() {
            let latency = ("latency", "TargetResponseTime", rule.latency_stat.as_str());
            for (what, name, stat) in MEASURED.into_iter().chain([latency]) {
                let metric = QueriedMetric {
                    namespace: "AWS/ApplicationELB".to_owned(),
                    metric_name: name.to_owned(),
                    dimensions: group.clone(),
                };
                // Minutes, because longer periods begin at times of their own.
                asked.push(query(
                    format!("{side}_{index}_{what}"),
                    metric,
                    stat.to_owned(),
                    MINUTE,
                ));
            }
        }
    }
    let end = earlier(minute(now), METRIC_DELAY);
    let answers = ask(account, &asked, (earlier(end, rule.window), end)).await?;
    let partial = answers.values().find(|values| values.status != "Complete");
    if let Some(values) = partial {
        return Err(format!("CloudWatch's data is not complete: {}", values.status));
    }
    let [new, old] = sides.map(|(side, groups)| figures(&answers, side, groups.len()));
    Ok((new.unwrap_or_default(), old))
}

/// All target groups and minutes of one side together: what is counted is added up, and of latencies and healthy hosts the
/// worst counts.
fn figures(
    answers: &BTreeMap<String, MetricValues>,
    side: &str,
    groups: usize,
) -> Option<AlbFigures> {
    let values = |what: &'static str| {
        (0..groups)
            .filter_map(move |index| answers.get(&format!("{side}_{index}_{what}")))
            .flat_map(|found| found.values.iter().copied())
    };
    let sum = |what| values(what).reduce(|one, other| one + other);
    let (errors, refused) = (sum("errors"), sum("refused"));
    (groups > 0).then(|| AlbFigures {
        requests: sum("requests"),
        errors: errors.map(|errors| errors + refused.unwrap_or(0.0)).or(refused),
        latency: values("latency").reduce(f64::max),
        healthy_hosts: values("healthy").reduce(f64::min),
    })
}

/// The target groups that serve the new revision, and those that serve the old one. Where ECS swaps two groups, only the
/// service revisions say which is whose (aws.md §3.8).
async fn target_groups(
    account: &Account,
    observed: &Observed,
) -> Result<(Vec<String>, Vec<String>), String> {
    let service = observed.service.as_ref().ok_or("there is no service")?;
    let strategy = service.raw.pointer("/deploymentConfiguration/strategy").and_then(Value::as_str);
    if strategy.is_none_or(|strategy| strategy == "ROLLING") {
        return Ok((arns(&service.raw, "/loadBalancers"), Vec::new()));
    }
    let in_force =
        service.revision_in_force().ok_or("ECS does not show the new service revision")?;
    let (mut new, mut old) = (Vec::new(), Vec::new());
    for arn in &service.service_revisions {
        let found = account.service_revisions(std::slice::from_ref(arn)).await;
        let found = found.map_err(|error| error.to_string())?;
        let side = if arn == in_force { &mut new } else { &mut old };
        side.extend(
            found
                .iter()
                .flat_map(|revision| arns(revision, "/resolvedConfiguration/loadBalancers")),
        );
    }
    Ok((new, old))
}

fn arns(document: &Value, pointer: &str) -> Vec<String> {
    let list = document.pointer(pointer).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|one| one.get("targetGroupArn")?.as_str().map(str::to_owned))
        .collect()
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
