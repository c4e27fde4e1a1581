//! The checks of a spec with their defaults filled and their conditions read.

use std::collections::BTreeSet;
use std::time::Duration;

use crds::{AlbCheck, Check, CheckHeader, CloudwatchCheck, GateStage, HttpCheck, PrometheusCheck};

use super::{Condition, builtin, json_path};

const INTERVAL: Duration = Duration::from_mins(1);
const INTERVAL_MIN: Duration = Duration::from_secs(5);
const INCONCLUSIVE_LIMIT: Duration = Duration::from_mins(5);
const WINDOW: Duration = Duration::from_mins(1);
const WINDOW_MAX: Duration = Duration::from_hours(1);
const TIMEOUT_MAX: Duration = Duration::from_secs(10);
const NAME_MAX: usize = 64;
/// How many checks a service has at most.
pub const CHECKS_MAX: usize = 20;
/// How long CloudWatch takes to have the metrics of a load balancer complete: the minute before the last full one is.
pub const METRIC_DELAY: Duration = Duration::from_mins(1);
/// Periods begin with whole minutes.
const MINUTE: Duration = Duration::from_mins(1);

/// One check, ready to be measured and judged.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredCheck {
    /// Its name.
    pub name: String,
    /// How it is measured.
    pub provider: Provider,
    /// What a value passes by.
    pub success: Option<Condition>,
    /// What a value fails by.
    pub failure: Option<Condition>,
    /// From the beginning to the first measurement.
    pub initial_delay: Duration,
    /// From one measurement to the next.
    pub interval: Duration,
    /// How many measurements have to pass.
    pub count: u32,
    /// How many may fail.
    pub failure_limit: u32,
    /// For how long measurements may say nothing.
    pub inconclusive_limit: Duration,
    /// The stages at which it is measured; none means all along.
    pub at: Vec<GateStage>,
    /// For how long it goes on after ECS has ended the rollout.
    pub after: Duration,
}

/// How a check is measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Provider {
    /// By a request.
    Http(HttpCheck),
    /// By CloudWatch.
    Cloudwatch(CloudwatchCheck),
    /// By Prometheus.
    Prometheus(PrometheusCheck),
    /// By the load balancer.
    Alb(AlbRule),
}

/// What the load balancer's metrics have to be.
#[derive(Debug, Clone, PartialEq)]
pub struct AlbRule {
    /// The share of requests that failed.
    pub five_xx_rate: Option<Condition>,
    /// The time to answer.
    pub latency: Option<Condition>,
    /// The statistic of that time.
    pub latency_stat: String,
    /// The healthy hosts.
    pub healthy_hosts: Option<Condition>,
    /// How much is looked at.
    pub window: Duration,
    /// How many requests say something.
    pub min_requests: u32,
}

/// What is wrong with a check: the member, and why.
pub(super) type Wrong = (String, String);

/// Reads the checks of a spec, whose rollouts have the old tasks and the new ones behind target groups of their own or not.
pub fn resolve(checks: &[Check], has_two_sides: bool) -> Result<Vec<DesiredCheck>, Wrong> {
    if checks.len() > CHECKS_MAX {
        let why = format!("has {} checks; a service takes {CHECKS_MAX}", checks.len());
        return Err((String::new(), why));
    }
    let mut names = BTreeSet::new();
    let mut resolved = Vec::new();
    for (index, check) in checks.iter().enumerate() {
        let within = |(member, why): Wrong| match member.as_str() {
            "" => (format!("[{index}]"), why),
            member => (format!("[{index}].{member}"), why),
        };
        resolved.push(DesiredCheck::resolve(check, has_two_sides).map_err(within)?);
        if !names.insert(check.name.as_str()) {
            return Err(within(("name".to_owned(), format!("`{}` is given twice", check.name))));
        }
    }
    Ok(resolved)
}

