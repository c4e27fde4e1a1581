//! What UpdateService changes, and what it leaves (aws.md §2.4).

use serde_json::json;

use super::*;

fn starts_deployment(members: Value) -> bool {
    let mut bench = Bench::settled(json!({"serviceRegistries": [{"registryArn": "arn:r"}]}));
    let before = bench.service()["deployments"][0]["id"].clone();
    bench.update(members);
    bench.service()["deployments"][0]["id"] != before
}

#[test]
fn some_members_start_a_deployment_and_others_do_not() {
    let network = |subnet: &str| json!({"awsvpcConfiguration": {"subnets": [subnet]}});
    for (members, expected) in [
        (json!({}), false),
        (json!({"desiredCount": 5}), false),
        (json!({"taskDefinition": "web"}), false),
        (json!({"taskDefinition": null, "networkConfiguration": null}), false),
        (json!({"forceNewDeployment": true}), true),
        (json!({"networkConfiguration": network("subnet-2")}), true),
        (json!({"networkConfiguration": network("subnet-1")}), false),
        (json!({"platformVersion": "1.4.0"}), true),
        (json!({"serviceRegistries": []}), true),
        (json!({"serviceConnectConfiguration": {"enabled": false}}), true),
        (json!({"deploymentConfiguration": {"maximumPercent": 150}}), false),
        (json!({"healthCheckGracePeriodSeconds": 30}), false),
        (json!({"enableExecuteCommand": true, "propagateTags": "SERVICE"}), false),
        (json!({"availabilityZoneRebalancing": "DISABLED"}), false),
    ] {
        assert_eq!(starts_deployment(members.clone()), expected, "{members}");
    }
}

#[test]
fn absent_keeps_and_empty_clears() {
    let mut bench = Bench::settled(json!({"serviceRegistries": [{"registryArn": "arn:r"}]}));
    bench.update(json!({"desiredCount": 3, "serviceRegistries": null}));
    assert_eq!(bench.service()["serviceRegistries"], json!([{"registryArn": "arn:r"}]));
    bench.update(json!({"serviceRegistries": []}));
    assert_eq!(bench.service()["serviceRegistries"], json!([]));
}

#[test]
fn capacity_changes_need_force() {
    let mut bench = Bench::settled(json!({}));
    let spot = json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1}]);
    let (code, message) =
        bench.refused("UpdateService", json!({"service": "web", "capacityProviderStrategy": spot}));
    assert_eq!(code, "InvalidParameterException");
    assert!(message.contains("must force a new deployment"), "{message}");
    let service =
        bench.update(json!({"capacityProviderStrategy": spot, "forceNewDeployment": true}));
    assert!(service.get("launchType").is_none());
    assert_eq!(
        service["capacityProviderStrategy"],
        json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}])
    );
    bench.wait(120);
    let tasks = bench.tasks("RUNNING");
    assert_eq!(tasks[0]["capacityProviderName"], "FARGATE_SPOT");
}

#[test]
fn scaling_edits_the_primary_in_place() {
    let mut bench = Bench::settled(json!({}));
    bench.update(json!({"desiredCount": 4}));
    bench.wait(60);
    let service = bench.service();
    assert_eq!(
        (&service["runningCount"], &service["deployments"][0]["desiredCount"]),
        (&json!(4), &json!(4))
    );
    assert_eq!(bench.statuses(), ["SUCCESSFUL"]);
    bench.update(json!({"desiredCount": 1}));
    bench.wait(60);
    assert_eq!(bench.service()["runningCount"], 1);
    assert!(bench.events().contains(&"has stopped 3 running tasks".to_owned()));
    bench.update(json!({"desiredCount": 0}));
    bench.wait(60);
    assert_eq!(bench.service()["runningCount"], 0);
    let (code, _) = bench.refused("UpdateService", json!({"service": "web", "desiredCount": -1}));
    assert_eq!(code, "InvalidParameterException");
}

#[test]
fn inactive_definitions_are_refused_for_new_deployments_only() {
    let mut bench = Bench::settled(json!({}));
    bench.ok("DeregisterTaskDefinition", json!({"taskDefinition": "web:1"}));
    let inactive = ("ClientException".to_owned(), "TaskDefinition is inactive".to_owned());
    assert_eq!(
        bench.refused("UpdateService", json!({"service": "web", "forceNewDeployment": true})),
        inactive
    );
    assert_eq!(
        bench.refused("UpdateService", json!({"service": "web", "taskDefinition": "web:1"})),
        inactive
    );
    bench.update(json!({"desiredCount": 3}));
    bench.wait(60);
    assert_eq!(bench.service()["runningCount"], 3, "a running service still scales");
    let missing = ("ClientException".to_owned(), "TaskDefinition not found.".to_owned());
    assert_eq!(
        bench.refused("UpdateService", json!({"service": "web", "taskDefinition": "web"})),
        missing
    );
}

