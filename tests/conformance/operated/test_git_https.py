"""Git over https, against git's own http-backend behind TLS and a token, and through a proxy."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import servers
from processes import until
from program import Longshore
from repository import Repository, controller, owner, service
from rollouts import deployments
from servers import Backend, Certificate

RIGHT = "r1ght-t0ken-of-this-test"
WRONG = "wr0ng-t0ken-of-this-test"


@pytest.fixture
def repository(tmp_path) -> Repository:
    return Repository(tmp_path / "srv" / "fleet")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Certificate:
    return Certificate.generate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(repository, certificate) -> Iterator[Backend]:
    with servers.backend(repository.folder.parent, RIGHT, certificate) as server:
        yield server


@pytest.fixture
def trusting(longshore, certificate) -> Longshore:
    """The binary, which trusts the server's certificate."""
    return replace(longshore, variables={"GIT_SSL_CAINFO": str(certificate.file)})


def write(folder: Path, name: str, url: str, **token: str) -> Path:
    """This test's Controller."""
    config = folder / "controller.yaml"
    git = {"url": url, "interval": "1s"} | ({"token": token} if token else {})
    config.write_text(controller(owner(name), {"git": git}), encoding="utf-8")
    return config


def address(server: Backend) -> str:
    return f"https://127.0.0.1:{server.port}/fleet/.git"


def leaks(told: str, *tokens: str) -> list[str]:
    """The tokens that stand in a text, plain or as a header carries them."""
    encoded = [base64.b64encode(f"x-access-token:{token}".encode()).decode() for token in tokens]
    return [secret for secret in (*tokens, *encoded) if secret in told]


def test_a_token_of_the_environment_reads_and_rolls_out(trusting, ecs, repository, server, tmp_path, name):
    repository.commit({"web.yaml": service("shop", name, "shop/app:v1")})
    config = write(tmp_path, name, address(server), env="FLEET_TOKEN")
    done = replace(trusting, variables=trusting.variables | {"FLEET_TOKEN": RIGHT}).apply("--config", str(config))
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert leaks(told, RIGHT) == []
    assert [one["status"] for one in deployments(ecs, name)] == ["SUCCESSFUL"]
    missing = trusting.run("plan", "--config", config)
    assert missing.returncode == 1
    assert "FLEET_TOKEN" in missing.stdout + missing.stderr


def test_a_wrong_token_is_told_and_never_shown(trusting, ecs, repository, server, tmp_path, name):
    first = repository.commit({"web.yaml": service("shop", name, "shop/app:v1")})
    token = tmp_path / "token"
    token.write_text(f"{RIGHT}\n", encoding="ascii")
    config = write(tmp_path, name, address(server), file=str(token))
    with trusting.running(config) as running:
        until("the first rollout", lambda: running.is_synced(name, first))
        token.write_text(f"{WRONG}\n", encoding="ascii")
        # A look that began before may still have had the right one.
        until("the error", lambda: "does not accept the token" in running.source().get("error", ""))
        second = repository.commit({"web.yaml": service("shop", name, "shop/app:v2")})
        time.sleep(3)
        assert "does not accept the token" in running.source().get("error", "")
        assert running.source()["revision"] == first
        assert len(deployments(ecs, name)) == 1
        assert leaks(running.everything_told(), RIGHT, WRONG) == []
        token.write_text(f"{RIGHT}\n", encoding="ascii")
        until("the second rollout", lambda: running.is_synced(name, second))
        assert "error" not in running.source()
        assert leaks(running.everything_told(), RIGHT, WRONG) == []


def test_a_server_that_asks_for_a_token_says_so(trusting, repository, server, tmp_path, name):
    repository.commit({"web.yaml": service("shop", name, "shop/app:v1")})
    done = trusting.run("plan", "--config", write(tmp_path, name, address(server)))
    assert done.returncode == 1
    assert "asks for a token" in done.stdout + done.stderr


def test_a_certificate_that_nobody_vouches_for_is_refused(longshore, repository, server, tmp_path, name):
    repository.commit({"web.yaml": service("shop", name, "shop/app:v1")})
    config = write(tmp_path, name, address(server), env="FLEET_TOKEN")
    done = replace(longshore, variables={"FLEET_TOKEN": RIGHT}).run("plan", "--config", config)
    assert done.returncode == 1
    assert "certificate" in done.stdout + done.stderr
    assert server.asked == []


def test_a_proxy_is_used_where_the_environment_names_one(longshore, repository, tmp_path, name):
    repository.commit({"web.yaml": service("shop", name, "shop/app:v1")})
    with servers.backend(repository.folder.parent) as proxy:
        config = write(tmp_path, name, "http://git.invalid/fleet/.git")
        proxied = replace(
            longshore, variables={"http_proxy": f"http://127.0.0.1:{proxy.port}", "no_proxy": "127.0.0.1"}
        )
        planned = proxied.plan("--config", str(config))
        assert planned.operations(name) == ["RegisterTaskDefinition", "CreateService"]
        assert all(url.startswith("http://git.invalid/fleet/.git/") for url in proxy.asked)
