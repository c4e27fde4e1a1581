//! Calls that nobody asked for: writes in calm, and the same call again and again.

use std::time::Duration;

use crds::Reason;
use longshore_tests::specs::{counted, daemon, image, service, with};
use longshore_tests::{Fleet, FleetOptions};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

/// One of each kind of service.
fn zoo() -> [Value; 5] {
    let scaling = json!({
        "minCapacity": 2, "maxCapacity": 6,
        "targetTracking": [
            { "name": "cpu", "predefinedMetric": "ECSServiceAverageCPUUtilization", "targetValue": 60 },
        ],
    });
    let scaled = with(service("scaled", &image("scaled", "v1")), "/spec/scaling", scaling);
    let place = "/spec/taskDefinition/containerDefinitions/0/secrets";
    let secrets = json!([{ "name": "URL", "valueFrom": "/shop/url" }]);
    let reading = with(service("reading", &image("reading", "v1")), place, secrets);
    let reading = with(reading, "/spec/rollout", json!({ "reloadOnSecretChange": true }));
    // Neither a launch type nor a strategy: the cluster's own strategy is what AWS shows.
    let mut inheriting = counted("inheriting", "v1", 1);
    inheriting["spec"]["service"].as_object_mut().unwrap().remove("launchType");
    [counted("plain", "v1", 2), scaled, reading, inheriting, daemon("agent", &image("agent", "v1"))]
}

/// flux2#3384, aws-controllers-k8s#2361, pipecd#5336: what AWS fills in counted as a difference, and the same was sent each time.
#[tokio::test(start_paused = true)]
async fn a_calm_day_with_restarts_writes_nothing() {
    let fixtures = "
clusters: [{name: shop, instances: [{count: 2}]}]
latency: 8ms
parameters: [{name: /shop/url, value: x}]
";
    let interval = Duration::from_mins(2);
    let options =
        FleetOptions { fixtures: fixtures.to_owned(), interval, ..FleetOptions::default() };
    let mut fleet = Fleet::with(options).await;
    fleet.console(
        "PutClusterCapacityProviders",
        json!({
            "cluster": "shop", "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategy": [{ "capacityProvider": "FARGATE", "weight": 1 }],
        }),
    );
    fleet.commit(&zoo()).await;
    let names = ["plain", "scaled", "reading", "inheriting", "agent"];
    for name in names {
        fleet.until_ready(name).await;
    }
    fleet.pass(Duration::from_mins(10)).await;
    let mark = fleet.sandbox.call_count();
    for _ in 0..4 {
        fleet.pass(Duration::from_hours(6)).await;
        fleet.restart().await;
        fleet.pass(Duration::from_mins(1)).await;
    }
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    for name in names {
        assert!(fleet.is_ready(name), "{name}: {}", fleet.describe());
        assert_eq!(fleet.rollouts(name).len(), 1, "{name}");
        assert_eq!(fleet.revisions(&format!("shop-{name}")), 1, "{name}");
    }
}

/// argo-cd#4811, amazon-ecs-deploy-task-definition#299: a call that fails is repeated as fast as it fails, each try with one more
/// revision.
#[tokio::test(start_paused = true)]
async fn an_update_that_keeps_failing_is_repeated_rarely_and_registers_nothing_again() {
    let failed = |code: &str, status: u16| FaultKind::Error {
        code: code.to_owned(),
        message: "not now".to_owned(),
        status,
    };
    for (kind, reason, tries_expected) in [
        (failed("ServerException", 500), Reason::CallFailed, 10..=160),
        (failed("AccessDeniedException", 400), Reason::AccessDenied, 10..=160),
        (FaultKind::Throttle, Reason::Throttled, 10..=160),
        // A connection that is refused brings no call.
        (FaultKind::Refuse, Reason::CallFailed, 0..=0),
    ] {
        let interval = Duration::from_mins(5);
        let mut fleet = Fleet::with(FleetOptions { interval, ..FleetOptions::default() }).await;
        fleet.commit(&[service("web", &image("web", "v1"))]).await;
        fleet.until_ready("web").await;
        let mark = fleet.sandbox.call_count();
        let fault = Fault { times: None, ..Fault::once("ecs", "UpdateService", kind) };
        fleet.sandbox.inject(fault);
        fleet.commit(&[service("web", &image("web", "v2"))]).await;
        fleet.until_unready("web", reason).await;
        fleet.pass(Duration::from_hours(6)).await;
        let sent = fleet.changes_since(mark);
        let tries = sent.iter().filter(|one| *one == "UpdateService").count();
        // Backing off leads to a try in five minutes, beside the regular look each five minutes.
        assert!(tries_expected.contains(&tries), "{reason}: {tries} tries in six hours");
        assert_eq!(sent.iter().filter(|one| *one == "RegisterTaskDefinition").count(), 1);
        assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"], "{reason}");
        fleet.sandbox.clear_faults();
        fleet.until_ready("web").await;
        assert_eq!(fleet.image("web"), image("web", "v2"), "{reason}");
        assert_eq!(fleet.revisions("shop-web"), 2, "{reason}");
        assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"], "{reason}");
    }
}
