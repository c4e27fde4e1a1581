//! What is pushed or changed outside wakes what takes its value from there, and nothing else. Polling alone finds the same.

use std::collections::BTreeSet;
use std::time::Duration;

use controller::webhooks::{Received, Webhooks};
use crds::{SecretFrom, Webhook, WebhookProvider};
use longshore_tests::specs::{image, release, service, with};
use longshore_tests::{Fleet, FleetOptions};
use serde_json::{Value, json};

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/events";
const FIXTURES: &str = "
clusters: [{name: shop}]
latency: 8ms
queues: [{name: events, duplicates: true}]
events: {queue: events}
buckets: [{name: terraform}]
parameters: [{name: /shop/greeting, value: hello}, {name: /shop/unused, value: x}]
repositories:
  - {name: shop/web, images: [{tags: [v1.0.0]}]}
  - {name: shop/api, images: [{tags: [v1]}]}
";
const SERVICES: [&str; 4] = ["web", "api", "net", "plain"];
/// So rarely that nothing is found by itself within a story.
const RARELY: Duration = Duration::from_hours(12);
const SOON: Duration = Duration::from_secs(3);

fn options() -> FleetOptions {
    let (fixtures, events) = (FIXTURES.to_owned(), Some(URL.to_owned()));
    FleetOptions { fixtures, events, interval: RARELY, ..FleetOptions::default() }
}

/// A release of `shop/web` that is looked at so often.
fn shop(interval: &str) -> Value {
    with(release("shop", ">=1.0.0 <2.0.0"), "/spec/interval", json!(interval))
}

fn greeting(name: &str, text: &str) -> Value {
    let pointer = "/spec/taskDefinition/containerDefinitions/0/environment/0/value";
    with(service(name, &image("api", "v1")), pointer, json!(text))
}

fn state(serial: u32, url: &str) -> Value {
    json!({
        "version": 4, "terraform_version": "1.9.5", "serial": serial, "lineage": "1", "resources": [],
        "outputs": { "url": { "value": url, "type": "string" } },
    })
}

/// `web` follows the release, `api` a parameter, `net` a Terraform state, and `plain` nothing. All of it runs and is quiet.
async fn settled(options: FleetOptions, release: Value) -> Fleet {
    let mut fleet = Fleet::with(options).await;
    fleet.apply_terraform(&state(1, "https://one"));
    let web = service("web", "${release:shop}");
    let api = greeting("api", "${ssm:/shop/greeting}");
    let net = greeting("net", "${tfstate:output.url}");
    fleet.commit(&[release, web, api, net, greeting("plain", "hello")]).await;
    for name in SERVICES {
        fleet.until_ready(name).await;
    }
    fleet.pass(Duration::from_mins(10)).await;
    fleet
}

fn put_parameter(fleet: &Fleet, name: &str, value: &str) {
    let body = json!({ "Name": name, "Value": value, "Type": "String", "Overwrite": true });
    fleet.console_of("ssm", "PutParameter", body);
}

fn said(fleet: &Fleet, name: &str) -> Value {
    fleet.definition(name)["containerDefinitions"][0]["environment"][0]["value"].clone()
}

/// The services that ECS was asked about since `mark`.
fn looked_at(fleet: &Fleet, mark: usize) -> BTreeSet<String> {
    let calls = fleet.sandbox.calls_since(mark);
    let named = calls.iter().filter(|call| call.operation == "DescribeServices");
    let asked = named.flat_map(|call| call.request["services"].as_array().cloned().unwrap());
    asked.map(|name| name.as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
}

/// Waits for the end of what was begun, and says which services were looked at since `mark`.
async fn looked_at_until_ready(fleet: &Fleet, mark: usize, name: &str) -> Vec<String> {
    fleet.until_ready(name).await;
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.rollouts(name).len(), 2, "{name} was rolled out once more");
    looked_at(fleet, mark).into_iter().collect()
}

#[tokio::test(start_paused = true)]
async fn a_pushed_image_wakes_its_release_and_the_services_of_that() {
    let fleet = settled(options(), shop("12h")).await;
    let mark = fleet.sandbox.call_count();
    fleet.push("v1.1.0");
    let pinned = fleet.pinned("v1.1.0");
    let took = fleet.takes("sent", |fleet| fleet.image("web") == pinned).await;
    assert!(took <= SOON, "{took:?}");
    assert_eq!(looked_at_until_ready(&fleet, mark, "web").await, ["web"]);
}

