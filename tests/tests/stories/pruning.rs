//! A spec leaves its source. Services are deleted from knowledge only.

use std::time::Duration;

use controller::orders::Ask;
use crds::{Percent, Reason, SyncPolicy, Verb};
use longshore_tests::specs::{counted, daemon, image, with};
use longshore_tests::{Fleet, FleetOptions};
use sandbox::{Fault, FaultKind, ImageBehaviour};
use serde_json::{Value, json};

/// The calls that delete a service of some tasks.
const DELETION: [&str; 3] = ["TagResource", "UpdateService", "DeleteService"];

fn pruning() -> FleetOptions {
    let policy = SyncPolicy { prune: Some(true), ..SyncPolicy::default() };
    FleetOptions { policy, ..FleetOptions::default() }
}

/// A running fleet of one-task services with these names.
async fn fleet_of(options: FleetOptions, names: &[&str]) -> Fleet {
    let mut fleet = Fleet::with(options).await;
    let specs: Vec<Value> = names.iter().map(|name| counted(name, "v1", 1)).collect();
    fleet.commit(&specs).await;
    for name in names {
        fleet.until_ready(name).await;
    }
    fleet
}

#[tokio::test(start_paused = true)]
async fn with_prune_the_service_is_deleted_and_forgotten() {
    let mut fleet = fleet_of(pruning(), &["web", "api"]).await;
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["web"]).await;
    fleet.until("web deleted", |fleet| fleet.living("web").is_none()).await;
    fleet.until("web forgotten", |fleet| fleet.object("web").is_none()).await;
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.changes_since(mark), DELETION);
    assert!(fleet.is_ready("api"));
    assert_eq!(fleet.service("api").unwrap().running, 1);
    // It comes back with its spec.
    fleet.commit(&[counted("web", "v2", 1)]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.living("web").unwrap().running, 1);
}

#[tokio::test(start_paused = true)]
async fn without_prune_the_service_goes_on_and_is_reported() {
    let mut fleet = fleet_of(FleetOptions::default(), &["web", "api"]).await;
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["web"]).await;
    fleet.until_stalled("web", Reason::PruneOff).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.service("web").unwrap().running, 1);
}

#[tokio::test(start_paused = true)]
async fn tasks_end_before_their_service_is_deleted_and_no_force_is_used() {
    let mut fleet = Fleet::with(pruning()).await;
    fleet.image_behaves(&image("web", "v1"), ImageBehaviour::IgnoresStop);
    fleet.commit(&[counted("web", "v1", 1), counted("api", "v1", 1)]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["web"]).await;
    fleet.until_unready("web", Reason::Draining).await;
    assert!(fleet.ready("web").message.contains("1 are left"), "{:?}", fleet.ready("web"));
    fleet.until("web deleted", |fleet| fleet.living("web").is_none()).await;
    let calls = fleet.calls_that_change(mark);
    let [scaled_in, deleted] = ["UpdateService", "DeleteService"]
        .map(|operation| calls.iter().find(|call| call.operation == operation).unwrap());
    assert_eq!(scaled_in.request["desiredCount"], 0);
    assert_eq!(deleted.request["force"], false);
    let left = &deleted.response["service"];
    assert_eq!((&left["runningCount"], &left["pendingCount"]), (&json!(0), &json!(0)));
}

