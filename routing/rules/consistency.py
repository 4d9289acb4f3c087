"""What is well-formed and refers to what exists, and still cannot work."""

import re
from collections.abc import Iterator
from itertools import pairwise

from routing.planned_drills import DRILLED
from routing.rules.burning import burn_rate_faults
from routing.rules.detectors_named import detector_faults
from routing.rules.document.document import Document
from routing.rules.document.people import SchedulePart, StepPart
from routing.rules.faults import Fault
from routing.rules.inheritance import route_faults
from routing.rules.masking import pattern_faults
from routing.rules.planning import silence_of
from routing.rules.suggestions import meant
from routing.rules.yaml_tree import Node
from routing.schedule import moment_of

ALWAYS_REACHABLE = "terminal"
"""The channel that needs no contact: it is the process's own terminal."""
GLOB = re.compile(r"[*?\[]")
BANDS = ("critical", "error", "warning", "info")


def consistency_faults(document: Document, root: Node) -> Iterator[Fault]:
    """Routes that Alertmanager refuses, people without a contact, overrides and bands out of order."""
    yield from route_faults(document.route, root.nearest("route"))
    yield from _unreachable(document, root)
    yield from _unheard_of(document, root)
    for name, schedule in document.schedules.items():
        yield from _backward(schedule, root.nearest("schedules", name))
    yield from _hasty(document, root)
    yield from _bands(document, root)
    yield from _backward_silences(document, root)
    yield from _drills(document, root)
    yield from burn_rate_faults(document, root)
    yield from detector_faults(document, root)
    yield from pattern_faults(document, root)


def _drills(document: Document, root: Node) -> Iterator[Fault]:
    """Drills of what cannot be drilled, and two by one name."""
    names: set[str] = set()
    for at, drill in enumerate(document.drills):
        if drill.name in names:
            yield root.nearest("drills", at, "name").place.fault(f'there is a drill "{drill.name}" already')
        names.add(drill.name)
        if GLOB.search(drill.agent):
            place = root.nearest("drills", at, "agent").place
            yield place.fault(f'expected the name of one agent, found a pattern "{drill.agent}"')
        if drill.scenario not in DRILLED:
            place = root.nearest("drills", at, "scenario").place
            known = f"expected one of {', '.join(DRILLED)}"
            yield place.fault(f'no scenario "{drill.scenario}"{meant(drill.scenario, DRILLED)}: {known}')


def _hasty(document: Document, root: Node) -> Iterator[Fault]:
    """Escalations of which all rounds would be climbed at one instant."""
    for name, escalation in document.escalations.items():
        waits = any(step.wait is None or step.wait for step in escalation.steps)
        if escalation.repeat and not waits:
            place = root.nearest("escalations", name, "repeat").place
            yield place.fault(
                "its steps do not wait: expected a wait in one of them, such as 5m, or no repeat"
            )


def _unreachable(document: Document, root: Node) -> Iterator[Fault]:
    for name, escalation in document.escalations.items():
        for at, step in enumerate(escalation.steps):
            for user in _people(step, document) if step.via else ():
                contacts = document.users[user].contacts if user in document.users else None
                if (
                    contacts is None
                    or ALWAYS_REACHABLE in step.via
                    or any(kind in contacts for kind in step.via)
                ):
                    continue
                node = root.nearest("escalations", name, "steps", at, "via")
                yield node.place.fault(f'user "{user}" has no contact for any of: {", ".join(step.via)}')


def _unheard_of(document: Document, root: Node) -> Iterator[Fault]:
    """Channels that people prefer and have no contact for."""
    for name, user in document.users.items():
        for at, preference in enumerate(user.contact):
            for number, kind in enumerate(preference.via):
                if kind not in user.contacts and kind != ALWAYS_REACHABLE:
                    place = root.nearest("users", name, "contact", at, "via", number).place
                    yield place.fault(f'user "{name}" has no contact {kind}')


def _people(step: StepPart, document: Document, by: tuple[str, ...] = ()) -> tuple[str, ...]:
    """All who may be reached by a step, each once; of a team those of its first step. `by`: teams so far."""
    found: dict[str, None] = {}
    for party in step.notify:
        if party.user is not None:
            found[party.user] = None
        schedule = document.schedules.get(party.schedule or "")
        for layer in schedule.layers if schedule else ():
            found |= dict.fromkeys(layer.users)
        for override in schedule.overrides if schedule else ():
            found[override.user] = None
        for swap in schedule.swaps if schedule else ():
            found |= dict.fromkeys(swap.users)
        team = party.team or ""
        for first in _first_step(team, document) if team not in by else ():
            found |= dict.fromkeys(_people(first, document, (*by, team)))
    return tuple(found)


def _first_step(name: str, document: Document) -> tuple[StepPart, ...]:
    team = document.teams.get(name)
    escalation = document.escalations.get(team.escalation or name) if team else None
    return escalation.steps[:1] if escalation else ()


def _backward(schedule: SchedulePart, node: Node) -> Iterator[Fault]:
    for at, override in enumerate(schedule.overrides):
        start, end = (moment_of(each, schedule.timezone) for each in (override.start, override.end))
        if start >= end:
            yield node.nearest("overrides", at).place.fault("the override ends before it starts")
    for at, swap in enumerate(schedule.swaps):
        start, end = (moment_of(each, schedule.timezone) for each in (swap.start, swap.end))
        if start >= end:
            yield node.nearest("swaps", at).place.fault("the swap ends before it starts")


def _backward_silences(document: Document, root: Node) -> Iterator[Fault]:
    for at, part in enumerate(document.silences):
        planned = silence_of(part)
        if planned.start and planned.end and planned.start >= planned.end:
            yield root.nearest("silences", at, "end").place.fault("the silence ends before it starts")


def _bands(document: Document, root: Node) -> Iterator[Fault]:
    bands = document.severity.bands
    given = [name for name in BANDS if name in bands]
    node = root.nearest("severity", "bands")
    for higher, lower in pairwise(given):
        if bands[higher] <= bands[lower]:  # type: ignore[index] # both are keys of it
            yield node.keys[higher].fault(f"{higher} must begin above {lower}")
