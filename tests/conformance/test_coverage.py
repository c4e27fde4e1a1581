"""The published schema against AWS's own model: every member of the three calls can be written, and none is invented.

The Rust tests hold the tables to the list in `crds/src/ecs/model.txt`; this one holds what people get, the JSON Schema,
to whatever botocore is installed, so that a newer botocore names what AWS has added.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator

import botocore.session
import pytest
from botocore.model import ListShape, Shape, StructureShape

import processes

# Members that say which resource is meant, or that are acts and no settings: the object's other fields say them.
ELSEWHERE = {
    "RegisterTaskDefinition": set(),
    "CreateService": {"cluster", "serviceName", "taskDefinition", "clientToken"},
    "UpdateService": {"cluster", "service", "taskDefinition", "forceNewDeployment"},
}

# Where the input of each call stands in a Service.
BLOCKS = {"RegisterTaskDefinition": "taskDefinition", "CreateService": "service", "UpdateService": "service"}

TYPES = {
    "string": {"string"},
    "integer": {"integer"},
    "long": {"integer"},
    "float": {"number"},
    "double": {"number"},
    "boolean": {"boolean"},
    "structure": {"object"},
    "map": {"object"},
    "list": {"array"},
}


@functools.cache
def modelled(operation: str) -> dict[str, Shape]:
    """Every member of an operation's input by its path, `containerDefinitions[].name`."""
    model = botocore.session.get_session().get_service_model("ecs")
    shape = model.operation_model(operation).input_shape
    top = {name: member for name, member in shape.members.items() if name not in ELSEWHERE[operation]}
    found: dict[str, Shape] = {}
    for name, member in top.items():
        found.update(_below(name, member, ()))
    return found


def _below(path: str, shape: Shape, above: tuple[str, ...]) -> Iterator[tuple[str, Shape]]:
    yield path, shape
    assert shape.name not in above, f"{path} holds itself"
    above = (*above, shape.name)
    inner = shape
    while isinstance(inner, ListShape):
        path, inner = f"{path}[]", inner.member
    if isinstance(inner, StructureShape) and not getattr(inner, "is_document_type", False):
        for name, member in inner.members.items():
            yield from _below(f"{path}.{name}", member, above)


def published() -> dict:
    """The JSON Schema of a Service, as it is published."""
    return json.loads((processes.ROOT / "crds" / "services.schema.json").read_text())


def written(schema: dict, block: str) -> dict[str, dict]:
    """Every member of a block of the schema by its path."""
    top = schema["properties"]["spec"]["properties"][block]
    return dict(_members("", top))


def _members(path: str, schema: dict) -> Iterator[tuple[str, dict]]:
    for name, member in _object(schema).get("properties", {}).items():
        below = f"{path}.{name}" if path else name
        yield below, member
        while "array" in _types(member):
            below, member = f"{below}[]", _alternative(member, "array")["items"]
        yield from _members(below, member)


def _object(schema: dict) -> dict:
    return _alternative(schema, "object") or {}


def _alternative(schema: dict, kind: str) -> dict:
    """The alternative of a schema that has this type, itself or one of its `anyOf`."""
    types = schema.get("type", [])
    if kind in ([types] if isinstance(types, str) else types):
        return schema
    found = (_alternative(one, kind) for one in schema.get("anyOf", []))
    return next((one for one in found if one), {})


def _types(schema: dict) -> set[str]:
    types = schema.get("type", [])
    own = {types} if isinstance(types, str) else set(types)
    return own.union(*(_types(one) for one in schema.get("anyOf", []))) - {"null"}


def missing(schema: dict) -> list[str]:
    """The members of the three calls that the schema does not know, `CreateService monitoring` for instance."""
    known = {block: written(schema, block) for block in set(BLOCKS.values())}
    return [
        f"{operation} {path}"
        for operation, block in BLOCKS.items()
        for path in modelled(operation)
        if path not in known[block]
    ]


def test_the_schema_knows_every_member_of_the_three_calls() -> None:
    assert missing(published()) == []


def test_the_schema_invents_no_member() -> None:
    schema = published()
    for block in set(BLOCKS.values()):
        known = set().union(*(modelled(operation) for operation, of in BLOCKS.items() if of == block))
        assert sorted(set(written(schema, block)) - known) == []


@pytest.mark.parametrize("operation", BLOCKS)
def test_members_have_the_types_of_the_model_and_a_description(operation: str) -> None:
    known = written(published(), BLOCKS[operation])
    for path, shape in modelled(operation).items():
        if path not in known:
            continue
        if not getattr(shape, "is_document_type", False):
            assert TYPES[shape.type_name] <= _types(known[path]), path
        assert known[path].get("description"), f"{path} is not described"


@pytest.mark.parametrize("operation", BLOCKS)
def test_values_that_the_model_lists_are_listed(operation: str) -> None:
    known = written(published(), BLOCKS[operation])
    for path, shape in modelled(operation).items():
        values = getattr(shape, "enum", None)
        if values and path in known:
            assert set(values) <= _listed(known[path]), path


def _listed(schema: dict) -> set[str]:
    return set(schema.get("enum", [])).union(*(_listed(one) for one in schema.get("anyOf", [])))


@pytest.mark.parametrize("operation", BLOCKS)
def test_a_member_that_is_taken_out_is_named(operation: str) -> None:
    """Each member in turn, so that no path of the schema is overlooked by the comparison itself."""
    schema, block = published(), BLOCKS[operation]
    for path in modelled(operation):
        *above, last = path.split(".")
        place = schema["properties"]["spec"]["properties"][block]
        for step in above:
            place = _object(place)["properties"][step.rstrip("[]")]
            for _ in range(step.count("[]")):
                place = _alternative(place, "array")["items"]
        members = _object(place)["properties"]
        taken = members.pop(last)
        assert f"{operation} {path}" in missing(schema)
        members[last] = taken
