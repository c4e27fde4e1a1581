//! Roll-outs: clean ones, failing ones, and those that others overtake.

use serde_json::json;

use super::*;

#[test]
fn a_first_deployment_starts_at_zero_and_completes() {
    let mut bench = Bench::new();
    bench.register("web:v1");
    let created = bench.create(json!({}));
    let deployment = &created["deployments"][0];
    assert_eq!(deployment["desiredCount"], 0);
    assert_eq!(deployment["rolloutState"], "IN_PROGRESS");
    assert_eq!(created["events"], json!([]));
    assert!(created.get("currentServiceDeployment").is_none());
    let number = deployment["id"].as_str().unwrap().strip_prefix("ecs-svc/").unwrap().to_owned();
    let revision = created["currentServiceRevisions"][0]["arn"].as_str().unwrap().to_owned();
    assert!(revision.ends_with(&format!("service-revision/default/web/{number}")), "{revision}");
    assert!(bench.statuses().is_empty());

    bench.wait(5);
    let service = bench.service();
    let arn = service["currentServiceDeployment"].as_str().unwrap();
    assert_eq!(arn.rsplit('/').next().unwrap().len(), 21);
    assert_eq!(service["pendingCount"], 2);
    assert_eq!(bench.statuses(), ["IN_PROGRESS"]);

    bench.wait(60);
    let service = bench.service();
    assert_eq!(service["runningCount"], 2);
    assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    assert!(service.get("currentServiceDeployment").is_none());
    assert_eq!(bench.statuses(), ["SUCCESSFUL"]);
    assert_eq!(
        bench.events(),
        [
            "has started 2 tasks",
            "(deployment D) deployment completed.",
            "has reached a steady state."
        ]
    );
}

#[test]
fn healthy_means_forty_seconds_of_running() {
    let mut bench = Bench::new();
    bench.register("web:v1");
    bench.create(json!({}));
    // 2 s deployment start, 1 s scheduler, 3 + 1 + 6 s task start, 40 s healthy, 1 s scheduler.
    bench.wait(53);
    assert_eq!(bench.service()["deployments"][0]["rolloutState"], "IN_PROGRESS");
    bench.wait(1);
    assert_eq!(bench.service()["deployments"][0]["rolloutState"], "COMPLETED");
}

#[test]
fn an_update_rolls_and_the_old_entry_disappears() {
    let mut bench = Bench::settled(json!({}));
    let old = bench.service()["deployments"][0]["id"].clone();
    let v2 = bench.register("web:v2");
    let updated = bench.update(json!({"taskDefinition": "web"}));
    assert_eq!(updated["taskDefinition"], v2);
    assert_eq!(updated["deployments"][0]["status"], "PRIMARY");
    assert_eq!(updated["deployments"][0]["desiredCount"], 0);
    assert_eq!(updated["deployments"][1]["status"], "ACTIVE");
    assert_eq!(updated["deployments"][1]["id"], old);
    assert_eq!(updated["deployments"][1]["runningCount"], 2);
    bench.wait(20);
    let service = bench.service();
    assert_eq!(service["runningCount"], 4, "both run while the new one proves itself");
    assert_eq!(service["deployments"][0]["desiredCount"], 2);
    let record = bench.record();
    assert_eq!(record["status"], "IN_PROGRESS");
    assert_eq!(record["sourceServiceRevisions"][0]["runningTaskCount"], 2);
    bench.wait(60);
    let service = bench.service();
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    assert_eq!(service["runningCount"], 2);
    assert_eq!(bench.statuses(), ["SUCCESSFUL", "SUCCESSFUL"]);
    let tail = bench.events().split_off(3);
    assert_eq!(
        tail,
        [
            "has started 2 tasks",
            "has stopped 2 running tasks",
            "(deployment D) deployment completed.",
            "has reached a steady state.",
        ]
    );
}

#[test]
fn a_failing_first_deployment_finds_no_way_back() {
    let mut bench = Bench::new();
    bench.register("web:gone");
    bench.create(json!({"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": true, "rollback": true}}}));
    bench.wait(600);
    let service = bench.service();
    assert_eq!(service["deployments"][0]["rolloutState"], "FAILED");
    assert_eq!(
        service["deployments"][0]["rolloutStateReason"],
        "ECS deployment circuit breaker: tasks failed to start."
    );
    assert_eq!(service["runningCount"], 0);
    let record = bench.record();
    assert_eq!(record["status"], "ROLLBACK_FAILED");
    assert_eq!(record["statusReason"], "No rollback candidate was found to run the rollback.");
    assert_eq!(record["deploymentCircuitBreaker"]["status"], "TRIGGERED");
    assert_eq!(record["deploymentCircuitBreaker"]["threshold"], 3);
    let started = bench.events().iter().filter(|one| one.contains("has started")).count();
    bench.wait(7200);
    let later = bench.events().iter().filter(|one| one.contains("has started")).count();
    assert_eq!(started, later, "a failed deployment starts nothing");
}

