//! The rules of aws.md §6.4.

use http::Method;

use super::*;
use crate::xml;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

/// Headers, the status that they lead to, and the code in the body.
type Case<'a> = (&'a [(&'a str, &'a str)], u16, &'a str);

fn store(versioning: bool) -> S3 {
    let mut s3 = S3::new("123456789012", "eu-west-1");
    let fixture = serde_json::json!({"name": "specs", "versioning": versioning});
    s3.load(&serde_json::from_value(fixture).unwrap(), NOW).unwrap();
    s3
}

fn send(
    s3: &mut S3,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    s3.call(&request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap(), NOW)
}

fn put(s3: &mut S3, key: &str, body: &str) -> String {
    let answer = send(s3, "PUT", &format!("/specs/{key}"), &[], body);
    assert_eq!(answer.status(), 200, "{answer:?}");
    header(&answer, "x-amz-version-id")
}

fn header(answer: &Response<Bytes>, name: &str) -> String {
    answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

fn code(answer: &Response<Bytes>) -> String {
    xml::value(std::str::from_utf8(answer.body()).unwrap(), "Code").unwrap_or_default()
}

fn values(answer: &Response<Bytes>, row: &str, name: &str) -> Vec<String> {
    let text = std::str::from_utf8(answer.body()).unwrap();
    xml::elements(text, row).into_iter().map(|row| xml::value(row, name).unwrap()).collect()
}

fn one(answer: &Response<Bytes>, name: &str) -> Option<String> {
    xml::value(std::str::from_utf8(answer.body()).unwrap(), name)
}

#[test]
fn conditional_writes() {
    let mut s3 = store(false);
    let cases: [Case<'_>; 9] = [
        (&[("if-match", HELLO)], 404, "NoSuchKey"),
        (&[("if-none-match", "*")], 200, ""),
        (&[("if-none-match", "*")], 412, "PreconditionFailed"),
        (&[("if-none-match", HELLO)], 501, "NotImplemented"),
        (&[("if-match", "\"other\"")], 412, "PreconditionFailed"),
        (&[("if-match", HELLO)], 200, ""),
        (&[("if-match", "5d41402abc4b2a76b9719d911017c592")], 200, ""),
        (&[("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")], 400, "BadDigest"),
        (&[("x-amz-checksum-crc32", "AAAAAA==")], 400, "BadDigest"),
    ];
    for (headers, status, expected) in cases {
        let answer = send(&mut s3, "PUT", "/specs/lock", headers, "hello");
        assert_eq!(
            (answer.status().as_u16(), code(&answer).as_str()),
            (status, expected),
            "{headers:?}"
        );
        if status == 200 {
            assert_eq!(header(&answer, "etag"), HELLO);
        }
    }
}

#[test]
fn conditional_reads() {
    let mut s3 = store(false);
    put(&mut s3, "a", "hello");
    let date = "Thu, 01 Jan 1970 00:00:00 GMT";
    let cases: [(&[(&str, &str)], u16); 8] = [
        (&[("if-none-match", HELLO)], 304),
        (&[("if-none-match", "\"other\"")], 200),
        (&[("if-match", "\"other\"")], 412),
        (&[("if-match", HELLO)], 200),
        (&[("if-modified-since", date)], 304),
        (&[("if-unmodified-since", date)], 200),
        (&[("if-unmodified-since", "Wed, 31 Dec 1969 00:00:00 GMT")], 412),
        (&[("if-match", HELLO), ("if-none-match", HELLO)], 304),
    ];
    for (headers, status) in cases {
        for method in ["GET", "HEAD"] {
            let answer = send(&mut s3, method, "/specs/a", headers, "");
            assert_eq!(answer.status(), status, "{method} {headers:?}");
            let has_body = method == "GET" && status != 304;
            assert_eq!(!answer.body().is_empty(), has_body, "{method} {headers:?}");
        }
    }
    assert_eq!(
        header(&send(&mut s3, "GET", "/specs/a", &[("if-none-match", HELLO)], ""), "etag"),
        HELLO
    );
}

#[test]
fn a_missing_key_is_404_and_403_for_those_who_may_not_list() {
    let mut s3 = store(false);
    assert_eq!(code(&send(&mut s3, "GET", "/specs/none", &[], "")), "NoSuchKey");
    assert_eq!(send(&mut s3, "HEAD", "/specs/none", &[], "").status(), 404);
    assert_eq!(code(&send(&mut s3, "GET", "/nothing/none", &[], "")), "NoSuchBucket");
    let fixture = serde_json::json!({"name": "closed", "listDenied": true, "objects": [{"key": "a", "body": "x"}]});
    s3.load(&serde_json::from_value(fixture).unwrap(), NOW).unwrap();
    let refused = send(&mut s3, "GET", "/closed/none", &[], "");
    assert_eq!((refused.status().as_u16(), code(&refused).as_str()), (403, "AccessDenied"));
    assert_eq!(send(&mut s3, "GET", "/closed/a", &[], "").status(), 200);
    assert_eq!(send(&mut s3, "GET", "/closed?list-type=2", &[], "").status(), 403);
}

#[test]
fn versions_pin_content_and_deletion_leaves_a_marker() {
    let mut s3 = store(true);
    let one = put(&mut s3, "a", "one");
    let two = put(&mut s3, "a", "two");
    assert_ne!(one, two);
    let pinned = send(&mut s3, "GET", &format!("/specs/a?versionId={one}"), &[], "");
    assert_eq!(
        (pinned.body().as_ref(), header(&pinned, "x-amz-version-id")),
        (b"one".as_ref(), one.clone())
    );
    let deleted = send(&mut s3, "DELETE", "/specs/a", &[], "");
    assert_eq!(
        (deleted.status().as_u16(), header(&deleted, "x-amz-delete-marker").as_str()),
        (204, "true")
    );
    let marker = header(&deleted, "x-amz-version-id");
    let missing = send(&mut s3, "GET", "/specs/a", &[], "");
    assert_eq!(
        (missing.status().as_u16(), header(&missing, "x-amz-delete-marker").as_str()),
        (404, "true")
    );
    let unreadable = send(&mut s3, "GET", &format!("/specs/a?versionId={marker}"), &[], "");
    assert_eq!(
        (unreadable.status().as_u16(), code(&unreadable).as_str()),
        (405, "MethodNotAllowed")
    );
    assert_eq!(code(&send(&mut s3, "GET", "/specs/a?versionId=none", &[], "")), "NoSuchVersion");

    let versions = send(&mut s3, "GET", "/specs?versions", &[], "");
    assert_eq!(values(&versions, "Version", "VersionId"), [two.clone(), one.clone()]);
    assert_eq!(values(&versions, "DeleteMarker", "IsLatest"), ["true"]);
    let first = send(&mut s3, "GET", "/specs?versions&max-keys=2", &[], "");
    let target = format!(
        "/specs?versions&key-marker=a&version-id-marker={}",
        super::tests::one(&first, "NextVersionIdMarker").unwrap()
    );
    assert_eq!(values(&send(&mut s3, "GET", &target, &[], ""), "Version", "VersionId"), [one]);

    send(&mut s3, "DELETE", &format!("/specs/a?versionId={marker}"), &[], "");
    assert_eq!(send(&mut s3, "GET", "/specs/a", &[], "").body().as_ref(), b"two");
    let create = send(&mut s3, "PUT", "/specs/a", &[("if-none-match", "*")], "x");
    assert_eq!(create.status(), 412);
}

#[test]
fn a_bucket_of_somebody_else_than_expected_is_refused() {
    let mut s3 = store(false);
    put(&mut s3, "a", "hello");
    for (owner, status) in [("123456789012", 200), ("444455556666", 403)] {
        let expects = [("x-amz-expected-bucket-owner", owner)];
        for target in ["/specs/a", "/specs?list-type=2"] {
            assert_eq!(send(&mut s3, "GET", target, &expects, "").status(), status, "{target}");
        }
    }
}

#[test]
fn a_delete_marker_lets_a_key_be_created_again() {
    let mut s3 = store(true);
    put(&mut s3, "lock", "one");
    send(&mut s3, "DELETE", "/specs/lock", &[], "");
    assert_eq!(send(&mut s3, "PUT", "/specs/lock", &[("if-none-match", "*")], "two").status(), 200);
}

#[test]
fn suspended_versioning_replaces_the_null_version() {
    let mut s3 = store(true);
    let kept = put(&mut s3, "a", "one");
    let body = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    send(&mut s3, "PUT", "/specs?versioning", &[], body);
    assert_eq!(put(&mut s3, "a", "two"), NULL_VERSION);
    assert_eq!(put(&mut s3, "a", "three"), NULL_VERSION);
    let versions = send(&mut s3, "GET", "/specs?versions", &[], "");
    assert_eq!(values(&versions, "Version", "VersionId"), [NULL_VERSION.to_owned(), kept]);
    assert_eq!(
        one(&send(&mut s3, "GET", "/specs?versioning", &[], ""), "Status").unwrap(),
        "Suspended"
    );
}

#[test]
fn conditional_deletion_releases_only_ones_own_lock() {
    let mut s3 = store(false);
    assert_eq!(send(&mut s3, "DELETE", "/specs/lock", &[("if-match", HELLO)], "").status(), 404);
    put(&mut s3, "lock", "hello");
    assert_eq!(
        send(&mut s3, "DELETE", "/specs/lock", &[("if-match", "\"other\"")], "").status(),
        412
    );
    assert_eq!(send(&mut s3, "DELETE", "/specs/lock", &[("if-match", HELLO)], "").status(), 204);
    assert_eq!(send(&mut s3, "DELETE", "/specs/lock", &[], "").status(), 204);
}

#[test]
fn listing_pages_folds_and_encodes() {
    let mut s3 = store(false);
    for key in ["a/1", "a/2", "b", "c/1", "d%20%2B%C3%A9", "e"] {
        put(&mut s3, key, "x");
    }
    let list =
        |s3: &mut S3, query: &str| send(s3, "GET", &format!("/specs?list-type=2&{query}"), &[], "");
    let all = list(&mut s3, "");
    assert_eq!(values(&all, "Contents", "Key"), ["a/1", "a/2", "b", "c/1", "d +é", "e"]);
    assert_eq!(one(&all, "KeyCount").unwrap(), "6");
    let folded = list(&mut s3, "delimiter=/&max-keys=2");
    assert_eq!(values(&folded, "CommonPrefixes", "Prefix"), ["a/"]);
    assert_eq!(values(&folded, "Contents", "Key"), ["b"]);
    assert_eq!(one(&folded, "IsTruncated").unwrap(), "true");
    let token = one(&folded, "NextContinuationToken").unwrap();
    let token = percent_encoding::utf8_percent_encode(&token, percent_encoding::NON_ALPHANUMERIC);
    let rest = list(&mut s3, &format!("delimiter=/&continuation-token={token}"));
    assert_eq!(values(&rest, "CommonPrefixes", "Prefix"), ["c/"]);
    assert_eq!(values(&rest, "Contents", "Key"), ["d +é", "e"]);
    assert_eq!(one(&rest, "IsTruncated").unwrap(), "false");
    let folded = list(&mut s3, "delimiter=/&max-keys=1");
    let token = one(&folded, "NextContinuationToken").unwrap();
    let after = list(
        &mut s3,
        &format!("delimiter=/&max-keys=1&continuation-token={}", token.replace('=', "%3D")),
    );
    assert_eq!(values(&after, "Contents", "Key"), ["b"]);
    assert_eq!(values(&list(&mut s3, "start-after=b"), "Contents", "Key").len(), 3);
    assert_eq!(values(&list(&mut s3, "prefix=a/"), "Contents", "Key"), ["a/1", "a/2"]);
    let encoded = list(&mut s3, "encoding-type=url&prefix=d");
    assert_eq!(values(&encoded, "Contents", "Key"), ["d%20%2B%C3%A9"]);
    assert_eq!(values(&list(&mut s3, "max-keys=0"), "Contents", "Key").len(), 0);
    for query in ["max-keys=x", "encoding-type=rot13", "continuation-token=%21"] {
        assert_eq!(code(&list(&mut s3, query)), "InvalidArgument", "{query}");
    }
}

#[test]
fn a_thousand_keys_a_page() {
    let mut s3 = store(false);
    for n in 0..1001 {
        put(&mut s3, &format!("k{n:04}"), "x");
    }
    let first = send(&mut s3, "GET", "/specs?list-type=2&max-keys=5000", &[], "");
    assert_eq!(values(&first, "Contents", "Key").len(), 1000);
    let marker = send(&mut s3, "GET", "/specs?marker=k0999", &[], "");
    assert_eq!(values(&marker, "Contents", "Key"), ["k1000"]);
}

#[test]
fn sdk_bodies_in_chunks_are_stored_plain_with_their_checksum() {
    let mut s3 = store(false);
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "11"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("content-type", "text/yaml"),
        ("x-amz-meta-holder", "me"),
    ];
    let body = "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
    let answer = send(&mut s3, "PUT", "/specs/a", &headers, body);
    assert_eq!(
        (answer.status().as_u16(), header(&answer, "x-amz-checksum-crc32").as_str()),
        (200, "DUoRhQ==")
    );
    let read = send(&mut s3, "GET", "/specs/a", &[("x-amz-checksum-mode", "ENABLED")], "");
    assert_eq!(read.body().as_ref(), b"hello world");
    assert_eq!(header(&read, "x-amz-checksum-crc32"), "DUoRhQ==");
    assert_eq!(
        (header(&read, "content-type"), header(&read, "x-amz-meta-holder")),
        ("text/yaml".to_owned(), "me".to_owned())
    );
    assert_eq!(header(&read, "content-encoding"), "");
    let corrupt = body.replace("DUoRhQ==", "AAAAAA==");
    assert_eq!(code(&send(&mut s3, "PUT", "/specs/a", &headers, &corrupt)), "BadDigest");
    assert_eq!(code(&send(&mut s3, "PUT", "/specs/a", &headers, "b\r\nhel")), "IncompleteBody");
}

