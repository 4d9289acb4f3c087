"""The bank: every detector of every agent of one partition, as a fold over its log of events.

Signals come out; state goes into snapshots by agent. Event time drives everything: the watermark is the
highest event time seen, findings are asked for on a grid of it, and `now` never goes back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from math import floor, inf
from typing import Literal

import msgspec

from detectors.agent import VERSION, AgentState
from detectors.crowd import MOST_AGENTS, OVERFLOW, Crowd
from detectors.detector import Detector
from detectors.registry import discover
from detectors.settings import Settings as Followed
from detectors.settings import Watch
from schemas.cause import ConfigFile, Signalled, Wake
from schemas.control import AnyControl, Rebase, Settings, Tick
from schemas.event import Event
from schemas.record import Output, Record, Saved
from schemas.signal import Signal
from schemas.wire import Malformed, decode_event, encode, moment

GRID_S = 5.0
"""Findings are asked for at multiples of this event time."""
FUTURE_S = 300.0
"""An event time further ahead of the record's own timestamp is replaced by the watermark."""
WATERMARK_EVERY_S = 60.0
"""How often the events' watermark is told to routing, where that is the clock."""
LONGEST_REASON = 1000
DIGESTS = 16
"""Digests of configurations that are remembered."""

SettingsOf = Callable[[Sequence[ConfigFile]], Followed]


class Mark(msgspec.Struct, array_like=True):
    """The partition's own state between two records. Times in POSIX seconds of event time."""

    watermark: float = -inf
    next_grid: float = -inf
    told: float = -inf
    digests: tuple[str, ...] = ()
    files: tuple[ConfigFile, ...] = ()
    late_events: int = 0
    future_events: int = 0
    crowd: Crowd = msgspec.field(default_factory=Crowd)
    forgotten: dict[str, int] = {}
    """At which offset a detector was last switched off: older state of it is not taken up again."""


