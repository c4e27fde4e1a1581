//! Blue/green, linear and canary roll-outs.

use serde_json::json;

use super::*;

fn configured(configuration: Value) -> Value {
    json!({"deploymentConfiguration": configuration})
}

/// A settled service of v1 and the start of a roll-out of v2.
fn rolling_out(configuration: Value) -> Bench {
    let mut bench = Bench::new();
    bench.register("web:v1");
    bench.create(json!({}));
    bench.wait(120);
    bench.register("web:v2");
    let mut change = configured(configuration);
    change["taskDefinition"] = json!("web");
    bench.update(change);
    bench
}

#[test]
fn blue_and_green_run_side_by_side_until_the_bake_time_is_over() {
    let mut bench = rolling_out(json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}));
    let mut stages = Vec::new();
    for _ in 0..600 {
        bench.wait(1);
        let record = bench.record();
        if let Some(stage) = record["lifecycleStage"].as_str()
            && stages.last().map(String::as_str) != Some(stage)
        {
            stages.push(stage.to_owned());
            if stage == "BAKE_TIME" {
                assert_eq!(bench.service()["runningCount"], 4);
                assert_eq!(
                    record["targetServiceRevision"]["requestedProductionTrafficWeight"],
                    100.0
                );
            }
        }
    }
    assert_eq!(
        stages,
        [
            "PRE_SCALE_UP",
            "SCALE_UP",
            "POST_SCALE_UP",
            "TEST_TRAFFIC_SHIFT",
            "POST_TEST_TRAFFIC_SHIFT",
            "PRE_PRODUCTION_TRAFFIC_SHIFT",
            "PRODUCTION_TRAFFIC_SHIFT",
            "POST_PRODUCTION_TRAFFIC_SHIFT",
            "BAKE_TIME",
            "CLEAN_UP",
        ]
    );
    assert_eq!(bench.statuses(), ["SUCCESSFUL", "SUCCESSFUL"]);
    let service = bench.service();
    assert_eq!(service["runningCount"], 2);
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    // How it stands is in the record alone (aws.md §3.1).
    let shown = &service["deployments"][0];
    assert_eq!((shown.get("rolloutState"), shown.get("rolloutStateReason")), (None, None));
}

#[test]
fn a_pause_waits_for_an_answer_at_each_traffic_step() {
    let hooks =
        json!([{"targetType": "PAUSE", "lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"]}]);
    let mut bench = rolling_out(json!({
        "strategy": "CANARY", "lifecycleHooks": hooks,
        "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 1},
    }));
    let mut answered = Vec::new();
    for _ in 0..2 {
        bench.wait(600);
        let record = bench.record();
        assert_eq!(record["lifecycleStage"], "PRE_PRODUCTION_TRAFFIC_SHIFT");
        let hook = record["lifecycleHookDetails"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            (&hook["status"], &hook["targetType"]),
            (&json!("AWAITING_ACTION"), &json!("PAUSE"))
        );
        assert!(!answered.contains(&hook["hookId"]), "each step has a hook id of its own");
        let answer = json!({"serviceDeploymentArn": record["serviceDeploymentArn"], "hookId": hook["hookId"]});
        bench.ok("ContinueServiceDeployment", answer.clone());
        let (code, message) = bench.refused("ContinueServiceDeployment", answer);
        assert_eq!(code, "InvalidParameterException");
        assert!(message.contains("either completed"), "{message}");
        answered.push(hook["hookId"].clone());
    }
    bench.wait(600);
    assert_eq!(bench.statuses(), ["SUCCESSFUL", "SUCCESSFUL"]);
}

#[test]
fn a_pause_that_nobody_answers_or_that_is_declined_rolls_back() {
    let hook = |action: &str| {
        json!({"strategy": "BLUE_GREEN", "lifecycleHooks": [{
            "targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"],
            "timeoutConfiguration": {"timeoutInMinutes": 30, "action": action},
        }]})
    };
    let mut bench = rolling_out(hook("ROLLBACK"));
    bench.wait(3600);
    assert_eq!(bench.record()["status"], "ROLLBACK_SUCCESSFUL");
    assert_eq!(
        bench.record()["statusReason"],
        "Service deployment rolled back because POST_SCALE_UP pause hook timed out."
    );
    assert_eq!(bench.service()["runningCount"], 2);
    assert!(bench.service()["taskDefinition"].as_str().unwrap().ends_with("web:1"));

    let mut bench = rolling_out(hook("CONTINUE"));
    bench.wait(3600);
    assert_eq!(bench.record()["status"], "SUCCESSFUL");

    let mut bench = rolling_out(hook("CONTINUE"));
    bench.wait(300);
    let record = bench.record();
    bench.ok(
        "ContinueServiceDeployment",
        json!({
            "serviceDeploymentArn": record["serviceDeploymentArn"], "action": "ROLLBACK",
            "hookId": record["lifecycleHookDetails"][0]["hookId"],
        }),
    );
    assert_eq!(bench.record()["status"], "ROLLBACK_REQUESTED");
    bench.wait(300);
    assert_eq!(bench.record()["status"], "ROLLBACK_SUCCESSFUL");
}

#[test]
fn linear_roll_outs_take_equal_steps() {
    let mut bench = rolling_out(json!({
        "strategy": "LINEAR", "linearConfiguration": {"stepPercent": 40.0, "stepBakeTimeInMinutes": 2},
    }));
    let mut weights = Vec::new();
    for _ in 0..120 {
        bench.wait(10);
        let weight =
            bench.record()["targetServiceRevision"]["requestedProductionTrafficWeight"].clone();
        if weights.last() != Some(&weight) {
            weights.push(weight);
        }
    }
    assert_eq!(weights, [json!(0.0), json!(40.0), json!(80.0), json!(100.0)]);
    assert_eq!(bench.record()["status"], "SUCCESSFUL");
}

#[test]
fn test_traffic_shifts_before_production_and_all_of_it_goes_back() {
    let hooks =
        json!([{"targetType": "PAUSE", "lifecycleStages": ["POST_PRODUCTION_TRAFFIC_SHIFT"]}]);
    let mut bench = rolling_out(
        json!({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0, "lifecycleHooks": hooks}),
    );
    let mut seen = Vec::new();
    for _ in 0..300 {
        bench.wait(1);
        let target = bench.record()["targetServiceRevision"].clone();
        let weights = (
            target["requestedTestTrafficWeight"].clone(),
            target["requestedProductionTrafficWeight"].clone(),
        );
        if !weights.0.is_null() && seen.last() != Some(&weights) {
            seen.push(weights);
        }
    }
    let shares = |test: f64, production: f64| (json!(test), json!(production));
    assert_eq!(seen, [shares(0.0, 0.0), shares(100.0, 0.0), shares(100.0, 100.0)]);
    let record = bench.record();
    assert_eq!(record["sourceServiceRevisions"][0]["requestedProductionTrafficWeight"], 0.0);
    bench.ok(
        "StopServiceDeployment",
        json!({"serviceDeploymentArn": record["serviceDeploymentArn"], "stopType": "ROLLBACK"}),
    );
    bench.wait(300);
    let record = bench.record();
    assert_eq!(record["status"], "ROLLBACK_SUCCESSFUL");
    let target = &record["targetServiceRevision"];
    assert_eq!(target["requestedProductionTrafficWeight"], 0.0);
    assert_eq!(target["requestedTestTrafficWeight"], 0.0);
    assert_eq!(record["sourceServiceRevisions"][0]["requestedProductionTrafficWeight"], 100.0);
}
