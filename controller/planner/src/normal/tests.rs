//! The forms that AWS gives back, row by row of aws.md §2.2.1 and §2.6.1 and of what its clients have met.

use crds::ecs::{ServiceDefinition, TaskDefinition};
use serde_json::{Value, json};

use super::{content_hash, observed_service, service, task_definition};
use crate::drift::{FieldDrift, compare};

/// A task definition with one container that has these members besides name and image.
fn with_container(members: &Value) -> Value {
    let mut container = json!({"name": "app", "image": "app:1"});
    merge(&mut container, members);
    json!({"family": "web", "containerDefinitions": [container]})
}

fn merge(into: &mut Value, members: &Value) {
    for (name, value) in members.as_object().unwrap() {
        into[name] = value.clone();
    }
}

/// Asserts that AWS's form of a task definition is the spec's, in value, in hash and in drift.
#[track_caller]
fn same_definition(spec: &Value, described: &Value) {
    let (desired, observed) = (task_definition(spec), task_definition(described));
    assert_eq!(desired.value(), observed.value());
    assert_eq!(content_hash(&desired), content_hash(&observed));
    assert_eq!(compare(TaskDefinition::SHAPE, &desired, &observed, &[]), []);
}

#[track_caller]
fn same_container(spec: &Value, described: &Value) {
    same_definition(&with_container(spec), &with_container(described));
}

/// Asserts that AWS's form of a service is no drift from the spec's.
#[track_caller]
fn same_service(spec: &Value, described: &Value) {
    assert_eq!(service_drift(spec, described), []);
}

fn service_drift(spec: &Value, described: &Value) -> Vec<FieldDrift> {
    compare(ServiceDefinition::SHAPE, &service(spec), &observed_service(described), &[])
}

/// What `DescribeServices` shows of a bare Fargate service (aws.md §2.6.1).
fn bare_fargate(members: &Value) -> Value {
    let mut described = json!({
        "serviceArn": "arn:aws:ecs:eu-west-1:111122223333:service/shop/web",
        "serviceName": "web",
        "clusterArn": "arn:aws:ecs:eu-west-1:111122223333:cluster/shop",
        "status": "ACTIVE",
        "desiredCount": 2, "runningCount": 2, "pendingCount": 0,
        "launchType": "FARGATE",
        "taskDefinition": "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:7",
        "loadBalancers": [], "serviceRegistries": [], "placementConstraints": [], "placementStrategy": [],
        "platformVersion": "LATEST", "platformFamily": "Linux",
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": false, "rollback": false},
            "maximumPercent": 200, "minimumHealthyPercent": 100,
            "strategy": "ROLLING", "bakeTimeInMinutes": 0,
        },
        "deployments": [{
            "id": "ecs-svc/1", "status": "PRIMARY", "platformVersion": "1.4.0", "launchType": "FARGATE",
            "taskDefinition": "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:7",
        }],
        "events": [], "createdAt": 1_780_000_000.5, "createdBy": "arn:aws:iam::111122223333:role/ci",
        "roleArn": "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "healthCheckGracePeriodSeconds": 0,
        "schedulingStrategy": "REPLICA", "deploymentController": {"type": "ECS"},
        "enableECSManagedTags": false, "propagateTags": "NONE", "enableExecuteCommand": false,
        "availabilityZoneRebalancing": "ENABLED", "resourceManagementType": "CUSTOMER",
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["subnet-b", "subnet-a"], "securityGroups": ["sg-2", "sg-1"], "assignPublicIp": "DISABLED",
        }},
    });
    merge(&mut described, members);
    described
}

/// The shortest spec of that service.
fn bare_spec(members: &Value) -> Value {
    let mut spec = json!({
        "launchType": "FARGATE",
        "desiredCount": 2,
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["subnet-a", "subnet-b"], "securityGroups": ["sg-1", "sg-2"],
        }},
    });
    merge(&mut spec, members);
    spec
}