class Bank:
    """A fold: `agent.events` in, signals out.

    `settings_of`: reads a configuration (raises ValueError where it does not hold). `clock`: `events` where
    the events' watermark is the clock; then it is told to routing. `partition` of `partitions`: which one.
    """

    def __init__(
        self,
        settings_of: SettingsOf,
        clock: Literal["wall", "events"] = "wall",
        *,
        partition: int = 0,
        partitions: int = 1,
        kinds: Mapping[str, type[Detector]] | None = None,
        most_agents: int = MOST_AGENTS,
    ) -> None:
        self._settings_of = settings_of
        self._clock = clock
        self._partition = partition
        self._partitions = partitions
        self._kinds = discover() if kinds is None else kinds
        self._most_agents = most_agents
        self._settings = Followed()
        self._mark = Mark()
        self._offset = -1
        self._awake: dict[str, AgentState] = {}
        self._asleep: dict[str, Saved] = {}
        self._due: dict[str, None] = {}
        self._wakes: list[tuple[float, str]] = []
        self._unsaved: dict[str, int] = {}

    # -- configuration -------------------------------------------------------------------------------

    @property
    def digests(self) -> tuple[str, ...]:
        """Digests of the configurations followed so far, the present one last."""
        return self._mark.digests

    @property
    def late_events(self) -> int:
        """Events so far that came more than one grid step behind the watermark."""
        return self._mark.late_events

    @property
    def future_events(self) -> int:
        """Events so far whose time was too far ahead of their writing, and was replaced."""
        return self._mark.future_events

    def begin(self, files: Sequence[ConfigFile], digest: str = "") -> None:
        """Follows a configuration from the first record on (a partition that has no state yet)."""
        self._follow(files, digest)

    def _follow(self, files: Sequence[ConfigFile], digest: str) -> None:
        """Follows it altogether or, where any detector cannot, not at all."""
        settings = self._settings_of(files)
        self._try(settings)
        for name in self._kinds:
            if self._settings.on(name) and not settings.on(name):
                self._mark.forgotten[name] = self._offset
        self._settings = settings
        self._mark.files = tuple(files)
        known = [each for each in self._mark.digests if each != digest]
        self._mark.digests = (*known[1 - DIGESTS :], digest)
        for state in self._awake.values():
            state.configure(settings)

    def _try(self, settings: Followed) -> None:
        """Makes one of each detector for everybody who is watched apart."""
        for watch in (Watch(), *settings.agents):
            for name, kind in self._kinds.items():
                try:
                    kind(watch, settings.options(name))
                except Exception as fault:
                    raise ValueError(f"detectors: {name}: {type(fault).__name__}: {fault}") from fault

    # -- records -------------------------------------------------------------------------------------

    def apply(self, record: Record) -> Sequence[Output]:
        """Takes the next record of the partition.

        Raises:
            Malformed: the record does not fit its contract; nothing has changed.
        """
        what = record.event or decode_event(record.value, record.headers)
        self._offset = record.offset
        if type(what) is Event:
            return self._event(record, what)
        return self._control(record, what)  # type: ignore[arg-type] # an exact-type check, for speed

    def _event(self, record: Record, event: Event) -> Sequence[Output]:
        mark, offset = self._mark, record.offset
        time_s = event.time.timestamp()
        outputs: Sequence[Output] = ()
        if time_s > mark.watermark:
            if record.time_s is not None and time_s > record.time_s + FUTURE_S:
                time_s = self._believed(record.time_s)
                event = msgspec.structs.replace(event, time=moment(time_s))
            if time_s >= mark.next_grid:
                outputs = self._advance(time_s, record)
            mark.watermark = max(mark.watermark, time_s)
        elif time_s < mark.watermark - GRID_S:
            mark.late_events += 1
        name = event.data.agent.name
        state = self._awake.get(name) or self._waken(name, offset)
        if state is None:
            return outputs
        faults = state.take(event, mark.watermark)
        if state.name not in self._unsaved:
            self._unsaved[state.name] = offset
        self._due[state.name] = None
        return [*outputs, *_deadletters(faults, record, mark.watermark)] if faults else outputs

    def _believed(self, written_s: float) -> float:
        """What replaces a time too far ahead of the producer's clock: it would drag everybody along.

        Raises:
            Malformed: history begins with it, so nobody knows what time it is.
        """
        if self._mark.watermark == -inf and self._clock == "events":
            raise Malformed(f"Expected a time before {moment(written_s + FUTURE_S)} - at `$.time`")
        self._mark.future_events += 1
        return self._mark.watermark if self._mark.watermark > -inf else written_s

    def _control(self, record: Record, control: AnyControl) -> Sequence[Output]:
        match control:
            case Tick():
                return self._tick(record, control)
            case Settings():
                return self._resettle(record, control)
        self._rebase(record, control)
        return ()

    def _tick(self, record: Record, tick: Tick) -> Sequence[Output]:
        """Where the clock is the events', the end of history tells a day that is yet to come."""
        mark, time_s = self._mark, tick.time.timestamp()
        known = mark.watermark if tick.last else inf
        written_s = record.time_s if self._clock == "wall" else None
        if written_s is not None and time_s > written_s + FUTURE_S:
            time_s = self._believed(written_s)
        outputs = self._advance(time_s, record, known) if time_s > mark.watermark else ()
        return [*outputs, *self._tell()]

    def _resettle(self, record: Record, control: Settings) -> Sequence[Output]:
        """Bad settings never replace good ones."""
        try:
            self._follow(control.files, control.digest)
        except ValueError as fault:
            return _deadletters([f"configuration {control.digest}: {fault}"], record, self._mark.watermark)
        return ()

    def _rebase(self, record: Record, control: Rebase) -> None:
        known = control.agent in self._awake or control.agent in self._asleep
        state = self._awake.get(control.agent) or (
            self._waken(control.agent, record.offset) if known else None
        )
        if state is not None:
            state.rebase(control.detector, self._mark.watermark)
            self._unsaved.setdefault(state.name, record.offset)
            self._due[state.name] = None

    # -- keys ----------------------------------------------------------------------------------------

    def _waken(self, name: str, offset: int) -> AgentState | None:
        """The state of an agent, or None while its saved state already contains the offset."""
        saved = self._asleep.get(name)
        if saved is not None:
            if offset <= saved.applied:
                return None
            state = AgentState.load(name, self._kinds, self._settings, saved, self._mark.forgotten)
            del self._asleep[name]
        elif self._full() and name != OVERFLOW:
            self._mark.crowd.grow(self._mark.watermark)
            return self._awake.get(OVERFLOW) or self._waken(OVERFLOW, offset)
        else:
            state = AgentState(name, self._kinds, self._settings)
        self._awake[name] = state
        return state

    def _full(self) -> bool:
        """Whether there are as many agents as may be; the key that the others share is none of them."""
        shared = OVERFLOW in self._awake or OVERFLOW in self._asleep
        return len(self._awake) + len(self._asleep) - shared >= self._most_agents

    # -- time ----------------------------------------------------------------------------------------

    def _advance(self, to_s: float, record: Record, known: float = inf) -> Sequence[Output]:
        """Asks, at each point of the grid up to `to_s`, those keys that something may have changed for.

        `known`: until when events would have come here; later silence is no news of anybody.
        """
        mark = self._mark
        outputs: list[Output] = []
        at = mark.next_grid
        while at <= to_s and (self._due or self._wakes):
            for name in self._woken(at):
                outputs += self._ask(name, at, record, known)
            if not self._wakes:
                break
            at = max(at + GRID_S, _on_grid(self._wakes[0][0]))
        crowd = mark.crowd.signal(f"agent.events/{self._partition}", self._most_agents, to_s)
        if crowd is not None:
            outputs.append(self._signalled(crowd, to_s))
        mark.next_grid = floor(to_s / GRID_S) * GRID_S + GRID_S
        mark.watermark = max(mark.watermark, to_s)
        if self._clock == "events" and mark.next_grid - GRID_S >= mark.told + WATERMARK_EVERY_S:
            outputs += self._tell()
        return outputs

    def _woken(self, at: float) -> list[str]:
        """Keys to ask at a point of the grid, by name: an order that a restart does not change."""
        names = self._due
        self._due = {}
        while self._wakes and self._wakes[0][0] <= at:
            wake_at, name = heappop(self._wakes)
            if self._wanted(name) == wake_at:
                names[name] = None
        return sorted(names)

    def _wanted(self, name: str) -> float | None:
        """When a key really wants to be woken: the heap may hold wishes that have been overtaken."""
        state = self._awake.get(name)
        return state.woken_at if state is not None else self._asleep[name].wake_at

    def _ask(self, name: str, at: float, record: Record, known: float) -> Iterator[Output]:
        state = self._awake.get(name) or self._waken(name, record.offset)
        if state is None:
            return
        self._unsaved.setdefault(name, record.offset)
        signals, faults = state.ask(at, known)
        for signal in signals:
            yield self._signalled(signal, at)
        yield from _deadletters(faults, record, at)
        before = state.woken_at
        wake_at = state.wake_at(at, at + GRID_S)
        if wake_at is not None and wake_at != before:
            self._wish(wake_at, name)

    def _wish(self, wake_at: float, name: str) -> None:
        """Notes when a key wants to be woken; clears away wishes that were overtaken once they are many."""
        heappush(self._wakes, (wake_at, name))
        if len(self._wakes) > 4 * len(self._awake) + len(self._asleep) + 64:
            self._wakes = sorted({each for each in self._wakes if self._wanted(each[1]) == each[0]})

    @staticmethod
    def _signalled(signal: Signal, at: float) -> Output:
        return Output("causes", signal.labels["agent"], Signalled(at=moment(at), signal=signal), at)

    def _tell(self) -> list[Output]:
        """The watermark, where the events are the clock: every signal up to it has been put out."""
        if self._clock != "events":
            return []
        told = self._mark.next_grid - GRID_S
        self._mark.told = told
        wake = Wake(at=moment(told), partition=self._partition, partitions=self._partitions)
        return [Output("causes", "", wake, told)]

    @property
    def wake_at(self) -> float | None:
        """POSIX seconds of event time at which a tick is wanted though no event comes, or None."""
        if self._due:
            return self._mark.next_grid
        return self._wakes[0][0] if self._wakes else None

    def waking(self, at_s: float) -> tuple[bytes, bytes]:
        """Key and value of a Tick."""
        return b"", encode(Tick(time=moment(at_s)))

    # -- snapshots -----------------------------------------------------------------------------------

    def unsaved(self) -> Mapping[str, int]:
        """Agents that changed since they were saved, with the first offset that is not saved."""
        return self._unsaved

    def save(self, key: str) -> Saved:
        """The state of an agent, containing everything up to the last record."""
        self._unsaved.pop(key, None)
        state = self._awake[key]
        wake_at = self._mark.next_grid if key in self._due else state.woken_at
        return state.save(self._offset, wake_at)

    def load(self, key: str, saved: Saved) -> None:
        """Restores an agent; it stays bytes until its first event or tick.

        Raises:
            ValueError: it is of a version that is not known.
        """
        if saved.version != VERSION:
            raise ValueError(f"state of {key} has version {saved.version}, expected {VERSION}")
        self._asleep[key] = saved
        if saved.wake_at is not None:
            heappush(self._wakes, (saved.wake_at, key))

    def mark(self) -> bytes:
        """Watermark, grid and settings."""
        return msgspec.msgpack.encode(self._mark)

    def resume(self, mark: bytes) -> None:
        """Restores watermark, grid and settings.

        Settings that held when they were written and hold no more are left out, and no digest is known any
        more, so that whoever has some that do hold puts them into the log.
        """
        self._mark = msgspec.msgpack.decode(mark, type=Mark)
        try:
            settings = self._settings_of(self._mark.files)
            self._try(settings)
        except ValueError:
            self._mark.digests = ()
        else:
            self._settings = settings


def _on_grid(time_s: float) -> float:
    """The first point of the grid at or after a time."""
    return -floor(-time_s / GRID_S) * GRID_S


def _deadletters(faults: Sequence[str], record: Record, at: float) -> Sequence[Output]:
    """The record with the reason, one each; `at` is 0 before any time is known."""
    reasons = [fault[:LONGEST_REASON].encode("utf-8", "backslashreplace") for fault in faults]
    return [
        Output("deadletter", "", record.value, max(at, 0.0), (("reason", reason), *record.headers))
        for reason in reasons
    ]
