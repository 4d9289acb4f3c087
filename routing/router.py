"""The router: the fold over the causes of one realm, whose outputs are pages, incidents and decisions."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from routing.configuration import load as load_policy
from routing.decide import decide, later
from routing.incidents.alignment import Alignment, Watermarks
from routing.incidents.drill_times import Due, Missed, cut_off, due, missed
from routing.incidents.intake import HELD_CAP, Held, Intake
from routing.incidents.posting import NEVER
from routing.incidents.refusals import ending, lasting
from routing.incidents.snapshot import Packing, unpack
from routing.incidents.state import Core, Refusal, State
from routing.incidents.turn import Complaint
from routing.policy import Policy
from routing.rules.calendars import carried
from routing.rules.faults import ConfigFaults
from schemas.cause import AnyCause, ConfigFile, Configured, Probed, Wake
from schemas.probe import Passed
from schemas.record import Output, Record, Saved
from schemas.wire import decode_cause, encode, moment

KEY = "router"
PROBE = "probe"
"""The key of probes among the pages, which are all of one partition."""


class Router:
    """Has one key, `router`. Causes wait until a configuration came that can be followed.

    `read`: makes a policy of a configuration's files, or raises ConfigFaults.
    """

    def __init__(self, read: Callable[[Sequence[ConfigFile]], Policy] = load_policy) -> None:
        self._read = read
        self._intake = Intake()
        self._alignment = Alignment(Watermarks())
        self._state = State(Core())
        self._policy: Policy | None = None
        self._packing = Packing()
        self._unsaved: dict[str, int] = {}

    @property
    def wake_at(self) -> float | None:
        """When the first timer is due. Where the clock is the events', only the end of input asks for it."""
        first, core = self._state.timers.next(), self._state.core
        # On the events' clock shifts would keep the end of input waiting for ever.
        handoff = core.handoff_at if core.clock == "wall" and core.handoff_at != NEVER else None
        waits = [at for at in (first[0] if first else None, self._alignment.first, handoff) if at is not None]
        return min(waits).timestamp() if waits and self._policy is not None else None

    @property
    def counts(self) -> Mapping[str, int]:
        """How often something was ignored, dropped or capped, by what it was."""
        forced = self._alignment.watermarks.forced
        return self._state.core.counts | ({"causes before their turn": forced} if forced else {})

    def drills_due(self, now: datetime) -> tuple[Due, ...]:
        """Planned fire drills that are to begin by now. Whoever begins one announces it first."""
        return () if self._policy is None else tuple(due(self._state.core, self._policy, now))

    def drills_missed(self, now: datetime) -> tuple[Missed, ...]:
        """Planned fire drills that did not take place, and of which nobody was told yet."""
        return () if self._policy is None else tuple(missed(self._state.core, self._policy, now))

    def drill_owner(self, name: str) -> str | None:
        """Who announced a fire drill first, and may play it; None while no announcement of it was read."""
        drill = self._state.core.drills.get(name)
        return None if drill is None else drill.owner

    def drills_cut_off(self, now: datetime) -> tuple[str, ...]:
        """Ids of planned fire drills that began, and of whose end nothing was heard."""
        return tuple(cut_off(self._state.core, now))

    def refusing(self, now: datetime) -> Mapping[str, Refusal]:
        """Channels that have taken no page for long, by their keys."""
        return lasting(self._state.core, now)

    def refused_until(self, key: str) -> Literal["recovered", "gone", "stale"]:
        """Why a channel that had taken no page for long is not among them any more."""
        return "stale" if self._policy is None else ending(self._state.core, self._policy, key)

    @property
    def open(self) -> int:
        """How many incidents are open."""
        return self._state.open

    @property
    def digests(self) -> tuple[str, ...]:
        """Digests of the configurations followed so far, the present one last.

        None while the one that was saved cannot be followed any more: whoever has another is to tell it.
        """
        return self._intake.digests if self._policy is not None else ()

    @property
    def files(self) -> tuple[ConfigFile, ...]:
        """Those of the configuration that is followed, its calendars among them."""
        return self._intake.files

    @property
    def clock(self) -> Literal["wall", "events"]:
        """The clock that is gone by."""
        return self._state.core.clock

    def waking(self, at_s: float) -> tuple[bytes, bytes]:
        """A `Wake` that fires what is due by then."""
        return (b"wake", encode(Wake(at=moment(at_s))))

    def apply(self, record: Record) -> Sequence[Output]:
        """Takes the next cause.

        Raises:
            Malformed: it is none.
        """
        if record.offset <= self._intake.applied:
            return ()
        self._intake.applied = record.offset
        self._unsaved.setdefault(KEY, record.offset)
        cause = decode_cause(record.value)
        if self._intake.knows(cause):
            self._state.count("causes repeated")
            return ()
        self._intake.remember(cause)
        if isinstance(cause, Configured):
            return self._configure(self._on_time(cause))
        if isinstance(cause, Probed):
            return self._probe(cause)
        if self._policy is None:
            return self._hold(cause, record.offset)
        return self._take(cause, record.offset, self._policy)

    def unsaved(self) -> Mapping[str, int]:
        """The one key, if anything came since it was saved."""
        return dict(self._unsaved)

    def save(self, key: str) -> Saved:
        """The state as of now; parts whose incidents did not change are the same bytes as before."""
        self._unsaved.pop(key, None)
        return self._packing.pack(self._state, self._alignment, self._intake, self.wake_at)

    def load(self, key: str, saved: Saved) -> None:
        """Continues from what was saved.

        Raises:
            ValueError: it is not the router's, or of a version that is not known.
        """
        if key != KEY:
            raise ValueError(f"the router has one key, {KEY!r}, found {key!r}")
        self._state, self._alignment, self._intake = unpack(saved)
        self._packing = Packing()
        self._unsaved = {}
        try:
            self._policy = self._read(self._intake.files) if self._intake.files else None
        except ConfigFaults:
            # It could be followed when it was written; causes wait until one comes that can be followed now.
            self._policy = None

    def mark(self) -> bytes:
        """Nothing: all state is the key's."""
        return b""

    def resume(self, mark: bytes) -> None:
        """Nothing to restore."""

    def _on_time(self, cause: Configured) -> Configured:
        """With the clock that is meant."""
        stays = cause.keeps_clock and self._intake.files
        return replace(cause, clock=self.clock) if stays else cause

    def _configure(self, cause: Configured) -> Sequence[Output]:
        files = carried(cause.files, self._intake.files)
        if self._policy is not None and files == self._intake.files and cause.clock == self.clock:
            self._intake.follow(cause, files)
            return self._keep(cause, self._policy)
        try:
            policy = self._read(files)
        except ConfigFaults as faults:
            return [_refused(cause, faults)]
        outputs = self._unaligned(cause, self._policy or policy)
        outputs += [] if self._policy is None else self._keep(cause, self._policy)
        self._policy = policy
        self._intake.follow(cause, files)
        outputs += decide(self._state, cause, policy).outputs
        held, self._intake.held = self._intake.held, []
        for each in held:
            outputs += self._take(each.cause, each.offset, policy)
        return outputs

    def _probe(self, cause: Probed) -> Sequence[Output]:
        """Goes through as a signal would; without a configuration nobody is told of anything."""
        if self._policy is None:
            return ()
        passed = Passed(partition=cause.partition, partitions=cause.partitions, sent=cause.sent)
        at_s = later(self._state, cause).timestamp()
        return [*decide(self._state, cause, self._policy).outputs, Output("pages", PROBE, passed, at_s)]

    def _keep(self, cause: Configured, policy: Policy) -> list[Output]:
        """Timers that are due before a configuration fire by the one that held."""
        return decide(self._state, Wake(at=later(self._state, cause)), policy).outputs

    def _unaligned(self, cause: Configured, policy: Policy) -> list[Output]:
        """What waits for the time of other partitions waits no longer where that is told no more."""
        waiting = self._alignment.end() if cause.clock == "wall" else []
        return [output for each in waiting for output in decide(self._state, each, policy).outputs]

    def _take(self, cause: AnyCause, offset: int, policy: Policy) -> list[Output]:
        aligned = self._state.core.clock == "events"
        turns = self._alignment.take(cause, offset) if aligned else [cause]
        return [output for each in turns for output in decide(self._state, each, policy).outputs]

    def _hold(self, cause: AnyCause, offset: int) -> Sequence[Output]:
        if len(self._intake.held) < HELD_CAP:
            self._intake.held.append(Held(offset=offset, cause=cause))
            return ()
        self._state.count("causes refused before a configuration")
        return [Output("deadletter", KEY, cause, cause.at.timestamp())]


def _refused(cause: Configured, faults: ConfigFaults) -> Output:
    """The owner hears of a configuration that cannot be followed; the one before it stays."""
    complaint = Complaint(reason=str(faults), about=f"configuration {cause.digest}", at=cause.at)
    return Output("deadletter", "configuration", complaint, cause.at.timestamp())
