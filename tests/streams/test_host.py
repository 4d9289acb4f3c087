"""The host: partitions come and go, the log fails and recovers, and nothing of it reaches the fold."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaConnectionError
from structlog.testing import capture_logs

from streams.hosting.host import COMMITS_A_SESSION, Host, Hosting
from streams.hosting.log import AppendFailed
from tests.memory_log import Act, MemoryLog
from tests.streams.folding import Site

IN = TopicPartition("in", 0)
SESSION = timedelta(seconds=6)


@dataclass
class Message:
    """A record as the client gives it."""

    offset: int
    value: bytes | None
    key: bytes | None
    timestamp: int = -1
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Group:
    """The consumer that a host is given: reads the site's disk; what befalls it is data.

    `faults`: what its next reads raise, one after another; None raises nothing. `lost`: what commits raise.
    `marks`: offsets after all records that hold none. `unreadable`: offsets of records that raise as they are
    read, which is when the consumer has gone on up to there.
    """

    site: Site
    faults: list[Exception | None] = field(default_factory=list)
    lost: list[Exception] = field(default_factory=list)
    starts: list[Exception] = field(default_factory=list)
    paused: set[TopicPartition] = field(default_factory=set)
    at: dict[TopicPartition, int] = field(default_factory=dict)
    committed: list[dict[TopicPartition, int]] = field(default_factory=list)
    read: asyncio.Event = field(default_factory=asyncio.Event)
    stops: int = 0
    slow_stop: bool = False
    slow_commit_s: float = 0.0
    more: set[TopicPartition] = field(default_factory=set)
    marks: int = 0
    unreadable: set[int] = field(default_factory=set)

    def __call__(self, **settings) -> "Group":
        assert settings["enable_auto_commit"] is False
        self.settings = settings
        return self

    def subscribe(self, topics, listener) -> None:
        assert topics == ["in"]
        self.listener = listener

    async def start(self) -> None:
        if self.starts:
            raise self.starts.pop(0)
        await self.listener.on_partitions_assigned({IN, *self.more})

    async def stop(self) -> None:
        self.stops += 1
        if self.slow_stop:
            raise KafkaConnectionError

    def highwater(self, place):
        return len(self.site.records()) + self.marks if place in self.at else None

    async def position(self, place):
        return self.at[place] + (self.marks if self.at[place] == len(self.site.records()) else 0)

    def pause(self, *places) -> None:
        self.paused |= set(places)

    def resume(self, *places) -> None:
        self.paused -= set(places)

    def seek(self, place, offset) -> None:
        self.at[place] = offset

    async def commit(self, offsets) -> None:
        await asyncio.sleep(self.slow_commit_s)
        if self.lost:
            raise self.lost.pop(0)
        self.committed.append(offsets)

    async def getmany(self, *places, timeout_ms, max_records):
        await asyncio.sleep(timeout_ms / 100_000)
        self.site.clock.at_s += 1
        self.read.set()
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        got = {}
        for place in (set(places) or self.at.keys()) - self.paused:
            records = self.site.records(self.at[place], self.at[place] + max_records)
            bad = min((each.offset for each in records if each.offset in self.unreadable), default=None)
            if bad is not None:
                self.at[place] = bad
                raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
            if records:
                self.at[place] += len(records)
                got[place] = [Message(each.offset, each.value or None, each.key) for each in records]
        return got


@dataclass
class Hosted:
    """A host of the site's topic, its consumer and the log that its owners write to."""

    site: Site = field(default_factory=Site)
    told: list[int] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)
    refusing: int = 0
    mode: str = "wall"
    wish: float | None = None

    def __post_init__(self) -> None:
        self.group = Group(self.site)
        self.log = MemoryLog(self.site.disk)
        hosting = Hosting(
            topic="in",
            group="g",
            make=self.make,
            owned=self.owned,
            clock=self.mode,
            session=SESSION,
            ending=timedelta(0),
        )
        self.host = Host(hosting, {"bootstrap_servers": "x"}, self.site.clock, self.group)

    refused: int = 0

    def make(self, number: int):
        if number != 0:
            self.refused += 1
            raise AppendFailed("its state has no leader")
        owner = self.site.owner(self.log)
        owner.fold.wake_at = self.wish
        owner.keep = self.kept.append
        return owner

    async def owned(self, owner) -> None:
        if self.refusing:
            self.refusing -= 1
            raise AppendFailed("not now")
        self.told.append(owner.number)

    @property
    def owner(self):
        return self.host.partitions[0]

    @asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.host.run())
        try:
            async with asyncio.timeout(5):
                await self.host.ready.wait()
                yield
        finally:
            await self.host.stop()
            await task

    async def rounds(self, count: int = 3) -> None:
        """Lets the host go round so many times; each takes a second."""
        for _ in range(count):
            self.group.read.clear()
            await self.group.read.wait()


