"""Taking over a cluster that people filled over years: nothing but tags changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import people
import processes
import scalings
from processes import Endpoint, until
from program import Longshore

CLUSTER = "shop"
OURS = "longshore.dev/"


@pytest.fixture(scope="module")
def filled(recordings: Path) -> Iterator[Endpoint]:
    """A cluster with every service of `people`, all of them settled."""
    with processes.sandbox(processes.HERE / "imported.yaml", recordings / "import.jsonl") as endpoint:
        ecs, balancers = endpoint.client("ecs"), endpoint.client("elbv2")
        groups = {one["TargetGroupName"]: one["TargetGroupArn"] for one in pages(balancers, "describe_target_groups")}
        made = people.services(groups.__getitem__, rule(balancers))
        assert len(made) >= 60
        for name, (definition, service) in made.items():
            family = f"shop-{name}" if len(name) % 2 else f"{name}-task"
            registered = ecs.register_task_definition(family=family, **definition)["taskDefinition"]
            arn = registered["taskDefinitionArn"]
            ecs.create_service(cluster=CLUSTER, serviceName=name, taskDefinition=arn, **service)
        until("the services to settle", lambda: is_settled(ecs, list(made)), seconds=120)
        scalings.make(endpoint)
        until("the scaled ones to settle", lambda: is_settled(ecs, list(made)), seconds=60)
        yield endpoint


def rule(balancers: Any) -> str:
    """The rule that forwards to both groups of the blue/green services."""
    (balancer,) = balancers.describe_load_balancers()["LoadBalancers"]
    for listener in balancers.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
        for found in balancers.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
            if found["Priority"] == "1":
                return found["RuleArn"]
    raise AssertionError("no rule has priority 1")


def pages(client: Any, operation: str) -> list[dict]:
    return [one for page in client.get_paginator(operation).paginate() for one in page["TargetGroups"]]


def described(ecs: Any, names: list[str]) -> dict[str, dict]:
    found = {}
    for start in range(0, len(names), 10):
        some = names[start : start + 10]
        answer = ecs.describe_services(cluster=CLUSTER, services=some, include=["TAGS"])
        found |= {one["serviceName"]: one for one in answer["services"]}
    return found


def is_settled(ecs: Any, names: list[str]) -> bool:
    return all(has_ended_well(ecs, service) for service in described(ecs, names).values())


def has_ended_well(ecs: Any, service: dict) -> bool:
    """A rolling deployment says so itself; with stages, or behind a Classic Load Balancer, only its record does."""
    states = [one.get("rolloutState") for one in service["deployments"]]
    if states == [None]:
        records = ecs.list_service_deployments(cluster=CLUSTER, service=service["serviceName"])["serviceDeployments"]
        return [one["status"] for one in records] == ["SUCCESSFUL"]
    return states == ["COMPLETED"]


def world(ecs: Any, names: list[str]) -> dict[str, dict]:
    """Everything that an adoption must leave alone."""
    left_out = {"events", "tags", "runningCount", "pendingCount"}
    services = described(ecs, names)
    for service in services.values():
        for name in left_out:
            service.pop(name, None)
        service["deployments"] = [
            {"id": one["id"], "taskDefinition": one["taskDefinition"]} for one in service["deployments"]
        ]
        service.pop("currentServiceRevisions", None)
    return services


def revisions(ecs: Any) -> set[str]:
    pages = ecs.get_paginator("list_task_definitions").paginate()
    return {arn for page in pages for arn in page["taskDefinitionArns"]}


def rollouts(ecs: Any, names: list[str]) -> dict[str, list[str]]:
    found = {}
    for name in names:
        briefs = ecs.list_service_deployments(cluster=CLUSTER, service=name)["serviceDeployments"]
        found[name] = sorted(one["serviceDeploymentArn"] for one in briefs)
    return found


def test_a_cluster_is_taken_over_by_tags_alone(filled: Endpoint, tmp_path: Path):
    ecs = filled.client("ecs")
    longshore = Longshore(filled, tmp_path)
    names = sorted(people.services(str, "rule"))
    before = (world(ecs, names), revisions(ecs), rollouts(ecs, names))
    scaled = scalings.seen(filled)
    assert len(scaled["ScalableTargets"]) == len(scalings.SCALED)
    out = tmp_path / "fleet"

    done = longshore.run("import", "--cluster", CLUSTER, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    count = len(names)
    assert last == f"{count} imported, {count} with a plan that changes tags only, 0 not imported", done.stdout
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.yaml"))
    assert files == sorted(["controller.yaml", *(f"services/shop/{name}.yaml" for name in names)])
    assert "hunter2" not in done.stdout + done.stderr

    config = out / "controller.yaml"
    planned = longshore.plan("--config", config)
    assert planned.code == 2, planned.stderr
    assert planned.report["invalid"] == []
    for service in planned.report["services"]:
        assert [action["action"] for action in service["actions"]] == ["TagResource"], service
        assert service["holds"] == [], service
        paths = {change["path"] for change in service["actions"][0]["changes"]}
        assert all(path.startswith(f"service.tags[{OURS}") for path in paths), service

    applied = longshore.apply("--config", config)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert (world(ecs, names), revisions(ecs), rollouts(ecs, names)) == before
    assert scalings.seen(filled) == scaled
    for name, service in described(ecs, names).items():
        tags = {tag["key"]: tag["value"] for tag in service["tags"]}
        assert tags["longshore.dev/owner"] == "longshore", name
        assert ("longshore.dev/scaling" in tags) == (name in scalings.SCALED), name
    again = longshore.plan("--config", config)
    assert again.code == 0, again.report

    # What was taken over is imported as it was: only that it is managed is new.
    second = longshore.run("import", "--cluster", CLUSTER, "--service", "bare", "--out", tmp_path / "second")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "is managed by the operator `longshore` already" in second.stderr


def test_files_say_what_people_would_write(filled: Endpoint, tmp_path: Path):
    longshore = Longshore(filled, tmp_path)
    done = longshore.run("import", "--cluster", CLUSTER, "--out", tmp_path / "fleet", "--owner", "other")
    assert done.returncode == 0, done.stdout + done.stderr
    folder = tmp_path / "fleet" / "services" / "shop"

    def read(name: str) -> tuple[str, dict]:
        # PyYAML reads YAML 1.1: what it takes for text is text for everybody.
        text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
        return text, yaml.safe_load(text)["spec"]

    _, bare = read("bare")
    assert bare["service"] == {
        "launchType": "FARGATE",
        "desiredCount": 1,
        "networkConfiguration": people.network(),
    }
    _, environment = read("environment")
    values = {
        one["name"]: one["value"] for one in environment["taskDefinition"]["containerDefinitions"][0]["environment"]
    }
    given = people.services(str, "")["environment"][0]["containerDefinitions"][0]["environment"]
    assert values == {one["name"]: one["value"].replace("${", "$${") for one in given}
    text, _ = read("script")
    assert "- |\n" in text
    assert "exec ./server" in text
    text, _ = read("plaintext")
    assert "# `DB_PASSWORD` looks like a secret in plain text" in text
    text, _ = read("digest")
    assert "# is pinned by digest" in text
    _, daemon = read("daemon")
    assert daemon["service"] == {"schedulingStrategy": "DAEMON", "launchType": "EC2"}
    _, tagged = read("tagged")
    tags = {one["key"]: one["value"] for one in tagged["service"]["tags"]}
    assert tags == {"team": "shop", "012": "yes", "empty": ""}

    _, careful = read("careful")
    assert "desiredCount" not in careful["service"]
    assert careful["scaling"] == {
        "minCapacity": 2,
        "maxCapacity": 8,
        "targetTracking": [
            {
                "name": "cpu",
                "predefinedMetric": "ECSServiceAverageCPUUtilization",
                "targetValue": 60,
                "scaleOutCooldown": 30,
            }
        ],
        "scheduled": [
            {"name": "sale", "schedule": "cron(0 6 24 11 ? 2099)", "timezone": "Europe/Berlin", "minCapacity": 4}
        ],
        "suspended": {"dynamicScalingIn": True},
    }
    text, provider = read(scalings.STEPPED)
    assert provider["sync"] == {"ignore": ["/scaling/step/out"]}
    assert provider["scaling"] == {"minCapacity": 1, "maxCapacity": 4}
    assert "# the alarm of the step policy `out` is not Longshore's" in text

    # Nobody's work is overwritten.
    (folder / "bare.yaml").write_text("mine", encoding="utf-8")
    refused = longshore.run("import", "--cluster", CLUSTER, "--out", tmp_path / "fleet", "--owner", "other")
    assert refused.returncode == 1
    assert "bare.yaml: it is there and differs" in refused.stderr
    assert (folder / "bare.yaml").read_text(encoding="utf-8") == "mine"


def test_a_task_definition_is_deployed_beside_the_running_service(filled: Endpoint, tmp_path: Path):
    ecs = filled.client("ecs")
    longshore = Longshore(filled, tmp_path)
    running = described(ecs, ["balanced"])["balanced"]["taskDefinition"]
    definition = ecs.describe_task_definition(taskDefinition=running)["taskDefinition"]
    definition["containerDefinitions"][0]["image"] = people.IMAGE.replace(":v1", ":v2")
    file = tmp_path / "task-definition.json"
    file.write_text(json.dumps(definition, default=str), encoding="utf-8")
    out = tmp_path / "fleet"
    done = longshore.run("import", "--from", file, "--cluster", CLUSTER, "--service", "balanced", "--out", out)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "THE FIRST PLAN CHANGES MORE THAN TAGS" in done.stdout, done.stdout + done.stderr
    spec = yaml.safe_load((out / "services/shop/balanced.yaml").read_text(encoding="utf-8"))["spec"]
    assert spec["service"]["healthCheckGracePeriodSeconds"] == 90
    assert "taskDefinition.containerDefinitions[app].image" in done.stdout
