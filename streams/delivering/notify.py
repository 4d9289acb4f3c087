"""Notify: the host of the pages.

The pages' topic is read as the folds' topics are (`streams.hosting.host`), because what reads it must not
pass over a record around a rebalance. When partitions are revoked, or the worker stops, running attempts (ten
seconds at most) finish, are recorded and reported; what has not begun comes again to the next owner.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from msgspec import Struct, field

from schemas.cause import Reported
from schemas.page import Message
from schemas.probe import Passed
from schemas.wire import encode
from streams.delivering.deliveries import HAND_OVER_WITHIN, Deliveries
from streams.delivering.desk import Attempts, Desk
from streams.delivering.outcomes import Outcomes
from streams.hosting.clock import Clock
from streams.hosting.host import Hosting
from streams.hosting.log import Log, Outgoing
from streams.hosting.topics import CAUSES, DEADLETTER, OUTCOMES, PAGES
from streams.watching.figures import Figures
from streams.watching.names import DEADLETTERS


class Mail(Struct, frozen=True, kw_only=True):
    """The topics of notifying: where pages come from, and where what became of them goes."""

    pages: str = PAGES
    outcomes: str = OUTCOMES
    causes: str = CAUSES
    deadletter: str = DEADLETTER


class Office(Struct, frozen=True, kw_only=True):
    """What notifying works with.

    `clock`: the wall clock. `at`: the time of a report (the wall clock too, or the message's own where the
    clock is the events'). `oldest`, `probed`: see `Desk`.
    """

    courier: Attempts
    log: Log
    clock: Clock
    at: Callable[[Message], datetime]
    mail: Mail = Mail()
    oldest: timedelta | None = None
    probed: Callable[[Passed], object] = bool
    figures: Figures = field(default_factory=Figures)


class Owners:
    """Makes an owner for each partition of the pages."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._last: dict[int, Outcomes] = {}
        self._name = uuid4().hex
        self._count = 0

    def owner(self, number: int) -> Deliveries:
        """A new owner of a partition; it knows what the one before it, in this process, could not write."""
        self._count += 1
        name = f"{self._name}-{self._count}"
        before = self._last.get(number)
        outcomes = Outcomes(self._office.log, (self._office.mail.outcomes, number), name, before=before)
        self._last[number] = outcomes
        desk = Desk(
            self._office.courier,
            outcomes,
            report=self._report,
            bury=self._bury,
            now=self._office.clock.now,
            at=self._office.at,
            oldest=self._office.oldest,
            probed=self._office.probed,
        )
        return Deliveries(number, desk, outcomes, self._office.clock)

    async def _report(self, cause: Reported) -> None:
        await self._office.log.append(self._office.mail.causes, 0, [Outgoing(b"outcome", encode(cause))])

    async def _bury(self, value: bytes, reason: str) -> None:
        headers = (("reason", reason.encode()), ("origin", self._office.mail.pages.encode()))
        await self._office.log.append(self._office.mail.deadletter, 0, [Outgoing(None, value, headers)])
        self._office.figures.count(DEADLETTERS, "judged")


def hosting(office: Office, group: str, session: timedelta) -> Hosting[Deliveries]:
    """What a host is told of the pages. Nothing in them waits for the wall clock to wake it."""
    return Hosting(
        topic=office.mail.pages,
        group=group,
        make=Owners(office).owner,
        owned=_nobody_is_told,
        clock="events",
        session=session,
        hand_over=HAND_OVER_WITHIN,
    )


async def _nobody_is_told(_: Deliveries) -> None:
    """Nothing follows from owning a partition of the pages."""
