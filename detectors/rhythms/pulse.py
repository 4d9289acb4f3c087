"""Whether something that is usually heard has fallen silent, by four clocks.

*plain*: the time that passed. *always*: the same, surprising by how busy every hour of the week is: for what
never rests. *rhythm*: surprising by how busy these hours of the week usually are, one hour late allowed: for
whatever rests at night and on Sundays. *days*: surprising by the days when it is heard at all (`absence`):
for whatever is heard a few times a day. Each learns the longest silences by its own measure (`clock`), and
speaks once it has run long enough. A silence that was told is no usual one, unless it is the third in a
week; it is over when as much is heard as usual (`returning`), and nothing is learnt till then.
"""

from collections.abc import Iterator
from math import exp, floor, inf

from msgspec import Struct, field

from detectors.rhythms.absence import absence
from detectors.rhythms.clock import DAY_S, Clock, unlikely
from detectors.rhythms.returning import Return
from detectors.rhythms.week import DAY, HOUR_S, HOURS, UNSEEN, Week, surprise
from detectors.rhythms.worth import Hours, reached, worth

MINUTE_S = 60.0
SHORTEST_S = 120.0
"""Shorter silences are not measured."""
SURPRISE = 12.0
"""Nats: so long a silence comes once in 110 days of minutes even where all is chance."""
PLAIN_DAYS = 7.0
ALWAYS_HOURS = 48
RHYTHM_HOURS = 100
"""Hours in which something was expected, before the rhythm is trusted."""
EXPECTED_MINUTES = 3.0
LATE_S = 3600.0
"""What comes an hour late is not missing: people are late, and clocks change twice a year."""
LATE_FROM_S = 7200.0
HABIT = 3
HABIT_S = 7 * DAY_S
BEATS = 30
RATE_HOURS = 24
LONGEST = 14
LONGEST_S = LONGEST * DAY_S
"""What may be silent for longer is not watched."""
ABSENT = 8.0
"""Nats of whole days: three that are always heard and some hours of a fourth; holidays are shorter."""
ABSENT_FROM_S = 14_400.0
"""Shorter silences say nothing about days."""
DAYS_WEEKS = 3
"""That have begun, before days are compared,"""
DAYS_HOURS = 240
"""and hours for which they were, before what is missing is told."""


class Hush(Struct, array_like=True, frozen=True):
    """A silence that is told: when, and by which clock."""

    at: float
    clock: str


class Heard(Struct, array_like=True):
    """The state. Times in POSIX seconds.

    `count`: events of the open hour; `rate`: events an hour, of about a day; `beats`: a bit for each of the
    last 30 minutes; `accepted`: somebody says that the present silence is usual; `outages`: when told ones
    of the last week ended; `settled`: whether the rhythm is that of weeks, no longer that of days;
    `back`: it is heard again after a told silence, and not yet as usual.
    """

    began: float = 0.0
    last: float = 0.0
    closes_at: float = 0.0
    due: float | None = None
    hush: Hush | None = None
    accepted: bool = False
    outages: list[float] = []
    count: int = 0
    rate: float = 0.0
    rated: int = 0
    beats: int = 0
    settled: bool = False
    week: Week = field(default_factory=Week)
    plain: Clock = field(default_factory=Clock)
    always: Clock = field(default_factory=Clock)
    rhythm: Clock = field(default_factory=Clock)
    days: Clock = field(default_factory=Clock)
    back: Return | None = None


