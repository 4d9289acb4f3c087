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
from streams.hosting.looking import partitions
from streams.hosting.topics import CAUSES, DEADLETTER, DECISIONS, INCIDENTS, PAGES

PATIENCE_MS = 200


class Burial(Struct, frozen=True):
    """Something was put on the dead-letter topic."""

    reason: str


Sight = AnyCause | Message | Incident | Decision | Burial

_incident = msgspec.json.Decoder(Incident)
_decision = msgspec.json.Decoder(Decision)

READERS: Mapping[str, Callable[[bytes], Sight]] = {
    CAUSES: decode_cause,
    PAGES: decode_message,
    INCIDENTS: _incident.decode,
    DECISIONS: _decision.decode,
}


class Onlooker:
    """Reads the worker's topics from their beginning; joins no group and commits nothing.

    `name`: the worker's, whose groups are named after it.
    """

    def __init__(self, bootstrap: str, name: str = "oversight") -> None:
        self._bootstrap = bootstrap
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            client_id="oversight-onlooker",
            group_id=f"{name}-route",  # to ask how far routing is; partitions are taken without joining
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=PATIENCE_MS,
        )

    async def __aenter__(self) -> Self:
        """Begins at the first record of every partition."""
        await self._consumer.start()
        where = await partitions({"bootstrap_servers": self._bootstrap}, (*READERS, DEADLETTER))
        self._consumer.assign(where)
        await self._consumer.seek_to_beginning(*where)
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

    async def is_all_routed(self) -> bool:
        """Whether routing has taken every cause that has been looked at."""
        causes = TopicPartition(CAUSES, 0)
        routed = await self._consumer.committed(causes)
        return routed is not None and routed >= await self._consumer.position(causes)


def _sight(topic: str, record: Any) -> Sight:
    if topic == DEADLETTER:
        return Burial(dict(record.headers).get("reason", b"").decode("utf-8", "replace"))
    return READERS[topic](record.value)
