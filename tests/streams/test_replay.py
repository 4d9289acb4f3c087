"""The core over files."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from routing.rules.faults import ConfigFaults
from schemas.cause import AnyCause, ConfigFile, Configured, Reported, Signalled
from schemas.outcome import Delivered
from schemas.page import Page
from schemas.record import Origin, Output, Record
from schemas.signal import Signal
from schemas.wire import Malformed, decode_cause, encode
from streams.demonstration.cast import CAST
from streams.demonstration.fleet import Fleet, Scripted
from streams.files import Line, config_files, lines
from streams.history import Step
from streams.records import DeadLetter, Told
from streams.replay import BUILT_IN, Core, replay
from tests.conftest import shared_data
from tests.streams.words import MINUTE, NOON, page, signal, update

pytestmark = pytest.mark.xdist_group("replay")  # an outage is replayed once
RETAIL = Path(__file__).resolve().parents[2] / "examples" / "retail"
START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Detect:
    """A fold that puts out what the script has for a value."""

    def __init__(self, script: Mapping[bytes, Sequence[Output] | Exception]) -> None:
        self._script = script

    def apply(self, record: Record) -> Sequence[Output]:
        given = self._script.get(record.value, ())
        if isinstance(given, Exception):
            raise given
        return given


class Route:
    """A fold that keeps the causes it was given and answers with what `answer` makes of each."""

    def __init__(self, answer=lambda _: ()) -> None:
        self.causes: list[AnyCause] = []
        self._answer = answer

    def apply(self, record: Record) -> Sequence[Output]:
        assert record.offset == len(self.causes)
        self.causes.append(decode_cause(record.value))
        return [Output("pages", "k", word, 0.0) for word in self._answer(self.causes[-1])]


def signalled(at: datetime = NOON, **changes: object) -> Output:
    return Output("causes", "k", Signalled(at=at, signal=signal(time=at, **changes)), at.timestamp())


def told(lines_: Sequence[Line], files: Sequence[ConfigFile] = (BUILT_IN,)) -> list[Told]:
    return [each for _, some in replay(lines_, files) for each in some]


def test_outputs_carry_where_they_come_from():
    route = Route()
    core = Core(Detect({b"a": [signalled(), signalled()], b"b": [signalled()]}), route)
    list(core.take_many([Step(0, value) for value in (b"a", b"-", b"b")]))
    origins = [Origin("agent.events/0", 0, 0), Origin("agent.events/0", 0, 1), Origin("agent.events/0", 2, 0)]
    assert [cause.origin for cause in route.causes] == origins


def test_every_message_is_answered_as_delivered_at_its_own_time():
    route = Route(lambda cause: [page(), update()] if isinstance(cause, Signalled) else [])
    list(Core(Detect({b"a": [signalled()]}), route).take_many([Step(0, b"a")]))
    _, first, second = route.causes
    assert first == Reported(at=NOON, page="page-1", attempt=1, outcome=Delivered(reference="replay:page-1"))
    assert second == Reported(
        at=NOON + MINUTE, page="update-1", attempt=1, outcome=Delivered(reference="ref")
    )


def test_timers_that_were_due_before_a_signal_are_told_before_it():
    route = Route(lambda cause: [page(time=NOON - MINUTE)] if isinstance(cause, Signalled) else [])
    (words,) = Core(Detect({b"a": [signalled()]}), route).take_many([Step(0, b"a")])
    assert [word.time for word in words] == [NOON - MINUTE, NOON]


def test_what_the_fold_cannot_take_is_a_dead_letter_and_the_next_goes_on():
    core = Core(Detect({b"bad": Malformed("expected an object"), b"a": [signalled()]}), Route())
    line = Line(b"bad", "a.jsonl", 3)
    there, nowhere, well = core.take_many([Step(0, b"bad", line=line), Step(0, b"bad"), Step(0, b"a")])
    assert there == [DeadLetter(line, "expected an object")]
    assert nowhere == [DeadLetter(Line(b"bad"), "expected an object")]
    assert len(well) == 1


def test_what_the_fold_buries_is_a_dead_letter_with_its_reason():
    buried = Output("deadletter", "k", b"a", 0.0, (("reason", b"too much"),))
    line = Line(b"a", "a.jsonl", 3)
    (letters,) = Core(Detect({b"a": [buried]}), Route()).take_many([Step(0, b"a", line=line)])
    assert letters == [DeadLetter(line, "too much")]


def test_routing_hears_of_the_configuration_before_anything_else():
    route = Route()
    Core(Detect({}), route).configure([ConfigFile("a.yml", "text")])
    (cause,) = route.causes
    assert isinstance(cause, Configured)
    assert (cause.files, cause.clock) == ((ConfigFile("a.yml", "text"),), "events")


def test_a_configuration_that_does_not_hold_is_refused():
    with pytest.raises(ConfigFaults):
        replay([], [ConfigFile("a.yml", "route: {receiver: nobody}\n")])


@cache
def outage() -> Sequence[Line]:
    """Five hours of four agents; in the last hour one of them fails."""
    scripted = Scripted(
        kind="outage", agents=("refund-agent",), start=START + 4 * HOUR, end=START + 4.5 * HOUR, story=""
    )
    fleet = Fleet(profiles=CAST[:4], start=START, end=START + 5 * HOUR, scripted=[scripted])
    return tuple(Line(encode(event)) for event in fleet.events())


@cache
def told_of_the_outage() -> Sequence[Told]:
    return told(outage())


def test_a_simulated_outage_pages_and_resolves_again_by_the_built_in_rules():
    words = told_of_the_outage()
    pages = [word for word in words if isinstance(word, Page)]
    assert pages
    assert {page.content.signals[0].labels["agent"] for page in pages} == {"refund-agent"}
    assert timedelta(0) < pages[0].time - (START + 4 * HOUR) < timedelta(minutes=20)
    assert words[-1].time > START + 4.5 * HOUR


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
def test_the_same_events_give_the_same_words_in_the_order_of_time():
    words = told_of_the_outage()
    assert [encode(word) for word in words] == [encode(word) for word in told(outage())]
    assert all(one.time <= two.time for one, two in pairwise(words))


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
def test_what_routing_could_not_do_as_told_is_told_and_history_goes_on():
    nobody = ConfigFile(
        "oversight.yml",
        """\