#[test]
fn the_breaker_rolls_back_to_the_same_deployment() {
    let breaker = json!({"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": true, "rollback": true}}});
    for bad in ["web:gone", "web:sick"] {
        let mut bench = Bench::settled(breaker.clone());
        let before = bench.service();
        if bad == "web:sick" {
            bench.register_with(json!([{
                "name": "web", "image": bad, "healthCheck": {"command": ["CMD", "true"], "interval": 10, "retries": 2},
                "portMappings": [{"containerPort": 80}],
            }]));
        } else {
            bench.register(bad);
        }
        bench.update(json!({"taskDefinition": "web"}));
        bench.wait(900);
        let service = bench.service();
        assert_eq!(bench.statuses(), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"], "{bad}");
        assert_eq!(service["deployments"].as_array().unwrap().len(), 1, "{bad}");
        assert_eq!(service["deployments"][0]["id"], before["deployments"][0]["id"]);
        assert_eq!(service["taskDefinition"], before["taskDefinition"]);
        assert_eq!(service["runningCount"], 2);
        let record = bench.record();
        assert_eq!(
            record["statusReason"],
            "Service deployment rolled back because the circuit breaker threshold was exceeded."
        );
        assert_eq!(
            record["rollback"]["serviceRevisionArn"],
            before["currentServiceRevisions"][0]["arn"]
        );
        let events = bench.events();
        let failed =
            events.iter().position(|one| one.contains("deployment failed: tasks failed to start."));
        let back = events.iter().position(|one| one.contains("rolling back to deployment D."));
        assert!(failed.unwrap() < back.unwrap(), "{events:?}");
        assert_eq!(events.last().unwrap(), "has reached a steady state.");
    }
}

#[test]
fn a_breaker_without_rollback_stops_and_keeps_the_old_tasks() {
    let mut bench = Bench::settled(
        json!({"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": true, "rollback": false}}}),
    );
    bench.register("web:gone");
    bench.update(json!({"taskDefinition": "web"}));
    bench.wait(900);
    let service = bench.service();
    assert_eq!(bench.statuses(), ["STOPPED", "SUCCESSFUL"]);
    assert_eq!(service["deployments"][0]["rolloutState"], "FAILED");
    assert_eq!(service["deployments"][1]["runningCount"], 2);
    assert_eq!(service["runningCount"], 2);
}

#[test]
fn a_newer_update_overtakes_an_older_one() {
    let mut bench = Bench::settled(json!({}));
    bench.register("web:v2");
    bench.update(json!({"taskDefinition": "web"}));
    bench.wait(15);
    bench.register("web:v3");
    bench.update(json!({"taskDefinition": "web"}));
    let service = bench.service();
    assert_eq!(service["deployments"].as_array().unwrap().len(), 3);
    bench.wait(1);
    assert_eq!(bench.statuses(), ["PENDING", "STOP_REQUESTED", "SUCCESSFUL"]);
    bench.wait(4);
    assert_eq!(bench.statuses(), ["IN_PROGRESS", "STOPPED", "SUCCESSFUL"]);
    let record = bench.record();
    assert_eq!(record["sourceServiceRevisions"].as_array().unwrap().len(), 2);
    bench.wait(120);
    assert_eq!(bench.statuses(), ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]);
    let service = bench.service();
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    assert!(service["taskDefinition"].as_str().unwrap().ends_with("web:3"));
}

#[test]
fn without_a_breaker_attempts_go_on_ever_more_slowly() {
    let mut bench = Bench::new();
    bench.register("web:gone");
    bench.create(json!({"desiredCount": 1}));
    bench.wait(6 * 3600);
    let events = bench.events();
    let starts = events.iter().filter(|one| one.contains("has started")).count();
    assert!((12..40).contains(&starts), "{starts}");
    assert!(events.contains(&"is unable to consistently start tasks successfully.".to_owned()));
    assert_eq!(bench.service()["deployments"][0]["rolloutState"], "IN_PROGRESS");
}
