//! The sandbox as its clients see it: the AWS SDK in process on a paused clock, and plain HTTP over TCP.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_ecs::{
    Client, Config,
    config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig},
    error::ProvideErrorMetadata as _,
    types::{
        AwsVpcConfiguration, Compatibility, ContainerDefinition, DeploymentRolloutState,
        LaunchType, NetworkConfiguration, NetworkMode, ServiceDeploymentStatus,
    },
};
use sandbox::{Fault, FaultKind, Fixtures, Sandbox, SandboxTime};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const START: &str = "2026-11-21T00:00:00Z";

fn client(sandbox: &Sandbox, time: SandboxTime) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("AKIA111122223333", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(aws_sdk_ecs::config::StalledStreamProtectionConfig::disabled())
        .http_client(sandbox.http_client(time))
        .build();
    Client::from_conf(config)
}

async fn register(client: &Client, image: &str) -> String {
    let container = ContainerDefinition::builder().name("web").image(image).build();
    let answer = client
        .register_task_definition()
        .family("web")
        .network_mode(NetworkMode::Awsvpc)
        .requires_compatibilities(Compatibility::Fargate)
        .cpu("256")
        .memory("512")
        .container_definitions(container)
        .send()
        .await
        .unwrap();
    answer.task_definition.unwrap().task_definition_arn.unwrap()
}

