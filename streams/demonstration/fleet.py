"""A simulated fleet of agents: sessions with everyday noise, and incidents whose truth is declared.

The same seed gives the same events, byte for byte. Time is made here, never read: events come as fast as they
can be taken, in the order of their times.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush, merge
from itertools import count
from math import cos, pi
from random import Random
from typing import Literal

from msgspec import Struct, structs

from schemas.event import Event
from schemas.wire import moment
from streams.demonstration.cast import CAST, Profile
from streams.demonstration.session import Session, release

SPIKE = 6.0
OUTAGE_SHARE = 0.95
SHIFT_SHARE = 0.6
EVENTS_A_SESSION = 10.0
"""About how many events a session has, to turn events a second into sessions an hour."""
HOUR_S = 3600.0

Day = Callable[[float], float]
"""Share of noon's traffic, in (0, 1], at a time in POSIX seconds."""


class Scripted(Struct, frozen=True, kw_only=True):
    """An incident that is played, and its truth: what happens to whom, from `start` until before `end`.

    `strangers`: for an input shift, the agent whose kind of questions turn up at these agents.
    """

    kind: Literal["outage", "cost_spike", "input_shift"]
    agents: tuple[str, ...]
    start: datetime
    end: datetime
    story: str
    strangers: str = ""

    def covers(self, agent: str, at_s: float) -> bool:
        """Whether it happens to this agent at this time, in POSIX seconds."""
        return agent in self.agents and self.start.timestamp() <= at_s < self.end.timestamp()


class Fleet(Struct, frozen=True, kw_only=True):
    """Who plays, when, and which incidents happen. `end`: no session starts from then on."""

    profiles: Sequence[Profile]
    start: datetime
    end: datetime
    scripted: Sequence[Scripted] = ()
    seed: int = 0
    day: Day = lambda _: 1.0

    def events(self) -> Iterator[Event]:
        """All events, in the order of their times."""
        tracks = [_track(self, profile) for profile in self.profiles]
        return (event for _, _, event in merge(*tracks, key=lambda each: each[:2]))


def office_hours(at_s: float) -> float:
    """The day of people in one time zone (UTC): a tenth at 02:00, all of it at 14:00."""
    return 0.55 - 0.45 * cos(2 * pi * (at_s / HOUR_S - 2) / 24)


def fleet(
    agents: int,
    seed: int,
    rate_per_s: float,
    start: datetime = datetime(2026, 1, 5, tzinfo=UTC),
    duration: timedelta = timedelta(minutes=10),
) -> Fleet:
    """`agents` many agents (`agent-0000`, …) that together make about `rate_per_s` events a second."""
    rate_per_h = rate_per_s * HOUR_S / EVENTS_A_SESSION / agents
    profiles = [
        structs.replace(CAST[n % len(CAST)], name=f"agent-{n:04}", rate_per_h=rate_per_h)
        for n in range(agents)
    ]
    return Fleet(profiles=profiles, start=start, end=start + duration, seed=seed)


def _track(played: Fleet, profile: Profile) -> Iterator[tuple[float, str, Event]]:
    """Everything one agent does, in order: sessions overlap, so events wait until the next session begins."""
    waiting: list[tuple[float, int, Event]] = []
    numbers = count()
    for begin_s, events in _chapters(played, profile):
        while waiting and waiting[0][0] <= begin_s:
            at_s, _, event = heappop(waiting)
            yield at_s, profile.name, event
        for event in events:
            heappush(waiting, (event.time.timestamp(), next(numbers), event))
    while waiting:
        at_s, _, event = heappop(waiting)
        yield at_s, profile.name, event


def _chapters(played: Fleet, profile: Profile) -> Iterator[tuple[float, Iterable[Event]]]:
    """Sessions and releases of one agent, each with the time it begins."""
    mine = [each for each in played.scripted if profile.name in each.agents]
    releases = ((each.timestamp(), (event,)) for each, event in _releases(profile, mine))
    return merge(releases, _sessions(played, profile, mine), key=lambda each: each[0])


def _releases(profile: Profile, mine: Sequence[Scripted]) -> Iterator[tuple[datetime, Event]]:
    """What the teams did around an incident: a cost spike comes with a release and goes with the way back."""
    for each in mine:
        if each.kind == "cost_spike":
            yield (
                each.start,
                release(profile, each.start, "2.5.0", "2.4.1", "send the whole history with each call"),
            )
            yield each.end, release(profile, each.end, "2.4.1", "2.5.0", "back to 2.4.1")


def _sessions(
    played: Fleet, profile: Profile, mine: Sequence[Scripted]
) -> Iterator[tuple[float, Iterable[Event]]]:
    rng = Random(f"{played.seed}/{profile.name}")  # noqa: S311 - it plays a part, it guards nothing
    strangers = {each.name: each for each in CAST}
    at_s = played.start.timestamp()
    for number in count():
        at_s += rng.expovariate(profile.rate_per_h * played.day(at_s) / HOUR_S)
        if at_s >= played.end.timestamp():
            return
        session = Session(rng, profile, number, moment(at_s))
        for each in mine:
            _complicate(session, each, at_s, strangers)
        yield at_s, tuple(session.play())


def _complicate(session: Session, scripted: Scripted, at_s: float, cast: dict[str, Profile]) -> None:
    """What an incident does to a session that begins at `at_s`."""
    if scripted.kind == "outage":
        session.failing(scripted.start, scripted.end, OUTAGE_SHARE)
    elif scripted.covers(session.profile.name, at_s):
        if scripted.kind == "cost_spike":
            session.dearer(SPIKE, "2.5.0")
        else:
            session.strange(cast[scripted.strangers], SHIFT_SHARE)
