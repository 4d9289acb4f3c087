"""Streams for the laws: a hundred sessions an hour; then ten times as many, and later hardly any."""

import random
from collections.abc import Iterator

from schemas.event import Event
from tests.detectors.agent_events import START_S, event

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0
PER_HOUR = 100.0
TENANTS = ("acme", "beta", "corp", "dune")


def arrivals(
    begin_s: float, seconds: float, per_hour: float, seed: int, tenants: tuple[str, ...] = TENANTS
) -> Iterator[Event]:
    """The first calls of sessions that begin at random, `begin_s` seconds after the start."""
    draw, at = random.Random(seed), begin_s
    while (at := at + draw.expovariate(per_hour / HOUR_S)) < begin_s + seconds:
        yield began(at, f"c{seed}-{at:.3f}", draw.choice(tenants))


def began(at: float, name: str, tenant: str = "acme") -> Event:
    """The first call of a session."""
    about = {"name": "made-up", "version": "1.4"}
    return event(START_S + at, conversation={"id": name}, tenant={"id": tenant}, agent=about)


def stable() -> Iterator[Event]:
    """Eight days."""
    yield from arrivals(0, 8 * DAY_S, PER_HOUR, 1)


def positive() -> Iterator[Event]:
    """Four days, ten times as many for twenty minutes; three hours later hardly any, of one tenant."""
    begun = TROUBLE_S
    yield from arrivals(0, begun, PER_HOUR, 2)
    yield from arrivals(begun, 20 * MINUTE_S, 10 * PER_HOUR, 3, ("dune",))
    yield from arrivals(begun + 20 * MINUTE_S, 3 * HOUR_S, PER_HOUR, 4)
    yield from arrivals(begun + 200 * MINUTE_S, 1.5 * HOUR_S, 0.1 * PER_HOUR, 5, ("acme",))
    yield from arrivals(begun + 290 * MINUTE_S, HOUR_S, PER_HOUR, 6)


TROUBLE_S, FOUND_WITHIN_S = 4 * DAY_S, 600.0
"""When it begins, in seconds after the start, and how many later something is said of it."""
