//! Specs that stories start from.

use serde_json::{Value, json};

/// A Fargate service of the cluster `shop` with two tasks, as JSON that stories change.
pub fn service(name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "longshore.dev/v1alpha1",
        "kind": "Service",
        "metadata": { "name": name },
        "spec": {
            "cluster": "shop",
            "taskDefinition": {
                "cpu": "256",
                "memory": "512",
                "networkMode": "awsvpc",
                "requiresCompatibilities": ["FARGATE"],
                "executionRoleArn": "arn:aws:iam::111122223333:role/shop-execution",
                "containerDefinitions": [{
                    "name": "app",
                    "image": image,
                    "portMappings": [{ "containerPort": 8080 }],
                    "environment": [{ "name": "GREETING", "value": "hello" }],
                }],
            },
            "service": {
                "launchType": "FARGATE",
                "desiredCount": 2,
                "networkConfiguration": {
                    "awsvpcConfiguration": { "subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"] },
                },
                "deploymentConfiguration": {
                    "deploymentCircuitBreaker": { "enable": true, "rollback": true },
                },
            },
        },
    })
}

/// The same with one more member: `with(service("web", "v1"), "/spec/sync", json!({"adopt": true}))`. Missing objects on the
/// way are made.
#[must_use]
pub fn with(mut spec: Value, pointer: &str, value: Value) -> Value {
    let mut place = &mut spec;
    for step in pointer.trim_start_matches('/').split('/') {
        place = match step.parse::<usize>() {
            Ok(index) => &mut place[index],
            Err(_) => &mut place[step],
        };
    }
    *place = value;
    spec
}

/// The image of a service at a version.
pub fn image(name: &str, version: &str) -> String {
    format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/{name}:{version}")
}

/// The same in a cluster of EC2 instances, one task on each.
pub fn daemon(name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "longshore.dev/v1alpha1",
        "kind": "Service",
        "metadata": { "name": name },
        "spec": {
            "cluster": "shop",
            "taskDefinition": {
                "containerDefinitions": [{ "name": "app", "image": image, "cpu": 64, "memory": 128 }],
            },
            "service": {
                "launchType": "EC2",
                "schedulingStrategy": "DAEMON",
                "deploymentConfiguration": {
                    "deploymentCircuitBreaker": { "enable": true, "rollback": true },
                },
            },
        },
    })
}

/// A service of one version at a number of tasks.
pub fn counted(name: &str, version: &str, count: u32) -> Value {
    with(service(name, &image(name, version)), "/spec/service/desiredCount", json!(count))
}

/// A release `name` of `shop/web` that follows semantic versions in a range.
pub fn release(name: &str, range: &str) -> Value {
    json!({
        "apiVersion": "longshore.dev/v1alpha1",
        "kind": "Release",
        "metadata": { "name": name },
        "spec": {
            "image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web",
            "policy": { "semver": range },
        },
    })
}
