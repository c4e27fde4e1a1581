"""What all conformance tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import processes
from processes import Endpoint

# Tests that run side by side (pytest -n) have a sandbox and recordings of their own in each process.
RECORDINGS = processes.ROOT / "target" / "conformance" / os.environ.get("PYTEST_XDIST_WORKER", "")


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Where recordings are kept for contract.py."""
    RECORDINGS.mkdir(parents=True, exist_ok=True)
    return RECORDINGS


@pytest.fixture(scope="session")
def sandbox(recordings: Path) -> Iterator[Endpoint]:
    """One sandbox for all tests of clients; each test has its own services in it."""
    with processes.sandbox(processes.HERE / "sandbox.yaml", recordings / "clients.jsonl") as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def ecs(sandbox: Endpoint) -> object:
    """boto3's client of the sandbox's ECS."""
    return sandbox.client("ecs")


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name of this test's own, fit for services and families."""
    return request.node.name.removeprefix("test_").replace("[", "-").replace("]", "").replace("_", "-")[:80]
