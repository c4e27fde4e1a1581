//! Webhooks over HTTP: the statuses, the limits, and that nothing else is needed or happens.

use aws_lc_rs::hmac;
use crds::{SecretFrom, SourceLocation, Webhook, WebhookProvider};
use futures_util::FutureExt as _;

use super::*;
use crate::triggers::Triggers;

fn signed(body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"s3cret-of-the-hook");
    format!("sha256={}", hex::encode(hmac::sign(&key, body.as_bytes())))
}

/// A server that needs a token, with a webhook of GitHub for the source `fleet`.
fn server() -> (Server, Arc<tokio::sync::Notify>) {
    let (triggers, source) = (Triggers::default(), "fleet".parse().unwrap());
    let location = SourceLocation::Directory(crds::DirectorySource { path: "x".into() });
    let bell = triggers.sources.open(&source, &location);
    let webhook =
        Webhook { source, provider: WebhookProvider::Github, secret: SecretFrom::default() };
    let read = |_: &SecretFrom| Ok("s3cret-of-the-hook".to_owned());
    let webhooks = Webhooks::new(&[webhook], triggers, read).unwrap();
    (Server::build(filled(), access(), None, webhooks), bell)
}

#[tokio::test]
async fn a_call_needs_its_signature_and_no_token() {
    let (server, bell) = server();
    let (path, body) = ("/webhooks/github/fleet", r#"{"ref": "refs/heads/main"}"#);
    let right = signed(body);
    let push = |signature| [("x-github-event", "push"), ("x-hub-signature-256", signature)];
    let answer = server.send("POST", path, &push("sha256=00"), body).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(bell.notified().now_or_never().is_none(), "nothing else happens");
    let answer = server.send("POST", path, &push(&right), body).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::ACCEPTED, json!({"result": "woken"})));
    assert!(bell.notified().now_or_never().is_some());
    let answer = server.send("POST", path, &push(&right), body).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(bell.notified().now_or_never().is_none());

    let holder = ("authorization", "Bearer s3cret-token");
    assert_eq!(server.send("POST", path, &[holder], body).await.status, StatusCode::UNAUTHORIZED);
    let metrics = server.send("GET", "/metrics", &[holder], "").await.body;
    for (code, count) in [(202, 1), (401, 2), (409, 1)] {
        let line =
            format!("longshore_webhooks_total{{provider=\"github\",code=\"{code}\"}} {count}");
        assert!(metrics.contains(&line), "{line} is missing in\n{metrics}");
    }
}

#[tokio::test]
async fn what_there_is_not_and_what_is_too_large_is_refused() {
    let (server, bell) = server();
    for path in [
        "/webhooks/gitlab/fleet",
        "/webhooks/github/other",
        "/webhooks/svn/fleet",
        "/webhooks/github/%2e%2e",
        "/webhooks/github/%ff",
    ] {
        let answer = server.send("POST", path, &[], "{}").await;
        assert_eq!(
            (answer.status, answer.json()["status"].clone()),
            (StatusCode::NOT_FOUND, json!(404)),
            "{path}"
        );
    }
    assert_eq!(server.get("/webhooks/github/fleet").await.status, StatusCode::METHOD_NOT_ALLOWED);
    let largest = "x".repeat(crate::webhooks::BODY_MAX);
    let signature = signed(&largest);
    let header = [("x-github-event", "ping"), ("x-hub-signature-256", signature.as_str())];
    let answer = server.send("POST", "/webhooks/github/fleet", &header, &largest).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let too_large = format!("{largest}x");
    let answer = server.send("POST", "/webhooks/github/fleet", &header, &too_large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(bell.notified().now_or_never().is_none());
    // Orders keep their own, smaller limit.
    let order = server.send("POST", "/api/v1/services/shop/web/hold", &[], &largest).await;
    assert_ne!(order.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn too_many_calls_are_told_to_come_later() {
    let (server, _bell) = server();
    for _ in 0..60 {
        server.send("POST", "/webhooks/github/fleet", &[], "").await;
    }
    let answer = server.send("POST", "/webhooks/github/fleet", &[], "").await;
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, "10")
    );
}