#[test]
fn many_objects_are_deleted_at_once() {
    let mut s3 = store(false);
    put(&mut s3, "a%26b", "x");
    put(&mut s3, "c", "hello");
    let body = "<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key><ETag>other</ETag></Object></Delete>";
    let answer = send(&mut s3, "POST", "/specs?delete", &[], body);
    assert_eq!(values(&answer, "Deleted", "Key"), ["a&b"]);
    assert_eq!(values(&answer, "Error", "Code"), ["PreconditionFailed"]);
    assert_eq!(code(&send(&mut s3, "POST", "/specs?delete", &[], "nonsense")), "MalformedXML");
}

#[test]
fn buckets_come_and_go() {
    let mut s3 = store(false);
    assert_eq!(send(&mut s3, "PUT", "/other", &[], "").status(), 200);
    assert_eq!(code(&send(&mut s3, "PUT", "/other", &[], "")), "BucketAlreadyOwnedByYou");
    assert_eq!(code(&send(&mut s3, "PUT", "/No", &[], "")), "InvalidBucketName");
    assert_eq!(
        header(&send(&mut s3, "HEAD", "/other", &[], ""), "x-amz-bucket-region"),
        "eu-west-1"
    );
    assert_eq!(send(&mut s3, "HEAD", "/none", &[], "").status(), 404);
    let location = send(&mut s3, "GET", "/other?location", &[], "");
    assert!(String::from_utf8_lossy(location.body()).ends_with(">eu-west-1</LocationConstraint>"));
    put(&mut s3, "a", "x");
    assert_eq!(code(&send(&mut s3, "DELETE", "/specs", &[], "")), "BucketNotEmpty");
    assert_eq!(send(&mut s3, "DELETE", "/other", &[], "").status(), 204);
    assert_eq!(values(&send(&mut s3, "GET", "/", &[], ""), "Bucket", "Name"), ["specs"]);
    assert_eq!(code(&send(&mut s3, "PUT", "/specs/a?tagging", &[], "")), "NotImplemented");
}

