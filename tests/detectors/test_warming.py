"""What detectors have not yet seen enough of, told from what was saved of them."""

from functools import cache

import pytest

from detectors.bank import Bank
from detectors.detector import lacking
from detectors.registry import discover
from detectors.settings import Settings, Watch
from detectors.warming import known
from tests.detectors.agent_events import START_S
from tests.detectors.made_up import Tape

SETTINGS = Settings(agents=(Watch(agent="ana", reference=100),))
MINUTE, DAY = 60.0, 86400.0


def chatting(tape, begin, minutes):
    """A session a minute: a text, eight calls of a model, one of a tool, and two scores."""
    for n in range(minutes):
        at, who = begin + n * MINUTE, {"conversation": {"id": f"c{begin}-{n}"}}
        tape.event(at, operation={"name": "receive_input"}, input={"text": f"where is order {n % 7}"}, **who)
        for call in range(8):
            tape.event(
                at + call,
                operation={"name": "chat", "duration": 1.0 + call / 8},
                provider={"name": "acme"},
                request={"model": "m"},
                response={"finish_reasons": ["stop"]},
                usage={"output_tokens": 9, "cost_amount": 0.01, "cost_currency": "USD"},
                **who,
            )
        score = {"evaluation": {"name": "helpful", "score_value": 0.8}}
        for late in (9, 9.5):
            tape.event(at + late, kind="agent.evaluation.v1", operation={"name": "evaluate"}, **score, **who)
        ended = {"conversation": {**who["conversation"], "state": "ended"}}
        tape.event(at + 10, kind="agent.session.v1", operation={"name": "invoke_agent"}, **ended)


@cache
def saved(minutes, days=0):
    """Of one agent that chatted for so long, and was then heard once a day for so many days."""
    tape = Tape(Bank(lambda _: SETTINGS))
    tape.bank.begin(())
    chatting(tape, 0, minutes)
    for day in range(1, 1 + days):
        tape.event(minutes * MINUTE + day * DAY)
    return tape.bank.mark(), {"ana": tape.bank.save("ana")}


def of(minutes, days=0):
    (agent,) = known(*saved(minutes, days), lambda _: SETTINGS, discover())
    return agent


def test_what_is_lacking_is_told_with_how_much_was_seen_by_detector():
    agent = of(20)
    assert (agent.agent, agent.heard) == ("ana", START_S + 19 * MINUTE + 10)
    assert agent.warming == {
        "cost": ("19 of 60 minutes with 8 interactions of a model", "20 of 100 sessions that ended"),
        "input_shift": ("20 of 100 texts, or seven days of 300",),
        "latency": ("3 of 6 spans of five minutes with 16 operations of a part",),
        "quality": ("152 of 200 answers", "38 of 200 scores of helpful"),
        "session": ("20 of 100 sessions that ended",),
        "silence": ("0 of 7 days; 3 of one that never rests",),
        "telemetry": ("100 of 500 operations",),
        "traffic": ("0 of 72 hours",),
    }


def test_nothing_is_lacking_of_an_agent_that_is_known():
    assert of(110, 8).warming == {}


@pytest.mark.parametrize("name", sorted(discover()))
def test_a_detector_that_has_seen_nothing_lacks_words_or_nothing(name):
    assert all(each and each[0] == "0" for each in lacking(discover()[name](Watch(), {})))


def test_agents_are_known_by_the_defaults_where_what_was_followed_holds_no_more():
    def refused(_):
        raise ValueError("it holds no more")

    mark, keys = saved(20)
    (agent,) = known(mark, keys, refused, discover())
    assert agent.warming["input_shift"] == ("20 of 2,000 texts, or seven days of 300",)
