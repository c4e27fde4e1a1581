"""`longshore run`: commits are rolled out while it watches, and its status says so."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request

import processes
from processes import free_port, until
from repository import Repository, controller, owner, service
from rollouts import deployments, describe


def test_commits_are_rolled_out_while_it_runs(longshore, ecs, tmp_path, name):
    repository = Repository(tmp_path / "fleet")
    repository.commit({"web.yaml": service("shop", name, "shop/app:v1")})
    config = tmp_path / "controller.yaml"
    config.write_text(controller(owner(name), {"git": {"url": repository.url, "interval": "1s"}}), encoding="utf-8")
    port = free_port()
    status = f"http://127.0.0.1:{port}"
    words = [str(processes.longshore_binary()), "run", "--config", str(config), "--listen", f"127.0.0.1:{port}"]

    def told() -> dict:
        with urllib.request.urlopen(f"{status}/api/v1/services/shop/{name}", timeout=30) as answer:
            return json.load(answer)["status"]

    def synced() -> bool:
        known = ready(status) and told()
        if not known or (known["sync"], known["health"]) != ("Synced", "Healthy"):
            return False
        return describe(ecs, name)["taskDefinition"].endswith(f"/{known['taskDefinition']}")

    with processes.started(words, f"{status}/healthz", tmp_path / "run.log", longshore.environment()) as process:
        until("the first rollout", lambda: [one["status"] for one in deployments_of(ecs, name)] == ["SUCCESSFUL"])
        until("the status", synced)
        repository.commit({"web.yaml": service("shop", name, "shop/app:v2")})
        until("the second rollout", lambda: [one["status"] for one in deployments_of(ecs, name)] == ["SUCCESSFUL"] * 2)
        until("the status", synced)
        ecs.update_service(cluster="shop", service=name, desiredCount=5)
        until("the edit to be healed", lambda: describe(ecs, name)["desiredCount"] == 2)
        with urllib.request.urlopen(f"{status}/metrics", timeout=30) as answer:
            assert f'service="{name}"' in answer.read().decode()
        began = time.monotonic()
        assert processes.stop(process, seconds=20) == 0
        assert time.monotonic() - began < 15


def ready(status: str) -> bool:
    """Whether the operator says that it has looked at everything."""
    try:
        with urllib.request.urlopen(f"{status}/readyz", timeout=30) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return False


def deployments_of(ecs, name: str) -> list[dict]:
    """Its service deployments; none while there is no service."""
    if not ecs.describe_services(cluster="shop", services=[name])["services"]:
        return []
    return deployments(ecs, name)
