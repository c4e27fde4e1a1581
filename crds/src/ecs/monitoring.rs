//! How often a service's metrics are taken.

use super::table::{enumerations, shapes};

shapes! {
    /// How often a service's metrics are taken.
    pub struct MonitoringConfiguration {
        /// Metrics and their resolution.
        metric_configurations as "metricConfigurations": Option<Vec<MetricConfiguration>> => set();
    }

    /// The resolution of some metrics.
    pub struct MetricConfiguration {
        /// The metrics.
        metric_names as "metricNames": Vec<MetricName> => set();
        /// Seconds between two values: 20 or 60.
        resolution_seconds as "resolutionSeconds": i32 => limits(20.0, 60.0);
    }
}

enumerations! {
    /// A metric of a service.
    pub enum MetricName { CpuUtilization = "CPUUtilization", MemoryUtilization = "MemoryUtilization" }
}
