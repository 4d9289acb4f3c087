"""YAML as a tree of texts with their places: no scalar is ever turned into a number, a date or a truth value.

Read from the parser's events, without recursion, so that neither deep nesting nor aliases that multiply can
exhaust the process. Anchors, aliases and merge keys (`<<`) work as in Alertmanager.
"""

from typing import Any

from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from routing.rules.faults import Fault
from routing.rules.yaml_tree import Node, Place
from schemas.cause import ConfigFile

LONGEST_TEXT = 2_000_000
DEEPEST = 64
MOST_NODES = 200_000
NULLS = frozenset({"", "~", "null", "Null", "NULL"})
TAGS = "tag:yaml.org,2002:"
MERGE = "<<"


class Parsed(Struct, frozen=True):
    """What a file holds (None where that cannot be told), and what is wrong with it as YAML."""

    root: Node | None
    faults: tuple[Fault, ...] = ()


class _Refused(Exception):  # noqa: N818 - leaves this file as a fault
    """The rest of the text is not read."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.fault = place.fault(message)


def parse(file: ConfigFile) -> Parsed:
    """The tree of one file. After a fault of syntax the rest is not read; all duplicate keys are told."""
    start = Place(file.name, 1, 1)
    if len(file.text) > LONGEST_TEXT:
        return Parsed(None, (start.fault(f"longer than {LONGEST_TEXT} characters"),))
    builder = _Builder(file.name)
    try:
        for event in YAML(typ="safe", pure=True).parse(file.text.removeprefix("\ufeff")):
            builder.take(event)
    except _Refused as refused:
        return Parsed(None, (*builder.faults, refused.fault))
    except YAMLError as error:
        return Parsed(None, (*builder.faults, _syntax(error, file)))
    if builder.root is None or builder.root.value is None:
        return Parsed(None, (start.fault("the file is empty"),))
    if not isinstance(builder.root.value, dict):
        return Parsed(
            None, (builder.root.place.fault("expected a mapping of sections, found another kind of value"),)
        )
    return Parsed(builder.root, tuple(builder.faults))


class _Open(Struct):
    """A list or mapping whose end has not come yet. `key`: the mapping's key that waits for its value."""

    node: Node
    key: tuple[str, Place] | None = None
    anchor: str | None = None
    merged: list[Node] = []


class _Builder:
    """Builds the tree from events, keeping the lists and mappings that are open on a stack of its own."""

    def __init__(self, file: str) -> None:
        self.root: Node | None = None
        self.faults: list[Fault] = []
        self._file = file
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def take(self, event: Any) -> None:
        """The next event of the parser."""
        place = Place(self._file, event.start_mark.line + 1, event.start_mark.column + 1)
        match event:
            case ScalarEvent():
                self._scalar(event, place)
            case SequenceStartEvent() | MappingStartEvent():
                self._begin(event, place)
            case SequenceEndEvent() | MappingEndEvent():
                self._end()
            case AliasEvent():
                self._alias(event, place)
            case DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise _Refused(place, "a second document begins here: one document a file")
            case _:
                pass

    def _scalar(self, event: Any, place: Place) -> None:
        tag = _tag(event, place, "str", "int", "float", "bool", "null", "timestamp", "binary", "merge")
        plain = event.style is None or event.style == ""
        value = None if plain and tag != "str" and event.value in NULLS else event.value
        node = Node(place, value, block=event.style == "|")
        self._name(event.anchor, node)
        self._add(node)

    def _begin(self, event: Any, place: Place) -> None:
        if len(self._open) >= DEEPEST:
            raise _Refused(place, f"nested deeper than {DEEPEST} levels")
        mapping = isinstance(event, MappingStartEvent)
        _tag(event, place, "map" if mapping else "seq")
        self._open.append(_Open(Node(place, {} if mapping else []), anchor=event.anchor))

    def _end(self) -> None:
        done = self._open.pop()
        _merge(done.node, done.merged)
        self._name(done.anchor, done.node)
        self._add(done.node)

    def _alias(self, event: Any, place: Place) -> None:
        target = self._anchors.get(event.anchor)
        if target is None:
            raise _Refused(place, f"alias *{event.anchor} stands before or without its anchor")
        self._add(target)

    def _name(self, anchor: str | None, node: Node) -> None:
        if anchor is not None:
            self._anchors[anchor] = node

    def _add(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent.node.value, list):
            parent.node.entries.append(node)
            self._grow(parent.node, node)
        elif parent.key is None:
            parent.key = (_key(node), node.place)
        else:
            key, place = parent.key
            self._pair(parent, key, place, node if node.value is not None else Node(place, None))
            parent.key = None

    def _pair(self, parent: _Open, key: str, place: Place, node: Node) -> None:
        mapping = parent.node
        self._grow(mapping, node)
        if key == MERGE:
            parent.merged += _merge_sources(node)
        elif key in mapping.fields:
            first = mapping.keys[key]
            self.faults.append(place.fault(f'duplicate key "{key}" (first on line {first.line})'))
        else:
            mapping.fields[key] = node
            mapping.keys[key] = place

    def _grow(self, parent: Node, child: Node) -> None:
        parent.size += child.size
        if parent.size > MOST_NODES:
            raise _Refused(
                child.place, f"more than {MOST_NODES} values, aliases counted as what they stand for"
            )


def _tag(event: Any, place: Place, *allowed: str) -> str:
    """The short name of an explicit tag of YAML's own, or an empty string."""
    tag = getattr(event, "tag", None)
    text = str(tag) if tag is not None else ""
    if text in ("", "!"):
        return "str" if text else ""
    short = text.removeprefix(TAGS)
    if short == text or short not in allowed:
        raise _Refused(place, f"unknown tag {text}")
    return short


def _key(node: Node) -> str:
    if not isinstance(node.value, str):
        raise _Refused(node.place, "expected a text as key")
    return node.value


def _merge_sources(node: Node) -> list[Node]:
    """The mappings that a merge key names: one, or a list of them."""
    sources = node.entries or [node]
    for each in sources:
        if not isinstance(each.value, dict):
            raise _Refused(each.place, "a merge key (<<) takes a mapping or a list of mappings")
    return sources


def _merge(node: Node, sources: list[Node]) -> None:
    """Adds what merge keys name; the mapping's own keys, then earlier sources, win."""
    for source in sources:
        for key, child in source.fields.items():
            if key not in node.fields:
                node.fields[key] = child
                node.keys[key] = source.keys[key]


def _syntax(error: YAMLError, file: ConfigFile) -> Fault:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if isinstance(error, MarkedYAMLError) and mark is not None:
        message = str(error.problem or error.context)
        return Place(file.name, mark.line + 1, mark.column + 1).fault(_clear(message))
    before = file.text[: getattr(error, "position", 0)]
    place = Place(file.name, before.count("\n") + 1, len(before) - before.rfind("\n"))
    return place.fault(f"a character that YAML does not allow: {_shown(error)}")


def _shown(error: YAMLError) -> str:
    found = getattr(error, "character", "")
    return repr(chr(found)) if isinstance(found, int) else repr(found)


def _clear(message: str) -> str:
    return "a tab here: YAML is indented with spaces only" if r"'\t'" in message else message
