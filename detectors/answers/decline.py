"""One stream of graded answers, and whether it got worse than it usually is: badness lies in [0, 1]."""

from collections.abc import Sequence

from msgspec import Struct, field

from detectors.answers.bets import Bets, Cell
from detectors.answers.usual import HIGHEST, Usual
from detectors.contrast import Tally
from detectors.dense import Number, Rows
from detectors.failures.affected import LONGEST_TEXT, Affected, mark_of
from detectors.redaction import redact
from schemas.event import Event
from schemas.signal import Sample

DAY_S = 86400.0
WARM_UP = 200
"""Answers learnt before any is judged."""
FLOOR = 0.01
"""What is bad in less than one answer in a hundred is left alone."""
FEWEST = 5.0
FEWEST_SESSIONS = 3
BAD = 0.5
LEARNT_ANYWAY = 10_000.0
GRADED = 0.9
"""Squares of what is only good or bad add up to the same; of grades between them to less than this share."""
RECOVERY_S = 600.0
RECOVERY = 30
"""Answers as good as usual, in a row, that end what holds; more, where it is little worse than usual: …"""
MOST_RECOVERY = 1000
SURE = 3.0
"""… so many that their mean strays by chance a third of the way at most."""
ADOPTED_S = DAY_S
WEEK_S = 7 * DAY_S
MOST_A_WEEK = 3
ALIKE = 1.25
"""What was told so often in a week and comes again, at most so many times as bad, is normal."""
HISTORY = 30
MOST_SAMPLES = 3
MINUTE_S = 60.0


class Hold(Struct, array_like=True):
    """A decline that is told: since when, told when; answers and badness since; both, counted afresh."""

    onset: float
    opened: float
    total: float
    bad: float
    fresh: float = 0.0
    fresh_bad: float = 0.0


