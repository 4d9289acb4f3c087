"""Workers that are killed at points which a seed draws, as `kill -9` does: as they begin, restore or work."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from msgspec import Struct

from streams.hosting.topics import EVENTS
from tests.contract.disturbance import EVERYTHING, KEPT_BACK, Disturbed
from tests.contract.played import steps
from tests.contract.workers import Worker

CYCLE_S = 8.0
"""From one kill to the next, about: the group gives a dead worker up after four of them."""


class Kill(Struct, frozen=True):
    """One kill, so long after the last one or, where `restored`, after everything is owned again.

    `whom`: which of two workers it hits.
    """

    restored: bool
    after_s: float
    whom: int


class Plan(Struct, frozen=True):
    """What befalls one run: so many workers beside each other, and these kills."""

    workers: int
    kills: Sequence[Kill]

    @property
    def events_a_second(self) -> float:
        """So that the stream lasts about as long as the killing."""
        return (len(steps()) - KEPT_BACK) / (CYCLE_S * len(self.kills))


class Fell(Struct, frozen=True):
    """A kill that fell. `on`: what it fell on; `ready`: until every partition was owned again.

    None: the next kill came before.
    """

    on: str
    ready: timedelta | None


def drawn(seed: int, most: int = 4) -> Plan:
    """The plan of a seed: two workers in a third of them, else one; two kills to `most`."""
    chance = Random(seed)
    kills = []
    for _ in range(chance.randint(2, most)):
        restored = chance.random() < 2 / 3
        kills.append(Kill(restored, chance.uniform(0.0, 3.0 if restored else 8.0), chance.randrange(2)))
    return Plan(1 + (chance.random() < 1 / 3), kills)


async def killed(stage: Disturbed, plan: Plan) -> Sequence[Fell]:
    """Runs the plan from the first event to the last, and stops the workers that are left in good order."""
    at = [datetime.now(UTC)]
    workers = [stage.site.worker() for _ in range(plan.workers)]
    await stage.site.whole(at[0], EVERYTHING)
    stage.publish(plan.events_a_second)
    for kill in plan.kills:
        if kill.restored:
            await stage.site.whole(at[-1], EVERYTHING)
        await asyncio.sleep(kill.after_s)
        whom = kill.whom % len(workers)
        workers[whom].kill()
        at.append(stage.crash())
        workers[whom] = stage.site.worker()
    await stage.site.whole(at[-1], EVERYTHING)
    await stage.finished()
    for worker in workers:
        await worker.stop()
    return [_fell(stage, *three) for three in zip(at[:-1], at[1:], [*at[2:], None], strict=True)]


def _fell(stage: Disturbed, before: datetime, kill: datetime, after: datetime | None) -> Fell:
    """Where a kill fell: on workers that owned everything, or on some that were still to restore it."""
    was = stage.site.whole_at(before, EVERYTHING)
    whole = stage.site.whole_at(kill, EVERYTHING)
    ready = whole - kill if whole is not None and (after is None or whole < after) else None
    return Fell("work" if was is not None and was < kill else "restoring", ready)


async def replaced(stage: Disturbed, workers: list[Worker]) -> None:
    """Replaces workers one by one, as a rolling upgrade does: each has work before the old one goes."""
    for n, old in enumerate(workers):
        workers[n] = stage.site.worker()
        await workers[n].owns_some(EVENTS)
        await old.stop()
