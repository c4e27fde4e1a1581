//! Calls as the hosts document them, and calls as nobody should send them.

use aws_lc_rs::hmac;
use crds::{GitRef, GitSource, SourceLocation};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};

mod hosts;

use super::*;
use crate::triggers::{Followed, Followers};

const SECRET: &str = "a secret of the webhook";
const NOW: i64 = 1_795_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn tag(secret: &[u8], signed: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes()).as_ref().to_vec()
}

fn hex_tag(signed: &str) -> String {
    format!("sha256={}", hex::encode(tag(SECRET.as_bytes(), signed)))
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// Webhooks of all providers for a source that follows a reference.
struct World {
    webhooks: Webhooks,
    bell: Arc<tokio::sync::Notify>,
    followers: Followers,
}

impl World {
    fn following(reference: GitRef) -> Self {
        let triggers = Triggers::default();
        let followers = triggers.followers.clone();
        let git = GitSource { reference: Some(reference), ..GitSource::default() };
        let bell = triggers.sources.open(&source(), &SourceLocation::Git(Box::new(git)));
        let configured: Vec<Webhook> = WebhookProvider::ALL
            .into_iter()
            .map(|provider| Webhook { source: source(), provider, secret: SecretFrom::default() })
            .collect();
        let webhooks = Webhooks::new(&configured, triggers, |_| Ok(format!("{SECRET}\n"))).unwrap();
        Self { webhooks, bell, followers }
    }

    fn of_main() -> Self {
        Self::following(GitRef { branch: Some("main".to_owned()), ..GitRef::default() })
    }

    /// What comes of a call; the source is woken exactly when it is said that it was.
    fn call(
        &self,
        provider: WebhookProvider,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Received, Refused> {
        let result = self
            .webhooks
            .admit(provider, "fleet")
            .and_then(|caller| caller.receive(headers, body, now()));
        let rang = self.bell.notified().now_or_never().is_some();
        assert_eq!(rang, result == Ok(Received::Woken), "{result:?}");
        result
    }

    fn github(&self, event: &str, body: &str) -> Result<Received, Refused> {
        let headers = headers(&[
            ("x-github-event", event),
            ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
            ("x-hub-signature-256", &hex_tag(body)),
            ("content-type", "application/json"),
        ]);
        self.call(WebhookProvider::Github, &headers, body.as_bytes())
    }
}

fn source() -> SourceName {
    "fleet".parse().unwrap()
}

fn pushed(reference: &str) -> String {
    json!({
        "ref": reference, "before": "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
        "after": "0000000000000000000000000000000000000000", "forced": false,
        "repository": {"full_name": "acme/fleet", "default_branch": "main"}, "commits": [],
    })
    .to_string()
}

#[tokio::test]
async fn a_push_to_github_wakes_a_source_that_follows_the_branch() {
    assert_eq!(World::of_main().github("push", &pushed("refs/heads/main")), Ok(Received::Woken));
    for other in ["refs/heads/mainline", "refs/heads/feature/main", "refs/tags/main", "main"] {
        assert_eq!(
            World::of_main().github("push", &pushed(other)),
            Ok(Received::NotConcerned),
            "{other}"
        );
    }
    let ping = json!({"zen": "Keep it logically awesome.", "hook_id": 1}).to_string();
    assert_eq!(World::of_main().github("ping", &ping), Ok(Received::NoChange));
    let created = json!({"ref": "main", "ref_type": "branch", "master_branch": "main"}).to_string();
    assert_eq!(World::of_main().github("create", &created), Ok(Received::Woken));
    assert_eq!(World::of_main().github("push", "no JSON at all"), Ok(Received::Woken), "who knows");
}

#[tokio::test]
async fn a_form_of_github_is_read_as_well() {
    let world = World::of_main();
    let form = format!(
        "payload={}",
        percent_encoding::utf8_percent_encode(
            &pushed("refs/heads/other"),
            percent_encoding::NON_ALPHANUMERIC,
        )
    );
    let headers = headers(&[
        ("x-github-event", "push"),
        ("x-hub-signature-256", &hex_tag(&form)),
        ("content-type", "application/x-www-form-urlencoded"),
    ]);
    let result = world.call(WebhookProvider::Github, &headers, form.as_bytes());
    assert_eq!(result, Ok(Received::NotConcerned));
}

#[tokio::test]
async fn each_kind_of_reference_has_its_own_changes() {
    let some = |text: &str| Some(text.to_owned());
    let head = GitRef::default();
    let tag = GitRef { tag: some("v1"), ..GitRef::default() };
    let range = GitRef { semver: some(">=1.0"), ..GitRef::default() };
    let commit = GitRef { commit: some(&"a".repeat(40)), ..GitRef::default() };
    for (reference, changed, is_woken) in [
        (&head, "refs/heads/main", true),
        (&head, "refs/heads/other", false),
        (&tag, "refs/tags/v1", true),
        (&tag, "refs/tags/v10", false),
        (&range, "refs/tags/v9.9.9", true),
        (&range, "refs/heads/main", false),
        (&commit, "refs/heads/anything", true),
    ] {
        let result = World::following(reference.clone()).github("push", &pushed(changed));
        let expected = if is_woken { Received::Woken } else { Received::NotConcerned };
        assert_eq!(result, Ok(expected), "{reference:?} {changed}");
    }
}

#[tokio::test]
async fn gitlab_sends_its_token_or_signs() {
    let push = json!({
        "object_kind": "push", "event_name": "push", "ref": "refs/heads/main", "checkout_sha": "da15",
        "project": {"path_with_namespace": "acme/fleet", "default_branch": "main"},
    })
    .to_string();
    let call = |world: &World, pairs: &[(&str, &str)], body: &str| {
        world.call(WebhookProvider::Gitlab, &headers(pairs), body.as_bytes())
    };
    let world = World::of_main();
    let event = ("x-gitlab-event", "Push Hook");
    let numbered = |number| [event, ("x-gitlab-token", SECRET), ("idempotency-key", number)];
    assert_eq!(call(&world, &numbered("1"), &push), Ok(Received::Woken));
    assert_eq!(call(&world, &numbered("1"), &push), Err(Refused::Replayed));
    assert_eq!(call(&world, &numbered("2"), &push), Ok(Received::Woken));
    let tag_push = json!({"object_kind": "tag_push", "ref": "refs/tags/v1"}).to_string();
    assert_eq!(call(&world, &numbered("3"), &tag_push), Ok(Received::NotConcerned));
    let issue = json!({"object_kind": "issue"}).to_string();
    assert_eq!(call(&world, &numbered("4"), &issue), Ok(Received::NoChange));
    for token in
        ["", "a secret of the webhoo", "a secret of the webhook!", "A secret of the webhook"]
    {
        let result = call(&world, &[event, ("x-gitlab-token", token)], &push);
        assert_eq!(result, Err(Refused::Unsigned), "{token}");
    }

    // Where GitLab gives no number, the same words are the same call; calls that follow from each other share the other one.
    let of_event = [event, ("x-gitlab-token", SECRET), ("x-gitlab-event-uuid", "e")];
    assert_eq!(call(&world, &of_event, &push), Ok(Received::Woken));
    assert_eq!(call(&world, &of_event, &push), Err(Refused::Replayed));
    assert_eq!(call(&world, &of_event, &tag_push), Ok(Received::NotConcerned));

    let time = NOW.to_string();
    let sign = |id: &str, time: &str, body: &str| {
        let tag = tag(SECRET.as_bytes(), &format!("{id}.{time}.{body}"));
        format!("v1,{}", aws_smithy_types::base64::encode(tag))
    };
    let signed = |id, time, signature| {
        [event, ("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", signature)]
    };
    let signature = sign("a", &time, &push);
    let several = format!("v1,AAAA v2,{} {signature}", "x".repeat(44));
    assert_eq!(call(&world, &signed("a", &time, &several), &push), Ok(Received::Woken));
    assert_eq!(call(&world, &signed("a", &time, &signature), &push), Err(Refused::Replayed));
    let late = (NOW - 301).to_string();
    let of_late = sign("b", &late, &push);
    assert_eq!(call(&world, &signed("b", &late, &of_late), &push), Err(Refused::Unsigned));
    let another = signed("c", &time, &signature);
    assert_eq!(call(&world, &another, &push), Err(Refused::Unsigned), "the number is signed");
    let with_token = [another.as_slice(), &[("x-gitlab-token", "wrong")]].concat();
    assert_eq!(call(&world, &with_token, &push), Err(Refused::Unsigned));
}

#[test]
fn a_signing_token_is_the_key_in_base64() {
    let key = b"0123456789abcdef0123456789abcdef";
    let secret = format!("whsec_{}", aws_smithy_types::base64::encode(key));
    let time = NOW.to_string();
    let tag = tag(key, &format!("id.{time}.body"));
    let headers = headers(&[
        ("webhook-id", "id"),
        ("webhook-timestamp", &time),
        ("webhook-signature", &format!("v1,{}", aws_smithy_types::base64::encode(tag))),
    ]);
    let call = signature::Call { headers: &headers, body: b"body", now: now() };
    assert!(call.verify(WebhookProvider::Gitlab, &secret).is_some());
    assert!(call.verify(WebhookProvider::Gitlab, "whsec_AAAA").is_none());
}

#[tokio::test]
async fn bitbucket_tells_of_branches_in_the_ways_of_cloud_and_data_center() {
    let cloud = |side: &str, kind: &str, name: &str| {
        let change =
            json!({"forced": false, side: {"type": kind, "name": name, "target": {"hash": "70"}}});
        ("repo:push", json!({"push": {"changes": [change]}}).to_string())
    };
    let center = |id: &str| {
        let change = json!({"ref": {"id": id, "displayId": "x", "type": "BRANCH"}, "refId": id, "type": "UPDATE"});
        (
            "repo:refs_changed",
            json!({"eventKey": "repo:refs_changed", "changes": [change]}).to_string(),
        )
    };
    for ((event, body), expected) in [
        (cloud("new", "branch", "main"), Received::Woken),
        (cloud("old", "branch", "main"), Received::Woken),
        (cloud("new", "tag", "main"), Received::NotConcerned),
        (cloud("new", "branch", "other"), Received::NotConcerned),
        (cloud("new", "bookmark", "main"), Received::Woken),
        (center("refs/heads/main"), Received::Woken),
        (center("refs/heads/other"), Received::NotConcerned),
        (("repo:push", "{}".to_owned()), Received::Woken),
        (("diagnostics:ping", "{\"test\": true}".to_owned()), Received::NoChange),
        (("pullrequest:created", "{}".to_owned()), Received::NoChange),
    ] {
        let headers = headers(&[
            ("x-event-key", event),
            ("x-hook-uuid", "e6b3"),
            ("x-request-uuid", "17f8"),
            ("x-hub-signature", &hex_tag(&body)),
        ]);
        let result = World::of_main().call(WebhookProvider::Bitbucket, &headers, body.as_bytes());
        assert_eq!(result, Ok(expected), "{event} {body}");
    }
}

/// What comes of a call about the tag `v2.1.0` or a branch of a repository, and whether it wakes the release that follows
/// `acme/shop`. The source follows the branch `main` of another one.
fn told_of_shop(provider: WebhookProvider, event: (&str, &str), body: &Value) -> (Received, bool) {
    let world = World::of_main();
    let followed =
        Followed { images: None, git: Some("https://git.acme.io/acme/shop.git".to_owned()) };
    world.followers.put([("shop".parse().unwrap(), followed)].into());
    let body = body.to_string();
    let time = NOW.to_string();
    let signature = hex_tag(&body);
    let timed = hex_tag(&format!("{time}.{body}"));
    let headers = headers(&[
        event,
        ("x-hub-signature-256", &signature),
        ("x-hub-signature", &signature),
        ("x-gitlab-token", SECRET),
        ("x-longshore-timestamp", &time),
        ("x-longshore-signature", &timed),
    ]);
    let caller = world.webhooks.admit(provider, "fleet").unwrap();
    let received = caller.receive(&headers, body.as_bytes(), now()).unwrap();
    (received, world.followers.woken().now_or_never().is_some())
}

#[tokio::test]
async fn a_tag_of_an_application_wakes_the_releases_that_follow_it() {
    use WebhookProvider::{Bitbucket, Generic, Github, Gitlab};
    let (tag, branch) = ("refs/tags/v2.1.0", "refs/heads/topic");
    let github = |reference: &str, name: &str| {
        let body = json!({ "ref": reference, "repository": { "full_name": name } });
        (Github, ("x-github-event", "push"), body)
    };
    let gitlab = |kind: &str, reference: &str| {
        let project = json!({ "path_with_namespace": "acme/shop" });
        let body = json!({ "object_kind": kind, "ref": reference, "project": project });
        (Gitlab, ("x-gitlab-event", "Hook"), body)
    };
    let cloud = |kind: &str| {
        let changes = json!([{ "new": { "type": kind, "name": "v2.1.0" }, "old": null }]);
        let body =
            json!({ "push": { "changes": changes }, "repository": { "full_name": "acme/shop" } });
        (Bitbucket, ("x-event-key", "repo:push"), body)
    };
    let center = |reference: &str| {
        let repository = json!({ "slug": "shop", "project": { "key": "ACME" } });
        let body = json!({ "changes": [{ "ref": { "id": reference } }], "repository": repository });
        (Bitbucket, ("x-event-key", "repo:refs_changed"), body)
    };
    let generic = |body: Value| (Generic, ("x-event", ""), body);
    let created = json!({
        "ref": "v2.1.0", "ref_type": "tag", "repository": { "full_name": "acme/shop" },
    });
    let (woken, other) = ((Received::Woken, true), (Received::NotConcerned, false));
    for ((provider, event, body), expected) in [
        (github(tag, "acme/shop"), woken),
        (github(tag, "Acme/Shop"), woken),
        ((Github, ("x-github-event", "create"), created), woken),
        (github(branch, "acme/shop"), other),
        (github(tag, "acme/other"), other),
        (gitlab("tag_push", tag), woken),
        (gitlab("push", branch), other),
        (cloud("tag"), woken),
        (cloud("branch"), other),
        (center(tag), woken),
        (center(branch), other),
        (generic(json!({ "ref": tag, "repository": "https://git.acme.io/acme/shop.git" })), woken),
        (generic(json!({ "ref": branch, "repository": "acme/shop" })), other),
        (generic(json!({ "ref": tag })), other),
        (generic(json!({ "ref": tag, "repository": ["acme/shop"] })), other),
        // Of a call that names no reference nobody knows what it changed.
        (generic(json!({ "repository": "acme/shop" })), woken),
        (generic(json!({})), (Received::Woken, false)),
    ] {
        assert_eq!(told_of_shop(provider, event, &body), expected, "{provider:?} {body}");
    }
    let ping = json!({ "zen": "x", "repository": { "full_name": "acme/shop" } });
    let told = told_of_shop(Github, ("x-github-event", "ping"), &ping);
    assert_eq!(told, (Received::NoChange, false));
}

#[tokio::test]
async fn any_program_signs_time_and_body() {
    let world = World::of_main();
    let call = |time: i64, body: &str, of: &str| {
        let time = time.to_string();
        let signature = hex_tag(&format!("{time}.{of}"));
        let headers =
            headers(&[("x-longshore-timestamp", &time), ("x-longshore-signature", &signature)]);
        world.call(WebhookProvider::Generic, &headers, body.as_bytes())
    };
    assert_eq!(call(NOW, "", ""), Ok(Received::Woken));
    assert_eq!(call(NOW, "", ""), Err(Refused::Replayed));
    assert_eq!(call(NOW - 299, "", ""), Ok(Received::Woken));
    assert_eq!(call(NOW - 301, "", ""), Err(Refused::Unsigned));
    assert_eq!(call(NOW + 301, "", ""), Err(Refused::Unsigned));
    assert_eq!(call(NOW + 5, "a", "b"), Err(Refused::Unsigned), "another body");
    let other = r#"{"ref": "refs/heads/other"}"#;
    assert_eq!(call(NOW, other, other), Ok(Received::NotConcerned));
    let unsigned = headers(&[("x-longshore-timestamp", "1795000000")]);
    let result = world.call(WebhookProvider::Generic, &unsigned, b"");
    assert_eq!(result, Err(Refused::Unsigned));
}

#[tokio::test]
async fn what_was_received_is_refused_the_second_time() {
    let world = World::of_main();
    let body = pushed("refs/heads/main");
    assert_eq!(world.github("push", &body), Ok(Received::Woken));
    assert_eq!(world.github("push", &body), Err(Refused::Replayed));
    // The number of the delivery is not signed: another one makes an old call no new one.
    let renumbered = headers(&[
        ("x-github-event", "push"),
        ("x-github-delivery", "another"),
        ("x-hub-signature-256", &hex_tag(&body)),
    ]);
    let result = world.call(WebhookProvider::Github, &renumbered, body.as_bytes());
    assert_eq!(result, Err(Refused::Replayed));
    // An hour later the same words may be told of another push, and the number says whether they are.
    let later = |headers: &HeaderMap| {
        let caller = world.webhooks.admit(WebhookProvider::Github, "fleet").unwrap();
        caller.receive(headers, body.as_bytes(), now() + replay::BODY_TIME)
    };
    let again = headers(&[
        ("x-github-event", "push"),
        ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("x-hub-signature-256", &hex_tag(&body)),
    ]);
    assert_eq!(later(&again), Err(Refused::Replayed));
    assert_eq!(later(&renumbered), Ok(Received::Woken));
}

#[tokio::test]
async fn both_kinds_of_bitbucket_number_their_calls() {
    let changed = |name: &str| json!({"changes": [{"ref": {"id": name}}]}).to_string();
    for number in ["x-request-uuid", "x-request-id"] {
        let world = World::of_main();
        let call = |body: &str| {
            let headers = headers(&[
                ("x-event-key", "repo:refs_changed"),
                (number, "5d1f"),
                ("x-hub-signature", &hex_tag(body)),
            ]);
            world.call(WebhookProvider::Bitbucket, &headers, body.as_bytes())
        };
        assert_eq!(call(&changed("refs/heads/main")), Ok(Received::Woken));
        assert_eq!(call(&changed("refs/heads/other")), Err(Refused::Replayed), "{number}");
    }
}

#[tokio::test]
async fn what_is_not_signed_with_the_secret_is_refused() {
    let world = World::of_main();
    let body = pushed("refs/heads/main");
    let right = hex_tag(&body);
    let sha1 = format!("sha1={}", "a".repeat(40));
    let of_another = format!("sha256={}", hex::encode(tag(b"another", &body)));
    for signature in
        ["", "sha256=", "sha256=zz", &sha1, &of_another, &right[..right.len() - 2], &right[7..]]
    {
        let headers = headers(&[("x-github-event", "push"), ("x-hub-signature-256", signature)]);
        let result = world.call(WebhookProvider::Github, &headers, body.as_bytes());
        assert_eq!(result, Err(Refused::Unsigned), "{signature}");
    }
    let twice = headers(&[("x-hub-signature-256", &of_another), ("x-hub-signature-256", &right)]);
    let result = world.call(WebhookProvider::Github, &twice, body.as_bytes());
    assert_eq!(result, Err(Refused::Unsigned), "one signature too many");
    let right = headers(&[("x-hub-signature-256", &right)]);
    assert_eq!(
        world.call(WebhookProvider::Bitbucket, &right, body.as_bytes()),
        Err(Refused::Unsigned)
    );
    assert_eq!(world.call(WebhookProvider::Github, &right, body.as_bytes()), Ok(Received::Woken));
}

#[tokio::test(start_paused = true)]
async fn calls_are_limited_and_the_limit_passes() {
    let world = World::of_main();
    let refused = |world: &World| world.call(WebhookProvider::Github, &HeaderMap::new(), b"");
    for _ in 0..60 {
        assert_eq!(refused(&world), Err(Refused::Unsigned));
    }
    assert_eq!(refused(&world), Err(Refused::TooMany));
    let generic = world.call(WebhookProvider::Generic, &HeaderMap::new(), b"");
    assert_eq!(generic, Err(Refused::Unsigned), "each webhook has its own limit");
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert_eq!(world.github("push", &pushed("refs/heads/main")), Ok(Received::Woken));
    let places: Vec<_> = (0..AT_ONCE)
        .map(|_| world.webhooks.admit(WebhookProvider::Generic, "fleet").unwrap())
        .collect();
    assert_eq!(refused(&world), Err(Refused::TooMany), "eight bodies are being read");
    drop(places);
    assert_eq!(refused(&world), Err(Refused::Unsigned));
}

#[tokio::test]
async fn there_are_the_webhooks_of_the_configuration_and_no_others() {
    let world = World::of_main();
    for source in ["other", "", "../fleet", "fleet/", "FLEET"] {
        let admitted = world.webhooks.admit(WebhookProvider::Github, source).map(|_| ());
        assert_eq!(admitted, Err(Refused::Unknown), "{source}");
    }
    let hook = |provider| Webhook { source: source(), provider, secret: SecretFrom::default() };
    let (github, gitlab) = (hook(WebhookProvider::Github), hook(WebhookProvider::Gitlab));
    assert_eq!(check(&[github.clone(), gitlab], |_| true), Ok(()));
    assert!(check(&[github.clone(), github.clone()], |_| true).unwrap_err().contains("twice"));
    assert!(
        check(std::slice::from_ref(&github), |_| false).unwrap_err().contains("no source `fleet`")
    );
    for secret in ["", " \n"] {
        let error = Webhooks::new(std::slice::from_ref(&github), Triggers::default(), move |_| {
            Ok(secret.to_owned())
        });
        assert!(error.unwrap_err().contains("empty"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_secret_takes_over_without_a_restart() {
    let current = Arc::new(Mutex::new(Ok("first".to_owned())));
    let read = Arc::clone(&current);
    let hook = Webhook {
        source: source(),
        provider: WebhookProvider::Gitlab,
        secret: SecretFrom::default(),
    };
    let webhooks =
        Webhooks::new(&[hook], Triggers::default(), move |_| read.lock().unwrap().clone()).unwrap();
    let numbers = std::cell::Cell::new(0);
    let admits = |token: &str| {
        numbers.set(numbers.get() + 1);
        let number = numbers.get().to_string();
        let headers = headers(&[("x-gitlab-token", token), ("idempotency-key", &number)]);
        let caller = webhooks.admit(WebhookProvider::Gitlab, "fleet").unwrap();
        caller.receive(&headers, b"{}", now()).is_ok()
    };
    assert!(admits("first"));
    *current.lock().unwrap() = Err("gone".to_owned());
    tokio::time::advance(std::time::Duration::from_secs(20)).await;
    assert!(admits("first"), "a secret that cannot be read changes nothing");
    *current.lock().unwrap() = Ok("second".to_owned());
    tokio::time::advance(std::time::Duration::from_secs(20)).await;
    assert!(admits("second"));
    assert!(!admits("first"));
}

fn any_header() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,80}",
        "sha256=[0-9a-f]{0,70}",
        "v1,[A-Za-z0-9+/=]{0,50}( v1,[A-Za-z0-9+/=]{0,50})?",
        "-?[0-9]{1,25}",
        Just("push".to_owned()),
        Just("repo:push".to_owned()),
    ]
}

proptest! {
    #[test]
    fn no_call_makes_the_judge_fail_and_none_is_let_in(
        values in prop::collection::vec(any_header(), 12),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let names = [
            "x-hub-signature-256", "x-hub-signature", "x-github-event", "x-github-delivery", "x-event-key",
            "x-gitlab-token", "webhook-id", "webhook-timestamp", "webhook-signature", "x-longshore-timestamp",
            "x-longshore-signature", "content-type",
        ];
        let pairs: Vec<(&str, &str)> =
            names.into_iter().zip(values.iter().map(String::as_str)).collect();
        let headers = headers(&pairs);
        let call = signature::Call { headers: &headers, body: &body, now: now() };
        for provider in WebhookProvider::ALL {
            prop_assert!(call.verify(provider, SECRET).is_none());
        }
    }

    #[test]
    fn no_body_makes_the_reader_fail(
        text in prop_oneof![
            ".*",
            "payload=[%0-9A-Za-z+&=]{0,80}",
            Just(r#"{"push": {"changes": [null, 7, {"new": {"type": "branch"}}]}}"#.to_owned()),
            Just(r#"{"ref": {"a": 1}, "object_kind": [], "changes": {"x": 1}}"#.to_owned()),
        ],
        event in prop::sample::select(vec!["push", "create", "repo:push", "repo:refs_changed", ""]),
        form in any::<bool>(),
    ) {
        let kind = if form { "application/x-www-form-urlencoded" } else { "application/json" };
        let headers =
            headers(&[("content-type", kind), ("x-github-event", event), ("x-event-key", event)]);
        for provider in WebhookProvider::ALL {
            let body = push::body(&headers, text.as_bytes());
            let push = push::Push::read(provider, &headers, &body);
            let _ = (push.concerns(&GitRef::default()), push.may_be_of_tags());
            let _ = repository::named(provider, &body);
        }
    }
}
