"""Entries of lists of which the first that matches wins, behind one that takes all of theirs."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from routing.rules.document.document import Document
from routing.rules.faults import Fault
from routing.rules.yaml_tree import Node

_BEYOND_STARS = re.compile(r"[?\[]")


def behind(document: Document, root: Node) -> Iterator[Fault]:
    """Agents and rollouts that an earlier entry takes."""
    yield from _behind([each.name for each in document.agents], root.nearest("agents"), "name")
    yield from _behind([each.agent for each in document.rollouts], root.nearest("rollouts"), "agent")


def _behind(globs: Sequence[str], node: Node, word: str) -> Iterator[Fault]:
    for at, glob in enumerate(globs):
        first = next((each for each, before in enumerate(globs[:at]) if _takes_all(before, glob)), None)
        if first is not None:
            earlier = node.nearest(first).place
            where = f'"{globs[first]}" at {earlier.file}:{earlier.line}'
            said = f'"{glob}" is never reached: {where} takes all of it, and the first match wins'
            yield node.nearest(at, word).place.fault(said)


def _takes_all(before: str, glob: str) -> bool:
    """Whether a glob fits whatever another fits, as far as stars alone tell."""
    if before == glob:
        return True
    return not _BEYOND_STARS.search(before) and "[" not in glob and fnmatchcase(glob, before)