#[test]
fn ranges_are_partial_answers() {
    let mut s3 = store(false);
    put(&mut s3, "a", "0123456789");
    let answer = send(&mut s3, "GET", "/specs/a", &[("range", "bytes=2-4")], "");
    assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (206, b"234".as_ref()));
    assert_eq!(header(&answer, "content-range"), "bytes 2-4/10");
    assert_eq!(
        code(&send(&mut s3, "GET", "/specs/a", &[("range", "bytes=10-")], "")),
        "InvalidRange"
    );
    let head = send(&mut s3, "HEAD", "/specs/a", &[], "");
    assert_eq!((head.body().len(), header(&head, "content-length").as_str()), (0, "10"));
}

#[test]
fn operations_and_refusals_for_faults() {
    let request =
        Request::builder().method(Method::HEAD).uri("/specs/a").body(Bytes::new()).unwrap();
    assert_eq!(S3::operation(&request), "HeadObject");
    let error = ApiError {
        http_status: 503,
        ..ApiError::refused("SlowDown", "Please reduce your request rate.")
    };
    let answer = S3::refusal(&request, error.clone());
    assert_eq!((answer.status().as_u16(), answer.body().len()), (503, 0));
    let request = Request::get("/specs/a").body(Bytes::new()).unwrap();
    assert_eq!(code(&S3::refusal(&request, error)), "SlowDown");
}

