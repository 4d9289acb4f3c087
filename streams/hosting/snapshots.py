"""The state of a fold's partition in a compacted topic.

Every owner first appends a claim; the claim's offset is its *epoch*: unique, and higher than any before.
It then reads the topic up to its claim. Keys carry the epoch, so an owner that was paused and lost its
partition can only write beside its successor, never over it. Restoring takes, for each key of the fold, the
entry with the highest (epoch, applied offset), and the low-water entry of the highest epoch.

Keys: `claim/OWNER`, `EPOCH/low-water`, `EPOCH/entry/KEY`, `EPOCH/part/DIGEST/KEY`. Parts are written before
the entry that names their digests and removed after it no longer does. What older owners left of a key is
removed only after this owner wrote an entry of its own for it: one of them may only be paused, and about to
write the entry that names a part which nothing names yet.

Bodies and parts from a kilobyte on are compressed; a part's digest tells whether it is, an entry of its body.

Each record carries its sum (`streams.hosting.sums`). An entry that cannot be read, or is not what was
written, is told of and passed over: its key goes on from an older one, or begins anew. A record that is not
what was written, and of which no key goes on, is removed once it was told of. Without any low-water entry
that can be read nobody knows where to begin, and the partition is not taken over.
"""

import asyncio
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b

import msgspec
import structlog
from aiokafka.errors import KafkaError

from schemas.record import UNREADABLE, Record, Saved
from streams.hosting.log import AppendFailed, Log, Outgoing
from streams.hosting.packing import packed, unpacked, worth
from streams.hosting.sums import Unsound, is_sound, summed

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Entries restored before everything else in the process has its turn."""
_CLAIM = b"claim/"
_NOTHING = ""
"""The digest of a part without any bytes, which is not written: it would be a tombstone."""
_PACKED = "z"
"""What the digest of a part begins with that is kept compressed."""
_KINDS = ("low-water", "entry", "part")


class StateError(OSError):
    """What says where to begin cannot be read. It may be after a repair, so whoever hosts tries again."""


class Entry(msgspec.Struct, array_like=True):
    """The value of an entry: a Saved whose parts are named by digest. `packed`: whether `body` is."""

    applied: int
    version: int
    wake_at: float | None
    parts: dict[str, str]
    body: bytes
    packed: bool = False


class LowWater(msgspec.Struct, array_like=True):
    """Every offset below is contained in acknowledged entries; `mark`: the partition's state there."""

    offset: int
    mark: bytes


class Restored(msgspec.Struct, frozen=True):
    """What a new owner starts from; `low_water` is None where nobody owned the partition before."""

    low_water: LowWater | None
    keys: Mapping[str, Saved]


class Lacking(ValueError):  # noqa: N818 - says what it is
    """A part that an entry names is not there."""


class Live(msgspec.Struct):
    """What stands in the topic: the last value of each key that is what was written, tombstones applied.

    `unsound`: keys of which the last record is not; an older one may stand for it.
    """

    values: dict[bytes, bytes] = {}
    unsound: set[bytes] = set()

    def put(self, record: Record) -> None:
        """The next record. Whatever a claim says, somebody has claimed."""
        key = record.key or b""
        if not key.startswith(_CLAIM) and not is_sound(record):
            self.unsound.add(key)
            return
        self.unsound.discard(key)
        if record.value:
            self.values[key] = record.value
        else:
            self.values.pop(key, None)


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

    def part(self, digest: str) -> "Place":
        """Where a part of an entry stands: under the entry's own epoch and key."""
        return Place(self.epoch, "part", digest, self.name)


