"""Reads the forms of the query protocol back into members: `Tags.member.1.Key=a` becomes `{"Tags": [{"Key": "a"}]}`."""

from __future__ import annotations

from botocore.model import Shape

from shapes import Violation

# Members of every form that are no members of the operation.
ENVELOPE = {"Action", "Version"}


def read(shape: Shape, form: dict[str, str]) -> tuple[dict, list[Violation]]:
    """The members that a form holds, and what in it is none."""
    tree: dict = {}
    for name, value in form.items():
        if name not in ENVELOPE:
            _put(tree, name.split("."), value)
    found: list[Violation] = []
    return _value(shape, tree, "request", found), found


def _put(tree: dict, names: list[str], value: str) -> None:
    for name in names[:-1]:
        tree = tree.setdefault(name, {})
    tree[names[-1]] = value


def _value(shape: Shape, tree: object, path: str, found: list[Violation]) -> object:
    if shape.type_name == "structure" and isinstance(tree, dict):
        members = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        value = {}
        for key, content in tree.items():
            if key not in members:
                found.append(Violation(f"{path}.{key}", f"no member of {shape.name}", content))
                continue
            name, member = members[key]
            value[member.serialization.get("name", name)] = _value(member, content, f"{path}.{key}", found)
        return value
    if shape.type_name == "list":
        if tree == "":
            return []
        items = tree.get("member", {}) if isinstance(tree, dict) else {}
        numbers = sorted(items, key=int)
        if not items or [int(number) for number in numbers] != list(range(1, len(items) + 1)):
            found.append(Violation(path, "not a list of members from 1", tree))
        return [_value(shape.member, items[number], f"{path}[{number}]", found) for number in numbers]
    if not isinstance(tree, str):
        found.append(Violation(path, f"not a {shape.type_name}", tree))
        return tree
    return _scalar(shape, tree)


def _scalar(shape: Shape, text: str) -> object:
    """A number or boolean as such; what is neither stays text and fails the check of its shape."""
    try:
        if shape.type_name in ("integer", "long"):
            return int(text)
        if shape.type_name in ("float", "double"):
            return float(text)
    except ValueError:
        return text
    if shape.type_name == "boolean" and text in ("true", "false"):
        return text == "true"
    return text
