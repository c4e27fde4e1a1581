//! Verbs that ask for something: what is posted, and how the answer is told.

use std::sync::{Arc, Mutex};

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use controller::http::Access;
use serde_json::{Value, json};

use super::world::{World, key, ready};

/// What was posted: path and query, `Authorization`, body.
type Posted = Arc<Mutex<Vec<(String, String, Value)>>>;

/// A server whose orders are answered as its API describes it; `promote` is refused.
async fn world() -> (World, Posted) {
    let posted = Posted::default();
    let kept = Arc::clone(&posted);
    let order = move |Path((cluster, name, verb)): Path<(String, String, String)>,
                      uri: Uri,
                      headers: HeaderMap,
                      Json(body): Json<Value>| {
        let token = headers.get("authorization").map_or("", |value| value.to_str().unwrap());
        kept.lock().unwrap().push((uri.to_string(), token.to_owned(), body));
        async move { answer(&cluster, &name, &verb) }
    };
    let world = World::with(Access::Loopback, |router| {
        Router::new()
            .route("/api/v1/services/{cluster}/{name}/{verb}", post(order))
            .fallback_service(router)
    })
    .await;
    world.statuses.publish(ready("shop/web"));
    (world, posted)
}

fn answer(cluster: &str, name: &str, verb: &str) -> Response {
    if verb == "promote" {
        let problem = json!({"type": "about:blank", "title": "Conflict", "status": 409,
            "detail": "no rollout of shop/web waits", "hint": "`longshore status` shows it"});
        return (StatusCode::CONFLICT, Json(problem)).into_response();
    }
    let key = json!({"target": "default", "cluster": cluster, "name": name});
    let order = json!({"id": 3, "key": key, "verb": verb, "actor": "ci",
        "time": "2026-11-18T20:00:00Z", "expiresAt": "2026-11-18T22:00:00Z"});
    (StatusCode::ACCEPTED, Json(order)).into_response()
}

#[tokio::test]
async fn every_order_is_posted_as_the_api_describes_it() {
    let (world, posted) = world().await;
    let hash = "ab".repeat(32);
    let hash = hash.as_str();
    for (arguments, body) in [
        (&["sync", "web"][..], json!({})),
        (
            &["sync", "web", "--replace", "--prune", "--spec", hash, "--reason", "it has to"],
            json!({"replace": true, "prune": true, "specHash": hash, "reason": "it has to"}),
        ),
        (&["rollback", "shop/web"], json!({})),
        (&["rollback", "web", "--to", "shop-web:6"], json!({"to": "shop-web:6"})),
        (&["hold", "web", "--reason", "a look"], json!({"reason": "a look"})),
        (&["release", "web", "--spec", hash], json!({"specHash": hash})),
        (
            &["suspend", "web", "--reason", "freeze", "--for", "2h"],
            json!({"reason": "freeze", "expiresIn": "2h"}),
        ),
        (&["resume", "web"], json!({})),
        (&["approve", "web", "--for", "30m"], json!({"expiresIn": "30m"})),
        (&["abort", "web"], json!({})),
        (&["restart", "web"], json!({})),
    ] {
        let variables = [("LONGSHORE_TOKEN", "s3cret")];
        let run = world.run_with(arguments, &variables).await;
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
        let verb = arguments[0];
        let told = format!(
            "{verb} of shop/web is recorded by ci, until 2026-11-18T22:00:00Z; `longshore status shop/web` tells what comes of it\n"
        );
        assert_eq!(run.out, told);
        let (uri, token, sent) = posted.lock().unwrap().pop().unwrap();
        assert_eq!(uri, format!("/api/v1/services/shop/web/{verb}?target=default"));
        assert_eq!((token.as_str(), sent), ("Bearer s3cret", body), "{arguments:?}");
    }
    let json = world.run(&["restart", "web", "--output", "json"]).await;
    assert_eq!((json.code, json.json()["id"].clone()), (0, json!(3)));
}

#[tokio::test]
async fn what_is_refused_or_cannot_be_asked_is_said() {
    let (world, posted) = world().await;
    let refused = world.run(&["promote", "web", "--hook", "h-1"]).await;
    assert_eq!((refused.code, refused.out.as_str()), (1, ""));
    assert_eq!(refused.err, "error: no rollout of shop/web waits; `longshore status` shows it\n");
    assert_eq!(posted.lock().unwrap().pop().unwrap().2, json!({"hookId": "h-1"}));
    let unknown = world.run(&["restart", "wbe"]).await;
    assert!(unknown.err.contains("did you mean `shop/web`?"), "{}", unknown.err);
    for wrong in [&["suspend", "web"][..], &["suspend", "web", "--reason", "x", "--for", "soon"]] {
        assert_eq!(world.run(wrong).await.code, 2, "{wrong:?}");
    }
    assert!(posted.lock().unwrap().is_empty(), "nothing was asked for");
}

#[tokio::test]
async fn an_operator_takes_orders_and_writes_them_down() {
    let world = World::guarded("s3cret-token").await;
    world.statuses.publish(ready("shop/web"));
    let token = [("LONGSHORE_TOKEN", "s3cret-token")];
    let run =
        world.run_with(&["suspend", "web", "--reason", "freeze", "--for", "2h"], &token).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.out.starts_with("suspend of shop/web is recorded by ci, until 2"), "{}", run.out);
    let record = world.context.state.read(&key("shop/web")).await.unwrap();
    assert_eq!(record.orders.suspension.as_ref().unwrap().reason.as_deref(), Some("freeze"));
    let resumed = world.run_with(&["resume", "web", "--output", "json"], &token).await;
    assert_eq!((resumed.code, resumed.json()["actor"].clone()), (0, json!("ci")));
    assert!(world.context.state.read(&key("shop/web")).await.unwrap().orders.suspension.is_none());
    let twice = world.run_with(&["resume", "web"], &token).await;
    assert_eq!(twice.code, 1);
    assert!(twice.err.contains("nobody has suspended"), "{}", twice.err);

    let open = World::new().await;
    open.statuses.publish(ready("shop/web"));
    let forbidden = open.run(&["restart", "web"]).await;
    assert_eq!(forbidden.code, 1);
    assert!(forbidden.err.contains("http.auth"), "{}", forbidden.err);
}
