"""Requests that wait for a person: how many, the oldest, and how many expire."""

from msgspec import Struct, field

from detectors.consents.kinds import UNKNOWN, Kinds
from detectors.course import MINUTE_S, MINUTES, course, trend
from detectors.dense import Column, Number, single
from detectors.detector import Finding
from detectors.saying import clock, counted, span
from schemas.event import Event
from schemas.signal import Blast, Sample

MOST_WAITING = 256
MOST_DECIDED = 50
MOST_WAITS = 100
FEWEST_WAITS = 20
USUAL_TIMES = 3.0
"""A request waits too long at three times what one in twenty waits, or `wait`, whichever is more."""
RARE = 0.95
DAY_S = 86400.0
GIVEN_UP_S = 4 * DAY_S
"""A request without an answer for so long is waited for no more: a day, with a long weekend before it."""
FEWEST_EXPIRED = 3
EXPIRED_SHARE = 0.2
EXPIRED_FOR_S = 7200.0
MOST_SAMPLES = 3
MOST_SAMPLED = 16
"""Requests with something to look at: while so many have, …"""
SAMPLED_EVERY = 8
"""… one in eight of further ones, so that some are left when the oldest are answered."""
HIGH = frozenset({"high", "critical"})


class Waiting(Struct, array_like=True, frozen=True):
    """A request: since when, whether of high consequence; its session's digest; what shows it; its kind."""

    since: float
    high: bool
    session: int
    sample: Sample | None = None
    kind: int = UNKNOWN


