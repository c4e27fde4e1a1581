//! What a pass over a settled fleet costs.

use std::time::Duration;

use longshore_tests::specs::{counted, image, with};
use longshore_tests::{Fleet, FleetOptions};
use serde_json::{Value, json};

/// The calls of one pass over `count` settled services: reads, then changes.
async fn calls_of_a_pass(count: usize) -> (usize, usize) {
    calls_of_a_pass_over(count, |name| counted(name, "v1", 1)).await
}

/// The same of services of these specs.
async fn calls_of_a_pass_over(count: usize, spec: impl Fn(&str) -> Value) -> (usize, usize) {
    let interval = Duration::from_mins(30);
    let mut fleet = Fleet::with(FleetOptions { interval, ..FleetOptions::default() }).await;
    fleet.kill().await;
    let names: Vec<String> = (0..count).map(|number| format!("s{number}")).collect();
    let specs: Vec<_> = names.iter().map(|name| spec(name)).collect();
    fleet.commit(&specs).await;
    fleet.settle_by_hand();
    fleet.pass(Duration::from_mins(10)).await;
    fleet.restart().await;
    fleet.until("all ready", |fleet| names.iter().all(|name| fleet.is_ready(name))).await;
    let mark = fleet.sandbox.call_count();
    assert_eq!(fleet.changes_since(0), [""; 0]);
    // A pass begins every 27 to 33 minutes and takes seconds: exactly one lies in here, wherever the last one was.
    let last = fleet.sandbox.calls().last().unwrap().time;
    let since = Duration::try_from(fleet.now().duration_since(last)).unwrap();
    fleet.pass(Duration::from_mins(40).saturating_sub(since)).await;
    let changes = fleet.changes_since(mark).len();
    (fleet.sandbox.call_count() - mark - changes, changes)
}

#[tokio::test(start_paused = true)]
async fn a_pass_over_a_hundred_services() {
    let (reads, changes) = calls_of_a_pass(100).await;
    println!("100 services: {reads} reads a pass");
    assert!((10..=12).contains(&reads), "{reads} reads");
    assert_eq!(changes, 0);
}

/// ECS does not say how rollouts with stages stand but in their records: those are read once, not in every pass.
#[tokio::test(start_paused = true)]
async fn services_with_stages_cost_no_more_than_others_once_they_have_settled() {
    let (rolling, _) = calls_of_a_pass(30).await;
    for strategy in ["BLUE_GREEN", "CANARY"] {
        let configuration = json!({ "strategy": strategy, "bakeTimeInMinutes": 0 });
        let staged = |name: &str| {
            let place = "/spec/service/deploymentConfiguration";
            with(counted(name, "v1", 1), place, configuration.clone())
        };
        let (reads, changes) = calls_of_a_pass_over(30, staged).await;
        println!("30 services: {rolling} reads a pass, {reads} with {strategy}");
        assert!(reads <= rolling, "{strategy}: {reads} reads, {rolling} without stages");
        assert_eq!(changes, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pass_over_a_thousand_services() {
    let (reads, changes) = calls_of_a_pass(1_000).await;
    println!("1,000 services: {reads} reads a pass");
    assert!((100..=112).contains(&reads), "{reads} reads");
    assert_eq!(changes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_changes_one_of_many_specs_is_a_look_at_one_service() {
    let interval = Duration::from_hours(12);
    let mut fleet = Fleet::with(FleetOptions { interval, ..FleetOptions::default() }).await;
    fleet.kill().await;
    let names: Vec<String> = (0..500).map(|number| format!("s{number}")).collect();
    let specs: Vec<_> = names.iter().map(|name| counted(name, "v1", 1)).collect();
    fleet.commit(&specs).await;
    fleet.settle_by_hand();
    fleet.pass(Duration::from_mins(10)).await;
    fleet.restart().await;
    fleet.until("all ready", |fleet| names.iter().all(|name| fleet.is_ready(name))).await;
    fleet.pass(Duration::from_mins(10)).await;
    let mark = fleet.sandbox.call_count();
    fleet.commit(&[counted("s77", "v2", 1)]).await;
    fleet.until_ready("s77").await;
    fleet.pass(Duration::from_hours(1)).await;
    assert_eq!(fleet.image("s77"), image("s77", "v2"));
    let calls = fleet.sandbox.calls_since(mark);
    let looks = calls.iter().filter(|call| call.operation == "DescribeServices");
    let mut services: Vec<_> = looks.map(|call| call.request["services"].to_string()).collect();
    services.dedup();
    assert_eq!(services, [r#"["s77"]"#]);
    let changes = ["RegisterTaskDefinition", "TagResource", "UpdateService", "TagResource"];
    assert_eq!(fleet.changes_since(mark), changes);
}

/// The number of the revision that a service's settings name.
fn revision(fleet: &Fleet, name: &str) -> u32 {
    let service = fleet.service(name).unwrap();
    service.task_definition.rsplit(':').next().unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_fix_overtakes_a_change_of_the_whole_fleet_and_costs_it_nothing() {
    let mut fleet = Fleet::new().await;
    let names: Vec<String> = (0..80).map(|number| format!("s{number}")).collect();
    let specs =
        |version: &str| -> Vec<_> { names.iter().map(|name| counted(name, version, 1)).collect() };
    fleet.commit(&specs("v1")).await;
    fleet.until("all ready", |fleet| names.iter().all(|name| fleet.is_ready(name))).await;
    // Half of a bucket of 20 tokens and of one a second (aws.md §1.1).
    let fastest = (80.0 - 10.0) / 0.5;

    let began = fleet.now();
    fleet.commit(&specs("v2")).await;
    fleet.pass(Duration::from_secs(30)).await;
    let waits = names.iter().find(|name| revision(&fleet, name) == 1).unwrap();
    let mut fixed: Vec<_> = specs("v2");
    let place = names.iter().position(|name| name == waits).unwrap();
    fixed[place] = counted(waits, "v3", 1);
    let asked = fleet.now();
    fleet.commit(&fixed).await;
    fleet.until("the fix is sent", |fleet| fleet.image(waits) == image(waits, "v3")).await;
    let took = fleet.now().duration_since(asked).as_secs();
    assert!(took <= 30, "the fix waited for {took} s");

    fleet.until("all sent", |fleet| names.iter().all(|name| revision(fleet, name) > 1)).await;
    let took = fleet.now().duration_since(began).as_secs_f64();
    println!("80 services changed in {took} s; the buckets allow it in {fastest} s");
    assert!(took < fastest * 1.1, "{took} s; the buckets allow {fastest} s");
}
