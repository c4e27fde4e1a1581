//! Differences, their effects, what is ignored, and the request that closes them.

use crds::ecs::{Effect, ServiceDefinition, TaskDefinition};
use serde_json::{Value, json};

use super::{FieldDrift, apply_ignore, compare, is_updatable, update_input};
use crate::normal;

fn service_drift(spec: &Value, described: &Value, ignore: &[&str]) -> Vec<FieldDrift> {
    let ignore: Vec<String> = ignore.iter().map(ToString::to_string).collect();
    compare(
        ServiceDefinition::SHAPE,
        &normal::service(spec),
        &normal::observed_service(described),
        &ignore,
    )
}

fn definition_drift(spec: &Value, described: &Value, ignore: &[&str]) -> Vec<FieldDrift> {
    let ignore: Vec<String> = ignore.iter().map(ToString::to_string).collect();
    compare(
        TaskDefinition::SHAPE,
        &normal::task_definition(spec),
        &normal::task_definition(described),
        &ignore,
    )
}

fn paths(drift: &[FieldDrift]) -> Vec<&str> {
    drift.iter().map(|drift| drift.path.as_str()).collect()
}

#[test]
fn a_changed_image_is_one_difference_that_rolls_tasks() {
    let definition = |image: &str| {
        json!({"containerDefinitions": [
            {"name": "side", "image": "side:1"}, {"name": "app", "image": image, "cpu": 64},
        ]})
    };
    assert_eq!(
        definition_drift(&definition("app:2"), &definition("app:1"), &[]),
        [FieldDrift {
            path: "containerDefinitions[app].image".to_owned(),
            desired: Some(json!("app:2")),
            observed: Some(json!("app:1")),
            effect: Effect::RollsTasks,
        }]
    );
}

#[test]
fn elements_that_come_or_go_are_one_difference_each() {
    let spec = json!({"containerDefinitions": [
        {"name": "app", "image": "app:1", "environment": [{"name": "NEW", "value": "1"}],
         "portMappings": [{"containerPort": 53, "protocol": "udp"}]},
    ]});
    let described = json!({"containerDefinitions": [
        {"name": "app", "image": "app:1", "environment": [{"name": "OLD", "value": "1"}],
         "portMappings": [{"containerPort": 53}]},
        {"name": "side", "image": "side:1", "environment": [{"name": "X", "value": "1"}]},
    ]});
    let drift = definition_drift(&spec, &described, &[]);
    assert_eq!(
        paths(&drift),
        [
            "containerDefinitions[app].portMappings[53/tcp]",
            "containerDefinitions[app].portMappings[53/udp]",
            "containerDefinitions[app].environment[NEW]",
            "containerDefinitions[app].environment[OLD]",
            "containerDefinitions[side]",
        ]
    );
    assert_eq!(drift[2].desired, Some(json!({"name": "NEW", "value": "1"})));
    assert_eq!(drift[2].observed, None);
    // Elements are shown as ECS writes them, not in the normal form's objects.
    assert_eq!(
        drift[4].observed.as_ref().unwrap()["environment"],
        json!([{"name": "X", "value": "1"}])
    );
}

#[test]
fn differences_lead_to_leaves() {
    let spec = json!({"containerDefinitions": [{"name": "app", "image": "app:1",
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "a"}},
        "healthCheck": {"command": ["CMD", "true"], "interval": 10},
        "dnsServers": ["10.0.0.2"],
    }]});
    let described = json!({"containerDefinitions": [{"name": "app", "image": "app:1",
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "b", "mode": ""}},
        "healthCheck": {"command": ["CMD", "true"]},
        "dnsServers": ["10.0.0.2", "10.0.0.3"],
    }]});
    let drift = definition_drift(&spec, &described, &[]);
    assert_eq!(
        paths(&drift),
        [
            "containerDefinitions[app].dnsServers",
            "containerDefinitions[app].logConfiguration.options[awslogs-group]",
            "containerDefinitions[app].logConfiguration.options[mode]",
            "containerDefinitions[app].healthCheck.interval",
        ]
    );
    assert_eq!(drift[2].observed, Some(json!("")));
    assert_eq!(drift[3].observed, Some(json!(30)));
}

