//! Roll-outs that alarms or people end, and what long times cost.

use serde_json::json;

use super::*;

fn watched(rollback: bool) -> Value {
    json!({"deploymentConfiguration": {"bakeTimeInMinutes": 10, "alarms": {"alarmNames": ["errors"], "enable": true, "rollback": rollback}}})
}

#[test]
fn an_alarm_during_the_bake_time_rolls_back_to_a_drained_deployment() {
    let mut bench = Bench::new();
    bench.register("web:v1");
    bench.create(watched(true));
    bench.wait(900);
    let first = bench.service()["deployments"][0]["id"].clone();
    bench.register("web:v2");
    bench.update(json!({"taskDefinition": "web"}));
    bench.wait(200);
    assert_eq!(
        bench.service()["deployments"].as_array().unwrap().len(),
        1,
        "the old one has drained"
    );
    assert_eq!(bench.record()["status"], "IN_PROGRESS", "it bakes");
    assert_eq!(bench.record()["alarms"]["status"], "MONITORING");
    let now = bench.now;
    bench.ecs.set_alarm("errors", true, now);
    bench.wait(5);
    assert_eq!(bench.record()["status"], "ROLLBACK_IN_PROGRESS");
    bench.wait(1200);
    let record = bench.record();
    assert_eq!(record["status"], "ROLLBACK_SUCCESSFUL");
    assert_eq!(record["alarms"]["triggeredAlarmNames"], json!(["errors"]));
    assert_eq!(bench.service()["deployments"][0]["id"], first);
    assert_eq!(bench.service()["runningCount"], 2);
}

#[test]
fn an_alarm_that_rings_at_the_start_is_ignored() {
    let mut bench = Bench::new();
    let now = bench.now;
    bench.ecs.set_alarm("errors", true, now);
    bench.register("web:v1");
    bench.create(watched(true));
    bench.wait(10);
    assert_eq!(bench.record()["alarms"]["status"], "DISABLED");
    bench.wait(900);
    assert_eq!(bench.record()["status"], "SUCCESSFUL");
}

#[test]
fn somebody_stops_a_roll_out() {
    let mut bench = Bench::settled(json!({}));
    bench.register("web:gone");
    bench.update(json!({"taskDefinition": "web"}));
    bench.wait(10);
    let arn = bench.record()["serviceDeploymentArn"].clone();
    bench.ok("StopServiceDeployment", json!({"serviceDeploymentArn": arn, "stopType": "ROLLBACK"}));
    assert_eq!(bench.record()["status"], "ROLLBACK_REQUESTED");
    bench.ok("StopServiceDeployment", json!({"serviceDeploymentArn": arn}));
    bench.wait(120);
    assert_eq!(bench.record()["status"], "ROLLBACK_SUCCESSFUL");
    assert!(bench.service()["taskDefinition"].as_str().unwrap().ends_with("web:1"));
    let (code, _) = bench.refused("StopServiceDeployment", json!({"serviceDeploymentArn": arn}));
    assert_eq!(code, "ConflictException");
    let (code, _) = bench.refused("StopServiceDeployment", json!({"serviceDeploymentArn": "arn:aws:ecs:eu-west-1:111122223333:service-deployment/default/web/x"}));
    assert_eq!(code, "ServiceDeploymentNotFoundException");
}

#[test]
fn the_candidate_is_the_newest_completed_deployment() {
    let breaker = json!({"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": true, "rollback": true}}});
    let mut bench = Bench::settled(breaker);
    bench.register("web:v2");
    bench.update(json!({"taskDefinition": "web"}));
    bench.wait(120);
    bench.register("web:gone");
    bench.update(json!({"taskDefinition": "web"}));
    bench.wait(20);
    bench.register("web:gone-too");
    bench.update(json!({"taskDefinition": "web"}));
    bench.wait(900);
    assert_eq!(bench.statuses(), ["ROLLBACK_SUCCESSFUL", "STOPPED", "SUCCESSFUL", "SUCCESSFUL"]);
    assert!(bench.service()["taskDefinition"].as_str().unwrap().ends_with("web:2"));
}

