"""A night, played: detectors, people, channels, clocks and a router that dies now and then, on virtual time.

Everything that is random was drawn before (`story`) or hangs on an id (`channels`), so that a story from
which something is left out stays the same story otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from msgspec.structs import replace

from routing.router import KEY, Router
from schemas.cause import AnyCause, Configured, Drilled, Signalled, Wake
from schemas.page import Channel, Notice, Page, Update
from schemas.record import Origin, Output, Record, Saved
from schemas.signal import DRILL, Signal
from schemas.wire import Malformed, decode_cause, encode
from tests.simulation.channels import Mood, Office
from tests.simulation.drawn_rules import files, read
from tests.simulation.people import People
from tests.simulation.story import AFTER_S, CALM_S, SPAN_S, Happening, Story

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
MINUTE_S = 60.0
SNAPSHOT_EVERY = 7
"""Causes between two snapshots."""
KEPT = 4
"""Snapshots from which a router may be restored."""
MOST_WAKES = 3
MOST_OUTPUTS = 2_000


class Broken(AssertionError):  # noqa: N818 - what became of a promise
    """A promise was broken. `promise`: its name."""

    def __init__(self, promise: str, found: str) -> None:
        super().__init__(f"{promise}: {found}")
        self.promise = promise


class Onlooker:
    """Who looks on and finds what is broken; this one looks away."""

    def applied(self, night: "Night", cause: AnyCause, outputs: list[Output]) -> None:
        """A cause was applied, for the first time."""

    def minute(self, night: "Night") -> None:
        """A minute is over, and all causes are applied."""

    def calm(self, night: "Night") -> None:
        """It was calm for a while, and what fires still fires."""

    def over(self, night: "Night") -> None:
        """All is over for long."""


def a_router() -> Router:
    """The product's, which reads no configuration twice."""
    return Router(read=read)


