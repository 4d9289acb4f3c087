"""A failure rate against what is allowed: when an incident opens, what it has hit, when it ends.

An incident opens when the e-detector alarms (`rate_alarm`) or a paging burn-rate pair holds, and
there are three failures within half an hour or five in a row, of three sessions or more where they are known:
one session that goes astray is no outage. A ticket's pair opens one, too: it matters less. It ends by
evidence: when the rate of ten minutes is back at what is allowed, and so many trials went well that the
incident's own rate is refuted (`recovery`). Silence ends it only where it is longer than the stream's gaps
explain (`patience`).
"""

from collections.abc import Sequence

from msgspec import Struct, field

from detectors.dense import Number
from detectors.failures.affected import Affected, Mark
from detectors.failures.burn_rate import PAGING, Counted, Pair, exceeding, holding
from detectors.failures.patience import Waits, patience
from detectors.failures.rate_alarm import Cell, Onset, RateAlarm
from detectors.failures.recovery import Recovery, rate_of
from detectors.failures.usual_rate import UsualRate
from detectors.failures.windows import MINUTE_S

RECOVERY_MINUTES = 10
SPANS_MINUTES = (30, 60, 360, 4320)
"""Three failures must lie within the first of these that has at least …"""
SPAN_TRIALS = 20
"""… so many trials: half an hour, unless little comes."""
FEWEST_FAILURES = 3
FEWEST_IN_A_ROW = 5
FEWEST_SESSIONS = 3
HIGHEST_ALLOWED = 0.99
LEARNT_S = 600
REMEMBERED = 20_000


class Terms(Struct, frozen=True):
    """`budget`: 1 - objective. `threshold_s`: c, the mean seconds to a false alarm; `pairs` open as well.

    `waits`: how long an incident waits for a trial, in seconds.
    """

    budget: float
    threshold_s: float
    pairs: tuple[Pair, ...] = PAGING
    waits: Waits = patience


class Hold(Struct, array_like=True):
    """An incident: since when, when it was told, what happened since the onset, and what it has hit.

    `well`: trials since the last failure. `recovery`: the evidence that it is over.
    """

    onset: float
    opened: float
    total: int
    bad: int
    affected: Affected = field(default_factory=Affected)
    well: int = 0
    recovery: Recovery = field(default_factory=Recovery)

    def take(self, cell: Cell, allowed: float) -> None:
        """The next cell: what it tells of the end is weighed by what was known before."""
        self.recovery.step(cell, allowed, rate_of(self.bad, self.total - self.well, allowed))
        self.total += cell.total
        self.bad += cell.bad
        self.well = 0 if cell.bad else self.well + cell.total


