"""How long a resolved incident is kept for the outcomes of its pages."""

import pytest

from routing.incidents.closing import RETENTION
from schemas.cause import ConfigFile, Configured, Wake
from schemas.outcome import Deferred, Delivered
from schemas.wire import moment
from tests.routing.scenario import HOUR, MINUTE, Scenario, says_nothing


class Published(Scenario):
    """A scenario whose clock is the events'."""

    def configure(self, text: str) -> None:
        files = (ConfigFile("rules.yaml", text),)
        self.write(Configured(at=self.now, digest="d", files=files, clock="events"))


def resolved_unheard(t: Scenario) -> Scenario:
    """A page of which nothing is heard for a day, though its incident is over after a minute."""
    t.signal()
    t.fast_forward(MINUTE)
    t.recover()
    t.fast_forward(24 * HOUR)
    return t


@pytest.mark.parametrize("crashed", [Scenario.restart, lambda _: None], ids=["restarted", "straight on"])
def test_history_at_full_speed_outruns_no_outcome(crashed):
    t = resolved_unheard(Published(answers={"slack": says_nothing}))
    crashed(t)
    t.report(t.pages[0], Delivered(reference="late"))
    assert [(each.reason, each.reference) for each in t.updates] == [("resolved", "late")]
    t.report(t.updates[0], Deferred(reason="503"))
    t.fast_forward(24 * HOUR)
    assert [each.attempt for each in t.updates] == [1, 2]
    t.report(t.updates[1], Delivered(reference="late"))
    assert t.router.counts == {}
    assert kept(t) == 0


def test_a_page_that_was_given_up_is_not_waited_for():
    t = Published(answers={"slack": lambda _: Deferred(reason="503")})
    resolved_unheard(t)
    assert kept(t) == 0


def test_where_the_clock_is_the_walls_outcomes_are_waited_for_within_bounds():
    t = Scenario(answers={"slack": says_nothing})
    t.signal()
    t.fast_forward(MINUTE)
    t.recover()
    t.fast_forward(RETENTION - 10 * MINUTE)
    assert kept(t) == 1
    t.fast_forward(20 * MINUTE)
    assert kept(t) == 0
    t.report(t.pages[0], Delivered(reference="late"))
    assert (t.updates, t.router.counts) == ([], {"outcomes of unknown pages": 1})


def kept(t: Scenario) -> int:
    """How many incidents the router still has."""
    return len(t.router._state.cases)


def test_however_far_the_time_of_events_leaps_outcomes_are_waited_for():
    t = resolved_unheard(Published(answers={"slack": says_nothing}))
    t.write(Wake(at=moment(253_000_000_000)))
    t.report(t.pages[0], Delivered(reference="late"))
    assert [each.reason for each in t.updates] == ["resolved"]


def test_a_page_deferred_after_the_end_is_no_longer_waited_for():
    t = resolved_unheard(Published(answers={"slack": says_nothing}))
    t.report(t.pages[0], Deferred(reason="503"))
    assert kept(t) == 1
    t.fast_forward(HOUR)
    assert (kept(t), len(t.pages), t.updates) == (0, 1, [])
