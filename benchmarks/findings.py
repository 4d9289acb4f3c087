"""What is to be found in a history, by a replay of it; and what a worker has found, by what it wrote."""

import time
from collections.abc import Iterable, Iterator

from benchmarks.filling import PARTITIONS
from benchmarks.history import History
from benchmarks.peers.watcher import kinds_of
from detectors.bank import Bank
from schemas.cause import Signalled
from schemas.record import Record
from schemas.wire import decode_cause
from streams.files import Line
from streams.fold import applied
from streams.history import spread
from streams.hosting.kafka import KafkaLog
from streams.hosting.settings import read_settings
from streams.hosting.topics import CAUSES

WRITTEN_WITHIN_S = 60.0


def to_find(told: History, set_: str) -> frozenset[str]:
    """The signals of a replay: ids of what begins to be told until the closing events."""
    banks = [
        Bank(read_settings, "events", partition=each, partitions=PARTITIONS, kinds=kinds_of(set_))
        for each in range(PARTITIONS)
    ]
    records: list[list[Record]] = [[] for _ in banks]
    for step in spread(map(Line, told.lines), PARTITIONS):
        mine = records[step.partition]
        mine.append(Record(len(mine), step.value, step.key))
    causes = (
        output.value
        for bank, mine in zip(banks, records, strict=True)
        for outputs in applied(bank, mine)
        if not isinstance(outputs, Exception)
        for output in outputs
    )
    return frozenset(ids_of(causes, told))


def ids_of(causes: Iterable[object], told: History) -> Iterator[str]:
    """Ids of signals that fire, of agents, until the history's end."""
    for cause in causes:
        if isinstance(cause, Signalled) and cause.signal.time.timestamp() <= told.until_s:
            yield cause.signal.id


async def written(bootstrap: str, told: History, expected: frozenset[str]) -> set[str]:
    """The ids of signals that a worker has written; waits for those that are expected."""
    deadline = time.monotonic() + WRITTEN_WITHIN_S
    found: set[str] = set()
    async with KafkaLog({"bootstrap_servers": bootstrap}) as log:
        while not found >= expected and time.monotonic() < deadline:
            async for batch in log.read_to_end(CAUSES, 0):
                found.update(ids_of((decode_cause(each.value) for each in batch), told))
    return found
