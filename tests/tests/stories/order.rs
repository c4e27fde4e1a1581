//! Services that depend on each other, and how many may roll tasks at a time.

use std::num::NonZeroU32;
use std::time::Duration;

use crds::{ObjectKey, Reason};
use jiff::{SignedDuration, Timestamp};
use longshore_tests::specs::{counted, image, with};
use longshore_tests::{Fleet, FleetOptions};
use sandbox::ImageBehaviour;
use serde_json::{Value, json};

/// A one-task service that depends on others.
#[allow(clippy::needless_pass_by_value, reason = "callers write `json!({…})`")]
fn depending(name: &str, version: &str, on: Value) -> Value {
    with(counted(name, version, 1), "/spec/rollout", json!({ "dependsOn": on }))
}

/// A world in which nothing is looked at without a cause.
fn without_passes() -> FleetOptions {
    FleetOptions { interval: Duration::from_hours(12), ..FleetOptions::default() }
}

/// When the first call of an operation for a service since `mark` was made.
fn called_at(fleet: &Fleet, mark: usize, operation: &str, name: &str) -> Option<Timestamp> {
    let calls = fleet.calls_that_change(mark);
    let found = calls.iter().find(|call| {
        let named = [&call.request["serviceName"], &call.request["service"]];
        call.operation == operation && named.contains(&&json!(name))
    });
    found.map(|call| call.time)
}

