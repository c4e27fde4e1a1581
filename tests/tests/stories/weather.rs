//! AWS on a bad day: things are missing, refused, throttled, stale or lost.

use std::time::Duration;

use crds::Reason;
use longshore_tests::specs::{counted, image, service, with};
use longshore_tests::{Fleet, FleetOptions};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn a_missing_cluster_is_reported_and_harms_nobody() {
    let mut fleet = Fleet::new().await;
    let elsewhere = with(counted("api", "v1", 1), "/spec/cluster", json!("attic"));
    fleet.commit(&[counted("web", "v1", 1), elsewhere]).await;
    fleet.until_ready("web").await;
    let key = crds::ObjectKey { cluster: "attic".parse().unwrap(), ..Fleet::key("api") };
    let message = || {
        let object = fleet.statuses.service(&key).unwrap();
        object.status.condition(crds::ConditionType::Ready).unwrap().message.clone()
    };
    fleet.until("reported", |_| message().contains("ClusterNotFoundException")).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert!(fleet.is_ready("web"));
    fleet.console("CreateCluster", json!({ "clusterName": "attic" }));
    fleet.until("api ready", |fleet| fleet.statuses.service(&key).unwrap().status.is_ready()).await;
}

#[tokio::test(start_paused = true)]
async fn a_throttled_account_slows_everything_and_doubles_nothing() {
    let mut fleet = Fleet::new().await;
    // Others take nearly all that the account may do, in every family that the operator needs.
    for (family, rate) in [
        ("service modify", 4.5),
        ("service read", 19.0),
        ("task-definition modify", 0.8),
        ("task-definition read", 19.0),
        ("service deployment", 19.0),
        ("service revision", 19.0),
        ("cluster-resource read", 19.0),
        ("cluster read", 19.0),
        ("tag modify", 9.0),
    ] {
        fleet.sandbox.other_callers(family, rate);
    }
    let names: Vec<String> = (0..30).map(|number| format!("s{number}")).collect();
    let specs = |version: &str| -> Vec<Value> {
        names.iter().map(|name| counted(name, version, 1)).collect()
    };
    fleet.commit(&specs("v1")).await;
    for name in &names {
        fleet.until_ready(name).await;
    }
    fleet.commit(&specs("v2")).await;
    for name in &names {
        fleet.until_ready(name).await;
    }
    let refused = fleet.sandbox.calls().iter().filter(|call| call.status == 400).count();
    assert!(refused > 0, "nothing was throttled: the story proves nothing");
    for name in &names {
        assert_eq!(fleet.rollouts(name), ["SUCCESSFUL", "SUCCESSFUL"], "{name}");
        assert_eq!(fleet.revisions(&format!("shop-{name}")), 2, "{name}");
        assert_eq!(fleet.image(name), image(name, "v2"));
    }
}

