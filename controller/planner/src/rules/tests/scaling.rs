//! Application Auto Scaling.

use serde_json::{Value, json};

use super::specs::fargate;
use super::{E, W, findings, set};

/// What a Fargate service with this block is told: severity, path below `spec.scaling`, message, hint.
#[track_caller]
fn told(block: &Value, expected: &[(super::Severity, &str, &str, &str)]) {
    let mut spec = fargate();
    set(&mut spec, "/spec/scaling", block.clone());
    let found = findings(&spec);
    let found: Vec<_> = found
        .iter()
        .map(|one| {
            let path = one.path.strip_prefix("spec.scaling").unwrap_or(&one.path);
            (one.severity, path, one.message.as_str(), one.hint.as_deref().unwrap_or_default())
        })
        .collect();
    assert_eq!(found, expected, "{block:#}");
}

fn with(list: &str, element: &Value) -> Value {
    json!({ "minCapacity": 1, "maxCapacity": 10, list: [element] })
}

fn scheduled(edits: Value) -> Value {
    let mut action =
        json!({ "name": "day", "schedule": "cron(0 8 ? * MON-FRI *)", "minCapacity": 1 });
    merge(&mut action, edits);
    with("scheduled", &action)
}

fn tracking(edits: Value) -> Value {
    let mut policy = json!({
        "name": "cpu", "predefinedMetric": "ECSServiceAverageCPUUtilization", "targetValue": 60,
    });
    merge(&mut policy, edits);
    with("targetTracking", &policy)
}

