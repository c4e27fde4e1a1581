//! Tasks: their course, their ends, their places, and what ran in them.

use serde_json::json;

use super::*;
use crate::{ClusterFixture, InstanceFixture};

fn stops(bench: &mut Bench) -> Vec<(String, String)> {
    let stopped = bench.tasks("STOPPED");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    stopped.iter().map(|one| (text(&one["stopCode"]), text(&one["stoppedReason"]))).collect()
}

#[test]
fn a_task_goes_through_its_statuses() {
    let mut bench = Bench::new();
    bench.register("web:v1");
    let started = bench.ok(
        "RunTask",
        json!({
            "taskDefinition": "web", "launchType": "FARGATE", "startedBy": "me", "count": 2,
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        }),
    );
    let arn = started["tasks"][0]["taskArn"].clone();
    assert_eq!(started["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(started["tasks"][0]["group"], "family:web");
    assert_eq!(started["tasks"][0]["lastStatus"], "PROVISIONING");
    let mut seen = vec!["PROVISIONING".to_owned()];
    let note = |bench: &mut Bench, seen: &mut Vec<String>| {
        let found = bench.ok("DescribeTasks", json!({"tasks": [arn]}));
        let status = found["tasks"][0]["lastStatus"].as_str().unwrap().to_owned();
        if seen.last() != Some(&status) {
            seen.push(status);
        }
    };
    for _ in 0..15 {
        bench.wait(1);
        note(&mut bench, &mut seen);
    }
    bench.ok("StopTask", json!({"task": arn, "reason": "enough"}));
    for _ in 0..10 {
        note(&mut bench, &mut seen);
        bench.wait(1);
    }
    let order = [
        "PROVISIONING",
        "PENDING",
        "ACTIVATING",
        "RUNNING",
        "STOPPING",
        "DEPROVISIONING",
        "STOPPED",
    ];
    assert_eq!(seen, order);
    let task = bench.ok("DescribeTasks", json!({"tasks": [arn]}))["tasks"][0].clone();
    assert_eq!(
        (&task["stopCode"], &task["stoppedReason"]),
        (&json!("UserInitiated"), &json!("enough"))
    );
    assert_eq!(task["containers"][0]["exitCode"], 143, "SIGTERM");
    assert!(task["containers"][0]["imageDigest"].as_str().unwrap().starts_with("sha256:"));
    let times = [
        "createdAt",
        "pullStartedAt",
        "pullStoppedAt",
        "startedAt",
        "stoppingAt",
        "executionStoppedAt",
        "stoppedAt",
    ];
    let times: Vec<f64> = times.iter().map(|name| task[name].as_f64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    bench.wait(3600);
    let gone = bench.ok("DescribeTasks", json!({"tasks": [arn]}));
    assert_eq!(gone["failures"][0]["reason"], "MISSING");
}

#[test]
fn run_task_tokens_are_idempotent() {
    let mut bench = Bench::new();
    bench.register("web:v1");
    let mut request = json!({
        "taskDefinition": "web", "launchType": "FARGATE", "clientToken": "t",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    });
    let first = bench.ok("RunTask", request.clone());
    let second = bench.ok("RunTask", request.clone());
    assert_eq!(first["tasks"][0]["taskArn"], second["tasks"][0]["taskArn"]);
    request["count"] = json!(2);
    let error = bench.call("RunTask", request).unwrap_err();
    assert_eq!(error.code, "ConflictException");
    assert_eq!(error.members["resourceIds"], json!([first["tasks"][0]["taskArn"]]));
}

#[test]
fn a_replaced_command_ends_as_its_rule_says() {
    let exits =
        |code| ImageBehaviour::Exits { code, after: std::time::Duration::from_secs(2), oom: false };
    let rules = vec![ImageRule::for_command("web:*", "migrate*", exits(4))];
    let mut bench = Bench::with(Fixtures { images: rules, ..Fixtures::default() });
    bench.register("web:v1");
    let request = |container: &str, command: &str| {
        json!({
            "taskDefinition": "web", "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            "overrides": {"containerOverrides": [{"name": container, "command": [command, "up"]}]},
        })
    };
    for (command, code) in [("migrate", 4), ("seed", 0)] {
        let arn = bench.ok("RunTask", request("web", command))["tasks"][0]["taskArn"].clone();
        bench.wait(60);
        let task = bench.ok("DescribeTasks", json!({"tasks": [arn]}))["tasks"][0].clone();
        assert_eq!(task["stopCode"], "EssentialContainerExited", "{command}");
        assert_eq!(task["containers"][0]["exitCode"], code, "{command}");
    }
    let (code, message) = bench.refused("RunTask", request("nobody", "seed"));
    assert_eq!(code, "InvalidParameterException");
    assert!(message.contains("nobody"), "{message}");
}

#[test]
fn tasks_fail_in_the_words_of_ecs() {
    let exits = |code, seconds, oom| ImageBehaviour::Exits {
        code,
        after: std::time::Duration::from_secs(seconds),
        oom,
    };
    for (behaviour, code, reason, exit) in [
        (ImageBehaviour::NotFound, "TaskFailedToStart", "CannotPullContainerError: ", Value::Null),
        (ImageBehaviour::Denied, "TaskFailedToStart", "pull access denied", Value::Null),
        (
            exits(3, 5, false),
            "EssentialContainerExited",
            "Essential container in task exited",
            json!(3),
        ),
        (
            exits(1, 0, false),
            "EssentialContainerExited",
            "Essential container in task exited",
            json!(1),
        ),
        (
            exits(1, 5, true),
            "EssentialContainerExited",
            "Essential container in task exited",
            json!(137),
        ),
    ] {
        let mut bench = Bench::with(Fixtures {
            images: vec![ImageRule::new("web:bad", behaviour.clone())],
            ..Fixtures::default()
        });
        bench.register("web:bad");
        bench.create(json!({"desiredCount": 1}));
        bench.wait(25);
        let task = bench.tasks("STOPPED")[0].clone();
        assert_eq!(task["stopCode"], code, "{behaviour:?}");
        assert!(task["stoppedReason"].as_str().unwrap().contains(reason), "{task}");
        assert_eq!(task["containers"][0]["exitCode"], exit);
        if exit == json!(137) {
            let text = task["containers"][0]["reason"].as_str().unwrap();
            assert!(text.starts_with("OutOfMemoryError"), "{text}");
        }
    }
}

#[test]
fn a_missing_secret_keeps_a_task_from_starting() {
    for (name, expected) in [
        ("/prod/missing", "unable to retrieve secrets from ssm"),
        (
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:missing-AbCdEf",
            "unable to retrieve secret from asm",
        ),
    ] {
        let mut bench = Bench::with(Fixtures { strict_secrets: true, ..Fixtures::default() });
        bench.register_with(json!([{"name": "web", "image": "web:v1", "secrets": [{"name": "A", "valueFrom": name}]}]));
        bench.create(json!({"desiredCount": 1}));
        bench.wait(10);
        let (code, reason) = stops(&mut bench).remove(0);
        assert_eq!(code, "TaskFailedToStart");
        assert!(
            reason.starts_with("ResourceInitializationError: unable to pull secrets"),
            "{reason}"
        );
        assert!(reason.contains(expected) && reason.contains(name), "{reason}");
    }
}

#[test]
fn digests_are_pinned_until_the_next_deployment() {
    let mut bench = Bench::settled(json!({}));
    let digest = |bench: &mut Bench| {
        let tasks = bench.tasks("RUNNING");
        let all = tasks
            .iter()
            .map(|one| one["containers"][0]["imageDigest"].as_str().unwrap().to_owned());
        all.collect::<std::collections::BTreeSet<_>>()
    };
    let before = digest(&mut bench);
    let moved = ImageRule {
        digest: Some("sha256:moved".to_owned()),
        ..ImageRule::new("web:v1", ImageBehaviour::Runs)
    };
    bench.ecs.set_image(moved);
    bench.update(json!({"desiredCount": 4}));
    bench.wait(60);
    assert_eq!(digest(&mut bench), before, "a scaled-out service runs one digest");
    let revision = bench.service()["currentServiceRevisions"][0]["arn"].clone();
    let found = bench.ok("DescribeServiceRevisions", json!({"serviceRevisionArns": [revision]}));
    let image = &found["serviceRevisions"][0]["containerImages"][0];
    assert_eq!(image["imageDigest"].as_str(), before.first().map(String::as_str));
    bench.update(json!({"forceNewDeployment": true}));
    bench.wait(120);
    assert_eq!(digest(&mut bench).into_iter().collect::<Vec<_>>(), ["sha256:moved"]);
}

#[test]
fn our_registry_decides_what_can_be_pulled() {
    let mut bench = Bench::new();
    bench.register("ours/web:gone");
    bench.create(json!({"desiredCount": 1}));
    bench.wait(20);
    assert!(stops(&mut bench)[0].1.contains("failed to resolve ref ours/web:gone"));
}

#[test]
fn checks_of_containers_and_targets_decide_about_health() {
    let group = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/1";
    let balanced = json!({"loadBalancers": [{"targetGroupArn": group, "containerName": "web", "containerPort": 80}]});
    let mut bench = Bench::settled(balanced.clone());
    assert_eq!(
        bench.events()[..2],
        [
            "has started 2 tasks".to_owned(),
            format!("registered 2 targets in (target-group {group})")
        ]
    );
    assert!(bench.service()["roleArn"].as_str().unwrap().ends_with("AWSServiceRoleForECS"));
    bench.register("web:v2");
    bench.update(json!({"taskDefinition": "web"}));
    bench.wait(40);
    let statuses: Vec<_> =
        bench.tasks("STOPPED").iter().map(|one| one["lastStatus"].clone()).collect();
    assert_eq!(statuses, ["DEACTIVATING", "DEACTIVATING"], "targets drain before their tasks stop");
    assert_eq!(bench.service()["deployments"][0]["rolloutState"], "IN_PROGRESS");
    bench.wait(40);
    assert_eq!(bench.service()["deployments"][0]["rolloutState"], "COMPLETED");
    let tail = bench.events().split_off(4);
    assert_eq!(
        tail,
        [
            "has started 2 tasks".to_owned(),
            format!("registered 2 targets in (target-group {group})"),
            "has stopped 2 running tasks".to_owned(),
            format!("deregistered 2 targets in (target-group {group})"),
            "(service web, taskSet D) has begun draining connections on 2 tasks.".to_owned(),
            "(deployment D) deployment completed.".to_owned(),
            "has reached a steady state.".to_owned(),
        ]
    );
    bench.register("web:sick");
    bench.update(json!({"taskDefinition": "web"}));
    bench.wait(90);
    let failed = format!("Task failed ELB health checks in (target-group {group})");
    assert!(stops(&mut bench).contains(&("ServiceSchedulerInitiated".to_owned(), failed)));
}

#[test]
fn a_task_that_dies_is_replaced_by_its_own_revision() {
    let mut bench = Bench::settled(json!({}));
    let victim = bench.tasks("RUNNING")[0]["taskArn"].as_str().unwrap().to_owned();
    let now = bench.now;
    assert!(bench.ecs.kill_task(&victim, 2, now));
    bench.wait(1);
    assert_eq!(bench.service()["runningCount"], 1);
    bench.wait(60);
    let service = bench.service();
    assert_eq!(service["runningCount"], 2);
    assert_eq!(bench.statuses(), ["SUCCESSFUL"]);
    assert_eq!(bench.events().last().unwrap(), "has reached a steady state.");
}

#[test]
fn a_task_that_was_healthy_is_replaced_start_first() {
    let mut bench = Bench::settled(json!({}));
    let victim = bench.tasks("RUNNING")[0]["taskArn"].as_str().unwrap().to_owned();
    let now = bench.now;
    assert!(bench.ecs.sicken_task(&victim, now));
    bench.wait(20);
    assert_eq!(bench.service()["runningCount"], 3);
    bench.wait(60);
    assert_eq!(bench.service()["runningCount"], 2);
    let task = bench.ok("DescribeTasks", json!({"tasks": [victim]}))["tasks"][0].clone();
    assert_eq!(task["stoppedReason"], "Task failed container health checks");
}

fn with_instances(count: u32) -> Bench {
    let instances =
        vec![InstanceFixture { count, cpu: 1024, memory: 1024, ..InstanceFixture::default() }];
    let cluster =
        ClusterFixture { name: "default".to_owned(), instances, ..ClusterFixture::default() };
    let mut bench = Bench::with(Fixtures { clusters: vec![cluster], ..Fixtures::default() });
    bench.ok("RegisterTaskDefinition", json!({
        "family": "ec2", "containerDefinitions": [{"name": "web", "image": "web:v1", "cpu": 256, "memory": 512}],
    }));
    bench
}

#[test]
fn a_full_cluster_waits_for_room() {
    let mut bench = with_instances(1);
    bench.ok(
        "CreateService",
        json!({"serviceName": "web", "taskDefinition": "ec2", "desiredCount": 3}),
    );
    bench.wait(120);
    let service = bench.service();
    assert_eq!((&service["runningCount"], &service["launchType"]), (&json!(2), &json!("EC2")));
    let complaints = bench.events();
    let complaints: Vec<_> =
        complaints.iter().filter(|one| one.contains("was unable to place a task")).collect();
    assert_eq!(complaints.len(), 1);
    assert!(complaints[0].contains("has insufficient memory available"), "{complaints:?}");
    let run = bench.ok("RunTask", json!({"taskDefinition": "ec2"}));
    assert_eq!(
        (&run["tasks"], &run["failures"][0]["reason"]),
        (&json!([]), &json!("RESOURCE:MEMORY"))
    );
    let victim = bench.tasks("RUNNING")[0]["taskArn"].as_str().unwrap().to_owned();
    let now = bench.now;
    bench.ecs.kill_task(&victim, 0, now);
    bench.wait(120);
    assert_eq!(bench.service()["runningCount"], 2, "the freed room is taken again");
}

#[test]
fn host_ports_are_taken_once_per_instance() {
    let mut bench = with_instances(2);
    bench.ok("RegisterTaskDefinition", json!({
        "family": "ports",
        "containerDefinitions": [{"name": "web", "image": "web:v1", "memory": 16, "portMappings": [{"containerPort": 80, "hostPort": 8080}]}],
    }));
    let run = bench.ok("RunTask", json!({"taskDefinition": "ports", "count": 3}));
    assert_eq!(run["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(run["failures"][0]["reason"], "RESOURCE:PORTS");
    assert_ne!(run["tasks"][0]["containerInstanceArn"], run["tasks"][1]["containerInstanceArn"]);
}

#[test]
fn a_daemon_runs_once_on_each_instance_and_stops_before_it_starts() {
    let mut bench = with_instances(3);
    let (code, _) = bench.refused("CreateService", json!({
        "serviceName": "web", "taskDefinition": "ec2", "schedulingStrategy": "DAEMON", "desiredCount": 1,
    }));
    assert_eq!(code, "InvalidParameterException");
    bench.ok(
        "CreateService",
        json!({"serviceName": "web", "taskDefinition": "ec2", "schedulingStrategy": "DAEMON"}),
    );
    bench.wait(120);
    let service = bench.service();
    assert_eq!((&service["desiredCount"], &service["runningCount"]), (&json!(3), &json!(3)));
    assert_eq!(service["deploymentConfiguration"]["maximumPercent"], 100);
    let places: std::collections::BTreeSet<_> =
        bench.tasks("RUNNING").iter().map(|one| one["containerInstanceArn"].to_string()).collect();
    assert_eq!(places.len(), 3);
    bench.update(json!({"forceNewDeployment": true}));
    let mut least = i64::MAX;
    for _ in 0..150 {
        bench.wait(1);
        least = least.min(bench.service()["runningCount"].as_i64().unwrap());
        assert!(bench.service()["runningCount"].as_i64().unwrap() <= 3);
    }
    assert_eq!(least, 0, "the default minimum is none");
    assert_eq!(bench.statuses(), ["SUCCESSFUL", "SUCCESSFUL"]);
}
