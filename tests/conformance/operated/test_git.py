"""From a commit to running tasks, with Git as the source and boto3 as the witness."""

from __future__ import annotations

import json

import pytest

from program import Longshore
from repository import Repository, controller, owner, service
from rollouts import create, deployments, describe, primary, stable


@pytest.fixture
def repository(tmp_path) -> Repository:
    return Repository(tmp_path / "fleet")


@pytest.fixture
def place(tmp_path, repository, name) -> tuple[str, str]:
    """The arguments that name this test's own Controller."""
    config = tmp_path / "controller.yaml"
    config.write_text(controller(owner(name), {"git": {"url": repository.url, "interval": "1s"}}), encoding="utf-8")
    return "--config", str(config)


def images(ecs, name: str) -> set[str]:
    """What the service's running tasks run."""
    arns = ecs.list_tasks(cluster="shop", serviceName=name)["taskArns"]
    tasks = ecs.describe_tasks(cluster="shop", tasks=arns)["tasks"] if arns else []
    running = [task for task in tasks if task["lastStatus"] == "RUNNING"]
    return {container["image"] for task in running for container in task["containers"]}


def revisions(ecs, family: str) -> list[str]:
    return ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"]


def statuses(ecs, name: str) -> list[str]:
    return [deployment["status"] for deployment in deployments(ecs, name)]


def tags(ecs, name: str) -> dict[str, str]:
    (found,) = ecs.describe_services(cluster="shop", services=[name], include=["TAGS"])["services"]
    return {tag["key"]: tag["value"] for tag in found["tags"]}


def applied(longshore: Longshore, place: tuple[str, str]) -> str:
    """Applies, which has to end well; returns what was printed."""
    done = longshore.apply(*place)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_commit_becomes_running_tasks_and_then_nothing_is_left_to_do(longshore, ecs, repository, place, name):
    commit = repository.commit({"web.yaml": service("shop", name, "shop/app:v1")})
    planned = longshore.plan(*place)
    assert (planned.code, planned.operations(name)) == (2, ["RegisterTaskDefinition", "CreateService"])
    assert ecs.describe_services(cluster="shop", services=[name])["services"] == []
    assert revisions(ecs, f"shop-{name}") == []
    applied(longshore, place)
    assert statuses(ecs, name) == ["SUCCESSFUL"]
    assert images(ecs, name) == {"shop/app:v1"}
    assert (describe(ecs, name)["runningCount"], describe(ecs, name)["desiredCount"]) == (2, 2)
    assert tags(ecs, name)["longshore.dev/owner"] == owner(name)
    assert tags(ecs, name)["longshore.dev/commit"].startswith(commit[:7])
    again = longshore.plan(*place)
    assert (again.code, again.operations(name), again.holds(name)) == (0, [], [])
    applied(longshore, place)
    assert (statuses(ecs, name), len(revisions(ecs, f"shop-{name}"))) == (["SUCCESSFUL"], 1)


def test_a_new_image_rolls_and_the_way_back_needs_no_new_revision(longshore, ecs, repository, place, name):
    repository.commit({"web.yaml": service("shop", name, "shop/app:v1")})
    applied(longshore, place)
    repository.commit({"web.yaml": service("shop", name, "shop/app:v2")})
    planned = longshore.plan(*place)
    assert (planned.code, planned.operations(name)) == (
        2,
        ["RegisterTaskDefinition", "TagResource", "UpdateService", "TagResource"],
    )
    assert any(path.endswith("image") for path in planned.paths(name)), planned.report
    applied(longshore, place)
    assert images(ecs, name) == {"shop/app:v2"}
    repository.commit({"web.yaml": service("shop", name, "shop/app:v1")})
    assert longshore.plan(*place).operations(name) == ["TagResource", "UpdateService", "TagResource"]
    applied(longshore, place)
    assert images(ecs, name) == {"shop/app:v1"}
    assert len(revisions(ecs, f"shop-{name}")) == 2
    assert statuses(ecs, name) == ["SUCCESSFUL"] * 3


