//! Policies that scale out ahead of a forecast (aws.md §5.2).

use crds::Scaling;
use crds::scaling::PredictiveScaling;
use crds::scaling::predictive::{
    MaxCapacityBreachBehavior, PredefinedMetricPair, PredictiveMetric,
};

use super::super::finding::{Finding, error};
use super::super::words::{each, is_open};
use super::{SCALING, metric, target_tracking};

pub(super) fn check(scaling: &Scaling, found: &mut Vec<Finding>) {
    for (at, policy) in each(SCALING, "predictive", scaling.predictive.as_deref()) {
        metrics(&at, policy, found);
        label(&at, policy, found);
        buffer(&at, policy, found);
        for (member, custom) in [
            ("customizedLoadMetric", &policy.customized_load_metric),
            ("customizedScalingMetric", &policy.customized_scaling_metric),
            ("customizedCapacityMetric", &policy.customized_capacity_metric),
        ] {
            if let Some(custom) = custom {
                math(&format!("{at}.{member}"), custom, found);
            }
        }
    }
}

fn metrics(at: &str, policy: &PredictiveScaling, found: &mut Vec<Finding>) {
    let loads = [policy.predefined_load_metric.is_some(), policy.customized_load_metric.is_some()];
    let scalings =
        [policy.predefined_scaling_metric.is_some(), policy.customized_scaling_metric.is_some()];
    let count = |given: [bool; 2]| given.into_iter().filter(|is_given| *is_given).count();
    let is_right = match (policy.predefined_metric_pair.is_some(), count(loads), count(scalings)) {
        (true, 0, 0) | (false, 1, 1) => true,
        (_, _, _) => false,
    };
    if !is_right {
        found.push(
            error(
                at,
                format!(
                    "`{}` needs predefinedMetricPair, or one load metric and one scaling metric",
                    policy.name
                ),
            )
            .hint("`predefinedMetricPair: ECSServiceCPUUtilization` is the usual one"),
        );
    }
}

fn label(at: &str, policy: &PredictiveScaling, found: &mut Vec<Finding>) {
    let path = format!("{at}.resourceLabel");
    let needs = policy.predefined_metric_pair == Some(PredefinedMetricPair::RequestCount);
    match policy.resource_label.as_deref() {
        None if needs => {
            found.push(
                error(path, "is missing; `ALBRequestCount` needs it")
                    .hint(target_tracking::nearest("")),
            );
        }
        Some(label) if needs && !is_open(label) && !target_tracking::is_label(label) => found.push(
            error(path, format!("`{label}` is not the label of a target group"))
                .hint(target_tracking::nearest(label)),
        ),
        Some(label) if !needs => found.push(
            error(path, format!("`{label}` belongs to the pair `ALBRequestCount` only"))
                .hint("leave it out"),
        ),
        Some(_) | None => {}
    }
}

fn buffer(at: &str, policy: &PredictiveScaling, found: &mut Vec<Finding>) {
    let increases =
        policy.max_capacity_breach_behavior == Some(MaxCapacityBreachBehavior::IncreaseMaxCapacity);
    let path = format!("{at}.maxCapacityBuffer");
    match policy.max_capacity_buffer {
        Some(buffer) if !increases => found.push(
            error(
                path,
                format!("`{buffer}` belongs to maxCapacityBreachBehavior `IncreaseMaxCapacity`"),
            )
            .hint("leave it out"),
        ),
        None if increases => found.push(
            error(path, "is missing; `IncreaseMaxCapacity` needs it").hint("give 0 to 100 percent"),
        ),
        Some(_) | None => {}
    }
}

fn math(at: &str, custom: &PredictiveMetric, found: &mut Vec<Finding>) {
    let queries = metric::queries(at, "metricDataQueries", Some(&custom.metric_data_queries));
    metric::math(&format!("{at}.metricDataQueries"), &queries, found);
}