impl DesiredCheck {
    fn resolve(check: &Check, has_two_sides: bool) -> Result<Self, Wrong> {
        let wrong = |member: &str, why: &str| (member.to_owned(), why.to_owned());
        if check.name.is_empty() || check.name.len() > NAME_MAX {
            return Err(wrong("name", "has to have 1 to 64 characters"));
        }
        let provider = Provider::resolve(check, has_two_sides)?;
        let (success, failure) = (
            condition("success", check.success.as_ref())?,
            condition("failure", check.failure.as_ref())?,
        );
        match &provider {
            Provider::Alb(_) if success.is_some() || failure.is_some() => {
                let member = if success.is_some() { "success" } else { "failure" };
                return Err(wrong(
                    member,
                    "is not used with `alb`, whose members are the conditions",
                ));
            }
            Provider::Cloudwatch(_) | Provider::Prometheus(_)
                if success.is_none() && failure.is_none() =>
            {
                return Err(wrong("success", "is missing: say what a value passes or fails by"));
            }
            Provider::Http(http)
                if http.json_path.is_some() && success.is_none() && failure.is_none() =>
            {
                return Err(wrong(
                    "success",
                    "is missing: say what the value of `jsonPath` passes by",
                ));
            }
            Provider::Http(_)
            | Provider::Cloudwatch(_)
            | Provider::Prometheus(_)
            | Provider::Alb(_) => {}
        }
        for (member, condition) in [("success", &success), ("failure", &failure)] {
            if condition.as_ref().is_some_and(Condition::names_old) {
                return Err(wrong(member, "compares with `old`, which only `alb` knows"));
            }
        }
        let interval = check.interval.map_or(INTERVAL, crds::HumanDuration::get);
        if interval < INTERVAL_MIN {
            return Err(wrong("interval", "is less than `5s`"));
        }
        let count = check.count.unwrap_or(1);
        if count == 0 {
            return Err(wrong("count", "is 0; without a measurement nothing passes"));
        }
        let duration = |given: Option<crds::HumanDuration>, default: Duration| {
            given.map_or(default, crds::HumanDuration::get)
        };
        Ok(Self {
            name: check.name.clone(),
            provider,
            success,
            failure,
            initial_delay: duration(check.initial_delay, Duration::ZERO),
            interval,
            count,
            failure_limit: check.failure_limit.unwrap_or(0),
            inconclusive_limit: duration(check.inconclusive_limit, INCONCLUSIVE_LIMIT),
            at: check.at.clone(),
            after: duration(check.after, Duration::ZERO),
        })
    }

    /// Whether it is measured all along the rollout, or after it, and not only at stages.
    pub fn is_background(&self) -> bool {
        self.at.is_empty() || !self.after.is_zero()
    }

    /// What has to pass before a window of metrics lies within the rollout and is complete.
    pub fn lead(&self) -> Duration {
        match &self.provider {
            Provider::Alb(rule) => rule.window + METRIC_DELAY + MINUTE,
            Provider::Cloudwatch(check) => period(check) + METRIC_DELAY + MINUTE,
            Provider::Http(_) | Provider::Prometheus(_) => Duration::ZERO,
        }
    }
}

/// The longest period that a check of CloudWatch looks at.
pub fn period(check: &CloudwatchCheck) -> Duration {
    let queried = check.metrics.iter().filter_map(|query| query.metric_stat.as_ref());
    let longest = queried.map(|stat| Duration::from_secs(stat.period.into())).max();
    longest.or_else(|| check.period.map(crds::HumanDuration::get)).unwrap_or(MINUTE)
}

impl Provider {
    fn resolve(check: &Check, has_two_sides: bool) -> Result<Self, Wrong> {
        let wrong = |member: &str, why: &str| (member.to_owned(), why.to_owned());
        match (&check.http, &check.cloudwatch, &check.prometheus, &check.alb) {
            (Some(http), None, None, None) => {
                is_url(&http.url).map_err(|why| ("http.url".to_owned(), why))?;
                headers("http", &http.headers)?;
                within_reach("http", http.timeout)?;
                let path = http.json_path.as_deref().map_or(Ok(()), json_path::check);
                path.map_err(|why| ("http.jsonPath".to_owned(), why))?;
                Ok(Self::Http(http.clone()))
            }
            (None, Some(cloudwatch), None, None) => {
                is_complete(cloudwatch)
                    .map_err(|(member, why)| (format!("cloudwatch{member}"), why))?;
                Ok(Self::Cloudwatch(cloudwatch.clone()))
            }
            (None, None, Some(prometheus), None) => {
                is_url(&prometheus.url).map_err(|why| ("prometheus.url".to_owned(), why))?;
                headers("prometheus", &prometheus.headers)?;
                within_reach("prometheus", prometheus.timeout)?;
                Ok(Self::Prometheus(prometheus.clone()))
            }
            (None, None, None, Some(alb)) => AlbRule::resolve(alb, has_two_sides).map(Self::Alb),
            (None, None, None, None) => {
                Err(wrong("", "names no provider: give one of http, cloudwatch, prometheus, alb"))
            }
            _ => Err(wrong(
                "",
                "names more than one provider: give one of http, cloudwatch, prometheus, alb",
            )),
        }
    }
}

