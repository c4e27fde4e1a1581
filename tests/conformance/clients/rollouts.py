"""What a person would look up about a roll-out, asked through boto3."""

from __future__ import annotations

from typing import Any

from processes import until
from specs import fargate_definition, fargate_service

TERMINAL = {"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}


def register(ecs: Any, family: str, image: str, **members: Any) -> str:
    """Registers a definition; returns its ARN."""
    answer = ecs.register_task_definition(**fargate_definition(family, image, **members))
    return answer["taskDefinition"]["taskDefinitionArn"]


def create(ecs: Any, name: str, image: str = "shop/app:v1", **members: Any) -> dict:
    """Creates a service of its own name and family; returns CreateService's answer."""
    return ecs.create_service(**fargate_service("shop", name, register(ecs, name, image), **members))["service"]


def describe(ecs: Any, name: str) -> dict:
    """The service as it is."""
    (service,) = ecs.describe_services(cluster="shop", services=[name])["services"]
    return service


def deployments(ecs: Any, name: str) -> list[dict]:
    """Its service deployments, described, oldest first."""
    briefs: list[dict] = []
    more: dict = {}
    while True:
        # botocore has no paginator for this one.
        page = ecs.list_service_deployments(cluster="shop", service=name, **more)
        briefs += page["serviceDeployments"]
        if "nextToken" not in page:
            break
        more = {"nextToken": page["nextToken"]}
    if not briefs:
        return []
    arns = [brief["serviceDeploymentArn"] for brief in briefs]
    found = ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
    return sorted(found, key=lambda deployment: deployment["createdAt"])


def ended(ecs: Any, name: str, count: int) -> list[dict]:
    """Waits until `count` service deployments exist and all have ended."""

    def all_ended() -> list[dict] | None:
        found = deployments(ecs, name)
        return found if len(found) == count and all(one["status"] in TERMINAL for one in found) else None

    return until(f"{count} ended deployments of {name}", all_ended)


def stable(ecs: Any, name: str) -> dict:
    """Waits as boto3 does, and returns the service."""
    ecs.get_waiter("services_stable").wait(
        cluster="shop", services=[name], WaiterConfig={"Delay": 1, "MaxAttempts": 90}
    )
    return describe(ecs, name)


def primary(service: dict) -> dict:
    """Its PRIMARY deployment."""
    (found,) = [one for one in service["deployments"] if one["status"] == "PRIMARY"]
    return found
