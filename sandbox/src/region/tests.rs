//! What the services of a Region know of each other.

#![expect(
    clippy::needless_pass_by_value,
    reason = "`json!` at the call reads best without a borrow"
)]

use bytes::Bytes;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{Fixtures, Region, Sandbox, TaskView};

const REGISTRY: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";

pub(super) struct Bench {
    pub(super) sandbox: Sandbox,
    pub(super) now: Timestamp,
}

impl Bench {
    pub(super) fn new(yaml: &str) -> Self {
        let sandbox = Sandbox::new(Fixtures::from_yaml(yaml).unwrap());
        Self { sandbox, now: "2026-11-21T00:00:00Z".parse().unwrap() }
    }

    pub(super) fn call(&self, api: &str, operation: &str, input: Value) -> Value {
        let answer = self.sandbox.call(self.now, api, operation, input);
        answer.unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    }

    pub(super) fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub(super) fn register(&self, image: &str, secret: &str) {
        let secrets =
            if secret.is_empty() { json!([]) } else { json!([{"name": "S", "valueFrom": secret}]) };
        self.call("ecs", "RegisterTaskDefinition", json!({
            "family": "web", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
            "executionRoleArn": "arn:aws:iam::111122223333:role/exec",
            "containerDefinitions": [{"name": "web", "image": image, "secrets": secrets, "portMappings": [{"containerPort": 80}]}],
        }));
    }