async fn create(client: &Client) {
    let network = AwsVpcConfiguration::builder().subnets("subnet-1").build().unwrap();
    client
        .create_service()
        .service_name("web")
        .task_definition("web")
        .desired_count(2)
        .launch_type(LaunchType::Fargate)
        .network_configuration(
            NetworkConfiguration::builder().awsvpc_configuration(network).build(),
        )
        .send()
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_sdk_sees_a_roll_out_in_virtual_time() {
    let sandbox = Sandbox::new(Fixtures::default());
    let client = client(&sandbox, SandboxTime::new(START.parse().unwrap(), 1.0));
    register(&client, "web:v1").await;
    create(&client).await;
    let began = tokio::time::Instant::now();
    let mut seen = Vec::new();
    loop {
        let answer = client.describe_services().services("web").send().await.unwrap();
        let service = answer.services().first().unwrap().clone();
        let state = service.deployments().first().unwrap().rollout_state().unwrap().clone();
        if seen.last() != Some(&state) {
            seen.push(state.clone());
        }
        if state == DeploymentRolloutState::Completed {
            assert_eq!(service.running_count(), 2);
            break;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    assert_eq!(seen, [DeploymentRolloutState::InProgress, DeploymentRolloutState::Completed]);
    let records = client.list_service_deployments().service("web").send().await.unwrap();
    let record = records.service_deployments().first().unwrap();
    assert_eq!(record.status(), Some(&ServiceDeploymentStatus::Successful));
    assert!(began.elapsed() >= Duration::from_secs(52), "a roll-out takes as long as on AWS");
    assert_eq!(sandbox.count_of("ecs", "CreateService"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_sdk_sees_refusals_and_faults() {
    let sandbox = Sandbox::new(Fixtures::default());
    let time = SandboxTime::new(START.parse().unwrap(), 1.0);
    let client = client(&sandbox, time);
    let error = client.update_service().service("web").send().await.unwrap_err();
    assert_eq!(error.code(), Some("ServiceNotFoundException"));
    assert_eq!(error.message(), Some("Service not found."));
    assert!(error.into_service_error().is_service_not_found_exception());

    sandbox.inject(Fault::once("ecs", "ListClusters", FaultKind::Throttle));
    let error = client.list_clusters().send().await.unwrap_err();
    assert_eq!(error.code(), Some("ThrottlingException"));
    client.list_clusters().send().await.unwrap();

    register(&client, "web:v1").await;
    sandbox.inject(Fault::once("ecs", "RegisterTaskDefinition", FaultKind::DropReply));
    let error = client
        .register_task_definition()
        .family("lost")
        .container_definitions(
            ContainerDefinition::builder().name("web").image("web:v2").memory(64).build(),
        )
        .send()
        .await
        .unwrap_err();
    assert!(error.as_service_error().is_none(), "{error:?}");
    let families: Vec<String> = sandbox.look(time.now(), |region| {
        region.task_definitions().into_iter().map(|one| one.family).collect()
    });
    assert_eq!(families, ["lost", "web"], "the call whose reply was lost took effect");

    sandbox.inject(Fault::once("ecs", "ListClusters", FaultKind::Refuse));
    assert!(client.list_clusters().send().await.is_err());
    sandbox.inject(Fault::once("ecs", "ListClusters", FaultKind::Hang));
    let hung = tokio::time::timeout(Duration::from_hours(1), client.list_clusters().send()).await;
    assert!(hung.is_err());
}

#[tokio::test(start_paused = true)]
async fn after_the_last_call_nothing_is_answered_until_release() {
    let sandbox = Sandbox::new(Fixtures::default());
    let client = client(&sandbox, SandboxTime::new(START.parse().unwrap(), 1.0));
    let reached = sandbox.hang_after_call(2);
    register(&client, "web:v1").await;
    let last = tokio::spawn({
        let client = client.clone();
        async move { client.list_clusters().send().await.is_ok() }
    });
    reached.notified().await;
    assert_eq!(sandbox.call_count(), 2);
    let later = tokio::spawn(async move { client.list_clusters().send().await.is_ok() });
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(!last.is_finished() && !later.is_finished());
    assert_eq!(sandbox.call_count(), 2, "later calls change nothing");
    sandbox.release();
    assert!(!last.await.unwrap() && !later.await.unwrap());
}

/// One request over a fresh connection; the answer's status, headers and body.
async fn post(
    address: std::net::SocketAddr,
    operation: &str,
    body: &Value,
) -> (u16, String, Value) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = body.to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: ecs\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.1\r\n\
         X-Amz-Target: AmazonEC2ContainerServiceV20141113.{operation}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_ascii_lowercase(), serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn any_client_sees_the_wire_format_of_aws() {
    let sandbox = Sandbox::new(Fixtures { latency: Duration::ZERO, ..Fixtures::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    // A second of real time is half an hour here.
    let time = SandboxTime::new(START.parse().unwrap(), 1800.0);
    let server = tokio::spawn({
        let sandbox = sandbox.clone();
        async move {
            sandbox
                .serve(listener, time, async {
                    let _ = stopped.await;
                })
                .await
        }
    });

    let (status, head, body) =
        post(address, "DescribeServices", &json!({"services": ["web"]})).await;
    assert_eq!(status, 200);
    assert!(head.contains("x-amzn-requestid: "), "{head}");
    assert!(head.contains("content-type: application/x-amz-json-1.1"), "{head}");
    assert_eq!(body["failures"][0]["reason"], "MISSING");

    let (status, _, body) = post(address, "UpdateService", &json!({"service": "web"})).await;
    assert_eq!((status, &body["__type"]), (400, &json!("ServiceNotFoundException")));
    assert_eq!(body["message"], "Service not found.");

    let definition = json!({
        "family": "web", "containerDefinitions": [{"name": "web", "image": "web:v1", "memory": 64}],
    });
    let (status, _, body) = post(address, "RegisterTaskDefinition", &definition).await;
    assert_eq!(status, 200);
    let registered = body["taskDefinition"]["registeredAt"].as_f64().unwrap();
    assert!(registered > 1_795_000_000.0, "times are numbers: {registered}");

    sandbox.inject(Fault::once("ecs", "ListClusters", FaultKind::DropReply));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: AmazonEC2ContainerServiceV20141113.ListClusters\r\nContent-Length: 2\r\n\r\n{}";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut rest = Vec::new();
    let cut = stream.read_to_end(&mut rest).await;
    assert!(cut.is_err() || rest.is_empty(), "{cut:?} {rest:?}");
    assert_eq!(sandbox.count_of("ecs", "ListClusters"), 1);

    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}
