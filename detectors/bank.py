"""The bank: every detector of every agent of one partition, as a fold over its log of events.

Signals come out; state goes into snapshots by agent. Event time drives everything: the watermark is the
highest event time seen, findings are asked for on a grid of it, and `now` never goes back.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import inf, isfinite
from typing import Literal

import msgspec

from detectors.asking import Asking, deadletters
from detectors.clocks import LATE_S
from detectors.crowd import MOST_AGENTS
from detectors.detector import Detector
from detectors.following import Following, SettingsOf
from detectors.grid import GRID_S
from detectors.keys import Keys
from detectors.mark import Mark
from detectors.registry import discover
from detectors.rhythms.intake import INTAKE
from detectors.shadow import SHADOW, wished
from detectors.waiting import Given, Waiting
from schemas.cause import ConfigFile, Probed
from schemas.control import AnyControl, Probe, Rebase, Settings, Tick
from schemas.event import Event
from schemas.record import Output, Record, Saved
from schemas.wire import Malformed, decode_event, encode, moment

FUTURE_S = 300.0
"""An event time further ahead of the record's own timestamp is replaced by the watermark."""


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
        self._clock = clock
        self._partition, self._partitions = partition, partitions
        self._following = Following(settings_of, discover() if kinds is None else kinds)
        self._keys = Keys(self._following, most_agents)
        self._asking = Asking(self._keys, clock, partition, partitions)
        self._mark, self._awake = self._keys.mark, self._keys.awake
        self._offset = -1

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

    # -- records -------------------------------------------------------------------------------------

    def begin(self, files: Sequence[ConfigFile], digest: str = "") -> None:
        """Follows a configuration from the first record on (a partition that has no state yet)."""
        self._follow(files, digest)

    def apply(self, record: Record) -> Sequence[Output]:
        """Takes the next record of the partition.

        Raises:
            Malformed: the record does not fit its contract; nothing has changed, but that it is counted.
        """
        (given,) = self.apply_many((record,))
        if isinstance(given, Exception):
            raise given
        return given

    def apply_many(self, records: Sequence[Record]) -> Sequence[Sequence[Output] | Exception]:
        """Takes the next records; gives for each its outputs, or what `apply` would have raised.

        Between two points of the grid agents do not concern each other, so each is shown its events together.
        """
        given: Given = [()] * len(records)
        waiting, mark = Waiting(records, given), self._mark
        agents = waiting.agents
        for place, record in enumerate(records):
            try:
                what = record.event or self._read(record)
                self._offset = record.offset
                # An exact-type check, for speed.
                event = what if type(what) is Event and what.drill is None else None
                time_s = what.time.timestamp() if record.at_s is None else record.at_s
                waits = None if event is None else agents.get(event.data.agent.name)
                if (
                    event is not None
                    and waits is not None
                    and mark.watermark - GRID_S <= time_s < mark.next_grid
                    and (record.time_s is None or time_s <= record.time_s + FUTURE_S)
                ):
                    if time_s > mark.watermark:  # noqa: PLR1730 - a call of max takes longer than all of this
                        mark.watermark = time_s
                    mark.unheard += 1
                    waits[1].append((event, mark.watermark))
                    waits[2].append(place)
                    continue
                waiting.place = place
                if event is None:
                    given[place] = self._apart(record, what, waiting)
                else:
                    given[place] = self._take(record, event, time_s, waiting)
            except Exception as fault:  # noqa: BLE001 - it concerns this record alone
                given[place] = fault
        waiting.show()
        return given

    def _take(self, record: Record, what: Event, time_s: float, waiting: Waiting) -> Sequence[Output]:
        """An event that moves the time, comes late, or is the first of its agent that waits."""
        mark = self._mark
        outputs: Sequence[Output] = ()
        if time_s > mark.watermark:
            if record.time_s is not None and time_s > record.time_s + FUTURE_S:
                what, time_s = self._corrected(record, what, record.time_s)
            if time_s >= mark.next_grid:
                waiting.show()
                mark.clocks.hear(mark.watermark)
                mark.clocks.lead(what, time_s, record.time_s)
                outputs = self._asking.advance(time_s, record)
            mark.watermark = time_s
        elif time_s < mark.watermark - GRID_S:
            mark.late_events += 1
            if time_s < mark.watermark - LATE_S:
                mark.clocks.lag(what, mark.watermark, mark.watermark - time_s)
        mark.unheard += 1
        name = what.data.agent.name
        mark.clocks.see(name)
        state = self._awake.get(name) or self._keys.housed(name, record.offset)
        if state is not None:
            waiting.add(state, (what, mark.watermark))
            if not state.noted:
                self._asking.note(state, record.offset)
        return outputs

    def _corrected(self, record: Record, event: Event, written_s: float) -> tuple[Event, float]:
        """An event whose time is too far ahead, with the time that it counts as of."""
        time_s = self._believed(written_s)
        self._mark.misfits["times_ahead"].note(record, "", time_s)
        return msgspec.structs.replace(event, time=moment(time_s)), time_s

    def _apart(self, record: Record, what: Event | AnyControl, waiting: Waiting) -> Sequence[Output]:
        """What is no event of an agent: a control, or an event of a fire drill."""
        waiting.show()
        if isinstance(what, Event):
            return self._drilled(record, what)
        return self._control(record, what)

    def _drilled(self, record: Record, event: Event) -> Sequence[Output]:
        """It counts nowhere and tells no time but to a copy of its agent, which alone is shown it."""
        name, now = event.data.agent.name, self._mark.watermark
        if name not in self._keys:
            return deadletters([f"drill {event.drill}: nothing was heard of {name} yet"], record, now)
        state = self._keys.state(name, record.offset)
        if state is None:
            return ()
        latest_s = inf if record.time_s is None else record.time_s
        shadow = self._keys.drilled(state, event, record.offset)
        if isinstance(shadow, str):
            return deadletters([shadow], record, now)
        self._asking.note_shadow(name, record.offset)
        return deadletters(shadow.take(event, min(event.time.timestamp(), latest_s)), record, now)

    def _read(self, record: Record) -> Event | AnyControl:
        try:
            return decode_event(record.value, record.headers)
        except Malformed as fault:
            self._mark.misfits["malformed"].note(record, str(fault), max(0.0, self._mark.watermark))
            raise

    def _believed(self, written_s: float) -> float:
        """What replaces a time too far ahead of the producer's clock: it would drag everybody along.

        Raises:
            Malformed: history begins with it, so nobody knows what time it is.
        """
        if self._mark.watermark == -inf and self._clock == "events":
            raise Malformed(f"Expected a time before {moment(written_s + FUTURE_S)} - at `$.time`")
        self._mark.future_events += 1
        return self._mark.watermark if self._mark.watermark > -inf else written_s

    # -- controls ------------------------------------------------------------------------------------

    def _control(self, record: Record, control: AnyControl) -> Sequence[Output]:
        match control:
            case Tick():
                return self._tick(record, control)
            case Settings():
                return self._resettle(record, control)
            case Probe(time=sent):
                return [self._probed(sent)]
        self._rebase(record, control)
        return ()

    def _probed(self, sent: datetime) -> Output:
        """It went through; nothing has changed."""
        probed = Probed(at=sent, sent=sent, partition=self._partition, partitions=self._partitions)
        return Output("causes", "probe", probed, sent.timestamp())

    def _tick(self, record: Record, tick: Tick) -> Sequence[Output]:
        """Where the clock is the events', the end of history tells a day that is yet to come."""
        mark, time_s = self._mark, tick.time.timestamp()
        known = mark.watermark if tick.last else inf
        written_s = record.time_s if self._clock == "wall" else None
        if written_s is not None and time_s > written_s + FUTURE_S:
            time_s = self._believed(written_s)
        outputs = self._asking.advance(time_s, record, known) if time_s > mark.watermark else ()
        return [*outputs, *self._asking.tell()]

    def _resettle(self, record: Record, control: Settings) -> Sequence[Output]:
        """Bad settings never replace good ones."""
        try:
            self._follow(control.files, control.digest)
        except ValueError as fault:
            return deadletters([f"configuration {control.digest}: {fault}"], record, self._mark.watermark)
        return ()

    def _follow(self, files: Sequence[ConfigFile], digest: str) -> None:
        for name in self._following.follow(files):
            self._mark.forgotten[name] = self._offset
        self._mark.follow(tuple(files), digest)
        self._keys.configure()

    def _rebase(self, record: Record, control: Rebase) -> None:
        if control.agent == INTAKE:
            self._asking.rebase(control.detector)
        known = control.agent in self._keys
        state = self._keys.state(control.agent, record.offset) if known else None
        if state is not None:
            state.rebase(control.detector, self._mark.watermark)
            self._asking.note(state, record.offset)

    # -- time and snapshots -----------------------------------------------------------------------------

    @property
    def wake_at(self) -> float | None:
        """POSIX seconds of event time at which a tick is wanted though no event comes, or None."""
        return self._asking.wake_at

    def waking(self, at_s: float) -> tuple[bytes, bytes]:
        """Key and value of a Tick."""
        return b"", encode(Tick(time=moment(at_s)))

    def unsaved(self) -> Mapping[str, int]:
        """Agents that changed since they were saved, with the first offset that is not saved."""
        return self._keys.unsaved

    def save(self, key: str) -> Saved | None:
        """The state of an agent, containing everything up to the last record; None if it is forgotten."""
        asked_at, shadow_at = self._asking.wanted(key), self._asking.wanted(SHADOW + key)
        return self._keys.save(key, self._offset, asked_at, shadow_at)

    def load(self, key: str, saved: Saved) -> None:
        """Restores an agent; it stays bytes until its first event or tick.

        Raises:
            ValueError: it is of a version that is not known, or wishes for a time that is none.
            MsgspecError: it has a drill's copy that cannot be read.
        """
        wishes = {key: saved.wake_at, SHADOW + key: wished(saved)}
        if not all(isfinite(at) for at in wishes.values() if at is not None):
            raise ValueError(
                f"state of {key} wishes for {wishes[key]} and {wishes[SHADOW + key]}, expected times"
            )
        self._keys.load(key, saved)
        for name, wish_at in wishes.items():
            if wish_at is not None:
                self._asking.wish(name, wish_at)

    def mark(self) -> bytes:
        """Watermark, grid and settings."""
        return msgspec.msgpack.encode(self._mark)

    def resume(self, mark: bytes) -> None:
        """Restores watermark, grid and settings.

        Settings that held when they were written and hold no more are left out, and no digest is known any
        more, so that whoever has some that do hold puts them into the log.

        Raises:
            MsgspecError: it is no mark.
        """
        self._mark = self._keys.mark = Mark.read(mark)
        try:
            self._following.follow(self._mark.files)
        except ValueError:
            self._mark.digests = ()
        self._asking.resume()
