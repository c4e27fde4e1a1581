//! The rules of aws.md §6.9.

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn watch() -> CloudWatch {
    CloudWatch::new("123456789012", "eu-west-1")
}

fn ok(watch: &mut CloudWatch, operation: &str, input: &Value) -> Value {
    watch.call(operation, input, NOW).unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn code(watch: &mut CloudWatch, operation: &str, input: &Value) -> String {
    watch.call(operation, input, NOW).unwrap_err().code
}

fn alarm(name: &str) -> Value {
    json!({"AlarmName": name, "MetricName": "m", "Namespace": "n", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 2,
        "Threshold": 1.5, "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": ["arn:policy"]})
}

fn names(answer: &Value) -> Vec<&str> {
    answer["MetricAlarms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["AlarmName"].as_str().unwrap())
        .collect()
}

fn set(watch: &mut CloudWatch, name: &str, state: &str) {
    ok(
        watch,
        "SetAlarmState",
        &json!({"AlarmName": name, "StateValue": state, "StateReason": "test"}),
    );
}

#[test]
fn unknown_names_are_silently_absent() {
    let mut watch = watch();
    ok(&mut watch, "PutMetricAlarm", &alarm("a"));
    let answer = ok(&mut watch, "DescribeAlarms", &json!({"AlarmNames": ["a", "missing"]}));
    assert_eq!(names(&answer), ["a"]);
    let shown = &answer["MetricAlarms"][0];
    assert_eq!(shown["StateValue"], "INSUFFICIENT_DATA");
    assert_eq!(shown["AlarmArn"], "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a");
    assert_eq!((shown["Threshold"].as_f64(), &shown["OKActions"]), (Some(1.5), &json!([])));
}

#[test]
fn alarms_are_filtered_and_paged() {
    let mut watch = watch();
    for name in ["web-5xx", "web-slow", "api-5xx"] {
        ok(&mut watch, "PutMetricAlarm", &alarm(name));
    }
    set(&mut watch, "web-slow", "ALARM");
    for (input, expected) in [
        (json!({"AlarmNamePrefix": "web-"}), vec!["web-5xx", "web-slow"]),
        (json!({"StateValue": "ALARM"}), vec!["web-slow"]),
        (json!({"ActionPrefix": "arn:p"}), vec!["api-5xx", "web-5xx", "web-slow"]),
        (json!({"AlarmTypes": ["CompositeAlarm"]}), vec![]),
    ] {
        assert_eq!(names(&ok(&mut watch, "DescribeAlarms", &input)), expected, "{input}");
    }
    let first = ok(&mut watch, "DescribeAlarms", &json!({"MaxRecords": 2}));
    let second = ok(
        &mut watch,
        "DescribeAlarms",
        &json!({"MaxRecords": 2, "NextToken": first["NextToken"]}),
    );
    assert_eq!((names(&first).len(), names(&second)), (2, vec!["web-slow"]));
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    for (input, expected) in [
        (json!({"AlarmNames": many}), "InvalidParameterValueException"),
        (
            json!({"AlarmNames": ["a"], "AlarmNamePrefix": "a"}),
            "InvalidParameterCombinationException",
        ),
        (json!({"StateValue": "FINE"}), "ValidationException"),
        (json!({"NextToken": "x"}), "InvalidNextToken"),
    ] {
        assert_eq!(code(&mut watch, "DescribeAlarms", &input), expected, "{input}");
    }
}

#[test]
fn states_are_set_kept_and_told() {
    let mut watch = watch();
    ok(&mut watch, "PutMetricAlarm", &alarm("a"));
    set(&mut watch, "a", "ALARM");
    set(&mut watch, "a", "ALARM");
    ok(&mut watch, "PutMetricAlarm", &alarm("a"));
    assert_eq!(
        ok(&mut watch, "DescribeAlarms", &json!({}))["MetricAlarms"][0]["StateValue"],
        "ALARM"
    );
    set(&mut watch, "a", "OK");
    let told: Vec<(bool, usize)> =
        watch.drain_transitions().into_iter().map(|one| (one.rings, one.actions.len())).collect();
    assert_eq!(told, [(true, 1), (false, 0)]);
    assert!(watch.drain_transitions().is_empty());
    let mut silent = alarm("a");
    silent["ActionsEnabled"] = json!(false);
    ok(&mut watch, "PutMetricAlarm", &silent);
    set(&mut watch, "a", "ALARM");
    assert_eq!(watch.drain_transitions()[0].actions, Vec::<String>::new());
}

#[test]
fn deleting_is_all_or_nothing() {
    let mut watch = watch();
    ok(&mut watch, "PutMetricAlarm", &alarm("a"));
    let refusal = watch.call("DeleteAlarms", &json!({"AlarmNames": ["a", "b"]}), NOW).unwrap_err();
    assert_eq!((refusal.code.as_str(), refusal.http_status), ("ResourceNotFound", 404));
    assert_eq!(names(&ok(&mut watch, "DescribeAlarms", &json!({}))), ["a"]);
    set(&mut watch, "a", "ALARM");
    ok(&mut watch, "DeleteAlarms", &json!({"AlarmNames": ["a"]}));
    assert_eq!(watch.drain_transitions().last().map(|last| last.rings), Some(false));
    let set = json!({"AlarmName": "a", "StateValue": "OK", "StateReason": "x"});
    assert_eq!(code(&mut watch, "SetAlarmState", &set), "ResourceNotFound");
}

#[test]
fn what_put_metric_alarm_refuses() {
    let mut watch = watch();
    for (member, value, expected) in [
        ("ComparisonOperator", json!(null), "MissingRequiredParameterException"),
        ("ComparisonOperator", json!("Above"), "InvalidParameterValueException"),
        ("EvaluationPeriods", json!(0), "InvalidParameterValueException"),
        ("DatapointsToAlarm", json!(3), "InvalidParameterValueException"),
        ("Threshold", json!(null), "MissingRequiredParameterException"),
        ("Period", json!(45), "InvalidParameterValueException"),
        ("ExtendedStatistic", json!("p99"), "InvalidParameterValueException"),
        ("Metrics", json!([]), "InvalidParameterCombinationException"),
        ("AlarmActions", json!(["1", "2", "3", "4", "5", "6"]), "InvalidParameterValueException"),
        ("AlarmName", json!(null), "ValidationException"),
    ] {
        let mut input = alarm("a");
        input[member] = value;
        assert_eq!(code(&mut watch, "PutMetricAlarm", &input), expected, "{member}");
    }
}

#[test]
fn metrics_are_summed_up_by_period() {
    let mut watch = watch();
    let fixture = json!({"namespace": "AWS/ECS", "metricName": "CPUUtilization", "dimensions": {"ServiceName": "web"},
        "values": [10.0, 20.0, 60.0]});
    watch
        .load_metric(&serde_json::from_value(fixture).unwrap(), NOW + SignedDuration::from_mins(10))
        .unwrap();
    let query = |stat: &str, period: i64| {
        json!({"StartTime": 0, "EndTime": 3600, "ScanBy": "TimestampAscending", "MetricDataQueries": [
        {"Id": "q", "MetricStat": {"Stat": stat, "Period": period, "Metric": {"Namespace": "AWS/ECS", "MetricName": "CPUUtilization",
         "Dimensions": [{"Name": "ServiceName", "Value": "web"}]}}}]})
    };
    for (stat, period, values) in [
        ("Average", 3600, json!([30.0])),
        ("Sum", 3600, json!([90.0])),
        ("Minimum", 3600, json!([10.0])),
        ("Maximum", 3600, json!([60.0])),
        ("SampleCount", 3600, json!([3.0])),
        ("p50", 3600, json!([20.0])),
        ("p99", 3600, json!([60.0])),
        ("Average", 60, json!([10.0, 20.0, 60.0])),
    ] {
        let answer = ok(&mut watch, "GetMetricData", &query(stat, period));
        assert_eq!(answer["MetricDataResults"][0]["Values"], values, "{stat} {period}");
        assert_eq!(answer["MetricDataResults"][0]["StatusCode"], "Complete");
    }
    let newest_first = ok(
        &mut watch,
        "GetMetricData",
        &json!({"StartTime": 0, "EndTime": 3600, "MetricDataQueries": query("Sum", 60)["MetricDataQueries"]}),
    );
    assert_eq!(newest_first["MetricDataResults"][0]["Values"], json!([60.0, 20.0, 10.0]));
    for (change, value) in [("Stat", json!("tm99")), ("Stat", json!("p101")), ("Period", json!(0))]
    {
        let mut input = query("Sum", 60);
        input["MetricDataQueries"][0]["MetricStat"][change] = value;
        assert_eq!(code(&mut watch, "GetMetricData", &input), "InvalidParameterValueException");
    }
}

#[test]
fn arithmetic_over_metrics_is_computed_and_other_math_refused() {
    let mut watch = watch();
    for (name, values) in [("requests", json!([100.0, 50.0, 10.0])), ("errors", json!([1.0]))] {
        let fixture = json!({"namespace": "n", "metricName": name, "values": values});
        let now = NOW + SignedDuration::from_mins(10);
        watch.load_metric(&serde_json::from_value(fixture).unwrap(), now).unwrap();
    }
    let stat = |name: &str| json!({"Stat": "Sum", "Period": 60, "Metric": {"Namespace": "n", "MetricName": name}});
    let query = |expression: &str| {
        json!({"StartTime": 0, "EndTime": 3600, "MetricDataQueries": [
            {"Id": "e", "Expression": expression},
            {"Id": "r", "MetricStat": stat("requests"), "ReturnData": false},
            {"Id": "x", "MetricStat": stat("errors"), "ReturnData": false},
        ]})
    };
    for (expression, values) in [
        ("r * 2 + 1", json!([21.0, 101.0, 201.0])),
        ("100 * (x / r)", json!([10.0])),
        ("FILL(x, 0) / r", json!([0.1, 0.0, 0.0])),
        ("-x", json!([-1.0])),
        // What is divided by nothing has no value.
        ("r / (x - 1)", json!([])),
    ] {
        let answer = ok(&mut watch, "GetMetricData", &query(expression));
        let results = answer["MetricDataResults"].as_array().unwrap();
        assert_eq!(results.len(), 1, "{expression}");
        assert_eq!(results[0]["Values"], values, "{expression}");
    }
    for expression in ["RATE(r)", "r +", "(r", "unknown", "1 + 1", "IF(r > 1, 1, 0)", ""] {
        let refused = code(&mut watch, "GetMetricData", &query(expression));
        assert_eq!(refused, "InvalidParameterValueException", "{expression}");
    }
}

#[test]
fn fixtures_set_the_state() {
    let mut watch = watch();
    let fixture: FixtureAlarm =
        serde_json::from_value(json!({"name": "web-5xx", "state": "ALARM"})).unwrap();
    watch.load(&fixture, NOW).unwrap();
    assert!(watch.drain_transitions()[0].rings);
    assert_eq!(CloudWatch::bucket("DescribeAlarms"), Some(("DescribeAlarms", 9, 9)));
}
