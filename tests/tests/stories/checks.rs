//! Rollouts that are judged by what is measured of them.

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use controller::orders::Ask;
use crds::{CheckState, Health, Reason, ReleaseOutcome, Verb};
use longshore_tests::specs::{counted, image, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep, Probe};
use sandbox::ImageBehaviour;
use serde_json::{Value, json};

/// A version whose rollout is judged by a request every ten seconds, and what else the check has.
fn version(name: &str, more: &Value) -> Value {
    let mut check = json!({
        "name": "smoke", "http": { "url": "https://web.example/ready" }, "interval": "10s",
    });
    for (member, value) in more.as_object().unwrap() {
        check[member] = value.clone();
    }
    with(service("web", &image("web", name)), "/spec/rollout/checks", json!([check]))
}

async fn fleet(keep: Keep) -> (Fleet, Probe) {
    let probe = Probe::new();
    let options = FleetOptions { keep, checks: probe.checks(), ..FleetOptions::default() };
    (Box::pin(Fleet::with(options)).await, probe)
}

/// A fleet whose service runs v1, which has passed its checks.
async fn at_v1(keep: Keep, more: &Value) -> (Fleet, Probe) {
    let (mut fleet, probe) = Box::pin(fleet(keep)).await;
    fleet.commit(&[version("v1", more)]).await;
    fleet.until_ready("web").await;
    (fleet, probe)
}

fn state(fleet: &Fleet) -> CheckState {
    fleet.status("web").rollout.unwrap().checks[0].state
}

async fn until_ecs_has_ended(fleet: &Fleet, rollouts: usize) {
    fleet
        .until("ECS has ended it", |fleet| {
            let found = fleet.rollouts("web");
            found.len() == rollouts && found.iter().all(|status| status == "SUCCESSFUL")
        })
        .await;
}

async fn nothing_changes_for(fleet: &Fleet, time: Duration) {
    let mark = fleet.sandbox.call_count();
    fleet.pass(time).await;
    assert_eq!(fleet.changes_since(mark), [""; 0], "{}", fleet.describe());
}

