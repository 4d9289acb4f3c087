"""Sessions that begin, and whether they end: one that is silent for longer than others ever are is lost.

How long sessions pause before they go on or end is learnt from those that ended, and how many never end as
well: of an agent that seldom tells an end nothing is said. Both are taken over once a day, so that trouble is
judged by the days before it.

That a session ended counts as late as it would have been given up, had it fallen silent then: else the lost
of a busy day would be set against the few that end at night.
"""

from collections.abc import Sequence
from math import inf
from typing import Literal

from msgspec import Struct, field
from xxhash import xxh3_64_intdigest

from detectors.costs.log_tail import LogTail, rare
from schemas.event import Agent, Conversation, Data, Event, Failure, Identified, Operation, Release
from schemas.wire import moment

MOST_OPEN = 64
"""Followed at once. Who finds no room is not followed: that depends on when it begins alone."""
MOST_KNOWN = 32
"""Ends of which no beginning is known yet, and lost sessions that may come back."""
LONGEST_ID = 64
"""A session with a longer id is not followed."""
LONGEST_WORD = 48
DAY_S = 86400.0
LEAST_S = 900.0
LONGEST_S = DAY_S
"""The wait for a sign of life: from … to. Nobody is missed where it is the longest, as until it is known."""
SLOT_S = 300.0
"""Those that end are counted together for so long."""
ONE_OF = 1000.0
RATIO = 2.0
"""One of so many sessions pauses for longer than is waited; at least twice the median."""
FEWEST = 50
"""Sessions that must have been followed to their end."""
HIGHEST = 0.1
"""Where more sessions than this may usually never end, none is missed."""
REMEMBERED = 5000
CHECKED_EVERY_S = 60.0


class Begun(Struct, array_like=True):
    """An open session. Times in POSIX seconds; `pause`: the longest so far; `after`: what it did last.

    The rest is of the event by which it began.
    """

    began: float
    touched: float
    event: str
    source: str
    pause: float = 0.0
    after: str = "its start"
    trace: str | None = None
    version: str | None = None
    tenant: str | None = None
    user: str | None = None
    cohort: Literal["control", "canary", "shadow"] | None = None

    def hear(self, operation: str, now: float) -> None:
        """A sign of life: an operation, or "" for a heartbeat."""
        pause = now - self.touched
        if pause > self.pause:  # noqa: PLR1730 - a call of max costs more than the rest
            self.pause = pause
        self.touched = now
        if operation:
            self.after = operation[:LONGEST_WORD]


