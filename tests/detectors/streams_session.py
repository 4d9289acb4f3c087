"""Streams for the laws: sessions of about ten calls; then one of them loops for hundreds."""

import random
from collections.abc import Iterator

from schemas.event import Event
from tests.detectors.agent_events import START_S, event

_EVERY_S = 30.0


def _session(at: int, draw: random.Random, calls: int) -> Iterator[Event]:
    """A session of so many calls, two seconds apart, with its begin and end."""
    name, at_s = {"id": f"c{at}"}, START_S + at * _EVERY_S
    yield event(at_s, "invoke_agent", "agent.session.v1", conversation={**name, "state": "started"})
    for call in range(calls):
        tool = {"name": "lookup", "arguments_digest": f"d{call if calls < 100 else call % 2}"}
        usage = {"input_tokens": int(900 * draw.lognormvariate(0, 0.5)), "cost_amount": 0.01}
        yield event(at_s + 0.2 * call, "execute_tool", conversation=name, tool=tool, usage=usage)
    ended = {**name, "state": "ended"}
    yield event(at_s + 0.2 * calls, "invoke_agent", "agent.session.v1", conversation=ended)


def stable() -> Iterator[Event]:
    """Six hours of ordinary sessions."""
    draw = random.Random(1)
    for at in range(720):
        yield from _session(at, draw, 3 + int(6 * draw.lognormvariate(0, 0.4)))


def positive() -> Iterator[Event]:
    """Two hours of ordinary sessions, then one in ten makes a hundred calls and more."""
    draw = random.Random(2)
    for at in range(260):
        long = at >= 240 and at % 10 == 0
        yield from _session(at, draw, 120 if long else 3 + int(6 * draw.lognormvariate(0, 0.4)))


TROUBLE_S, FOUND_WITHIN_S = 7_200.0, 60.0
"""When it begins, in seconds after the start, and how many later something is said of it."""
