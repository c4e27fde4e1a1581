//! What AWS demands of a scaling policy's configuration (aws.md §5.2).

use serde_json::{Value, json};

use super::invalid;
use crate::{
    ApiError,
    json::{float, list, member, number, required_text, text},
};

const STEPS_MAX: usize = 20;

/// How a policy decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    TargetTracking,
    Step,
    Predictive,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::TargetTracking, Self::Step, Self::Predictive];

    pub(super) fn parse(name: &str) -> Result<Self, ApiError> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            crate::json::constraint(
                "PolicyType",
                name,
                "Member must satisfy enum value set: [StepScaling, TargetTrackingScaling, PredictiveScaling]",
            )
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TargetTracking => "TargetTrackingScaling",
            Self::Step => "StepScaling",
            Self::Predictive => "PredictiveScaling",
        }
    }

    /// The member of a request that configures a policy of this kind.
    pub(super) fn member(self) -> &'static str {
        match self {
            Self::TargetTracking => "TargetTrackingScalingPolicyConfiguration",
            Self::Step => "StepScalingPolicyConfiguration",
            Self::Predictive => "PredictiveScalingPolicyConfiguration",
        }
    }
}

/// Refuses a configuration that AWS would refuse.
pub(super) fn validate(kind: Kind, configuration: &Value) -> Result<(), ApiError> {
    match kind {
        Kind::TargetTracking => target_tracking(configuration),
        Kind::Step => step(configuration),
        Kind::Predictive => predictive(configuration),
    }
}

/// What a target-tracking policy watches: two policies of a target cannot watch the same.
pub(super) fn metric(configuration: &Value) -> Value {
    json!([
        configuration.get("PredefinedMetricSpecification"),
        configuration.get("CustomizedMetricSpecification")
    ])
}

fn target_tracking(configuration: &Value) -> Result<(), ApiError> {
    float(configuration, "TargetValue")?.ok_or_else(|| crate::json::absent("TargetValue"))?;
    for cooldown in ["ScaleOutCooldown", "ScaleInCooldown"] {
        not_negative(configuration, cooldown)?;
    }
    let predefined = member(configuration, "PredefinedMetricSpecification");
    let customized = member(configuration, "CustomizedMetricSpecification");
    match (predefined, customized) {
        (Some(metric), None) => predefined_metric(metric),
        (None, Some(metric)) => customized_metric(metric),
        (Some(_), Some(_)) | (None, None) => Err(invalid(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be given.",
        )),
    }
}

fn predefined_metric(metric: &Value) -> Result<(), ApiError> {
    const OF_TASKS: [&str; 4] = [
        "ECSServiceAverageCPUUtilization",
        "ECSServiceAverageMemoryUtilization",
        "ECSServiceAverageCPUUtilizationHighResolution",
        "ECSServiceAverageMemoryUtilizationHighResolution",
    ];
    let kind = required_text(metric, "PredefinedMetricType")?;
    let label = text(metric, "ResourceLabel")?;
    match (kind, label) {
        ("ALBRequestCountPerTarget", Some(label)) if is_target_group_label(label) => Ok(()),
        ("ALBRequestCountPerTarget", _) => Err(invalid(
            "ALBRequestCountPerTarget needs a ResourceLabel app/<load balancer>/<id>/targetgroup/<target group>/<id>.",
        )),
        (kind, None) if OF_TASKS.contains(&kind) => Ok(()),
        (kind, Some(_)) if OF_TASKS.contains(&kind) => {
            Err(invalid(format!("ResourceLabel does not belong to {kind}.")))
        }
        (kind, _) => Err(invalid(format!("{kind} is not a metric of ECS services."))),
    }
}

fn is_target_group_label(label: &str) -> bool {
    let parts: Vec<&str> = label.split('/').collect();
    let is_form = matches!(parts.as_slice(), ["app", _, _, "targetgroup", _, _]);
    is_form && parts.iter().all(|part| !part.is_empty())
}

/// One metric, or metric math with exactly one result.
fn customized_metric(metric: &Value) -> Result<(), ApiError> {
    let Some(queries) = list(metric, "Metrics")? else {
        for name in ["MetricName", "Namespace", "Statistic"] {
            required_text(metric, name)?;
        }
        return Ok(());
    };
    let is_result =
        |query: &&Value| query.get("ReturnData").and_then(Value::as_bool) != Some(false);
    if queries.iter().filter(is_result).count() != 1 {
        return Err(invalid("Exactly one element of Metrics must have ReturnData set to true."));
    }
    queries.iter().try_for_each(|query| required_text(query, "Id").map(|_| ()))
}