#[test]
fn task_cpu_and_memory_have_many_spellings() {
    for (cpu, memory) in [("1 vCPU", "2 GB"), ("1vcpu", "2GB"), ("1.0 VCPU", "2.0 gb")] {
        same_definition(
            &json!({"family": "web", "cpu": cpu, "memory": memory, "containerDefinitions": []}),
            &json!({"family": "web", "cpu": "1024", "memory": "2048", "containerDefinitions": []}),
        );
    }
    same_definition(&json!({"cpu": ".5 vcpu"}), &json!({"cpu": "512"}));
    same_definition(&json!({"cpu": 256, "memory": 512}), &json!({"cpu": "256", "memory": "512"}));
    // What is no amount stays as it is, for ECS to refuse.
    assert_eq!(task_definition(&json!({"cpu": "lots"})).value()["cpu"], "lots");
    assert_eq!(task_definition(&json!({"cpu": "0.3 vCPU"})).value()["cpu"], "0.3 vCPU");
}

#[test]
fn containers_have_cpu_0_and_are_essential() {
    same_container(&json!({}), &json!({"cpu": 0, "essential": true}));
    same_container(&json!({"cpu": "64"}), &json!({"cpu": 64}));
}

#[test]
fn port_mappings_have_a_protocol_and_a_host_port_by_network_mode() {
    let spec = json!({"portMappings": [{"containerPort": 80}]});
    for (mode, host_port) in [("awsvpc", 80), ("host", 80), ("bridge", 0)] {
        let (mut spec, mut described) = (
            with_container(&spec),
            with_container(&json!({"portMappings": [
                {"containerPort": 80, "hostPort": host_port, "protocol": "tcp"},
            ]})),
        );
        spec["networkMode"] = json!(mode);
        described["networkMode"] = json!(mode);
        same_definition(&spec, &described);
    }
    // Without a network mode it is bridge.
    same_container(&spec, &json!({"portMappings": [{"containerPort": 80, "hostPort": 0}]}));
    let range = json!({"portMappings": [{"containerPortRange": "8000-8010"}]});
    same_container(
        &range,
        &json!({"portMappings": [
            {"containerPortRange": "8000-8010", "protocol": "tcp"},
        ]}),
    );
    assert!(
        task_definition(&with_container(&range)).value().to_string().find("hostPort").is_none()
    );
}

#[test]
fn whatever_is_not_udp_is_tcp() {
    same_container(
        &json!({"portMappings": [{"containerPort": 80, "protocol": "sctp"}]}),
        &json!({"portMappings": [{"containerPort": 80, "protocol": "tcp", "hostPort": 0}]}),
    );
    let protocols = |protocol: &str| {
        task_definition(&with_container(
            &json!({"portMappings": [{"containerPort": 53, "protocol": protocol}]}),
        ))
    };
    assert_ne!(protocols("udp"), protocols("tcp"));
}

#[test]
fn a_network_mode_is_bridge_and_a_platform_is_what_the_launch_makes_of_it() {
    same_definition(&json!({}), &json!({"networkMode": "bridge"}));
    let platform = json!({"runtimePlatform": {"cpuArchitecture": "ARM64"}});
    same_definition(&platform, &platform);
    assert_ne!(task_definition(&json!({})), task_definition(&platform));
}

#[test]
fn a_property_of_the_proxy_without_value_is_empty() {
    let proxy = |property: Value| json!({"proxyConfiguration": {"containerName": "envoy", "properties": [property]}});
    same_definition(
        &proxy(json!({"name": "IgnoredUID"})),
        &proxy(json!({"name": "IgnoredUID", "value": ""})),
    );
    same_definition(
        &proxy(json!({"name": "ProxyIngressPort", "value": "15000"})),
        &proxy(json!({"value": 15000, "name": "ProxyIngressPort"})),
    );
}

#[test]
fn a_chosen_host_port_is_kept() {
    let normal = task_definition(&with_container(&json!({
        "portMappings": [{"containerPort": 80, "hostPort": 8080}],
    })));
    let mapping = &normal.value()["containerDefinitions"]["app"]["portMappings"]["80/tcp"];
    assert_eq!(mapping["hostPort"], 8080);
}

#[test]
fn health_checks_have_an_interval_a_timeout_and_retries() {
    let command = json!(["CMD-SHELL", "curl -f localhost"]);
    same_container(
        &json!({"healthCheck": {"command": command}}),
        &json!({"healthCheck": {"command": command, "interval": 30, "timeout": 5, "retries": 3}}),
    );
}

