"""Streams for the laws: about one event a minute for days; then nothing for an hour and a half."""

import random
from collections.abc import Iterator

from schemas.event import Event
from tests.detectors.agent_events import START_S, event


def _minutes(count: int, seed: int) -> Iterator[Event]:
    draw = random.Random(seed)
    for at in range(count):
        yield event(START_S + at * 60 + draw.uniform(0, 50))


def stable() -> Iterator[Event]:
    """Eight days of it."""
    yield from _minutes(8 * 1440, 1)


def positive() -> Iterator[Event]:
    """Four days of it, an hour and a half of silence, and it speaks again."""
    yield from _minutes(4 * 1440, 2)
    for at in range(30):
        yield event(START_S + 4 * 86400 + 5400 + at * 60)


TROUBLE_S, FOUND_WITHIN_S = 345_600.0, 300.0
"""When it begins, in seconds after the start, and how many later something is said of it."""
