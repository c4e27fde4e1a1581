//! Rollouts between two target groups, judged by what the load balancer counts of each.

use std::time::Duration;

use controller::orders::Ask;
use crds::{CheckState, Reason, Verb};
use longshore_tests::specs::{image, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::ImageBehaviour;
use serde_json::{Value, json};

/// What the rollout brings may fail 3 % of its requests, or half as many again as what it replaces.
const RATE: &str = "<= 3% or <= 1.5 x old";

/// A load balancer with so many requests a minute for production, and for tests at another port.
async fn world(production: u32, test: u32) -> Fleet {
    let fixtures = format!(
        "
clusters: [{{name: shop}}]
latency: 8ms
targetGroups:
- {{name: blue, deregistrationDelaySeconds: 30}}
- {{name: green, deregistrationDelaySeconds: 30}}
loadBalancers:
- name: public
  listeners:
  - port: 443
    forward: [{{targetGroup: blue, weight: 1}}, {{targetGroup: green, weight: 0}}]
    requestsPerMinute: {production}
  - port: 8443
    forward: [{{targetGroup: blue, weight: 1}}, {{targetGroup: green, weight: 0}}]
    requestsPerMinute: {test}
"
    );
    let keep = Keep::Directory;
    Fleet::with(FleetOptions { fixtures, keep, ..FleetOptions::default() }).await
}

/// Traffic moves at once, and the old tasks stay for ten minutes.
fn blue_green() -> Value {
    json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 10 })
}

/// A tenth of the traffic moves first, for ten minutes.
fn canary() -> Value {
    let steps = json!({ "canaryPercent": 10.0, "canaryBakeTimeInMinutes": 10 });
    json!({ "strategy": "CANARY", "bakeTimeInMinutes": 0, "canaryConfiguration": steps })
}

fn rule(fleet: &Fleet, port: u16) -> String {
    let found =
        fleet.sandbox.look(fleet.now(), |region| region.listener_rule_arn("public", port, None));
    found.unwrap()
}

/// A version of `web` behind both target groups.
fn version(fleet: &Fleet, name: &str, configuration: &Value) -> Value {
    let group =
        |name: &str| fleet.sandbox.look(fleet.now(), |region| region.target_group_arn(name));
    let entry = json!([{
        "targetGroupArn": group("blue"), "containerName": "app", "containerPort": 8080,
        "advancedConfiguration": {
            "alternateTargetGroupArn": group("green"),
            "productionListenerRule": rule(fleet, 443),
            "testListenerRule": rule(fleet, 8443),
            "roleArn": "arn:aws:iam::111122223333:role/ecs-elb",
        },
    }]);
    let spec = with(service("web", &image("web", name)), "/spec/service/loadBalancers", entry);
    with(spec, "/spec/service/deploymentConfiguration", configuration.clone())
}

/// The same, judged by its rate of 5xx: all along, or at stages.
fn judged(fleet: &Fleet, name: &str, configuration: &Value, rate: &str, at: &[&str]) -> Value {
    let alb = json!({ "fiveXxRate": rate, "minRequests": 10 });
    let check = json!([{ "name": "errors", "alb": alb, "at": at }]);
    with(version(fleet, name, configuration), "/spec/rollout/checks", check)
}

/// Lets so many percent of the requests to a version fail.
fn fails(fleet: &Fleet, name: &str, percent: u32) {
    fleet.image_behaves(&image("web", name), ImageBehaviour::FailsRequests(percent));
}

/// The weights of blue and green for production.
fn weights(fleet: &Fleet) -> (u32, u32) {
    let rule = rule(fleet, 443);
    fleet.sandbox.look(fleet.now(), |region| {
        let weights = region.weights(&rule).unwrap();
        let of = |name: &str| {
            let group = region.target_group_arn(name);
            weights.iter().find(|(known, _)| *known == group).map_or(0, |(_, weight)| *weight)
        };
        (of("blue"), of("green"))
    })
}

async fn nothing_changes_for(fleet: &Fleet, time: Duration) {
    let mark = fleet.sandbox.call_count();
    fleet.pass(time).await;
    assert_eq!(fleet.changes_since(mark), [""; 0], "{}", fleet.describe());
}

