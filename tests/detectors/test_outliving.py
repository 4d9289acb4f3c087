"""Detectors that still speak when nothing is heard of their agent any more."""

from typing import ClassVar

from detectors.detector import STALE_S, outlives
from schemas.control import Tick
from schemas.wire import moment
from tests.detectors.agent_events import START_S
from tests.detectors.made_up import Tape, Told, signals

HOUR_S = 3600.0


class Lasting(Told):
    """Does as it is told, and lasts for an hour of silence."""

    name: ClassVar[str] = "lasting"
    outlives_s: ClassVar[float] = HOUR_S


def tape(**kinds):
    return Tape(kinds=kinds or {"lasting": Lasting})


def states(given):
    return [(each.detector, each.state, each.reason) for each in given]


def test_a_detector_says_for_how_long_it_outlives_its_agent():
    assert outlives(Told) == STALE_S
    assert outlives(Lasting) == HOUR_S


def test_what_it_found_holds_beyond_a_quarter_of_an_hour_and_is_given_up_in_the_end():
    t = tape()
    t.told(0, find=1)
    t.tick(HOUR_S)
    assert {each.state for each in t.signals} == {"firing"}
    assert len({each.id for each in t.signals}) == 1
    t.tick(HOUR_S + 120)
    assert states(t.signals[-1:]) == [("lasting", "resolved", "gone")]
    assert t.bank.wake_at is None


def test_a_silent_agent_is_asked_once_a_minute_only():
    t = tape()
    t.told(0, find=1)
    t.tick(HOUR_S)
    assert len(t.signals) == 60
    assert t.bank.wake_at == START_S + HOUR_S + 5


def test_it_is_asked_at_the_time_that_it_wished_although_the_agent_is_silent():
    t = tape()
    t.told(0, wake=START_S + 2000)
    t.tick(1999)
    assert t.bank.wake_at == START_S + 2000
    t.tick(2005)
    assert t.bank.wake_at is None


def test_the_others_go_stale_beside_it():
    t = tape(lasting=Lasting, told=Told)
    t.told(0, find=1)
    t.tick(1000)
    assert [each for each in states(t.signals) if each[1] == "resolved"] == [("told", "resolved", "stale")]
    assert states(t.signals)[-1] == ("lasting", "firing", "")


def test_it_resolves_by_evidence_when_the_agent_speaks_again():
    t = tape()
    t.told(0, find=1)
    t.tick(2000)
    t.told(2100, find=0)
    (ended,) = signals(t.tick(2105))
    assert (ended.state, ended.reason) == ("resolved", "recovered")


def test_the_end_of_history_is_no_news_of_anybody():
    t = tape()
    t.told(0, find=0)
    t.told(1, agent="bo", find=1)
    t.tick(5)
    t.told(6, find=1)
    t.control(Tick(time=moment(START_S + HOUR_S), last=True))
    assert {each.labels["agent"] for each in t.signals} == {"bo"}
    assert t.signals[-1].state == "firing"


def test_a_restart_amid_the_silence_changes_nothing():
    t = tape()
    t.told(0, find=1)
    t.tick(2000)
    saved, mark = t.bank.save("ana"), t.bank.mark()
    again = tape()
    again.offset = t.offset
    again.bank.resume(mark)
    again.bank.load("ana", saved)
    assert again.tick(HOUR_S + 120) == t.tick(HOUR_S + 120)


class Giving(Lasting):
    """Gives up what it found half an hour into the silence."""

    def findings(self, now):
        return super().findings(now) if now < START_S + HOUR_S / 2 else []


def test_what_it_gives_up_amid_the_silence_is_stale_and_not_recovered():
    t = tape(lasting=Giving)
    t.told(0, find=1)
    t.tick(HOUR_S)
    assert states(t.signals[-1:]) == [("lasting", "resolved", "stale")]


class Unheard(Lasting):
    """Ends what it found because nothing of it came any more, though its agent speaks."""

    def unheard(self, labels, at):
        return labels["finding"] == "odd" and at > START_S + 100


def test_what_ends_only_as_nothing_of_it_comes_is_stale_though_the_agent_speaks():
    t = tape(lasting=Unheard)
    t.told(0, find=1)
    t.told(50, find=0)
    t.told(100, find=1)
    t.told(200, find=0)
    t.tick(205)
    assert [each.reason for each in t.signals if each.state == "resolved"] == ["recovered", "stale"]
