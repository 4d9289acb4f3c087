"""How long the next record waits, by ends of the log that were seen; what is to be told of it, and when."""

from datetime import timedelta

import pytest

from streams.watching.waiting import MOST_SEEN, Lateness, Limits, Look, Waiting

LIMITS = Limits()
LATE_S, LASTING_S = LIMITS.late.total_seconds(), LIMITS.lasting.total_seconds()
EVERY_S = 5
RECORDS_A_S = 10


class Watched:
    """A log that grows by ten records a second, looked at every five seconds by its owner."""

    def __init__(self, waiting: int = 0, age_s: float | None = 0.0) -> None:
        self.lateness = Lateness(LIMITS)
        self.now_s, self.reached, self.end = 0, 0, waiting
        self.age_s = age_s
        self.told: list[tuple[float, str]] = []

    def go(self, seconds: float, reads_a_s: int, *, grows_a_s: int = RECORDS_A_S, blocked: bool = False):
        """So long the owner reads so fast."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s += EVERY_S
            self.end += grows_a_s * EVERY_S
            self.reached = min(self.end, self.reached + reads_a_s * EVERY_S)
            self.look(blocked=blocked)

    def look(self, *, blocked: bool = False) -> None:
        lag = self.end - self.reached
        self.lateness.see(
            Look(now_s=self.now_s, reached=self.reached, lag=lag, is_blocked=blocked, newest_age_s=self.age_s)
        )
        state = self.lateness.due()
        if state is not None:
            self.told.append((self.now_s, state))
            self.lateness.told(state)

    @property
    def states(self) -> list[str]:
        return [state for _, state in self.told]


def looks(*seen: tuple[float, int, int]) -> list[float]:
    """What waits after each look of (time, reached, lag)."""
    waiting, found = Waiting(), []
    for now_s, reached, lag in seen:
        waiting.see(Look(now_s=now_s, reached=reached, lag=lag))
        found.append(waiting.waited_s)
    return found


@pytest.mark.parametrize(
    ("seen", "waited"),
    [
        ([(0, 5, 0), (10, 5, 0)], [0, 0]),
        ([(0, 5, 3), (10, 5, 3), (20, 5, 9)], [0, 10, 20]),
        ([(0, 5, 3), (10, 8, 0)], [0, 0]),
        ([(0, 0, 10), (10, 5, 15), (20, 10, 15), (30, 20, 5)], [0, 10, 10, 10]),
        ([(0, 10, 2), (10, 10, 0), (20, 10, 2)], [0, 0, 0]),
    ],
    ids=[
        "nothing waits",
        "it stands still",
        "all is taken",
        "what was seen to wait is passed, and what came after it waits",
        "marks of transactions alone are nothing",
    ],
)
def test_what_lay_before_an_end_that_was_seen_waits_since_then(seen, waited):
    assert looks(*seen) == waited


def test_of_what_stands_still_for_long_few_ends_are_remembered_and_the_first_of_them():
    waiting = Waiting()
    for at in range(10_000):
        waiting.see(Look(now_s=at, reached=0, lag=at + 1))
        assert len(waiting._ends) <= MOST_SEEN
    assert waiting.waited_s == 9_999


def test_who_keeps_up_is_never_told():
    watched = Watched()
    watched.go(3600, RECORDS_A_S)
    assert watched.told == []


def test_who_always_has_a_little_before_it_is_never_told():
    watched = Watched(waiting=100 * RECORDS_A_S)
    watched.go(3600, RECORDS_A_S)
    assert watched.lateness.waited_s > LATE_S / 2
    assert watched.told == []


def test_who_stands_still_is_told_when_it_was_late_for_long_and_each_minute_from_then_on():
    watched = Watched()
    watched.go(600, 0)
    first = EVERY_S + LATE_S + EVERY_S + LASTING_S
    assert watched.told == [(first + 60 * n, "firing") for n in range(3)]


def test_who_reads_half_as_fast_as_producers_write_is_told_as_its_lag_grows():
    watched = Watched()
    watched.go(3600, RECORDS_A_S // 2)
    (at, state), *_ = watched.told
    assert state == "firing"
    assert 2 * LATE_S + LASTING_S <= at <= 2 * LATE_S + LASTING_S + 4 * EVERY_S


def test_a_backlog_that_is_read_in_time_is_told_to_nobody():
    watched = Watched(waiting=3600 * RECORDS_A_S, age_s=None)
    watched.go(300, 13 * RECORDS_A_S)
    assert watched.told == []


def test_a_dip_below_the_limit_begins_it_anew():
    watched = Watched()
    watched.go(LATE_S + LASTING_S - 30, 0)
    watched.go(30, 1000)
    watched.go(LATE_S + LASTING_S - 30, 0)
    assert watched.told == []


def test_who_stood_still_while_it_was_late_begins_anew_when_it_goes_on():
    watched = Watched()
    watched.go(LATE_S + 30, 0)
    watched.now_s += 3600
    watched.go(LASTING_S, 0)
    assert watched.told == []
    watched.go(5, 0)
    assert watched.states == ["firing"]


def test_what_is_told_holds_until_it_has_caught_up_and_is_over_once():
    watched = Watched()
    watched.go(500, 0)
    assert set(watched.states) == {"firing"}
    watched.go(40, 12 * RECORDS_A_S)
    assert LATE_S / 4 < watched.lateness.waited_s < LATE_S
    assert set(watched.states) == {"firing"}
    watched.go(120, 20 * RECORDS_A_S)
    assert watched.states.count("resolved") == 1
    assert watched.states[-1] == "resolved"


def test_below_the_limit_what_was_told_is_asserted_while_it_has_not_caught_up():
    watched = Watched()
    watched.go(500, 0)
    watched.go(40, 12 * RECORDS_A_S)
    told = len(watched.told)
    watched.go(300, RECORDS_A_S)
    assert watched.states[told:] == ["firing"] * 5


def test_what_is_blocked_is_not_over_for_nobody_sees_where_it_ends():
    watched = Watched()
    watched.go(500, 0)
    watched.go(300, 1000, blocked=True)
    assert "resolved" not in watched.states
    watched.go(5, 1000)
    assert watched.states[-1] == "resolved"


def test_what_cannot_be_told_is_due_still():
    lateness = Lateness(Limits(late=timedelta(seconds=1), lasting=timedelta(seconds=1)))
    assert lateness.due() is None
    for at in range(4):
        lateness.see(Look(now_s=at, reached=0, lag=1))
    assert lateness.due() == lateness.due() == "firing"


class TestANewOwner:
    def test_of_what_was_late_says_that_it_is_over_for_the_one_before_it_may_have_told(self):
        watched = Watched(waiting=3000 * RECORDS_A_S, age_s=3000.0)
        watched.go(300, 15 * RECORDS_A_S)
        assert watched.states == ["held"] * 4 + ["resolved"]
        watched.go(3600, RECORDS_A_S)
        assert watched.states[5:] == []

    def test_of_what_was_late_says_at_once_and_each_minute_that_it_holds_on_until_it_can_tell(self):
        watched = Watched(waiting=3000 * RECORDS_A_S, age_s=3000.0)
        watched.go(600, 0)
        first = EVERY_S + LATE_S + LASTING_S + EVERY_S
        held = [(EVERY_S + 60 * n, "held") for n in range(8)]
        assert watched.told == [*held, (first, "firing"), (first + 60, "firing"), (first + 120, "firing")]

    def test_that_takes_nothing_says_that_it_holds_on_and_nothing_more_once_it_takes_what_is_young(self):
        watched = Watched(waiting=100, age_s=None)
        watched.go(100, 0)
        assert watched.told == [(10, "held"), (70, "held")]
        watched.age_s = 60.0
        watched.go(100, RECORDS_A_S)
        assert watched.states == ["held", "held"]

    def test_whose_records_have_no_times_takes_nobodys_part(self):
        watched = Watched(waiting=1000 * RECORDS_A_S, age_s=None)
        watched.go(LATE_S, RECORDS_A_S)
        assert watched.told == []

    def test_that_has_not_looked_for_long_does_not_take_its_own_beginning_for_the_end(self):
        watched = Watched(waiting=3000 * RECORDS_A_S, age_s=3000.0)
        watched.go(LATE_S / 4, RECORDS_A_S)
        assert watched.told == [(EVERY_S, "held")]

    def test_of_what_was_in_time_says_nothing(self):
        watched = Watched(waiting=60 * RECORDS_A_S, age_s=60.0)
        watched.go(300, 15 * RECORDS_A_S)
        assert watched.told == []

    def test_that_has_taken_nothing_yet_knows_it_from_the_first_record(self):
        watched = Watched(waiting=10, age_s=None)
        watched.go(5, 0)
        watched.age_s = LATE_S + 1
        watched.go(5, 1000)
        assert watched.states == ["resolved"]
