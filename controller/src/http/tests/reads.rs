//! What is read of AWS for those who ask, and what it costs.

use sandbox::{Fault, FaultKind, Fixtures, Sandbox, SandboxTime};

use super::*;
use crate::aws::{Aws, ConnectOptions};
use crate::clock::Clock;
use crate::inventory::Inventory;
use crate::reconcile::Context;

/// An AWS in this process, with its time.
pub(super) struct Embedded {
    sandbox: Sandbox,
    time: SandboxTime,
}

/// An AWS with the cluster `shop` and nothing in it.
pub(super) fn aws() -> Embedded {
    let sandbox = Sandbox::new(Fixtures::from_yaml("clusters: [{name: shop}]").unwrap());
    Embedded { sandbox, time: SandboxTime::new(Timestamp::from_second(START).unwrap(), 1.0) }
}

pub(super) async fn of(store: &StatusStore, Embedded { sandbox, time }: &Embedded) -> Reads {
    let clock = Clock::virtual_from(time.now());
    let options = ConnectOptions {
        clock: clock.clone(),
        ..ConnectOptions::in_process(sandbox.http_client(*time))
    };
    let owner: crds::OwnerName = "prod".parse().unwrap();
    Reads::new(Context {
        owner: owner.clone(),
        aws: Aws::connect(&[], options).await.unwrap(),
        inventory: Arc::new(std::sync::Mutex::new(Inventory::new(
            owner,
            indexmap::IndexMap::new(),
            [],
        ))),
        statuses: store.clone(),
        state: crate::state::StateStore::in_memory(),
        clock,
        expectations: Arc::default(),
        refusals: Arc::default(),
        admission: crate::admission::Admission::default(),
        outside: crate::references::Outside::default(),
        places: crate::places::Places::default(),
        checks: crate::checks::Checks::default(),
    })
}

/// Runs a service with so many tasks, as somebody at a console would, and lets them start.
async fn run(Embedded { sandbox, time }: &Embedded, name: &str, mode: &str, count: u32) {
    let call = |operation, input| sandbox.call(time.now(), "ecs", operation, input).unwrap();
    call(
        "RegisterTaskDefinition",
        json!({
            "family": name, "networkMode": mode, "cpu": "256", "memory": "512",
            "requiresCompatibilities": [if mode == "awsvpc" { "FARGATE" } else { "EC2" }],
            "executionRoleArn": "arn:aws:iam::111122223333:role/x",
            "containerDefinitions": [{
                "name": "app", "image": "host.example/app:1",
                "portMappings": [{"containerPort": 8080, "name": "http"}, {"containerPort": 53, "protocol": "udp"}],
            }],
        }),
    );
    let mut service = json!({"cluster": "shop", "serviceName": name, "taskDefinition": name, "desiredCount": count});
    if mode == "awsvpc" {
        service["launchType"] = json!("FARGATE");
        service["networkConfiguration"] =
            json!({"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}});
    }
    call("CreateService", service);
    tokio::time::sleep(Duration::from_mins(5)).await;
}

/// A board with these services of the cluster `shop`.
fn board(names: &[&str]) -> StatusStore {
    let store = store();
    for name in names {
        store.publish(object(key("default", "shop", name), "Healthy"));
    }
    store
}

#[tokio::test(start_paused = true)]
async fn prometheus_finds_each_port_of_each_running_task() {
    let aws = aws();
    let server = Server::operated(board(&["web", "bridged"]), &aws).await;
    run(&aws, "web", "awsvpc", 2).await;
    run(&aws, "others", "awsvpc", 1).await;
    run(&aws, "bridged", "bridge", 1).await;
    let answer = server.get("/sd/prometheus").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::OK, "application/json"),
        "{}",
        answer.body
    );
    let found = answer.json().as_array().unwrap().clone();
    assert_eq!(found.len(), 2, "two tasks of a service of ours have an address: {found:#?}");
    for group in &found {
        let address = group["targets"][0].as_str().unwrap();
        let (host, port) = address.rsplit_once(':').unwrap();
        assert!(host.parse::<std::net::Ipv4Addr>().is_ok() && port == "8080", "{address}");
        let labels = &group["labels"];
        for (label, expected) in [
            ("target", "default"),
            ("cluster", "shop"),
            ("service", "web"),
            ("container", "app"),
            ("port", "8080"),
            ("port_name", "http"),
            ("task_definition", "web:1"),
        ] {
            assert_eq!(labels[format!("__meta_longshore_{label}")], expected, "{label}");
        }
        assert_eq!(labels["__meta_longshore_task"].as_str().unwrap().len(), 32);
    }
    assert_ne!(found[0]["targets"], found[1]["targets"]);
}

