from datetime import timedelta

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from schemas.outcome import Deferred, Delivered
from streams.delivering.outcomes import SWEEP, Outcomes
from streams.hosting.log import AppendFailed, Outgoing
from tests.fakes import NOW
from tests.memory_log import Act, Disk, MemoryLog

DONE = Delivered(reference="r")
LATER = Deferred(reason="x", retry_at=NOW)


def outcomes(disk, owner="one", acts=(), **options):
    return Outcomes(MemoryLog(disk, list(acts)), ("outcomes", 0), owner, **options)


def standing(disk):
    """Keys whose last record is no tombstone."""
    last = {each.key: each.value for each in disk.records("outcomes")}
    return sorted(key for key, value in last.items() if value)


async def test_nothing_is_known_where_nobody_was_before():
    disk = Disk()
    one = outcomes(disk)
    assert await one.take_over() is None
    assert one.known("pag-1", 1) is None
    assert standing(disk) == []


async def test_an_outcome_is_known_by_page_and_attempt_to_every_owner_after():
    disk = Disk()
    first = outcomes(disk)
    await first.take_over()
    await first.record("pag-1", 1, LATER, NOW)
    await first.record("pag-1", 2, DONE, NOW)
    await first.sink(17)
    heir = outcomes(disk, "two")
    assert await heir.take_over() == 17
    for one in (first, heir):
        assert (one.known("pag-1", 1), one.known("pag-1", 2), one.known("pag-1", 3)) == (DONE, DONE, DONE)


@pytest.mark.parametrize("garbage", [b"?", b"\xff", b"[" * 100_000, b'["x",{}]', b"9" * 5_000])
async def test_what_cannot_be_read_is_told_and_all_else_is_known(garbage):
    disk = Disk()
    first = outcomes(disk)
    await first.take_over()
    await first.record("pag-1", 1, DONE, NOW)
    await first.record("pag-2", 1, DONE, NOW)
    disk.put(
        "outcomes", 0, [Outgoing(key, garbage) for key in (b"delivered/pag-1", b"low-water", b"\xff", None)]
    )
    heir = outcomes(disk, "two")
    with capture_logs() as told:
        assert await heir.take_over() is None
    assert (heir.known("pag-1", 1), heir.known("pag-2", 1)) == (None, DONE)
    assert [(each["event"], each["key"]) for each in told] == [
        ("state.unreadable", "delivered/pag-1"),
        ("state.unreadable", "low-water"),
    ]


async def test_an_owner_that_died_before_it_read_back_leaves_no_claim_for_ever():
    disk = Disk()
    dead = MemoryLog(disk)
    await dead.append("outcomes", 0, [])
    disk.put("outcomes", 0, [])
    claim = outcomes(disk, "dead", [Act.GO, Act.FAIL])
    with pytest.raises(AppendFailed):
        await claim.take_over()
    assert standing(disk) == [b"claim/dead"]
    await outcomes(disk, "heir").take_over()
    assert standing(disk) == []


async def test_what_could_not_be_written_is_known_all_the_same():
    one = outcomes(Disk(), acts=[Act.FAIL])
    with pytest.raises(AppendFailed):
        await one.record("pag-1", 1, DONE, NOW)
    assert one.known("pag-1", 1) == DONE


async def test_the_old_and_the_first_of_too_many_are_forgotten():
    disk = Disk()
    one = outcomes(disk, most=10)
    await one.record("old", 1, DONE, NOW - timedelta(days=3))
    for n in range(SWEEP):
        await one.record(f"pag-{n}", 1, DONE, NOW + timedelta(seconds=n))
    assert standing(disk) == sorted(b"delivered/pag-%d" % n for n in range(SWEEP - 10, SWEEP))
    heir = outcomes(disk, "heir", kept=timedelta(days=1))
    await heir.take_over()
    await heir.record("new", 1, DONE, NOW + timedelta(days=2))
    assert standing(disk) == [b"delivered/new"]


async def test_what_is_old_is_forgotten_though_it_is_not_too_much():
    disk = Disk()
    one = outcomes(disk)
    await one.record("old", 1, DONE, NOW - timedelta(days=3))
    for n in range(SWEEP):
        await one.record(f"pag-{n}", 1, LATER, NOW)
    assert one.known("old", 1) is None
    assert len(standing(disk)) == SWEEP


async def test_owners_that_live_briefly_forget_too():
    disk = Disk()
    for turn in range(4):
        one = outcomes(disk, f"owner-{turn}", most=10)
        await one.take_over()
        for n in range(SWEEP - 100):
            await one.record(f"pag-{turn}-{n}", 1, DONE, NOW)
    assert len(standing(disk)) <= 10 + SWEEP


async def test_an_attempt_that_was_asked_for_because_nothing_was_heard_is_answered_by_the_one_that_arrived():
    one = outcomes(Disk())
    await one.record("pag-1", 1, LATER, NOW)
    assert one.known("pag-1", 2) is None
    await one.record("pag-1", 2, DONE, NOW)
    assert (one.known("pag-1", 1), one.known("pag-1", 2), one.known("pag-1", 3)) == (DONE, DONE, DONE)


async def test_what_arrived_stays_so_though_one_that_stood_still_says_otherwise():
    disk = Disk()
    await outcomes(disk).record("pag-1", 1, DONE, NOW)
    await outcomes(disk, "sleeper").record("pag-1", 1, LATER, NOW)
    heir = outcomes(disk, "heir")
    await heir.take_over()
    assert heir.known("pag-1", 1) == DONE


async def test_a_mark_and_outcomes_that_are_not_what_was_written_are_told_and_count_for_nothing():
    disk = Disk()
    first = outcomes(disk)
    await first.take_over()
    await first.record("pag-1", 1, LATER, NOW)
    await first.sink(17)
    await first.sink(18)
    records = disk.records("outcomes")
    records[-1] = replace(records[-1], value=b"98")
    (at,) = [n for n, each in enumerate(records) if each.key == b"outcome/pag-1/1"]
    records[at] = replace(records[at], key=b"outcome/pag-2/1")
    heir = outcomes(disk, "two")
    with capture_logs() as told:
        assert await heir.take_over() == 17
    assert (heir.known("pag-1", 1), heir.known("pag-2", 1)) == (None, None)
    assert [each["key"] for each in told] == ["outcome/pag-2/1", "low-water"]
