//! Reads against the sandbox: batched, complete, and patient with a throttled account.

use std::time::Duration;

use futures_util::future::join_all;
use sandbox::{Fault, FaultKind};
use serde_json::json;

use super::{Bench, task_definition};
use crate::aws::{Family, Kind, Operation};

#[tokio::test(start_paused = true)]
async fn a_hundred_questions_are_ten_calls() {
    let bench = Bench::new().await;
    bench.services(100);
    let names: Vec<String> = (0..100).map(|number| format!("web-{number}")).collect();
    let asked = names.iter().map(|name| bench.account().describe_service("shop", name));
    for (name, answer) in names.iter().zip(join_all(asked).await) {
        let service = answer.unwrap().unwrap();
        assert_eq!(service["serviceName"], json!(name));
        assert_eq!(service["tags"], json!([{ "key": "team", "value": name }]));
    }
    assert_eq!(bench.sent("DescribeServices"), 10);
    assert_eq!(bench.aws.meter().sent(Operation::DescribeServices), 10);
    assert_eq!(bench.sandbox.count_of("sts", "GetCallerIdentity"), 1);
}

#[tokio::test(start_paused = true)]
async fn missing_is_an_answer_and_a_missing_cluster_is_an_error() {
    let bench = Bench::new().await;
    bench.services(1);
    let account = bench.account();
    let (there, gone, nowhere) = tokio::join!(
        account.describe_service("shop", "web-0"),
        account.describe_service("shop", "gone"),
        account.describe_service("elsewhere", "web-0"),
    );
    assert!(there.unwrap().is_some());
    assert_eq!(gone, Ok(None));
    let error = nowhere.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (Kind::NotFound, Some("ClusterNotFoundException"))
    );
    assert_eq!(error.subject, "elsewhere/web-0");
}

