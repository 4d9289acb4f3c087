"""Who takes over from a teller cannot say yet whether a finding holds: what fires goes on, nothing begins."""

from datetime import timedelta

from msgspec.structs import replace

from schemas.cause import Signalled
from schemas.signal import HELD
from tests.routing.scenario import MINUTE, Scenario


def held(t: Scenario, name: str, every: timedelta, times: int) -> None:
    """The finding's new teller says so often that it may hold."""
    signal = t.firing.pop(name)
    for _ in range(times):
        t.fast_forward(every)
        t.write(Signalled(at=t.now, signal=replace(signal, time=t.now, reason=HELD, summary="no idea")))


def test_what_is_held_does_not_become_stale_and_is_shown_as_it_was_told():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    held(t, "s1", 5 * MINUTE, 12)
    assert t.incident.status == "triggered"
    assert len(t.pages) == 1
    assert t.incident.summary == "s1 of refund-agent fails"


def test_what_is_held_no_more_becomes_stale():
    t = Scenario()
    t.signal()
    t.fast_forward(MINUTE)
    held(t, "s1", MINUTE, 3)
    t.fast_forward(20 * MINUTE)
    assert t.incident.status == "resolved"


def test_nothing_that_does_not_fire_begins():
    t = Scenario()
    t.signal()
    signal = t.firing["s1"]
    t.fast_forward(MINUTE)
    t.recover()
    t.fast_forward(MINUTE)
    told = len(t.outputs)
    for name in ("s1", "s2"):
        t.write(Signalled(at=t.now, signal=replace(signal, id=name, reason=HELD)))
    assert t.outputs[told:] == []