class Pulse:
    """Learns what is usual and tells silences.

    `least_s`: shorter ones are never told; `patience_s`: for how long one that is broken goes on where
    less is heard than usual. Then that is normal.
    """

    __slots__ = ("_always", "_usual", "least_s", "patience_s", "state")

    def __init__(self, state: Heard, least_s: float, patience_s: float) -> None:
        """Continues from a state."""
        self.state, self.least_s, self.patience_s = state, least_s, patience_s
        self._read()

    def _read(self) -> None:
        """What is usual, from the weeks seen."""
        self._usual = [surprise(minutes) / MINUTE_S for minutes in self.state.week.usual()]
        always = self.state.week.always()
        self._always = None if always is None else surprise(always) / MINUTE_S

    def turn(self, now: float) -> None:
        """The first event of another minute; the caller counts it, and every other one."""
        state, hour = self.state, int(now // HOUR_S)
        if not state.began:
            state.began = state.last = now
            state.week.hour = hour
        over = state.hush is not None or state.accepted or state.back is not None
        usual = self._is_usual(now)
        if now - state.last >= SHORTEST_S and usual:
            self._learn(now - state.last, now)
        rolled = hour != state.week.hour
        if rolled:
            self._file(hour, 0 if usual else UNSEEN)
        self._beat(now)
        self._return(now)
        state.last, state.hush, state.accepted = now, None, False
        if rolled or over:
            state.due = self.deadline()[0]

    def _return(self, now: float) -> None:
        """After a told silence: whether it is back, or less has been heard for so long that it is normal."""
        state, gap = self.state, now - self.state.last
        if state.back is None and state.hush is not None and not state.accepted and self.patience_s:
            state.back = Return(state.last, now, state.hush.clock, *self.sureness(now))
        elif state.back is not None:
            state.back.between = max(state.back.between, gap)
        back = state.back
        if back is None:
            return
        if gap < self.patience_s:
            back.longest = max(back.longest, gap)
        else:
            back.began = now
        silent = floor(now / MINUTE_S) - floor(state.last / MINUTE_S) - 1
        if back.hears(silent, self.share(now)):
            state.back = None
        elif now - back.began >= self.patience_s:
            self._adopt(back, now)

    def _adopt(self, back: Return, now: float) -> None:
        """So little is normal."""
        self._learn(back.longest, now)
        self.state.back = None

    def share(self, at: float) -> float:
        """Of minutes in which something is usually heard at this hour of the week, or at any."""
        nats = max(self._usual[int(at // HOUR_S) % HOURS], self._always or 0.0)
        return 1 - exp(-nats * MINUTE_S)

    def _beat(self, now: float) -> None:
        state, minute = self.state, floor(now / MINUTE_S)
        passed = minute - floor(state.closes_at / MINUTE_S) + 1
        state.beats = (state.beats << min(BEATS, passed) | 1) & (1 << BEATS) - 1
        state.closes_at = (minute + 1) * MINUTE_S
        state.week.minutes += 1

    def _is_usual(self, now: float) -> bool:
        """Whether the silence that is over counts as usual: a told one does from the third in a week on."""
        state = self.state
        if state.back is not None:
            return False
        if state.hush is None or state.accepted:
            return True
        state.outages = [*(each for each in state.outages if each > now - HABIT_S), now]
        return len(state.outages) >= HABIT

    def _learn(self, gap: float, now: float) -> None:
        """A silence that is over, by each clock."""
        state = self.state
        state.plain.learn(gap, now)
        state.always.learn(gap * (self._always or 0.0), now)
        state.rhythm.learn(self._measured(gap), now)
        if gap >= ABSENT_FROM_S:
            state.days.learn(self._absent(gap), now)

    def _file(self, hour: int, silent: int) -> None:
        """The hours that are over. `silent`: what those count as in which nothing came."""
        state, week = self.state, self.state.week
        passed = range(week.hour, hour)
        if not silent:
            state.rated = min(RATE_HOURS, state.rated + 1)
            state.rate += (state.count - state.rate) / state.rated
            state.rate *= (1 - 1 / RATE_HOURS) ** (len(passed) - 1)
            state.always.hours += len(passed) if self._always is not None else 0
            expected = surprise(EXPECTED_MINUTES) / MINUTE_S
            state.rhythm.hours += sum(self._usual[each % HOURS] >= expected for each in passed[:HOURS])
            state.days.hours += len(passed) if len(week.rows) >= DAYS_WEEKS else 0
        state.count = 0
        week.turn(hour, silent)
        if not state.settled and week.is_settled:
            # By another rhythm silences measure otherwise.
            state.settled, state.rhythm = True, Clock()
        self._read()

    def _measured(self, gap: float) -> float:
        """A silence by the rhythm, in nats."""
        left = gap - min(LATE_S, max(0.0, gap - LATE_FROM_S))
        return worth(left, self._ahead())

    def _absent(self, gap: float) -> float:
        """A silence by its days, in nats."""
        return worth(gap, absence(self.state.week, self.state.last, LONGEST))

    def _ahead(self) -> Hours:
        """From the last event on, two weeks: the seconds of each hour, and how surprising each is."""
        last = self.state.last
        hour = int(last // HOUR_S)
        yield (hour + 1) * HOUR_S - last, self._usual[hour % HOURS]
        for each in range(hour + 1, hour + LONGEST * DAY):
            yield HOUR_S, self._usual[each % HOURS]

    def deadline(self) -> tuple[float | None, str]:
        """Until when something must be heard, and by which clock; None: nobody can tell."""
        state = self.state
        waits = {clock: wait for clock, wait in self._waits() if wait <= LONGEST_S}
        if state.days.hours >= DAYS_HOURS and min(waits.values(), default=inf) > DAY_S:
            # Dear to look at, and never shorter than a day.
            nats = state.days.surprising(self.days, ABSENT)
            wait = reached(nats, absence(state.week, state.last, LONGEST))
            waits |= {"days": wait} if wait <= LONGEST_S else {}
        if not waits:
            return None, ""
        clock = min(waits, key=waits.__getitem__)
        return state.last + max(self.least_s, waits[clock]), clock

    @property
    def days(self) -> float:
        """Since the first event, to the last."""
        return (self.state.last - self.state.began) / DAY_S

    @property
    def speaks(self) -> bool:
        """Whether a clock has run long enough."""
        return any(True for _ in self._waits())

    def _waits(self) -> Iterator[tuple[str, float]]:
        """Seconds from the last event on, by each clock that has run long enough."""
        state, days = self.state, self.days
        if days >= PLAIN_DAYS:
            yield "plain", state.plain.limit(days, self.least_s)
        if state.always.hours >= ALWAYS_HOURS and self._always:
            yield "always", state.always.limit(days, SURPRISE) / self._always
        if state.rhythm.hours >= RHYTHM_HOURS:
            waited = reached(state.rhythm.limit(days, SURPRISE), self._ahead())
            yield "rhythm", waited if waited <= LATE_FROM_S else waited + LATE_S

    def is_silent(self, now: float) -> bool:
        """Whether there is a silence to tell of, or one that is broken and hardly more."""
        state = self.state
        if state.due is not None and now >= state.due:
            if state.hush is None:
                self._hush(now)
            elif state.back is None:
                state.due = None
            else:  # what it belonged to is over; the next look tells this one by itself
                state.back = None
                return False
        return state.back is not None or (state.hush is not None and not state.accepted)

    def _hush(self, now: float) -> None:
        """Tells the present silence if it is too long; amid one that is broken, when it is one of its own."""
        state, (due, clock) = self.state, self.deadline()
        if due is not None and now >= due:
            state.hush = Hush(now, clock)
            due = None if state.back is None else state.last + state.back.part_of_it_s
        state.due = due

    def accept(self, now: float) -> None:
        """The present silence is usual, however long it gets; or that so little is heard."""
        state = self.state
        if state.hush is not None:
            state.accepted = True
        if state.back is not None:
            self._adopt(state.back, now)
            state.due = None if state.accepted else self.deadline()[0]

    def sureness(self, now: float) -> tuple[float, float]:
        """Of a silence that is told: how many times the longest usual one, and the confidence in it.

        Of one that is broken, as they were then.
        """
        state, gap, days = self.state, now - self.state.last, self.days
        if state.back is not None:
            return state.back.ratio, state.back.confidence
        if self.told_by == "days":
            nats, limit = self._absent(gap), state.days.surprising(days, ABSENT)
            return nats / (state.days.top or limit), unlikely(max(nats, limit), limit)
        clock = {"plain": state.plain, "always": state.always, "rhythm": state.rhythm}[self.told_by]
        length = {"plain": gap, "always": gap * (self._always or 0.0)}.get(self.told_by)
        length = self._measured(gap) if length is None else length
        limit = clock.limit(days, self.least_s if clock is state.plain else SURPRISE)
        return length / (clock.top or limit), clock.confidence(max(length, limit), limit)

    @property
    def told_by(self) -> str:
        """The clock by which the present silence is told."""
        told = self.state.back or self.state.hush
        return told.clock if told is not None else ""

    def history(self, now: float) -> tuple[float, ...]:
        """1 for each of the last 30 minutes in which something was heard, oldest first."""
        passed = max(0, floor(now / MINUTE_S) - floor(self.state.closes_at / MINUTE_S) + 1)
        beats = self.state.beats << min(BEATS, passed)
        return tuple(float(beats >> place & 1) for place in range(BEATS - 1, -1, -1))
