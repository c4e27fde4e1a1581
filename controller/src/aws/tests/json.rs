//! JSON passes both ways unchanged, and failures become the right errors.

use serde_json::{Value, json};

use super::canned::{Canned, Reply};
use crate::aws::{Kind, Retry};

fn body(heard: &[u8]) -> Value {
    serde_json::from_slice(heard).unwrap()
}

#[tokio::test(start_paused = true)]
async fn members_that_the_sdk_does_not_know_pass_both_ways() {
    let answer = json!({
        "taskDefinition": {
            "taskDefinitionArn": "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:7",
            "gravity": { "mode": "MOON", "factors": [0.165, 1.0] },
            "registeredAt": 1_672_914_138.248,
        },
        "weather": "fine",
    });
    let canned = Canned::new([Reply::Answer(200, answer.to_string())]);
    let account = canned.account().await;
    let request = json!({
        "family": "web",
        "containerDefinitions": [{ "name": "web", "image": "web:v1", "teleport": { "to": "ümläut" } }],
        "gravity": { "mode": "MOON" },
    });
    assert_eq!(account.register_task_definition(&request).await, Ok(answer));

    let heard = canned.heard();
    assert_eq!(heard.len(), 1);
    assert_eq!(body(&heard[0].body), request);
    let header = |name: &str| heard[0].headers[name].as_str();
    assert_eq!(header("content-length"), heard[0].body.len().to_string());
    assert_eq!(header("x-amz-target"), "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition");
    assert_eq!(header("content-type"), "application/x-amz-json-1.1");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_the_sdk_cannot_parse_is_still_an_answer() {
    // A member that is text in this version of the SDK has become an object.
    let answer = json!({ "service": { "serviceName": { "new": "shape" }, "desiredCount": "two" } });
    let canned = Canned::new([Reply::Answer(200, answer.to_string())]);
    let account = canned.account().await;
    let updated = account.update_service(&json!({ "cluster": "shop", "service": "web" })).await;
    assert_eq!(updated, Ok(answer));
}

#[tokio::test(start_paused = true)]
async fn a_change_without_the_answer_it_must_have_is_ambiguous() {
    for reply in ["not json", "{}", ""] {
        let canned = Canned::new([Reply::Answer(200, reply.to_owned())]);
        let account = canned.account().await;
        let error = account.create_service(&json!({ "serviceName": "web" })).await.unwrap_err();
        assert_eq!(error.kind, Kind::Ambiguous, "{error}");
        assert_eq!(error.subject, "default/web");
    }
}

#[tokio::test(start_paused = true)]
async fn codes_are_found_wherever_a_service_puts_them() {
    let message = "Cluster not found.";
    let replies = [
        Reply::Answer(
            400,
            json!({ "__type": "ClusterNotFoundException", "message": message }).to_string(),
        ),
        Reply::Answer(
            400,
            json!({ "__type": "com.amazonaws.ecs#ClusterNotFoundException", "Message": message })
                .to_string(),
        ),
        Reply::CodeInHeader(400, "ClusterNotFoundException:http://internal.amazon.com/x/"),
    ];
    for reply in replies {
        let canned = Canned::new([reply]);
        let account = canned.account().await;
        let error = account.list_services("shop").await.unwrap_err();
        assert_eq!(error.code.as_deref(), Some("ClusterNotFoundException"), "{error:?}");
        assert_eq!((error.kind, error.retry()), (Kind::NotFound, Retry::Backoff));
        assert_eq!(canned.heard().len(), 1, "what is not there is not asked for again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_perhaps_carried_out_is_ambiguous_and_not_repeated() {
    let fault = json!({ "__type": "ServerException", "message": "oops" }).to_string();
    for reply in [
        Reply::Reset,
        Reply::Silence,
        Reply::Answer(500, fault),
        Reply::Answer(502, "<html>bad gateway</html>".to_owned()),
    ] {
        let canned = Canned::new([reply]);
        let account = canned.account().await;
        let error =
            account.register_task_definition(&json!({ "family": "web" })).await.unwrap_err();
        assert_eq!((error.kind, error.retry()), (Kind::Ambiguous, Retry::Backoff), "{error}");
        assert_eq!(canned.heard().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_certainly_did_not_happen_is_not_ambiguous() {
    let throttle = json!({ "__type": "ThrottlingException", "message": "Rate exceeded" });
    for (reply, kind) in [
        (Reply::Unreachable, Kind::Transient),
        (Reply::Answer(400, throttle.to_string()), Kind::Throttled),
    ] {
        let canned = Canned::new([reply]);
        let account = canned.account().await;
        let error = account.update_service(&json!({ "service": "web" })).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert_eq!(canned.heard().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn reads_are_tried_again_a_bounded_number_of_times() {
    let page = json!({ "serviceArns": ["arn:aws:ecs:eu-west-1:111122223333:service/shop/web"] });
    let canned = Canned::new([
        Reply::Reset,
        Reply::Answer(500, "<html>".to_owned()),
        Reply::Unreachable,
        Reply::Answer(200, page.to_string()),
    ]);
    let account = canned.account().await;
    assert_eq!(account.list_services("shop").await, Ok(vec!["web".to_owned()]));

    let canned = Canned::new((0..5).map(|_| Reply::Silence));
    let account = canned.account().await;
    let begun = tokio::time::Instant::now();
    let error = account.list_services("shop").await.unwrap_err();
    assert_eq!(error.kind, Kind::Transient, "{error}");
    assert_eq!(canned.heard().len(), crate::aws::READ_TRIES_MAX);
    assert!(begun.elapsed().as_secs() <= 5 * 25 + 20, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn silence_is_not_absence() {
    // The answer neither describes the service nor says that it is missing.
    let answers = [json!({ "services": [], "failures": [] }), json!({})];
    for answer in answers {
        let canned = Canned::new([Reply::Answer(200, answer.to_string())]);
        let error = canned.account().await.describe_service("shop", "web").await.unwrap_err();
        assert_eq!(error.kind, Kind::Transient);
        assert_eq!(error.subject, "shop/web");
    }
    let failure = json!({ "failures": [{ "arn": "arn:aws:ecs:eu-west-1:1:service/shop/web", "reason": "ACCESS_DENIED" }] });
    let canned = Canned::new([Reply::Answer(200, failure.to_string())]);
    let error = canned.account().await.describe_service("shop", "web").await.unwrap_err();
    assert!(error.to_string().contains("ACCESS_DENIED"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_turns_in_a_circle_is_an_error() {
    let page = json!({ "serviceArns": ["service/a"], "nextToken": "again" }).to_string();
    let canned = Canned::new([Reply::Answer(200, page.clone()), Reply::Answer(200, page)]);
    let error = canned.account().await.list_services("shop").await.unwrap_err();
    assert!(error.to_string().contains("circle"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_newest_deployments_are_found_in_whatever_order_they_come() {
    let brief = |number: u32| json!({ "serviceDeploymentArn": format!("arn/{number}"), "createdAt": f64::from(number) });
    let page = |numbers: &[u32], next: Option<&str>| {
        let briefs: Vec<Value> = numbers.iter().map(|number| brief(*number)).collect();
        Reply::Answer(200, json!({ "serviceDeployments": briefs, "nextToken": next }).to_string())
    };
    let described = |numbers: &[u32]| {
        let deployments: Vec<Value> = numbers.iter().map(|number| brief(*number)).collect();
        Reply::Answer(200, json!({ "serviceDeployments": deployments }).to_string())
    };
    // Newest first: one page tells enough.
    let canned = Canned::new([page(&[9, 8, 7], Some("more")), described(&[9, 8])]);
    let newest = canned.account().await.service_deployments("shop", "web", 2).await.unwrap();
    assert_eq!(newest, [brief(9), brief(8)]);
    // Oldest first: read to the end.
    let canned =
        Canned::new([page(&[1, 2, 3], Some("more")), page(&[4, 5], None), described(&[4, 5])]);
    let newest = canned.account().await.service_deployments("shop", "web", 2).await.unwrap();
    assert_eq!(newest, [brief(5), brief(4)]);
}