/// Every member of a service, changed: its path, and what the change does (aws.md §2.4).
#[test]
fn every_member_of_a_service_has_its_effect() {
    let on_deployment = |members: Value| {
        let mut deployment = json!({"status": "PRIMARY"});
        for (name, value) in members.as_object().unwrap() {
            deployment[name] = value.clone();
        }
        json!({"deployments": [deployment]})
    };
    let vpc = |subnet: &str, address: &str| {
        json!({"networkConfiguration": {"awsvpcConfiguration": {
            "subnets": [subnet], "assignPublicIp": address,
        }}})
    };
    let rows = [
        (json!({"desiredCount": 3}), json!({"desiredCount": 2}), "desiredCount", Effect::InPlace),
        (
            vpc("a", "ENABLED"),
            vpc("b", "ENABLED"),
            "networkConfiguration.awsvpcConfiguration.subnets",
            Effect::RollsTasks,
        ),
        (
            vpc("a", "ENABLED"),
            vpc("a", "DISABLED"),
            "networkConfiguration.awsvpcConfiguration.assignPublicIp",
            Effect::RollsTasks,
        ),
        (
            json!({"platformVersion": "1.4.0"}),
            json!({"platformVersion": "LATEST"}),
            "platformVersion",
            Effect::RollsTasks,
        ),
        (json!({}), json!({"platformVersion": "1.3.0"}), "platformVersion", Effect::RollsTasks),
        (
            json!({"loadBalancers": [{"targetGroupArn": "arn:a", "containerName": "app", "containerPort": 80}]}),
            json!({"loadBalancers": []}),
            "loadBalancers[arn:a/app/80]",
            Effect::RollsTasks,
        ),
        (
            json!({}),
            json!({"serviceRegistries": [{"registryArn": "arn:r"}]}),
            "serviceRegistries[arn:r]",
            Effect::RollsTasks,
        ),
        (
            json!({"serviceConnectConfiguration": {"enabled": true}}),
            json!({}),
            "serviceConnectConfiguration.enabled",
            Effect::RollsTasks,
        ),
        (
            json!({}),
            on_deployment(json!({"serviceConnectConfiguration": {"enabled": true}})),
            "serviceConnectConfiguration.enabled",
            Effect::RollsTasks,
        ),
        (
            json!({}),
            on_deployment(json!({"volumeConfigurations": [{"name": "d"}]})),
            "volumeConfigurations[d]",
            Effect::RollsTasks,
        ),
        (
            json!({}),
            on_deployment(
                json!({"vpcLatticeConfigurations": [{"targetGroupArn": "t", "portName": "p"}]}),
            ),
            "vpcLatticeConfigurations[t/p]",
            Effect::RollsTasks,
        ),
        (
            json!({"capacityProviderStrategy": [{"capacityProvider": "A", "weight": 2}]}),
            json!({"capacityProviderStrategy": [{"capacityProvider": "A", "weight": 1, "base": 0}]}),
            "capacityProviderStrategy[A].weight",
            Effect::NeedsForce,
        ),
        (
            json!({"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}),
            json!({"launchType": "FARGATE"}),
            "capacityProviderStrategy[FARGATE_SPOT]",
            Effect::NeedsForce,
        ),
        (
            json!({"launchType": "FARGATE"}),
            json!({"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}),
            "capacityProviderStrategy[FARGATE_SPOT]",
            Effect::NeedsForce,
        ),
        (
            json!({"launchType": "FARGATE"}),
            json!({"launchType": "EC2"}),
            "launchType",
            Effect::Replacement,
        ),
        (
            json!({"schedulingStrategy": "DAEMON"}),
            json!({"schedulingStrategy": "REPLICA"}),
            "schedulingStrategy",
            Effect::Replacement,
        ),
        (
            json!({"role": "other"}),
            json!({"roleArn": "arn:aws:iam::111122223333:role/ecs"}),
            "role",
            Effect::Replacement,
        ),
        (
            json!({"deploymentController": {"type": "EXTERNAL"}}),
            json!({"deploymentController": {"type": "ECS"}}),
            "deploymentController.type",
            Effect::Replacement,
        ),
        (
            json!({"deploymentController": {"type": "ECS"}}),
            json!({"deploymentController": {"type": "CODE_DEPLOY"}}),
            "deploymentController.type",
            Effect::InPlace,
        ),
        (
            json!({}),
            json!({"deploymentController": {"type": "CODE_DEPLOY"}}),
            "deploymentController.type",
            Effect::InPlace,
        ),
        (
            json!({"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": true, "rollback": false}}}),
            json!({"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": false, "rollback": false}}}),
            "deploymentConfiguration.deploymentCircuitBreaker.enable",
            Effect::InPlace,
        ),
        (
            json!({"deploymentConfiguration": {"strategy": "ROLLING"}}),
            json!({"deploymentConfiguration": {"strategy": "ROLLING", "lifecycleHooks": [{"targetType": "PAUSE"}]}}),
            "deploymentConfiguration.lifecycleHooks",
            Effect::InPlace,
        ),
        (
            json!({"availabilityZoneRebalancing": "ENABLED"}),
            json!({"availabilityZoneRebalancing": "DISABLED"}),
            "availabilityZoneRebalancing",
            Effect::InPlace,
        ),
        (
            json!({}),
            json!({"placementConstraints": [{"type": "distinctInstance"}]}),
            "placementConstraints",
            Effect::InPlace,
        ),
        (
            json!({"placementStrategy": [{"type": "random"}]}),
            json!({"placementStrategy": []}),
            "placementStrategy",
            Effect::InPlace,
        ),
        (
            json!({}),
            json!({"healthCheckGracePeriodSeconds": 60}),
            "healthCheckGracePeriodSeconds",
            Effect::InPlace,
        ),
        (
            json!({"enableExecuteCommand": true}),
            json!({"enableExecuteCommand": false}),
            "enableExecuteCommand",
            Effect::NewTasksOnly,
        ),
        (
            json!({}),
            json!({"enableECSManagedTags": true}),
            "enableECSManagedTags",
            Effect::NewTasksOnly,
        ),
        (
            json!({"propagateTags": "SERVICE"}),
            json!({"propagateTags": "NONE"}),
            "propagateTags",
            Effect::NewTasksOnly,
        ),
        (
            json!({"monitoring": {"metricConfigurations": [{"metricNames": ["CPUUtilization"], "resolutionSeconds": 20}]}}),
            json!({"monitoring": {"metricConfigurations": [{"metricNames": ["CPUUtilization"], "resolutionSeconds": 60}]}}),
            "monitoring.metricConfigurations",
            Effect::InPlace,
        ),
    ];
    for (spec, described, path, effect) in rows {
        let drift = service_drift(&spec, &described, &[]);
        assert_eq!(paths(&drift), [path], "{spec} {described}");
        assert_eq!(drift[0].effect, effect, "{path}");
    }
}

