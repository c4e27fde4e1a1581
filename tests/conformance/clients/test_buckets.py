"""S3 as a source of specs and as a lock (aws.md §6.4)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from processes import REGION, Endpoint
from refusals import refused


@pytest.fixture(scope="module")
def s3(sandbox: Endpoint):
    client = sandbox.client("s3", s3={"addressing_style": "path"})
    client.create_bucket(Bucket="conformance", CreateBucketConfiguration={"LocationConstraint": REGION})
    return client


def test_what_was_put_is_read(s3):
    body = "größer\n".encode() * 1000
    put = s3.put_object(Bucket="conformance", Key="read/ä b+c.yaml", Body=body, Metadata={"commit": "abc"})
    got = s3.get_object(Bucket="conformance", Key="read/ä b+c.yaml")
    assert got["Body"].read() == body
    assert (got["ETag"], got["Metadata"], got["ContentLength"]) == (put["ETag"], {"commit": "abc"}, len(body))
    assert got["ETag"].startswith('"')
    head = s3.head_object(Bucket="conformance", Key="read/ä b+c.yaml")
    assert (head["ETag"], head["ContentLength"]) == (put["ETag"], len(body))
    part = s3.get_object(Bucket="conformance", Key="read/ä b+c.yaml", Range="bytes=0-3")
    assert part["Body"].read() == body[:4]


def test_lists_are_sorted_and_paged(s3):
    keys = [f"list/{number:04}" for number in range(25)] + ["list/sub/one", "list/sub/two", "lisu"]
    for key in reversed(keys):
        s3.put_object(Bucket="conformance", Key=key, Body=b"")
    pages = list(
        s3.get_paginator("list_objects_v2").paginate(
            Bucket="conformance", Prefix="list/", PaginationConfig={"PageSize": 10}
        )
    )
    assert [len(page["Contents"]) for page in pages] == [10, 10, 7]
    assert [page["IsTruncated"] for page in pages] == [True, True, False]
    assert [one["Key"] for page in pages for one in page["Contents"]] == keys[:27]
    grouped = s3.list_objects_v2(Bucket="conformance", Prefix="list/", Delimiter="/")
    assert [one["Prefix"] for one in grouped["CommonPrefixes"]] == ["list/sub/"]
    assert grouped["KeyCount"] == 26
    after = s3.list_objects_v2(Bucket="conformance", Prefix="list/", StartAfter="list/sub/one")
    assert [one["Key"] for one in after["Contents"]] == ["list/sub/two"]
    assert "Contents" not in s3.list_objects_v2(Bucket="conformance", Prefix="nothing/")


def test_one_of_many_takes_the_lock(s3):
    def take(holder: int) -> str:
        try:
            s3.put_object(Bucket="conformance", Key="lock", Body=str(holder), IfNoneMatch="*")
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "taken"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(take, range(16)))
    assert outcomes.count("taken") == 1
    assert set(outcomes) <= {"taken", "PreconditionFailed", "ConditionalRequestConflict"}


def test_a_lock_is_renewed_and_released_by_its_holder_only(s3):
    etag = s3.put_object(Bucket="conformance", Key="lease", Body=b"1")["ETag"]
    renewed = s3.put_object(Bucket="conformance", Key="lease", Body=b"2", IfMatch=etag)["ETag"]
    with refused("PreconditionFailed", status=412):
        s3.put_object(Bucket="conformance", Key="lease", Body=b"3", IfMatch=etag)
    with refused("PreconditionFailed", status=412):
        s3.delete_object(Bucket="conformance", Key="lease", IfMatch=etag)
    with refused("NoSuchKey", status=404):
        s3.put_object(Bucket="conformance", Key="no lease", Body=b"", IfMatch=etag)
    s3.delete_object(Bucket="conformance", Key="lease", IfMatch=renewed)
    with refused("NoSuchKey", status=404):
        s3.get_object(Bucket="conformance", Key="lease")


def test_unchanged_objects_are_not_sent_again(s3):
    etag = s3.put_object(Bucket="conformance", Key="cached", Body=b"1")["ETag"]
    with refused("304", status=304):
        s3.get_object(Bucket="conformance", Key="cached", IfNoneMatch=etag)
    with refused("PreconditionFailed", status=412):
        s3.get_object(Bucket="conformance", Key="cached", IfMatch='"other"')
    with refused("404", status=404):
        s3.head_object(Bucket="conformance", Key="absent")


def test_versions_keep_what_was_overwritten_or_deleted(s3):
    s3.create_bucket(Bucket="conformance-versions", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="conformance-versions", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="conformance-versions", Key="k", Body=b"one")["VersionId"]
    second = s3.put_object(Bucket="conformance-versions", Key="k", Body=b"two")["VersionId"]
    assert first != second
    old = s3.get_object(Bucket="conformance-versions", Key="k", VersionId=first)
    assert old["Body"].read() == b"one"
    marker = s3.delete_object(Bucket="conformance-versions", Key="k")
    assert marker["DeleteMarker"] is True
    with refused("NoSuchKey", status=404):
        s3.get_object(Bucket="conformance-versions", Key="k")
    listed = s3.list_object_versions(Bucket="conformance-versions", Prefix="k")
    assert [one["VersionId"] for one in listed["Versions"]] == [second, first]
    assert [one["IsLatest"] for one in listed["DeleteMarkers"]] == [True]


def test_buckets(s3):
    assert s3.get_bucket_location(Bucket="conformance")["LocationConstraint"] == REGION
    assert "conformance" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    with refused("NoSuchBucket", status=404):
        s3.list_objects_v2(Bucket="conformance-absent")
    with refused("404", status=404):
        s3.head_bucket(Bucket="conformance-absent")
    with refused("BucketAlreadyOwnedByYou", status=409):
        s3.create_bucket(Bucket="conformance", CreateBucketConfiguration={"LocationConstraint": REGION})
    with refused("BucketNotEmpty", status=409):
        s3.put_object(Bucket="conformance", Key="one", Body=b"")
        s3.delete_bucket(Bucket="conformance")
    errors = s3.delete_objects(Bucket="conformance", Delete={"Objects": [{"Key": "one"}, {"Key": "never"}]})
    assert "Errors" not in errors