fn step(configuration: &Value) -> Result<(), ApiError> {
    let adjustment = required_text(configuration, "AdjustmentType")?;
    if !["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"].contains(&adjustment) {
        return Err(invalid(format!("{adjustment} is not an AdjustmentType.")));
    }
    if member(configuration, "MinAdjustmentMagnitude").is_some()
        && adjustment != "PercentChangeInCapacity"
    {
        return Err(invalid("MinAdjustmentMagnitude belongs to PercentChangeInCapacity only."));
    }
    not_negative(configuration, "Cooldown")?;
    let steps = list(configuration, "StepAdjustments")?.unwrap_or_default();
    if steps.is_empty() {
        return Err(invalid("At least one step adjustment must be given."));
    }
    if steps.len() > STEPS_MAX {
        return Err(ApiError::refused(
            "LimitExceededException",
            "at most 20 step adjustments per policy",
        ));
    }
    let mut intervals = Vec::new();
    for step in steps {
        number(step, "ScalingAdjustment")?
            .ok_or_else(|| crate::json::absent("ScalingAdjustment"))?;
        let lower = float(step, "MetricIntervalLowerBound")?.unwrap_or(f64::NEG_INFINITY);
        let upper = float(step, "MetricIntervalUpperBound")?.unwrap_or(f64::INFINITY);
        if lower >= upper || (lower.is_infinite() && upper.is_infinite() && steps.len() > 1) {
            return Err(invalid("A step adjustment's lower bound must be below its upper bound."));
        }
        intervals.push((lower, upper));
    }
    intervals.sort_by(|one, other| one.0.total_cmp(&other.0));
    let is_contiguous = intervals.windows(2).all(|pair| match pair {
        [(_, upper), (lower, _)] => upper.total_cmp(lower).is_eq(),
        _ => true,
    });
    if !is_contiguous {
        return Err(invalid("Step adjustment intervals cannot have gaps or overlaps."));
    }
    Ok(())
}

fn predictive(configuration: &Value) -> Result<(), ApiError> {
    let specifications = list(configuration, "MetricSpecifications")?.unwrap_or_default();
    let [specification] = specifications else {
        return Err(invalid("MetricSpecifications must have exactly one element."));
    };
    float(specification, "TargetValue")?.ok_or_else(|| crate::json::absent("TargetValue"))?;
    one_of(configuration, "Mode", &["ForecastOnly", "ForecastAndScale"])?;
    one_of(
        configuration,
        "MaxCapacityBreachBehavior",
        &["HonorMaxCapacity", "IncreaseMaxCapacity"],
    )?;
    crate::json::bounded(configuration, "SchedulingBufferTime", (0, 3600), 300)?;
    crate::json::bounded(configuration, "MaxCapacityBuffer", (0, 100), 0)?;
    let increases =
        text(configuration, "MaxCapacityBreachBehavior")? == Some("IncreaseMaxCapacity");
    if member(configuration, "MaxCapacityBuffer").is_some() != increases {
        return Err(invalid("MaxCapacityBuffer belongs to IncreaseMaxCapacity, and to it only."));
    }
    let has = |name: &str| member(specification, name).is_some();
    let pair = has("PredefinedMetricPairSpecification");
    let load = has("PredefinedLoadMetricSpecification") || has("CustomizedLoadMetricSpecification");
    let scaling =
        has("PredefinedScalingMetricSpecification") || has("CustomizedScalingMetricSpecification");
    if pair == (load || scaling) || load != scaling {
        return Err(invalid("A metric pair, or a load and a scaling metric, must be given."));
    }
    Ok(())
}

fn one_of(configuration: &Value, name: &str, allowed: &[&str]) -> Result<(), ApiError> {
    match text(configuration, name)? {
        Some(value) if !allowed.contains(&value) => Err(crate::json::constraint(
            name,
            value,
            &format!("Member must satisfy enum value set: [{}]", allowed.join(", ")),
        )),
        Some(_) | None => Ok(()),
    }
}

