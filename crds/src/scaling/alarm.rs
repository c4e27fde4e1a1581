//! The alarm of a step policy.

use super::metric::{Metric, MetricDimension};
use crate::ecs::table::{enumerations, shapes};

shapes! {
    /// The input of `PutMetricAlarm` without `AlarmName`. The policy is always one of its actions.
    pub struct Alarm {
        /// The metric's name.
        metric_name as "metricName": Option<String>;
        /// The metric's namespace.
        namespace as "namespace": Option<String>;
        /// The metric's dimensions, all of them.
        dimensions as "dimensions": Option<Vec<MetricDimension>> => keyed_by(&["name"]);
        /// The statistic. Instead of `extendedStatistic`.
        statistic as "statistic": Option<AlarmStatistic>;
        /// A percentile such as `p99`. Instead of `statistic`.
        extended_statistic as "extendedStatistic": Option<String>;
        /// Seconds of a period: 10, 20, 30 or a multiple of 60.
        period as "period": Option<i32> => limits(10.0, 604_800.0);
        /// The unit by which values are picked. Default: any.
        unit as "unit": Option<String>;
        /// Metric math, instead of the members above. Exactly one element has `returnData`.
        metrics as "metrics": Option<Vec<AlarmMetricDataQuery>> => keyed_by(&["id"]);
        /// What the metric is compared with.
        threshold as "threshold": f64;
        /// How it is compared.
        comparison_operator as "comparisonOperator": ComparisonOperator;
        /// Over how many periods: 1 or more.
        evaluation_periods as "evaluationPeriods": i32 => limits(1.0, 10_000.0);
        /// How many of these have to breach the threshold. Default: all.
        datapoints_to_alarm as "datapointsToAlarm": Option<i32> => limits(1.0, 10_000.0);
        /// What a period without values counts as. Default: `missing`.
        treat_missing_data as "treatMissingData": Option<TreatMissingData> => is_text("missing");
        /// Whether a percentile of few values is evaluated: `evaluate` (default) or `ignore`.
        evaluate_low_sample_count_percentile as "evaluateLowSampleCountPercentile": Option<String>
            => is_text("evaluate");
        /// Whether it does anything in any state. Default: true.
        actions_enabled as "actionsEnabled": Option<bool> => is_boolean(true);
        /// A text for people.
        alarm_description as "alarmDescription": Option<String>;
        /// ARNs of what else happens in ALARM, an SNS topic for instance; the policy itself needs no mention.
        alarm_actions as "alarmActions": Option<Vec<String>> => set();
        /// ARNs of what happens when the alarm returns to OK.
        ok_actions as "okActions": Option<Vec<String>> => set();
        /// ARNs of what happens when there is not enough data.
        insufficient_data_actions as "insufficientDataActions": Option<Vec<String>> => set();
    }

    /// A metric, or an expression over others, of an alarm's metric math.
    pub struct AlarmMetricDataQuery {
        /// By which expressions name it: a small letter, then letters, digits and `_`.
        id as "id": String;
        /// An expression over the ids of the others. Instead of `metricStat`.
        expression as "expression": Option<String>;
        /// A metric. Instead of `expression`.
        metric_stat as "metricStat": Option<AlarmMetricStat>;
        /// A name for people.
        label as "label": Option<String>;
        /// Whether this is the result; exactly one is. Default: true.
        return_data as "returnData": Option<bool> => is_boolean(true);
        /// Seconds of a period, for an expression.
        period as "period": Option<i32>;
        /// The account that has the metric. Default: the alarm's own.
        account_id as "accountId": Option<String>;
    }

    /// A metric with its statistic and period.
    pub struct AlarmMetricStat {
        /// The metric.
        metric as "metric": Metric;
        /// Seconds of a period: 10, 20, 30 or a multiple of 60.
        period as "period": i32 => limits(10.0, 604_800.0);
        /// The statistic: `Average`, `Sum`, `p90` and so on.
        stat as "stat": String;
        /// The unit by which values are picked. Default: any.
        unit as "unit": Option<String>;
    }
}

enumerations! {
    /// A statistic that an alarm can use.
    pub enum AlarmStatistic {
        Average = "Average",
        Minimum = "Minimum",
        Maximum = "Maximum",
        SampleCount = "SampleCount",
        Sum = "Sum",
    }

    /// How a metric is compared with a threshold. Those with a band need anomaly detection, which the block cannot say.
    pub enum ComparisonOperator {
        GreaterThanOrEqualToThreshold = "GreaterThanOrEqualToThreshold",
        GreaterThanThreshold = "GreaterThanThreshold",
        LessThanThreshold = "LessThanThreshold",
        LessThanOrEqualToThreshold = "LessThanOrEqualToThreshold",
    }

    /// What a period without values counts as.
    pub enum TreatMissingData {
        Missing = "missing",
        Ignore = "ignore",
        Breaching = "breaching",
        NotBreaching = "notBreaching",
    }
}
