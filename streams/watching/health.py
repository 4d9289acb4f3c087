"""Whether the worker works: told by the hosts' own turns, not by a task beside them.

Live: every host went round lately; a host that hangs is not, whatever else still moves in the process. A
broker that is away makes nobody dead: a host that tries again goes round. Ready: the topics are there, each
host is in its group, a broker heard of it within a minute, and every partition it was given is restored and
can be written.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from msgspec import Struct

from routing.router import Router
from streams.hosting.clock import Clock
from streams.hosting.condition import Condition
from streams.hosting.host import Host
from streams.hosting.partition import Partition
from streams.watching import names
from streams.watching.figures import Figures, Sample
from streams.watching.probing import Probes

AWAY_AFTER_S = 60.0
"""Brokers are told how far each host is every five seconds; after so long they are taken for away."""
HANGS_AFTER = timedelta(minutes=5)
"""Above the longest turn: a partition's state is restored within one."""


class Report(Struct, frozen=True):
    """What is told of the health to people and machines."""

    status: str
    stage: str
    hosts: Sequence[Condition]


class Health:
    """Watches the hosts of one process. `stage`: what it does while there are none yet."""

    def __init__(
        self, clock: Clock, figures: Figures | None = None, hangs_after: timedelta = HANGS_AFTER
    ) -> None:
        self.figures = figures or Figures()
        self.hosts: Sequence[Host[Any]] = ()
        self.stage = "starting"
        self.probes: Probes | None = None
        """What goes through the whole pipeline to show that records do, where somebody outside is told so."""
        self._clock = clock
        self._hangs_after_s = hangs_after.total_seconds()

    def works(self, hosts: Sequence[Host[Any]]) -> None:
        """These hosts run from now on."""
        self.hosts, self.stage = hosts, "working"

    def stops(self) -> None:
        """The hosts hand over what they have."""
        self.stage = "stopping"

    @property
    def conditions(self) -> Sequence[Condition]:
        """How each host stands now."""
        return [each.condition() for each in self.hosts]

    @property
    def is_live(self) -> bool:
        """Whether a new process could not do better."""
        return all(each.turn_age_s < self._hangs_after_s for each in self.conditions)

    @property
    def is_ready(self) -> bool:
        """Whether everything that was given to this worker is restored, read and written."""
        conditions = self.conditions
        works = self.stage == "working" and bool(conditions) and self.is_live
        return works and all(map(_is_well, conditions))

    @property
    def report(self) -> Report:
        """All of it."""
        status = "ready" if self.is_ready else "live" if self.is_live else "hangs"
        return Report(status, self.stage, self.conditions)

    def samples(self) -> Iterator[Sample]:
        """Every metric that has a value now."""
        yield from self.figures.samples()
        yield Sample(names.BUILD, 1, (_version(),))
        yield Sample(names.LIVE, self.is_live)
        yield Sample(names.READY, self.is_ready)
        for each in self.conditions:
            yield Sample(names.OWNED, len(each.owned), (each.topic,))
            yield Sample(names.RESTORING, len(each.restoring), (each.topic,))
            yield Sample(names.BLOCKED, len(each.blocked), (each.topic,))
            yield Sample(names.TURN_AGE, each.turn_age_s, (each.topic,))
            if each.confirmed_age_s is not None:
                yield Sample(names.CONFIRMED_AGE, each.confirmed_age_s, (each.topic,))
            for number, lag in sorted(each.lag.items()):
                yield Sample(names.LAG, lag, (each.topic, str(number)))
        for host in self.hosts:
            for number, owner in sorted(host.partitions.items()):
                if isinstance(owner, Partition):
                    yield from _of_partition(owner, (host.topic, str(number)))


def _is_well(host: Condition) -> bool:
    is_heard = host.confirmed_age_s is None or host.confirmed_age_s < AWAY_AFTER_S
    return host.joined and is_heard and not host.restoring and not host.blocked


def _version() -> str:
    try:
        return version("agent-oversight")
    except PackageNotFoundError:
        return "unknown"


def _of_partition(owner: Partition, place: tuple[str, str]) -> Iterator[Sample]:
    yield Sample(names.UNSAVED, owner.unsaved_s, place)
    if owner.newest_s is not None:
        yield Sample(names.NEWEST, owner.newest_s, place)
    fold: Any = owner.fold
    if isinstance(fold, Router):
        yield Sample(names.OPEN, fold.open)
        for what, count in sorted(fold.counts.items()):
            yield Sample(names.PASSED_OVER, count, (what,))
    for metric, name in ((names.UNUSABLE, "unusable"), (names.EARLY, "early")):
        if hasattr(fold, name):
            yield Sample(metric, getattr(fold, name), place)