#[tokio::test(start_paused = true)]
async fn a_changed_parameter_wakes_the_service_that_refers_to_it() {
    let fleet = settled(options(), shop("12h")).await;
    let mark = fleet.sandbox.call_count();
    put_parameter(&fleet, "/shop/unused", "y");
    fleet.pass(Duration::from_mins(5)).await;
    let read = |fleet: &Fleet| fleet.sandbox.calls_since(mark).iter().any(|call| call.api == "ssm");
    assert!(!read(&fleet), "no spec refers to it");
    put_parameter(&fleet, "/shop/greeting", "good evening");
    let took = fleet.takes("sent", |fleet| said(fleet, "api") == json!("good evening")).await;
    assert!(took <= SOON, "{took:?}");
    assert_eq!(looked_at_until_ready(&fleet, mark, "api").await, ["api"]);
}

#[tokio::test(start_paused = true)]
async fn a_written_terraform_state_wakes_the_service_that_refers_to_it() {
    let fleet = settled(options(), shop("12h")).await;
    let mark = fleet.sandbox.call_count();
    fleet.apply_terraform(&state(2, "https://two"));
    let took = fleet.takes("sent", |fleet| said(fleet, "net") == json!("https://two")).await;
    assert!(took <= SOON, "{took:?}");
    assert_eq!(looked_at_until_ready(&fleet, mark, "net").await, ["net"]);
}

/// A webhook of GitLab for the fleet's source.
fn webhook(fleet: &Fleet) -> Webhooks {
    let (source, provider) = ("fleet".parse().unwrap(), WebhookProvider::Gitlab);
    let webhook = Webhook { source, provider, secret: SecretFrom::default() };
    let read = |_: &SecretFrom| Ok("the token of the webhook".to_owned());
    Webhooks::new(&[webhook], fleet.triggers().clone(), read).unwrap()
}

/// GitLab tells of a reference that was pushed to `acme/shop`.
fn tell_pushed(fleet: &Fleet, webhooks: &Webhooks, (kind, reference): (&str, &str)) -> Received {
    let mut headers = http::HeaderMap::new();
    headers.insert("x-gitlab-token", "the token of the webhook".parse().unwrap());
    headers.insert("idempotency-key", fleet.now().to_string().parse().unwrap());
    let project = json!({ "path_with_namespace": "acme/shop", "default_branch": "main" });
    let body = json!({ "object_kind": kind, "ref": reference, "project": project }).to_string();
    let caller = webhooks.admit(WebhookProvider::Gitlab, "fleet").unwrap();
    caller.receive(&headers, body.as_bytes(), fleet.now()).unwrap()
}

/// The same release, of the tags of `acme/shop`.
fn tagged(interval: &str) -> Value {
    let git = json!({ "url": "https://gitlab.com/acme/shop.git", "wait": "30m" });
    with(shop(interval), "/spec/git", git)
}

