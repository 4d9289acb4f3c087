"""Streams for the laws: sessions of forty tenants, each with what is its own; then some meet others' data."""

import random
from collections.abc import Iterator

from schemas.event import Event
from tests.detectors.agent_events import START_S, event

_EVERY_S = 20.0


def _session(at: int, draw: random.Random, leak: float) -> Iterator[Event]:
    """One session: a call, and a memory read. `leak`: chance that the memory is another tenant's."""
    at_s = START_S + at * _EVERY_S
    own = draw.randrange(40)
    other = (own + 1 + draw.randrange(39)) % 40 if draw.random() < leak else own
    who = {
        "conversation": {"id": f"c{at}"},
        "tenant": {"id": f"t{own}"},
        "user": {"id": f"u{own}-{draw.randrange(9)}"},
    }
    memory = {"kind": "memory", "id": f"m{other}", "owner": f"t{other}", "access": "read"}
    yield event(at_s, **who)
    yield event(
        at_s + 1, "search_memory", **who, isolation={"resources": [memory], "honeytokens": [f"h{other}"]}
    )


def stable() -> Iterator[Event]:
    """Half a day in which everybody stays with their own."""
    draw = random.Random(1)
    for at in range(2160):
        yield from _session(at, draw, 0.0)


def positive() -> Iterator[Event]:
    """An hour and a half without a breach, then half an hour with some."""
    draw = random.Random(2)
    for at in range(360):
        yield from _session(at, draw, 0.0 if at < 270 else 0.2)


TROUBLE_S, FOUND_WITHIN_S = 5_400.0, 60.0
"""When it begins, in seconds after the start, and how many later something is said of it."""
