//! For any block: what was applied and observed leaves nothing to do.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::{World, desired};

fn tracking() -> impl Strategy<Value = Value> {
    let metric = prop_oneof![
        Just(json!({ "predefinedMetric": "ECSServiceAverageCPUUtilization" })),
        Just(json!({ "predefinedMetric": "ECSServiceAverageMemoryUtilizationHighResolution" })),
        "[a-z]{1,4}".prop_map(|tail| json!({
            "predefinedMetric": "ALBRequestCountPerTarget",
            "resourceLabel": format!("app/web/1/targetgroup/{tail}/2"),
        })),
        ("[A-Z][a-z]{0,3}", prop::option::of("[a-z]{1,3}")).prop_map(|(name, value)| json!({
            "customizedMetric": {
                "metricName": name, "namespace": "Shop", "statistic": "Sum",
                "dimensions": value.map(|value| json!([{ "name": "Queue", "value": value }])),
            },
        })),
        (0..5_u8).prop_map(|factor| json!({ "customizedMetric": { "metrics": [
            { "id": "b", "expression": format!("a * {factor}"), "label": "load" },
            { "id": "a", "returnData": false, "metricStat": { "stat": "p90", "unit": "Count",
              "metric": { "metricName": "Depth", "namespace": "Shop" } } },
        ] } })),
    ];
    let cooldown = || prop::option::of(prop_oneof![Just(300), 0..1_000_i32]);
    (metric, 1..200_u16, cooldown(), cooldown(), prop::option::of(any::<bool>())).prop_map(
        |(mut policy, target, scale_in, scale_out, disable)| {
            policy["targetValue"] = json!(f64::from(target) / 2.0);
            policy["scaleInCooldown"] = json!(scale_in);
            policy["scaleOutCooldown"] = json!(scale_out);
            policy["disableScaleIn"] = json!(disable);
            policy
        },
    )
}

fn step() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![
        Just("ChangeInCapacity"),
        Just("PercentChangeInCapacity"),
        Just("ExactCapacity")
    ];
    (kind, 1..4_u8, 1..6_i32, prop::option::of(1..6_i32), any::<bool>()).prop_map(
        |(kind, steps, periods, points, has_math)| {
            let steps: Vec<Value> = (0..steps)
                .map(|step| {
                    let upper = (step + 1 < 3).then(|| f64::from(step + 1) * 10.0);
                    json!({
                        "metricIntervalLowerBound": f64::from(step) * 10.0,
                        "metricIntervalUpperBound": upper, "scalingAdjustment": step + 1,
                    })
                })
                .rev()
                .collect();
            let mut alarm = json!({
                "threshold": 5, "comparisonOperator": "GreaterThanThreshold",
                "evaluationPeriods": periods, "datapointsToAlarm": points.map(|points| points.min(periods)),
            });
            if has_math {
                alarm["metrics"] = json!([{ "id": "m", "metricStat": { "stat": "Sum", "period": 60,
                    "metric": { "metricName": "Depth", "namespace": "Shop", "dimensions": [] } } }]);
            } else {
                alarm["metricName"] = json!("Depth");
                alarm["namespace"] = json!("Shop");
                alarm["statistic"] = json!("Maximum");
                alarm["period"] = json!(60);
            }
            json!({ "adjustmentType": kind, "steps": steps, "alarm": alarm,
                    "minAdjustmentMagnitude": (kind == "PercentChangeInCapacity").then_some(2) })
        },
    )
}

fn scheduled() -> impl Strategy<Value = Value> {
    let schedule = prop_oneof![
        Just("rate(1 day)"),
        Just("cron(0 8 ? * MON-FRI *)"),
        Just("at(2030-01-01T00:00:00)")
    ];
    let zone = prop::option::of(prop_oneof![Just("UTC"), Just("Asia/Seoul")]);
    let end = prop::option::of(prop_oneof![
        Just("2031-01-01T00:00:00Z"),
        Just("2031-01-01T00:00:00.000+09:00")
    ]);
    (schedule, zone, end, 0..5_i32, prop::option::of(5..9_i32)).prop_map(
        |(schedule, zone, end, min, max)| {
            json!({ "schedule": schedule, "timezone": zone, "endTime": end,
                    "minCapacity": min, "maxCapacity": max })
        },
    )
}

fn predictive() -> impl Strategy<Value = Value> {
    let query = json!({ "metricDataQueries": [{ "id": "m", "metricStat": { "stat": "Sum",
        "metric": { "metricName": "Depth", "namespace": "Shop" } } }] });
    let metrics = prop_oneof![
        Just(json!({ "predefinedMetricPair": "ECSServiceMemoryUtilization" })),
        Just(
            json!({ "predefinedMetricPair": "ALBRequestCount", "resourceLabel": "app/web/1/targetgroup/web/2" })
        ),
        Just(
            json!({ "predefinedLoadMetric": { "predefinedMetricType": "ECSServiceTotalCPUUtilization" },
                     "predefinedScalingMetric": { "predefinedMetricType": "ECSServiceAverageCPUUtilization" } })
        ),
        Just(
            json!({ "customizedLoadMetric": query.clone(), "customizedScalingMetric": query.clone(),
                     "customizedCapacityMetric": query })
        ),
    ];
    (metrics, prop::option::of(0..3_600_i32), any::<bool>()).prop_map(
        |(mut policy, buffer, increases)| {
            policy["targetValue"] = json!(40);
            policy["schedulingBufferTime"] = json!(buffer);
            if increases {
                policy["maxCapacityBreachBehavior"] = json!("IncreaseMaxCapacity");
                policy["maxCapacityBuffer"] = json!(10);
            }
            policy
        },
    )
}

fn named(
    prefix: &'static str,
    of: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(of, 0..4).prop_map(move |elements| {
        let elements = elements.into_iter().enumerate();
        elements
            .map(|(index, mut element)| {
                element["name"] = json!(format!("{prefix}-{index}"));
                without_null(element)
            })
            .collect()
    })
}

fn without_null(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_null(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(elements) => elements.into_iter().map(without_null).collect(),
        value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => value,
    }
}

fn block() -> impl Strategy<Value = Value> {
    (
        (0..5_i32, 5..20_i32),
        named("track", tracking()),
        named("step", step()),
        named("time", scheduled()),
        named("ahead", predictive()),
        prop::option::of((any::<bool>(), any::<bool>())),
    )
        .prop_map(|((min, max), tracking, step, scheduled, predictive, suspended)| {
            let suspended = suspended.map(|(scale_in, scheduled)| {
                json!({ "dynamicScalingIn": scale_in, "scheduledScaling": scheduled })
            });
            without_null(json!({
                "minCapacity": min, "maxCapacity": max, "targetTracking": tracking, "step": step,
                "scheduled": scheduled, "predictive": predictive, "suspended": suspended,
            }))
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_applied_and_observed_leaves_nothing_to_do(block in block()) {
        let desired = desired(&block);
        World::with(&desired);
    }

    #[test]
    fn any_block_becomes_any_other(before in block(), after in block()) {
        let mut world = World::with(&desired(&before));
        world.settle(&desired(&after));
        let names = |list: &str| {
            after[list].as_array().map_or(0, Vec::len)
        };
        let policies = names("targetTracking") + names("step") + names("predictive");
        prop_assert_eq!(world.scaling.policies.len(), policies);
        prop_assert_eq!(world.scaling.alarms.len(), names("step"));
        prop_assert_eq!(world.scaling.actions.len(), names("scheduled"));
    }
}
