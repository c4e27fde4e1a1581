//! What programs get.

use super::*;

#[tokio::test]
async fn probes_tell_alive_from_ready() {
    let server = Server::open(store());
    assert_eq!(server.get("/healthz").await.status, StatusCode::OK);
    let starting = server.get("/readyz").await;
    assert_eq!(starting.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(starting.json()["missing"][0], "the first pass over the sources has not ended yet");
    server.store.set_ready(true);
    let ready = server.get("/readyz").await;
    assert_eq!(
        (ready.status, ready.json()),
        (StatusCode::OK, json!({"ready": true, "missing": []}))
    );
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let server = Server::open(filled());
    let all = ["default:data/reports", "default:shop/api", "default:shop/web", "eu:shop/api"];
    for (query, expected) in [
        ("", &all[..]),
        ("?cluster=&sync=&health=&q=", &all),
        ("?cluster=data", &all[..1]),
        ("?health=Progressing,missing", &["default:data/reports", "default:shop/web"]),
        (
            "?health=Healthy&health=Missing",
            &["default:data/reports", "default:shop/api", "eu:shop/api"],
        ),
        ("?sync=Synced", &["default:shop/api", "eu:shop/api"]),
        (
            "?q=WEB+1.2.3+shop%2Fweb",
            &["default:data/reports", "default:shop/api", "default:shop/web", "eu:shop/api"],
        ),
        ("?q=shop%2Fapi", &["default:shop/api", "eu:shop/api"]),
        ("?q=nothing-like-it", &[]),
    ] {
        let answer = server.get(&format!("/api/v1/services{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}");
        assert_eq!(answer.names(), expected, "{query}");
        assert_eq!(answer.json()["metadata"]["total"], expected.len(), "{query}");
        assert!(
            answer.json()["items"].as_array().unwrap().iter().all(|it| it.get("spec").is_none())
        );
    }
    let first = server.get("/api/v1/services?limit=3").await;
    assert_eq!(first.names(), all[..3]);
    let next = first.json()["metadata"]["continue"].as_str().unwrap().to_owned();
    server.store.remove(&key("default", "shop", "web"));
    let second = server.get(&format!("/api/v1/services?limit=3&continue={next}")).await;
    assert_eq!(second.names(), all[3..]);
    assert_eq!(second.json()["metadata"].get("continue"), None);
}

#[tokio::test]
async fn bad_values_are_named_with_what_is_allowed() {
    let server = Server::open(filled());
    for (query, parameter, detail, allowed) in [
        (
            "services?health=Fine",
            "health",
            "health `Fine` is unknown",
            json!(["Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"]),
        ),
        (
            "services?sync=Synced,x",
            "sync",
            "sync `x` is unknown",
            json!(["Synced", "OutOfSync", "Unknown"]),
        ),
        (
            "services?limit=0",
            "limit",
            "limit `0` is not a number from 1 to 500",
            json!(["1 to 500"]),
        ),
        ("services?limit=many", "limit", "limit `many`", json!(["1 to 500"])),
        (
            "services?continue=zz",
            "continue",
            "did not come from this server",
            json!(["metadata.continue of the page before"]),
        ),
        ("services?cluster=a%20b", "cluster", "cluster name `a b` is not valid", Value::Null),
        ("services?q=a&q=b", "q", "more than once", Value::Null),
        (
            "services?heath=Healthy",
            "heath",
            "`heath` is unknown here",
            json!(["cluster", "sync", "health", "q", "limit", "continue"]),
        ),
        ("services/shop/api?target=UP", "target", "target name `UP` is not valid", Value::Null),
        ("events?limit=1001", "limit", "from 1 to 1000", json!(["1 to 1000"])),
        (
            "watch?since=yesterday",
            "since",
            "`yesterday` is not the id",
            json!(["metadata.version of a list, or an event's id"]),
        ),
        ("sources?x=1", "x", "unknown here", Value::Null),
    ] {
        let answer = server.get(&format!("/api/v1/{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.header("content-type"), "application/problem+json; charset=utf-8");
        let problem = answer.json();
        assert_eq!(
            (&problem["type"], &problem["title"], &problem["status"]),
            (&json!("about:blank"), &json!("Bad Request"), &json!(400))
        );
        assert_eq!(problem["parameter"], parameter, "{query}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{query}: {problem}");
        assert_eq!(problem["allowed"], allowed, "{query}");
    }
}

#[tokio::test]
async fn one_service_comes_whole_with_its_history_and_events() {
    let server = Server::open(filled());
    let web = server.get("/api/v1/services/shop/web").await.json();
    assert_eq!(
        (&web["apiVersion"], &web["kind"]),
        (&json!("longshore.dev/v1alpha1"), &json!("Service"))
    );
    assert_eq!(web["spec"]["taskDefinition"]["cpu"], "256");
    assert_eq!(web["status"]["rollout"]["running"], 1);
    let history = server.get("/api/v1/services/shop/web/history").await.json();
    assert_eq!(history["items"], json!([]), "releases are kept by the operator, and this is none");
    let events = server.get("/api/v1/services/data/reports/events?limit=1").await.json();
    assert_eq!(events["metadata"]["total"], 1);
    assert_eq!(events["items"][0]["message"], "Degraded -> Missing: 1 of 2 run");
    assert!(server.get("/api/v1/events").await.json()["metadata"]["total"].as_u64().unwrap() >= 3);
}

#[tokio::test]
async fn what_is_not_there_or_ambiguous_is_said() {
    let server = Server::open(filled());
    for path in [
        "/api/v1/services/shop/none",
        "/api/v1/services/none/web",
        "/api/v1/services/shop/a%20b",
        "/api/v1/services/shop/web/none",
        "/api/v2",
        "/none",
        "/assets/none.css",
        "/services/shop/none",
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json()["status"], 404, "{path}");
    }
    assert_eq!(server.get("/api/v1/services/%FF/web").await.status, StatusCode::BAD_REQUEST);
    let ambiguous = server.get("/api/v1/services/shop/api").await;
    assert_eq!(ambiguous.status, StatusCode::CONFLICT);
    assert_eq!(ambiguous.json()["allowed"], json!(["default", "eu"]));
    let one = server.get("/api/v1/services/shop/api?target=eu").await;
    assert_eq!(one.json()["key"]["target"], "eu");
    assert_eq!(
        server.get("/api/v1/services/shop/web?target=eu").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn other_methods_are_refused_and_head_works() {
    let server = Server::open(filled());
    for path in ["/", "/healthz", "/api/v1/services", "/api/v1/watch", "/metrics"] {
        let answer = server.send("POST", path, &[], "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(answer.json()["status"], 405, "{path}");
        assert_eq!(answer.header("allow"), "GET,HEAD", "{path}");
    }
    for path in ["/", "/api/v1/services", "/assets/longshore.css", "/services/shop/web"] {
        let answer = server.send("HEAD", path, &[], "").await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""), "{path}");
    }
}

#[tokio::test]
async fn sources_tell_their_age_and_no_credentials() {
    let server = Server::open(filled());
    let answer = server.get("/api/v1/sources").await;
    let fleet = &answer.json()["items"][0];
    assert_eq!((&fleet["ageSeconds"], &fleet["kind"]), (&json!(90), &json!("git")));
    assert_eq!(fleet["invalid"][0]["position"], json!({"line": 14, "column": 10}));
    for path in ["/", "/api/v1/sources", "/api/v1/events"] {
        assert!(!server.get(path).await.body.contains("hunter2"), "{path}");
    }
}

#[tokio::test]
async fn metrics_come_in_both_forms() {
    let server = Server::open(filled());
    let plain = server.get("/metrics").await;
    assert_eq!(plain.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(plain.body.contains("# TYPE workqueue_adds_total counter\n"), "{}", plain.body);
    let open = server
        .send("GET", "/metrics", &[("accept", "application/openmetrics-text; version=1.0.0")], "")
        .await;
    assert!(open.header("content-type").starts_with("application/openmetrics-text"));
    assert!(open.body.ends_with("# EOF\n"));
    for line in [
        "longshore_service_info{target=\"default\",cluster=\"shop\",service=\"web\",sync=\"OutOfSync\",health=\"Progressing\"} 1",
        "longshore_source_age_seconds{source=\"fleet\"} 90",
        "longshore_source_error{source=\"fleet\"} 0",
    ] {
        assert!(
            open.body.lines().any(|found| found == line),
            "{line} is missing in\n{}",
            open.body
        );
    }
}

#[tokio::test]
async fn the_openapi_document_is_true() {
    let server = Server::operated(filled(), &reads::aws()).await;
    let document = server.get("/openapi.json").await.json();
    assert_eq!(document["info"]["version"], "1.2.3");
    for (path, operations) in document["paths"].as_object().unwrap() {
        let url = path.replace("{cluster}", "shop").replace("{name}", "web");
        let url = url.replace("{provider}", "github").replace("{source}", "fleet");
        if operations.get("get").is_none() {
            let answer = server.send("POST", &url, &[], "").await;
            let refused = if operations["post"]["operationId"] == "receiveWebhook" {
                StatusCode::NOT_FOUND
            } else {
                StatusCode::FORBIDDEN
            };
            assert_eq!(answer.status, refused, "{url}");
            continue;
        }
        let response = server.response("GET", &url, &[], "").await;
        assert_eq!(response.status(), StatusCode::OK, "{url}");
        let schema =
            &operations["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        if !schema.is_null() {
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_fits(&document, schema, &serde_json::from_slice(&body).unwrap(), &url);
        }
    }
    let problem = json!({"$ref": "#/components/schemas/Problem"});
    for path in
        ["/none", "/api/v1/services?health=x", "/api/v1/services/shop/api", "/api/v1/services/a/b"]
    {
        assert_fits(&document, &problem, &server.get(path).await.json(), path);
    }
    let reports = server.get("/api/v1/services/data/reports").await.json();
    assert_fits(
        &document,
        &json!({"$ref": "#/components/schemas/Service"}),
        &reports,
        "data/reports",
    );
    assert!(!jsonschema::is_valid(&schema_in(&document, &problem), &json!({"title": 1})));
}

fn schema_in(document: &Value, schema: &Value) -> Value {
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    whole
}

pub(super) fn assert_fits(document: &Value, schema: &Value, answer: &Value, path: &str) {
    let validator = jsonschema::validator_for(&schema_in(document, schema)).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(answer)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{path}: {errors:#?}");
}

/// Prints how long a page of a large board takes; the budget is kept in the benches.
#[tokio::test]
async fn a_page_of_five_thousand_services_is_timed() {
    let store = store();
    for number in 0..5000 {
        store.publish(object(key("default", "big", &format!("service-{number:04}")), "Healthy"));
    }
    let server = Server::open(store);
    for path in [
        "/api/v1/services?limit=50",
        "/api/v1/services?limit=50&q=service-49+shop",
        "/",
        "/metrics",
    ] {
        server.get(path).await;
        let start = tokio::time::Instant::now();
        let answer = server.get(path).await;
        println!("{path}: {:?}, {} bytes", start.elapsed(), answer.body.len());
        assert_eq!(answer.status, StatusCode::OK);
    }
}
