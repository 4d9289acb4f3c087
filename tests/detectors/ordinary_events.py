"""An ordinary agent for as long as one likes: sessions with questions, answers, tools, grades, approvals.

Nothing about it changes, but everything in it is random: what is found in it is found falsely.
"""

import random
from collections.abc import Iterator
from itertools import count, islice

from schemas.event import Event
from tests.detectors.agent_events import START_S, event

SESSION_EVERY_S = 20.0
TOOLS = ("search", "lookup", "refund", "book")
_THINGS = (
    "order",
    "parcel",
    "invoice",
    "refund",
    "voucher",
    "account",
    "address",
    "delivery",
    "return",
    "size",
)
_VERBS = (
    "where is",
    "please change",
    "cancel",
    "I want to pay",
    "what about",
    "help with",
    "check",
    "update",
)


def ordinary(events: int, seed: int = 1) -> Iterator[Event]:
    """So many events, in order of time, of about 25 a minute."""
    draw = random.Random(seed)
    return islice(_merged(draw), events)


def _merged(draw: random.Random) -> Iterator[Event]:
    """Sessions begin at random and overlap."""
    at_s, waiting = START_S, []
    for number in count():
        at_s += draw.expovariate(1 / SESSION_EVERY_S)
        ready = [each for each in waiting if each.time.timestamp() <= at_s]
        waiting = [each for each in waiting if each.time.timestamp() > at_s]
        yield from ready
        waiting = sorted([*waiting, *_session(number, at_s, draw)], key=lambda each: each.time)


def _session(number: int, at_s: float, draw: random.Random) -> Iterator[Event]:
    who = {
        "conversation": {"id": f"c{number}"},
        "tenant": {"id": f"t{number % 7}"},
        "user": {"id": f"u{number % 89}"},
        "agent": {"name": "made-up", "version": "1.4"},
    }
    start = {**who, "conversation": {"id": f"c{number}", "state": "started"}}
    yield event(at_s, "invoke_agent", "agent.session.v1", **start)
    for _ in range(1 + min(6, int(draw.expovariate(0.8)))):
        at_s += draw.expovariate(0.5)
        text = " ".join(f"{draw.choice(_VERBS)} my {draw.choice(_THINGS)}" for _ in range(draw.randint(1, 3)))
        yield event(at_s, "receive_input", input={"text": text}, **who)
        at_s += draw.lognormvariate(0.5, 0.4)
        yield _answer(at_s, draw, who)
        if draw.random() < 0.5:
            at_s += draw.expovariate(1)
            yield _call(at_s, draw, who)
    if draw.random() < 0.1:
        grade = {"name": "helpfulness", "score_value": round(min(1.0, max(0.0, draw.gauss(0.8, 0.1))), 3)}
        yield event(at_s + 1, "evaluate", "agent.evaluation.v1", evaluation=grade, **who)
    if draw.random() < 0.03:
        yield from _approval(number, at_s, draw, who)
    failed = {"error": {"type": "Lost", "class": "non_retryable"}} if draw.random() < 0.003 else {}
    end = {**who, "conversation": {"id": f"c{number}", "state": "ended"}}
    yield event(at_s + 2, "invoke_agent", "agent.session.v1", **end, **failed)


def _answer(at_s: float, draw: random.Random, who: dict) -> Event:
    took, tokens = draw.lognormvariate(0.5, 0.4), int(draw.lognormvariate(5.5, 0.5))
    failed = draw.random() < 0.002
    return event(
        at_s,
        "chat",
        operation={"duration": took},
        provider={"name": "acme"},
        request={"model": "m-1"},
        response={
            "finish_reasons": ["length" if draw.random() < 0.01 else "stop"],
            "time_to_first_chunk": took / 4,
        },
        usage={
            "input_tokens": 4 * tokens, "output_tokens": tokens,
            "cost_amount": tokens * 2e-5, "cost_currency": "USD",
        },
        **({"error": {"type": "Timeout"}} if failed else {}),
        **who,
    )  # fmt: skip


def _call(at_s: float, draw: random.Random, who: dict) -> Event:
    failed = {"error": {"type": "Timeout"}} if draw.random() < 0.004 else {}
    return event(
        at_s,
        "execute_tool",
        operation={"duration": draw.lognormvariate(-1, 0.5)},
        tool={"name": draw.choice(TOOLS), "arguments_digest": f"d{draw.randrange(10**6)}"},
        **failed,
        **who,
    )


def _approval(number: int, at_s: float, draw: random.Random, who: dict) -> Iterator[Event]:
    wait = draw.lognormvariate(4, 0.7)
    asked = {"id": f"a{number}", "state": "requested", "consequence": "high"}
    yield event(at_s, "refund", "agent.approval.v1", approval=asked, **who)
    said = {"id": f"a{number}", "state": "approved", "approver": f"p{number % 5}", "wait": wait}
    yield event(at_s + wait, "refund", "agent.approval.v1", approval=said, **who)
    yield event(at_s + wait + 1, "refund", operation={"consequence": "high"}, **who)
