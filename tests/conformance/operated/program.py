"""The binary `longshore`, run as people and pipelines run it."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processes import Endpoint, environment, free_port, longshore_binary, started


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
class Running:
    """`longshore run`, asked over HTTP as people ask it."""

    url: str
    log: Path

    def get(self, path: str) -> Any:
        """A JSON document, or `None` where there is none."""
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def source(self) -> dict:
        """Its only source; nothing before it is known."""
        items = self.get("/api/v1/sources")["items"]
        return items[0] if items else {}

    def is_synced(self, name: str, commit: str) -> bool:
        """Whether the service is as this commit wants it, and its tasks run."""
        service = self.get(f"/api/v1/services/shop/{name}")
        status = service["status"] if service else {}
        known = (status.get("sync"), status.get("health"))
        applied = (status.get("lastApplied") or {}).get("commit", "")
        return known == ("Synced", "Healthy") and commit.startswith(applied or "-")

    def everything_told(self) -> str:
        """The log and every page of text that it serves."""
        told = [self.log.read_text(encoding="utf-8")]
        for path in ("/", "/metrics", "/api/v1/sources", "/api/v1/services", "/api/v1/events"):
            with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
                told.append(answer.read().decode())
        return "\n".join(told)


@dataclass(frozen=True)
class Longshore:
    """The binary with an AWS of its own and a home that no other run shares."""

    aws: Endpoint
    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The environment that every run gets."""
        own = {"HOME": str(self.home), "XDG_CACHE_HOME": str(self.home / "cache")}
        return environment(self.aws.url) | own | self.variables

    @contextmanager
    def running(self, config: Path) -> Iterator[Running]:
        """`longshore run`, for as long as the context is open."""
        listen = f"127.0.0.1:{free_port()}"
        url, log = f"http://{listen}", self.home / "run.log"
        words = [str(longshore_binary()), "run", "--config", str(config), "--listen", listen]
        with started(words, f"{url}/healthz", log, self.environment()):
            yield Running(url, log)

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