#[tokio::test(start_paused = true)]
async fn however_many_scrape_tasks_are_read_once_in_thirty_seconds() {
    let aws = aws();
    let sandbox = &aws.sandbox;
    let names: Vec<String> = (0..30).map(|number| format!("web-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let server = Server::operated(board(&names), &aws).await;
    run(&aws, "web-0", "awsvpc", 1).await;
    let mark = sandbox.call_count();
    for _ in 0..10 {
        assert_eq!(server.get("/sd/prometheus").await.json().as_array().unwrap().len(), 1);
    }
    let calls = |mark: usize| -> Vec<String> {
        let calls = sandbox.calls_since(mark).into_iter();
        calls.map(|call| call.operation).filter(|name| name != "GetCallerIdentity").collect()
    };
    assert_eq!(calls(mark), ["ListTasks", "DescribeTasks", "DescribeTaskDefinition"]);
    tokio::time::sleep(Duration::from_secs(31)).await;
    let mark = sandbox.call_count();
    server.get("/sd/prometheus").await;
    assert_eq!(calls(mark), ["ListTasks", "DescribeTasks"]);
}

#[tokio::test(start_paused = true)]
async fn tasks_that_cannot_be_read_are_not_gone() {
    let aws = aws();
    let sandbox = &aws.sandbox;
    let server = Server::operated(board(&["web"]), &aws).await;
    let refuse = || {
        let denied = FaultKind::Error {
            status: 400,
            code: "AccessDeniedException".to_owned(),
            message: "no".to_owned(),
        };
        sandbox.inject(Fault { times: None, ..Fault::once("ecs", "ListTasks", denied) });
    };
    refuse();
    let refused = server.get("/sd/prometheus").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.body);
    assert!(refused.body.contains("list tasks of shop"), "{}", refused.body);
    sandbox.clear_faults();
    run(&aws, "web", "awsvpc", 1).await;
    assert_eq!(server.get("/sd/prometheus").await.json().as_array().unwrap().len(), 1);
    refuse();
    tokio::time::sleep(Duration::from_mins(5)).await;
    let kept = server.get("/sd/prometheus").await;
    assert_eq!(kept.json().as_array().unwrap().len(), 1, "what was read stays for a while");
    tokio::time::sleep(Duration::from_mins(6)).await;
    assert_eq!(server.get("/sd/prometheus").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_does_not_exist_has_no_tasks() {
    let store = store();
    store.publish(object(key("default", "none", "web"), "Missing"));
    let server = Server::operated(store, &aws()).await;
    let answer = server.get("/sd/prometheus").await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!([])));
}

#[tokio::test(start_paused = true)]
async fn a_diff_is_the_plan_and_changes_nothing() {
    let aws = aws();
    let sandbox = &aws.sandbox;
    let server = Server::operated(board(&["web"]), &aws).await;
    let diff = server.get("/api/v1/services/shop/web/diff").await;
    assert_eq!(
        (diff.status, diff.json()),
        (
            StatusCode::OK,
            json!({"target": "default", "cluster": "shop", "name": "web", "actions": [], "withheld": [], "holds": [], "notChecked": []})
        )
    );
    let changed = sandbox.calls().iter().any(|call| call.operation.starts_with("Create"));
    assert!(!changed);
    let denied = FaultKind::Error {
        status: 400,
        code: "AccessDeniedException".to_owned(),
        message: "no".to_owned(),
    };
    sandbox.inject(Fault::once("ecs", "DescribeServices", denied));
    let unread = server.get("/api/v1/services/shop/web/diff").await;
    assert_eq!(unread.status, StatusCode::BAD_GATEWAY);
    assert!(unread.json()["detail"].as_str().unwrap().contains("shop/web"), "{}", unread.body);
}

#[tokio::test]
async fn without_an_operator_what_needs_aws_is_refused() {
    let server = Server::open(filled());
    for path in ["/api/v1/services/shop/web/diff", "/sd/prometheus"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.json()["status"], 503, "{path}");
    }
}

#[tokio::test]
async fn a_badge_shows_health_and_sync_and_is_asked_about_again() {
    let server = Server::open(filled());
    let healthy = server.get("/badge/shop/api.svg?target=eu").await;
    assert_eq!(
        (healthy.status, healthy.header("content-type"), healthy.header("cache-control")),
        (StatusCode::OK, "image/svg+xml", "no-cache")
    );
    assert!(healthy.body.contains("<title>api: Healthy</title>"), "{}", healthy.body);
    assert_eq!(healthy.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(
        server.get("/api/v1/sources").await.header("cross-origin-resource-policy"),
        "same-origin"
    );
    let rolling = server.get("/badge/shop/web.svg").await;
    assert!(rolling.body.contains("web: Progressing, OutOfSync"), "{}", rolling.body);

    let tag = rolling.header("etag").to_owned();
    let same = server.send("GET", "/badge/shop/web.svg", &[("if-none-match", &tag)], "").await;
    assert_eq!((same.status, same.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    server.store.publish(object(key("default", "shop", "web"), "Healthy"));
    let other = server.send("GET", "/badge/shop/web.svg", &[("if-none-match", &tag)], "").await;
    assert_eq!(other.status, StatusCode::OK);
    assert_eq!(server.get("/badge/shop/none.svg").await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/badge/shop/api.svg").await.status, StatusCode::CONFLICT);
}
