//! The block `scaling`: Application Auto Scaling for the number of tasks of a service.
//!
//! Members carry the names of Application Auto Scaling's and CloudWatch's own members, with a small first letter and without
//! the structures that only wrap them. They are written as the tables of [`ecs`](crate::ecs) are, so that the same walks
//! bring both sides to normal form, compare them and find values outside the limits.

pub mod alarm;
pub mod metric;
pub mod predictive;
pub mod schedule;
mod status;
pub mod step;
pub mod target_tracking;

pub use alarm::Alarm;
pub use predictive::PredictiveScaling;
pub use schedule::ScheduledAction;
pub use status::{ScalingActivity, ScalingStatus};
pub use step::StepScaling;
pub use target_tracking::TargetTracking;

use crate::ecs::Effect;
use crate::ecs::table::shapes;

shapes! {
    /// Application Auto Scaling of the number of tasks. With this block `service.desiredCount` only says how many tasks the
    /// service is created with; a service with `schedulingStrategy: DAEMON` cannot have it.
    pub struct Scaling {
        /// The fewest tasks: 0 to 5000, at most `maxCapacity`. A service below it is scaled out at once.
        min_capacity as "minCapacity": i32 => limits(0.0, 5000.0), effect(Effect::InPlace);
        /// The most tasks: 0 to 5000. A service above it is scaled in at once.
        max_capacity as "maxCapacity": i32 => limits(0.0, 5000.0), effect(Effect::InPlace);
        /// Policies that keep a metric near a value; AWS makes their alarms. At most 50 policies of all kinds together.
        target_tracking as "targetTracking": Option<Vec<TargetTracking>>
            => keyed_by(&["name"]), effect(Effect::InPlace);
        /// Policies that move the count by steps when an alarm fires; each with its alarm.
        step as "step": Option<Vec<StepScaling>> => keyed_by(&["name"]), effect(Effect::InPlace);
        /// Changes of `minCapacity` and `maxCapacity` at set times; at most 200. What an action set stays until another
        /// action fires, and is no drift.
        scheduled as "scheduled": Option<Vec<ScheduledAction>> => keyed_by(&["name"]), effect(Effect::InPlace);
        /// Policies that scale out ahead of a forecast.
        predictive as "predictive": Option<Vec<PredictiveScaling>> => keyed_by(&["name"]), effect(Effect::InPlace);
        /// What Application Auto Scaling should not do for now. Default: nothing is suspended.
        suspended as "suspended": Option<SuspendedScaling> => is_defaults(), effect(Effect::InPlace);
    }

    /// What Application Auto Scaling should not do for now.
    pub struct SuspendedScaling {
        /// Whether policies may not scale in. Default: false.
        dynamic_scaling_in as "dynamicScalingIn": Option<bool> => is_boolean(false);
        /// Whether policies may not scale out. Default: false.
        dynamic_scaling_out as "dynamicScalingOut": Option<bool> => is_boolean(false);
        /// Whether scheduled actions do not fire; those missed are not made up for. Default: false.
        scheduled_scaling as "scheduledScaling": Option<bool> => is_boolean(false);
    }
}
