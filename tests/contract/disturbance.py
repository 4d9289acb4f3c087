"""A stream that goes on while workers are disturbed, and what must be true when it is over."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from schemas.wire import encode
from streams.history import Step
from streams.hosting.kafka import KafkaLog
from streams.hosting.snapshots import Snapshots
from streams.hosting.topics import CAUSES, DETECTOR_STATE, EVENTS
from streams.publication import Publisher, publisher
from tests.contract.played import PARTITIONS, bytes_of, calm, end_of, steps
from tests.contract.reading import read_back
from tests.contract.witness import Untold, Witness, witnessing
from tests.contract.workers import Site, Worker, site

EVENTS_A_SECOND = 1000
SLICE = 100
KEPT_BACK = 1500
"""Steps that are published only when the disturbances are over, so that these fall in mid-stream."""
FIRST_PAGES_S = 60
EVERYTHING = (f"{CAUSES}/0", *(f"{EVENTS}/{number}" for number in range(PARTITIONS)))
SAVED_WITHIN_S = 30
"""State is saved twice a second, as far as the machine allows."""


class Disturbed:
    """One stream, its workers and its witness."""

    def __init__(self, where: Site, witness: Witness, appender: Publisher) -> None:
        self.site = where
        self.witness = witness
        self._appender = appender
        self._publishing: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        self._crashes_ms: list[float] = []

    def crash(self) -> datetime:
        """Somebody dies, or stands still, about now: what was on its way may be sent again. Says when."""
        now = datetime.now(UTC)
        self._crashes_ms.append(now.timestamp() * 1000)
        return now

    def publish(self, events_a_second: float = EVENTS_A_SECOND) -> None:
        """Starts the stream."""
        self._publishing = asyncio.create_task(self._publish(events_a_second))

    async def begun(self) -> Worker:
        """Starts a worker and, when it owns everything, the stream; returns when the first pages are out."""
        worker = self.site.worker()
        await worker.owns(*EVERYTHING)
        self.publish()
        async with asyncio.timeout(FIRST_PAGES_S):
            while len(self.site.sent) < 1:
                assert self._publishing is not None
                assert not self._publishing.done(), "all was published before the first page"
                assert not self.witness.buried, self.witness.buried[0]
                await asyncio.sleep(0.05)
        return worker

    async def _publish(self, events_a_second: float) -> None:
        laid_out = steps()
        for at in range(0, len(laid_out) - KEPT_BACK, SLICE):
            await self._appender.publish(laid_out[at : min(at + SLICE, len(laid_out) - KEPT_BACK)])
            await asyncio.sleep(SLICE / events_a_second)
        await self._over.wait()
        await self._appender.publish(laid_out[len(laid_out) - KEPT_BACK :])

    async def finished(self) -> None:
        """The disturbances are over: waits until the rest is published and everything has come of it."""
        self._over.set()
        if self._publishing is not None:
            await self._publishing
        try:
            await self.witness.over(end_of(steps()), PARTITIONS)
        except Untold:
            self._decided_as_ever()
            raise
        with suppress(AssertionError):  # what is missing then, is told by name
            await self.witness.sees(self._is_paged)
        with suppress(TimeoutError):  # whoever is ended on a busy machine may not have the time to save all
            async with asyncio.timeout(SAVED_WITHIN_S):
                while await self._state() != calm().state:  # noqa: ASYNC110 - it is a broker that is asked
                    await asyncio.sleep(0.2)

    def _is_paged(self) -> bool:
        """On a machine that is busy a second of quiet is no end."""
        return self.witness.pages.keys() >= calm().pages.keys() and not self.witness.unanswered

    def cancel(self) -> None:
        """Publishes no more."""
        if self._publishing is not None:
            self._publishing.cancel()

    async def is_as_if_nothing_had_happened(self) -> None:
        """Log, accepted causes, pages, deliveries and the state that is kept are those of the calm run."""
        await self._log_is(steps())
        self._decided_as_ever()
        assert set(self.site.sent) ^ set(calm().pages) == set()
        repeated = {
            page: times for page, times in self.site.sent.items() if times > 1 + self._crashes_of(page)
        }
        assert repeated == {}, [self._told_of(page) for page in repeated]
        assert await self._state() == calm().state
        assert not self.witness.buried

    def _decided_as_ever(self) -> None:
        """What was detected, and whom it pages, is what the calm run detected and paged."""
        for partition, causes in calm().accepted.items():
            accepted = self.witness.accepted_from(partition)
            assert [encode(cause) for _, cause in accepted] == [encode(cause) for _, cause in causes]
        assert set(self.witness.pages) ^ set(calm().pages) == set()
        for page in calm().pages.values():
            assert self.witness.pages[page.id] == page

    def _crashes_of(self, page: str) -> int:
        """How many crashes fell between the page and the report, which follows the record of its outcome."""
        written_ms, reported_ms = self.witness.written_ms[page], self.witness.reported_ms[page]
        return sum(written_ms <= crash_ms <= reported_ms for crash_ms in self._crashes_ms)

    def _told_of(self, page: str) -> str:
        """What there is to say of a page that was sent too often; times in POSIX milliseconds."""
        witness, attempts = self.witness, [n for name, n in self.witness.messages if name == page]
        outcomes = [each.outcome for each in witness.reports if each.page == page]
        when = f"written {witness.written_ms[page]}, reported {witness.reported_ms[page]}"
        return f"{page}: {when}, crashes {self._crashes_ms}, attempts {attempts}, outcomes {outcomes}"

    async def _log_is(self, laid_out: Sequence[Step]) -> None:
        """What was acknowledged is in the log, once."""
        for number in range(PARTITIONS):
            found = [each.value for each in await read_back(self.site.bootstrap, EVENTS, number)]
            assert found == [step.value for step in laid_out if step.partition == number]

    async def _state(self) -> dict[str, bytes]:
        """Each agent's state, as the next owner would find it."""
        state: dict[str, bytes] = {}
        async with KafkaLog({"bootstrap_servers": self.site.bootstrap}) as log:
            for number in range(PARTITIONS):
                restored = await Snapshots(log, DETECTOR_STATE, number, "looks only").look()
                state |= {name: bytes_of(saved) for name, saved in restored.keys.items()}
        return state


@asynccontextmanager
async def disturbed(
    bootstrap: str, home: Path, config: Path, variables: Mapping[str, str]
) -> AsyncIterator[Disturbed]:
    """A site with a stream; the topics are there."""
    calm()  # it takes seconds, for which the channels in this loop would not answer
    async with (
        site(bootstrap, home, config, variables) as where,
        witnessing(bootstrap) as witness,
        publisher({"bootstrap_servers": bootstrap}, EVENTS) as appender,
    ):
        stage = Disturbed(where, witness, appender)
        try:
            yield stage
        finally:
            stage.cancel()
