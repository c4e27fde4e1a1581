//! Buckets of the embedded AWS: versions, accounts, pages, and others who write meanwhile.

use std::time::Duration;

use crds::{Target, TargetName};
use sandbox::{Fixtures, Sandbox, SandboxTime};

use super::*;
use crate::aws::PutCondition;

const OTHER_ACCOUNT: &str = "444455556666";

#[derive(Clone)]
struct World {
    sandbox: Sandbox,
    time: SandboxTime,
    aws: Aws,
}

impl World {
    /// A versioned bucket `specs` in the caller's account and in another one, which the target `other` is about.
    async fn new() -> Self {
        let fixtures = "latency: 8ms\nbuckets: [{name: specs, versioning: true}]\n";
        let sandbox = Sandbox::new(Fixtures::from_yaml(fixtures).unwrap());
        let time = SandboxTime::new("2026-03-01T00:00:00Z".parse().unwrap(), 1.0);
        let target = |name: &str, role_arn: Option<String>| Target {
            name: name.parse().unwrap(),
            region: None,
            role_arn,
            external_id: None,
            max_concurrent_rollouts: None,
        };
        let role = format!("arn:aws:iam::{OTHER_ACCOUNT}:role/longshore-specs");
        let targets = [target("default", None), target("other", Some(role))];
        let options = ConnectOptions::in_process(sandbox.http_client(time));
        let aws = Aws::connect(&targets, options).await.unwrap();
        Self { sandbox, time, aws }
    }

    fn reader(&self, target: &str, expected_owner: Option<&str>) -> S3Reader {
        let source = S3Source {
            bucket: "specs".to_owned(),
            prefix: "prod/".to_owned(),
            expected_owner: expected_owner.map(str::to_owned),
            ..S3Source::default()
        };
        let s3 = self.aws.s3_of(&target.parse::<TargetName>().unwrap(), None);
        let read_secret: crate::source::ReadSecret = Arc::new(|_| Err("there is none".to_owned()));
        let (cache, variables) = (std::path::PathBuf::new(), Variables::default());
        S3Reader::new(&source, Access { s3, cache, variables, read_secret }).unwrap()
    }

    /// What somebody else does to the caller's bucket; the answer's version.
    fn send(&self, method: &str, target: &str, body: &str) -> String {
        let request = http::Request::builder().method(method).uri(format!("/specs/{target}"));
        let request = request.body(Bytes::from(body.to_owned())).unwrap();
        let answer = self.sandbox.handle(self.time.now(), &request);
        assert!(answer.status().is_success(), "{answer:?}");
        let version = answer.headers().get("x-amz-version-id");
        version.map(|version| version.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    fn listings(&self, mark: usize) -> usize {
        let calls = self.sandbox.calls_since(mark);
        calls.iter().filter(|call| call.operation == "ListObjectsV2").count()
    }
}

/// The names and contents of a snapshot.
fn held(snapshot: &Snapshot) -> Vec<(&str, &str)> {
    let text = |bytes| std::str::from_utf8(bytes).unwrap();
    snapshot.files().values().map(|file| (file.path(), text(file.bytes()))).collect()
}

/// Two pages; the one key is made on the first and the other deleted from the second, at once, while the pages are read.
#[tokio::test(start_paused = true)]
async fn what_changes_between_two_pages_is_seen_whole_or_not_at_all() {
    let mut most = 0;
    for delay in [2, 4, 6, 10, 12, 14] {
        let world = World::new().await;
        for key in ["prod/ab.yaml", "prod/zz.yaml"] {
            world.send("PUT", key, "v1");
        }
        for number in 0..1_000 {
            world.send("PUT", &format!("prod/m-{number}.txt"), "");
        }
        let mark = world.sandbox.call_count();
        let other = world.clone();
        let writer = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            other.send("PUT", "prod/aa.yaml", "v1");
            other.send("DELETE", "prod/zz.yaml", "");
        });
        let snapshot = world.reader("default", None).fetch().await.unwrap();
        writer.await.unwrap();
        let keys: Vec<&str> = snapshot.files().keys().map(String::as_str).collect();
        let states = [["prod/ab.yaml", "prod/zz.yaml"], ["prod/aa.yaml", "prod/ab.yaml"]];
        assert!(states.iter().any(|state| keys == state), "after {delay} ms: {keys:?}");
        most = most.max(world.listings(mark));
    }
    assert!(most > 4, "no listing was torn: {most} pages");
}