#[test]
fn emptiness_has_many_forms() {
    same_container(
        &json!({"logConfiguration": {"logDriver": "awslogs"}}),
        &json!({
            "environment": [], "mountPoints": [], "volumesFrom": [], "portMappings": [], "systemControls": [],
            "ulimits": [], "environmentFiles": [], "secrets": [], "dependsOn": [], "links": null,
            "command": [], "dockerLabels": {}, "resourceRequirements": [],
            "logConfiguration": {"logDriver": "awslogs", "options": {}, "secretOptions": []},
            "linuxParameters": {"capabilities": {"add": [], "drop": []}, "devices": [], "tmpfs": []},
        }),
    );
    same_definition(
        &json!({"containerDefinitions": []}),
        &json!({"containerDefinitions": [], "volumes": [], "placementConstraints": [], "tags": null}),
    );
    same_container(
        &json!({"linuxParameters": {"initProcessEnabled": true}}),
        &json!({"linuxParameters": {
            "initProcessEnabled": true, "capabilities": {}, "devices": [], "tmpfs": [],
        }}),
    );
}

#[test]
fn an_empty_text_in_the_environment_is_a_value() {
    same_container(
        &json!({"environment": [{"name": "A"}]}),
        &json!({"environment": [{"name": "A", "value": ""}]}),
    );
    let drift = compare(
        TaskDefinition::SHAPE,
        &task_definition(&with_container(&json!({"environment": [{"name": "A", "value": ""}]}))),
        &task_definition(&with_container(&json!({}))),
        &[],
    );
    assert_eq!(drift.len(), 1);
    assert_eq!(drift[0].path, "containerDefinitions[app].environment[A]");
}

#[test]
fn order_means_nothing_where_ecs_gives_it_none() {
    let one = json!({
        "requiresCompatibilities": ["FARGATE", "EC2"],
        "containerDefinitions": [
            {"name": "app", "image": "app:1",
             "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
             "secrets": [{"name": "S", "valueFrom": "/s"}, {"name": "T", "valueFrom": "/t"}],
             "portMappings": [{"containerPort": 80}, {"containerPort": 53, "protocol": "udp"}],
             "mountPoints": [{"sourceVolume": "v", "containerPath": "/v"},
                             {"sourceVolume": "w", "containerPath": "/w"}],
             "volumesFrom": [{"sourceContainer": "x"}, {"sourceContainer": "y"}]},
            {"name": "side", "image": "side:1"},
        ],
        "volumes": [{"name": "v"}, {"name": "w"}],
        "placementConstraints": [{"type": "memberOf", "expression": "a"}, {"type": "memberOf", "expression": "b"}],
        "proxyConfiguration": {"containerName": "side", "properties": [
            {"name": "P", "value": "1"}, {"name": "Q", "value": "2"},
        ]},
    });
    let mut other = one.clone();
    for pointer in [
        "/containerDefinitions/0/environment",
        "/containerDefinitions/0/secrets",
        "/containerDefinitions/0/portMappings",
        "/containerDefinitions/0/mountPoints",
        "/containerDefinitions/0/volumesFrom",
        "/requiresCompatibilities",
        "/volumes",
        "/placementConstraints",
        "/proxyConfiguration/properties",
        "/containerDefinitions",
    ] {
        other.pointer_mut(pointer).unwrap().as_array_mut().unwrap().reverse();
    }
    assert_ne!(one, other);
    same_definition(&one, &other);
}

#[test]
fn order_means_something_in_commands_and_dns() {
    for list in ["command", "entryPoint", "dnsServers", "dnsSearchDomains"] {
        let one = task_definition(&with_container(&json!({list: ["a", "b"]})));
        let other = task_definition(&with_container(&json!({list: ["b", "a"]})));
        assert_ne!(one, other, "{list}");
        assert_ne!(content_hash(&one), content_hash(&other), "{list}");
    }
}

#[test]
fn what_the_server_writes_and_tags_are_no_content() {
    let spec = with_container(&json!({}));
    let mut described = spec.clone();
    merge(
        &mut described,
        &json!({
            "taskDefinitionArn": "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:7",
            "revision": 7, "status": "ACTIVE",
            "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.task-eni"}],
            "compatibilities": ["EC2", "FARGATE", "MANAGED_INSTANCES"],
            "registeredAt": 1_780_000_000, "registeredBy": "arn:aws:iam::111122223333:role/ci",
            "deregisteredAt": 1_780_000_001, "deleteRequestedAt": 1_780_000_002,
            "tags": [{"key": "a", "value": "b"}],
            "enableFaultInjection": false,
            "memberOfTomorrow": {"x": 1},
        }),
    );
    same_definition(&spec, &described);
}

