//! Policies that keep a metric near a value.

use super::metric::{MetricDataQuery, MetricDimension};
use crate::ecs::table::{enumerations, shapes};

shapes! {
    /// Keeps a metric near a value. Out if any policy wants it, in only if all of them agree.
    pub struct TargetTracking {
        /// The policy's name, 1 to 256 characters, unique in the block.
        name as "name": String;
        /// A metric that AWS knows. Instead of `customizedMetric`; one policy a metric.
        predefined_metric as "predefinedMetric": Option<PredefinedMetric>;
        /// For `ALBRequestCountPerTarget`: `app/<load balancer>/<id>/targetgroup/<target group>/<id>`.
        resource_label as "resourceLabel": Option<String>;
        /// Any metric of CloudWatch, or metric math. Instead of `predefinedMetric`.
        customized_metric as "customizedMetric": Option<CustomizedMetric>;
        /// The value to keep the metric near, in the metric's own unit: percent for CPU and memory, requests a minute for
        /// `ALBRequestCountPerTarget`.
        target_value as "targetValue": f64;
        /// Seconds after scaling in before scaling in again. Default: 300.
        scale_in_cooldown as "scaleInCooldown": Option<i32> => is_integer(300), limits(0.0, 2_147_483_647.0);
        /// Seconds after scaling out before scaling out again. Default: 300.
        scale_out_cooldown as "scaleOutCooldown": Option<i32> => is_integer(300), limits(0.0, 2_147_483_647.0);
        /// Whether the policy never scales in. Default: false.
        disable_scale_in as "disableScaleIn": Option<bool> => is_boolean(false);
    }

    /// A metric of CloudWatch, or with `metrics` an expression over several.
    pub struct CustomizedMetric {
        /// The metric's name.
        metric_name as "metricName": Option<String>;
        /// Its namespace.
        namespace as "namespace": Option<String>;
        /// Its dimensions, all of them.
        dimensions as "dimensions": Option<Vec<MetricDimension>> => keyed_by(&["name"]);
        /// The statistic.
        statistic as "statistic": Option<MetricStatistic>;
        /// The unit by which values are picked. Default: any.
        unit as "unit": Option<String>;
        /// Metric math, instead of the members above. Exactly one element has `returnData`.
        metrics as "metrics": Option<Vec<MetricDataQuery>> => keyed_by(&["id"]);
    }
}

enumerations! {
    /// A metric of a service that AWS knows. Those of high resolution need `service.monitoring` with 20 seconds.
    pub enum PredefinedMetric {
        Cpu = "ECSServiceAverageCPUUtilization",
        Memory = "ECSServiceAverageMemoryUtilization",
        RequestCountPerTarget = "ALBRequestCountPerTarget",
        CpuHighResolution = "ECSServiceAverageCPUUtilizationHighResolution",
        MemoryHighResolution = "ECSServiceAverageMemoryUtilizationHighResolution",
    }

    /// A statistic of a metric.
    pub enum MetricStatistic {
        Average = "Average",
        Minimum = "Minimum",
        Maximum = "Maximum",
        SampleCount = "SampleCount",
        Sum = "Sum",
    }
}
