//! Policies that scale out ahead of a forecast.

use super::metric::MetricDataQuery;
use crate::ecs::table::{enumerations, shapes};

shapes! {
    /// Scales out ahead of a forecast; never scales in. It forecasts either a predefined pair of metrics or a load metric
    /// and a scaling metric.
    pub struct PredictiveScaling {
        /// The policy's name, 1 to 256 characters, unique in the block.
        name as "name": String;
        /// The value to keep the scaling metric near, in its own unit.
        target_value as "targetValue": f64;
        /// A load metric and a scaling metric that AWS knows.
        predefined_metric_pair as "predefinedMetricPair": Option<PredefinedMetricPair>;
        /// For the pair `ALBRequestCount`: `app/<load balancer>/<id>/targetgroup/<target group>/<id>`.
        resource_label as "resourceLabel": Option<String>;
        /// A load metric that AWS knows.
        predefined_load_metric as "predefinedLoadMetric": Option<PredefinedPredictiveMetric>;
        /// A scaling metric that AWS knows.
        predefined_scaling_metric as "predefinedScalingMetric": Option<PredefinedPredictiveMetric>;
        /// Any load metric.
        customized_load_metric as "customizedLoadMetric": Option<PredictiveMetric>;
        /// Any scaling metric.
        customized_scaling_metric as "customizedScalingMetric": Option<PredictiveMetric>;
        /// How many tasks there were, for a customized scaling metric.
        customized_capacity_metric as "customizedCapacityMetric": Option<PredictiveMetric>;
        /// Only forecast, or scale too. Default: `ForecastOnly`.
        mode as "mode": Option<PredictiveMode> => is_text("ForecastOnly");
        /// Seconds by which tasks start before they are needed: 0 to 3600. Default: 300.
        scheduling_buffer_time as "schedulingBufferTime": Option<i32> => is_integer(300), limits(0.0, 3600.0);
        /// What happens when the forecast is above `maxCapacity`. Default: `HonorMaxCapacity`.
        max_capacity_breach_behavior as "maxCapacityBreachBehavior": Option<MaxCapacityBreachBehavior>
            => is_text("HonorMaxCapacity");
        /// Percent above the forecast that the maximum may grow to: 0 to 100. Only with `IncreaseMaxCapacity`.
        max_capacity_buffer as "maxCapacityBuffer": Option<i32> => limits(0.0, 100.0);
    }

    /// A metric that AWS knows.
    pub struct PredefinedPredictiveMetric {
        /// Its type.
        predefined_metric_type as "predefinedMetricType": String;
        /// For metrics of a load balancer: `app/<load balancer>/<id>/targetgroup/<target group>/<id>`.
        resource_label as "resourceLabel": Option<String>;
    }

    /// Any metric, as metric math.
    pub struct PredictiveMetric {
        /// Up to ten queries. Exactly one has `returnData`.
        metric_data_queries as "metricDataQueries": Vec<MetricDataQuery> => keyed_by(&["id"]);
    }
}

enumerations! {
    /// A load metric and a scaling metric that AWS knows.
    pub enum PredefinedMetricPair {
        Cpu = "ECSServiceCPUUtilization",
        Memory = "ECSServiceMemoryUtilization",
        RequestCount = "ALBRequestCount",
    }

    /// Whether a forecast is acted on.
    pub enum PredictiveMode { ForecastOnly = "ForecastOnly", ForecastAndScale = "ForecastAndScale" }

    /// What happens when the forecast is above the maximum.
    pub enum MaxCapacityBreachBehavior {
        HonorMaxCapacity = "HonorMaxCapacity",
        IncreaseMaxCapacity = "IncreaseMaxCapacity",
    }
}
