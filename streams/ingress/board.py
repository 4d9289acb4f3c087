"""The incidents as they were last published: what people choose from."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.incident import Incident
from streams.hosting.looking import looking
from streams.hosting.topics import INCIDENTS

OVER_KEPT = 1_000
"""Incidents that are over are kept up to so many, the latest."""
TURN_MS = 200
RANKS = ("critical", "error", "warning", "info")
ANSWERS = frozenset({"acknowledge", "resolve", "snooze"})
"""What is said of all incidents that a page speaks for."""
_incident = msgspec.json.Decoder(Incident)


class Unknown(Exception):  # noqa: N818 - what the incident is
    """No incident has this id, or several begin with it; the message says which."""


class Board:
    """The latest state of each incident: all that are open, and the last thousand that are over."""

    def __init__(self) -> None:
        self.caught_up = asyncio.Event()
        self._open: dict[str, Incident] = {}
        self._over: dict[str, Incident] = {}

    def take(self, value: bytes) -> None:
        """Takes a record of the incidents' topic; what cannot be read is passed over."""
        try:
            incident = _incident.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        self._open.pop(incident.id, None)
        self._over.pop(incident.id, None)
        if incident.status != "resolved":
            self._open[incident.id] = incident
            return
        self._over[incident.id] = incident
        if len(self._over) > OVER_KEPT:
            del self._over[next(iter(self._over))]

    def open(self) -> list[Incident]:
        """The open ones: unanswered before answered, the worst first, then the oldest."""
        return sorted(
            self._open.values(),
            key=lambda each: (
                each.status != "triggered",
                RANKS.index(each.severity),
                -each.score,
                each.opened,
                each.id,
            ),
        )

    def all(self) -> list[Incident]:
        """The open ones, and those that are over, the latest first."""
        return [*self.open(), *reversed(self._over.values())]

    def is_over(self, incident: Incident, action: str) -> bool:
        """Whether an action comes too late: the page of an incident may outlive it, for others."""
        if incident.status != "resolved":
            return False
        waiting = (each for each in self._open.values() if each.status == "triggered")
        return action not in ANSWERS or not any(incident.id in each.folded for each in waiting)

    def find(self, text: str) -> Incident:
        """The incident with this id, or the only one whose id begins so.

        Raises:
            Unknown: there is none, or there are several.
        """
        known: Mapping[str, Incident] = self._open | self._over
        if text in known:
            return known[text]
        wanted = text if text.startswith("inc-") else f"inc-{text}"
        found = [each for each in known if each.startswith(wanted)] if len(wanted) > len("inc-") else []
        if len(found) > 1:
            raise Unknown(f"{len(found)} incidents begin with {text!r}: {', '.join(found[:5])}")
        if not found:
            raise Unknown(f"there is no incident {text[:60]!r}")
        return known[found[0]]


async def follow(connection: Mapping[str, Any], board: Board) -> None:
    """Keeps a board up to date, until it is cancelled.

    Raises:
        KafkaError: no broker answers, or there is no such topic.
    """
    async with looking(connection, [INCIDENTS]) as (consumer, places):
        while True:
            got = await consumer.getmany(timeout_ms=TURN_MS)
            for message in (each for batch in got.values() for each in batch):
                board.take(message.value or b"")
            if not board.caught_up.is_set() and await _is_through(consumer, places):
                board.caught_up.set()


async def _is_through(consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> bool:
    """Whether everything up to the fetches' high-water marks is read."""
    for place in places:
        end = consumer.highwater(place)
        if end is None or await consumer.position(place) < end:
            return False
    return True


async def read_board(connection: Mapping[str, Any]) -> Board:
    """All incidents as they stand now.

    Raises:
        KafkaError: no broker answers.
    """
    board = Board()
    following = asyncio.create_task(follow(connection, board))
    waiting = asyncio.create_task(board.caught_up.wait())
    await asyncio.wait((following, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if following.done():
        following.result()
    following.cancel()
    await asyncio.gather(following, waiting, return_exceptions=True)
    return board