fn not_negative(configuration: &Value, name: &str) -> Result<(), ApiError> {
    match number(configuration, name)? {
        Some(seconds) if seconds < 0 => Err(invalid(format!("{name} cannot be negative."))),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predefined(kind: &str, label: Option<&str>) -> Value {
        json!({"TargetValue": 50, "PredefinedMetricSpecification": {"PredefinedMetricType": kind, "ResourceLabel": label}})
    }

    #[test]
    fn target_tracking_rules() {
        let label = "app/web/0123/targetgroup/web/4567";
        let math = |first: bool, second: bool| {
            json!({"TargetValue": 1, "CustomizedMetricSpecification": {"Metrics": [
            {"Id": "a", "ReturnData": first}, {"Id": "b", "ReturnData": second}]}})
        };
        for (configuration, is_valid) in [
            (predefined("ECSServiceAverageCPUUtilization", None), true),
            (predefined("ECSServiceAverageCPUUtilization", Some(label)), false),
            (predefined("ALBRequestCountPerTarget", Some(label)), true),
            (predefined("ALBRequestCountPerTarget", Some("app/web")), false),
            (predefined("ALBRequestCountPerTarget", None), false),
            (predefined("DynamoDBReadCapacityUtilization", None), false),
            (json!({"TargetValue": 50}), false),
            (
                json!({"PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}),
                false,
            ),
            (
                json!({"TargetValue": 1, "CustomizedMetricSpecification": {"MetricName": "m", "Namespace": "n", "Statistic": "Sum"}}),
                true,
            ),
            (
                json!({"TargetValue": 1, "CustomizedMetricSpecification": {"MetricName": "m"}}),
                false,
            ),
            (math(true, false), true),
            (math(true, true), false),
            (math(false, false), false),
        ] {
            assert_eq!(
                validate(Kind::TargetTracking, &configuration).is_ok(),
                is_valid,
                "{configuration}"
            );
        }
        let mut negative = predefined("ECSServiceAverageCPUUtilization", None);
        negative["ScaleInCooldown"] = json!(-1);
        assert!(validate(Kind::TargetTracking, &negative).is_err());
    }

    #[test]
    fn step_rules() {
        let step = |lower: Value, upper: Value| json!({"MetricIntervalLowerBound": lower, "MetricIntervalUpperBound": upper, "ScalingAdjustment": 1});
        let policy = |kind: &str, steps: Vec<Value>| json!({"AdjustmentType": kind, "StepAdjustments": steps});
        let null = Value::Null;
        for (configuration, is_valid) in [
            (policy("ChangeInCapacity", vec![step(json!(0), null.clone())]), true),
            (
                policy(
                    "ChangeInCapacity",
                    vec![step(json!(10), null.clone()), step(json!(0), json!(10))],
                ),
                true,
            ),
            (
                policy(
                    "ChangeInCapacity",
                    vec![step(json!(0), json!(10)), step(json!(20), null.clone())],
                ),
                false,
            ),
            (
                policy(
                    "ChangeInCapacity",
                    vec![step(json!(0), json!(10)), step(json!(5), null.clone())],
                ),
                false,
            ),
            (policy("ChangeInCapacity", vec![step(json!(10), json!(0))]), false),
            (policy("ChangeInCapacity", vec![]), false),
            (policy("Sideways", vec![step(json!(0), null.clone())]), false),
            (
                json!({"AdjustmentType": "ExactCapacity", "MinAdjustmentMagnitude": 1, "StepAdjustments": [step(json!(0), null.clone())]}),
                false,
            ),
            (
                json!({"AdjustmentType": "PercentChangeInCapacity", "MinAdjustmentMagnitude": 1, "StepAdjustments": [step(json!(0), null.clone())]}),
                true,
            ),
        ] {
            assert_eq!(validate(Kind::Step, &configuration).is_ok(), is_valid, "{configuration}");
        }
        let many: Vec<Value> = (0..21).map(|n| step(json!(n), json!(n + 1))).collect();
        assert_eq!(
            validate(Kind::Step, &policy("ChangeInCapacity", many)).unwrap_err().code,
            "LimitExceededException"
        );
    }

    #[test]
    fn predictive_rules() {
        let pair = json!({"TargetValue": 40, "PredefinedMetricPairSpecification": {"PredefinedMetricType": "ECSServiceCPUUtilization"}});
        for (configuration, is_valid) in [
            (json!({"MetricSpecifications": [pair]}), true),
            (json!({"MetricSpecifications": [pair, pair]}), false),
            (json!({"MetricSpecifications": [pair], "Mode": "Guess"}), false),
            (json!({"MetricSpecifications": [pair], "SchedulingBufferTime": 3601}), false),
            (json!({"MetricSpecifications": [pair], "MaxCapacityBuffer": 10}), false),
            (
                json!({"MetricSpecifications": [pair], "MaxCapacityBreachBehavior": "IncreaseMaxCapacity", "MaxCapacityBuffer": 10}),
                true,
            ),
            (json!({"MetricSpecifications": [{"TargetValue": 40}]}), false),
        ] {
            assert_eq!(
                validate(Kind::Predictive, &configuration).is_ok(),
                is_valid,
                "{configuration}"
            );
        }
    }
}
