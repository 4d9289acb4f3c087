"""Notify: the Faust agent on `oversight.pages`.

Acknowledging is by hand (`noack`): Faust would otherwise acknowledge a page when the next one is asked for,
and also one whose attempt was cut off. Faust commits an offset once all below it are acknowledged, and
flushes the table's changelog before it commits. When partitions are revoked, or the worker stops, Faust
suspends the flow and waits until nothing that was begun is unacknowledged: running attempts (ten seconds at
most) finish, are recorded and reported; what has not begun is let go and comes again to the next owner.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from schemas.cause import Reported
from schemas.page import Message
from streams.desk import Attempts, Desk
from streams.outcomes import Outcomes

TABLE = "oversight-outcomes"


class Parcel:
    """One Faust event as the desk sees it."""

    def __init__(self, app: Any, event: Any) -> None:
        self._app = app
        # Held until it is seen through: Faust itself remembers the current event only weakly, and finds the
        # changelog's partition by it.
        self._event = event

    @property
    def value(self) -> bytes:
        """The undecoded message; a tombstone is empty."""
        return self._event.value or b""

    @property
    def partition(self) -> int:
        """Of the pages' topic."""
        return int(self._event.message.partition)

    def is_ours(self) -> bool:
        """False from the moment partitions are revoked or the worker stops."""
        generation = self._event.message.generation_id
        return bool(self._app.flow_control.is_active()) and generation == self._app.consumer_generation_id

    def done(self) -> None:
        """Marks the offset as safe to commit."""
        self._event.ack()

    def leave(self) -> None:
        """Faust no longer waits for it; its offset is never committed."""
        self._app.consumer.unacked.discard(self._event.message)


def install(
    app: Any,
    courier: Attempts,
    *,
    report: Callable[[Reported], Awaitable[None]],
    bury: Callable[[bytes, str], Awaitable[None]],
    now: Callable[[], datetime],
    at: Callable[[Message], datetime],
    topic: str = "oversight.pages",
    partitions: int = 1,
) -> Any:
    """Adds the agent and its table to a Faust app, and returns the agent.

    `report` and `bury` return once the log has the record. `partitions`: of `topic`; the table's changelog
    has as many. `now`: the wall clock. `at`: the time of a report (the wall clock too, or the message's own
    where the clock is the events').
    """
    table = app.Table(TABLE, key_type=bytes, value_type=bytes, partitions=partitions)
    raw = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}
    pages = app.topic(topic, **raw)
    desks: list[Desk] = []

    async def notify(stream: Any) -> None:
        # Made here, for it belongs to the loop that runs the agent; kept, for Faust may restart the agent.
        if not desks:
            desks.append(Desk(courier, Outcomes(table), report=report, bury=bury, now=now, at=at))
        async for event in stream.noack().events():
            await desks[0].take(Parcel(app, event))

    return app.agent(pages, name="oversight-notify")(notify)
