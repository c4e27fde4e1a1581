//! The real SDK against doubles of AWS, on a paused clock.

mod bucket;
mod canned;
mod changes;
mod credentials;
mod json;
mod layers;
mod reads;
mod signature;

use jiff::Timestamp;
use sandbox::{ClusterFixture, Fixtures, Sandbox, SandboxTime};
use serde_json::{Value, json};

use super::{Account, Aws, ConnectOptions};
use crate::clock::Clock;

/// The sandbox, and an operator's way to it.
struct Bench {
    sandbox: Sandbox,
    time: SandboxTime,
    aws: Aws,
}

impl Bench {
    async fn new() -> Self {
        let origin: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        let clusters =
            vec![ClusterFixture { name: "shop".to_owned(), ..ClusterFixture::default() }];
        let sandbox = Sandbox::new(Fixtures { clusters, ..Fixtures::default() });
        let time = SandboxTime::new(origin, 1.0);
        let options = ConnectOptions {
            clock: Clock::virtual_from(origin),
            seed: 7,
            ..ConnectOptions::in_process(sandbox.http_client(time))
        };
        let aws = Aws::connect(&[], options).await.unwrap();
        Self { sandbox, time, aws }
    }

    fn account(&self) -> &Account {
        self.aws.account(&crds::TargetName::default()).unwrap()
    }

    /// Calls ECS as somebody at a console would.
    fn console(&self, operation: &str, input: Value) -> Value {
        let answer = self.sandbox.call(self.time.now(), "ecs", operation, input);
        answer.unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    }

    /// Services `web-0` and on.
    fn services(&self, count: usize) {
        self.console("RegisterTaskDefinition", task_definition());
        for number in 0..count {
            self.console("CreateService", service(&format!("web-{number}")));
        }
    }

    fn sent(&self, operation: &str) -> usize {
        self.sandbox.count_of("ecs", operation)
    }
}

fn task_definition() -> Value {
    json!({
        "family": "web",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{ "name": "web", "image": "web:v1" }],
        "tags": [{ "key": "team", "value": "shop" }],
    })
}

fn service(name: &str) -> Value {
    json!({
        "cluster": "shop",
        "serviceName": name,
        "taskDefinition": "web",
        "desiredCount": 1,
        "launchType": "FARGATE",
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-1"] } },
        "tags": [{ "key": "team", "value": name }],
    })
}
