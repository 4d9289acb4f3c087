"""The way of a label set through the route tree: what each route asked, and what it found."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from routing.matchers import matches_all
from routing.policy import Route

Verdict = Literal["takes it", "leads on", "does not match", "is not asked"]


class Condition(Struct, frozen=True):
    """One matcher of a route, and what the label set has there."""

    matcher: str
    found: str
    matches: bool


class Walked(Struct, frozen=True, kw_only=True):
    """A route and those below it. `is not asked`: an earlier sibling took it and does not continue."""

    id: str
    receiver: str
    verdict: Verdict
    conditions: tuple[Condition, ...] = ()
    continues: bool = False
    routes: tuple["Walked", ...] = ()


def walked(route: Route, labels: Mapping[str, str]) -> Walked:
    """The tree as a label set meets it. It agrees with `routing.tree.matching`."""
    if not matches_all(route.matchers, labels):
        return _met(route, labels, "does not match")
    below: list[Walked] = []
    is_over = False
    for child in route.routes:
        found = _met(child, labels, "is not asked") if is_over else walked(child, labels)
        below.append(found)
        is_over = is_over or (found.verdict in ("takes it", "leads on") and not child.continues)
    leads = any(each.verdict in ("takes it", "leads on") for each in below)
    return _met(route, labels, "leads on" if leads else "takes it", tuple(below))


def _met(route: Route, labels: Mapping[str, str], verdict: Verdict, below: tuple[Walked, ...] = ()) -> Walked:
    return Walked(
        id=route.id,
        receiver=route.receiver,
        verdict=verdict,
        conditions=tuple(
            Condition(str(each), labels.get(each.name, ""), each.matches(labels)) for each in route.matchers
        ),
        continues=route.continues,
        routes=below,
    )