class Unended(Struct, array_like=True):
    """The state.

    `ended`: digests of sessions whose end came first; `lost`: of those that were given up, with their last
    sign of life. `today`, `days`: how many have ended or were given up, and how many were given up, of the
    open day and of those before. `since`: sessions that began before it are not missed; infinite: none is.
    `heard`: when a session began or ended last. `well`: how many ended, by slot, that are not counted yet.
    """

    open: dict[str, Begun] = {}
    ended: dict[int, float] = {}
    lost: dict[int, float] = {}
    pauses: LogTail = field(default_factory=LogTail)
    wait_s: float = LONGEST_S
    due: float = inf
    heard: float = 0.0
    first: float = 0.0
    day: int = 0
    today: list[int] = field(default_factory=lambda: [0, 0])
    days: list[int] = field(default_factory=lambda: [0, 0])
    since: float = inf
    well: dict[int, int] = {}

    def begin(self, event: Event, now: float) -> None:
        """A session begins, or says once more that it does."""
        data, name = event.data, _name(event)
        self.first = self.first or now
        known = self.open.get(name)
        if known is not None:
            known.hear("", now)
        if known is not None or not name or self._came_back(name, now):
            return
        if (self.ended and self.ended.pop(_digest(name), None) is not None) or len(self.open) >= MOST_OPEN:
            return
        self.due = min(self.due, now + self.wait_s)
        self.open[name] = Begun(
            began=now,
            touched=now,
            event=event.id,
            source=event.source,
            trace=event.traceparent,
            version=_short(data.agent.version),
            tenant=_short(data.tenant.id if data.tenant else None),
            user=_short(data.user.id if data.user else None),
            cohort=data.release.cohort if data.release else None,
        )

    def end(self, event: Event, now: float) -> bool:
        """A session ends; whether it is one of those that would have been missed."""
        name = _name(event)
        known = self.open.pop(name, None)
        if known is None:
            if self.first and name and not self._came_back(name, now):
                _keep(self.ended, _digest(name), now)
            return False
        self.pauses.add(max(1.0, known.pause, now - known.touched), REMEMBERED)
        self.today[0] += 1
        if known.began < self.since:
            return False
        slot = int(now // SLOT_S)
        self.well[slot] = self.well.get(slot, 0) + 1
        self.due = min(self.due, _over(slot) + self.wait_s)
        return True

    def _came_back(self, name: str, now: float) -> bool:
        """Whether it had been given up: then it had only paused, for longer than it was waited for.

        It stays one of those that are usually given up: such as it will be as long as the wait is no longer.
        """
        since = self.lost.pop(_digest(name), None) if self.lost else None
        if since is not None:
            self.pauses.add(max(1.0, now - since), REMEMBERED)
        return since is not None

    def quiet(self, now: float) -> float:
        """Seconds since anything was heard of a session that is followed, or of one that began or ended."""
        silent_s = now - self.heard
        return min(silent_s, *(now - each.touched for each in self.open.values()), inf)

    def let_go(self) -> None:
        """No session that began is waited for, and none counts that ended while they were."""
        self.open.clear()
        self.well.clear()
        self.due = inf

    def due_at(self, now: float) -> bool:
        """Whether anything is to be decided."""
        return now >= self.due or int(now // DAY_S) != self.day

    def given_up(self, event: Event, now: float) -> tuple[int, Sequence[Event]]:
        """How many ended that count by now, and those of which too long nothing was heard.

        Each that is missed is an event that fails. `event`: one of the same agent.
        """
        day = int(now // DAY_S)
        if day != self.day and self.pauses.count >= FEWEST:
            _, rarely = rare(self.pauses, ONE_OF, RATIO)
            self.wait_s = min(LONGEST_S, max(LEAST_S, rarely))
        well = sum(self.well.pop(slot) for slot in [*self.well] if now - _over(slot) >= self.wait_s)
        lost = [(name, each) for name, each in self.open.items() if now - each.touched >= self.wait_s]
        for name, each in lost:
            del self.open[name]
            _keep(self.lost, _digest(name), each.touched)
        self.today = [self.today[0] + len(lost), self.today[1] + len(lost)]
        first = min((*(each.touched for each in self.open.values()), *map(_over, self.well)), default=inf)
        self.due = max(now + CHECKED_EVERY_S, first + self.wait_s)
        missed = [
            _failed(name, each, event.data.agent.name) for name, each in lost if each.began >= self.since
        ]
        if day != self.day:
            self._turn(day, now)
        return well, missed

    def _turn(self, day: int, now: float) -> None:
        """What the day was like that is over is usual, too."""
        self.day = day
        total, lost = (old + new for old, new in zip(self.days, self.today, strict=True))
        self.days, self.today = [total, lost], [0, 0]
        if total > REMEMBERED:
            self.days = [each // 2 for each in self.days]
        known = total >= FEWEST and now - self.first >= DAY_S and self.wait_s < LONGEST_S
        told = known and self.usual <= HIGHEST
        self.since = min(self.since, now) if told else inf

    @property
    def usual(self) -> float:
        """The share of sessions that usually never ends, at most: two sigma above what was seen."""
        total, lost = self.days
        return float(lost + 2 * (lost + 1) ** 0.5 + 2) / max(1, total)

    def unusual(self) -> None:
        """An incident holds: what goes on today is not usual."""
        self.today = [0, 0]

    def forget(self) -> None:
        """Learns anew how many never end."""
        self.days, self.today, self.since = [0, 0], [0, 0], inf


def _failed(name: str, lost: Begun, agent: str) -> Event:
    """A session that is lost as an event that fails, at its last sign of life."""
    data = Data(
        operation=Operation(name="invoke_agent"),
        agent=Agent(name=agent, version=lost.version),
        conversation=Conversation(id=name),
        tenant=Identified(id=lost.tenant),
        user=Identified(id=lost.user),
        release=Release(cohort=lost.cohort),
        error=Failure(type=f"silent after {lost.after}", class_="non_retryable"),
    )
    return Event(
        specversion="1.0",
        id=lost.event,
        source=lost.source,
        type="agent.session.v1",
        time=moment(lost.touched),
        data=data,
        traceparent=lost.trace,
    )


def _over(slot: int) -> float:
    """When it is over, POSIX seconds."""
    return (slot + 1) * SLOT_S


def _name(event: Event) -> str:
    """What a session is known by; "" where it names itself by nothing, or at too great a length."""
    conversation = event.data.conversation
    name = (conversation.id if conversation is not None else None) or ""
    return name if len(name) <= LONGEST_ID else ""


def _short(name: str | None) -> str | None:
    return name[:LONGEST_ID] if name else None


def _keep(known: dict[int, float], key: int, value: float) -> None:
    """Remembers one more; the oldest gives its place."""
    known.pop(key, None)
    if len(known) >= MOST_KNOWN:
        del known[next(iter(known))]
    known[key] = value


def _digest(name: str) -> int:
    return xxh3_64_intdigest(name.encode("utf-8", "surrogatepass"))
