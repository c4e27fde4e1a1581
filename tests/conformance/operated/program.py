"""The binary `longshore`, run as people and pipelines run it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from processes import Endpoint, environment, longshore_binary


@dataclass(frozen=True)
class Planned:
    """What `plan --output json` said."""

    code: int
    report: dict
    stderr: str

    def operations(self, name: str) -> list[str]:
        """The operations planned for a service."""
        return [action["action"] for action in self._service(name)["actions"]]

    def paths(self, name: str) -> set[str]:
        """The fields that differ."""
        return {change["path"] for action in self._service(name)["actions"] for change in action["changes"]}

    def holds(self, name: str) -> list[str]:
        """Why something is not done."""
        return [hold["reason"] for hold in self._service(name)["holds"]]

    def _service(self, name: str) -> dict:
        (found,) = [one for one in self.report["services"] if one["name"] == name]
        return found


@dataclass(frozen=True)
class Longshore:
    """The binary with an AWS of its own and a home that no other run shares."""

    aws: Endpoint
    home: Path

    def environment(self) -> dict[str, str]:
        """The environment that every run gets."""
        return environment(self.aws.url) | {"HOME": str(self.home), "XDG_CACHE_HOME": str(self.home / "cache")}

    def run(self, *words: str | Path, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Runs a verb to its end."""
        return subprocess.run(
            [str(word) for word in (longshore_binary(), *words)],
            env=self.environment(),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def plan(self, *place: str | Path) -> Planned:
        """What would be done."""
        done = self.run("plan", *place, "--output", "json")
        assert done.stdout, done.stderr
        return Planned(done.returncode, json.loads(done.stdout), done.stderr)

    def apply(self, *place: str | Path, timeout: str = "90s") -> subprocess.CompletedProcess[str]:
        """One pass, until the rollouts have ended."""
        return self.run("apply", *place, "--timeout", timeout)
