"""A fault that lasts is one incident, whatever the traffic; evidence ends it, and not the clock."""

import random
from collections import Counter

import pytest

from detectors.detector import STALE_S
from detectors.error_rate import ErrorRate
from detectors.failures.patience import LEAST_S, MOST_S
from detectors.settings import Watch
from tests.detectors.agent_events import START_S, event

HOUR_S, DAY_S = 3600.0, 86400.0
WATCH = Watch(slo={"sessions": 0.99})


class Days:
    """One agent whose sessions end at random times; it is asked when its detector wishes."""

    finding = "sessions"

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.detector = ErrorRate(WATCH, {})
        self.at = START_S
        self.opened = []
        self.ended = []
        self._holds = False

    def go_on(self, hours, per_hour, lost):
        """So many hours, with sessions of which a share is lost."""
        until = self.at + hours * HOUR_S
        while (after := self.at + self.draw.expovariate(per_hour / HOUR_S)) < until:
            self.silence(after - self.at)
            self.session("non_retryable" if self.draw.random() < lost else None)
        return self.silence(until - self.at)

    def session(self, error=None):
        """One that ends now."""
        data = {"conversation": {"id": f"c{self.at}", "state": "ended"}}
        if error:
            data["error"] = {"type": "lost", "class": error}
        self.detector.observe(event(self.at, "invoke_agent", "agent.session.v1", **data), self.at)

    def silence(self, seconds):
        """No session ends for so long."""
        until = self.at + seconds
        while (wish := self.detector.wake_at) is not None and wish <= until:
            self.ask(wish)
        self.at = until
        return self

    def ask(self, at):
        holds = any(each.finding == self.finding for each in self.detector.findings(at))
        if holds is not self._holds:
            (self.opened if holds else self.ended).append(at)
        self._holds = holds


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
@pytest.mark.parametrize(
    ("per_hour", "lost"), [(4, 1.0), (8, 1.0), (12, 1.0), (8, 0.5), (30, 0.3), (60, 0.1)]
)
def test_a_fault_that_lasts_for_a_day_is_one_incident_and_seldom_two(per_hour, lost):
    counts = Counter(
        len(Days(seed).go_on(12, per_hour, 0.002).go_on(24, per_hour, lost).opened) for seed in range(4)
    )
    assert set(counts) <= {1, 2}
    assert counts[1] >= 3


@pytest.mark.parametrize(
    ("per_hour", "lost", "within_h"), [(1, 1.0, 8), (1, 0.5, 24), (2, 0.5, 14), (4, 0.5, 6), (4, 0.2, 20)]
)
def test_agents_with_few_sessions_an_hour_are_told_of_within_the_day(per_hour, lost, within_h):
    delays = []
    for seed in range(5):
        days = Days(seed).go_on(48, per_hour, 0.002)
        assert days.opened == []
        began = days.at
        days.go_on(24, per_hour, lost)
        delays.append(days.opened[0] - began if days.opened else 1e9)
    assert sorted(delays)[2] <= within_h * HOUR_S


@pytest.mark.parametrize(
    ("per_hour", "lost", "within_min"), [(300, 0.5, 15), (120, 0.3, 30), (60, 1.0, 20), (4, 1.0, 150)]
)
def test_a_recovery_is_told_soon_and_by_evidence(per_hour, lost, within_min):
    delays = []
    for seed in range(3):
        days = Days(seed).go_on(4, per_hour, 0.002).go_on(3, per_hour, lost)
        over = days.at
        days.go_on(4, per_hour, 0.002)
        delays.append(days.ended[-1] - over)
    assert sorted(delays)[1] <= within_min * 60


class Visits(Days):
    """The same of calls of a tool, eight within half a minute."""

    finding = "tools"

    def session(self, error=None):
        data = {"tool": {"name": "search"}}
        if error:
            data["error"] = {"type": "timeout", "class": error}
        for place in range(8):
            at = self.at + 4 * place
            self.detector.observe(event(at, "execute_tool", **data), at)
        self.at += 28
        self.ask(self.at)


