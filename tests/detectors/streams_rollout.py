"""Streams for the laws: a canary that equals control; then one whose sessions fail eight times as often."""

import random
from collections.abc import Iterator

from schemas.event import Event
from tests.detectors.agent_events import START_S, event

_EVERY_S = 10.0


def session(
    at_s: float, draw: random.Random, share: float = 0.3, worse: float = 0.05, **more: str
) -> Iterator[Event]:
    """A session from start to evaluation, with two calls. `worse`: how often a canary fails."""
    canary = draw.random() < share
    release = {"id": "v2" if canary else "v1", "cohort": "canary" if canary else "control", **more}
    common = {"conversation": {"id": f"c{at_s:.1f}"}, "release": release}
    usage = {"input_tokens": draw.randrange(500, 1500), "output_tokens": 100, "cost_currency": "USD"}
    cost = 0.01 * draw.lognormvariate(0.0, 0.5)
    slip = {"error": {"type": "not_found", "class": "non_retryable"}} if draw.random() < 0.1 else {}
    yield _edge(at_s, "started", common)
    yield event(at_s + 1, request={"model": "m"}, usage={**usage, "cost_amount": cost}, **common)
    yield event(at_s + 2, "execute_tool", tool={"name": "lookup"}, **common, **slip)
    lost = draw.random() < (worse if canary else 0.05)
    yield _edge(at_s + 2 + draw.random(), "ended", common, lost=lost)
    score = {"name": "reward", "score_value": float(draw.random() < 0.6)}
    yield event(at_s + 5, "invoke_agent", "agent.evaluation.v1", evaluation=score, **common)


def _edge(at_s: float, state: str, common: dict, *, lost: bool = False) -> Event:
    conversation = {**common["conversation"], "state": state}
    error = {"error": {"type": "agent_error", "class": "non_retryable"}} if lost else {}
    return event(
        at_s, "invoke_agent", "agent.session.v1", **{**common, "conversation": conversation}, **error
    )


def step(at_s: float, share: float, release: str = "v2") -> Event:
    """A step of the rollout."""
    said = {"id": release, "kind": "rollout_step", "share": share}
    return event(at_s, "rollout", "agent.release.v1", release=said)


def stable() -> Iterator[Event]:
    """Six hours with two canaries, one after the other, that equal control."""
    draw = random.Random(1)
    for begin, release in ((0, "v2"), (1080, "v3")):
        yield step(START_S + begin * _EVERY_S, 0.3, release)
        for at in range(begin, begin + 1080):
            yield from session(START_S + 1 + at * _EVERY_S, draw, id=release)


def positive() -> Iterator[Event]:
    """An hour and a half with a canary that fails in two of five sessions."""
    draw = random.Random(2)
    yield step(START_S, 0.3)
    for at in range(540):
        yield from session(START_S + 1 + at * _EVERY_S, draw, worse=0.4)


TROUBLE_S, FOUND_WITHIN_S = 0.0, 2_700.0
"""When it begins, in seconds after the start, and how many later something is said of it."""
