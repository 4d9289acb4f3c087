"""How far a fire drill has come: published, found, an incident, paged, delivered, acknowledged."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from schemas.cause import Acknowledged, AnyCause, Reported, Signalled
from schemas.incident import Incident
from schemas.outcome import Deferred, Delivered, Undeliverable
from schemas.page import Notice, Page
from schemas.signal import DRILL, Signal
from streams.drilling.stages import IDLE, NEEDED, REMEDIES, STAGES, UNHEARD, Stage

MOST_EARLY = 10_000
"""Outcomes and acknowledgements that are remembered until it is known whether they are of the drill."""


class Reached(Struct, frozen=True, kw_only=True):
    """A stage. `after_s`: seconds since the drill began, None where it was not reached; `what` happened."""

    stage: Stage
    after_s: float | None
    what: str


class Paged(Struct, frozen=True, kw_only=True):
    """Somebody who was paged, or would have been: over which channel, when, and what became of it."""

    to: str
    channel: str
    instead: str
    after_s: float
    outcome: str
    severity: str
    reason: str


class Result(Struct, frozen=True, kw_only=True):
    """What a drill showed. `broke_at`: the first stage that was needed and not reached; empty: it passed."""

    drill: str
    agent: str
    broke_at: str
    remedy: str
    stages: tuple[Reached, ...]
    paged: tuple[Paged, ...]


class Progress:
    """Takes what comes of a drill that began at `start`; other words are passed over.

    `short`: what is said of the time that it had, where that was too short for all of its events.
    """

    def __init__(self, drill: str, agent: str, start: datetime, short: str = "") -> None:
        self.start = start
        self._short = short
        self.drill, self._agent = drill, agent
        self._reached: dict[Stage, tuple[datetime, str]] = {}
        self._pages: dict[str, Page] = {}
        self._outcomes: dict[str, str] = {}
        self._incidents: dict[str, Incident] = {}
        self._refusals: list[str] = []
        self._idle: frozenset[Stage] = frozenset()
        self._early: deque[Reported | Acknowledged] = deque(maxlen=MOST_EARLY)

    def published(self, at: datetime) -> None:
        """The first event was taken."""
        self._reach("published", at, f"events of {self._agent}")

    def refused(self, reason: str) -> None:
        """An event of the drill went to the dead letters."""
        self._refusals.append(reason)

    def idle(self, *stages: Stage) -> None:
        """Nobody was at work who would have to bring these about."""
        self._idle = frozenset(stages)

    def cause(self, cause: AnyCause) -> None:
        """Anything that moves routing."""
        match cause:
            case Signalled():
                self.signal(cause.signal)
            case Reported() | Acknowledged():
                self._early.append(cause)
                self._catch_up()

    def signal(self, signal: Signal) -> None:
        """What a detector says."""
        if signal.labels.get(DRILL) == self.drill and signal.state == "firing":
            self._reach("signal", signal.time, f"{signal.detector}/{signal.finding}")

    def incident(self, incident: Incident) -> None:
        """An incident as it is now."""
        if incident.drill == self.drill:
            self._incidents[incident.id] = incident
            self._reach("incident", incident.opened, f"{incident.severity}, score {incident.score}")
            self._catch_up()

    def page(self, page: Page) -> None:
        """A page."""
        if page.content.drill != self.drill or isinstance(page, Notice) or page.id in self._pages:
            return
        self._pages[page.id] = page
        self._reach("page", page.time, f"{page.content.instead or page.to}")
        self._catch_up()

    @property
    def is_refused(self) -> bool:
        """Whether no copy of the agent was made for the drill: nothing more will come of it."""
        return any(each.startswith("drill ") for each in self._refusals) and not self.has("signal")

    def has(self, stage: Stage) -> bool:
        """Whether it came so far."""
        return stage in self._reached

    def result(self) -> Result:
        """What it comes to so far."""
        broken = next((stage for stage in NEEDED if stage not in self._reached), None)
        return Result(
            drill=self.drill,
            agent=self._agent,
            broke_at=broken or "",
            remedy="" if broken is None else self._remedy(broken),
            stages=tuple(self._stages()),
            paged=tuple(self._paged()),
        )

    def _reach(self, stage: Stage, at: datetime, what: str) -> None:
        self._reached.setdefault(stage, (at, what))

    def _catch_up(self) -> None:
        """Takes what is known to be of the drill by now: topics are read in any order."""
        waiting, self._early = self._early, deque(maxlen=MOST_EARLY)
        for cause in waiting:
            if isinstance(cause, Reported) and cause.page in self._pages:
                self._report(cause, self._pages[cause.page])
            elif isinstance(cause, Acknowledged) and cause.incident in self._incidents:
                self._reach("acknowledged", cause.at, f"by {cause.by}{f', {cause.via}' if cause.via else ''}")
            else:
                self._early.append(cause)

    def _report(self, cause: Reported, page: Page) -> None:
        match cause.outcome:
            case Delivered():
                self._outcomes[cause.page] = "delivered"
                self._reach("delivered", cause.at, f"{page.channel.kind} {page.channel.target}")
            case Deferred(reason=reason) | Undeliverable(reason=reason):
                if self._outcomes.get(cause.page) != "delivered":
                    self._outcomes[cause.page] = reason

    def _stages(self) -> Iterator[Reached]:
        for stage in STAGES:
            at, what = self._reached.get(stage, (None, ""))
            yield Reached(stage=stage, after_s=None if at is None else self._after_s(at), what=what)

    def _paged(self) -> Iterator[Paged]:
        for page in self._pages.values():
            yield Paged(
                to=page.to,
                channel=f"{page.channel.kind} {page.channel.target}",
                instead=page.content.instead,
                after_s=self._after_s(page.time),
                outcome=self._outcomes.get(page.id, UNHEARD),
                severity=page.severity,
                reason=page.reason,
            )

    def _after_s(self, at: datetime) -> float:
        return max(timedelta(), at - self.start).total_seconds()

    def _remedy(self, stage: Stage) -> str:
        """What is known of the reason, and what is to be done."""
        if stage == "signal" and self._refusals:
            return self._refusals[0]
        if stage in self._idle:
            return IDLE[stage]
        if stage == "signal" and self._short:
            return self._short
        known: list[str] = []
        if stage == "page":
            known = list(self._unpaged())
        elif stage == "delivered":
            known = list(self._outcomes.values()) or [f"{UNHEARD}: does a worker notify?"]
        return "; ".join([*dict.fromkeys(known), REMEDIES[stage]])

    def _unpaged(self) -> Iterator[str]:
        """What the incidents themselves say of why nobody is paged."""
        for each in self._incidents.values():
            if each.muted_by:
                yield f"it is muted by {' and '.join(each.muted_by)}"
            if each.unpaged:
                yield each.unpaged
