"""A router whose saved state is damaged: it is folded again from the log, and no page is lost or repeated."""

import asyncio
from functools import cache

import pytest
from msgspec.structs import replace

from routing.router import KEY, Router
from tests.memory_log import Disk, MemoryLog
from tests.routing.scenario import a_router
from tests.simulation.owners import TOPICS, Reign, World
from tests.simulation.test_crashes import NEVER, causes

DAMAGES = {
    "the entry is no entry": (b"/entry/", b"?"),
    "a part is not what it was": (b"/part/", b"?"),
    "the entry is gone": (b"/entry/", b""),
}


def damage(disk: Disk, kind: bytes, value: bytes) -> None:
    state = disk.records("state")
    found = [n for n, each in enumerate(state) if kind in (each.key or b"") and each.value]
    assert found
    for n in found:
        state[n] = replace(state[n], value=value)


async def owned(damaged: tuple[bytes, bytes] | None, seed: int, share: float) -> tuple[World, Router]:
    """All causes, by one owner and its heir; in between its state is damaged."""
    records = causes(seed)
    world = World(a_router, only_key=KEY)
    world.disk.put("in", 0, records)
    await world.reign(Reign(int(len(records) * share), 3))
    if damaged is not None:
        damage(world.disk, *damaged)
    last = await world.own(MemoryLog(world.disk), Reign(len(records), 3, age=NEVER))
    assert (last.folded_again > 0) is (damaged is not None)
    assert isinstance(last.fold, Router)
    return world, last.fold


@cache
def undamaged(seed: int, share: float) -> tuple[World, Router]:
    """What every damage is compared with."""
    return asyncio.run(owned(None, seed, share))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("damaged", DAMAGES.values(), ids=DAMAGES)
def test_a_router_whose_state_is_damaged_loses_no_page_and_repeats_none(damaged, share, seed):
    calm, calm_last = undamaged(seed, share)
    world, last = asyncio.run(owned(damaged, seed, share))
    for stream in TOPICS:
        assert world.accepted(stream) == calm.accepted(stream)
    assert last.save(KEY) == calm_last.save(KEY)


def test_without_the_log_the_damage_would_lose_pages():
    async def forgetful() -> World:
        records = causes(0)
        world = World(a_router)
        world.disk.put("in", 0, records)
        await world.reign(Reign(len(records) // 2, 3))
        damage(world.disk, b"/entry/", b"?")
        await world.own(MemoryLog(world.disk), Reign(len(records), 3, age=NEVER))
        return world

    calm, _ = undamaged(0, 0.5)
    assert asyncio.run(forgetful()).accepted("pages") != calm.accepted("pages")