#[test]
fn ignored_members_are_not_compared_by_index_or_name() {
    let spec = json!({"containerDefinitions": [
        {"name": "side", "image": "side:1"},
        {"name": "app", "image": "app:1", "cpu": 1, "dnsServers": ["a"], "dockerLabels": {"a/b": "1"},
         "environment": [{"name": "A", "value": "1"}]},
    ]});
    let described = json!({"containerDefinitions": [
        {"name": "app", "image": "app:1", "cpu": 2, "dnsServers": ["b"], "dockerLabels": {"a/b": "2"},
         "environment": [{"name": "A", "value": "2"}]},
        {"name": "agent", "image": "agent:1"},
        {"name": "side", "image": "side:1"},
    ]});
    let all = [
        "containerDefinitions[agent]",
        "containerDefinitions[app].cpu",
        "containerDefinitions[app].environment[A].value",
        "containerDefinitions[app].dnsServers",
        "containerDefinitions[app].dockerLabels[a/b]",
    ];
    assert_eq!(paths(&definition_drift(&spec, &described, &[])), all);
    for (pointer, index) in [
        ("/containerDefinitions/agent", 0),
        ("/containerDefinitions/1/cpu", 1),
        ("/containerDefinitions/app/cpu", 1),
        ("/containerDefinitions/1/environment/0/value", 2),
        ("/containerDefinitions/1/environment/A", 2),
        ("/containerDefinitions/app/environment", 2),
        ("/containerDefinitions/app/dnsServers", 3),
        ("/containerDefinitions/app/dnsServers/0", 3),
        ("/containerDefinitions/app/dockerLabels/a~1b", 4),
    ] {
        let mut left = all.to_vec();
        left.remove(index);
        assert_eq!(paths(&definition_drift(&spec, &described, &[pointer])), left, "{pointer}");
        // What is not compared is not applied either.
        let applied = apply_ignore(TaskDefinition::SHAPE, &spec, &described, &[pointer.to_owned()]);
        assert_eq!(paths(&definition_drift(&applied, &described, &[])), left, "{pointer}");
    }
    assert_eq!(definition_drift(&spec, &described, &["/containerDefinitions"]), []);
}