#[test]
fn deregistration_may_lag() {
    let mut bench = Bench::with(Fixtures {
        timings: crate::Timings {
            deregistration_lag: std::time::Duration::from_mins(10),
            ..crate::Timings::default()
        },
        ..Fixtures::default()
    });
    bench.register("web:v1");
    bench.ok("DeregisterTaskDefinition", json!({"taskDefinition": "web:1"}));
    bench.wait(599);
    bench.ok(
        "RunTask",
        json!({
            "taskDefinition": "web:1", "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        }),
    );
    bench.wait(1);
    let (_, message) = bench.refused("RunTask", json!({"taskDefinition": "web:1"}));
    assert_eq!(message, "TaskDefinition is inactive");
}

#[test]
fn refusals_of_create_and_update() {
    let mut bench = Bench::new();
    bench.register("web:v1");
    let base = json!({
        "serviceName": "web", "taskDefinition": "web", "desiredCount": 1, "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    });
    let balancer = |port: i64, group: &str| json!({"targetGroupArn": group, "containerName": "web", "containerPort": port});
    let shifted = |production: &str, test: &str| {
        let mut balancer = balancer(80, "arn:a");
        balancer["advancedConfiguration"] = json!({
            "alternateTargetGroupArn": "arn:b", "productionListenerRule": production,
            "testListenerRule": test, "roleArn": "arn:role",
        });
        json!([balancer])
    };
    let rule = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/a/1/2/3";
    for (member, value, code, text) in [
        (
            "loadBalancers",
            shifted("arn:rule", rule),
            "InvalidParameterException",
            "productionListenerRule has an invalid ARN format",
        ),
        (
            "loadBalancers",
            shifted(rule, rule),
            "InvalidParameterException",
            "cannot be used as both production and test listener rules",
        ),
        ("desiredCount", Value::Null, "InvalidParameterException", "desired count is required"),
        ("desiredCount", json!(5001), "InvalidParameterException", "between 0 and 5000"),
        ("taskDefinition", json!("nope"), "ClientException", "TaskDefinition not found."),
        ("cluster", json!("nope"), "ClusterNotFoundException", "Cluster not found."),
        ("serviceName", json!("a b"), "InvalidParameterException", "service name"),
        (
            "networkConfiguration",
            Value::Null,
            "InvalidParameterException",
            "Network Configuration must be provided",
        ),
        (
            "capacityProviderStrategy",
            json!([{"capacityProvider": "FARGATE"}]),
            "InvalidParameterException",
            "both a launch type",
        ),
        (
            "loadBalancers",
            json!([balancer(81, "arn:a")]),
            "InvalidParameterException",
            "did not have a container port 81",
        ),
        (
            "loadBalancers",
            json!([balancer(80, "arn:a"), balancer(80, "arn:a")]),
            "InvalidParameterException",
            "Duplicate targetGroupArn",
        ),
        (
            "deploymentConfiguration",
            json!({"maximumPercent": 99}),
            "InvalidParameterException",
            "maximumPercent",
        ),
        (
            "deploymentConfiguration",
            json!({"minimumHealthyPercent": 101}),
            "InvalidParameterException",
            "minimumHealthyPercent",
        ),
        ("platformVersion", json!("9.9"), "PlatformUnknownException", "platform"),
        ("schedulingStrategy", json!("DAEMON"), "InvalidParameterException", "daemon"),
    ] {
        let mut request = base.clone();
        request[member] = value;
        let (found, message) = bench.refused("CreateService", request);
        assert_eq!(found, code, "{member}: {message}");
        assert!(message.contains(text), "{member}: {message}");
    }
    bench.ok("CreateService", base);
}

#[test]
fn a_bare_service_shows_its_defaults() {
    let mut bench = Bench::settled(json!({}));
    let service = bench.service();
    for (pointer, expected) in [
        ("/loadBalancers", json!([])),
        ("/placementConstraints", json!([])),
        ("/platformVersion", json!("LATEST")),
        ("/platformFamily", json!("Linux")),
        ("/deployments/0/platformVersion", json!("1.4.0")),
        ("/deploymentConfiguration/maximumPercent", json!(200)),
        (
            "/deploymentConfiguration/deploymentCircuitBreaker",
            json!({"enable": false, "rollback": false}),
        ),
        ("/deploymentConfiguration/strategy", json!("ROLLING")),
        ("/healthCheckGracePeriodSeconds", json!(0)),
        ("/schedulingStrategy", json!("REPLICA")),
        ("/deploymentController/type", json!("ECS")),
        ("/propagateTags", json!("NONE")),
        ("/availabilityZoneRebalancing", json!("ENABLED")),
        ("/networkConfiguration/awsvpcConfiguration/assignPublicIp", json!("DISABLED")),
    ] {
        assert_eq!(service.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert!(service.get("roleArn").is_none());
    assert!(service.get("serviceConnectConfiguration").is_none());
    assert!(service.get("tags").is_none(), "tags only where asked for");
}

#[test]
fn stale_reads_show_what_was_before() {
    let mut bench = Bench::new();
    bench.ecs.set_read_lag(std::time::Duration::from_secs(10));
    bench.register("web:v1");
    assert_eq!(bench.ok("ListTaskDefinitions", json!({}))["taskDefinitionArns"], json!([]));
    bench.create(json!({}));
    let seen = bench.ok("DescribeServices", json!({"services": ["web"]}));
    assert_eq!(seen["failures"][0]["reason"], "MISSING");
    assert_eq!(bench.ok("ListServices", json!({}))["serviceArns"], json!([]));
    bench.wait(10);
    assert_eq!(bench.service()["desiredCount"], 2);
    bench.update(json!({"desiredCount": 3}));
    assert_eq!(bench.service()["desiredCount"], 2);
    bench.wait(10);
    assert_eq!(bench.service()["desiredCount"], 3);
    bench.ok("DeleteService", json!({"service": "web", "force": true}));
    assert_eq!(bench.service()["status"], "ACTIVE");
    assert_eq!(bench.ok("ListServices", json!({}))["serviceArns"].as_array().unwrap().len(), 1);
}
