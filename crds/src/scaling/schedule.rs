//! Changes of the bounds at set times.

use crate::ecs::table::shapes;

shapes! {
    /// Sets the bounds at a time or again and again. At least one of `minCapacity` and `maxCapacity` is given.
    pub struct ScheduledAction {
        /// The action's name, unique in the block; none of `:`, `/` and `|`.
        name as "name": String;
        /// `at(2026-05-01T08:00:00)`, `rate(1 day)` or `cron(0 8 ? * MON-FRI *)`: minute, hour, day of the month, month, day
        /// of the week, year, one of the two days `?`.
        schedule as "schedule": String;
        /// The time zone of `at` and `cron`, as IANA calls it. Default: `UTC`.
        timezone as "timezone": Option<String> => is_text("UTC");
        /// The first moment at which it may fire, with its offset: `2026-05-01T08:00:00Z`. Default: at once.
        start_time as "startTime": Option<String>;
        /// From this moment on it does not fire, with its offset. Default: never.
        end_time as "endTime": Option<String>;
        /// The fewest tasks from then on. Default: as before.
        min_capacity as "minCapacity": Option<i32> => limits(0.0, 5000.0);
        /// The most tasks from then on. Default: as before.
        max_capacity as "maxCapacity": Option<i32> => limits(0.0, 5000.0);
    }
}
