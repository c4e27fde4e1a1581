//! One measurement: what a provider answered, and whether that is good.
//!
//! Whoever did not answer, or answered nothing that can be compared, has said nothing about the rollout: that is neither
//! success nor failure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::condition::shown;
use super::desired::{AlbRule, DesiredCheck, Provider};
use super::{Condition, Measured};

/// The longest text that is kept of a measurement.
const TEXT_MAX: usize = 200;

/// What a provider answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// A value.
    Value(Measured),
    /// An answer that is itself a failure, a status 500 for instance, and what it was.
    Bad(String),
    /// Nothing that says anything, and why.
    Nothing(String),
    /// What the load balancer counted for the new side, and for the old one where there are two.
    Alb {
        /// The side that the rollout brings.
        new: AlbFigures,
        /// The side that it replaces, in the same minutes.
        old: Option<AlbFigures>,
        /// The same side in the last minutes in which all requests were its own.
        before: Option<AlbFigures>,
    },
}

/// What the load balancer counted in a window; `None` where it has no data.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AlbFigures {
    /// Requests that were answered.
    pub requests: Option<f64>,
    /// Those that targets answered with 5xx, and connections that targets did not take.
    pub errors: Option<f64>,
    /// The time to answer, in seconds.
    pub latency: Option<f64>,
    /// The least number of healthy hosts.
    pub healthy_hosts: Option<f64>,
}

/// Whether a measurement is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It is.
    Pass,
    /// It is not.
    Fail,
    /// It says nothing.
    Inconclusive,
}

/// One measurement, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Measurement {
    /// When it was made.
    pub time: Timestamp,
    /// Whether it is good.
    pub outcome: Outcome,
    /// What was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What was measured and what it has to be, in words.
    pub message: String,
}

/// Judges what a provider answered.
pub fn judge(check: &DesiredCheck, reading: &Reading, time: Timestamp) -> Measurement {
    let told = |outcome, value: Option<String>, message: String| Measurement {
        time,
        outcome,
        value: value.map(short),
        message: short(message),
    };
    match (reading, &check.provider) {
        (Reading::Nothing(why), _) => told(Outcome::Inconclusive, None, why.clone()),
        (Reading::Bad(what), _) => told(Outcome::Fail, Some(what.clone()), what.clone()),
        (Reading::Value(value), provider) => {
            let is_time = matches!(provider, Provider::Http(http) if http.json_path.is_none());
            let unit = if is_time { " s" } else { "" };
            let value_told = format!("{value}{unit}");
            let (outcome, message) = compare(check, value, &value_told);
            told(outcome, Some(value_told), message)
        }
        (Reading::Alb { new, old, before }, Provider::Alb(rule)) => {
            let (outcome, value, message) = alb(rule, new, (old.as_ref(), before.as_ref()));
            told(outcome, Some(value), message)
        }
        (
            Reading::Alb { .. },
            Provider::Http(_) | Provider::Cloudwatch(_) | Provider::Prometheus(_),
        ) => told(Outcome::Inconclusive, None, "the check has another provider now".to_owned()),
    }
}

fn compare(check: &DesiredCheck, value: &Measured, told: &str) -> (Outcome, String) {
    let holds = |condition: Option<&Condition>| {
        condition.map(|condition| (condition.holds(value, None), condition.to_string()))
    };
    let (success, failure) = (holds(check.success.as_ref()), holds(check.failure.as_ref()));
    match (failure, success) {
        (Some((Err(why), _)), _) | (_, Some((Err(why), _))) => (Outcome::Inconclusive, why),
        (Some((Ok(true), failure)), _) => (Outcome::Fail, format!("{told} is `{failure}`")),
        (_, Some((Ok(true), success))) => (Outcome::Pass, format!("{told} is `{success}`")),
        (None, Some((Ok(false), success))) => (Outcome::Fail, format!("{told} is not `{success}`")),
        (Some((Ok(false), failure)), None) => (Outcome::Pass, format!("{told} is not `{failure}`")),
        (Some((Ok(false), failure)), Some((Ok(false), success))) => {
            (Outcome::Inconclusive, format!("{told} is neither `{success}` nor `{failure}`"))
        }
        // Only a request goes without a condition: its status was good.
        (None, None) => (Outcome::Pass, format!("answered after {told}")),
    }
}

