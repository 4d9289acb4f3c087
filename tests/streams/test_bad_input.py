"""Whatever agents send, the outage among it is paged as ever: detection and routing together, over lines."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
import pytest

from detectors.bank import Bank
from routing.router import Router
from schemas.page import Page
from schemas.signal import Signal
from schemas.wire import moment
from streams.files import Line
from streams.history import plan
from streams.hosting.settings import read_settings
from streams.records import DeadLetter, Told
from streams.replay import BUILT_IN, Core, replay

START_S = 1_767_225_600.0
NOW_S = START_S + 86_400
LABELS = 100_000
GAP_S = 20.0


def event(number: int, at_s: float, /, kind: str = "agent.operation.v1", **data: object) -> bytes:
    """An event of the agent `shop`; `data`: its parts by name."""
    common = {"operation": {"name": "chat"}, "agent": {"name": "shop"}}
    said = {"specversion": "1.0", "id": f"e{number}", "source": "s", "type": kind, "time": moment(at_s)}
    return msgspec.json.encode({**said, "data": {**common, **data}})


def session(number: int, at_s: float, **more: object) -> bytes:
    """A session that ends."""
    ended = {"id": f"c{number}", "state": "ended"}
    operation = {"name": "invoke_agent"}
    return event(number, at_s, "agent.session.v1", operation=operation, conversation=ended, **more)


def outage() -> list[Line]:
    """Two hours of a shop; after the first, every session fails for five minutes."""
    lines = []
    for number in range(int(7200 / GAP_S)):
        failed = 3600 <= number * GAP_S < 3900
        more = {"error": {"type": "503", "class": "retryable"}} if failed else {}
        lines.append(Line(session(number, START_S + number * GAP_S, **more), "shop.jsonl", number + 1))
    return lines


def told(lines: Sequence[Line], now_s: float | None = NOW_S) -> list[Told]:
    return [each for _, some in replay(lines, now_s=now_s) for each in some]


def pages(words: Sequence[Told]) -> list[tuple[object, ...]]:
    """What a person sees of it: when, who, why, what."""
    return [(each.time, each.to, each.reason, each.summary) for each in words if isinstance(each, Page)]


def reasons(words: Sequence[Told]) -> list[str]:
    return [each.reason for each in words if isinstance(each, DeadLetter)]


def mixed(value: bytes) -> list[Line]:
    """The outage, with the same bad line before, in the midst of, and after it."""
    lines = outage()
    for place in (0, 100, 185, len(lines)):
        lines.insert(place, Line(value, "bad.jsonl", place + 1))
    return lines


def altered(old: str, new: str | bytes) -> bytes:
    """An event of the first minute with other bytes in it."""
    value = event(10_000, START_S + 60, input={"text": "hello"}, tool={"name": "search"})
    assert old.encode() in value
    return value.replace(old.encode(), new.encode() if isinstance(new, str) else new)


REFUSED = {
    "half an object": (altered("}}", "}"), "Input data was truncated"),
    "an empty line": (b"", "Input data was truncated"),
    "a number for a name": (
        altered('"search"', "7"),
        "Expected `str | null`, got `int` - at `$.data.tool.name`",
    ),
    "a list for the data": (
        b'{"specversion":"1.0","data":[]}',
        "Expected `object`, got `array` - at `$.data`",
    ),
    "an unknown type": (
        altered("agent.operation.v1", "agent.dream.v1"),
        "Invalid enum value 'agent.dream.v1'",
    ),
    "a text of 1 MB": (altered("hello", "x" * 1_000_000), "Expected `str` of length <= 4000"),
    "1 MB in an unknown place": (altered('"hello"', '"hello"' + "x" * 1_000_000), "JSON is malformed"),
    "a NUL byte": (altered("search", b"\x00"), "JSON is malformed: invalid character"),
    "nothing but NUL bytes": (b"\x00" * 1000, "JSON is malformed: invalid character"),
    "no text": (altered("search", b"\xff\xfe"), "Expected UTF-8"),
    "a time before all clocks": (altered("2026", "1969"), "Expected a year from 1970 to 9998"),
    "a time after all clocks": (altered("2026", "9999"), "Expected a year from 1970 to 9998"),
    "nesting without end": (altered('"hello"', "[" * 100_000 + "]" * 100_000), "Expected `str | null`"),
}


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
@pytest.mark.parametrize(("value", "reason"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_no_event_is_a_dead_letter_each_time_and_costs_no_page(value, reason):
    words = told(mixed(value))
    assert pages(words) == pages(told(outage())) != []
    assert len(reasons(words)) == 4
    assert all(each.startswith(reason) for each in reasons(words))
    assert {each.line.value for each in words if isinstance(each, DeadLetter)} == {value}


TAKEN = {
    "an ancient time": altered("2026", "1970"),
    "an escaped NUL": altered("search", "\\u0000"),
    "an unknown field of 1 MB": altered('"data"', '"surprise":"' + "x" * 1_000_000 + '","data"'),
    "amounts beyond measure": event(
        10_001, START_S + 60, usage={"cost_amount": 1e308, "cost_currency": "USD"}
    ),
}


@pytest.mark.parametrize("value", TAKEN.values(), ids=list(TAKEN))
def test_what_is_odd_but_an_event_is_taken_and_costs_no_page(value):
    words = told(mixed(value))
    assert pages(words) == pages(told(outage()))
    assert reasons(words) == []


def test_an_event_of_the_future_is_replaced_and_said_and_history_goes_on_behind_it():
    lines = outage()
    lines.insert(90, Line(altered("2026", "2999")))
    steps = list(replay(lines, now_s=NOW_S))
    assert [step.is_ahead for step, _ in steps].count(True) == 1
    assert pages([word for _, words in steps for word in words]) == pages(told(outage()))
    latest = max(word.time for _, words in steps for word in words if not isinstance(word, DeadLetter))
    assert latest < moment(NOW_S + 86_400)
    assert pages(told(lines, None)) != pages(told(lines))


def test_history_that_begins_with_the_future_loses_that_event_alone_and_says_so():
    words = told([Line(altered("2026", "2999")), *outage()])
    assert pages(words) == pages(told(outage()))
    assert [each[:22] for each in reasons(words)] == ["Expected a time before"]


def test_events_that_come_twice_count_once():
    lines = outage()
    doubled = [each for line in lines for each in (line, line)]
    again = [each for at in range(0, len(lines), 6) for each in (*lines[at : at + 6], *lines[at : at + 6])]
    for repeated in (doubled, again):
        assert pages(told(repeated)) == pages(told(lines))


def test_events_out_of_order_page_the_same_people_for_the_same_thing_within_a_minute():
    lines = outage()
    draw = random.Random(5)
    order = sorted(range(len(lines)), key=lambda at: at * GAP_S + draw.uniform(0, 60))
    expected = pages(told(lines))
    found = pages(told([lines[at] for at in order]))
    assert [each[1:3] for each in found] == [each[1:3] for each in expected]
    assert all(abs((one[0] - two[0]).total_seconds()) <= 60 for one, two in zip(found, expected, strict=True))


def watched(values: Iterator[bytes], most_agents: int) -> tuple[Bank, Router, list[Told]]:
    """Shows values to detection and routing, whose partition holds so many agents."""
    bank, router = Bank(read_settings, "events", most_agents=most_agents), Router()
    bank.begin([BUILT_IN])
    core = Core(bank, router)
    core.configure([BUILT_IN])
    words = [word for some in core.take_many(list(plan(map(Line, values), 1))) for word in some]
    return bank, router, words


def size(fold: Bank | Router) -> int:
    """Bytes of all that a fold would save."""
    kept = [fold.save(key) for key in list(fold.unsaved())]
    return len(fold.mark()) + sum(len(each.body) + sum(map(len, each.parts.values())) for each in kept)


def labelled(count: int) -> Iterator[bytes]:
    """Operations and ends of sessions with a new label in every place, some of them failed."""
    for number in range(count):
        new = {"id": f"new-{number}"}
        named = {"name": f"new-{number}"}
        yield event(
            number,
            START_S + number / 5,
            *(("agent.session.v1",) if number % 10 == 0 else ()),
            conversation={**new, "state": "ended"} if number % 10 == 0 else new,
            tenant=new,
            user=new,
            tool=named,
            provider=named,
            request={"model": new["id"]},
            usage={"cost_amount": 0.01, "cost_currency": "USD"},
            error={"type": new["id"], "message": new["id"]} if number % 7 == 0 else None,
        )


@pytest.mark.timeout(300)
@pytest.mark.no_cover  # a hundred thousand of them are several times as fast unmeasured
def test_a_hundred_thousand_labels_of_one_agent_fill_it_to_a_bound():
    sizes: dict[int, int] = {}
    for count in (LABELS // 10, LABELS):
        bank, router, words = watched(labelled(count), 10)
        assert reasons(words) == []
        sizes[count] = size(bank) + size(router)
    assert sizes[LABELS] < 1_000_000
    assert sizes[LABELS] < 2 * sizes[LABELS // 10]


@pytest.mark.timeout(300)
@pytest.mark.no_cover  # a hundred thousand of them are several times as fast unmeasured
def test_a_hundred_thousand_agents_are_watched_as_one_beyond_the_cap_and_somebody_is_paged():
    def each() -> Iterator[bytes]:
        for number in range(LABELS):
            yield event(number, START_S + number / 100, agent={"name": f"agent-{number}"})

    bank, router, words = watched(each(), 500)
    assert reasons(words) == []
    signals = Counter(f"{word.detector}/{word.finding}" for word in words if isinstance(word, Signal))
    assert set(signals) == {"telemetry/agents_capped"}
    (page,) = {word.summary for word in words if isinstance(word, Page)}
    assert "more than 500 agents" in page
    assert len(bank.unsaved()) == 501
    assert size(router) < 100_000


def test_an_outage_beyond_the_cap_of_agents_is_still_an_outage():
    def among() -> Iterator[bytes]:
        for number in range(50):
            yield event(90_000 + number, START_S, agent={"name": f"agent-{number}"})
        yield from (line.value for line in outage())

    _, _, words = watched(among(), 20)
    found = [
        word for word in words if isinstance(word, Page) and word.content.labels["agent"] == "(overflow)"
    ]
    assert any("session" in word.summary for word in found)