@pytest.mark.parametrize("per_hour", [2, 6])
def test_calls_that_come_together_are_no_reason_to_lose_patience_between(per_hour):
    counts = []
    for seed in range(4):
        visits = Visits(seed).go_on(12, per_hour, 0.0).go_on(24, per_hour, 1.0)
        counts.append(len(visits.opened))
        over = visits.at
        visits.go_on(12, per_hour, 0.0)
        assert visits.ended[-1] - over <= 3 * HOUR_S
    assert counts == [1] * 4


def test_a_batch_each_hour_that_fails_is_one_incident():
    visits = Visits(1)
    for hour in range(24):
        visits.silence(HOUR_S - 28).session("retryable" if hour >= 12 else None)
    assert len(visits.opened) == 1
    assert visits.ended == []


def batches(days, hours, lost, every_s=HOUR_S):
    """Ten sessions every so often, within a minute and a half."""
    for _ in range(int(hours * HOUR_S / every_s)):
        gaps = [days.draw.uniform(1, 9) for _ in range(10)]
        for gap in gaps:
            days.silence(gap).session("non_retryable" if days.draw.random() < lost else None)
        days.silence(every_s - sum(gaps))
    return days


@pytest.mark.parametrize("every_s", [HOUR_S / 2, HOUR_S])
def test_a_batch_of_sessions_each_hour_of_which_all_are_lost_is_one_incident(every_s):
    days = batches(Days(1), 12, 0.0, every_s)
    batches(days, 24, 1.0, every_s)
    assert (len(days.opened), days.ended) == (1, [])
    over = days.at
    batches(days, 3, 0.0, every_s)
    assert days.ended[0] - over <= every_s
    assert not days.detector.unheard({"finding": "sessions"}, days.ended[0])


def test_batches_that_come_no_more_are_waited_for_twice_as_long_as_usual():
    days = batches(batches(Days(1), 12, 0.0), 6, 1.0)
    last = days.at - HOUR_S
    days.silence(4 * HOUR_S)
    assert len(days.ended) == 1
    assert 1.5 * HOUR_S <= days.ended[0] - last <= 2.5 * HOUR_S


def test_a_few_good_sessions_are_no_recovery_of_a_partial_fault():
    days = Days(1).go_on(24, 60, 0.002).go_on(6, 60, 0.2)
    for _ in range(12):
        days.silence(60.0).session()
    assert len(days.opened) == 1
    assert days.ended == []


def test_an_ordinary_gap_of_a_sparse_agent_ends_nothing():
    days = Days(2).go_on(48, 4, 0.0).go_on(6, 4, 1.0)
    days.silence(5 * LEAST_S)
    assert len(days.opened) == 1
    assert days.ended == []
    assert days.detector.wake_at > days.at


def test_a_silence_far_longer_than_usual_ends_it_without_evidence():
    days = Days(3).go_on(48, 4, 0.0).go_on(6, 4, 1.0)
    days.silence(MOST_S)
    assert len(days.ended) == 1
    assert days.detector.unheard({"finding": "sessions"}, days.ended[0])
    assert days.detector.wake_at is None


def test_a_recovery_is_no_lack_of_news():
    days = Days(4).go_on(6, 60, 0.002).go_on(6, 60, 1.0).go_on(6, 60, 0.002)
    assert not days.detector.unheard({"finding": "sessions"}, days.ended[0])


def test_a_busy_agent_is_waited_for_a_quarter_of_an_hour_only():
    days = Days(5).go_on(6, 600, 0.0).go_on(1, 600, 1.0)
    last = days.at
    days.silence(HOUR_S)
    assert STALE_S - 60 <= days.ended[0] - last <= STALE_S + 5


def test_what_comes_rarely_by_night_is_waited_for_by_night():
    days = Days(6).go_on(16, 60, 0.0).go_on(10, 3, 0.0).go_on(12, 60, 0.0)
    days.go_on(2, 60, 0.5).go_on(10, 3, 0.5)
    assert len(days.opened) == 1
    assert days.ended == []


def test_after_a_recovery_windows_count_nothing_of_the_incident_before_it():
    days = Days(7).go_on(24, 60, 0.002).go_on(2, 60, 0.5).go_on(3, 60, 0.0)
    assert len(days.ended) == 1
    days.go_on(10, 60, 0.01)
    assert len(days.opened) == 1
