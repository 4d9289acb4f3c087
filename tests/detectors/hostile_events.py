"""Events that mean harm, or no more than their contract allows: new labels without end, extreme numbers."""

import random

from tests.detectors.agent_events import START_S, event


def hostile(count):
    """New labels in every place of every event, without end."""
    draw = random.Random(3)
    for at in range(count):
        new = f"{at}-{draw.randrange(10**9)}"
        words = " ".join(f"w{draw.randrange(10**9)}" for _ in range(draw.randrange(80)))
        common = {
            "agent": {"name": "made-up", "version": new},
            "conversation": {"id": new},
            "tenant": {"id": new},
            "user": {"id": new},
            "request": {"model": new},
            "provider": {"name": new},
            "tool": {"name": new},
            "usage": {"input_tokens": at, "cost_amount": draw.random(), "cost_currency": "USD"},
            "input": {"text": words, "features": {new: draw.random(), f"x{at % 8}": new}},
        }
        if draw.random() < 0.5:
            common["error"] = {"type": new, "message": new, "class": draw.choice(("retryable", "escalation"))}
        at_s = START_S + at * 7.0
        operation = draw.choice(("chat", "execute_tool", "receive_input", "retrieval", new))
        yield event(at_s, operation, **common)
        session = {**common, "conversation": {"id": new, "state": draw.choice(("started", "ended"))}}
        yield event(at_s + 1, "invoke_agent", "agent.session.v1", **session)


class Wild:
    """Numbers for events: ordinary ones, or the least and the greatest that there may be."""

    def __init__(self, draw):
        self.draw = draw
        self.is_wild = False

    def measure(self):
        wild = (0, 0.0, 5e-324, 1e-300, 1e300, 1.7e308)
        return self.draw.choice(wild) if self.is_wild else self.draw.uniform(0.5, 2)

    def count(self):
        return self.draw.choice((0, 1, 2**53, 2**63 - 1)) if self.is_wild else self.draw.randrange(100, 900)


def extreme(count):
    """Sessions of every type of event, with such numbers wherever the contract has one."""
    draw = random.Random(9)
    wild = Wild(draw)
    for at in range(count):
        wild.is_wild = at % 3 == 0
        at_s, session = START_S + at * 20.0, {"id": f"c{at}"}
        cost = {"cost_amount": wild.measure(), "cost_currency": "USD"}
        limited = ("concurrency", "concurrency_max", "rate_remaining", "rate_limit")
        yield event(
            at_s,
            draw.choice(("chat", "execute_tool", "receive_input")),
            operation={"duration": wild.measure(), "step": wild.count()},
            conversation=session,
            usage={"input_tokens": wild.count(), "output_tokens": wild.count(), **cost},
            request={"model": "m", "max_tokens": wild.count()},
            response={"time_to_first_chunk": wild.measure(), "finish_reasons": ["stop"]},
            tool={"name": "lookup", "arguments_digest": "d"},
            limits={name: wild.count() for name in limited} | {"queue_wait": wild.measure()},
            input={"features": {"x": wild.measure()}, "embedding": [wild.measure() for _ in range(4)]},
        )
        score = {"name": "helpful", "score_value": wild.measure() * draw.choice((-1, 1))}
        yield event(at_s + 1, "evaluate", "agent.evaluation.v1", conversation=session, evaluation=score)
        wait = {"id": f"a{at}", "state": draw.choice(("requested", "approved")), "wait": wild.measure()}
        yield event(at_s + 2, "approve", "agent.approval.v1", conversation=session, approval=wait)
        took, end = {"duration": wild.measure()}, {**session, "state": "ended"}
        yield event(at_s + 3, "invoke_agent", "agent.session.v1", operation=took, conversation=end)
