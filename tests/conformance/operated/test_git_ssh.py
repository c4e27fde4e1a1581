"""Git over ssh, against OpenSSH's own server: who is trusted, and what is said when somebody is not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from processes import until
from program import Longshore
from repository import Repository, controller, owner, service
from rollouts import deployments, describe
from servers import Key, Sshd


@pytest.fixture
def repository(tmp_path) -> Repository:
    return Repository(tmp_path / "fleet")


@pytest.fixture
def sshd(tmp_path) -> Sshd:
    return Sshd(tmp_path / "sshd")


@pytest.fixture
def configured(tmp_path, repository, sshd, name):
    """Writes this test's Controller: the key and the known hosts are what a test varies."""

    def write(*, key: Path | None = None, known_hosts: Path | None = None, **sync: object) -> Path:
        ssh = {
            "keyFile": str(key or sshd.user.file),
            "knownHostsFile": str(known_hosts or sshd.known_hosts("known hosts", sshd.host)),
        }
        git = {"url": sshd.url(repository.folder), "interval": "1s", "ssh": ssh}
        config = tmp_path / "controller.yaml"
        config.write_text(controller(owner(name), {"git": git}, **sync), encoding="utf-8")
        return config

    return write


def refused(longshore: Longshore, config: Path) -> str:
    """Plans, which has to fail; returns what was printed."""
    done = longshore.run("plan", "--config", config)
    assert done.returncode == 1, done.stdout + done.stderr
    told = done.stdout + done.stderr
    assert "PRIVATE KEY" not in told
    return told


def test_specs_are_rolled_out_over_ssh_with_a_key_and_a_pinned_host(longshore, ecs, repository, sshd, configured, name):
    commit = repository.commit({"web.yaml": service("shop", name, "shop/app:v1")})
    with sshd.serving():
        done = longshore.apply("--config", configured())
        assert done.returncode == 0, done.stdout + done.stderr
        assert [one["status"] for one in deployments(ecs, name)] == ["SUCCESSFUL"]
        (found,) = ecs.describe_services(cluster="shop", services=[name], include=["TAGS"])["services"]
        tags = {tag["key"]: tag["value"] for tag in found["tags"]}
        assert commit.startswith(tags["longshore.dev/commit"])
    accepted = [line for line in sshd.log.read_text().splitlines() if line.startswith("Accepted publickey")]
    assert accepted
    assert all(sshd.user.fingerprint in line for line in accepted)


def test_a_host_that_is_not_known_is_refused_with_a_hint(longshore, repository, sshd, configured, name):
    repository.commit({"web.yaml": service("shop", name, "shop/app:v1")})
    with sshd.serving():
        unknown = refused(longshore, configured(known_hosts=sshd.known_hosts("empty")))
        assert "the known hosts file has no key of this host" in unknown
        assert "ssh-keyscan" in unknown
        absent = refused(longshore, configured(known_hosts=sshd.folder / "absent"))
        assert f"{sshd.folder / 'absent'}" in absent
        assert "ssh-keyscan" in absent
    assert "Accepted" not in sshd.log.read_text()


def test_a_key_that_is_not_welcome_or_not_there_is_told(longshore, repository, sshd, configured, name):
    repository.commit({"web.yaml": service("shop", name, "shop/app:v1")})
    stranger = Key.generate(sshd.folder / "stranger")
    with sshd.serving():
        wrong = refused(longshore, configured(key=stranger.file))
        assert "Permission denied (publickey)" in wrong
        assert "deploy key" in wrong
        absent = refused(longshore, configured(key=sshd.folder / "absent"))
        assert f"{sshd.folder / 'absent'}" in absent
        sshd.user.file.chmod(0o644)
        readable = refused(longshore, configured())
        assert "chmod 600" in readable
        body = stranger.file.read_text().splitlines()[1]
        assert not any(body in told for told in (wrong, absent, readable))
    assert "Accepted" not in sshd.log.read_text()


def test_a_changed_host_key_stops_the_source_and_nothing_else(longshore, ecs, repository, sshd, configured, name):
    leaving = f"{name}-leaving"
    specs = {f"{one}.yaml": service("shop", one, "shop/app:v1") for one in (name, leaving)}
    first = repository.commit(specs)
    config = configured(prune=True)
    impostor = Key.generate(sshd.folder / "impostor")
    with longshore.running(config) as running:
        with sshd.serving():
            until("the first rollouts", lambda: all(running.is_synced(one, first) for one in (name, leaving)))
        # Another key answers at the same address, and what it offers would change one service and delete the other.
        (repository.folder / f"{leaving}.yaml").unlink()
        second = repository.commit({f"{name}.yaml": service("shop", name, "shop/app:v2")})
        with sshd.serving(impostor):
            until("the error", lambda: "is not the one" in running.source().get("error", ""))
            assert impostor.fingerprint in running.source()["error"]
            time.sleep(3)
            assert running.source()["revision"] == first
            assert [describe(ecs, one)["status"] for one in (name, leaving)] == ["ACTIVE"] * 2
            assert [len(deployments(ecs, one)) for one in (name, leaving)] == [1, 1]
        with sshd.serving():
            until("the second rollout", lambda: running.is_synced(name, second))
            until("the deletion", lambda: describe(ecs, leaving)["status"] != "ACTIVE")
            assert "error" not in running.source()
    assert describe(ecs, name)["status"] == "ACTIVE"
