"""Trouble with whole sessions: they fail, go astray, mix tenants up, come in crowds, stay away. Pure."""

from collections.abc import Iterator

from streams.drilling.bad_calls import TIMES_DEARER
from streams.drilling.pattern import Pattern
from streams.drilling.saying import APPROVAL, OPERATION, RELEASE, SESSION, Said, edge, model_call

RIPE_S = 900.0
"""A rollout scores a session so long after its begin, unless its rules say otherwise."""
CANARY = "drilled-canary"
LOST = {"type": "max_steps", "class": "non_retryable"}


def burst(pattern: Pattern) -> Iterator[Said]:
    """Every session fails."""
    del pattern
    for number in range(60):
        ended = edge("ended", f"burst-{number}", error=LOST)
        yield Said(number, SESSION, {**ended, "operation": {"name": "invoke_agent", "duration": 20.0}})


def loop(pattern: Pattern) -> Iterator[Said]:
    """One session calls the same tool with the same arguments."""
    yield Said(0, SESSION, edge("started", "loop"))
    for number in range(1, 121):
        data = {
            "operation": {"name": "execute_tool", "duration": 0.3, "step": number},
            "tool": {"name": pattern.tools[0], "arguments_digest": "the-same-again"},
            "conversation": {"id": "loop"},
        }
        yield Said(0.5 * number, OPERATION, data)


def runaway(pattern: Pattern) -> Iterator[Said]:
    """One session goes on and on, each call with more to read."""
    yield Said(0, SESSION, edge("started", "runaway"))
    for number in range(1, 181):
        call = model_call(pattern, TIMES_DEARER)
        call["operation"]["step"] = number
        yield Said(number, OPERATION, {**call, "conversation": {"id": "runaway"}})


def breach(pattern: Pattern) -> Iterator[Said]:
    """A session of one tenant goes on as another's."""
    for number, tenant in enumerate(("drill-a", "drill-a", "drill-b")):
        more = {"tenant": {"id": tenant}, "user": {"id": tenant}, "conversation": {"id": "breach"}}
        yield Said(number, OPERATION, {**model_call(pattern), **more})


def unapproved(pattern: Pattern) -> Iterator[Said]:
    """A person approves one operation of high consequence; then others go ahead unasked."""
    act = {"name": "execute_tool", "duration": 0.3, "consequence": "high"}
    asked = {"id": "asked", "consequence": "high", "reversible": False}
    for at_s, state in ((0, "requested"), (5, "approved")):
        approval = {"approval": {**asked, "state": state, "approver": "drill"}, "operation": act}
        yield Said(at_s, APPROVAL, {**approval, "conversation": {"id": "asked"}})
    for number in range(10):
        data = {"operation": act, "tool": {"name": pattern.tools[0]}}
        yield Said(10 + number, OPERATION, {**data, "conversation": {"id": f"unasked-{number}"}})


def canary(pattern: Pattern) -> Iterator[Said]:
    """A canary gets half of the sessions, and loses most of them; then time passes until they are scored."""
    step = {"id": CANARY, "kind": "rollout_step", "share": 0.5}
    yield Said(0, RELEASE, {"operation": {"name": "rollout"}, "release": step})
    for number in range(240):
        # No coin: a drill is the same every time. No arm has a turn of its own either.
        is_canary = (number * 7 + number // 5) % 2 == 0
        release = {"id": CANARY if is_canary else "before", "cohort": "canary" if is_canary else "control"}
        name = f"canary-{number}"
        yield Said(number / 2, SESSION, edge("started", name, release=release))
        call = {**model_call(pattern), "conversation": {"id": name}, "release": release}
        yield Said(number / 2 + 0.1, OPERATION, call)
        failed = {"error": LOST} if is_canary and number % 5 else {}
        yield Said(number / 2 + 0.2, SESSION, edge("ended", name, release=release, **failed))
    for number in range(4, 36):
        yield Said(30 * number, OPERATION, {**model_call(pattern), "conversation": {"id": f"on-{number}"}})


def surge(pattern: Pattern) -> Iterator[Said]:
    """A session begins each second."""
    for number in range(600):
        name = f"surge-{number}"
        yield Said(number, OPERATION, {**model_call(pattern), "conversation": {"id": name}})


def silence(pattern: Pattern) -> Iterator[Said]:
    """Nothing is heard of the agent any more: these events only say that the drill goes on."""
    del pattern
    for number in range(40):
        yield Said(30 * number, RELEASE, {"operation": {"name": "nothing"}})
