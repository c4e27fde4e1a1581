#!/usr/bin/env python3
"""Judges recorded calls by AWS's own service models: `contract.py [--refused-may-break] FILE.jsonl…`.

Every request is held to the operation's input shape, every answer to its output shape, every refusal to the errors that
the operation declares or that all services share, and all of them to what AWS documents beyond its models.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel, Shape

import documented
import forms
from shapes import Violation, closed, violations

# Signing names that differ from botocore's names of services.
SERVICES = {"monitoring": "cloudwatch", "elasticloadbalancing": "elbv2"}

# What the sandbox answers to a call that it has no code for.
UNKNOWN_OPERATION = "UnknownOperationException"


@dataclass
class Judgement:
    """What was found in some recordings."""

    checked: Counter = field(default_factory=Counter)
    # Calls whose bodies the record does not hold.
    unread: Counter = field(default_factory=Counter)
    # Where, in which operation, what.
    violations: list[tuple[str, str, Violation]] = field(default_factory=list)

    def report(self) -> str:
        """One line for each operation and each violation."""
        lines = [f"{operation:<60} {count:>6} checked" for operation, count in sorted(self.checked.items())]
        lines += [f"{operation:<60} {count:>6} not readable" for operation, count in sorted(self.unread.items())]
        lines += [f"VIOLATION {place} {operation}: {violation}" for place, operation, violation in self.violations]
        lines.append(f"{self.checked.total()} calls checked, {len(self.violations)} violations")
        failed = len({operation for _, operation, _ in self.violations})
        lines.append(f"operations: {len(self.checked) - failed} passed, {failed} failed")
        return "\n".join(lines)


@functools.cache
def service_model(api: str) -> ServiceModel | None:
    """botocore's model of an API, by its signing name."""
    try:
        return botocore.session.get_session().get_service_model(SERVICES.get(api, api))
    except UnknownServiceError:
        return None


def judge(calls: Iterable[tuple[str, dict]], refused_may_break: bool = False) -> Judgement:
    """Judges calls, each with the place where it is recorded."""
    judgement = Judgement()
    for place, call in calls:
        name = f"{call['api']} {call['operation']}"
        if call["api"] == "s3":
            judgement.unread[name] += 1
            continue
        judgement.checked[name] += 1
        found = call_violations(call, refused_may_break)
        judgement.violations += [(place, name, violation) for violation in found]
    return judgement


def call_violations(call: dict, refused_may_break: bool = False) -> Iterator[Violation]:
    """Everything that is wrong with one recorded call."""
    model = service_model(call["api"])
    if model is None:
        yield Violation("api", "botocore has no such service", call["api"])
        return
    try:
        operation = model.operation_model(call["operation"])
    except OperationNotFoundError:
        yield Violation("operation", f"{call['api']} has no such operation", call["operation"])
        return
    request, form_violations = _request(operation, call)
    if call["status"] < 400 or not refused_may_break:
        found = form_violations + list(_shape_violations(operation.input_shape, request, "request"))
        # What is documented beyond the model is looked up in what has the model's types.
        yield from found or documented.request_violations(call["api"], call["operation"], request)
    if call["status"] == 0 or call["response"] is None:
        return
    if call["status"] >= 400:
        yield from error_violations(operation, call)
    else:
        yield from _answer_violations(operation, call, request)


def _request(operation: OperationModel, call: dict) -> tuple[dict, list[Violation]]:
    """The members of a request, and what could not be read of it."""
    if operation.service_model.protocol == "query" and operation.input_shape is not None:
        return forms.read(operation.input_shape, call["request"])
    return call["request"], []


def _answer_violations(operation: OperationModel, call: dict, request: dict) -> Iterator[Violation]:
    answer = call["response"]
    if call["status"] != 200:
        yield Violation("status", "answers have status 200", call["status"])
    found = list(_shape_violations(operation.output_shape, answer, "answer"))
    yield from found or documented.answer_violations(call["api"], call["operation"], request, answer)


def _shape_violations(shape: Shape | None, value: object, path: str) -> Iterator[Violation]:
    if shape is not None:
        yield from violations(shape, value, path, documented.is_open if path == "answer" else closed)
    elif value not in ({}, ""):
        yield Violation(path, "the operation has no members here", value)


def error_violations(operation: OperationModel, call: dict) -> Iterator[Violation]:
    """What is wrong with a refusal."""
    body, status = call["response"], call["status"]
    code = body.get("__type") if isinstance(body, dict) else None
    if not isinstance(code, str):
        yield Violation("error.__type", "a refusal names its code", body)
        return
    if code == UNKNOWN_OPERATION:
        yield Violation("error", "the sandbox has no such operation", body.get("message"))
        return
    modelled = {shape.error_code or shape.name: shape for shape in operation.error_shapes}
    if code in modelled:
        allowed = {500} if code in documented.SERVER_ERRORS else {400}
    else:
        allowed = documented.COMMON_ERRORS.get(code)
    if allowed is None:
        yield Violation("error.__type", f"{operation.name} declares no such error", code)
        return
    if status not in allowed:
        yield Violation("error.status", f"{code} has status {sorted(allowed)}", status)
    members = {name: value for name, value in body.items() if name.lower() not in ("__type", "message")}
    if code in modelled:
        yield from violations(modelled[code], members, "error")
    elif members:
        yield Violation("error", f"{code} has no members but its message", members)


def read(paths: Iterable[Path]) -> Iterator[tuple[str, dict]]:
    """The calls in recordings, with file and line."""
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                yield f"{path.name}:{number}", json.loads(line)


def main() -> int:
    """Judges the recordings that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recordings", nargs="+", type=Path, metavar="FILE.jsonl")
    parser.add_argument(
        "--refused-may-break",
        action="store_true",
        help="requests that were refused may break the model: the client did so to see the refusal",
    )
    arguments = parser.parse_args()
    judgement = judge(read(arguments.recordings), arguments.refused_may_break)
    print(judgement.report())
    if not judgement.checked:
        print("no calls were recorded", file=sys.stderr)
        return 1
    return 1 if judgement.violations else 0


if __name__ == "__main__":
    sys.exit(main())
