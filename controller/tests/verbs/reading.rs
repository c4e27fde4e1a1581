//! Verbs that only read.

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::world::{World, key, object, program, ready, run_with, source, spec};

async fn filled() -> World {
    let world = World::new().await;
    world.statuses.publish(ready("shop/web"));
    world.statuses.publish(object("shop/api", ("Stalled", "RolledBack"), 1));
    world.statuses.publish(ready("data/api"));
    world.statuses.publish(ready("eu:shop/search"));
    world.statuses.publish(ready("shop/search"));
    world.read_source("9f3c2ab41d7e5a60b8c1");
    world
}

#[tokio::test]
async fn get_lists_services_that_match() {
    let world = filled().await;
    let all = world.run(&["get", "services"]).await;
    assert_eq!(all.code, 0, "{all:?}");
    let lines: Vec<&str> = all.out.lines().collect();
    assert_eq!(lines.len(), 6, "{}", all.out);
    assert!(lines[0].starts_with("SERVICE") && lines[0].contains("HEALTH"), "{}", all.out);
    let api = lines.iter().find(|line| line.starts_with("shop/api ")).unwrap();
    for shown in ["Degraded", "OutOfSync", "1/2", "shop-web:7", "RolledBack"] {
        assert!(api.contains(shown), "{api}");
    }
    assert!(lines.iter().any(|line| line.starts_with("eu:shop/search ")), "{}", all.out);
    for (filters, expected) in [
        (&["--health", "Degraded"][..], vec!["shop/api"]),
        (&["--sync", "OutOfSync", "--cluster", "shop"], vec!["shop/api"]),
        (&["--cluster", "data"], vec!["data/api"]),
        (&["-q", "rolledback"], vec!["shop/api"]),
        (&["-q", "nothing"], vec![]),
    ] {
        let arguments = [&["get", "services", "--output", "json"][..], filters].concat();
        let found = world.run(&arguments).await.json();
        let items = found["items"].as_array().unwrap();
        let names: Vec<String> = items
            .iter()
            .map(|it| {
                format!(
                    "{}/{}",
                    it["key"]["cluster"].as_str().unwrap(),
                    it["key"]["name"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(names, expected, "{filters:?}");
        assert_eq!(found["metadata"]["total"], expected.len());
    }
    let wrong = world.run(&["get", "services", "--health", "Fine"]).await;
    assert_eq!((wrong.code, wrong.out.as_str()), (1, ""));
    assert!(
        wrong.err.contains("error: health `Fine` is unknown; use one of Healthy, Progressing"),
        "{}",
        wrong.err
    );
}

#[tokio::test]
async fn get_reads_every_page() {
    let world = World::new().await;
    for number in 0..1201 {
        world.statuses.publish(ready(&format!("big/service-{number:04}")));
    }
    let found = world.run(&["get", "services", "--output", "json"]).await.json();
    assert_eq!(found["metadata"]["total"], 1201);
    let last = world.run(&["status", "service-1200"]).await;
    assert_eq!(last.code, 0, "{last:?}");
}

#[tokio::test]
async fn get_lists_sources() {
    let world = filled().await;
    let text = world.run(&["get", "sources"]).await;
    let row = text.out.lines().nth(1).unwrap();
    assert!(row.starts_with("fleet   git   9f3c2ab41d7e  "), "{}", text.out);
    let json = world.run(&["get", "sources", "--output", "json"]).await.json();
    assert_eq!(json["items"][0]["name"], source().as_str());
    let filtered = world.run(&["get", "sources", "--cluster", "shop"]).await;
    assert_eq!(filtered.code, 1);
}

#[tokio::test]
async fn status_says_first_what_is_wrong() {
    let world = filled().await;
    let api = world.run(&["status", "shop/api"]).await;
    assert_eq!(api.code, 0, "{api:?}");
    let mut lines = api.out.lines();
    assert_eq!(lines.next(), Some("shop/api is Degraded, OutOfSync: RolledBack: 1 of 2 tasks run"));
    for shown in [
        "held: RolledBack: it is held",
        "app: host.example/web:1.2.3",
        "ROLLING COMPLETED, 1 of 2 running, 1 pending, started 2026-11-18T20:00:00Z",
        "web.yaml:1 in fleet",
        "Stalled          True RolledBack since 2026-11-18T20:00:00Z",
    ] {
        assert!(api.out.contains(shown), "{shown} is missing in\n{}", api.out);
    }
    let json = world.run(&["status", "web", "--output", "json"]).await.json();
    assert_eq!(json["key"], json!({"target": "default", "cluster": "shop", "name": "web"}));
}

#[tokio::test]
async fn a_name_means_one_service_or_the_candidates_are_told() {
    let world = filled().await;
    assert!(world.run(&["status", "web"]).await.out.starts_with("shop/web is"));
    assert!(world.run(&["status", "data/api"]).await.out.starts_with("data/api is"));
    assert!(world.run(&["status", "eu:search"]).await.out.starts_with("eu:shop/search is"));
    for (name, told) in [
        ("api", "`api` is the name of several services: say which of `data/api`, `shop/api`"),
        ("search", "say which of `shop/search`, `eu:shop/search`"),
        ("wbe", "there is no service `wbe`; did you mean `shop/web`?"),
        ("data/web", "there is no service `data/web`; did you mean `shop/web`?"),
        ("payments", "there is no service `payments`; `longshore get services` lists"),
    ] {
        let run = world.run(&["status", name]).await;
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{name}");
        assert!(run.err.contains(told), "{name}: {}", run.err);
    }
    assert_eq!(world.run(&["status", "a b"]).await.code, 2);
}

#[tokio::test]
async fn history_and_events_tell_what_was() {
    let world = filled().await;
    let none = world.run(&["history", "web"]).await;
    assert_eq!(none.out, "nothing of shop/web has been rolled out yet\n");
    let past = json!({"id": "4711", "taskDefinition": "shop-web:7", "taskDefinitionArn": "arn:x/shop-web:7",
        "commit": "9f3c2ab41d7e5a60", "source": "fleet", "startedAt": "2026-11-18T20:00:00Z", "outcome": "RolledBack",
        "reason": "the circuit breaker"});
    let past: crds::PastRelease = serde_json::from_value(past).unwrap();
    let web = key("shop/web");
    let kept = world.context.state.change(&web, |record| {
        record.past = vec![past.clone()];
        Ok::<(), ()>(())
    });
    kept.await.unwrap().unwrap();
    let history = world.run(&["history", "web"]).await;
    assert_eq!(
        history.out,
        "STARTED               RELEASE  REVISION    OUTCOME     COMMIT        SOURCE  REASON\n\
         2026-11-18T20:00:00Z  4711     shop-web:7  RolledBack  9f3c2ab41d7e  fleet   the circuit breaker\n"
    );
    let json = world.run(&["history", "web", "--output", "json"]).await.json();
    assert_eq!(json["metadata"]["total"], 1);

    world.statuses.publish(object("shop/web", ("Stalled", "RolledBack"), 1));
    let events = world.run(&["events", "shop/web"]).await;
    let last = events.out.lines().last().unwrap();
    assert!(
        last.contains("! shop/web") && last.contains("Health RolledBack: Healthy -> Degraded"),
        "{last}"
    );
    let all = world.run(&["events", "--limit", "1", "--output", "json"]).await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
    assert_eq!(world.run(&["events", "--limit", "0"]).await.code, 2);
}

#[tokio::test]
async fn events_follow_what_happens() {
    let world = filled().await;
    let variables = [("LONGSHORE_SERVER", world.url.as_str())];
    let mut child =
        program(&["events", "web", "--follow", "--output", "json"], &variables).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The list comes first; it is empty, so what is told can only come from the watch.
    let telling = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            world.statuses.publish(object("shop/web", ("Reconciling", "RolloutInProgress"), 2));
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            world.statuses.publish(ready("shop/web"));
        }
    };
    let line = tokio::select! {
        line = lines.next_line() => line.unwrap().unwrap(),
        () = telling => unreachable!(),
        () = tokio::time::sleep(std::time::Duration::from_secs(30)) => panic!("nothing is told"),
    };
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["key"]["name"], "web");
    child.kill().await.unwrap();
}

#[tokio::test]
async fn diff_prints_the_plan_and_exits_by_it() {
    let world = filled().await;
    let same = world.run(&["diff", "web"]).await;
    assert_eq!((same.code, same.err.as_str()), (0, ""), "{same:?}");
    assert_eq!(same.out, "0 to change, 0 held, 1 unchanged, 0 invalid, 0 unread\n");
    world.commit(&spec(2)).await;
    let text = world.run(&["diff", "web"]).await;
    assert_eq!(text.code, 2, "{text:?}");
    for shown in ["change   shop/web", "RegisterTaskDefinition", "CreateService (ServiceMissing)"] {
        assert!(text.out.contains(shown), "{shown} is missing in\n{}", text.out);
    }
    let json = world.run(&["diff", "web", "--output", "json"]).await;
    assert_eq!((json.code, json.json()["name"].clone()), (2, json!("web")));
    assert_eq!(json.json()["actions"][0]["action"], "RegisterTaskDefinition");
}

#[tokio::test]
async fn a_token_opens_and_is_never_printed() {
    let token = "s3cret-token-of-the-operator";
    let world = World::guarded(token).await;
    world.statuses.publish(ready("shop/web"));
    let without = world.run(&["status", "web"]).await;
    assert_eq!(without.code, 1);
    assert!(without.err.contains("wants a token: set LONGSHORE_TOKEN"), "{}", without.err);
    let wrong = world.run_with(&["status", "web"], &[("LONGSHORE_TOKEN", "guess")]).await;
    assert!(wrong.err.contains("does not take this token"), "{}", wrong.err);
    assert!(!wrong.err.contains("guess"), "{}", wrong.err);
    let variables = [("LONGSHORE_TOKEN", token)];
    let right = world.run_with(&["--log", "trace", "status", "web"], &variables).await;
    assert_eq!(right.code, 0, "{right:?}");
    assert!(!right.out.contains(token) && !right.err.contains(token), "{right:?}");
    let help = world.run_with(&["status", "--help"], &variables).await;
    assert!(!help.out.contains(token));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{token}\n")).unwrap();
    let path = file.path().to_str().unwrap();
    let by_file = world.run(&["status", "web", "--token-file", path]).await;
    assert_eq!(by_file.code, 0, "{by_file:?}");
    let missing = world.run(&["status", "web", "--token-file", "/none"]).await;
    assert!(missing.err.contains("cannot read /none"), "{}", missing.err);
}

#[tokio::test]
async fn a_server_that_is_none_is_told_apart() {
    let nobody = run_with(&["get", "services", "--server", "http://127.0.0.1:9"], &[]).await;
    assert_eq!(nobody.code, 1);
    assert!(
        nobody.err.contains("cannot reach the operator at http://127.0.0.1:9/: Connection refused"),
        "{}",
        nobody.err
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let page = axum::Router::new().fallback(|| async { axum::response::Html("<p>hello") });
    let server = tokio::spawn(async move { axum::serve(listener, page).await });
    let strange = run_with(&["get", "services", "--server", &url], &[]).await;
    assert_eq!(strange.code, 1);
    assert!(strange.err.contains("is it a Longshore operator"), "{}", strange.err);
    server.abort();
    // A proxy for everything must not stand between us and loopback.
    let world = filled().await;
    let proxy = [("HTTP_PROXY", "http://127.0.0.1:9"), ("http_proxy", "http://127.0.0.1:9")];
    assert_eq!(world.run_with(&["status", "web"], &proxy).await.code, 0);
}
