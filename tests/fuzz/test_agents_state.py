"""An agent's state, or a partition's, is damaged: its worker goes on, and everybody else's agents do."""

import asyncio
import gzip
import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from math import inf, nan
from random import Random

import msgspec
import pytest
from msgspec.structs import replace

from detectors.bank import Bank
from schemas.control import Tick
from schemas.event import Event
from schemas.record import UNREADABLE, Record, Saved
from schemas.wire import encode
from streams.hosting.settings import read_settings
from streams.hosting.snapshots import Restored
from tests.fuzz.mutating import mutants
from tests.streams.test_older_state import FILES, Kept, restored
from tools.keep_state import END, events

COUNT = 5_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 32
DAMAGED, OTHER = "agent-0000", "agent-0001"
SHARES = 4
"""Tests that they are divided among, for several processes."""
EVENTS = 60
AFTERWARDS = (timedelta(minutes=5), timedelta(minutes=30), timedelta(days=2))
"""When nothing more comes, so that whatever stands or was begun ends."""
FLOATS = (nan, inf, -inf, 1e300, -1e300, 0.0, -1.0, 5e-324)
INTS = (0, -1, 1, 10**9, 2**63 - 1, -(2**63))
pytestmark = [pytest.mark.no_cover, pytest.mark.timeout(600)]


@cache
def left() -> tuple[Restored, int]:
    """What a worker left of two agents in the middle of an outage, and at which offset."""
    kept = msgspec.msgpack.decode(gzip.decompress(FILES[-1].read_bytes()), type=Kept)
    return asyncio.run(restored(kept.bank)), kept.events


@cache
def later() -> Sequence[Event]:
    return [event for event in events() if event.time >= END][:EVENTS]


def gone_on(keys: dict[str, Saved], mark: bytes) -> tuple[list[bytes], list[Exception]]:
    """What is told of the other agent after a restart with such state; and what became of no record at all.

    Raises:
        ValueError, MsgspecError: the mark, or a key, is refused.
    """
    bank = Bank(read_settings, "events")
    bank.resume(mark)
    for name, saved in keys.items():
        bank.load(name, saved)
    offset = left()[1]
    values = [encode(each) for each in later()]
    values += [encode(Tick(time=later()[-1].time + each)) for each in AFTERWARDS]
    given = bank.apply_many([Record(offset + n, value) for n, value in enumerate(values)])
    for name in list(bank.unsaved()):
        bank.save(name)
    bank.mark()
    outputs = [each for one in given if not isinstance(one, Exception) for each in one]
    told = [encode(each.value) for each in outputs if each.stream == "causes" and each.key == OTHER]
    return told, [one for one in given if isinstance(one, Exception)]


def leaves(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], object]]:
    """All that is in a state that was read, with the way to it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    yield path, value
    for name, each in inner:
        yield from leaves(each, (*path, name))


def put(value, path, new):
    """The same with something else at one place."""
    if not path:
        return new
    inner = put(value[path[0]], path[1:], new)
    if isinstance(value, dict):
        return {**value, path[0]: inner}
    return [*value[: path[0]], inner, *value[path[0] + 1 :]]


def other(random: Random, value):
    """Something of the same type that nobody writes."""
    match value:
        case bool() | None:
            choice = (not value, nan)
        case int():
            choice = INTS
        case float():
            choice = FLOATS
        case str():
            choice = ("", f"{value}x")
        case bytes():
            choice = (_inside(random, value), _flipped(random, value), _cut(random, value))
        case _:
            choice = ([], value[: len(value) // 2], value + value) if isinstance(value, list) else (value,)
    return random.choice(choice)


def _inside(random: Random, value: bytes) -> bytes:
    """Where it is a state within a state, one of which something is damaged."""
    try:
        read = msgspec.msgpack.decode(value)
    except UNREADABLE:
        return _flipped(random, value)
    return damaged(random, value) if isinstance(read, list | dict) else _flipped(random, value)


def _flipped(random: Random, value: bytes) -> bytes:
    at = random.randrange(len(value) + 1)
    return (value[:at] + random.choice((b"\xff" * 8, b"\x00" * 8, b"\x7f")) + value[at + 8 :])[: len(value)]


def _cut(random: Random, value: bytes) -> bytes:
    return value[: random.randrange(len(value) + 1)]


def damaged(random: Random, state: bytes) -> bytes:
    """A state that can be read, with values in up to three places that nobody writes."""
    read = msgspec.msgpack.decode(state)
    for _ in range(random.randint(1, 3)):
        path, value = random.choice(list(leaves(read)))
        read = put(read, path, other(random, value))
    return msgspec.msgpack.encode(read)


def hurt(state: bytes, share: int, what: str) -> Iterator[tuple[str, bytes]]:
    """States with bytes that are damaged, and with values that are."""
    for number, value in mutants([state], COUNT // SHARES // 2, f"{what} {share}"):
        yield f"bytes {share} {number}", value
    for number in range(COUNT // SHARES):
        yield f"values {share} {number}", damaged(Random(f"{what} {share} {number}"), state)


def test_what_is_not_damaged_goes_on():
    was, _ = left()
    told, lost = gone_on({**was.keys}, was.low_water.mark)
    assert len(told) > 3
    assert lost == []


def bodies(share: int) -> Iterator[tuple[str, Saved]]:
    saved = left()[0].keys[DAMAGED]
    for name, body in hurt(saved.body, share, "body"):
        yield name, replace(saved, body=body)
    for part, piece in saved.parts.items():
        for name, value in hurt(piece, share, part):
            yield f"{part} {name}", replace(saved, parts={**saved.parts, part: value})


@pytest.mark.parametrize("share", range(SHARES))
def test_an_agent_whose_state_is_damaged_costs_the_others_nothing(share):
    was, _ = left()
    calm, _ = gone_on({**was.keys}, was.low_water.mark)
    for name, saved in bodies(share):
        try:
            told, lost = gone_on({**was.keys, DAMAGED: saved}, was.low_water.mark)
        except BaseException as error:
            raise AssertionError(f"{name} ends the worker") from error
        assert lost == [], f"{name}: records are lost"
        assert told == calm, name


@pytest.mark.parametrize("share", range(SHARES))
def test_a_damaged_mark_is_refused_or_all_is_folded_with_it(share):
    was, _ = left()
    refused = 0
    for name, mark in hurt(was.low_water.mark, share, "mark"):
        try:
            _, lost = gone_on({**was.keys}, mark)
        except (ValueError, *UNREADABLE):
            refused += 1
        except BaseException as error:
            raise AssertionError(f"{name} ends the worker") from error
        else:
            assert lost == [], name
    assert refused
