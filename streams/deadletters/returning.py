"""Putting dead letters back: each record to its own partition, then the mark that it was."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from schemas.record import Record
from schemas.wire import encode
from streams.deadletters.letter import MARK, Letter, Mark, Origin, returning, why_not
from streams.history import partition_of
from streams.hosting.log import Log, Outgoing
from streams.hosting.topics import DEADLETTER

AT_ONCE = 200
"""Records put back before they are marked; so many may be put back twice where that is cut off."""
LATE = timedelta(minutes=10)
"""Events that are older count as of now."""


class Choice(Struct, frozen=True):
    """What is put back, and why each of the others is not: reasons with counts."""

    chosen: tuple[Letter, ...]
    left: Mapping[str, int]

    def late(self, now: datetime) -> int:
        """How many letters are older than `LATE`."""
        return sum(now - each.at > LATE for each in self.chosen)


def choose(letters: Iterable[Letter], most: int, *, failed: str = "leave") -> Choice:
    """Which of the letters may be put back. `failed`: `again` takes those that failed again, too."""
    chosen: list[Letter] = []
    left: dict[str, int] = {}
    for letter in letters:
        reason = _obstacle(letter, failed) or ("" if len(chosen) < most else f"more than {most:,} at once")
        if reason:
            left[reason] = left.get(reason, 0) + 1
        else:
            chosen.append(letter)
    return Choice(tuple(chosen), left)


def _obstacle(letter: Letter, failed: str) -> str:
    if not letter.can_return:
        return why_not(letter)
    if letter.state == "put back":
        return "was put back already"
    if letter.state == "failed again" and failed != "again":
        return "was put back before and failed again (--again puts it back all the same)"
    return ""


class Returner:
    """Puts records back. `by`: who does it; `done`: how many are put back and marked."""

    def __init__(self, log: Log, by: str, now: Callable[[], datetime]) -> None:
        self.done = 0
        self._log = log
        self._by = by
        self._now = now
        self._partitions: dict[str, int] = {}

    async def put_back(
        self,
        letters: Mapping[str, Letter],
        records: AsyncIterator[tuple[str, Record]],
        step: Callable[[], None],
    ) -> None:
        """Puts back each record whose letter is given, in the order in which they come.

        Raises:
            AppendFailed: `done` are put back and marked; up to `AT_ONCE` more may be put back.
        """
        held: list[tuple[Letter, Record]] = []
        async for name, record in records:
            held.append((letters[name], record))
            if len(held) >= AT_ONCE:
                await self._put(held, step)
                held.clear()
        await self._put(held, step)

    async def _put(self, held: Sequence[tuple[Letter, Record]], step: Callable[[], None]) -> None:
        queues: dict[tuple[str, int], list[tuple[Letter, Outgoing]]] = {}
        for letter, record in held:
            origin, outgoing = returning(letter, record)
            queues.setdefault(await self._where(origin, outgoing), []).append((letter, outgoing))
        for (topic, partition), queue in queues.items():
            await self._log.append(topic, partition, [outgoing for _, outgoing in queue])
            await self._mark([letter for letter, _ in queue], f"{topic}/{partition}")
            for _ in queue:
                self.done += 1
                step()

    async def _where(self, origin: Origin, outgoing: Outgoing) -> tuple[str, int]:
        """Its own partition, as long as there is one of this number."""
        if origin.topic not in self._partitions:
            self._partitions[origin.topic] = await self._log.partitions(origin.topic)
        count = self._partitions[origin.topic]
        if origin.partition < count:
            return origin.topic, origin.partition
        return origin.topic, partition_of(outgoing.key or b"", count)

    async def _mark(self, letters: Sequence[Letter], put: str) -> None:
        marks: dict[int, list[Outgoing]] = {}
        for letter in letters:
            mark = Mark(letter=letter.id, by=self._by, at=self._now(), put=put)
            outgoing = Outgoing(None, encode(mark), ((MARK, b"put back"),))
            marks.setdefault(int(letter.id.rpartition("/")[0] or 0), []).append(outgoing)
        for partition, records in marks.items():
            await self._log.append(DEADLETTER, partition, records)
