"""Keeps what this version writes to its state topics, for later versions to be tried on: keep_state.py FILE.

In the middle of an outage of two agents of the simulated fleet. `tests/streams/test_older_state.py` reads it.
"""

import asyncio
import gzip
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from detectors.bank import Bank
from routing.router import Router
from schemas.cause import AnyCause, ConfigFile, Configured, Reported, Signalled
from schemas.event import Event
from schemas.outcome import Delivered
from schemas.page import Page, Update
from schemas.record import Origin, Output, Record
from schemas.wire import encode, moment
from streams.demonstration.fleet import Scripted, fleet
from streams.fold import Fold
from streams.hosting.settings import read_settings
from streams.hosting.snapshots import Snapshots
from tests.memory_log import Disk, MemoryLog

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
OUTAGE = START + timedelta(minutes=60)
END = START + timedelta(minutes=66)
"""The outage goes on for four minutes more."""
CONFIG = ConfigFile(
    "oversight.yml",
    """\
route: {receiver: triage, group_by: [agent, detector], group_wait: 10s}
receivers: [{name: triage, notify: [slack: '#triage']}]
""",
)


def events() -> Iterator[Event]:
    """An hour and a half of two agents, who lose their provider for ten minutes."""
    calm = fleet(2, 9, 0.5, START, timedelta(minutes=90))
    names = tuple(profile.name for profile in calm.profiles)
    lost = Scripted(kind="outage", agents=names, start=OUTAGE, end=OUTAGE + timedelta(minutes=10), story="")
    return iter(msgspec.structs.replace(calm, scripted=(lost,)).events())


class Kept:
    """A bank and a router, which are told all until `END`; each message is delivered at once."""

    def __init__(self) -> None:
        self.bank, self.router = Bank(read_settings, "events"), Router()
        self.offset = self.causes = 0
        self.firing: set[str] = set()
        self.incidents: set[str] = set()
        self.bank.begin((CONFIG,))
        self._route([Configured(at=moment(0), digest="d", files=(CONFIG,), clock="events")])

    def take(self, event: Event) -> None:
        """Takes the next event."""
        outputs = self.bank.apply(Record(self.offset, encode(event)))
        self._route([self._caused(n, output) for n, output in enumerate(outputs)])
        self.offset += 1

    def _caused(self, n: int, output: Output) -> AnyCause:
        origin = Origin("agent.events/0", self.offset, n)
        cause: AnyCause = msgspec.structs.replace(output.value, origin=origin)
        if isinstance(cause, Signalled):
            change = self.firing.add if cause.signal.state == "firing" else self.firing.discard
            change(cause.signal.id)
        return cause

    def _route(self, causes: Iterable[AnyCause]) -> None:
        waiting = deque(causes)
        while waiting:
            for output in self.router.apply(Record(self.causes, encode(waiting.popleft()))):
                each = output.value
                if isinstance(each, Page):
                    self.incidents.add(each.incident)
                if isinstance(each, Page | Update):
                    delivered = Delivered(reference="r")
                    waiting.append(
                        Reported(at=each.time, page=each.id, attempt=each.attempt, outcome=delivered)
                    )
            self.causes += 1

    async def written(self) -> bytes:
        """What the file holds."""
        whole = {
            "bank": await _topic(self.bank, self.offset),
            "router": await _topic(self.router, self.causes),
            "events": self.offset,
            "causes": self.causes,
            "firing": sorted(self.firing),
            "incidents": sorted(self.incidents),
        }
        return gzip.compress(msgspec.msgpack.encode(whole), mtime=0)


async def _topic(fold: Fold, reached: int) -> Sequence[tuple[bytes | None, bytes]]:
    disk = Disk()
    snapshots = Snapshots(MemoryLog(disk), "state", 0, "owner")
    await snapshots.take_over()
    await snapshots.write_low_water(0, fold.mark())
    await snapshots.write({name: fold.save(name) for name in sorted(fold.unsaved())})
    await snapshots.write_low_water(reached, fold.mark())
    return [(record.key, record.value) for record in disk.records("state")]


def main() -> None:
    """Writes the file."""
    kept = Kept()
    for event in events():
        if event.time < END:
            kept.take(event)
    Path(sys.argv[1]).write_bytes(asyncio.run(kept.written()))


if __name__ == "__main__":
    main()
