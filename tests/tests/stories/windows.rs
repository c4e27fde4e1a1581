//! Changes that roll tasks wait for their window. Every world begins on Sunday, 2026-03-01, at midnight.

use std::time::Duration;

use controller::orders::Ask;
use crds::{Reason, Verb};
use jiff::{SignedDuration, Timestamp};
use longshore_tests::specs::{counted, image, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

/// A world in which nothing is looked at without a cause.
fn options() -> FleetOptions {
    FleetOptions {
        interval: Duration::from_hours(24 * 30),
        keep: Keep::Directory,
        ..FleetOptions::default()
    }
}

fn windowed(version: &str, kind: &str, schedule: &str, duration: &str) -> Value {
    let window = json!({
        "kind": kind, "schedule": schedule, "duration": duration, "timezone": "Europe/Berlin",
    });
    with(counted("web", version, 1), "/spec/rollout", json!({ "windows": [window] }))
}

/// Allowed from nine to ten in Berlin, which is from eight to nine in UTC.
fn mornings(version: &str) -> Value {
    windowed(version, "allow", "0 9 * * *", "1h")
}

/// Denied at all times.
fn frozen(version: &str) -> Value {
    windowed(version, "deny", "0 0 * * *", "48h")
}

fn moments(fleet: &Fleet, operation: &str) -> Vec<Timestamp> {
    let calls = fleet.calls_that_change(0);
    calls.iter().filter(|call| call.operation == operation).map(|call| call.time).collect()
}

fn assert_soon_after(moment: Timestamp, opening: &str) {
    let late = moment.duration_since(opening.parse().unwrap());
    let soon = SignedDuration::ZERO..SignedDuration::from_secs(3);
    assert!(soon.contains(&late), "{late} after {opening}");
}

/// AWS answers so slowly that the window closes while a turn looks at what it needs.
#[tokio::test(start_paused = true)]
async fn a_window_that_closes_while_a_turn_looks_is_closed() {
    let closing: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
    let mut sent = 0;
    for early in (5..80).step_by(5) {
        let mut fleet = Fleet::with(options()).await;
        fleet.commit(&[mornings("v1")]).await;
        let begins = closing - SignedDuration::from_secs(early);
        fleet.pass(Duration::try_from(begins.duration_since(fleet.now())).unwrap()).await;
        assert!(fleet.is_ready("web"), "{}", fleet.describe());
        let slow = FaultKind::Latency(Duration::from_secs(8));
        fleet.sandbox.inject(Fault { times: None, ..Fault::once("*", "*", slow) });
        fleet.commit(&[mornings("v2")]).await;
        fleet.pass(Duration::from_hours(2)).await;
        for moment in moments(&fleet, "UpdateService") {
            sent += 1;
            // What was decided in the window has registered a revision and written a tag before: two calls.
            let late = moment.duration_since(closing).as_secs();
            assert!(late < 16, "{early} s before it closed: sent {late} s after");
        }
        fleet.pass(Duration::from_hours(24)).await;
        assert_eq!(fleet.image("web"), image("web", "v2"), "{early}");
    }
    assert!(sent > 0, "none was early enough to be sent");
}

#[tokio::test(start_paused = true)]
async fn a_change_waits_for_its_window_and_goes_when_it_opens() {
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[mornings("v1")]).await;
    fleet.until_unready("web", Reason::OutsideWindow).await;
    assert!(fleet.ready("web").message.contains("2026-03-01T08:00:00Z"));
    fleet.pass(Duration::from_hours(9)).await;
    assert!(fleet.is_ready("web"), "{}", fleet.describe());
    assert_soon_after(moments(&fleet, "CreateService")[0], "2026-03-01T08:00:00Z");
    // Two versions on one day: only the newer one is rolled out, the next morning.
    fleet.commit(&[mornings("v2")]).await;
    fleet.pass(Duration::from_hours(3)).await;
    fleet.commit(&[mornings("v3")]).await;
    fleet.pass(Duration::from_hours(3)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    assert_eq!(fleet.service("web").unwrap().running, 1);
    fleet.pass(Duration::from_hours(18)).await;
    assert!(fleet.is_ready("web"), "{}", fleet.describe());
    assert_eq!(fleet.image("web"), image("web", "v3"));
    assert_eq!(fleet.revisions("shop-web"), 2);
    assert_soon_after(moments(&fleet, "UpdateService")[0], "2026-03-02T08:00:00Z");
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_is_under_way_goes_on_when_its_window_closes() {
    let mut fleet = Fleet::with(options()).await;
    // Ten seconds from midnight in Berlin, 23:00 in UTC.
    fleet.commit(&[windowed("v1", "allow", "0 0 * * *", "10s")]).await;
    fleet.pass(Duration::from_secs(23 * 3600 + 15)).await;
    assert_soon_after(moments(&fleet, "CreateService")[0], "2026-03-01T23:00:00Z");
    assert_ne!(fleet.rollouts("web"), ["SUCCESSFUL"], "it outlasts its window");
    fleet.pass(Duration::from_mins(10)).await;
    assert!(fleet.is_ready("web"), "{}", fleet.describe());
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"]);
}

#[tokio::test(start_paused = true)]
async fn in_a_freeze_nothing_rolls_but_what_a_person_asks_for() {
    let mut fleet = Fleet::with(options()).await;
    for version in ["v1", "v2"] {
        fleet.commit(&[counted("web", version, 1)]).await;
        fleet.until_ready("web").await;
    }
    fleet.commit(&[frozen("v3")]).await;
    fleet.until_unready("web", Reason::OutsideWindow).await;
    fleet.pass(Duration::from_hours(72)).await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    // What replaces no task is put right all the same.
    let edit = json!({ "cluster": "shop", "service": "web", "desiredCount": 3 });
    fleet.commit(&[frozen("v2")]).await;
    fleet.until_ready("web").await;
    fleet.console("UpdateService", edit);
    fleet.order("web", Verb::Sync, &Ask::default()).await;
    fleet.until("healed", |fleet| fleet.service("web").unwrap().desired == 1).await;
    // A person goes back, whatever the calendar says.
    fleet.order("web", Verb::Rollback, &Ask::default()).await;
    fleet.until("back", |fleet| fleet.image("web") == image("web", "v1")).await;
    fleet.until_stalled("web", Reason::RolledBackByHand).await;
    // And lets one spec go.
    fleet.commit(&[frozen("v4")]).await;
    fleet.until_unready("web", Reason::OutsideWindow).await;
    fleet.order("web", Verb::Sync, &Ask::default()).await;
    fleet.pass(Duration::from_hours(1)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"), "`sync` alone opens no window");
    fleet.order("web", Verb::Sync, &Ask { now: true, ..Ask::default() }).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v4"));
    // For this spec only.
    fleet.commit(&[frozen("v5")]).await;
    fleet.until_unready("web", Reason::OutsideWindow).await;
    fleet.pass(Duration::from_hours(1)).await;
    assert_eq!(fleet.image("web"), image("web", "v4"));
}

#[tokio::test(start_paused = true)]
async fn an_abort_is_carried_out_in_a_freeze() {
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[counted("web", "v1", 1)]).await;
    fleet.until_ready("web").await;
    fleet.commit(&[counted("web", "v2", 1)]).await;
    fleet
        .until("rolling", |fleet| {
            fleet.status("web").rollout.is_some_and(|rollout| rollout.stage == "IN_PROGRESS")
        })
        .await;
    fleet.commit(&[frozen("v2")]).await;
    fleet.order("web", Verb::Abort, &Ask::default()).await;
    fleet.until_stalled("web", Reason::Aborted).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
}

/// The same service, rolled out by ECS with stages: this configuration, and this window.
fn staged(version: &str, configuration: &Value, rollout: Value) -> Value {
    let place = "/spec/service/deploymentConfiguration";
    with(with(counted("web", version, 1), place, configuration.clone()), "/spec/rollout", rollout)
}

/// Allowed from eight to nine in UTC.
fn window() -> Value {
    json!({ "windows": [{ "kind": "allow", "schedule": "0 8 * * *", "duration": "1h" }] })
}

/// A tenth of the traffic goes to the new tasks for half an hour.
fn canary() -> Value {
    let steps = json!({ "canaryPercent": 10.0, "canaryBakeTimeInMinutes": 30 });
    json!({ "strategy": "CANARY", "bakeTimeInMinutes": 0, "canaryConfiguration": steps })
}

fn blue_green() -> Value {
    json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0 })
}

