"""Specs in a bucket, put there by boto3."""

from __future__ import annotations

from processes import REGION
from repository import service
from rollouts import deployments, describe


def test_specs_in_a_bucket_are_rolled_out_and_not_forgotten(longshore, world, ecs, name):
    s3 = world.client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="specs", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="specs", Key="prod/web.yaml", Body=service("shop", name, "shop/app:v1"))
    s3.put_object(Bucket="specs", Key="test/web.yaml", Body="not a spec: [")
    place = ("--source", "s3://specs/prod/")
    planned = longshore.plan(*place)
    assert (planned.code, planned.operations(name)) == (2, ["RegisterTaskDefinition", "CreateService"]), planned.report
    done = longshore.apply(*place)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [one["status"] for one in deployments(ecs, name)] == ["SUCCESSFUL"]
    assert longshore.plan(*place).code == 0
    s3.delete_object(Bucket="specs", Key="prod/web.yaml")
    s3.put_object(Bucket="specs", Key="prod/other.yaml", Body=service("shop", f"{name}-other", "shop/app:v1"))
    assert "DeleteService" not in longshore.plan(*place).operations(name)
    longshore.apply(*place)
    assert (describe(ecs, name)["status"], describe(ecs, name)["runningCount"]) == ("ACTIVE", 2)


def test_an_unknown_bucket_is_an_error(longshore):
    done = longshore.run("plan", "--source", "s3://absent/prod/")
    assert done.returncode == 1
    assert "absent" in done.stderr