#[tokio::test(start_paused = true)]
async fn a_service_is_ready_only_after_its_checks() {
    let after = json!({ "after": "5m" });
    let (mut fleet, probe) = Box::pin(at_v1(Keep::Memory, &after)).await;
    assert_eq!(state(&fleet), CheckState::Passed);
    fleet.commit(&[version("v2", &after)]).await;
    fleet.until("v2 begins", |fleet| fleet.rollouts("web").len() == 2).await;
    until_ecs_has_ended(&fleet, 2).await;
    let ended = fleet.now();
    fleet.until_unready("web", Reason::ChecksRunning).await;
    let before = probe.asked();
    fleet.until_ready("web").await;
    let waited = fleet.now().duration_since(ended).as_secs();
    assert!((290..=340).contains(&waited), "{waited}");
    assert!((25..=35).contains(&(probe.asked() - before)), "{}", probe.asked() - before);
    let status = fleet.status("web");
    let check = &status.rollout.as_ref().unwrap().checks[0];
    assert_eq!((check.state, check.failed), (CheckState::Passed, 0));
    assert_eq!(check.last.as_ref().unwrap().value.as_deref(), Some("0.02 s"));
    // What has passed is not measured any more, whatever becomes of it, and a restart brings nothing new.
    probe.answer(Ok(500));
    let before = probe.asked();
    nothing_changes_for(&fleet, Duration::from_mins(30)).await;
    fleet.restart().await;
    fleet.until_ready("web").await;
    fleet.order("web", Verb::Restart, &Ask::default()).await;
    fleet.until("restarted", |fleet| fleet.rollouts("web").len() == 3).await;
    fleet.until_ready("web").await;
    assert_eq!(probe.asked(), before);
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

#[tokio::test(start_paused = true)]
async fn a_bad_version_is_stopped_while_it_rolls_and_held() {
    let (mut fleet, probe) = Box::pin(at_v1(Keep::Directory, &json!({}))).await;
    probe.answer(Ok(503));
    fleet.commit(&[version("v2", &json!({}))]).await;
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet
        .until("rolled back", |fleet| {
            fleet.rollouts("web").iter().any(|status| status == "ROLLBACK_SUCCESSFUL")
        })
        .await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    fleet.pass(Duration::from_mins(2)).await;
    let said = fleet.ready("web").message;
    for part in ["check `smoke`", "status 503", "1 of 1 measurements failed, 0 may"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(state(&fleet), CheckState::Failed);
    let past = fleet.past("web").await;
    assert_eq!(past.iter().filter(|one| one.outcome == ReleaseOutcome::RolledBack).count(), 1);
    nothing_changes_for(&fleet, Duration::from_mins(30)).await;
    fleet.restart().await;
    nothing_changes_for(&fleet, Duration::from_mins(30)).await;
    assert_eq!(fleet.holds("web"), [Reason::RolledBack]);
    // A better version needs nobody.
    probe.answer(Ok(200));
    fleet.commit(&[version("v3", &json!({}))]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v3"));
    assert_eq!(fleet.tag("web", "longshore.dev/held-spec"), None);
}

#[tokio::test(start_paused = true)]
async fn a_failure_after_ecs_has_ended_goes_back_once_and_holds() {
    let after = json!({ "after": "10m", "failureLimit": 1 });
    let (mut fleet, probe) = Box::pin(at_v1(Keep::Directory, &after)).await;
    fleet.commit(&[version("v2", &after)]).await;
    fleet.until_unready("web", Reason::ChecksRunning).await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    let mark = fleet.sandbox.call_count();
    probe.answer(Ok(500));
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.changes_since(mark), ["TagResource", "UpdateService"]);
    assert_eq!(fleet.image("web"), image("web", "v1"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL", "SUCCESSFUL"]);
    let said = fleet.ready("web").message;
    assert!(said.contains("2 of") && said.contains("1 may"), "{said}");
    let past = fleet.past("web").await;
    let outcomes: Vec<ReleaseOutcome> = past.iter().map(|one| one.outcome).collect();
    assert_eq!(outcomes[1], ReleaseOutcome::RolledBack, "{past:#?}");
    // The rollback itself is not judged, however the checks stand.
    let asked = probe.asked();
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    assert_eq!(probe.asked(), asked);
    // The operator's memory is not what holds it.
    fleet.lose_state();
    fleet.restart().await;
    nothing_changes_for(&fleet, Duration::from_mins(30)).await;
    assert_eq!(fleet.holds("web"), [Reason::RolledBack]);
    // A person may try it again, and then it is judged again.
    probe.answer(Ok(200));
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert!(probe.asked() > asked);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_is_neither_success_nor_failure() {
    let (mut fleet, probe) = Box::pin(at_v1(Keep::Directory, &json!({}))).await;
    probe.answer(Err("connection refused"));
    fleet.commit(&[version("v2", &json!({}))]).await;
    fleet.until_stalled("web", Reason::ChecksInconclusive).await;
    let said = fleet.ready("web").message;
    for part in ["connection refused", "longshore promote", "longshore abort"] {
        assert!(said.contains(part), "{said}");
    }
    nothing_changes_for(&fleet, Duration::from_hours(3)).await;
    assert!(!fleet.is_ready("web"));
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(state(&fleet), CheckState::Inconclusive);
    // A person who knows better decides.
    fleet.order("web", Verb::Promote, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    nothing_changes_for(&fleet, Duration::from_mins(30)).await;
}

#[tokio::test(start_paused = true)]
async fn a_person_who_sees_nothing_may_go_back_and_a_provider_may_return() {
    let (mut fleet, probe) = Box::pin(at_v1(Keep::Directory, &json!({}))).await;
    probe.answer(Err("no route"));
    fleet.commit(&[version("v2", &json!({}))]).await;
    fleet.until_stalled("web", Reason::ChecksInconclusive).await;
    probe.answer(Ok(200));
    fleet.until_ready("web").await;
    probe.answer(Err("no route"));
    fleet.commit(&[version("v3", &json!({}))]).await;
    fleet.until_stalled("web", Reason::ChecksInconclusive).await;
    fleet.order("web", Verb::Abort, &Ask::default()).await;
    fleet.until_stalled("web", Reason::Aborted).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(fleet.holds("web"), [Reason::Aborted]);
}

#[tokio::test(start_paused = true)]
async fn an_analysis_goes_on_after_a_restart_and_is_never_skipped() {
    let after = json!({ "after": "10m" });
    for keep in [Keep::Directory, Keep::Memory] {
        let (mut fleet, probe) = Box::pin(at_v1(keep, &after)).await;
        fleet.commit(&[version("v2", &after)]).await;
        fleet.until_unready("web", Reason::ChecksRunning).await;
        fleet.pass(Duration::from_mins(8)).await;
        fleet.restart().await;
        let restarted = fleet.now();
        fleet.pass(Duration::from_mins(1)).await;
        assert!(!fleet.is_ready("web"), "{keep:?}");
        fleet.until_ready("web").await;
        let waited = fleet.now().duration_since(restarted).as_secs();
        // What was written down counts; what was lost is measured again.
        let expected = if keep == Keep::Directory { 60..=200 } else { 590..=700 };
        assert!(expected.contains(&waited), "{keep:?}: {waited}");
        fleet.commit(&[version("v3", &after)]).await;
        fleet.until_unready("web", Reason::ChecksRunning).await;
        fleet.restart().await;
        probe.answer(Ok(500));
        fleet.until_stalled("web", Reason::RolledBack).await;
        fleet.pass(Duration::from_mins(5)).await;
        assert_eq!(fleet.image("web"), image("web", "v2"), "{keep:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_version_that_fails_stays_and_is_told() {
    let (mut fleet, probe) = Box::pin(fleet(Keep::Memory)).await;
    probe.answer(Ok(500));
    fleet.commit(&[version("v1", &json!({}))]).await;
    fleet.until_stalled("web", Reason::ChecksFailed).await;
    let said = fleet.ready("web").message;
    assert!(said.contains("no earlier release"), "{said}");
    assert_eq!(fleet.status("web").health, Health::Degraded);
    fleet.pass(Duration::from_mins(5)).await;
    nothing_changes_for(&fleet, Duration::from_mins(30)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
}

#[tokio::test(start_paused = true)]
async fn what_a_person_holds_is_not_rolled_back() {
    let after = json!({ "after": "10m" });
    let (mut fleet, probe) = Box::pin(at_v1(Keep::Directory, &after)).await;
    fleet.commit(&[version("v2", &after)]).await;
    fleet.until_unready("web", Reason::ChecksRunning).await;
    fleet.order("web", Verb::Hold, &Ask::default()).await;
    fleet.pass(Duration::from_secs(5)).await;
    probe.answer(Ok(500));
    nothing_changes_for(&fleet, Duration::from_mins(20)).await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(state(&fleet), CheckState::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_newer_version_takes_the_place_of_one_that_is_being_judged() {
    let after = json!({ "after": "1h" });
    let (mut fleet, probe) = Box::pin(at_v1(Keep::Directory, &json!({}))).await;
    fleet.commit(&[version("v2", &after)]).await;
    fleet.until_unready("web", Reason::ChecksRunning).await;
    probe.answer(Ok(200));
    fleet.commit(&[version("v3", &json!({}))]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v3"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL", "SUCCESSFUL"]);
}

/// A version rolled out blue/green, judged while the green side has test traffic only.
fn green(name: &str) -> Value {
    let configuration = json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 2 });
    let spec = version(name, &json!({ "at": ["POST_TEST_TRAFFIC_SHIFT"], "count": 3 }));
    with(spec, "/spec/service/deploymentConfiguration", configuration)
}

#[tokio::test(start_paused = true)]
async fn a_green_side_that_answers_badly_never_gets_traffic() {
    let (mut fleet, probe) = Box::pin(fleet(Keep::Directory)).await;
    fleet.commit(&[green("v1")]).await;
    fleet.until_ready("web").await;
    let before = probe.asked();
    fleet.commit(&[green("v2")]).await;
    fleet.until_ready("web").await;
    assert_eq!(probe.asked() - before, 3);
    assert_eq!(fleet.image("web"), image("web", "v2"));
    let mark = fleet.sandbox.call_count();
    probe.answer(Ok(500));
    fleet.commit(&[green("v3")]).await;
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    let changes = fleet.changes_since(mark);
    assert!(!changes.contains(&"ContinueServiceDeployment".to_owned()), "{changes:?}");
    let said = fleet.ready("web").message;
    assert!(said.contains("check `smoke`") && said.contains("status 500"), "{said}");
    // Silence at the gate waits, and a person lets this step go.
    probe.answer(Err("connection refused"));
    fleet.commit(&[green("v4")]).await;
    fleet.until_stalled("web", Reason::ChecksInconclusive).await;
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    fleet.order("web", Verb::Promote, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v4"));
}

#[tokio::test(start_paused = true)]
async fn what_has_failed_goes_back_at_once_past_those_who_wait_in_line() {
    let probe = Probe::new();
    let max_concurrent_rollouts = NonZeroU32::new(1);
    let mut fleet = Box::pin(Fleet::with(FleetOptions {
        keep: Keep::Directory,
        checks: probe.checks(),
        max_concurrent_rollouts,
        ..FleetOptions::default()
    }))
    .await;
    let after = json!({ "after": "2h" });
    fleet
        .commit(&[version("v1", &json!({})), counted("api", "v1", 1), counted("db", "v1", 1)])
        .await;
    for name in ["web", "api", "db"] {
        fleet.until_ready(name).await;
    }
    fleet.commit(&[version("v2", &after)]).await;
    fleet.until_unready("web", Reason::ChecksRunning).await;
    // The only place is taken for ten minutes, and another one waits for it.
    let slow = ImageBehaviour::SlowStart(Duration::from_mins(10));
    fleet.image_behaves(&image("api", "v2"), slow);
    fleet.commit(&[counted("api", "v2", 1)]).await;
    fleet.until("api rolls", |fleet| fleet.rollouts("api")[0] == "IN_PROGRESS").await;
    fleet.commit(&[counted("db", "v2", 1)]).await;
    fleet.until_unready("db", Reason::WaitingForPlace).await;
    let (mark, before) = (fleet.sandbox.call_count(), fleet.now());
    probe.answer(Ok(500));
    fleet.until("web goes back", |fleet| fleet.image("web") == image("web", "v1")).await;
    let took = fleet.now().duration_since(before).as_secs();
    assert!(took < 30, "{took}");
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.pass(Duration::from_mins(5)).await;
    let changed = fleet.calls_that_change(mark);
    let updated: Vec<&Value> = changed
        .iter()
        .filter(|call| call.operation == "UpdateService")
        .map(|call| &call.request["service"])
        .collect();
    assert_eq!(updated, ["web"]);
    assert_eq!(fleet.rollouts("api")[0], "IN_PROGRESS");
    assert_eq!(fleet.holds("db"), [Reason::WaitingForPlace]);
    fleet.until_ready("db").await;
    assert!(fleet.is_ready("api"));
    assert_eq!(fleet.image("db"), image("db", "v2"));
    assert_eq!(fleet.image("web"), image("web", "v1"));
}

const BALANCED: &str = "
clusters: [{name: shop}]
latency: 8ms
targetGroups: [{name: web}]
loadBalancers:
- name: public
  listeners: [{port: 443, protocol: HTTPS, forward: [{targetGroup: web}]}]
";

/// The only load balancer, as its metrics name it.
fn balancer_of(fleet: &Fleet) -> String {
    let request = http::Request::builder()
        .method("POST")
        .uri("/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from_static(b"Action=DescribeTargetGroups&Version=2015-12-01"))
        .unwrap();
    let answer = fleet.sandbox.handle(fleet.now(), &request);
    let text = String::from_utf8(answer.body().to_vec()).unwrap();
    let (_, end) = text.split_once(":loadbalancer/").unwrap_or_else(|| panic!("{text}"));
    end.split('<').next().unwrap().to_owned()
}

/// Writes what the load balancer would have counted in the minute that ends now.
fn count(fleet: &Fleet, group: &str, requests: f64, errors: Option<f64>) {
    let balancer = balancer_of(fleet);
    let dimensions = json!([
        { "Name": "LoadBalancer", "Value": balancer },
        { "Name": "TargetGroup", "Value": group.rsplit(':').next().unwrap() },
    ]);
    let mut rows =
        vec![("RequestCount", requests), ("HealthyHostCount", 2.0), ("TargetResponseTime", 0.1)];
    rows.extend(errors.map(|errors| ("HTTPCode_Target_5XX_Count", errors)));
    let rows: Vec<Value> = rows
        .into_iter()
        .map(
            |(name, value)| json!({ "MetricName": name, "Dimensions": dimensions, "Value": value }),
        )
        .collect();
    let input = json!({ "Namespace": "AWS/ApplicationELB", "MetricData": rows });
    fleet.console_of("monitoring", "PutMetricData", input);
}

#[tokio::test(start_paused = true)]
async fn the_load_balancer_says_how_a_rollout_does() {
    let fixtures = BALANCED.to_owned();
    let mut fleet =
        Box::pin(Fleet::with(FleetOptions { fixtures, ..FleetOptions::default() })).await;
    let known = fleet.sandbox.look(fleet.now(), |region| region.target_group_arn("web"));
    let group = known.clone();
    let balanced = |name: &str| {
        let entry =
            json!([{ "targetGroupArn": group, "containerName": "app", "containerPort": 8080 }]);
        let alb = json!({ "fiveXxRate": "< 5%", "latency": "< 500ms", "healthyHosts": ">= 2", "latencyStat": "Maximum" });
        let check = json!([{ "name": "traffic", "alb": alb, "after": "5m" }]);
        let spec = with(service("web", &image("web", name)), "/spec/service/loadBalancers", entry);
        with(spec, "/spec/rollout/checks", check)
    };
    let serve = async |fleet: &Fleet, minutes: u32, errors: Option<f64>| {
        for _ in 0..minutes {
            count(fleet, &group, 100.0, errors);
            fleet.pass(Duration::from_mins(1)).await;
        }
    };
    fleet.commit(&[balanced("v1")]).await;
    serve(&fleet, 20, None).await;
    assert!(fleet.is_ready("web"), "{}", fleet.describe());
    let value = fleet.status("web").rollout.unwrap().checks[0].last.clone().unwrap().value.unwrap();
    assert!(value.contains("5xx rate 0 %") && value.contains("2 healthy hosts"), "{value}");
    // Without traffic nobody knows.
    fleet.commit(&[balanced("v2")]).await;
    fleet.until_stalled("web", Reason::ChecksInconclusive).await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    serve(&fleet, 15, Some(20.0)).await;
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    let said = fleet.ready("web").message;
    assert!(said.contains("5xx rate 20 % is not `< 5%`"), "{said}");
}

/// A window says when changes may begin, not until when they may be undone.
#[tokio::test(start_paused = true)]
async fn a_failure_after_the_window_has_closed_goes_back_at_once() {
    let windowed = |name: &str, after: &str| {
        let window = json!({
            "kind": "allow", "schedule": "0 0 * * *", "duration": "20m", "timezone": "UTC",
        });
        let spec = version(name, &json!({ "after": after }));
        with(spec, "/spec/rollout/windows", json!([window]))
    };
    let (mut fleet, probe) = Box::pin(fleet(Keep::Directory)).await;
    fleet.commit(&[windowed("v1", "10s")]).await;
    fleet.until_ready("web").await;
    fleet.commit(&[windowed("v2", "40m")]).await;
    until_ecs_has_ended(&fleet, 2).await;
    fleet.pass(Duration::from_mins(25)).await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    let (mark, failed) = (fleet.sandbox.call_count(), fleet.now());
    probe.answer(Ok(500));
    fleet.until("it goes back", |fleet| fleet.image("web") == image("web", "v1")).await;
    let took = fleet.now().duration_since(failed).as_secs();
    assert!(took < 60, "{took} s, {} calls", fleet.sandbox.call_count() - mark);
}
