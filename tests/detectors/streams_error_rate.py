"""Streams for the laws: one session in 500 fails and one tool call in 40; then every third session does."""

import random
from collections.abc import Iterator

from schemas.event import Event
from tests.detectors.agent_events import START_S, event

_EVERY_S = 20.0


def _session(at_s: float, draw: random.Random, bad: float) -> Iterator[Event]:
    """A session with one tool call and its end; `bad`: chance that it fails, in [0, 1]."""
    name = {"id": f"c{at_s:.0f}"}
    slip = {"error": {"type": "not_found", "class": "non_retryable"}} if draw.random() < 1 / 40 else {}
    yield event(at_s, "execute_tool", tool={"name": "lookup"}, conversation=name, **slip)
    end = {"error": {"type": "agent_error", "class": "non_retryable"}} if draw.random() < bad else {}
    yield event(at_s + 5, "invoke_agent", "agent.session.v1", conversation={**name, "state": "ended"}, **end)


def stable() -> Iterator[Event]:
    """Half a day of ordinary sessions."""
    draw = random.Random(1)
    for at in range(2160):
        yield from _session(START_S + at * _EVERY_S, draw, 0.002)


def positive() -> Iterator[Event]:
    """Ordinary sessions for an hour and a half, then half an hour in which a third fail."""
    draw = random.Random(2)
    for at in range(360):
        yield from _session(START_S + at * _EVERY_S, draw, 0.002 if at < 270 else 0.33)


TROUBLE_S, FOUND_WITHIN_S = 5_400.0, 300.0
"""When it begins, in seconds after the start, and how many later something is said of it."""
