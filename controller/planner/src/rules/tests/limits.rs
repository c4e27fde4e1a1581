//! How much ECS takes: as much is fine, one more is told.

use serde_json::{Value, json};

use super::{Edit, ec2, edited, fargate, findings};

/// What is said of too much, the spec, where it stands, so much of it, and how much is fine.
type Row = (&'static str, fn() -> Value, &'static str, fn(i64) -> Value, i64);

fn many(count: i64, element: impl Fn(i64) -> Value) -> Value {
    (0..count).map(element).collect()
}

fn speaks(spec: fn() -> Value, edits: &[Edit], words: &str) -> bool {
    findings(&edited(spec(), edits)).iter().any(|finding| finding.message.contains(words))
}

#[test]
fn lists_are_as_long_as_ecs_takes_them() {
    let rows: &[Row] = &[
        (
            "exit codes; ECS takes",
            ec2,
            "/spec/taskDefinition/containerDefinitions/0/restartPolicy",
            |count| json!({ "enabled": true, "ignoredExitCodes": many(count, |code| json!(code)) }),
            50,
        ),
        (
            "environment files; a task takes",
            ec2,
            "/spec/taskDefinition/containerDefinitions/0/environmentFiles",
            |count| {
                many(
                    count,
                    |at| json!({ "type": "s3", "value": format!("arn:aws:s3:::shop/{at}.env") }),
                )
            },
            10,
        ),
        (
            "ranges of ports; a container takes",
            fargate,
            "/spec/taskDefinition/containerDefinitions/0/portMappings",
            |count| {
                many(
                    count,
                    |at| json!({ "containerPortRange": format!("{}-{}", 10_000 + 10 * at, 10_001 + 10 * at) }),
                )
            },
            100,
        ),
        (
            "constraints; ECS takes",
            ec2,
            "/spec/taskDefinition/placementConstraints",
            |count| {
                many(
                    count,
                    |at| json!({ "type": "memberOf", "expression": format!("attribute:a == {at}") }),
                )
            },
            10,
        ),
        (
            "constraints; ECS takes",
            ec2,
            "/spec/service/placementConstraints",
            |count| {
                many(
                    count,
                    |at| json!({ "type": "memberOf", "expression": format!("attribute:a == {at}") }),
                )
            },
            10,
        ),
        (
            "strategies; ECS takes",
            ec2,
            "/spec/service/placementStrategy",
            |count| many(count, |_| json!({ "type": "random" })),
            5,
        ),
        (
            "whether ECS takes more than 4",
            ec2,
            "/spec/service/placementStrategy",
            |count| many(count, |_| json!({ "type": "random" })),
            4,
        ),
        (
            "capacity providers; a strategy takes",
            ec2,
            "/spec/service/capacityProviderStrategy",
            |count| many(count, |at| json!({ "capacityProvider": format!("p{at}"), "weight": 1 })),
            20,
        ),
        (
            "subnets",
            fargate,
            "/spec/service/networkConfiguration/awsvpcConfiguration/subnets",
            |count| many(count, |at| json!(format!("subnet-{at}"))),
            16,
        ),
        (
            "security groups; ECS takes",
            fargate,
            "/spec/service/networkConfiguration/awsvpcConfiguration/securityGroups",
            |count| many(count, |at| json!(format!("sg-{at}"))),
            5,
        ),
        (
            "hooks of type",
            fargate,
            "/spec/service/deploymentConfiguration/lifecycleHooks",
            |count| {
                many(
                    count,
                    |_| json!({ "targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"] }),
                )
            },
            10,
        ),
        (
            "Classic Load Balancers; a service takes",
            ec2,
            "/spec/service/loadBalancers",
            |count| {
                many(
                    count,
                    |at| json!({ "loadBalancerName": format!("b{at}"), "containerName": "app", "containerPort": 80 }),
                )
            },
            1,
        ),
        (
            "registries; a service takes",
            fargate,
            "/spec/service/serviceRegistries",
            |count| {
                many(
                    count,
                    |at| json!({ "registryArn": format!("arn:aws:servicediscovery:r:1:service/srv-{at}") }),
                )
            },
            1,
        ),
        (
            "volumes; a service takes",
            fargate,
            "/spec/service/volumeConfigurations",
            |count| many(count, |at| json!({ "name": format!("v{at}") })),
            1,
        ),
        (
            "aliases; a service takes",
            fargate,
            "/spec/service/serviceConnectConfiguration",
            |count| {
                json!({ "enabled": true, "services": [{
                "portName": "web", "clientAliases": many(count, |at| json!({ "port": 80 + at })),
            }] })
            },
            1,
        ),
        (
            "there is room for 35",
            fargate,
            "/spec/service/tags",
            |count| many(count, |at| json!({ "key": format!("k{at}"), "value": "v" })),
            35,
        ),
        (
            "services; there may be 20",
            ec2,
            "/spec/rollout/dependsOn",
            |count| many(count, |at| json!(format!("s{at}"))),
            20,
        ),
        (
            "windows; there may be 50",
            ec2,
            "/spec/rollout/windows",
            |count| {
                many(
                    count,
                    |_| json!({ "kind": "allow", "schedule": "0 9 * * *", "duration": "8h" }),
                )
            },
            50,
        ),
        (
            "policies; there may be 50",
            fargate,
            "/spec/scaling",
            |count| {
                let policy = |at| json!({ "name": format!("p{at}"), "targetValue": 40, "predefinedMetricPair": "ECSServiceCPUUtilization" });
                json!({ "minCapacity": 1, "maxCapacity": 2, "predictive": many(count, policy) })
            },
            50,
        ),
        (
            "actions; there may be 200",
            fargate,
            "/spec/scaling",
            |count| {
                let action = |at| json!({ "name": format!("a{at}"), "schedule": "rate(1 day)", "minCapacity": 1 });
                json!({ "minCapacity": 1, "maxCapacity": 2, "scheduled": many(count, action) })
            },
            200,
        ),
        (
            "steps; there may be 1 to 20",
            fargate,
            "/spec/scaling",
            |count| {
                let step = |at| {
                    json!({
                        "metricIntervalLowerBound": at, "metricIntervalUpperBound": at + 1, "scalingAdjustment": 1,
                    })
                };
                json!({ "minCapacity": 1, "maxCapacity": 2, "step": [{
                "name": "out", "adjustmentType": "ChangeInCapacity", "steps": many(count, step),
                "alarm": { "metricName": "Depth", "namespace": "Shop", "statistic": "Sum", "period": 60,
                    "threshold": 1, "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1 },
            }] })
            },
            20,
        ),
    ];
    for (words, spec, pointer, value, most) in rows {
        assert!(!speaks(*spec, &[(pointer, value(*most))], words), "{most} at {pointer}");
        assert!(speaks(*spec, &[(pointer, value(most + 1))], words), "one more at {pointer}");
    }
}

