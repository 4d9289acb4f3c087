"""The simulation can fail: routers with a fault each, and the promise that finds it."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count

import pytest

from routing.incidents.closing import STALE
from routing.incidents.grid import FLUSH
from routing.router import Router
from schemas.cause import Acknowledged, Configured, Reported, Resolved, Signalled
from schemas.page import Page, Update
from schemas.record import Output, Record, Saved
from schemas.wire import Malformed, decode_cause
from tests.simulation.drawn_rules import read
from tests.simulation.promises import Promises
from tests.simulation.shrinking import complaint, played, shortened
from tests.simulation.story import draw

pytestmark = pytest.mark.no_cover
ENOUGH = 40
"""Seeds within which a fault is to be found."""


class Faulty(Router):
    """A router that knows each cause before it applies it."""

    def __init__(self) -> None:
        super().__init__(read=read)

    def apply(self, record: Record) -> Sequence[Output]:
        try:
            cause = decode_cause(record.value)
        except Malformed:
            return super().apply(record)
        return self.follow(record, cause)

    def follow(self, record, cause) -> Sequence[Output]:
        del cause
        return super().apply(record)


class ForgetsTimers(Faulty):
    """Restored, it has no flush ahead of it."""

    def load(self, key: str, saved: Saved) -> None:
        super().load(key, saved)
        for case in self._state.cases.values():
            self._state.timers.disarm(case, FLUSH)


class RepeatsAfterReload(Faulty):
    """A new configuration makes it believe that everybody was told long ago."""

    def follow(self, record, cause):
        if isinstance(cause, Configured):
            for case in self._state.cases.values():
                for told in case.told.values():
                    told.paged -= timedelta(days=1)
                if case.open:
                    self._state.timers.arm(case, FLUSH, self._state.core.now)
        return super().follow(record, cause)


class DropsNewSignals(Faulty):
    """It never hears of findings of one agent."""

    def follow(self, record, cause):
        if isinstance(cause, Signalled) and cause.signal.labels["agent"] == "a-1":
            return ()
        return super().follow(record, cause)


class BelievesForEver(Faulty):
    """It does not mind that nothing more is heard of a finding."""

    def follow(self, record, cause):
        outputs = super().follow(record, cause)
        for case in self._state.cases.values():
            self._state.timers.disarm(case, STALE)
        return outputs


class DropsAnswers(Faulty):
    """Who acknowledges is not heard."""

    def follow(self, record, cause):
        return () if isinstance(cause, Acknowledged | Resolved) else super().follow(record, cause)


class ClimbsOn(Faulty):
    """What somebody took goes on climbing."""

    def follow(self, record, cause):
        climbs = {case.id: dict(case.timers) for case in self._state.cases.values()}
        outputs = super().follow(record, cause)
        case = self._state.cases.get(cause.incident) if isinstance(cause, Acknowledged) else None
        for name, due in climbs.get(case.id, {}).items() if case is not None and case.open else ():
            if name.startswith("climb "):
                self._state.timers.arm(case, name, max(due, self._state.core.now))
        return outputs


class NeverSaysItIsOver(Faulty):
    """Nobody is told that an incident is over."""

    def follow(self, record, cause):
        outputs = super().follow(record, cause)
        return [each for each in outputs if not _is_resolution(each)]


def _is_resolution(output: Output) -> bool:
    return isinstance(output.value, Update) and output.value.reason == "resolved"


class CountsSnapshots(Faulty):
    """Its state tells how often it was saved."""

    def save(self, key: str) -> Saved:
        self._state.count("saved")
        return super().save(key)


class NumbersPages(Faulty):
    """Its pages are numbered by the process, so another process numbers them anew."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count()

    def follow(self, record, cause):
        outputs = super().follow(record, cause)
        return [_numbered(each, next(self._numbers)) for each in outputs]


def _numbered(output: Output, number: int) -> Output:
    if not isinstance(output.value, Page):
        return output
    fields = {name: getattr(output.value, name) for name in output.value.__struct_fields__}
    value = type(output.value)(**{**fields, "summary": f"{number}"})
    return Output(output.stream, output.key, value, output.at)


class WakesTooEarly(Faulty):
    """It wants to be woken a minute before anything is due."""

    @property
    def wake_at(self):
        due = super().wake_at
        return None if due is None else due - 60


class GivesUp(Faulty):
    """Once a page was reported, nobody else is paged."""

    def follow(self, record, cause):
        outputs = super().follow(record, cause)
        if isinstance(cause, Reported):
            for case in self._state.cases.values():
                for name in [each for each in case.timers if each.startswith("climb ")]:
                    self._state.timers.disarm(case, name)
        return outputs


FAULTS = {
    ForgetsTimers: {"no page lost", "state equals replay's"},
    RepeatsAfterReload: {"none repeated"},
    DropsNewSignals: {"no signal lost"},
    BelievesForEver: {"nothing fires for ever"},
    DropsAnswers: {"deeds are done"},
    ClimbsOn: {"what is taken climbs no more"},
    NeverSaysItIsOver: {"resolved follows every page"},
    CountsSnapshots: {"state equals replay's"},
    NumbersPages: {"same causes, same outputs"},
    WakesTooEarly: {"no spin"},
    GivesUp: {"what nobody takes climbs"},
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_breaks_the_promise_that_is_there_for_it(fault):
    found = (broken for seed in range(ENOUGH) if (broken := played(draw(seed), fault)[1]))
    assert any(broken.promise in FAULTS[fault] for broken in found)


def test_a_broken_night_is_made_short_and_told_with_the_way_to_play_it_again():
    told = complaint(2, DropsNewSignals)
    assert "again: NIGHTS=2 pytest tests/simulation/test_nights.py" in told
    assert "begin a-1/" in told
    short = shortened(draw(2), "no signal lost", DropsNewSignals)
    assert len(short.happenings) <= 3


def test_a_night_is_the_same_however_often_it_is_played():
    first, second = (played(draw(5))[0] for _ in range(2))
    assert first.log == second.log
    assert first.said == second.said
    assert isinstance(first.look, Promises)
