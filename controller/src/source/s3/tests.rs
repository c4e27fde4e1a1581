//! A bucket that changes while it is read.

mod world;

use std::sync::Mutex;

use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;

use super::*;
use crate::aws::{Aws, ConnectOptions, Keys};
use crate::source::Variables;

/// A bucket that lists a few keys a page, and answers a read only for the entity tag that it asks for.
#[derive(Clone, Default)]
struct Bucket(Arc<Mutex<Inside>>);

type Change = Box<dyn FnOnce(&mut BTreeMap<String, Bytes>) + Send>;

/// How many keys a page has.
const KEYS: usize = 3;

#[derive(Default)]
struct Inside {
    /// The keys of a page, where they are more.
    keys: Option<usize>,
    /// What every object says that it holds.
    claims: Option<u64>,
    objects: BTreeMap<String, Bytes>,
    calls: Vec<String>,
    /// Happens just before the first object is read.
    before_read: Option<Change>,
    forbidden: Option<String>,
    fail_page: Option<usize>,
}

fn etag(bytes: &Bytes) -> String {
    let digest = Snapshot::digest([("", std::str::from_utf8(bytes).unwrap())]);
    format!("\"{}\"", &digest.as_str()[..32])
}

fn refused(status: StatusCode, code: &str) -> Response {
    (status, format!("<Error><Code>{code}</Code><Message>no {code}</Message></Error>"))
        .into_response()
}

async fn answer(
    State(bucket): State<Bucket>,
    Query(query): Query<BTreeMap<String, String>>,
    request: Request,
) -> Response {
    let mut inside = bucket.0.lock().unwrap();
    let key = request.uri().path().trim_start_matches("/specs").trim_start_matches('/').to_owned();
    if query.contains_key("list-type") {
        return list(&mut inside, &query);
    }
    inside.calls.push(format!("get {key}"));
    if let Some(change) = inside.before_read.take() {
        change(&mut inside.objects);
    }
    if inside.forbidden.as_deref() == Some(key.as_str()) {
        return refused(StatusCode::FORBIDDEN, "AccessDenied");
    }
    let Some(bytes) = inside.objects.get(&key) else {
        return refused(StatusCode::NOT_FOUND, "NoSuchKey");
    };
    let tag = etag(bytes);
    if request.headers().get("if-match").is_some_and(|wanted| wanted != tag.as_str()) {
        return refused(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
    }
    ([("etag", tag)], bytes.clone()).into_response()
}

fn list(inside: &mut Inside, query: &BTreeMap<String, String>) -> Response {
    inside.calls.push("list".to_owned());
    let start: usize = query.get("continuation-token").map_or(0, |token| token.parse().unwrap());
    let (page_keys, claims) = (inside.keys.unwrap_or(KEYS), inside.claims);
    if inside.fail_page == Some(start / page_keys) {
        return refused(StatusCode::BAD_REQUEST, "InvalidToken");
    }
    let prefix = query.get("prefix").cloned().unwrap_or_default();
    let keys: Vec<_> = inside.objects.iter().filter(|(key, _)| key.starts_with(&prefix)).collect();
    let page = keys.iter().skip(start).take(page_keys).map(|(key, bytes)| {
        let tag = etag(bytes).replace('"', "&quot;");
        let size = claims.unwrap_or(bytes.len() as u64);
        format!("<Contents><Key>{key}</Key><ETag>{tag}</ETag><Size>{size}</Size></Contents>")
    });
    let page: String = page.collect();
    let rest = if start + page_keys < keys.len() {
        format!(
            "<IsTruncated>true</IsTruncated><NextContinuationToken>{}</NextContinuationToken>",
            start + page_keys
        )
    } else {
        "<IsTruncated>false</IsTruncated>".to_owned()
    };
    format!("<ListBucketResult>{page}{rest}</ListBucketResult>").into_response()
}

impl Bucket {
    fn put(&self, key: &str, text: &str) {
        self.0.lock().unwrap().objects.insert(key.to_owned(), Bytes::from(text.to_owned()));
    }

    fn remove(&self, key: &str) {
        self.0.lock().unwrap().objects.remove(key);
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }
}

async fn reader(bucket: &Bucket) -> S3Reader {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let service = axum::Router::new().fallback(answer).with_state(bucket.clone());
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    let keys = Keys { access_key_id: "a".to_owned(), secret_access_key: "b".to_owned() };
    let options = ConnectOptions {
        endpoint: Some(endpoint),
        keys: Some(keys),
        region: Some("eu-central-1".to_owned()),
        s3_path_style: Some(true),
        ..ConnectOptions::default()
    };
    let aws = Aws::connect(&[], options).await.unwrap();
    let source =
        S3Source { bucket: "specs".to_owned(), prefix: "prod/".to_owned(), ..S3Source::default() };
    let access = Access {
        s3: Some(aws.s3(None)),
        cache: std::path::PathBuf::new(),
        variables: Variables::default(),
        read_secret: Arc::new(|_| Err("there is none".to_owned())),
    };
    S3Reader::new(&source, access).unwrap()
}

fn bucket() -> Bucket {
    let bucket = Bucket::default();
    for key in ["prod/a.yaml", "prod/b/c.yml", "prod/d.json", "prod/e.yaml", "prod/f.yaml"] {
        bucket.put(key, key);
    }
    for other in ["prod/", "prod/notes.txt", "prod/.x/y.yaml", "staging/a.yaml"] {
        bucket.put(other, "other");
    }
    bucket
}

#[tokio::test]
async fn every_page_is_read_and_an_unchanged_listing_reads_nothing() {
    let bucket = bucket();
    let mut reader = reader(&bucket).await;
    let first = reader.fetch().await.unwrap();
    let keys: Vec<&String> = first.files().keys().collect();
    assert_eq!(keys, ["prod/a.yaml", "prod/b/c.yml", "prod/d.json", "prod/e.yaml", "prod/f.yaml"]);
    assert_eq!(first.files()["prod/a.yaml"].bytes().as_ref(), b"prod/a.yaml");
    bucket.calls();
    assert!(Arc::ptr_eq(&first, &reader.fetch().await.unwrap()));
    assert_eq!(bucket.calls(), ["list", "list", "list"]);
    bucket.put("prod/a.yaml", "new");
    bucket.remove("prod/f.yaml");
    let second = reader.fetch().await.unwrap();
    assert_ne!(first.revision(), second.revision());
    assert_eq!(second.files().len(), 4);
    assert!(Arc::ptr_eq(&first.files()["prod/e.yaml"], &second.files()["prod/e.yaml"]));
    let calls = bucket.calls();
    assert_eq!(
        calls.iter().filter(|call| call.starts_with("get")).collect::<Vec<_>>(),
        ["get prod/a.yaml"]
    );
}

#[tokio::test]
async fn a_prefix_that_changes_while_it_is_read_is_listed_again_and_never_mixed() {
    let bucket = bucket();
    bucket.0.lock().unwrap().before_read = Some(Box::new(|objects| {
        for key in ["prod/a.yaml", "prod/e.yaml"] {
            objects.insert(key.to_owned(), Bytes::from_static(b"second"));
        }
        objects.remove("prod/f.yaml");
    }));
    let snapshot = reader(&bucket).await.fetch().await.unwrap();
    assert_eq!(snapshot.files().len(), 4);
    for key in ["prod/a.yaml", "prod/e.yaml"] {
        assert_eq!(snapshot.files()[key].bytes().as_ref(), b"second");
    }
}

#[tokio::test]
async fn one_forbidden_key_or_failed_page_fails_the_whole() {
    let bucket = bucket();
    bucket.0.lock().unwrap().forbidden = Some("prod/d.json".to_owned());
    let mut reader = reader(&bucket).await;
    let error = reader.fetch().await.unwrap_err();
    assert_eq!(error.to_string(), "cannot read s3://specs/prod/d.json");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("AccessDenied"), "{cause}");
    bucket.0.lock().unwrap().forbidden = None;
    bucket.0.lock().unwrap().fail_page = Some(1);
    let error = reader.fetch().await.unwrap_err();
    assert_eq!(error.to_string(), "cannot list s3://specs/prod/");
}

