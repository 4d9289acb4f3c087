"""One partition of a fold under way: restore, fold in order, put outputs out, snapshot.

The rules, each of which closes a hole: outputs carry their origin and are acknowledged before anything that
contains their cause is written; entries are written before the low-water mark that relies on them; a record
that makes the fold raise goes to the dead letters at once and the partition goes on; only IO is tried again.

Where one key has all the state and what is written of it cannot be read, or is older than the mark, it is
folded again from the log: what incidents, silences and answers came to must not be forgotten.

State that the broker refuses stops nothing: the log still has what the state lacks. Each try is as far from
the last one as writes are from each other; a key that is too large does not keep others from being written;
who may not even claim the state reads it, folds on from there, and claims it as soon as that is taken.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from math import inf

import structlog
from msgspec import Struct, field, structs

from schemas.record import UNREADABLE, Origin, Output, Record, Saved
from streams.fold import Fold, applied, turn_of
from streams.hosting.clock import Clock
from streams.hosting.emission import Emission
from streams.hosting.log import AppendFailed, Log, Outgoing
from streams.hosting.pace import Pace
from streams.hosting.snapshots import Restored, Snapshots, StateError, batches
from streams.watching.figures import Figures
from streams.watching.names import RECORDS, SNAPSHOT_FAILURES

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Keys restored before everything else in the process has its turn."""
MOST_BOUNDARIES = 256
"""Places remembered while state cannot be written; then every other one is forgotten."""


class Cadence(Struct, frozen=True, kw_only=True):
    """When state is written: keys not saved for `age` or `events` offsets; `most_bytes` at once.

    Where writing takes long, `age` is `rest` times what the last took, up to `oldest`: saving many large
    keys must not leave no time to fold. `idle`: how long a mark waits that would differ from the last one
    by its offset alone, as where only probes come: it has all the rules that are followed.
    """

    age: timedelta = timedelta(seconds=10)
    oldest: timedelta = timedelta(seconds=120)
    rest: float = 20.0
    idle: timedelta = timedelta(minutes=5)
    events: int = 200_000
    boundary: timedelta = timedelta(milliseconds=500)
    most_bytes: int = 4_000_000
    wake_grace: timedelta = timedelta(seconds=0)

    def with_grace(self, seconds: float) -> "Cadence":
        """The same, waking the fold so much later: events may lag behind the wall clock."""
        return structs.replace(self, wake_grace=timedelta(seconds=seconds))


class Surroundings(Struct, frozen=True):
    """What a partition works with. `pace`: shared by those that write to the same topic."""

    log: Log
    emission: Emission
    snapshots: Snapshots
    clock: Clock
    cadence: Cadence
    figures: Figures = field(default_factory=Figures)
    pace: Pace = field(default_factory=Pace)


class Boundary(Struct, frozen=True):
    """A place between two records where the log may be taken up again, and the mark there.

    `letters`: how many dead letters this owner wrote before it.
    """

    offset: int
    since_s: float
    mark: bytes
    letters: int = 0


