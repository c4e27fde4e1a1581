//! The alarm of a step policy.

use crds::scaling::StepScaling;

use super::super::finding::{Finding, error};
use super::super::subject::Subject;
use super::super::words::{each, is_open};
use super::metric::{self, Query, Single};

/// The longest name of an alarm.
const NAME_MAX: usize = 255;
/// Periods below a minute.
const SHORT_PERIODS: [i32; 3] = [10, 20, 30];
/// The longest time over which an alarm looks: a day, and a week for periods of an hour and more.
const WINDOW_MAX: i64 = 86_400;
const LONG_WINDOW_MAX: i64 = 604_800;
const LONG_PERIOD: i32 = 3_600;

pub(super) fn check(
    subject: &Subject<'_>,
    at: &str,
    policy: &StepScaling,
    found: &mut Vec<Finding>,
) {
    let (cluster, name) = (&subject.object.spec.cluster, &subject.object.metadata.name);
    let alarm_name = format!("longshore/{cluster}/{name}/{}", policy.name);
    if alarm_name.len() > NAME_MAX && !is_open(&alarm_name) {
        found.push(error(
            format!("{at}.name"),
            format!(
                "`{}` makes the alarm's name `{alarm_name}` longer than {NAME_MAX} characters",
                policy.name
            ),
        ));
    }
    let (at, alarm) = (format!("{at}.alarm"), &policy.alarm);
    let single = Single {
        name: alarm.metric_name.as_deref(),
        namespace: alarm.namespace.as_deref(),
        has_statistic: alarm.statistic.is_some() || alarm.extended_statistic.is_some(),
        dimensions: alarm.dimensions.as_deref(),
    };
    single.check(&at, alarm.metrics.is_some(), found);
    if alarm.statistic.is_some() && alarm.extended_statistic.is_some() {
        found.push(
            error(format!("{at}.extendedStatistic"), "stands beside statistic")
                .hint("give one of the two"),
        );
    }
    period(&at, policy, found);
    datapoints(&at, policy, found);
    if let Some(metrics) = &alarm.metrics {
        let queries: Vec<Query<'_>> = each(&at, "metrics", Some(metrics))
            .map(|(at, query)| Query {
                at,
                id: &query.id,
                has_expression: query.expression.is_some(),
                has_stat: query.metric_stat.is_some(),
                is_result: query.return_data != Some(false),
            })
            .collect();
        metric::math(&format!("{at}.metrics"), &queries, found);
    }
}

fn period(at: &str, policy: &StepScaling, found: &mut Vec<Finding>) {
    let alarm = &policy.alarm;
    let path = format!("{at}.period");
    let Some(period) = alarm.period else {
        if alarm.metrics.is_none() {
            found
                .push(error(path, "is missing; an alarm on a metric needs it").hint("60 is usual"));
        }
        return;
    };
    if period >= 10 && !SHORT_PERIODS.contains(&period) && period % 60 != 0 {
        let nearest = if period < 45 { 30 } else { (period + 30) / 60 * 60 };
        found.push(
            error(path, format!("`{period}` is not a period: 10, 20, 30 or a multiple of 60"))
                .hint(format!("the nearest is {nearest}")),
        );
        return;
    }
    let window = i64::from(period) * i64::from(alarm.evaluation_periods);
    let most = if period >= LONG_PERIOD { LONG_WINDOW_MAX } else { WINDOW_MAX };
    if period > 0 && window > most {
        found.push(
            error(
                format!("{at}.evaluationPeriods"),
                format!(
                    "`{}` periods of {period} s are longer than {most} s",
                    alarm.evaluation_periods
                ),
            )
            .hint(format!("the nearest is {}", most / i64::from(period))),
        );
    }
}

fn datapoints(at: &str, policy: &StepScaling, found: &mut Vec<Finding>) {
    let periods = policy.alarm.evaluation_periods;
    if let Some(points) = policy.alarm.datapoints_to_alarm.filter(|points| *points > periods) {
        found.push(
            error(
                format!("{at}.datapointsToAlarm"),
                format!("`{points}` is more than evaluationPeriods `{periods}`"),
            )
            .hint(format!("the nearest is {periods}")),
        );
    }
}