#[test]
fn uploads_in_parts_have_an_etag_that_is_no_md5() {
    let mut s3 = store(false);
    let start = send(&mut s3, "POST", "/specs/big?uploads", &[("content-type", "text/plain")], "");
    let id = one(&start, "UploadId").unwrap();
    let first = "a".repeat(5 * 1024 * 1024);
    let part = |s3: &mut S3, number: u16, body: &str| {
        let target = format!("/specs/big?partNumber={number}&uploadId={id}");
        header(&send(s3, "PUT", &target, &[], body), "etag")
    };
    let etags = [part(&mut s3, 1, &first), part(&mut s3, 2, "end")];
    let row = |number: u16, etag: &str| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", xml::escape(etag))
    };
    let complete = |s3: &mut S3, rows: &[String]| {
        let body = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", rows.concat());
        send(s3, "POST", &format!("/specs/big?uploadId={id}"), &[], &body)
    };
    for (rows, expected) in [
        (vec![], "MalformedXML"),
        (vec![row(2, &etags[1]), row(1, &etags[0])], "InvalidPartOrder"),
        (vec![row(1, &etags[1])], "InvalidPart"),
        (vec![row(3, &etags[1])], "InvalidPart"),
    ] {
        assert_eq!(code(&complete(&mut s3, &rows)), expected, "{rows:?}");
    }
    assert_eq!(send(&mut s3, "HEAD", "/specs/big", &[], "").status(), 404);
    let done = complete(&mut s3, &[row(1, &etags[0]), row(2, &etags[1])]);
    let etag = one(&done, "ETag").unwrap();
    assert!(etag.ends_with("-2\"") && etag.len() == 36, "{etag}");
    let head = send(&mut s3, "HEAD", "/specs/big", &[], "");
    assert_eq!(header(&head, "content-length"), (first.len() + 3).to_string());
    assert_eq!(
        (header(&head, "etag"), header(&head, "content-type").as_str()),
        (etag, "text/plain")
    );
    assert_eq!(code(&complete(&mut s3, &[row(1, &etags[0])])), "NoSuchUpload");
}

