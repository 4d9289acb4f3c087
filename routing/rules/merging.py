"""Several files, one configuration: the main file has the route; the others add to its sections.

Nothing that one team's file says may reach another team's incidents: its routes, inhibitions, silences and
decisions need a matcher of its own team (`team="payments"`). The team is the file's `team:`, or its name.
They stand after the main file's leading routes that continue, and before those that end the search.
Files in a folder `conf.d` have no say in what concerns all: severity, limits, detectors and the like.
"""

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from msgspec import Struct

from routing.matchers import Matcher, MatcherSyntax, parse_matchers
from routing.rules.faults import Fault
from routing.rules.yaml_tree import Node, Place

LISTS = (
    "receivers", "inhibit_rules", "time_intervals", "mute_time_intervals", "templates", "silences", "agents",
    "errors", "rollouts", "decisions", "redact", "drills", "tests",
)  # fmt: skip
MAPPINGS = ("detectors", "prices", "messages", "users", "teams", "schedules", "escalations")
FOR_ALL = (
    "global", "severity", "limits", "detectors", "errors", "redact", "prices", "templates", "tracing",
    "mute_time_intervals",
)  # fmt: skip
OWN = {"inhibit_rules": "target_matchers", "silences": "matchers", "decisions": "matchers"}
ANY_AGENT = "*"


class Merged(Struct, frozen=True):
    """The one tree, and what does not fit together."""

    root: Node
    faults: tuple[Fault, ...]


def merge(roots: Sequence[Node]) -> Merged:
    """One tree of all files (at least one); the first that gives the root route a receiver is the main."""
    main = next((each for each in roots if each.at("route", "receiver")), roots[0])
    whole = Node(main.place, dict(main.fields), dict(main.keys))
    merging = _Merging(whole)
    for other in roots:
        if other is not main:
            merging.add(other)
    return Merged(whole, tuple(merging.faults))


class _Merging:
    def __init__(self, whole: Node) -> None:
        self.faults: list[Fault] = []
        self._whole = whole

    def add(self, other: Node) -> None:
        """Adds a further file."""
        team = _team(other)
        for section, node in other.fields.items():
            key = other.keys[section]
            if section in ("route", "routes"):
                self._routes(section, node, key, team)
            elif section in FOR_ALL and _is_teams(other.place.file):
                self._refuse(key, f"{section} concerns all teams: only the main file may have it")
            elif section not in ("team", "version"):
                self._section(section, node, key, team)

    def _routes(self, section: str, node: Node, key: Place, team: str) -> None:
        if section == "route":
            for word in (word for word in node.fields if word != "routes"):
                self._refuse(node.keys[word], f"only the main file may give the root route a {word}")
        added = node.child("routes") if section == "route" else node
        if added is None:
            return
        self._owned(added, "matchers", team)
        route = self._whole.child("route")
        if route is not None and route.fields:
            changed = Node(route.place, dict(route.fields), dict(route.keys))
            _put(self._whole, "route", changed, self._whole.keys["route"])
            self._append(changed, "routes", added, key)

    def _section(self, section: str, node: Node, key: Place, team: str) -> None:
        if section in OWN:
            self._owned(node, OWN[section], team)
        if section == "agents":
            self._agents(node, team)
        if section in LISTS:
            self._append(self._whole, section, node, key)
        elif section in MAPPINGS:
            self._unite(section, node, key)
        elif self._whole.child(section) is not None:
            self._refuse(key, f"{section} stands in {self._whole.keys[section].file} already")
        else:
            _put(self._whole, section, node, key)

    def _append(self, parent: Node, section: str, node: Node, key: Place) -> None:
        here = parent.child(section)
        if here is None or here.value is None:
            _put(parent, section, node, key)
        elif isinstance(here.value, list) and isinstance(node.value, list):
            both = _ORDERS.get(section, list.__add__)(here.entries, node.entries)
            _put(parent, section, Node(here.place, both), parent.keys[section])
        else:
            self._refuse(node.place, f"expected a list of {section}")

    def _unite(self, section: str, node: Node, key: Place) -> None:
        here = self._whole.child(section)
        if here is None or here.value is None:
            _put(self._whole, section, node, key)
        elif isinstance(here.value, dict) and isinstance(node.value, dict):
            united = Node(here.place, {**node.value, **here.value}, {**node.keys, **here.keys})
            for name in (name for name in node.value if name in here.value):
                first = here.keys[name]
                self._refuse(node.keys[name], f'"{name}" stands in {first.file}:{first.line} already')
            _put(self._whole, section, united, self._whole.keys[section])
        else:
            self._refuse(node.place, f"expected a mapping of {section}")

    def _owned(self, node: Node, field: str, team: str) -> None:
        """Each entry must concern the file's own team only."""
        for entry in node.entries:
            if Matcher("team", "=", team) not in tuple(_matchers(entry, field)):
                self._refuse(
                    entry.place, f'expected the matcher team="{team}" in {field}: this is the file of a team'
                )

    def _agents(self, node: Node, team: str) -> None:
        for entry in node.entries:
            if _text(entry, "team") != team or _text(entry, "name") == ANY_AGENT:
                self._refuse(entry.place, f"expected an agent of team {team}, and a name that is not * alone")

    def _refuse(self, place: Place, message: str) -> None:
        self.faults.append(place.fault(message))


def _team(root: Node) -> str:
    return _text(root, "team") or PurePath(root.place.file).stem


def _is_teams(file: str) -> bool:
    return PurePath(file).parent.name == "conf.d"


def _text(node: Node, key: str) -> str:
    child = node.child(key)
    return child.text if child is not None else ""


def _matchers(entry: Node, field: str) -> Iterator[Matcher]:
    given = entry.child(field)
    for each in given.entries if given is not None else ():
        try:
            yield from parse_matchers(each.text)
        except MatcherSyntax:
            continue  # told with the faults of shape


def _put(parent: Node, key: str, node: Node, place: Place) -> None:
    parent.fields[key] = node
    parent.keys[key] = place


def _after_what_continues(here: list[Node], added: list[Node]) -> list[Node]:
    """Routes that continue see everything first; those that end the search come after the teams' own."""
    first = next((at for at, each in enumerate(here) if _text(each, "continue") != "true"), len(here))
    return [*here[:first], *added, *here[first:]]


def _before_any_agent(here: list[Node], added: list[Node]) -> list[Node]:
    """The main file's entry for all other agents stays the last: the first match wins."""
    last = [each for each in here if _text(each, "name") == ANY_AGENT]
    return [*(each for each in here if each not in last), *added, *last]


_ORDERS = {"routes": _after_what_continues, "agents": _before_any_agent}
