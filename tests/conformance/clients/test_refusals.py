"""Each refusal of ECS with the code, status and text that clients match on (aws.md §2.11)."""

from __future__ import annotations

from pathlib import Path

import pytest

import processes
from refusals import refused
from rollouts import create, deployments, ended, register
from specs import fargate_service

SERVICE_CALLS = {
    "describe_services": {"services": ["web"]},
    "list_services": {},
    "list_tasks": {},
    "update_service": {"service": "web", "desiredCount": 1},
    "delete_service": {"service": "web"},
    "list_service_deployments": {"service": "web"},
    "describe_tasks": {"tasks": ["0" * 32]},
}


@pytest.mark.parametrize("operation", SERVICE_CALLS)
def test_an_unknown_cluster(ecs, operation):
    with refused("ClusterNotFoundException", "Cluster not found."):
        getattr(ecs, operation)(cluster="nowhere", **SERVICE_CALLS[operation])


@pytest.mark.parametrize("operation", ["update_service", "delete_service", "list_service_deployments"])
def test_an_unknown_service(ecs, operation):
    with refused("ServiceNotFoundException", "Service not found."):
        getattr(ecs, operation)(cluster="shop", **(SERVICE_CALLS[operation] | {"service": "nobody"}))


def test_an_unknown_service_is_a_failure_where_many_are_asked_for(ecs, name):
    create(ecs, name)
    answer = ecs.describe_services(cluster="shop", services=[name, "nobody"])
    assert [service["serviceName"] for service in answer["services"]] == [name]
    (failure,) = answer["failures"]
    assert (failure["arn"].rsplit("/", 1)[-1], failure["reason"]) == ("nobody", "MISSING")


def test_eleven_services_are_too_many(ecs):
    with refused("InvalidParameterException"):
        ecs.describe_services(cluster="shop", services=[f"web-{number}" for number in range(11)])


def test_names_are_taken_once(ecs, name):
    create(ecs, name)
    with refused("InvalidParameterException", "Creation of service was not idempotent."):
        ecs.create_service(**fargate_service("shop", name, f"{name}:1", desiredCount=5))


def test_a_name_that_drains_cannot_be_taken(recordings: Path, name: str):
    # Draining takes a second or two of the world's time: where that is slow, it is minutes.
    with processes.sandbox(processes.HERE / "sandbox.yaml", recordings / "slow.jsonl", 0.01) as slow:
        ecs = slow.client("ecs")
        create(ecs, name)
        ecs.delete_service(cluster="shop", service=name, force=True)
        with refused("InvalidParameterException", "Unable to Start a service that is still Draining."):
            ecs.create_service(**fargate_service("shop", name, f"{name}:1"))


def test_a_service_with_tasks_is_not_deleted_without_force(ecs, name):
    create(ecs, name)
    with refused("InvalidParameterException", "The service cannot be stopped while"):
        ecs.delete_service(cluster="shop", service=name)


def test_a_deleted_service_is_not_updated(ecs, name):
    create(ecs, name)
    ecs.delete_service(cluster="shop", service=name, force=True)
    waiter = ecs.get_waiter("services_inactive")
    waiter.wait(cluster="shop", services=[name], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    with refused("ServiceNotActiveException", "Service was not ACTIVE."):
        ecs.update_service(cluster="shop", service=name, desiredCount=1)


def test_definitions_must_exist_and_be_active(ecs, name):
    with refused("ClientException", "TaskDefinition not found."):
        ecs.create_service(**fargate_service("shop", name, f"{name}:9"))
    create(ecs, name)
    with refused("ClientException", "TaskDefinition not found."):
        ecs.update_service(cluster="shop", service=name, taskDefinition=f"{name}:9")
    second = register(ecs, name, "shop/app:v2")
    ecs.deregister_task_definition(taskDefinition=second)
    with refused("ClientException", "TaskDefinition is inactive"):
        ecs.update_service(cluster="shop", service=name, taskDefinition=second)


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"networkConfiguration": None}, id="no network for awsvpc"),
        pytest.param({"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}, id="both kinds of capacity"),
        pytest.param({"desiredCount": None}, id="no count"),
        pytest.param(
            {"loadBalancers": [{"targetGroupArn": "a", "containerName": "app", "containerPort": 1}]}, id="no port"
        ),
        pytest.param({"deploymentConfiguration": {"maximumPercent": 50, "minimumHealthyPercent": 100}}, id="percents"),
    ],
)
def test_services_that_cannot_be(ecs, members, name):
    register(ecs, "impossible", "shop/app:v1")
    request = fargate_service("shop", "impossible", "impossible") | members
    with refused("InvalidParameterException"):
        ecs.create_service(**{member: value for member, value in request.items() if value is not None})
    assert ecs.describe_services(cluster="shop", services=["impossible"])["services"] == []


def test_a_deployment_that_has_ended_is_not_stopped(ecs, name):
    create(ecs, name)
    ended(ecs, name, 1)
    (deployment,) = deployments(ecs, name)
    with pytest.raises((ecs.exceptions.ConflictException, ecs.exceptions.InvalidParameterException)):
        ecs.stop_service_deployment(serviceDeploymentArn=deployment["serviceDeploymentArn"])


def test_unknown_deployments_and_revisions(ecs):
    deployment = f"arn:aws:ecs:eu-west-1:111122223333:service-deployment/shop/web/{'a' * 21}"
    revision = "arn:aws:ecs:eu-west-1:111122223333:service-revision/shop/web/1"
    for answer, arn in (
        (ecs.describe_service_deployments(serviceDeploymentArns=[deployment]), deployment),
        (ecs.describe_service_revisions(serviceRevisionArns=[revision]), revision),
    ):
        assert [(one["arn"], one["reason"]) for one in answer["failures"]] == [(arn, "MISSING")]
    with refused("ServiceDeploymentNotFoundException"):
        ecs.stop_service_deployment(serviceDeploymentArn=deployment)