route: {receiver: people, group_wait: 0s}
receivers:
- {name: people, notify: [{escalation: ladder}]}
users: {ana: {slack: U01}}
schedules:
  nights: {timezone: UTC, layers: [{name: n, start: '2030-01-01T00:00', every: 1 day, users: [ana]}]}
escalations:
  ladder: {steps: [{notify: [schedule: nights], via: [slack], wait: 5m}]}
""",
    )
    words = told(outage(), [nobody])
    letters = [word for word in words if isinstance(word, DeadLetter)]
    assert letters
    assert "no channel is left to page" in letters[0].reason
    assert any(isinstance(word, Signal) for word in words)


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
def test_malformed_lines_change_nothing_but_their_own_count():
    events = outage()
    mixed = [Line(b"{}"), *events[:500], Line(b"\x00"), Line(b'{"specversion": "2"}'), *events[500:]]
    words = told(mixed)
    letters = [word for word in words if isinstance(word, DeadLetter)]
    assert [letter.line for letter in letters] == [mixed[0], mixed[501], mixed[502]]
    pages = [(word.time, word.to, word.summary) for word in words if isinstance(word, Page)]
    assert pages == [
        (word.time, word.to, word.summary) for word in told_of_the_outage() if isinstance(word, Page)
    ]


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
@pytest.mark.data
def test_the_real_outages_of_the_retail_agent_page_whoever_is_on_call():
    path = shared_data("retail_agent_events.jsonl.gz")
    words = told(list(lines([path])), config_files(RETAIL))
    opened = [word for word in words if isinstance(word, Page) and word.reason in {"opened", "reopened"}]
    bursts = [
        datetime.fromisoformat(f"2026-02-{text}+00:00")
        for text in (
            "20T23:35:58",
            "21T00:34:31",
            "21T20:18:03",
            "22T11:27:15",
            "22T11:43:40",
            "22T14:45:36",
        )
    ]
    for burst in bursts:
        assert any(timedelta(0) <= each.time - burst <= timedelta(minutes=2) for each in opened), burst
    assert all(one.time <= two.time for one, two in pairwise(words))
