"""Limits that are full or run out, minute by minute."""

import pytest

from detectors.latencies.latency_finding import tight
from detectors.latencies.saturation import (
    ADOPTED_S,
    MOST_SESSIONS,
    Saturation,
    concurrency_used,
    rate_used,
)
from detectors.latency import MOST_LIMITS, OTHER, Latency
from detectors.settings import Watch
from schemas.event import Limits
from tests.detectors.agent_events import START_S, event

MINUTE_S = 60.0


class Limit:
    """A limit and its time."""

    def __init__(self):
        self.limit = Saturation()
        self.at = START_S

    def minutes(self, *shares, session="s"):
        for number, share in enumerate(shares):
            if share is not None:
                self.limit.take(share, event(self.at, conversation={"id": f"{session}{number}"}))
            self.at += MINUTE_S
            self.limit.close(self.at)
        return self


def usual(minutes=90):
    return [0.2 + 0.01 * (at % 5) for at in range(minutes)]


def test_a_limit_that_is_full_for_five_minutes_is_told_until_it_is_free_again():
    limit = Limit().minutes(*usual(), *[0.97] * 4)
    assert limit.limit.tight is None
    limit.minutes(0.99)
    held = limit.limit.tight
    assert held is not None
    assert held.onset == limit.at - 4 * MINUTE_S
    found = tight("concurrency", "openai", limit.limit, held, limit.at)
    assert found.labels == {"resource": "concurrency", "provider": "openai"}
    assert found.summary.startswith("the concurrency limit of openai is 99% used since ")
    assert found.summary.endswith("usually 22%: calls wait or are refused")
    limit.minutes(*[0.3] * 9)
    assert limit.limit.tight is not None
    limit.minutes(0.3)
    assert limit.limit.tight is None


def test_a_limit_that_is_seldom_told_of_stays_full_until_it_is_told_to_be_free():
    limit = Limit().minutes(*usual(), *[0.97, None, None] * 5, *([None] * 9 + [0.97]) * 4)
    assert limit.limit.tight is not None
    assert limit.minutes(*[None] * 9, 0.3).limit.tight is None


def test_a_limit_that_is_told_of_no_more_is_over_in_time():
    limit = Limit().minutes(*usual(), *[0.97] * 5, *[None] * 10)
    assert limit.limit.tight is None


def test_a_rate_that_runs_out_is_told_before_it_has():
    limit = Limit().minutes(*usual())
    left = []
    for share in [0.3 + 0.03 * at for at in range(20)]:
        limit.minutes(share)
        if limit.limit.tight is not None:
            left.append(limit.limit.minutes_left)
    assert left[0] is not None
    assert 10 <= left[0] <= 15
    found = tight("rate", "", limit.limit, limit.limit.tight, limit.at)
    assert found.labels == {"resource": "rate"}
    assert "it runs out in about" in found.summary
    assert found.trend in {"rising", "steady"}


def test_a_forecast_wants_an_hour_of_history_and_a_level_never_seen():
    climb = [0.3 + 0.03 * at for at in range(20)]
    assert Limit().minutes(*climb).limit.tight is None
    assert Limit().minutes(*usual(), *[0.9] * 3, *usual(40), *climb[:15]).limit.tight is None


def test_a_limit_that_is_nearly_full_every_day_is_no_news():
    assert Limit().minutes(*[0.97] * 10, *[0.85] * 60, *[0.97] * 10).limit.tight is None


def test_a_limit_that_falls_again_after_its_forecast_says_nothing_of_when():
    limit = Limit().minutes(*usual(), *[0.3 + 0.03 * at for at in range(15)])
    assert limit.limit.tight is not None
    limit.minutes(*[0.72 - 0.005 * at for at in range(8)])
    assert limit.limit.minutes_left is None or limit.limit.minutes_left > 0
    limit.minutes(*[0.68 - 0.005 * at for at in range(6)])
    assert tight("rate", "", limit.limit, limit.limit.tight, limit.at).summary.endswith("%")


def test_a_short_history_has_no_trend():
    limit = Limit().minutes(*usual(), *[0.98] * 6)
    limit.limit.history = limit.limit.history[-3:]
    assert tight("rate", "", limit.limit, limit.limit.tight, limit.at).trend == ""


def test_minutes_without_a_word_are_no_trend():
    limit = Limit().minutes(*usual(), *[share for at in range(10) for share in (0.5 + 0.03 * at, None, None)])
    assert limit.limit.minutes_left is None


def test_what_is_full_for_a_day_is_normal():
    limit = Limit().minutes(*usual(), *[0.98] * int(ADOPTED_S / MINUTE_S + 2))
    assert limit.limit.tight is None
    assert limit.limit.usual > 0.9
    empty = Saturation()
    empty.adopt()
    assert empty.usual == 0


def test_sessions_are_counted_to_a_cap():
    limit = Limit().minutes(*usual(), *[0.98] * 6)
    limit.minutes(*[0.98] * (MOST_SESSIONS + 5), session="t")
    assert limit.limit.tight is not None
    found = tight("rate", "", limit.limit, limit.limit.tight, limit.at)
    assert found.blast.sessions == MOST_SESSIONS
    assert found.blast.capped
    limit.limit.take(0.98, event(limit.at))


@pytest.mark.parametrize(
    ("limits", "concurrency", "rate"),
    [
        (Limits(), None, None),
        (Limits(concurrency=5), None, None),
        (Limits(concurrency=5, concurrency_max=0), None, None),
        (Limits(concurrency=5, concurrency_max=10), 0.5, None),
        (Limits(rate_remaining=5), None, None),
        (Limits(rate_remaining=30, rate_limit=10), None, 0.0),
        (Limits(rate_remaining=1, rate_limit=10), None, 0.9),
    ],
)
def test_a_share_wants_both_numbers(limits, concurrency, rate):
    assert concurrency_used(limits) == concurrency
    assert rate_used(limits) == rate


def test_the_detector_follows_limits_by_provider_to_a_cap_and_tells_of_them():
    detector, at = Latency(Watch(), {}), START_S
    for number in range(MOST_LIMITS + 3):
        some = {"concurrency": 1, "concurrency_max": 10}
        detector.observe(event(at, limits=some, provider={"name": f"p{number}"}), at)
    assert len(detector._limits["concurrency"]) == MOST_LIMITS + 1
    assert OTHER in detector._limits["concurrency"]
    for minute in range(50):
        at += MINUTE_S
        left = {"rate_remaining": 90 if minute < 40 else 0, "rate_limit": 100}
        detector.observe(event(at, limits=left, request={"model": "m"}), at)
    found = detector.findings(at + MINUTE_S)
    assert [each.labels for each in found] == [{"resource": "rate", "provider": "m"}]
    assert detector.wake_at is not None
