"""Whose clock runs ahead of a partition's: then it is the others whose events look late.

A partition's time is the latest event's. So a clock that is ahead drives it, and sound ones fall behind.
"""

from collections.abc import Iterator

from msgspec import Struct

from schemas.event import Event
from schemas.identity import derived
from schemas.signal import Contributor, Signal
from schemas.wire import moment

LATE_S = 60.0
WINDOW_S = 3600.0
FEWEST = 3
MOST_LEADING, MOST_LAGGING = 16, 64
LONGEST = 64
TOLD_EVERY_S = 60.0


class Place(Struct, array_like=True):
    """A producer at the head of a partition, or behind: how often of late, first and last, in POSIX seconds.

    `agent`: the last that it told of; `gap`: the longest distance, in s: behind the partition's time, or
    ahead of the writing. `known`: whether the time of writing is known.
    """

    agent: str
    since: float
    last: float
    count: int = 0
    gap: float = 0.0
    known: int = 0


class Clocks(Struct, array_like=True):
    """The state. By producer: who drove the time of late, who was behind it; since when some are ahead.

    `told`: when that was said last; `heard`: agents, with the first and the last time; `present`: those that
    had events since the last point of the grid. All of it comes of the records alone, in their order: what an
    agent's own state knows already may lie ahead of them.
    """

    leading: dict[str, Place] = {}
    lagging: dict[str, Place] = {}
    onset: float | None = None
    told: float = 0.0
    heard: dict[str, tuple[float, float]] = {}
    present: dict[str, int] = {}

    def see(self, agent: str) -> None:
        """There is an event of an agent."""
        if agent not in self.present and len(self.present) < MOST_LAGGING:
            self.present[agent] = 1

    def hear(self, at: float) -> None:
        """The time moves to a next point of the grid: those that were present were heard of until `at`."""
        for agent in self.present:
            since = self.heard.pop(agent, (at, at))[0]
            if len(self.heard) >= MOST_LAGGING:
                del self.heard[next(iter(self.heard))]
            self.heard[agent] = since, at
        self.present = {}

    def lead(self, event: Event, at: float, written_s: float | None) -> None:
        """An event moves the partition's time to a next point of the grid."""
        gap, known = (0.0, 0) if written_s is None else (at - written_s, 1)
        _count(self.leading, MOST_LEADING, event, Place(event.data.agent.name, at, at, 1, gap, known))

    def lag(self, event: Event, now: float, lag_s: float) -> None:
        """An event comes late."""
        _count(self.lagging, MOST_LAGGING, event, Place(event.data.agent.name, now, now, 1, lag_s))

    def ahead(self, now: float) -> dict[str, Place]:
        """Producers whose clocks are ahead of the middle of all: more are behind them than beside them.

        Where the time of writing is known, whoever is not ahead of that is not where there are as many. Where
        it is not, the one is who came later.
        """
        behind = {name: each for name, each in self.lagging.items() if _counts(each, now)}
        if not behind:
            return {}
        first = {
            name: each for name, each in self.leading.items() if _counts(each, now) and name not in behind
        }
        sure = {name: each for name, each in first.items() if each.known and each.gap > LATE_S}
        late = {each.agent for each in behind.values()}
        heard = {agent for agent, (_, last) in self.heard.items() if now - last <= WINDOW_S}
        beside = heard - late | {each.agent for each in first.values()}
        if sure or len(late) > len(beside):
            return sure or first
        return self._later(first, late) if len(late) == len(beside) else {}

    def _later(self, first: dict[str, Place], late: set[str]) -> dict[str, Place]:
        """Of as many as are late: those that were first heard of after all of these."""
        since = max(self._since(agent) for agent in late)
        return {
            name: each for name, each in first.items() if not each.known and self._since(each.agent) > since
        }

    def _since(self, agent: str) -> float:
        return self.heard.get(agent, (0.0, 0.0))[0]

    def signals(self, where: str, at: float) -> Iterator[Signal]:
        """Due once a minute while some are ahead; they go stale by themselves. `where`: the partition."""
        if not self.lagging or at - self.told < TOLD_EVERY_S:
            return
        found = self.ahead(at)
        if not found:
            self.onset = None
            return
        self.told = at
        self.onset = at if self.onset is None else self.onset
        late = max(each.gap for each in self.lagging.values() if _counts(each, at))
        for producer, each in found.items():
            yield _signal(producer, each.agent, late, (where, self.onset, at))


def _counts(place: Place, now: float) -> bool:
    return place.count >= FEWEST and now - place.last <= WINDOW_S


def _count(places: dict[str, Place], most: int, event: Event, new: Place) -> None:
    """One more of a producer; the one untouched for longest gives its place."""
    service = event.data.service.name if event.data.service is not None else None
    name = " ".join(part for part in (new.agent, event.source, service) if part)[:LONGEST]
    old = places.pop(name, None)
    if old is not None:
        new.since = old.since
        if new.last - old.last <= WINDOW_S:
            new.count, new.gap = old.count + 1, max(old.gap, new.gap)
    elif len(places) >= most:
        del places[next(iter(places))]
    places[name] = new


def _signal(producer: str, agent: str, late_s: float, when: tuple[str, float, float]) -> Signal:
    where, onset, at = when
    return Signal(
        id=derived("sig", "ahead", where, producer, moment(onset).isoformat()),
        detector="telemetry",
        finding="ahead",
        state="firing",
        labels={"agent": agent, "detector": "telemetry", "finding": "ahead", "partition": where},
        time=moment(at),
        onset=moment(onset),
        summary=f"the clock of {producer} is up to {late_s:,.0f} s ahead of the others of {where}: "
        "their events look late beside it",
        observed=round(late_s, 1),
        baseline=0.0,
        unit="s",
        contributors=(Contributor(dimension="producer", value=producer, share=1.0, lift=1.0),),
    )