#[test]
fn percentages_bound_what_runs() {
    for (configuration, most, least) in [
        (json!({"maximumPercent": 200, "minimumHealthyPercent": 100}), 8, 4),
        (json!({"maximumPercent": 125, "minimumHealthyPercent": 100}), 5, 4),
        (json!({"maximumPercent": 100, "minimumHealthyPercent": 50}), 4, 2),
        (json!({"maximumPercent": 150, "minimumHealthyPercent": 0}), 6, 0),
    ] {
        let mut bench =
            Bench::settled(json!({"desiredCount": 4, "deploymentConfiguration": configuration}));
        bench.register("web:v2");
        bench.update(json!({"taskDefinition": "web"}));
        let (mut highest, mut lowest) = (0, i64::MAX);
        for _ in 0..600 {
            bench.wait(1);
            let service = bench.service();
            let running = service["runningCount"].as_i64().unwrap();
            highest = highest.max(running + service["pendingCount"].as_i64().unwrap());
            lowest = lowest.min(running);
        }
        assert_eq!(bench.statuses()[0], "SUCCESSFUL", "{configuration}");
        assert!(highest <= most, "{configuration}: {highest}");
        assert!(lowest >= least, "{configuration}: {lowest}");
    }
}

#[test]
fn percentages_that_allow_nothing_are_complained_of_once() {
    let mut bench = Bench::settled(json!({
        "desiredCount": 1, "deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 100},
    }));
    bench.register("web:v2");
    bench.update(json!({"taskDefinition": "web"}));
    bench.wait(3600);
    let service = bench.service();
    assert_eq!(service["deployments"][0]["runningCount"], 0);
    assert_eq!(service["deployments"][1]["runningCount"], 1);
    let events = bench.events();
    let complaints =
        events.iter().filter(|one| one.starts_with("was unable to stop or start tasks"));
    assert_eq!(complaints.count(), 1, "{events:?}");
}

#[test]
fn a_second_set_of_tasks_is_not_kept_back_by_percentages() {
    let mut bench = Bench::new();
    bench.register("web:v1");
    bench.create(json!({
        "desiredCount": 1,
        "deploymentConfiguration": {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1, "maximumPercent": 100, "minimumHealthyPercent": 100},
    }));
    bench.wait(600);
    bench.register("web:v2");
    bench.update(json!({"taskDefinition": "web"}));
    bench.wait(3600);
    assert_eq!(bench.statuses()[0], "SUCCESSFUL");
    let events = bench.events();
    assert!(!events.iter().any(|one| one.contains("was unable to stop or start")), "{events:?}");
}

#[test]
fn early_success_ends_before_all_tasks_run() {
    let mut bench = Bench::new();
    bench.register("web:v1");
    bench.create(json!({
        "desiredCount": 4,
        "deploymentConfiguration": {"earlySuccessCriteria": {"enable": true, "healthyPercent": 50, "sourceServiceRevisionCleanup": "DEFERRED"}},
    }));
    bench.wait(54);
    assert_eq!(bench.record()["status"], "SUCCESSFUL");
}

#[test]
fn a_steady_service_says_so_every_six_hours() {
    let mut bench = Bench::settled(json!({}));
    bench.wait(24 * 3600);
    let steady = bench.events().iter().filter(|one| one.contains("steady state")).count();
    assert_eq!(steady, 5);
    bench.wait(1000 * 3600);
    assert_eq!(bench.service()["events"].as_array().unwrap().len(), 100);
}

#[test]
fn a_thousand_services_cost_what_happens_to_them() {
    let mut bench = Bench::new();
    bench.register("web:v1");
    for number in 0..1000 {
        bench.ok("CreateService", json!({
            "serviceName": format!("web-{number}"), "taskDefinition": "web", "desiredCount": 2, "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        }));
    }
    bench.wait(6 * 3600 - 1);
    let names: Vec<String> = (0..10).map(|number| format!("web-{}", number * 99)).collect();
    let found = bench.ok("DescribeServices", json!({"services": names}));
    for service in found["services"].as_array().unwrap() {
        assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
    }
    let first = bench.ok("ListServices", json!({}));
    assert_eq!(first["serviceArns"].as_array().unwrap().len(), 10, "the default page is ten");
    let mut seen = 0;
    let mut token = Value::Null;
    loop {
        let page = bench.ok("ListServices", json!({"maxResults": 100, "nextToken": token}));
        seen += page["serviceArns"].as_array().unwrap().len();
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, 1000);
}
