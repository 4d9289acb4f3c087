"""One owner's way through its partition: what is put out and what is written, in which order."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from schemas.record import Origin
from streams.hosting.log import AppendFailed, Outgoing
from streams.hosting.pace import Pace
from streams.hosting.partition import MOST_BOUNDARIES, Cadence, Partition
from streams.hosting.snapshots import StateError
from tests.memory_log import Act, MemoryLog
from tests.simulation.owners import HandClock
from tests.streams.folding import Site, Tally

SOON = timedelta(0)


async def begun(site: Site, *acts: Act, **cadence):
    """An owner that took over; then its appends act."""
    log = MemoryLog(site.disk)
    owner = site.owner(log, **cadence)
    await owner.start()
    log.acts += acts
    return owner


class TestTheBeginning:
    async def test_a_fold_without_state_is_readied_and_that_is_written(self):
        site = Site()
        owner = site.owner()
        assert await owner.start() == 0
        assert owner.fold.begun == 1
        assert site.written("low-water") == ["0/low-water"]

    async def test_an_heir_goes_on_where_the_low_water_is(self):
        site = Site()
        site.put(("a", "x"), ("b", "x"))
        first = await begun(site)
        await first.take(site.records())
        await first.hand_over()
        heir = site.owner()
        assert await heir.start() == 2
        assert heir.fold.begun == 0
        assert sorted(heir.fold.asleep) == ["a", "b"]
        assert heir.fold.marked == first.fold.mark()

    async def test_a_key_that_the_fold_cannot_read_begins_anew_and_that_is_told(self):
        site = Site()
        site.put(("a", "x"), ("b", "x"))
        first = await begun(site)
        await first.take(site.records())
        await first.hand_over()
        heir = site.owner()
        heir.fold.illegible = "a"
        with capture_logs() as told:
            assert await heir.start() == 2
        assert sorted(heir.fold.asleep) == ["b"]
        assert [(each["event"], each["key"]) for each in told] == [("state.unreadable", "a")]

    async def test_a_mark_that_the_fold_cannot_read_is_left_to_a_later_try(self):
        site = Site()
        await begun(site)
        heir = site.owner()
        heir.fold.illegible = "mark"
        with pytest.raises(StateError, match="the mark of in/0 cannot be read"):
            await heir.start()


@dataclass
class Waiting(MemoryLog):
    """What is appended to the state is refused after so long."""

    clock: HandClock = field(default_factory=HandClock)
    takes_s: float = 0.0

    async def append(self, topic, partition, records):
        if topic == "state" and self.takes_s:
            self.clock.at_s += self.takes_s
            raise AppendFailed("nobody answers")
        return await super().append(topic, partition, records)


class TestAClaimThatIsRefused:
    async def left_behind(self) -> Site:
        site = Site()
        site.put(("a", "out 1"), ("b", "x"))
        first = await begun(site)
        await first.take(site.records(0, 1))
        await first.hand_over()
        return site

    async def test_does_not_keep_a_partition_from_being_folded_on_and_is_made_later(self):
        site = await self.left_behind()
        heir = site.owner(MemoryLog(site.disk, [Act.FAIL]))
        with capture_logs() as told:
            assert await heir.start() == 1
        assert [each["event"] for each in told] == ["state.unclaimed"]
        before = len(site.disk.records("state"))
        await heir.take(site.records())
        assert len(site.disk.records("state")) == before
        site.clock.at_s += 10
        await heir.settle()
        assert heir.low_water == 2
        assert (await site.owner().start()) == 2

    @pytest.mark.parametrize("acts", [[Act.FAIL], [Act.GO, Act.FAIL], [Act.GO, Act.FAIL_WRITTEN]])
    async def test_says_where_to_begin_before_it_writes_an_entry(self, acts):
        site = await self.left_behind()
        heir = site.owner(MemoryLog(site.disk, [*acts]))
        assert await heir.start() == 1
        await heir.take(site.records())
        before = len(site.disk.records("state"))
        await heir.hand_over()
        written = [each.key.decode().partition("/") for each in site.disk.records("state")[before:]]
        (epoch,) = {int(first) for first, _, rest in written if rest.startswith("entry/b")}
        own = [rest for first, _, rest in written if first == str(epoch)]
        assert own[0] == "low-water"

    async def test_is_not_made_later_by_whoever_lost_the_partition_since(self):
        site = await self.left_behind()
        paused = site.owner(MemoryLog(site.disk, [Act.FAIL]))
        await paused.start()
        heir = site.owner()
        await heir.start()
        await heir.take(site.records())
        await heir.hand_over()
        for leave in (paused.settle, paused.hand_over):
            await paused.take(site.records()[paused.next :])
            site.clock.at_s += 10
            with capture_logs() as told, suppress(AppendFailed):
                await leave()
            assert not paused.low_water > 1
            assert all("another owner has claimed it since" in each["error"] for each in told)
        site.put(("a", "x"))
        await heir.take(site.records(2))
        await heir.hand_over()
        assert (await site.owner().start()) == 3

    async def test_is_a_refusal_like_any_other_where_the_state_cannot_be_read_then(self):
        site = await self.left_behind()
        heir = site.owner(MemoryLog(site.disk, [Act.FAIL]))
        await heir.start()
        await heir.take(site.records())
        site.disk.put("state", 0, [Outgoing(b"0/low-water", b"no low-water entry")])
        site.clock.at_s += 10
        with capture_logs() as told:
            await heir.settle()
        assert told[-1]["event"] == "state.refused"
        assert "cannot be read" in told[-1]["error"]

    async def test_where_nobody_was_is_tried_again(self):
        site = Site()
        with pytest.raises(AppendFailed):
            await site.owner(MemoryLog(site.disk, [Act.FAIL])).start()


class TestTheOnlyKey:
    """Of a fold that has one key with all its state."""

    async def left_behind(self) -> Site:
        site = Site(only_key="a")
        site.put(("a", "out 1"), ("a", "raise"), ("a", "x"))
        first = await begun(site)
        await first.take(site.records())
        await first.hand_over()
        site.put(("a", "out 1"))
        return site

    async def test_is_folded_again_from_the_log_where_it_cannot_be_read_and_nothing_is_put_out_twice(self):
        site = await self.left_behind()
        heir = site.owner()
        heir.fold.illegible = "a"
        with capture_logs() as told:
            assert await heir.start() == 3
        assert [each["event"] for each in told] == ["state.unreadable", *["state.folded_again"] * 2]
        assert (heir.fold.counts, heir.folded_again) == ({"a": 2}, 3)
        assert site.put_out() == ["out 1"]
        await heir.take(site.records())
        assert heir.fold.counts == {"a": 3}
        assert site.put_out() == ["out 1", "out 1"]

    async def test_is_read_from_the_state_where_that_is_whole(self):
        site = await self.left_behind()
        heir = site.owner()
        assert await heir.start() == 3
        assert (sorted(heir.fold.asleep), heir.folded_again) == (["a"], 0)

    async def test_goes_on_from_an_older_entry_where_only_that_can_be_read(self):
        site = Site(only_key="a")
        site.put(("a", "x"), ("a", "x"), ("a", "x"))
        first = await begun(site)
        await first.take(site.records(0, 1))
        await first.hand_over()
        await first.take(site.records())
        await first.hand_over()
        for record in [each for each in site.disk.records("state") if b"/entry/" in (each.key or b"")][1:]:
            site.disk.records("state").remove(record)
        heir = site.owner()
        assert await heir.start() == 3
        assert (heir.fold.counts, heir.folded_again) == ({"a": 3}, 2)

    async def test_is_not_half_of_what_it_was_where_the_log_falls_silent_before_its_end(self):
        site = await self.left_behind()
        site.disk.records("in").pop()
        site.disk.records("in").pop()
        heir = site.owner(MemoryLog(site.disk, silent=True))
        heir.fold.illegible = "a"
        with pytest.raises(OSError, match="nothing came"):
            await heir.start()

    async def test_is_what_the_log_still_has_of_it(self):
        site = await self.left_behind()
        site.disk.records("in").clear()
        heir = site.owner()
        heir.fold.illegible = "a"
        assert await heir.start() == 3
        assert heir.fold.counts == {}


class TestRecords:
    async def test_what_was_seen_is_passed_over_when_a_batch_comes_again(self):
        site = Site()
        site.put(("a", "out 1"), ("a", "out 1"), ("a", "out 1"))
        owner = await begun(site)
        await owner.take(site.records(0, 2))
        await owner.take(site.records(0, 3))
        await owner.take(site.records(1, 2))
        assert owner.fold.counts == {"a": 3}
        assert owner.next == 3
        assert len(site.put_out()) == 3

    async def test_outputs_carry_their_origin(self):
        site = Site()
        site.put(("a", "x"), ("a", "out 2"))
        owner = await begun(site)
        assert [origin for origin, _ in owner.fold_batch(site.records())] == [
            Origin("in/0", 1, 0),
            Origin("in/0", 1, 1),
        ]

    async def test_a_record_that_cannot_be_folded_is_buried_whole_and_the_rest_goes_on(self):
        site = Site()
        site.put(
            ("a", "x"), ("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "raise"), ("b", "x")
        )
        owner = await begun(site)
        await owner.take(site.records())
        (letter,) = site.disk.records("deadletter")
        assert letter.value == b"raise"
        assert dict(letter.headers)["reason"] == b"ValueError: as it was told"
        assert dict(letter.headers)["origin"] == b"in/0:1:0"
        assert owner.fold.counts == {"a": 1, "b": 1}
        assert owner.dead_letters == 1

    async def test_a_batch_that_could_not_be_folded_at_all_is_not_counted_as_folded(self):
        site = Site()
        site.put(("a", "x"), ("a", "x"))
        owner = await begun(site)
        fold = owner.fold
        owner.fold = Broken()
        with pytest.raises(RuntimeError, match="all of it"):
            await owner.take(site.records())
        assert owner.reached == 0
        owner.fold = fold
        await owner.take(site.records())
        assert fold.counts == {"a": 2}


class Broken(Tally):
    """A fold that cannot take any batch."""

    def apply_many(self, records):
        raise RuntimeError(f"all of it: {len(records)}")


class TestOutputsFirst:
    async def test_what_is_owed_is_put_out_again_and_no_state_is_written_before(self):
        site = Site()
        site.put(("a", "out 1"))
        owner = await begun(site, Act.FAIL, Act.FAIL_WRITTEN, age=SOON)
        for again in (lambda: owner.take(site.records()), owner.pay):
            with pytest.raises(AppendFailed):
                await again()
            site.clock.at_s += 60
            await owner.settle()
            assert not site.written("entry")
        await owner.pay()
        await owner.settle()
        assert site.put_out() == ["out 1", "out 1"]
        assert site.written("entry") == ["0/entry/a"]

    async def test_whoever_hands_over_owing_writes_nothing(self):
        site = Site()
        site.put(("a", "out 1"))
        owner = await begun(site, Act.FAIL, Act.FAIL)
        with pytest.raises(AppendFailed):
            await owner.take(site.records())
        with pytest.raises(AppendFailed):
            await owner.hand_over()
        assert not site.written("entry")
        await owner.hand_over()
        assert site.put_out() == ["out 1"]
        assert site.written("entry") == ["0/entry/a"]


class TestState:
    async def test_it_is_written_once_it_is_old(self):
        site = Site()
        site.put(("a", "x"))
        owner = await begun(site)
        await owner.take(site.records())
        site.clock.at_s += 9
        await owner.settle()
        assert not site.written("entry")
        site.clock.at_s += 1
        await owner.settle()
        assert site.written("entry") == ["0/entry/a"]

    async def test_it_is_written_once_many_records_came(self):
        site = Site()
        site.put(*[("a", "x")] * 5)
        owner = await begun(site, events=5)
        await owner.take(site.records(0, 4))
        await owner.settle()
        assert not site.written("entry")
        await owner.take(site.records(4))
        await owner.settle()
        assert site.written("entry") == ["0/entry/a"]

    async def test_only_what_changed_is_written(self):
        site = Site()
        site.put(("a", "x"), ("b", "x"))
        owner = await begun(site)
        await owner.take(site.records())
        for _ in range(2):
            site.clock.at_s += 20
            await owner.settle()
        site.put(("b", "x"))
        await owner.take(site.records(2))
        for _ in range(2):
            site.clock.at_s += 20
            await owner.settle()
        assert [each.rpartition("/")[2] for each in site.written("entry")] == ["a", "b", "b"]

    async def test_an_idle_partition_is_written_to_its_end_and_then_nothing_more(self):
        site = Site()
        site.put(*[(f"k{n}", "x") for n in range(4)])
        owner = await begun(site)
        await owner.take(site.records())
        for _ in range(30):
            site.clock.at_s += 1
            await owner.settle()
        assert owner.low_water == 4
        assert site.written("low-water") == ["0/low-water"] * 2

    async def test_the_low_water_stays_below_what_is_not_written_yet(self):
        site = Site()
        site.put(("a", "x"), ("b", "x"), ("c", "x"))
        owner = await begun(site, boundary=SOON)
        await owner.take(site.records(0, 1))
        await owner.take(site.records(1, 2))
        site.clock.at_s += 10
        await owner.take(site.records(2))
        await owner.settle()
        assert site.written("entry") == ["0/entry/a", "0/entry/b"]
        assert owner.low_water == 2
        assert await site.owner().start() == 2

    async def test_a_low_water_that_did_not_move_is_not_written_again(self):
        site = Site()
        site.put(("a", "x"), ("b", "x"))
        owner = await begun(site, age=SOON, boundary=timedelta(hours=1))
        await owner.take(site.records())
        for _ in range(5):
            await owner.settle()
        assert site.written("low-water") == ["0/low-water"]

    async def test_state_that_takes_long_to_save_is_saved_more_seldom(self):
        site = Site()
        site.put(*[("a", "x")] * 4)
        owner = await begun(site)
        owner.fold.clock, owner.fold.save_s = site.clock, 3.0
        written = []
        for record in site.records():
            await owner.take([record])
            for _ in range(2):
                site.clock.at_s += 15
                await owner.settle()
            written.append(len(site.written("entry")))
        assert written == [1, 1, 2, 2]
        owner.fold.save_s = 900.0
        site.put(*[("a", "x")] * 2)
        for record in site.records(4):
            await owner.take([record])
            site.clock.at_s += 120
            await owner.settle()
        assert len(site.written("entry")) == 4

    async def test_a_refusal_stops_nothing_and_what_was_refused_is_written_later(self):
        site = Site()
        site.put(("a", "out 1"), ("b", "out 1"))
        owner = await begun(site, Act.GO, Act.FAIL, Act.GO)
        await owner.take(site.records(0, 1))
        site.clock.at_s += 10
        await owner.settle()
        assert owner.snapshot_failures == 1
        assert owner.low_water == 0
        await owner.take(site.records(1))
        assert site.put_out() == ["out 1"] * 2
        site.clock.at_s += 10
        await owner.settle()
        assert sorted(site.written("entry")) == ["0/entry/a", "0/entry/b"]
        assert (await site.owner().start()) == 2

    async def test_what_was_refused_is_not_tried_in_every_round(self):
        site = Site()
        site.put(("a", "x"))
        owner = await begun(site, *[Act.FAIL] * 3)
        await owner.take(site.records())
        tried = []
        with capture_logs() as told:
            for _ in range(50):
                site.clock.at_s += 1
                await owner.settle()
                tried.append(owner.snapshot_failures)
        assert (tried[8], tried[9], tried[18], tried[19], tried[-1]) == (0, 1, 1, 2, 3)
        assert [each["event"] for each in told] == ["state.refused"] * 3
        assert told[-1]["unsaved_s"] == 30.0
        assert (await site.owner().start()) == 1

    @pytest.mark.parametrize("is_claimed", [True, False])
    async def test_refusals_that_take_long_leave_most_of_the_time_to_folding(self, is_claimed):
        owners, pace, clock = [], Pace(), HandClock()
        start_s = clock.at_s
        for _ in range(16):
            site = Site(clock=clock)
            site.put(("a", "x"), ("b", "x"))
            first = await begun(site)
            await first.take(site.records(0, 1))
            await first.hand_over()
            owner = site.owner(Waiting(site.disk, clock=clock, takes_s=0.0 if is_claimed else 10.0))
            owner._pace = pace
            await owner.start()
            owner._snapshots._log.takes_s = 10.0
            await owner.take(site.records(1))
            owners.append(owner)
        assert clock.at_s == start_s + (0 if is_claimed else 10)
        waited_s = 0.0
        for _ in range(600):
            began_s = clock.at_s
            for owner in owners:
                await owner.settle()
            waited_s += clock.at_s - began_s
            clock.at_s += 1
        assert 0 < waited_s < 0.2 * (clock.at_s - start_s)
        for owner in owners:
            owner._snapshots._log.takes_s = 0.0
        clock.at_s += 120
        for owner in owners:
            await owner.settle()
        assert {owner.low_water for owner in owners} == {2}

    async def test_a_key_that_is_too_large_for_ever_holds_nobody_elses_back(self):
        site = Site()
        site.put(("a", "x"), ("b", "x"), ("large", "x"), ("c", "x"))
        owner = await begun(site)
        owner._snapshots._log.largest = 100
        owner.fold.widths = {"large": 200}
        await owner.take(site.records())
        with capture_logs() as told:
            for _ in range(2):
                site.clock.at_s += 10
                await owner.settle()
        assert sorted(site.written("entry")) == ["0/entry/a", "0/entry/b", "0/entry/c"]
        assert (owner.low_water, owner.unsaved_s) == (0, 20.0)
        assert "1 keys, the first 'large'" in told[0]["error"]
        owner.fold.widths = {}
        site.clock.at_s += 10
        await owner.settle()
        assert site.written("entry")[3:] == ["0/entry/large"]
        assert (owner.low_water, owner.unsaved_s) == (4, 0.0)

    def test_a_grace_is_added_to_a_cadence(self):
        assert Cadence(events=7).with_grace(2.0) == Cadence(events=7, wake_grace=timedelta(seconds=2))

    async def test_a_large_snapshot_is_written_piece_by_piece(self):
        site = Site()
        site.put(*[(f"k{n}", "x") for n in range(4)])
        owner = await begun(site, Act.GO, Act.GO, Act.FAIL, most_bytes=1)
        await owner.take(site.records())
        with pytest.raises(AppendFailed):
            await owner.hand_over()
        assert site.written("entry") == ["0/entry/k0", "0/entry/k1"]
        assert owner.low_water == 0
        await owner.hand_over()
        assert (await site.owner().start()) == 4

    async def test_places_remembered_while_nothing_can_be_written_are_bounded(self):
        site = Site()
        site.put(*[("a", "x")] * 1000)
        owner = await begun(site, *[Act.FAIL] * 990, age=SOON, boundary=SOON)
        for n in range(1000):
            site.clock.at_s += 1
            await owner.take(site.records(n, n + 1))
            await owner.settle()
            assert len(owner._boundaries) <= MOST_BOUNDARIES
        assert owner.snapshot_failures == 990
        assert owner.low_water == 1000


class TestAnIdlePartition:
    """One into which only probes come, three a minute."""

    async def idled(self, site: Site, owner: Partition, minutes: int, word: str = "probe") -> None:
        """Lets time pass, as the host does, ten rounds between two probes."""
        for _ in range(3 * minutes):
            site.put(("", word))
            await owner.take(site.records(owner.next))
            for _ in range(10):
                site.clock.at_s += 2
                await owner.settle()

    async def test_says_seldom_that_its_mark_is_what_it_was(self):
        site = Site()
        owner = await begun(site)
        await self.idled(site, owner, 60)
        assert 11 <= len(site.written("low-water")) <= 13
        assert not site.written("entry")

    async def test_holds_no_state_that_only_the_log_has(self):
        site = Site()
        owner = await begun(site)
        for _ in range(9):
            await self.idled(site, owner, 1)
            assert owner.unsaved_s == 0.0

    async def test_lets_an_heir_fold_a_few_minutes_of_probes_again_after_a_crash(self):
        site = Site()
        owner = await begun(site)
        await self.idled(site, owner, 60)
        heir = site.owner()
        assert 160 <= await heir.start() <= 180
        assert heir.fold.marked == owner.fold.mark()

    async def test_leaves_nothing_to_fold_again_when_it_is_handed_over(self):
        site = Site()
        owner = await begun(site)
        await self.idled(site, owner, 1)
        await owner.hand_over()
        assert site.written("low-water") == ["0/low-water"] * 2
        assert await site.owner().start() == 3

    async def test_writes_a_mark_that_says_something_else(self):
        site = Site()
        owner = await begun(site)
        await self.idled(site, owner, 1)
        await self.idled(site, owner, 1, "late")
        assert (owner.low_water, await site.owner().start()) == (6, 6)

    async def test_is_written_at_once_when_something_comes_of_a_record(self):
        site = Site()
        owner = await begun(site)
        await self.idled(site, owner, 2)
        site.put(("a", "x"))
        await self.idled(site, owner, 2)
        assert (owner.low_water, site.written("entry")) == (8, ["0/entry/a"])
        assert await site.owner().start() == 8

    async def test_that_was_taken_over_waits_as_well(self):
        site = Site()
        first = await begun(site)
        await first.hand_over()
        heir = site.owner()
        await heir.start()
        before = len(site.disk.records("state"))
        await self.idled(site, heir, 4)
        assert len(site.disk.records("state")) == before

    async def test_lets_no_more_records_wait_than_any_other(self):
        site = Site()
        owner = await begun(site, events=5)
        site.put(*[("", "probe")] * 12)
        for n in range(12):
            await owner.take(site.records(n, n + 1))
            site.clock.at_s += 1
            await owner.settle()
            assert owner.next - owner.low_water <= 5

    async def test_writes_no_dead_letter_twice(self):
        site = Site()
        owner = await begun(site)
        await self.idled(site, owner, 1, "raise")
        await owner.miss(range(3, 5), "no UTF-8")
        site.clock.at_s += 10
        await owner.settle()
        assert await site.owner().start() == 5

    async def test_nor_one_that_the_fold_put_out_itself(self):
        site = Site()
        owner = await begun(site)
        await self.idled(site, owner, 1, "bury")
        site.clock.at_s += 10
        await owner.settle()
        assert await site.owner().start() == owner.next

    async def test_is_claimed_though_its_mark_may_wait(self):
        site = Site()
        await (await begun(site)).hand_over()
        heir = site.owner(MemoryLog(site.disk, [Act.FAIL]))
        await heir.start()
        await self.idled(site, heir, 4)
        assert heir._snapshots.stands

    async def test_that_is_claimed_late_leaves_no_dead_letter_behind_to_be_written_again(self):
        site = Site()
        await (await begun(site)).hand_over()
        heir = site.owner(MemoryLog(site.disk, [Act.FAIL]))
        await heir.start()
        site.put(("", "bury"))
        await heir.take(site.records())
        assert not heir._snapshots.stands
        await self.idled(site, heir, 4)
        assert heir._snapshots.stands
        assert await site.owner().start() > 0


class TestWaking:
    async def test_a_fold_is_woken_once_the_wall_clock_has_passed_its_wish_and_the_grace(self):
        site = Site()
        owner = await begun(site, wake_grace=timedelta(seconds=2))
        await owner.wake()
        owner.fold.wake_at = site.clock.at_s
        site.clock.at_s += 1
        await owner.wake()
        assert not site.records()
        site.clock.at_s += 1
        await owner.wake()
        (wake,) = site.records()
        assert (wake.key, wake.value) == (None, b"wake 1000000")

    async def test_it_is_not_woken_again_before_it_saw_that(self):
        site = Site()
        owner = await begun(site)
        owner.fold.wake_at = site.clock.at_s
        for _ in range(3):
            site.clock.at_s += 60
            await owner.wake()
        assert len(site.records()) == 1
        await owner.take(site.records())
        await owner.wake()
        assert len(site.records()) == 2

    async def test_a_wake_that_was_refused_is_tried_again(self):
        site = Site()
        owner = await begun(site, Act.FAIL)
        owner.fold.wake_at = site.clock.at_s
        with pytest.raises(AppendFailed):
            await owner.wake()
        await owner.wake()
        assert len(site.records()) == 1
