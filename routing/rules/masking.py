"""What is to be masked in samples, beside the built-in patterns: at top level, of rollouts, of detectors."""

from collections.abc import Iterator

import re2

from routing.rules.document.document import Document
from routing.rules.document.scalars import pattern
from routing.rules.faults import Fault
from routing.rules.yaml_tree import Node

ORDINARY = "The refund of order 42 came late, said Ana; Ωμέγα?"


def pattern_faults(document: Document, root: Node) -> Iterator[Fault]:
    """Those of detectors, which are compiled when there is a sample to be told; the others have a shape."""
    for name in document.detectors:
        for node in _entries(root, "detectors", name, "redact"):
            try:
                pattern(node.text)
            except ValueError as fault:
                yield node.place.fault(str(fault))


def blanking(document: Document, root: Node) -> Iterator[Fault]:
    """Patterns that leave nothing of a text."""
    own = [("rollouts", at, "redact") for at in range(len(document.rollouts))]
    of_detectors = [("detectors", name, "redact") for name in document.detectors]
    for path in (("redact",), *own, *of_detectors):
        for node in _entries(root, *path):
            if not any(map(str.isalnum, re2.sub(node.text, "", ORDINARY))):
                yield node.place.fault(f"{node.text!r} blanks every sample: expected what is to be masked")


def _entries(root: Node, *path: str | int) -> list[Node]:
    found = root.at(*path)
    return found.entries if found else []
