"""An agent that fails from its very first event on: before any cell is closed, anything counted or known.

Several tools, versions, models, tenants and users come in an order that is not that of their names; failures
and what goes well alternate, so that what is counted late meets what is counted at once.
"""

import random
from collections.abc import Iterator

from schemas.event import Event
from tests.detectors.agent_events import START_S, event

_TOOLS = ("search", "book", "refund", "lookup", "archive")
_MODELS = ("m-2", "m-1", "m-3")
_ERRORS = ("timeout", "rate_limit_exceeded", "Broken", "user_not_found", "503")


def failing(sessions: int = 120, seed: int = 7) -> Iterator[Event]:
    """So many sessions within a few hours, in bursts; in the first ten nothing goes well."""
    draw = random.Random(seed)
    at_s = START_S + 2.5
    for number in range(sessions):
        for each in _session(number, at_s, draw):
            yield each
            at_s = each.time.timestamp() + draw.choice((0.0, 0.4, 1.7, 7.0))
        at_s += draw.choice((0.2, 0.5, 3.0, 20.0, 400.0))


def _session(number: int, at_s: float, draw: random.Random) -> Iterator[Event]:
    bad = 1.0 if number < 10 else 0.4
    arm = draw.choice(("canary", "control"))
    who = {
        "conversation": {"id": f"c{number}"},
        "agent": {"name": "made-up", "version": draw.choice(("2.0", "1.4", "1.10"))},
        "tenant": {"id": f"t{draw.randrange(5, 0, -1)}"},
        "user": {"id": f"u{draw.randrange(20)}"},
        "release": {"id": "r2", "cohort": arm, "stratum": draw.choice(("hard", "easy"))},
    }
    started = {**who, "conversation": {"id": f"c{number}", "state": "started"}}
    yield event(at_s, "invoke_agent", "agent.session.v1", **started, **_failed(draw, bad / 2))
    for step in range(draw.randint(1, 5)):
        at_s += draw.choice((0.0, 0.3, 2.0, 6.0))
        yield _call(at_s, step, draw, bad, who)
    for operation, kind, data in _beside(number, draw):
        yield event(at_s, operation, kind, **who, **data)
    ended = {**who, "conversation": {"id": f"c{number}", "state": "ended"}}
    yield event(at_s + 0.1, "invoke_agent", "agent.session.v1", **ended, **_failed(draw, bad))


def _call(at_s: float, step: int, draw: random.Random, bad: float, who: dict) -> Event:
    took = {
        "id": f"{who['conversation']['id']}-{step}",
        "duration": draw.lognormvariate(0, 1),
        "required": True,
    }
    failed = _failed(draw, bad)
    if draw.random() < 0.5:
        tool = {"name": draw.choice(_TOOLS), "arguments_digest": f"d{draw.randrange(3)}"}
        return event(at_s, "execute_tool", operation=took, tool=tool, **who, **failed)
    tokens = draw.randrange(50, 900)
    return event(
        at_s,
        "chat",
        operation=took,
        provider={"name": draw.choice(("acme", "zenith", "beta"))},
        request={"model": draw.choice(_MODELS)},
        response={"finish_reasons": [draw.choice(("length", "stop", "content_filter"))]},
        usage={
            "input_tokens": tokens,
            "output_tokens": 9,
            "cost_amount": tokens / 1e5,
            "cost_currency": "USD",
        },
        **who,
        **failed,
    )


def _failed(draw: random.Random, bad: float) -> dict:
    if draw.random() >= bad:
        return {}
    kind = draw.choice(("retryable", "non_retryable", "escalation"))
    return {"error": {"type": draw.choice(_ERRORS), "message": "it did not work", "class": kind}}


def _beside(number: int, draw: random.Random) -> Iterator[tuple[str, str, dict]]:
    """What other detectors look at: inputs, grades, requests to a person, resources of others."""
    features = {"size": draw.random(), "kind": draw.choice(("b", "a", "c"))}
    text = " ".join(draw.choices(("where", "order", "ignore", "instructions", "refund"), k=6))
    yield "receive_input", "agent.operation.v1", {"input": {"text": text, "features": features}}
    score = {"name": draw.choice(("tone", "helpful")), "score_value": draw.random()}
    yield "evaluate", "agent.evaluation.v1", {"evaluation": score}
    asked = {"id": f"a{number}", "state": draw.choice(("requested", "approved", "denied")), "approver": "p1"}
    yield "refund", "agent.approval.v1", {"approval": {**asked, "consequence": "high", "wait": 0.2}}
    owner = {"kind": "file", "id": f"f{number % 4}", "owner": f"t{draw.randrange(1, 6)}"}
    yield "read", "agent.operation.v1", {"isolation": {"resources": [owner]}}
