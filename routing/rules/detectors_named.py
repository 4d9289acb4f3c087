"""Detectors that a configuration names: those there are, those nearly named, and those of others."""

from collections.abc import Iterator

from routing.rules.compiling import BASE, TRUTH
from routing.rules.document.document import Document
from routing.rules.faults import Fault
from routing.rules.suggestions import meant
from routing.rules.yaml_tree import Node

DETECTORS = tuple(dict.fromkeys(name.partition("/")[0] for name in BASE))


def detector_faults(document: Document, root: Node) -> Iterator[Fault]:
    """Overrides of no detector, and scores of what is nearly one; options are the detectors' own affair."""
    for name, options in document.detectors.items():
        node = root.nearest("detectors", name)
        if name not in DETECTORS:
            place = root.nearest("detectors").keys[name]
            yield place.fault(f'no detector "{name}"{meant(name, DETECTORS)}: {_expected()}')
        if "enabled" in options and options["enabled"] not in TRUTH:
            place = node.nearest("enabled").place
            yield place.fault(f"expected true or false, found {options['enabled']!r}")
    for name in document.severity.base:
        detector, parted, finding = name.partition("/")
        hint = meant(detector, DETECTORS)
        if hint and detector not in DETECTORS:
            place = root.nearest("severity", "base").keys[name]
            yield place.fault(f'no detector "{detector}"{hint}: {_expected()}')
        elif parted and not finding:
            place = root.nearest("severity", "base").keys[name]
            yield place.fault(f"expected a finding after the detector, such as session/loop, found {name!r}")


def strange_scores(document: Document, root: Node) -> Iterator[Fault]:
    """Scores of what is no detector here: they count for signals that come from elsewhere."""
    for name in document.severity.base:
        if name.partition("/")[0] not in DETECTORS:
            place = root.nearest("severity", "base").keys[name]
            yield place.fault(f'no detector here is called "{name}": {_expected()}')


def _expected() -> str:
    return f"expected one of {', '.join(DETECTORS)}"
