"""Roll-outs as boto3 sees them, with its own waiters."""

from __future__ import annotations

import pytest

from processes import until
from rollouts import create, deployments, describe, ended, primary, register, stable
from specs import container, fargate_service


def test_a_new_service_starts_empty_and_becomes_stable(ecs, name):
    answer = create(ecs, name)
    at_once = primary(answer)
    assert (at_once["desiredCount"], at_once["runningCount"], at_once["rolloutState"]) == (0, 0, "IN_PROGRESS")
    assert answer["events"] == []
    assert "currentServiceDeployment" not in answer
    service = stable(ecs, name)
    assert (service["runningCount"], service["pendingCount"], service["status"]) == (2, 0, "ACTIVE")
    (deployment,) = ended(ecs, name, 1)
    assert deployment["status"] == "SUCCESSFUL"
    done = primary(describe(ecs, name))
    assert done["id"] == at_once["id"]
    assert done["rolloutState"] == "COMPLETED"
    messages = [event["message"] for event in describe(ecs, name)["events"]]
    assert any("has reached a steady state." in message for message in messages), messages


def test_the_number_of_a_deployment_is_that_of_its_revision(ecs, name):
    create(ecs, name)
    (deployment,) = ended(ecs, name, 1)
    target = deployment["targetServiceRevision"]["arn"]
    assert target.rsplit("/", 1)[1] == primary(describe(ecs, name))["id"].removeprefix("ecs-svc/")
    (revision,) = ecs.describe_service_revisions(serviceRevisionArns=[target])["serviceRevisions"]
    assert revision["taskDefinition"] == describe(ecs, name)["taskDefinition"]
    (image,) = revision["containerImages"]
    assert image["image"] == "shop/app:v1"
    assert image["imageDigest"].startswith("sha256:")


def test_a_new_image_rolls_and_the_old_tasks_go(ecs, name):
    create(ecs, name)
    stable(ecs, name)
    ended(ecs, name, 1)
    old = primary(describe(ecs, name))["id"]
    definition = register(ecs, name, "shop/app:v2")
    answer = ecs.update_service(cluster="shop", service=name, taskDefinition=definition)["service"]
    assert primary(answer)["id"] != old
    assert [one["status"] for one in answer["deployments"] if one["id"] == old] == ["ACTIVE"]
    first, second = ended(ecs, name, 2)
    assert (first["status"], second["status"]) == ("SUCCESSFUL", "SUCCESSFUL")
    assert [one["arn"] for one in second["sourceServiceRevisions"]] == [first["targetServiceRevision"]["arn"]]
    service = stable(ecs, name)
    assert service["taskDefinition"] == definition
    assert len(service["deployments"]) == 1
    arns = ecs.list_tasks(cluster="shop", serviceName=name)["taskArns"]
    tasks = ecs.describe_tasks(cluster="shop", tasks=arns)["tasks"]
    assert {task["taskDefinitionArn"] for task in tasks} == {definition}
    assert {task["startedBy"] for task in tasks} == {primary(service)["id"]}
    assert {task["group"] for task in tasks} == {f"service:{name}"}


@pytest.mark.parametrize("image", ["missing", "crashing"])
def test_the_breaker_rolls_a_bad_image_back(ecs, name, image):
    create(ecs, name)
    ended(ecs, name, 1)
    before = stable(ecs, name)
    bad = register(ecs, name, f"shop/app:{image}")
    ecs.update_service(cluster="shop", service=name, taskDefinition=bad)
    _, failed = ended(ecs, name, 2)
    assert failed["status"] == "ROLLBACK_SUCCESSFUL"
    breaker = failed["deploymentCircuitBreaker"]
    assert (breaker["status"], breaker["threshold"]) == ("TRIGGERED", 3)
    assert breaker["failureCount"] >= 3
    assert "circuit breaker" in failed["statusReason"]
    assert failed["rollback"]["serviceRevisionArn"].endswith(primary(before)["id"].removeprefix("ecs-svc/"))
    after = stable(ecs, name)
    assert after["taskDefinition"] == before["taskDefinition"] != bad
    assert primary(after)["id"] == primary(before)["id"]
    assert after["runningCount"] == 2
    stopped = ecs.list_tasks(cluster="shop", serviceName=name, desiredStatus="STOPPED")["taskArns"]
    tasks = ecs.describe_tasks(cluster="shop", tasks=stopped)["tasks"]
    failures = [task for task in tasks if task["taskDefinitionArn"] == bad]
    assert len(failures) >= 3
    if image == "missing":
        assert {task["stopCode"] for task in failures} == {"TaskFailedToStart"}
        assert all(task["stoppedReason"].startswith("CannotPullContainerError") for task in failures)
    else:
        assert {
            task["containers"][0]["exitCode"] for task in failures if task["stopCode"] == "EssentialContainerExited"
        } == {3}


