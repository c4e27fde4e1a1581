//! What is the same as what is wanted, as rows.

use super::*;
use crate::plan::tests::{World, desired, resolved, spec};

#[test]
fn what_is_passed_through_has_to_be_shown_whatever_aws_adds() {
    for (wanted, shown, is_there) in [
        (json!(1), json!(1), true),
        (json!(1), json!(2), false),
        (json!({ "a": 1 }), json!({ "a": 1, "b": 2 }), true),
        (json!({ "a": 1 }), json!({ "b": 2 }), false),
        (json!({ "a": { "b": [1] } }), json!({ "a": { "b": [1], "c": 1 } }), true),
        (json!([{ "a": 1 }]), json!([{ "a": 1, "b": 2 }]), true),
        (json!([1, 2]), json!([2, 1]), false),
        (json!([1]), json!([1, 2]), false),
        (json!([1, 2]), json!([1]), false),
        (json!([1]), json!({}), false),
    ] {
        let passed: Map<String, Value> =
            [("brandNew".to_owned(), wanted.clone())].into_iter().collect();
        let drift = passthrough_drift(&passed, &json!({ "brandNew": shown, "other": 1 }));
        assert_eq!(drift.is_empty(), is_there, "{wanted} of {shown}");
        assert_eq!(passthrough_drift(&passed, &json!({ "other": 1 })).len(), 1);
    }
}

#[test]
fn a_pointer_to_the_hooks_to_what_holds_them_or_into_them_leaves_them_alone() {
    for (pointer, leaves) in [
        ("/service/deploymentConfiguration/lifecycleHooks", true),
        ("/service/deploymentConfiguration/lifecycleHooks/0", true),
        ("/service/deploymentConfiguration", true),
        ("/service/deploymentConfiguration/", true),
        ("/service/deploymentConfiguration/lifecycle", false),
        ("/service/deploymentConfiguration/lifecycleHooksToo", false),
        ("/service/deploymentConfiguration/alarms", false),
        ("/taskDefinition", false),
    ] {
        assert_eq!(leaves_hooks_alone(pointer), leaves, "{pointer}");
    }
}

/// A rollout of this revision with other settings was another attempt.
#[test]
fn an_attempt_has_the_settings_that_ecs_captured_with_it() {
    let wanted = desired("web:v1");
    let observed = World::running("web:v1").observe();
    let network =
        |subnet: &str| json!({ "awsvpcConfiguration": { "subnets": ["subnet-a", subnet] } });
    let captured = |members: Value| ServiceDeployment {
        task_definition: observed.task_definition.clone(),
        captured: Some(members),
        ..ServiceDeployment::from_describe(&json!({}))
    };
    for (members, is_attempt) in [
        (json!({}), true),
        (json!({ "networkConfiguration": network("subnet-b") }), true),
        (json!({ "networkConfiguration": network("subnet-c") }), false),
        (
            json!({ "networkConfiguration": network("subnet-b"), "loadBalancers": [{ "targetGroupArn": "arn" }] }),
            false,
        ),
        // Where the count or the launch type is another, a rollback does not bring it back.
        (json!({ "networkConfiguration": network("subnet-b"), "launchType": "EC2" }), true),
    ] {
        assert_eq!(wanted.is_attempt(&captured(members.clone())), is_attempt, "{members}");
    }
    // ECS resolves what the spec leaves to it.
    let fargate =
        |provider: &str| json!([{ "capacityProvider": provider, "weight": 1, "base": 0 }]);
    for (member, asked, recorded, is_attempt) in [
        ("platformVersion", json!("LATEST"), json!("1.4.0"), true),
        ("platformVersion", json!("1.4.0"), json!("1.4.0"), true),
        ("platformVersion", json!("1.3.0"), json!("1.4.0"), false),
        ("capacityProviderStrategy", fargate("FARGATE"), fargate("FARGATE"), true),
        ("capacityProviderStrategy", fargate("FARGATE"), fargate("FARGATE_SPOT"), false),
        ("capacityProviderStrategy", fargate("FARGATE"), Value::Null, true),
    ] {
        let mut spec = serde_json::to_value(spec("web:v1", &json!({}))).unwrap();
        let service = spec["spec"]["service"].as_object_mut().unwrap();
        if member == "capacityProviderStrategy" {
            service.remove("launchType");
        }
        service.insert(member.to_owned(), asked.clone());
        let wanted = resolved(&serde_json::from_value(spec).unwrap());
        let mut members = json!({ "networkConfiguration": network("subnet-b") });
        if !recorded.is_null() {
            members[member] = recorded.clone();
        }
        let found = wanted.is_attempt(&captured(members));
        assert_eq!(found, is_attempt, "{member} {asked} {recorded}");
    }
    let unknown = ServiceDeployment::from_describe(&json!({}));
    assert!(!wanted.is_attempt(&unknown) && !desired("web:v2").is_attempt(&captured(json!({}))));
}

#[test]
fn the_digests_of_a_service_revision_are_those_that_ecs_resolved() {
    let revision = json!({ "containerImages": [
        { "containerName": "app", "imageDigest": "sha256:a" }, { "containerName": "later" },
    ] });
    let images = crate::observed::ResolvedImage::from_service_revision(&revision);
    let [image] = images.as_slice() else { panic!("{images:?}") };
    assert_eq!((&*image.container, &*image.digest), ("app", "sha256:a"));
}