#[tokio::test]
async fn large_objects_are_refused_by_name_and_a_sudden_void_is_an_error() {
    let bucket = Bucket::default();
    bucket.put("prod/big.yaml", &"x".repeat(2_000_000));
    let mut reader = reader(&bucket).await;
    let snapshot = reader.fetch().await.unwrap();
    assert_eq!(
        snapshot.files()["prod/big.yaml"].refusal(),
        Some(Refusal::TooLarge { bytes: 2_000_000 })
    );
    assert!(!bucket.calls().iter().any(|call| call.starts_with("get")));
    bucket.remove("prod/big.yaml");
    let error = reader.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::SuddenlyEmpty { files_before: 1, .. }), "{error}");
}

#[test]
fn names_count_from_the_last_slash_of_the_prefix_on() {
    for (prefix, key, counts) in [
        ("", "web.yaml", true),
        ("", "prod/web.yaml", true),
        ("", ".x/web.yaml", false),
        ("prod/", "prod/web.yaml", true),
        ("prod/", "prod/.web.yaml", false),
        ("prod/", "prod/.x/web.yaml", false),
        ("prod/", "prod/", false),
        ("prod/", "prod/notes.txt", false),
        ("prod", "prod/web.yaml", true),
        ("prod", "prod.yaml", true),
        ("prod", "prod.d/web.yaml", true),
        ("prod", "prod-2/web.json", true),
        ("prod", "prod/.x/web.yaml", false),
        ("prod/web", "prod/web.yaml", true),
        ("prod/web.yaml", "prod/web.yaml", true),
        ("prod/w", "prod/web/.x/a.yaml", false),
        (".fleet/", ".fleet/web.yaml", true),
        (".fleet/", ".fleet/.x.yaml", false),
        (".fleet", ".fleet/web.yaml", true),
        ("prod/.fl", "prod/.fleet/web.yaml", true),
        ("prod/.fl", "prod/.fleet/.x/web.yaml", false),
        ("f\u{fc}r/", "f\u{fc}r/web.yml", true),
    ] {
        assert_eq!(is_listed(prefix, key), counts, "prefix `{prefix}`, key `{key}`");
    }
}

#[tokio::test]
async fn more_specs_than_a_source_may_hold_are_an_error_and_none_of_them_is_read() {
    let bucket = Bucket::default();
    bucket.0.lock().unwrap().keys = Some(60_000);
    for number in 0..=FILES_MAX {
        bucket.put(&format!("prod/{number:06}.yaml"), "");
    }
    let error = reader(&bucket).await.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::TooManyFiles { .. }), "{error}");
    assert_eq!(bucket.calls(), ["list", "list"]);
}

#[tokio::test]
async fn specs_that_are_too_large_together_are_an_error_and_not_read() {
    let bucket = Bucket::default();
    for number in 0..=TOTAL_BYTES_MAX / FILE_BYTES_MAX {
        bucket.put(&format!("prod/{number}.yaml"), "x");
    }
    bucket.0.lock().unwrap().keys = Some(1_000);
    bucket.0.lock().unwrap().claims = Some(FILE_BYTES_MAX);
    let error = reader(&bucket).await.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { .. }), "{error}");
    assert_eq!(bucket.calls(), ["list"]);
}