#[test]
fn volumes_have_defaults() {
    same_definition(
        &json!({"volumes": [
            {"name": "scratch"},
            {"name": "files", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}},
            {"name": "docker", "dockerVolumeConfiguration": {"scope": "task", "labels": {"a": "b"}}},
        ]}),
        &json!({"volumes": [
            {"name": "scratch", "host": {}},
            {"name": "files", "efsVolumeConfiguration": {
                "fileSystemId": "fs-1", "rootDirectory": "/", "transitEncryption": "DISABLED",
                "authorizationConfig": {"iam": "DISABLED"},
            }},
            {"name": "docker", "dockerVolumeConfiguration": {
                "scope": "task", "autoprovision": false, "driver": "local", "driverOpts": {},
                "labels": {"a": "b"},
            }},
        ]}),
    );
}

#[test]
fn version_consistency_and_other_switches_have_defaults() {
    same_container(
        &json!({}),
        &json!({
            "versionConsistency": "enabled", "privileged": false, "readonlyRootFilesystem": false,
            "interactive": false, "pseudoTerminal": false, "disableNetworking": false,
        }),
    );
    same_container(
        &json!({"restartPolicy": {"enabled": true}}),
        &json!({"restartPolicy": {"enabled": true, "ignoredExitCodes": [], "restartAttemptPeriod": 300}}),
    );
    same_definition(
        &json!({}),
        &json!({"trustedExecutionConfiguration": {"isolationMode": "SHARED"}}),
    );
}

#[test]
fn a_role_by_name_is_the_role_by_arn() {
    let drift = |spec: &str, described: &str| {
        compare(
            TaskDefinition::SHAPE,
            &task_definition(&json!({"taskRoleArn": spec})),
            &task_definition(&json!({"taskRoleArn": described})),
            &[],
        )
    };
    let arn = "arn:aws:iam::111122223333:role/teams/shop/web";
    assert_eq!(drift("web", arn), []);
    assert_eq!(drift(arn, arn), []);
    assert_eq!(drift("other", arn).len(), 1);
    assert_eq!(drift("arn:aws:iam::444455556666:role/teams/shop/web", arn).len(), 1);
}

#[test]
fn elements_that_share_a_key_are_all_kept() {
    let one = json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]);
    let other = json!([{"name": "A", "value": "2"}, {"name": "A", "value": "1"}]);
    same_container(&json!({"environment": one}), &json!({"environment": other}));
    let normal = task_definition(&with_container(&json!({"environment": one})));
    assert_eq!(
        normal.value()["containerDefinitions"]["app"]["environment"],
        json!({"A": {"name": "A", "value": "1"}, "A#2": {"name": "A", "value": "2"}})
    );
}

#[test]
fn the_content_hash_is_a_stable_name() {
    // The names of revisions that are already registered hang on this value.
    let normal = task_definition(&json!({"family": "web", "cpu": "256", "containerDefinitions": [
        {"name": "app", "image": "app:1", "environment": [{"name": "Q", "value": "\"\\\n\u{e9}"}]},
    ]}));
    assert_eq!(
        content_hash(&normal),
        "0828bf06e247c3f2169f539108031478573e72e2260d805f0f0824930f6bb982"
    );
}

#[test]
fn a_bare_service_is_what_ecs_makes_of_it() {
    same_service(&bare_spec(&json!({})), &bare_fargate(&json!({})));
}

#[test]
fn each_default_of_a_deployment_is_filled_by_itself() {
    for given in [
        json!({"maximumPercent": 200}),
        json!({"minimumHealthyPercent": 100}),
        json!({"strategy": "ROLLING"}),
        json!({"deploymentCircuitBreaker": {"enable": false, "rollback": false}}),
        json!({"alarms": {"alarmNames": [], "enable": false, "rollback": false}, "bakeTimeInMinutes": 0}),
    ] {
        same_service(
            &bare_spec(&json!({"deploymentConfiguration": given})),
            &bare_fargate(&json!({})),
        );
    }
    // Older services have less to show.
    same_service(
        &bare_spec(&json!({"deploymentConfiguration": {"maximumPercent": 200}})),
        &bare_fargate(&json!({"deploymentConfiguration": {
            "maximumPercent": 200, "minimumHealthyPercent": 100,
        }})),
    );
}

