//! Old revisions go, slowly; whatever anything names stays.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use longshore_tests::specs::{image, service};
use longshore_tests::{Fleet, FleetOptions};
use planner::ownership::{OWNER, SPEC_HASH};
use sandbox::{Fault, FaultKind, Region};
use serde_json::{Value, json};

/// How many revisions stay in these stories.
const KEPT: u32 = 5;

async fn fleet() -> Fleet {
    let fixtures = "clusters: [{name: shop}, {name: lab}]\nlatency: 8ms\n".to_owned();
    let revisions = NonZeroU32::new(KEPT);
    Fleet::with(FleetOptions { fixtures, revisions, ..FleetOptions::default() }).await
}

/// Registers revisions of `shop-web` as an operator of this name would have, or somebody without tags.
fn register(fleet: &Fleet, count: u32, owner: Option<&str>) {
    let spec = service("web", &image("web", "old"));
    for number in 0..count {
        let mut input = spec["spec"]["taskDefinition"].clone();
        input["family"] = json!("shop-web");
        input["containerDefinitions"][0]["image"] = json!(image("web", &format!("old-{number}")));
        if let Some(owner) = owner {
            let hash = format!("{number:064x}");
            input["tags"] =
                json!([{"key": OWNER, "value": owner}, {"key": SPEC_HASH, "value": hash}]);
        }
        fleet.console("RegisterTaskDefinition", input);
    }
}

/// The ACTIVE revisions of `shop-web`.
fn active(fleet: &Fleet) -> BTreeSet<i64> {
    let all = fleet.sandbox.look(fleet.now(), Region::task_definitions);
    let active = all.iter().filter(|one| one.family == "shop-web" && one.status == "ACTIVE");
    active.map(|one| one.revision).collect()
}

fn network() -> Value {
    json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}})
}

#[tokio::test(start_paused = true)]
async fn thirty_revisions_become_five_and_those_that_are_named() {
    let mut fleet = fleet().await;
    register(&fleet, 20, Some("test"));
    register(&fleet, 3, None);
    register(&fleet, 2, Some("another"));
    register(&fleet, 5, Some("test"));
    // Somebody runs an old revision in a cluster that no spec names, and somebody else a task of another.
    fleet.console(
        "CreateService",
        json!({"cluster": "lab", "serviceName": "trial", "taskDefinition": "shop-web:3", "desiredCount": 1,
               "launchType": "FARGATE", "networkConfiguration": network()}),
    );
    fleet.console(
        "RunTask",
        json!({"cluster": "lab", "taskDefinition": "shop-web:7", "launchType": "FARGATE",
               "networkConfiguration": network()}),
    );
    for version in ["v1", "v2"] {
        fleet.commit(&[service("web", &image("web", version))]).await;
        fleet.until_ready("web").await;
    }
    fleet.pass(Duration::from_hours(3)).await;
    // 31 and 32 are v1 and v2: the one that runs and the one to go back to.
    let newest = 28..=32;
    let foreign = 21..=25;
    let kept: BTreeSet<i64> = newest.chain(foreign).chain([3, 7]).collect();
    assert_eq!(active(&fleet), kept);
    // Nothing is left to do, and nothing is asked.
    let lists = fleet.sandbox.count_of("ecs", "ListTaskDefinitions");
    fleet.pass(Duration::from_hours(1)).await;
    assert_eq!(fleet.sandbox.count_of("ecs", "ListTaskDefinitions"), lists);
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

/// A rollback may need the last revision that ended well, however many failed after it.
#[tokio::test(start_paused = true)]
async fn the_revision_that_a_failed_rollout_goes_back_to_stays() {
    let mut fleet = fleet().await;
    fleet.image_exits("*:bad-*");
    fleet.commit(&[service("web", &image("web", "good"))]).await;
    fleet.until_ready("web").await;
    let good = fleet.service("web").unwrap().task_definition;
    for number in 0..8 {
        fleet.commit(&[service("web", &image("web", &format!("bad-{number}")))]).await;
        fleet.pass(Duration::from_mins(40)).await;
    }
    fleet.commit(&[service("web", &image("web", "good"))]).await;
    fleet.until_ready("web").await;
    fleet.pass(Duration::from_hours(2)).await;
    assert_eq!(fleet.service("web").unwrap().task_definition, good);
    assert!(active(&fleet).contains(&1), "{:?}", active(&fleet));
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_read_keeps_every_revision() {
    for operation in [
        "ListClusters",
        "ListServices",
        "ListTasks",
        "ListServiceDeployments",
        "ListTaskDefinitions",
    ] {
        let mut fleet = fleet().await;
        register(&fleet, 12, Some("test"));
        fleet.commit(&[service("web", &image("web", "v1"))]).await;
        fleet.until_ready("web").await;
        let before = active(&fleet);
        let kind = FaultKind::Error {
            code: "ServerException".to_owned(),
            message: "Service Unavailable".to_owned(),
            status: 500,
        };
        fleet.sandbox.inject(Fault { times: None, ..Fault::once("ecs", operation, kind) });
        fleet.pass(Duration::from_mins(30)).await;
        assert_eq!(active(&fleet), before, "{operation}");
        fleet.sandbox.clear_faults();
        fleet.pass(Duration::from_hours(1)).await;
        assert_eq!(active(&fleet).len(), usize::try_from(KEPT).unwrap(), "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_retention_nothing_is_deregistered() {
    let mut fleet = Fleet::new().await;
    register(&fleet, 30, Some("test"));
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    fleet.pass(Duration::from_hours(3)).await;
    assert_eq!(active(&fleet).len(), 31);
}
