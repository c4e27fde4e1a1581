//! The server as its clients see it: every route, in process, without a socket where none is needed.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use crds::{InvalidObject, ObjectKey, Position, SourceRevision};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::*;
use crate::status_store::{ServiceObject, SourceKind, SourceObject};

const START: i64 = 1_795_000_000;

fn store() -> StatusStore {
    StatusStore::new(|| Timestamp::from_second(START).unwrap())
}

fn key(target: &str, cluster: &str, name: &str) -> ObjectKey {
    ObjectKey {
        target: target.parse().unwrap(),
        cluster: cluster.parse().unwrap(),
        name: name.parse().unwrap(),
    }
}

fn object(key: ObjectKey, health: &str) -> ServiceObject {
    let hash = "ab".repeat(32);
    let attempt = json!({"source": "fleet", "commit": "9f3c2ab41d7e5a60", "specHash": hash, "time": "2026-11-18T20:00:00Z"});
    let status = json!({
        "observedGeneration": 3, "sync": if health == "Healthy" { "Synced" } else { "OutOfSync" }, "health": health,
        "lastAttempted": attempt, "lastApplied": attempt, "taskDefinition": "shop-web:7", "history": [attempt],
        "images": [{"container": "app", "repository": "host.example/shop/web", "tag": "1.2.3", "digest": format!("sha256:{hash}")}],
        "rollout": {"id": "ecs-svc/1", "strategy": "ROLLING", "stage": "IN_PROGRESS", "running": 1, "desired": 2,
            "pending": 1, "failed": 0, "startedAt": "2026-11-18T20:20:00Z"},
        "holds": [],
        "conditions": [{"type": "Ready", "status": "False", "reason": "RolloutInProgress", "message": "1 of 2 run",
            "observedGeneration": 3, "lastTransitionTime": "2026-11-18T20:20:00Z"}],
    });
    ServiceObject {
        metadata: serde_json::from_value(
            json!({"name": key.name.as_str(), "labels": {"team": "shop"}}),
        )
        .unwrap(),
        provenance: serde_json::from_value(
            json!({"source": "fleet", "revision": "9f3c", "file": "web.yaml", "line": 1}),
        )
        .unwrap(),
        spec: Arc::new(json!({"cluster": key.cluster.as_str(), "taskDefinition": {"cpu": "256"}})),
        status: serde_json::from_value(status).unwrap(),
        invalid: Vec::new(),
        key,
    }
}

fn invalid() -> InvalidObject {
    InvalidObject {
        source: "fleet".into(),
        file: "data/reports.yaml".into(),
        position: Some(Position { line: 14, column: 10 }),
        path: "spec.taskDefinition.cpu".into(),
        message: "`0.3 vCPU` is not a Fargate size".into(),
        hint: Some("nearest are 256 and 512".into()),
        key: Some(key("default", "data", "reports")),
    }
}

fn source() -> SourceObject {
    SourceObject {
        revision: Some(SourceRevision::new("9f3c2ab41d7e5a60b8c1")),
        description: Some("bump web (Kim)".into()),
        fetched_at: Some(Timestamp::from_second(START - 90).unwrap()),
        services: 3,
        invalid: vec![invalid()],
        ..SourceObject::unread(
            "fleet".parse().unwrap(),
            SourceKind::Git,
            "https://u:hunter2@example.com/fleet.git",
        )
    }
}

/// A board with a service twice at two targets, one that is degraded, and a source with an error.
fn filled() -> StatusStore {
    let store = store();
    store.publish_source(source());
    store.publish(object(key("default", "shop", "web"), "Progressing"));
    store.publish(object(key("default", "shop", "api"), "Healthy"));
    store.publish(object(key("default", "data", "reports"), "Degraded"));
    store.publish(object(key("eu", "shop", "api"), "Healthy"));
    store.publish(ServiceObject {
        invalid: vec![invalid()],
        ..object(key("default", "data", "reports"), "Missing")
    });
    store.set_ready(true);
    store
}

struct Server {
    router: axum::Router,
    store: StatusStore,
    shutdown: CancellationToken,
}

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn names(&self) -> Vec<String> {
        let text = |it: &Value, name: &str| it["key"][name].as_str().unwrap().to_owned();
        let items = self.json()["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|it| {
                format!("{}:{}/{}", text(it, "target"), text(it, "cluster"), text(it, "name"))
            })
            .collect()
    }
}

