//! The deployment circuit breaker (aws.md §3.5).

use serde_json::Value;

use crate::input;

/// What the breaker of one deployment has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Breaker {
    /// Failures that count towards the threshold.
    pub(super) failures: i64,
    /// Whether a task has reached RUNNING, so that failures to start count no longer.
    pub(super) has_run: bool,
    /// `failedTasks`: tasks that never ran, until one does; whatever fails later is not in it.
    pub(super) failed_tasks: i64,
}

impl Breaker {
    /// A task never reached RUNNING.
    pub(super) fn count_failed_start(&mut self, resets: bool) {
        self.failed_tasks += i64::from(!self.has_run);
        if !(self.has_run && resets) {
            self.failures += 1;
        }
    }

    /// A task was replaced because a health check failed.
    pub(super) fn count_failed_check(&mut self) {
        self.failures += 1;
    }

    /// A task reached RUNNING: the first stage is over.
    pub(super) fn count_running(&mut self, resets: bool) {
        if resets && !self.has_run {
            self.failures = 0;
        }
        self.has_run = true;
        self.failed_tasks = 0;
    }

    /// A task became healthy.
    pub(super) fn count_healthy(&mut self, resets: bool) {
        if resets {
            self.failures = 0;
        }
    }
}

/// The breaker's settings in a `deploymentConfiguration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BreakerSettings {
    pub(super) enabled: bool,
    pub(super) rollback: bool,
    pub(super) resets: bool,
    kind: ThresholdKind,
    value: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ThresholdKind {
    Bounded,
    Unbounded,
    Count,
}

impl BreakerSettings {
    pub(super) fn of(configured: Option<&Value>) -> Self {
        let null = Value::Null;
        let settings = configured.unwrap_or(&null);
        let threshold = input::present(settings, "thresholdConfiguration").unwrap_or(&null);
        Self {
            enabled: input::flag(settings, "enable").unwrap_or(false),
            rollback: input::flag(settings, "rollback").unwrap_or(false),
            resets: input::flag(settings, "resetOnHealthyTask").unwrap_or(true),
            kind: match input::text(threshold, "type") {
                Some("COUNT") => ThresholdKind::Count,
                Some("UNBOUNDED_PERCENT") => ThresholdKind::Unbounded,
                Some(_) | None => ThresholdKind::Bounded,
            },
            value: input::integer(threshold, "value").unwrap_or(50),
        }
    }

    /// The number of failures that trips the breaker at a desired count.
    pub(super) fn threshold(&self, desired: i64) -> i64 {
        let part = percent_ceil(desired, self.value);
        match self.kind {
            ThresholdKind::Bounded => part.clamp(3, 200),
            ThresholdKind::Unbounded => part.max(1),
            ThresholdKind::Count => self.value,
        }
    }
}

/// `count × percent / 100`, rounded up.
pub(super) fn percent_ceil(count: i64, percent: i64) -> i64 {
    (count * percent + 99).div_euclid(100)
}

/// `count × percent / 100`, rounded down.
pub(super) fn percent_floor(count: i64, percent: i64) -> i64 {
    (count * percent).div_euclid(100)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn thresholds_follow_the_desired_count() {
        for (settings, desired, expected) in [
            (json!({}), 0, 3),
            (json!({}), 1, 3),
            (json!({}), 25, 13),
            (json!({}), 400, 200),
            (json!({}), 1000, 200),
            (json!({"thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 20}}), 100, 20),
            (json!({"thresholdConfiguration": {"type": "UNBOUNDED_PERCENT", "value": 50}}), 2, 1),
            (
                json!({"thresholdConfiguration": {"type": "UNBOUNDED_PERCENT", "value": 50}}),
                1000,
                500,
            ),
            (json!({"thresholdConfiguration": {"type": "COUNT", "value": 7}}), 1000, 7),
        ] {
            assert_eq!(
                BreakerSettings::of(Some(&settings)).threshold(desired),
                expected,
                "{settings} {desired}"
            );
        }
    }

    #[test]
    fn percents_round_towards_availability() {
        for (desired, percent, ceil, floor) in [
            (4, 50, 2, 2),
            (2, 75, 2, 1),
            (4, 200, 8, 8),
            (3, 125, 4, 3),
            (0, 100, 0, 0),
            (1, 0, 0, 0),
        ] {
            assert_eq!(percent_ceil(desired, percent), ceil);
            assert_eq!(percent_floor(desired, percent), floor);
        }
    }

    #[test]
    fn a_running_task_ends_the_first_stage_unless_told_otherwise() {
        let mut breaker = Breaker::default();
        breaker.count_failed_start(true);
        breaker.count_failed_start(true);
        assert_eq!(breaker.failed_tasks, 2);
        breaker.count_running(true);
        breaker.count_failed_start(true);
        assert_eq!((breaker.failures, breaker.failed_tasks), (0, 0));
        breaker.count_failed_check();
        assert_eq!((breaker.failures, breaker.failed_tasks), (1, 0));
        breaker.count_healthy(true);
        assert_eq!(breaker.failures, 0);

        let mut stubborn = Breaker::default();
        stubborn.count_failed_start(false);
        stubborn.count_running(false);
        stubborn.count_failed_start(false);
        stubborn.count_healthy(false);
        assert_eq!(stubborn.failures, 2);
    }
}
