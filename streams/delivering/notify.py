"""Notify: the Faust agent on `oversight.pages`.

Acknowledging is by hand (`noack`): Faust would otherwise acknowledge a page when the next one is asked for,
and also one whose attempt was cut off. `parcels` keeps acknowledgements in order. Faust flushes the
table's changelog before it commits offsets. When partitions are revoked, or the worker stops, Faust
suspends the flow and waits until nothing that was begun is unacknowledged: running attempts (ten seconds at
most) finish, are recorded and reported; what has not begun is let go and comes again to the next owner.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from schemas.cause import Reported
from schemas.page import Message
from streams.delivering.desk import Attempts, Desk
from streams.delivering.outcomes import Outcomes
from streams.delivering.parcels import Rows

TABLE = "oversight-outcomes"


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
    """Adds the agent and its table to a Faust app, and returns the agent. The courier is closed with the app.

    `report` and `bury` return once the log has the record. `partitions`: of `topic`; the table's changelog
    has as many. `now`: the wall clock. `at`: the time of a report (the wall clock too, or the message's own
    where the clock is the events').
    """
    table = app.Table(TABLE, key_type=bytes, value_type=bytes, partitions=partitions)
    raw = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}
    pages = app.topic(topic, **raw)
    desks: list[Desk] = []
    rows = Rows(app)

    async def notify(stream: Any) -> None:
        # Made here, for it belongs to the loop that runs the agent; kept, for Faust may restart the agent.
        if not desks:
            desks.append(Desk(courier, Outcomes(table), report=report, bury=bury, now=now, at=at))
        async for event in stream.noack().events():
            await desks[0].take(rows.parcel(event))

    async def close(*_: object, **__: object) -> None:
        await courier.close()

    # Sent when a stopping worker has seen through what it began.
    app.on_before_shutdown.connect(close)
    return app.agent(pages, name="oversight-notify")(notify)
