//! Watches, and the server on a socket.

use super::*;

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
async fn the_server_serves_sockets_and_stops_in_time() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let bound =
        bind(&crds::Http { listen: Some("127.0.0.1:0".into()), auth: None }, |_| unreachable!())
            .await
            .unwrap();
    let store = filled();
    let metrics = Metrics::new(
        store.clone(),
        crate::aws::Meter::default(),
        crate::queue::Queue::new(1),
        "1.2.3",
    );
    let (access, owner, webhooks) = (bound.access, "prod".into(), Webhooks::none());
    let state = State {
        store,
        metrics,
        orders: None,
        access,
        webhooks,
        reads: None,
        owner,
        version: "1.2.3",
    };
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
