"""Records that the bank takes together give what they give one by one."""

import random
from collections.abc import Sequence
from typing import ClassVar

import pytest

from detectors.agent import AgentState
from detectors.bank import Bank
from detectors.crowd import OVERFLOW
from detectors.detector import Coming
from detectors.settings import Settings, Watch
from schemas.event import Event
from schemas.record import Output, Record
from schemas.wire import Malformed, decode_event
from tests.detectors.agent_events import START_S
from tests.detectors.made_up import KINDS, Judge, Script, Told, reasons, settings_of, settings_record, signals

Given = list[Sequence[Output] | str]


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
    draw, tape, at_s = random.Random(seed), Script(), 0.0
    for n in range(200):
        at_s += draw.choice((0.0, 0.01, 0.3, 4.0))
        _write(tape, draw, n, at_s)
    return tape.records


def _write(tape: Script, draw: random.Random, n: int, at_s: float) -> None:
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


def outputs(of: Bank, some: Sequence[Record]) -> list[Sequence[Output]]:
    """What comes of records none of which is rubbish."""
    given = [each for each in of.apply_many(some) if not isinstance(each, Exception)]
    assert len(given) == len(some)
    return given


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
    tape = Script()
    for n in range(3):
        tape.event(n)
    events = [(_event(record), START_S) for record in tape.records]
    assert [at for at, fault in agent.take(events) if "too many" in fault] == [0, 1, 2]
    assert agent.detectors["other"].findings(START_S)


def test_agents_beyond_the_cap_share_what_comes_together():
    tape = Script()
    for name in ("ana", "bo", "chi", "bo", "chi"):
        tape.event(0, name)
    whole = Bank(settings_of, "events", kinds=KINDS, most_agents=1)
    whole.apply_many(tape.records)
    assert set(whole.unsaved()) == {"ana", OVERFLOW}
    assert whole._keys.awake[OVERFLOW].detectors["told"].state[3] == 4


def test_an_agent_that_is_called_as_those_beyond_the_cap_are_is_counted_however_records_come():
    tape = Script()
    for name in ("ana", "bo", OVERFLOW, "bo", OVERFLOW):
        tape.event(0, name)
    whole, single = (Bank(settings_of, "events", kinds=KINDS, most_agents=1) for _ in range(2))
    whole.apply_many(tape.records)
    for record in tape.records:
        single.apply(record)
    assert state(whole) == state(single)


class Unfit(Told):
    """One whose list of types is no list: its agents cannot be shown anything."""

    name: ClassVar[str] = "unfit"
    watches: ClassVar[frozenset[str]] = 7  # type: ignore[assignment] # that is the fault


class TestWhatRaisesBeforeAnyDetectorIsShown:
    def _records(self) -> list[Record]:
        tape = Script()
        for n, agent in enumerate(("ana", "bob", "ana", "bob")):
            tape.told(n / 10, agent, find=1)
        tape.tick(10)
        return tape.records

    def test_is_told_of_the_records_of_its_agent_and_other_agents_are_shown_theirs(self):
        of = bank()
        records = self._records()
        of.apply_many(records[:2])
        of._keys.awake["ana"].detectors["unfit"] = Unfit(Watch(agent="ana"), {})
        of._keys.awake["ana"]._hold(of._keys.awake["ana"].detectors)
        given = outputs(of, records[2:])
        assert [bool(reasons(each)) for each in given] == [True, False, False]
        assert reasons(given[0])[0].startswith("ana: TypeError: ")
        assert {each.labels["agent"] for each in signals(given[2])} >= {"bob"}

    def test_nothing_is_shown_again_with_the_next_batch(self):
        of = bank()
        records = self._records()
        of.apply_many(records[:1])
        state = of._keys.awake["ana"]
        state._hold({**state.detectors, "unfit": Unfit(Watch(agent="ana"), {})})
        of.apply_many(records[2:3])
        state._hold({name: each for name, each in state.detectors.items() if name != "unfit"})
        assert not any(reasons(each) for each in outputs(of, records[3:4]))
        assert state._duplicates == 0


@pytest.mark.parametrize("size", [1, 3])
def test_an_event_that_cannot_be_completed_is_told_of_and_shown_as_it_came(size):
    of = AgentState("ana", {"other": KINDS["other"]}, Settings(errors=((".*", "retryable"),)))
    tape = Script()
    for n in range(3):
        tape.event(n, error={"type": f"E{n}"})
    events = [(_event(record), START_S) for record in tape.records]
    of._modes = Refusing("E1")
    told = [(at + n, fault) for n in range(0, 3, size) for at, fault in of.take(events[n : n + size])]
    assert told == [(1, "AgentState._completed: ValueError: not E1")]
    assert of.detectors["other"].state[3] == 3


class Refusing:
    """A team's table that fails at one error type."""

    def __init__(self, type_: str) -> None:
        self.type = type_

    def classed(self, event: Event) -> Event:
        if event.data.error is not None and event.data.error.type == self.type:
            raise ValueError(f"not {self.type}")
        return event


def _event(record: Record) -> Event:
    event = decode_event(record.value)
    assert isinstance(event, Event)
    return event
