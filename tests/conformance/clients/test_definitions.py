"""Task definitions: revisions, what AWS fills in, lists, the end of their life."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from refusals import refused
from rollouts import register
from specs import container, fargate_definition


def test_revisions_count_up_and_the_family_means_the_newest(ecs, name):
    arns = [register(ecs, name, f"shop/app:v{number}") for number in (1, 2, 2)]
    assert [arn.rsplit(":", 1)[1] for arn in arns] == ["1", "2", "3"]
    assert ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]["taskDefinitionArn"] == arns[2]
    assert ecs.describe_task_definition(taskDefinition=f"{name}:1")["taskDefinition"]["taskDefinitionArn"] == arns[0]
    ecs.deregister_task_definition(taskDefinition=arns[2])
    assert ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]["taskDefinitionArn"] == arns[1]
    assert register(ecs, name, "shop/app:v4").endswith(":4")


def test_what_aws_fills_in(ecs, name):
    check = {"command": ["CMD-SHELL", "true"]}
    ports = [{"containerPort": 8080}]
    containers = [container("shop/app:v1", portMappings=ports, healthCheck=check)]
    containers[0].pop("essential")
    registered = ecs.register_task_definition(
        **fargate_definition(name, "", cpu="1 vCPU", memory="2 GB", containerDefinitions=containers)
    )["taskDefinition"]
    assert (registered["cpu"], registered["memory"]) == ("1024", "2048")
    assert (registered["status"], registered["revision"]) == ("ACTIVE", 1)
    assert registered["volumes"] == registered["placementConstraints"] == []
    assert "FARGATE" in registered["compatibilities"]
    (app,) = registered["containerDefinitions"]
    assert (app["cpu"], app["essential"]) == (0, True)
    assert app["portMappings"] == [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}]
    assert (app["healthCheck"]["interval"], app["healthCheck"]["timeout"], app["healthCheck"]["retries"]) == (30, 5, 3)
    for empty in ("environment", "mountPoints", "volumesFrom", "systemControls"):
        assert app[empty] == [], empty
    assert ecs.describe_task_definition(taskDefinition=f"{name}:1")["taskDefinition"] == registered


def test_secrets_and_tags_come_back(ecs, name):
    parameter = {"name": "A", "valueFrom": "/shop/a"}
    secret = {"name": "B", "valueFrom": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/b-AbCdEf:key::"}
    tags = [{"key": "team", "value": "shop"}]
    answer = ecs.register_task_definition(
        **fargate_definition(
            name, "", tags=tags, containerDefinitions=[container("shop/app:v1", secrets=[parameter, secret])]
        )
    )
    assert answer["tags"] == tags
    found = ecs.describe_task_definition(taskDefinition=name, include=["TAGS"])
    assert found["tags"] == tags
    secrets = found["taskDefinition"]["containerDefinitions"][0]["secrets"]
    assert {one["name"]: one["valueFrom"] for one in secrets} == {"A": "/shop/a", "B": secret["valueFrom"]}
    assert not ecs.describe_task_definition(taskDefinition=name).get("tags")


def test_lists_are_sorted_by_number_and_paged(ecs, name):
    arns = [register(ecs, name, f"shop/app:v{number}") for number in range(11)]
    register(ecs, f"{name}-other", "shop/app:v1")
    pages = list(
        ecs.get_paginator("list_task_definitions").paginate(familyPrefix=name, PaginationConfig={"PageSize": 4})
    )
    assert [arn for page in pages for arn in page["taskDefinitionArns"]] == arns
    assert len(pages) >= 3
    newest = ecs.list_task_definitions(familyPrefix=name, sort="DESC", maxResults=1)["taskDefinitionArns"]
    assert newest == [arns[10]]
    families = ecs.get_paginator("list_task_definition_families").paginate(familyPrefix=name, status="ACTIVE")
    assert families.build_full_result()["families"] == [name, f"{name}-other"]


def test_a_definition_is_deregistered_before_it_is_deleted(ecs, name):
    arn = register(ecs, name, "shop/app:v1")
    refusal = ecs.delete_task_definitions(taskDefinitions=[arn])
    assert (refusal["taskDefinitions"], len(refusal["failures"])) == ([], 1)
    assert ecs.deregister_task_definition(taskDefinition=arn)["taskDefinition"]["status"] == "INACTIVE"
    listed = ecs.list_task_definitions(familyPrefix=name, status="INACTIVE")["taskDefinitionArns"]
    assert listed == [arn]
    assert ecs.list_task_definitions(familyPrefix=name)["taskDefinitionArns"] == []
    (deleted,) = ecs.delete_task_definitions(taskDefinitions=[arn])["taskDefinitions"]
    assert deleted["status"] == "DELETE_IN_PROGRESS"


def test_unknown_definitions(ecs, name):
    with refused("ClientException", "Unable to describe task definition."):
        ecs.describe_task_definition(taskDefinition=name)
    with refused("ClientException"):
        ecs.deregister_task_definition(taskDefinition=f"{name}:7")


DIFFERENT = {"containerPort": 80, "hostPort": 81}
SECRET = {"containerDefinitions": [container("a", secrets=[{"name": "A", "valueFrom": "/a"}])]}


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"cpu": "300"}, id="a size that Fargate lacks"),
        pytest.param({"cpu": "1024", "memory": "512"}, id="too little memory"),
        pytest.param({"networkMode": "bridge"}, id="no awsvpc"),
        pytest.param({"containerDefinitions": []}, id="no containers"),
        pytest.param({"containerDefinitions": [container("a", portMappings=[DIFFERENT])]}, id="ports that differ"),
        pytest.param({"containerDefinitions": [container("a") | {"essential": False}]}, id="nothing essential"),
        pytest.param({"containerDefinitions": [container("a"), container("b")]}, id="two of a name"),
        pytest.param({"executionRoleArn": "", **SECRET}, id="secrets without a role"),
        pytest.param({"family": "shop.web"}, id="a family with a dot"),
    ],
)
def test_refused_definitions(ecs, members):
    request = fargate_definition("refused", "shop/app:v1") | members
    if not request["executionRoleArn"]:
        del request["executionRoleArn"]
    with pytest.raises(ClientError) as caught:
        ecs.register_task_definition(**request)
    # Which of the two codes each rule has is not documented (aws.md §2.2).
    assert caught.value.response["Error"]["Code"] in ("ClientException", "InvalidParameterException")
    assert ecs.list_task_definitions(familyPrefix="refused")["taskDefinitionArns"] == []