class Queue(Struct, array_like=True):
    """The state. `waits`: seconds that the last requests waited; `decided`: when, 1 if it expired, its kind.

    `late`, `expiring`: since when the findings hold, or None; `dropped`: requests beyond the cap. Keys are
    64-bit digests of ids.
    """

    waiting: dict[int, Waiting] = {}
    waits: Column = field(default_factory=Column)
    decided: list[list[Number]] = []
    late: float | None = None
    expiring: float | None = None
    dropped: int = 0
    kinds: Kinds = field(default_factory=Kinds)

    def ask(self, name: int, session: int, event: Event, now: float) -> None:
        """A request. The oldest gives its place where there are too many."""
        if name in self.waiting:
            return
        if len(self.waiting) >= MOST_WAITING:
            del self.waiting[next(iter(self.waiting))]
            self.dropped += 1
        data = event.data
        level = (data.approval.consequence if data.approval else None) or data.operation.consequence or ""
        sampled = sum(each.sample is not None for each in self.waiting.values())
        is_shown = sampled < MOST_SAMPLED or len(self.waiting) % SAMPLED_EVERY == 0
        sample = _sample(event, level) if is_shown else None
        self.waiting[name] = Waiting(now, level in HIGH, session, sample, self.kinds.take(event))

    def answer(self, name: int, now: float, said_s: float | None, expired: float) -> tuple[float | None, int]:
        """A decision, or that there was none in time.

        Returns how many seconds it took, if that is known, and the kind of what was asked.
        """
        asked = self.waiting.pop(name, None)
        kind = UNKNOWN if asked is None else asked.kind
        wait = said_s if said_s is not None or asked is None else now - asked.since
        self.decided = [*self.decided[1 - MOST_DECIDED :], [now, int(expired), kind]]
        if wait is not None and not expired:
            self.waits.values[: 1 - MOST_WAITS] = []
            self.waits.values.append(single(min(wait, GIVEN_UP_S)))
        return wait, kind

    def limit_s(self, least_s: float) -> float:
        """From how long on a request waits too long."""
        if len(self.waits.values) < FEWEST_WAITS:
            return least_s
        return max(least_s, USUAL_TIMES * sorted(self.waits.values)[int(RARE * len(self.waits.values))])

    def due(self, least_s: float) -> float | None:
        """When the oldest request will have waited too long; None where nothing waits, or that is told."""
        if self.late is not None or not self.waiting:
            return None
        return next(iter(self.waiting.values())).since + self.limit_s(least_s)

    def settle(self, now: float, least_s: float) -> None:
        """What begins to hold, and what holds no more."""
        while self.waiting:
            name = next(iter(self.waiting))
            if now - self.waiting[name].since < GIVEN_UP_S:
                break
            self.answer(name, now, None, 1.0)
        oldest = next((each.since for each in self.waiting.values()), now)
        if now - oldest < self.limit_s(least_s) or not self.waiting:
            self.late = None
        elif self.late is None:
            self.late = now
        expired = [at for at, gone, *_ in self.decided if gone and now - at <= DAY_S]
        many = len(expired) >= FEWEST_EXPIRED and len(expired) >= EXPIRED_SHARE * len(self.decided)
        if not many or now - expired[-1] > EXPIRED_FOR_S:
            self.expiring = None
        elif self.expiring is None:
            self.expiring = expired[0]

    def findings(self, now: float, least_s: float) -> list[Finding]:
        """What holds."""
        found = []
        if self.late is not None:
            found.append(self._late(self.late, now, least_s))
        if self.expiring is not None:
            found.append(self._expiring(self.expiring, now))
        return found

    def _late(self, onset: float, now: float, least_s: float) -> Finding:
        oldest = next(iter(self.waiting.values()))
        usual = sorted(self.waits.values)[len(self.waits.values) // 2] if self.waits.values else None
        wait, limit = now - oldest.since, self.limit_s(least_s)
        usually = "" if usual is None else f" (usually answered in {span(usual)})"
        high = sum(each.high for each in self.waiting.values())
        return Finding(
            finding="waiting",
            onset=onset,
            summary=f"{self._waiting} for a person, the oldest {span(wait)}, "
            f"since {clock(oldest.since, now)}{usually}; {high} of high consequence",
            observed=round(wait / 60, 1),
            baseline=round((usual or limit) / 60, 1),
            unit="minutes",
            magnitude=round(wait / limit, 2),
            magnitude_unit="ratio",
            trend="rising",
            blast=Blast(sessions=len({each.session for each in self.waiting.values()})),
            contributors=self.kinds.standing_out(each.kind for each in self.waiting.values()),
            samples=self._samples,
            history=tuple(round(max(0.0, wait / MINUTE_S - back), 1) for back in range(MINUTES - 1, -1, -1)),
        )

    @property
    def _waiting(self) -> str:
        verb = "waits" if len(self.waiting) == 1 else "wait"
        return f"{counted(len(self.waiting), 'approval')} {verb}"

    @property
    def _samples(self) -> tuple[Sample, ...]:
        """Of those that wait, the oldest that have one."""
        return tuple(each.sample for each in self.waiting.values() if each.sample is not None)[:MOST_SAMPLES]

    def _expiring(self, onset: float, now: float) -> Finding:
        expired = sum(gone for at, gone, *_ in self.decided if now - at <= DAY_S)
        share = expired / len(self.decided)
        every = course(now, [[at // MINUTE_S, gone] for at, gone, *_ in self.decided])
        return Finding(
            finding="expiring",
            onset=onset,
            summary=f"{expired:.0f} of the last {len(self.decided)} approvals expired without an answer, "
            f"since {clock(onset, now)}: {self._waiting} now",
            observed=round(share, 4),
            baseline=EXPIRED_SHARE,
            unit="share",
            magnitude=round(share / EXPIRED_SHARE, 2),
            magnitude_unit="ratio",
            trend=trend(every),
            blast=Blast(share=round(share, 4)),
            contributors=self.kinds.standing_out(
                int(kind) for _, gone, *kinds in self.decided if gone for kind in kinds
            ),
            samples=self._samples,
            history=every,
        )


def _sample(event: Event, level: str) -> Sample:
    data = event.data
    return Sample(
        event=f"{event.source}/{event.id}",
        time=event.time,
        text=" ".join(word for word in (data.operation.name, level) if word),
        conversation=data.conversation.id if data.conversation else None,
        trace=event.traceparent[3:35] if event.traceparent else None,
    )
