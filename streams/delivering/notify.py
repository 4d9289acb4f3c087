"""Notify: the host of the pages.

The pages' topic is read as the folds' topics are (`streams.hosting.host`), because what reads it must not
pass over a record around a rebalance. When partitions are revoked, or the worker stops, running attempts (ten
seconds at most) finish, are recorded and reported; what has not begun comes again to the next owner.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from msgspec import Struct

from schemas.cause import Reported
from schemas.page import Message
from schemas.wire import encode
from streams.delivering.deliveries import HAND_OVER_WITHIN, Deliveries
from streams.delivering.desk import Attempts, Desk
from streams.delivering.outcomes import Outcomes
from streams.hosting.clock import Clock
from streams.hosting.host import Hosting
from streams.hosting.log import Log, Outgoing
from streams.hosting.topics import CAUSES, DEADLETTER, OUTCOMES, PAGES


class Mail(Struct, frozen=True, kw_only=True):
    """The topics of notifying: where pages come from, and where what became of them goes."""

    pages: str = PAGES
    outcomes: str = OUTCOMES
    causes: str = CAUSES
    deadletter: str = DEADLETTER


class Office:
    """Makes an owner for each partition of the pages.

    `clock`: the wall clock. `at`: the time of a report (the wall clock too, or the message's own where the
    clock is the events').
    """

    def __init__(
        self, courier: Attempts, log: Log, clock: Clock, at: Callable[[Message], datetime], mail: Mail
    ) -> None:
        self._courier = courier
        self._log = log
        self._clock = clock
        self._at = at
        self._mail = mail
        self._name = uuid4().hex
        self._count = 0

    def owner(self, number: int) -> Deliveries:
        """A new owner of a partition."""
        self._count += 1
        name = f"{self._name}-{self._count}"
        outcomes = Outcomes(self._log, (self._mail.outcomes, number), name)
        desk = Desk(
            self._courier,
            outcomes,
            report=self._report,
            bury=self._bury,
            now=self._clock.now,
            at=self._at,
        )
        return Deliveries(number, desk, outcomes, self._clock)

    async def _report(self, cause: Reported) -> None:
        await self._log.append(self._mail.causes, 0, [Outgoing(b"outcome", encode(cause))])

    async def _bury(self, value: bytes, reason: str) -> None:
        headers = (("reason", reason.encode()), ("origin", self._mail.pages.encode()))
        await self._log.append(self._mail.deadletter, 0, [Outgoing(None, value, headers)])


def hosting(office: Office, group: str, mail: Mail, session: timedelta) -> Hosting[Deliveries]:
    """What a host is told of the pages. Nothing in them waits for the wall clock to wake it."""
    return Hosting(
        topic=mail.pages,
        group=group,
        make=office.owner,
        owned=_nobody_is_told,
        clock="events",
        session=session,
        hand_over=HAND_OVER_WITHIN,
    )


async def _nobody_is_told(_: Deliveries) -> None:
    """Nothing follows from owning a partition of the pages."""