class Gauge(Struct, array_like=True):
    """The state.

    `since`: failures before it belong to an incident that has ended. `rate`: what is usual on `day`.
    """

    alarm: RateAlarm = field(default_factory=RateAlarm)
    usual: UsualRate = field(default_factory=UsualRate)
    hold: Hold | None = None
    streak: int = 0
    since: Number = 0
    day: int = -1
    rate: Number = 0
    quiet_bad: Number = 0
    quiet_total: Number = 0

    def allowed(self, at: float, terms: Terms) -> float:
        """The rate that alarms nobody: the budget, or what is usual where that is higher."""
        day = int(at // 86400)
        if day != self.day:
            self.day, self.rate = day, self.usual.rate(at)
        return min(HIGHEST_ALLOWED, max(terms.budget, self.rate))

    def take(self, cell: Cell, counted: Counted, terms: Terms, marks: Sequence[Mark]) -> None:
        """The next cell. `counted`: failures and total by minutes back; `marks`: the last failures."""
        allowed = self.allowed(cell.at, terms)
        if self.hold is not None:
            self.hold.take(cell, allowed)
            return
        good = cell.total - cell.bad
        self.streak = 0 if good else self.streak + cell.bad
        self._remember(cell.bad, cell.total)
        self.alarm.step(cell, allowed)
        fresh = self._fresh(cell.at, counted)
        if cell.bad and self._telling(fresh) and self._alarming(fresh, terms, allowed):
            began = self._began(cell, marks)
            claimed = [mark for mark in marks if mark.at >= began.at]
            if _several(claimed):
                self._open(cell.at, began, claimed)

    def pass_by(self, total: int) -> None:
        """Trials of which none failed, while there is nothing to watch."""
        self._remember(0, total)

    def _began(self, cell: Cell, marks: Sequence[Mark]) -> Onset:
        """Where the rise began; where so little comes that it has hardly begun, the failures in a row."""
        began = self.alarm.onset or Onset(cell.first_bad, cell.total, cell.bad)
        row = marks[-self.streak :] if self.streak and began.bad < FEWEST_FAILURES else []
        return Onset(row[0].at, len(row), len(row)) if row else began

    def _remember(self, bad: int, total: int) -> None:
        self.quiet_bad += bad
        self.quiet_total += total
        if self.quiet_total > REMEMBERED:
            self.quiet_bad /= 2
            self.quiet_total /= 2

    @property
    def usual_share(self) -> float | None:
        """Failures over trials outside incidents, of the last 10,000 to 20,000 trials; None without any."""
        return max(0.0, self.quiet_bad) / self.quiet_total if self.quiet_total > 0 else None

    def _fresh(self, at: float, counted: Counted) -> Counted:
        """The same counts without what belongs to an incident that has ended."""
        most = int(at // MINUTE_S - self.since // MINUTE_S) + 1
        return lambda minutes: counted(min(minutes, most))

    def _telling(self, counted: Counted) -> bool:
        if self.streak >= FEWEST_IN_A_ROW:
            return True
        for minutes in SPANS_MINUTES:
            bad, total = counted(minutes)
            if bad >= FEWEST_FAILURES or total >= SPAN_TRIALS:
                return bad >= FEWEST_FAILURES
        return False

    def _alarming(self, counted: Counted, terms: Terms, allowed: float) -> bool:
        if self.alarm.level >= terms.threshold_s:
            return True
        return any(
            pair in terms.pairs and exceeding(counted, pair, allowed)
            for pair in holding(counted, terms.budget)
        )

    def _open(self, at: float, began: Onset, marks: list[Mark]) -> None:
        self.hold = Hold(began.at, at, began.total, began.bad, recovery=Recovery(at))
        self._remember(-began.bad, -began.total)
        for mark in marks:
            self.hold.affected.take(mark)
        self.usual.unlearn(int(began.at // LEARNT_S))
        self.day = -1

    def settle(self, at: float, counted: Counted, terms: Terms) -> None:
        """Ends the incident when its rate is refuted and ten minutes since it was told had an allowed one."""
        if self.hold is None or at - self.hold.opened < RECOVERY_MINUTES * MINUTE_S:
            return
        bad, total = counted(RECOVERY_MINUTES)
        if self.hold.recovery.shown and bad <= self.allowed(at, terms) * total:
            self.forget(at)

    @property
    def judged(self) -> float:
        """When the last cell was over; POSIX seconds, 0 if nothing is known of it."""
        return self.alarm.at if self.hold is None else self.hold.recovery.at

    @property
    def ending(self) -> bool:
        """Whether time alone may end the incident, without another trial."""
        return self.hold is not None and self.hold.recovery.shown

    def forget(self, at: float) -> None:
        """Begins anew: no incident, no evidence but how many trials in a row have failed."""
        if self.hold is not None:
            self.hold, self.streak = None, 0
        self.since = at
        self.alarm.reset()

    def learn(self, cell: int, counts: tuple[int, int]) -> None:
        """A ten-minute cell that is over (its number since 1970), failures and total."""
        bad, total = counts
        if self.hold is None and self.since < cell * LEARNT_S:
            self.usual.learn(cell, total, bad)

    def accept(self, at: float, counted: Counted) -> None:
        """The rate of the last hour, with room for chance, is normal from here on."""
        bad, total = counted(60)
        if bad:
            self.usual.accept(min(HIGHEST_ALLOWED, (bad + 3 * bad**0.5) / total), at)
        self.day = -1
        self.forget(at)


def _several(marks: list[Mark]) -> bool:
    sessions = {mark.session for mark in marks if mark.session}
    return not sessions or len(sessions) >= FEWEST_SESSIONS
