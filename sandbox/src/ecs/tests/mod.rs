//! The rules of aws.md, each on a small ECS in virtual time.

#![expect(
    clippy::needless_pass_by_value,
    reason = "`json!` at the call reads best without a borrow"
)]

mod changes;
mod endings;
mod lifecycle;
mod rollouts;
mod stages;
mod tasks;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Ecs, RegistryAnswer, Surroundings};
use crate::{ApiError, Fixtures, ImageBehaviour, ImageRule};

/// Nothing exists outside ECS but what its name says.
struct Outside;

impl Surroundings for Outside {
    fn secret_exists(&self, value_from: &str) -> bool {
        !value_from.contains("missing")
    }

    fn image(&self, reference: &str) -> Option<RegistryAnswer> {
        reference.starts_with("ours/").then(|| {
            if reference.contains("gone") {
                RegistryAnswer::Missing
            } else {
                RegistryAnswer::Digest(format!("sha256:of-{reference}"))
            }
        })
    }

    fn weights(&self, _: &str) -> Option<Vec<(String, u32)>> {
        None
    }
}

/// A small ECS, its clock, and short ways to use both.
struct Bench {
    ecs: Ecs,
    now: Timestamp,
}

impl Bench {
    fn new() -> Self {
        Self::with(Fixtures {
            images: vec![
                ImageRule::new("web:gone*", ImageBehaviour::NotFound),
                ImageRule::new("web:sick*", ImageBehaviour::Unhealthy),
            ],
            ..Fixtures::default()
        })
    }

    fn with(fixtures: Fixtures) -> Self {
        Self {
            ecs: Ecs::new("111122223333", "eu-west-1", 7, &fixtures),
            now: "2026-11-21T00:00:00Z".parse().unwrap(),
        }
    }

    fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        self.ecs.advance(self.now, &Outside);
    }

    fn call(&mut self, operation: &str, input: Value) -> Result<Value, ApiError> {
        self.ecs.advance(self.now, &Outside);
        self.ecs.call(operation, &input, self.now)
    }

    fn ok(&mut self, operation: &str, input: Value) -> Value {
        self.call(operation, input).unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    }

    fn refused(&mut self, operation: &str, input: Value) -> (String, String) {
        let error = self.call(operation, input).unwrap_err();
        assert_eq!(error.http_status, 400, "{error:?}");
        (error.code, error.message)
    }

    /// Registers a revision of `web` with this image.
    fn register(&mut self, image: &str) -> String {
        self.register_with(
            json!([{"name": "web", "image": image, "portMappings": [{"containerPort": 80}]}]),
        )
    }

    fn register_with(&mut self, containers: Value) -> String {
        let answer = self.ok(
            "RegisterTaskDefinition",
            json!({
                "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
                "cpu": "256", "memory": "512", "executionRoleArn": "arn:aws:iam::111122223333:role/exec",
                "containerDefinitions": containers,
            }),
        );
        answer["taskDefinition"]["taskDefinitionArn"].as_str().unwrap().to_owned()
    }

    /// Creates the service `web` of two tasks, with these members besides.
    fn create(&mut self, more: Value) -> Value {
        let mut request = json!({
            "serviceName": "web", "taskDefinition": "web", "desiredCount": 2, "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        });
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        self.ok("CreateService", request)["service"].clone()
    }

    /// A service of v1 that has settled.
    fn settled(more: Value) -> Self {
        let mut bench = Self::new();
        bench.register("web:v1");
        bench.create(more);
        bench.wait(120);
        assert_eq!(bench.service()["deployments"][0]["rolloutState"], "COMPLETED");
        bench
    }

    fn update(&mut self, more: Value) -> Value {
        let mut request = more;
        request["service"] = json!("web");
        self.ok("UpdateService", request)["service"].clone()
    }

    fn service(&mut self) -> Value {
        self.ok("DescribeServices", json!({"services": ["web"]}))["services"][0].clone()
    }

    /// The newest service deployment.
    fn record(&mut self) -> Value {
        let brief = self.ok("ListServiceDeployments", json!({"service": "web"}));
        let arn = brief["serviceDeployments"][0]["serviceDeploymentArn"].clone();
        let found = self.ok("DescribeServiceDeployments", json!({"serviceDeploymentArns": [arn]}));
        found["serviceDeployments"][0].clone()
    }

    /// The statuses of all service deployments, newest first.
    fn statuses(&mut self) -> Vec<String> {
        let briefs = self.ok("ListServiceDeployments", json!({"service": "web"}));
        let briefs = briefs["serviceDeployments"].as_array().unwrap();
        briefs.iter().map(|one| one["status"].as_str().unwrap().to_owned()).collect()
    }

    /// All tasks with this desired status.
    fn tasks(&mut self, desired: &str) -> Vec<Value> {
        let arns = self.ok("ListTasks", json!({"desiredStatus": desired}))["taskArns"].clone();
        let found = self.ok("DescribeTasks", json!({"tasks": arns}));
        found["tasks"].as_array().unwrap().clone()
    }

    /// The texts of the events, oldest first, without their prefix and ids.
    fn events(&mut self) -> Vec<String> {
        let service = self.service();
        let events = service["events"].as_array().unwrap();
        events.iter().rev().map(|one| plain(one["message"].as_str().unwrap())).collect()
    }
}

/// A message without task ids, deployment ids, and the name of the service.
fn plain(message: &str) -> String {
    let text = message.strip_prefix("(service web) ").unwrap_or(message);
    let mut text = text.split(": (task").next().unwrap_or_default().to_owned();
    while let Some(at) = text.find("ecs-svc/") {
        let end = text[at + 8..].find(|letter: char| !letter.is_ascii_digit());
        let end = end.map_or(text.len(), |end| at + 8 + end);
        text.replace_range(at..end, "D");
    }
    text
}
