"""Records that the bank takes together give what they give one by one."""

import random
from collections.abc import Sequence
from typing import ClassVar

import pytest

from detectors.agent import AgentState
from detectors.bank import Bank
from detectors.detector import Coming
from detectors.settings import Settings
from schemas.event import Event
from schemas.record import Output, Record
from schemas.wire import Malformed, decode_event
from tests.detectors.agent_events import START_S
from tests.detectors.made_up import KINDS, Judge, Tape, Told, settings_of, settings_record

Given = list[Sequence[Output] | str]


class Writer:
    """A bank that keeps the records it is given and does nothing."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def apply(self, record: Record) -> Sequence[Output]:
        self.records.append(record)
        return ()


class Many(Told):
    """One that is shown several events at once."""

    name: ClassVar[str] = "many"

    def observe_many(self, coming: Coming) -> None:
        for event, now in coming:
            self.observe(event, now)


class Hasty(Told):
    """One that raises before it takes any event."""

    name: ClassVar[str] = "hasty"

    def observe_many(self, coming: Coming) -> None:
        raise ValueError(f"{coming} too many")


EVERY = {**KINDS, "many": Many, "judge": Judge}
SEEDS = range(6)


def records(seed: int) -> Sequence[Record]:
    """Events of a few agents: duplicates, late ones, such that detectors raise at, controls, and rubbish."""
    draw, tape, at_s = random.Random(seed), Tape(Writer()), 0.0  # type: ignore[arg-type] # it only applies
    for n in range(200):
        at_s += draw.choice((0.0, 0.01, 0.3, 4.0))
        _write(tape, draw, n, at_s)
    return tape.bank.records  # type: ignore[attr-defined] # it is a writer


def _write(tape: Tape, draw: random.Random, n: int, at_s: float) -> None:
    agent, find = draw.choice(("ana", "bob", "vip")), draw.randrange(4)
    draw.choice(
        (
            lambda: tape.put(b"rubbish"),
            lambda: tape.tick(at_s),
            lambda: tape.rebase(at_s, agent),
            lambda: tape.control(settings_record({"told": {"label": f"{n}"}}, f"d{n}", START_S + at_s)),
            lambda: tape.event(at_s, agent, kind="agent.evaluation.v1"),
            lambda: tape.event(at_s, agent, kind="agent.release.v1", deployment={"environment_name": "e"}),
            lambda: tape.told(at_s, agent, find=find, fail=1),
            lambda: tape.event(at_s - 20, agent, id=f"{find}"),
            lambda: tape.told(at_s, agent, find=find),
            lambda: tape.told(at_s, agent, find=find),
        )
    )()


def bank() -> Bank:
    return Bank(settings_of, "events", kinds=EVERY)


def state(of: Bank) -> tuple[object, ...]:
    return of.mark(), of.wake_at, [(name, of.save(name)) for name in list(of.unsaved())]


def one_by_one(of: Bank, some: Sequence[Record]) -> Given:
    given: Given = []
    for record in some:
        try:
            given.append(list(of.apply(record)))
        except Malformed as fault:
            given.append(str(fault))
    return given


def together(of: Bank, some: Sequence[Record], sizes: random.Random) -> Given:
    given: Given = []
    at = 0
    while at < len(some):
        size = sizes.choice((1, 2, 17, 80))
        batch = of.apply_many(some[at : at + size])
        given += [str(each) if isinstance(each, Exception) else list(each) for each in batch]
        at += size
    return given


@pytest.mark.parametrize("seed", SEEDS)
def test_batches_give_the_same_and_leave_the_same_state(seed):
    some, single, batched = records(seed), bank(), bank()
    given = one_by_one(single, some)
    assert together(batched, some, random.Random(seed)) == given
    assert state(batched) == state(single)
    assert any(isinstance(each, str) for each in given)
    assert any(each.stream == "deadletter" for some in given if isinstance(some, list) for each in some)
    assert any(each.stream == "causes" for some in given if isinstance(some, list) for each in some)


def test_a_detector_that_raises_before_it_takes_an_event_is_told_of_each():
    agent = AgentState("ana", {"hasty": Hasty, "other": KINDS["other"]}, Settings())
    tape = Tape(Writer())  # type: ignore[arg-type] # it only applies
    for n in range(3):
        tape.event(n)
    events = [(_event(record), START_S) for record in tape.bank.records]  # type: ignore[attr-defined] # a writer
    assert [at for at, fault in agent.take(events) if "too many" in fault] == [0, 1, 2]
    assert agent.detectors["other"].findings(START_S)


def _event(record: Record) -> Event:
    event = decode_event(record.value)
    assert isinstance(event, Event)
    return event
