//! Promotion: production takes what has run well in staging for its time, as far as somebody looked.

use std::time::Duration;

use controller::orders::Ask;
use crds::Verb;
use longshore_tests::specs::{release, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::{ImageBehaviour, Region};
use serde_json::{Value, json};

const FIXTURES: &str = "
clusters: [{name: shop}]
latency: 8ms
repositories: [{name: shop/web, images: [{tags: [v1.0.0], pushedAt: 2026-02-01T00:00:00Z}]}]
";

/// The service `web` is staging, `prod` follows it after an hour.
fn production() -> Value {
    let after = json!({ "after": "staging", "soak": "1h" });
    with(release("shop", ">=1.0.0 <2.0.0"), "/spec/promote", after)
}

/// A fleet in which both run v1.0.0.
async fn promoted(staging: Value, production: Value) -> Fleet {
    let fixtures = FIXTURES.to_owned();
    let options = FleetOptions { fixtures, keep: Keep::Directory, ..FleetOptions::default() };
    let mut fleet = Fleet::with(options).await;
    let web = service("web", "${release:staging}");
    let prod = service("prod", "${release:shop}");
    fleet.commit(&[staging, production, web, prod]).await;
    fleet.until_runs("web", "v1.0.0").await;
    fleet.until_runs("prod", "v1.0.0").await;
    fleet
}

async fn at_v1() -> Fleet {
    promoted(release("staging", ">=1.0.0"), production()).await
}

/// How many minutes it takes until production runs v1.1.0.
async fn minutes_to_production(fleet: &Fleet) -> u64 {
    let began = fleet.now();
    fleet.until_runs("prod", "v1.1.0").await;
    u64::try_from(fleet.now().duration_since(began).as_mins()).unwrap()
}

/// The tasks of staging end, and new ones do not start.
fn break_staging(fleet: &Fleet) {
    fleet.image_exits(&fleet.pinned("v1.1.0"));
    let tasks = fleet.sandbox.look(fleet.now(), Region::tasks);
    let of_staging = tasks.iter().filter(|task| task.service.as_deref() == Some("web"));
    for task in of_staging.filter(|task| task.last_status == "RUNNING") {
        fleet.console("StopTask", json!({ "cluster": "shop", "task": task.arn }));
    }
}

#[tokio::test(start_paused = true)]
async fn staging_that_breaks_while_nobody_looks_is_not_promoted_and_soaks_anew() {
    let mut fleet = at_v1().await;
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
    fleet.pass(Duration::from_mins(50)).await;
    fleet.kill().await;
    fleet.pass(Duration::from_mins(5)).await;
    break_staging(&fleet);
    fleet.pass(Duration::from_hours(2)).await;
    fleet.restart().await;
    fleet.pass(Duration::from_hours(2)).await;
    assert_eq!(fleet.image("prod"), fleet.pinned("v1.0.0"));
    let said = fleet.release_says("shop");
    assert_eq!(said, "VersionPending: v1.1.0 waits until staging runs it well");
    let image = fleet.pinned("v1.1.0");
    fleet.image_behaves(&image, ImageBehaviour::Runs);
    fleet.until_runs("web", "v1.1.0").await;
    let minutes = minutes_to_production(&fleet).await;
    assert!((60..66).contains(&minutes), "after {minutes} min");
}

#[tokio::test(start_paused = true)]
async fn a_soak_goes_on_after_a_short_restart_and_begins_anew_after_a_long_one() {
    let mut fleet = at_v1().await;
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
    fleet.pass(Duration::from_mins(30)).await;
    fleet.kill().await;
    fleet.pass(Duration::from_mins(20)).await;
    fleet.restart().await;
    fleet.pass(Duration::from_mins(30)).await;
    fleet.kill().await;
    fleet.pass(Duration::from_secs(40)).await;
    fleet.restart().await;
    let minutes = minutes_to_production(&fleet).await;
    assert!((28..36).contains(&minutes), "after {minutes} min more than the 30 since it came back");
}

#[tokio::test(start_paused = true)]
async fn a_soak_begins_when_the_services_say_so_however_rarely_the_release_is_listed() {
    let staging = with(release("staging", ">=1.0.0"), "/spec/interval", json!("12h"));
    let mut fleet =
        Fleet::with(FleetOptions { fixtures: FIXTURES.to_owned(), ..FleetOptions::default() })
            .await;
    let web = service("web", "${release:staging}");
    fleet.commit(&[staging, production(), web, service("prod", "${release:shop}")]).await;
    fleet.until_runs("web", "v1.0.0").await;
    let there = fleet.now();
    fleet.until_runs("prod", "v1.0.0").await;
    let minutes = fleet.now().duration_since(there).as_mins();
    assert!((60..64).contains(&minutes), "after {minutes} min");
}

#[tokio::test(start_paused = true)]
async fn what_staging_did_not_keep_has_no_soak_however_long_it_ran() {
    let gated = with(production(), "/spec/gates", json!({ "minAge": "3h" }));
    let fleet = promoted(release("staging", ">=1.0.0"), gated).await;
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
    fleet.pass(Duration::from_mins(100)).await;
    fleet.order("web", Verb::Rollback, &Ask::default()).await;
    fleet.pass(Duration::from_hours(3)).await;
    assert_eq!(fleet.image("prod"), fleet.pinned("v1.0.0"));
    let said = fleet.release_says("shop");
    assert_eq!(said, "VersionPending: v1.1.0 waits until staging runs it well");
}