@dataclass
class Night:
    """One night. `make`: makes a router; `look`: who finds what is broken."""

    story: Story
    make: Callable[[], Router] = a_router
    look: Onlooker = field(default_factory=Onlooker)
    now_s: float = 0.0
    log: list[bytes] = field(default_factory=list)
    said: dict[int, list[bytes]] = field(default_factory=dict)
    """Outputs by the cause's offset, as they were first."""
    firing: dict[str, Signal] = field(default_factory=dict)
    quiet: dict[str, Signal] = field(default_factory=dict)
    """What fires and whose detector fell silent."""
    drills: dict[str, Signal] = field(default_factory=dict)
    """What fires of fire drills."""
    skews: dict[str, float] = field(default_factory=dict)
    told: list[tuple[float, str]] = field(default_factory=list)
    """What happened when, to be read."""
    trouble_s: float = 0.0
    """Until when routers or notifiers were down, or channels were not well."""
    ahead_s: float = 0.0
    """How far ahead of the time the router was at most."""
    due: float | None = None
    """What the router waited for when the last cause came."""

    def __post_init__(self) -> None:
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._serial = 0
        self._seen = 0
        self._spoken: list[bytes] = []
        self._wakes: tuple[float, int] = (-1.0, 0)
        self.router = self.make()
        self.is_up = True
        self.next = 0
        self.snapshots: list[Saved] = []
        self.people = People(self)
        self.office = Office(
            later=self.later,
            report=self.write,
            clock=lambda: self.clock("notifier"),
            now_s=lambda: self.now_s,
        )
        self.configure(self.story.rules)

    def clock(self, writer: str) -> datetime:
        """The time that somebody's clock shows."""
        return START + timedelta(seconds=self.now_s + self.skews.get(writer, 0.0))

    def later(self, after_s: float, call: Callable[[], None]) -> None:
        """Does something after a while."""
        heappush(self._queue, (self.now_s + after_s, next(self._numbers), call))

    def tell(self, text: str) -> None:
        """Notes what happened, to be read."""
        self.told.append((self.now_s, text))

    def run(self) -> None:
        """The night, the calm after it, and the time until all is forgotten."""
        for each in self.story.happenings:
            self.later(each.at_s, lambda each=each: self._happen(each))
        self._pass(SPAN_S, asserting=True)
        self.skews.clear()
        self._pass(SPAN_S + CALM_S, asserting=True)
        self.look.calm(self)
        for name in (*self.firing, *self.quiet):
            self.end(name)
        self._pass(SPAN_S + CALM_S + AFTER_S, asserting=False)
        self.look.over(self)

    def _pass(self, until_s: float, *, asserting: bool) -> None:
        if asserting:
            first = self.now_s + MINUTE_S - self.now_s % MINUTE_S
            for n in range(int((until_s - first) // MINUTE_S) + 1):
                self.later(first - self.now_s + n * MINUTE_S, self._minute)
        while (at_s := min(self._wake_s(), self._queue[0][0] if self._queue else until_s)) < until_s:
            self.now_s = max(self.now_s, at_s)
            if self._queue and self._queue[0][0] <= self.now_s:
                heappop(self._queue)[2]()
            else:
                self._wake()
        self.now_s = until_s

    def _wake_s(self) -> float:
        """When the host's clock passes what the router waits for."""
        wake_at = self.router.wake_at if self.is_up else None
        return float("inf") if wake_at is None else wake_at - START.timestamp() - self.skews.get("host", 0.0)

    def _wake(self) -> None:
        before, times = self._wakes
        self._wakes = (self.now_s, times + 1 if before == self.now_s else 1)
        if times >= MOST_WAKES and before == self.now_s:
            raise Broken("no spin", f"woken again and again at {self.now_s:.1f} s")
        self.write(Wake(at=self.clock("host") + timedelta(microseconds=1)))

    def _minute(self) -> None:
        for signal in self.firing.values():
            self.say(replace(signal, time=self.clock("detector")))
        for signal in self.drills.values():
            self.write(Signalled(at=self.clock("detector"), signal=signal))
        self.look.minute(self)

    # What is written, and the router that reads it.

    def write(self, cause: AnyCause) -> None:
        """Appends a cause; a router that lives takes it at once."""
        self.append(encode(cause))

    def append(self, value: bytes) -> None:
        """Appends a record, whatever it is."""
        self.log.append(value)
        self.catch_up()

    def catch_up(self) -> None:
        """The router takes what it has not taken."""
        while self.is_up and self.next < len(self.log):
            offset = self.next
            self.next += 1
            self._fold(offset)
            if offset % SNAPSHOT_EVERY == 0:
                self.snapshots = [*self.snapshots, self.router.save(KEY)][-KEPT:]

    def _fold(self, offset: int) -> None:
        self.due = self.router.wake_at
        try:
            outputs = list(self.router.apply(Record(offset, self.log[offset])))
        except Malformed:
            return
        if len(outputs) > MOST_OUTPUTS:
            raise Broken("nothing without bound", f"{len(outputs)} outputs of one cause")
        said = [encode(each.value) for each in outputs]
        if self.said.setdefault(offset, said) != said:
            raise Broken("same causes, same outputs", f"cause {offset} gave other outputs after a restart")
        if offset >= self._seen:
            self._seen = offset + 1
            self.people.see(outputs)
            self.look.applied(self, decode_cause(self.log[offset]), outputs)
        for output in outputs:
            if isinstance(output.value, Page | Update | Notice):
                self.office.take(output.value)

    def _restore(self, back: int) -> None:
        self.router, self.next = self.make(), 0
        if self.snapshots:
            del self.snapshots[len(self.snapshots) - min(back, len(self.snapshots) - 1) :]
            saved = self.snapshots[-1]
            self.router.load(KEY, saved)
            self.next = saved.applied + 1
        self.is_up = True
        self.trouble_s = max(self.trouble_s, self.now_s)
        self.catch_up()

    # What happens.

    def say(self, signal: Signal, late_s: float = 0.0) -> None:
        """A detector's host writes a signal; `late_s`: how long ago it meant to."""
        self._serial += 1
        at = self.clock("detector") - timedelta(seconds=late_s)
        cause = Signalled(at=at, signal=signal, origin=Origin("agent.events/0", self._serial, 0))
        self._spoken = [*self._spoken, encode(cause)][-20:]
        self.append(self._spoken[-1])

    def end(self, name: str) -> None:
        """A finding is over."""
        before = self.firing.pop(name, None) or self.quiet.pop(name)
        ended = replace(before, state="resolved", time=self.clock("detector"), reason="recovered")
        self.say(ended)

    def configure(self, number: int) -> None:
        """A configuration is written."""
        digest = f"rules {number}"
        self.write(Configured(at=self.clock("host"), digest=digest, files=files(number)))

    def _happen(self, each: Happening) -> None:
        self.tell(str(each))
        getattr(self, f"_on_{each.what.replace(' ', '_')}")(each)

    def _on_begin(self, each: Happening) -> None:
        agent, detector, env = each.name.split("/")
        if each.name in self.firing or each.name in self.quiet:
            return
        at = self.clock("detector")
        self.firing[each.name] = Signal(
            id=f"{each.name} {at.isoformat()}",
            detector=detector,
            finding="x",
            state="firing",
            labels={"agent": agent, "env": env},
            time=at,
            onset=at,
            summary=f"{detector} of {agent} in {env}",
            confidence=each.much,
        )
        self.say(self.firing[each.name])

    def _on_end(self, each: Happening) -> None:
        names = list(self.firing)
        if names:
            self.end(names[each.number % len(names)])

    def _on_fall_silent(self, each: Happening) -> None:
        names = list(self.firing)
        if names:
            name = names[each.number % len(names)]
            self.quiet[name] = self.firing.pop(name)

    def _on_speak_again(self, _: Happening) -> None:
        self.firing |= self.quiet
        self.quiet.clear()

    def _on_worsen(self, each: Happening) -> None:
        names = list(self.firing)
        if names:
            name = names[each.number % len(names)]
            self.firing[name] = replace(self.firing[name], confidence=1.0)
            self.say(self.firing[name])

    def _on_deed(self, each: Happening) -> None:
        self.people.act(each)

    def _on_deed_again(self, each: Happening) -> None:
        self.people.repeat(each)

    def _on_silence_all(self, each: Happening) -> None:
        self.people.silence(each)

    def _on_router_dies(self, each: Happening) -> None:
        self.is_up = False
        self.later(each.much, lambda: None if self.is_up else self._restore(each.number % KEPT))

    def _on_notifier_dies(self, each: Happening) -> None:
        self.trouble_s = max(self.trouble_s, self.now_s + each.much)
        self.office.die(each.much)

    def _on_channel(self, each: Happening) -> None:
        target, _, mood = each.name.partition(" ")
        until_s = self.now_s + each.much
        self.office.moods[target] = Mood(mood, until_s)
        self.trouble_s = max(self.trouble_s, until_s)

    def _on_reload(self, each: Happening) -> None:
        self.configure(each.number)

    def _on_skew(self, each: Happening) -> None:
        self.skews[each.name] = each.much
        self.ahead_s = max(self.ahead_s, each.much)

    def _on_told_again(self, each: Happening) -> None:
        for value in self._spoken[-1 - each.number % 20 :]:
            self.append(value)

    def _on_late(self, each: Happening) -> None:
        names = list(self.firing)
        if names:
            self.say(self.firing[names[each.number % len(names)]], each.much)

    def _on_drill(self, each: Happening) -> None:
        """A fire drill is announced and played: its findings fire for a while, apart from all others."""
        agent, detector, env = each.name.split("/")
        name, at = f"{detector}/x:{each.number}", self.clock("detector")
        room = Channel(kind="slack", target="#drills") if each.number % 2 else None
        self.write(Drilled(at=at, id=name, by="ana", agent=agent, channel=room))
        self.drills[name] = Signal(
            id=f"drill {name}",
            detector=detector,
            finding="x",
            state="firing",
            labels={"agent": agent, "env": env, DRILL: name},
            time=at,
            onset=at,
            summary=f"{detector} of {agent} in {env}",
            confidence=1.0,
        )
        self.write(Signalled(at=at, signal=self.drills[name]))
        self.later(each.much, lambda: self._end_drill(name))

    def _end_drill(self, name: str) -> None:
        ended = replace(self.drills.pop(name), state="resolved", time=self.clock("detector"))
        self.write(Signalled(at=ended.time, signal=ended))

    def _on_junk(self, each: Happening) -> None:
        self.append(b"junk %d" % each.number)