#[tokio::test(start_paused = true)]
async fn a_spec_that_comes_back_while_its_service_drains_gets_its_tasks_back() {
    // Whether the spec says how many, or leaves that to others.
    for (is_said, self_heal) in [(true, true), (true, false), (false, true), (false, false)] {
        let sync = json!({ "selfHeal": self_heal });
        let mut spec = with(counted("web", "v1", 3), "/spec/sync", sync);
        if !is_said {
            spec["spec"]["service"].as_object_mut().unwrap().remove("desiredCount");
        }
        let mut fleet = Fleet::with(pruning()).await;
        fleet.image_behaves(&image("web", "v1"), ImageBehaviour::IgnoresStop);
        fleet.commit(&[spec.clone(), counted("api", "v1", 1)]).await;
        fleet.until_ready("web").await;
        if !is_said {
            let three = json!({ "cluster": "shop", "service": "web", "desiredCount": 3 });
            fleet.console("UpdateService", three);
            fleet.until("three", |fleet| fleet.service("web").unwrap().running == 3).await;
        }
        fleet.remove(&["web"]).await;
        fleet.until("scaled in", |fleet| fleet.service("web").unwrap().desired == 0).await;
        fleet.commit(&[spec]).await;
        fleet.until("back", |fleet| fleet.service("web").unwrap().desired == 3).await;
        fleet.until_ready("web").await;
        fleet.until("all back", |fleet| fleet.service("web").unwrap().running == 3).await;
        assert_eq!(fleet.tag("web", "longshore.dev/deleting"), None);
        assert_eq!(fleet.living("web").unwrap().records.len(), 1, "no rollout was needed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_daemon_is_deleted_without_force() {
    let fixtures = "clusters: [{name: shop, instances: [{count: 2}]}]\nlatency: 8ms\n".to_owned();
    let mut fleet = Fleet::with(FleetOptions { fixtures, ..pruning() }).await;
    fleet.commit(&[daemon("agent", &image("agent", "v1")), counted("api", "v1", 1)]).await;
    fleet.until_ready("agent").await;
    fleet.until_ready("api").await;
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["agent"]).await;
    fleet.until("agent deleted", |fleet| fleet.object("agent").is_none()).await;
    assert_eq!(fleet.changes_since(mark), ["DeleteService"]);
    assert_eq!(fleet.calls_that_change(mark)[0].request["force"], false);
}

/// A running fleet of `web`, which its deletion policy keeps, and `api`.
async fn keeping_web() -> Fleet {
    let mut fleet = Fleet::with(pruning()).await;
    let orphan = json!({ "deletionPolicy": "Orphan" });
    let scaling = json!({ "minCapacity": 1, "maxCapacity": 4, "targetTracking": [
        { "name": "cpu", "predefinedMetric": "ECSServiceAverageCPUUtilization", "targetValue": 60 }] });
    let web = with(counted("web", "v1", 1), "/spec/sync", orphan);
    fleet.commit(&[with(web, "/spec/scaling", scaling), counted("api", "v1", 1)]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
    fleet
}

#[tokio::test(start_paused = true)]
async fn the_orphan_policy_keeps_everything_but_our_tags_even_over_a_restart() {
    let mut fleet = keeping_web().await;
    let mark = fleet.sandbox.call_count();
    fleet.kill().await;
    fleet.remove(&["web"]).await;
    fleet.restart().await;
    fleet.until("let go", |fleet| fleet.tag("web", "longshore.dev/owner").is_none()).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), ["UntagResource"]);
    let web = fleet.living("web").unwrap();
    assert_eq!((web.running, web.tags), (1, Vec::new()));
    assert!(fleet.object("web").is_none(), "it is nobody's");
    let input = json!({ "ServiceNamespace": "ecs" });
    let targets = fleet.console_of("application-autoscaling", "DescribeScalableTargets", input);
    assert_eq!(targets["ScalableTargets"].as_array().unwrap().len(), 1);
    // Whoever wants it back says so.
    fleet.commit(&[counted("web", "v1", 1)]).await;
    fleet.until_stalled("web", Reason::NotOwned).await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_source_takes_no_tags_off() {
    let mut fleet = keeping_web().await;
    let mark = fleet.sandbox.call_count();
    fleet.kill().await;
    fleet.write(&[("web.json", ""), ("api.json", "")]);
    fleet.restart_unread().await;
    fleet.fetch().await.unwrap();
    fleet.until_stalled("web", Reason::Orphaned).await;
    fleet.until_stalled("api", Reason::PruneBrake).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_protected_service_outlives_its_spec_until_the_protection_is_taken_off() {
    let mut fleet = fleet_of(pruning(), &["web", "api"]).await;
    let protect = json!({ "longshore.dev/protect": "true" });
    fleet.commit(&[with(counted("web", "v1", 1), "/metadata/annotations", protect)]).await;
    fleet
        .until("marked", |fleet| {
            fleet.tag("web", "longshore.dev/protect").as_deref() == Some("true")
        })
        .await;
    assert_eq!(fleet.rollouts("web").len(), 1, "a mark rolls nothing");
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["web"]).await;
    fleet.until_stalled("web", Reason::Protected).await;
    fleet.restart().await;
    fleet.until_stalled("web", Reason::Protected).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    // The spec comes back without the annotation, which takes the protection off.
    fleet.commit(&[counted("web", "v1", 1)]).await;
    fleet.until("unmarked", |fleet| fleet.tag("web", "longshore.dev/protect").is_none()).await;
    fleet.remove(&["web"]).await;
    fleet.until("web deleted", |fleet| fleet.living("web").is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn a_protected_service_is_not_replaced() {
    let spec = |launch_type: &str, protect: &str| {
        let spec = with(counted("web", "v1", 1), "/spec/service/launchType", json!(launch_type));
        let both = json!(["EC2", "FARGATE"]);
        let spec = with(spec, "/spec/taskDefinition/requiresCompatibilities", both);
        with(spec, "/metadata/annotations", json!({ "longshore.dev/protect": protect }))
    };
    let fixtures = "clusters: [{name: shop, instances: [{count: 3}]}]\nlatency: 8ms\n".to_owned();
    let mut fleet = Fleet::with(FleetOptions { fixtures, ..FleetOptions::default() }).await;
    fleet.commit(&[spec("FARGATE", "true")]).await;
    fleet.until_ready("web").await;
    fleet.commit(&[spec("EC2", "true")]).await;
    fleet.until_stalled("web", Reason::NeedsReplacement).await;
    let mark = fleet.sandbox.call_count();
    fleet.order("web", Verb::Sync, &Ask { replace: true, ..Ask::default() }).await;
    fleet.until_stalled("web", Reason::Protected).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    fleet.commit(&[spec("EC2", "false")]).await;
    fleet.until_ready("web").await;
    assert!(fleet.changes_since(mark).contains(&"DeleteService".to_owned()));
}

/// Twelve services, so that the brake lets two go at once; `api` depends on `auth`.
async fn depending(options: FleetOptions) -> Fleet {
    let mut fleet = Fleet::with(options).await;
    let mut specs: Vec<Value> =
        (0..10).map(|number| counted(&format!("s{number}"), "v1", 1)).collect();
    let rollout = json!({ "dependsOn": ["auth"] });
    specs.push(with(counted("api", "v1", 1), "/spec/rollout", rollout));
    specs.push(counted("auth", "v1", 1));
    fleet.commit(&specs).await;
    fleet
        .until("all ready", |fleet| (0..10).all(|number| fleet.is_ready(&format!("s{number}"))))
        .await;
    fleet.until_ready("api").await;
    fleet
}

/// Waits until `auth` is taken away, and says what had become of `api` by then.
async fn api_when_auth_goes(fleet: &Fleet) -> String {
    let status = std::cell::RefCell::new(String::new());
    fleet
        .until("auth scaled in", |fleet| {
            let api = fleet.service("api").map_or("MISSING".to_owned(), |api| api.status);
            *status.borrow_mut() = api;
            fleet.service("auth").is_none_or(|auth| auth.desired == 0)
        })
        .await;
    status.into_inner()
}

#[tokio::test(start_paused = true)]
async fn dependents_are_deleted_before_what_they_depend_on_even_over_a_restart() {
    for restarts in [false, true] {
        let interval = Duration::from_hours(12);
        let mut fleet = depending(FleetOptions { interval, ..pruning() }).await;
        if restarts {
            fleet.kill().await;
        }
        fleet.remove(&["auth", "api"]).await;
        if restarts {
            // The files are gone: only the tags tell who depends on whom.
            fleet.restart().await;
        }
        fleet.until_unready("auth", Reason::WaitingForDependents).await;
        let message = fleet.ready("auth").message;
        let api = api_when_auth_goes(&fleet).await;
        assert!(!["ACTIVE", "DRAINING"].contains(&api.as_str()), "{restarts}: {message}: {api}");
        fleet.until("both forgotten", |fleet| fleet.object("auth").is_none()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_spec_still_depends_on_is_not_deleted() {
    let mut fleet = depending(pruning()).await;
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["auth"]).await;
    fleet.until_unready("auth", Reason::WaitingForDependents).await;
    assert!(fleet.ready("auth").message.contains("shop/api still depends on"));
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    fleet.commit(&[counted("api", "v1", 1)]).await;
    fleet.until("auth deleted", |fleet| fleet.object("auth").is_none()).await;
    assert!(fleet.living("api").is_some());
    assert_eq!(fleet.tag("api", "longshore.dev/depends-on"), None);
}

#[tokio::test(start_paused = true)]
async fn services_that_depended_on_each_other_do_not_wait_for_each_other() {
    let mut fleet = depending(pruning()).await;
    let rollout = json!({ "dependsOn": ["api"] });
    fleet.commit(&[with(counted("auth", "v1", 1), "/spec/rollout", rollout)]).await;
    fleet.until("marked", |fleet| fleet.tag("auth", "longshore.dev/depends-on").is_some()).await;
    fleet.remove(&["auth", "api"]).await;
    fleet
        .until("both forgotten", |fleet| {
            fleet.object("auth").is_none() && fleet.object("api").is_none()
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_brake_holds_a_revision_that_removes_too_many() {
    let names = ["a", "b", "c", "d", "e"];
    let mut fleet = fleet_of(pruning(), &names).await;
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["a", "b"]).await;
    fleet.until_stalled("a", Reason::PruneBrake).await;
    fleet.until_stalled("b", Reason::PruneBrake).await;
    fleet.pass(Duration::from_mins(10)).await;
    fleet.restart().await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    fleet.commit(&[counted("b", "v1", 1)]).await;
    fleet.until("a deleted", |fleet| fleet.living("a").is_none()).await;
    fleet.until_ready("b").await;
    assert_eq!(fleet.changes_since(mark), DELETION);
}

#[tokio::test(start_paused = true)]
async fn a_source_says_itself_how_many_may_leave_at_once() {
    let names = ["a", "b", "c", "d", "e"];
    for (percent, is_deleted) in [(0, false), (39, false), (40, true)] {
        let policy = SyncPolicy {
            prune: Some(true),
            prune_brake: Some(Percent::of(percent)),
            ..SyncPolicy::default()
        };
        let mut fleet = fleet_of(FleetOptions { policy, ..FleetOptions::default() }, &names).await;
        fleet.remove(&["a", "b"]).await;
        if is_deleted {
            let are_gone =
                |fleet: &Fleet| ["a", "b"].iter().all(|name| fleet.living(name).is_none());
            fleet.until("both deleted", are_gone).await;
            continue;
        }
        fleet.until_stalled("a", Reason::PruneBrake).await;
        fleet.pass(Duration::from_mins(10)).await;
        assert!(fleet.living("a").is_some() && fleet.living("b").is_some(), "{percent} %");
        let said = fleet.ready("a").message;
        assert!(said.contains("at most 1 may be deleted (`sync.pruneBrake`)"), "{said}");
        // One may leave whatever the share.
        fleet.commit(&[counted("b", "v1", 1)]).await;
        fleet.until("a deleted", |fleet| fleet.living("a").is_none()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_brake_holds_when_a_restarted_operator_finds_only_some_of_the_orphans() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let mut fleet = fleet_of(pruning(), &names).await;
    let mark = fleet.sandbox.call_count();
    fleet.kill().await;
    fleet.remove(&["a", "b", "c", "d"]).await;
    // The search for services without specs is cut short after the first, the second, and so on.
    for skip in 0..6 {
        let kind = FaultKind::Error {
            code: "ServerException".to_owned(),
            message: "not now".to_owned(),
            status: 500,
        };
        let fault = Fault { skip, times: Some(40), ..Fault::once("ecs", "DescribeServices", kind) };
        fleet.sandbox.inject(fault);
        fleet.restart().await;
        fleet.pass(Duration::from_mins(3)).await;
        fleet.sandbox.clear_faults();
        assert_eq!(fleet.changes_since(mark), [""; 0], "cut short after {skip}");
    }
    fleet.until_stalled("a", Reason::PruneBrake).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_found_empty_at_the_start_is_no_order_to_delete() {
    let mut fleet = fleet_of(pruning(), &["web"]).await;
    let mark = fleet.sandbox.call_count();
    fleet.kill().await;
    fleet.write(&[("web.json", "")]);
    fleet.restart_unread().await;
    fleet.fetch().await.unwrap();
    fleet.until_stalled("web", Reason::PruneBrake).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_document_without_a_readable_name_holds_all_pruning() {
    let mut fleet = fleet_of(pruning(), &["web", "api"]).await;
    let mark = fleet.sandbox.call_count();
    let nameless =
        "apiVersion: longshore.dev/v1alpha1\nkind: Service\nmetadata: {nmae: web}\nspec: {}\n";
    fleet.commit_files(&[("web.json", ""), ("renamed.yaml", nameless)]).await;
    fleet.until_stalled("web", Reason::SourceIncomplete).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    fleet.commit_files(&[("renamed.yaml", "")]).await;
    fleet.until("web deleted", |fleet| fleet.living("web").is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn a_restarted_operator_deletes_only_after_it_has_read_the_source() {
    let mut fleet = fleet_of(pruning(), &["web", "api"]).await;
    let mark = fleet.sandbox.call_count();
    fleet.kill().await;
    fleet.write(&[("web.json", "")]);
    fleet.restart_unread().await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert!(fleet.living("web").is_some());
    fleet.fetch().await.unwrap();
    fleet.until("web deleted", |fleet| fleet.living("web").is_none()).await;
    assert_eq!(fleet.changes_since(mark), DELETION);
    fleet.until_ready("api").await;
}

#[tokio::test(start_paused = true)]
async fn an_orphan_of_a_source_that_is_configured_no_more_stays() {
    let mut fleet = fleet_of(pruning(), &["web", "api"]).await;
    let arn = fleet.console("DescribeServices", json!({ "cluster": "shop", "services": ["web"] }))
        ["services"][0]["serviceArn"]
        .clone();
    fleet.kill().await;
    let other = json!([{ "key": "longshore.dev/source", "value": "elsewhere" }]);
    fleet.console("TagResource", json!({ "resourceArn": arn, "tags": other }));
    let mark = fleet.sandbox.call_count();
    fleet.remove(&["web"]).await;
    fleet.restart().await;
    fleet.until_stalled("web", Reason::SourceIncomplete).await;
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_renamed_service_comes_up_and_the_old_one_goes() {
    let mut fleet = fleet_of(pruning(), &["web", "api"]).await;
    let renamed = serde_json::to_string(&counted("site", "v1", 1)).unwrap();
    fleet.commit_files(&[("web.json", &renamed)]).await;
    fleet.until_ready("site").await;
    fleet.until("web deleted", |fleet| fleet.living("web").is_none()).await;
    assert_eq!(fleet.living("site").unwrap().running, 1);
    let mut fleet = fleet_of(FleetOptions::default(), &["web", "api"]).await;
    fleet.commit_files(&[("web.json", &renamed)]).await;
    fleet.until_ready("site").await;
    fleet.until_stalled("web", Reason::PruneOff).await;
    assert_eq!(fleet.living("web").unwrap().running, 1);
}
