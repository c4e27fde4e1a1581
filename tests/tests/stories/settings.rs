//! Changes of the service's own settings, without a new task definition.

use std::time::Duration;

use crds::Reason;
use longshore_tests::Fleet;
use longshore_tests::specs::{image, service, with};
use serde_json::json;

/// A story of the alternatives alike: the breaker brings back the old network, and the loop sends the new one again.
#[tokio::test(start_paused = true)]
async fn a_rolled_back_network_change_is_not_sent_again() {
    let mut fleet = Fleet::new().await;
    let good = service("web", &image("web", "v1"));
    fleet.commit(std::slice::from_ref(&good)).await;
    fleet.until_ready("web").await;
    // From here on no task gets through: as if the new security group closed the way to the registry.
    let way = image("web", "v1");
    fleet.sandbox.edit(fleet.now(), |region| {
        let ends = sandbox::ImageBehaviour::NotFound;
        region.set_image(sandbox::ImageRule::new(&way, ends));
    });
    let pointer = "/spec/service/networkConfiguration/awsvpcConfiguration/securityGroups";
    fleet.commit(&[with(good.clone(), pointer, json!(["sg-closed"]))]).await;
    fleet.until_stalled("web", Reason::RolledBack).await;
    let records = fleet.service("web").unwrap().records.len();
    fleet.pass(Duration::from_hours(3)).await;
    assert_eq!(fleet.service("web").unwrap().records.len(), records, "{}", fleet.describe());
    // Going back is no new rollout, and a later console edit is healed although that spec failed once beside it.
    fleet.commit(std::slice::from_ref(&good)).await;
    fleet.sandbox.edit(fleet.now(), |region| {
        region.set_image(sandbox::ImageRule::new(&way, sandbox::ImageBehaviour::Runs));
    });
    fleet.until_ready("web").await;
    fleet.console(
        "UpdateService",
        json!({ "cluster": "shop", "service": "web", "desiredCount": 1 }),
    );
    fleet.until("healed", |fleet| fleet.service("web").unwrap().desired == 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_spec_that_aws_refuses_is_not_sent_each_minute() {
    let mut fleet = Fleet::new().await;
    let refused = sandbox::Fault {
        api: "ecs".into(),
        operation: "RegisterTaskDefinition".into(),
        skip: 0,
        times: None,
        probability: 1.0,
        kind: sandbox::FaultKind::Error {
            code: "InvalidParameterException".into(),
            message: "Nobody wants this.".into(),
            status: 400,
        },
    };
    fleet.sandbox.inject(refused);
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_stalled("web", Reason::CallRefused).await;
    let sent = fleet.sandbox.count_of("ecs", "RegisterTaskDefinition");
    fleet.pass(Duration::from_mins(30)).await;
    assert_eq!(fleet.sandbox.count_of("ecs", "RegisterTaskDefinition"), sent);
    fleet.sandbox.clear_faults();
    fleet.commit(&[service("web", &image("web", "v2"))]).await;
    fleet.until_ready("web").await;
}
