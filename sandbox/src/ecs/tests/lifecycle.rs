//! Creation, change of settings, deletion.

use serde_json::json;

use super::*;

#[test]
fn the_same_name_twice() {
    let mut bench = Bench::settled(json!({}));
    let invalid = |message: &str| ("InvalidParameterException".to_owned(), message.to_owned());
    let mut request = json!({
        "serviceName": "web", "taskDefinition": "web", "desiredCount": 2, "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}, "clientToken": "t",
    });
    let again = bench.ok("CreateService", request.clone());
    assert_eq!(again["service"]["runningCount"], 2, "the same request answers with the service");
    request["desiredCount"] = json!(3);
    assert_eq!(
        bench.refused("CreateService", request.clone()),
        invalid("Creation of service was not idempotent.")
    );
    assert_eq!(
        bench.refused("DeleteService", json!({"service": "web"})),
        invalid("The service cannot be stopped while the primary deployment is scaled above 0.")
    );
    bench.ok("DeleteService", json!({"service": "web", "force": true}));
    assert_eq!(
        bench.refused("CreateService", request.clone()),
        invalid("Unable to Start a service that is still Draining.")
    );
    assert_eq!(bench.service()["status"], "DRAINING");
    assert_eq!(bench.ok("ListServices", json!({}))["serviceArns"], json!([]));
    bench.wait(30);
    assert_eq!(bench.service()["status"], "INACTIVE");
    assert_eq!(
        bench.refused("UpdateService", json!({"service": "web", "desiredCount": 1})).0,
        "ServiceNotActiveException"
    );
    bench.ok("CreateService", request);
    assert_eq!(bench.service()["status"], "ACTIVE");
}
