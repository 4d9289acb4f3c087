"""Before anything runs: the brokers answer, and their topics are there. Whoever starts before them waits."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from aiokafka.errors import KafkaError

from streams.hosting.topics import Refused, Topic, missing
from streams.publication import Unreachable, reach
from streams.watching.health import Health

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
ASKED_EVERY = timedelta(seconds=2)


class Absent(Exception):  # noqa: N818 - says what is not there yet
    """Topics that somebody has to make: their names."""

    def __init__(self, *names: str) -> None:
        super().__init__(*names)
        self.names = names


class Start:
    """The start of a process. `who`: what the log calls it. `health`: live, and not ready, while it waits."""

    def __init__(self, who: str, connection: Mapping[str, Any], health: Health) -> None:
        self._who, self._connection, self._health = who, connection, health

    async def once(
        self, asked: Callable[[], Awaitable[Answer]], remedy: str, every: timedelta = ASKED_EVERY
    ) -> Answer:
        """What `asked` answers, once a broker lets us in; asks again, for ever, where it is too early.

        `remedy`: for topics that are absent.

        Raises:
            Refused: what brokers refuse now they will go on to refuse.
        """
        self._health.stage = "waiting for the brokers and their topics"
        waiting = log.bind(kafka=self._connection["bootstrap_servers"])
        while True:
            try:
                await reach(self._connection)
                return await asked()
            except Refused:
                raise
            except Absent as absent:
                waiting.warning(f"{self._who}.waiting", missing=absent.names, remedy=remedy)
            except (KafkaError, Unreachable) as error:
                waiting.warning(f"{self._who}.waiting", error=str(error))
            await asyncio.sleep(every.total_seconds())


async def there(connection: Mapping[str, Any], topics: Sequence[Topic]) -> None:
    """Looks whether all topics are there.

    Raises:
        Absent: some are not.
        KafkaError: no broker answers.
    """
    if absent := await missing(connection, topics):
        raise Absent(*absent)