    pub(super) fn create(&self, more: Value) {
        let mut request = json!({
            "serviceName": "web", "taskDefinition": "web", "desiredCount": 2, "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        });
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        self.call("ecs", "CreateService", request);
    }

    pub(super) fn tasks(&self) -> Vec<TaskView> {
        self.sandbox.look(self.now, Region::tasks)
    }

    fn desired(&self) -> i64 {
        self.sandbox.look(self.now, |region| region.service("default", "web").unwrap().desired)
    }
}

#[test]
fn tasks_read_the_parameters_and_secrets_that_exist() {
    let yaml = "strictSecrets: true\nparameters: [{name: /web/key, value: x}]\nsecrets: [{name: web, suffix: AbCdEf}]\n";
    let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:web-AbCdEf";
    for (secret, runs) in [
        ("/web/key", true),
        ("arn:aws:ssm:eu-west-1:111122223333:parameter/web/key", true),
        ("/web/other", false),
        (arn, true),
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:other-AbCdEf", false),
    ] {
        let mut bench = Bench::new(yaml);
        bench.register("web:v1", secret);
        bench.create(json!({"desiredCount": 1}));
        bench.wait(14);
        let task = bench.tasks().remove(0);
        assert_eq!(task.last_status == "RUNNING", runs, "{secret}: {task:?}");
        if !runs {
            assert!(task.stop.unwrap().1.contains(secret));
        }
    }
}

#[test]
fn tasks_pull_what_the_registry_has() {
    let yaml = "repositories: [{name: web, images: [{tags: [v1]}]}]\n";
    for (tag, runs) in [("v1", true), ("v9", false)] {
        let mut bench = Bench::new(yaml);
        bench.register(&format!("{REGISTRY}/web:{tag}"), "");
        bench.create(json!({"desiredCount": 1}));
        bench.wait(14);
        let task = bench.tasks().remove(0);
        assert_eq!(task.last_status == "RUNNING", runs, "{task:?}");
        if runs {
            let images = bench.call("ecr", "DescribeImages", json!({"repositoryName": "web"}));
            assert_eq!(
                images["imageDetails"][0]["imageDigest"].as_str(),
                task.containers[0].2.as_deref()
            );
        } else {
            assert!(task.stop.unwrap().1.starts_with("CannotPullContainerError"));
        }
    }
}

#[test]
fn scaling_moves_services_and_keeps_its_times() {
    let mut bench = Bench::new("");
    bench.register("web:v1", "");
    bench.create(json!({}));
    let target = json!({
        "ServiceNamespace": "ecs", "ResourceId": "service/default/web", "ScalableDimension": "ecs:service:DesiredCount",
    });
    let with = |more: Value| {
        let mut input = target.clone();
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    };
    bench.call(
        "application-autoscaling",
        "RegisterScalableTarget",
        with(json!({"MinCapacity": 3, "MaxCapacity": 9})),
    );
    assert_eq!(bench.desired(), 3);
    bench.call("application-autoscaling", "PutScheduledAction", with(json!({
        "ScheduledActionName": "morning", "Schedule": "at(2026-11-21T08:00:00)", "ScalableTargetAction": {"MinCapacity": 5},
    })));
    bench.wait(8 * 3600 + 60);
    assert_eq!(bench.desired(), 5);
    let running = bench.tasks().iter().filter(|task| task.last_status == "RUNNING").count();
    assert_eq!(running, 5, "the new tasks have run since eight o'clock");
}

#[test]
fn an_alarm_of_cloudwatch_ends_a_roll_out() {
    let mut bench = Bench::new("alarms: [{name: errors}]\n");
    bench.register("web:v1", "");
    bench.create(json!({"deploymentConfiguration": {"alarms": {"alarmNames": ["errors"], "enable": true, "rollback": true}}}));
    bench.wait(600);
    bench.register("web:v2", "");
    bench.call("ecs", "UpdateService", json!({"service": "web", "taskDefinition": "web"}));
    bench.wait(30);
    bench.call(
        "monitoring",
        "SetAlarmState",
        json!({"AlarmName": "errors", "StateValue": "ALARM", "StateReason": "x"}),
    );
    bench.wait(600);
    let records =
        bench.sandbox.look(bench.now, |region| region.service("default", "web").unwrap().records);
    assert_eq!(records, ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]);
}

#[test]
fn tasks_are_targets_as_long_as_they_run() {
    let yaml = "targetGroups: [{name: web}]\nloadBalancers: [{name: front, listeners: [{port: 80, forward: [{targetGroup: web}]}]}]\n";
    let mut bench = Bench::new(yaml);
    let kind = "application/x-www-form-urlencoded";
    let body = "Action=DescribeTargetGroups&Version=2015-12-01";
    let request = Request::post("/").header("content-type", kind).body(Bytes::from(body)).unwrap();
    let answer = bench.sandbox.handle(bench.now, &request);
    let text = String::from_utf8(answer.body().to_vec()).unwrap();
    let group =
        text.split("<TargetGroupArn>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    bench.register("web:v1", "");
    let balanced = json!([{"targetGroupArn": group, "containerName": "web", "containerPort": 80}]);
    bench.create(json!({"desiredCount": 1, "loadBalancers": balanced}));
    let mut seen = Vec::new();
    for _ in 0..60 {
        bench.wait(1);
        let Some(address) = bench.tasks().first().and_then(|task| task.address.clone()) else {
            continue;
        };
        let health =
            bench.sandbox.look(bench.now, |region| region.target_health(&group, &address, 80));
        if seen.last() != Some(&health) {
            seen.push(health);
        }
    }
    assert_eq!(seen, [None, Some("initial"), Some("healthy")]);
    bench.call("ecs", "UpdateService", json!({"service": "web", "desiredCount": 0}));
    bench.wait(5);
    let address = bench.tasks().remove(0).address.unwrap();
    let health = bench.sandbox.look(bench.now, |region| region.target_health(&group, &address, 80));
    assert_eq!(health, Some("draining"));
}

#[test]
fn cloudwatch_speaks_cbor() {
    let bench = Bench::new("alarms: [{name: errors, threshold: 5}]\n");
    let path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms";
    let request =
        Request::post(path).header("smithy-protocol", "rpc-v2-cbor").body(Bytes::new()).unwrap();
    let answer = bench.sandbox.handle(bench.now, &request);
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["smithy-protocol"]),
        (200, &"rpc-v2-cbor".parse().unwrap())
    );
    let body = crate::cbor::read(answer.body()).unwrap();
    assert_eq!(body["MetricAlarms"][0]["AlarmName"], "errors");
    let request =
        Request::post(path.replace("DescribeAlarms", "Nothing")).body(Bytes::new()).unwrap();
    let answer = bench.sandbox.handle(bench.now, &request);
    assert_eq!(answer.status(), 400);
    assert!(crate::cbor::read(answer.body()).unwrap()["__type"].is_string());
}

#[test]
fn a_session_of_another_account_sees_that_account() {
    let bench = Bench::new("");
    let form = |key: &str, body: &str| {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={key}/20261121/eu-west-1/sts/aws4_request, Signature=0"
        );
        let request = Request::post("/")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", authorization)
            .body(Bytes::from(body.to_owned()))
            .unwrap();
        let answer = bench.sandbox.handle(bench.now, &request);
        String::from_utf8(answer.body().to_vec()).unwrap()
    };
    let part = |text: &str, name: &str| {
        text.split(&format!("<{name}>"))
            .nth(1)
            .and_then(|rest| rest.split('<').next())
            .unwrap()
            .to_owned()
    };
    let role = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=test&RoleArn=arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Fdeploy";
    let key = part(&form("AKIATEST", role), "AccessKeyId");
    let who = "Action=GetCallerIdentity&Version=2011-06-15";
    assert_eq!(part(&form("AKIATEST", who), "Account"), "111122223333");
    assert_eq!(part(&form(&key, who), "Account"), "444455556666");
}

#[test]
fn what_cannot_be_loaded_is_an_error_of_the_fixtures() {
    let error =
        Fixtures::from_yaml("parameters: [{name: /a, type: Number, value: x}]\n").unwrap_err();
    assert!(error.message.contains("cannot load parameter /a"), "{error}");
}