const APP: &str = "/spec/taskDefinition/containerDefinitions/0";

/// The spec, what else is changed, where the number stands, one that is fine, and one that is not.
type Number<'a> = (fn() -> Value, &'a [Edit], &'static str, i64, i64);

/// A path in the first container, which lives as long as the tests.
fn app(member: &str) -> &'static str {
    format!("{APP}/{member}").leak()
}

#[test]
fn numbers_are_as_large_and_as_small_as_ecs_takes_them() {
    let registry = json!([{ "registryArn": "arn:aws:servicediscovery:r:1:service/srv-1" }]);
    let none: &[Edit] = &[];
    let registered: &[Edit] = &[("/spec/service/serviceRegistries", registry)];
    let scaled: &[Edit] = &[("/spec/scaling", json!({ "minCapacity": 1, "maxCapacity": 7 }))];
    let given: &[Edit] = &[(app("memory"), json!(256))];
    let rows: Vec<Number<'_>> = vec![
        (fargate, scaled, "/spec/scaling/minCapacity", 7, 8),
        (fargate, none, app("startTimeout"), 120, 121),
        (fargate, none, app("startTimeout"), 2, 1),
        (fargate, none, app("stopTimeout"), 120, 121),
        (fargate, none, app("stopTimeout"), 0, -1),
        (ec2, none, app("memory"), 6, 5),
        (ec2, given, app("memoryReservation"), 255, 257),
        (ec2, none, app("cpu"), 0, -1),
        (fargate, none, app("cpu"), 512, 513),
        (fargate, none, app("memory"), 1024, 1025),
        (fargate, none, app("ulimits"), 1_048_576, 1_048_577),
        (fargate, registered, "/spec/service/desiredCount", 1000, 1001),
        (fargate, scaled, "/spec/service/desiredCount", 7, 8),
    ];
    for (spec, edits, pointer, fine, told) in rows {
        let of = |number: i64| {
            let value = if pointer.ends_with("ulimits") {
                json!([{ "name": "nofile", "softLimit": 1, "hardLimit": number }])
            } else {
                json!(number)
            };
            let mut edits = edits.to_vec();
            edits.push((pointer, value));
            findings(&edited(spec(), &edits))
        };
        assert_eq!(of(fine), [], "{fine} at {pointer}");
        assert_eq!(of(told).len(), 1, "{told} at {pointer}");
    }
}

#[test]
fn names_are_as_long_as_aws_takes_them() {
    let action = |length: usize| {
        let action =
            json!({ "name": "a".repeat(length), "schedule": "rate(1 day)", "minCapacity": 1 });
        json!({ "minCapacity": 1, "maxCapacity": 2, "scheduled": [action] })
    };
    let policy = |length: usize| {
        let policy = json!({ "name": "p".repeat(length), "targetValue": 40, "predefinedMetricPair": "ECSServiceCPUUtilization" });
        json!({ "minCapacity": 1, "maxCapacity": 2, "predictive": [policy] })
    };
    // The alarm of a step policy is called `longshore/shop/api/<name>`.
    let alarm = |length: usize| {
        json!({ "minCapacity": 1, "maxCapacity": 2, "step": [{
            "name": "s".repeat(length - "longshore/shop/api/".len()), "adjustmentType": "ChangeInCapacity",
            "steps": [{ "metricIntervalLowerBound": 0, "scalingAdjustment": 1 }],
            "alarm": { "metricName": "Depth", "namespace": "Shop", "statistic": "Sum", "period": 60,
                "threshold": 1, "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1 },
        }] })
    };
    let scaling = "/spec/scaling";
    for (fine, told) in
        [(action(256), action(257)), (policy(256), policy(257)), (alarm(255), alarm(256))]
    {
        assert_eq!(findings(&edited(fargate(), &[(scaling, fine)])), []);
        let found = findings(&edited(fargate(), &[(scaling, told)]));
        assert!(found.len() == 1 && found[0].path.contains("[0].name"), "{found:?}");
    }
    let command = |length: usize| json!({ "before": [{ "name": "migrate", "command": ["x".repeat(length)] }] });
    let hooks = "/spec/rollout/hooks";
    assert_eq!(findings(&edited(ec2(), &[(hooks, command(8192))])), []);
    assert_eq!(findings(&edited(ec2(), &[(hooks, command(8193))])).len(), 1);
}
