"""A worker is started with the other clock, on a log whose state goes by the first."""

from datetime import timedelta

import pytest

from routing.incidents.closing import RETENTION
from routing.router import Router
from schemas.cause import ConfigFile, Configured, Probed, Wake
from schemas.outcome import Deferred, Delivered
from schemas.record import Record
from schemas.wire import encode
from tests.routing.scenario import ESCALATED, HOUR, MINUTE, START, Scenario, origin, says_nothing
from tests.routing.test_alignment import a_signal, at, told
from tests.routing.test_handoffs import DAILY
from tests.routing.test_retention import kept


class Turned(Scenario):
    """A scenario of history, until it is told that the clock is the wall's."""

    def configure(self, text: str) -> None:
        files = (ConfigFile("rules.yaml", text),)
        clock = "wall" if self.log else "events"
        self.write(Configured(at=self.now, digest="d", files=files, clock=clock))

    def go_live(self, after: timedelta = HOUR) -> None:
        """The same rules, so much later by the wall clock."""
        self.now += after
        self.configure(self.config)


def test_the_same_rules_with_the_other_clock_turn_it():
    t = Turned()
    assert t.router.clock == "events"
    t.go_live()
    assert t.router.clock == "wall"
    t.write(Configured(at=START, digest="d", files=t.router.files, clock="events"))
    assert t.router.clock == "events"


@pytest.mark.parametrize(("kept", "said"), [("events", "wall"), ("wall", "events")])
def test_other_rules_alone_do_not_turn_it(kept, said):
    t = Scenario()
    files = (ConfigFile("rules.yaml", ESCALATED),)
    t.write(Configured(at=t.now, digest="first", files=t.router.files, clock=kept))
    t.write(Configured(at=START + HOUR, digest="other", files=files, clock=said, keeps_clock=True))
    assert (t.router.clock, t.router.files) == (kept, files)


@pytest.mark.parametrize("said", ["events", "wall"])
def test_the_first_rules_of_all_say_which_it_is(said):
    router = Router()
    files = (ConfigFile("rules.yaml", ESCALATED),)
    first = Configured(at=START, digest="first", files=files, clock=said, keeps_clock=True)
    router.apply(Record(0, encode(first)))
    assert router.clock == said


def test_what_hosts_write_moves_time_from_there_on():
    t = Turned()
    t.signal()
    t.go_live()
    (found,) = [
        each
        for each in t.write(Probed(at=t.now, sent=t.now, partition=0, partitions=1, origin=origin(0)))
        if each.stream == "pages"
    ]
    assert found.at == t.now.timestamp()


def test_what_waits_for_other_partitions_is_routed_and_nothing_waits_any_more():
    t = Turned(ESCALATED)
    t.write(told(0, 0))
    t.write(told(0, 1))
    t.write(a_signal(7, 0, 1))
    assert t.pages == []
    t.now = at(20)
    t.configure(t.config)
    assert [each.reason for each in t.pages] == ["opened"]
    assert t.router._alignment.first is None
    found = t.write(a_signal(30, 0, 2, agent="b"))
    assert next(each.value.labels for each in found if each.stream == "incidents") == {"agent": "b"}


def test_a_page_of_which_nothing_was_heard_is_sent_again_and_is_not_lost():
    t = Turned(answers={"slack": says_nothing})
    t.signal()
    t.fast_forward(MINUTE)
    assert [each.attempt for each in t.pages] == [1]
    t.go_live(MINUTE)
    t.fast_forward(5 * MINUTE)
    assert [each.attempt for each in t.pages][:2] == [1, 2]


def test_an_update_of_which_nothing_was_heard_is_sent_again():
    t = Turned(answers={"slack": says_nothing})
    t.signal()
    t.fast_forward(MINUTE)
    t.report(t.pages[0], Delivered(reference="r"))
    t.recover()
    t.fast_forward(MINUTE)
    assert [each.attempt for each in t.updates] == [1]
    t.go_live(MINUTE)
    t.fast_forward(5 * MINUTE)
    assert [each.attempt for each in t.updates][:2] == [1, 2]


def test_a_notice_of_which_nothing_was_heard_is_sent_again():
    t = Turned(DAILY, answers={"#handoffs": says_nothing})
    t.signal()
    t.now += 25 * HOUR
    t.write(Wake(at=t.now))
    assert [each.attempt for each in t.notices] == [1, 1]
    t.go_live(MINUTE)
    t.fast_forward(3 * MINUTE)
    assert [each.attempt for each in t.notices] == [1, 1, 2, 2]


def test_what_is_over_is_kept_within_bounds():
    t = Turned(answers={"slack": says_nothing})
    t.signal()
    t.fast_forward(MINUTE)
    t.recover()
    t.fast_forward(24 * HOUR)
    assert kept(t) == 1
    t.go_live()
    t.fast_forward(RETENTION + HOUR)
    assert kept(t) == 0


def test_what_was_answered_is_not_sent_again():
    t = Turned()
    t.signal()
    t.fast_forward(MINUTE)
    t.go_live(MINUTE)
    t.fast_forward(10 * MINUTE)
    assert [each.attempt for each in t.pages] == [1]


def test_a_restart_in_between_changes_nothing():
    def lived(*, is_restarted: bool):
        t = Turned(ESCALATED, answers={"slack": lambda _: Deferred(reason="503")})
        t.write(told(0, 0, 2))
        t.write(a_signal(7, 0, 1))
        if is_restarted:
            t.restart()
        t.now = at(20)
        t.configure(t.config)
        if is_restarted:
            t.restart()
        t.fast_forward(HOUR)
        return [(each.id, each.attempt, each.time) for each in t.pages]

    assert lived(is_restarted=True) == lived(is_restarted=False) != []