/// A world that hears nothing of AWS, with an image whose version has no Git tag yet.
async fn untagged() -> Fleet {
    let options = FleetOptions { events: None, ..options() };
    let mut fleet = Fleet::with(options).await;
    fleet.tag_git("v1.0.0", 'a');
    let web = service("web", "${release:shop}");
    fleet.commit(&[tagged("12h"), web, greeting("plain", "hello")]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("plain").await;
    fleet.push("v1.1.0");
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.image("web"), fleet.pinned("v1.0.0"));
    fleet
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_a_webhook_tells_of_is_rolled_out_within_two_seconds() {
    let fleet = untagged().await;
    let webhooks = webhook(&fleet);
    let mark = fleet.sandbox.call_count();
    tell_pushed(&fleet, &webhooks, ("push", "refs/heads/main"));
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.sandbox.calls_since(mark).len(), 0, "a branch is no version");
    fleet.tag_git("v1.1.0", 'b');
    let told = tell_pushed(&fleet, &webhooks, ("tag_push", "refs/tags/v1.1.0"));
    assert_eq!(told, Received::Woken);
    let pinned = fleet.pinned("v1.1.0");
    let took = fleet.takes("sent", |fleet| fleet.image("web") == pinned).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(looked_at_until_ready(&fleet, mark, "web").await, ["web"]);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_is_told_of_before_it_is_listed_is_found_a_moment_later() {
    let fleet = untagged().await;
    let webhooks = webhook(&fleet);
    tell_pushed(&fleet, &webhooks, ("tag_push", "refs/tags/v1.1.0"));
    fleet.pass(Duration::from_secs(2)).await;
    fleet.tag_git("v1.1.0", 'b');
    let pinned = fleet.pinned("v1.1.0");
    let took = fleet.takes("sent", |fleet| fleet.image("web") == pinned).await;
    assert!(took < Duration::from_secs(6), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn many_webhooks_are_a_few_listings() {
    let fleet = untagged().await;
    let webhooks = webhook(&fleet);
    let listed = fleet.sandbox.count_of("ecr", "ListImages");
    for number in 0..100 {
        let reference = format!("refs/tags/v0.0.{number}");
        tell_pushed(&fleet, &webhooks, ("tag_push", &reference));
        fleet.pass(Duration::from_millis(110)).await;
    }
    fleet.pass(Duration::from_mins(1)).await;
    let listings = fleet.sandbox.count_of("ecr", "ListImages") - listed;
    assert!((10..=14).contains(&listings), "{listings}: one a second, and one more");
    assert_eq!(fleet.image("web"), fleet.pinned("v1.0.0"));
}

/// An event of EventBridge about a pushed image.
fn pushed(tag: &str) -> String {
    json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": "ECR Image Action",
        "source": "aws.ecr", "account": "111122223333", "time": "2026-03-01T00:00:00Z", "region": "eu-west-1",
        "resources": [], "detail": {
            "result": "SUCCESS", "action-type": "PUSH", "repository-name": "shop/web", "image-tag": tag,
        },
    })
    .to_string()
}

#[tokio::test(start_paused = true)]
async fn events_that_come_often_late_and_in_no_order_are_a_few_listings_and_one_rollout() {
    let fleet = settled(options(), shop("12h")).await;
    fleet.push("v1.1.0");
    fleet.push("v1.2.0");
    let listed = fleet.sandbox.count_of("ecr", "ListImages");
    let send = |tag: &str| {
        let body = json!({ "QueueUrl": URL, "MessageBody": pushed(tag) });
        fleet.console_of("sqs", "SendMessage", body);
    };
    for number in 0..500 {
        send(["v1.2.0", "v1.1.0", "v0.9.0", "v1.1.0"][number % 4]);
    }
    fleet.until_runs("web", "v1.2.0").await;
    fleet.pass(Duration::from_mins(5)).await;
    for _ in 0..20 {
        send("v1.1.0");
    }
    fleet.pass(Duration::from_mins(5)).await;
    let listings = fleet.sandbox.count_of("ecr", "ListImages") - listed;
    assert!((1..=12).contains(&listings), "{listings}");
    assert_eq!(fleet.image("web"), fleet.pinned("v1.2.0"));
    assert_eq!(fleet.rollouts("web").len(), 2);
    for name in ["api", "net", "plain"] {
        assert_eq!(fleet.rollouts(name).len(), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_events_and_webhooks_polling_finds_the_same() {
    let minute = FleetOptions { events: None, interval: Duration::from_mins(1), ..options() };
    let fleet = settled(minute, shop("1m")).await;
    fleet.push("v1.1.0");
    put_parameter(&fleet, "/shop/greeting", "good evening");
    fleet.apply_terraform(&state(2, "https://two"));
    let took = fleet
        .takes("all sent", |fleet| {
            let values = (said(fleet, "api"), said(fleet, "net"));
            fleet.chosen("shop").as_deref() == Some("v1.1.0")
                && values == (json!("good evening"), json!("https://two"))
        })
        .await;
    assert!((SOON..Duration::from_mins(3)).contains(&took), "{took:?}");
    fleet.until_runs("web", "v1.1.0").await;
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(SERVICES.map(|name| fleet.rollouts(name).len()), [2, 2, 2, 1]);
}
