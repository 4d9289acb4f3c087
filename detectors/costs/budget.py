"""A budget for each hour, day, week or month: what of it is spent, and what will be at the period's end.

Steps are told once a period: 80 % and 95 % are projected, all is spent. One that fell well below its share
again is over, and only a higher step speaks again; whatever holds ends with the period.
"""

from math import floor

from msgspec import Struct, field

from detectors.costs.forecast import Forecast, forecast, hours_left
from detectors.costs.hourly import KEPT, Usual, usual
from detectors.costs.level import Lately, all_spans, fitting
from detectors.costs.periods import DAY_S, HOUR_S, end_of, start_of
from schemas.signal import Sample

STEPS = (0.8, 0.95, 1.0)
"""Shares of the budget: projected, projected, spent."""
SPENT = len(STEPS)
STRAYS, SURE = 0.2**2, 0.98
"""Where the level strays by more than a fifth by itself (the variance of its logarithm), as with heavy-tailed
minutes, a projected step must be so likely; elsewhere it is told when it is expected.
"""
MOST_SAMPLES = 3
BACK = 0.1
"""A projected step is over when the projection is so much of the budget below it."""


class Ledger(Struct, array_like=True):
    """The state: USD and POSIX seconds.

    `spent` in this period; `hour_usd` since `hour`; `at`: counted up to then, since `since`; `hours`: whole
    hours before `hour`; `told`: the highest step of this period; `holding`: onset by step, counted from 1.
    `sessions`: those that began in this period; `dearest`: its dearest operations that were looked at.
    """

    usd: float
    period: str
    since: float = 0.0
    at: float = 0.0
    ends: float = 0.0
    spent: float = 0.0
    hour: float = 0.0
    hour_usd: float = 0.0
    hours: list[float] = []
    spans: list[Lately] = field(default_factory=all_spans)
    told: int = 0
    holding: dict[int, float] = {}
    sessions: int = 0
    dearest: list[tuple[float, Sample]] = []


