"""Checks a value against a shape of botocore's service models, more strictly than botocore does.

botocore validates only what it sends, and of that only types, required members and lower bounds. Here both directions
are held to the whole model: required and unknown members, types, enums, lengths, ranges, patterns, unions, and times as
the JSON protocols write them.
"""

from __future__ import annotations

import base64
import binascii
import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import regex
from botocore.model import ListShape, MapShape, Shape, StructureShape

# Times before 2000 or after 2100 are milliseconds or local inventions, not epoch seconds.
EARLIEST_TIME = 946_684_800
LATEST_TIME = 4_102_444_800

INTEGER_BITS = {"integer": 32, "long": 64}


@dataclass(frozen=True)
class Violation:
    """One thing that the contract does not allow."""

    path: str
    message: str
    value: object = None

    def __str__(self) -> str:
        text = repr(self.value)
        shown = text if len(text) <= 120 else text[:119] + "…"
        return f"{self.path}: {self.message}: {shown}"


# Decides whether a value that the model of a shape rules out, a string by its enum or a list by its least length, is
# known to be used all the same.
Openness = Callable[[str, object], bool]


def closed(_shape: str, _value: object) -> bool:
    """Nothing but the model's own values."""
    return False


def violations(shape: Shape, value: object, path: str, is_open: Openness = closed) -> Iterator[Violation]:
    """Everything in `value` that `shape` does not allow."""
    if value is None:
        yield Violation(path, "null; absent members are left out", value)
        return
    check = CHECKS.get(shape.type_name)
    if check is None:
        yield Violation(path, f"the checker does not know the type {shape.type_name}", value)
        return
    yield from check(shape, value, path, is_open)


def wire_name(member: Shape, name: str) -> str:
    """The name that a member has in JSON."""
    return member.serialization.get("name", name)


def _structure(shape: StructureShape, value: object, path: str, is_open: Openness) -> Iterator[Violation]:
    if getattr(shape, "is_document_type", False):
        return
    if not isinstance(value, dict):
        yield Violation(path, "not an object", value)
        return
    members = {wire_name(member, name): member for name, member in shape.members.items()}
    for name in shape.required_members:
        if wire_name(shape.members[name], name) not in value:
            yield Violation(path, f"required member {name} is missing", value)
    for name, content in value.items():
        if name not in members:
            yield Violation(f"{path}.{name}", f"no member of {shape.name}", content)
        else:
            yield from violations(members[name], content, f"{path}.{name}", is_open)
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        yield Violation(path, f"the union {shape.name} has {len(value)} members instead of one", value)


def _list(shape: ListShape, value: object, path: str, is_open: Openness) -> Iterator[Violation]:
    if not isinstance(value, list):
        yield Violation(path, "not a list", value)
        return
    if value or not is_open(shape.name, value):
        yield from _bounds(shape, len(value), path, "items", value)
    for position, item in enumerate(value):
        yield from violations(shape.member, item, f"{path}[{position}]", is_open)


def _map(shape: MapShape, value: object, path: str, is_open: Openness) -> Iterator[Violation]:
    if not isinstance(value, dict):
        yield Violation(path, "not a map", value)
        return
    yield from _bounds(shape, len(value), path, "entries", value)
    for key, item in value.items():
        yield from violations(shape.key, key, f"{path}<{key}>", is_open)
        yield from violations(shape.value, item, f"{path}[{key}]", is_open)


def _string(shape: Shape, value: object, path: str, is_open: Openness) -> Iterator[Violation]:
    if not isinstance(value, str):
        yield Violation(path, "not a string", value)
        return
    yield from _bounds(shape, len(value), path, "characters", value)
    enum = getattr(shape, "enum", None)
    if enum and value not in enum and not is_open(shape.name, value):
        yield Violation(path, f"not one of {shape.name}'s {', '.join(enum)}", value)
    pattern = shape.metadata.get("pattern")
    if pattern and not matches(pattern, value):
        yield Violation(path, f"does not match {pattern}", value)


def _integer(shape: Shape, value: object, path: str, _is_open: Openness) -> Iterator[Violation]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield Violation(path, f"not a whole number ({shape.type_name})", value)
        return
    bits = INTEGER_BITS[shape.type_name]
    if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        yield Violation(path, f"does not fit {bits} bits", value)
    yield from _bounds(shape, value, path, "", value)


def _float(shape: Shape, value: object, path: str, _is_open: Openness) -> Iterator[Violation]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        yield Violation(path, "not a finite number", value)
        return
    yield from _bounds(shape, value, path, "", value)


def _boolean(_shape: Shape, value: object, path: str, _is_open: Openness) -> Iterator[Violation]:
    if not isinstance(value, bool):
        yield Violation(path, "not a boolean", value)


def _timestamp(_shape: Shape, value: object, path: str, _is_open: Openness) -> Iterator[Violation]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield Violation(path, "times are numbers of seconds", value)
    elif not EARLIEST_TIME <= value <= LATEST_TIME:
        yield Violation(path, "not a plausible number of seconds since 1970", value)


def _blob(shape: Shape, value: object, path: str, _is_open: Openness) -> Iterator[Violation]:
    try:
        size = len(base64.b64decode(value, validate=True))
    except (TypeError, ValueError, binascii.Error):
        yield Violation(path, "not base64", value)
        return
    yield from _bounds(shape, size, path, "bytes", value)


CHECKS = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "character": _string,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "blob": _blob,
}


def _bounds(shape: Shape, size: float, path: str, unit: str, value: object) -> Iterator[Violation]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    unit = f" {unit}" if unit else ""
    if least is not None and size < least:
        yield Violation(path, f"{size}{unit}, at least {least} are needed", value)
    if most is not None and size > most:
        yield Violation(path, f"{size}{unit}, at most {most} are allowed", value)


def matches(pattern: str, text: str) -> bool:
    """Whether a model's pattern holds for the whole text.

    Models leave out the anchors and mean them; a pattern that begins with `^` says itself where it ends.
    """
    compiled = _compiled(pattern)
    found = compiled.search(text) if pattern.startswith("^") else compiled.fullmatch(text)
    return found is not None


@functools.cache
def _compiled(pattern: str) -> regex.Pattern:
    # The models are written for Java, which spells the planes above the first as pairs of surrogates or too short.
    for spelling in (r"\uD800\uDC00-\uDBFF\uDFFF", r"\u10000-\u10FFFF"):
        pattern = pattern.replace(spelling, r"\U00010000-\U0010FFFF")
    return regex.compile(pattern)