#[tokio::test(start_paused = true)]
async fn stale_reads_roll_nothing_twice() {
    let mut fleet = Fleet::new().await;
    fleet.sandbox.edit(fleet.now(), |region| region.set_read_lag(Duration::from_secs(20)));
    fleet.commit(&[counted("web", "v1", 2)]).await;
    fleet.until_ready("web").await;
    for version in ["v2", "v3"] {
        fleet.commit(&[counted("web", version, 2)]).await;
        fleet.until("it runs", |fleet| fleet.image("web") == image("web", version)).await;
        fleet.until_ready("web").await;
    }
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"; 3]);
    assert_eq!(fleet.revisions("shop-web"), 3);
    let updates = fleet.changes_since(0);
    assert_eq!(updates.iter().filter(|one| *one == "RegisterTaskDefinition").count(), 3);
    assert_eq!(updates.iter().filter(|one| *one == "UpdateService").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn stale_reads_after_a_lost_reply_roll_nothing_twice() {
    for operation in ["CreateService", "UpdateService"] {
        let mut fleet = Fleet::new().await;
        fleet.sandbox.edit(fleet.now(), |region| region.set_read_lag(Duration::from_secs(20)));
        fleet.lose_reply(operation);
        fleet.commit(&[counted("web", "v1", 2)]).await;
        fleet.until_ready("web").await;
        fleet.commit(&[counted("web", "v2", 2)]).await;
        fleet.until("it runs", |fleet| fleet.image("web") == image("web", "v2")).await;
        fleet.until_ready("web").await;
        assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"; 2], "{operation}");
        assert_eq!(fleet.revisions("shop-web"), 2, "{operation}");
    }
}

/// A first rollout, a second one and a deletion, with the reply to each `operation` lost once.
async fn with_lost_replies(operation: &str) -> Fleet {
    let policy = crds::SyncPolicy { prune: Some(true), ..crds::SyncPolicy::default() };
    let mut fleet = Fleet::with(FleetOptions { policy, ..FleetOptions::default() }).await;
    fleet.commit(&[counted("api", "v1", 1)]).await;
    fleet.until_ready("api").await;
    fleet.lose_reply(operation);
    fleet.commit(&[counted("web", "v1", 2)]).await;
    fleet.until_ready("web").await;
    fleet.sandbox.clear_faults();
    fleet.lose_reply(operation);
    fleet.commit(&[counted("web", "v2", 2)]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"], "{operation}");
    assert_eq!(fleet.service("web").unwrap().running, 2);
    assert!(fleet.plan("web").await.is_settled());
    fleet.remove(&["web"]).await;
    fleet.until("web deleted", |fleet| fleet.living("web").is_none()).await;
    fleet.until("web forgotten", |fleet| fleet.object("web").is_none()).await;
    assert!(fleet.is_ready("api"));
    fleet
}

fn count(fleet: &Fleet, operation: &str) -> usize {
    fleet.calls_that_change(0).iter().filter(|call| call.operation == operation).count()
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_register_task_definition() {
    // The revision whose reply was lost is found again by its content: none is registered twice.
    let fleet = with_lost_replies("RegisterTaskDefinition").await;
    assert_eq!(fleet.revisions("shop-web"), 2);
    assert_eq!(count(&fleet, "RegisterTaskDefinition"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_create_service() {
    let fleet = with_lost_replies("CreateService").await;
    assert_eq!(fleet.revisions("shop-web"), 2);
    assert_eq!(count(&fleet, "CreateService"), 2, "one for each service");
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_update_service() {
    let fleet = with_lost_replies("UpdateService").await;
    assert_eq!(fleet.revisions("shop-web"), 2);
    assert_eq!(count(&fleet, "UpdateService"), 2, "one for v2, one to scale in");
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_tag_resource() {
    let fleet = with_lost_replies("TagResource").await;
    assert_eq!(fleet.revisions("shop-web"), 2);
    assert_eq!(count(&fleet, "TagResource"), 3, "two for v2, one for the deletion");
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_delete_service() {
    let fleet = with_lost_replies("DeleteService").await;
    assert_eq!(count(&fleet, "DeleteService"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_permission_that_is_missing_is_named_and_its_grant_is_noticed() {
    for operation in ["RegisterTaskDefinition", "UpdateService", "TagResource"] {
        let mut fleet = Fleet::new().await;
        fleet.commit(&[service("web", &image("web", "v1"))]).await;
        fleet.until_ready("web").await;
        fleet.deny(operation);
        fleet.commit(&[service("web", &image("web", "v2"))]).await;
        fleet.until_unready("web", Reason::AccessDenied).await;
        let said = fleet.ready("web").message;
        assert!(said.contains(&format!("ecs:{operation}")), "{said}");
        fleet.pass(Duration::from_mins(10)).await;
        fleet.sandbox.clear_faults();
        fleet.until_ready("web").await;
        assert_eq!(fleet.image("web"), image("web", "v2"), "{operation}");
        assert_eq!(fleet.revisions("shop-web"), 2, "{operation}");
        assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"], "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_spec_that_fails_is_tried_once_even_if_its_tag_can_not_be_set() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    // The tag before the rollout is set, the one after it is refused.
    let kind = FaultKind::Error {
        code: "AccessDeniedException".to_owned(),
        message: "no".to_owned(),
        status: 400,
    };
    let fault = Fault::once("ecs", "TagResource", kind);
    fleet.sandbox.inject(Fault { skip: 1, times: None, ..fault });
    fleet.image_exits(&image("web", "bad"));
    fleet.commit(&[service("web", &image("web", "bad"))]).await;
    fleet.pass(Duration::from_hours(1)).await;
    assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
    fleet.sandbox.clear_faults();
    fleet.pass(Duration::from_hours(1)).await;
    assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
    assert_eq!(fleet.holds("web"), [Reason::RolledBack]);
    // By now the tag is set, so that a new process knows as well.
    fleet.restart().await;
    fleet.pass(Duration::from_hours(1)).await;
    assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
    assert_eq!(fleet.holds("web"), [Reason::RolledBack]);
    fleet.commit(&[service("web", &image("web", "v2"))]).await;
    fleet.until_ready("web").await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_cannot_be_read_is_unknown_and_left_alone() {
    let mut fleet = Fleet::new().await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    let mark = fleet.sandbox.call_count();
    fleet.deny("DescribeServices");
    fleet.commit(&[service("web", &image("web", "v2"))]).await;
    fleet.until_unready("web", Reason::AccessDenied).await;
    assert_eq!(fleet.status("web").sync, crds::SyncStatus::Unknown);
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    fleet.sandbox.clear_faults();
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
}
