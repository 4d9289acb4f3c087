"""Probes go through detect, route and notify; where they do not come out in time, nobody outside is told."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from detectors.bank import Bank
from routing.router import PROBE, Router
from schemas.cause import ConfigFile, Configured
from schemas.probe import Passed
from schemas.record import Origin, Record
from schemas.wire import decode_posted, encode
from streams.hosting.emission import Destination, Emission
from streams.hosting.log import Outgoing
from streams.hosting.settings import read_settings
from streams.hosting.topics import CAUSES, DEADLETTER, EVENTS, PAGES
from streams.watching.beating import calling
from streams.watching.figures import exposition
from streams.watching.probing import Probes
from tests.fakes import InHand
from tests.memory_log import Act, Disk, MemoryLog
from tests.simulation.owners import HandClock
from tests.streams.test_desk import desk
from tests.streams.test_health import EVERY, Switch, health

RULES = ConfigFile("oversight.yml", "route: {receiver: r}\nreceivers: [{name: r}]\n")


class Pipeline:
    """Detect, route and notify on a log in memory; each goes on when it is told to."""

    def __init__(self, *acts: Act, partitions: int = 1) -> None:
        self.clock, self.disk = HandClock(), Disk()
        self.log = MemoryLog(self.disk, list(acts))
        self.ours = range(partitions)
        self.here = True
        self.probes = Probes(self.log, self.clock, lambda: self.ours, lambda: self.here)
        places = {"causes": CAUSES, "pages": PAGES, "deadletter": DEADLETTER}
        goes = {stream: Destination(topic) for stream, topic in places.items()}
        self.emission = Emission(self.log, goes, self.clock, "wall")
        self.banks = [Bank(read_settings, partition=n, partitions=partitions) for n in self.ours]
        self.router = Router()
        self.desk, *_ = desk(probed=self.probes.passed)
        self.read: dict[tuple[str, int], int] = {}

    def configure(self) -> None:
        said = Configured(at=self.clock.now(), digest="d", files=(RULES,))
        self.disk.put(CAUSES, 0, [Outgoing(b"config", encode(said))])

    async def send(self) -> None:
        """A round of probes."""
        task = asyncio.create_task(self.probes.run(timedelta(hours=1)))
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def fresh(self, topic: str, number: int = 0) -> list[Record]:
        """What nobody took yet."""
        records = self.disk.records(topic, number)[self.read.get((topic, number), 0) :]
        self.read[topic, number] = len(self.disk.records(topic, number))
        return records

    async def detect(self) -> None:
        for number, bank in enumerate(self.banks):
            await self._fold(bank, EVENTS, number)

    async def route(self) -> None:
        await self._fold(self.router, CAUSES, 0)

    async def _fold(self, fold, topic: str, number: int) -> None:
        for record in self.fresh(topic, number):
            given = enumerate(fold.apply(record))
            await self.emission.put(
                [(Origin(f"{topic}/{number}", record.offset, n), each) for n, each in given]
            )

    async def notify(self, *, ours: bool = True) -> list[str]:
        """What became of each."""
        arrivals = [InHand(each.value) for each in self.fresh(PAGES)]
        for each in arrivals:
            each.ours = ours
            self.desk.take(each)
        await self.desk.idle()
        return [each.fate for each in arrivals]

    async def round(self) -> None:
        await self.send()
        await self.detect()
        await self.route()
        await self.notify()


async def test_a_probe_of_each_partition_comes_through_and_is_needed_again_a_minute_later():
    t = Pipeline(partitions=3)
    t.configure()
    await t.round()
    assert t.probes.lacks() == ""
    t.clock.at_s += 59
    assert t.probes.lacks() == ""
    t.clock.at_s += 1
    assert t.probes.lacks() == (
        "no probe came through within 60 s of agent.events/0, agent.events/1, agent.events/2"
    )


async def test_before_the_first_one_and_of_a_partition_that_stands_still_something_lacks():
    t = Pipeline(partitions=2)
    assert t.probes.lacks() == "no probe came through within 60 s of agent.events/0"
    t.configure()
    t.ours = [1]
    await t.round()
    assert t.probes.lacks() == "no probe came through within 60 s of agent.events/0"


@pytest.mark.parametrize("stage", ["detect", "route", "notify"])
async def test_what_waits_at_a_stage_for_over_a_minute_did_not_come_through(stage):
    t = Pipeline()
    t.configure()
    await t.send()
    for each in ("detect", "route", "notify"):
        t.clock.at_s += 61 if each == stage else 0
        await getattr(t, each)()
    assert "agent.events/0" in t.probes.lacks()


async def test_a_probe_of_a_time_to_come_tells_nothing_of_how_long_it_took():
    t = Pipeline()
    t.configure()
    t.clock.at_s += 3600
    await t.send()
    t.clock.at_s -= 3600
    for each in ("detect", "route", "notify"):
        await getattr(t, each)()
    assert "agent.events/0" in t.probes.lacks()


async def test_without_a_configuration_nobody_could_be_told_and_no_probe_comes_through():
    t = Pipeline()
    await t.round()
    assert t.probes.lacks()
    t.configure()
    await t.round()
    assert t.probes.lacks() == ""


async def test_a_probe_that_is_another_owners_by_now_is_left_to_it():
    t = Pipeline()
    t.configure()
    await t.send()
    await t.detect()
    await t.route()
    assert await t.notify(ours=False) == [""]
    assert t.probes.lacks()


async def test_a_probe_that_cannot_be_written_is_missed_and_told_and_those_after_it_are_sent():
    t = Pipeline(Act.FAIL, partitions=2)
    t.configure()
    with capture_logs() as told:
        await t.round()
    assert [(each["event"], each["partition"]) for each in told] == [("probe.failed", "agent.events/0")]
    assert len(t.disk.records(EVENTS, 1)) == 1


async def test_probes_change_nothing_and_are_no_pages():
    t = Pipeline()
    t.configure()
    before = t.banks[0].mark()
    await t.round()
    assert t.banks[0].mark() == before
    assert t.banks[0].unsaved() == {}
    assert t.disk.records(DEADLETTER) == []
    [page] = t.disk.records(PAGES)
    assert page.key == PROBE.encode()
    assert decode_posted(page.value) == Passed(partition=0, partitions=1, sent=t.clock.now())


async def beats(well, url: str, outcome: str) -> None:
    """Calls until one call has come to that."""
    task = asyncio.create_task(calling(url, well, EVERY))
    while f'oversight_heartbeats_total{{outcome="{outcome}"}}' not in exposition(well.samples()):  # noqa: ASYNC110 - counted in the task
        await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_switch_is_called_while_probes_come_through_and_by_the_worker_where_they_come_out():
    switch, well, t = Switch(), health(), Pipeline()
    well.probes = t.probes
    t.configure()
    async with switch.running() as url:
        with capture_logs() as told:
            await beats(well, url, "withheld")
        assert told[0]["why"] == "no probe came through within 60 s of agent.events/0"
        assert switch.beats == 0
        await t.round()
        await beats(well, url, "taken")
        assert switch.beats >= 1
        t.here = False
        called = switch.beats
        await beats(well, url, "left")
        assert switch.beats == called
