"""Streams for the laws: calls of about two seconds; then those of one tenant take four times as long."""

import random
from collections.abc import Iterator

from schemas.event import Event
from tests.detectors.agent_events import START_S, event

_EVERY_S = 3.0


def _call(at: int, draw: random.Random, times: float) -> Event:
    """One call; `times`: how slow it is. Every second one streams, two of three queue."""
    first = 0.4 * draw.lognormvariate(0.0, 0.3) * times
    data = {
        "request": {"model": "gpt-4.1"},
        "tenant": {"id": "t1" if times > 1 or at % 4 == 0 else "t2"},
        "conversation": {"id": f"c{at // 5}"},
        "operation": {"duration": first + 1.6 * draw.lognormvariate(0.0, 0.5)},
        "limits": {"concurrency": 3 + at % 4, "concurrency_max": 10, "queue_wait": 0.02 * (at % 3)},
    }
    if at % 2:
        data["response"] = {"time_to_first_chunk": first}
    return event(START_S + at * _EVERY_S, **data)


def stable() -> Iterator[Event]:
    """Twelve hours of ordinary calls."""
    draw = random.Random(1)
    for at in range(14_400):
        yield _call(at, draw, 1.0)


def positive() -> Iterator[Event]:
    """Two hours of ordinary calls, then a quarter of an hour of slow ones."""
    draw = random.Random(2)
    for at in range(2700):
        yield _call(at, draw, 1.0 if at < 2400 else 16.0)


TROUBLE_S, FOUND_WITHIN_S = 7_200.0, 180.0
"""When it begins, in seconds after the start, and how many later something is said of it."""
