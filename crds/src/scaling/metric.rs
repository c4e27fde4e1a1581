//! Metrics of CloudWatch, alone and in expressions.

use crate::ecs::table::shapes;

shapes! {
    /// A metric of CloudWatch.
    pub struct Metric {
        /// Its name.
        metric_name as "metricName": Option<String>;
        /// Its namespace, `AWS/SQS` for instance.
        namespace as "namespace": Option<String>;
        /// Its dimensions, all of them.
        dimensions as "dimensions": Option<Vec<MetricDimension>> => keyed_by(&["name"]);
    }

    /// A dimension of a metric.
    pub struct MetricDimension {
        /// Its name.
        name as "name": String;
        /// Its value.
        value as "value": String;
    }

    /// A metric, or an expression over others, of metric math.
    pub struct MetricDataQuery {
        /// By which expressions name it: a small letter, then letters, digits and `_`.
        id as "id": String;
        /// An expression over the ids of the others. Instead of `metricStat`.
        expression as "expression": Option<String>;
        /// A metric. Instead of `expression`.
        metric_stat as "metricStat": Option<MetricStat>;
        /// A name for people.
        label as "label": Option<String>;
        /// Whether this is the result; exactly one is. Default: true.
        return_data as "returnData": Option<bool> => is_boolean(true);
    }

    /// A metric with its statistic.
    pub struct MetricStat {
        /// The metric.
        metric as "metric": Metric;
        /// The statistic: `Average`, `Sum`, `p90` and so on.
        stat as "stat": String;
        /// The unit by which values are picked. Default: any.
        unit as "unit": Option<String>;
    }
}
