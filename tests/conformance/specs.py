"""Inputs of ECS's operations that the tests vary."""

from __future__ import annotations

from typing import Any

EXECUTION_ROLE = "arn:aws:iam::111122223333:role/execution"
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"]}}


def container(image: str, **members: Any) -> dict:
    """One essential container."""
    return {"name": "app", "image": image, "essential": True, **members}


def fargate_definition(family: str, image: str, **members: Any) -> dict:
    """The input of RegisterTaskDefinition for a task of one container."""
    return {
        "family": family,
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": EXECUTION_ROLE,
        "containerDefinitions": [container(image)],
        **members,
    }


def fargate_service(cluster: str, name: str, definition: str, **members: Any) -> dict:
    """The input of CreateService for two tasks with a circuit breaker."""
    return {
        "cluster": cluster,
        "serviceName": name,
        "taskDefinition": definition,
        "desiredCount": 2,
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        **members,
    }
