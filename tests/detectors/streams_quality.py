"""Streams for the laws: one answer in 50 is cut short, scores are about 0.8; then a fifth, and 0.5."""

import random
from collections.abc import Iterator

from schemas.event import Event
from tests.detectors.agent_events import START_S, event

_EVERY_S = 10.0


def _answer(at: int, draw: random.Random, short: float, score: float) -> Iterator[Event]:
    """An answer of a session, and the session's score. `short`: chance that it is cut short."""
    at_s = START_S + at * _EVERY_S
    session, tenant = {"id": f"c{at}"}, {"id": "t1" if short > 0.1 or at % 4 == 0 else "t2"}
    reason = "length" if draw.random() < short else draw.choice(("stop", "stop", "tool_calls"))
    response = {"model": draw.choice(("small", "large")), "finish_reasons": [reason]}
    yield event(at_s, response=response, usage={"output_tokens": 50}, conversation=session, tenant=tenant)
    value = min(1.0, max(0.0, draw.gauss(score, 0.15)))
    scored = {"name": "helpfulness", "score_value": value}
    yield event(
        at_s + 1, "evaluate", "agent.evaluation.v1", evaluation=scored, conversation=session, tenant=tenant
    )


def stable() -> Iterator[Event]:
    """Fifteen hours of it."""
    draw = random.Random(1)
    for at in range(5400):
        yield from _answer(at, draw, 0.02, 0.8)


def positive() -> Iterator[Event]:
    """Three hours of it, then a worse one."""
    draw = random.Random(2)
    for at in range(1440):
        yield from _answer(at, draw, *((0.02, 0.8) if at < 1080 else (0.2, 0.5)))


TROUBLE_S, FOUND_WITHIN_S = 10_800.0, 1_200.0
"""When it begins, in seconds after the start, and how many later something is said of it."""