#[test]
fn an_ignored_member_takes_the_observed_value_or_is_left_out() {
    let ignore = |pointers: &[&str], desired: Value, observed: &Value| {
        let pointers: Vec<String> = pointers.iter().map(ToString::to_string).collect();
        apply_ignore(ServiceDefinition::SHAPE, &desired, observed, &pointers)
    };
    let observed = json!({"desiredCount": 7, "loadBalancers": [{"targetGroupArn": "arn:b"}]});
    assert_eq!(
        ignore(&["/desiredCount"], json!({"desiredCount": 2}), &observed)["desiredCount"],
        7
    );
    assert_eq!(ignore(&["/desiredCount"], json!({}), &observed)["desiredCount"], 7);
    assert_eq!(
        ignore(&["/platformVersion"], json!({"platformVersion": "1.4.0"}), &observed),
        json!({})
    );
    assert_eq!(
        ignore(
            &["/loadBalancers"],
            json!({"loadBalancers": [{"targetGroupArn": "arn:a"}]}),
            &observed
        ),
        json!({"loadBalancers": [{"targetGroupArn": "arn:b"}]})
    );
    // Pointers to nothing, and below a scalar, change nothing or the scalar.
    let kept = json!({"desiredCount": 2});
    assert_eq!(ignore(&["/nothing/here", "", "/healthCheck/x"], kept.clone(), &observed), kept);
    assert_eq!(ignore(&["/desiredCount/0"], kept, &observed)["desiredCount"], 7);
}

#[test]
fn indices_mean_the_elements_as_they_were_written() {
    let spec = json!({"containerDefinitions": [
        {"name": "a", "image": "1"}, {"name": "b", "image": "1"}, {"name": "c", "image": "1"},
    ]});
    let described = json!({"containerDefinitions": [
        {"name": "c", "image": "2"}, {"name": "b", "image": "2"},
    ]});
    // The first pointer removes `a`; the second still means `b`.
    let pointers =
        ["/containerDefinitions/0".to_owned(), "/containerDefinitions/1/image".to_owned()];
    assert_eq!(
        apply_ignore(TaskDefinition::SHAPE, &spec, &described, &pointers),
        json!({"containerDefinitions": [{"name": "b", "image": "2"}, {"name": "c", "image": "1"}]})
    );
}

#[test]
fn an_update_holds_only_what_differs() {
    let observed = json!({
        "desiredCount": 2, "launchType": "FARGATE", "enableExecuteCommand": false,
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["a"], "assignPublicIp": "DISABLED"}},
    });
    let spec = json!({
        "desiredCount": 3, "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["a"]}},
        "tags": [{"key": "a", "value": "b"}],
    });
    assert_eq!(update_input(&spec, &observed), json!({"desiredCount": 3}));
    let mut unchanged = spec;
    unchanged["desiredCount"] = json!(2);
    assert_eq!(update_input(&unchanged, &observed), json!({}));
}

#[test]
fn what_left_the_spec_is_cleared() {
    let observed = json!({
        "loadBalancers": [{"targetGroupArn": "arn:a", "containerName": "app", "containerPort": 80}],
        "serviceRegistries": [{"registryArn": "arn:r"}],
        "placementConstraints": [{"type": "distinctInstance"}],
        "placementStrategy": [{"type": "random"}],
        "platformVersion": "1.3.0",
        "healthCheckGracePeriodSeconds": 60,
        "enableExecuteCommand": true, "enableECSManagedTags": true, "propagateTags": "SERVICE",
        "deployments": [{
            "status": "PRIMARY",
            "serviceConnectConfiguration": {"enabled": true, "namespace": "shop"},
            "volumeConfigurations": [{"name": "d", "managedEBSVolume": {"roleArn": "r"}}],
            "vpcLatticeConfigurations": [{"roleArn": "r", "targetGroupArn": "t", "portName": "p"}],
        }],
    });
    assert_eq!(
        update_input(&json!({}), &observed),
        json!({
            "loadBalancers": [], "serviceRegistries": [], "placementConstraints": [], "placementStrategy": [],
            "platformVersion": "LATEST", "healthCheckGracePeriodSeconds": 0,
            "enableExecuteCommand": false, "enableECSManagedTags": false, "propagateTags": "NONE",
            "serviceConnectConfiguration": {"enabled": false},
            "volumeConfigurations": [], "vpcLatticeConfigurations": [],
        })
    );
}