#[tokio::test(start_paused = true)]
async fn many_pages_are_listed_twice_when_something_is_new_and_once_when_not() {
    let world = World::new().await;
    world.send("PUT", "prod/web.yaml", "v1");
    for number in 0..1_000 {
        world.send("PUT", &format!("prod/m-{number}.txt"), "");
    }
    let mut reader = world.reader("default", None);
    let mark = world.sandbox.call_count();
    let first = reader.fetch().await.unwrap();
    assert_eq!(world.listings(mark), 4);
    let mark = world.sandbox.call_count();
    assert!(Arc::ptr_eq(&first, &reader.fetch().await.unwrap()));
    assert_eq!(world.listings(mark), 2);
}

#[tokio::test(start_paused = true)]
async fn a_prefix_that_never_rests_is_not_read_and_can_be_once_it_does() {
    let world = World::new().await;
    world.send("PUT", "prod/web.yaml", "0");
    let other = world.clone();
    let writer = tokio::spawn(async move {
        for number in 1.. {
            tokio::time::sleep(Duration::from_millis(3)).await;
            other.send("PUT", "prod/web.yaml", &format!("{number}"));
        }
    });
    let mut reader = world.reader("default", None);
    let mark = world.sandbox.call_count();
    let error = reader.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Unsettled { .. }), "{error}");
    assert_eq!(world.listings(mark), 6);
    writer.abort();
    assert!(writer.await.unwrap_err().is_cancelled());
    assert_eq!(reader.fetch().await.unwrap().files().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_a_versioned_bucket_the_newest_versions_count_and_a_delete_marker_is_a_deletion() {
    let world = World::new().await;
    world.send("PUT", "prod/api.yaml", "v1");
    let first = world.send("PUT", "prod/web.yaml", "v1");
    world.send("PUT", "prod/web.yaml", "v2");
    let mut reader = world.reader("default", None);
    let (api, web) = (("prod/api.yaml", "v1"), ("prod/web.yaml", "v2"));
    assert_eq!(held(&reader.fetch().await.unwrap()), [api, web]);
    let marker = world.send("DELETE", "prod/web.yaml", "");
    assert_eq!(held(&reader.fetch().await.unwrap()), [api]);
    // Whoever removes the marker has the version before it back.
    world.send("DELETE", &format!("prod/web.yaml?versionId={marker}"), "");
    assert_eq!(held(&reader.fetch().await.unwrap()), [api, web]);
    // An old version that is removed for good changes nothing.
    let before = reader.fetch().await.unwrap();
    world.send("DELETE", &format!("prod/web.yaml?versionId={first}"), "");
    assert!(Arc::ptr_eq(&before, &reader.fetch().await.unwrap()));
    // A bucket whose last specs carry markers is empty all of a sudden.
    for key in ["prod/api.yaml", "prod/web.yaml"] {
        world.send("DELETE", key, "");
    }
    let error = reader.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::SuddenlyEmpty { files_before: 2, .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_of_another_account_is_read_with_that_target_and_no_other_one() {
    let world = World::new().await;
    world.send("PUT", "prod/web.yaml", "ours");
    let theirs = world.aws.s3_of(&"other".parse().unwrap(), None).unwrap();
    let text = b"theirs".to_vec();
    theirs.put("specs", "prod/web.yaml", text, PutCondition::Absent).await.unwrap();
    for (target, owner, expected) in [
        ("default", None, "ours"),
        ("other", None, "theirs"),
        ("other", Some(OTHER_ACCOUNT), "theirs"),
    ] {
        let snapshot = world.reader(target, owner).fetch().await.unwrap();
        assert_eq!(held(&snapshot), [("prod/web.yaml", expected)], "{target}");
    }
    let error = world.reader("default", Some(OTHER_ACCOUNT)).fetch().await.unwrap_err();
    assert_eq!(error.to_string(), "cannot list s3://specs/prod/");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("AccessDenied"), "{cause}");
}
