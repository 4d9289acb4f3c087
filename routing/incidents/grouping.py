"""Groups: which signals of a route belong to one incident, and the incident's id."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from routing.policy import Route
from routing.tree import matching
from schemas.identity import canonical, derived
from schemas.signal import DRILL


class Group(Struct, frozen=True):
    """One group of one route. `key` is its identity: the route's id, its receiver and the group's labels."""

    route: Route
    labels: dict[str, str]
    key: str


def group(route: Route, labels: Mapping[str, str]) -> Group:
    """The group of `route` for a signal with `labels`. Labels that are absent or empty do not count.

    What belongs to a fire drill is a group of its own, whatever the route groups by.
    """
    names = labels if route.group_by is None else route.group_by
    own = {name: labels[name] for name in sorted({*names, DRILL}) if labels.get(name)}
    return Group(route, own, f"{route.id}\n{route.receiver}\n{canonical(own)}")


def overflow(root: Route, labels: Mapping[str, str]) -> Group:
    """The group of the root route that takes what has no room of its own; a drill's is apart."""
    own = {name: labels[name] for name in (DRILL,) if labels.get(name)} | {"overflow": "incidents"}
    return Group(root, own, f"{root.id}\n{root.receiver}\n{canonical(own)}")


def groups_of(root: Route, labels: Mapping[str, str]) -> tuple[Group, ...]:
    """The groups a signal belongs to, in the order of the tree, each once."""
    found = (group(route, labels) for route in matching(root, labels))
    return tuple({each.key: each for each in found}.values())


def incident_id(key: str, opened: datetime) -> str:
    """The id of the incident that the group `key` opens at `opened`."""
    return derived("inc", key, opened.isoformat())