#[test]
fn the_breakers_new_members_have_defaults() {
    same_service(
        &bare_spec(&json!({"deploymentConfiguration": {"deploymentCircuitBreaker": {
            "enable": true, "rollback": true, "resetOnHealthyTask": true,
            "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50},
        }}})),
        &bare_fargate(&json!({"deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": true, "rollback": true},
            "alarms": {"alarmNames": [], "enable": false, "rollback": false},
        }})),
    );
}

#[test]
fn a_spec_silent_on_the_deployment_leaves_it_alone() {
    same_service(
        &bare_spec(&json!({})),
        &bare_fargate(&json!({"deploymentConfiguration": {
            "maximumPercent": 150, "minimumHealthyPercent": 50,
            "deploymentCircuitBreaker": {"enable": true, "rollback": true},
        }})),
    );
}

#[test]
fn a_spec_that_speaks_of_the_deployment_means_the_defaults_it_leaves_out() {
    let drift = service_drift(
        &bare_spec(&json!({"deploymentConfiguration": {"maximumPercent": 150}})),
        &bare_fargate(&json!({"deploymentConfiguration": {
            "maximumPercent": 150, "minimumHealthyPercent": 50,
        }})),
    );
    assert_eq!(drift.len(), 1, "{drift:?}");
    assert_eq!(drift[0].path, "deploymentConfiguration.minimumHealthyPercent");
    assert_eq!((&drift[0].desired, &drift[0].observed), (&Some(json!(100)), &Some(json!(50))));
}

#[test]
fn a_daemon_has_other_percentages_and_no_count() {
    let described = bare_fargate(&json!({
        "launchType": "EC2", "schedulingStrategy": "DAEMON", "desiredCount": 7,
        "deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 0},
    }));
    let spec = json!({
        "launchType": "EC2", "schedulingStrategy": "DAEMON",
        "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": false, "rollback": false}},
    });
    same_service(&spec, &described);
    let mut counted = spec.clone();
    counted["desiredCount"] = json!(3);
    counted["placementStrategy"] = json!([{"type": "random"}]);
    same_service(&counted, &described);
}

#[test]
fn each_percentage_of_a_daemon_is_filled_by_itself() {
    let described = bare_fargate(&json!({
        "launchType": "EC2", "schedulingStrategy": "DAEMON",
        "deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 0},
    }));
    for given in [json!({"maximumPercent": 100}), json!({"minimumHealthyPercent": 0})] {
        let spec = json!({"launchType": "EC2", "schedulingStrategy": "DAEMON", "deploymentConfiguration": given});
        same_service(&spec, &described);
    }
}

/// `CloudFormation`'s pages say that ECS fills in three hours there; `BLUE_GREEN` has to be told, which a rule demands.
#[test]
fn a_bake_time_means_something_to_ecs_only() {
    for controller in ["CODE_DEPLOY", "EXTERNAL"] {
        let controller = json!({"type": controller});
        same_service(
            &bare_spec(
                &json!({"deploymentController": controller, "deploymentConfiguration": {"maximumPercent": 200}}),
            ),
            &bare_fargate(&json!({"deploymentController": controller, "deploymentConfiguration": {
                "maximumPercent": 200, "minimumHealthyPercent": 100, "bakeTimeInMinutes": 180,
            }})),
        );
    }
    let baked = |minutes: i32| json!({"deploymentConfiguration": {"strategy": "CANARY", "bakeTimeInMinutes": minutes}});
    assert_eq!(service_drift(&bare_spec(&baked(5)), &bare_fargate(&baked(6))).len(), 1);
}

#[test]
fn the_order_of_constraints_means_nothing_and_that_of_strategies_does() {
    let (one, other) =
        (json!({"type": "distinctInstance"}), json!({"type": "memberOf", "expression": "a"}));
    same_service(
        &bare_spec(&json!({"placementConstraints": [one, other]})),
        &bare_fargate(&json!({"placementConstraints": [other, one]})),
    );
    let (first, second) = (
        json!({"type": "spread", "field": "instanceId"}),
        json!({"type": "binpack", "field": "cpu"}),
    );
    let drift = service_drift(
        &bare_spec(&json!({"placementStrategy": [first, second]})),
        &bare_fargate(&json!({"placementStrategy": [second, first]})),
    );
    assert_eq!(drift.len(), 1, "{drift:?}");
}