/// Judges each of the conditions: one failure is a failure, and without one whatever says nothing leaves all open.
fn alb(
    rule: &AlbRule,
    new: &AlbFigures,
    beside: (Option<&AlbFigures>, Option<&AlbFigures>),
) -> (Outcome, String, String) {
    let rate = |figures: &AlbFigures| share(figures, rule.min_requests);
    let parts = [
        rule.five_xx_rate.as_ref().map(|condition| {
            let told = |value: f64| format!("5xx rate {} %", shown(value * 100.0));
            part(condition, rate(new), Old::of(beside, rate), told)
        }),
        rule.latency.as_ref().map(|condition| {
            let figure = |figures: &AlbFigures| {
                has_requests(figures, rule.min_requests)?;
                figures.latency.ok_or_else(|| "there is no data of the latency".to_owned())
            };
            let told = |value: f64| format!("{} latency {} s", rule.latency_stat, shown(value));
            part(condition, figure(new), Old::of(beside, figure), told)
        }),
        rule.healthy_hosts.as_ref().map(|condition| {
            let figure = |figures: &AlbFigures| {
                figures.healthy_hosts.ok_or_else(|| "there is no data of healthy hosts".to_owned())
            };
            let told = |value: f64| format!("{} healthy hosts", shown(value));
            part(condition, figure(new), Old::of(beside, figure), told)
        }),
    ];
    let parts: Vec<(Outcome, String)> = parts.into_iter().flatten().collect();
    let outcome = [Outcome::Fail, Outcome::Inconclusive]
        .into_iter()
        .find(|outcome| parts.iter().any(|(found, _)| found == outcome))
        .unwrap_or(Outcome::Pass);
    let all: Vec<&str> = parts.iter().map(|(_, told)| told.as_str()).collect();
    let telling: Vec<&str> = parts
        .iter()
        .filter(|(found, _)| *found == outcome)
        .map(|(_, told)| told.as_str())
        .collect();
    (outcome, all.join(", "), telling.join(", "))
}

/// A figure of the old side.
struct Old {
    value: f64,
    /// From which minutes, where they are others than the new side's.
    when: &'static str,
}

impl Old {
    /// The figure in the same minutes. Once all requests go to the new side it is that from before they did.
    fn of(
        (same, before): (Option<&AlbFigures>, Option<&AlbFigures>),
        figure: impl Fn(&AlbFigures) -> Result<f64, String>,
    ) -> Option<Self> {
        let found = |figures: Option<&AlbFigures>, when| {
            let value = figure(figures?).ok()?;
            Some(Self { value, when })
        };
        found(same, "").or_else(|| found(before, " before the shift"))
    }
}

fn part(
    condition: &Condition,
    new: Result<f64, String>,
    old: Option<Old>,
    told: impl Fn(f64) -> String,
) -> (Outcome, String) {
    let value = match new {
        Ok(value) => value,
        Err(why) => return (Outcome::Inconclusive, why),
    };
    let old = old.filter(|_| condition.names_old());
    let beside = old
        .as_ref()
        .map(|old| format!(" (old{}: {})", old.when, told(old.value)))
        .unwrap_or_default();
    let told = told(value);
    match condition.holds(&Measured::Number(value), old.map(|old| old.value)) {
        Ok(true) => (Outcome::Pass, format!("{told}{beside} is `{condition}`")),
        Ok(false) => (Outcome::Fail, format!("{told}{beside} is not `{condition}`")),
        Err(why) => (Outcome::Inconclusive, format!("{told}: {why}")),
    }
}

/// CloudWatch has no data of errors in minutes without any, so that their absence beside requests means none.
fn share(figures: &AlbFigures, min_requests: u32) -> Result<f64, String> {
    let errors = figures.errors.unwrap_or(0.0);
    let requests = figures.requests.unwrap_or(0.0).max(errors);
    is_enough(requests, min_requests)?;
    Ok(errors / requests)
}

fn has_requests(figures: &AlbFigures, min_requests: u32) -> Result<(), String> {
    is_enough(figures.requests.unwrap_or(0.0), min_requests)
}

fn is_enough(requests: f64, min_requests: u32) -> Result<(), String> {
    if requests > 0.0 && requests >= f64::from(min_requests) {
        return Ok(());
    }
    let least = min_requests.max(1);
    Err(format!("{} requests are too few to say anything; {least} are needed", shown(requests)))
}

fn short(text: String) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
