"""Streams for the laws: calls of a model and three tools with everyday failures; then one tool is down."""

import random
from collections.abc import Iterator

from schemas.event import Event
from tests.detectors.agent_events import START_S, event

_EVERY_S = 20.0
_TOOLS = ("lookup", "search", "refund")


def _session(at_s: float, draw: random.Random, bad: float) -> Iterator[Event]:
    """A session with calls that begin and end. `bad`: chance that a refund times out, in [0, 1]."""
    name = {"id": f"c{at_s:.0f}"}
    slip = {"error": {"type": "503", "class": "retryable"}} if draw.random() < 1 / 200 else {}
    spent = {"duration": draw.lognormvariate(0.3, 0.5)}
    yield event(at_s, "chat", provider={"name": "openai"}, conversation=name, operation=spent, **slip)
    for at, tool in enumerate(_TOOLS, 1):
        own = {"tool": {"name": tool}, "conversation": name}
        which = {"id": f"{at_s:.0f}-{tool}"}
        yield event(at_s + 2 * at, "execute_tool", **own, operation={**which, "state": "started"})
        fails = draw.random() < (bad if tool == "refund" else 1 / 200)
        slip = {"error": {"type": "timeout", "class": "retryable"}} if fails else {}
        spent = {**which, "duration": draw.lognormvariate(-1.0, 0.5)}
        yield event(at_s + 2 * at + 1, "execute_tool", **own, operation=spent, **slip)
    end = {"conversation": {**name, "state": "ended"}}
    yield event(at_s + 9, "invoke_agent", "agent.session.v1", **end)


def stable() -> Iterator[Event]:
    """Half a day of ordinary sessions."""
    draw = random.Random(1)
    for at in range(2160):
        yield from _session(START_S + at * _EVERY_S, draw, 0.005)


def positive() -> Iterator[Event]:
    """Ordinary sessions for an hour and a half, then half an hour in which most refunds time out."""
    draw = random.Random(2)
    for at in range(360):
        yield from _session(START_S + at * _EVERY_S, draw, 0.005 if at < 270 else 0.7)


TROUBLE_S, FOUND_WITHIN_S = 5_400.0, 300.0
"""When it begins, in seconds after the start, and how many later something is said of it."""