class Snapshots:
    """The snapshot topic of one partition, for one owner."""

    def __init__(self, log: Log, topic: str, partition: int, owner: str) -> None:
        """`owner`: a name that no other owner ever has."""
        self._log = log
        self._topic = topic
        self._partition = partition
        self._claim = _CLAIM + owner.encode()
        self._epoch = -1
        self.stands = False
        """Whether it says under its own epoch where to begin: no entry may be written before."""
        self._written: dict[str, set[Place]] = {}
        """What this owner knows to stand in the topic for each key of the fold."""
        self._strewn: dict[str, set[Place]] = {}
        """What else may stand there for it: of owners before, or of appends that were not acknowledged."""
        self._before: list[bytes] = []
        """Claims and low-water entries of owners before; what nobody can read and no key goes on from."""
        self._epochs: set[int] = set()
        # The last record that was looked at without a claim; the highest epoch of somebody else.
        self._looked, self._others = -1, -1

    async def take_over(self) -> Restored:
        """Claims the partition, reads everything before the claim, and stands as its owner from here on.

        Raises:
            StateError: there is state, and nothing says where to begin with it.
            AppendFailed: the claim, or where to begin, is not known to be written.
        """
        restored = await self._claimed()
        if restored.low_water is not None:
            await self.write_low_water(restored.low_water.offset, restored.low_water.mark)
        return restored

    async def claim(self, offset: int, mark: bytes) -> None:
        """Claims it for an owner that only looked before, and has folded on from this offset.

        Who claimed it since that look is its heir, and its epoch must stay the highest.

        Raises:
            AppendFailed: the claim, or where to begin, is not known to be written, or there is an heir.
        """
        try:
            await self._claimed()
        except (KafkaError, OSError) as error:
            raise AppendFailed(f"{self._topic}/{self._partition}: cannot be read: {error!r}") from error
        if self._others > self._looked:
            await self._append([Outgoing(self._claim, None)])
            raise AppendFailed(f"{self._topic}/{self._partition}: another owner has claimed it since")
        await self.write_low_water(offset, mark)

    async def _claimed(self) -> Restored:
        self.stands = False
        self._epoch = await self._append([Outgoing(self._claim, b"1")])
        self._epochs.add(self._epoch)
        return await self._choose(await self._live())

    async def look(self) -> Restored:
        """What stands there now, for somebody who owns nothing: nothing is written.

        Raises:
            StateError: nothing says where to begin with it.
        """
        live = Live()
        async for batch in self._log.read_to_end(self._topic, self._partition):
            for record in batch:
                live.put(record)
                self._looked = record.offset
        return await self._choose(live)

    async def _append(self, records: Sequence[Outgoing]) -> int:
        return await self._log.append(self._topic, self._partition, [summed(each) for each in records])

    async def _live(self) -> Live:
        """What stood there before the claim."""
        live = Live()
        claims: dict[bytes, int] = {}
        async for batch in self._log.read(self._topic, self._partition):
            for record in batch:
                if record.offset <= self._epoch:
                    live.put(record)
                    claims[record.key or b""] = record.offset
            if batch and batch[-1].offset >= self._epoch:
                break
        there = live.values
        claimed = {offset for key, offset in claims.items() if key.startswith(_CLAIM) and key in there}
        stand = {place.epoch for key in there if (place := _place(key)) and place.kind == "low-water"}
        self._others = max((claimed | stand) - self._epochs, default=-1)
        return live

    async def _choose(self, live: Live) -> Restored:
        for key in sorted(live.unsound):
            self._passed_over(key, Unsound())
        places = {place: value for key, value in live.values.items() if (place := _place(key)) is not None}
        keys = await self._whole(places)
        standing = {*places, *filter(None, map(_place, live.unsound))}
        lows = sorted(place for place in standing if place.kind == "low-water")
        for place in standing.difference(lows):
            self._strewn.setdefault(place.name, set()).add(place)
        claims = [key for key in live.values if key.startswith(_CLAIM)]
        lost = [key for key in sorted(live.unsound - live.values.keys()) if not _belongs(key, keys)]
        self._before = [*claims, *(place.key() for place in lows), *lost]
        low = self._low(places)
        if low is None and (lows or live.unsound):
            raise StateError(f"no low-water entry of {self._topic}/{self._partition} can be read")
        return Restored(low, dict(sorted(keys.items())))

    async def _whole(self, places: Mapping[Place, bytes]) -> dict[str, Saved]:
        """Of each key the entry that counts most of those that can be read, with all of its parts."""
        keys: dict[str, Saved] = {}
        lacking: dict[str, Place] = {}
        for n, (place, entry) in enumerate(await self._entries(places)):
            if n % AT_ONCE == 0:
                await asyncio.sleep(0)
            if place.name in keys:
                continue
            try:
                keys[place.name] = _saved(place, entry, places)
            except Lacking:
                lacking.setdefault(place.name, place)
            except zlib.error as error:
                self._passed_over(place.key(), error)
        for name in sorted(lacking.keys() - keys):
            self._passed_over(lacking[name].key(), Lacking("a part of it is not there"))
        return keys

    async def _entries(self, places: Mapping[Place, bytes]) -> Sequence[tuple[Place, Entry]]:
        """Those that can be read, those that count most first."""
        entries: list[tuple[Place, Entry]] = []
        for n, (place, value) in enumerate(places.items()):
            if n % AT_ONCE == 0:
                await asyncio.sleep(0)
            if place.kind == "entry":
                try:
                    entries.append((place, msgspec.msgpack.decode(value, type=Entry)))
                except UNREADABLE as error:
                    self._passed_over(place.key(), error)
        return sorted(entries, key=lambda each: (each[0].epoch, each[1].applied), reverse=True)

    def _low(self, places: Mapping[Place, bytes]) -> LowWater | None:
        """That of the highest epoch of which it can be read."""
        for place in sorted((each for each in places if each.kind == "low-water"), reverse=True):
            try:
                return msgspec.msgpack.decode(places[place], type=LowWater)
            except UNREADABLE as error:
                self._passed_over(place.key(), error)
        return None

    def _passed_over(self, key: bytes, error: Exception) -> None:
        log.error(
            "state.unreadable",
            topic=self._topic,
            partition=self._partition,
            key=key.decode("utf-8", "replace"),
            error=repr(error),
        )

    async def write_low_water(self, offset: int, mark: bytes) -> None:
        """Every offset below is contained in entries written before. Clears what older owners left."""
        value = msgspec.msgpack.encode(LowWater(offset, mark))
        mine = Place(self._epoch, "low-water", "", "").key()
        await self._append([Outgoing(mine, value)])
        self.stands = True
        if self._before:
            left, self._before = [key for key in self._before if key != mine], []
            await self._append([Outgoing(key, None) for key in left])

    async def write(self, keys: Mapping[str, Saved | None]) -> None:
        """Writes entries: parts that are new, then the entries, then tombstones of what they replace.

        None: the key is over, and there are only tombstones.
        """
        standing: dict[str, set[Place]] = {}
        parts: list[Outgoing] = []
        entries: list[Outgoing] = []
        for name, saved in keys.items():
            if saved is None:
                standing[name] = set()
                self._strewn.setdefault(name, set())
                continue
            place = Place(self._epoch, "entry", "", name)
            digests = {part: _digest(piece) for part, piece in saved.parts.items()}
            pieces = {place.part(digests[part]): piece for part, piece in saved.parts.items() if piece}
            new = [each for each in pieces if each not in self._written.get(name, ())]
            parts += [Outgoing(each.key(), _part(each.digest, pieces[each])) for each in new]
            entries.append(Outgoing(place.key(), msgspec.msgpack.encode(_entry(saved, digests))))
            standing[name] = {place, *pieces}
            self._strewn.setdefault(name, set()).update(new)
        if entries:
            await self._append([*parts, *entries])
        await self._replace(standing)

    async def _replace(self, standing: Mapping[str, set[Place]]) -> None:
        """Removes all that stands for keys besides what was just written."""
        gone: list[Outgoing] = []
        for name, places in standing.items():
            self._strewn[name] = (self._strewn[name] | self._written.get(name, set())) - places
            self._written[name] = places
            gone += [Outgoing(each.key(), None) for each in sorted(self._strewn[name])]
        if gone:
            await self._append(gone)
        for name, places in standing.items():
            del self._strewn[name]
            if not places:
                del self._written[name]


