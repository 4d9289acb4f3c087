"""What an owner writes of a fold's state, and what the next owner finds of it."""

import asyncio
import zlib

import msgspec
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from schemas.record import Saved
from streams.hosting import packing
from streams.hosting.log import AppendFailed, Outgoing
from streams.hosting.snapshots import AT_ONCE, Live, LowWater, Snapshots, StateError, batches
from tests.memory_log import Act, Crash, Disk, MemoryLog

TOPIC = "state"


def saved(applied: int, **parts: bytes) -> Saved:
    return Saved(applied, f"body at {applied}".encode(), 1, float(applied), parts)


def owner(disk: Disk, name: str, *acts: Act) -> Snapshots:
    return Snapshots(MemoryLog(disk, list(acts)), TOPIC, 0, name)


async def owned(disk: Disk, name: str, *acts: Act) -> Snapshots:
    """An owner that took over; then its appends act."""
    log = MemoryLog(disk)
    snapshots = Snapshots(log, TOPIC, 0, name)
    await snapshots.take_over()
    log.acts += acts
    return snapshots


async def found(disk: Disk):
    """What an owner that comes after all others restores."""
    return await owner(disk, f"heir at {len(disk.records(TOPIC))}").take_over()


def standing(disk: Disk) -> list[bytes]:
    """The keys that compaction would keep."""
    last = {each.key: each.value for each in disk.records(TOPIC)}
    return sorted(key for key, value in last.items() if value)


async def test_a_look_finds_what_an_heir_would_and_writes_nothing():
    disk = Disk()
    first = await owned(disk, "first")
    await first.write({"a": saved(5, big=b"x" * 99)})
    await first.write_low_water(6, b"mark")
    written = len(disk.records(TOPIC))
    looked = await owner(disk, "somebody").look()
    assert (looked.low_water, looked.keys) == (LowWater(6, b"mark"), {"a": saved(5, big=b"x" * 99)})
    assert len(disk.records(TOPIC)) == written


async def test_who_could_not_clear_up_at_first_and_looked_again_keeps_where_to_begin():
    disk = Disk()
    first = await owned(disk, "first")
    await first.write_low_water(6, b"mark")
    second = owner(disk, "second", Act.GO, Act.GO, Act.FAIL)  # its claim, where to begin, what the first left
    with pytest.raises(AppendFailed):
        await second.take_over()
    await second.look()
    await second.write_low_water(9, b"later")
    assert (await found(disk)).low_water == LowWater(9, b"later")


