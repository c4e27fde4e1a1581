"""Programs that people and pipelines run: the AWS CLI, and fabfuel's `ecs deploy`."""

from __future__ import annotations

import json

from processes import TOOLS, Endpoint
from rollouts import create, describe, ended, primary, stable


def aws(sandbox: Endpoint, *words: str) -> object:
    """Runs `aws ecs …` and reads what it prints."""
    done = sandbox.run(TOOLS / "aws", "ecs", *words, "--output", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def deploy(sandbox: Endpoint, name: str, image: str, *words: str):
    """Runs `ecs deploy`, as a pipeline does to change an image."""
    return sandbox.run(TOOLS / "ecs", "deploy", "shop", name, "--image", "app", image, "--timeout", "60", *words)


def test_the_aws_cli_asks_and_waits(sandbox, ecs, name):
    create(ecs, name)
    stable(ecs, name)
    query = "services[0].[serviceName,runningCount,deployments[0].rolloutState]"
    shown = aws(sandbox, "describe-services", "--cluster", "shop", "--services", name, "--query", query)
    assert shown[:2] == [name, 2]
    aws(sandbox, "wait", "services-stable", "--cluster", "shop", "--services", name)
    listed = aws(sandbox, "list-services", "--cluster", "shop", "--page-size", "2", "--query", "serviceArns")
    assert any(arn.endswith(f"/{name}") for arn in listed)


def test_the_aws_cli_registers_and_updates(sandbox, ecs, name, tmp_path):
    create(ecs, name)
    ended(ecs, name, 1)
    current = aws(sandbox, "describe-task-definition", "--task-definition", name, "--query", "taskDefinition")
    kept = (
        "family",
        "cpu",
        "memory",
        "networkMode",
        "requiresCompatibilities",
        "executionRoleArn",
        "containerDefinitions",
    )
    copy = {member: current[member] for member in kept}
    copy["containerDefinitions"][0]["image"] = "shop/app:v2"
    (tmp_path / "definition.json").write_text(json.dumps(copy), encoding="utf-8")
    query = "taskDefinition.taskDefinitionArn"
    source = f"file://{tmp_path}/definition.json"
    arn = aws(sandbox, "register-task-definition", "--cli-input-json", source, "--query", query)
    aws(sandbox, "update-service", "--cluster", "shop", "--service", name, "--task-definition", arn)
    assert ended(ecs, name, 2)[1]["status"] == "SUCCESSFUL"
    aws(sandbox, "wait", "services-stable", "--cluster", "shop", "--services", name)
    assert stable(ecs, name)["taskDefinition"] == arn


def test_the_aws_cli_prints_refusals(sandbox):
    done = sandbox.run(TOOLS / "aws", "ecs", "list-services", "--cluster", "nowhere")
    assert done.returncode != 0
    assert "ClusterNotFoundException" in done.stderr


def test_ecs_deploy_rolls_a_new_image(sandbox, ecs, name):
    create(ecs, name)
    ended(ecs, name, 1)
    before = primary(stable(ecs, name))["id"]
    done = deploy(sandbox, name, "shop/app:v2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Deployment successful" in done.stdout
    service = stable(ecs, name)
    assert primary(service)["id"] != before
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    assert definition["containerDefinitions"][0]["image"] == "shop/app:v2"


def test_ecs_deploy_fails_with_an_image_that_does_not_exist(sandbox, ecs, name):
    # With a rollback the service is stable again soon, which `ecs deploy` takes for success.
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    create(ecs, name, deploymentConfiguration=breaker)
    ended(ecs, name, 1)
    stable(ecs, name)
    done = deploy(sandbox, name, "shop/app:missing")
    assert done.returncode != 0, done.stdout
    assert "tasks failed to start" in done.stdout + done.stderr
    failed = primary(describe(ecs, name))
    assert failed["rolloutState"] == "FAILED"