/// A fleet whose `web` runs v1 at this time of the first day.
async fn at_v1(configuration: &Value, time: &str) -> Fleet {
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[staged("v1", configuration, json!({}))]).await;
    fleet.until_ready("web").await;
    let time: Timestamp = format!("2026-03-01T{time}Z").parse().unwrap();
    fleet.pass(Duration::try_from(time.duration_since(fleet.now())).unwrap()).await;
    fleet
}

/// The share of production traffic that the newest revision has.
fn share(fleet: &Fleet) -> Option<f64> {
    fleet.status("web").rollout?.traffic_weights?.production
}

#[tokio::test(start_paused = true)]
async fn a_window_that_closes_holds_the_next_step_and_takes_nothing_back() {
    let mut fleet = at_v1(&canary(), "08:45:00").await;
    fleet.commit(&[staged("v2", &canary(), window())]).await;
    fleet.until("the canary has its share", |fleet| share(fleet) == Some(10.0)).await;
    fleet.until_unready("web", Reason::OutsideWindow).await;
    assert!(fleet.now() > "2026-03-01T09:00:00Z".parse::<Timestamp>().unwrap(), "{}", fleet.now());
    let said = fleet.ready("web").message;
    // Windows may be days apart, so the gate waits for 14 days.
    for part in
        ["PRE_PRODUCTION_TRAFFIC_SHIFT", "again at 2026-03-02T08:00:00Z", "back at 2026-03-15T"]
    {
        assert!(said.contains(part), "{said}");
    }
    fleet.pass(Duration::from_hours(12)).await;
    fleet.restart().await;
    fleet.pass(Duration::from_hours(10)).await;
    assert_eq!((share(&fleet), fleet.rollouts("web")[0].as_str()), (Some(10.0), "IN_PROGRESS"));
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
    let answers = moments(&fleet, "ContinueServiceDeployment");
    assert_eq!(answers.len(), 2);
    assert_soon_after(answers[1], "2026-03-02T08:00:00Z");
}