#[test]
fn small_parts_and_given_up_uploads_are_refused() {
    let mut s3 = store(false);
    let id = one(&send(&mut s3, "POST", "/specs/big?uploads", &[], ""), "UploadId").unwrap();
    let target = |number: &str| format!("/specs/big?partNumber={number}&uploadId={id}");
    assert_eq!(code(&send(&mut s3, "PUT", &target("0"), &[], "x")), "InvalidArgument");
    assert_eq!(
        code(&send(&mut s3, "PUT", &target("1"), &[("x-amz-checksum-crc32", "AAAAAA==")], "x")),
        "BadDigest"
    );
    for number in ["1", "2"] {
        assert_eq!(send(&mut s3, "PUT", &target(number), &[], "hello").status(), 200);
    }
    let rows: String = [1, 2]
        .map(|number| format!("<Part><PartNumber>{number}</PartNumber><ETag>{HELLO}</ETag></Part>"))
        .concat();
    let upload = format!("/specs/big?uploadId={id}");
    assert_eq!(code(&send(&mut s3, "POST", &upload, &[], &rows)), "EntityTooSmall");
    assert_eq!(send(&mut s3, "DELETE", &upload, &[], "").status(), 204);
    assert_eq!(code(&send(&mut s3, "DELETE", &upload, &[], "")), "NoSuchUpload");
}