class TestAPartition:
    async def test_is_restored_before_anything_of_it_is_read(self):
        hosted = Hosted()
        hosted.site.put(("a", "out 1"), ("b", "out 1"))
        async with hosted.running():
            await hosted.rounds()
            assert hosted.told == [0]
            assert hosted.owner.fold.counts == {"a": 1, "b": 1}
            assert not hosted.group.paused
        assert hosted.site.put_out() == ["out 1"] * 2

    async def test_goes_on_behind_a_record_that_the_client_cannot_read(self):
        hosted = Hosted()
        hosted.site.put(*[("a", "out 1")] * 7)
        hosted.group.unreadable |= {0, 3, 4}
        async with hosted.running():
            with capture_logs() as told:
                await hosted.rounds(40)
            assert hosted.owner.fold.counts == {"a": 4}
            assert (hosted.owner.next, hosted.owner.dead_letters) == (7, 3)
            assert hosted.host.condition().lag == {0: 0}
        assert hosted.group.stops == 1
        letters = hosted.site.disk.records("deadletter")
        reason = b"it cannot be read from the log: UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff"
        assert all(each.headers[0][1].startswith(reason) for each in letters)
        assert [each.headers[-1] for each in letters] == [("origin", b"in/0:%d:0" % n) for n in (0, 3, 4)]
        missed = [(each["offset"], each["count"]) for each in told if each["event"] == "record.unreadable"]
        assert missed == [(0, 1), (3, 2)]
        assert await hosted.site.owner().start() == 7

    async def test_buries_a_record_that_cannot_be_read_once_the_log_takes_it(self):
        hosted = Hosted()
        hosted.site.put(("a", "x"), ("a", "out 1"))
        hosted.group.unreadable |= {0}
        hosted.log.acts += [Act.GO] * 2 + [Act.FAIL] * 3
        async with hosted.running():
            await hosted.rounds(60)
            assert hosted.owner.fold.counts == {"a": 1}
        assert len(hosted.site.disk.records("deadletter")) == 1

    async def test_passes_over_nothing_for_a_fault_that_is_no_record_s(self):
        hosted = Hosted()
        hosted.group.faults += [ValueError("once"), None, ValueError("again"), None]
        hosted.site.put(*[("a", "x")] * 5)
        async with hosted.running():
            await hosted.rounds(9)
            assert (hosted.owner.fold.counts, hosted.owner.dead_letters) == ({"a": 5}, 0)

    async def test_is_written_to_its_end_when_the_host_stops(self):
        hosted = Hosted()
        hosted.site.put(("a", "x"))
        async with hosted.running():
            await hosted.rounds()
        assert not hosted.host.partitions
        assert await hosted.site.owner().start() == 1

    async def test_is_handed_over_when_it_is_revoked_and_taken_over_anew(self):
        hosted = Hosted()
        hosted.site.put(("a", "x"))
        async with hosted.running():
            await hosted.rounds()
            first = hosted.owner
            await hosted.host.on_partitions_revoked({IN})
            assert not hosted.host.partitions
            assert first.low_water == 1
            await hosted.rounds()
            await hosted.host.on_partitions_assigned({IN})
            await hosted.rounds()
            assert hosted.owner is not first
            assert hosted.group.at[IN] == 1

    async def test_whose_state_cannot_be_written_at_the_end_is_left_to_its_heir(self):
        hosted = Hosted()
        hosted.site.put(("a", "x"))
        async with hosted.running():
            await hosted.rounds()
            hosted.log.acts += [Act.FAIL]
        assert await hosted.site.owner().start() == 0

    async def test_that_is_not_ours_is_not_handed_over(self):
        hosted = Hosted()
        async with hosted.running():
            await hosted.host.on_partitions_revoked({TopicPartition("in", 7)})
            assert list(hosted.host.partitions) == [0]

    async def test_is_woken_by_the_wall_clock(self):
        hosted = Hosted(wish=1_000_001.0)
        async with hosted.running():
            await hosted.rounds(8)
            assert hosted.owner.fold.counts

    async def test_is_not_woken_where_the_events_are_the_clock(self):
        hosted = Hosted(wish=1_000_001.0, mode="events")
        async with hosted.running():
            await hosted.rounds(8)
            assert not hosted.site.records()

    async def test_is_told_to_lag_tools_four_times_a_session(self):
        hosted = Hosted()
        hosted.site.put(("a", "x"))
        async with hosted.running():
            await hosted.rounds(30)
        assert hosted.group.committed[-1] == {IN: 1}
        assert 8 <= len(hosted.group.committed) <= 40 * COMMITS_A_SESSION / SESSION.total_seconds()

    async def test_is_surely_ours_for_a_session_after_the_group_said_so(self):
        hosted = Hosted()
        hosted.group.lost += [CommitFailedError()] * 5
        async with hosted.running():
            await hosted.rounds(6)
            assert hosted.kept == []
            await hosted.rounds(12)
            assert len(hosted.kept) == len(hosted.group.committed) > 1
            assert hosted.kept[-1] <= hosted.site.clock.at_s + SESSION.total_seconds()
        assert hosted.kept[-1] == 0

    async def test_is_doubted_as_soon_as_the_group_asks_for_it(self):
        hosted = Hosted()
        async with hosted.running():
            await hosted.rounds()
            async with hosted.host._lock:
                leaving = asyncio.create_task(hosted.host.on_partitions_revoked({IN}))
                await asyncio.sleep(0.01)
                assert hosted.kept[-1] == 0
            await leaving

    async def test_is_confirmed_by_an_answer_that_takes_long(self):
        hosted = Hosted()
        hosted.group.slow_commit_s = 0.02
        async with hosted.running():
            await hosted.rounds(60)
            assert len(hosted.kept) >= 1
            assert hosted.kept[-1] < hosted.site.clock.at_s + SESSION.total_seconds()

    async def test_that_cannot_be_taken_over_does_not_stop_the_others(self):
        hosted = Hosted()
        hosted.site.put(("a", "x"))
        hosted.group.more = {TopicPartition("in", 1)}
        async with hosted.running():
            await hosted.rounds(6)
            assert hosted.owner.fold.counts == {"a": 1}
            assert hosted.group.paused == hosted.group.more
            assert 2 <= hosted.refused <= 6

    async def test_is_not_read_while_its_owner_is_full(self):
        hosted = Hosted()
        async with hosted.running():
            hosted.owner.is_full = True
            await hosted.rounds()
            hosted.site.put(("a", "x"))
            await hosted.rounds()
            assert (hosted.owner.next, hosted.group.paused) == (0, {IN})
            hosted.owner.is_full = False
            await hosted.rounds()
            assert (hosted.owner.next, hosted.group.paused) == (1, set())

    async def test_stays_closed_while_its_owner_is_full_though_the_log_is_back_and_the_other_way_round(self):
        hosted = Hosted()
        async with hosted.running():
            await hosted.rounds()
            hosted.log.acts += [Act.FAIL] * 4
            hosted.site.put(("a", "out 1"))
            await hosted.rounds(2)
            hosted.owner.is_full = True
            await hosted.rounds(30)
            assert not hosted.log.acts
            assert hosted.group.paused == {IN}
            hosted.log.acts += [Act.FAIL] * 1000
            hosted.owner.is_full = False
            await hosted.rounds()
            assert not hosted.group.paused
            hosted.owner.is_full = True
            await hosted.rounds()
            hosted.host._blocked[IN] = hosted.site.clock.at_s + 1000
            hosted.owner.is_full = False
            await hosted.rounds()
            assert hosted.group.paused == {IN}
            hosted.log.acts.clear()


