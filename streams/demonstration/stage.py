"""What can be seen of a worker at work: how far it has looked, whom it told, and when it is done."""

from collections.abc import Callable
from datetime import datetime, timedelta

from schemas.cause import Reported, Signalled, Wake
from schemas.decision import Decision
from schemas.incident import Incident
from schemas.outcome import Delivered
from schemas.page import Message, Page, Update
from schemas.wire import moment
from streams.demonstration.onlooker import Burial, Sight
from streams.demonstration.summary import Summary
from streams.files import Line
from streams.history import Step
from streams.records import DeadLetter, Turns, Word

QUIET_LOOKS = 3
"""Looks in a row that must find nothing new."""
GRACE = timedelta(minutes=2)
"""Event time that may be missing from a watermark: it is told on a grid."""


class Stage:
    """Takes sights; calls `watched` when the worker has come further, `told` for each message.

    `partitions`: of `agent.events`.
    """

    def __init__(
        self, partitions: int, watched: Callable[[datetime], None], told: Callable[[Message], None]
    ) -> None:
        self.summary = Summary()
        self.delivered = 0
        self._partitions = partitions
        self._watched = watched
        self._told = told
        self._turns = Turns()
        self._watermarks: dict[int, datetime] = {}
        self._sent: set[str] = set()
        self._reported: set[str] = set()
        self._latest_s = 0.0
        self._end: datetime | None = None
        self._quiet = 0
        self._arrived: list[Message] = []

    def published(self, step: Step) -> None:
        """One more step is on its way to the worker."""
        self.summary.step(step)
        self._latest_s = max(self._latest_s, step.at_s or 0.0)

    @property
    def latest(self) -> datetime:
        """The highest event time that is on its way."""
        return moment(self._latest_s)

    def all_published(self) -> None:
        """Nothing follows: the end of event time is known."""
        self._end = self.latest

    def take(self, sight: Sight) -> None:
        """Something the worker wrote."""
        match sight:
            case Wake(partition=int(partition), at=at):
                self._watermark(partition, at)
            case Reported(page=page, outcome=outcome):
                self.delivered += isinstance(outcome, Delivered) and page not in self._reported
                self._reported.add(page)
            case Signalled(signal=signal):
                self._count(signal)
            case Page() | Update():
                self._message(sight)
            case Incident() | Decision():
                self._count(sight)
            case Burial(reason=reason):
                self.summary.tell(DeadLetter(Line(b""), reason))
            case _:
                pass

    def _watermark(self, partition: int, at: datetime) -> None:
        self._watermarks[partition] = at
        if len(self._watermarks) == self._partitions:
            self._watched(min(self._watermarks.values()))

    def _message(self, message: Message) -> None:
        if message.id not in self._sent:
            self._sent.add(message.id)
            self._count(message)
            self._arrived.append(message)

    def _count(self, word: Word) -> None:
        if self._turns.is_turn(word):
            self.summary.tell(word)

    def rest(self, sights: int) -> None:
        """A look is over that had so many sights: messages are told, in the order of their times."""
        self._quiet = 0 if sights else self._quiet + 1
        arrived, self._arrived = self._arrived, []
        for message in sorted(arrived, key=lambda each: each.time):
            self._told(message)

    def is_settled(self, at: datetime) -> bool:
        """Whether the worker has looked at all up to `at`, all have been told, and nothing more comes."""
        if len(self._watermarks) < self._partitions or self._quiet < QUIET_LOOKS:
            return False
        return min(self._watermarks.values()) >= at - GRACE and self._sent <= self._reported

    @property
    def is_over(self) -> bool:
        """Whether everything was published, and all of it is settled."""
        return self._end is not None and self.is_settled(self._end)
