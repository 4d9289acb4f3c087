"""Names that point elsewhere in the configuration: to a receiver, a person, a team, a schedule."""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from routing.rules.document.alertmanager import RoutePart
from routing.rules.document.document import Document
from routing.rules.document.notify import KINDS
from routing.rules.document.people import EscalationPart, SchedulePart
from routing.rules.faults import Fault
from routing.rules.suggestions import instead
from routing.rules.yaml_tree import Node, Place

Path = tuple[str | int, ...]
_LABEL = re.compile(r"\{\{\s*labels\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_NAMED = ("receivers", "time_intervals", "mute_time_intervals")
_KEYED = ("messages", "users", "teams", "schedules", "escalations")
_WORDS = {
    "receivers": "receiver",
    "time_intervals": "time interval",
    "messages": "message",
    "users": "user",
    "teams": "team",
    "schedules": "schedule",
    "escalations": "escalation",
    "reached": "team or escalation",
    "channels": "channel",
}


class Reference(Struct, frozen=True):
    """At `path`, `name` is said to be one of `section`."""

    path: Path
    section: str
    name: str


def names_in(root: Node) -> Mapping[str, tuple[str, ...]]:
    """What may be referred to, by section: read from the tree itself, so that a faulty entry still counts."""
    keyed = {
        section: tuple((root.at(section) or root).keys) if root.at(section) else () for section in _KEYED
    }
    named = {section: tuple(_names(root, section)) for section in _NAMED}
    return {
        **keyed,
        "receivers": named["receivers"],
        "time_intervals": named["time_intervals"] + named["mute_time_intervals"],
        "reached": keyed["teams"] + keyed["escalations"],
        "channels": KINDS,
    }


def reference_faults(document: Document, root: Node, names: Mapping[str, tuple[str, ...]]) -> Iterator[Fault]:
    """Each reference to what is not there, and each receiver and time interval that is there twice."""
    known = {section: frozenset(found) for section, found in names.items()}
    for each in _references(document):
        if each.name not in known[each.section]:
            hint = instead(each.name, names[each.section])
            yield root.nearest(*each.path).place.fault(f'no {_WORDS[each.section]} "{each.name}"{hint}')
    for section in _NAMED:
        yield from _twice(root, section)


def _references(document: Document) -> Iterator[Reference]:
    yield from _of_route(document.route, ("route",))
    yield from _of_receivers(document)
    for at, agent in enumerate(document.agents):
        if agent.team:
            yield Reference(("agents", at, "team"), "teams", agent.team)
    for name, team in document.teams.items():
        path: Path = ("teams", name, "escalation") if team.escalation else ("teams", name)
        yield Reference(path, "escalations", team.escalation or name)
    for name, schedule in document.schedules.items():
        yield from _of_schedule(schedule, ("schedules", name))
    for name, escalation in document.escalations.items():
        yield from _of_escalation(escalation, ("escalations", name))
    yield from _of_tests(document)


def _of_tests(document: Document) -> Iterator[Reference]:
    for at, test in enumerate(document.tests):
        for field, named in (("receivers", test.expect.receivers), ("told", test.expect.told)):
            for number, receiver in enumerate(named or ()):
                yield Reference(("tests", at, "expect", field, number), "receivers", receiver)


def _of_route(route: RoutePart, path: Path) -> Iterator[Reference]:
    if route.receiver is not None:
        yield Reference((*path, "receiver"), "receivers", route.receiver)
    for field, names in (("mute_time_intervals", route.mute_time_intervals),
                         ("active_time_intervals", route.active_time_intervals)):  # fmt: skip
        for at, name in enumerate(names):
            yield Reference((*path, field, at), "time_intervals", name)
    for at, child in enumerate(route.routes):
        yield from _of_route(child, (*path, "routes", at))


def _of_receivers(document: Document) -> Iterator[Reference]:
    for at, receiver in enumerate(document.receivers):
        for number, entry in enumerate(receiver.notify):
            path: Path = ("receivers", at, "notify", number)
            if entry.template:
                yield Reference((*path, "template"), "messages", entry.template)
            if entry.escalation is not None and not _LABEL.search(entry.escalation):
                yield Reference((*path, "escalation"), "reached", entry.escalation)
            if entry.fallback:
                yield Reference((*path, "fallback"), "reached", entry.fallback)


def _of_schedule(schedule: SchedulePart, path: Path) -> Iterator[Reference]:
    for at, layer in enumerate(schedule.layers):
        for number, user in enumerate(layer.users):
            yield Reference((*path, "layers", at, "users", number), "users", user)
    for at, override in enumerate(schedule.overrides):
        yield Reference((*path, "overrides", at, "user"), "users", override.user)
    for at, swap in enumerate(schedule.swaps):
        for number, user in enumerate(swap.users):
            yield Reference((*path, "swaps", at, "users", number), "users", user)


def _of_escalation(escalation: EscalationPart, path: Path) -> Iterator[Reference]:
    for at, step in enumerate(escalation.steps):
        here: Path = (*path, "steps", at)
        for number, party in enumerate(step.notify):
            if party.schedule is not None:
                yield Reference((*here, "notify", number, "schedule"), "schedules", party.schedule)
            if party.user is not None:
                yield Reference((*here, "notify", number, "user"), "users", party.user)
            if party.team is not None:
                yield Reference((*here, "notify", number, "team"), "teams", party.team)
        for number, kind in enumerate(step.via):
            yield Reference((*here, "via", number), "channels", kind)
    if escalation.exhausted is not None:
        yield Reference((*path, "exhausted", "receiver"), "receivers", escalation.exhausted.receiver)


def _names(root: Node, section: str) -> Iterator[str]:
    for node in _name_nodes(root, section):
        yield node.text


def _name_nodes(root: Node, section: str) -> Iterator[Node]:
    for entry in root.nearest(section).entries:
        if (node := entry.child("name")) and node.text:
            yield node


def _twice(root: Node, section: str) -> Iterator[Fault]:
    first: dict[str, Place] = {}
    for node in _name_nodes(root, section):
        if node.text in first:
            place = first[node.text]
            where = f"first at {place.file}:{place.line}"
            yield node.place.fault(f'"{node.text}" stands twice in {section} ({where})')
        first.setdefault(node.text, node.place)
