"""Elastic Container Registry (aws.md §6.3)."""

from __future__ import annotations

import hashlib
import json

import pytest

from processes import Endpoint
from refusals import refused


@pytest.fixture(scope="module")
def ecr(sandbox: Endpoint):
    return sandbox.client("ecr")


def manifest(seed: str) -> str:
    """An OCI manifest with a layer of its own."""

    def part(kind: str, text: str) -> dict:
        digest = hashlib.sha256(text.encode()).hexdigest()
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(text)}

    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": part("config.v1+json", f"config {seed}"),
            "layers": [part("layer.v1.tar+gzip", f"layer {seed}")],
        }
    )


def push(ecr, repository: str, tag: str, seed: str | None = None) -> str:
    text = manifest(seed or tag)
    image = ecr.put_image(repositoryName=repository, imageManifest=text, imageTag=tag)["image"]
    digest = image["imageId"]["imageDigest"]
    assert digest == "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    return digest


def test_a_digest_is_that_of_the_manifest(ecr):
    ecr.create_repository(repositoryName="shop/digests")
    digest = push(ecr, "shop/digests", "1.0.0")
    push(ecr, "shop/digests", "latest", "1.0.0")
    (detail,) = ecr.describe_images(repositoryName="shop/digests", imageIds=[{"imageTag": "latest"}])["imageDetails"]
    assert detail["imageDigest"] == digest
    assert sorted(detail["imageTags"]) == ["1.0.0", "latest"]
    answer = ecr.batch_get_image(repositoryName="shop/digests", imageIds=[{"imageTag": "1.0.0"}, {"imageTag": "none"}])
    assert json.loads(answer["images"][0]["imageManifest"]) == json.loads(manifest("1.0.0"))
    assert [one["failureCode"] for one in answer["failures"]] == ["ImageNotFound"]


def test_one_unknown_image_fails_the_whole_call(ecr):
    ecr.create_repository(repositoryName="shop/unknown")
    push(ecr, "shop/unknown", "1.0.0")
    with refused("ImageNotFoundException"):
        ecr.describe_images(repositoryName="shop/unknown", imageIds=[{"imageTag": "1.0.0"}, {"imageTag": "2.0.0"}])
    with refused("RepositoryNotFoundException"):
        ecr.describe_images(repositoryName="shop/absent")


def test_lists_have_pages(ecr):
    ecr.create_repository(repositoryName="shop/paged")
    pushed = {push(ecr, "shop/paged", f"1.0.{number}") for number in range(7)}
    for operation, member in (("describe_images", "imageDetails"), ("list_images", "imageIds")):
        pages = list(
            ecr.get_paginator(operation).paginate(repositoryName="shop/paged", PaginationConfig={"PageSize": 3})
        )
        assert len(pages) >= 3, operation
        assert {one["imageDigest"] for page in pages for one in page[member]} == pushed


def test_immutable_tags_stay(ecr):
    ecr.create_repository(repositoryName="shop/fixed", imageTagMutability="IMMUTABLE")
    push(ecr, "shop/fixed", "1.0.0")
    with refused("ImageTagAlreadyExistsException"):
        ecr.put_image(repositoryName="shop/fixed", imageManifest=manifest("other"), imageTag="1.0.0")
    ecr.create_repository(repositoryName="shop/moving")
    old = push(ecr, "shop/moving", "latest", "old")
    new = push(ecr, "shop/moving", "latest", "new")
    details = ecr.describe_images(repositoryName="shop/moving")["imageDetails"]
    assert {one["imageDigest"]: one.get("imageTags") for one in details} == {old: None, new: ["latest"]}


def test_repositories_come_and_go(ecr):
    created = ecr.create_repository(repositoryName="shop/brief")["repository"]
    assert created["repositoryUri"] == "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/brief"
    with refused("RepositoryAlreadyExistsException"):
        ecr.create_repository(repositoryName="shop/brief")
    push(ecr, "shop/brief", "1.0.0")
    with refused("RepositoryNotEmptyException"):
        ecr.delete_repository(repositoryName="shop/brief")
    ecr.delete_repository(repositoryName="shop/brief", force=True)
    with refused("RepositoryNotFoundException"):
        ecr.list_images(repositoryName="shop/brief")
