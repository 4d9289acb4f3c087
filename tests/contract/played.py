"""What the workers are given to do: a fleet with outages, and what an undisturbed fold makes of it."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import msgspec
from msgspec import Struct

from detectors.bank import Bank
from routing.router import Router
from schemas.cause import AnyCause, ConfigFile, Configured, Reported
from schemas.identity import derived
from schemas.outcome import Delivered
from schemas.page import Message, Page, Update
from schemas.record import Origin, Output, Record
from schemas.wire import encode, moment
from streams.demonstration.fleet import Scripted, fleet
from streams.files import Line
from streams.history import DRAIN, Step, plan
from streams.hosting.settings import read_settings
from streams.hosting.topics import EVENTS

PARTITIONS = 4
AGENTS = 120
START = datetime(2026, 1, 5, tzinfo=UTC)
LENGTH = timedelta(minutes=20)
OUTAGES = 6
EVERY = timedelta(minutes=2)
OUTAGE = timedelta(minutes=6)
RATE_PER_S = 10.0
CONFIG = ConfigFile(
    "oversight.yml",
    """\
global: {resolve_timeout: 5m}
route:
  receiver: quiet
  group_by: [agent, detector, finding]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 4h
  routes:
  - receiver: loud
    matchers: ['severity=~"critical|error"']
    routes:
    - {matchers: ['detector="dependency"'], group_by: [kind, dependency]}
receivers:
- {name: quiet, notify: [slack: '#agents']}
- {name: loud, notify: [slack: '#triage', pagerduty: 'env:PD_KEY']}
""",
)


@cache
def steps() -> Sequence[Step]:
    """The events of 120 agents, laid out; one sixth after another loses its provider for a while."""
    calm = fleet(AGENTS, 7, RATE_PER_S, START, LENGTH)
    names = [profile.name for profile in calm.profiles]
    scripted = tuple(
        Scripted(
            kind="outage",
            agents=tuple(names[number::OUTAGES]),
            start=START + number * EVERY,
            end=START + number * EVERY + OUTAGE,
            story="the provider is away",
        )
        for number in range(OUTAGES)
    )
    played = msgspec.structs.replace(calm, scripted=scripted)
    return tuple(plan((Line(encode(event)) for event in played.events()), PARTITIONS))


def end_of(laid_out: Sequence[Step]) -> datetime:
    """What every partition is told at the end of input, less the watermarks' grid."""
    latest_s = max(step.at_s or 0.0 for step in laid_out if step.line is not None)
    return moment(latest_s) + DRAIN - timedelta(minutes=2)


class Calm(Struct, frozen=True):
    """What must come of it. `accepted`: causes by input partition. `state`: each agent's, as bytes."""

    accepted: Mapping[str, Sequence[tuple[Origin, AnyCause]]]
    pages: Mapping[str, Page]
    state: Mapping[str, bytes]


@cache
def calm() -> Calm:
    """The same folds in this process, without a broker and without a fault."""
    return Undisturbed(PARTITIONS, (CONFIG,)).run(steps())


class Undisturbed:
    """As many banks as partitions and one router; every message is delivered at once."""

    def __init__(self, partitions: int, files: Sequence[ConfigFile]) -> None:
        self._banks = [
            Bank(read_settings, "events", partition=number, partitions=partitions)
            for number in range(partitions)
        ]
        self._router = Router()
        self._offsets = [0] * partitions
        self._causes = 0
        self._accepted: dict[str, list[tuple[Origin, AnyCause]]] = {}
        self._pages: dict[str, Page] = {}
        for bank in self._banks:
            bank.begin(files)
        digest = derived("cfg", *(part for file in files for part in (file.name, file.text)))
        self._route([Configured(at=moment(0), digest=digest, files=tuple(files), clock="events")])

    def run(self, laid_out: Iterable[Step]) -> Calm:
        """Folds everything."""
        for step in laid_out:
            self._take(step)
        state = {name: _state(bank, name) for bank in self._banks for name in sorted(bank.unsaved())}
        return Calm(self._accepted, self._pages, state)

    def _take(self, step: Step) -> None:
        offset = self._offsets[step.partition]
        self._offsets[step.partition] += 1
        outputs = self._banks[step.partition].apply(Record(offset, step.value, step.key))
        self._route([self._caused(step.partition, offset, n, output) for n, output in enumerate(outputs)])

    def _caused(self, partition: int, offset: int, n: int, output: Output) -> AnyCause:
        origin = Origin(f"{EVENTS}/{partition}", offset, n)
        cause: AnyCause = msgspec.structs.replace(output.value, origin=origin)
        self._accepted.setdefault(origin.partition, []).append((origin, cause))
        return cause

    def _route(self, causes: Iterable[AnyCause]) -> None:
        waiting = deque(causes)
        while waiting:
            for output in self._router.apply(Record(self._causes, encode(waiting.popleft()))):
                if isinstance(output.value, Page | Update):
                    waiting.append(_delivered(output.value))
                if isinstance(output.value, Page):
                    self._pages[output.value.id] = output.value
            self._causes += 1


def _delivered(message: Message) -> Reported:
    outcome = Delivered(reference=f"calm:{message.id}")
    return Reported(at=message.time, page=message.id, attempt=message.attempt, outcome=outcome)


def _state(bank: Bank, name: str) -> bytes:
    return bytes_of(bank.save(name))


def bytes_of(saved: object) -> bytes:
    """The state of an agent without the offset up to which it has been applied."""
    return msgspec.msgpack.encode((saved.body, dict(saved.parts)))
