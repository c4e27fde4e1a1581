//! Services that vanished because something could not be read, or because a name changed.

use std::time::Duration;

use crds::{Reason, SyncPolicy};
use longshore_tests::specs::{counted, with};
use longshore_tests::{Fleet, FleetOptions, Place};
use sandbox::{Fault, FaultKind, ServiceView};
use serde_json::{Value, json};

use super::nothing_changes_for;

/// A fleet that prunes, in these clusters and with a bucket.
fn pruning(clusters: &str) -> FleetOptions {
    let fixtures = format!("clusters: {clusters}\nlatency: 8ms\nbuckets: [{{name: specs}}]\n");
    let policy = SyncPolicy { prune: Some(true), ..SyncPolicy::default() };
    FleetOptions { fixtures, policy, ..FleetOptions::default() }
}

fn in_cluster(name: &str, cluster: &str) -> Value {
    with(counted(name, "v1", 1), "/spec/cluster", json!(cluster))
}

fn of(fleet: &Fleet, cluster: &str, name: &str) -> Option<ServiceView> {
    let found = fleet.sandbox.look(fleet.now(), |region| region.service(cluster, name));
    found.filter(|service| service.status == "ACTIVE")
}

fn failing(status: u16) -> FaultKind {
    let (code, message) = ("ServerException".to_owned(), "not now".to_owned());
    FaultKind::Error { code, message, status }
}

/// argo-cd#9227: one edit of a generator moved everything at once and deleted most of production.
#[tokio::test(start_paused = true)]
async fn one_edit_that_moves_every_service_to_another_cluster_deletes_none() {
    let mut fleet = Fleet::with(pruning("[{name: shop}, {name: store}]")).await;
    let names = ["a", "b", "c", "d", "e"];
    let specs = |cluster: &str| names.map(|name| in_cluster(name, cluster));
    fleet.commit(&specs("shop")).await;
    for name in names {
        fleet.until_ready(name).await;
    }
    fleet.commit(&specs("store")).await;
    for name in names {
        fleet
            .until("it runs there", |fleet| {
                of(fleet, "store", name).is_some_and(|service| service.running == 1)
            })
            .await;
        fleet.until_stalled(name, Reason::PruneBrake).await;
    }
    fleet.restart().await;
    nothing_changes_for(&fleet, Duration::from_hours(3)).await;
    for name in names {
        assert_eq!(of(&fleet, "shop", name).unwrap().running, 1, "{name}");
    }
}

/// argo-cd#18480: the list of clusters could not be read, and what was in them counted as gone.
#[tokio::test(start_paused = true)]
async fn clusters_that_cannot_be_listed_are_not_taken_for_clusters_without_services() {
    for kind in [failing(500), FaultKind::Refuse, FaultKind::Throttle] {
        let mut fleet = Fleet::with(pruning("[{name: shop}, {name: lab}]")).await;
        let specs = ["a", "b", "c"].map(|name| in_cluster(name, "shop"));
        fleet.commit(&specs).await;
        fleet.commit(&["d", "e", "f"].map(|name| in_cluster(name, "lab"))).await;
        fleet
            .until("all run", |fleet| {
                ["d", "e", "f"]
                    .iter()
                    .all(|name| of(fleet, "lab", name).is_some_and(|one| one.running == 1))
                    && ["a", "b", "c"].iter().all(|name| fleet.is_ready(name))
            })
            .await;
        // Four of six services lose their specs while nobody looks. No spec names the cluster `lab` any more, so that only
        // the list tells of it; one of three in `shop` would be few enough to be deleted.
        fleet.kill().await;
        fleet.remove(&["a", "d", "e", "f"]).await;
        let fault = Fault { times: None, ..Fault::once("ecs", "ListClusters", kind) };
        fleet.sandbox.inject(fault);
        fleet.restart().await;
        nothing_changes_for(&fleet, Duration::from_mins(20)).await;
        fleet.sandbox.clear_faults();
        fleet.until_stalled("a", Reason::PruneBrake).await;
        nothing_changes_for(&fleet, Duration::from_mins(20)).await;
        for (cluster, name) in [("shop", "a"), ("lab", "d"), ("lab", "e"), ("lab", "f")] {
            assert_eq!(of(&fleet, cluster, name).unwrap().running, 1, "{name}");
        }
    }
}

/// argo-cd#18212, #14318 and #22127: a source that answered in part, with an error or right after a start.
#[tokio::test(start_paused = true)]
async fn a_source_that_answers_in_part_deletes_nothing() {
    let options = FleetOptions { place: Place::Bucket, ..pruning("[{name: shop}]") };
    let mut fleet = Fleet::with(options).await;
    fleet.commit(&["web", "api", "job"].map(|name| counted(name, "v1", 1))).await;
    for name in ["web", "api", "job"] {
        fleet.until_ready(name).await;
    }
    let mark = fleet.sandbox.call_count();
    fleet.kill().await;
    fleet.write(&[("web.json", "")]);
    for (operation, skip, kind) in [
        ("ListObjectsV2", 0, failing(500)),
        ("ListObjectsV2", 0, failing(403)),
        ("ListObjectsV2", 0, FaultKind::Refuse),
        ("GetObject", 0, failing(404)),
        ("GetObject", 1, failing(500)),
        ("GetObject", 1, FaultKind::DropReply),
    ] {
        let told = format!("{operation} after {skip}: {kind:?}");
        let fault = Fault { skip, times: None, ..Fault::once("s3", operation, kind) };
        fleet.sandbox.inject(fault);
        fleet.restart_unread().await;
        assert!(fleet.fetch().await.is_err(), "{told}");
        fleet.pass(Duration::from_mins(10)).await;
        fleet.sandbox.clear_faults();
        assert_eq!(fleet.changes_since(mark), [""; 0], "{told}");
    }
    for name in ["web", "api", "job"] {
        assert_eq!(fleet.living(name).unwrap().running, 1, "{name}");
    }
    // Once it answers whole, what has left it goes.
    fleet.fetch().await.unwrap();
    fleet.until("web deleted", |fleet| fleet.living("web").is_none()).await;
}

/// argo-cd#18780 and #20440: what was called otherwise took another's place, and deleted what it did not know.
#[tokio::test(start_paused = true)]
async fn an_operator_under_another_name_deletes_nothing_and_takes_nothing_over() {
    let mut before = Fleet::with(pruning("[{name: shop}]")).await;
    let names = ["web", "api", "job"];
    before.commit(&names.map(|name| counted(name, "v1", 1))).await;
    for name in names {
        before.until_ready(name).await;
    }
    before.kill().await;
    let renamed =
        FleetOptions { owner: "renamed".to_owned(), seed: 2, ..pruning("[{name: shop}]") };
    let mut after = before.beside(renamed).await;
    after.commit(&[counted("web", "v2", 2), counted("new", "v1", 1)]).await;
    after.until_ready("new").await;
    after.until_stalled("web", Reason::OwnedByAnother).await;
    nothing_changes_for(&after, Duration::from_hours(3)).await;
    after.restart().await;
    nothing_changes_for(&after, Duration::from_hours(3)).await;
    for name in names {
        let service = after.living(name).unwrap();
        assert_eq!(
            (service.running, service.records.as_slice()),
            (1, ["SUCCESSFUL".to_owned()].as_slice())
        );
        assert_eq!(after.tag(name, "longshore.dev/owner").as_deref(), Some("test"));
    }
}