impl Server {
    fn open(store: StatusStore) -> Self {
        Self::with(store, Access::Loopback)
    }

    fn guarded() -> Self {
        let read: ReadSecret = Arc::new(|| Ok("s3cret-token".to_owned()));
        Self::with(filled(), Access::Token(Arc::new(TokenAccess::new(read).unwrap())))
    }

    fn with(store: StatusStore, access: Access) -> Self {
        let shutdown = CancellationToken::new();
        let metrics = Metrics::new(store.clone(), "1.2.3");
        let state =
            State { store: store.clone(), metrics, access, owner: "prod".into(), version: "1.2.3" };
        Self { router: router(state, shutdown.clone()), store, shutdown }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let response = self.response(method, path, headers, body).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    async fn response(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> axum::response::Response {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request = request.header(header::HOST, "localhost:8080");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.router
            .clone()
            .oneshot(request.body(Body::from(body.to_owned())).unwrap())
            .await
            .unwrap()
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    async fn browse(&self, path: &str) -> Answer {
        self.send("GET", path, &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")], "").await
    }
}

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
    assert_eq!(history["items"][0]["commit"], "9f3c2ab41d7e5a60");
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
async fn every_answer_is_safe_to_show() {
    let server = Server::open(filled());
    for path in
        ["/", "/services/shop/web", "/api/v1/services", "/none", "/healthz", "/assets/live.js"]
    {
        let answer = server.browse(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        let cached = if path.starts_with("/assets/") {
            "public, max-age=31536000, immutable"
        } else {
            "no-store"
        };
        assert_eq!(answer.header("cache-control"), cached, "{path}");
        assert!(!answer.body.contains(" style=") && !answer.body.contains("<script>"), "{path}");
        assert!(
            !answer.body.contains("src=\"http") && !answer.body.contains("href=\"http"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn assets_are_found_where_pages_say_and_kept_by_browsers() {
    let server = Server::open(filled());
    let page = server.browse("/").await.body;
    let urls: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(urls.len() >= 3);
    for url in urls {
        let answer = server.get(url).await;
        assert_eq!(answer.status, StatusCode::OK, "{url}");
        assert!(url.contains(answer.header("etag").trim_matches('"')), "{url}");
        let again = server.send("GET", url, &[("if-none-match", answer.header("etag"))], "").await;
        assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    }
}

#[tokio::test]
async fn what_is_large_is_compressed_and_streams_are_not() {
    let server = Server::open(filled());
    let gzip = [("accept-encoding", "gzip")];
    let page = server.send("GET", "/", &gzip, "").await;
    assert_eq!(page.header("content-encoding"), "gzip");
    let stream = server.response("GET", "/api/v1/watch", &gzip, "").await;
    assert_eq!(stream.headers().get("content-encoding"), None);
}

#[tokio::test]
async fn on_loopback_only_names_of_loopback_are_served() {
    let server = Server::open(filled());
    for host in ["localhost", "127.0.0.1:8080", "[::1]:8080", "longshore.localhost:80"] {
        let answer = server.send("GET", "/api/v1/sources", &[("host", host)], "").await;
        assert_eq!(answer.status, StatusCode::OK, "{host}");
    }
    for host in
        ["evil.example", "evil.example:8080", "127.0.0.1.nip.io", "192.168.0.2:8080", "", "a b"]
    {
        let answer = server.send("GET", "/api/v1/sources", &[("host", host)], "").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{host}");
        assert!(answer.json()["hint"].as_str().unwrap().contains("http.auth.token"));
    }
    let absolute = server.send("GET", "http://evil.example/api/v1/sources", &[], "").await;
    assert_eq!(absolute.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn with_a_token_everything_but_the_probes_needs_it() {
    let server = Server::guarded();
    for path in ["/api/v1/services", "/api/v1/watch", "/metrics", "/openapi.json", "/none"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"longshore\"");
        assert_eq!(answer.json()["status"], 401);
        let answer = server.get(&format!("{path}?token=s3cret-token")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "a token in a URL opens nothing");
    }
    for path in ["/healthz", "/readyz", "/login", "/assets/longshore.css"] {
        assert_eq!(server.get(path).await.status, StatusCode::OK, "{path}");
    }
    let host = ("host", "longshore.example");
    let bearer = ("authorization", "Bearer s3cret-token");
    assert_eq!(
        server.send("GET", "/api/v1/services", &[host, bearer], "").await.status,
        StatusCode::OK
    );
    let wrong = ("authorization", "Bearer s3cret-tokem");
    assert_eq!(
        server.send("GET", "/api/v1/services", &[wrong], "").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn people_sign_in_by_a_form_and_out_again() {
    let server = Server::guarded();
    let led = server.browse("/services/shop/web?target=default").await;
    assert_eq!(
        (led.status, led.header("location")),
        (StatusCode::SEE_OTHER, "/login?next=%2Fservices%2Fshop%2Fweb%3Ftarget%3Ddefault")
    );
    let form = server.browse(led.header("location")).await;
    assert!(form.body.contains("value=\"/services/shop/web?target=default\""), "{}", form.body);

    let typed = ("content-type", "application/x-www-form-urlencoded");
    let wrong = server.send("POST", "/login", &[typed], "token=guess&next=%2F").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.body.contains("This is not the token."));
    assert_eq!(wrong.header("set-cookie"), "");

    let right = server
        .send("POST", "/login", &[typed], "token=s3cret-token&next=%2Fservices%2Fshop%2Fweb")
        .await;
    assert_eq!(
        (right.status, right.header("location")),
        (StatusCode::SEE_OTHER, "/services/shop/web")
    );
    let set = right.header("set-cookie").to_owned();
    assert!(set.contains("; HttpOnly; SameSite=Strict") && !set.contains("s3cret-token"), "{set}");
    let cookie = set.split(';').next().unwrap().to_owned();
    let page = server.send("GET", "/services/shop/web", &[("cookie", &cookie)], "").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Sign out"));

    let away = server
        .send("POST", "/login", &[typed], "token=s3cret-token&next=https%3A%2F%2Fevil.example")
        .await;
    assert_eq!(away.header("location"), "/");
    let out = server.send("POST", "/logout", &[("cookie", &cookie)], "").await;
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(
        server.send("GET", "/api/v1/services", &[("cookie", &cookie)], "").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn forms_of_other_sites_and_huge_forms_are_refused() {
    let server = Server::guarded();
    let typed = ("content-type", "application/x-www-form-urlencoded");
    for foreign in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let answer = server.send("POST", "/login", &[typed, foreign], "token=s3cret-token").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{foreign:?}");
    }
    let own = ("origin", "http://localhost:8080");
    assert_eq!(
        server.send("POST", "/login", &[typed, own], "token=s3cret-token").await.status,
        StatusCode::SEE_OTHER
    );
    let huge = format!("token={}", "x".repeat(20_000));
    let answer = server.send("POST", "/login", &[typed], &huge).await;
    assert_eq!(
        (answer.status, answer.json()["status"].clone()),
        (StatusCode::PAYLOAD_TOO_LARGE, json!(413))
    );
}

#[tokio::test]
async fn hostile_text_stays_text() {
    let server = Server::open(store());
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let mut hostile = object(key("default", "shop", "web"), "Degraded");
    hostile.metadata.labels.insert(evil.into(), evil.into());
    hostile.spec = Arc::new(json!({evil: evil}));
    hostile.status.conditions[0].message = evil.into();
    hostile.status.images[0].tag = Some(evil.into());
    hostile.status.rollout.as_mut().unwrap().reason = Some(evil.into());
    hostile.invalid = vec![InvalidObject {
        file: evil.into(),
        message: evil.into(),
        hint: Some(evil.into()),
        ..invalid()
    }];
    server.store.publish(hostile);
    server.store.publish_source(SourceObject {
        description: Some(evil.into()),
        error: Some(evil.into()),
        location: evil.into(),
        ..source()
    });
    let search = format!(
        "/?q={}",
        percent_encoding::utf8_percent_encode(evil, percent_encoding::NON_ALPHANUMERIC)
    );
    for path in ["/", "/services/shop/web", &search, "/%3Cscript%3Ealert(1)%3C/script%3E"] {
        let answer = server.browse(path).await;
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        assert!(
            !answer.body.contains("<script>") && !answer.body.contains("<img src=x"),
            "{path}: {}",
            answer.body
        );
        if path != "/%3Cscript%3Ealert(1)%3C/script%3E" {
            assert!(
                answer.body.contains("&#60;script&#62;") || answer.body.contains("&lt;script&gt;"),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn the_overview_shows_what_matters() {
    let server = Server::open(filled());
    let page = server.browse("/").await;
    assert_eq!(page.status, StatusCode::OK);
    for shown in [
        "prod",
        "v1.2.3",
        "9f3c2ab41d7e",
        "bump web (Kim)",
        "1 min ago",
        "data/reports.yaml:14:10",
        "spec.taskDefinition.cpu",
        "`0.3 vCPU` is not a Fargate size",
        "nearest are 256 and 512",
        "shop/web",
        "1.2.3",
        "shop-web:7",
        "RolloutInProgress",
        "aria-label=\"1 of 2 tasks running\"",
        "href=\"/services/shop/api?target=eu\"",
        "4 of 4",
    ] {
        assert!(page.body.contains(shown), "{shown} is missing in\n{}", page.body);
    }
    let filtered = server.browse("/?health=Missing").await.body;
    assert!(filtered.contains("1 of 1 that match, 4 in all"), "{filtered}");
    assert!(filtered.contains("aria-current=\"true\""));
    assert!(server.browse("/?q=zzz").await.body.contains("No service matches."));
    assert!(server.browse("/?limit=2").await.body.contains("rel=\"next\""));
    let bad = server.browse("/?health=Fine").await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    assert!(
        bad.header("content-type").starts_with("text/html")
            && bad.body.contains("health `Fine` is unknown")
    );
}

#[tokio::test]
async fn empty_boards_say_what_to_do() {
    let server = Server::open(store());
    let starting = server.browse("/").await.body;
    assert!(starting.contains("Starting up.") && starting.contains("No source is configured."));
    server.store.set_ready(true);
    assert!(server.browse("/").await.body.contains("No services yet."));
}

#[tokio::test]
async fn the_page_of_a_service_shows_everything() {
    let server = Server::open(filled());
    let page = server.browse("/services/data/reports").await.body;
    let digest = format!("sha256:{}", "ab".repeat(32));
    for shown in [
        "The newest spec cannot be used",
        "data/reports.yaml:14:10",
        digest.as_str(),
        "ecs-svc/1",
        "cpu: &#34;256&#34;",
        "web.yaml:1",
        "Degraded -&#62; Missing",
        "9f3c2ab41d7e",
        "/api/v1/services/data/reports",
        "datetime=\"2026-11-18T20:20:00Z\"",
    ] {
        assert!(page.contains(shown), "{shown} is missing in\n{page}");
    }
    assert_eq!(server.browse("/services/shop/api").await.status, StatusCode::CONFLICT);
    assert!(server.browse("/services/shop/api?target=eu").await.body.contains("target eu"));
}

/// The events of a stream up to one of that name.
async fn events_until(body: &mut Body, last: &str) -> Vec<(String, String, Value)> {
    let mut text = String::new();
    let wanted = format!("event: {last}\n");
    while !(text.contains(&wanted) && text.ends_with("\n\n")) {
        let frame = tokio::time::timeout(Duration::from_secs(5), body.frame()).await;
        let frame = frame.unwrap_or_else(|_| panic!("no `{last}` in\n{text}")).unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    let field = |event: &str, name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    };
    text.split("\n\n")
        .filter(|event| event.contains("event:"))
        .map(|event| {
            let data = serde_json::from_str(&field(event, "data:")).unwrap();
            (field(event, "event:"), field(event, "id:"), data)
        })
        .collect()
}

fn kinds(events: &[(String, String, Value)]) -> Vec<&str> {
    events.iter().map(|(kind, _, _)| kind.as_str()).collect()
}

#[tokio::test]
async fn a_watch_starts_with_everything_and_goes_on_with_changes() {
    let server = Server::open(filled());
    let response = server.response("GET", "/api/v1/watch", &[], "").await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let start = events_until(&mut body, "synced").await;
    assert_eq!(
        kinds(&start),
        ["start", "source", "service", "service", "service", "service", "synced"]
    );
    assert_eq!(start[0].2, json!({"complete": true, "services": 4, "sources": 1}));
    assert!(start[..6].iter().all(|(_, id, _)| id.is_empty()));
    assert_eq!(start[6].1, server.store.version().to_string());

    server.store.publish(object(key("default", "shop", "web"), "Healthy"));
    let change = events_until(&mut body, "service").await;
    assert_eq!(change[0].2["status"]["health"], "Healthy");
    assert_eq!(change[0].2.get("spec"), None);
    assert_eq!(change[0].1, server.store.version().to_string());
    server.store.remove(&key("default", "shop", "web"));
    let gone = events_until(&mut body, "serviceRemoved").await;
    assert_eq!(gone[0].2["key"]["name"], "web");
}

#[tokio::test]
async fn a_watch_goes_on_where_it_left_off() {
    let server = Server::open(filled());
    let version = server.get("/api/v1/services").await.json()["metadata"]["version"]
        .as_str()
        .unwrap()
        .to_owned();
    server.store.publish(object(key("default", "shop", "web"), "Healthy"));
    server.store.remove(&key("eu", "shop", "api"));
    let by_url = format!("/api/v1/watch?since={version}");
    for (path, headers) in
        [(by_url.as_str(), vec![]), ("/api/v1/watch", vec![("last-event-id", version.as_str())])]
    {
        let mut body = server.response("GET", path, &headers, "").await.into_body();
        let start = events_until(&mut body, "synced").await;
        assert_eq!(
            kinds(&start),
            ["start", "source", "serviceRemoved", "service", "synced"],
            "{path}"
        );
        assert_eq!(start[0].2["complete"], false);
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watch_beats_and_ends_with_the_server() {
    let server = Server::open(store());
    let mut body = server.response("GET", "/api/v1/watch", &[], "").await.into_body();
    events_until(&mut body, "synced").await;
    let beat = body.frame().await.unwrap().unwrap();
    assert_eq!(beat.data_ref().unwrap().as_ref(), b": heartbeat\n\n");
    server.shutdown.cancel();
    assert!(body.frame().await.is_none(), "the stream has to end");
}

#[tokio::test]
async fn watchers_are_bounded_and_make_room_when_they_go() {
    let server = Server::open(store());
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS_MAX {
        watchers.push(server.response("GET", "/api/v1/watch", &[], "").await);
    }
    let refused = server.get("/api/v1/watch").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        (refused.header("retry-after"), refused.json()["status"].clone()),
        ("5", json!(503))
    );
    watchers.pop();
    assert_eq!(server.response("GET", "/api/v1/watch", &[], "").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_openapi_document_is_true() {
    let server = Server::open(filled());
    let document = server.get("/openapi.json").await.json();
    assert_eq!(document["info"]["version"], "1.2.3");
    for (path, operations) in document["paths"].as_object().unwrap() {
        let url = path.replace("{cluster}", "shop").replace("{name}", "web");
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

fn assert_fits(document: &Value, schema: &Value, answer: &Value, path: &str) {
    let validator = jsonschema::validator_for(&schema_in(document, schema)).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(answer)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{path}: {errors:#?}");
}

#[tokio::test]
async fn the_server_serves_sockets_and_stops_in_time() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let bound =
        bind(&crds::Http { listen: Some("127.0.0.1:0".into()), auth: None }, |_| unreachable!())
            .await
            .unwrap();
    let store = filled();
    let metrics = Metrics::new(store.clone(), "1.2.3");
    let state =
        State { store, metrics, access: bound.access, owner: "prod".into(), version: "1.2.3" };
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(serve(bound.listener, state, shutdown.clone()));

    let mut stream = tokio::net::TcpStream::connect(bound.address).await.unwrap();
    stream.write_all(b"GET /api/v1/watch HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("event: synced") {
        assert_ne!(stream.read_buf(&mut seen).await.unwrap(), 0);
    }
    let mut huge = tokio::net::TcpStream::connect(bound.address).await.unwrap();
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    let _ = huge.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = huge.read_to_end(&mut answer).await;
    assert!(
        String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 431"),
        "{}",
        String::from_utf8_lossy(&answer)
    );

    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(3), server).await.expect("it stops in time").unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the stream ends properly");
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
