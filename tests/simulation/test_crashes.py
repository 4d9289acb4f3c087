"""Whatever happens to owners, the receiver sees each output once and the state is the log's."""

import asyncio
from collections.abc import Sequence

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.bank import Bank
from detectors.settings import Settings
from schemas.control import Tick
from schemas.wire import encode, moment
from streams.log import Outgoing
from tests.memory_log import Act, MemoryLog
from tests.simulation.counting import Counter
from tests.simulation.owners import World

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


steps = st.tuples(
    st.sampled_from(["event", "event", "event", "tick", "broken"]), st.sampled_from(AGENTS), st.floats(-3, 12)
)
acts = st.lists(st.sampled_from([Act.GO] * 20 + list(Act)), min_size=5, max_size=60)
reigns = st.lists(st.tuples(acts, st.integers(1, 9), st.floats(0.2, 1.0)), min_size=1, max_size=5)


def records_of(drawn: Sequence[tuple[str, str, float]]) -> list[Outgoing]:
    at_s, records = START, []
    for n, (what, agent, gap_s) in enumerate(drawn):
        at_s += gap_s
        match what:
            case "event":
                value = event(n, agent, at_s)
            case "tick":
                value = encode(Tick(time=moment(at_s)))
            case _:
                value = b"not an event"
        records.append(Outgoing(agent.encode(), value))
    return records


async def undisturbed(records: Sequence[Outgoing]) -> World:
    world = World(bank)
    world.disk.put("in", 0, records)
    owner = await world.own(MemoryLog(world.disk), 1, len(records), age_s=1e9)
    world.last = owner
    return world


@given(st.lists(steps, min_size=20, max_size=80), reigns)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_crashes_pauses_and_lost_answers_change_nothing_that_a_receiver_sees(drawn, drawn_reigns):
    asyncio.run(disturb(records_of(drawn), drawn_reigns))


async def disturb(records, drawn_reigns) -> None:
    calm = await undisturbed(records)
    world = World(bank)
    world.disk.put("in", 0, records)
    for drawn_acts, batch, share in drawn_reigns:
        await world.reign(drawn_acts, batch, int(len(records) * share))
    await world.wake_zombies()
    last = await world.own(MemoryLog(world.disk), 3, len(records), age_s=1e9)
    assert world.accepted() == calm.accepted()
    await last.hand_over()
    heir = world.partition(MemoryLog(world.disk), last._cadence)
    assert await heir.start() == len(records)
    agents = sorted(calm.last.fold.unsaved())
    await calm.last.hand_over()
    calm_heir = calm.partition(MemoryLog(calm.disk), last._cadence)
    await calm_heir.start()
    assert sorted(heir.fold._asleep) == agents
    assert [heir.fold._asleep[a].body for a in agents] == [calm_heir.fold._asleep[a].body for a in agents]
    assert heir.fold.mark() == calm_heir.fold.mark()
