//! Orders: who may give them, and what may stand in them.

use super::*;

const TOKEN: (&str, &str) = ("authorization", "Bearer s3cret-token");
const JSON: (&str, &str) = ("content-type", "application/json");

async fn post(server: &Server, verb: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    server.send("POST", &format!("/api/v1/services/shop/web/{verb}"), headers, body).await
}

#[tokio::test]
async fn only_a_token_in_the_header_gives_orders() {
    let open = Server::open(filled());
    let answer = post(&open, "restart", &[], "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "loopback alone is not enough");
    let server = Server::guarded();
    for headers in [&[][..], &[("authorization", "Bearer wrong")]] {
        let answer = post(&server, "restart", headers, "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{headers:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json; charset=utf-8");
    }
    let answer = post(&server, "restart", &[("authorization", "Bearer read-token")], "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.body.contains("the token `wall` may only read"), "{}", answer.body);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let signed_in = server.send("POST", "/login", &form, "token=s3cret-token").await;
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("longshore_session="), "{cookie}");
    let answer = post(&server, "restart", &[("cookie", &cookie)], "").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "a session gives no orders");
}

#[tokio::test]
async fn a_token_that_only_reads_reads() {
    let server = Server::guarded();
    let reads = [("authorization", "Bearer read-token")];
    let answer = server.send("GET", "/api/v1/services", &reads, "").await;
    assert_eq!(answer.status, StatusCode::OK);
}

mod with_an_operator {
    use super::*;
    use crate::aws::{Aws, ConnectOptions};
    use crate::inventory::Inventory;
    use crate::queue::Queue;
    use crate::reconcile::Context;
    use crate::state::StateStore;
    use sandbox::{Fixtures, Sandbox, SandboxTime};

    /// A server whose operator has no workers: orders are taken and written down.
    async fn server() -> (Server, StateStore) {
        let store = filled();
        let sandbox = Sandbox::new(Fixtures::default());
        let time = SandboxTime::new(Timestamp::from_second(START).unwrap(), 1.0);
        let options = ConnectOptions::in_process(sandbox.http_client(time));
        let state = StateStore::in_memory();
        let owner: crds::OwnerName = "prod".parse().unwrap();
        let inventory =
            Inventory::new(owner.clone(), indexmap::IndexMap::new(), std::iter::empty());
        let context = Context {
            owner,
            aws: Aws::connect(&[], options).await.unwrap(),
            inventory: Arc::new(std::sync::Mutex::new(inventory)),
            statuses: store.clone(),
            state: state.clone(),
            clock: crate::clock::Clock::virtual_from(Timestamp::from_second(START).unwrap()),
            expectations: Arc::default(),
            refusals: Arc::default(),
            admission: crate::admission::Admission::default(),
            outside: crate::references::Outside::default(),
            places: crate::places::Places::default(),
            checks: crate::checks::Checks::default(),
        };
        let queue = Queue::new(1);
        let shutdown = CancellationToken::new();
        let served = State {
            store: store.clone(),
            orders: Some(Intake::new(context, queue.clone())),
            metrics: Metrics::new(store.clone(), crate::aws::Meter::default(), queue, "1.2.3"),
            access: access(),
            reads: None,
            owner: "prod".into(),
            version: "1.2.3",
        };
        (Server { router: router(served, shutdown.clone()), store, shutdown }, state)
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_is_answered_as_it_was_recorded() {
        let (server, state) = server().await;
        let body = r#"{"reason": "freeze", "expiresIn": "2h"}"#;
        let answer = post(&server, "suspend", &[TOKEN, JSON], body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        let order = answer.json();
        assert_eq!(order["key"], json!({"target": "default", "cluster": "shop", "name": "web"}));
        assert_eq!(
            (&order["id"], &order["verb"], &order["actor"], &order["reason"]),
            (&json!(1), &json!("suspend"), &json!("ci"), &json!("freeze"))
        );
        let time: Timestamp = order["time"].as_str().unwrap().parse().unwrap();
        let expires: Timestamp = order["expiresAt"].as_str().unwrap().parse().unwrap();
        assert_eq!(expires.duration_since(time).as_hours(), 2);
        let record = state.read(&key("default", "shop", "web")).await.unwrap();
        assert_eq!(record.orders.suspension.as_ref().unwrap().actor, "ci");
        let events = server.send("GET", "/api/v1/events", &[TOKEN], "").await;
        assert!(events.body.contains("suspend by ci until"), "{}", events.body);
        assert!(!events.body.contains("s3cret-token"));
        let document = server.send("GET", "/openapi.json", &[TOKEN], "").await.json();
        let schema = json!({"$ref": "#/components/schemas/Order"});
        super::super::api::assert_fits(&document, &schema, &order, "suspend");
    }

    #[tokio::test(start_paused = true)]
    async fn what_makes_no_sense_is_refused_and_says_why() {
        let (server, state) = server().await;
        let cases = [
            ("suspend", "", StatusCode::UNPROCESSABLE_ENTITY, "needs a `reason`"),
            ("suspend", "{", StatusCode::UNPROCESSABLE_ENTITY, "cannot be read"),
            ("hold", r#"{"why": "x"}"#, StatusCode::UNPROCESSABLE_ENTITY, "unknown field `why`"),
            ("hold", r#"{"to": "x"}"#, StatusCode::UNPROCESSABLE_ENTITY, "takes no `to`"),
            ("hold", r#"{"reason": " "}"#, StatusCode::UNPROCESSABLE_ENTITY, "`reason` is empty"),
            ("approve", r#"{"expiresIn": "5"}"#, StatusCode::UNPROCESSABLE_ENTITY, "a unit"),
            ("sync", r#"{"specHash": "x"}"#, StatusCode::UNPROCESSABLE_ENTITY, "hexadecimal"),
            ("resume", "", StatusCode::CONFLICT, "nobody has suspended"),
            ("release", "", StatusCode::CONFLICT, "nothing holds"),
            ("promote", "", StatusCode::CONFLICT, "no rollout waits"),
            ("approve", "", StatusCode::CONFLICT, "no usable spec"),
            ("sync", r#"{"prune": true}"#, StatusCode::CONFLICT, "prune brake does not"),
        ];
        for (verb, body, status, told) in cases {
            let answer = post(&server, verb, &[TOKEN, JSON], body).await;
            assert_eq!(answer.status, status, "{verb} {body}: {}", answer.body);
            assert!(answer.json()["detail"].as_str().unwrap().contains(told), "{}", answer.body);
        }
        let answer = post(&server, "hold", &[TOKEN], r#"{"reason": "x"}"#).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        for (path, status) in [
            ("/api/v1/services/shop/none/hold", StatusCode::NOT_FOUND),
            ("/api/v1/services/shop/api/hold", StatusCode::CONFLICT),
            ("/api/v1/services/shop/web/explode", StatusCode::NOT_FOUND),
        ] {
            assert_eq!(server.send("POST", path, &[TOKEN], "").await.status, status, "{path}");
        }
        let target = "/api/v1/services/shop/api/hold?target=eu";
        assert_eq!(server.send("POST", target, &[TOKEN], "").await.status, StatusCode::ACCEPTED);
        let record = state.read(&key("default", "shop", "web")).await.unwrap();
        assert!(record.is_empty() && record.taken == 0, "a refused order left a trace");
    }
}
