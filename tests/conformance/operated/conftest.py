"""The operator's worlds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import processes
from processes import Endpoint
from program import Longshore


@pytest.fixture(scope="session")
def world(recordings: Path) -> Iterator[Endpoint]:
    """A sandbox in which the operator acts; every call is judged strictly afterwards."""
    with processes.sandbox(processes.HERE / "sandbox.yaml", recordings / "operator.jsonl") as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def moto(recordings: Path) -> Iterator[Endpoint]:
    """moto, an AWS that somebody else wrote; nothing rolls in it."""
    with processes.moto(recordings / "moto.log") as endpoint:
        yield endpoint


@pytest.fixture
def ecs(world: Endpoint) -> object:
    """boto3's client of the operator's world."""
    return world.client("ecs")


@pytest.fixture
def longshore(world: Endpoint, tmp_path: Path) -> Longshore:
    """The binary in the sandbox's world."""
    return Longshore(world, tmp_path)
