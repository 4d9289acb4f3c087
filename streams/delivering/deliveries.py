"""One partition of the pages under way: what is in hand, and from where a new owner must begin.

Pages are seen through side by side and end out of order. The low-water mark is the first offset that is not
seen through; whatever stops the owner, the next one begins there and finds by the outcomes what was sent.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from schemas.record import Record
from streams.delivering.desk import Desk
from streams.delivering.outcomes import Outcomes
from streams.hosting.clock import Clock
from streams.hosting.log import AppendFailed

BACKLOG = 2000
"""Pages in hand, from which on no more are asked for; one batch may come on top."""
LOOK_AGAIN_S = 0.05
MARK_EVERY = timedelta(seconds=1)
MARK_WITHIN = timedelta(seconds=2)
"""A host that waits for a mark cannot leave the partition meanwhile."""
HAND_OVER_WITHIN = timedelta(seconds=12)
"""An attempt takes ten seconds at most; then its outcome is recorded and reported."""


class Arrival:
    """One page in hand."""

    __slots__ = ("_row", "is_over", "offset", "value")

    def __init__(self, row: "Row", record: Record) -> None:
        self._row = row
        self.offset = record.offset
        self.value = record.value
        self.is_over = False

    def is_ours(self) -> bool:
        """False from the moment the partition is handed over."""
        return not self._row.is_closed

    async def may_begin(self) -> bool:
        """Waits while it is not sure whose the partition is: this worker may have stood still and lost it."""
        while not self._row.is_closed and not self._row.is_kept():  # noqa: ASYNC110 - it is time that ends it
            await asyncio.sleep(LOOK_AGAIN_S)
        return not self._row.is_closed

    def done(self) -> None:
        """It need not come again."""
        self.is_over = True


class Row:
    """Arrivals in the order of the log. `kept_until_s`: until then the partition is surely ours."""

    def __init__(self, clock: Clock) -> None:
        self.is_closed = False
        self.kept_until_s = 0.0
        self._clock = clock
        self._arrivals: deque[Arrival] = deque()

    def is_kept(self) -> bool:
        """Whether the group has confirmed lately that the partition is ours."""
        return self._clock.monotonic_s() < self.kept_until_s

    def add(self, record: Record) -> Arrival:
        """The next one."""
        self._arrivals.append(Arrival(self, record))
        return self._arrivals[-1]

    def first(self, otherwise: int | None) -> int | None:
        """The offset of the first that is not seen through."""
        while self._arrivals and self._arrivals[0].is_over:
            self._arrivals.popleft()
        return self._arrivals[0].offset if self._arrivals else otherwise


class Deliveries:
    """Owner of one partition of the pages. `number`: of the partition."""

    is_bound = False
    """It begins with whatever page comes."""

    def __init__(self, number: int, desk: Desk, outcomes: Outcomes, clock: Clock) -> None:
        self.number = number
        self.next: int | None = None
        self.low_water: int | None = None
        self._desk = desk
        self._outcomes = outcomes
        self._clock = clock
        self._row = Row(clock)
        self._marked_s = 0.0

    @property
    def is_full(self) -> bool:
        """Whether so many are in hand that no more should come."""
        return self._desk.in_hand >= BACKLOG

    def keep(self, until_s: float) -> None:
        """The partition is surely ours until then; after that no attempt begins before it is confirmed."""
        self._row.kept_until_s = until_s

    @property
    def reached(self) -> int | None:
        """The first offset that is not seen through; None while no page came and nobody wrote a mark."""
        return self._row.first(self.next)

    async def start(self) -> int | None:
        """Takes the partition over.

        Returns:
            The offset to read from; None where nobody ever wrote a mark.
        """
        self.next = self.low_water = await self._outcomes.take_over()
        return self.next

    async def take(self, records: Sequence[Record]) -> None:
        """Begins with each, also with an offset that came before: the topic may have been made anew."""
        for record in records:
            self.next = record.offset + 1
            self._desk.take(self._row.add(record))

    async def miss(self, offsets: range, reason: str) -> None:  # noqa: ARG002 - the host has told of it
        """Whatever they were, the router hears nothing of them, and asks anew."""
        self.next = offsets.stop

    async def pay(self) -> None:
        """Nothing is ever owed: the desk itself insists."""

    async def wake(self) -> None:
        """Nothing waits for a time: the router sends again."""

    async def settle(self) -> None:
        """Moves the low-water mark, once a second at most. A refusal stops nothing."""
        now_s = self._clock.monotonic_s()
        if now_s - self._marked_s < MARK_EVERY.total_seconds():
            return
        self._marked_s = now_s
        with suppress(AppendFailed, TimeoutError):
            await asyncio.wait_for(self._mark(), MARK_WITHIN.total_seconds())

    async def _mark(self) -> None:
        first = self._row.first(self.next)
        if first is not None and first != self.low_water:
            await self._outcomes.sink(first)
            self.low_water = first

    async def hand_over(self) -> None:
        """What was begun is finished, recorded and reported; what was not is the next owner's.

        Raises:
            AppendFailed: the mark is not known to be written; the next owner begins a little earlier.
        """
        self._row.is_closed = True
        await self._desk.idle()
        await self._mark()