fn step(edits: Value) -> Value {
    let mut policy = json!({
        "name": "out", "adjustmentType": "ChangeInCapacity",
        "steps": [{ "metricIntervalLowerBound": 0, "scalingAdjustment": 1 }],
        "alarm": { "metricName": "Depth", "namespace": "Shop", "statistic": "Sum", "period": 60,
                   "threshold": 1, "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1 },
    });
    merge(&mut policy, edits);
    with("step", &policy)
}

fn predictive(edits: Value) -> Value {
    let mut policy = json!({
        "name": "ahead", "targetValue": 40, "predefinedMetricPair": "ECSServiceCPUUtilization",
    });
    merge(&mut policy, edits);
    with("predictive", &policy)
}

fn merge(into: &mut Value, edits: Value) {
    let Value::Object(edits) = edits else { panic!("{edits}") };
    for (name, value) in edits {
        if value.is_null() {
            into.as_object_mut().unwrap().remove(&name);
        } else if let (Some(Value::Object(_)), Value::Object(_)) = (into.get(&name), &value) {
            merge(&mut into[&name], value);
        } else {
            into[&name] = value;
        }
    }
}

#[test]
fn a_right_block_is_told_nothing() {
    for block in [
        tracking(json!({})),
        step(json!({})),
        scheduled(json!({ "timezone": "Europe/Berlin", "startTime": "2026-01-01T00:00:00+01:00" })),
        scheduled(json!({ "schedule": "rate(5 minutes)" })),
        scheduled(json!({ "schedule": "at(2026-05-01T08:00:00)" })),
        predictive(json!({})),
        tracking(json!({ "name": "${var:name}", "predefinedMetric": "ALBRequestCountPerTarget",
                         "resourceLabel": "${tfstate:label}" })),
    ] {
        told(&block, &[]);
    }
}

#[test]
fn bounds() {
    told(
        &json!({ "minCapacity": 11, "maxCapacity": 10 }),
        &[(E, ".minCapacity", "`11` is more than maxCapacity `10`", "the nearest is 10")],
    );
    told(
        &json!({ "minCapacity": -1, "maxCapacity": 10 }),
        &[(E, ".minCapacity", "`-1` is not within 0 to 5000", "the nearest is 0")],
    );
    let mut zero = tracking(json!({}));
    zero["minCapacity"] = json!(0);
    told(
        &zero,
        &[(
            W,
            ".minCapacity",
            "`0` tasks have no CPU or memory metrics, so that nothing scales out from there",
            "use 1, or add a policy on a queue's or a load balancer's metric",
        )],
    );
}

#[test]
fn a_daemon_cannot_be_scaled() {
    let mut spec = super::ec2();
    set(&mut spec, "/spec/service/schedulingStrategy", json!("DAEMON"));
    set(&mut spec, "/spec/service/desiredCount", Value::Null);
    set(&mut spec, "/spec/scaling", json!({ "minCapacity": 1, "maxCapacity": 2 }));
    let found = findings(&spec);
    let found = found.iter().find(|one| one.path == "spec.scaling").unwrap();
    assert_eq!(found.message, "is not possible with schedulingStrategy `DAEMON`");
}

#[test]
fn names() {
    let mut twice = tracking(json!({}));
    twice["predictive"] = predictive(json!({ "name": "cpu" }))["predictive"].clone();
    told(
        &twice,
        &[(
            E,
            ".predictive[0].name",
            "`cpu` names two policies; all kinds share their names",
            "give it a name of its own",
        )],
    );
    told(
        &scheduled(json!({ "name": "a/b" })),
        &[(
            E,
            ".scheduled[0].name",
            "`a/b` is not an action's name: none of `:`, `/` and `|`, no space at the ends",
            "the nearest is a-b",
        )],
    );
}

#[test]
fn schedules() {
    for (schedule, message, hint) in [
        (
            "cron(0 8 * * *)",
            "`cron(0 8 * * *)` has 5 fields and needs 6",
            "the nearest is cron(0 8 * * ? *)",
        ),
        (
            "cron(0 8 * * * *)",
            "`cron(0 8 * * * *)` needs `?` for exactly one of day of the month and day of the week",
            "the nearest is cron(0 8 * * ? *)",
        ),
        (
            "cron(0 8 * * MON *)",
            "`cron(0 8 * * MON *)` needs `?` for exactly one of day of the month and day of the week",
            "the nearest is cron(0 8 ? * MON *)",
        ),
        ("rate(0 minutes)", "`rate(0 minutes)` is not a rate", "the nearest is rate(1 minute)"),
        (
            "at(2026-05-01 08:00:00)",
            "`at(2026-05-01 08:00:00)` is not a time",
            "its form is at(yyyy-mm-ddThh:mm:ss)",
        ),
        (
            "0 8 * * *",
            "`0 8 * * *` is not a schedule",
            "its forms are `at(2026-05-01T08:00:00)`, `rate(1 day)` and `cron(0 8 ? * MON-FRI *)`",
        ),
    ] {
        told(
            &scheduled(json!({ "schedule": schedule })),
            &[(E, ".scheduled[0].schedule", message, hint)],
        );
    }
    let wrong = scheduled(json!({ "schedule": "cron(61 8 * * ? *)" }));
    let mut spec = fargate();
    set(&mut spec, "/spec/scaling", wrong);
    assert_eq!(findings(&spec).len(), 1);
}

#[test]
fn times_and_zones() {
    told(
        &scheduled(json!({ "timezone": "Berlin" })),
        &[(
            E,
            ".scheduled[0].timezone",
            "`Berlin` is not a time zone of the IANA database",
            "the nearest is Europe/Berlin",
        )],
    );
    told(
        &scheduled(json!({ "startTime": "2026-05-01T08:00:00" })),
        &[(
            E,
            ".scheduled[0].startTime",
            "`2026-05-01T08:00:00` is not a moment with its offset",
            "the nearest is 2026-05-01T08:00:00Z",
        )],
    );
    told(
        &scheduled(
            json!({ "startTime": "2026-05-02T00:00:00Z", "endTime": "2026-05-01T00:00:00Z" }),
        ),
        &[(
            E,
            ".scheduled[0].endTime",
            "`2026-05-01T00:00:00Z` is not after startTime `2026-05-02T00:00:00Z`",
            "give a later moment, or leave it out",
        )],
    );
    told(
        &scheduled(json!({ "minCapacity": null })),
        &[(
            E,
            ".scheduled[0]",
            "`day` sets neither minCapacity nor maxCapacity",
            "give at least one of them",
        )],
    );
    told(
        &scheduled(json!({ "minCapacity": 5, "maxCapacity": 4 })),
        &[(E, ".scheduled[0].minCapacity", "`5` is more than maxCapacity `4`", "the nearest is 4")],
    );
}

#[test]
fn metrics() {
    told(
        &tracking(json!({ "predefinedMetric": null })),
        &[(
            E,
            ".targetTracking[0]",
            "`cpu` has neither predefinedMetric nor customizedMetric",
            "predefined are `ECSServiceAverageCPUUtilization`, `ECSServiceAverageMemoryUtilization`, \
             `ALBRequestCountPerTarget`, `ECSServiceAverageCPUUtilizationHighResolution` and \
             `ECSServiceAverageMemoryUtilizationHighResolution`",
        )],
    );
    told(
        &tracking(json!({ "predefinedMetric": "ALBRequestCountPerTarget",
            "resourceLabel": "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/web/1/targetgroup/web/2" })),
        &[(
            E,
            ".targetTracking[0].resourceLabel",
            "`arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/web/1/targetgroup/web/2` is not the label of a target group",
            "the nearest is app/web/1/targetgroup/web/2",
        )],
    );
    told(
        &tracking(json!({ "predefinedMetric": "ECSServiceAverageCPUUtilizationHighResolution" })),
        &[(
            E,
            ".targetTracking[0].predefinedMetric",
            "`ECSServiceAverageCPUUtilizationHighResolution` needs `CPUUtilization` every 20 seconds in service.monitoring",
            "add `metricConfigurations: [{metricNames: [CPUUtilization], resolutionSeconds: 20}]`",
        )],
    );
    told(
        &tracking(json!({ "predefinedMetric": null, "customizedMetric": { "metrics": [
            { "id": "a", "expression": "b" }, { "id": "b", "metricStat": { "stat": "Sum", "metric": {} } }] } })),
        &[(
            E,
            ".targetTracking[0].customizedMetric.metrics",
            "has `2` elements with returnData true; there has to be one",
            "set `returnData: false` on those that only feed others",
        )],
    );
    let mut twice = tracking(json!({}));
    let mut second = twice["targetTracking"][0].clone();
    second["name"] = json!("more");
    twice["targetTracking"].as_array_mut().unwrap().push(second);
    told(
        &twice,
        &[(
            E,
            ".targetTracking[1]",
            "`more` watches the metric that `cpu` watches",
            "keep one of them; AWS takes one policy a metric",
        )],
    );
}

#[test]
fn steps_and_their_alarms() {
    told(
        &step(json!({ "steps": [
            { "metricIntervalLowerBound": 0, "metricIntervalUpperBound": 10, "scalingAdjustment": 1 },
            { "metricIntervalLowerBound": 20, "scalingAdjustment": 2 }] })),
        &[(
            E,
            ".step[0].steps[1].metricIntervalLowerBound",
            "`20` leaves a gap to the step that ends at `10`",
            "the nearest is 10",
        )],
    );
    told(
        &step(json!({ "steps": [] })),
        &[(E, ".step[0].steps", "has `0` steps; there may be 1 to 20", "the nearest is 1")],
    );
    told(
        &step(json!({ "minAdjustmentMagnitude": 2 })),
        &[(
            E,
            ".step[0].minAdjustmentMagnitude",
            "`2` belongs to `PercentChangeInCapacity` only",
            "leave it out",
        )],
    );
    told(
        &step(json!({ "alarm": { "period": 90, "datapointsToAlarm": 2 } })),
        &[
            (
                E,
                ".step[0].alarm.period",
                "`90` is not a period: 10, 20, 30 or a multiple of 60",
                "the nearest is 120",
            ),
            (
                E,
                ".step[0].alarm.datapointsToAlarm",
                "`2` is more than evaluationPeriods `1`",
                "the nearest is 1",
            ),
        ],
    );
    told(
        &step(json!({ "alarm": { "namespace": null } })),
        &[(E, ".step[0].alarm.namespace", "is missing; a metric needs it", "")],
    );
}

#[test]
fn forecasts() {
    told(
        &predictive(json!({ "schedulingBufferTime": 3601 })),
        &[(
            E,
            ".predictive[0].schedulingBufferTime",
            "`3601` is not within 0 to 3600",
            "the nearest is 3600",
        )],
    );
    told(
        &predictive(json!({ "predefinedMetricPair": null })),
        &[(
            E,
            ".predictive[0]",
            "`ahead` needs predefinedMetricPair, or one load metric and one scaling metric",
            "`predefinedMetricPair: ECSServiceCPUUtilization` is the usual one",
        )],
    );
    told(
        &predictive(json!({ "maxCapacityBuffer": 10 })),
        &[(
            E,
            ".predictive[0].maxCapacityBuffer",
            "`10` belongs to maxCapacityBreachBehavior `IncreaseMaxCapacity`",
            "leave it out",
        )],
    );
}

const LABEL: &str = "app/web/1/targetgroup/web/2";
const FORM: &str = "its form is app/<load balancer>/<id>/targetgroup/<target group>/<id>";

#[test]
fn labels_belong_to_metrics_of_target_groups() {
    let (tracked, forecast) = (
        |label| {
            tracking(
                json!({ "predefinedMetric": "ALBRequestCountPerTarget", "resourceLabel": label }),
            )
        },
        |label| {
            predictive(json!({ "predefinedMetricPair": "ALBRequestCount", "resourceLabel": label }))
        },
    );
    for label in [LABEL, "${tfstate:label}"] {
        told(&tracked(json!(label)), &[]);
        told(&forecast(json!(label)), &[]);
    }
    let (of_tracking, of_forecast) =
        (".targetTracking[0].resourceLabel", ".predictive[0].resourceLabel");
    let missing = "is missing; `ALBRequestCountPerTarget` needs it";
    told(&tracked(Value::Null), &[(E, of_tracking, missing, FORM)]);
    told(
        &forecast(Value::Null),
        &[(E, of_forecast, "is missing; `ALBRequestCount` needs it", FORM)],
    );
    for label in ["web", "app//1/targetgroup/web/2", "app/web/1/targetgroup/web/2/3"] {
        let message = format!("`{label}` is not the label of a target group");
        told(&tracked(json!(label)), &[(E, of_tracking, &message, FORM)]);
        told(&forecast(json!(label)), &[(E, of_forecast, &message, FORM)]);
    }
    told(
        &tracking(json!({ "resourceLabel": LABEL })),
        &[(
            E,
            of_tracking,
            "`app/web/1/targetgroup/web/2` belongs to `ALBRequestCountPerTarget` only",
            "leave it out",
        )],
    );
    told(
        &predictive(json!({ "resourceLabel": LABEL })),
        &[(
            E,
            of_forecast,
            "`app/web/1/targetgroup/web/2` belongs to the pair `ALBRequestCount` only",
            "leave it out",
        )],
    );
}

#[test]
fn a_metric_of_high_resolution_has_to_be_monitored_that_often() {
    for (metric, name, seconds, is_told) in [
        ("CPU", "CPUUtilization", 20, false),
        ("CPU", "CPUUtilization", 60, true),
        ("CPU", "MemoryUtilization", 20, true),
        ("Memory", "MemoryUtilization", 20, false),
    ] {
        let mut spec = fargate();
        let metric = format!("ECSServiceAverage{metric}UtilizationHighResolution");
        set(&mut spec, "/spec/scaling", tracking(json!({ "predefinedMetric": metric })));
        let often = json!({ "metricNames": [name], "resolutionSeconds": seconds });
        set(&mut spec, "/spec/service/monitoring", json!({ "metricConfigurations": [often] }));
        let found = findings(&spec);
        let told = found.iter().any(|one| one.path.ends_with(".predefinedMetric"));
        assert_eq!(told, is_told, "{metric} {name} {seconds}");
    }
}

#[test]
fn an_exact_capacity_is_a_count() {
    let exactly = |count: i32| {
        let steps = json!([{ "metricIntervalLowerBound": 0, "scalingAdjustment": count }]);
        step(json!({ "adjustmentType": "ExactCapacity", "steps": steps }))
    };
    told(&exactly(0), &[]);
    told(
        &exactly(-1),
        &[(
            E,
            ".step[0].steps[0].scalingAdjustment",
            "`-1` is no count of tasks",
            "the nearest is 0",
        )],
    );
    let less = json!([{ "metricIntervalLowerBound": 0, "scalingAdjustment": -1 }]);
    told(&step(json!({ "steps": less })), &[]);
}

#[test]
fn a_buffer_belongs_to_a_forecast_that_may_go_beyond_its_bounds() {
    let increases = |buffer: Value| {
        predictive(json!({
            "maxCapacityBreachBehavior": "IncreaseMaxCapacity", "maxCapacityBuffer": buffer,
        }))
    };
    told(&increases(json!(10)), &[]);
    told(
        &increases(Value::Null),
        &[(
            E,
            ".predictive[0].maxCapacityBuffer",
            "is missing; `IncreaseMaxCapacity` needs it",
            "give 0 to 100 percent",
        )],
    );
    told(&predictive(json!({ "maxCapacityBreachBehavior": "HonorMaxCapacity" })), &[]);
}

#[test]
fn of_several_queries_one_is_the_value() {
    let stat = json!({ "metric": { "namespace": "Shop", "metricName": "Depth" }, "stat": "Sum" });
    let queries = |returns: bool| {
        json!({ "metricDataQueries": [
            { "id": "a", "expression": "b * 2" },
            { "id": "b", "metricStat": stat, "returnData": returns },
        ] })
    };
    let custom = |load: Value| {
        let scaling = queries(false);
        predictive(json!({
            "predefinedMetricPair": null, "customizedLoadMetric": load, "customizedScalingMetric": scaling,
        }))
    };
    let two = "has `2` elements with returnData true; there has to be one";
    let hint = "set `returnData: false` on those that only feed others";
    told(&custom(queries(false)), &[]);
    let at = ".predictive[0].customizedLoadMetric.metricDataQueries";
    told(&custom(queries(true)), &[(E, at, two, hint)]);
    let alarm = |returns: bool| {
        step(json!({ "alarm": {
            "metricName": null, "namespace": null, "statistic": null, "period": null,
            "metrics": [
                { "id": "a", "expression": "b * 2" },
                { "id": "b", "returnData": returns, "metricStat": {
                    "metric": { "namespace": "Shop", "metricName": "Depth" }, "stat": "Sum", "period": 60 } },
            ],
        } }))
    };
    told(&alarm(false), &[]);
    told(&alarm(true), &[(E, ".step[0].alarm.metrics", two, hint)]);
}
