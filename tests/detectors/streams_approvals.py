"""Streams for the laws: approvals within minutes, operations after them; then nobody looks any more."""

import random
from collections.abc import Iterator

from schemas.event import Event
from tests.detectors.agent_events import START_S, event

_EVERY_S = 300.0


def _approval(at_s: float, number: int, state: str, **said: object) -> Event:
    approval = {"id": f"a{number}", "state": state, "consequence": "high", **said}
    session, tool = {"id": f"c{number}"}, {"name": _tool(number)}
    return event(at_s, "refund", "agent.approval.v1", approval=approval, conversation=session, tool=tool)


def _tool(number: int) -> str:
    """Of what trouble is, little else is: from 1,000 on."""
    return "wire" if number >= 1000 or number % 5 == 0 else "card"


def _round(at: int, draw: random.Random) -> list[Event]:
    """A request, its answer within ten minutes, and the operation."""
    at_s = START_S + at * _EVERY_S
    wait = draw.uniform(20, 600)
    done = {
        "operation": {"consequence": "high"},
        "conversation": {"id": f"c{at}"},
        "tool": {"name": _tool(at)},
    }
    return [
        _approval(at_s, at, "requested"),
        _approval(at_s + wait, at, "approved", approver=draw.choice(("ana", "bo"))),
        event(at_s + wait + 5, "refund", **done),
    ]


def rounds(count: int, seed: int) -> Iterator[Event]:
    draw = random.Random(seed)
    made = [each for at in range(count) for each in _round(at, draw)]
    yield from sorted(made, key=lambda each: each.time)


def stable() -> Iterator[Event]:
    """A week of it."""
    yield from rounds(2016, 1)


def positive() -> Iterator[Event]:
    """Half a day of it; then approvals by the dozen within seconds, operations without, and a full queue."""
    yield from rounds(144, 2)
    at_s = START_S + 146 * _EVERY_S
    for number in range(1000, 1030):
        yield _approval(at_s + number / 100, number, "requested")
    for number in range(1000, 1020):
        yield _approval(at_s + 20 + number / 100, number, "approved", approver="ana", wait=0.4)
    for number in range(2000, 2006):
        done = {"operation": {"consequence": "high"}, "tool": {"name": _tool(number)}}
        yield event(at_s + number, "refund", conversation={"id": f"d{number}"}, **done)
    for minute in range(60):
        yield event(at_s + 2100 + 60 * minute)


TROUBLE_S, FOUND_WITHIN_S = 43_800.0, 60.0
"""When it begins, in seconds after the start, and how many later something is said of it."""
