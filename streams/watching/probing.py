"""Probes: records that go through detect, route and notify, so that somebody outside may trust the beat.

Each owner of a partition of `agent.events` sends one into it every twenty seconds. Whoever owns the partition
of the pages where they come out calls the dead-man's switch, as long as those of every partition come through
within a minute. So a beat says that what agents publish now would page now, whatever worker stood still.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from schemas.control import Probe
from schemas.probe import Passed
from schemas.wire import encode
from streams.hosting.clock import Clock
from streams.hosting.log import AppendFailed, Log, Outgoing
from streams.hosting.topics import EVENTS

log = structlog.get_logger(__name__)
EVERY = timedelta(seconds=20)
WITHIN = timedelta(seconds=60)
"""What a probe may take, and how old the last one that came through may be."""


class Probes:
    """`owned`: the partitions of the events that are this worker's. `comes_here`: whether probes end here."""

    def __init__(
        self, kafka: Log, clock: Clock, owned: Callable[[], Sequence[int]], comes_here: Callable[[], bool]
    ) -> None:
        self._log = kafka
        self._clock = clock
        self._owned = owned
        self.comes_here = comes_here
        self._passed: dict[int, float] = {}
        """When the last one of each partition came through in time."""
        self._partitions = 1

    async def run(self, every: timedelta = EVERY) -> None:
        """Sends probes until it is cancelled; one that cannot be written is missed, and that is the point."""
        while True:
            for number in self._owned():
                probe = Outgoing(None, encode(Probe(time=self._clock.now())))
                try:
                    await self._log.append(EVENTS, number, [probe])
                except AppendFailed as error:
                    log.warning("probe.failed", partition=f"{EVENTS}/{number}", error=str(error))
            await asyncio.sleep(every.total_seconds())

    def passed(self, probe: Passed) -> None:
        """One came through; one that took longer, is of long ago or of a time to come, tells nothing."""
        if abs(self._clock.now() - probe.sent) <= WITHIN:
            self._partitions = probe.partitions
            self._passed[probe.partition] = self._clock.monotonic_s()

    def lacks(self) -> str:
        """Of which partitions none came through lately; empty where some did of all."""
        oldest_s = self._clock.monotonic_s() - WITHIN.total_seconds()
        late = [n for n in range(self._partitions) if self._passed.get(n, oldest_s) <= oldest_s]
        places = ", ".join(f"{EVENTS}/{n}" for n in late)
        return f"no probe came through within {WITHIN.seconds} s of {places}" if late else ""
