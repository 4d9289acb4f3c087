"""Who approves, and whether they look: many at once, or within a second."""

from msgspec import Struct

from detectors.consents.kinds import Kinds
from detectors.course import MINUTE_S, course, trend
from detectors.detector import Finding
from detectors.saying import clock
from schemas.event import Event
from schemas.signal import Blast, Sample

MOST_APPROVERS = 32
OTHER = "(unnamed)"
BULK = 10
BULK_S = 60.0
"""Ten approvals within a minute are more than anybody reads."""
INSTANT_S = 1.0
INSTANT = 5
LAST = 20
SHARE = 0.5
OVER_AFTER_S = 3600.0
"""Without another for an hour it is over."""


class Approver(Struct, array_like=True):
    """The last approvals: when, and 1 if it took less than a second. Since when findings hold.

    `kinds`: of what the last of them were; of those that earlier versions kept it is not known.
    """

    last: list[tuple[float, int]] = []
    bulk: float | None = None
    bulk_at: float = 0.0
    bulk_count: int = 0
    instant: float | None = None
    instant_at: float = 0.0
    sample: Sample | None = None
    kinds: list[int] = []

    def approve(self, now: float, wait: float | None, event: Event, kind: int) -> None:
        """One approval, said by an event."""
        self.kinds = [*self.kinds[1 - LAST :], kind]
        self.last = [*self.last[1 - LAST :], (now, int(wait is not None and 0 <= wait < INSTANT_S))]
        together = sum(now - at <= BULK_S for at, _ in self.last)
        if together >= BULK:
            began = next(at for at, _ in self.last if now - at <= BULK_S)
            self.bulk = began if self.bulk is None else self.bulk
            self.bulk_at, self.bulk_count = now, max(together, self.bulk_count)
        quick = [at for at, unread in self.last if unread]
        if len(quick) >= INSTANT and len(quick) >= SHARE * len(self.last) and quick[-1] == now:
            self.instant = quick[0] if self.instant is None else self.instant
            self.instant_at = now
        if now in (self.bulk_at, self.instant_at):
            self.sample = _sample(event)

    def settle(self, now: float) -> None:
        """What holds no more."""
        if now - self.bulk_at > OVER_AFTER_S:
            self.bulk, self.bulk_count = None, 0
        if now - self.instant_at > OVER_AFTER_S:
            self.instant = None
        if self.bulk is None and self.instant is None:
            self.sample = None

    def findings(self, name: str, now: float, kinds: Kinds) -> list[Finding]:
        """What holds of this approver."""
        found = []
        samples = () if self.sample is None else (self.sample,)
        standing_out = kinds.standing_out(self.kinds)
        if self.bulk is not None:
            every = course(now, [[at // MINUTE_S, 1.0] for at, _ in self.last])
            found.append(
                Finding(
                    finding="bulk",
                    labels={"approver": name},
                    onset=self.bulk,
                    summary=f"{name} approved at least {self.bulk_count} requests within a minute, "
                    f"since {clock(self.bulk, now)}: nobody reads so fast",
                    observed=float(self.bulk_count),
                    baseline=float(BULK),
                    unit="approvals a minute",
                    magnitude=round(self.bulk_count / BULK, 2),
                    magnitude_unit="ratio",
                    trend=trend(every),
                    blast=Blast(share=round(min(1.0, self.bulk_count / len(self.last)), 4)),
                    contributors=standing_out,
                    samples=samples,
                    history=every,
                )
            )
        if self.instant is not None:
            unread = [at for at, is_unread in self.last if is_unread]
            quick, by_minute = len(unread), course(now, [[at // MINUTE_S, 1.0] for at in unread])
            found.append(
                Finding(
                    finding="instant",
                    labels={"approver": name},
                    onset=self.instant,
                    summary=f"{name} approved {quick} of the last {len(self.last)} requests within a second, "
                    f"since {clock(self.instant, now)}: nobody looks at them",
                    observed=round(quick / len(self.last), 4),
                    baseline=SHARE,
                    unit="share",
                    magnitude=round(quick / len(self.last) / SHARE, 2),
                    magnitude_unit="ratio",
                    trend=trend(by_minute),
                    blast=Blast(share=round(quick / len(self.last), 4)),
                    contributors=standing_out,
                    samples=samples,
                    history=by_minute,
                )
            )
        return found


def _sample(event: Event) -> Sample:
    data = event.data
    return Sample(
        event=f"{event.source}/{event.id}",
        time=event.time,
        text=data.operation.name,
        conversation=data.conversation.id if data.conversation else None,
        trace=event.traceparent[3:35] if event.traceparent else None,
    )
