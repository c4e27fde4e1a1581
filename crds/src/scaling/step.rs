//! Policies that move the count by steps.

use super::alarm::Alarm;
use crate::ecs::table::{enumerations, shapes};

shapes! {
    /// Moves the count by steps while an alarm is in ALARM.
    pub struct StepScaling {
        /// The policy's name, 1 to 256 characters, unique in the block. The alarm is called
        /// `longshore/<cluster>/<service>/<name>`.
        name as "name": String;
        /// What `scalingAdjustment` is: tasks more or less, percent more or less, or the count itself.
        adjustment_type as "adjustmentType": AdjustmentType;
        /// The steps, at most 20, without gaps and overlaps.
        steps as "steps": Vec<StepAdjustment>
            => keyed_by(&["metricIntervalLowerBound", "metricIntervalUpperBound"]);
        /// Seconds in which a step counts towards the next one. Default: 300.
        cooldown as "cooldown": Option<i32> => is_integer(300), limits(0.0, 2_147_483_647.0);
        /// The fewest tasks that a step in percent moves; only with `PercentChangeInCapacity`. Default: 1.
        min_adjustment_magnitude as "minAdjustmentMagnitude": Option<i32> => is_integer(1), limits(1.0, 5000.0);
        /// How the metric's values are put together. Default: `Average`.
        metric_aggregation_type as "metricAggregationType": Option<MetricAggregationType> => is_text("Average");
        /// The alarm that starts it. Longshore makes, updates and deletes it with the policy.
        alarm as "alarm": Alarm;
    }

    /// One step: how far to move while the metric is in an interval.
    pub struct StepAdjustment {
        /// Where the interval begins, as the difference to the alarm's threshold, included. Default: no end.
        metric_interval_lower_bound as "metricIntervalLowerBound": Option<f64>;
        /// Where the interval ends, as the difference to the alarm's threshold, excluded. Default: no end.
        metric_interval_upper_bound as "metricIntervalUpperBound": Option<f64>;
        /// How far to move; less than 0 scales in.
        scaling_adjustment as "scalingAdjustment": i32;
    }
}

enumerations! {
    /// What the number of a step means.
    pub enum AdjustmentType {
        ChangeInCapacity = "ChangeInCapacity",
        PercentChangeInCapacity = "PercentChangeInCapacity",
        ExactCapacity = "ExactCapacity",
    }

    /// How the values of a metric are put together.
    pub enum MetricAggregationType { Average = "Average", Minimum = "Minimum", Maximum = "Maximum" }
}
