//! A version that a service did not keep stays away, whatever else changes in its spec.

use std::time::Duration;

use controller::orders::Ask;
use crds::{Health, Reason, SyncStatus, Verb};
use longshore_tests::specs::{image, release, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::{FixtureImage, ImageBehaviour};
use serde_json::{Value, json};

const FIXTURES: &str = "
clusters: [{name: shop}]
latency: 8ms
parameters: [{name: /shop/greeting, value: hello}]
repositories:
  - {name: shop/web, images: [{tags: [v1.0.0]}]}
  - {name: shop/proxy, images: [{tags: [v7.0.0]}]}
";
const ENVIRONMENT: &str = "/spec/taskDefinition/containerDefinitions/0/environment/0/value";

/// A service of the release `shop` that greets as a parameter says.
fn greeting() -> Value {
    with(service("web", "${release:shop}"), ENVIRONMENT, json!("${ssm:/shop/greeting}"))
}

/// A fleet whose service runs v1.0.0.
async fn world(web: Value, more: &[Value]) -> Fleet {
    let fixtures = FIXTURES.to_owned();
    let keep = Keep::Directory;
    let mut fleet = Fleet::with(FleetOptions { fixtures, keep, ..FleetOptions::default() }).await;
    let specs = [&[release("shop", ">=1.0.0 <2.0.0"), web][..], more].concat();
    fleet.commit(&specs).await;
    fleet.until_runs("web", "v1.0.0").await;
    fleet
}

fn put_parameter(fleet: &Fleet, value: &str) {
    let body =
        json!({ "Name": "/shop/greeting", "Value": value, "Type": "String", "Overwrite": true });
    fleet.console_of("ssm", "PutParameter", body);
}

fn said(fleet: &Fleet) -> Value {
    fleet.definition("web")["containerDefinitions"][0]["environment"][0]["value"].clone()
}

async fn nothing_moves(fleet: &Fleet, time: Duration) {
    let mark = fleet.sandbox.call_count();
    fleet.pass(time).await;
    assert_eq!(fleet.changes_since(mark), [""; 0], "{}", fleet.describe());
}

#[tokio::test(start_paused = true)]
async fn a_parameter_does_not_bring_back_what_a_person_has_left() {
    let mut fleet = world(greeting(), &[]).await;
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
    let (old, left) = (fleet.pinned("v1.0.0"), fleet.spec_hash("web"));
    fleet.order("web", Verb::Rollback, &Ask::default()).await;
    fleet.until("web went back", |fleet| fleet.image("web") == old).await;
    fleet.until_stalled("web", Reason::RolledBackByHand).await;
    fleet.pass(Duration::from_mins(5)).await;
    put_parameter(&fleet, "bonjour");
    fleet.until("the spec has changed", |fleet| fleet.spec_hash("web") != left).await;
    nothing_moves(&fleet, Duration::from_mins(20)).await;
    let is_held = |fleet: &Fleet| {
        let status = fleet.status("web");
        assert_eq!((status.sync, status.health), (SyncStatus::OutOfSync, Health::Healthy));
        assert_eq!(fleet.holds("web"), [Reason::RolledBackByHand]);
        let message = fleet.ready("web").message;
        assert!(message.starts_with("the release `shop` has v1.1.0, which a person"), "{message}");
        assert_eq!((fleet.image("web"), said(fleet)), (old.clone(), json!("hello")));
    };
    is_held(&fleet);
    // Neither a new process nor the loss of all that was written down changes that.
    fleet.restart().await;
    nothing_moves(&fleet, Duration::from_mins(20)).await;
    is_held(&fleet);
    fleet.kill().await;
    fleet.lose_state();
    fleet.restart().await;
    nothing_moves(&fleet, Duration::from_mins(20)).await;
    is_held(&fleet);
    fleet.push("v1.2.0");
    fleet.until_runs("web", "v1.2.0").await;
    assert_eq!(said(&fleet), json!("bonjour"));
    assert_eq!(fleet.tag("web", "longshore.dev/held-images"), None);
    nothing_moves(&fleet, Duration::from_mins(20)).await;
}

#[tokio::test(start_paused = true)]
async fn a_parameter_does_not_bring_back_what_ecs_has_rolled_back_and_a_person_does() {
    let mut fleet = world(greeting(), &[]).await;
    fleet.push("v1.1.0");
    let bad = fleet.pinned("v1.1.0");
    fleet.image_exits(&bad);
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.pass(Duration::from_mins(5)).await;
    let (rollouts, left) = (fleet.rollouts("web").len(), fleet.spec_hash("web"));
    put_parameter(&fleet, "bonjour");
    fleet.until("the spec has changed", |fleet| fleet.spec_hash("web") != left).await;
    nothing_moves(&fleet, Duration::from_hours(1)).await;
    fleet.restart().await;
    nothing_moves(&fleet, Duration::from_hours(1)).await;
    assert_eq!(fleet.rollouts("web").len(), rollouts);
    assert_eq!(fleet.holds("web"), [Reason::RolledBack]);
    assert_eq!(fleet.status("web").health, Health::Degraded);
    let message = fleet.ready("web").message;
    assert!(
        message.starts_with("the release `shop` has v1.1.0, whose rollout failed"),
        "{message}"
    );
    fleet.image_behaves(&bad, ImageBehaviour::Runs);
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_runs("web", "v1.1.0").await;
    assert_eq!(said(&fleet), json!("bonjour"));
    // It is good by now, and what changes later needs nobody.
    put_parameter(&fleet, "ciao");
    fleet.until("it greets anew", |fleet| said(fleet) == json!("ciao")).await;
    fleet.until_runs("web", "v1.1.0").await;
}

#[tokio::test(start_paused = true)]
async fn another_release_does_not_bring_back_what_a_person_has_left() {
    let container = |name: &str, image: &str| json!({ "name": name, "image": image });
    let containers =
        json!([container("app", "${release:shop}"), container("proxy", "${release:proxy}"),]);
    let place = "/spec/taskDefinition/containerDefinitions";
    let web = with(service("web", "none"), place, containers);
    let repository = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/proxy";
    let proxy = with(release("proxy", ">=7.0.0"), "/spec/image", json!(repository));
    let fleet = world(web, &[proxy]).await;
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
    let old = fleet.pinned("v1.0.0");
    fleet.order("web", Verb::Rollback, &Ask::default()).await;
    fleet.until("web went back", |fleet| fleet.image("web") == old).await;
    fleet.pass(Duration::from_mins(5)).await;
    let newer = FixtureImage { tags: vec!["v7.1.0".to_owned()], ..FixtureImage::default() };
    fleet.push_image("shop/proxy", newer);
    fleet.until("chosen", |fleet| fleet.chosen("proxy").as_deref() == Some("v7.1.0")).await;
    nothing_moves(&fleet, Duration::from_mins(20)).await;
    assert_eq!(fleet.image("web"), old);
    assert_eq!(fleet.holds("web"), [Reason::RolledBackByHand]);
    // What is better goes, and takes the other along.
    fleet.push("v1.2.0");
    fleet.until_runs("web", "v1.2.0").await;
    let beside = fleet.definition("web")["containerDefinitions"][1]["image"].clone();
    assert_eq!(beside, json!(fleet.pinned_of("shop/proxy", "v7.1.0")));
}

#[tokio::test(start_paused = true)]
async fn what_a_person_commits_is_a_decision_of_its_own() {
    let mut fleet = Fleet::new().await;
    let version = |name: &str, greeting: &str| {
        with(service("web", &image("web", name)), ENVIRONMENT, json!(greeting))
    };
    for name in ["v1", "v2"] {
        fleet.commit(&[version(name, "hello")]).await;
        fleet.until_ready("web").await;
    }
    fleet.order("web", Verb::Rollback, &Ask::default()).await;
    fleet.until_stalled("web", Reason::RolledBackByHand).await;
    fleet.commit(&[version("v2", "bonjour")]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
}
