"""Notifiers and the channels behind them, as `streams.delivering` has them, on virtual time.

What is modelled of it: attempts of one incident at one channel come after each other; an outcome is recorded
before it is reported; a page that arrived is not sent again; what was in hand when a notifier died is begun
anew by the next one, which knows what was recorded and nothing else.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from schemas.cause import Reported
from schemas.outcome import Deferred, Delivered, Outcome, Undeliverable
from schemas.page import Message
from streams.worker import OLDEST

Later = Callable[[float, Callable[[], None]], None]


@dataclass
class Job:
    """A message in hand. `sent`: the channel was asked, and nothing is recorded yet."""

    message: Message
    sent: bool = False


@dataclass
class Mood:
    """How a channel is until a time, in seconds."""

    name: str = "well"
    until_s: float = 0.0


@dataclass
class Office:
    """Notifiers. `later(seconds, call)`: does something then; `report`: appends a cause."""

    later: Later
    report: Callable[[Reported], None]
    clock: Callable[[], datetime]
    now_s: Callable[[], float]
    moods: dict[str, Mood] = field(default_factory=dict)
    outcomes: dict[tuple[str, int], Outcome] = field(default_factory=dict)
    arrived: dict[str, Delivered] = field(default_factory=dict)
    """Pages that are known to have arrived."""
    received: list[tuple[float, Message]] = field(default_factory=list)
    """What channels took, as often as they took it."""
    excused: Counter[str] = field(default_factory=Counter)
    """How often a page may have been taken once more than once, because nobody could record that it was."""
    lines: dict[tuple[str, str, str], deque[Job]] = field(default_factory=dict)
    generation: int = 0
    is_up: bool = True

    def take(self, message: Message) -> None:
        """A message of the pages' topic."""
        line = self.lines.setdefault(
            (message.incident, message.channel.kind, message.channel.target), deque()
        )
        line.append(Job(message))
        if len(line) == 1:
            self._begin(line)

    def die(self, down_s: float) -> None:
        """All notifiers die; others come after a while."""
        for line in self.lines.values():
            for job in line:
                self.excused[job.message.id] += job.sent
                job.sent = False
        self.generation += 1
        self.is_up = False
        self.later(down_s, lambda born=self.generation: self._come_back(born))

    def _come_back(self, born: int) -> None:
        if born != self.generation:
            return
        self.is_up = True
        for line in self.lines.values():
            if line:
                self._begin(line)

    def _begin(self, line: deque[Job]) -> None:
        if self.is_up:
            self._soon(0.2, lambda: self._attempt(line))

    def _soon(self, after_s: float, call: Callable[[], None]) -> None:
        """Later, unless the notifiers die before."""
        born = self.generation
        self.later(after_s, lambda: call() if born == self.generation else None)

    def _attempt(self, line: deque[Job]) -> None:
        job = line[0]
        message = job.message
        known = self.arrived.get(message.id) or self.outcomes.get((message.id, message.attempt))
        if known is not None:
            self._report(line, known)
            return
        if self.clock() - message.time > OLDEST:
            self._record(line, Deferred(reason="it was asked for too long ago", unsent=True))
            return
        random = Random(f"{message.id} {message.attempt}")
        outcome, takes_s, is_taken = self._answer(message, random)
        job.sent = True
        if is_taken:
            self.received.append((self.now_s(), message))
            self.excused[message.id] += not isinstance(outcome, Delivered)
        self._soon(takes_s, lambda: self._record(line, outcome))

    def _answer(self, message: Message, random: Random) -> tuple[Outcome, float, bool]:
        """What is known of an attempt, after how many seconds, and whether the channel took the message."""
        mood = self.moods.get(message.channel.target, Mood())
        name = mood.name if self.now_s() < mood.until_s else "well"
        delivered = Delivered(reference=f"ref {message.id}")
        match name:
            case "refusing":
                return Undeliverable(reason="channel_not_found"), 0.3, False
            case "busy":
                retry_at = self.clock() + timedelta(seconds=random.randrange(120))
                return Deferred(reason="429", retry_at=random.choice((None, retry_at))), 0.3, False
            case "timing out":
                return Deferred(reason="no answer in 10 s"), 10.0, random.random() < 0.5
            case "unknown":
                return delivered, random.uniform(1, 400), True
        return delivered, random.uniform(0.1, 3), True

    def _record(self, line: deque[Job], outcome: Outcome) -> None:
        message = line[0].message
        line[0].sent = False
        if isinstance(outcome, Delivered):
            self.arrived[message.id] = outcome
        else:
            self.outcomes[message.id, message.attempt] = outcome
        self._soon(0.1, lambda: self._report(line, outcome))

    def _report(self, line: deque[Job], outcome: Outcome) -> None:
        message = line.popleft().message
        if line:
            self._begin(line)
        self.report(Reported(at=self.clock(), page=message.id, attempt=message.attempt, outcome=outcome))
