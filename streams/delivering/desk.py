"""Sees every page through: attempt it, record the outcome, report it, and only then call it done.

Attempts run side by side. Two messages of one incident to one channel keep their order (an edit must not
overtake its page); those to another person or channel do not wait for a slow one. Each kind of channel has
its own room in a partition, so a channel that hangs takes none from the others. Few report at a time: the
log takes turns, and thousands in line for it would keep the router itself from its turn.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from schemas.cause import Reported
from schemas.outcome import Deferred, Outcome
from schemas.page import Message
from schemas.probe import Passed
from schemas.wire import Malformed, decode_posted
from streams.delivering.outcomes import Outcomes

ROOM = 100
TELLING = 8
"""Reports at a time of one partition; a turn at the log is waited for ten seconds at most."""
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 10.0
log = structlog.get_logger(__name__)
Line = tuple[str, str, str]


class Arrival(Protocol):
    """One record of the pages' topic, in hand."""

    @property
    def value(self) -> bytes:
        """The undecoded message."""
        ...

    def is_ours(self) -> bool:
        """Whether the partition was not handed over yet."""
        ...

    async def may_begin(self) -> bool:
        """Waits until the partition is surely this worker's (yes), or handed over: then it is the heir's."""
        ...

    def done(self) -> None:
        """It is recorded and reported; what is never done comes again, to the next owner."""
        ...


class Attempts(Protocol):
    """Who makes attempts: `streams.delivering.delivery.Courier`."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of channel it can reach."""
        ...

    async def attempt(self, message: Message, now: datetime) -> Outcome:
        """One attempt, ten seconds at most."""
        ...

    async def close(self) -> None:
        """Ends connections and processes, once the last attempt is made."""
        ...


class Desk:
    """Takes arrivals and sees them through.

    `report`: appends a cause. `bury`: takes what cannot be handled, with the reason. `now`: the wall clock.
    `at`: the time of the report of a message. `room`: attempts at a time per kind of channel. `oldest`: what
    was asked for longer ago is not sent any more (None: it is); the router has asked anew since, or will.
    `probed`: is told of probes that came through.
    """

    def __init__(
        self,
        courier: Attempts,
        outcomes: Outcomes,
        *,
        report: Callable[[Reported], Awaitable[None]],
        bury: Callable[[bytes, str], Awaitable[None]],
        now: Callable[[], datetime],
        at: Callable[[Message], datetime],
        room: int = ROOM,
        oldest: timedelta | None = None,
        probed: Callable[[Passed], object] = bool,
    ) -> None:
        self._courier = courier
        self._outcomes = outcomes
        self._report = report
        self._bury = bury
        self._now = now
        self._at = at
        self._oldest = oldest
        self._probed = probed
        self._rooms = {kind: asyncio.Semaphore(room) for kind in sorted(courier.kinds)}
        self._elsewhere = asyncio.Semaphore(room)
        self._telling = asyncio.Semaphore(TELLING)
        self._last: dict[Line, asyncio.Task[None]] = {}
        self._running: set[asyncio.Task[None]] = set()

    @property
    def in_hand(self) -> int:
        """Arrivals that are neither seen through nor let go."""
        return len(self._running)

    def take(self, arrival: Arrival) -> None:
        """Begins with an arrival."""
        try:
            message = decode_posted(arrival.value)
        except Malformed as fault:
            self._begin(self._buried(arrival, str(fault)))
            return
        if isinstance(message, Passed):
            self._begin(self._through(arrival, message))
            return
        line = (message.incident, message.channel.kind, message.channel.target)
        task = self._begin(self._in_line(arrival, message, self._last.get(line)))
        self._last[line] = task
        task.add_done_callback(lambda done: self._forget(line, done))

    async def idle(self) -> None:
        """Waits until everything in hand has been seen through or let go."""
        while self._running:
            await asyncio.wait(self._running)

    def _begin(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        # The loop itself holds tasks only weakly.
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def _forget(self, line: Line, done: "asyncio.Task[None]") -> None:
        if self._last.get(line) is done:
            del self._last[line]

    async def _through(self, arrival: Arrival, probe: Passed) -> None:
        """A probe: told by the worker that may send the pages beside it."""
        if await arrival.may_begin():
            self._probed(probe)
            arrival.done()

    async def _in_line(self, arrival: Arrival, message: Message, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await self._seen_through(arrival, message)
        except Exception as error:  # noqa: BLE001 - one message must not stop the others
            log.error("page.failed", page=message.id, attempt=message.attempt, error=type(error).__name__)  # noqa: TRY400 - a traceback may hold secrets
            await self._buried(arrival, f"handling it failed: {type(error).__name__}")

    async def _seen_through(self, arrival: Arrival, message: Message) -> None:
        outcome = self._outcomes.known(message.id, message.attempt)
        if outcome is not None:
            await self._insist(arrival, lambda: self._reported(message, outcome))
            return
        async with self._rooms.get(message.channel.kind, self._elsewhere):
            if not await arrival.may_begin():
                return
            now = self._now()
            made = self._too_late(message, now) or await self._courier.attempt(message, now)

        async def told() -> None:
            await self._outcomes.record(message.id, message.attempt, made, now)
            await self._reported(message, made)

        await self._insist(arrival, told)

    def _too_late(self, message: Message, now: datetime) -> Outcome | None:
        if self._oldest is None or now - message.time <= self._oldest:
            return None
        asked = message.time.isoformat()
        return Deferred(reason=f"it was asked for at {asked}, too long ago to send now", unsent=True)

    async def _reported(self, message: Message, outcome: Outcome) -> None:
        at = self._at(message)
        await self._report(Reported(at=at, page=message.id, attempt=message.attempt, outcome=outcome))

    async def _buried(self, arrival: Arrival, reason: str) -> None:
        await self._insist(arrival, lambda: self._bury(arrival.value, reason))

    async def _insist(self, arrival: Arrival, append: Callable[[], Awaitable[None]]) -> None:
        """Appends, then it is done; while the log is away, tries again as long as the partition is ours."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                async with self._telling:
                    await append()
            except Exception as error:  # noqa: BLE001 - whatever the log's client raises, it is tried again
                log.warning("page.report_failed", error=type(error).__name__, again_in_s=pause_s)
            else:
                arrival.done()
                return
            if not arrival.is_ours():
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
