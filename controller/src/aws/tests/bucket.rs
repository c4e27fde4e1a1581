//! Reading specs from a bucket.

use super::canned::{Canned, Reply};
use crate::aws::{Kind, S3};

fn page(keys: &[&str], next: Option<&str>) -> Reply {
    let contents = keys.iter().map(|key| {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-11-20T10:00:00.000Z</LastModified>\
             <ETag>&quot;e-{key}&quot;</ETag><Size>12</Size></Contents>"
        )
    });
    let contents = contents.collect::<Vec<_>>().concat();
    let truncated = next.is_some();
    let next = next.map(|token| format!("<NextContinuationToken>{token}</NextContinuationToken>"));
    Reply::Answer(
        200,
        format!(
            "<ListBucketResult><Name>specs</Name><IsTruncated>{truncated}</IsTruncated>{}{contents}</ListBucketResult>",
            next.unwrap_or_default()
        ),
    )
}

async fn s3(canned: &Canned) -> S3 {
    canned.aws(&[]).await.s3(Some("us-east-1"))
}

#[tokio::test(start_paused = true)]
async fn a_listing_is_every_page() {
    let canned = Canned::new([page(&["prod/a", "prod/b"], Some("t1")), page(&["prod/c"], None)]);
    let objects = s3(&canned).await.list("specs", "prod/").await.unwrap();
    let keys: Vec<&str> = objects.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["prod/a", "prod/b", "prod/c"]);
    assert_eq!((objects[0].etag.as_str(), objects[0].bytes), ("\"e-prod/a\"", 12));
    assert_eq!(objects[0].modified.unwrap().to_string(), "2026-11-20T10:00:00Z");
    let heard = canned.heard();
    assert!(
        heard[0].uri.starts_with("https://s3.us-east-1.amazonaws.com/specs"),
        "{}",
        heard[0].uri
    );
    assert!(heard[1].uri.contains("continuation-token=t1"), "{}", heard[1].uri);
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_breaks_off_is_an_error() {
    let cut = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
    let canned = Canned::new([page(&["a"], Some("t1")), Reply::Answer(200, cut.to_owned())]);
    let error = s3(&canned).await.list("specs", "prod/").await.unwrap_err();
    assert!(error.to_string().contains("cut off"), "{error}");
    assert_eq!(error.subject, "s3://specs/prod/");

    let canned = Canned::new([page(&["a"], Some("t1")), page(&["b"], Some("t1"))]);
    assert!(s3(&canned).await.list("specs", "").await.is_err());

    let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let canned = Canned::new([page(&["a"], Some("t1")), Reply::Answer(403, denied.to_owned())]);
    let error = s3(&canned).await.list("specs", "").await.unwrap_err();
    assert_eq!(error.kind, Kind::Denied);
}

/// Servers that are cut off in the middle of a page, that say nothing of further pages, or that lead in circles.
#[tokio::test(start_paused = true)]
async fn a_part_of_a_page_or_of_the_pages_is_no_listing() {
    let object = |key: &str| format!("<Contents><Key>{key}</Key><ETag>e</ETag></Contents>");
    let cut = format!(
        "<ListBucketResult><KeyCount>2</KeyCount><IsTruncated>false</IsTruncated>{}<Contents><Key>b",
        object("a")
    );
    let silent = format!("<ListBucketResult>{}</ListBucketResult>", object("a"));
    for body in [cut, silent, "<ListBucketResult/>".to_owned()] {
        let canned = Canned::new([Reply::Answer(200, body.clone())]);
        assert!(s3(&canned).await.list("specs", "").await.is_err(), "{body}");
    }
    let circle = [page(&["a"], Some("t1")), page(&["b"], Some("t2")), page(&["a"], Some("t1"))];
    let error = s3(&Canned::new(circle)).await.list("specs", "").await.unwrap_err();
    assert!(error.to_string().contains("leads back"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_object_is_read_only_as_it_was_listed_and_within_its_limit() {
    let changed = "<Error><Code>PreconditionFailed</Code><Message>no</Message></Error>";
    let slow = "<Error><Code>SlowDown</Code><Message>Please reduce</Message></Error>";
    let canned = Canned::new([
        Reply::Answer(503, slow.to_owned()),
        Reply::Answer(200, "kind: Service".to_owned()),
        Reply::Answer(412, changed.to_owned()),
        Reply::Answer(200, "kind: Service".to_owned()),
    ]);
    let s3 = s3(&canned).await;
    let content = s3.get("specs", "prod/a", Some("\"e\""), 13).await;
    assert_eq!(content, Ok(b"kind: Service".to_vec()));
    assert_eq!(canned.heard()[1].headers["if-match"], "\"e\"");
    let error = s3.get("specs", "prod/a", Some("\"e\""), 13).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("PreconditionFailed"));
    let error = s3.get("specs", "prod/a", None, 12).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(
        error.to_string(),
        "cannot read object s3://specs/prod/a: it has more than 12 bytes"
    );
    assert_eq!(canned.heard().len(), 4);
}
