"""From the tree of texts to a checked document: every fault of shape, each at its place.

What is faulty is then left out of the tree, so that the rest can still be checked for what it refers to.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from pydantic import ValidationError

from routing.rules.document.document import Document
from routing.rules.document.part import Located, kind_of
from routing.rules.faults import Fault
from routing.rules.suggestions import meant, words_at
from routing.rules.yaml_tree import Node, Place

Path = tuple[str | int, ...]
KEY = "[key]"
EXPECTED: Mapping[str, str] = {
    "string_type": "a text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
}


class Shaped(Struct, frozen=True):
    """The document, as far as it could be read (None: not even its route), and the faults."""

    document: Document | None
    faults: tuple[Fault, ...]


def shaped(root: Node) -> Shaped:
    """Checks a tree; faulty parts are removed from it."""
    faults: tuple[Fault, ...] = ()
    while True:
        try:
            return Shaped(Document.model_validate(root.plain()), faults)
        except ValidationError as error:
            errors = [each for each in error.errors(include_url=False) if not _is_echo(each)]
        faults = faults or tuple(_fault(root, each) for each in errors)
        if not sum(_prune(root, each["type"], each["loc"]) for each in reversed(errors)):
            return Shaped(None, faults)


def _fault(root: Node, error: Any) -> Fault:
    kind, path = error["type"], tuple(error["loc"])
    if kind == "extra_forbidden":
        word = str(path[-1])
        return _key_place(root, path).fault(
            f'unknown field "{word}"{meant(word, words_at(Document, path[:-1]))}'
        )
    if kind == "missing":
        return root.nearest(*path[:-1]).place.fault(f'missing field "{path[-1]}"')
    if path[-1:] == (KEY,):
        return _key_place(root, path[:-1]).fault(_sentence(error))
    return _place_within(root.nearest(*path), error).fault(_sentence(error))


def _is_echo(error: Any) -> bool:
    """A list that is told to be too short because its entries are faulty themselves."""
    return error["type"] == "too_short" and len(error["input"]) > 0


def _sentence(error: Any) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in EXPECTED:
        return f"expected {EXPECTED[kind]}, found {kind_of(error['input'])}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        choices = [each.strip("' ") for each in context["expected"].replace(" or ", ",").split(",")]
        found = error["input"]
        hint = meant(found, choices) if isinstance(found, str) else ""
        return f"expected {'one of ' * (len(choices) > 1)}{', '.join(choices)}; found {kind_of(found)}{hint}"
    if kind == "too_short":
        return "expected at least one entry, found none"
    what = "expected a number " if kind.startswith(("greater_than", "less_than")) else "expected "
    return f"{error['msg'].replace('Input should be ', what)}, found {kind_of(error['input'])}"


def _place_within(node: Node, error: Any) -> Place:
    """The place of a fault; for one inside a text of several lines, its line."""
    inner = error.get("ctx", {}).get("error")
    if not isinstance(inner, Located) or not inner.line:
        return node.place
    if node.block:
        return Place(node.place.file, node.place.line + inner.line, 1)
    return node.place


def _key_place(root: Node, path: Path) -> Place:
    parent = root.nearest(*path[:-1])
    return parent.keys.get(str(path[-1]), parent.place)


def _prune(root: Node, kind: str, path: Path) -> int:
    """Removes the deepest node on a path (of a missing field, its mapping); says how many were removed."""
    steps: list[tuple[Node, str | int]] = []
    node = root
    for step in path[:-1] if kind == "missing" else path:
        child = node.child(step)
        if child is not None:
            steps.append((node, step))
            node = child
    if not steps:
        return 0
    parent, last = steps[-1]
    parent.remove(last)
    return 1