#[tokio::test(start_paused = true)]
async fn a_change_waits_until_what_it_depends_on_is_ready_and_is_woken_then() {
    let mut fleet = Fleet::with(without_passes()).await;
    for version in ["v1", "v2"] {
        let mark = fleet.sandbox.call_count();
        fleet
            .commit(&[counted("auth", version, 1), depending("api", version, json!(["auth"]))])
            .await;
        fleet.until_unready("api", Reason::WaitingForDependency).await;
        assert!(fleet.ready("api").message.contains("waits for shop/auth"), "{version}");
        fleet.until_ready("auth").await;
        let ready = fleet.now();
        fleet.until_ready("api").await;
        let operation = if version == "v1" { "CreateService" } else { "UpdateService" };
        let auth = called_at(&fleet, mark, operation, "auth").unwrap();
        let api = called_at(&fleet, mark, operation, "api").unwrap();
        assert!(auth < api, "{version}: {auth} {api}");
        // The story looks once a second.
        let apart = api.duration_since(ready).abs();
        assert!(apart <= SignedDuration::from_secs(3), "{version}: woken {apart} after");
        assert_eq!(fleet.image("api"), image("api", version));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_dependency_stops_only_what_depends_on_it_and_says_why() {
    let mut fleet = Fleet::new().await;
    let fleet_at = |version: &str| {
        [
            depending("api", version, json!(["auth"])),
            depending("front", version, json!(["api"])),
            counted("web", version, 1),
        ]
    };
    fleet.commit(&[counted("auth", "v1", 1)]).await;
    fleet.commit(&fleet_at("v1")).await;
    fleet.until_ready("front").await;
    fleet.image_exits(&image("auth", "bad"));
    fleet.write(&[("auth.json", &counted("auth", "bad", 1).to_string())]);
    fleet.commit(&fleet_at("v2")).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    fleet.until_stalled("auth", Reason::RolledBack).await;
    fleet.until_stalled("api", Reason::DependencyFailed).await;
    fleet.until_stalled("front", Reason::DependencyFailed).await;
    let told = fleet.ready("api").message;
    assert!(told.contains("shop/auth") && told.contains("RolledBack"), "{told}");
    assert!(fleet.ready("front").message.contains("shop/api"));
    assert_eq!(fleet.image("api"), image("api", "v1"));
    // The fix goes ahead, and all the rest after it.
    fleet.commit(&[counted("auth", "v2", 1)]).await;
    fleet.until_ready("front").await;
    for name in ["auth", "api", "front"] {
        assert_eq!(fleet.image(name), image(name, "v2"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_rolls_no_tasks_is_healed_while_a_dependency_fails() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[counted("auth", "v1", 1), depending("api", "v1", json!(["auth"]))]).await;
    fleet.until_ready("api").await;
    fleet.image_exits(&image("auth", "bad"));
    fleet.commit(&[counted("auth", "bad", 1)]).await;
    fleet.until_stalled("auth", Reason::RolledBack).await;
    let edit = json!({ "cluster": "shop", "service": "api", "desiredCount": 4 });
    fleet.console("UpdateService", edit);
    fleet.until("healed", |fleet| fleet.service("api").unwrap().desired == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_dependency_that_no_source_has_is_told_and_waited_for() {
    let mut fleet = Fleet::with(without_passes()).await;
    fleet.commit(&[depending("api", "v1", json!(["auth"]))]).await;
    fleet.until_stalled("api", Reason::DependencyMissing).await;
    assert!(fleet.ready("api").message.contains("no source has shop/auth"));
    fleet.pass(Duration::from_hours(1)).await;
    assert!(fleet.living("api").is_none());
    fleet.commit(&[counted("auth", "v1", 1)]).await;
    fleet.until_ready("api").await;
}

#[tokio::test(start_paused = true)]
async fn a_circle_is_an_error_on_every_member_and_harms_nothing_else() {
    let mut fleet = Fleet::with(without_passes()).await;
    fleet
        .commit(&[
            depending("a", "v1", json!(["b"])),
            depending("b", "v1", json!(["c"])),
            counted("c", "v1", 1),
            counted("web", "v1", 1),
        ])
        .await;
    fleet.until_ready("a").await;
    fleet.commit(&[depending("c", "v1", json!(["a"])), counted("web", "v2", 1)]).await;
    for (name, circle) in [
        ("a", "shop/a -> shop/b -> shop/c -> shop/a"),
        ("b", "shop/b -> shop/c -> shop/a -> shop/b"),
        ("c", "shop/c -> shop/a -> shop/b -> shop/c"),
    ] {
        fleet.until_stalled(name, Reason::DependencyCycle).await;
        let told = fleet.ready(name).message;
        assert!(told.contains(circle), "{told}");
        assert_eq!(fleet.service(name).unwrap().running, 1, "{name} goes on running");
    }
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    // Taken apart at any place, all of them go on.
    fleet.commit(&[depending("b", "v2", json!([]))]).await;
    for name in ["a", "b", "c"] {
        fleet.until_ready(name).await;
    }
    assert_eq!(fleet.image("b"), image("b", "v2"));
}

#[tokio::test(start_paused = true)]
async fn an_order_holds_across_clusters() {
    let fixtures = "clusters: [{name: shop}, {name: core}]\nlatency: 8ms\n".to_owned();
    let mut fleet = Fleet::with(FleetOptions { fixtures, ..without_passes() }).await;
    let db = with(counted("db", "v1", 1), "/spec/cluster", json!("core"));
    fleet.commit(&[depending("api", "v1", json!([{ "name": "db", "cluster": "core" }])), db]).await;
    fleet.until_unready("api", Reason::WaitingForDependency).await;
    fleet.until_ready("api").await;
    let key = ObjectKey { cluster: "core".parse().unwrap(), ..Fleet::key("db") };
    assert!(fleet.statuses.service(&key).unwrap().status.is_ready());
    let at = |name| called_at(&fleet, 0, "CreateService", name).unwrap();
    assert!(at("db") < at("api"));
}

fn limited(limit: u32) -> FleetOptions {
    FleetOptions { max_concurrent_rollouts: NonZeroU32::new(limit), ..FleetOptions::default() }
}

/// How many services of a fleet ECS is rolling.
fn rolling(fleet: &Fleet, names: &[&str]) -> usize {
    let services = names.iter().filter_map(|name| fleet.living(name));
    services
        .filter(|service| {
            service.records.first().is_some_and(|one| one == "IN_PROGRESS" || one == "PENDING")
        })
        .count()
}

#[tokio::test(start_paused = true)]
async fn no_more_rollouts_than_the_target_allows_even_over_a_restart() {
    let names = ["a", "b", "c", "d", "e"];
    let mut fleet = Fleet::with(limited(2)).await;
    for version in ["v1", "v2"] {
        let specs: Vec<Value> = names.iter().map(|name| counted(name, version, 1)).collect();
        fleet.commit(&specs).await;
        let (mut most, mut told, mut looks) = (0, Vec::new(), 0);
        while !names.iter().all(|name| fleet.is_ready(name)) {
            most = most.max(rolling(&fleet, &names));
            for name in names {
                let object = fleet.object(name).unwrap();
                told.extend(object.status.holds.iter().map(|hold| hold.message.clone()));
            }
            looks += 1;
            assert!(looks < 3600, "{}", fleet.describe());
            if looks == 30 {
                fleet.restart().await;
            }
            fleet.pass(Duration::from_secs(1)).await;
        }
        assert_eq!(most, 2, "{version}");
        let allows = "allows 2 rollouts at a time and has as many";
        assert!(told.iter().any(|told| told.contains(allows)), "{version}: {told:?}");
        assert!(told.iter().any(|told| told.contains("2 wait before this one")), "{told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_newer_spec_supersedes_its_own_rollout_although_all_places_are_taken() {
    let mut fleet = Fleet::with(limited(1)).await;
    fleet.image_behaves(&image("web", "slow"), ImageBehaviour::SlowStart(Duration::from_mins(10)));
    fleet.commit(&[counted("web", "v1", 1)]).await;
    fleet.until_ready("web").await;
    let slow = with(
        counted("web", "slow", 1),
        "/spec/taskDefinition/containerDefinitions/0/healthCheck",
        json!({ "command": ["CMD", "true"], "interval": 5, "retries": 2, "startPeriod": 300 }),
    );
    fleet.commit(&[slow]).await;
    fleet.until("rolling", |fleet| rolling(fleet, &["web"]) == 1).await;
    fleet.commit(&[counted("api", "v1", 1)]).await;
    fleet.until_unready("api", Reason::WaitingForPlace).await;
    let (mark, before) = (fleet.sandbox.call_count(), fleet.now());
    fleet.commit(&[counted("web", "v2", 1)]).await;
    fleet.until("superseded", |fleet| fleet.image("web") == image("web", "v2")).await;
    let took = called_at(&fleet, mark, "UpdateService", "web").unwrap().duration_since(before);
    assert!(took < SignedDuration::from_secs(5), "{took}");
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_failed_keeps_nobody_waiting() {
    let mut fleet = Fleet::with(limited(1)).await;
    fleet.commit(&[counted("web", "v1", 1), counted("api", "v1", 1)]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
    fleet.image_exits(&image("web", "bad"));
    fleet.commit(&[counted("web", "bad", 1)]).await;
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.commit(&[counted("api", "v2", 1)]).await;
    fleet.until_ready("api").await;
    assert_eq!(fleet.image("api"), image("api", "v2"));
    assert_eq!(fleet.holds("web"), [Reason::RolledBack]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_dependency_takes_no_place() {
    let mut fleet = Fleet::with(limited(1)).await;
    fleet.commit(&[depending("api", "v1", json!(["auth"])), counted("auth", "v1", 1)]).await;
    fleet.until_ready("api").await;
    fleet.until_ready("auth").await;
}
