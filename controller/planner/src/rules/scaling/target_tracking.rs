//! Policies that keep a metric near a value (aws.md §5.2).

use crds::Scaling;
use crds::scaling::TargetTracking;
use crds::scaling::target_tracking::PredefinedMetric;

use super::super::finding::{Finding, error};
use super::super::subject::Subject;
use super::super::words::{each, is_open, quoted};
use super::SCALING;
use super::metric::{self, Single};

/// The form of a label, as it is said to people.
const LABEL: &str = "app/<load balancer>/<id>/targetgroup/<target group>/<id>";

/// Seconds of a metric of high resolution.
const HIGH_RESOLUTION: i32 = 20;

pub(super) fn check(subject: &Subject<'_>, scaling: &Scaling, found: &mut Vec<Finding>) {
    for (at, policy) in each(SCALING, "targetTracking", scaling.target_tracking.as_deref()) {
        if policy.target_value <= 0.0 {
            found.push(
                error(
                    format!("{at}.targetValue"),
                    format!("`{}` is no value to keep a metric near", policy.target_value),
                )
                .hint("give a number above 0"),
            );
        }
        metric_of(&at, policy, found);
        label(&at, policy, found);
        high_resolution(subject, &at, policy, found);
    }
    one_policy_a_metric(scaling, found);
}

fn metric_of(at: &str, policy: &TargetTracking, found: &mut Vec<Finding>) {
    match (&policy.predefined_metric, &policy.customized_metric) {
        (Some(_), Some(_)) => found.push(
            error(format!("{at}.customizedMetric"), "stands beside predefinedMetric")
                .hint("give one of the two"),
        ),
        (None, None) => found.push(
            error(
                at,
                format!("`{}` has neither predefinedMetric nor customizedMetric", policy.name),
            )
            .hint(format!("predefined are {}", quoted(PredefinedMetric::KNOWN))),
        ),
        (None, Some(metric)) => {
            let at = format!("{at}.customizedMetric");
            let single = Single {
                name: metric.metric_name.as_deref(),
                namespace: metric.namespace.as_deref(),
                has_statistic: metric.statistic.is_some(),
                dimensions: metric.dimensions.as_deref(),
            };
            single.check(&at, metric.metrics.is_some(), found);
            if metric.metrics.is_some() {
                let queries = metric::queries(&at, "metrics", metric.metrics.as_deref());
                metric::math(&format!("{at}.metrics"), &queries, found);
            }
        }
        (Some(_), None) => {}
    }
}

fn label(at: &str, policy: &TargetTracking, found: &mut Vec<Finding>) {
    let path = format!("{at}.resourceLabel");
    let needs = policy.predefined_metric == Some(PredefinedMetric::RequestCountPerTarget);
    match policy.resource_label.as_deref() {
        None if needs => found.push(
            error(path, "is missing; `ALBRequestCountPerTarget` needs it")
                .hint(format!("its form is {LABEL}")),
        ),
        Some(label) if needs && !is_open(label) && !is_label(label) => {
            found.push(
                error(path, format!("`{label}` is not the label of a target group"))
                    .hint(nearest(label)),
            );
        }
        Some(label) if !needs => found.push(
            error(path, format!("`{label}` belongs to `ALBRequestCountPerTarget` only"))
                .hint("leave it out"),
        ),
        Some(_) | None => {}
    }
}

/// Whether a text is `app/<name>/<id>/targetgroup/<name>/<id>`.
pub(super) fn is_label(label: &str) -> bool {
    let parts: Vec<&str> = label.split('/').collect();
    matches!(parts.as_slice(), ["app", _, _, "targetgroup", _, _])
        && parts.iter().all(|part| !part.is_empty())
}

/// The label that the ARNs of a load balancer and its target group would make, where both are there.
pub(super) fn nearest(label: &str) -> String {
    let balancer = label.split_once("loadbalancer/").map(|(_, rest)| rest);
    let group = label.find("targetgroup/").and_then(|at| label.get(at..));
    let short = |text: &str| text.split('/').take(3).collect::<Vec<_>>().join("/");
    match (balancer.map(short), group.map(short)) {
        (Some(balancer), Some(group)) => format!("the nearest is {balancer}/{group}"),
        _ => format!("its form is {LABEL}"),
    }
}

/// Metrics of high resolution exist where the service is monitored that often (aws.md §2.10).
fn high_resolution(
    subject: &Subject<'_>,
    at: &str,
    policy: &TargetTracking,
    found: &mut Vec<Finding>,
) {
    let (metric, name) = match &policy.predefined_metric {
        Some(metric @ PredefinedMetric::CpuHighResolution) => (metric, "CPUUtilization"),
        Some(metric @ PredefinedMetric::MemoryHighResolution) => (metric, "MemoryUtilization"),
        Some(
            PredefinedMetric::Cpu
            | PredefinedMetric::Memory
            | PredefinedMetric::RequestCountPerTarget
            | PredefinedMetric::Other(_),
        )
        | None => return,
    };
    let monitoring = subject.service.monitoring.as_ref();
    let configurations =
        monitoring.and_then(|monitoring| monitoring.metric_configurations.as_deref());
    let is_taken = configurations.unwrap_or_default().iter().any(|one| {
        one.resolution_seconds == HIGH_RESOLUTION
            && one.metric_names.iter().any(|metric| metric.as_str() == name)
    });
    if !is_taken {
        found.push(
            error(
                format!("{at}.predefinedMetric"),
                format!("`{metric}` needs `{name}` every {HIGH_RESOLUTION} seconds in service.monitoring"),
            )
            .hint(format!(
                "add `metricConfigurations: [{{metricNames: [{name}], resolutionSeconds: {HIGH_RESOLUTION}}}]`"
            )),
        );
    }
}

fn one_policy_a_metric(scaling: &Scaling, found: &mut Vec<Finding>) {
    let policies = scaling.target_tracking.as_deref().unwrap_or_default();
    for (index, policy) in policies.iter().enumerate() {
        let watched =
            (&policy.predefined_metric, &policy.resource_label, &policy.customized_metric);
        let earlier = policies.iter().take(index).find(|earlier| {
            (&earlier.predefined_metric, &earlier.resource_label, &earlier.customized_metric)
                == watched
        });
        let has_metric = policy.predefined_metric.is_some() || policy.customized_metric.is_some();
        if let Some(earlier) = earlier.filter(|_| has_metric) {
            found.push(
                error(
                    format!("{SCALING}.targetTracking[{index}]"),
                    format!("`{}` watches the metric that `{}` watches", policy.name, earlier.name),
                )
                .hint("keep one of them; AWS takes one policy a metric"),
            );
        }
    }
}
