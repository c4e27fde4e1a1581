//! Aborts of rollouts that end by themselves at the same time: told as what they are, and not as done.

use super::*;

/// A service whose third version has just been sent.
async fn at_v3_under_way() -> Fleet {
    let mut fleet = at_v2(options()).await;
    fleet.commit(&[version("v3")]).await;
    fleet.until("v3 is sent", |fleet| fleet.rollouts("web").len() == 3).await;
    fleet
}

/// What was told of how an abort of `web` ended.
fn ends_of_abort(fleet: &Fleet) -> Vec<String> {
    let events = fleet.statuses.events_of(&fleet.key_of("web"), 100);
    let about = events.iter().filter(|event| event.message.starts_with("abort "));
    let mut reasons: Vec<String> = about.map(|event| event.reason.clone()).collect();
    reasons.retain(|reason| ["OrderRefused", "OrderCarriedOut"].contains(&reason.as_str()));
    reasons
}

/// It is told as what it is, and not as done.
#[tokio::test(start_paused = true)]
async fn an_abort_that_comes_too_late_is_told_so() {
    let fleet = at_v3_under_way().await;
    fleet.pass(Duration::from_secs(10)).await;
    let throttled = Fault::once("ecs", "StopServiceDeployment", FaultKind::Throttle);
    fleet.sandbox.inject(Fault { times: None, ..throttled });
    fleet.order("web", Verb::Abort, &because("errors")).await;
    fleet.until("it has ended", |fleet| fleet.rollouts("web")[0] == "SUCCESSFUL").await;
    fleet.sandbox.clear_faults();
    fleet.until("it is told", |fleet| !ends_of_abort(fleet).is_empty()).await;
    assert_eq!(ends_of_abort(&fleet), ["OrderRefused"]);
    assert_eq!(fleet.image("web"), image("web", "v3"));
}

/// ECS refuses a stop of what has ended, which an abort must not take for done. A stop that it takes may still come to nothing: a
/// rollout can end well before its rollback begins.
#[tokio::test(start_paused = true)]
async fn an_abort_is_refused_where_the_rollout_had_ended_before() {
    let fleet = at_v3_under_way().await;
    let lasts = fleet.takes("it has ended", |fleet| fleet.rollouts("web")[0] == "SUCCESSFUL").await;
    let (mut back, mut refused) = (0, 0);
    for early in 1..30 {
        let fleet = at_v3_under_way().await;
        fleet.pass(lasts.saturating_sub(Duration::from_secs(early))).await;
        let slow = FaultKind::Latency(Duration::from_secs(6));
        let slow = Fault::once("ecs", "DescribeServiceDeployments", slow);
        fleet.sandbox.inject(Fault { times: None, ..slow });
        let mark = fleet.sandbox.call_count();
        fleet.order("web", Verb::Abort, &because("errors")).await;
        fleet.until("it is told", |fleet| !ends_of_abort(fleet).is_empty()).await;
        let mut stops = fleet.calls_that_change(mark);
        stops.retain(|call| call.operation == "StopServiceDeployment" && call.status == 200);
        let went_back = fleet.rollouts("web")[0].starts_with("ROLLBACK");
        let told = ends_of_abort(&fleet);
        if stops.is_empty() || went_back {
            let expected = if went_back { "OrderCarriedOut" } else { "OrderRefused" };
            assert_eq!(told, [expected], "{early}: {:?}", fleet.rollouts("web"));
        }
        assert!(went_back || fleet.image("web") == image("web", "v3"), "{early}");
        back += u32::from(went_back);
        refused += u32::from(stops.is_empty());
    }
    assert!(back > 0 && refused > 0, "{back} {refused}");
}
