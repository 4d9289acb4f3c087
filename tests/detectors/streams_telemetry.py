"""Streams for the laws: every event is whole and in time; then a third lack their cost and tenant."""

import random
from collections.abc import Iterator

from schemas.event import Event
from tests.detectors.agent_events import START_S, event

_EVERY_S = 5.0


def _call(at: int, draw: random.Random, bad: float) -> Event:
    """A call of a model. `bad`: chance that it has no cost and no tenant."""
    is_bad = draw.random() < bad
    at_s = START_S + at * _EVERY_S
    usage = {"input_tokens": 100, "output_tokens": 10, **({} if is_bad else {"cost_amount": 0.01})}
    who = {
        "conversation": {"id": f"c{at // 9}"},
        "tenant": {} if is_bad else {"id": "t"},
        "service": {"name": "api"},
    }
    return event(at_s, request={"model": "m"}, usage=usage, **who)


def calls(count: int, seed: int, bad_from: int) -> Iterator[Event]:
    draw = random.Random(seed)
    for at in range(count):
        yield _call(at, draw, 0.33 if at >= bad_from else 0.002)


def stable() -> Iterator[Event]:
    """Seven hours of it."""
    yield from calls(5040, 1, 5040)


def positive() -> Iterator[Event]:
    """Two hours of it, then the bad ones."""
    yield from calls(2000, 2, 1440)


TROUBLE_S, FOUND_WITHIN_S = 7_200.0, 600.0
"""When it begins, in seconds after the start, and how many later something is said of it."""
