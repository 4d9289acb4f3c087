"""The pure core over files: what a worker on Kafka would find and whom it would page, without Kafka.

Every page is answered at once as delivered, at its own time.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Literal

import msgspec
from msgspec import Struct

from detectors.bank import Bank
from routing.configuration import load
from routing.router import Router
from schemas.cause import AnyCause, ConfigFile, Configured, Housekeeping, Reported, Signalled, Wake
from schemas.identity import derived
from schemas.outcome import Delivered
from schemas.page import Page, Update
from schemas.record import Origin, Output, Record
from schemas.wire import Malformed, decode_cause, encode, moment
from streams.files import Line
from streams.fold import Fold, applied
from streams.history import Step, plan
from streams.hosting.settings import read_settings
from streams.records import DeadLetter, Told, Word

AT_ONCE = 4000
"""Steps taken together: an agent is shown what they have of it at once."""
FIRST = 10
"""Lines of which one must be a cause, for all of them to be taken as causes."""
SOURCE = "agent.events/0"
BEGINNING = moment(0)
BUILT_IN = ConfigFile(
    "<built-in>",
    """\
route:
  receiver: on-call
  group_by: [agent, detector]
  routes:
  - {matchers: ['detector="dependency"'], group_by: [kind, dependency]}
receivers:
- {name: on-call, notify: [{terminal: screen}]}
""",
)
"""What is followed where no configuration is given: everything pages one terminal."""


def replay(
    lines: Iterable[Line], files: Sequence[ConfigFile] = (BUILT_IN,), now_s: float | None = None
) -> Iterator[tuple[Step, Sequence[Told]]]:
    """Folds lines; yields each step with what it brought about, in the order of event time.

    `now_s`: the wall clock in POSIX seconds. As on Kafka, an event that lies ahead of it counts as of the
    time before it. Without it, and where the first events all lie ahead of it, times are believed.

    Raises:
        ConfigFaults: the configuration does not hold.
    """
    load(files)  # both folds would keep what is faulty to themselves
    bank = Bank(read_settings, "events")
    bank.begin(files)
    core = Core(bank, Router())
    core.configure(files)
    coming = plan(lines, 1, now_s)
    batches = iter(lambda: list(islice(coming, AT_ONCE)), [])
    return (each for steps in batches for each in zip(steps, core.take_many(steps), strict=True))


def replay_any(
    lines: Iterable[Line], files: Sequence[ConfigFile] = (BUILT_IN,), now_s: float | None = None
) -> Iterator[tuple[Step | None, Sequence[Told]]]:
    """The same of events or, where one of the first lines is one, of causes; of a cause there is no step.

    Of causes, what people did and what detectors said is taken, and the rules are `files`. Pages are answered
    at once: how channels answered other rules' pages says nothing of these.

    Raises:
        ConfigFaults: the configuration does not hold.
    """
    coming = iter(lines)
    first = list(islice(coming, FIRST))
    begun_at = next((cause.at for cause in map(_cause, first) if cause is not None), None)
    together = chain(first, coming)
    if begun_at is None:
        return replay(together, files, now_s)
    load(files)
    core = Core(Bank(read_settings, "wall"), Router())
    begun = core.configure(files, "wall", begun_at)
    heard = (core.hear(line) for line in together)
    return ((None, told) for told in chain(([*begun, *each] for each in islice(heard, 1)), heard))


def _cause(line: Line) -> AnyCause | None:
    try:
        return decode_cause(line.value)
    except Malformed:
        return None


class Core:
    """Detection and routing, coupled directly: what one puts out, the other takes in."""

    def __init__(self, bank: Fold, router: Fold) -> None:
        self._bank = bank
        self._router = router
        self._offset = 0
        self._causes = 0

    def configure(
        self,
        files: Sequence[ConfigFile],
        clock: Literal["events", "wall"] = "events",
        at: datetime = BEGINNING,
    ) -> Sequence[Told]:
        """The configuration that routing follows from an instant on; on the clock of events any will do.

        What it brings about: shifts may change hands soon.
        """
        texts = [part for file in files for part in (file.name, file.text)]
        return self._route(Configured(at=at, digest=derived("cfg", *texts), files=tuple(files), clock=clock))

    def tell(self, cause: AnyCause) -> Sequence[Told]:
        """What a cause brings about that comes of no record."""
        return self._route(cause)

    def hear(self, line: Line) -> Sequence[Told]:
        """What one more recorded cause brings about; of outcomes, rules and probes only the time counts."""
        try:
            cause = decode_cause(line.value)
        except Malformed as fault:
            return [DeadLetter(line, str(fault))]
        if isinstance(cause, Housekeeping):
            cause = Wake(at=cause.at)
        return self._route(cause)

    def take(self, step: Step) -> Sequence[Told]:
        """What one more step brings about."""
        (told,) = self.take_many((step,))
        return told

    def take_many(self, steps: Sequence[Step]) -> Iterator[Sequence[Told]]:
        """What some more steps bring about, each by itself."""
        first, self._offset = self._offset, self._offset + len(steps)
        records = [
            Record(offset, step.value, step.key, step.written_s, (), step.event, step.at_s)
            for offset, step in enumerate(steps, first)
        ]
        for step, record, given in zip(steps, records, applied(self._bank, records), strict=True):
            if not given:
                yield ()
            elif isinstance(given, Exception):  # as in the worker: to the dead letters, and on
                yield [DeadLetter(step.line or Line(step.value), str(given))]
            else:
                yield self._told(step, given, record.offset)

    def _told(self, step: Step, outputs: Sequence[Output], offset: int) -> Sequence[Told]:
        told: list[Told] = []
        for n, output in enumerate(outputs):
            told += self._follow(step, output, Origin(SOURCE, offset, n))
        return told

    def _follow(self, step: Step, output: Output, origin: Origin) -> Sequence[Told]:
        if output.stream == "deadletter":
            reason = dict(output.headers)["reason"].decode()
            return [DeadLetter(step.line or Line(step.value), reason)]
        cause: AnyCause = msgspec.structs.replace(output.value, origin=origin)  # type: ignore[type-var,assignment] # its stream says so
        return self._route(cause)

    def _route(self, first: AnyCause) -> Sequence[Told]:
        """What a cause brings about, and what the answers to its pages bring about, in order of time.

        What routing could not do as it was told comes last.
        """
        words: list[Word] = [first.signal] if isinstance(first, Signalled) else []
        letters: list[DeadLetter] = []
        waiting: deque[AnyCause] = deque([first])
        while waiting:
            for output in self._decide(waiting.popleft()):
                if output.stream == "deadletter":
                    letters.append(_letter(output.value))
                    continue
                word: Word = output.value  # type: ignore[assignment] # routing puts out nothing else
                words.append(word)
                if isinstance(word, Page | Update):
                    waiting.append(_delivered(word))
        return [*sorted(words, key=_time), *letters]

    def _decide(self, cause: AnyCause) -> Sequence[Output]:
        offset, self._causes = self._causes, self._causes + 1
        return self._router.apply(Record(offset, encode(cause)))


def _time(word: Word) -> datetime:
    return word.time


def _letter(value: Struct | bytes) -> DeadLetter:
    """What routing complains of; it stands at no place of the input."""
    return DeadLetter(Line(encode(value)), str(getattr(value, "reason", "routing cannot do it")))


def _delivered(message: Page | Update) -> Reported:
    reference = message.reference if isinstance(message, Update) else f"replay:{message.id}"
    return Reported(
        at=message.time, page=message.id, attempt=message.attempt, outcome=Delivered(reference=reference)
    )
