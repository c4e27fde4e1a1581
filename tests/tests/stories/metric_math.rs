//! Rollouts that are judged by an expression over metrics of CloudWatch.

use std::time::Duration;

use crds::{CheckState, Reason};
use longshore_tests::specs::{image, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

/// A version that may fail less than 5 % of its jobs.
fn version(name: &str) -> Value {
    let metric = |id: &str, name: &str| {
        let metric = json!({ "namespace": "Shop", "metricName": name });
        let stat = json!({ "metric": metric, "period": 60, "stat": "Sum" });
        json!({ "id": id, "returnData": false, "metricStat": stat })
    };
    let metrics = json!([
        { "id": "share", "expression": "100 * FILL(failed, 0) / jobs" },
        metric("failed", "Failed"),
        metric("jobs", "Jobs"),
    ]);
    let check = json!([{
        "name": "jobs", "cloudwatch": { "metrics": metrics }, "success": "< 5", "interval": "30s",
    }]);
    with(service("web", &image("web", name)), "/spec/rollout/checks", check)
}

/// Lets minutes pass in each of which a hundred jobs are done, and so many fail.
async fn work(fleet: &Fleet, minutes: u32, failed: u32) {
    for _ in 0..minutes {
        let row = |name: &str, value: u32| json!({ "MetricName": name, "Value": value });
        let mut rows = vec![row("Jobs", 100)];
        rows.extend((failed > 0).then(|| row("Failed", failed)));
        let input = json!({ "Namespace": "Shop", "MetricData": rows });
        fleet.console_of("monitoring", "PutMetricData", input);
        fleet.pass(Duration::from_mins(1)).await;
    }
}

/// Lets CloudWatch refuse every question until the faults are cleared.
fn throttle(fleet: &Fleet) {
    let fault = Fault::once("monitoring", "GetMetricData", FaultKind::Throttle);
    fleet.sandbox.inject(Fault { times: None, ..fault });
}

#[tokio::test(start_paused = true)]
async fn an_expression_passes_and_fails_and_its_silence_does_neither() {
    let keep = Keep::Directory;
    let mut fleet = Fleet::with(FleetOptions { keep, ..FleetOptions::default() }).await;
    fleet.commit(&[version("v1")]).await;
    work(&fleet, 10, 4).await;
    assert!(fleet.is_ready("web"), "{}", fleet.describe());
    let check = fleet.status("web").rollout.unwrap().checks[0].clone();
    assert_eq!(check.last.unwrap().value.as_deref(), Some("4"));
    // Nobody works, so nobody knows.
    fleet.commit(&[version("v2")]).await;
    fleet.until_stalled("web", Reason::ChecksInconclusive).await;
    let said = fleet.ready("web").message;
    assert!(said.contains("CloudWatch has no data"), "{said}");
    assert_eq!(fleet.image("web"), image("web", "v2"));
    work(&fleet, 10, 0).await;
    assert!(fleet.is_ready("web"), "{}", fleet.describe());
    // Good figures that cannot be read are no good figures.
    throttle(&fleet);
    fleet.commit(&[version("v3")]).await;
    work(&fleet, 30, 0).await;
    assert_eq!(fleet.ready("web").reason, Reason::ChecksInconclusive, "{}", fleet.describe());
    let said = fleet.ready("web").message;
    assert!(said.contains("Rate exceeded") || said.contains("did not answer"), "{said}");
    let check = fleet.status("web").rollout.unwrap().checks[0].clone();
    assert_eq!((check.state, check.failed), (CheckState::Inconclusive, 0));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"; 3]);
    fleet.sandbox.clear_faults();
    work(&fleet, 10, 0).await;
    assert!(fleet.is_ready("web"), "{}", fleet.describe());
    fleet.commit(&[version("v4")]).await;
    work(&fleet, 15, 6).await;
    fleet.until_stalled("web", Reason::RolledBack).await;
    let said = fleet.ready("web").message;
    assert!(said.contains("check `jobs`") && said.contains("6 is not `< 5`"), "{said}");
    assert_eq!(fleet.image("web"), image("web", "v3"));
}
