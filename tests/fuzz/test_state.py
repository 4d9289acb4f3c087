"""Whatever state is found: it is what was written, or that is told; no worker ends over it."""

import asyncio
import os
from collections.abc import Sequence
from functools import cache

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from schemas.outcome import Deferred, Delivered
from schemas.record import Record, Saved
from streams.delivering.outcomes import Outcomes
from streams.hosting.snapshots import Restored, Snapshots, StateError
from tests.fakes import NOW
from tests.fuzz.mutating import mutants
from tests.memory_log import Disk, MemoryLog

COUNT = 200_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 2_000
"""Of each kind, together."""
TOPIC = "state"
PLACES = ("key", "value")
LARGE = Saved(7, b"moving " * 500, 1, 60.0, {"big": b"reference " * 500, "small": b"x" * 99})
SMALL = Saved(6, b"body", 1, None)
pytestmark = pytest.mark.no_cover


async def _snapshots() -> Disk:
    """What two owners left of two agents."""
    disk = Disk()
    for name, low in (("first", 3), ("second", 8)):
        owner = Snapshots(MemoryLog(disk), TOPIC, 0, name)
        await owner.take_over()
        await owner.write_low_water(low, b"mark at %d" % low)
        await owner.write({"a": LARGE, "b/c": SMALL})
    return disk


async def _outcomes() -> Disk:
    """What an owner left of two attempts at a page, and from where on pages are not seen through."""
    disk = Disk()
    owner = Outcomes(MemoryLog(disk), (TOPIC, 0), "first")
    await owner.take_over()
    await owner.record("pag-1", 1, Deferred(reason="x", retry_at=NOW), NOW)
    await owner.record("pag-2", 1, Delivered(reference="C1:1.5"), NOW)
    await owner.sink(9)
    await owner.sink(17)
    return disk


MADE = {"snapshots": _snapshots, "outcomes": _outcomes}


@cache
def left(what: str) -> Sequence[Record]:
    return tuple(asyncio.run(MADE[what]()).records(TOPIC))


async def restored(disk: Disk) -> Restored:
    return await Snapshots(MemoryLog(disk), TOPIC, 0, "heir").take_over()


async def known(disk: Disk) -> tuple[int | None, Outcomes]:
    heir = Outcomes(MemoryLog(disk), (TOPIC, 0), "heir")
    return await heir.take_over(), heir


def hurt(what: str, place: str, count: int) -> list[tuple[int, Disk]]:
    """Topics of which the key, or the value, of one record is damaged, by the record's number."""
    records = left(what)
    found = []
    for number, one in enumerate(records):
        if one.value and not (one.key or b"").startswith(b"claim/"):
            name = f"{what} {place} {number}"
            for _, damaged in mutants([getattr(one, place)], count // len(records), name):
                topic = [*records[:number], replace(one, **{place: damaged}), *records[number + 1 :]]
                found.append((number, Disk({(TOPIC, 0): topic})))
    return found


def test_what_is_not_damaged_is_restored_and_nothing_is_told():
    with capture_logs() as told:
        there = asyncio.run(restored(Disk({(TOPIC, 0): [*left("snapshots")]})))
        low, heir = asyncio.run(known(Disk({(TOPIC, 0): [*left("outcomes")]})))
    assert told == []
    assert there.keys == {"a": LARGE, "b/c": SMALL}
    assert (low, heir.known("pag-2", 1)) == (17, Delivered(reference="C1:1.5"))


@pytest.mark.parametrize("place", PLACES)
def test_damaged_state_is_never_taken_for_another(place):
    whole = asyncio.run(restored(Disk({(TOPIC, 0): [*left("snapshots")]})))
    refused = 0
    for number, disk in hurt("snapshots", place, COUNT):
        with capture_logs() as told:
            try:
                there = asyncio.run(restored(disk))
            except StateError:
                refused += 1
                continue
        one = disk.records(TOPIC)[number]
        if one == left("snapshots")[number]:
            continue
        refused += bool(told)
        assert {each["event"] for each in told} <= {"state.unreadable"}
        assert all(saved == whole.keys.get(name) for name, saved in there.keys.items()), one
        assert there.low_water in (whole.low_water, None) or there.low_water.offset < 8, one
        assert told or there == whole, one
    assert refused > COUNT / 10


@pytest.mark.parametrize("place", PLACES)
def test_damaged_outcomes_are_never_taken_for_others(place):
    whole_low, whole = asyncio.run(known(Disk({(TOPIC, 0): [*left("outcomes")]})))
    refused = 0
    for number, disk in hurt("outcomes", place, COUNT):
        with capture_logs() as told:
            low, heir = asyncio.run(known(disk))
        one = disk.records(TOPIC)[number]
        if one == left("outcomes")[number]:
            continue
        refused += bool(told)
        assert {each["event"] for each in told} <= {"state.unreadable"}
        assert heir.entries.items() <= whole.entries.items(), one
        assert low in (None, 9, whole_low), one
        assert told or (low, heir.entries) == (whole_low, whole.entries), one
    assert refused > COUNT / 10


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("what", MADE)
def test_damage_of_what_earlier_versions_wrote_without_sums_ends_no_worker(what, place):
    for number, disk in hurt(what, place, COUNT // 2):
        topic = [replace(each, headers=()) for each in disk.records(TOPIC)]
        with capture_logs():
            try:
                asyncio.run((restored if what == "snapshots" else known)(Disk({(TOPIC, 0): topic})))
            except StateError:
                continue
            except Exception as error:
                raise AssertionError(f"{what} {number} ends a worker: {topic[number]}") from error
