"""Whether a configuration can be followed: by every detector, before any partition does, and in a record."""

from collections.abc import Sequence

from detectors.following import Misfit, misfits, strangers
from detectors.registry import discover
from routing.policy import Policy
from routing.rules.faults import Fault
from routing.rules.suggestions import meant
from routing.rules.yaml_tree import Node, Place
from schemas.cause import ConfigFile, Configured
from schemas.wire import encode, moment
from streams.hosting.settings import detector_settings

LARGEST = 1_000_000
"""Bytes of a configuration as one record; Kafka takes 1,048,588 by default, with all around it."""


def too_large(files: Sequence[ConfigFile]) -> tuple[Fault, ...]:
    """The fault of files that are no record together, at the largest of them."""
    size = len(encode(Configured(at=moment(0), digest="", files=tuple(files))))
    if size <= LARGEST:
        return ()
    worst = max(files, key=lambda each: len(each.text))
    why = f"all files are {size:,} bytes together, with calendars and texts; at most {LARGEST:,} are followed"
    return (Fault(worst.name, 0, 0, why),)


def unfollowed(policy: Policy, root: Node) -> tuple[Fault, ...]:
    """What detectors cannot follow of a policy, each once, at its place in the tree that it was made of."""
    settings, kinds = detector_settings(policy), discover()
    found = (*misfits(settings, kinds), *strangers(settings, kinds))
    return tuple(
        sorted({_place(root, each).fault(f"{each}{meant(each.word, each.known)}") for each in found})
    )


def _place(root: Node, misfit: Misfit) -> Place:
    """Of a name that there is none of, where the name stands."""
    *above, last = misfit.path
    parent, node = root.nearest(*above), root.nearest(*misfit.path)
    return parent.keys.get(str(last), node.place) if misfit.word == last else node.place