#[test]
fn a_deployment_configuration_is_sent_whole_with_what_left_it() {
    let observed = json!({"deploymentConfiguration": {
        "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5, "maximumPercent": 200, "minimumHealthyPercent": 50,
        "deploymentCircuitBreaker": {"enable": true, "rollback": true},
        "alarms": {"alarmNames": ["a"], "enable": true, "rollback": true},
        "lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}],
    }});
    assert_eq!(
        update_input(
            &json!({"deploymentConfiguration": {"minimumHealthyPercent": 100}}),
            &observed
        ),
        json!({"deploymentConfiguration": {
            "minimumHealthyPercent": 100, "strategy": "ROLLING", "bakeTimeInMinutes": 0,
            "deploymentCircuitBreaker": {"enable": false, "rollback": false},
            "alarms": {"alarmNames": [], "enable": false, "rollback": false},
            "lifecycleHooks": [],
        }})
    );
}

#[test]
fn security_groups_that_the_spec_does_not_name_are_sent_along() {
    let observed = json!({"networkConfiguration": {"awsvpcConfiguration": {
        "subnets": ["a"], "securityGroups": ["sg-default"], "assignPublicIp": "DISABLED",
    }}});
    let spec = json!({"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["b"]}}});
    assert_eq!(
        update_input(&spec, &observed),
        json!({"networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["b"], "securityGroups": ["sg-default"],
        }}})
    );
}

#[test]
fn capacity_providers_change_by_force_and_the_launch_type_not_at_all() {
    let strategy = json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1}]);
    assert_eq!(
        update_input(
            &json!({"capacityProviderStrategy": strategy}),
            &json!({"launchType": "FARGATE"})
        ),
        json!({"capacityProviderStrategy": strategy, "forceNewDeployment": true})
    );
    assert_eq!(
        update_input(
            &json!({"launchType": "FARGATE"}),
            &json!({"capacityProviderStrategy": strategy})
        ),
        json!({"capacityProviderStrategy": [], "forceNewDeployment": true})
    );
    assert_eq!(update_input(&json!({}), &json!({"capacityProviderStrategy": strategy})), json!({}));
    assert_eq!(
        update_input(&json!({"launchType": "FARGATE"}), &json!({"launchType": "EC2"})),
        json!({})
    );
}

#[test]
fn a_daemon_is_sent_neither_count_nor_placement() {
    let observed = json!({"schedulingStrategy": "DAEMON", "desiredCount": 4});
    let spec = json!({
        "schedulingStrategy": "DAEMON", "desiredCount": 9, "placementStrategy": [{"type": "random"}],
        "healthCheckGracePeriodSeconds": 5,
    });
    assert_eq!(update_input(&spec, &observed), json!({"healthCheckGracePeriodSeconds": 5}));
}

#[test]
fn other_controllers_take_less() {
    let spec = |controller: &str| {
        json!({
            "deploymentController": {"type": controller},
            "desiredCount": 3, "healthCheckGracePeriodSeconds": 5, "platformVersion": "1.4.0",
            "loadBalancers": [{"targetGroupArn": "arn:a", "containerName": "app", "containerPort": 80}],
            "deploymentConfiguration": {"maximumPercent": 150}, "propagateTags": "SERVICE",
            "enableExecuteCommand": true,
        })
    };
    let observed = |controller: &str| {
        json!({"deploymentController": {"type": controller}, "desiredCount": 2,
               "deploymentConfiguration": {"maximumPercent": 200}})
    };
    assert_eq!(
        update_input(&spec("CODE_DEPLOY"), &observed("CODE_DEPLOY")),
        json!({
            "desiredCount": 3, "healthCheckGracePeriodSeconds": 5, "propagateTags": "SERVICE",
            "deploymentConfiguration": {"maximumPercent": 150},
        })
    );
    assert_eq!(
        update_input(&spec("EXTERNAL"), &observed("EXTERNAL")),
        json!({"desiredCount": 3, "healthCheckGracePeriodSeconds": 5, "propagateTags": "SERVICE"})
    );
    // ECS takes over in the same request.
    let migration = update_input(&spec("ECS"), &observed("CODE_DEPLOY"));
    assert_eq!(migration["deploymentController"], json!({"type": "ECS"}));
    assert_eq!(migration["platformVersion"], "1.4.0");
    assert!(
        !is_updatable("platformVersion", "CODE_DEPLOY") && is_updatable("platformVersion", "ECS")
    );
}

#[test]
fn members_that_ecs_does_not_show_are_sent_along() {
    let monitoring = json!({"metricConfigurations": [
        {"metricNames": ["CPUUtilization"], "resolutionSeconds": 20},
    ]});
    let spec = json!({"monitoring": monitoring});
    assert_eq!(service_drift(&spec, &json!({}), &[]), []);
    assert_eq!(update_input(&spec, &json!({})), spec);
    // Where they were read from a service revision, they are compared like the others.
    assert_eq!(update_input(&spec, &spec), json!({}));
}
