"""The static half against moto: what is planned, registered, created and read, by an AWS that is not ours.

moto never runs a Fargate task, so no rollout ends there.
"""

from __future__ import annotations

import json

import pytest

from processes import REGION, Endpoint
from program import Longshore
from repository import service


@pytest.fixture
def network(moto: Endpoint) -> dict:
    """A network that moto knows; it looks subnets and security groups up."""
    ec2 = moto.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="tasks", Description="tasks", VpcId=vpc)["GroupId"]
    return {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}}


@pytest.fixture
def longshore(moto: Endpoint, tmp_path) -> Longshore:
    moto.client("ecs").create_cluster(clusterName="shop")
    return Longshore(moto, tmp_path)


def test_what_apply_registers_and_creates_is_seen_in_moto(longshore, moto, network, tmp_path, name):
    ecs = moto.client("ecs")
    folder = tmp_path / "specs"
    folder.mkdir()
    secrets = [{"name": "URL", "valueFrom": "/shop/url"}]
    spec = service("shop", name, "shop/app:v1", containers={"secrets": secrets}, networkConfiguration=network)
    (folder / "web.yaml").write_text(spec, encoding="utf-8")
    held = longshore.plan("--source", folder)
    assert (held.code, held.operations(name)) == (0, []), "moto has no such parameter"
    moto.client("ssm").put_parameter(Name="/shop/url", Value="x", Type="String")
    planned = longshore.plan("--source", folder)
    assert (planned.code, planned.operations(name)) == (2, ["RegisterTaskDefinition", "CreateService"]), planned.report
    longshore.apply("--source", folder, timeout="5s")
    (family,) = ecs.list_task_definition_families(familyPrefix=f"shop-{name}")["families"]
    definition = ecs.describe_task_definition(taskDefinition=family, include=["TAGS"])
    (app,) = definition["taskDefinition"]["containerDefinitions"]
    assert (app["image"], app["secrets"]) == ("shop/app:v1", secrets)
    assert (definition["taskDefinition"]["cpu"], definition["taskDefinition"]["memory"]) == ("256", "512")
    assert "longshore.dev/owner" in {tag["key"] for tag in definition["tags"]}
    (found,) = ecs.describe_services(cluster="shop", services=[name], include=["TAGS"])["services"]
    assert found["taskDefinition"] == definition["taskDefinition"]["taskDefinitionArn"]
    assert (found["desiredCount"], found["launchType"], found["status"]) == (2, "FARGATE", "ACTIVE")
    assert found["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == network["awsvpcConfiguration"]["subnets"]
    assert "longshore.dev/owner" in {tag["key"] for tag in found["tags"]}
    assert len(ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"]) == 1


def test_specs_are_read_from_a_bucket_of_moto(longshore, moto, network, name):
    s3 = moto.client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="specs", CreateBucketConfiguration={"LocationConstraint": REGION})
    for number in range(12):
        spec = service("shop", f"web-{number}", "shop/app:v1", networkConfiguration=network)
        s3.put_object(Bucket="specs", Key=f"prod/{number}.yaml", Body=spec)
    planned = longshore.plan("--source", "s3://specs/prod/")
    assert planned.code == 2, planned.report
    for number in range(12):
        assert planned.operations(f"web-{number}") == ["RegisterTaskDefinition", "CreateService"]
    text = longshore.run("plan", "--source", "s3://specs/prod/")
    assert "12 to change" in text.stdout
    assert json.dumps(planned.report)


def test_a_cluster_that_does_not_exist_is_told(longshore, tmp_path, name):
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "web.yaml").write_text(service("nowhere", name, "shop/app:v1"), encoding="utf-8")
    done = longshore.run("plan", "--source", folder)
    assert "nowhere" in done.stdout + done.stderr
