"""Counts attempts, by channel and what became of them."""

from datetime import datetime

from schemas.outcome import Outcome
from schemas.page import Message
from streams.delivering.desk import Attempts
from streams.hosting.clock import Clock
from streams.watching.figures import Figures
from streams.watching.names import ATTEMPT_SECONDS, ATTEMPTS


class Counting:
    """Has attempts made by another, and counts them."""

    def __init__(self, attempts: Attempts, figures: Figures, clock: Clock) -> None:
        self._attempts = attempts
        self._figures = figures
        self._clock = clock

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of channel it can reach."""
        return self._attempts.kinds

    async def attempt(self, message: Message, now: datetime) -> Outcome:
        """One attempt; one that raises counts as failed."""
        kind, began_s, ended = message.channel.kind, self._clock.monotonic_s(), "failed"
        try:
            outcome = await self._attempts.attempt(message, now)
            ended = type(outcome).__name__.lower()
        finally:
            self._figures.count(ATTEMPTS, kind, ended)
            self._figures.count(ATTEMPT_SECONDS, kind, by=self._clock.monotonic_s() - began_s)
        return outcome

    async def close(self) -> None:
        """Ends connections and processes, once the last attempt is made."""
        await self._attempts.close()
