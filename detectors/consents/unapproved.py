"""Operations of high consequence that went ahead although no person approved them, or ever was asked to."""

from array import array
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self

from msgspec import Struct, field

from detectors.consents.kinds import Kinds
from detectors.course import Course, trend
from detectors.dense import column, numbers, rising, rising_packed
from detectors.detector import Finding
from detectors.failures.affected import Affected, mark_of
from detectors.saying import clock, counted
from schemas.event import Event
from schemas.signal import Sample

MOST_SESSIONS = 512
HOLDS_S = 86400.0
"""An approval of a session counts for its operations for a day."""
OVER_AFTER_S = 1800.0
FEWEST_UNASKED = 3
UNASKED_FOR_S = 86400.0
"""Where nobody is ever asked it is told from three operations on, and until a day passes without one."""
MOST_SAMPLES = 3
MOST_KEPT = 100
GRANTED, REFUSED = 1, 0


class Breach(Struct, array_like=True):
    """Such operations: since when, the last at; how many, against whose word (denied, expired), whom.

    `kinds`: of the last of them. `approved`: others that went ahead since, approved.
    """

    onset: float
    latest: float
    count: int = 0
    refused: int = 0
    affected: Affected = field(default_factory=Affected)
    samples: list[Sample] = []
    course: Course = field(default_factory=Course)
    kinds: list[int] = []
    approved: int = 0


class Decided:
    """What was decided of sessions, by their digest, and when, in whole seconds; the last comes last."""

    __slots__ = ("by",)

    def __init__(self, by: Mapping[int, tuple[int, int]] = MappingProxyType({})) -> None:
        self.by = dict(by)

    def packed(self) -> list[Any]:
        """What `unpacked` takes."""
        if not self.by:
            return []
        granted, at = zip(*self.by.values(), strict=True)
        return [array("Q", self.by).tobytes(), *rising_packed(at), column(granted)]

    @classmethod
    def unpacked(cls, saved: Sequence[Any] | Mapping[int, Any]) -> Self:
        """Goes on from what was saved, or from what earlier versions kept."""
        if not saved or isinstance(saved, Mapping):
            return cls({key: tuple(each) for key, each in dict(saved).items()})
        keys, first, count, gaps, granted = saved
        decided = zip(map(int, numbers(granted, count)), rising(first, count, gaps), strict=True)
        return cls(dict(zip(array("Q", keys), decided, strict=True)))


class Consents(Struct, array_like=True):
    """The state. `known`: whether anybody is asked at all; `accepted`: nobody; it is normal or was told."""

    sessions: Decided = field(default_factory=Decided)
    known: bool = False
    breach: Breach | None = None
    kinds: Kinds = field(default_factory=Kinds)
    accepted: bool = False

    def expect(self) -> None:
        """From now on somebody must be asked."""
        if not self.known:
            self.known, self.breach = True, None

    def ask(self, session: int, now: float) -> None:
        """Somebody is asked: until the answer nothing is granted, but what was before."""
        if session not in self.sessions.by:
            self.decide(session, REFUSED, now)

    def decide(self, session: int, granted: int, now: float) -> None:
        """What a person decided of a session's operation."""
        self.expect()
        by = self.sessions.by
        by.pop(session, None)
        if len(by) >= MOST_SESSIONS:
            del by[next(iter(by))]
        by[session] = granted, int(now)

    def operate(self, event: Event, session: int, now: float) -> None:
        """An operation of high consequence that was carried out, and needs an approval."""
        if not self.known:
            self.settle(now)
            if self.accepted:
                return
        granted, at = self.sessions.by.get(session, (REFUSED, 0))
        if now - at > HOLDS_S:
            granted, at = REFUSED, 0
        kind = self.kinds.take(event)
        if granted or (self.known and not session):
            if granted and self.breach is not None:
                self.breach.approved += 1
            return
        breach = self.breach = self.breach or Breach(now, now)
        breach.latest = now
        breach.count += 1
        breach.kinds = [*breach.kinds[1 - MOST_KEPT :], kind]
        breach.course.add(now)
        breach.refused += at > 0
        breach.affected.take(mark_of(event, now, "", event.data.operation.name))
        if len(breach.samples) < MOST_SAMPLES:
            breach.samples.append(_sample(event))

    def settle(self, now: float) -> None:
        """It is over when nothing such happened for half an hour, or a day where nobody is ever asked.

        The latter is told once.
        """
        breach, lasts_s = self.breach, OVER_AFTER_S if self.known else UNASKED_FOR_S
        if breach is not None and now - breach.latest > lasts_s:
            self.accepted = self.accepted or (not self.known and breach.count >= FEWEST_UNASKED)
            self.breach = None

    def findings(self, now: float) -> list[Finding]:
        """What holds."""
        breach = self.breach
        if breach is None or (not self.known and breach.count < FEWEST_UNASKED):
            return []
        since = clock(breach.onset, now)
        against = f", {breach.refused} of them after a refusal or before an answer" if breach.refused else ""
        how = (
            f"without approval since {since}{against}"
            if self.known
            else f"since {since}, and nobody was ever asked"
        )
        return [
            Finding(
                finding="unapproved" if self.known else "unasked",
                onset=breach.onset,
                summary=f"{counted(breach.count, 'operation')} of high consequence went ahead {how}",
                observed=float(breach.count),
                baseline=0.0,
                unit="operations",
                magnitude=float(breach.count),
                trend=trend(breach.course.history(now)),
                blast=breach.affected.blast(breach.count / (breach.count + breach.approved)),
                contributors=self.kinds.standing_out(breach.kinds),
                samples=tuple(breach.samples),
                history=breach.course.history(now),
            )
        ]


def _sample(event: Event) -> Sample:
    data = event.data
    return Sample(
        event=f"{event.source}/{event.id}",
        time=event.time,
        text=f"{data.operation.name} of {data.operation.consequence} consequence",
        conversation=data.conversation.id if data.conversation else None,
        trace=event.traceparent[3:35] if event.traceparent else None,
    )
