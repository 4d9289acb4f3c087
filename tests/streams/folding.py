"""A fold that can be followed by eye, and all that hosts one, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from schemas.record import Output, Record, Saved
from streams.hosting.emission import Destination, Emission
from streams.hosting.log import Outgoing
from streams.hosting.partition import Cadence, Partition, Surroundings
from streams.hosting.snapshots import Snapshots
from tests.memory_log import Disk, MemoryLog
from tests.simulation.owners import HandClock

DESTINATIONS = {
    name: Destination(name) for name in ("causes", "pages", "incidents", "decisions", "deadletter")
}


@dataclass
class Tally:
    """Counts records by key. All of it wants a wake.

    `out N` puts the value out N times, `raise` raises, `bury` puts a dead letter out, `probe`
    changes nothing and `late` the mark alone.

    To save a key takes `save_s` of the `clock`, where there is one, and as many bytes as `widths` say.
    """

    clock: HandClock | None = None
    save_s: float = 0.0
    wake_at: float | None = None
    counts: dict[str, int] = field(default_factory=dict)
    asleep: dict[str, Saved] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)
    offset: int = -1
    begun: int = 0
    marked: bytes = b""
    illegible: str = ""
    widths: dict[str, int] = field(default_factory=dict)

    def waking(self, at_s: float) -> tuple[bytes, bytes]:
        return b"", f"wake {at_s:.0f}".encode()

    def apply(self, record: Record) -> Sequence[Output]:
        word, _, count = record.value.decode().partition(" ")
        if word == "raise":
            raise ValueError("as it was told")
        if word == "probe":
            return [Output("causes", "probe", record.value, 0.0)]
        if word == "bury":
            return [Output("deadletter", "", record.value, 0.0)]
        key = (record.key or b"").decode()
        self.offset = record.offset
        if word == "late":
            return ()
        if key in self.asleep and self.asleep[key].applied >= record.offset:
            return ()
        saved = self.asleep.pop(key, None)
        if saved is not None:
            self.counts[key] = int(saved.body)
        self.counts[key] = self.counts.get(key, 0) + 1
        self.since.setdefault(key, record.offset)
        outputs = int(count) if word == "out" else 0
        return [Output("decisions", key, record.value, 0.0) for _ in range(outputs)]

    def unsaved(self) -> Mapping[str, int]:
        return self.since

    def save(self, key: str) -> Saved:
        self.since.pop(key, None)
        if self.clock is not None:
            self.clock.at_s += self.save_s
        return Saved(self.offset, str(self.counts[key]).zfill(self.widths.get(key, 0)).encode())

    def load(self, key: str, saved: Saved) -> None:
        if key == self.illegible:
            raise ValueError(f"{key} is of a version that is not known")
        self.asleep[key] = saved

    def mark(self) -> bytes:
        return msgspec.msgpack.encode(self.offset)

    def resume(self, mark: bytes) -> None:
        if self.illegible == "mark":
            raise ValueError("it is of a version that is not known")
        self.marked = mark

    def begin(self) -> None:
        self.begun += 1


@dataclass
class Site:
    """A disk, a clock moved by hand, and owners of the topic `in`."""

    disk: Disk = field(default_factory=Disk)
    clock: HandClock = field(default_factory=HandClock)
    owners: int = 0
    only_key: str = ""

    def owner(self, log: MemoryLog | None = None, **cadence) -> Partition:
        self.owners += 1
        log = log or MemoryLog(self.disk)
        tally = Tally()
        emission = Emission(log, DESTINATIONS, self.clock, "wall")
        snapshots = Snapshots(log, "state", 0, f"owner-{self.owners}")
        surroundings = Surroundings(log, emission, snapshots, self.clock, Cadence(**cadence))
        return Partition(tally, ("in", 0), surroundings, tally.begin, self.only_key)

    def put(self, *values: tuple[str, str]) -> None:
        """Appends records, each a key and a value."""
        self.disk.put("in", 0, [Outgoing(key.encode(), value.encode()) for key, value in values])

    def records(self, first: int = 0, last: int | None = None) -> list[Record]:
        return self.disk.records("in")[first:last]

    def written(self, kind: str) -> list[str]:
        """Keys of one kind that were appended to the state, in order."""
        return [each.key.decode() for each in self.disk.records("state") if f"/{kind}".encode() in each.key]

    def put_out(self, topic: str = "decisions") -> list[str]:
        return [each.value.decode() for each in self.disk.records(topic)]