class Partition:
    """Owner of one partition of the fold's log.

    `source`: the input topic and partition number. `genesis`: readies a fold that has no state yet.
    `only_key`: the key that has all the state, if there is only one.
    """

    is_full = False
    """It folds what it is given before it is given more."""
    is_bound = True

    def __init__(
        self,
        fold: Fold,
        source: tuple[str, int],
        surroundings: Surroundings,
        genesis: Callable[[], None],
        only_key: str = "",
    ) -> None:
        self.fold = fold
        self.folded_again = 0
        self.next = 0
        self.snapshot_failures = 0
        self.dead_letters = 0
        self._topic, self.number = source
        self._name = f"{self._topic}/{self.number}"
        self._log = surroundings.log
        self._emission = surroundings.emission
        self._snapshots = surroundings.snapshots
        self._clock, self._cadence = surroundings.clock, surroundings.cadence
        self._figures, self._pace = surroundings.figures, surroundings.pace
        self._genesis = genesis
        self._only_key = only_key
        self._boundaries: deque[Boundary] = deque()
        # The low-water mark as it stands, since then.
        self._standing = Boundary(0, -inf, b"")
        self._woken = -1
        # How long the last write of state took; when one was last refused.
        self._wrote_s, self._refused_s = 0.0, -inf
        self._behind_s: float | None = None
        """Since when there is state that only the log has."""
        self.newest_s: float | None = None
        """When the newest record taken was written, as its timestamp has it."""
        self._owed: list[tuple[Origin, Output]] = []
        self._unwritten: dict[str, int] = {}
        """Keys whose last write failed, with the first offset that is not saved."""

    @property
    def reached(self) -> int:
        """The first offset that is not folded yet."""
        return self.next

    @property
    def low_water(self) -> int:
        """Every offset below it is contained in what was written."""
        return self._standing.offset

    @property
    def unsaved_s(self) -> float:
        """Age of the oldest state that only the log has."""
        return 0.0 if self._behind_s is None else self._clock.monotonic_s() - self._behind_s

    async def start(self) -> int:
        """Takes the partition over and restores the fold.

        Returns:
            The offset to read from.

        Raises:
            StateError: there is state, and nothing says where to begin with it.
            AppendFailed: nobody was there before, and how it begins cannot be written.
        """
        restored = await self._restored()
        if restored.low_water is None:
            self._genesis()
            mark = self.fold.mark()
            await self._snapshots.write_low_water(0, mark)
            self._stands(Boundary(0, -inf, mark))
        else:
            self._resume(restored.low_water.mark)
            self.next = restored.low_water.offset
            self._stands(Boundary(self.next, -inf, restored.low_water.mark))
            known: dict[str, int] = {}
            for n, (key, saved) in enumerate(restored.keys.items()):
                if self._load(key, saved):
                    known[key] = saved.applied + 1
                if n % AT_ONCE == 0:
                    await asyncio.sleep(0)
            if self._only_key and known.get(self._only_key, 0) < self.next:
                await self._fold_again(known.get(self._only_key, 0))
        self._bound()
        return self.next

    async def _restored(self) -> Restored:
        """What stands there: claimed, or only read where the claim is refused.

        Raises:
            AppendFailed: it is refused, and nothing stands there: how a fold began must be known for ever.
        """
        began_s = self._clock.monotonic_s()
        error = AppendFailed(f"{self._name}: the state of others was refused lately")
        if self._pace.allows(began_s):
            try:
                return await self._snapshots.take_over()
            except AppendFailed as refusal:
                self._pace.refused(began_s, self._clock.monotonic_s())
                error = refusal
        restored = await self._snapshots.look()
        if restored.low_water is None:
            raise error
        log.warning("state.unclaimed", partition=self._name, error=str(error))
        return restored

    def _resume(self, mark: bytes) -> None:
        """Without its mark nobody knows where a fold stood: the partition is tried again later."""
        try:
            self.fold.resume(mark)
        except (ValueError, *UNREADABLE) as error:
            raise StateError(f"the mark of {self._name} cannot be read: {error!r}") from error

    def _load(self, key: str, saved: Saved) -> bool:
        """A key whose state the fold cannot read begins anew: a worker that stops over it helps nobody."""
        try:
            self.fold.load(key, saved)
        except (ValueError, *UNREADABLE) as error:
            log.exception("state.unreadable", partition=self._name, key=key, error=repr(error))
            return False
        return True

    async def _fold_again(self, since: int) -> None:
        """Folds what is below the low water, as far as the log has it. Its outputs were put out long ago.

        Raises:
            OSError: the log fell silent before its end; half of what was is worse than to try again.
        """
        log.warning("state.folded_again", partition=self._name, since=since, until=self.next)
        async for batch in self._log.read_to_end(self._topic, self.number):
            records = [each for each in batch if since <= each.offset < self.next]
            applied(self.fold, records)
            self.folded_again += len(records)
            if batch[-1].offset >= self.next - 1:
                break
            await asyncio.sleep(0)
        log.info("state.folded_again", partition=self._name, records=self.folded_again)

    def _bound(self) -> None:
        """Remembers this place, unless the last one is near."""
        now_s = self._clock.monotonic_s()
        last = self._boundaries[-1] if self._boundaries else None
        apart_s = self._cadence.boundary.total_seconds()
        if last is None or (last.offset < self.next and now_s - last.since_s >= apart_s):
            self._boundaries.append(Boundary(self.next, now_s, self.fold.mark(), self.dead_letters))
        if len(self._boundaries) > MOST_BOUNDARIES:
            self._boundaries = deque(list(self._boundaries)[::2])

    def fold_batch(self, records: Sequence[Record]) -> list[tuple[Origin, Output]]:
        """Folds records in order. What was seen already is passed over: the log may be delivered again."""
        fresh: list[Record] = []
        reached = self.next
        for record in records:
            if record.offset >= reached:
                fresh.append(record)
                reached = record.offset + 1
        outputs: list[tuple[Origin, Output]] = []
        for record, given in zip(fresh, applied(self.fold, fresh), strict=True):
            if not given:
                continue
            if isinstance(given, Exception):  # a pure function fails the same way again
                self.dead_letters += 1
                outputs.append((Origin(self._name, record.offset, 0), _deadletter(record, given)))
            else:
                self.dead_letters += sum(each.stream == "deadletter" for each in given)
                outputs += [(Origin(self._name, record.offset, n), each) for n, each in enumerate(given)]
        if fresh:
            self.newest_s = fresh[-1].time_s
            self._behind_s = self._clock.monotonic_s() if self._behind_s is None else self._behind_s
            self._figures.count(RECORDS, self._topic, by=len(fresh))
        self.next = reached
        return outputs

    async def take(self, records: Sequence[Record]) -> None:
        """Folds a batch and puts its outputs out.

        Raises:
            AppendFailed: not all outputs are known to be written; `pay` puts them out again.
        """
        self._bound()
        turn = turn_of(self.fold)
        for at in range(0, len(records), turn):
            self._owed += self.fold_batch(records[at : at + turn])
            # Heartbeats run in this loop: a slow fold must not cost the worker its partitions.
            await asyncio.sleep(0)
        await self.pay()

    async def miss(self, offsets: range, reason: str) -> None:
        """Passes over records that cannot be read at all: a dead letter for each, without what was in it.

        Raises:
            AppendFailed: the letters are not known to be written; `pay` puts them out again.
        """
        headers = (("reason", f"it cannot be read from the log: {reason}"[:1000].encode("utf-8", "replace")),)
        letter = Output("deadletter", "", b"", self._clock.now().timestamp(), headers)
        missed = [(Origin(self._name, each, 0), letter) for each in offsets if each >= self.next]
        self._owed += missed
        self.dead_letters += len(missed)
        self.next = max(self.next, offsets.stop)
        self._behind_s = self._clock.monotonic_s() if self._behind_s is None else self._behind_s
        await self.pay()

    async def pay(self) -> None:
        """Puts out what is owed; no state is written before that, and nothing further should be taken.

        Raises:
            AppendFailed: it is still owed.
        """
        if self._owed:
            await self._emission.put(self._owed)
            self._owed = []

    async def settle(self) -> None:
        """Writes the state that is due. A refusal stops nothing: the log still has what the state lacks."""
        if self._owed:
            return
        self._bound()
        began_s = self._clock.monotonic_s()
        due = self._due(began_s)
        if due is None or not self._pace.allows(began_s):
            return
        try:
            await self._write(due)
        except AppendFailed as error:
            self._refused_s = self._clock.monotonic_s()
            self._pace.refused(began_s, self._refused_s)
            self.snapshot_failures += 1
            self._figures.count(SNAPSHOT_FAILURES, self._topic)
            unsaved_s = round(self.unsaved_s, 1)
            log.warning("state.refused", partition=self._name, unsaved_s=unsaved_s, error=str(error))

    def _due(self, now_s: float) -> int | None:
        """Keys unsaved since before this offset are written; None: nothing is due yet."""
        rest_s = min(self._cadence.oldest.total_seconds(), self._cadence.rest * self._wrote_s)
        age_s = max(self._cadence.age.total_seconds(), rest_s)
        if now_s - self._refused_s < age_s:
            return None
        old = [
            each.offset
            for each in self._boundaries
            if now_s - each.since_s >= age_s or self.next - each.offset >= self._cadence.events
        ]
        return old[-1] if old and self.next > self.low_water else None

    async def hand_over(self) -> None:
        """Writes all state, so that the next owner need not fold much again.

        Raises:
            AppendFailed: it is not known to be written; the next owner folds from the low-water mark.
        """
        await self.pay()
        await self._write(self.next)
        await self._sink(self._boundaries[0])

    async def _write(self, until: int) -> None:
        """Writes keys that are unsaved since before an offset, and moves the mark as far as that allows.

        Raises:
            AppendFailed: not all are known to be written.
        """
        began_s = self._clock.monotonic_s()
        try:
            await self._write_all(until)
        finally:
            self._wrote_s = self._clock.monotonic_s() - began_s

    async def _write_all(self, until: int) -> None:
        if not self._snapshots.stands:
            first = self._boundaries[0]
            await self._snapshots.claim(first.offset, first.mark)
            self._stands(first)
        pending = {**self.fold.unsaved(), **self._unwritten}
        names = [name for name, since in pending.items() if since <= until]
        remaining = min((since for since in pending.values() if since > until), default=self.next)
        self._unwritten |= {name: pending[name] for name in names}
        saved = ((name, self.fold.save(name)) for name in names)
        refused: dict[str, AppendFailed] = {}
        for batch in batches(saved, self._cadence.most_bytes):
            refused |= await self._put(batch)
        self._unwritten = {name: pending[name] for name in refused}
        place = self._place_before(min((remaining, *self._unwritten.values())))
        if names or not self._may_wait(place):
            await self._sink(place)
        if refused:
            name, error = next(iter(refused.items()))
            raise AppendFailed(f"{len(refused)} keys, the first {name!r}: {error}", error.lasting)

    async def _put(self, batch: Mapping[str, Saved | None]) -> Mapping[str, AppendFailed]:
        """Writes a batch; says which of its keys are refused for ever.

        Raises:
            AppendFailed: it may be taken later.
        """
        try:
            await self._snapshots.write(batch)
        except AppendFailed as error:
            if not error.lasting:
                raise
            if len(batch) == 1:
                return dict.fromkeys(batch, error)
            refused: dict[str, AppendFailed] = {}
            for name, saved in batch.items():
                refused |= await self._put({name: saved})
            return refused
        return {}

    def _place_before(self, remaining: int) -> Boundary:
        """The last place at or before the first offset that is not saved."""
        if remaining >= self.next:
            place = Boundary(self.next, self._clock.monotonic_s(), self.fold.mark(), self.dead_letters)
            self._boundaries.clear()
        else:
            place = self._boundaries[0]
            while self._boundaries and self._boundaries[0].offset <= remaining:
                place = self._boundaries.popleft()
        self._boundaries.appendleft(place)
        self._behind_s = None if place.offset >= self.next else place.since_s
        return place

    def _may_wait(self, place: Boundary) -> bool:
        """Whether the mark would say what it says already. Who begins at it folds a little again for nothing.

        A dead letter is not to be written twice.
        """
        standing, cadence = self._standing, self._cadence
        since_s = self._clock.monotonic_s() - standing.since_s
        is_near = place.offset - standing.offset < cadence.events and since_s < cadence.idle.total_seconds()
        return is_near and (place.mark, place.letters) == (standing.mark, standing.letters)

    async def _sink(self, place: Boundary) -> None:
        """Moves the low-water mark there."""
        if place.offset != self.low_water:
            await self._snapshots.write_low_water(place.offset, place.mark)
            self._stands(place)

    def _stands(self, place: Boundary) -> None:
        self._standing = structs.replace(place, since_s=self._clock.monotonic_s())

    def keep(self, until_s: float) -> None:
        """Nothing hangs on it: an owner that lost the partition can do no harm to the state."""

    async def wake(self) -> None:
        """Appends a waking record to the fold's own log where the wall clock has passed what it waits for."""
        wake_at = self.fold.wake_at
        if wake_at is None or self._woken >= self.next:
            return
        at_s = self._clock.now().timestamp() - self._cadence.wake_grace.total_seconds()
        if at_s >= wake_at:
            key, value = self.fold.waking(at_s)
            self._woken = await self._log.append(self._topic, self.number, [Outgoing(key or None, value)])


def _deadletter(record: Record, fault: Exception) -> Output:
    reason = f"{type(fault).__name__}: {fault}"[:1000].encode("utf-8", "backslashreplace")
    key = (record.key or b"").decode("utf-8", "replace")
    return Output(
        "deadletter", key, record.value, record.time_s or 0.0, (("reason", reason), *record.headers)
    )
