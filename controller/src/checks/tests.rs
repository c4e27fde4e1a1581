//! Requests of checks, against a real server on this machine and beside one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{any, get, post};
use crds::{CheckCredential, HttpCheck, PrometheusCheck, SecretFrom};
use planner::checks::{Measured, Reading};
use serde_json::json;

use super::{Checks, request};

/// What `secret-file` holds.
const SECRET: &str = "Bearer open-sesame";

async fn server() -> (String, Arc<AtomicUsize>) {
    let carried = Arc::new(AtomicUsize::new(0));
    let count = |State(carried): State<Arc<AtomicUsize>>, headers: HeaderMap| async move {
        if headers.get("authorization").is_some_and(|value| value == SECRET) {
            carried.fetch_add(1, Ordering::SeqCst);
        }
        StatusCode::NO_CONTENT
    };
    let routes = Router::new()
        .route("/ready", get(|| async { axum::Json(json!({ "models": [{ "accuracy": 0.97 }] })) }))
        .route("/bad", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/echo", post(|body: String| async move { body }))
        .route("/large", get(|| async { "x".repeat(70_000) }))
        .route("/slow", get(|| async { tokio::time::sleep(Duration::from_secs(30)).await }))
        .route("/moved", get(|| async { (StatusCode::FOUND, [("location", "/secret")]) }))
        .route("/secret", any(count))
        .route(
            "/prometheus/api/v1/query",
            get(|Query(query): Query<std::collections::HashMap<String, String>>| async move {
                let known = query.get("query").map(String::as_str) == Some("sum(rate(errors[1m])) / 2");
                let result = if known { json!([{ "metric": {}, "value": [1, "0.5"] }]) } else { json!([]) };
                axum::Json(json!({ "status": "success", "data": { "resultType": "vector", "result": result } }))
            }),
        )
        .with_state(Arc::clone(&carried));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (format!("http://{address}"), carried)
}

fn check(value: serde_json::Value) -> HttpCheck {
    serde_json::from_value(value).unwrap()
}

fn with_credential(hosts: &[&str], file: &std::path::Path) -> Checks {
    Checks::new(crds::Checks {
        credentials: vec![CheckCredential {
            name: "door".to_owned(),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            value: SecretFrom { env: None, file: Some(file.display().to_string()) },
        }],
    })
}

#[tokio::test]
async fn http_is_measured_over_the_network() {
    let (server, _) = server().await;
    let checks = Checks::default();
    let ask = async |value| request::http(&checks, &check(value)).await;
    let found =
        ask(json!({ "url": format!("{server}/ready"), "jsonPath": "$.models[0].accuracy" })).await;
    assert_eq!(found, Reading::Value(Measured::Number(0.97)));
    let Reading::Value(Measured::Number(took)) =
        ask(json!({ "url": format!("{server}/ready") })).await
    else {
        panic!("the time is the value")
    };
    assert!(took > 0.0 && took < 5.0, "{took}");
    assert_eq!(
        ask(json!({ "url": format!("{server}/bad") })).await,
        Reading::Bad("status 500".to_owned())
    );
    // Redirects are not followed.
    assert_eq!(
        ask(json!({ "url": format!("{server}/moved") })).await,
        Reading::Bad("status 302".to_owned())
    );
    let sent = json!({ "url": format!("{server}/echo"), "method": "POST", "body": "{\"ok\": true}", "jsonPath": "$.ok" });
    assert_eq!(ask(sent).await, Reading::Value(Measured::Flag(true)));
    for (path, more) in [("/large", "5s"), ("/slow", "100ms")] {
        let found = ask(json!({ "url": format!("{server}{path}"), "timeout": more })).await;
        assert!(matches!(found, Reading::Nothing(_)), "{path}: {found:?}");
    }
    // Nobody listens at a port that was just given back.
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let found = ask(json!({ "url": format!("http://{closed}/") })).await;
    assert!(matches!(found, Reading::Nothing(_)), "{found:?}");
    let found = ask(json!({ "url": "http://169.254.169.254/latest/meta-data/" })).await;
    assert!(matches!(&found, Reading::Nothing(why) if why.contains("out of reach")), "{found:?}");
}

#[tokio::test]
async fn prometheus_is_asked_over_the_network() {
    let (server, _) = server().await;
    let ask = async |query: &str| {
        let check = PrometheusCheck {
            url: format!("{server}/prometheus/"),
            query: query.to_owned(),
            ..PrometheusCheck::default()
        };
        request::prometheus(&Checks::default(), &check).await
    };
    assert_eq!(ask("sum(rate(errors[1m])) / 2").await, Reading::Value(Measured::Number(0.5)));
    assert!(matches!(ask("up").await, Reading::Nothing(_)));
}

#[tokio::test]
async fn a_credential_goes_to_its_own_hosts_only() {
    let (server, carried) = server().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret-file");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let asked = check(json!({
        "url": format!("{server}/secret"),
        "headers": [{ "name": "Authorization", "credential": "door" }],
    }));
    let found = request::http(&with_credential(&["127.0.0.1"], &file), &asked).await;
    assert!(matches!(found, Reading::Value(_)), "{found:?}");
    assert_eq!(carried.load(Ordering::SeqCst), 1);
    for (checks, why) in [
        (with_credential(&["prometheus.example"], &file), "is not for the host"),
        (Checks::default(), "has no credential `door`"),
        (with_credential(&["127.0.0.1"], &folder.path().join("none")), "cannot be read"),
    ] {
        let found = request::http(&checks, &asked).await;
        assert!(matches!(&found, Reading::Nothing(said) if said.contains(why)), "{found:?}");
    }
    let clear = check(json!({
        "url": "http://prometheus.example/",
        "headers": [{ "name": "Authorization", "credential": "door" }],
    }));
    let found = request::http(&with_credential(&["prometheus.example"], &file), &clear).await;
    assert!(matches!(&found, Reading::Nothing(said) if said.contains("https only")), "{found:?}");
    assert_eq!(carried.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn measurements_are_bounded_in_number() {
    let checks = Checks::default();
    let taken = |checks: &Checks| (0..100).filter(|_| checks.takes_place()).count();
    assert_eq!(taken(&checks), 20);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(taken(&checks), 10);
}
