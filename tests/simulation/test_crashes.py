"""Whatever happens to owners, the receiver sees each output once and the state is the log's."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.bank import Bank
from detectors.settings import Settings
from schemas.control import Probe, Tick
from schemas.wire import encode, moment
from streams.fold import Fold
from streams.hosting.log import Outgoing
from streams.hosting.partition import Partition
from streams.hosting.snapshots import Snapshots
from tests.memory_log import Act, MemoryLog
from tests.routing.scenario import a_router
from tests.simulation.counting import Counter
from tests.simulation.owners import TOPICS, Reign, World
from tests.simulation.test_routing import TROUBLES, Weather

START = 1_767_225_600.0
AGENTS = ["ana", "bo", "chi"]


def bank() -> Bank:
    return Bank(lambda _: Settings(), "events", kinds={"counter": Counter})


def event(n: int, agent: str, at_s: float) -> bytes:
    said = {"operation": {"name": "chat"}, "agent": {"name": agent}}
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": f"e{n}",
            "source": "s",
            "type": "agent.operation.v1",
            "time": moment(at_s),
            "data": said,
        }
    )


WHATS = ["event", "event", "event", "tick", "probe", "probe", "broken"]
steps = st.tuples(st.sampled_from(WHATS), st.sampled_from(AGENTS), st.floats(-3, 12))
ACTS = [Act.GO] * 20 + [act for act in Act if act is not Act.REFUSE]
acts = st.lists(st.sampled_from(ACTS), min_size=5, max_size=60)
troubles = st.tuples(acts, st.integers(1, 9), st.integers(0, 12), st.floats(0.2, 1.0))
reigns = st.lists(troubles, min_size=1, max_size=5)
slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
NEVER = timedelta(days=365)


def records_of(drawn: Sequence[tuple[str, str, float]]) -> list[Outgoing]:
    at_s, records = START, []
    for n, (what, agent, gap_s) in enumerate(drawn):
        at_s += gap_s
        match what:
            case "event":
                value = event(n, agent, at_s)
            case "tick":
                value = encode(Tick(time=moment(at_s)))
            case "probe":
                value = encode(Probe(time=moment(at_s)))
            case _:
                value = b"not an event"
        records.append(Outgoing(agent.encode(), value))
    return records


@given(st.lists(steps, min_size=20, max_size=80), reigns)
@settings(slow, max_examples=settings().max_examples * 2)
def test_crashes_pauses_and_lost_answers_change_nothing_that_comes_of_detection(drawn, drawn_reigns):
    records = records_of(drawn)
    asyncio.run(disturbed(bank, records, reigns_of(drawn_reigns, len(records))))


@cache
def causes(seed: int) -> Sequence[Outgoing]:
    """What routing was told in one weather: a configuration, signals, words of people, outcomes, wakes."""
    weather = Weather(seed, TROUBLES["all"])
    weather.trouble.crash = 0.0
    weather.run()
    return [Outgoing(b"", value) for value in [*weather.log[:150], b"no cause", *weather.log[150:300]]]


@given(st.integers(0, 4), reigns)
@settings(slow, max_examples=settings().max_examples // 2)
def test_crashes_pauses_and_lost_answers_change_nothing_that_comes_of_routing(seed, drawn_reigns):
    records = causes(seed)
    asyncio.run(disturbed(a_router, records, reigns_of(drawn_reigns, len(records))))


def reigns_of(drawn, count: int) -> list[Reign]:
    return [Reign(int(count * share), batch, again, tuple(acts)) for acts, batch, again, share in drawn]


async def undisturbed(make: Callable[[], Fold], records: Sequence[Outgoing]) -> tuple[World, Partition]:
    world = World(make)
    world.disk.put("in", 0, records)
    return world, await world.own(MemoryLog(world.disk), Reign(len(records), age=NEVER))


async def disturbed(
    make: Callable[[], Fold], records: Sequence[Outgoing], drawn_reigns: Sequence[Reign]
) -> None:
    calm, calm_last = await undisturbed(make, records)
    world = World(make)
    world.disk.put("in", 0, records)
    for reign in drawn_reigns:
        await world.reign(reign)
    await world.wake_zombies()
    last = await world.own(MemoryLog(world.disk), Reign(len(records), 3, age=NEVER))
    for stream in TOPICS:
        assert len(calm.accepted(stream)) == len(calm.disk.records(stream))
        assert world.accepted(stream) == calm.accepted(stream)
    assert await inherited(world, last) == await inherited(calm, calm_last)


async def inherited(world: World, last: Partition) -> tuple[bytes, dict[str, tuple[bytes, dict[str, bytes]]]]:
    """The state that the next owner finds at the log's end: the mark, and each key's body and parts."""
    await last.hand_over()
    heir = world.partition(MemoryLog(world.disk), last._cadence)
    assert await heir.start() == len(world.disk.records("in"))
    restored = await Snapshots(MemoryLog(world.disk), "state", 0, "onlooker").take_over()
    return heir.fold.mark(), {name: (each.body, dict(each.parts)) for name, each in restored.keys.items()}
