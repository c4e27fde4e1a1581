//! How the page shows a service's scaling.

use crds::scaling::ScalingStatus;
use jiff::Timestamp;

use super::moment::Moment;

/// The bounds in force, the count, and what Application Auto Scaling did last.
pub(super) struct ScalingView {
    pub(super) min: i64,
    pub(super) max: i64,
    pub(super) current: i64,
    pub(super) activities: Vec<ActivityView>,
}

/// One thing that it did.
pub(super) struct ActivityView {
    pub(super) time: Moment,
    pub(super) status: String,
    pub(super) description: String,
    pub(super) cause: String,
}

impl ScalingView {
    pub(super) fn new(scaling: &ScalingStatus, now: Timestamp) -> Self {
        let activities = scaling.activities.iter().map(|one| ActivityView {
            time: Moment::new(one.time, now),
            status: one.status.clone(),
            description: one.description.clone(),
            cause: one.cause.clone(),
        });
        Self {
            min: scaling.min,
            max: scaling.max,
            current: scaling.current,
            activities: activities.collect(),
        }
    }
}
