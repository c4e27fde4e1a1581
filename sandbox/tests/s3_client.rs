//! S3 and STS as the AWS SDK for Rust sees them, in process on a paused clock.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use aws_credential_types::Credentials;
use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig},
    error::ProvideErrorMetadata as _,
    primitives::ByteStream,
};
use sandbox::{Fault, FaultKind, Fixtures, Sandbox, SandboxTime};

const FIXTURES: &str = "
buckets:
  - {name: specs, versioning: true, objects: [{key: shop/web.yaml, body: 'a: 1'}]}
  - {name: lock}
";

fn sandbox() -> (Sandbox, SandboxTime) {
    let sandbox = Sandbox::new(Fixtures::from_yaml(FIXTURES).unwrap());
    (sandbox, SandboxTime::new("2026-11-21T00:00:00Z".parse().unwrap(), 1.0))
}

fn client(sandbox: &Sandbox, time: SandboxTime) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("AKIA111122223333", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(aws_sdk_s3::config::StalledStreamProtectionConfig::disabled())
        .http_client(sandbox.http_client(time))
        .build();
    Client::from_conf(config)
}

/// The body as a stream of unknown content, which the SDK sends in chunks with a checksum behind them.
async fn put(client: &Client, key: &str, body: &'static str, create: bool) -> Result<String, u16> {
    let request =
        client.put_object().bucket("lock").key(key).body(ByteStream::from_static(body.as_bytes()));
    let request = if create { request.if_none_match("*") } else { request };
    let answer = request.send().await;
    answer
        .map(|answer| answer.e_tag.unwrap())
        .map_err(|error| error.raw_response().unwrap().status().as_u16())
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_taken_renewed_and_released_by_its_etag() {
    let (sandbox, time) = sandbox();
    let client = client(&sandbox, time);
    let etag = put(&client, "lease", "one", true).await.unwrap();
    assert_eq!(put(&client, "lease", "two", true).await, Err(412));
    let renew = |etag: &str| {
        client
            .put_object()
            .bucket("lock")
            .key("lease")
            .if_match(etag)
            .body(ByteStream::from_static(b"two"))
            .send()
    };
    let renewed = renew(&etag).await.unwrap().e_tag.unwrap();
    assert_eq!(renew(&etag).await.unwrap_err().code(), Some("PreconditionFailed"));
    let read = client.get_object().bucket("lock").key("lease");
    let unchanged = read.clone().if_none_match(&renewed).send().await.unwrap_err();
    assert_eq!(unchanged.raw_response().unwrap().status().as_u16(), 304);
    let body = read.clone().send().await.unwrap().body.collect().await.unwrap();
    assert_eq!(body.into_bytes(), "two");
    let release = client.delete_object().bucket("lock").key("lease");
    assert_eq!(
        release.clone().if_match(&etag).send().await.unwrap_err().code(),
        Some("PreconditionFailed")
    );
    release.if_match(&renewed).send().await.unwrap();
    assert!(read.send().await.unwrap_err().into_service_error().is_no_such_key());
}

#[tokio::test(start_paused = true)]
async fn faults_speak_s3() {
    let (sandbox, time) = sandbox();
    let client = client(&sandbox, time);
    let conflict = FaultKind::Error {
        code: "ConditionalRequestConflict".to_owned(),
        message: "The conditional request cannot succeed due to a conflicting operation."
            .to_owned(),
        status: 409,
    };
    for (kind, code, status) in
        [(conflict, "ConditionalRequestConflict", 409), (FaultKind::Throttle, "SlowDown", 503)]
    {
        sandbox.inject(Fault::once("s3", "PutObject", kind));
        let body = ByteStream::from_static(b"one");
        let error =
            client.put_object().bucket("lock").key("lease").body(body).send().await.unwrap_err();
        assert_eq!(error.code(), Some(code));
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status);
    }
    assert!(put(&client, "lease", "one", true).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn listings_page_through_keys_of_any_letters() {
    let (sandbox, time) = sandbox();
    let client = client(&sandbox, time);
    let keys: Vec<String> = (0..30).map(|n| format!("tree/{n:02} é+&<>'\"%.yaml")).collect();
    for key in &keys {
        put(&client, key, "x", false).await.unwrap();
    }
    let mut pages = client
        .list_objects_v2()
        .bucket("lock")
        .prefix("tree/")
        .into_paginator()
        .page_size(7)
        .send();
    let mut seen = Vec::new();
    while let Some(page) = pages.next().await {
        seen.extend(page.unwrap().contents().iter().map(|object| object.key().unwrap().to_owned()));
    }
    assert_eq!(seen, keys);
}

#[tokio::test(start_paused = true)]
async fn versions_pin_what_was_read() {
    let (sandbox, time) = sandbox();
    let client = client(&sandbox, time);
    let head = client.head_object().bucket("specs").key("shop/web.yaml").send().await.unwrap();
    let pinned = head.version_id().unwrap().to_owned();
    client.delete_object().bucket("specs").key("shop/web.yaml").send().await.unwrap();
    let read = client.get_object().bucket("specs").key("shop/web.yaml");
    assert_eq!(read.clone().send().await.unwrap_err().code(), Some("NoSuchKey"));
    let old = read.version_id(pinned).send().await.unwrap().body.collect().await.unwrap();
    assert_eq!(old.into_bytes(), "a: 1");
}

#[tokio::test(start_paused = true)]
async fn a_body_in_chunks_arrives_whole() {
    let (sandbox, time) = sandbox();
    let client = client(&sandbox, time);
    let path = tempfile();
    std::fs::write(&path, "streamed ".repeat(20_000)).unwrap();
    let body = ByteStream::from_path(&path).await.unwrap();
    client.put_object().bucket("lock").key("big").body(body).send().await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let read = client.get_object().bucket("lock").key("big").send().await.unwrap();
    let body = read.body.collect().await.unwrap().into_bytes();
    assert_eq!(body, "streamed ".repeat(20_000));
}

fn tempfile() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("sandbox-s3-{}", std::process::id()))
}

#[tokio::test(start_paused = true)]
async fn an_assumed_role_s_session_acts_in_its_account() {
    let (sandbox, time) = sandbox();
    let sts = |key: &str| {
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
            .region(aws_sdk_sts::config::Region::new("eu-west-1"))
            .credentials_provider(Credentials::new(key, "secret", None, None, "test"))
            .http_client(sandbox.http_client(time))
            .build();
        aws_sdk_sts::Client::from_conf(config)
    };
    let role = "arn:aws:iam::444455556666:role/deploy";
    let assume = |role: &str| {
        sts("AKIA111122223333").assume_role().role_arn(role).role_session_name("test").send()
    };
    let credentials = assume(role).await.unwrap().credentials.unwrap();
    let who = sts(credentials.access_key_id()).get_caller_identity().send().await.unwrap();
    assert_eq!(who.account(), Some("444455556666"));
    let refused = assume("arn:aws:iam::444455556666:user/deploy").await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 403);
}
