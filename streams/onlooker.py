"""Looks on while a worker works: reads what it writes to its topics."""

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from schemas.cause import AnyCause
from schemas.decision import Decision
from schemas.incident import Incident
from schemas.page import Message
from schemas.wire import decode_cause, decode_message

PATIENCE_MS = 200


class Burial(Struct, frozen=True):
    """Something was put on the dead-letter topic."""

    reason: str


Sight = AnyCause | Message | Incident | Decision | Burial

_incident = msgspec.json.Decoder(Incident)
_decision = msgspec.json.Decoder(Decision)

READERS: Mapping[str, Callable[[bytes], Sight]] = {
    "oversight.causes": decode_cause,
    "oversight.pages": decode_message,
    "oversight.incidents": _incident.decode,
    "oversight.decisions": _decision.decode,
}
DEAD_LETTERS = "oversight.deadletter"


class Onlooker:
    """Reads the worker's topics from their beginning; joins no group and commits nothing."""

    def __init__(self, bootstrap: str) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            client_id="oversight-onlooker",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=PATIENCE_MS,
        )

    async def __aenter__(self) -> Self:
        """Begins at the first record of every partition."""
        await self._consumer.start()
        where = []
        for topic in (*READERS, DEAD_LETTERS):
            numbers = self._consumer.partitions_for_topic(topic) or ()
            where += [TopicPartition(topic, number) for number in sorted(numbers)]
        self._consumer.assign(where)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves."""
        await self._consumer.stop()

    async def look(self) -> Sequence[Sight]:
        """What has come since the last look; waits a moment where nothing has."""
        batches = await self._consumer.getmany(timeout_ms=PATIENCE_MS)
        return [
            _sight(where.topic, record)
            for where, records in batches.items()
            for record in records
            if record.value
        ]


def _sight(topic: str, record: Any) -> Sight:
    if topic == DEAD_LETTERS:
        return Burial(dict(record.headers).get("reason", b"").decode("utf-8", "replace"))
    return READERS[topic](record.value)
