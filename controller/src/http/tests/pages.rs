//! What people see.

use super::*;

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
async fn hostile_text_stays_text() {
    let server = Server::open(store());
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let mut hostile = object(key("default", "shop", "web"), "Degraded");
    hostile.metadata.labels.insert(evil.into(), evil.into());
    hostile.spec = Arc::new(SpecText::from(&json!({evil: evil})));
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
        "href=\"/api/v1/services/data/reports\"",
        "href=\"/api/v1/services/data/reports/diff\"",
        "datetime=\"2026-11-18T20:20:00Z\"",
    ] {
        assert!(page.contains(shown), "{shown} is missing in\n{page}");
    }
    assert_eq!(server.browse("/services/shop/api").await.status, StatusCode::CONFLICT);
    assert!(server.browse("/services/shop/api?target=eu").await.body.contains("target eu"));
}