#[test]
fn steps_of_a_strategy_have_defaults_where_it_is_in_use() {
    for (strategy, name, steps) in [
        (
            "CANARY",
            "canaryConfiguration",
            json!({"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}),
        ),
        ("LINEAR", "linearConfiguration", json!({"stepPercent": 10.0, "stepBakeTimeInMinutes": 6})),
    ] {
        let given = json!({"strategy": strategy, "bakeTimeInMinutes": 5});
        let mut shown = given.clone();
        shown[name] = steps;
        same_service(
            &bare_spec(&json!({"deploymentConfiguration": given})),
            &bare_fargate(&json!({"deploymentConfiguration": shown})),
        );
        // What is left of it after a change of strategy counts for nothing.
        shown["strategy"] = json!("ROLLING");
        same_service(
            &bare_spec(&json!({"deploymentConfiguration": {"bakeTimeInMinutes": 5}})),
            &bare_fargate(&json!({"deploymentConfiguration": shown})),
        );
    }
}

#[test]
fn hooks_have_a_target_type_and_a_timeout() {
    same_service(
        &bare_spec(
            &json!({"deploymentConfiguration": {"strategy": "BLUE_GREEN", "lifecycleHooks": [
                {"hookTargetArn": "arn:f", "roleArn": "arn:r", "lifecycleStages": ["PRE_SCALE_UP", "POST_SCALE_UP"]},
                {"targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]},
            ]}}),
        ),
        &bare_fargate(
            &json!({"deploymentConfiguration": {"strategy": "BLUE_GREEN", "lifecycleHooks": [
                {"targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
                 "timeoutConfiguration": {"timeoutInMinutes": 1440, "action": "ROLLBACK"}},
                {"targetType": "AWS_LAMBDA", "hookTargetArn": "arn:f", "roleArn": "arn:r",
                 "lifecycleStages": ["POST_SCALE_UP", "PRE_SCALE_UP"]},
            ]}}),
        ),
    );
}

/// Hooks are compared as a whole, and what stands inside them has units all the same.
#[test]
fn a_hooks_role_by_name_is_the_role_by_arn() {
    let hooks = |first: &str, second: &str| {
        let hook = |role: &str| json!({"hookTargetArn": "arn:f", "roleArn": role, "lifecycleStages": ["PRE_SCALE_UP"]});
        json!({"deploymentConfiguration": {"lifecycleHooks": [hook(first), hook(second)]}})
    };
    let arn = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
    let described = bare_fargate(&hooks(&arn("b"), &arn("a")));
    same_service(&bare_spec(&hooks("a", "b")), &described);
    let drift = service_drift(&bare_spec(&hooks("a", "a-b")), &described);
    assert_eq!(drift.len(), 1, "{drift:?}");
    assert_eq!(drift[0].path, "deploymentConfiguration.lifecycleHooks");
}

#[test]
fn members_of_the_deployment_in_force_belong_to_the_service() {
    let connect = json!({"enabled": true, "namespace": "shop", "services": [
        {"portName": "http", "clientAliases": [{"port": 80, "dnsName": "web"}]},
    ]});
    let volumes =
        json!([{"name": "data", "managedEBSVolume": {"roleArn": "ebs", "sizeInGiB": 20}}]);
    let lattice = json!([{"roleArn": "lattice", "targetGroupArn": "arn:tg", "portName": "http"}]);
    let spec = bare_spec(&json!({
        "serviceConnectConfiguration": connect,
        "volumeConfigurations": volumes,
        "vpcLatticeConfigurations": lattice,
    }));
    let described = bare_fargate(&json!({"deployments": [
        {"status": "ACTIVE", "serviceConnectConfiguration": {"enabled": false}},
        {
            "status": "PRIMARY",
            "serviceConnectConfiguration": {
                "enabled": true,
                "namespace": "arn:aws:servicediscovery:eu-west-1:111122223333:namespace/ns-abc",
                "services": [{"portName": "http", "discoveryName": "http",
                              "clientAliases": [{"port": 80, "dnsName": "web"}]}],
            },
            "volumeConfigurations": [{"name": "data", "managedEBSVolume": {
                "roleArn": "arn:aws:iam::111122223333:role/ebs", "sizeInGiB": 20, "volumeType": "gp3",
                "encrypted": true, "iops": 3000, "throughput": 125, "filesystemType": "xfs",
                "tagSpecifications": [],
            }}],
            "vpcLatticeConfigurations": [{"roleArn": "arn:aws:iam::111122223333:role/lattice",
                                          "targetGroupArn": "arn:tg", "portName": "http"}],
        },
    ]}));
    same_service(&spec, &described);
    let drift = service_drift(&spec, &bare_fargate(&json!({})));
    let paths: Vec<&str> = drift.iter().map(|drift| drift.path.as_str()).collect();
    assert!(paths.contains(&"serviceConnectConfiguration.enabled"), "{paths:?}");
    assert!(paths.contains(&"volumeConfigurations[data]"), "{paths:?}");
    assert!(paths.contains(&"vpcLatticeConfigurations[arn:tg/http]"), "{paths:?}");
}

#[test]
fn service_connect_that_is_off_is_none() {
    same_service(
        &bare_spec(&json!({})),
        &bare_fargate(&json!({"deployments": [
            {"status": "PRIMARY", "serviceConnectConfiguration": {"enabled": false, "namespace": "shop"}},
        ]})),
    );
}

#[test]
fn a_deployment_controller_may_be_absent() {
    let mut described = bare_fargate(&json!({}));
    described.as_object_mut().unwrap().remove("deploymentController");
    same_service(&bare_spec(&json!({"deploymentController": {"type": "ECS"}})), &described);
    same_service(&bare_spec(&json!({})), &described);
}

#[test]
fn a_strategy_always_shows_weight_and_base() {
    let mut described = bare_fargate(&json!({"capacityProviderStrategy": [
        {"capacityProvider": "FARGATE_SPOT", "weight": 3, "base": 0},
        {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
    ]}));
    described.as_object_mut().unwrap().remove("launchType");
    let mut spec = bare_spec(&json!({"capacityProviderStrategy": [
        {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 3},
    ]}));
    spec.as_object_mut().unwrap().remove("launchType");
    same_service(&spec, &described);
}

#[test]
fn a_service_may_inherit_the_clusters_strategy() {
    let mut described = bare_fargate(&json!({"capacityProviderStrategy": [
        {"capacityProvider": "FARGATE", "weight": 1, "base": 0},
    ]}));
    described.as_object_mut().unwrap().remove("launchType");
    let mut spec = bare_spec(&json!({}));
    spec.as_object_mut().unwrap().remove("launchType");
    same_service(&spec, &described);
}

#[test]
fn placement_fields_have_two_spellings() {
    same_service(
        &bare_spec(&json!({"placementStrategy": [
            {"type": "spread", "field": "attribute:ecs.availability-zone"},
            {"type": "spread", "field": "host"},
            {"type": "binpack", "field": "memory"},
        ]})),
        &bare_fargate(&json!({"placementStrategy": [
            {"type": "spread", "field": "attribute:ecs.availability-zone"},
            {"type": "spread", "field": "instanceId"},
            {"type": "binpack", "field": "MEMORY"},
        ]})),
    );
}

#[test]
fn what_ecs_chooses_is_no_drift() {
    for chosen in [
        json!({"availabilityZoneRebalancing": "DISABLED"}),
        json!({"desiredCount": 40}),
        json!({"platformFamily": "Windows"}),
    ] {
        let mut spec = bare_spec(&json!({}));
        spec.as_object_mut().unwrap().remove("desiredCount");
        same_service(&spec, &bare_fargate(&chosen));
    }
}

#[test]
fn codedeploy_swaps_target_groups() {
    let balancers = |group: &str| {
        json!({"deploymentController": {"type": "CODE_DEPLOY"}, "loadBalancers": [
            {"targetGroupArn": group, "containerName": "app", "containerPort": 80},
        ]})
    };
    same_service(&bare_spec(&balancers("arn:blue")), &bare_fargate(&balancers("arn:green")));
    let ecs = |group: &str| {
        let mut members = balancers(group);
        members["deploymentController"]["type"] = json!("ECS");
        members
    };
    assert_ne!(service_drift(&bare_spec(&ecs("arn:blue")), &bare_fargate(&ecs("arn:green"))), []);
}

#[test]
fn a_switch_may_be_written_as_text() {
    for (text, value) in [("true", true), ("false", false)] {
        same_container(
            &json!({"readonlyRootFilesystem": text, "essential": text}),
            &json!({"readonlyRootFilesystem": value, "essential": value}),
        );
    }
}