fn is_url(url: &str) -> Result<(), String> {
    let host = ["https://", "http://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    match host {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') => Ok(()),
        Some(_) | None => Err(format!("`{url}` is no URL of http or https")),
    }
}

fn headers(provider: &str, headers: &[CheckHeader]) -> Result<(), Wrong> {
    for (index, header) in headers.iter().enumerate() {
        if header.value.is_some() == header.credential.is_some() {
            let why = "has to have one of `value` and `credential`";
            return Err((format!("{provider}.headers[{index}]"), why.to_owned()));
        }
    }
    Ok(())
}

fn within_reach(provider: &str, timeout: Option<crds::HumanDuration>) -> Result<(), Wrong> {
    let timeout = timeout.map_or(TIMEOUT_MAX, crds::HumanDuration::get);
    if timeout.is_zero() || timeout > TIMEOUT_MAX {
        return Err((
            format!("{provider}.timeout"),
            "has to be more than nothing and at most `10s`".to_owned(),
        ));
    }
    Ok(())
}

fn is_complete(check: &CloudwatchCheck) -> Result<(), Wrong> {
    let wrong = |member: &str, why: &str| Err((member.to_owned(), why.to_owned()));
    let single =
        check.namespace.is_some() || check.metric_name.is_some() || check.expression.is_some();
    if check.metrics.is_empty() {
        if check.namespace.is_none() || check.metric_name.is_none() {
            return wrong("", "names no metric: give `metrics`, or `namespace` and `metricName`");
        }
        let period = check.period.map_or(60, |period| period.get().as_secs());
        if period == 0 || !period.is_multiple_of(60) {
            return wrong(".period", "is not a number of whole minutes");
        }
        return Ok(());
    }
    if single {
        return wrong("", "has `metrics` and another metric beside them");
    }
    let values = check.metrics.iter().filter(|query| query.return_data != Some(false)).count();
    if values != 1 {
        let why = format!(
            "has {values} queries that are the value; exactly one is, set `returnData: false` for the rest"
        );
        return Err((".metrics".to_owned(), why));
    }
    for (index, query) in check.metrics.iter().enumerate() {
        if query.expression.is_some() == query.metric_stat.is_some() {
            return wrong(
                &format!(".metrics[{index}]"),
                "has to have one of `expression` and `metricStat`",
            );
        }
        if let Some(stat) = query
            .metric_stat
            .as_ref()
            .filter(|stat| stat.period == 0 || !stat.period.is_multiple_of(60))
        {
            let why = format!("`{}` is no multiple of 60 seconds", stat.period);
            return Err((format!(".metrics[{index}].metricStat.period"), why));
        }
    }
    Ok(())
}

impl AlbRule {
    fn resolve(check: &AlbCheck, has_two_sides: bool) -> Result<Self, Wrong> {
        let mut rule = Self {
            five_xx_rate: condition("alb.fiveXxRate", check.five_xx_rate.as_ref())?,
            latency: condition("alb.latency", check.latency.as_ref())?,
            latency_stat: check.latency_stat.clone().unwrap_or_else(|| "p99".to_owned()),
            healthy_hosts: condition("alb.healthyHosts", check.healthy_hosts.as_ref())?,
            window: check.window.map_or(WINDOW, crds::HumanDuration::get),
            min_requests: check.min_requests.unwrap_or(1),
        };
        if rule.conditions().next().is_none() {
            let own = builtin::conditions(has_two_sides).map_err(|why| ("alb".to_owned(), why))?;
            (rule.five_xx_rate, rule.latency) = (own.five_xx_rate, own.latency);
            rule.healthy_hosts = own.healthy_hosts;
            rule.min_requests = check.min_requests.unwrap_or(builtin::MIN_REQUESTS);
        }
        let seconds = rule.window.as_secs();
        if seconds == 0 || !seconds.is_multiple_of(60) || rule.window > WINDOW_MAX {
            return Err((
                "alb.window".to_owned(),
                "has to be whole minutes, at most `1h`".to_owned(),
            ));
        }
        Ok(rule)
    }

    /// Whether the new side is compared with the old one.
    pub fn names_old(&self) -> bool {
        self.conditions().any(Condition::names_old)
    }

    /// The conditions that are given.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        [&self.five_xx_rate, &self.latency, &self.healthy_hosts].into_iter().flatten()
    }
}

fn condition(member: &str, text: Option<&String>) -> Result<Option<Condition>, Wrong> {
    text.map(|text| Condition::parse(text)).transpose().map_err(|why| (member.to_owned(), why))
}
