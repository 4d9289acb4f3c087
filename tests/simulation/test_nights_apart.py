"""Nights with digests, which lose nothing, and with fire drills, which change nothing else."""

import os
import re

import pytest
from msgspec.structs import replace

from routing.router import Router
from schemas.cause import Configured
from schemas.decision import Decision
from schemas.incident import Incident
from schemas.page import Notice, Page, Update
from schemas.wire import encode
from tests.simulation.gathering import Digests
from tests.simulation.night import Broken, Night, a_router
from tests.simulation.promises import Promises
from tests.simulation.story import Story, digested, draw, even, rehearsed
from tests.simulation.test_nights_find import ENOUGH, Faulty

SEEDS = range(200 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 6)
pytestmark = pytest.mark.no_cover


class Listening(Promises):
    """Keeps what is said, that of drills apart."""

    def __init__(self) -> None:
        super().__init__()
        self.real: list[bytes] = []
        self.drilled: list[Page | Update | Incident] = []

    def applied(self, night, cause, outputs):
        super().applied(night, cause, outputs)
        for value in (each.value for each in outputs):
            if is_of_a_drill(value):
                self.drilled.append(value)
            elif isinstance(value, Page | Update | Incident | Decision):
                # Who wakes the router is a microsecond late.
                self.real.append(re.sub(rb"(?<=\.\d{5})\dZ", b"Z", encode(value)))


def is_of_a_drill(value) -> bool:
    if isinstance(value, Incident):
        return bool(value.drill)
    return isinstance(value, Page | Update) and not isinstance(value, Notice) and bool(value.content.drill)


def gathered(seed: int, make=a_router) -> Broken | None:
    """The promise that a night with a digest broke."""
    try:
        Night(digested(draw(seed)), make=make, look=Digests()).run()
    except Broken as broken:
        return broken
    return None


def listened(story: Story, make=a_router) -> Listening:
    look = Listening()
    Night(story, make=make, look=look).run()
    return look


@pytest.mark.parametrize("seed", SEEDS)
def test_a_digest_loses_nothing_whatever_the_night_brings(seed):
    assert gathered(seed) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_fire_drills_change_nothing_of_what_is_real(seed):
    story = even(draw(seed))
    without, beside = listened(story), listened(rehearsed(story))
    assert beside.real == without.real
    assert not without.drilled
    assert beside.drilled


def test_most_drills_are_told_to_somebody():
    told = [
        any(isinstance(each, Page) for each in listened(rehearsed(even(draw(s)))).drilled) for s in range(5)
    ]
    assert sum(told) > 3


class ForgetsNews(Faulty):
    """With another configuration it forgets what digests were to tell."""

    def follow(self, record, cause):
        if isinstance(cause, Configured):
            self._state.core.digests.clear()
        return super().follow(record, cause)


class TakesDrillsForReal(Router):
    """It does not see that something belongs to a drill."""

    def apply(self, record):
        return super().apply(replace(record, value=record.value.replace(b'"drill":', b'"trial":')))


def test_a_digest_that_forgets_is_found():
    found = (gathered(seed, ForgetsNews) for seed in range(ENOUGH))
    assert any(broken.promise == "a digest loses nothing" for broken in found if broken)


def test_drills_that_are_taken_for_real_are_found():
    assert any(not is_apart(seed) for seed in range(ENOUGH))


def is_apart(seed: int) -> bool:
    """Whether a router that takes drills for real says the same of what is real."""
    story = even(draw(seed))
    try:
        without, beside = (listened(each, TakesDrillsForReal) for each in (story, rehearsed(story)))
    except Broken:
        return False
    return beside.real == without.real