#[tokio::test(start_paused = true)]
async fn outside_of_its_windows_traffic_moves_for_people_and_for_what_ran_before() {
    let mut fleet = at_v1(&blue_green(), "12:00:00").await;
    fleet.commit(&[staged("v2", &blue_green(), window())]).await;
    fleet.until_unready("web", Reason::OutsideWindow).await;
    // One order is for the whole rollout, its gates included.
    fleet.order("web", Verb::Sync, &Ask { now: true, ..Ask::default() }).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    fleet.order("web", Verb::Restart, &Ask::default()).await;
    let ended = |fleet: &Fleet, count| {
        let rollouts = fleet.rollouts("web");
        rollouts.len() == count && rollouts[0] == "SUCCESSFUL"
    };
    fleet.until("restarted", |fleet| ended(fleet, 3)).await;
    fleet.until_ready("web").await;
    fleet.order("web", Verb::Rollback, &Ask::default()).await;
    fleet.until("back", |fleet| ended(fleet, 4)).await;
    fleet.until_stalled("web", Reason::RolledBackByHand).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_ends_before_the_window_opens_says_so_and_ends_in_a_rollback() {
    let mut fleet = at_v1(&blue_green(), "08:59:50").await;
    let mut rollout = window();
    rollout["gateTimeout"] = json!("1h");
    fleet.commit(&[staged("v2", &blue_green(), rollout)]).await;
    fleet.until("v2 waits", |fleet| fleet.holds("web") == [Reason::OutsideWindow]).await;
    let said = fleet.ready("web").message;
    for part in ["again at 2026-03-02T08:00:00Z, after the gate has ended", "longshore sync --now"]
    {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(share(&fleet), Some(0.0));
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.pass(Duration::from_hours(24)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    assert_eq!(fleet.rollouts("web"), ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
}
