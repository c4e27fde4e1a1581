//! The server as its clients see it: every route, in process, without a socket where none is needed.

mod access;
mod api;
mod orders;
mod pages;
mod reads;
mod streams;
mod webhooks;

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
use crate::status_store::{ServiceObject, SourceKind, SourceObject, SpecText};

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
        spec: Arc::new(SpecText::from(
            &json!({"cluster": key.cluster.as_str(), "taskDefinition": {"cpu": "256"}}),
        )),
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
    store.publish_release(crate::status_store::ReleaseObject {
        name: "web".parse().unwrap(),
        metadata: crds::ObjectMeta::named("web"),
        provenance: None,
        spec: Arc::default(),
        services: Vec::new(),
        status: crds::ReleaseStatus::default(),
    });
    store
}

/// A token that may do everything, and one that only reads.
fn access() -> Access {
    let holder = |name: &str, may_order, token: &'static str| Holder {
        name: name.to_owned(),
        may_order,
        read: Arc::new(move || Ok(token.to_owned())),
    };
    let holders = vec![holder("ci", true, "s3cret-token"), holder("wall", false, "read-token")];
    Access::Token(Arc::new(TokenAccess::new(holders).unwrap()))
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
        Self::with(filled(), access())
    }

    /// A server beside an operator, whose AWS is the sandbox.
    async fn operated(store: StatusStore, aws: &reads::Embedded) -> Self {
        let reads = reads::of(&store, aws).await;
        Self::build(store, Access::Loopback, Some(reads), Webhooks::none())
    }

    fn with(store: StatusStore, access: Access) -> Self {
        Self::build(store, access, None, Webhooks::none())
    }

    fn build(store: StatusStore, access: Access, reads: Option<Reads>, webhooks: Webhooks) -> Self {
        let shutdown = CancellationToken::new();
        let metrics = Metrics::new(
            store.clone(),
            crate::aws::Meter::default(),
            crate::queue::Queue::new(1),
            "1.2.3",
        );
        let (owner, version) = ("prod".into(), "1.2.3");
        let state = State {
            store: store.clone(),
            metrics,
            orders: None,
            access,
            webhooks,
            reads,
            owner,
            version,
        };
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
