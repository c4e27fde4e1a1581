"""The processes under test, and clients that reach them and nothing else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TOOLS = Path(sys.executable).parent

# The account that the sandbox reads out of the access key.
ACCOUNT = "111122223333"
REGION = "eu-west-1"
START_SECONDS = 60
# How many seconds pass in the sandbox while one passes here.
TIME_SCALE = 60


def longshore_binary() -> Path:
    """The binary under test: $LONGSHORE, or the newest build."""
    given = os.environ.get("LONGSHORE")
    if given:
        return Path(given)
    builds = [ROOT / "target" / profile / "longshore" for profile in ("release", "debug")]
    built = [path for path in builds if path.is_file()]
    if not built:
        raise FileNotFoundError("cannot find the binary longshore: build it, or name it in LONGSHORE")
    return max(built, key=lambda path: path.stat().st_mtime)


def environment(endpoint: str | None = None) -> dict[str, str]:
    """A process environment whose AWS is `endpoint`, and in which no account of this machine is left."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    kept |= {
        "AWS_ACCESS_KEY_ID": f"AKIA{ACCOUNT}",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PAGER": "",
    }
    if endpoint:
        kept["AWS_ENDPOINT_URL"] = endpoint
    return kept


@dataclass(frozen=True)
class Endpoint:
    """An AWS on loopback."""

    url: str
    record: Path | None = None

    def client(self, service: str, **config: object) -> Any:
        """A boto3 client that reaches this AWS only."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=f"AKIA{ACCOUNT}",
            aws_secret_access_key="sandbox",
            config=Config(retries={"mode": "standard", "total_max_attempts": 5}, **config),
        )

    def run(self, *command: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Runs a program with this AWS as its AWS."""
        return subprocess.run(
            [str(word) for word in command],
            env=environment(self.url),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


@contextmanager
def sandbox(fixtures: Path, record: Path, time_scale: float = TIME_SCALE) -> Iterator[Endpoint]:
    """`longshore sandbox`, for as long as the context is open."""
    record.parent.mkdir(parents=True, exist_ok=True)
    record.unlink(missing_ok=True)
    port = free_port()
    listen = f"127.0.0.1:{port}"
    options = {"listen": listen, "fixtures": fixtures, "record": record, "time-scale": time_scale}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    with started([str(longshore_binary()), "sandbox", *words], f"http://{listen}/", record.with_suffix(".log")):
        yield Endpoint(f"http://{listen}", record)


@contextmanager
def moto(log: Path) -> Iterator[Endpoint]:
    """moto's server, for as long as the context is open."""
    port = free_port()
    command = [str(TOOLS / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with started(command, f"http://127.0.0.1:{port}/moto-api/data.json", log):
        yield Endpoint(f"http://127.0.0.1:{port}")


@contextmanager
def started(command: list[str], ready: str, log: Path, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen]:
    """A process that answers at `ready`; it is ended with SIGTERM."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=env or environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"cannot start {command[0]}:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen, seconds: float = 10) -> int:
    """Ends a process with SIGTERM, and with SIGKILL if it does not end."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def answers(url: str) -> bool:
    """Whether somebody answers there, whatever it is."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what: str, found: Callable[[], Any], seconds: float = 60) -> Any:
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        answer = found()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s; last answer {answer!r}")
        time.sleep(0.1)
