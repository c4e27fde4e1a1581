"""A Git repository of specs, as a team keeps it."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from specs import NETWORK, container, fargate_definition


class Repository:
    """A repository whose commits are made one after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch", "main")

    @property
    def url(self) -> str:
        """Where the operator clones it from."""
        return f"file://{self.folder}"

    def commit(self, files: dict[str, str], message: str = "change") -> str:
        """Writes files and commits them; returns the commit's id."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        """Runs git in it, as nobody in particular, and returns what it says."""
        names = {"NAME": "Conformance", "EMAIL": "conformance@example.com"}
        people = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in names.items()}
        settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        done = subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env=os.environ | people | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()


def service(cluster: str, name: str, image: str, *, containers: dict | None = None, **members: Any) -> str:
    """A Service of two Fargate tasks; `members` change the part that is CreateService's input."""
    definition = fargate_definition(f"{cluster}-{name}", image)
    definition["containerDefinitions"] = [container(image, **(containers or {}))]
    spec = {
        "cluster": cluster,
        "taskDefinition": definition,
        "service": {
            "launchType": "FARGATE",
            "desiredCount": 2,
            "networkConfiguration": NETWORK,
            "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
            **members,
        },
    }
    document = {
        "apiVersion": "longshore.dev/v1alpha1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": spec,
    }
    return yaml.safe_dump(document, sort_keys=False)


def owner(test: str) -> str:
    """The owner that a test acts as, so that it sees no other test's services as its own."""
    return f"test-{hashlib.sha256(test.encode()).hexdigest()[:8]}"


def controller(name: str, source: dict, **sync: Any) -> str:
    """A Controller with one source, which looks again every second."""
    spec = {"sources": [{"name": "specs", **source, "sync": sync}], "interval": "1s"}
    document = {
        "apiVersion": "longshore.dev/v1alpha1",
        "kind": "Controller",
        "metadata": {"name": name},
        "spec": spec,
    }
    return yaml.safe_dump(document, sort_keys=False)
