"""A partition of the pages: owners come and go, and no page is lost or sent twice without a reason."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf

import pytest

from schemas.outcome import Deferred
from schemas.page import Channel
from schemas.record import Record
from schemas.wire import encode
from streams.delivering.deliveries import BACKLOG, HAND_OVER_WITHIN, MARK_WITHIN, Deliveries
from streams.delivering.desk import Desk
from streams.delivering.notify import Mail, Office, hosting
from streams.delivering.outcomes import Outcomes
from streams.hosting.host import HEARD_OF_WITHIN
from tests.fakes import NOW, Script, Wire, page
from tests.memory_log import Act, Disk, MemoryLog
from tests.simulation.owners import HandClock


@dataclass
class Post:
    """The disk, and owners of one partition on it, one after another."""

    disk: Disk = field(default_factory=Disk)
    script: Script = field(default_factory=Script)
    wire: Wire = field(default_factory=Wire)
    clock: HandClock = field(default_factory=HandClock)
    owners: int = 0

    before: Outcomes | None = None
    oldest: timedelta | None = None

    def owner(self, acts=(), **more) -> Deliveries:
        self.owners += 1
        log = MemoryLog(self.disk, list(acts))
        self.before = outcomes = Outcomes(log, ("outcomes", 0), f"owner-{self.owners}", **more)
        desk = Desk(
            self.script,
            outcomes,
            report=self.wire.report,
            bury=self.wire.bury,
            now=lambda: NOW,
            at=lambda message: message.time,
            oldest=self.oldest,
        )
        owner = Deliveries(0, desk, outcomes, self.clock)
        owner.keep(self.clock.at_s + 100)
        return owner

    def hold(self, *numbers: int) -> None:
        for n in numbers:
            self.script.gates[f"pag-{n}"] = asyncio.Event()

    def go_on(self, *numbers: int) -> None:
        for n in numbers:
            self.script.gates.pop(f"pag-{n}").set()

    @property
    def attempted(self) -> list[str]:
        return [page for page, _ in self.script.attempted]

    async def settled(self, owner: Deliveries) -> int:
        """The low-water mark once everything that may move has moved."""
        await asyncio.sleep(0.01)
        self.clock.at_s += 2
        await owner.settle()
        return owner.low_water


def records(*numbers: int, first: int = 0) -> list[Record]:
    return [
        Record(first + place, encode(page(id=f"pag-{n}", channel=Channel(kind="slack", target=f"#{n}"))))
        for place, n in enumerate(numbers)
    ]


async def test_the_mark_is_the_first_that_is_not_seen_through():
    post = Post()
    post.hold(2)
    owner = post.owner()
    assert await owner.start() is None
    await owner.take(records(1, 2, 3))
    assert await post.settled(owner) == 1
    post.go_on(2)
    assert await post.settled(owner) == 3
    assert owner.next == 3


async def test_whoever_comes_after_a_crash_begins_at_the_mark_and_sends_only_what_was_not_recorded():
    post = Post()
    post.hold(2)
    dead = post.owner()
    await dead.start()
    await dead.take(records(1, 2, 3))
    await post.settled(dead)
    heir = post.owner()
    assert await heir.start() == 1
    del post.script.gates["pag-2"]
    await heir.take(records(2, 3, first=1))
    assert await post.settled(heir) == 3
    assert sorted(post.attempted) == ["pag-1", "pag-2", "pag-2", "pag-3"]
    assert [each.page for each in post.wire.reported].count("pag-3") == 2


async def test_what_runs_at_a_hand_over_is_finished_and_what_waits_is_the_heirs():
    post = Post()
    post.hold(1)
    owner = post.owner()
    await owner.start()
    first, second = records(1, 1)
    waiting = Record(1, encode(page(id="pag-9", channel=Channel(kind="slack", target="#1"))))
    assert second.offset == waiting.offset
    await owner.take([first, waiting])
    await asyncio.sleep(0.01)
    leaving = asyncio.create_task(owner.hand_over())
    await asyncio.sleep(0.01)
    assert not leaving.done()
    post.go_on(1)
    await leaving
    assert owner.low_water == 1
    assert post.attempted == ["pag-1"]
    heir = post.owner()
    assert await heir.start() == 1
    await heir.take([waiting])
    await post.settled(heir)
    assert post.attempted == ["pag-1", "pag-9"]


async def test_a_mark_that_cannot_be_written_is_written_later():
    post = Post()
    owner = post.owner([Act.GO, Act.GO, Act.GO, Act.FAIL])
    await owner.start()
    await owner.take(records(1))
    assert await post.settled(owner) is None
    assert await post.settled(owner) == 1


async def test_the_mark_is_written_once_a_second_at_most():
    post = Post()
    owner = post.owner()
    await owner.start()
    assert await post.settled(owner) is None
    await owner.take(records(1))
    await asyncio.sleep(0.01)
    await owner.settle()
    assert (owner.reached, owner.low_water) == (1, None)
    assert await post.settled(owner) == 1


async def test_it_asks_for_no_more_while_thousands_are_in_hand():
    post = Post()
    post.hold(*range(BACKLOG))
    owner = post.owner()
    await owner.start()
    await owner.take(records(*range(BACKLOG - 1)))
    assert not owner.is_full
    await owner.take(records(BACKLOG - 1, first=BACKLOG - 1))
    assert owner.is_full
    post.go_on(*range(BACKLOG))
    async with asyncio.timeout(30):
        while await post.settled(owner) < BACKLOG:
            pass
    assert not owner.is_full


async def test_pages_of_a_topic_that_was_made_anew_are_sent_too():
    post = Post()
    first = post.owner()
    await first.start()
    await first.take(records(1, 2, 3))
    await asyncio.sleep(0.01)
    await first.hand_over()
    heir = post.owner()
    assert await heir.start() == 3
    await heir.take(records(4))
    assert await post.settled(heir) == 1
    assert post.attempted[-1] == "pag-4"


async def test_after_a_pause_nothing_begins_until_the_group_confirms_the_partition():
    post = Post()
    owner = post.owner()
    await owner.start()
    post.clock.at_s += 101
    await owner.take(records(1))
    await asyncio.sleep(0.1)
    assert post.attempted == []
    owner.keep(post.clock.at_s + 10)
    await asyncio.sleep(0.1)
    assert post.attempted == ["pag-1"]


async def test_after_a_pause_in_which_the_partition_was_lost_nothing_begins_at_all():
    post = Post()
    owner = post.owner()
    await owner.start()
    post.clock.at_s += 101
    await owner.take(records(1))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(5):
        await owner.hand_over()
    assert (post.attempted, owner.low_water) == ([], 0)
    assert await post.owner().start() == 0


async def test_what_ended_but_could_not_be_written_in_time_is_known_to_the_heir_in_the_same_process():
    post = Post()
    owner = post.owner([Act.GO, Act.GO, Act.PAUSE])
    await owner.start()
    await owner.take(records(1))
    await asyncio.sleep(0.01)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(owner.hand_over(), 0.05)
    heir = post.owner(before=post.before)
    await heir.start()
    await heir.take(records(1))
    assert await post.settled(heir) == 1
    assert post.attempted == ["pag-1"]


async def test_what_was_asked_for_long_ago_is_not_sent_and_the_router_hears_of_it():
    post = Post(oldest=timedelta(hours=1))
    owner = post.owner()
    await owner.start()
    old, late = (page(id=f"pag-{age}", time=NOW - timedelta(minutes=age)) for age in (61, 59))
    await owner.take([Record(0, encode(old)), Record(1, encode(late))])
    assert await post.settled(owner) == 2
    assert post.attempted == ["pag-59"]
    outcomes = {each.page: each.outcome for each in post.wire.reported}
    assert isinstance(outcomes["pag-61"], Deferred)
    assert "too long ago" in outcomes["pag-61"].reason
    assert outcomes["pag-61"].unsent


async def test_a_mark_that_takes_long_does_not_keep_the_host_waiting():
    post = Post()
    owner = post.owner([Act.GO, Act.GO, Act.GO, Act.PAUSE])
    await owner.start()
    await owner.take(records(1))
    await asyncio.sleep(0.01)
    post.clock.at_s += 2
    async with asyncio.timeout(2 * MARK_WITHIN.total_seconds()):
        await owner.settle()
    assert owner.low_water is None


async def test_it_owes_nothing_and_waits_for_no_time():
    owner = Post().owner()
    await owner.pay()
    await owner.wake()
    assert owner.next is None


async def test_the_office_gives_each_partition_an_owner_that_reports_and_buries():
    disk = Disk()
    office = Office(
        courier=Script(),
        log=MemoryLog(disk),
        clock=HandClock(),
        at=lambda _: NOW,
        mail=Mail(pages="p", causes="c"),
    )
    told = hosting(office, "group", session=timedelta(0))
    assert (told.topic, told.group) == ("p", "group")
    assert told.rebalance > HAND_OVER_WITHIN + HEARD_OF_WITHIN / 2
    owner = told.make(3)
    assert await owner.start() is None
    await told.owned(owner)
    owner.keep(inf)
    await owner.take([*records(1), Record(1, b"junk")])
    await asyncio.sleep(0.01)
    await owner.hand_over()
    assert owner.low_water == 2
    (report,) = disk.records("c")
    assert b"pag-1" in report.value
    (buried,) = disk.records("oversight.deadletter")
    assert (buried.value, dict(buried.headers)["origin"]) == (b"junk", b"p")
    assert {each.key for each in disk.records("oversight.outcomes", 3) if each.value} >= {b"delivered/pag-1"}