#[tokio::test(start_paused = true)]
async fn lists_are_complete() {
    let bench = Bench::new().await;
    bench.services(230);
    for _ in 0..120 {
        bench.console("RegisterTaskDefinition", task_definition());
    }
    let account = bench.account();
    let mut names = account.list_services("shop").await.unwrap();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 230);
    assert_eq!(bench.sent("ListServices"), 3);
    assert_eq!(account.list_clusters().await, Ok(vec!["shop".to_owned()]));

    let newest = account.list_task_definitions("web", 105).await.unwrap();
    assert_eq!(newest.len(), 105);
    assert!(newest[0].ends_with("web:121") && newest[104].ends_with("web:17"));
    assert_eq!(account.list_task_definitions("nobody", 5).await, Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_throttled_account_still_converges() {
    let bench = Bench::new().await;
    bench.services(1_500);
    // Somebody else takes nearly all that the bucket gains: what it held is spent after some ten seconds.
    bench.sandbox.other_callers("service read", 19.0);
    let names: Vec<String> = (0..1_500).map(|number| format!("web-{number}")).collect();
    let mut waiting: Vec<&String> = names.iter().collect();
    let begun = tokio::time::Instant::now();
    while !waiting.is_empty() {
        let asked = waiting.iter().map(|name| bench.account().describe_service("shop", name));
        let answers = join_all(asked).await;
        let unanswered = waiting.iter().zip(answers).filter(|(_, answer)| match answer {
            Ok(service) => service.is_none(),
            Err(error) => {
                assert_eq!(error.kind, Kind::Throttled, "{error}");
                true
            }
        });
        waiting = unanswered.map(|(name, _)| *name).collect();
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(begun.elapsed() < Duration::from_mins(10), "{} still wait", waiting.len());
    }
    let throttles = bench.aws.meter().read().waits[&Family::ServiceRead].throttles;
    assert!((1..150).contains(&throttles), "{throttles}");
}

#[tokio::test(start_paused = true)]
async fn throttles_slow_the_account_down_and_are_counted() {
    let bench = Bench::new().await;
    bench.services(200);
    let throttle = Fault::once("ecs", "DescribeServices", FaultKind::Throttle);
    bench.sandbox.inject(Fault { times: Some(6), ..throttle });
    let names: Vec<String> = (0..200).map(|number| format!("web-{number}")).collect();
    let begun = tokio::time::Instant::now();
    let asked = names.iter().map(|name| bench.account().describe_service("shop", name));
    assert!(
        join_all(asked).await.into_iter().all(|answer| answer.is_ok_and(|seen| seen.is_some()))
    );
    assert!(begun.elapsed().as_secs_f64() > 1.0, "no pause after a throttle");
    let reading = bench.aws.meter().read();
    assert_eq!(reading.waits[&Family::ServiceRead].throttles, 6);
    let throttled = (Operation::DescribeServices, "ThrottlingException".to_owned());
    assert_eq!(reading.requests[&throttled], 6);
    assert_eq!(reading.requests[&(Operation::DescribeServices, "OK".to_owned())], 20);
}

#[tokio::test(start_paused = true)]
async fn task_definitions_are_read_once_and_unknown_ones_are_none() {
    let bench = Bench::new().await;
    let account = bench.account();
    let registered = bench.console("RegisterTaskDefinition", task_definition());
    let arn = registered["taskDefinition"]["taskDefinitionArn"].as_str().unwrap();
    let first = account.describe_task_definition(arn).await.unwrap().unwrap();
    let second = account.describe_task_definition(arn).await.unwrap().unwrap();
    assert_eq!(first, second);
    assert_eq!(first["taskDefinition"]["family"], "web");
    assert_eq!(first["tags"], json!([{ "key": "team", "value": "shop" }]));
    assert_eq!(bench.sent("DescribeTaskDefinition"), 1);

    bench.console("DeregisterTaskDefinition", json!({ "taskDefinition": arn }));
    let again = account.reread_task_definition(arn).await.unwrap().unwrap();
    assert_eq!(again["taskDefinition"]["status"], "INACTIVE");
    let unknown = account.describe_task_definition("web:99").await;
    assert_eq!(unknown, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn what_was_registered_a_moment_ago_is_listed_and_known_without_a_read() {
    let bench = Bench::new().await;
    let account = bench.account();
    bench.sandbox.edit(bench.time.now(), |region| region.set_read_lag(Duration::from_secs(30)));
    let registered = account.register_task_definition(&task_definition()).await.unwrap();
    let arn = registered["taskDefinition"]["taskDefinitionArn"].as_str().unwrap();
    assert_eq!(account.list_task_definitions("web", 10).await.unwrap(), [arn]);
    assert_eq!(account.list_task_definitions("api", 10).await.unwrap(), [""; 0]);
    let known = account.describe_task_definition(arn).await.unwrap().unwrap();
    assert_eq!(known["tags"], json!([{ "key": "team", "value": "shop" }]));
    assert_eq!(bench.sent("DescribeTaskDefinition"), 0);
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(account.list_task_definitions("web", 10).await.unwrap(), [arn], "once");
}

#[tokio::test(start_paused = true)]
async fn deployments_revisions_and_tasks_of_a_service_are_found() {
    let bench = Bench::new().await;
    bench.services(3);
    tokio::time::sleep(Duration::from_mins(2)).await;
    let account = bench.account();
    let asked =
        ["web-0", "web-1", "web-2"].map(|name| account.service_deployments("shop", name, 5));
    for deployments in join_all(asked).await {
        let deployments = deployments.unwrap();
        assert_eq!(deployments.len(), 1);
        assert_eq!(deployments[0]["status"], "SUCCESSFUL");
        let revision = deployments[0]["targetServiceRevision"]["arn"].as_str().unwrap().to_owned();
        for _ in 0..2 {
            let revisions =
                account.service_revisions(std::slice::from_ref(&revision)).await.unwrap();
            assert_eq!(revisions[0]["serviceRevisionArn"], json!(revision));
        }
    }
    assert_eq!(bench.sent("DescribeServiceDeployments"), 1, "three services, one call");
    assert_eq!(bench.sent("DescribeServiceRevisions"), 3, "kept once resolved");

    let running = account.running_tasks("shop", "web-0").await.unwrap();
    assert_eq!(running.len(), 1);
    assert_eq!(running[0]["lastStatus"], "RUNNING");
    assert_eq!(account.stopped_tasks("shop", "web-0").await, Ok(Vec::new()));
    bench.console(
        "UpdateService",
        json!({ "cluster": "shop", "service": "web-0", "desiredCount": 0 }),
    );
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(account.running_tasks("shop", "web-0").await, Ok(Vec::new()));
    let stopped = account.stopped_tasks("shop", "web-0").await.unwrap();
    assert_eq!(stopped.len(), 1);
    assert_eq!(stopped[0]["lastStatus"], "STOPPED");
}
