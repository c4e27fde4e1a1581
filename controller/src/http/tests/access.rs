//! Who may read.

use super::*;

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