def test_a_first_deployment_that_fails_has_nothing_to_roll_back_to(ecs, name):
    create(ecs, name, "shop/app:missing")
    (failed,) = ended(ecs, name, 1)
    assert failed["status"] == "ROLLBACK_FAILED"
    assert failed["statusReason"] == "No rollback candidate was found to run the rollback."


def test_a_secret_that_does_not_exist_stops_the_tasks(ecs, name):
    secret = {"name": "TOKEN", "valueFrom": f"/{name}/absent"}
    containers = [container("shop/app:v1", secrets=[secret])]
    arn = register(ecs, name, "shop/app:v1", containerDefinitions=containers)
    ecs.create_service(**fargate_service("shop", name, arn))
    ended(ecs, name, 1)
    stopped = ecs.list_tasks(cluster="shop", serviceName=name, desiredStatus="STOPPED")["taskArns"]
    reasons = {task["stoppedReason"] for task in ecs.describe_tasks(cluster="shop", tasks=stopped)["tasks"]}
    assert all(reason.startswith("ResourceInitializationError: unable to pull secrets") for reason in reasons), reasons


def test_stopping_a_deployment_rolls_it_back(ecs, name):
    create(ecs, name, desiredCount=4)
    ended(ecs, name, 1)
    before = stable(ecs, name)
    slow = {"maximumPercent": 125, "minimumHealthyPercent": 100}
    ecs.update_service(
        cluster="shop", service=name, taskDefinition=register(ecs, name, "shop/app:slow"), deploymentConfiguration=slow
    )
    running = until("the second deployment", lambda: deployments(ecs, name)[1:])[0]
    arn = running["serviceDeploymentArn"]
    assert ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")["serviceDeploymentArn"] == arn
    assert ended(ecs, name, 2)[1]["status"] == "ROLLBACK_SUCCESSFUL"
    assert stable(ecs, name)["taskDefinition"] == before["taskDefinition"]


def test_a_newer_update_supersedes_a_running_one(ecs, name):
    create(ecs, name)
    ended(ecs, name, 1)
    for count, image in ((2, "slow"), (3, "v3")):
        definition = register(ecs, name, f"shop/app:{image}")
        ecs.update_service(cluster="shop", service=name, taskDefinition=definition)
        until("the deployment", lambda count=count: len(deployments(ecs, name)) >= count)
    _, superseded, last = ended(ecs, name, 3)
    assert (superseded["status"], last["status"]) == ("STOPPED", "SUCCESSFUL")
    assert stable(ecs, name)["taskDefinition"] == definition


def test_only_members_that_trigger_start_a_deployment(ecs, name):
    create(ecs, name)
    ended(ecs, name, 1)
    before = primary(stable(ecs, name))["id"]
    for change in (
        {"taskDefinition": f"{name}:1"},
        {"desiredCount": 3},
        {"healthCheckGracePeriodSeconds": 5},
        {"enableExecuteCommand": True},
        {"propagateTags": "SERVICE"},
    ):
        answer = ecs.update_service(cluster="shop", service=name, **change)["service"]
        assert primary(answer)["id"] == before, change
    service = stable(ecs, name)
    assert (service["desiredCount"], service["runningCount"]) == (3, 3)
    ecs.update_service(cluster="shop", service=name, forceNewDeployment=True)
    assert [one["status"] for one in ended(ecs, name, 2)] == ["SUCCESSFUL", "SUCCESSFUL"]
    assert primary(describe(ecs, name))["id"] != before


def test_a_deleted_service_drains_and_frees_its_name(ecs, name):
    create(ecs, name)
    stable(ecs, name)
    ecs.delete_service(cluster="shop", service=name, force=True)
    assert describe(ecs, name)["status"] in ("DRAINING", "INACTIVE")
    ecs.get_waiter("services_inactive").wait(
        cluster="shop", services=[name], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    assert describe(ecs, name)["status"] == "INACTIVE"
    listed = ecs.get_paginator("list_services").paginate(cluster="shop").build_full_result()["serviceArns"]
    assert not [arn for arn in listed if arn.endswith(f"/{name}")]
    create(ecs, name)
    assert stable(ecs, name)["runningCount"] == 2
