"""Advice as it comes: a thread of its own reads `oversight.decisions` from Kafka into a table.

Asking the table costs what it did: nobody waits for Kafka. `pip install 'agent-oversight-sdk[kafka]'`.
"""

import asyncio
import atexit
import logging
import threading
import time
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from agent_oversight.decisions import Decisions
from agent_oversight.loop import FAULTS, Loop

DECISIONS = "oversight.decisions"
LOOKS_EVERY_S = 0.2
"""How often it looks whether it is to end."""
PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Between one try that failed and the next; the last again and again."""
WITHIN_S = 2.0

log = logging.getLogger("agent_oversight")


class Following:
    """Follows the topic from its beginning, all partitions, until it is closed, `with` or by itself.

    `options`: whatever aiokafka's consumer takes beside (`security_protocol`, `sasl_mechanism`, …). A child
    process follows once it calls `start` itself; before, it has what its parent had.
    """

    def __init__(self, decisions: Decisions, bootstrap: str, topic: str = DECISIONS, **options: Any) -> None:
        self._decisions = decisions
        self._topic = topic
        self._options = {"bootstrap_servers": bootstrap, **options, "auto_offset_reset": "earliest"}
        self._next: dict[TopicPartition, int] = {}
        self._closing = threading.Event()
        self._current = threading.Event()
        self._thread: threading.Thread | None = None
        self.failure: str | None = None
        """Why it does not follow at the moment, if it does not."""

    def start(self) -> Self:
        """Begins; nobody waits, and what goes wrong is tried again."""
        self._closing.clear()
        self._current.clear()
        thread = self._thread = threading.Thread(target=self._run, name="agent-oversight-advice", daemon=True)
        thread.start()
        atexit.register(self.close)
        return self

    def current(self, within_s: float = WITHIN_S) -> bool:
        """Waits, so many seconds at most, until it has read what was there when it began; whether it has."""
        return self._current.wait(within_s)

    def close(self, within_s: float = WITHIN_S) -> None:
        """Ends. What is held stays, and ends in its time."""
        atexit.unregister(self.close)
        self._closing.set()
        if self._thread is not None:
            self._thread.join(within_s)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- in the thread ---------------------------------------------------------------------------------

    def _run(self) -> None:
        loop = Loop()
        try:
            loop.run_until_complete(self._work())
        finally:
            loop.close()

    async def _work(self) -> None:
        failed = 0
        while not self._closing.is_set():
            try:
                await self._follow()
            except FAULTS as error:  # whatever Kafka raises, the agent goes on
                failed = 0 if self.failure is None else failed + 1
                self._note(f"{type(error).__name__}: {error}")
                await self._pause(PAUSES_S[min(failed, len(PAUSES_S) - 1)])

    async def _pause(self, for_s: float) -> None:
        until = time.monotonic() + for_s
        while time.monotonic() < until and not self._closing.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(LOOKS_EVERY_S)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(self._topic, **self._options)
        try:
            await consumer.start()
            for partition, offset in self._next.items():
                consumer.seek(partition, offset)
            while not self._closing.is_set():
                found = await consumer.getmany(timeout_ms=int(LOOKS_EVERY_S * 1000))
                for partition, records in found.items():
                    for record in records:
                        self._decisions.read(record.value or b"")
                    self._next[partition] = records[-1].offset + 1
                self._note(None)
                if not self._current.is_set() and await _is_at_the_end(consumer):
                    self._current.set()
        finally:
            await consumer.stop()

    def _note(self, failure: str | None) -> None:
        """Logs when it begins to fail, and when it follows again."""
        if failure and not self.failure:
            log.warning("advice is not followed: %s", failure)
        elif self.failure and not failure:
            log.warning("advice is followed again")
        self.failure = failure


async def _is_at_the_end(consumer: AIOKafkaConsumer) -> bool:
    """Whether all is read up to where each partition ended when it was last asked for records."""
    ends = {each: consumer.highwater(each) for each in consumer.assignment()}
    read = [end is not None and await consumer.position(each) >= end for each, end in ends.items()]
    return bool(read) and all(read)
