"""What a Git source may not do to what runs: rewritten history, versions that go back, signatures that are missing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from processes import until
from repository import Repository, controller, owner, service
from rollouts import deployments, describe
from servers import Key, Sshd


@pytest.fixture
def repository(tmp_path) -> Repository:
    return Repository(tmp_path / "fleet")


@pytest.fixture
def configured(tmp_path, repository, name):
    """Writes this test's Controller: what it trusts is what a test varies."""

    def write(url: str | None = None, **git: object) -> Path:
        config = tmp_path / "controller.yaml"
        source = {"url": url or repository.url, "interval": "1s", **git}
        config.write_text(controller(owner(name), {"git": source}, prune=True), encoding="utf-8")
        return config

    return write


def test_a_force_push_changes_nothing_until_a_person_confirms(longshore, ecs, repository, configured, name):
    leaving = f"{name}-leaving"
    repository.commit({"readme": "first"})
    good = repository.commit({f"{one}.yaml": service("shop", one, "shop/app:v1") for one in (name, leaving)})
    with longshore.running(configured()) as running:
        until("the first rollouts", lambda: all(running.is_synced(one, good) for one in (name, leaving)))
        repository.git("reset", "--quiet", "--hard", "HEAD~1")
        forced = repository.commit({f"{name}.yaml": service("shop", name, "shop/app:v2")})
        # A look between the two may tell of what HEAD was reset to first.
        until("the error", lambda: forced in running.source().get("error", ""))
        assert "was rewritten" in running.source()["error"]
        time.sleep(2)
        assert running.source()["revision"] == good
        events = running.get("/api/v1/events")["items"]
        assert [event for event in events if event["reason"] == "SourceUnreadable"]

    def unchanged() -> bool:
        active = [describe(ecs, one)["status"] for one in (name, leaving)] == ["ACTIVE"] * 2
        return active and [len(deployments(ecs, one)) for one in (name, leaving)] == [1, 1]

    assert unchanged()
    # A restart is no confirmation.
    refused = longshore.run("plan", "--config", configured())
    assert refused.returncode == 1
    assert "was rewritten" in refused.stdout + refused.stderr
    assert unchanged()
    with longshore.running(configured(history={"confirmed": forced})) as running:
        until("the second rollout", lambda: running.is_synced(name, forced))
        until("the deletion", lambda: describe(ecs, leaving)["status"] != "ACTIVE")
    assert len(deployments(ecs, name)) == 2


def test_signed_tags_are_released_over_ssh_and_others_are_not(longshore, ecs, repository, configured, tmp_path, name):
    sshd = Sshd(tmp_path / "sshd")
    ada, mallory = (Key.generate(tmp_path / who) for who in ("ada", "mallory"))
    allowed = tmp_path / "allowed"
    allowed.write_text(f"ada@example.com {ada.public}\n", encoding="ascii")
    config = configured(
        sshd.url(repository.folder),
        ref={"semver": ">=1.0"},
        ssh={"keyFile": str(sshd.user.file), "knownHostsFile": str(sshd.known_hosts("known", sshd.host))},
        verify={"mode": "tag", "allowedSignersFile": str(allowed)},
    )

    def release(tag: str, image: str, key: Key) -> str:
        commit = repository.commit({"web.yaml": service("shop", name, image)})
        repository.git("-c", "gpg.format=ssh", "-c", f"user.signingkey={key.file}", "tag", "-s", tag, "-m", tag)
        return commit

    with sshd.serving(), longshore.running(config) as running:
        first = release("v1.0.0", "shop/app:v1", ada)
        until("the first rollout", lambda: running.is_synced(name, first))
        repository.commit({"web.yaml": service("shop", name, "shop/app:v3")})
        release("v1.1.0", "shop/app:v2", mallory)
        until("the error", lambda: "cannot trust tag v1.1.0" in running.source().get("error", ""))
        assert running.source()["revision"] == first
        assert len(deployments(ecs, name)) == 1
        third = release("v1.2.0", "shop/app:v3", ada)
        until("the second rollout", lambda: running.is_synced(name, third))
        repository.git("tag", "-d", "v1.2.0")
        repository.git("tag", "-d", "v1.1.0")
        until("the refusal", lambda: "the newest tag went back" in running.source().get("error", ""))
        assert running.source()["revision"] == third
        assert len(deployments(ecs, name)) == 2
