"""The stories of examples/, played to their end by their own scripts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import processes
from processes import environment, free_port, longshore_binary

EXAMPLES = processes.ROOT / "examples"


@pytest.mark.parametrize("example", sorted(script.parent.name for script in EXAMPLES.glob("*/play.sh")))
def test_a_story_plays_to_its_end_and_leaves_nothing_behind(example: str, tmp_path: Path) -> None:
    ports = {"PORT": str(free_port()), "AWS_PORT": str(free_port())}
    places = {"LONGSHORE": str(longshore_binary()), "TMPDIR": str(tmp_path)}
    played = subprocess.run(
        ["sh", str(EXAMPLES / example / "play.sh"), "--once"],
        env=environment() | ports | places,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    assert list(tmp_path.iterdir()) == []