class Decline(Struct, array_like=True):
    """The state. Counts of the open cell; counts that wait to be learnt until nothing rises.

    `affected`: the bad answers since something rises; `minutes`: `[minute, answers, badness]` of the last 30.
    `told`: what of the last seven days was told, `[when, mean badness]`.
    """

    total: Number = 0
    bad: Number = 0
    squares: Number = 0
    first_bad: float | None = None
    waiting: list[Number] = field(default_factory=lambda: [0, 0, 0])
    usual: Usual = field(default_factory=Usual)
    bets: Bets = field(default_factory=Bets)
    hold: Hold | None = None
    affected: Affected = field(default_factory=Affected)
    samples: list[Sample] = []
    minutes: Rows = field(default_factory=Rows)
    told: list[list[float]] = []

    def take(self, badness: float, event: Event, now: float, patterns: Sequence[str]) -> None:
        """One answer that is not wholly good. It is counted here, in `total` as well."""
        self.total += 1
        self.bad += int(badness) if badness == 1 else badness
        self.squares += 1 if badness == 1 else badness * badness
        if self.first_bad is None:
            self.first_bad = now
        if badness >= BAD and self.is_warm:
            self.affected.take(mark_of(event, now, "", ""))
            self.samples = [*self.samples[1 - MOST_SAMPLES :], _sample(event, patterns)]

    @property
    def is_warm(self) -> bool:
        """Whether enough is known to judge."""
        return self.usual.count >= WARM_UP

    @property
    def heard(self) -> float:
        """When the minute of the last closed cell began; POSIX seconds, 0 without any."""
        return self.minutes.rows[-1][0] * MINUTE_S if self.minutes.rows else 0.0

    def allowed(self, slack: float) -> float:
        """The mean badness that alarms nobody; `slack`: so far from the usual towards 1 it may always be."""
        mean = self.usual.mean
        return self.usual.allowed(max(FLOOR, mean + slack * (1 - mean)))

    def close(self, at: float, threshold_s: float, slack: float) -> None:
        """Ends the open cell at `at`."""
        self._note(at)
        self.usual.turn(at)
        counts = [self.total, self.bad, self.squares]
        cell = Cell(at, self.total, self.bad, at if self.first_bad is None else self.first_bad, self.squares)
        self.total, self.bad, self.squares, self.first_bad = 0, 0, 0, None
        if not self.is_warm:
            self.usual.learn(at, counts)
        elif self.hold is not None:
            self._follow(self.hold, cell, slack)
        else:
            self._judge(cell, counts, threshold_s, slack)

    def _note(self, at: float) -> None:
        minute = float((at - 1) // MINUTE_S)
        rows = self.minutes.rows
        if not rows or rows[-1][0] != minute:
            rows[: 1 - HISTORY] = []
            rows.append([minute, 0.0, 0.0])
        rows[-1][1] += self.total
        rows[-1][2] += self.bad

    def _judge(self, cell: Cell, counts: list[float], threshold_s: float, slack: float) -> None:
        # Rounded, so that the steps of the bets are worked out seldom.
        allowed = round(self.allowed(slack), 3)
        if allowed >= HIGHEST:
            self.usual.learn(cell.at, counts)
            return
        if not self.bets.at and self.usual.squares < GRADED * self.usual.total:
            self.bets = Bets.of_scores()
        self.bets.step(cell, allowed)
        self.waiting = [each + more for each, more in zip(self.waiting, counts, strict=True)]
        rise = self.bets.rise
        if not rise:
            self.affected = Affected()
        if not rise or self.waiting[0] >= LEARNT_ANYWAY:
            self.usual.learn(cell.at, self.waiting)
            self.waiting = [0, 0, 0]
        elif self.bets.level >= threshold_s and self._is_telling(rise[2]):
            since, total, bad = rise
            self.usual.hears(cell.at, self.waiting[0], self.waiting[1])
            self.waiting = [0, 0, 0]
            if self._is_told(cell.at, bad / total):
                self.adopt()
            else:
                self.hold = Hold(since, cell.at, total, bad)

    def _is_told(self, at: float, mean: float) -> bool:
        """Whether as bad a mean was told again and again in seven days: it comes by fits and starts."""
        self.told = [each for each in self.told if at - each[0] < WEEK_S]
        return len(self.told) >= MOST_A_WEEK and mean <= ALIKE * max(each[1] for each in self.told)

    def _is_telling(self, bad: float) -> bool:
        """Not one session alone, and not a handful of answers."""
        sessions = self.affected.sessions
        return bad >= FEWEST and (not sessions or len(sessions) >= FEWEST_SESSIONS)

    def _follow(self, hold: Hold, cell: Cell, slack: float) -> None:
        hold.total += cell.total
        hold.bad += cell.bad
        hold.fresh += cell.total
        hold.fresh_bad += cell.bad
        self.usual.hears(cell.at, cell.total, cell.bad)
        if cell.at - hold.opened >= ADOPTED_S:
            self.adopt()
        elif hold.fresh >= self._enough(hold, slack):
            if hold.fresh_bad / hold.fresh <= self.allowed(slack) and cell.at - hold.opened >= RECOVERY_S:
                self.end()
            hold.fresh, hold.fresh_bad = 0.0, 0.0

    def _enough(self, hold: Hold, slack: float) -> float:
        """How many answers tell whether it is over."""
        gap = hold.bad / hold.total - self.allowed(slack)
        if gap <= 0:
            return RECOVERY
        spread = max(0.0, self.usual.squares / self.usual.count - self.usual.mean**2)
        return min(MOST_RECOVERY, max(RECOVERY, SURE**2 * spread / gap**2))

    def end(self) -> None:
        """What holds is over."""
        if self.hold is not None:
            self.told = [*self.told[1 - MOST_A_WEEK :], [self.hold.opened, self.hold.bad / self.hold.total]]
        self.hold, self.affected, self.samples = None, Affected(), []
        self.bets = Bets()

    def adopt(self) -> None:
        """What is graded now is normal: learns it anew."""
        self.end()
        self.usual, self.waiting = self.usual.anew(), [0, 0, 0]

    @property
    def tally(self) -> Tally:
        """The bad answers by version, model, …, without what they all share here."""
        tally = self.affected.tally
        return Tally(tally.weight, {key: each for key, each in tally.by.items() if key not in _SHARED})


_SHARED = frozenset({"error type", "class"})


def _sample(event: Event, patterns: Sequence[str]) -> Sample:
    data = event.data
    said = data.evaluation.explanation if data.evaluation else None
    reasons = " ".join(data.response.finish_reasons or ()) if data.response else ""
    return Sample(
        event=f"{event.source}/{event.id}",
        time=event.time,
        text=redact(said, patterns)[:LONGEST_TEXT] if said else reasons[:LONGEST_TEXT],
        conversation=data.conversation.id if data.conversation else None,
        trace=event.traceparent[3:35] if event.traceparent else None,
    )