class TestAnHeir:
    async def test_finds_nothing_where_nobody_was(self):
        restored = await found(Disk())
        assert restored.low_water is None
        assert not restored.keys

    async def test_finds_what_was_written(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": saved(5, big=b"x" * 99, small=b""), "b/c": saved(6)})
        await first.write_low_water(6, b"mark")
        restored = await found(disk)
        assert restored.low_water == LowWater(6, b"mark")
        assert restored.keys == {"b/c": saved(6), "a": saved(5, big=b"x" * 99, small=b"")}

    async def test_finds_large_pieces_as_they_were_though_little_of_them_is_kept(self):
        disk = Disk()
        large = Saved(5, b"moving " * 5_000, 1, None, {"big": b"reference " * 5_000, "small": b"x"})
        first = await owned(disk, "first")
        await first.write({"a": large})
        assert sum(len(each.value or b"") for each in disk.records(TOPIC)) < 2_000
        assert (await found(disk)).keys == {"a": large}

    async def test_finds_what_was_written_before_anything_was_compressed(self):
        disk, plain = Disk(), "0" * 32
        body, piece = b"moving " * 5_000, b"reference " * 5_000
        entry = msgspec.msgpack.encode((7, 1, None, {"big": plain}, body))
        outgoing = [Outgoing(f"0/part/{plain}/a".encode(), piece), Outgoing(b"0/entry/a", entry)]
        disk.put(TOPIC, 0, outgoing)
        before = Saved(7, body, 1, None, {"big": piece})
        assert (await found(disk)).keys == {"a": before}
        second = await owned(disk, "second")
        await second.write({"a": before})
        await second.write_low_water(7, b"")
        assert (await found(disk)).keys == {"a": before}
        assert not [key for key in standing(disk) if key.startswith(b"0/")]

    async def test_finds_the_last_of_each(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": saved(5, big=b"x"), "b": saved(5)})
        await first.write({"a": saved(9, big=b"y")})
        assert (await found(disk)).keys == {"a": saved(9, big=b"y"), "b": saved(5)}

    async def test_finds_nothing_of_a_key_that_is_over(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": saved(5, big=b"x"), "b": saved(5)})
        second = await owned(disk, "second")
        await second.write({"a": None, "c": None})
        assert (await found(disk)).keys == {"b": saved(5)}
        assert not [key for key in standing(disk) if key.endswith(b"/a")]

    async def test_finds_what_came_after_a_key_was_over(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": saved(5, big=b"x")})
        await first.write({"a": None})
        await first.write({"a": saved(9, big=b"x")})
        assert (await found(disk)).keys == {"a": saved(9, big=b"x")}

    async def test_sees_nothing_that_comes_after_its_claim(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": saved(1)})
        heir = owner(disk, "heir")
        heir._epoch = await heir._append([Outgoing(b"claim/heir", b"1")])
        await first.write({"a": saved(2)})
        assert (await heir._choose(await heir._live())).keys == {"a": saved(1)}

    async def test_passes_over_what_is_not_ours(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": saved(1)})
        for key in (b"\xff\xfe", b"x/entry/a", b"7/other/a", b"7/part/a", b"7", b"", None, b"0/low-water/x"):
            disk.put(TOPIC, 0, [Outgoing(key, b"?")])
        assert (await found(disk)).keys == {"a": saved(1)}

    async def test_passes_over_an_entry_without_all_of_its_parts(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": saved(1, big=b"x")})
        await first.write_low_water(1, b"")
        second = await owned(disk, "second", Act.GO, Act.CRASH)
        with pytest.raises(Crash):
            await second.write({"a": saved(2, big=b"y")})
        part = next(each.key for each in disk.records(TOPIC)[::-1] if each.key and b"/part/" in each.key)
        disk.put(TOPIC, 0, [Outgoing(part, None)])
        assert (await found(disk)).keys == {"a": saved(1, big=b"x")}


def damage(disk: Disk, kind: bytes, value: bytes | None = None) -> None:
    """The last value of this kind is another one from here on, or cut in half."""
    last = next(each for each in disk.records(TOPIC)[::-1] if each.key and kind in each.key and each.value)
    disk.put(TOPIC, 0, [Outgoing(last.key, last.value[: len(last.value) // 2] if value is None else value)])


BAD = [b"\x95\x01\x01\xc0\x81\xa1\xff\xa0\xc4\x00", b"\x92\xa1\xff\xc4\x00", b"\x91" * 100_000]
"""An entry and a mark with text that is no UTF-8, and what is nested without end."""


class TestWhatCannotBeRead:
    LARGE = Saved(2, b"moving " * 5_000, 1, None, {"big": b"reference " * 5_000})

    @pytest.mark.parametrize("kind", [b"/part/", b"/entry/"])
    async def test_of_a_key_is_told_and_all_others_are_restored(self, kind):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"b": saved(1)})
        await first.write({"a": self.LARGE})
        await first.write_low_water(2, b"mark")
        damage(disk, kind)
        with capture_logs() as told:
            restored = await found(disk)
        assert restored.keys == {"b": saved(1)}
        assert restored.low_water == LowWater(2, b"mark")
        assert [(each["event"], each["key"].split("/")[-1]) for each in told] == [("state.unreadable", "a")]

    @pytest.mark.parametrize("value", BAD)
    async def test_of_a_key_is_told_whatever_bytes_they_are(self, value):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"b": saved(1)})
        await first.write({"a": saved(1)})
        damage(disk, b"/entry/", value)
        with capture_logs() as told:
            assert (await found(disk)).keys == {"b": saved(1)}
        assert [each["event"] for each in told] == ["state.unreadable"]

    @pytest.mark.parametrize("value", BAD)
    async def test_of_the_mark_leaves_the_partition_to_a_later_try_whatever_bytes_they_are(self, value):
        disk = Disk()
        await (await owned(disk, "first")).write_low_water(1, b"mark")
        damage(disk, b"/low-water", value)
        with pytest.raises(StateError):
            await found(disk)

    async def test_of_a_key_leaves_what_an_owner_before_wrote_of_it(self):
        disk = Disk()
        old, new = await owned(disk, "old"), await owned(disk, "new")
        await new.write({"a": self.LARGE})
        await old.write({"a": saved(1)})
        damage(disk, b"/part/")
        assert (await found(disk)).keys == {"a": saved(1)}

    async def test_is_removed_with_the_next_entry_of_its_key(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": self.LARGE})
        damage(disk, b"/entry/", b"?")
        second = await owned(disk, "second")
        await second.write({"a": saved(3)})
        assert not [key for key in standing(disk) if key.startswith(b"0/")]

    async def test_of_where_to_begin_is_tried_again_later_and_nothing_is_removed(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write_low_water(1, b"mark")
        damage(disk, b"low-water", b"?")
        before = standing(disk)
        with pytest.raises(OSError, match="no low-water entry of state/0 can be read"):
            await found(disk)
        assert set(before) < set(standing(disk))

    async def test_of_another_key_is_not_taken_for_that_keys(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": saved(5), "b": saved(5)})
        await first.write_low_water(6, b"mark")
        moved = [replace(each, key=each.key.replace(b"/a", b"/c")) for each in disk.records(TOPIC)]
        disk.topics[TOPIC, 0] = moved
        with capture_logs() as told:
            assert (await found(disk)).keys == {"b": saved(5)}
        assert [(each["event"], each["key"]) for each in told] == [("state.unreadable", "0/entry/c")]

    @pytest.mark.parametrize("name", [b"0/entry/c", b"\xff", b"0/part/?/c", b"9/low-water"])
    async def test_of_a_key_that_nobody_has_is_told_once_and_removed(self, name):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": saved(5), "b": saved(5)})
        await first.write_low_water(6, b"mark")
        disk.topics[TOPIC, 0] = [
            replace(each, key=name) if each.key == b"0/entry/a" else each for each in disk.records(TOPIC)
        ]
        with capture_logs() as told:
            assert (await found(disk)).keys == {"b": saved(5)}
            assert (await found(disk)).keys == {"b": saved(5)}
        assert [each["event"] for each in told] == ["state.unreadable"]
        assert name not in standing(disk)

    async def test_of_a_key_that_has_an_older_entry_goes_with_the_next_one(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": saved(5)})
        await first.write_low_water(6, b"mark")
        second = await owned(disk, "second")
        await second.write({"a": saved(7)})
        wrong = [replace(each, value=b"?") for each in disk.records(TOPIC) if each.key.endswith(b"/entry/a")]
        disk.topics[TOPIC, 0] += [replace(wrong[-1], offset=len(disk.records(TOPIC)))]
        for _ in range(2):
            assert (await found(disk)).keys == {"a": saved(7)}

    async def test_of_a_tombstone_removes_nothing(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": saved(5), "b": saved(5)})
        await first.write({"a": None})
        await first.write_low_water(6, b"mark")
        disk.topics[TOPIC, 0] = [
            each if each.value else replace(each, key=b"0/entry/b") for each in disk.records(TOPIC)
        ]
        with capture_logs() as told:
            assert (await found(disk)).keys == {"a": saved(5), "b": saved(5)}
        assert [each["key"] for each in told] == ["0/entry/b"]

    async def test_of_a_mark_leaves_the_one_before_it(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write_low_water(6, b"at 6")
        await first.write_low_water(9, b"at 9")
        disk.records(TOPIC)[-1] = replace(
            disk.records(TOPIC)[-1], value=msgspec.msgpack.encode((99, b"at 9"))
        )
        assert (await found(disk)).low_water == LowWater(6, b"at 6")

    async def test_of_a_mark_without_any_before_it_begins_nothing_anew(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write_low_water(6, b"at 6")
        disk.topics[TOPIC, 0] = [
            replace(each, key=(each.key or b"").replace(b"water", b"watex")) for each in disk.records(TOPIC)
        ]
        with pytest.raises(StateError):
            await found(disk)

    async def test_of_a_part_that_is_gone_is_told_once_no_entry_has_all_of_its_parts(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": saved(1, big=b"x")})
        part = next(each.key for each in disk.records(TOPIC) if each.key and b"/part/" in each.key)
        disk.put(TOPIC, 0, [Outgoing(part, None)])
        with capture_logs() as told:
            assert (await found(disk)).keys == {}
        assert [each["key"] for each in told] == ["0/entry/a"]

    def test_unpacks_to_no_more_than_a_bound(self):
        assert packing.unpacked(packing.packed(b"x" * 9_999), 10_000) == b"x" * 9_999
        with pytest.raises(zlib.error, match="larger than 10000 bytes"):
            packing.unpacked(packing.packed(b"x" * 10_001), 10_000)


async def test_everything_else_has_its_turn_while_much_is_restored():
    disk = Disk()
    first = await owned(disk, "first")
    await first.write({f"a{n}": saved(1) for n in range(3 * AT_ONCE)})
    heir = owner(disk, "heir")
    live = Live({each.key: each.value for each in disk.records(TOPIC) if each.key and each.value})
    turns: list[int] = []

    async def others():
        while True:
            turns.append(len(turns))
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    await heir._choose(live)
    beside.cancel()
    assert len(turns) >= 6


class TestWriting:
    async def test_a_part_is_written_once_and_removed_when_it_is_named_no_more(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": saved(1, big=b"x")})
        await first.write({"a": saved(2, big=b"x")})
        written = [each for each in disk.records(TOPIC) if each.key and b"/part/" in each.key]
        assert [each.value for each in written] == [b"x"]
        await first.write({"a": saved(3)})
        assert not [key for key in standing(disk) if b"/part/" in key]

    async def test_a_part_whose_acknowledgement_was_lost_is_written_again_or_removed(self):
        disk = Disk()
        first = await owned(disk, "first", Act.FAIL_WRITTEN, Act.FAIL)
        for piece in (b"x", b"y"):
            with pytest.raises(AppendFailed):
                await first.write({"a": saved(1, big=piece)})
        await first.write({"a": saved(2, big=b"y")})
        assert (await found(disk)).keys == {"a": saved(2, big=b"y")}
        assert len([key for key in standing(disk) if b"/part/" in key]) == 1

    async def test_tombstones_that_were_refused_are_written_with_the_next_entry(self):
        disk = Disk()
        first = await owned(disk, "first")
        await first.write({"a": saved(1, big=b"x")})
        first._log.acts += [Act.GO, Act.FAIL]
        with pytest.raises(AppendFailed):
            await first.write({"a": saved(2, big=b"y")})
        assert (await found(disk)).keys == {"a": saved(2, big=b"y")}
        await first.write({"a": saved(3, big=b"y")})
        assert len([key for key in standing(disk) if b"/part/" in key]) == 1

    async def test_a_crash_in_the_middle_leaves_what_was_before(self):
        for act in (Act.CRASH, Act.CRASH_HALF):
            disk = Disk()
            first = await owned(disk, "first")
            await first.write({"a": saved(1, big=b"x")})
            first._log.acts += [act]
            with pytest.raises(Crash):
                await first.write({"a": saved(2, big=b"y")})
            assert (await found(disk)).keys == {"a": saved(1, big=b"x")}

    def test_a_large_snapshot_is_split_and_taken_piece_by_piece(self):
        taken: list[str] = []

        def keys():
            for n in range(5):
                taken.append(f"k{n}")
                yield f"k{n}", saved(n, big=b"x" * 40)

        split = batches(keys(), 90)
        assert list(next(split)) == ["k0", "k1"]
        assert taken == ["k0", "k1"]
        assert [list(each) for each in split] == [["k2", "k3"], ["k4"]]


class TestTwoOwners:
    async def test_a_paused_owner_writes_beside_its_successor_and_never_over_it(self):
        disk = Disk()
        old = await owned(disk, "old")
        await old.write({"a": saved(1)})
        new = await owned(disk, "new")
        await new.write({"a": saved(2)})
        await old.write({"a": saved(9), "b": saved(9)})
        await old.write_low_water(9, b"old")
        restored = await found(disk)
        assert restored.keys["a"] == saved(2)

    async def test_a_low_water_of_a_paused_owner_does_not_count_once_it_has_a_successor(self):
        """The successor writes some entries and dies; the old one goes on; who comes then must begin low."""
        disk = Disk()
        old = await owned(disk, "old")
        await old.write({"a": saved(50)})
        await old.write_low_water(50, b"at 50")
        new = await owned(disk, "new")
        await new.write({"a": saved(100)})
        await old.write({"a": saved(200)})
        await old.write_low_water(200, b"at 200")
        restored = await found(disk)
        assert restored.keys["a"] == saved(100)
        assert restored.low_water == LowWater(50, b"at 50")

    async def test_a_part_that_a_paused_owner_is_about_to_name_stays(self):
        """It wrote the part, was paused, wrote the entry and removed the one before: nothing else is left."""
        disk = Disk()
        old = await owned(disk, "old")
        await old.write({"a": saved(1, big=b"x")})
        await old.write_low_water(1, b"")
        log = old._log
        log.acts += [Act.PAUSE_HALF]
        writing = asyncio.create_task(old.write({"a": saved(2, big=b"y")}))
        await log.paused.wait()
        assert (await found(disk)).keys == {"a": saved(1, big=b"x")}
        log.go_on.set()
        await writing
        assert (await found(disk)).keys == {"a": saved(2, big=b"y")}

    async def test_what_older_owners_left_of_a_key_goes_with_the_first_entry_of_its_new_owner(self):
        disk = Disk()
        old = await owned(disk, "old")
        await old.write({"a": saved(1, big=b"x"), "b": saved(1)})
        old._log.acts += [Act.CRASH_HALF]
        with pytest.raises(Crash):
            await old.write({"a": saved(2, big=b"y")})
        new = await owned(disk, "new")
        await new.write({"a": saved(3, big=b"z")})
        epoch = str(new._epoch).encode()
        left = [key for key in standing(disk) if not key.startswith((epoch, b"claim/"))]
        assert left == [b"0/entry/b"]

    async def test_claims_and_low_waters_of_older_owners_are_removed(self):
        disk = Disk()
        for name in ("first", "second", "third"):
            snapshots = await owned(disk, name)
            await snapshots.write_low_water(1, b"")
        assert [key for key in standing(disk) if b"low-water" in key] == [b"%d/low-water" % snapshots._epoch]
        assert not [key for key in standing(disk) if key.startswith(b"claim/")]

    async def test_every_owner_has_an_epoch_above_all_before(self):
        disk = Disk()
        epochs = [(await owned(disk, name))._epoch for name in ("a", "b", "c")]
        assert epochs == sorted(set(epochs))
