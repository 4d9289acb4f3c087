"""The watch over the files of the rules: it never ends, never stands in the way, and keeps reminding."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiokafka.errors import KafkaTimeoutError

from schemas.cause import Configured, Signalled
from schemas.wire import decode_cause
from streams.hosting.rulebook import Rulebook, read_rules
from streams.hosting.topics import CAUSES
from tests.memory_log import Disk, MemoryLog
from tests.simulation.owners import HandClock

GOOD = "route: {receiver: r}\nreceivers: [{name: r, notify: [{terminal: screen}]}]\n"
BETTER = GOOD.replace("screen", "stage")
BAD = "route: {receiver: nobody}\n"


class MuteLog(MemoryLog):
    """A log whose broker does not say, the first time it is asked, how many partitions there are."""

    asked = 0

    async def partitions(self, topic: str) -> int:
        self.asked += 1
        if self.asked == 1:
            raise KafkaTimeoutError
        return await super().partitions(topic)


class Office:
    """A file with rules, and whoever watches it."""

    def __init__(self, tmp_path) -> None:
        self.path = tmp_path / "rules.yml"
        self.path.write_text(GOOD)
        self.disk, self.clock = Disk(), HandClock()
        self.log = MuteLog(self.disk)
        rules, soon = read_rules(self.path, {}), timedelta(milliseconds=1)
        self.book = Rulebook(self.path, rules, self.log, self.clock, "wall", variables={}, every=soon)

    @property
    def causes(self):
        return [decode_cause(each.value) for each in self.disk.records(CAUSES)]

    @property
    def told(self):
        return [
            (each.signal.state, each.signal.onset.timestamp(), each.signal.time.timestamp())
            for each in self.causes
            if isinstance(each, Signalled)
        ]

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        watching = asyncio.create_task(self.book.watch())
        yield
        assert not watching.done()
        watching.cancel()


@pytest.fixture
def office(tmp_path) -> Office:
    return Office(tmp_path)


async def test_the_watch_goes_on_whatever_a_look_raises(office):
    async with office.watched(), asyncio.timeout(10):
        office.path.write_text(BETTER)
        while office.log.asked < 2:  # noqa: ASYNC110 - the log is a plain object
            await asyncio.sleep(0.01)
    assert office.book.rules.files[0].text == BETTER
    assert all(isinstance(each, Configured) for each in office.causes)


async def test_files_that_do_not_hold_are_read_once_and_asserted_each_minute(office):
    start_s = office.clock.at_s
    office.path.write_text(BAD)
    for at_s in (0, 30, 60, 90, 125):
        office.clock.at_s = start_s + at_s
        await office.book.look()
    assert office.told == [
        ("firing", start_s, start_s),
        ("firing", start_s, start_s + 60),
        ("firing", start_s, start_s + 125),
    ]
    office.path.write_text(GOOD)
    await office.book.look()
    assert office.told[3:] == [("resolved", start_s, start_s + 125)]


async def test_large_rules_are_read_while_the_loop_goes_on(office):
    routes = "".join(f"  - {{receiver: r, matchers: ['team=\"t{n}\"']}}\n" for n in range(300))
    large = "route:\n  receiver: r\n  routes:\n" + routes + GOOD.splitlines()[1] + "\n"
    office.path.write_text(large)
    turns = 0
    looking = asyncio.create_task(office.book.look())
    while not looking.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 10
    assert office.book.rules.files[0].text == GOOD
    assert isinstance(looking.exception(), KafkaTimeoutError)
