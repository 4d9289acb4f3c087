"""Streams for the laws: calls of about a cent; then a tenant's cost six times as much, past the budget."""

import random
from collections.abc import Iterator

from detectors.settings import Watch
from schemas.event import Event
from tests.detectors.agent_events import START_S, event

WATCH = Watch(budget_usd=14.0, budget_period="hour")
"""A stable hour costs about ten dollars."""
_EVERY_S = 4.0
_CALLS = 5


def _call(at: int, draw: random.Random, times: float) -> Iterator[Event]:
    """One call of a session, and after its fifth the session's end. `times`: how dear it is."""
    at_s = START_S + at * _EVERY_S
    session = {"id": f"c{at // _CALLS}"}
    cost = 0.01 * draw.lognormvariate(0.0, 0.5) * times
    usage = {"input_tokens": 1000, "output_tokens": 100, "cost_amount": cost, "cost_currency": "USD"}
    tenant = {"id": "t1" if times > 1 or at // _CALLS % 4 == 0 else "t2"}
    yield event(at_s, request={"model": "gpt-4.1"}, usage=usage, conversation=session, tenant=tenant)
    if at % _CALLS == _CALLS - 1:
        yield event(at_s + 1, "invoke_agent", "agent.session.v1", conversation={**session, "state": "ended"})


def stable() -> Iterator[Event]:
    """Six hours of ordinary calls."""
    draw = random.Random(1)
    for at in range(5400):
        yield from _call(at, draw, 1.0)


def positive() -> Iterator[Event]:
    """Two hours of ordinary calls, then a quarter of an hour of dear ones."""
    draw = random.Random(2)
    for at in range(2025):
        yield from _call(at, draw, 1.0 if at < 1800 else 6.0)


TROUBLE_S, FOUND_WITHIN_S = 7_200.0, 180.0
"""When it begins, in seconds after the start, and how many later something is said of it."""
