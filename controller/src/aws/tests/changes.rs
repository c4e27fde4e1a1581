//! Changes against the sandbox: sent once, and found again when the reply was lost.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sandbox::{Fault, FaultKind};
use serde_json::json;

use super::{Bench, service, task_definition};
use crate::aws::Kind;

#[tokio::test(start_paused = true)]
async fn a_service_is_created_updated_tagged_and_deleted() {
    let bench = Bench::new().await;
    let account = bench.account();
    let registered = account.register_task_definition(&task_definition()).await.unwrap();
    assert_eq!(registered["taskDefinition"]["revision"], 1);
    let created = account.create_service(&service("web")).await.unwrap();
    let arn = created["service"]["serviceArn"].as_str().unwrap().to_owned();

    let update = json!({ "cluster": "shop", "service": "web", "desiredCount": 3 });
    let updated = account.update_service(&update).await.unwrap();
    assert_eq!(updated["service"]["desiredCount"], 3);

    let tags = BTreeMap::from([("owner".to_owned(), "prod".to_owned())]);
    account.tag_resource(&arn, &tags).await.unwrap();
    account.untag_resource(&arn, &["team"]).await.unwrap();
    let seen = account.describe_service("shop", "web").await.unwrap().unwrap();
    assert_eq!(seen["tags"], json!([{ "key": "owner", "value": "prod" }]));
    assert_eq!(seen["desiredCount"], 3);

    account.delete_service("shop", "web", true).await.unwrap();
    let seen = account.describe_service("shop", "web").await.unwrap().unwrap();
    assert_ne!(seen["status"], "ACTIVE");
    assert_eq!(account.list_services("shop").await, Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_reply_is_lost_is_ambiguous_and_not_repeated() {
    let bench = Bench::new().await;
    bench.sandbox.inject(Fault::once("ecs", "RegisterTaskDefinition", FaultKind::DropReply));
    let error = bench.account().register_task_definition(&task_definition()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Ambiguous, "{error}");
    assert_eq!(bench.sent("RegisterTaskDefinition"), 1);
    // It did take effect, and looking finds it.
    let found = bench.account().list_task_definitions("web", 1).await.unwrap();
    assert_eq!(found.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_hangs_ends_with_the_attempts_timeout() {
    let bench = Bench::new().await;
    bench.sandbox.inject(Fault::once("ecs", "RegisterTaskDefinition", FaultKind::Hang));
    let begun = tokio::time::Instant::now();
    let error = bench.account().register_task_definition(&task_definition()).await.unwrap_err();
    assert_eq!(error.kind, Kind::Ambiguous, "{error}");
    assert!(begun.elapsed().as_secs() <= 25, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_change_stays_within_half_of_its_bucket_over_minutes() {
    let bench = Bench::new().await;
    let account = bench.account();
    let begun = tokio::time::Instant::now();
    let registrations = (0..130)
        .map(|_| async { account.register_task_definition(&task_definition()).await.map(|_| ()) });
    let all = futures_util::future::join_all(registrations).await;
    assert!(all.iter().all(Result::is_ok));
    // Half of a bucket of 20 that refills by one a second: ten at once, then one every other second.
    let took = begun.elapsed().as_secs_f64();
    assert!((240.0..245.0).contains(&took), "{took}");

    let calls = bench.sandbox.calls();
    let times: Vec<f64> = calls
        .iter()
        .filter(|call| call.operation == "RegisterTaskDefinition")
        .map(|call| call.time.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64())
        .collect();
    assert_eq!(times.len(), 130);
    for (first, start) in times.iter().enumerate() {
        for (last, end) in times.iter().enumerate().skip(first) {
            let allowed = (20.0 + (end - start)) * 0.5;
            let sent = f64::from(u32::try_from(last - first + 1).unwrap());
            assert!(sent <= allowed + 0.01, "{start} to {end}");
        }
    }
    let waits = bench.aws.meter().read().waits;
    assert_eq!(waits[&crate::aws::Family::TaskDefinitionModify].waits, 120);
}

#[tokio::test(start_paused = true)]
async fn an_answer_or_a_stop_that_comes_too_late_is_no_failure() {
    let bench = Bench::new().await;
    bench.console("RegisterTaskDefinition", task_definition());
    let mut gated = service("web");
    gated["deploymentConfiguration"] = json!({
        "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0,
        "lifecycleHooks": [{ "targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"] }],
    });
    bench.console("CreateService", gated);
    tokio::time::sleep(std::time::Duration::from_mins(2)).await;
    let account = bench.account();
    let record = account.service_deployments("shop", "web", 1).await.unwrap().remove(0);
    let arn = record["serviceDeploymentArn"].as_str().unwrap();
    let hook = &record["lifecycleHookDetails"][0]["hookId"];
    let answer = json!({ "serviceDeploymentArn": arn, "hookId": hook });
    for _ in 0..2 {
        account.continue_service_deployment(&answer).await.unwrap();
    }
    assert_eq!(bench.sent("ContinueServiceDeployment"), 2);
    let other = json!({ "serviceDeploymentArn": arn, "hookId": "nonsense" });
    assert!(account.continue_service_deployment(&other).await.is_err());
    tokio::time::sleep(std::time::Duration::from_mins(5)).await;
    let record = account.service_deployments("shop", "web", 1).await.unwrap().remove(0);
    assert_eq!(record["status"], "SUCCESSFUL");
    account.stop_service_deployment(arn).await.unwrap();
    let unknown = arn.replace("web", "none");
    assert!(account.stop_service_deployment(&unknown).await.is_err());
}