class TestALogThatFails:
    async def test_pauses_the_partition_until_what_is_owed_is_put_out(self):
        hosted = Hosted()
        async with hosted.running():
            await hosted.rounds()
            hosted.log.acts += [Act.FAIL, Act.FAIL]
            hosted.site.put(("a", "out 1"))
            await hosted.rounds(20)
            assert hosted.owner.fold.counts == {"a": 1}
            hosted.site.put(("a", "out 1"))
            await hosted.rounds(20)
            assert hosted.owner.fold.counts == {"a": 2}
        assert hosted.site.put_out() == ["out 1"] * 2

    async def test_reads_nothing_further_while_something_is_owed(self):
        hosted = Hosted()
        async with hosted.running():
            await hosted.rounds()
            hosted.log.acts += [Act.FAIL] * 1000
            hosted.site.put(("a", "out 1"))
            await hosted.rounds(5)
            hosted.site.put(("a", "out 1"))
            await hosted.rounds(20)
            assert hosted.owner.fold.counts == {"a": 1}
            assert hosted.group.paused == {IN}
            hosted.log.acts.clear()

    async def test_that_answers_no_more_does_not_keep_a_host_from_stopping(self):
        hosted = Hosted()
        async with hosted.running():
            hosted.log.acts.append(Act.PAUSE)
            hosted.site.put(("a", "out 1"))
            await hosted.log.paused.wait()
        hosted.log.go_on.set()
        heir = hosted.site.owner()
        assert await heir.start() == 1
        assert hosted.site.put_out() == ["out 1"]

    async def test_does_not_stop_the_fold_when_only_state_is_refused(self):
        hosted = Hosted()
        async with hosted.running():
            hosted.site.put(("a", "x"))
            await hosted.rounds()
            hosted.log.acts += [Act.FAIL] * 3
            await hosted.rounds(35)
            hosted.site.put(("a", "x"))
            await hosted.rounds()
            assert hosted.owner.snapshot_failures == 3
            assert hosted.owner.fold.counts == {"a": 2}