@pytest.mark.parametrize("image", ["missing", "crashing"])
def test_a_bad_image_is_rolled_back_and_not_tried_again(longshore, ecs, repository, place, name, image):
    repository.commit({"web.yaml": service("shop", name, "shop/app:v1")})
    applied(longshore, place)
    before = describe(ecs, name)["taskDefinition"]
    repository.commit({"web.yaml": service("shop", name, f"shop/app:{image}")})
    done = longshore.apply(*place)
    assert done.returncode == 1, done.stdout + done.stderr
    assert describe(ecs, name)["taskDefinition"] == before
    assert images(ecs, name) == {"shop/app:v1"}
    attempts = len(deployments(ecs, name))
    assert attempts == 2
    # The wait may end with a look that fell into the rollback; a later one marks the spec as failed.
    assert longshore.apply(*place).returncode == 1
    assert len(deployments(ecs, name)) == attempts
    planned = longshore.plan(*place)
    assert (planned.code, planned.operations(name)) == (0, []), planned.report
    assert planned.holds(name), planned.report
    repository.commit({"web.yaml": service("shop", name, "shop/app:v3")})
    applied(longshore, place)
    assert images(ecs, name) == {"shop/app:v3"}


def test_an_edit_by_hand_is_healed(longshore, ecs, repository, place, name):
    repository.commit({"web.yaml": service("shop", name, "shop/app:v1", healthCheckGracePeriodSeconds=30)})
    applied(longshore, place)
    running = primary(describe(ecs, name))["id"]
    ecs.update_service(cluster="shop", service=name, desiredCount=4, healthCheckGracePeriodSeconds=5)
    planned = longshore.plan(*place)
    assert (planned.code, planned.operations(name)) == (2, ["UpdateService"])
    assert len(planned.paths(name)) == 2, planned.report
    applied(longshore, place)
    healed = describe(ecs, name)
    assert (healed["desiredCount"], healed["healthCheckGracePeriodSeconds"]) == (2, 30)
    assert primary(healed)["id"] == running


def test_secrets_reach_the_task_by_name_only(longshore, world, ecs, repository, place, name):
    world.client("ssm").put_parameter(Name=f"/{name}/url", Value="never read", Type="SecureString")
    secret = world.client("secretsmanager").create_secret(Name=f"{name}/key", SecretString="never read either")
    secrets = [{"name": "URL", "valueFrom": f"/{name}/url"}, {"name": "KEY", "valueFrom": secret["ARN"]}]
    repository.commit({"web.yaml": service("shop", name, "shop/app:v1", containers={"secrets": secrets})})
    applied(longshore, place)
    definition = ecs.describe_task_definition(taskDefinition=describe(ecs, name)["taskDefinition"])["taskDefinition"]
    found = definition["containerDefinitions"][0]["secrets"]
    assert sorted(found, key=lambda one: one["name"]) == sorted(secrets, key=lambda one: one["name"])
    calls = [json.loads(line) for line in world.record.read_text(encoding="utf-8").splitlines()]
    assert not [call for call in calls if call["operation"] in ("GetSecretValue", "BatchGetSecretValue")]
    assert not [call for call in calls if (call["request"] or {}).get("WithDecryption")]


def test_a_broken_file_stops_only_itself(longshore, ecs, repository, place, name):
    good = service("shop", name, "shop/app:v1")
    broken = service("shop", f"{name}-broken", "shop/app:v1").replace("desiredCount", "desiredCounts")
    repository.commit({"good.yaml": good, "broken.yaml": broken})
    planned = longshore.plan(*place)
    assert planned.code == 1
    (invalid,) = planned.report["invalid"]
    assert "broken.yaml" in str(invalid)
    assert "desiredCounts" in str(invalid)
    assert planned.operations(name) == ["RegisterTaskDefinition", "CreateService"]
    assert longshore.apply(*place).returncode == 1
    assert statuses(ecs, name) == ["SUCCESSFUL"]
    offline = longshore.run("validate", *place)
    assert offline.returncode == 1
    assert "broken.yaml" in offline.stdout + offline.stderr


def test_what_somebody_else_made_is_left_alone(longshore, ecs, repository, place, name):
    create(ecs, name)
    stable(ecs, name)
    before = describe(ecs, name)["taskDefinition"]
    repository.commit({"web.yaml": service("shop", name, "shop/app:v2")})
    planned = longshore.plan(*place)
    assert (planned.code, planned.operations(name)) == (0, [])
    assert planned.holds(name)
    assert longshore.apply(*place, timeout="5s").returncode == 1
    assert describe(ecs, name)["taskDefinition"] == before
    assert len(deployments(ecs, name)) == 1
