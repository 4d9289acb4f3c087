"""Burn rates that can never come: more failures than there are calls, as factor x (1 - objective) > 1."""

from collections.abc import Iterator, Sequence
from math import ceil, floor

from routing.policy import BANDS, BurnRate
from routing.rules.compiling import BURN_RATE
from routing.rules.document.document import Document
from routing.rules.document.watching import SeverityPart
from routing.rules.faults import Fault
from routing.rules.yaml_tree import Node, Place
from schemas.page import Severity

STRICTEST = 0.99
"""The strictest objective where none is given: that of sessions."""
PAGES: Severity = "error"
"""The lowest band that pages."""
TOLD = tuple((each.long, each.short) for each in BURN_RATE)
"""The windows over which burn rates are told."""


def burn_rate_faults(document: Document, root: Node) -> Iterator[Fault]:
    """Objectives at which nothing that pages can come any more, and factors that come with no objective."""
    table = _table(document.severity)
    pages = document.severity.bands.get(PAGES, BANDS[PAGES])
    for objective, place in _objectives(document, root):
        never = _never(table, objective)
        if never and all(each.score < pages for each in table if each not in never):
            least = ceil(1e4 * (1 - 1 / min(each.factor for each in never))) / 100
            yield place.fault(
                f"{_at_most(objective)}, and {_listed(never)} can never come: expected {least:g}% or more, "
                "or other pairs in severity: burn_rate ([] for none)"
            )
    strictest = max((each for agent in document.agents for each in agent.slo.values()), default=STRICTEST)
    for at, each in enumerate(table if document.severity.burn_rate else ()):
        if _never([each], max(strictest, STRICTEST)):
            place = root.nearest("severity", "burn_rate", at).place
            yield place.fault(f"a burn rate of {each.factor:g} never comes with any objective here")


def left_out(document: Document, root: Node) -> Iterator[Fault]:
    """Pairs that an objective leaves out; others that page are left."""
    table = _table(document.severity)
    for objective, place in _objectives(document, root):
        if never := _never(table, objective):
            yield place.fault(f"{_at_most(objective)}: {_listed(never)} is left out")


def untold(document: Document, root: Node) -> Iterator[Fault]:
    """Pairs of windows over which no burn rate is told."""
    for at, (long, short, *_) in enumerate(document.severity.burn_rate or ()):
        if (long, short) not in TOLD:
            known = ", ".join(f"{longer} and {shorter}" for longer, shorter in TOLD)
            place = root.nearest("severity", "burn_rate", at).place
            yield place.fault(f"no burn rate is told over {long} and {short}: it is over {known}")


def _table(part: SeverityPart) -> Sequence[BurnRate]:
    if part.burn_rate is None:
        return BURN_RATE
    return tuple(
        BurnRate(long=long, short=short, factor=factor, score=score)
        for long, short, factor, score in part.burn_rate
    )


def _objectives(document: Document, root: Node) -> Iterator[tuple[float, Place]]:
    for at, agent in enumerate(document.agents):
        for stream, objective in agent.slo.items():
            yield objective, root.nearest("agents", at, "slo", stream).place


def _never(table: Sequence[BurnRate], objective: float) -> list[BurnRate]:
    return [each for each in table if each.factor * (1 - objective) > 1 + 1e-9]


def _at_most(objective: float) -> str:
    most = floor(100 / (1 - objective) + 1e-6) / 100
    return f"with an objective of {100 * objective:g}% a burn rate is {most:g} at most"


def _listed(pairs: Sequence[BurnRate]) -> str:
    return " and ".join(f"{each.factor:g} over {each.long}/{each.short}" for each in pairs)