class TestABrokerThatIsAway:
    async def test_is_asked_again(self):
        hosted = Hosted()
        hosted.site.put(("a", "x"))
        hosted.group.starts += [KafkaConnectionError()]
        async with hosted.running():
            await hosted.rounds()
            assert hosted.owner.fold.counts == {"a": 1}
        assert hosted.group.stops == 2

    async def test_while_reading_costs_nothing_that_was_folded(self):
        hosted = Hosted()
        hosted.site.put(("a", "out 1"))
        async with hosted.running():
            await hosted.rounds()
            hosted.group.faults += [KafkaConnectionError()]
            await hosted.rounds(6)
            hosted.site.put(("a", "out 1"))
            await hosted.rounds()
            assert hosted.owner.next == 2
        assert hosted.site.put_out() == ["out 1"] * 2

    async def test_while_a_partition_is_taken_over_leaves_it_to_the_next_try(self):
        hosted = Hosted(refusing=1)
        async with hosted.running():
            assert hosted.told == [0]
            claims = [each for each in hosted.site.disk.records("state") if each.key.startswith(b"claim/")]
            assert [each.key for each in claims if each.value] == [b"claim/owner-1", b"claim/owner-2"]

    async def test_while_leaving_is_passed_over(self):
        hosted = Hosted()
        hosted.group.slow_stop = True
        async with hosted.running():
            pass
        assert hosted.group.stops == 1

    async def test_for_long_is_asked_ever_more_slowly_and_given_up_at_once_when_stopped(self):
        hosted = Hosted()
        hosted.group.starts += [KafkaConnectionError()] * 1000
        task = asyncio.create_task(hosted.host.run())
        await asyncio.sleep(0.4)
        await hosted.host.stop()
        async with asyncio.timeout(0.3):
            await task
        assert 2 <= hosted.group.stops <= 4


