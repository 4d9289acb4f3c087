"""Where events go: any object with these three. Kafka's is in `agent_oversight.kafka`."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Record(NamedTuple):
    """One event as it goes out: its key, which keeps an agent's events in order, and its JSON."""

    key: bytes
    value: bytes


class Rejected(Exception):  # noqa: N818 - says what became of records
    """What was to be sent will never be taken, whatever ails it; in smaller pieces, some of it may be."""


class TooLarge(Rejected):
    """It is too large."""


class Transport(Protocol):
    """Used from one thread, which has an event loop of its own: nothing here can hold the agent up."""

    async def start(self) -> None:
        """Connects. What it raises is noted, and it is called again later."""

    async def send(self, records: Sequence[Record]) -> None:
        """Sends records, in their order, and returns once they are acknowledged.

        Where it raises, all of them are sent again, after `stop` and `start`. Readers tell events by their
        ids, so what is sent twice counts once.

        Raises:
            Rejected: of what is tried in smaller pieces then, an event that is so alone is given up.
        """

    async def stop(self) -> None:
        """Lets go of what `start` took, also where that failed half way."""