class Budget:
    """Follows a ledger; whatever is not in it follows from it."""

    __slots__ = ("_left", "_rest", "_usual", "forecast", "ledger")

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._look()
        self.forecast = self._forecast()

    def follow(self, usd: float, period: str) -> None:
        """Another budget: what was spent is counted anew from the hours known, and every step may be told."""
        ledger = self.ledger
        if (usd, period) == (ledger.usd, ledger.period):
            return
        if period != ledger.period:
            ledger.sessions, ledger.dearest = 0, []
        ledger.usd, ledger.period, ledger.told, ledger.holding = usd, period, 0, {}
        if ledger.at:
            ledger.ends = end_of(period, ledger.hour)
            count = round((ledger.hour - start_of(period, ledger.hour)) / HOUR_S)
            known = ledger.hours[-count:] if count else []
            ledger.spent = sum(known) + ledger.hour_usd
            self._look()
            self._judge()

    def look(self, usd: float, sample: Sample) -> None:
        """An operation of the minute that ended."""
        ledger = self.ledger
        ranked = sorted([*ledger.dearest, (usd, sample)], key=lambda each: (-each[0], each[1].event))
        ledger.dearest = ranked[:MOST_SAMPLES]

    def take(self, usd: float, ended: float, now: float, sessions: int = 0) -> None:
        """USD of the minute that ended at `ended`; nothing from then to `now`. Both are whole minutes.

        `sessions`: those that began in it.
        """
        self.ledger.sessions += sessions
        ledger = self.ledger
        if not ledger.at or now - ledger.at > KEPT * HOUR_S:
            self._begin(now)
        else:
            self._pass(ended, usd)
            while ledger.at < now:
                self._pass(min(now, ledger.hour + HOUR_S), 0.0)
        self._judge()

    def accept(self) -> None:
        """What holds is known: only a higher step is told in this period."""
        self.ledger.holding = {}

    def exhausted_at(self) -> float | None:
        """POSIX seconds at which what is left of it is expected to be spent, or None: not in this period."""
        ledger, usual_now = self.ledger, self._usual
        if usual_now is None or self.forecast.total < ledger.usd:
            return None
        level = self._level(usual_now)[0]
        at = until = ledger.at
        rest, short = 0.0, ledger.usd - ledger.spent
        if short <= 0:
            return at
        for usd in (usual_now.of(ledger.hour), *self._left):
            until = floor(at / HOUR_S) * HOUR_S + HOUR_S
            rest = level * usd * (until - at) / HOUR_S
            if rest >= short:
                break
            short -= rest
            at = until
        return at + (until - at) * short / max(rest, short)

    def _begin(self, now: float) -> None:
        hour = floor(now / HOUR_S) * HOUR_S
        ends = end_of(self.ledger.period, hour)
        self.ledger = Ledger(self.ledger.usd, self.ledger.period, now, now, ends, hour=hour)
        self._look()

    def _pass(self, until: float, usd: float) -> None:
        """Time moves on, within an hour, to its end at most."""
        ledger, usual_now, seconds = self.ledger, self._usual, until - self.ledger.at
        if usual_now is not None and seconds > 0:
            expected, least = usual_now.of(ledger.hour) * seconds / HOUR_S, usual_now.day / DAY_S
            for each in ledger.spans:
                each.take(seconds, usd, expected, least)
        ledger.spent += usd
        ledger.hour_usd += usd
        ledger.at = until
        if until >= ledger.hour + HOUR_S:
            self._close_hour(until)

    def _close_hour(self, at: float) -> None:
        ledger = self.ledger
        if ledger.since <= ledger.hour:
            ledger.hours = [*ledger.hours[1 - KEPT :], ledger.hour_usd]
        ledger.hour, ledger.hour_usd = at, 0.0
        if at >= ledger.ends:
            ledger.ends, ledger.spent = end_of(ledger.period, at), 0.0
            ledger.told, ledger.holding = 0, {}
            ledger.sessions, ledger.dearest = 0, []
        self._look()

    def _look(self) -> None:
        """What is usual, and what of it is left: once an hour."""
        ledger = self.ledger
        self._usual: Usual | None = usual(ledger.hours, ledger.hour)
        self._left = [] if self._usual is None else hours_left(self._usual, ledger.hour, ledger.ends)
        self._rest = sum(self._left)

    def _level(self, usual_now: Usual) -> tuple[float, float]:
        ledger = self.ledger
        return fitting(ledger.spans, ledger.ends - ledger.at).level(usual_now.day / DAY_S)

    @property
    def _strays(self) -> bool:
        """Whether what is spent says little of what will be."""
        level = fitting(self.ledger.spans, self.ledger.ends - self.ledger.at)
        return level.squares / level.seconds > STRAYS

    def _forecast(self) -> Forecast:
        ledger, usual_now = self.ledger, self._usual
        if usual_now is None:
            return Forecast(ledger.spent, 0.0, 0.0)
        rest = usual_now.of(ledger.hour) * (ledger.hour + HOUR_S - ledger.at) / HOUR_S
        return forecast(ledger.spent, rest + self._rest, usual_now, self._level(usual_now))

    def _judge(self) -> None:
        """Which steps hold. Those of the period before went with it."""
        ledger = self.ledger
        self.forecast = self._forecast()
        total = self.forecast.total
        least = SURE if self._strays else 0.0
        projected = sum(
            total >= each * ledger.usd and self.forecast.chance(each * ledger.usd) >= least
            for each in STEPS[:-1]
        )
        reached = SPENT if ledger.spent >= ledger.usd else projected
        for step in [each for each in ledger.holding if each < SPENT]:
            if total < (STEPS[step - 1] - BACK) * ledger.usd:
                del ledger.holding[step]
        if reached > ledger.told:
            ledger.told = reached
            ledger.holding[reached] = ledger.at

    @property
    def knows(self) -> bool:
        """Whether the agent is known for a day, so that there is a forecast."""
        return self._usual is not None