def _place(key: bytes) -> Place | None:
    """A key of the topic, parsed; None for claims and for what is not ours."""
    try:
        epoch, kind, *names = key.decode("utf-8", "surrogatepass").split("/", 2)
        digest, name = names[0].split("/", 1) if kind == "part" else ("", "".join(names))
        place = Place(int(epoch), kind, digest, name)
    except (ValueError, IndexError):
        return None
    return place if kind in _KINDS and place.key() == key else None


def _belongs(key: bytes, keys: Mapping[str, Saved]) -> bool:
    """Whether it is of one of these keys, and goes with its next entry."""
    place = _place(key)
    return place is not None and place.name in keys


def _digest(piece: bytes) -> str:
    if not piece:
        return _NOTHING
    return _PACKED * worth(piece) + blake2b(piece, digest_size=16).hexdigest()


def _part(digest: str, piece: bytes) -> bytes:
    return packed(piece) if digest.startswith(_PACKED) else piece


def _entry(saved: Saved, digests: dict[str, str]) -> Entry:
    large = worth(saved.body)
    body = packed(saved.body) if large else saved.body
    return Entry(saved.applied, saved.version, saved.wake_at, digests, body, large)


def _saved(place: Place, entry: Entry, places: Mapping[Place, bytes]) -> Saved:
    parts = {part: _piece(digest, place, places) for part, digest in entry.parts.items()}
    body = unpacked(entry.body) if entry.packed else entry.body
    return Saved(entry.applied, body, entry.version, entry.wake_at, parts)


def _piece(digest: str, place: Place, places: Mapping[Place, bytes]) -> bytes:
    piece = b"" if digest == _NOTHING else places.get(place.part(digest))
    if piece is None:
        raise Lacking
    return unpacked(piece) if digest.startswith(_PACKED) else piece


def batches(keys: Iterable[tuple[str, Saved | None]], most_bytes: int) -> Iterator[dict[str, Saved | None]]:
    """Splits a large snapshot, so that no append grows without bound. Takes the next key when it is due."""
    batch: dict[str, Saved | None] = {}
    size = 0
    for name, saved in keys:
        batch[name] = saved
        if saved is not None:
            size += len(saved.body) + sum(len(piece) for piece in saved.parts.values())
        if size >= most_bytes:
            yield batch
            batch, size = {}, 0
    if batch:
        yield batch
