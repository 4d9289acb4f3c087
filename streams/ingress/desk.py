"""The desk where what people do comes in: each thing is written to the causes before it is answered."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from schemas.cause import Hand
from schemas.wire import encode
from streams.hosting.log import Log, Outgoing
from streams.hosting.topics import CAUSES
from streams.ingress.access import Access
from streams.ingress.board import Board

log = structlog.get_logger(__name__)
WITHIN_S = 2.0
"""Slack waits three seconds for an answer: what is not written by then is told to have failed."""


class Desk:
    """`now`: the wall clock. `counts`: what came in, what was refused and ignored, by the way it came."""

    def __init__(self, log_: Log, board: Board, access: Access, now: Callable[[], datetime]) -> None:
        self.board = board
        self.access = access
        self.now = now
        self.counts: Counter[str] = Counter()
        self._log = log_

    async def write(self, causes: Sequence[Hand]) -> None:
        """Writes what people did; the same id twice does no harm.

        Raises:
            AppendFailed: it is not known to be written.
            TimeoutError: it was not written in time.
        """
        records = [Outgoing((each.incident or each.id).encode(), encode(each)) for each in causes]
        async with asyncio.timeout(WITHIN_S):
            await self._log.append(CAUSES, 0, records)
        for each in causes:
            self.counts[f"{each.via} taken"] += 1
            what = type(each).__name__.lower()
            log.info("hand.taken", id=each.id, what=what, incident=each.incident, by=each.by, via=each.via)

    def note(self, via: str, what: str, reason: str) -> None:
        """Counts and logs what was not followed: forged, refused or ignored."""
        self.counts[f"{via} {what}"] += 1
        level = log.warning if what == "forged" else log.info
        level("hand.not_taken", via=via, what=what, reason=reason[:200])