class TestTheConditionOfAHost:
    async def test_tells_what_it_owns_how_far_it_is_and_what_is_still_to_come(self):
        hosted = Hosted()
        hosted.site.put(("a", "x"), ("b", "x"))
        assert not hosted.host.condition().joined
        async with hosted.running():
            await hosted.rounds()
            told = hosted.host.condition()
            assert (told.topic, told.joined) == ("in", True)
            assert (told.owned, told.restoring, told.blocked) == ([0], [], [])
            assert (told.reached, told.lag) == ({0: 2}, {0: 0})
            hosted.owner.is_full = True
            await hosted.rounds()
            hosted.site.put(("a", "x"))
            assert hosted.host.condition().lag == {0: 1}
        assert not hosted.host.condition().joined

    async def test_is_not_behind_where_only_the_marks_of_transactions_follow(self):
        hosted = Hosted()
        hosted.site.put(("a", "x"))
        hosted.group.marks = 1
        async with hosted.running():
            await hosted.rounds()
            assert (hosted.host.condition().reached, hosted.host.condition().lag) == ({0: 1}, {0: 0})
            hosted.group.pause(IN)
            hosted.group.marks = 0
            hosted.site.put(("a", "x"))
            await hosted.rounds()
            assert hosted.host.condition().lag == {0: 1}

    async def test_tells_what_waits_to_be_restored_and_what_is_blocked(self):
        hosted = Hosted()
        hosted.group.more = {TopicPartition("in", 1)}
        async with hosted.running():
            await hosted.rounds()
            assert hosted.host.condition().restoring == [1]
            hosted.log.acts += [Act.FAIL] * 1000
            hosted.site.put(("a", "out 1"))
            await hosted.rounds()
            assert hosted.host.condition().blocked == [0]
            hosted.log.acts.clear()

    async def test_says_that_a_log_was_replaced_where_it_ends_before_what_was_folded_of_it(self):
        hosted = Hosted()
        hosted.site.put(("a", "x"), ("b", "x"))
        async with hosted.running():
            await hosted.rounds()
            with capture_logs() as told:
                hosted.group.marks = -1
                await hosted.rounds(25)
                assert hosted.host.condition().blocked == []
                await hosted.rounds(20)
                assert hosted.host.condition().blocked == [0]
            said = [each for each in told if each["event"] == "log.replaced"]
            assert [(each["end"], each["folded"], each["log_level"]) for each in said] == [(1, 2, "error")]
            hosted.group.marks = 0
            await hosted.rounds()
            assert hosted.host.condition().blocked == []

    async def test_does_not_say_so_of_pages_which_begin_wherever_they_do(self):
        hosted = Hosted()
        hosted.site.put(("a", "x"))
        async with hosted.running():
            hosted.owner.is_bound = False
            hosted.group.marks = -1
            await hosted.rounds(45)
            assert hosted.host.condition().blocked == []

    async def test_grows_old_while_the_host_hangs_and_not_while_its_broker_is_away(self):
        hosted, hanging = Hosted(), asyncio.Event()
        hosted.group.starts += [KafkaConnectionError("away")] * 2
        task = asyncio.create_task(hosted.host.run())
        await hosted.rounds()
        assert hosted.host.condition().turn_age_s <= 1

        async def hangs() -> None:
            hanging.set()
            await asyncio.Event().wait()

        hosted.owner.settle = hangs
        await hanging.wait()
        hosted.site.clock.at_s += 1000
        assert hosted.host.condition().turn_age_s >= 1000
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def test_tells_since_when_the_brokers_have_not_heard_of_it(self):
        hosted = Hosted()
        assert hosted.host.condition().confirmed_age_s is None
        async with hosted.running():
            await hosted.rounds(8)
            heard_s = hosted.host.condition().confirmed_age_s
            assert heard_s <= SESSION.total_seconds()
            hosted.group.lost += [KafkaConnectionError("away")] * 100
            await hosted.rounds(40)
            assert hosted.host.condition().confirmed_age_s >= 40
