//! Policies that move the count by steps (aws.md §5.2).

use crds::Scaling;
use crds::scaling::StepScaling;
use crds::scaling::step::AdjustmentType;

use super::super::finding::{Finding, error};
use super::super::subject::Subject;
use super::super::words::each;
use super::{SCALING, alarm};

const STEPS_MAX: usize = 20;

pub(super) fn check(subject: &Subject<'_>, scaling: &Scaling, found: &mut Vec<Finding>) {
    for (at, policy) in each(SCALING, "step", scaling.step.as_deref()) {
        let count = policy.steps.len();
        if count == 0 || count > STEPS_MAX {
            found.push(
                error(
                    format!("{at}.steps"),
                    format!("has `{count}` steps; there may be 1 to {STEPS_MAX}"),
                )
                .hint(format!("the nearest is {}", count.clamp(1, STEPS_MAX))),
            );
        }
        magnitude(&at, policy, found);
        intervals(&at, policy, found);
        alarm::check(subject, &at, policy, found);
    }
}

fn magnitude(at: &str, policy: &StepScaling, found: &mut Vec<Finding>) {
    let is_percent = match &policy.adjustment_type {
        AdjustmentType::PercentChangeInCapacity | AdjustmentType::Other(_) => true,
        AdjustmentType::ChangeInCapacity | AdjustmentType::ExactCapacity => false,
    };
    if let Some(magnitude) = policy.min_adjustment_magnitude.filter(|_| !is_percent) {
        found.push(
            error(
                format!("{at}.minAdjustmentMagnitude"),
                format!("`{magnitude}` belongs to `PercentChangeInCapacity` only"),
            )
            .hint("leave it out"),
        );
    }
    if policy.adjustment_type == AdjustmentType::ExactCapacity {
        for (at, step) in each(at, "steps", Some(&policy.steps)) {
            if step.scaling_adjustment < 0 {
                found.push(
                    error(
                        format!("{at}.scalingAdjustment"),
                        format!("`{}` is no count of tasks", step.scaling_adjustment),
                    )
                    .hint("the nearest is 0"),
                );
            }
        }
    }
}

/// Bounds leave neither gaps nor overlaps; at most one step is open on each side.
fn intervals(at: &str, policy: &StepScaling, found: &mut Vec<Finding>) {
    let mut intervals: Vec<(f64, f64, String)> = Vec::new();
    for (at, step) in each(at, "steps", Some(&policy.steps)) {
        let lower = step.metric_interval_lower_bound.unwrap_or(f64::NEG_INFINITY);
        let upper = step.metric_interval_upper_bound.unwrap_or(f64::INFINITY);
        if lower >= upper {
            found.push(
                error(
                    format!("{at}.metricIntervalUpperBound"),
                    format!("`{upper}` is not above metricIntervalLowerBound `{lower}`"),
                )
                .hint(format!("give a number above {lower}")),
            );
            return;
        }
        intervals.push((lower, upper, at));
    }
    intervals.sort_by(|one, other| one.0.total_cmp(&other.0));
    for pair in intervals.windows(2) {
        let [(_, upper, _), (lower, _, at)] = pair else { continue };
        if upper.total_cmp(lower).is_ne() {
            let what = if upper < lower { "a gap" } else { "an overlap" };
            found.push(
                error(
                    format!("{at}.metricIntervalLowerBound"),
                    format!("`{lower}` leaves {what} to the step that ends at `{upper}`"),
                )
                .hint(format!("the nearest is {upper}")),
            );
        }
    }
}
