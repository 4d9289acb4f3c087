"""Names and matchers that Alertmanager reads since it takes any UTF-8 text for the name of a label."""

import re
from collections.abc import Iterator

from routing.rules.classic_grammar import parse_classic
from routing.rules.faults import Fault
from routing.rules.yaml_tree import Node, Place

_OLD = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
SINCE = "from Alertmanager 0.27 on: older ones refuse what project prints"
LABELS = ("group_by", "equal")
MATCHERS = ("matchers", "source_matchers", "target_matchers")
EQUATIONS = ("match", "match_re", "source_match", "source_match_re", "target_match", "target_match_re")
ALL = "..."


def newer(root: Node) -> Iterator[Fault]:
    """What older Alertmanagers and their tools refuse, in the part that is theirs."""
    for section in ("route", "inhibit_rules"):
        node = root.child(section)
        if node is not None:
            yield from _within(node)


def _within(node: Node) -> Iterator[Fault]:
    for key, child in node.fields.items():
        for name, place in _named(key, child):
            if not _OLD.match(name):
                yield place.fault(f'"{name}" is the name of a label {SINCE}')
        if key in MATCHERS:
            yield from _matchers(child)
        elif key == "routes":
            yield from _within(child)
    for child in node.entries:
        yield from _within(child)


def _named(key: str, node: Node) -> Iterator[tuple[str, Place]]:
    """Names of labels that stand by themselves in a field."""
    if key in LABELS:
        yield from ((each.text, each.place) for each in node.entries if each.text != ALL)
    elif key in EQUATIONS:
        yield from node.keys.items()


def _matchers(node: Node) -> Iterator[Fault]:
    for each in node.entries:
        try:
            parse_classic(each.text)
        except ValueError:
            yield each.place.fault(f"{each.text!r} is a matcher {SINCE}")
