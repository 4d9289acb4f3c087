"""The last events of an agent, on partitions that never stand still."""

from datetime import timedelta
from types import SimpleNamespace

from aiokafka import TopicPartition
from msgspec.structs import replace

from schemas.wire import encode
from streams.drilling.rehearsal import REMEMBERED
from streams.drilling.search import BACK, MOST_BACK, WITHIN_S, last_events
from streams.history import partition_of
from streams.hosting.topics import EVENTS
from tests.detectors.agent_events import START_S, event
from tests.routing.scenario import START

PLACES = [TopicPartition(EVENTS, number) for number in (0, 1)]
OTHER = encode(event(START_S, agent={"name": "other"}))


def of(agent: str, at_s: float = 0.0) -> bytes:
    return encode(event(START_S + at_s, agent={"name": agent}))


class Busy:
    """Partitions to which others append whenever somebody reads; the clock goes on with each read."""

    def __init__(self, *logs: list[bytes], grows: int = 50, stuck: bool = False, since: int = 0) -> None:
        self.logs = dict(zip(PLACES, logs, strict=True))
        self.at = dict.fromkeys(PLACES, 0)
        self.reads = 0
        self.looked = 0
        self._grows, self._stuck, self._since = grows, stuck, since

    def now(self):
        return START + timedelta(seconds=self.monotonic_s())

    def monotonic_s(self) -> float:
        return self.reads * 0.1

    async def end_offsets(self, places):
        return {each: len(self.logs[each]) for each in places}

    async def beginning_offsets(self, places):
        return dict.fromkeys(places, 0)

    async def offsets_for_times(self, times):
        assert set(times.values()) == {int((self.now() - BACK).timestamp() * 1000)}
        return {each: SimpleNamespace(offset=self._since) if each == PLACES[0] else None for each in times}

    def seek(self, place, offset):
        self.at[place] = offset

    async def position(self, place):
        return self.at[place]

    async def getmany(self, *places, max_records, **_):
        self.reads += 1
        for log in self.logs.values():
            log.extend([OTHER] * self._grows)
        if self._stuck:
            return {}
        got = {}
        for place in places:
            at = self.at[place]
            here = self.logs[place][at : at + max_records]
            got[place] = [SimpleNamespace(value=value, offset=at + n) for n, value in enumerate(here)]
            self.at[place] = at + len(here)
            self.looked += len(here)
        return got


async def found_on(busy: Busy, agent: str = "ana"):
    return await last_events(busy, PLACES, agent, busy)


async def test_it_ends_where_the_log_ended_as_it_began_however_fast_it_grows():
    busy = Busy([OTHER] * 600, [of("ana", n) for n in range(30)], grows=5_000)
    found = await found_on(busy)
    assert (found.partition, found.key, len(found.events)) == (1, b"ana", 30)
    assert busy.reads < 5


async def test_it_ends_though_nothing_comes():
    busy = Busy([OTHER], [OTHER], stuck=True)
    assert (await found_on(busy)).events == ()
    assert busy.monotonic_s() <= 2 * WITHIN_S + 1


async def test_a_quiet_agent_on_a_busy_partition_is_found_by_time():
    busy = Busy([of("ana"), *[OTHER] * (REMEMBERED + 1000)], [])
    found = await found_on(busy)
    assert (found.partition, len(found.events)) == (0, 1)


async def test_what_is_too_old_or_too_far_is_not_looked_for():
    log = [of("ana"), *[OTHER] * (MOST_BACK + REMEMBERED)]
    assert (await found_on(Busy(log, [], grows=0))).events == ()
    assert (await found_on(Busy(log[:6_000], [], since=500))).events == ()


async def test_where_little_is_found_in_the_last_records_more_is_looked_for():
    log = [*(of("ana", n) for n in range(30)), *[OTHER] * REMEMBERED, of("ana", 99)]
    found = await found_on(Busy(log, []))
    assert len(found.events) == 31
    assert sorted(found.events, key=lambda each: each.time) == list(found.events)


async def test_of_an_agent_that_was_not_found_the_name_tells_where_its_events_go():
    found = await found_on(Busy([OTHER], [b"no event"]), "nobody")
    assert (found.partition, found.key, found.events) == (partition_of(b"nobody", 2), b"nobody", ())


async def test_events_of_a_drill_are_none_and_the_last_ones_alone_are_kept():
    drilled = encode(replace(event(START_S, agent={"name": "ana"}), drill="cost/spike:x"))
    busy = Busy([drilled] * 30, [of("ana", n) for n in range(REMEMBERED)], grows=0)
    found = await found_on(busy)
    assert (found.partition, len(found.events)) == (1, REMEMBERED)
