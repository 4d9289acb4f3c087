"""A night that broke a promise, made short while it still breaks it, and told as a timeline."""

from collections.abc import Callable

from msgspec.structs import replace

from routing.router import Router
from tests.simulation.night import Broken, Night, a_router
from tests.simulation.promises import Promises
from tests.simulation.story import Story, draw

MOST_TRIES = 100
"""Nights that are played to shorten one."""


def played(story: Story, make: Callable[[], Router] = a_router) -> tuple[Night, Broken | None]:
    """A night, and the first promise that it broke."""
    night = Night(story, make=make, look=Promises())
    try:
        night.run()
    except Broken as broken:
        return night, broken
    return night, None


def shortened(story: Story, promise: str, make: Callable[[], Router] = a_router) -> Story:
    """The story without what it does not need to break the same promise: halves first, then ever less."""
    size, tries = max(1, len(story.happenings) // 2), 0
    while tries < MOST_TRIES:
        before = len(story.happenings)
        for begin in range(0, before, size):
            kept = story.happenings[:begin] + story.happenings[begin + size :]
            shorter = replace(story, happenings=kept)
            tries += 1
            if len(kept) == len(story.happenings) or tries > MOST_TRIES:
                break
            broken = played(shorter, make)[1]
            if broken is not None and broken.promise == promise:
                story = shorter
                break
        else:
            if size == 1:
                break
            size //= 2
    return story


def complaint(seed: int, make: Callable[[], Router] = a_router) -> str:
    """What is wrong with the night of a seed, to be read, or nothing."""
    story = draw(seed)
    broken = played(story, make)[1]
    if broken is None:
        return ""
    short = shortened(story, broken.promise, make)
    night, again = played(short, make)
    lines = [
        f"night {seed} breaks a promise: {broken}",
        f"of {len(story.happenings)} things that happen, {len(short.happenings)} suffice: {again}",
        *(f"{at_s:10.1f} s  {text}" for at_s, text in night.told),
        f"{night.now_s:10.1f} s  here it is seen; the rules at first: number {short.rules}",
        f"again: NIGHTS={seed} pytest tests/simulation/test_nights.py",
    ]
    return "\n".join(lines)