/// Expects that the newest version was undone because of its errors, and that this is said with both figures.
async fn assert_undone(fleet: &Fleet, good: &str, figures: &[&str]) {
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.until("back", |fleet| fleet.rollouts("web")[0] == "ROLLBACK_SUCCESSFUL").await;
    fleet.pass(Duration::from_mins(2)).await;
    let said = fleet.ready("web").message;
    for figure in figures {
        assert!(said.contains(figure), "{figure} is not in: {said}");
    }
    assert!(said.contains("check `errors`"), "{said}");
    assert_eq!(fleet.image("web"), image("web", good));
    nothing_changes_for(fleet, Duration::from_hours(1)).await;
    assert_eq!(fleet.holds("web"), [Reason::RolledBack]);
    assert_eq!(fleet.service("web").unwrap().running, 2);
}

#[tokio::test(start_paused = true)]
async fn a_canary_with_more_errors_than_what_it_replaces_is_undone() {
    let mut fleet = world(1000, 100).await;
    fails(&fleet, "v1", 2);
    fails(&fleet, "v2", 20);
    fleet.commit(&[judged(&fleet, "v1", &canary(), RATE, &[])]).await;
    fleet.until_ready("web").await;
    fleet.commit(&[judged(&fleet, "v2", &canary(), RATE, &[])]).await;
    fleet.until("the canary has its share", |fleet| weights(fleet) == (90, 10)).await;
    let mut most = 0;
    while fleet.rollouts("web")[0] == "IN_PROGRESS" {
        most = most.max(weights(&fleet).1);
        fleet.pass(Duration::from_secs(1)).await;
    }
    assert_eq!(most, 10, "it never gets more than the share of a canary");
    let figures = ["5xx rate 20 % (old: 5xx rate 2 %) is not `<= 3% or <= 1.5 x old`"];
    assert_undone(&fleet, "v1", &figures).await;
    assert_eq!(weights(&fleet), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn a_green_side_with_more_errors_in_tests_never_gets_production() {
    let mut fleet = world(1000, 100).await;
    let at = ["POST_TEST_TRAFFIC_SHIFT"];
    fails(&fleet, "v1", 2);
    fails(&fleet, "v2", 20);
    fleet.commit(&[judged(&fleet, "v1", &blue_green(), RATE, &at)]).await;
    fleet.until_ready("web").await;
    let mark = fleet.sandbox.call_count();
    fleet.commit(&[judged(&fleet, "v2", &blue_green(), RATE, &at)]).await;
    let figures = ["5xx rate 20 % (old: 5xx rate 2 %) is not"];
    assert_undone(&fleet, "v1", &figures).await;
    let changes = fleet.changes_since(mark);
    assert!(!changes.contains(&"ContinueServiceDeployment".to_owned()), "{changes:?}");
    assert_eq!(weights(&fleet), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn a_green_side_with_all_the_traffic_is_compared_with_what_was_before() {
    let mut fleet = world(1000, 100).await;
    fails(&fleet, "v1", 2);
    fails(&fleet, "v2", 20);
    fleet.commit(&[judged(&fleet, "v1", &blue_green(), RATE, &[])]).await;
    fleet.until_ready("web").await;
    fleet.commit(&[judged(&fleet, "v2", &blue_green(), RATE, &[])]).await;
    fleet.until("all traffic has moved", |fleet| weights(fleet) == (0, 100)).await;
    let figures = ["5xx rate 20 % (old before the shift: 5xx rate 2 %) is not"];
    assert_undone(&fleet, "v1", &figures).await;
    assert_eq!(weights(&fleet), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_worse_than_what_it_replaces_passes() {
    for (configuration, at) in [
        (canary(), &[][..]),
        (blue_green(), &[][..]),
        (blue_green(), &["POST_TEST_TRAFFIC_SHIFT"][..]),
    ] {
        let mut fleet = world(1000, 100).await;
        fails(&fleet, "v1", 5);
        fails(&fleet, "v2", 5);
        fleet.commit(&[version(&fleet, "v1", &configuration)]).await;
        fleet.until_ready("web").await;
        fleet.commit(&[judged(&fleet, "v2", &configuration, RATE, at)]).await;
        fleet.until_ready("web").await;
        assert_eq!(fleet.image("web"), image("web", "v2"), "{configuration} {at:?}");
        assert_eq!(weights(&fleet), (0, 100));
        let check = fleet.status("web").rollout.unwrap().checks[0].clone();
        assert_eq!(check.state, CheckState::Passed);
        assert!(check.message.contains("5xx rate 5 % (old"), "{}", check.message);
        nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_success_the_groups_have_swapped_and_the_right_ones_are_compared() {
    for configuration in [canary(), blue_green()] {
        let mut fleet = world(1000, 100).await;
        for (name, percent) in [("v1", 1), ("v2", 2), ("v3", 20), ("v4", 0)] {
            fails(&fleet, name, percent);
        }
        for name in ["v1", "v2"] {
            fleet.commit(&[judged(&fleet, name, &configuration, RATE, &[])]).await;
            fleet.until_ready("web").await;
        }
        assert_eq!(weights(&fleet), (0, 100));
        fleet.commit(&[judged(&fleet, "v3", &configuration, RATE, &[])]).await;
        fleet.until("v3 has traffic", |fleet| weights(fleet).0 > 0).await;
        assert_undone(&fleet, "v2", &["5xx rate 20 % (old", ": 5xx rate 2 %)"]).await;
        assert_eq!(weights(&fleet), (0, 100));
        fleet.commit(&[judged(&fleet, "v4", &configuration, RATE, &[])]).await;
        fleet.until_ready("web").await;
        assert_eq!(fleet.image("web"), image("web", "v4"));
        assert_eq!(weights(&fleet), (100, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_green_side_that_nobody_asks_waits_for_a_person() {
    let mut fleet = world(1000, 0).await;
    fleet.commit(&[version(&fleet, "v1", &blue_green())]).await;
    fleet.until_ready("web").await;
    let at = ["POST_TEST_TRAFFIC_SHIFT"];
    fleet.commit(&[judged(&fleet, "v2", &blue_green(), RATE, &at)]).await;
    fleet.until_stalled("web", Reason::ChecksInconclusive).await;
    let said = fleet.ready("web").message;
    assert!(said.contains("0 requests are too few to say anything; 10 are needed"), "{said}");
    nothing_changes_for(&fleet, Duration::from_hours(3)).await;
    assert!(!fleet.is_ready("web"));
    assert_eq!(weights(&fleet), (100, 0));
    fleet.order("web", Verb::Promote, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(weights(&fleet), (0, 100));
}

#[tokio::test(start_paused = true)]
async fn a_canary_without_requests_stays_one_until_a_person_decides() {
    for verb in [Verb::Abort, Verb::Promote] {
        let mut fleet = world(0, 0).await;
        fleet.commit(&[version(&fleet, "v1", &canary())]).await;
        fleet.until_ready("web").await;
        fleet.commit(&[judged(&fleet, "v2", &canary(), RATE, &[])]).await;
        fleet.until_stalled("web", Reason::ChecksInconclusive).await;
        fleet.until("at the second step", |fleet| waits_at(fleet, BEFORE_TRAFFIC)).await;
        nothing_changes_for(&fleet, Duration::from_hours(3)).await;
        assert_eq!(weights(&fleet), (90, 10), "silence is no success");
        let said = fleet.ready("web").message;
        assert!(
            said.contains("0 requests are too few") && said.contains("ECS rolls back"),
            "{said}"
        );
        fleet.order("web", verb, &Ask::default()).await;
        if verb == Verb::Abort {
            fleet.until_stalled("web", Reason::Aborted).await;
            fleet.pass(Duration::from_mins(30)).await;
            assert_eq!(fleet.image("web"), image("web", "v1"));
            assert_eq!(weights(&fleet), (100, 0));
            continue;
        }
        // The old tasks stay until somebody takes the new ones for good.
        fleet.until("all traffic has moved", |fleet| weights(fleet) == (0, 100)).await;
        nothing_changes_for(&fleet, Duration::from_hours(3)).await;
        assert_eq!(fleet.service("web").unwrap().running, 4);
        assert!(waits_at(&fleet, "POST_PRODUCTION_TRAFFIC_SHIFT"));
        fleet.order("web", Verb::Promote, &Ask::default()).await;
        fleet.until("ECS has ended it", |fleet| fleet.rollouts("web")[0] == "SUCCESSFUL").await;
        fleet.until_stalled("web", Reason::ChecksInconclusive).await;
        fleet.order("web", Verb::Promote, &Ask::default()).await;
        fleet.until_ready("web").await;
        assert_eq!(fleet.image("web"), image("web", "v2"));
    }
}

const BEFORE_TRAFFIC: &str = "PRE_PRODUCTION_TRAFFIC_SHIFT";

/// Whether the rollout waits at a gate of this stage.
fn waits_at(fleet: &Fleet, stage: &str) -> bool {
    let waiting = fleet.status("web").rollout.map(|rollout| rollout.waiting).unwrap_or_default();
    waiting.iter().any(|hook| hook.is_gate && hook.stage.as_deref() == Some(stage))
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_is_heard_goes_on_by_itself() {
    let mut fleet = world(1000, 0).await;
    fleet.commit(&[version(&fleet, "v1", &canary())]).await;
    fleet.until_ready("web").await;
    let mark = fleet.sandbox.call_count();
    fleet.commit(&[judged(&fleet, "v2", &canary(), RATE, &[])]).await;
    fleet.until_ready("web").await;
    assert_eq!(weights(&fleet), (0, 100));
    let answers = fleet.changes_since(mark);
    let answers = answers.iter().filter(|call| *call == "ContinueServiceDeployment").count();
    assert_eq!(answers, 3, "before each of two steps, and before the old tasks go");
}

/// A version that is judged by what the load balancer says, without a word of what that has to be.
fn watched(fleet: &Fleet, name: &str, configuration: &Value) -> Value {
    let check = json!([{ "name": "errors", "alb": {} }]);
    with(version(fleet, name, configuration), "/spec/rollout/checks", check)
}

#[tokio::test(start_paused = true)]
async fn without_a_condition_a_bad_green_side_is_stopped_and_a_usual_one_is_not() {
    for configuration in [blue_green(), canary()] {
        let mut fleet = world(1000, 100).await;
        for (name, percent) in [("v1", 4), ("v2", 20), ("v3", 4)] {
            fails(&fleet, name, percent);
        }
        fleet.commit(&[version(&fleet, "v1", &configuration)]).await;
        fleet.until_ready("web").await;
        fleet.commit(&[watched(&fleet, "v2", &configuration)]).await;
        let figures = ["5xx rate 20 % (old", ": 5xx rate 4 %) is not `<= 1% or <= 1.5 x old`"];
        assert_undone(&fleet, "v1", &figures).await;
        assert_eq!(weights(&fleet), (100, 0), "{configuration}");
        assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
        // Over one percent, and no worse than what it replaces.
        fleet.commit(&[watched(&fleet, "v3", &configuration)]).await;
        if configuration == blue_green() {
            // All traffic has moved at once, so that nothing old is left to compare with: a person decides.
            fleet.until_unready("web", Reason::ChecksInconclusive).await;
            let said = fleet.ready("web").message;
            assert!(said.contains("there is nothing old to compare with"), "{said}");
            continue;
        }
        fleet.until_ready("web").await;
        assert_eq!(fleet.image("web"), image("web", "v3"), "{configuration}");
        assert_eq!(weights(&fleet), (0, 100));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_measured_before_the_new_side_has_traffic() {
    let mut fleet = world(1000, 0).await;
    fleet.commit(&[version(&fleet, "v1", &blue_green())]).await;
    fleet.until_ready("web").await;
    let approval = json!({ "required": true, "at": ["POST_SCALE_UP"] });
    let gated = judged(&fleet, "v2", &blue_green(), RATE, &[]);
    fleet.commit(&[with(gated, "/spec/rollout/approval", approval)]).await;
    fleet.until_stalled("web", Reason::AwaitingApproval).await;
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    assert_eq!(fleet.ready("web").reason, Reason::AwaitingApproval);
    let check = fleet.status("web").rollout.unwrap().checks[0].clone();
    assert_eq!((check.state, check.measured), (CheckState::Waiting, 0), "{check:?}");
    fleet.order("web", Verb::Approve, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(weights(&fleet), (0, 100));
}
