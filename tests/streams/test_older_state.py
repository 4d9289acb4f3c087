"""State that earlier versions wrote is read by this one: nothing begins anew, and what was open goes on.

Each file of `older_state/` is what a version wrote to its state topics in the middle of an outage of two
agents of the simulated fleet: `bank` and `router` (records of the topics), `events` and `causes` (how many
were folded), `firing` (signals that hold), `incidents` (those that paged). `tools/keep_state.py` writes one.
"""

import gzip
from functools import cache
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct
from structlog.testing import capture_logs

from detectors.bank import Bank
from routing.router import KEY, Router
from schemas.cause import Signalled
from schemas.incident import Incident
from schemas.page import Page
from schemas.record import Output, Record
from schemas.wire import encode
from streams.hosting.log import Outgoing
from streams.hosting.settings import read_settings
from streams.hosting.snapshots import Restored, Snapshots
from tests.memory_log import Disk, MemoryLog
from tools.keep_state import END, events

FOLDER = Path(__file__).parent / "older_state"
LACKED = {"2026-11-22-1759": {"dependency"}}
FILES = sorted(FOLDER.glob("*.msgpack.gz"))


class Kept(Struct):
    """A file."""

    bank: list[tuple[bytes, bytes]]
    router: list[tuple[bytes, bytes]]
    events: int
    causes: int
    firing: list[str]
    incidents: list[str]
    lacked: set[str] = set()
    """Detectors that the version did not have, and that this one pages of."""


@pytest.fixture(params=FILES, ids=lambda path: path.name.partition(".")[0])
def kept(request) -> Kept:
    read = msgspec.msgpack.decode(gzip.decompress(request.param.read_bytes()), type=Kept)
    return msgspec.structs.replace(read, lacked=LACKED.get(request.param.name.partition(".")[0], set()))


async def restored(records: list[tuple[bytes, bytes]]) -> Restored:
    disk = Disk()
    disk.put("state", 0, [Outgoing(key, value or None) for key, value in records])
    return await Snapshots(MemoryLog(disk), "state", 0, "heir").take_over()


@cache
def later() -> list[bytes]:
    return [encode(event) for event in events() if event.time >= END]


async def gone_on(kept: Kept) -> tuple[Bank, list[Output]]:
    """The bank that an older version left, and what comes of the events that follow."""
    was = await restored(kept.bank)
    assert was.low_water is not None
    assert was.low_water.offset == kept.events
    bank = Bank(read_settings, "events")
    bank.resume(was.low_water.mark)
    for name, saved in was.keys.items():
        bank.load(name, saved)
    records = [Record(kept.events + n, value) for n, value in enumerate(later())]
    given = bank.apply_many(records)
    assert not [each for each in given if isinstance(each, Exception)]
    return bank, [output for outputs in given for output in outputs]


def test_there_are_some():
    assert len(FILES) > 3


async def test_agents_are_restored_whole_and_what_held_ends_by_its_own_id(kept):
    with capture_logs() as told:
        bank, outputs = await gone_on(kept)
    assert told == []
    assert [each for each in outputs if each.stream == "deadletter"] == []
    signals = [each.value.signal for each in outputs if isinstance(each.value, Signalled)]
    assert {each.id for each in signals if each.state == "resolved"} >= set(kept.firing)
    assert sorted(bank.unsaved()) == ["agent-0000", "agent-0001"]


async def test_incidents_go_on_and_nobody_is_paged_anew(kept):
    was = await restored(kept.router)
    assert was.low_water is not None
    router = Router()
    router.resume(was.low_water.mark)
    router.load(KEY, was.keys[KEY])
    _, outputs = await gone_on(kept)
    causes = [encode(each.value) for each in outputs]
    given = [each for n, value in enumerate(causes) for each in router.apply(Record(kept.causes + n, value))]
    paged = {each.value.content.labels["detector"] for each in given if isinstance(each.value, Page)}
    assert paged <= kept.lacked
    last = {each.value.id: each.value for each in given if isinstance(each.value, Incident)}
    assert {each.id for each in last.values() if each.status == "resolved"} >= set(kept.incidents)
