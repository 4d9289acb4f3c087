"""The state of a fold's partition in a compacted topic.

Every owner first appends a claim; the claim's offset is its *epoch*: unique, and higher than any before.
It then reads the topic up to its claim. Keys carry the epoch, so an owner that was paused and lost its
partition can only write beside its successor, never over it. Restoring takes, for each key of the fold, the
entry with the highest (epoch, applied offset), and the low-water entry of the highest epoch.

Keys: `claim/OWNER`, `EPOCH/low-water`, `EPOCH/entry/KEY`, `EPOCH/part/DIGEST/KEY`. Parts are written before
the entry that names their digests and removed after it no longer does.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

import msgspec

from schemas.record import Record, Saved
from streams.log import Log, Outgoing


class Entry(msgspec.Struct, array_like=True):
    """The value of an entry: a Saved whose parts are named by digest."""

    applied: int
    version: int
    wake_at: float | None
    parts: dict[str, str]
    body: bytes


class LowWater(msgspec.Struct, array_like=True):
    """Every offset below is contained in acknowledged entries; `mark`: the partition's state there."""

    offset: int
    mark: bytes


class Restored(msgspec.Struct, frozen=True):
    """What a new owner starts from; `low_water` is None where nobody owned the partition before."""

    low_water: LowWater | None
    keys: Mapping[str, Saved]


class Place(msgspec.Struct, frozen=True, order=True):
    """A parsed key of the topic."""

    epoch: int
    kind: str
    digest: str
    name: str

    def key(self) -> bytes:
        """The key as it stands in the topic."""
        tail = {"low-water": "", "entry": f"/{self.name}", "part": f"/{self.digest}/{self.name}"}[self.kind]
        return f"{self.epoch}/{self.kind}{tail}".encode("utf-8", "surrogatepass")


class Snapshots:
    """The snapshot topic of one partition, for one owner."""

    def __init__(self, log: Log, topic: str, partition: int, owner: str) -> None:
        """`owner`: a name that no other owner ever has."""
        self._log = log
        self._topic = topic
        self._partition = partition
        self._claim = f"claim/{owner}".encode()
        self._epoch = -1
        self._written: dict[str, set[Place]] = {}
        """What stands in the topic for each key of the fold."""
        self._before: list[bytes] = []

    async def take_over(self) -> Restored:
        """Claims the partition, reads everything before the claim, and stands as its owner from here on."""
        self._epoch = await self._append([Outgoing(self._claim, b"1")])
        live = await self._live()
        restored = self._choose(live)
        low_water = restored.low_water
        if low_water is not None:
            await self.write_low_water(low_water.offset, low_water.mark)
        return restored

    async def _append(self, records: Sequence[Outgoing]) -> int:
        return await self._log.append(self._topic, self._partition, records)

    async def _live(self) -> dict[bytes, bytes]:
        """The last value of each key before the claim, tombstones applied."""
        live: dict[bytes, bytes] = {}
        async for batch in self._log.read(self._topic, self._partition):
            for record in batch:
                _put(live, record)
            if batch and batch[-1].offset >= self._epoch:
                break
        return live

    def _choose(self, live: Mapping[bytes, bytes]) -> Restored:
        places = {place: value for key, value in live.items() if (place := _place(key)) is not None}
        entries = {p: msgspec.msgpack.decode(v, type=Entry) for p, v in places.items() if p.kind == "entry"}
        best: dict[str, tuple[Place, Entry]] = {}
        for place, entry in sorted(entries.items(), key=lambda each: (each[0].epoch, each[1].applied)):
            if all(_part(place, part, digest) in places for part, digest in entry.parts.items()):
                best[place.name] = (place, entry)
        keys = {name: _saved(place, entry, places) for name, (place, entry) in sorted(best.items())}
        for name, (place, entry) in best.items():
            self._written[name] = {
                place,
                *(_part(place, part, digest) for part, digest in entry.parts.items()),
            }
        kept = {place for written in self._written.values() for place in written}
        lows = sorted(place for place in places if place.kind == "low-water")
        claims = [key for key in live if key.startswith(b"claim/")]
        self._before = [*claims, *(place.key() for place in sorted(places) if place not in kept)]
        low = msgspec.msgpack.decode(places[lows[-1]], type=LowWater) if lows else None
        return Restored(low, keys)

    async def write_low_water(self, offset: int, mark: bytes) -> None:
        """Every offset below is contained in entries written before. Clears what older owners left."""
        value = msgspec.msgpack.encode(LowWater(offset, mark))
        await self._append([Outgoing(Place(self._epoch, "low-water", "", "").key(), value)])
        if self._before:
            left, self._before = self._before, []
            await self._append([Outgoing(key, None) for key in left])

    async def write(self, keys: Mapping[str, Saved]) -> None:
        """Writes entries: parts that are new, then the entries, then tombstones of what they replace."""
        standing: dict[str, set[Place]] = {}
        parts: list[Outgoing] = []
        entries: list[Outgoing] = []
        for name, saved in keys.items():
            place = Place(self._epoch, "entry", "", name)
            digests = {part: _digest(piece) for part, piece in saved.parts.items()}
            pieces = {_part(place, part, digests[part]): piece for part, piece in saved.parts.items()}
            before = self._written.get(name, set())
            parts += [Outgoing(each.key(), piece) for each, piece in pieces.items() if each not in before]
            entry = Entry(saved.applied, saved.version, saved.wake_at, digests, saved.body)
            entries.append(Outgoing(place.key(), msgspec.msgpack.encode(entry)))
            standing[name] = {place, *pieces}
        await self._append([*parts, *entries])
        gone = [each for name in keys for each in sorted(self._written.get(name, set()) - standing[name])]
        for name in keys:
            self._written[name] = self._written.get(name, set()) | standing[name]
        if gone:
            await self._append([Outgoing(each.key(), None) for each in gone])
            self._written |= standing


def _put(live: dict[bytes, bytes], record: Record) -> None:
    key = record.key or b""
    if record.value:
        live[key] = record.value
    else:
        live.pop(key, None)


def _place(key: bytes) -> Place | None:
    """A key of the topic, parsed; None for claims and for what is not ours."""
    epoch, _, rest = key.decode("utf-8", "surrogatepass").partition("/")
    kind, _, name = rest.partition("/")
    if not epoch.isdigit() or kind not in {"low-water", "entry", "part"}:
        return None
    digest, name = name.split("/", 1) if kind == "part" else ("", name)
    return Place(int(epoch), kind, digest, name)


def _part(entry: Place, part: str, digest: str) -> Place:
    """Where a part of an entry stands: under the entry's own epoch."""
    return Place(entry.epoch, "part", digest, f"{entry.name}/{part}")


def _digest(piece: bytes) -> str:
    return blake2b(piece, digest_size=16).hexdigest()


def _saved(place: Place, entry: Entry, places: Mapping[Place, bytes]) -> Saved:
    parts = {part: places[_part(place, part, digest)] for part, digest in entry.parts.items()}
    return Saved(entry.applied, entry.body, entry.version, entry.wake_at, parts)


def batches(keys: Mapping[str, Saved], most_bytes: int) -> Iterator[dict[str, Saved]]:
    """Splits a large snapshot, so that no append grows without bound."""
    batch: dict[str, Saved] = {}
    size = 0
    for name, saved in keys.items():
        batch[name] = saved
        size += len(saved.body) + sum(len(piece) for piece in saved.parts.values())
        if size >= most_bytes:
            yield batch
            batch, size = {}, 0
    if batch:
        yield batch
