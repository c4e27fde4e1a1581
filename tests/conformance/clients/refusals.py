"""Refusals as botocore raises them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code: str, message: str | None = None, status: int = 400) -> Iterator[None]:
    """Expects a refusal with this code, text and status."""
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response
    found = (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"])
    assert found == (code, status), answer
    if message is not None:
        assert message in answer["Error"]["Message"], answer
