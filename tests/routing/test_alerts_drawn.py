"""A law: whatever PagerDuty's answers come to, no alert outlives its incident, and no page rings twice."""

from random import Random

import pytest

from schemas.outcome import Deferred, Undeliverable
from schemas.page import Page
from tests.routing.pager_duty import Service
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, SECOND, Scenario

PAGER_FIRST = ESCALATED.replace("[slack, pagerduty]", "[pagerduty, slack]")
PAGER_ONLY = ESCALATED.replace("[slack, pagerduty]", "[pagerduty]")
UNLIMITED = "limits: {pages_per_person: unlimited}\n"
LIMITED = "limits: {pages_per_person: 2 per 10m, pages_per_channel: 3 per 20m}\n"


def shared(config):
    """Both people have one routing key."""
    return config.replace("env:PD_BO", "env:PD_ANA")


CONFIGS = (
    PAGER_FIRST,
    PAGER_ONLY + UNLIMITED,
    shared(PAGER_FIRST),
    shared(PAGER_FIRST) + LIMITED,
    shared(PAGER_ONLY),
    PAGER_ONLY.replace("ack_timeout", "repeat: 2\n    ack_timeout"),
)
WAYS = ("ok", "busy", "lost", "silent", "dead")
SPANS = (10 * SECOND, 40 * SECOND, 3 * MINUTE, 11 * MINUTE, 35 * MINUTE)
DETECTORS = ("error_rate", "cost", "silence")
SEEDS = range(1000, 1060)


class Lines:
    """Two services of PagerDuty, each behind a line that is at times in a bad way."""

    def __init__(self):
        self.services = {"env:PD_ANA": Service(), "env:PD_BO": Service()}
        self.ways = dict.fromkeys(self.services, "ok")

    def __call__(self, message):
        way, service = self.ways[message.channel.target], self.services[message.channel.target]
        if way == "dead" and isinstance(message, Page):
            return Undeliverable(reason="HTTP 400")
        if way in ("busy", "dead"):
            return Deferred(reason="HTTP 503")
        if way == "silent":
            return None
        outcome = service(message)
        return Deferred(reason="timed out") if way == "lost" else outcome

    @property
    def open(self):
        return [key for service in self.services.values() for key in service.open]

    @property
    def rung_twice(self):
        found = [[key for _, key in service.rang] for service in self.services.values()]
        return [key for keys in found for key in dict.fromkeys(keys) if keys.count(key) > 1]


def step(t, lines, drawn):
    """One thing happens: to agents, to who answers, to the lines, or to the router."""
    kind = drawn.choice("sssrraaffffffmmhcRz")
    if kind in "sr":
        _signal(t, kind, drawn)
    elif kind in "ah":
        _answer(t, kind, drawn)
    elif kind in "fm":
        _pass(t, lines, kind, drawn)
    else:
        _change(t, kind, drawn)


def _signal(t, kind, drawn):
    name = f"s{drawn.randrange(5)}"
    if kind == "s" and name not in t.firing:
        t.signal(name, detector=drawn.choice(DETECTORS), agent=f"a{drawn.randrange(4)}")
    elif kind == "r" and name in t.firing:
        t.recover(name)


def _answer(t, kind, drawn):
    person = drawn.choice(["ana", "bo"])
    if kind == "a" and t.incidents:
        t.acknowledge(drawn.choice(t.incidents).id, by=person)
    elif t.incidents:
        t.hand(user=person)


def _pass(t, lines, kind, drawn):
    if kind == "f":
        t.fast_forward(drawn.choice(SPANS))
    else:
        lines.ways[drawn.choice(list(lines.ways))] = drawn.choice(WAYS)


def _change(t, kind, drawn):
    if kind == "c":
        t.configure(drawn.choice(CONFIGS))
    elif kind == "R":
        t.restart()
    else:
        t.silence(f'agent="a{drawn.randrange(4)}"', lasts=20 * MINUTE, name=f"z{len(t.log)}")


def played(seed):
    """A drawn night, and the lines after all of it is over and they answer again."""
    drawn, lines = Random(seed), Lines()
    t = Scenario(drawn.choice(CONFIGS), answers={"pagerduty": lines})
    for _ in range(drawn.randint(10, 45)):
        step(t, lines, drawn)
    lines.ways = dict.fromkeys(lines.ways, "ok")
    t.fast_forward(3 * MINUTE)
    for name in tuple(t.firing):
        t.recover(name)
    t.fast_forward(3 * HOUR)
    return t, lines


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
@pytest.mark.parametrize("seed", SEEDS)
def test_after_all_incidents_ended_no_alert_is_open_and_none_rang_twice(seed):
    t, lines = played(seed)
    assert {incident.status for incident in t.incidents} <= {"resolved"}
    assert (lines.open, lines.rung_twice) == ([], [])
