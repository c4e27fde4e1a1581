"""Webhooks as people's pipelines call them, and SQS as boto3 speaks to it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import processes
from processes import Endpoint, environment, free_port, longshore_binary, started
from program import Running
from repository import service

SECRET = "a secret for the webhook"


@pytest.fixture
def queue(world: Endpoint, name: str) -> tuple[object, str]:
    """boto3's client of SQS and a queue of this test's own."""
    sqs = world.client("sqs")
    return sqs, sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "43200"})["QueueUrl"]


def test_a_queue_as_boto3_uses_it(queue: tuple) -> None:
    sqs, url = queue
    sent = sqs.send_message(QueueUrl=url, MessageBody="hello")
    assert sent["MD5OfMessageBody"] == "5d41402abc4b2a76b9719d911017c592"
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MaxNumberOfMessages=10)["Messages"]
    assert (message["Body"], message["MessageId"]) == ("hello", sent["MessageId"])
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    batch = sqs.delete_message_batch(
        QueueUrl=url,
        Entries=[{"Id": "0", "ReceiptHandle": message["ReceiptHandle"]}, {"Id": "1", "ReceiptHandle": "x"}],
    )
    assert [done["Id"] for done in batch["Successful"]] == ["0"]
    assert [failed["Code"] for failed in batch["Failed"]] == ["ReceiptHandleIsInvalid"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == attributes["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_a_queue_that_is_gone_is_refused_as_aws_does(queue: tuple) -> None:
    sqs, url = queue
    sqs.delete_queue(QueueUrl=url)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as refusal:
        sqs.receive_message(QueueUrl=url)
    assert refusal.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"


def documented_call() -> str:
    """The shell of docs/spec.md that calls a generic webhook."""
    text = (processes.ROOT / "docs" / "spec.md").read_text(encoding="utf-8")
    (block,) = [block for block in re.findall(r"```sh\n(.*?)```", text, re.S) if "X-Longshore-Signature" in block]
    return block


def test_a_pipeline_calls_the_webhook_with_curl_and_openssl(world: Endpoint, tmp_path: Path) -> None:
    config = tmp_path / "controller.yaml"
    # Nothing but the webhook lets the source be read again within this test.
    config.write_text(
        json.dumps(
            {
                "apiVersion": "longshore.dev/v1alpha1",
                "kind": "Controller",
                "metadata": {"name": "hooked"},
                "spec": {
                    "sources": [{"name": "fleet", "s3": {"bucket": "hooked-specs", "interval": "1h"}}],
                    "webhooks": [{"source": "fleet", "provider": "generic", "secret": {"env": "HOOK_SECRET"}}],
                },
            }
        )
    )
    s3 = world.client("s3", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="hooked-specs", CreateBucketConfiguration={"LocationConstraint": processes.REGION})
    put = lambda image: s3.put_object(  # noqa: E731
        Bucket="hooked-specs", Key="web.yaml", Body=service("shop", "hooked", image).encode()
    )
    put("host.example/web:v1")
    address = f"127.0.0.1:{free_port()}"
    command = [str(longshore_binary()), "run", "--config", str(config), "--listen", address]
    env = environment(world.url) | {"HOOK_SECRET": SECRET}
    with started(command, f"http://{address}/healthz", tmp_path / "run.log", env):
        running = Running(f"http://{address}", tmp_path / "run.log")
        first = processes.until("read", lambda: running.source().get("revision"))
        put("host.example/web:v2")
        called = call(address, SECRET)
        assert called.returncode == 0, called.stderr
        assert json.loads(called.stdout) == {"result": "woken"}
        processes.until("read again", lambda: running.source()["revision"] != first)
        refused = call(address, "a guess")
        assert refused.returncode == 22, "curl's code for a refusal by HTTP"
        assert "401" in refused.stderr


def call(address: str, secret: str) -> subprocess.CompletedProcess[str]:
    """Runs the documented call against this server."""
    shell = documented_call().replace("http://127.0.0.1:8080", f"http://{address}")
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", shell],
        env=os.environ | {"SECRET": secret},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
